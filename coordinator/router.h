/* What turns an item operation into calls to nodes: a copy of the catalog, the transport's peers
 * kept as it says, routes, and the operations on top.
 *
 * It needs a transport and nothing of HTTP, so the same router runs in a coordinator and in the
 * simulator.
 *
 * Life     router_init(), router_start(), operations on router->items, router_stop(), router_close().
 * Threads  loop thread of the transport's runtime.
 * Memory   in place; transport and zone are borrowed until router_close().
 * Errors   none: the copy of the catalog follows when a seed answers.
 */
#ifndef COORDINATOR_ROUTER_H
#define COORDINATOR_ROUTER_H

#include "coordinator/exec/item_op.h"
#include "coordinator/peer_follow.h"
#include "proto/route/route.h"

struct router {
	struct catalog_view view;
	struct peer_follow peers;
	struct route route;
	struct route_env items;
};

/* The seeds are the transport's peers already; their ids are copied. */
void router_init(struct router *router, struct rpc_transport *transport, const uint64_t *seed_node_ids,
		 uint32_t seed_count, const char *zone);
void router_start(struct router *router);
/* No operation is under way.  closed() is called once, later. */
void router_stop(struct router *router, void (*closed)(struct catalog_view *view));
/* After closed(), or without a start. */
void router_close(struct router *router);

#endif
