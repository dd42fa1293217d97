#include "coordinator/exec/query_op.h"

#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/proto_borrow.h"

enum { US_PER_MS = 1000 };

static void ask(struct query_op *op);

static struct query_op *op_of(struct replica_call *call)
{
	return CONTAINER_OF(call, struct query_op, call);
}

static struct slice lesser(struct slice a, struct slice b)
{
	return slice_compare(a, b) <= 0 ? a : b;
}

static struct slice greater(struct slice a, struct slice b)
{
	return slice_compare(a, b) >= 0 ? a : b;
}

/* --- one step --- */

/* The part of the range that the chosen partition holds; its bounds are kept beyond this turn. */
static enum status choose_part(struct query_op *op, const struct partition_info *partition)
{
	op->asked_start = greater(op->start, partition->range_start);
	op->asked_end = lesser(op->end, partition->range_end);
	op->asked_start.data = arena_copy(op->arena, op->asked_start);
	op->asked_end.data = arena_copy(op->arena, op->asked_end);
	return op->asked_start.data == NULL || op->asked_end.data == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status pack(struct replica_call *call, struct buf *out)
{
	struct query_op *op = op_of(call);
	Cleave__ReadRangeRequest message;
	enum status status = choose_part(op, call->partition);
	uint8_t *start;

	if (status != ST_OK)
		return status;
	cleave__read_range_request__init(&message);
	message.partition_id = call->target.partition_id;
	message.epoch = call->target.epoch;
	message.start = proto_borrow_bytes(op->asked_start);
	message.end = proto_borrow_bytes(op->asked_end);
	message.is_backward = op->is_backward;
	message.count_only = op->counts_only;
	message.row_count_max = op->row_count_max - op->evaluated_count;
	message.size_bytes_max = (uint32_t)(LIMIT_PAGE_SIZE_BYTES - op->page_size_bytes);
	message.consistent_read = op->is_consistent;
	message.accepts_frozen = call->accepts_frozen;
	message.measure = (Cleave__PageMeasure *)(uintptr_t)op->measure;
	message.filter = (Cleave__ExprCondition *)(uintptr_t)op->filter; /* only read */
	message.projection = (Cleave__ExprProjection *)(uintptr_t)op->projection;
	message.local_number = op->local_number;
	message.fetch_items = op->fetches_items;
	start = buf_extend(out, cleave__read_range_request__get_packed_size(&message));
	if (start != NULL)
		(void)cleave__read_range_request__pack(&message, start); /* its size is known */
	return out->status;
}

static enum status keep_rows(struct query_op *op, struct slice rows)
{
	struct query_rows *chunk;

	if (rows.size == 0)
		return ST_OK;
	chunk = arena_alloc(op->arena, sizeof(*chunk));
	if (chunk == NULL)
		return ST_NO_MEMORY;
	*chunk = (struct query_rows){ .rows = rows };
	*op->rows_end = chunk;
	op->rows_end = &chunk->next;
	return ST_OK;
}

/* What is left of the range lies beyond the row where the replica stopped, or beyond its part. */
static enum status advance(struct query_op *op, const Cleave__ReadRangeReply *reply)
{
	uint8_t *after;

	if (reply->is_at_end) {
		if (op->is_cut)
			return ST_CORRUPT; /* it does not say after which row */
		if (op->is_backward)
			op->end = op->asked_start;
		else
			op->start = op->asked_end;
		return ST_OK;
	}
	op->last_key = slice_of(reply->last_key.data, reply->last_key.len);
	/* A replica that answers with a key outside what it was asked would turn us in circles. */
	if (slice_compare(op->last_key, op->asked_start) < 0 ||
	    slice_compare(op->last_key, op->asked_end) >= 0)
		return ST_CORRUPT;
	if (op->is_backward) {
		op->end = op->last_key;
		return ST_OK;
	}
	after = arena_copy(op->arena, op->last_key); /* its NUL makes it the next key */
	if (after == NULL)
		return ST_NO_MEMORY;
	op->start = slice_of(after, op->last_key.size + 1);
	return ST_OK;
}

static enum status take(struct replica_call *call, struct slice body)
{
	struct query_op *op = op_of(call);
	ProtobufCAllocator allocator = proto_arena_allocator(op->arena);
	const Cleave__ReadRangeReply *reply = cleave__read_range_reply__unpack(&allocator, body.size,
									       body.data);
	enum status status;

	if (reply == NULL || reply->evaluated_count > op->row_count_max - op->evaluated_count)
		return ST_CORRUPT;
	status = keep_rows(op, slice_of(reply->rows.data, reply->rows.len));
	if (status != ST_OK)
		return status;
	op->matched_count += reply->matched_count;
	op->evaluated_count += reply->evaluated_count;
	op->evaluated_size_bytes += reply->evaluated_size_bytes;
	op->fetched_units += reply->fetched_units;
	op->page_size_bytes += reply->page_size_bytes;
	op->is_cut = op->evaluated_count == op->row_count_max || op->page_size_bytes >= LIMIT_PAGE_SIZE_BYTES;
	return advance(op, reply);
}

/* --- the page --- */

static bool is_range_done(const struct query_op *op)
{
	return slice_compare(op->start, op->end) >= 0;
}

static void on_step(struct replica_call *call)
{
	struct query_op *op = op_of(call);

	op->status = op->is_canceled ? ST_CANCELED : call->status;
	if (op->status == ST_OK && !op->is_cut && !is_range_done(op))
		ask(op);
	else
		op->done(op); /* op may be freed here */
}

static void ask(struct query_op *op)
{
	uint64_t deadline_mono_us = op->call.deadline_mono_us;

	op->call = (struct replica_call){
		.method = METHOD_READ_RANGE,
		.table_id = op->table_id,
		.row_key = op->is_backward ? op->end : op->start,
		.is_below = op->is_backward,
		.is_consistent = op->is_consistent,
		.deadline_mono_us = deadline_mono_us,
		.arena = op->arena,
		.pack = pack,
		.take = take,
		.done = on_step,
	};
	replica_call_start(op->env, &op->call);
}

static void on_close(struct runtime_task *task)
{
	struct query_op *op = CONTAINER_OF(task, struct query_op, close_task);

	op->done(op); /* op may be freed here */
}

void query_op_start(struct route_env *env, struct query_op *op)
{
	CHECK(op->done != NULL && op->arena != NULL && op->row_count_max > 0);
	op->env = env;
	op->rows_end = &op->rows;
	if (is_range_done(op)) { /* nothing lies after the start key */
		runtime_task_init(&op->close_task, on_close);
		runtime_defer(env->runtime, &op->close_task);
		return;
	}
	op->call.deadline_mono_us = runtime_mono_us(env->runtime) +
				    (uint64_t)REPLICA_CALL_DEADLINE_MS * US_PER_MS;
	ask(op);
}

void query_op_cancel(struct query_op *op)
{
	op->is_canceled = true;
	replica_call_cancel(&op->call);
}
