#include "tests/sim/sim_net.h"

#include <stdlib.h>

#include "proto/rpc/rpc_limits.h"

enum {
	TRACE_MESSAGE = 10,
	TRACE_CONNECTION = 11,
	RETRANSMIT_US = 200 * SIM_MS,
	RETRANSMIT_MAX = 6,          /* then the connection is given up */
	STALL_US_MIN = 400 * SIM_MS, /* until a dead connection is noticed */
	STALL_US_MAX = 3 * SIM_SECOND,
	BACKOFF_US_MIN = 20 * SIM_MS,
	BACKOFF_US_SOON = 100 * SIM_MS,
	BACKOFF_US_MAX = 1 * SIM_SECOND,
	STRAY_US_MAX = 700 * SIM_MS,
};

enum message_kind { REQUEST, REPLY, ONE_WAY };

struct message {
	struct queue link;
	struct sim_event event;
	struct sim_net *net;
	enum message_kind kind;
	uint64_t from;
	uint64_t to;
	uint64_t to_incarnation;
	uint64_t generation; /* of the connection it travels on */
	uint64_t call_id;
	uint16_t method;
	uint32_t timeout_ms;
	enum status status;
	size_t size;
	uint8_t body[];
};

/* With the service until it replies. */
struct served_request {
	struct rpc_request base;
	struct message *message; /* owns the body */
	struct sim_endpoint *server;
	uint64_t server_incarnation;
};

static struct sim_endpoint *endpoint_of(const struct rpc_transport *transport)
{
	return CONTAINER_OF(transport, struct sim_endpoint, base);
}

static bool is_running(const struct sim_net *net, uint64_t id)
{
	return net->endpoints[id] != NULL && net->endpoints[id]->is_running;
}

static bool is_cut(const struct sim_net *net, uint64_t from, uint64_t to)
{
	return net->links[from][to].cut_count > 0;
}

static uint64_t delay_us(struct sim_net *net, uint64_t from, uint64_t to)
{
	struct rng *rng = &net->world->net_rng;

	return sim_range(rng, net->delay_us_min, net->delay_us_max) +
	       sim_range(rng, 0, net->links[from][to].extra_us_max);
}

static bool happens(struct sim_net *net, uint32_t permille)
{
	return permille > 0 && rng_below(&net->world->net_rng, 1000) < permille;
}

/* --- connections --- */

static void notice_later(struct sim_connection *connection)
{
	connection->is_doomed = true;
	if (!sim_event_is_scheduled(&connection->event))
		sim_event_in(connection->net->world, &connection->event,
			     sim_range(&connection->net->world->net_rng, STALL_US_MIN, STALL_US_MAX));
}

static void notice_soon(struct sim_connection *connection)
{
	struct sim_net *net = connection->net;

	connection->is_doomed = true;
	sim_event_in(net->world, &connection->event, delay_us(net, connection->to, connection->from));
}

/* Soon again or, as after many failures, late. */
static void connect_later(struct sim_connection *connection)
{
	struct rng *rng = &connection->net->world->net_rng;
	uint64_t us_max = sim_percent(rng, 50) ? BACKOFF_US_SOON : BACKOFF_US_MAX;

	sim_event_in(connection->net->world, &connection->event, sim_range(rng, BACKOFF_US_MIN, us_max));
}

static void finish_later(struct sim_endpoint *endpoint, struct rpc_call *call, enum status status)
{
	queue_remove(&call->link);
	runtime_timer_stop(endpoint->base.runtime, &call->timer);
	call->status = status;
	queue_push_tail(&endpoint->finished, &call->link);
	runtime_defer(endpoint->base.runtime, &endpoint->finish_task);
}

static void close_calls(struct sim_endpoint *endpoint, uint64_t peer_id, bool all)
{
	struct queue *link = endpoint->calls.next;

	while (link != &endpoint->calls) {
		struct rpc_call *call = CONTAINER_OF(link, struct rpc_call, link);

		link = link->next;
		if (all || call->peer_id == peer_id)
			finish_later(endpoint, call, ST_CLOSED);
	}
}

