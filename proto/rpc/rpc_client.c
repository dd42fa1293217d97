#include "proto/rpc/rpc_client.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/net/stream_tcp.h"
#include "proto/net/stream_tls.h"
#include "proto/rpc/rpc_conn.h"
#include "proto/rpc/rpc_in_flight.h"
#include "proto/wire/methods.h"

enum { HOST_SIZE_MAX = 255, BACKOFF_SHIFT_MAX = 6 };

/* WAIT --> CONNECT --> HELLO --> UP
 *   ^         |          |       |
 *   +---------+----------+-------+  any end; WAIT lasts a backoff
 * timer bounds CONNECT and HELLO together, and measures WAIT. */
enum peer_phase { PEER_WAIT, PEER_CONNECT, PEER_HELLO, PEER_UP };

struct peer {
	struct rpc_client *client;
	uint64_t id;
	enum peer_phase phase;
	struct peer_conn *conn; /* NULL in PEER_WAIT */
	struct runtime_timer timer;
	struct rpc_in_flight in_flight;
	uint32_t attempt; /* since the peer was last up */
	uint16_t port;
	char host[HOST_SIZE_MAX + 1];
};

/* A connection outlives its peer by the turns that closing takes. */
struct peer_conn {
	struct rpc_conn conn;
	struct rpc_client *client;
	struct peer *peer; /* NULL when detached */
};

static struct rpc_client *client_of(const struct rpc_transport *transport)
{
	return CONTAINER_OF(transport, struct rpc_client, base);
}

/* ---- the end of a call ---- */

static void complete(struct rpc_call *call, enum status status, struct slice reply)
{
	call->status = status;
	call->reply = reply;
	call->is_in_flight = false;
	call->done(call); /* the call may be freed here */
}

/* done() comes at the end of this turn.  impl is NULL from now on: nothing can hurry it. */
static void finish_later(struct rpc_client *client, struct rpc_call *call, enum status status)
{
	runtime_timer_stop(client->base.runtime, &call->timer);
	call->status = status;
	call->impl = NULL;
	queue_push_tail(&client->finished, &call->link);
	runtime_defer(client->base.runtime, &client->finish_task);
}

static void stop_when_empty(struct rpc_client *client)
{
	void (*stopped)(struct rpc_client *) = client->stopped;

	if (!client->is_stopping || client->connection_count > 0 || !queue_is_empty(&client->finished))
		return;
	if (stopped == NULL)
		return;
	client->stopped = NULL;
	runtime_task_cancel(&client->finish_task);
	hash_map_close(&client->peers);
	stopped(client); /* the client may be freed here */
}

static void on_finish(struct runtime_task *task)
{
	struct rpc_client *client = CONTAINER_OF(task, struct rpc_client, finish_task);
	struct queue batch;
	struct queue *link;

	queue_init(&batch); /* calls that fail from within done() wait for the next round */
	queue_move_all(&client->finished, &batch);
	while ((link = queue_pop_head(&batch)) != NULL) {
		struct rpc_call *call = CONTAINER_OF(link, struct rpc_call, link);

		complete(call, call->status, (struct slice){ NULL, 0 });
	}
	stop_when_empty(client);
}

static void fail_in_flight(struct peer *peer, enum status status)
{
	uint32_t cursor = 0;
	struct rpc_call *call;

	while ((call = rpc_in_flight_take_next(&peer->in_flight, &cursor)) != NULL)
		finish_later(peer->client, call, status);
}

/* ---- a peer's connection ---- */

static void connect_peer(struct peer *peer);

static void tell_observers(struct rpc_client *client, uint64_t peer_id, bool is_up)
{
	struct queue *link = client->base.observers.next;

	while (link != &client->base.observers) {
		struct queue *next = link->next;
		struct rpc_peer_observer *observer = CONTAINER_OF(link, struct rpc_peer_observer, link);

		observer->changed(observer, peer_id, is_up);
		link = next;
	}
}

static uint64_t backoff_us(struct peer *peer, bool is_refusal)
{
	uint64_t delay_us_max = (is_refusal ? RPC_BACKOFF_REFUSED_MAX_MS : RPC_BACKOFF_MAX_MS) * 1000ull;
	uint32_t shift = peer->attempt < BACKOFF_SHIFT_MAX ? peer->attempt : BACKOFF_SHIFT_MAX;
	uint64_t delay_us = (RPC_BACKOFF_MIN_MS * 1000ull) << shift;

	if (delay_us > delay_us_max)
		delay_us = delay_us_max;
	return delay_us / 2 + rng_below(&peer->client->base.runtime->rng, delay_us / 2);
}

