#include "coordinator/exec/batch_op.h"

#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/proto_borrow.h"

enum { US_PER_MS = 1000 };

static void work(struct batch_worker *worker);

static struct batch_worker *worker_of(struct replica_call *call)
{
	return CONTAINER_OF(call, struct batch_worker, call);
}

/* --- claims --- */

static bool is_free(const struct batch_key *key)
{
	return !key->is_settled && key->owner == 0;
}

static void settle(struct batch_key *key, enum status status)
{
	key->status = status;
	key->is_settled = true;
	key->owner = 0;
}

static void release_claims(struct batch_worker *worker)
{
	for (uint32_t i = 0; i < worker->asked_count; i++) {
		struct batch_key *key = &worker->op->keys[worker->asked[i]];

		if (key->owner == worker->number)
			key->owner = 0;
	}
	worker->asked_count = 0;
}

/* The first key is the one that the call was routed by; keys are sorted, so those of its partition follow. */
static void claim(struct batch_worker *worker, const struct partition_info *partition)
{
	struct batch_op *op = worker->op;

	release_claims(worker);
	for (uint32_t i = 0; i < op->key_count; i++) {
		struct batch_key *key = &op->keys[i];

		if (!is_free(key) || key->is_consistent != worker->call.is_consistent ||
		    !partition_info_holds(partition, key->row_key))
			continue;
		key->owner = worker->number;
		worker->asked[worker->asked_count++] = i;
	}
}

/* --- one message --- */

static enum status pack(struct replica_call *call, struct buf *out)
{
	struct batch_worker *worker = worker_of(call);
	struct batch_op *op = worker->op;
	ProtobufCBinaryData row_keys[LIMIT_BATCH_GET_COUNT];
	Cleave__GetItemsRequest message;
	uint8_t *start;

	claim(worker, call->partition);
	CHECK(worker->asked_count > 0); /* the key that it was routed by, at least */
	for (uint32_t i = 0; i < worker->asked_count; i++)
		row_keys[i] = proto_borrow_bytes(op->keys[worker->asked[i]].row_key);
	cleave__get_items_request__init(&message);
	message.partition_id = call->target.partition_id;
	message.epoch = call->target.epoch;
	message.n_row_keys = worker->asked_count;
	message.row_keys = row_keys;
	message.consistent_read = call->is_consistent;
	message.accepts_frozen = call->accepts_frozen;
	message.projection = (Cleave__ExprProjection *)(uintptr_t)op->keys[worker->asked[0]].projection;
	message.size_bytes_max = (uint32_t)(op->size_bytes_max - op->size_bytes);
	start = buf_extend(out, cleave__get_items_request__get_packed_size(&message));
	if (start != NULL)
		(void)cleave__get_items_request__pack(&message, start); /* its size is known */
	return out->status;
}

/* The next row of a reply, for a key; false if the bytes are bad. */
static bool take_row(struct batch_op *op, struct batch_key *key, struct reader *rows)
{
	uint32_t encoded_size_bytes = reader_u32_be(rows);

	key->size_bytes = reader_u32_be(rows);
	key->item = reader_bytes(rows, encoded_size_bytes);
	key->is_found = encoded_size_bytes > 0;
	if (rows->status != ST_OK)
		return false;
	op->size_bytes += key->size_bytes;
	settle(key, ST_OK);
	return true;
}

static enum status take(struct replica_call *call, struct slice body)
{
	struct batch_worker *worker = worker_of(call);
	struct batch_op *op = worker->op;
	ProtobufCAllocator allocator = proto_arena_allocator(op->arena);
	const Cleave__GetItemsReply *reply = cleave__get_items_reply__unpack(&allocator, body.size,
									     body.data);
	struct reader rows;

	if (reply == NULL || reply->answered_count == 0 || reply->answered_count > worker->asked_count)
		return ST_CORRUPT;
	reader_init(&rows, slice_of(reply->rows.data, reply->rows.len));
	for (uint32_t i = 0; i < reply->answered_count; i++) {
		if (!take_row(op, &op->keys[worker->asked[i]], &rows))
			return ST_CORRUPT;
	}
	return ST_OK;
}

/* --- workers --- */

/* What was asked for and not answered; without a message, what the call was routed by. */
static void fail_claims(struct batch_worker *worker, enum status status)
{
	struct batch_op *op = worker->op;

	for (uint32_t i = 0; i < op->key_count; i++) {
		if (op->keys[i].owner == worker->number)
			settle(&op->keys[i], status);
	}
}

static void on_called(struct replica_call *call)
{
	struct batch_worker *worker = worker_of(call);

	if (call->status == ST_OK)
		release_claims(worker);
	else
		fail_claims(worker, call->status);
	work(worker);
}

static struct batch_key *next_free(struct batch_op *op)
{
	for (uint32_t i = 0; i < op->key_count; i++) {
		if (is_free(&op->keys[i]))
			return &op->keys[i];
	}
	return NULL;
}

static void settle_rest(struct batch_op *op, enum status status)
{
	for (struct batch_key *key = next_free(op); key != NULL; key = next_free(op))
		settle(key, status);
}

static void rest(struct batch_worker *worker)
{
	struct batch_op *op = worker->op;

	worker->is_busy = false;
	op->busy_count--;
	if (op->busy_count == 0)
		op->done(op); /* op may be freed here */
}

static void work(struct batch_worker *worker)
{
	struct batch_op *op = worker->op;
	struct batch_key *key;

	if (op->is_canceled)
		settle_rest(op, ST_CANCELED);
	else if (op->size_bytes >= op->size_bytes_max)
		settle_rest(op, ST_BUSY);
	key = next_free(op);
	if (key == NULL) {
		rest(worker);
		return;
	}
	key->owner = worker->number;
	worker->asked[0] = (uint32_t)(key - op->keys);
	worker->asked_count = 1;
	worker->call = (struct replica_call){
		.method = METHOD_GET_ITEMS,
		.table_id = key->table_id,
		.row_key = key->row_key,
		.is_consistent = key->is_consistent,
		.deadline_mono_us = op->deadline_mono_us,
		.arena = op->arena,
		.pack = pack,
		.take = take,
		.done = on_called,
	};
	replica_call_start(op->env, &worker->call);
}

/* Workers begin in a later turn, so that done() never comes from inside start. */
static void on_begin(struct runtime_task *task)
{
	struct batch_op *op = CONTAINER_OF(task, struct batch_op, close_task);

	op->busy_count = BATCH_OP_WORKERS;
	for (uint8_t i = 0; i < BATCH_OP_WORKERS; i++) {
		op->workers[i] = (struct batch_worker){ .op = op,
							.number = (uint8_t)(i + 1),
							.is_busy = true };
		work(&op->workers[i]); /* after the last one op may be gone */
	}
}

void batch_op_start(struct route_env *env, struct batch_op *op)
{
	CHECK(op->done != NULL && op->arena != NULL && op->key_count <= LIMIT_BATCH_GET_COUNT);
	op->env = env;
	op->deadline_mono_us = runtime_mono_us(env->runtime) + (uint64_t)REPLICA_CALL_DEADLINE_MS * US_PER_MS;
	runtime_task_init(&op->close_task, on_begin);
	runtime_defer(env->runtime, &op->close_task);
}

void batch_op_cancel(struct batch_op *op)
{
	op->is_canceled = true;
	for (uint32_t i = 0; i < BATCH_OP_WORKERS; i++) {
		if (op->workers[i].is_busy)
			replica_call_cancel(&op->workers[i].call);
	}
}
