/* A storage node: the groups it hosts, the requests it serves, its part in the catalog.
 *
 * It stands on the runtime seam, an rpc transport and an engine, so the same node runs in a
 * process of its own (main.c), inside `cleave local`, and many times in the simulator.
 *
 * Life     node_create() reads the store and starts the groups; deliver requests to
 *          node->server.service; node_stop() answers what waits and closes the groups; node_destroy().
 * Threads  loop thread of the runtime.
 * Memory   borrows runtime, transport and engine; they outlive the node.
 * Errors   a failed disk or a broken invariant calls fatal(): the process must end.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "node/background/index_feeder.h"
#include "node/background/item_census.h"
#include "node/catalog/catalog.h"
#include "node/disk_watch.h"
#include "node/node_report.h"
#include "node/partition/partition_table.h"
#include "node/placement/driver.h"
#include "node/server/server.h"
#include "proto/catalog/catalog_view.h"
#include "proto/rpc/rpc.h"
#include "proto/rpc/rpc_hello.h"

enum {
	NODE_DRAIN_CHECK_MS = 2,
	NODE_PROBLEM_SIZE_MAX = 256,
	NODE_LOG_TRAILING_MAX = 1024, /* entries kept for a replica that is not behind */
};

struct node_options {
	uint64_t node_id;
	const char *zone;
	const char *host; /* where other processes reach this node */
	uint16_t port;
	uint8_t incarnation[RPC_INCARNATION_SIZE];
	uint64_t seed_node_ids[CATALOG_SEEDS_MAX]; /* the nodes that hold the catalog */
	uint32_t seed_count;
	struct catalog_settings settings;   /* proposed by the catalog's first leader */
	uint64_t reserve_bytes;             /* of disk_watch.h */
	uint32_t log_keep_entries;          /* for a replica that is behind; 0: the default */
	uint64_t collection_size_bytes_max; /* with local indexes; 0: LIMIT_COLLECTION_SIZE_BYTES */
	bool waits_for_indexes;             /* writes are answered when global indexes have them too */
	void (*fatal)(void *context, enum status status);
	void *fatal_context;
};

struct node {
	struct server server;
	struct node_options options;
	struct runtime *runtime;
	struct rpc_transport *transport;
	struct engine *engine;
	struct group_table groups;
	struct partition_table partitions;
	struct catalog_view view;
	struct catalog_observer view_observer;
	struct node_report report;
	struct route route; /* to leaders of other nodes' partitions */
	struct route_env route_env;
	struct index_feeders feeders;
	struct item_census census;
	struct catalog *catalog; /* NULL: this node holds no replica of it */
	struct driver *driver;
	struct group *catalog_group;
	struct disk_watch disk_watch;
	struct runtime_timer drain_timer; /* while stopping: until nothing is on its way to the disk */
	char problem[NODE_PROBLEM_SIZE_MAX];
	bool is_stopping;
	void (*stopped)(struct node *node);
};

/* Blocks on the store.  ST_CORRUPT, ST_VERSION, ST_IO: the log says what to do. */
enum status node_create(struct runtime *runtime, struct rpc_transport *transport, struct engine *engine,
			const struct node_options *options, struct node **node_out) MUST_CHECK;
/* Hand leadership over, answer what waits, close the groups; stopped() comes in a later turn. */
void node_stop(struct node *node, void (*stopped)(struct node *node));
/* After stopped(), or, in the simulator, to tear down a crashed node. */
void node_destroy(struct node *node);

/* NULL if the node can serve, else what is wrong; valid until the next call. */
const char *node_problem(struct node *node);
/* Refresh the gauges of /metrics. */
void node_update_metrics(struct node *node);

#endif
