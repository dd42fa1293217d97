#include "proto/route/replica_call.h"

#include "proto/base/metrics.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/proto_arena.h"

enum { US_PER_MS = 1000, PAUSE_DOUBLINGS_MAX = 5, SILENCES_PER_DOUBLING = 4, SILENCE_DOUBLINGS_MAX = 8 };

static struct metric retries = {
	.name = "cleave_replica_call_retries_total",
	.help = "Attempts after the first to read or write at a replica.",
	.kind = METRIC_COUNTER,
};

static void step(struct replica_call *call);

void replica_call_register_metrics(void)
{
	metrics_register(&retries);
}

static enum route_kind route_kind(const struct replica_call *call)
{
	return call->is_consistent ? ROUTE_LEADER : ROUTE_NEAREST;
}

static void finish(struct replica_call *call, enum status status)
{
	call->status = status;
	call->phase = REPLICA_CALL_CLOSE;
}

/* --- route --- */

/* Nobody is left to ask.  An eventual read that met only replicas without a leader takes what
 * they have, now; everybody else waits a moment and starts over. */
static void end_round(struct replica_call *call)
{
	call->tried.count = 0;
	if (call->has_met_stale && !call->accepts_frozen)
		call->accepts_frozen = true;
	else
		call->phase = REPLICA_CALL_PAUSE;
}

static const struct partition_info *find_partition(const struct replica_call *call)
{
	const struct catalog_state *state = &call->env->view->state;

	if (call->is_below)
		return catalog_state_find_partition_below(state, call->table_id, call->row_key);
	return catalog_state_find_partition(state, call->row_key);
}

static void route_on_error(struct replica_call *call, enum status status)
{
	if (call->status == ST_OK)
		call->status = status;
	if (catalog_state_table(&call->env->view->state, call->table_id) == NULL)
		finish(call, ST_NOT_FOUND);
	else
		end_round(call);
}

static void end_at_deadline(struct replica_call *call)
{
	if (call->status_at_deadline != ST_OK)
		finish(call, call->status_at_deadline);
	else
		finish(call, call->status == ST_OK ? ST_TIMEOUT : call->status);
}

static void choose_target(struct replica_call *call)
{
	enum status status = ST_NOT_FOUND;

	if (runtime_mono_us(call->env->runtime) >= call->deadline_mono_us) {
		end_at_deadline(call);
		return;
	}
	call->routed_version = call->env->view->state.version;
	call->partition = find_partition(call);
	if (call->partition != NULL)
		status = route_pick(call->env->route, call->partition, route_kind(call), &call->tried,
				    &call->target);
	if (status == ST_OK)
		call->phase = REPLICA_CALL_SEND;
	else
		route_on_error(call, status);
}

/* --- send --- */

static uint32_t attempt_timeout_ms(const struct replica_call *call)
{
	uint64_t left_ms = (call->deadline_mono_us - runtime_mono_us(call->env->runtime)) / US_PER_MS + 1;
	uint32_t first_ms = call->attempt_ms != 0 ? call->attempt_ms : REPLICA_CALL_ATTEMPT_MS;
	uint32_t doublings = call->silence_count / SILENCES_PER_DOUBLING;
	uint32_t limit_ms = REPLICA_CALL_ATTEMPT_MS_MAX;

	if (call->target.is_suspect && call->attempt_suspect_ms != 0)
		first_ms = call->attempt_suspect_ms;
	if (doublings <= SILENCE_DOUBLINGS_MAX && first_ms << doublings < limit_ms)
		limit_ms = first_ms << doublings;
	return left_ms < limit_ms ? (uint32_t)left_ms : limit_ms;
}

static void on_reply(struct rpc_call *rpc)
{
	struct replica_call *call = CONTAINER_OF(rpc, struct replica_call, call);

	CHECK(call->phase == REPLICA_CALL_SEND);
	call->phase = REPLICA_CALL_VERDICT;
	step(call);
}

