#include "proto/rpc/rpc_server.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/rpc/rpc_conn.h"

enum { SPARE_REQUESTS_MAX = 1024 };

/* HELLO --> UP --> OVER --> CLOSED
 * A connection in CLOSED has no stream any more and waits for its requests' answers. */
enum link_phase { LINK_HELLO, LINK_UP, LINK_OVER, LINK_CLOSED };

struct server_link {
	struct queue link; /* in rpc_server.connections */
	struct rpc_server *server;
	struct rpc_conn conn;
	struct runtime_timer timer; /* bounds LINK_HELLO and the refusal */
	enum link_phase phase;
	uint64_t caller_id;
	bool is_tool;
	uint32_t request_count; /* not yet answered */
	bool is_paused;         /* not read from: it does not read its replies */
};

struct server_request {
	struct rpc_request base;
	struct queue link; /* in rpc_server.spare_requests */
	struct server_link *owner;
	uint64_t call_id;
	struct rpc_block *block; /* where a large body lies; NULL if copied */
	uint8_t small_body[RPC_BODY_COPY_SIZE_MAX];
};

static void stop_when_empty(struct rpc_server *server)
{
	if (server->is_stopping && server->is_listener_stopped && queue_is_empty(&server->connections))
		runtime_defer(&server->options.runtime->base, &server->stop_task);
}

static void free_when_done(struct server_link *link)
{
	struct rpc_server *server = link->server;

	if (link->phase != LINK_CLOSED || link->request_count > 0)
		return;
	queue_remove(&link->link);
	free(link);
	stop_when_empty(server);
}

static void close_link(struct server_link *link)
{
	if (link->phase == LINK_CLOSED)
		return;
	link->phase = LINK_OVER;
	rpc_conn_close(&link->conn); /* on_closed() resumes */
}

/* While stopping, a connection without requests under way has nothing left to do. */
static void close_if_idle(struct server_link *link)
{
	if (!link->server->is_stopping || link->request_count > 0 || link->phase != LINK_UP)
		return;
	link->phase = LINK_OVER;
	rpc_conn_close_flushed(&link->conn); /* the grace timer bounds it */
}

/* ---- requests ---- */

static struct server_request *take_request(struct rpc_server *server)
{
	struct queue *link = queue_pop_head(&server->spare_requests);
	struct server_request *request;

	if (link != NULL) {
		server->spare_request_count--;
		return CONTAINER_OF(link, struct server_request, link);
	}
	request = malloc(sizeof(*request));
	if (request != NULL)
		queue_init(&request->link);
	return request;
}

static void give_back(struct rpc_server *server, struct server_request *request)
{
	rpc_block_release(request->block);
	if (server->spare_request_count >= SPARE_REQUESTS_MAX) {
		free(request);
		return;
	}
	server->spare_request_count++;
	queue_push_tail(&server->spare_requests, &request->link);
}

static void send_reply(struct server_link *link, uint64_t call_id, enum status answer, struct slice body)
{
	struct wire_frame frame = {
		.type = WIRE_FRAME_REPLY, .status = answer, .call_id = call_id, .body = body
	};
	enum status status;

	if (link->phase != LINK_UP)
		return; /* nobody is there to hear it */
	if (body.size > WIRE_FRAME_BODY_SIZE_MAX) {
		frame.status = ST_TOO_BIG;
		frame.body.size = 0;
	}
	status = rpc_conn_send(&link->conn, &frame);
	if (status != ST_OK) {
		/* The caller would wait in vain; a broken connection it understands. */
		log_warn("rpc", "reply-failed", "caller=%" PRIu64 " status=%s", link->caller_id,
			 status_name(status));
		close_link(link);
		return;
	}
	if (rpc_conn_queued_bytes(&link->conn) > RPC_QUEUED_BYTES_PAUSE && !link->is_paused) {
		link->is_paused = true; /* on_drained() resumes */
		stream_read_stop(link->conn.stream);
	}
}

static void reply(struct rpc_request *base, enum status status, struct slice body)
{
	struct server_request *request = CONTAINER_OF(base, struct server_request, base);
	struct server_link *link = request->owner;
	struct rpc_server *server = link->server;

	CHECK(link->request_count > 0 && server->request_count > 0);
	if (!base->is_one_way)
		send_reply(link, request->call_id, status, body);
	give_back(server, request);
	server->request_count--;
	link->request_count--;
	close_if_idle(link);
	free_when_done(link);
}

static const struct rpc_request_ops request_ops = { .reply = reply };

static void keep_body(struct server_request *request, struct slice body)
{
	request->block = NULL;
	if (body.size > sizeof(request->small_body)) {
		request->block = rpc_conn_hold(&request->owner->conn);
		request->base.body = body;
		return;
	}
	if (body.size > 0)
		memcpy(request->small_body, body.data, body.size);
	request->base.body = slice_of(request->small_body, body.size);
}

