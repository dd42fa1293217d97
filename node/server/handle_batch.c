#include "node/server/handle_batch.h"

#include <stdlib.h>

#include "node/partition/partition_scan.h"
#include "node/server/reply_failure.h"
#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/item/item_batch.h"

enum {
	REQUEST_ARENA_BYTES = 8 * 1024 * 1024,
	ARENA_BYTES_MAX = REQUEST_ARENA_BYTES + ITEM_SCAN_ROWS_SIZE_MAX,
};

struct batch_op {
	const struct partition_table *partitions;
	struct rpc_request *request;
	struct arena arena;
	uint64_t partition_id;
	struct partition_scan scan;
	struct item_batch rows;
	struct eval_projection projection;
	struct slice keys[ITEM_BATCH_KEYS_MAX];
	uint8_t end[LIMIT_ROW_KEY_SIZE_BYTES + 1]; /* just behind the last key */
};

static struct batch_op *batch_op_create(const struct partition_table *partitions, struct rpc_request *request)
{
	struct batch_op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	arena_init(&op->arena, ARENA_BYTES_MAX);
	item_batch_init(&op->rows);
	op->partitions = partitions;
	op->request = request;
	return op;
}

static void batch_op_destroy(struct batch_op *op)
{
	item_batch_close(&op->rows);
	arena_close(&op->arena);
	free(op);
}

static void reply_rows(struct batch_op *op)
{
	const struct item_batch *rows = &op->rows;
	Cleave__GetItemsReply reply;
	uint8_t *packed;

	cleave__get_items_reply__init(&reply);
	reply.rows = (ProtobufCBinaryData){ rows->rows.size, rows->rows.data };
	reply.answered_count = rows->answered_count;
	packed = arena_alloc(&op->arena, cleave__get_items_reply__get_packed_size(&reply));
	if (packed == NULL)
		rpc_request_reply_status(op->request, ST_NO_MEMORY);
	else
		rpc_request_reply(op->request, ST_OK,
				  slice_of(packed, cleave__get_items_reply__pack(&reply, packed)));
}

static void finish(struct batch_op *op, enum status status)
{
	if (status == ST_OK)
		reply_rows(op);
	else
		reply_failure_send(op->partitions, op->request, status, op->partition_id,
				   "batch read failed");
	batch_op_destroy(op);
}

static enum status work(struct partition_scan *scan, struct engine *engine)
{
	struct batch_op *op = CONTAINER_OF(scan, struct batch_op, scan);

	return item_batch_run(&op->rows, engine);
}

static void on_done(struct partition_scan *scan)
{
	finish(CONTAINER_OF(scan, struct batch_op, scan), scan->status);
}

/* Ascending keys, so that the first and the last bound them all. */
static bool take_keys(struct batch_op *op, const Cleave__GetItemsRequest *message)
{
	if (message->n_row_keys == 0 || message->n_row_keys > ITEM_BATCH_KEYS_MAX)
		return false;
	for (size_t i = 0; i < message->n_row_keys; i++) {
		ProtobufCBinaryData key = message->row_keys[i];

		if (key.len == 0 || key.len > LIMIT_ROW_KEY_SIZE_BYTES)
			return false;
		op->keys[i] = slice_of(key.data, key.len);
		if (i > 0 && slice_compare(op->keys[i - 1], op->keys[i]) >= 0)
			return false;
	}
	op->rows.keys = op->keys;
	op->rows.key_count = (uint32_t)message->n_row_keys;
	return true;
}

/* It comes from outside: it is checked before it is used. */
static enum status take_projection(struct batch_op *op, const Cleave__ExprProjection *projection)
{
	if (projection == NULL)
		return ST_OK;
	if (eval_check_projection(projection) != ST_OK)
		return ST_INVALID;
	op->rows.projection = &op->projection;
	return eval_project_init(&op->projection, projection, &op->arena);
}

/* What the message asks for; it lives in the operation's arena. */
static enum status take_request(struct batch_op *op, const Cleave__GetItemsRequest *message)
{
	struct slice last;

	if (message->size_bytes_max == 0 || !take_keys(op, message))
		return ST_INVALID;
	last = op->keys[message->n_row_keys - 1];
	memcpy(op->end, last.data, last.size); /* and a NUL makes it the next key */
	op->partition_id = message->partition_id;
	op->scan.start = op->keys[0];
	op->scan.end = slice_of(op->end, last.size + 1);
	op->scan.is_consistent = message->consistent_read;
	op->scan.accepts_frozen = message->accepts_frozen;
	op->scan.work = work;
	op->scan.done = on_done;
	op->rows.size_bytes_max = message->size_bytes_max;
	return take_projection(op, message->projection);
}

void handle_batch_get(const struct partition_table *partitions, struct rpc_request *request)
{
	struct batch_op *op = batch_op_create(partitions, request);
	ProtobufCAllocator allocator;
	Cleave__GetItemsRequest *message;
	struct partition *partition;
	enum status status;

	if (op == NULL) {
		rpc_request_reply_status(request, ST_NO_MEMORY);
		return;
	}
	allocator = proto_arena_allocator(&op->arena);
	message = cleave__get_items_request__unpack(&allocator, request->body.size, request->body.data);
	status = message == NULL ? ST_INVALID : take_request(op, message);
	if (status != ST_OK) {
		finish(op, status);
		return;
	}
	partition = partition_table_find(partitions, op->partition_id);
	status = partition == NULL ? ST_MOVED : partition_scan_start(partition, &op->scan);
	if (status != ST_WOULD_BLOCK)
		finish(op, status);
}