static void tell_observers(struct sim_endpoint *endpoint, uint64_t peer_id, bool is_up)
{
	struct queue *link = endpoint->base.observers.next;

	while (link != &endpoint->base.observers) {
		struct rpc_peer_observer *observer = CONTAINER_OF(link, struct rpc_peer_observer, link);

		link = link->next;
		observer->changed(observer, peer_id, is_up);
	}
}

static void change(struct sim_connection *connection, bool is_up)
{
	struct sim_net *net = connection->net;
	struct sim_endpoint *endpoint = net->endpoints[connection->from];

	sim_world_trace(net->world, TRACE_CONNECTION, connection->from * 100 + connection->to * 2 + is_up);
	connection->is_up = is_up;
	connection->is_doomed = false;
	connection->generation++;
	connection->last_us[0] = 0;
	connection->last_us[1] = 0;
	if (!is_up)
		connect_later(connection);
	sim_runtime_enter(endpoint->runtime);
	if (!is_up)
		close_calls(endpoint, connection->to, false);
	tell_observers(endpoint, connection->to, is_up);
	sim_runtime_leave(endpoint->runtime);
}

static bool is_admitted(struct sim_endpoint *endpoint, const struct sim_endpoint *peer)
{
	bool is_welcome = endpoint->service != NULL;

	if (is_welcome && endpoint->admit != NULL && peer->caller_id != 0) {
		sim_runtime_enter(endpoint->runtime);
		is_welcome = endpoint->admit(endpoint, peer);
		sim_runtime_leave(endpoint->runtime);
	}
	return is_welcome;
}

static void on_connection(struct sim_event *event)
{
	struct sim_connection *connection = CONTAINER_OF(event, struct sim_connection, event);
	struct sim_net *net = connection->net;
	bool passes = !is_cut(net, connection->from, connection->to) &&
		      !is_cut(net, connection->to, connection->from) && is_running(net, connection->to);

	if (!is_running(net, connection->from) || (!connection->is_wanted && !connection->is_up))
		return;
	if (connection->is_up) {
		if (!passes || connection->is_doomed)
			change(connection, false);
	} else if (passes && is_admitted(net->endpoints[connection->to], net->endpoints[connection->from])) {
		change(connection, true);
	} else {
		connect_later(connection);
	}
}

/* --- messages --- */

static void free_message(struct message *message)
{
	queue_remove(&message->link);
	sim_event_cancel(message->net->world, &message->event);
	free(message);
}

static void reply(struct rpc_request *base, enum status status, struct slice body);

static const struct rpc_request_ops request_ops = { .reply = reply };

static void serve(struct sim_endpoint *server, struct message *message)
{
	struct served_request *request = calloc(1, sizeof(*request));

	CHECK(request != NULL);
	queue_remove(&message->link);
	request->message = message;
	request->server = server;
	request->server_incarnation = server->incarnation;
	request->base = (struct rpc_request){
		.method = message->method,
		.is_one_way = message->kind == ONE_WAY,
		.caller_id = message->net->endpoints[message->from]->caller_id,
		.deadline_mono_us = message->kind == ONE_WAY ? UINT64_MAX
							     : runtime_mono_us(server->base.runtime) +
								       (uint64_t)message->timeout_ms * SIM_MS,
		.body = slice_of(message->body, message->size),
		.ops = &request_ops,
	};
	server->request_count++;
	sim_runtime_enter(server->runtime);
	server->service->handle(server->service, &request->base);
	sim_runtime_leave(server->runtime);
}

static void complete(struct sim_endpoint *caller, struct message *message)
{
	for (struct queue *link = caller->calls.next; link != &caller->calls; link = link->next) {
		struct rpc_call *call = CONTAINER_OF(link, struct rpc_call, link);

		if (call->call_id != message->call_id)
			continue;
		queue_remove(&call->link);
		runtime_timer_stop(caller->base.runtime, &call->timer);
		call->is_in_flight = false;
		call->status = message->status;
		call->reply = slice_of(message->body, message->size);
		sim_runtime_enter(caller->runtime);
		call->done(call); /* the call may be freed here */
		sim_runtime_leave(caller->runtime);
		return;
	}
}

static struct sim_connection *connection_of(const struct message *message)
{
	struct sim_net *net = message->net;

	return message->kind == REPLY ? &net->connections[message->to][message->from]
				      : &net->connections[message->from][message->to];
}

