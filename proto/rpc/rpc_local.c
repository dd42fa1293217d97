#include "proto/rpc/rpc_local.h"

#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/rpc/rpc_limits.h"

/* A call is CALL_WAITING with impl = its request, then CALL_FINISHING with impl = the copy
 * of the reply (or NULL) until done().  The phase is kept in call_id. */
enum { CALL_FINISHING, CALL_WAITING };

/* Belongs to the service from handle() to its reply, also if its call ended before. */
struct local_request {
	struct rpc_request base;
	struct queue link; /* in rpc_local.arrived */
	struct rpc_local *local;
	struct rpc_call *call; /* NULL: one way, or the call has ended */
	uint8_t body[];
};

static struct rpc_local *local_of(const struct rpc_transport *transport)
{
	return CONTAINER_OF(transport, struct rpc_local, base);
}

static void complete(struct rpc_call *call, enum status status)
{
	void *reply = call->impl;

	call->status = status;
	call->is_in_flight = false;
	call->done(call); /* the call may be freed here */
	free(reply);
}

/* The call goes on without its request, which may still be with the service. */
static void leave_request(struct rpc_local *local, struct rpc_call *call)
{
	if (call->call_id == CALL_WAITING && call->impl != NULL) {
		struct local_request *request = call->impl;

		request->call = NULL;
	}
	runtime_timer_stop(local->base.runtime, &call->timer);
	call->call_id = CALL_FINISHING;
	call->impl = NULL;
}

static void finish_later(struct rpc_local *local, struct rpc_call *call, enum status status)
{
	leave_request(local, call);
	call->status = status;
	queue_push_tail(&local->finished, &call->link);
	runtime_defer(local->base.runtime, &local->task);
}

static void attach_reply(struct rpc_call *call, struct slice body)
{
	uint8_t *copy;

	if (body.size == 0)
		return;
	copy = malloc(body.size);
	if (copy == NULL) {
		call->status = ST_NO_MEMORY;
		return;
	}
	memcpy(copy, body.data, body.size);
	call->impl = copy;
	call->reply = slice_of(copy, body.size);
}

static void reply(struct rpc_request *base, enum status status, struct slice body)
{
	struct local_request *request = CONTAINER_OF(base, struct local_request, base);
	struct rpc_local *local = request->local;
	struct rpc_call *call = request->call;

	if (call != NULL && !fault_fires(FAULT_RPC_REPLY)) {
		bool is_too_big = body.size > WIRE_FRAME_BODY_SIZE_MAX;

		finish_later(local, call, is_too_big ? ST_TOO_BIG : status);
		if (!is_too_big)
			attach_reply(call, body);
	} else if (call != NULL) {
		call->impl = NULL; /* the reply is lost: the deadline ends the call */
	}
	CHECK(local->request_count > 0);
	local->request_count--;
	free(request);
}

static const struct rpc_request_ops request_ops = { .reply = reply };

static void handle_arrived(struct rpc_local *local)
{
	struct queue batch;
	struct queue *link;

	queue_init(&batch);
	queue_move_all(&local->arrived, &batch);
	while ((link = queue_pop_head(&batch)) != NULL) {
		struct local_request *request = CONTAINER_OF(link, struct local_request, link);

		local->service->handle(local->service, &request->base);
	}
}

static void finish_calls(struct rpc_local *local)
{
	struct queue batch;
	struct queue *link;

	queue_init(&batch);
	queue_move_all(&local->finished, &batch);
	while ((link = queue_pop_head(&batch)) != NULL) {
		struct rpc_call *call = CONTAINER_OF(link, struct rpc_call, link);

		complete(call, call->status);
	}
}

/* Calls that finish are told first; what is added meanwhile waits for the next round. */
static void on_task(struct runtime_task *task)
{
	struct rpc_local *local = CONTAINER_OF(task, struct rpc_local, task);

	finish_calls(local);
	handle_arrived(local);
}

static void on_deadline(struct runtime_timer *timer)
{
	struct rpc_call *call = CONTAINER_OF(timer, struct rpc_call, timer);

	leave_request(local_of(call->transport), call);
	complete(call, ST_TIMEOUT);
}