static void detach(struct peer *peer)
{
	if (peer->conn != NULL) {
		peer->conn->peer = NULL;
		rpc_conn_close(&peer->conn->conn);
		peer->conn = NULL;
	}
	runtime_timer_stop(peer->client->base.runtime, &peer->timer);
	peer->phase = PEER_WAIT;
	fail_in_flight(peer, ST_CLOSED);
}

static void wait_for_retry(struct peer *peer, bool is_refusal)
{
	runtime_timer_start(peer->client->base.runtime, &peer->timer, backoff_us(peer, is_refusal));
	peer->attempt++;
}

/* The connection is over, try again later.  Last: callbacks may remove the peer. */
static void drop(struct peer *peer, enum status status, bool is_refusal)
{
	struct rpc_client *client = peer->client;
	uint64_t id = peer->id;
	bool was_up = peer->phase == PEER_UP;

	detach(peer);
	wait_for_retry(peer, is_refusal);
	if (was_up) {
		log_info("rpc", "peer-down", "peer=%" PRIu64 " status=%s", id, status_name(status));
		tell_observers(client, id, false);
	}
	if (!is_refusal)
		return;
	log_warn("rpc", "peer-refused", "peer=%" PRIu64 " status=%s", id, status_name(status));
	if (client->options.refused != NULL)
		client->options.refused(client->options.context, id, status);
}

static void on_timer(struct runtime_timer *timer)
{
	struct peer *peer = CONTAINER_OF(timer, struct peer, timer);

	if (peer->phase == PEER_WAIT)
		connect_peer(peer);
	else
		drop(peer, ST_TIMEOUT, false);
}

static void on_opened(struct rpc_conn *conn)
{
	struct peer_conn *peer_conn = CONTAINER_OF(conn, struct peer_conn, conn);
	struct peer *peer = peer_conn->peer;

	CHECK(peer != NULL && peer->phase == PEER_CONNECT);
	peer->phase = PEER_HELLO;
	if (rpc_conn_send_hello(conn, &peer_conn->client->options.own, ST_OK) != ST_OK)
		drop(peer, ST_NO_MEMORY, false);
}

/* The server's own hello: is it the node we meant? */
static enum status judge_hello(const struct peer *peer, const struct wire_frame *frame)
{
	const struct rpc_client *client = peer->client;
	struct rpc_identity claimed;
	struct tls_identity certificate = { TLS_ROLE_NONE, 0 };
	enum status status;

	if (frame->status != ST_OK)
		return frame->status;
	status = rpc_hello_decode(frame->body, &claimed);
	if (status != ST_OK)
		return status;
	if (claimed.role != RPC_ROLE_NODE || claimed.node_id != peer->id)
		return ST_DENIED;
	if (client->options.is_insecure)
		return rpc_hello_check(&client->options.own, &claimed, NULL);
	(void)stream_peer_identity(peer->conn->conn.stream, &certificate); /* no name: TLS_ROLE_NONE */
	return rpc_hello_check(&client->options.own, &claimed, &certificate);
}

static void handle_hello(struct peer *peer, const struct wire_frame *frame)
{
	enum status status = judge_hello(peer, frame);

	if (status != ST_OK) {
		drop(peer, status, status != ST_UNAVAILABLE); /* a server that stops refuses nobody */
		return;
	}
	runtime_timer_stop(peer->client->base.runtime, &peer->timer);
	rpc_conn_trust(&peer->conn->conn);
	peer->phase = PEER_UP;
	peer->attempt = 0;
	log_info("rpc", "peer-up", "peer=%" PRIu64 " address=%s", peer->id,
		 peer->conn->conn.stream->peer_name);
	tell_observers(peer->client, peer->id, true);
}

static void handle_reply(struct peer *peer, const struct wire_frame *frame)
{
	struct rpc_call *call;

	if (fault_fires(FAULT_RPC_REPLY))
		return; /* the call's deadline ends it */
	call = rpc_in_flight_take(&peer->in_flight, frame->call_id);
	if (call == NULL)
		return; /* timed out or canceled before */
	runtime_timer_stop(peer->client->base.runtime, &call->timer);
	complete(call, frame->status, frame->body);
}

static void on_frame(struct rpc_conn *conn, const struct wire_frame *frame)
{
	struct peer *peer = CONTAINER_OF(conn, struct peer_conn, conn)->peer;
	bool is_reply = frame->type == WIRE_FRAME_REPLY;
	bool is_hello = frame->type == WIRE_FRAME_HELLO;

	CHECK(peer != NULL); /* a detached connection hands out no frames */
	if (is_reply && peer->phase == PEER_UP)
		handle_reply(peer, frame);
	else if (is_hello && peer->phase == PEER_HELLO)
		handle_hello(peer, frame);
	else
		drop(peer, ST_CORRUPT, true);
}