static void on_arrival(struct sim_event *event)
{
	struct message *message = CONTAINER_OF(event, struct message, event);
	struct sim_net *net = message->net;
	uint64_t what = TRACE_MESSAGE + 100ull * message->method + 10000 * message->from +
			100000 * message->to;
	struct sim_endpoint *receiver = net->endpoints[message->to];
	struct sim_connection *connection = connection_of(message);

	if (is_cut(net, message->from, message->to)) {
		if (message->kind != ONE_WAY && connection->generation == message->generation)
			notice_later(connection);
	} else if (receiver->is_running && receiver->incarnation == message->to_incarnation) {
		net->delivered_count++;
		sim_world_trace_bytes(net->world, what, slice_of(message->body, message->size));
		if (message->kind != REPLY && receiver->service != NULL) {
			serve(receiver, message);
			return; /* the request owns it now */
		}
		if (message->kind == REPLY && connection->generation == message->generation)
			complete(receiver, message);
	}
	free_message(message);
}

static struct message *make_message(struct sim_net *net, enum message_kind kind, uint64_t from, uint64_t to,
				    struct slice body)
{
	struct message *message = malloc(sizeof(*message) + body.size);

	CHECK(message != NULL);
	*message = (struct message){ .net = net, .kind = kind, .from = from, .to = to, .size = body.size };
	message->to_incarnation = net->endpoints[to]->incarnation;
	message->generation = connection_of(message)->generation;
	if (body.size > 0)
		memcpy(message->body, body.data, body.size);
	sim_event_init(&message->event, &net->endpoints[to]->runtime->process, on_arrival);
	queue_init(&message->link);
	queue_push_tail(&net->messages, &message->link);
	return message;
}

/* Strays come late and in any order. */
static void send_stray(struct message *message)
{
	sim_event_in(message->net->world, &message->event,
		     delay_us(message->net, message->from, message->to) +
			     sim_range(&message->net->world->net_rng, 0, message->net->stray_us_max));
}

static void send_in_order(struct message *message)
{
	struct sim_net *net = message->net;
	struct sim_connection *connection = connection_of(message);
	uint64_t *last_us = &connection->last_us[message->kind == REPLY];
	uint64_t at_us = net->world->now_us + delay_us(net, message->from, message->to);

	if (message->kind != ONE_WAY) {
		uint32_t tries = 0;

		while (tries < RETRANSMIT_MAX && happens(net, net->loss_permille))
			tries++;
		at_us += (uint64_t)tries * RETRANSMIT_US;
		if (tries == RETRANSMIT_MAX)
			notice_later(connection);
	}
	if (at_us <= *last_us)
		at_us = *last_us + 1;
	*last_us = at_us;
	sim_event_at(net->world, &message->event, at_us);
}

static void send_one_way(struct message *message)
{
	struct sim_net *net = message->net;

	if (happens(net, net->duplicate_permille)) {
		struct message *copy = make_message(net, ONE_WAY, message->from, message->to,
						    slice_of(message->body, message->size));

		copy->method = message->method;
		send_stray(copy);
	}
	if (happens(net, net->loss_permille))
		free_message(message);
	else if (happens(net, net->overtake_permille))
		send_stray(message);
	else
		send_in_order(message);
}

static void reply(struct rpc_request *base, enum status status, struct slice body)
{
	struct served_request *request = CONTAINER_OF(base, struct served_request, base);
	struct message *asked = request->message;
	struct sim_endpoint *server = request->server;
	struct sim_net *net = server->net;

	CHECK(server->request_count > 0);
	server->request_count--;
	if (asked->kind == REQUEST && server->is_running &&
	    server->incarnation == request->server_incarnation &&
	    net->connections[asked->from][asked->to].generation == asked->generation) {
		struct message *answer = make_message(net, REPLY, asked->to, asked->from, body);

		answer->call_id = asked->call_id;
		answer->status = status;
		send_in_order(answer);
	}
	free(asked);
	free(request);
}

/* --- the transport's operations --- */

static void on_finish(struct runtime_task *task)
{
	struct sim_endpoint *endpoint = CONTAINER_OF(task, struct sim_endpoint, finish_task);
	struct queue batch;
	struct queue *link;

	queue_init(&batch);
	queue_move_all(&endpoint->finished, &batch);
	while ((link = queue_pop_head(&batch)) != NULL) {
		struct rpc_call *call = CONTAINER_OF(link, struct rpc_call, link);

		call->is_in_flight = false;
		call->done(call);
	}
}

