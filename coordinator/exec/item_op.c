#include "coordinator/exec/item_op.h"

#include "proto/base/metrics.h"
#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

enum {
	US_PER_MS = 1000,
	SILENCES_PER_DOUBLING = 4,
	DOUBLINGS_MAX = 8,
};

static struct metric retries = {
	.name = "cleave_coordinator_item_retries_total",
	.help = "Attempts of one-key operations after the first.",
	.kind = METRIC_COUNTER,
};

static void step(struct item_op *op);

void item_op_register_metrics(void)
{
	metrics_register(&retries);
}

static bool is_write(const struct item_op *op)
{
	return op->kind != ITEM_OP_GET;
}

static enum route_kind route_kind(const struct item_op *op)
{
	return is_write(op) || op->is_consistent ? ROUTE_LEADER : ROUTE_NEAREST;
}

static void finish(struct item_op *op, enum status status)
{
	op->status = status;
	op->phase = ITEM_OP_CLOSE;
}

/* --- route --- */

static void end_at_deadline(struct item_op *op)
{
	if (op->may_have_happened)
		finish(op, ST_UNKNOWN_OUTCOME);
	else
		finish(op, op->status == ST_OK ? ST_TIMEOUT : op->status);
}

/* Nobody is left to ask.  An eventual read that met only replicas without a leader takes what
 * they have, now; everybody else waits a moment and starts over. */
static void end_round(struct item_op *op)
{
	op->tried.count = 0;
	if (op->has_met_stale && !op->accepts_frozen)
		op->accepts_frozen = true;
	else
		op->phase = ITEM_OP_PAUSE;
}

static void route_on_error(struct item_op *op, enum status status)
{
	uint32_t table_id = op->row_key.size < sizeof(table_id) ? 0 : get_u32_be(op->row_key.data);

	if (op->status == ST_OK)
		op->status = status;
	if (status == ST_NOT_FOUND && catalog_state_table(&op->env->view->state, table_id) == NULL)
		finish(op, ST_NOT_FOUND);
	else
		end_round(op);
}

static void choose_target(struct item_op *op)
{
	enum status status;

	if (runtime_mono_us(op->env->runtime) >= op->deadline_mono_us) {
		end_at_deadline(op);
		return;
	}
	op->routed_version = op->env->view->state.version;
	status = route_pick(op->env->route, op->row_key, route_kind(op), &op->tried, &op->target);
	if (status == ST_OK)
		op->phase = ITEM_OP_SEND;
	else
		route_on_error(op, status);
}

/* --- send --- */

static ProtobufCBinaryData borrow(struct slice bytes)
{
	return (ProtobufCBinaryData){ bytes.size, (uint8_t *)(uintptr_t)bytes.data };
}

static enum status pack_get(struct item_op *op, struct buf *out)
{
	Cleave__GetItemRequest message;
	uint8_t *start;

	cleave__get_item_request__init(&message);
	message.partition_id = op->target.partition_id;
	message.epoch = op->target.epoch;
	message.row_key = borrow(op->row_key);
	message.consistent_read = op->is_consistent;
	message.accepts_frozen = op->accepts_frozen;
	message.projection = (Cleave__ExprProjection *)(uintptr_t)op->projection; /* only read */
	start = buf_extend(out, cleave__get_item_request__get_packed_size(&message));
	if (start != NULL)
		(void)cleave__get_item_request__pack(&message, start); /* its size is known */
	return out->status;
}

/* 0 says that no earlier attempt exists: a replica then need not look for one. */
static uint32_t age_ms(const struct item_op *op)
{
	uint64_t age;

	if (op->first_sent_mono_us == 0)
		return 0;
	age = (runtime_mono_us(op->env->runtime) - op->first_sent_mono_us) / US_PER_MS;
	return age == 0 ? 1 : (uint32_t)age;
}

static Cleave__WriteItemRequest__Kind kind_of(const struct item_op *op)
{
	switch (op->kind) {
	case ITEM_OP_DELETE:
		return CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE;
	case ITEM_OP_UPDATE:
		return CLEAVE__WRITE_ITEM_REQUEST__KIND__UPDATE;
	default:
		return CLEAVE__WRITE_ITEM_REQUEST__KIND__PUT;
	}
}