static void on_ended(struct rpc_conn *conn, enum status status)
{
	struct peer *peer = CONTAINER_OF(conn, struct peer_conn, conn)->peer;

	CHECK(peer != NULL); /* a detached connection was closed by us */
	drop(peer, status, status == ST_DENIED || status == ST_VERSION);
}

static void on_closed(struct rpc_conn *conn)
{
	struct peer_conn *peer_conn = CONTAINER_OF(conn, struct peer_conn, conn);
	struct rpc_client *client = peer_conn->client;

	CHECK(client->connection_count > 0);
	client->connection_count--;
	free(peer_conn);
	stop_when_empty(client);
}

static const struct rpc_conn_user conn_user = {
	.opened = on_opened,
	.frame = on_frame,
	.ended = on_ended,
	.closed = on_closed,
};

static void on_stillborn_closed(struct stream *stream)
{
	(void)stream; /* it frees itself */
}

static const struct stream_user stillborn_user = { .closed = on_stillborn_closed };

static struct stream *make_stream(struct peer *peer)
{
	const struct rpc_client_options *options = &peer->client->options;
	struct stream *tcp = stream_tcp_connect(options->runtime, peer->host, peer->port, peer->attempt,
						RPC_QUEUED_BYTES_MAX);
	struct stream *tls;

	if (tcp == NULL || options->is_insecure)
		return tcp;
	tls = stream_tls_create(&options->runtime->base, tcp, options->tls, false);
	if (tls == NULL) {
		stream_set_user(tcp, &stillborn_user, NULL);
		stream_close(tcp);
	}
	return tls;
}

static void connect_peer(struct peer *peer)
{
	struct rpc_client *client = peer->client;
	struct peer_conn *peer_conn = calloc(1, sizeof(*peer_conn));
	struct stream *stream = peer_conn == NULL ? NULL : make_stream(peer);

	CHECK(peer->conn == NULL);
	if (stream == NULL) {
		free(peer_conn);
		wait_for_retry(peer, false);
		return;
	}
	peer_conn->client = client;
	peer_conn->peer = peer;
	client->connection_count++;
	rpc_conn_init(&peer_conn->conn, client->base.runtime, stream, &conn_user);
	peer->conn = peer_conn;
	peer->phase = PEER_CONNECT;
	runtime_timer_start(client->base.runtime, &peer->timer, client->options.connect_timeout_ms * 1000ull);
}

/* ---- the transport's operations ---- */

static struct peer *find_up(const struct rpc_client *client, uint64_t peer_id)
{
	struct peer *peer = hash_map_get(&client->peers, peer_id);

	return peer != NULL && peer->phase == PEER_UP ? peer : NULL;
}

static void on_call_deadline(struct runtime_timer *timer)
{
	struct rpc_call *call = CONTAINER_OF(timer, struct rpc_call, timer);
	struct peer *peer = call->impl;
	struct rpc_call *taken = rpc_in_flight_take(&peer->in_flight, call->call_id);

	CHECK(taken == call);
	complete(call, ST_TIMEOUT, (struct slice){ NULL, 0 });
}

static enum status send_call(struct rpc_client *client, struct rpc_call *call)
{
	struct peer *peer = find_up(client, call->peer_id);
	struct wire_frame frame = { .type = WIRE_FRAME_REQUEST, .method = call->method, .body = call->body };
	enum status status;

	if (peer == NULL || fault_fires(FAULT_RPC_SEND))
		return ST_UNREACHABLE;
	status = rpc_in_flight_add(&peer->in_flight, call);
	if (status != ST_OK)
		return status;
	frame.call_id = call->call_id;
	frame.timeout_ms = call->timeout_ms < RPC_TIMEOUT_MS_MAX ? call->timeout_ms : RPC_TIMEOUT_MS_MAX;
	status = rpc_conn_send(&peer->conn->conn, &frame);
	if (status != ST_OK) {
		(void)rpc_in_flight_take(&peer->in_flight, call->call_id); /* it was added above */
		return status == ST_CLOSED ? ST_UNREACHABLE : status;
	}
	call->impl = peer;
	runtime_timer_start(client->base.runtime, &call->timer, frame.timeout_ms * 1000ull);
	return ST_OK;
}

static void start_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct rpc_client *client = client_of(transport);
	enum status status;

	queue_init(&call->link);
	runtime_timer_init(&call->timer, on_call_deadline);
	call->reply = (struct slice){ NULL, 0 };
	call->impl = NULL;
	call->is_in_flight = true;
	status = send_call(client, call);
	if (status != ST_OK)
		finish_later(client, call, status);
}

static void cancel_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct rpc_client *client = client_of(transport);
	struct peer *peer = call->impl;
	struct rpc_call *taken;

	if (peer == NULL)
		return; /* its end is decided already */
	taken = rpc_in_flight_take(&peer->in_flight, call->call_id);
	CHECK(taken == call);
	finish_later(client, call, ST_CANCELED);
}

