/* The serving side over TCP: a port, its connections, and requests to a struct rpc_service.
 *
 * A peer is let in after TLS, the checks of rpc_hello.h and admit().  Requests over the
 * limits are answered ST_OVERLOADED at once.  A peer that does not read its replies is not
 * read from either.
 *
 * Threads  loop thread.
 * Memory   the caller owns struct rpc_server until stopped() ran; tls and service are
 *          borrowed.  A request stays valid until it is answered, also when its connection
 *          is gone; the answer is then dropped.
 * Errors   rpc_server_start: ST_INVALID and those of listener_start().
 */
#ifndef PROTO_RPC_RPC_SERVER_H
#define PROTO_RPC_RPC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/runtime_uv.h"
#include "proto/net/listener.h"
#include "proto/rpc/rpc.h"
#include "proto/rpc/rpc_hello.h"

struct rpc_server_options {
	struct runtime_uv *runtime;
	const char *host;
	uint16_t port; /* 0: any, see rpc_server_port() */
	struct rpc_identity own;
	const struct tls_context *tls;
	bool is_insecure; /* plain TCP; tls must be NULL */
	struct rpc_service *service;
	/* The last word on a peer that passed all checks; a status other than ST_OK refuses it
	 * and is told to it (ST_FORGOTTEN for an incarnation that is not the one remembered).
	 * May be NULL. */
	enum status (*admit)(void *context, const struct rpc_identity *peer);
	void *context;
	uint32_t connection_count_max;        /* 0: RPC_CONNECTIONS_MAX */
	uint32_t requests_per_connection_max; /* 0: RPC_REQUESTS_PER_CONNECTION_MAX */
	uint32_t requests_max;                /* 0: RPC_REQUESTS_MAX */
	uint32_t connect_timeout_ms;          /* 0: RPC_CONNECT_TIMEOUT_MS */
};

struct rpc_server {
	struct listener listener;
	struct rpc_server_options options;
	struct queue connections;
	struct queue spare_requests;
	uint32_t spare_request_count;
	uint32_t request_count; /* not yet answered, over all connections */
	struct runtime_timer grace_timer;
	struct runtime_task stop_task;
	bool is_stopping;
	bool is_listener_stopped;
	void (*stopped)(struct rpc_server *server);
};

enum status rpc_server_start(struct rpc_server *server, const struct rpc_server_options *options) MUST_CHECK;
uint16_t rpc_server_port(const struct rpc_server *server);
/* Accept nobody, answer new requests ST_UNAVAILABLE, wait up to grace_ms for the answers
 * under way, close all connections.  stopped() comes once, in a later turn, and not before the
 * service has given back every request. */
void rpc_server_stop(struct rpc_server *server, uint32_t grace_ms,
		     void (*stopped)(struct rpc_server *server));

#endif
