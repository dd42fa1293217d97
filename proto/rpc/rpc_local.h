/* Calls inside one process: to a struct rpc_service on the same loop, without sockets.
 *
 * Semantics as of rpc_client: bodies are copied, done() comes later, deadlines and cancel
 * work, limits hold.  The one peer is always up.
 *
 * Threads  loop thread.
 * Memory   the caller owns struct rpc_local; the service is borrowed.  rpc_local_close()
 *          after the service has answered every request and every done() ran.
 * Errors   see rpc.h.
 */
#ifndef PROTO_RPC_RPC_LOCAL_H
#define PROTO_RPC_RPC_LOCAL_H

#include <stdint.h>

#include "proto/rpc/rpc.h"

struct rpc_local {
	struct rpc_transport base; /* first: what callers are given */
	uint64_t peer_id;
	uint64_t caller_id;
	struct rpc_service *service;
	struct queue arrived;  /* requests to be handled this turn */
	struct queue finished; /* calls whose done() is still to come */
	struct runtime_task task;
	uint32_t request_count; /* not yet answered */
};

/* The service answers as peer_id; requests carry caller_id (0: a coordinator). */
void rpc_local_init(struct rpc_local *local, struct runtime *runtime, uint64_t peer_id, uint64_t caller_id,
		    struct rpc_service *service);
void rpc_local_close(struct rpc_local *local);

#endif
