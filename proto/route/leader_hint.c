#include "proto/route/leader_hint.h"

_Static_assert(sizeof(void *) >= sizeof(uint64_t), "a node id is kept in a pointer");

void leader_hint_init(struct leader_hint *hints, size_t count_max)
{
	CHECK(count_max > 0);
	hints->count_max = count_max;
	hash_map_init(&hints->by_partition, count_max);
}

void leader_hint_close(struct leader_hint *hints)
{
	hash_map_close(&hints->by_partition);
}

uint64_t leader_hint_get(const struct leader_hint *hints, uint64_t partition_id)
{
	return (uintptr_t)hash_map_get(&hints->by_partition, partition_id);
}

void leader_hint_set(struct leader_hint *hints, uint64_t partition_id, uint64_t node_id)
{
	if (node_id == 0) {
		(void)hash_map_remove(&hints->by_partition, partition_id); /* nothing to free */
		return;
	}
	if (leader_hint_get(hints, partition_id) == node_id)
		return;
	if (hints->by_partition.count == hints->count_max) {
		hash_map_close(&hints->by_partition);
		hash_map_init(&hints->by_partition, hints->count_max);
	}
	/* Without memory the hint is dropped: the next reply brings it again. */
	(void)!hash_map_put(&hints->by_partition, partition_id, (void *)(uintptr_t)node_id);
}

void leader_hint_deny(struct leader_hint *hints, uint64_t partition_id, uint64_t node_id)
{
	if (leader_hint_get(hints, partition_id) == node_id)
		leader_hint_set(hints, partition_id, 0);
}