/* ST_OK if on_reply() will come. */
static enum status send_attempt(struct replica_call *call)
{
	struct buf *packed = &call->env->packed;
	enum status status;

	buf_reset(packed);
	status = call->pack(call, packed);
	call->partition = NULL;
	if (status != ST_OK)
		return status;
	call->call = (struct rpc_call){
		.peer_id = call->target.node_id,
		.method = call->method,
		.timeout_ms = attempt_timeout_ms(call),
		.body = buf_slice(packed),
		.done = on_reply,
	};
	if (call->attempt_count > 0)
		metric_add(&retries, 1);
	call->attempt_count++;
	rpc_call_start(call->env->transport, &call->call);
	return ST_OK;
}

/* --- verdict --- */

/* verdict: ST_OK, or that a write had no effect. */
static void take_answer(struct replica_call *call, enum status verdict)
{
	enum status status;

	if (call->is_consistent)
		route_learn_leader(call->env->route, call->target.partition_id, call->target.node_id);
	status = call->take(call, call->call.reply);
	finish(call, status == ST_OK ? verdict : status);
}

/* What the replica says of others; zeros if it says nothing. */
static Cleave__RoutingHint read_hint(struct replica_call *call)
{
	ProtobufCAllocator allocator = proto_arena_allocator(call->arena);
	Cleave__RoutingHint none = CLEAVE__ROUTING_HINT__INIT;
	const Cleave__RoutingHint *hint;
	struct slice body = call->call.reply;

	if (body.size == 0)
		return none;
	hint = cleave__routing_hint__unpack(&allocator, body.size, body.data);
	if (hint == NULL)
		return none;
	if (hint->catalog_version > call->env->view->state.version)
		catalog_view_refresh(call->env->view, hint->catalog_version);
	return *hint;
}

static void try_next(struct replica_call *call)
{
	route_tried_add(&call->tried, call->target.node_id);
	call->phase = REPLICA_CALL_ROUTE;
}

static void follow_leader(struct replica_call *call)
{
	Cleave__RoutingHint hint = read_hint(call);

	route_learn_not_leader(call->env->route, call->target.partition_id, call->target.node_id);
	route_learn_leader(call->env->route, call->target.partition_id, hint.leader_node_id);
	try_next(call);
}

/* Either our copy of the catalog is behind, or that replica's is. */
static void follow_move(struct replica_call *call)
{
	Cleave__RoutingHint hint = read_hint(call);
	uint64_t version = call->env->view->state.version;

	if (version == call->routed_version && hint.catalog_version <= version) {
		try_next(call);
		return;
	}
	call->tried.count = 0;
	call->phase = version == call->routed_version ? REPLICA_CALL_PAUSE : REPLICA_CALL_ROUTE;
}

static void leave_node(struct replica_call *call, bool is_silent)
{
	if (is_silent) {
		call->silence_count++;
		route_learn_silence(call->env->route, call->target.node_id);
	}
	route_learn_not_leader(call->env->route, call->target.partition_id, call->target.node_id);
	try_next(call);
}

/* Busy: a leader is asked again after a moment, for an eventual read there are others. */
static void wait_or_try_next(struct replica_call *call)
{
	if (route_kind(call) == ROUTE_NEAREST)
		try_next(call);
	else
		call->phase = REPLICA_CALL_PAUSE;
}

