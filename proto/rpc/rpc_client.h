/* The calling side over TCP: one connection per peer, kept up for ever.
 *
 * set_peer() connects at once; a broken or refused connection is tried again after
 * RPC_BACKOFF_MIN_MS growing to RPC_BACKOFF_MAX_MS, jittered; longer after a refusal.  Calls to a peer that
 * is not up end with ST_UNREACHABLE.  All frames of one loop turn to one peer leave in one write.
 *
 * Threads  loop thread.
 * Memory   the caller owns struct rpc_client until stopped() ran; tls is borrowed.
 * Errors   see rpc.h.  A call whose body is over WIRE_FRAME_BODY_SIZE_MAX: ST_TOO_BIG.
 */
#ifndef PROTO_RPC_RPC_CLIENT_H
#define PROTO_RPC_RPC_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/hash_map.h"
#include "proto/base/runtime_uv.h"
#include "proto/rpc/rpc.h"
#include "proto/rpc/rpc_hello.h"

struct rpc_client_options {
	struct runtime_uv *runtime;
	struct rpc_identity own;
	const struct tls_context *tls;
	bool is_insecure; /* plain TCP; tls must be NULL */
	/* A connection was refused, by the peer or by us: ST_FORGOTTEN, ST_WRONG_CLUSTER,
	 * ST_VERSION, ST_DENIED.  It will be tried again.  May be NULL. */
	void (*refused)(void *context, uint64_t peer_id, enum status status);
	void *context;
	uint32_t connect_timeout_ms; /* 0: RPC_CONNECT_TIMEOUT_MS */
	uint32_t calls_per_peer_max; /* 0: RPC_CALLS_PER_PEER_MAX */
};

struct rpc_client {
	struct rpc_transport base; /* first: what callers are given */
	struct rpc_client_options options;
	struct hash_map peers;
	struct queue finished; /* calls whose done() is still to come */
	struct runtime_task finish_task;
	uint32_t connection_count;
	bool is_stopping;
	void (*stopped)(struct rpc_client *client);
};

/* ST_INVALID unless exactly one of tls and is_insecure is given. */
enum status rpc_client_init(struct rpc_client *client, const struct rpc_client_options *options) MUST_CHECK;
/* The peer is known to be there, because it called us: a connection that waits is tried now. */
void rpc_client_hurry(struct rpc_client *client, uint64_t peer_id);
/* Forget all peers: calls in flight end with ST_CLOSED, then stopped() comes, in a later turn. */
void rpc_client_stop(struct rpc_client *client, void (*stopped)(struct rpc_client *client));

#endif