static enum status admit_request(const struct server_link *link)
{
	const struct rpc_server *server = link->server;

	if (server->is_stopping)
		return ST_UNAVAILABLE;
	if (link->request_count >= server->options.requests_per_connection_max ||
	    server->request_count >= server->options.requests_max)
		return ST_OVERLOADED;
	return ST_OK;
}

static void handle_request(struct server_link *link, const struct wire_frame *frame)
{
	struct rpc_server *server = link->server;
	enum status status = admit_request(link);
	struct server_request *request = status == ST_OK ? take_request(server) : NULL;

	if (request == NULL) {
		if (frame->type == WIRE_FRAME_REQUEST)
			send_reply(link, frame->call_id, status == ST_OK ? ST_NO_MEMORY : status,
				   (struct slice){ NULL, 0 });
		return;
	}
	request->owner = link;
	request->call_id = frame->call_id;
	request->base.method = frame->method;
	request->base.is_one_way = frame->type == WIRE_FRAME_ONE_WAY;
	request->base.caller_id = link->caller_id;
	request->base.is_tool = link->is_tool;
	request->base.deadline_mono_us = runtime_mono_us(&server->options.runtime->base) +
					 frame->timeout_ms * 1000ull;
	request->base.ops = &request_ops;
	keep_body(request, frame->body);
	link->request_count++;
	server->request_count++;
	server->options.service->handle(server->options.service, &request->base);
}

/* ---- connections ---- */

static enum status judge_hello(struct server_link *link, const struct wire_frame *frame)
{
	const struct rpc_server_options *options = &link->server->options;
	struct rpc_identity claimed;
	struct tls_identity certificate = { TLS_ROLE_NONE, 0 };
	enum status status = rpc_hello_decode(frame->body, &claimed);

	if (status != ST_OK)
		return status;
	if (!options->is_insecure)
		(void)stream_peer_identity(link->conn.stream, &certificate); /* no name: TLS_ROLE_NONE */
	status = rpc_hello_check(&options->own, &claimed, options->is_insecure ? NULL : &certificate);
	if (status != ST_OK)
		return status;
	link->caller_id = claimed.node_id;
	link->is_tool = claimed.role == RPC_ROLE_TOOL;
	return options->admit == NULL ? ST_OK : options->admit(options->context, &claimed);
}

static void handle_hello(struct server_link *link, const struct wire_frame *frame)
{
	struct rpc_server *server = link->server;
	enum status status = server->is_stopping ? ST_UNAVAILABLE : judge_hello(link, frame);

	if (rpc_conn_send_hello(&link->conn, &server->options.own, status) != ST_OK) {
		close_link(link);
		return;
	}
	if (status != ST_OK) {
		log_warn("rpc", "refused", "peer=%s status=%s", link->conn.stream->peer_name,
			 status_name(status));
		link->phase = LINK_OVER;
		rpc_conn_close_flushed(&link->conn); /* the timer goes on and bounds it */
		return;
	}
	runtime_timer_stop(&server->options.runtime->base, &link->timer);
	rpc_conn_trust(&link->conn);
	link->phase = LINK_UP;
}

static void on_opened(struct rpc_conn *conn)
{
	(void)conn; /* the client speaks first */
}

static void on_frame(struct rpc_conn *conn, const struct wire_frame *frame)
{
	struct server_link *link = CONTAINER_OF(conn, struct server_link, conn);
	bool is_request = frame->type == WIRE_FRAME_REQUEST || frame->type == WIRE_FRAME_ONE_WAY;

	if (link->phase == LINK_UP && is_request) {
		handle_request(link, frame);
	} else if (link->phase == LINK_HELLO && frame->type == WIRE_FRAME_HELLO) {
		handle_hello(link, frame);
	} else {
		log_warn("rpc", "unexpected-frame", "peer=%s type=%d", conn->stream->peer_name,
			 (int)frame->type);
		close_link(link);
	}
}

static void on_drained(struct rpc_conn *conn)
{
	struct server_link *link = CONTAINER_OF(conn, struct server_link, conn);

	if (!link->is_paused)
		return;
	link->is_paused = false;
	stream_read_start(conn->stream);
}

static void on_ended(struct rpc_conn *conn, enum status status)
{
	(void)status; /* rpc_conn and the stream have logged what is worth it */
	close_link(CONTAINER_OF(conn, struct server_link, conn));
}

static void on_closed(struct rpc_conn *conn)
{
	struct server_link *link = CONTAINER_OF(conn, struct server_link, conn);

	runtime_timer_stop(&link->server->options.runtime->base, &link->timer);
	listener_release(&link->server->listener);
	link->phase = LINK_CLOSED;
	free_when_done(link);
}

