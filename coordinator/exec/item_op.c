#include "coordinator/exec/item_op.h"

#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/proto_borrow.h"

enum { US_PER_MS = 1000 };

static struct item_op *op_of(struct replica_call *call)
{
	return CONTAINER_OF(call, struct item_op, call);
}

/* --- one attempt --- */

static enum status pack_get(struct replica_call *call, struct buf *out)
{
	const struct item_op *op = op_of(call);
	Cleave__GetItemRequest message;
	uint8_t *start;

	cleave__get_item_request__init(&message);
	message.partition_id = call->target.partition_id;
	message.epoch = call->target.epoch;
	message.row_key = proto_borrow_bytes(op->row_key);
	message.consistent_read = op->is_consistent;
	message.accepts_frozen = call->accepts_frozen;
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
	age = (runtime_mono_us(op->call.env->runtime) - op->first_sent_mono_us) / US_PER_MS;
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

static enum status pack_write(struct replica_call *call, struct buf *out)
{
	struct item_op *op = op_of(call);
	Cleave__WriteItemRequest message;
	uint8_t *start;

	cleave__write_item_request__init(&message);
	message.partition_id = call->target.partition_id;
	message.epoch = call->target.epoch;
	message.row_key = proto_borrow_bytes(op->row_key);
	message.kind = kind_of(op);
	message.item = proto_borrow_bytes(op->item);
	message.condition = (Cleave__ExprCondition *)(uintptr_t)op->condition;
	message.update = (Cleave__ExprUpdate *)(uintptr_t)op->update;
	message.returned = op->returned;
	message.return_old_on_failure = op->returns_old_on_failure;
	message.needs_old_size = op->needs_old_size;
	message.needs_collection_size = op->needs_collection_size;
	message.request_id = proto_borrow_bytes(slice_of(op->request_id, sizeof(op->request_id)));
	message.age_ms = age_ms(op);
	start = buf_extend(out, cleave__write_item_request__get_packed_size(&message));
	if (start != NULL)
		(void)cleave__write_item_request__pack(&message, start); /* its size is known */
	if (op->first_sent_mono_us == 0)
		op->first_sent_mono_us = runtime_mono_us(call->env->runtime);
	return out->status;
}

static enum status take_get(struct replica_call *call, struct slice body)
{
	struct item_op *op = op_of(call);
	ProtobufCAllocator allocator = proto_arena_allocator(op->arena);
	const Cleave__GetItemReply *reply = cleave__get_item_reply__unpack(&allocator, body.size, body.data);

	if (reply == NULL)
		return ST_CORRUPT;
	op->is_found = reply->found;
	op->found_size_bytes = reply->size_bytes;
	op->found_item = slice_of(reply->item.data, reply->item.len);
	return ST_OK;
}

static enum status take_write(struct replica_call *call, struct slice body)
{
	struct item_op *op = op_of(call);
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

/* --- the operation --- */

/* Can a write have taken effect although this is how its attempt ended? */
static bool leaves_doubt(enum status status)
{
	return status == ST_CLOSED || status == ST_TIMEOUT || status == ST_CANCELED ||
	       status == ST_UNKNOWN_OUTCOME || status == ST_NO_MEMORY;
}

static void note_write(struct replica_call *call, enum status status)
{
	struct item_op *op = op_of(call);

	if (leaves_doubt(status)) {
		op->may_have_happened = true;
		call->status_at_deadline = ST_UNKNOWN_OUTCOME;
	}
	if (status != ST_UNREACHABLE)
		op->has_left = true;
	if (!op->has_left)
		op->first_sent_mono_us = 0;
}

static void on_done(struct replica_call *call)
{
	struct item_op *op = op_of(call);

	op->status = call->status;
	op->done(op); /* op may be freed here */
}

void item_op_start(struct route_env *env, struct item_op *op)
{
	bool is_write = op->kind != ITEM_OP_GET;

	CHECK(op->done != NULL && op->row_key.size >= sizeof(uint32_t));
	if (op->deadline_mono_us == 0)
		op->deadline_mono_us = runtime_mono_us(env->runtime) +
				       (uint64_t)ITEM_OP_DEADLINE_MS * US_PER_MS;
	if (is_write)
		rng_fill(&env->runtime->rng, op->request_id, sizeof(op->request_id));
	op->call = (struct replica_call){
		.method = is_write ? METHOD_WRITE_ITEM : METHOD_GET_ITEM,
		.table_id = get_u32_be(op->row_key.data),
		.row_key = op->row_key,
		.is_consistent = is_write || op->is_consistent,
		.deadline_mono_us = op->deadline_mono_us,
		.attempt_ms = ITEM_OP_ATTEMPT_MS,
		.attempt_suspect_ms = ITEM_OP_SUSPECT_ATTEMPT_MS,
		.arena = op->arena,
		.pack = is_write ? pack_write : pack_get,
		.take = is_write ? take_write : take_get,
		.note = is_write ? note_write : NULL,
		.done = on_done,
	};
	replica_call_start(env, &op->call);
}

void item_op_cancel(struct item_op *op)
{
	replica_call_cancel(&op->call);
}
