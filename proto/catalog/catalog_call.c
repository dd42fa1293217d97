#include "proto/catalog/catalog_call.h"

#include "proto/wire/item.pb-c.h"
#include "proto/wire/wire_frame.h"

enum {
	US_PER_MS = 1000,
	ATTEMPT_MS_MAX = 1500, /* then the leader may be dead: ask another */
	PAUSE_MS_MIN = 20,
	PAUSE_MS_MAX = 500,
	PAUSE_DOUBLINGS_MAX = 5,
};

void catalog_seeds_init(struct catalog_seeds *seeds, struct runtime *runtime, struct rpc_transport *transport,
			const uint64_t *node_ids, uint32_t count)
{
	CHECK(count > 0 && count <= CATALOG_SEEDS_MAX);
	*seeds = (struct catalog_seeds){ .runtime = runtime, .transport = transport, .count = count };
	memcpy(seeds->node_ids, node_ids, count * sizeof(*node_ids));
	seeds->next = (uint32_t)rng_below(&runtime->rng, count);
}

static void finish(struct catalog_call *call, enum status status)
{
	runtime_timer_stop(call->seeds->runtime, &call->timer);
	buf_close(&call->body);
	call->is_active = false;
	call->status = status;
	call->done(call); /* the call may be gone afterwards */
}

/* Milliseconds to the deadline. */
static uint64_t time_left_ms(const struct catalog_call *call)
{
	uint64_t now_us = runtime_mono_us(call->seeds->runtime);

	return now_us < call->deadline_mono_us ? (call->deadline_mono_us - now_us) / US_PER_MS : 0;
}

static void send(struct catalog_call *call)
{
	struct catalog_seeds *seeds = call->seeds;
	uint64_t left_ms = time_left_ms(call);

	call->rpc.peer_id = seeds->leader_node_id;
	if (call->rpc.peer_id == 0)
		call->rpc.peer_id = seeds->node_ids[seeds->next];
	call->rpc.body = buf_slice(&call->body);
	call->rpc.timeout_ms = (uint32_t)(left_ms < ATTEMPT_MS_MAX ? left_ms + 1 : ATTEMPT_MS_MAX);
	call->attempt_count++;
	rpc_call_start(seeds->transport, &call->rpc); /* on_reply() resumes */
}

/* --- the verdict --- */

/* ST_BUSY is the catalog's decision: the table is being created, changed or deleted. */
static bool is_final(enum status status)
{
	return status == ST_BUSY || !status_is_retryable(status);
}

/* A refusal that the catalog's state is the reason for.  An earlier attempt of the same request may
 * still be on its way and change that state: then it is no answer. */
static bool is_by_state(enum status status)
{
	return status == ST_EXISTS || status == ST_NOT_FOUND || status == ST_BUSY || status == ST_DENIED ||
	       status == ST_CONDITION_FAILED || status == ST_TOO_BIG;
}

static bool is_unknown(enum status status)
{
	return status == ST_CLOSED || status == ST_TIMEOUT || status == ST_UNKNOWN_OUTCOME ||
	       status == ST_CANCELED;
}

static uint64_t hinted_leader(const struct rpc_call *rpc)
{
	Cleave__RoutingHint *hint;
	uint64_t node_id;

	if (rpc->status != ST_NOT_LEADER || rpc->reply.size == 0)
		return 0;
	hint = cleave__routing_hint__unpack(NULL, rpc->reply.size, rpc->reply.data);
	if (hint == NULL)
		return 0;
	node_id = hint->leader_node_id;
	cleave__routing_hint__free_unpacked(hint, NULL);
	return node_id;
}

