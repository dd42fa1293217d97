#include "coordinator/peer_follow.h"

static bool is_seed(const struct catalog_view *view, uint64_t node_id)
{
	for (uint32_t i = 0; i < view->seeds.count; i++) {
		if (view->seeds.node_ids[i] == node_id)
			return true;
	}
	return false;
}

/* The first known node that the catalog does not name any more; 0 if there is none. */
static uint64_t find_gone(const struct peer_follow *follow)
{
	const struct hash_map *known = &follow->known;

	for (size_t i = 0; i < known->capacity; i++) {
		const struct hash_map_slot *slot = &known->slots[i];

		if (slot->value != NULL && catalog_state_node(&follow->view->state, slot->key) == NULL)
			return slot->key;
	}
	return 0;
}

static void drop_gone(struct peer_follow *follow)
{
	uint64_t node_id;

	while ((node_id = find_gone(follow)) != 0) {
		(void)hash_map_remove(&follow->known, node_id); /* nothing to free */
		if (!is_seed(follow->view, node_id))
			follow->transport->ops->remove_peer(follow->transport, node_id);
	}
}

static void on_changed(struct catalog_observer *observer)
{
	struct peer_follow *follow = CONTAINER_OF(observer, struct peer_follow, observer);
	struct rpc_transport *transport = follow->transport;
	const struct node_info *node;
	size_t cursor = 0;

	drop_gone(follow);
	while ((node = catalog_state_next_node(&follow->view->state, &cursor)) != NULL) {
		if (hash_map_put(&follow->known, node->node_id, follow) == ST_OK)
			transport->ops->set_peer(transport, node->node_id, node->host, node->port);
	}
}

void peer_follow_init(struct peer_follow *follow, struct catalog_view *view, struct rpc_transport *transport)
{
	*follow = (struct peer_follow){ .view = view, .transport = transport };
	follow->observer.changed = on_changed;
	hash_map_init(&follow->known, CATALOG_NODES_MAX);
	catalog_view_observe(view, &follow->observer);
}

void peer_follow_close(struct peer_follow *follow)
{
	catalog_view_unobserve(&follow->observer);
	hash_map_close(&follow->known);
}