static enum status pack_write(struct item_op *op, struct buf *out)
{
	Cleave__WriteItemRequest message;
	uint8_t *start;

	cleave__write_item_request__init(&message);
	message.partition_id = op->target.partition_id;
	message.epoch = op->target.epoch;
	message.row_key = borrow(op->row_key);
	message.kind = kind_of(op);
	message.item = borrow(op->item);
	message.condition = (Cleave__ExprCondition *)(uintptr_t)op->condition;
	message.update = (Cleave__ExprUpdate *)(uintptr_t)op->update;
	message.returned = op->returned;
	message.return_old_on_failure = op->returns_old_on_failure;
	message.needs_old_size = op->needs_old_size;
	message.needs_collection_size = op->needs_collection_size;
	message.request_id = borrow(slice_of(op->request_id, sizeof(op->request_id)));
	message.age_ms = age_ms(op);
	start = buf_extend(out, cleave__write_item_request__get_packed_size(&message));
	if (start != NULL)
		(void)cleave__write_item_request__pack(&message, start); /* its size is known */
	return out->status;
}

static uint32_t attempt_timeout_ms(const struct item_op *op)
{
	uint64_t left_ms = (op->deadline_mono_us - runtime_mono_us(op->env->runtime)) / US_PER_MS + 1;
	uint32_t first_ms = op->target.is_suspect ? ITEM_OP_SUSPECT_ATTEMPT_MS : ITEM_OP_ATTEMPT_MS;
	uint32_t doublings = op->silence_count / SILENCES_PER_DOUBLING;
	uint32_t limit_ms = doublings > DOUBLINGS_MAX ? ITEM_OP_ATTEMPT_MS_MAX : first_ms << doublings;

	if (limit_ms > ITEM_OP_ATTEMPT_MS_MAX)
		limit_ms = ITEM_OP_ATTEMPT_MS_MAX;
	return left_ms < limit_ms ? (uint32_t)left_ms : limit_ms;
}

static void on_reply(struct rpc_call *call)
{
	struct item_op *op = CONTAINER_OF(call, struct item_op, call);

	CHECK(op->phase == ITEM_OP_SEND);
	op->phase = ITEM_OP_VERDICT;
	step(op);
}

/* ST_OK if on_reply() will come. */
static enum status send_attempt(struct item_op *op)
{
	struct buf *packed = &op->env->packed;
	enum status status;

	buf_reset(packed);
	status = is_write(op) ? pack_write(op, packed) : pack_get(op, packed);
	if (status != ST_OK)
		return status;
	op->call = (struct rpc_call){
		.peer_id = op->target.node_id,
		.method = is_write(op) ? METHOD_WRITE_ITEM : METHOD_GET_ITEM,
		.timeout_ms = attempt_timeout_ms(op),
		.body = buf_slice(packed),
		.done = on_reply,
	};
	if (op->attempt_count > 0)
		metric_add(&retries, 1);
	op->attempt_count++;
	if (op->first_sent_mono_us == 0)
		op->first_sent_mono_us = runtime_mono_us(op->env->runtime);
	rpc_call_start(op->env->transport, &op->call);
	return ST_OK;
}

/* --- verdict --- */

static enum status take_get(struct item_op *op, struct slice body)
{
	ProtobufCAllocator allocator = proto_arena_allocator(op->arena);
	const Cleave__GetItemReply *reply = cleave__get_item_reply__unpack(&allocator, body.size, body.data);

	if (reply == NULL)
		return ST_CORRUPT;
	op->is_found = reply->found;
	op->found_size_bytes = reply->size_bytes;
	op->found_item = slice_of(reply->item.data, reply->item.len);
	return ST_OK;
}

static enum status take_write(struct item_op *op, struct slice body)
{
	ProtobufCAllocator allocator = proto_arena_allocator(op->arena);
	const Cleave__WriteItemReply *reply = cleave__write_item_reply__unpack(&allocator, body.size,
									       body.data);