/* Whom to ask next.  True if somebody said who leads. */
static bool choose_target(struct catalog_seeds *seeds, const struct rpc_call *rpc)
{
	uint64_t hint = hinted_leader(rpc);

	if (hint != 0 && hint != rpc->peer_id) {
		seeds->leader_node_id = hint;
		return true;
	}
	/* A leader that is only busy stays the one to ask. */
	if (rpc->status == ST_OVERLOADED || rpc->status == ST_UNKNOWN_OUTCOME)
		return false;
	if (seeds->leader_node_id == rpc->peer_id)
		seeds->leader_node_id = 0;
	if (seeds->node_ids[seeds->next] == rpc->peer_id)
		seeds->next = (seeds->next + 1) % seeds->count;
	return false;
}

static uint64_t pause_us(const struct catalog_call *call)
{
	uint32_t doublings = call->attempt_count - 1;
	uint64_t longest_ms;

	if (doublings > PAUSE_DOUBLINGS_MAX)
		doublings = PAUSE_DOUBLINGS_MAX;
	longest_ms = (uint64_t)PAUSE_MS_MIN << doublings;
	if (longest_ms > PAUSE_MS_MAX)
		longest_ms = PAUSE_MS_MAX;
	return longest_ms * US_PER_MS / 2 + rng_below(&call->seeds->runtime->rng, longest_ms * US_PER_MS / 2);
}

static void retry(struct catalog_call *call)
{
	bool is_hinted = choose_target(call->seeds, &call->rpc);
	uint64_t delay_us = pause_us(call);

	/* Two replicas may point at each other for a while: believe the first hint only. */
	if (is_hinted && call->attempt_count < 2)
		delay_us = 0;
	if (delay_us / US_PER_MS >= time_left_ms(call))
		finish(call, call->may_have_happened ? ST_UNKNOWN_OUTCOME : call->rpc.status);
	else
		runtime_timer_start(call->seeds->runtime, &call->timer,
				    delay_us); /* on_pause_end() resumes */
}

static void on_reply(struct rpc_call *rpc)
{
	struct catalog_call *call = CONTAINER_OF(rpc, struct catalog_call, rpc);

	CHECK(call->is_active);
	if (is_unknown(rpc->status))
		call->may_have_happened = true;
	if (call->is_canceled) {
		finish(call, ST_CANCELED);
	} else if (is_final(rpc->status)) {
		call->seeds->leader_node_id = rpc->peer_id;
		call->reply = rpc->reply;
		finish(call, call->may_have_happened && is_by_state(rpc->status) ? ST_UNKNOWN_OUTCOME
										 : rpc->status);
	} else {
		retry(call);
	}
}

static void on_pause_end(struct runtime_timer *timer)
{
	struct catalog_call *call = CONTAINER_OF(timer, struct catalog_call, timer);

	if (call->is_canceled)
		finish(call, ST_CANCELED);
	else
		send(call);
}

static void on_unsent(struct runtime_task *task)
{
	finish(CONTAINER_OF(task, struct catalog_call, task), ST_NO_MEMORY);
}

/* --- life --- */

void catalog_call_start(struct catalog_seeds *seeds, struct catalog_call *call, uint16_t method,
			struct slice body, uint32_t timeout_ms, catalog_call_cb done)
{
	*call = (struct catalog_call){ .seeds = seeds, .done = done, .is_active = true };
	call->deadline_mono_us = runtime_mono_us(seeds->runtime) + (uint64_t)timeout_ms * US_PER_MS;
	call->rpc.method = method;
	call->rpc.done = on_reply;
	runtime_timer_init(&call->timer, on_pause_end);
	runtime_task_init(&call->task, on_unsent);
	buf_init(&call->body, WIRE_FRAME_BODY_SIZE_MAX);
	buf_append_slice(&call->body, body);
	if (call->body.status == ST_OK)
		send(call);
	else
		runtime_defer(seeds->runtime, &call->task);
}

void catalog_call_cancel(struct catalog_call *call)
{
	if (!call->is_active || call->is_canceled)
		return;
	call->is_canceled = true;
	if (runtime_timer_is_active(&call->timer))
		runtime_timer_start(call->seeds->runtime, &call->timer, 0);
	else
		rpc_call_cancel(&call->rpc);
}