static const struct rpc_conn_user conn_user = {
	.opened = on_opened,
	.frame = on_frame,
	.drained = on_drained,
	.ended = on_ended,
	.closed = on_closed,
};

static void on_timer(struct runtime_timer *timer)
{
	struct server_link *link = CONTAINER_OF(timer, struct server_link, timer);

	log_warn("rpc", "hello-timeout", "peer=%s", link->conn.stream->peer_name);
	close_link(link);
}

static void on_stillborn_closed(struct stream *stream)
{
	listener_release(stream->context);
}

static const struct stream_user stillborn_user = { .closed = on_stillborn_closed };

static void on_accepted(struct listener *listener, struct stream *stream)
{
	struct rpc_server *server = CONTAINER_OF(listener, struct rpc_server, listener);
	struct runtime *runtime = &server->options.runtime->base;
	struct server_link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		stream_set_user(stream, &stillborn_user, listener);
		stream_close(stream);
		return;
	}
	link->server = server;
	rpc_conn_init(&link->conn, runtime, stream, &conn_user);
	queue_push_tail(&server->connections, &link->link);
	runtime_timer_init(&link->timer, on_timer);
	runtime_timer_start(runtime, &link->timer, server->options.connect_timeout_ms * 1000ull);
}

/* ---- the server ---- */

static void close_all(struct rpc_server *server)
{
	/* Nothing leaves the list in here: streams close in a later turn. */
	for (struct queue *each = server->connections.next; each != &server->connections; each = each->next)
		close_link(CONTAINER_OF(each, struct server_link, link));
}

static void on_grace_over(struct runtime_timer *timer)
{
	close_all(CONTAINER_OF(timer, struct rpc_server, grace_timer));
}

static void on_stop_task(struct runtime_task *task)
{
	struct rpc_server *server = CONTAINER_OF(task, struct rpc_server, stop_task);
	struct queue *link;

	CHECK(server->request_count == 0);
	runtime_timer_stop(&server->options.runtime->base, &server->grace_timer);
	while ((link = queue_pop_head(&server->spare_requests)) != NULL)
		free(CONTAINER_OF(link, struct server_request, link));
	server->stopped(server); /* the server may be freed here */
}

static uint32_t or_default(uint32_t value, uint32_t value_default)
{
	return value == 0 ? value_default : value;
}

static void set_defaults(struct rpc_server_options *options)
{
	options->host = NULL; /* borrowed for the call only */
	options->connection_count_max = or_default(options->connection_count_max, RPC_CONNECTIONS_MAX);
	options->requests_per_connection_max = or_default(options->requests_per_connection_max,
							  RPC_REQUESTS_PER_CONNECTION_MAX);
	options->requests_max = or_default(options->requests_max, RPC_REQUESTS_MAX);
	options->connect_timeout_ms = or_default(options->connect_timeout_ms, RPC_CONNECT_TIMEOUT_MS);
}

enum status rpc_server_start(struct rpc_server *server, const struct rpc_server_options *options)
{
	struct listener_options listener_options = {
		.runtime = options->runtime,
		.host = options->host,
		.port = options->port,
		.queued_bytes_max = RPC_QUEUED_BYTES_MAX,
		.tls = options->tls,
		.accepted = on_accepted,
	};

	if ((options->tls != NULL) == options->is_insecure || options->own.role != RPC_ROLE_NODE)
		return ST_INVALID;
	*server = (struct rpc_server){ .options = *options };
	set_defaults(&server->options);
	listener_options.connection_count_max = server->options.connection_count_max;
	queue_init(&server->connections);
	queue_init(&server->spare_requests);
	runtime_timer_init(&server->grace_timer, on_grace_over);
	runtime_task_init(&server->stop_task, on_stop_task);
	return listener_start(&server->listener, &listener_options);
}

uint16_t rpc_server_port(const struct rpc_server *server)
{
	return listener_port(&server->listener);
}

static void on_listener_stopped(struct listener *listener)
{
	struct rpc_server *server = CONTAINER_OF(listener, struct rpc_server, listener);

	server->is_listener_stopped = true;
	stop_when_empty(server);
}

void rpc_server_stop(struct rpc_server *server, uint32_t grace_ms, void (*stopped)(struct rpc_server *server))
{
	CHECK(!server->is_stopping);
	server->is_stopping = true;
	server->stopped = stopped;
	listener_stop(&server->listener, on_listener_stopped);
	runtime_timer_start(&server->options.runtime->base, &server->grace_timer, grace_ms * 1000ull);
	for (struct queue *each = server->connections.next; each != &server->connections; each = each->next) {
		struct server_link *link = CONTAINER_OF(each, struct server_link, link);

		if (link->phase == LINK_HELLO)
			close_link(link);
		else
			close_if_idle(link);
	}
}