/* Copy a request and let the service have it at the end of this turn. */
static enum status queue_request(struct rpc_local *local, uint64_t peer_id, uint16_t method,
				 struct slice body, struct local_request **request_out)
{
	struct local_request *request;

	if (peer_id != local->peer_id || fault_fires(FAULT_RPC_SEND))
		return ST_UNREACHABLE;
	if (body.size > WIRE_FRAME_BODY_SIZE_MAX)
		return ST_TOO_BIG;
	if (local->request_count >= RPC_CALLS_PER_PEER_MAX)
		return ST_OVERLOADED;
	request = malloc(sizeof(*request) + body.size);
	if (request == NULL)
		return ST_NO_MEMORY;
	*request = (struct local_request){ .local = local };
	request->base = (struct rpc_request){ .method = method, .caller_id = local->caller_id };
	request->base.body = slice_of(request->body, body.size);
	request->base.ops = &request_ops;
	if (body.size > 0)
		memcpy(request->body, body.data, body.size);
	local->request_count++;
	queue_push_tail(&local->arrived, &request->link);
	runtime_defer(local->base.runtime, &local->task);
	*request_out = request;
	return ST_OK;
}

static void start_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct rpc_local *local = local_of(transport);
	uint32_t timeout_ms = call->timeout_ms < RPC_TIMEOUT_MS_MAX ? call->timeout_ms : RPC_TIMEOUT_MS_MAX;
	struct local_request *request;
	enum status status;

	queue_init(&call->link);
	runtime_timer_init(&call->timer, on_deadline);
	call->reply = (struct slice){ NULL, 0 };
	call->impl = NULL;
	call->call_id = CALL_WAITING;
	call->is_in_flight = true;
	status = queue_request(local, call->peer_id, call->method, call->body, &request);
	if (status != ST_OK) {
		finish_later(local, call, status);
		return;
	}
	request->call = call;
	call->impl = request;
	runtime_timer_start(transport->runtime, &call->timer, timeout_ms * 1000ull);
	request->base.deadline_mono_us = call->timer.deadline_mono_us;
}

static void cancel_call(struct rpc_transport *transport, struct rpc_call *call)
{
	if (call->call_id == CALL_WAITING)
		finish_later(local_of(transport), call, ST_CANCELED);
}

static enum status post_one_way(struct rpc_transport *transport, uint64_t peer_id, uint16_t method,
				struct slice body)
{
	struct local_request *request;
	enum status status = queue_request(local_of(transport), peer_id, method, body, &request);

	if (status != ST_OK)
		return status;
	request->base.is_one_way = true;
	request->base.deadline_mono_us = UINT64_MAX;
	return ST_OK;
}

static void set_peer(struct rpc_transport *transport, uint64_t peer_id, const char *host, uint16_t port)
{
	(void)transport; /* the one peer lives here, whatever its address */
	(void)peer_id;
	(void)host;
	(void)port;
}

static void remove_peer(struct rpc_transport *transport, uint64_t peer_id)
{
	(void)transport; /* as above */
	(void)peer_id;
}

static bool is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	return peer_id == local_of(transport)->peer_id;
}

static const struct rpc_transport_ops rpc_local_ops = {
	.call = start_call,
	.cancel = cancel_call,
	.post = post_one_way,
	.set_peer = set_peer,
	.remove_peer = remove_peer,
	.is_up = is_up,
};

void rpc_local_init(struct rpc_local *local, struct runtime *runtime, uint64_t peer_id, uint64_t caller_id,
		    struct rpc_service *service)
{
	*local = (struct rpc_local){ .peer_id = peer_id, .caller_id = caller_id, .service = service };
	local->base.ops = &rpc_local_ops;
	local->base.runtime = runtime;
	queue_init(&local->base.observers);
	queue_init(&local->arrived);
	queue_init(&local->finished);
	runtime_task_init(&local->task, on_task);
}

void rpc_local_close(struct rpc_local *local)
{
	CHECK(local->request_count == 0 && queue_is_empty(&local->finished));
	runtime_task_cancel(&local->task);
}
