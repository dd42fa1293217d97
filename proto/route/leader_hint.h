/* Who led a partition when we last heard: a bounded memory of hints, each of which may be wrong.
 *
 * Threads  loop thread.
 * Memory   the table owns its slots.  Full, it forgets everything and learns anew.
 * Errors   none: a hint that cannot be kept is dropped.
 */
#ifndef PROTO_ROUTE_LEADER_HINT_H
#define PROTO_ROUTE_LEADER_HINT_H

#include "proto/base/hash_map.h"

struct leader_hint {
	struct hash_map by_partition; /* partition id -> node id */
	size_t count_max;
};

void leader_hint_init(struct leader_hint *hints, size_t count_max);
void leader_hint_close(struct leader_hint *hints);
/* 0 if unknown. */
uint64_t leader_hint_get(const struct leader_hint *hints, uint64_t partition_id);
/* node_id 0 forgets. */
void leader_hint_set(struct leader_hint *hints, uint64_t partition_id, uint64_t node_id);
/* Forget it if this node is what we believe. */
void leader_hint_deny(struct leader_hint *hints, uint64_t partition_id, uint64_t node_id);

#endif