static void on_deadline(struct runtime_timer *timer)
{
	struct rpc_call *call = CONTAINER_OF(timer, struct rpc_call, timer);

	queue_remove(&call->link);
	call->is_in_flight = false;
	call->status = ST_TIMEOUT;
	call->done(call);
}

/* ST_OK if a message may leave now. */
static enum status check_send(const struct sim_endpoint *endpoint, uint64_t peer_id, size_t size_bytes)
{
	if (size_bytes > WIRE_FRAME_BODY_SIZE_MAX)
		return ST_TOO_BIG;
	if (!endpoint->is_running || peer_id >= SIM_ENDPOINTS_MAX ||
	    !endpoint->net->connections[endpoint->id][peer_id].is_up)
		return ST_UNREACHABLE;
	return ST_OK;
}

static void start_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct sim_endpoint *endpoint = endpoint_of(transport);
	enum status status = check_send(endpoint, call->peer_id, call->body.size);
	struct message *message;

	queue_init(&call->link);
	runtime_timer_init(&call->timer, on_deadline);
	call->reply = (struct slice){ NULL, 0 };
	call->call_id = ++endpoint->next_call_id;
	call->is_in_flight = true;
	queue_push_tail(&endpoint->calls, &call->link);
	if (status != ST_OK) {
		finish_later(endpoint, call, status);
		return;
	}
	runtime_timer_start(transport->runtime, &call->timer, (uint64_t)call->timeout_ms * SIM_MS);
	message = make_message(endpoint->net, REQUEST, endpoint->id, call->peer_id, call->body);
	message->method = call->method;
	message->call_id = call->call_id;
	message->timeout_ms = call->timeout_ms;
	send_in_order(message);
}

static void cancel_call(struct rpc_transport *transport, struct rpc_call *call)
{
	finish_later(endpoint_of(transport), call, ST_CANCELED);
}

static enum status post_one_way(struct rpc_transport *transport, uint64_t peer_id, uint16_t method,
				struct slice body)
{
	struct sim_endpoint *endpoint = endpoint_of(transport);
	enum status status = check_send(endpoint, peer_id, body.size);
	struct message *message;

	if (status != ST_OK)
		return status;
	message = make_message(endpoint->net, ONE_WAY, endpoint->id, peer_id, body);
	message->method = method;
	send_one_way(message);
	return ST_OK;
}

static void set_peer(struct rpc_transport *transport, uint64_t peer_id, const char *host, uint16_t port)
{
	struct sim_endpoint *endpoint = endpoint_of(transport);
	struct sim_connection *outgoing = &endpoint->net->connections[endpoint->id][peer_id];

	(void)host; /* the id says where it is */
	(void)port;
	CHECK(peer_id < SIM_ENDPOINTS_MAX);
	if (outgoing->is_wanted)
		return;
	outgoing->is_wanted = true;
	outgoing->event.process = &endpoint->runtime->process;
	sim_event_in(endpoint->net->world, &outgoing->event, delay_us(endpoint->net, endpoint->id, peer_id));
}

static void remove_peer(struct rpc_transport *transport, uint64_t peer_id)
{
	struct sim_endpoint *endpoint = endpoint_of(transport);
	struct sim_connection *outgoing = &endpoint->net->connections[endpoint->id][peer_id];

	outgoing->is_wanted = false;
	if (outgoing->is_up)
		notice_soon(outgoing);
}

static bool is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	return check_send(endpoint_of(transport), peer_id, 0) == ST_OK;
}

static const struct rpc_transport_ops transport_ops = {
	.call = start_call,
	.cancel = cancel_call,
	.post = post_one_way,
	.set_peer = set_peer,
	.remove_peer = remove_peer,
	.is_up = is_up,
};

/* --- life --- */