	if (reply == NULL)
		return ST_CORRUPT;
	op->is_found = reply->existed;
	op->found_item = slice_of(reply->returned.data, reply->returned.len);
	op->update_error = reply->update_error;
	op->refused_index_key = reply->refused_index_key;
	op->is_collection_full = reply->is_collection_full;
	op->index_units = reply->index_units;
	op->index_unit_count = reply->n_index_units;
	op->collection_size_bytes = reply->collection_size_bytes;
	op->old_size_bytes = reply->old_size_bytes;
	op->new_size_bytes = reply->new_size_bytes;
	return ST_OK;
}

/* verdict: ST_OK, or that the write had no effect. */
static void take_answer(struct item_op *op, enum status verdict)
{
	enum status status;

	if (route_kind(op) == ROUTE_LEADER)
		route_learn_leader(op->env->route, op->target.partition_id, op->target.node_id);
	status = is_write(op) ? take_write(op, op->call.reply) : take_get(op, op->call.reply);
	finish(op, status == ST_OK ? verdict : status);
}

/* What the replica says of others; zeros if it says nothing. */
static Cleave__RoutingHint read_hint(struct item_op *op)
{
	ProtobufCAllocator allocator = proto_arena_allocator(op->arena);
	Cleave__RoutingHint none = CLEAVE__ROUTING_HINT__INIT;
	const Cleave__RoutingHint *hint;

	if (op->call.reply.size == 0)
		return none;
	hint = cleave__routing_hint__unpack(&allocator, op->call.reply.size, op->call.reply.data);
	if (hint == NULL)
		return none;
	if (hint->catalog_version > op->env->view->state.version)
		catalog_view_refresh(op->env->view, hint->catalog_version);
	return *hint;
}

static void try_next(struct item_op *op)
{
	route_tried_add(&op->tried, op->target.node_id);
	op->phase = ITEM_OP_ROUTE;
}

static void follow_leader(struct item_op *op)
{
	Cleave__RoutingHint hint = read_hint(op);

	route_learn_not_leader(op->env->route, op->target.partition_id, op->target.node_id);
	route_learn_leader(op->env->route, op->target.partition_id, hint.leader_node_id);
	try_next(op);
}

/* Either our copy of the catalog is behind, or that replica's is. */
static void follow_move(struct item_op *op)
{
	Cleave__RoutingHint hint = read_hint(op);
	uint64_t version = op->env->view->state.version;

	if (version == op->routed_version && hint.catalog_version <= version) {
		try_next(op);
		return;
	}
	op->tried.count = 0;
	op->phase = version == op->routed_version ? ITEM_OP_PAUSE : ITEM_OP_ROUTE;
}

static void leave_silent_node(struct item_op *op)
{
	op->silence_count++;
	route_learn_silence(op->env->route, op->target.node_id);
	route_learn_not_leader(op->env->route, op->target.partition_id, op->target.node_id);
	try_next(op);
}

/* Busy: a leader is asked again after a moment, for an eventual read there are others. */
static void wait_or_try_next(struct item_op *op)
{
	if (route_kind(op) == ROUTE_NEAREST)
		try_next(op);
	else
		op->phase = ITEM_OP_PAUSE;
}

/* Can a write have taken effect although this is how its attempt ended? */
static bool leaves_doubt(enum status status)
{
	return status == ST_CLOSED || status == ST_TIMEOUT || status == ST_CANCELED ||
	       status == ST_UNKNOWN_OUTCOME || status == ST_NO_MEMORY;
}

static void note_attempt(struct item_op *op, enum status status)
{
	if (is_write(op) && leaves_doubt(status))
		op->may_have_happened = true;
	if (status != ST_UNREACHABLE)
		op->has_left = true;
	if (!op->has_left)
		op->first_sent_mono_us = 0;
	if (status != ST_OK)
		op->status = status;
}

