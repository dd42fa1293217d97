/* The node's dispatch table: which part handles which method.
 *
 * Threads  loop thread.
 * Memory   borrows the parts; catalog is NULL on a node without a replica of it.
 */
#ifndef NODE_SERVER_SERVER_H
#define NODE_SERVER_SERVER_H

#include "node/catalog/catalog.h"
#include "node/partition/partition_table.h"
#include "node/server/handle_item.h"
#include "proto/rpc/rpc.h"

struct server {
	struct rpc_service service; /* what the transport delivers to */
	struct runtime *runtime;
	struct group_table *groups;
	struct partition_table *partitions;
	struct catalog *catalog;
	struct handle_item items;
	uint64_t node_id;
	const char *zone;
	uint64_t started_mono_ms;
	/* NULL if the node can serve, else what is wrong. */
	const char *(*problem)(void *context);
	void *problem_context;
	bool is_stopping; /* nothing but Raft is served any more */
};

/* The caller has filled in what is borrowed. */
void server_init(struct server *server);
void server_close(struct server *server);

#endif
