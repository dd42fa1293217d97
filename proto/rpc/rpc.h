/* Calls between processes: the interface that callers and services see.
 *
 * Three transports stand behind it: TCP with mutual TLS (rpc_client, rpc_server), a
 * direct one inside one process (rpc_local, for `cleave local`), and the
 * simulator's network.
 *
 * Threads  loop thread of the runtime given to the transport.
 * Memory   a call is embedded in the caller's operation and must stay valid until
 *          done() ran.  body is borrowed until rpc_call_start() returns (the
 *          transport copies or sends it at once); reply is borrowed until done() returns.
 * Errors   done() runs exactly once for each started call and never from inside
 *          rpc_call_start() or rpc_call_cancel():
 *            ST_OK or any status that the service answered with (reply may hold details)
 *            ST_UNREACHABLE  nothing was sent
 *            ST_CLOSED       the connection broke after sending: outcome unknown
 *            ST_TIMEOUT      the deadline passed: outcome unknown
 *            ST_CANCELED     by rpc_call_cancel(): outcome unknown
 *            ST_OVERLOADED   too many calls in flight to this peer, nothing was sent
 */
#ifndef PROTO_RPC_RPC_H
#define PROTO_RPC_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/queue.h"
#include "proto/base/runtime.h"
#include "proto/base/status.h"

struct rpc_call;
struct rpc_transport;

typedef void (*rpc_done_cb)(struct rpc_call *call);

struct rpc_call {
	/* Set by the caller. */
	uint64_t peer_id; /* a node id known to the transport */
	uint16_t method;  /* proto/wire/methods.h */
	uint32_t timeout_ms;
	struct slice body;
	rpc_done_cb done;
	/* Valid in done(). */
	enum status status;
	struct slice reply;
	/* The transport's own. */
	struct rpc_transport *transport;
	struct queue link;
	struct runtime_timer timer;
	uint64_t call_id;
	void *impl;
	bool is_in_flight;
};

/* A peer's connection changed.  is_up false means that it broke or was refused. */
struct rpc_peer_observer {
	struct queue link;
	void (*changed)(struct rpc_peer_observer *observer, uint64_t peer_id, bool is_up);
};

struct rpc_transport_ops {
	void (*call)(struct rpc_transport *transport, struct rpc_call *call);
	void (*cancel)(struct rpc_transport *transport, struct rpc_call *call);
	/* One way, no reply, may be lost; in order while one connection lasts.  ST_OK means
	 * queued; ST_UNREACHABLE or ST_OVERLOADED that it was dropped. */
	enum status (*post)(struct rpc_transport *transport, uint64_t peer_id, uint16_t method,
			    struct slice body);
	/* Where a peer lives; connects now and keeps reconnecting.  host is an address or a name. */
	void (*set_peer)(struct rpc_transport *transport, uint64_t peer_id, const char *host, uint16_t port);
	void (*remove_peer)(struct rpc_transport *transport, uint64_t peer_id);
	bool (*is_up)(const struct rpc_transport *transport, uint64_t peer_id);
};

struct rpc_transport {
	const struct rpc_transport_ops *ops;
	struct runtime *runtime;
	struct queue observers; /* struct rpc_peer_observer */
};

static inline void rpc_call_start(struct rpc_transport *transport, struct rpc_call *call)
{
	call->transport = transport;
	transport->ops->call(transport, call);
}

/* Ask a call to end early; done() still comes, once, later.  Harmless when not in flight. */
static inline void rpc_call_cancel(struct rpc_call *call)
{
	if (call->is_in_flight)
		call->transport->ops->cancel(call->transport, call);
}

static inline enum status rpc_post(struct rpc_transport *transport, uint64_t peer_id, uint16_t method,
				   struct slice body)
{
	return transport->ops->post(transport, peer_id, method, body);
}

/* The serving side.
 *
 * handle() is called for every request on the loop thread.  It answers now or later with
 * rpc_request_reply(), exactly once, also for one-way requests (where nothing is sent).
 * body is borrowed until the reply.  caller_id is the authenticated node id of the peer,
 * 0 for a coordinator or the operator's tool. */
struct rpc_request {
	uint16_t method;
	bool is_one_way;
	uint64_t caller_id;
	bool is_tool;              /* the caller is an operator's tool */
	uint64_t deadline_mono_us; /* on this machine's clock */
	struct slice body;
	const struct rpc_request_ops *ops;
};

struct rpc_request_ops {
	void (*reply)(struct rpc_request *request, enum status status, struct slice body);
};

struct rpc_service {
	void (*handle)(struct rpc_service *service, struct rpc_request *request);
};

/* Answer and give the request back; body is copied or sent at once. */
static inline void rpc_request_reply(struct rpc_request *request, enum status status, struct slice body)
{
	request->ops->reply(request, status, body);
}

static inline void rpc_request_reply_status(struct rpc_request *request, enum status status)
{
	request->ops->reply(request, status, (struct slice){ NULL, 0 });
}

#endif
