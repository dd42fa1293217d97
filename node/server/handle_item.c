#include "node/server/handle_item.h"

#include <inttypes.h>
#include <stdlib.h>

#include "node/partition/partition_read.h"
#include "node/partition/partition_write.h"
#include "node/server/reply_failure.h"
#include "node/server/write_check.h"
#include "proto/base/log.h"
#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/proto_borrow.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_project.h"

enum {
	ARENA_BYTES_MAX = 8 * 1024 * 1024,
	REPLY_BYTES_MAX = 4 * 1024 * 1024,
};

/* A request until it is answered. */
struct request_op {
	struct queue link; /* among the spares */
	struct handle_item *items;
	struct rpc_request *request;
	struct arena arena;
	uint64_t partition_id; /* 0 until it is known */
	union {
		struct {
			struct partition_read read;
			bool is_projected;
			struct eval_projection projection;
		};
		struct partition_write write;
	};
};

void handle_item_init(struct handle_item *items, struct partition_table *partitions)
{
	*items = (struct handle_item){ .partitions = partitions };
	buf_init(&items->reply, REPLY_BYTES_MAX);
	buf_init(&items->projected, REPLY_BYTES_MAX);
	buf_init(&items->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	queue_init(&items->spares);
}

void handle_item_close(struct handle_item *items)
{
	struct queue *link;

	while ((link = queue_pop_head(&items->spares)) != NULL) {
		struct request_op *op = CONTAINER_OF(link, struct request_op, link);

		arena_close(&op->arena);
		free(op);
	}
	buf_close(&items->row_key);
	buf_close(&items->reply);
	buf_close(&items->projected);
}

/* Answers the request if there is no memory. */
static struct request_op *request_op_create(struct handle_item *items, struct rpc_request *request)
{
	struct queue *link = queue_pop_head(&items->spares);
	struct request_op *op;

	if (link != NULL) {
		items->spare_count--;
		op = CONTAINER_OF(link, struct request_op, link);
	} else {
		op = calloc(1, sizeof(*op));
		if (op == NULL) {
			rpc_request_reply_status(request, ST_NO_MEMORY);
			return NULL;
		}
		arena_init(&op->arena, ARENA_BYTES_MAX);
	}
	queue_init(&op->link);
	op->items = items;
	op->request = request;
	op->partition_id = 0;
	return op;
}

static void request_op_destroy(struct request_op *op)
{
	struct handle_item *items = op->items;

	arena_reset(&op->arena);
	if (items->spare_count < HANDLE_ITEM_SPARES_MAX) {
		items->spare_count++;
		queue_push_tail(&items->spares, &op->link);
		return;
	}
	arena_close(&op->arena);
	free(op);
}

/* --- answers --- */

/* --- get --- */

/* The item, or the part of it that was asked for. */
static enum status project_item(struct request_op *op, struct slice *item_out)
{
	struct buf *out = &op->items->projected;
	enum status status;

	*item_out = op->read.item;
	if (!op->is_projected)
		return ST_OK;
	buf_reset(out);
	status = eval_project(&op->projection, op->read.item, out);
	*item_out = buf_slice(out);
	return status;
}

static void reply_item(struct request_op *op, bool found)
{
	struct handle_item *items = op->items;
	Cleave__GetItemReply reply;
	struct slice item = slice_of(NULL, 0);
	enum status status = found ? project_item(op, &item) : ST_OK;
	uint8_t *start;

	if (status != ST_OK) {
		rpc_request_reply_status(op->request, status);
		return;
	}
	cleave__get_item_reply__init(&reply);
	reply.found = found;
	reply.item = proto_borrow_bytes(item);
	reply.size_bytes = op->read.size_bytes;
	buf_reset(&items->reply);
	start = buf_extend(&items->reply, cleave__get_item_reply__get_packed_size(&reply));
	if (start == NULL) {
		rpc_request_reply_status(op->request, ST_NO_MEMORY);
		return;
	}
	(void)cleave__get_item_reply__pack(&reply, start);
	rpc_request_reply(op->request, ST_OK, buf_slice(&items->reply));
}

static void finish_get(struct request_op *op, enum status status)
{
	if (status == ST_OK || status == ST_NOT_FOUND)
		reply_item(op, status == ST_OK);
	else
		reply_failure_send(op->items->partitions, op->request, status, op->partition_id,
				   "read failed");
	partition_read_close(&op->read);
	request_op_destroy(op);
}

static void on_read(struct partition_read *read)
{
	finish_get(CONTAINER_OF(read, struct request_op, read), read->status);
}

/* It comes from outside: it is checked before it is used. */
static enum status take_projection(struct request_op *op, const Cleave__ExprProjection *projection)
{
	op->is_projected = projection != NULL;
	if (!op->is_projected)
		return ST_OK;
	if (eval_check_projection(projection) != ST_OK)
		return ST_INVALID;
	return eval_project_init(&op->projection, projection, &op->arena);
}

void handle_item_get(struct handle_item *items, struct rpc_request *request)
{
	struct request_op *op = request_op_create(items, request);
	ProtobufCAllocator allocator;
	Cleave__GetItemRequest *message;
	struct partition *partition;
	enum status status;

	if (op == NULL)
		return;
	allocator = proto_arena_allocator(&op->arena);
	message = cleave__get_item_request__unpack(&allocator, request->body.size, request->body.data);
	op->read = (struct partition_read){ .done = on_read };
	if (message == NULL || message->row_key.len == 0 || message->row_key.len > LIMIT_ROW_KEY_SIZE_BYTES) {
		finish_get(op, ST_INVALID);
		return;
	}
	op->partition_id = message->partition_id;
	status = take_projection(op, message->projection);
	if (status != ST_OK) {
		finish_get(op, status);
		return;
	}
	op->read.row_key = slice_of(message->row_key.data, message->row_key.len);
	op->read.is_consistent = message->consistent_read;
	op->read.accepts_frozen = message->accepts_frozen;
	partition = partition_table_find(items->partitions, message->partition_id);
	status = partition == NULL ? ST_MOVED : partition_read_start(partition, &op->read);
	if (status != ST_WOULD_BLOCK)
		finish_get(op, status);
}

/* --- write --- */

static void reply_verdict(struct request_op *op, enum status verdict)
{
	struct handle_item *items = op->items;
	const struct partition_write *write = &op->write;
	Cleave__WriteItemReply reply;
	uint8_t *start;

	cleave__write_item_reply__init(&reply);
	reply.existed = write->existed;
	reply.old_size_bytes = write->old_size_bytes;
	reply.new_size_bytes = write->new_size_bytes;
	reply.returned = proto_borrow_bytes(write->returned_item);
	reply.update_error = write->update_error;
	reply.refused_index_key = write->refused_index_key;
	reply.index_units = write->index_units;
	reply.n_index_units = write->index_unit_count;
	reply.is_collection_full = write->is_collection_full;
	reply.collection_size_bytes = write->collection_size_bytes;
	buf_reset(&items->reply);
	start = buf_extend(&items->reply, cleave__write_item_reply__get_packed_size(&reply));
	if (start == NULL) {
		rpc_request_reply_status(op->request, ST_UNKNOWN_OUTCOME);
		return;
	}
	(void)cleave__write_item_reply__pack(&reply, start);
	rpc_request_reply(op->request, verdict, buf_slice(&items->reply));
}

static void finish_write(struct request_op *op, enum status status)
{
	if (status == ST_OK || status == ST_CONDITION_FAILED || status == ST_REFUSED)
		reply_verdict(op, status);
	else
		reply_failure_send(op->items->partitions, op->request, status, op->partition_id,
				   "write failed");
	request_op_destroy(op);
}

static void on_written(struct partition_write *write)
{
	finish_write(CONTAINER_OF(write, struct request_op, write), write->status);
}

static bool is_well_formed(const Cleave__WriteItemRequest *message)
{
	return message->row_key.len > 0 && message->row_key.len <= LIMIT_ROW_KEY_SIZE_BYTES &&
	       message->item.len <= LIMIT_ITEM_ENCODED_SIZE_BYTES &&
	       message->request_id.len == OUTCOMES_REQUEST_ID_SIZE &&
	       message->kind <= CLEAVE__WRITE_ITEM_REQUEST__KIND__UPDATE &&
	       message->returned <= CLEAVE__WRITE_ITEM_REQUEST__RETURNED__UPDATED_NEW &&
	       (message->kind == CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE || message->item.len > 0) &&
	       (message->kind == CLEAVE__WRITE_ITEM_REQUEST__KIND__UPDATE) == (message->update != NULL) &&
	       (message->update != NULL || message->returned <= CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD);
}

static enum partition_write_kind kind_of(const Cleave__WriteItemRequest *message)
{
	switch (message->kind) {
	case CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE:
		return PARTITION_DELETE;
	case CLEAVE__WRITE_ITEM_REQUEST__KIND__UPDATE:
		return PARTITION_UPDATE;
	default:
		return PARTITION_PUT;
	}
}

static void fill_write(struct partition_write *write, const Cleave__WriteItemRequest *message)
{
	write->kind = kind_of(message);
	write->row_key = slice_of(message->row_key.data, message->row_key.len);
	write->item = slice_of(message->item.data, message->item.len);
	write->condition = message->condition;
	write->update = message->update;
	write->request_id = slice_of(message->request_id.data, message->request_id.len);
	write->age_ms = message->age_ms;
	write->returned = message->returned;
	write->returns_old_on_failure = message->return_old_on_failure;
	write->needs_old = message->needs_old_size;
	write->needs_collection_size = message->needs_collection_size;
}

static enum status start_write(struct request_op *op, const Cleave__WriteItemRequest *message)
{
	struct partition *partition = partition_table_find(op->items->partitions, message->partition_id);
	enum status status;

	if (partition == NULL)
		return ST_MOVED;
	status = write_check(message, partition_owner(partition), &op->items->row_key);
	if (status == ST_INVALID)
		log_error("item", "refused write", "partition=%" PRIu64 " reason=\"malformed item or key\"",
			  message->partition_id);
	return status == ST_OK ? partition_write_start(partition, &op->write) : status;
}

void handle_item_write(struct handle_item *items, struct rpc_request *request)
{
	struct request_op *op = request_op_create(items, request);
	ProtobufCAllocator allocator;
	Cleave__WriteItemRequest *message;
	enum status status;

	if (op == NULL)
		return;
	allocator = proto_arena_allocator(&op->arena);
	message = cleave__write_item_request__unpack(&allocator, request->body.size, request->body.data);
	op->write = (struct partition_write){ .done = on_written };
	if (message == NULL || !is_well_formed(message)) {
		finish_write(op, ST_INVALID);
		return;
	}
	op->partition_id = message->partition_id;
	fill_write(&op->write, message);
	status = start_write(op, message);
	if (status != ST_WOULD_BLOCK)
		finish_write(op, status);
}