static void judge(struct replica_call *call)
{
	enum status status = call->call.status;

	if (call->note != NULL)
		call->note(call, status);
	if (status != ST_OK)
		call->status = status;
	if (call->is_canceled) {
		finish(call, ST_CANCELED);
		return;
	}
	switch (status) {
	case ST_OK:
	case ST_CONDITION_FAILED:
	case ST_REFUSED:
		take_answer(call, status);
		return;
	case ST_NOT_LEADER:
	case ST_UNAVAILABLE:
	case ST_UNKNOWN_OUTCOME:
		follow_leader(call);
		return;
	case ST_MOVED:
		follow_move(call);
		return;
	case ST_UNREACHABLE:
	case ST_CLOSED:
	case ST_TIMEOUT:
		leave_node(call, status == ST_TIMEOUT);
		return;
	case ST_STALE:
		call->has_met_stale = true;
		try_next(call);
		return;
	case ST_BUSY:
	case ST_OVERLOADED:
	case ST_NO_MEMORY:
	case ST_NO_SPACE: /* such a leader hands over if it can */
	case ST_CANCELED:
		wait_or_try_next(call);
		return;
	default:
		finish(call, status);
		return;
	}
}

/* --- pause --- */

static void on_timer(struct runtime_timer *timer)
{
	struct replica_call *call = CONTAINER_OF(timer, struct replica_call, timer);

	CHECK(call->phase == REPLICA_CALL_PAUSE);
	call->tried.count = 0;
	call->phase = REPLICA_CALL_ROUTE;
	step(call);
}

/* Doubles from ROUTE_PAUSE_MS_MIN, with jitter, so that a crowd does not come back as one. */
static void pause_start(struct replica_call *call)
{
	uint32_t doublings = call->pause_count < PAUSE_DOUBLINGS_MAX ? call->pause_count
								     : PAUSE_DOUBLINGS_MAX;
	uint64_t spread_us = (uint64_t)(ROUTE_PAUSE_MS_MIN << doublings) * US_PER_MS;
	uint64_t spread_us_max = (uint64_t)(ROUTE_PAUSE_MS_MAX - ROUTE_PAUSE_MS_MIN) * US_PER_MS;
	uint64_t delay_us = ROUTE_PAUSE_MS_MIN * US_PER_MS;

	call->pause_count++;
	delay_us += rng_below(&call->env->runtime->rng,
			      spread_us < spread_us_max ? spread_us : spread_us_max);
	runtime_timer_start(call->env->runtime, &call->timer, delay_us);
}

/* --- the call --- */

static void on_close(struct runtime_task *task)
{
	struct replica_call *call = CONTAINER_OF(task, struct replica_call, close_task);

	call->phase = REPLICA_CALL_IDLE;
	call->done(call); /* call may be freed here */
}

static void step(struct replica_call *call)
{
	enum status status;

	for (;;) {
		switch (call->phase) {
		case REPLICA_CALL_ROUTE:
			choose_target(call);
			continue;
		case REPLICA_CALL_SEND:
			status = send_attempt(call);
			if (status == ST_OK)
				return; /* on_reply() resumes */
			finish(call, status);
			continue;
		case REPLICA_CALL_VERDICT:
			judge(call);
			continue;
		case REPLICA_CALL_PAUSE:
			pause_start(call);
			return; /* on_timer() resumes */
		case REPLICA_CALL_CLOSE:
			runtime_defer(call->env->runtime, &call->close_task);
			return; /* on_close() ends it */
		default:
			UNREACHABLE();
		}
	}
}

void replica_call_start(struct route_env *env, struct replica_call *call)
{
	CHECK(call->phase == REPLICA_CALL_IDLE);
	CHECK(call->pack != NULL && call->take != NULL && call->done != NULL && call->arena != NULL);
	call->env = env;
	call->status = ST_OK;
	runtime_timer_init(&call->timer, on_timer);
	runtime_task_init(&call->close_task, on_close);
	call->phase = REPLICA_CALL_ROUTE;
	step(call);
}

void replica_call_cancel(struct replica_call *call)
{
	if (call->phase == REPLICA_CALL_SEND) {
		call->is_canceled = true;
		rpc_call_cancel(&call->call); /* on_reply() still comes */
	} else if (call->phase == REPLICA_CALL_PAUSE) {
		runtime_timer_stop(call->env->runtime, &call->timer);
		finish(call, ST_CANCELED);
		step(call);
	}
}
