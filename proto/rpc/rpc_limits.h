/* The limits of calls between processes. */
#ifndef PROTO_RPC_RPC_LIMITS_H
#define PROTO_RPC_RPC_LIMITS_H

#include <assert.h>

#include "proto/wire/wire_frame.h"

enum {
	RPC_PROTOCOL_VERSION = 1,
	RPC_CLUSTER_ID_SIZE = 16,
	RPC_INCARNATION_SIZE = 16,
	RPC_HELLO_BODY_SIZE_MAX = 1024, /* before that nobody is trusted with memory */
	RPC_PEERS_MAX = 1024,

	/* Client: calls waiting for one peer's reply; more get ST_OVERLOADED. */
	RPC_CALLS_PER_PEER_MAX = 65536,
	/* Server: requests not yet answered; more get ST_OVERLOADED. */
	RPC_REQUESTS_PER_CONNECTION_MAX = 16384,
	RPC_REQUESTS_MAX = 65536,
	RPC_CONNECTIONS_MAX = 2048,

	/* Bytes that wait for one socket; a client sheds calls, a server stops reading. */
	RPC_QUEUED_BYTES_MAX = 96 * 1024 * 1024,
	RPC_QUEUED_BYTES_PAUSE = 8 * 1024 * 1024,

	RPC_CONNECT_TIMEOUT_MS = 3000, /* TCP, TLS and hello together */
	RPC_BACKOFF_MIN_MS = 20,
	RPC_BACKOFF_MAX_MS = 250,
	RPC_BACKOFF_REFUSED_MAX_MS = 1000, /* of a peer that does not want us, or that we do not want */
	RPC_TIMEOUT_MS_MAX = 24 * 3600 * 1000,

	RPC_READ_BLOCK_SIZE = 64 * 1024,
	RPC_READ_SPACE_MIN = 4 * 1024,      /* start another block when less is left */
	RPC_BODY_COPY_SIZE_MAX = 512,       /* smaller bodies are copied instead of pinning a block */
	RPC_OUT_KEEP_SIZE_MAX = 256 * 1024, /* a larger output buffer is given back after a flush */
};

static_assert(RPC_QUEUED_BYTES_MAX > 2 * WIRE_FRAME_BODY_SIZE_MAX, "the largest frame must fit in the queue");
static_assert(RPC_REQUESTS_MAX >= RPC_REQUESTS_PER_CONNECTION_MAX, "one connection may not exceed the total");

#endif
