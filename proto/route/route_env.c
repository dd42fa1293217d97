#include "proto/route/route_env.h"

#include "proto/model/limits.h"

enum {
	MESSAGE_OVERHEAD_MAX = 256,
	MESSAGE_SIZE_MAX = LIMIT_ITEM_ENCODED_SIZE_BYTES + 2 * LIMIT_EXPRESSION_COMPILED_SIZE_BYTES +
			   LIMIT_BATCH_GET_COUNT * LIMIT_ROW_KEY_SIZE_BYTES + MESSAGE_OVERHEAD_MAX,
};

void route_env_init(struct route_env *env, struct catalog_view *view, struct route *route,
		    struct rpc_transport *transport)
{
	*env = (struct route_env){
		.runtime = transport->runtime, .transport = transport, .view = view, .route = route
	};
	buf_init(&env->packed, MESSAGE_SIZE_MAX);
}

void route_env_close(struct route_env *env)
{
	buf_close(&env->packed);
}