void sim_net_init(struct sim_net *net, struct sim_world *world)
{
	*net = (struct sim_net){
		.world = world, .delay_us_min = 50, .delay_us_max = 400, .stray_us_max = STRAY_US_MAX
	};
	queue_init(&net->messages);
	for (uint64_t from = 0; from < SIM_ENDPOINTS_MAX; from++) {
		for (uint64_t to = 0; to < SIM_ENDPOINTS_MAX; to++) {
			struct sim_connection *connection = &net->connections[from][to];

			sim_event_init(&connection->event, NULL, on_connection);
			connection->net = net;
			connection->from = from;
			connection->to = to;
		}
	}
}

void sim_net_close(struct sim_net *net)
{
	while (!queue_is_empty(&net->messages))
		free_message(CONTAINER_OF(net->messages.next, struct message, link));
	for (uint64_t from = 0; from < SIM_ENDPOINTS_MAX; from++) {
		for (uint64_t to = 0; to < SIM_ENDPOINTS_MAX; to++)
			sim_event_cancel(net->world, &net->connections[from][to].event);
	}
}

void sim_net_start(struct sim_net *net, struct sim_endpoint *endpoint, struct sim_runtime *runtime,
		   uint64_t id, uint64_t caller_id, struct rpc_service *service)
{
	uint64_t incarnation = endpoint->incarnation + 1;

	CHECK(id < SIM_ENDPOINTS_MAX && !endpoint->is_running);
	*endpoint = (struct sim_endpoint){ .net = net, .runtime = runtime, .id = id, .caller_id = caller_id };
	endpoint->base.ops = &transport_ops;
	endpoint->base.runtime = &runtime->base;
	endpoint->service = service;
	endpoint->incarnation = incarnation;
	endpoint->is_running = true;
	queue_init(&endpoint->base.observers);
	queue_init(&endpoint->calls);
	queue_init(&endpoint->finished);
	runtime_task_init(&endpoint->finish_task, on_finish);
	net->endpoints[id] = endpoint;
	for (uint64_t peer = 0; peer < SIM_ENDPOINTS_MAX; peer++) {
		if (net->connections[peer][id].is_up)
			notice_soon(&net->connections[peer][id]);
	}
}

void sim_net_stop(struct sim_endpoint *endpoint, bool is_silent)
{
	struct sim_net *net = endpoint->net;

	endpoint->is_running = false;
	for (uint64_t peer = 0; peer < SIM_ENDPOINTS_MAX; peer++) {
		struct sim_connection *outgoing = &net->connections[endpoint->id][peer];
		struct sim_connection *incoming = &net->connections[peer][endpoint->id];

		outgoing->is_wanted = false;
		outgoing->is_up = false;
		outgoing->is_doomed = false;
		outgoing->generation++;
		sim_event_cancel(net->world, &outgoing->event);
		if (!incoming->is_up)
			continue;
		if (is_silent || is_cut(net, endpoint->id, peer))
			notice_later(incoming);
		else
			notice_soon(incoming);
	}
	close_calls(endpoint, 0, true);
}

void sim_net_cut(struct sim_net *net, uint64_t from, uint64_t to)
{
	net->links[from][to].cut_count++;
	/* A dead direction breaks both connections that use it. */
	if (net->connections[from][to].is_up && !sim_event_is_scheduled(&net->connections[from][to].event))
		sim_event_in(net->world, &net->connections[from][to].event,
			     sim_range(&net->world->net_rng, STALL_US_MIN, STALL_US_MAX));
	if (net->connections[to][from].is_up && !sim_event_is_scheduled(&net->connections[to][from].event))
		sim_event_in(net->world, &net->connections[to][from].event,
			     sim_range(&net->world->net_rng, STALL_US_MIN, STALL_US_MAX));
}

void sim_net_heal(struct sim_net *net, uint64_t from, uint64_t to)
{
	CHECK(net->links[from][to].cut_count > 0);
	net->links[from][to].cut_count--;
}

bool sim_net_is_asking(const struct sim_net *net, uint64_t from, uint64_t to, uint16_t method)
{
	for (const struct queue *link = net->messages.next; link != &net->messages; link = link->next) {
		const struct message *message = CONTAINER_OF(link, const struct message, link);

		if (message->kind == REQUEST && message->from == from && message->to == to &&
		    message->method == method)
			return true;
	}
	return false;
}

void sim_net_reset(struct sim_net *net, uint64_t from, uint64_t to)
{
	if (net->connections[from][to].is_up)
		notice_soon(&net->connections[from][to]);
}