static enum status post_one_way(struct rpc_transport *transport, uint64_t peer_id, uint16_t method,
				struct slice body)
{
	struct peer *peer = find_up(client_of(transport), peer_id);
	const struct wire_frame frame = { .type = WIRE_FRAME_ONE_WAY, .method = method, .body = body };
	enum status status;

	if (peer == NULL || fault_fires(FAULT_RPC_SEND))
		return ST_UNREACHABLE;
	status = rpc_conn_send(&peer->conn->conn, &frame);
	return status == ST_CLOSED ? ST_UNREACHABLE : status;
}

static struct peer *create_peer(struct rpc_client *client, uint64_t peer_id)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL || hash_map_put(&client->peers, peer_id, peer) != ST_OK) {
		free(peer);
		return NULL;
	}
	peer->client = client;
	peer->id = peer_id;
	runtime_timer_init(&peer->timer, on_timer);
	rpc_in_flight_init(&peer->in_flight, client->options.calls_per_peer_max);
	return peer;
}

static void set_peer(struct rpc_transport *transport, uint64_t peer_id, const char *host, uint16_t port)
{
	struct rpc_client *client = client_of(transport);
	struct peer *peer = hash_map_get(&client->peers, peer_id);
	size_t host_size = strlen(host);
	bool was_up = peer != NULL && peer->phase == PEER_UP;

	if (client->is_stopping)
		return;
	if (peer != NULL && peer->port == port && strcmp(peer->host, host) == 0)
		return;
	if (peer == NULL && host_size <= HOST_SIZE_MAX)
		peer = create_peer(client, peer_id);
	if (peer == NULL || host_size > HOST_SIZE_MAX) {
		log_error("rpc", "peer-ignored", "peer=%" PRIu64 " port=%u", peer_id, port);
		return;
	}
	detach(peer);
	memcpy(peer->host, host, host_size + 1);
	peer->port = port;
	peer->attempt = 0;
	connect_peer(peer);
	if (was_up)
		tell_observers(client, peer_id, false);
}

static void destroy_peer(struct peer *peer)
{
	detach(peer);
	rpc_in_flight_close(&peer->in_flight);
	free(peer);
}

static void remove_peer(struct rpc_transport *transport, uint64_t peer_id)
{
	struct rpc_client *client = client_of(transport);
	struct peer *peer = hash_map_remove(&client->peers, peer_id);
	bool was_up = peer != NULL && peer->phase == PEER_UP;

	if (peer == NULL)
		return;
	destroy_peer(peer);
	if (was_up)
		tell_observers(client, peer_id, false);
}

static bool is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	return find_up(client_of(transport), peer_id) != NULL;
}

static const struct rpc_transport_ops rpc_client_ops = {
	.call = start_call,
	.cancel = cancel_call,
	.post = post_one_way,
	.set_peer = set_peer,
	.remove_peer = remove_peer,
	.is_up = is_up,
};

enum status rpc_client_init(struct rpc_client *client, const struct rpc_client_options *options)
{
	if ((options->tls != NULL) == options->is_insecure)
		return ST_INVALID;
	*client = (struct rpc_client){ .options = *options };
	if (client->options.connect_timeout_ms == 0)
		client->options.connect_timeout_ms = RPC_CONNECT_TIMEOUT_MS;
	if (client->options.calls_per_peer_max == 0)
		client->options.calls_per_peer_max = RPC_CALLS_PER_PEER_MAX;
	client->base.ops = &rpc_client_ops;
	client->base.runtime = &options->runtime->base;
	queue_init(&client->base.observers);
	queue_init(&client->finished);
	hash_map_init(&client->peers, RPC_PEERS_MAX);
	runtime_task_init(&client->finish_task, on_finish);
	return ST_OK;
}

void rpc_client_stop(struct rpc_client *client, void (*stopped)(struct rpc_client *client))
{
	size_t cursor = 0;
	struct peer *peer;

	CHECK(!client->is_stopping);
	client->is_stopping = true;
	client->stopped = stopped;
	while ((peer = hash_map_next(&client->peers, &cursor)) != NULL)
		destroy_peer(peer);
	hash_map_close(&client->peers);
	hash_map_init(&client->peers, RPC_PEERS_MAX);
	runtime_defer(client->base.runtime, &client->finish_task);
}

void rpc_client_hurry(struct rpc_client *client, uint64_t peer_id)
{
	struct peer *peer = hash_map_get(&client->peers, peer_id);

	if (peer == NULL || peer->phase != PEER_WAIT || client->is_stopping)
		return;
	peer->attempt = 0;
	runtime_timer_start(client->base.runtime, &peer->timer, 0);
}
