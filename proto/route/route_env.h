/* What all operations that ask replicas share.
 *
 * Threads  loop thread of the transport's runtime.
 * Memory   in place; view, route and transport are borrowed until route_env_close().
 */
#ifndef PROTO_ROUTE_ROUTE_ENV_H
#define PROTO_ROUTE_ROUTE_ENV_H

#include "proto/route/route.h"

enum {
	/* Between rounds of attempts: doubles from the least to the most, with jitter. */
	ROUTE_PAUSE_MS_MIN = 5,
	ROUTE_PAUSE_MS_MAX = 100,
};

struct route_env {
	struct runtime *runtime;
	struct rpc_transport *transport;
	struct catalog_view *view;
	struct route *route;
	struct buf packed; /* scratch for the message that is being sent */
};

void route_env_init(struct route_env *env, struct catalog_view *view, struct route *route,
		    struct rpc_transport *transport);
void route_env_close(struct route_env *env);

#endif
