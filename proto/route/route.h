/* Which node to ask about a row key.
 *
 * The catalog's copy names the partition and its replicas; hints, connections and recent
 * silence order them.  A route may be wrong: the replica has the last word.
 *
 *   ROUTE_LEADER   strong reads and writes: the leader as last heard, else the preferred
 *                  one, then the others in turn
 *   ROUTE_NEAREST  eventual reads: own zone first, rotating among equals
 *
 * Nodes whose connection is down are left out; nodes that let a call time out lately come last.
 *
 * Threads  loop thread of the transport's runtime.
 * Memory   view, transport and zone are borrowed.
 * Errors   route_pick(): ST_UNREACHABLE no replica is left to ask.
 */
#ifndef PROTO_ROUTE_ROUTE_H
#define PROTO_ROUTE_ROUTE_H

#include "proto/catalog/catalog_view.h"
#include "proto/route/leader_hint.h"

enum {
	ROUTE_HINTS_MAX = 65536,
	ROUTE_SUSPECTS_MAX = 1024,
	ROUTE_SUSPECT_MS = 2000, /* a node that let a call time out is asked last for so long */
	ROUTE_TRIED_MAX = CATALOG_REPLICAS_MAX,
};

enum route_kind { ROUTE_LEADER, ROUTE_NEAREST };

struct route {
	struct catalog_view *view;
	struct rpc_transport *transport;
	const char *zone;
	struct leader_hint hints;
	struct hash_map suspects; /* node id -> until, in ms of the machine clock */
	uint32_t turn;            /* rotates among equals */
};

/* Nodes that need not be asked again in this round. */
struct route_tried {
	uint64_t node_ids[ROUTE_TRIED_MAX];
	uint32_t count;
};

struct route_target {
	uint64_t partition_id;
	uint64_t node_id;
	uint32_t epoch;
	bool is_suspect; /* it let a call time out lately: do not wait long for it */
};

void route_init(struct route *route, struct catalog_view *view, struct rpc_transport *transport,
		const char *zone);
void route_close(struct route *route);

enum status route_pick(struct route *route, const struct partition_info *partition, enum route_kind kind,
		       const struct route_tried *tried, struct route_target *target_out) MUST_CHECK;

/* A full list takes no more. */
void route_tried_add(struct route_tried *tried, uint64_t node_id);
bool route_tried_has(const struct route_tried *tried, uint64_t node_id);

/* What answers teach. */
void route_learn_leader(struct route *route, uint64_t partition_id, uint64_t node_id);
void route_learn_not_leader(struct route *route, uint64_t partition_id, uint64_t node_id);
void route_learn_silence(struct route *route, uint64_t node_id);

#endif