static void judge(struct item_op *op)
{
	enum status status = op->call.status;

	note_attempt(op, status);
	if (op->is_canceled) {
		finish(op, ST_CANCELED);
		return;
	}
	switch (status) {
	case ST_OK:
	case ST_CONDITION_FAILED:
	case ST_REFUSED:
		take_answer(op, status);
		return;
	case ST_NOT_LEADER:
	case ST_UNAVAILABLE:
	case ST_UNKNOWN_OUTCOME:
		follow_leader(op);
		return;
	case ST_MOVED:
		follow_move(op);
		return;
	case ST_UNREACHABLE:
	case ST_CLOSED:
		route_learn_not_leader(op->env->route, op->target.partition_id, op->target.node_id);
		try_next(op);
		return;
	case ST_TIMEOUT:
		leave_silent_node(op);
		return;
	case ST_STALE:
		op->has_met_stale = true;
		try_next(op);
		return;
	case ST_BUSY:
	case ST_OVERLOADED:
	case ST_NO_MEMORY:
	case ST_CANCELED:
		wait_or_try_next(op);
		return;
	default:
		finish(op, status);
		return;
	}
}

/* --- pause --- */

static void on_timer(struct runtime_timer *timer)
{
	struct item_op *op = CONTAINER_OF(timer, struct item_op, timer);

	CHECK(op->phase == ITEM_OP_PAUSE);
	op->tried.count = 0;
	op->phase = ITEM_OP_ROUTE;
	step(op);
}

/* Doubles from ROUTE_PAUSE_MS_MIN, with jitter, so that a crowd does not come back as one. */
static void pause_start(struct item_op *op)
{
	uint32_t doublings = op->pause_count < 5 ? op->pause_count : 5;
	uint64_t spread_us = (uint64_t)(ROUTE_PAUSE_MS_MIN << doublings) * US_PER_MS;
	uint64_t spread_us_max = (uint64_t)(ROUTE_PAUSE_MS_MAX - ROUTE_PAUSE_MS_MIN) * US_PER_MS;
	uint64_t delay_us;

	op->pause_count++;
	if (spread_us > spread_us_max)
		spread_us = spread_us_max;
	delay_us = ROUTE_PAUSE_MS_MIN * US_PER_MS + rng_below(&op->env->runtime->rng, spread_us);
	runtime_timer_start(op->env->runtime, &op->timer, delay_us);
}

/* --- the operation --- */

static void on_close(struct runtime_task *task)
{
	struct item_op *op = CONTAINER_OF(task, struct item_op, close_task);

	op->phase = ITEM_OP_IDLE;
	op->done(op); /* op may be freed here */
}

static void step(struct item_op *op)
{
	enum status status;

	for (;;) {
		switch (op->phase) {
		case ITEM_OP_ROUTE:
			choose_target(op);
			continue;
		case ITEM_OP_SEND:
			status = send_attempt(op);
			if (status == ST_OK)
				return; /* on_reply() resumes */
			finish(op, status);
			continue;
		case ITEM_OP_VERDICT:
			judge(op);
			continue;
		case ITEM_OP_PAUSE:
			pause_start(op);
			return; /* on_timer() resumes */
		case ITEM_OP_CLOSE:
			runtime_defer(op->env->runtime, &op->close_task);
			return; /* on_close() ends it */
		default:
			UNREACHABLE();
		}
	}
}

void item_op_start(struct route_env *env, struct item_op *op)
{
	CHECK(op->phase == ITEM_OP_IDLE);
	CHECK(op->done != NULL && op->arena != NULL);
	op->env = env;
	op->status = ST_OK;
	if (op->deadline_mono_us == 0)
		op->deadline_mono_us = runtime_mono_us(env->runtime) +
				       (uint64_t)ITEM_OP_DEADLINE_MS * US_PER_MS;
	runtime_timer_init(&op->timer, on_timer);
	runtime_task_init(&op->close_task, on_close);
	if (is_write(op))
		rng_fill(&env->runtime->rng, op->request_id, sizeof(op->request_id));
	op->phase = ITEM_OP_ROUTE;
	step(op);
}

void item_op_cancel(struct item_op *op)
{
	if (op->phase == ITEM_OP_SEND) {
		op->is_canceled = true;
		rpc_call_cancel(&op->call); /* on_reply() still comes */
	} else if (op->phase == ITEM_OP_PAUSE) {
		runtime_timer_stop(op->env->runtime, &op->timer);
		finish(op, ST_CANCELED);
		step(op);
	}
}
