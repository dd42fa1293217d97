/* One storage node of a run: the real struct node on a simulated machine, whose disk outlives
 * crashes.
 *
 * Threads  one.
 * Memory   the object lives for the whole run; what it starts is torn down by a crash.
 */
#ifndef TESTS_SIM_SIM_NODE_H
#define TESTS_SIM_SIM_NODE_H

#include "node/node.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_net.h"

enum { SIM_NODES_MAX = 5, SIM_RESERVE_BYTES = 1000 };

/* The same for all nodes of a run. */
struct sim_node_settings {
	struct catalog_settings catalog;
	uint32_t log_keep_entries; /* 0: the default */
	uint32_t seed_count;       /* nodes 1 to this hold the catalog */
};

struct sim_node;

/* Who looks at a node just before it crashes and just after it has started. */
struct sim_node_witness {
	void (*crashing)(struct sim_node_witness *witness, struct sim_node *node);
	void (*started)(struct sim_node_witness *witness, struct sim_node *node);
};

struct sim_node {
	struct sim_world *world;
	struct sim_net *net;
	uint64_t id;
	struct sim_node_settings settings;
	/* The machine. */
	char zone[2];
	struct sim_disk disk;
	int64_t rate_ppm;
	int64_t wall_offset_us;
	uint64_t mono_offset_us;
	struct sim_node_witness *witness; /* NULL: none */
	/* The process. */
	bool is_running;
	bool is_dying;         /* its end is scheduled */
	bool is_stopped;       /* in order: nothing of it is left to happen */
	bool dies_in_snapshot; /* while the next one comes or is put in place */
	struct sim_event death;
	struct sim_event install_look;
	uint32_t looks_left;
	struct sim_runtime runtime;
	struct sim_endpoint endpoint;
	struct rpc_service service;
	struct rpc_identity own;
	struct node *node; /* NULL while down */
	uint64_t start_count;
};

void sim_node_init(struct sim_node *node, struct sim_world *world, struct sim_net *net, uint64_t id,
		   const struct sim_node_settings *settings, enum sim_disk_kind disk_kind);
void sim_node_close(struct sim_node *node);

/* Start the process on what the disk holds. */
void sim_node_start(struct sim_node *node);
/* Kill it; of what was not synced a random prefix survives.  Silently: see sim_net_stop(). */
void sim_node_crash(struct sim_node *node, bool is_silent);
/* Ask it to end in order, as SIGTERM does. */
void sim_node_stop(struct sim_node *node);

bool sim_node_is_paused(const struct sim_node *node);
/* NULL if the node is down or has no replica of it. */
struct group *sim_node_group(const struct sim_node *node, uint64_t group_id);
struct partition *sim_node_partition(const struct sim_node *node, uint64_t partition_id);

#endif
