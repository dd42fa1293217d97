#include "proto/route/route.h"

/* Smaller is better; a node that cannot be asked has no rank. */
enum { RANK_BEST = 0, RANK_NONE = UINT32_MAX, RANK_FAR = 1, RANK_SUSPECT = 2 };

void route_init(struct route *route, struct catalog_view *view, struct rpc_transport *transport,
		const char *zone)
{
	*route = (struct route){ .view = view, .transport = transport, .zone = zone };
	leader_hint_init(&route->hints, ROUTE_HINTS_MAX);
	hash_map_init(&route->suspects, ROUTE_SUSPECTS_MAX);
}

void route_close(struct route *route)
{
	leader_hint_close(&route->hints);
	hash_map_close(&route->suspects);
}

bool route_tried_has(const struct route_tried *tried, uint64_t node_id)
{
	for (uint32_t i = 0; i < tried->count; i++) {
		if (tried->node_ids[i] == node_id)
			return true;
	}
	return false;
}

void route_tried_add(struct route_tried *tried, uint64_t node_id)
{
	if (tried->count < ROUTE_TRIED_MAX && !route_tried_has(tried, node_id))
		tried->node_ids[tried->count++] = node_id;
}

static bool is_suspect(const struct route *route, uint64_t node_id)
{
	uintptr_t until_ms;

	if (route->suspects.count == 0)
		return false;
	until_ms = (uintptr_t)hash_map_get(&route->suspects, node_id);
	return until_ms > runtime_mono_ms(route->transport->runtime);
}

static bool is_askable(const struct route *route, const struct route_tried *tried, uint64_t node_id)
{
	return !route_tried_has(tried, node_id) && route->transport->ops->is_up(route->transport, node_id);
}

static bool is_near(const struct route *route, uint64_t node_id)
{
	const struct node_info *node = catalog_state_node(&route->view->state, node_id);

	return node != NULL && strcmp(node->zone, route->zone) == 0;
}

static uint32_t rank_nearest(const struct route *route, uint64_t node_id)
{
	return (is_near(route, node_id) ? 0 : (uint32_t)RANK_FAR) +
	       (is_suspect(route, node_id) ? (uint32_t)RANK_SUSPECT : 0);
}

static uint32_t rank_leader(const struct route *route, uint64_t leader_node_id, uint64_t node_id)
{
	return (node_id == leader_node_id ? 0 : (uint32_t)RANK_FAR) +
	       (is_suspect(route, node_id) ? (uint32_t)RANK_SUSPECT : 0);
}

static uint64_t believed_leader(const struct route *route, const struct partition_info *partition)
{
	uint64_t node_id = leader_hint_get(&route->hints, partition->partition_id);

	if (node_id != 0 && partition_info_find_replica(partition, node_id) != NULL)
		return node_id;
	return partition->preferred_leader_node_id;
}

static uint64_t best_replica(struct route *route, const struct partition_info *partition,
			     enum route_kind kind, const struct route_tried *tried)
{
	uint64_t leader_node_id = believed_leader(route, partition);
	uint32_t first = kind == ROUTE_NEAREST ? route->turn++ : 0;
	uint32_t best_rank = RANK_NONE;
	uint64_t best_node_id = 0;

	for (uint32_t i = 0; i < partition->replica_count; i++) {
		uint64_t node_id = partition->replicas[(first + i) % partition->replica_count].node_id;
		uint32_t rank;

		if (!is_askable(route, tried, node_id))
			continue;
		rank = kind == ROUTE_NEAREST ? rank_nearest(route, node_id)
					     : rank_leader(route, leader_node_id, node_id);
		if (rank < best_rank) {
			best_rank = rank;
			best_node_id = node_id;
		}
	}
	return best_node_id;
}

enum status route_pick(struct route *route, const struct partition_info *partition, enum route_kind kind,
		       const struct route_tried *tried, struct route_target *target_out)
{
	uint64_t node_id = best_replica(route, partition, kind, tried);

	if (node_id == 0)
		return ST_UNREACHABLE;
	*target_out = (struct route_target){ partition->partition_id, node_id, partition->epoch,
					     is_suspect(route, node_id) };
	return ST_OK;
}

void route_learn_leader(struct route *route, uint64_t partition_id, uint64_t node_id)
{
	if (node_id != 0)
		leader_hint_set(&route->hints, partition_id, node_id);
}

void route_learn_not_leader(struct route *route, uint64_t partition_id, uint64_t node_id)
{
	leader_hint_deny(&route->hints, partition_id, node_id);
}

void route_learn_silence(struct route *route, uint64_t node_id)
{
	uint64_t until_ms = runtime_mono_ms(route->transport->runtime) + ROUTE_SUSPECT_MS;

	/* Without room it is merely asked as if nothing had happened. */
	(void)!hash_map_put(&route->suspects, node_id, (void *)(uintptr_t)until_ms);
}
