/* One storage node of a run: the real replicas, request handlers and group commit on a
 * simulated machine, whose disk outlives crashes.
 *
 * Threads  one.
 * Memory   the node object lives for the whole run; what it starts is torn down by a crash.
 */
#ifndef TESTS_SIM_SIM_NODE_H
#define TESTS_SIM_SIM_NODE_H

#include "node/partition/partition_table.h"
#include "node/server/handle_item.h"
#include "replication/group/group.h"
#include "storage/engine/engine_memory.h"
#include "tests/sim/sim_net.h"

enum { SIM_NODES_MAX = 4, SIM_TABLE_ID = 7 };

struct sim_node {
	struct sim_world *world;
	struct sim_net *net;
	uint64_t id;
	struct group_settings settings;
	/* The machine. */
	struct engine_memory_disk *disk;
	uint32_t miss_every; /* the block cache misses this often; 0: never */
	int64_t rate_ppm;
	int64_t wall_offset_us;
	uint64_t mono_offset_us;
	/* The process. */
	bool is_running;
	bool is_dying;         /* its end is scheduled */
	bool dies_in_snapshot; /* soon after the next chunk of a snapshot comes */
	struct sim_event death;
	struct sim_runtime runtime;
	struct sim_endpoint endpoint;
	struct rpc_service service;
	struct engine *engine;
	struct group_table groups;
	struct partition_table partitions;
	struct handle_item items;
	uint64_t start_count;
};

void sim_node_init(struct sim_node *node, struct sim_world *world, struct sim_net *net, uint64_t id,
		   const struct group_settings *settings);
void sim_node_close(struct sim_node *node);

/* Start the process on what the disk holds. */
void sim_node_start(struct sim_node *node);
/* Kill it; of what was not synced a random prefix survives.  Silently: see sim_net_stop(). */
void sim_node_crash(struct sim_node *node, bool is_silent);

/* Make a replica here; NULL members: it waits for a snapshot.  False if refused. */
bool sim_node_create_replica(struct sim_node *node, uint64_t partition_id, uint64_t replica_id,
			     const struct raft_engine_configuration *members);

/* NULL if the node is down or has no replica of it. */
struct partition *sim_node_partition(const struct sim_node *node, uint64_t partition_id);

#endif
