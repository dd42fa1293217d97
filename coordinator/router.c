#include "coordinator/router.h"

#include "proto/route/replica_call.h"

void router_init(struct router *router, struct rpc_transport *transport, const uint64_t *seed_node_ids,
		 uint32_t seed_count, const char *zone)
{
	catalog_view_init(&router->view, transport->runtime, transport, seed_node_ids, seed_count);
	peer_follow_init(&router->peers, &router->view, transport);
	route_init(&router->route, &router->view, transport, zone);
	route_env_init(&router->items, &router->view, &router->route, transport);
	replica_call_register_metrics();
}

void router_start(struct router *router)
{
	catalog_view_start(&router->view);
}

void router_stop(struct router *router, void (*closed)(struct catalog_view *view))
{
	catalog_view_stop(&router->view, closed);
}

void router_close(struct router *router)
{
	route_env_close(&router->items);
	route_close(&router->route);
	peer_follow_close(&router->peers);
	catalog_view_close(&router->view);
}
