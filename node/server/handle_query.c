#include "node/server/handle_query.h"

#include <stdlib.h>

#include "node/partition/partition_scan.h"
#include "node/server/reply_failure.h"
#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/item/item_scan.h"

enum {
	REQUEST_ARENA_BYTES = 8 * 1024 * 1024,
	ARENA_BYTES_MAX = REQUEST_ARENA_BYTES + ITEM_SCAN_ROWS_SIZE_MAX,
};

struct range_op {
	const struct partition_table *partitions;
	struct rpc_request *request;
	struct arena arena;
	uint64_t partition_id;
	struct partition_scan scan;
	struct item_scan rows;
	struct eval_projection projection;
};

static struct range_op *range_op_create(const struct partition_table *partitions, struct rpc_request *request)
{
	struct range_op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	arena_init(&op->arena, ARENA_BYTES_MAX);
	item_scan_init(&op->rows);
	op->partitions = partitions;
	op->request = request;
	return op;
}

static void range_op_destroy(struct range_op *op)
{
	item_scan_close(&op->rows);
	arena_close(&op->arena);
	free(op);
}

static void reply_rows(struct range_op *op)
{
	const struct item_scan *rows = &op->rows;
	Cleave__ReadRangeReply reply;
	uint8_t *packed;

	cleave__read_range_reply__init(&reply);
	reply.rows = (ProtobufCBinaryData){ rows->rows.size, rows->rows.data };
	reply.matched_count = rows->matched_count;
	reply.evaluated_count = rows->evaluated_count;
	reply.evaluated_size_bytes = rows->evaluated_size_bytes;
	reply.last_key = (ProtobufCBinaryData){ rows->last_key.size, rows->last_key.data };
	reply.is_at_end = rows->is_at_end;
	reply.fetched_units = rows->fetched_units;
	reply.page_size_bytes = rows->page_size_bytes;
	packed = arena_alloc(&op->arena, cleave__read_range_reply__get_packed_size(&reply));
	if (packed == NULL)
		rpc_request_reply_status(op->request, ST_NO_MEMORY);
	else
		rpc_request_reply(op->request, ST_OK,
				  slice_of(packed, cleave__read_range_reply__pack(&reply, packed)));
}

static void finish(struct range_op *op, enum status status)
{
	if (status == ST_OK)
		reply_rows(op);
	else
		reply_failure_send(op->partitions, op->request, status, op->partition_id,
				   "range read failed");
	range_op_destroy(op);
}

static enum status work(struct partition_scan *scan, struct engine *engine)
{
	struct range_op *op = CONTAINER_OF(scan, struct range_op, scan);

	return item_scan_run(&op->rows, engine);
}

static void on_done(struct partition_scan *scan)
{
	finish(CONTAINER_OF(scan, struct range_op, scan), scan->status);
}

static struct slice slice_of_field(ProtobufCBinaryData field)
{
	return slice_of(field.data, field.len);
}

/* One byte more than a row key: the first key after it. */
static bool is_bound(ProtobufCBinaryData field)
{
	return field.len > 0 && field.len <= LIMIT_INDEX_ROW_KEY_SIZE_BYTES + 1;
}

static bool is_well_formed(const Cleave__ReadRangeRequest *message)
{
	return is_bound(message->start) && is_bound(message->end) && message->row_count_max > 0 &&
	       message->size_bytes_max > 0 && message->local_number <= LIMIT_LOCAL_INDEX_COUNT &&
	       (message->local_number > 0 || !message->fetch_items);
}

/* Programs come from outside: they are checked before they run. */
static enum status take_programs(struct range_op *op, const Cleave__ReadRangeRequest *message)
{
	if (message->filter != NULL && eval_check_condition(message->filter) != ST_OK)
		return ST_INVALID;
	op->rows.filter = message->filter;
	if (message->projection == NULL)
		return ST_OK;
	if (eval_check_projection(message->projection) != ST_OK)
		return ST_INVALID;
	op->rows.projection = &op->projection;
	return eval_project_init(&op->projection, message->projection, &op->arena);
}

/* What the message asks for; it lives in the operation's arena. */
static enum status take_request(struct range_op *op, const Cleave__ReadRangeRequest *message)
{
	struct slice start = slice_of_field(message->start);
	struct slice end = slice_of_field(message->end);

	op->partition_id = message->partition_id;
	op->scan.start = start;
	op->scan.end = end;
	op->scan.is_consistent = message->consistent_read;
	op->scan.accepts_frozen = message->accepts_frozen;
	op->scan.work = work;
	op->scan.done = on_done;
	op->rows.start = start;
	op->rows.end = end;
	op->rows.is_backward = message->is_backward;
	op->rows.counts_only = message->count_only;
	op->rows.family = message->local_number == 0 ? FAMILY_ITEMS : FAMILY_LOCAL_INDEXES;
	op->rows.local_number = (uint8_t)message->local_number;
	op->rows.fetches_items = message->fetch_items;
	op->rows.row_count_max = message->row_count_max;
	op->rows.size_bytes_max = message->size_bytes_max;
	if (message->measure != NULL) {
		op->rows.counts_page_sizes = true;
		op->rows.sort_key_name = slice_of_field(message->measure->sort_key_name);
	}
	return take_programs(op, message);
}

/* Rows of local indexes are told apart by the table's schema, which a replica knows from its own log; one
 * that has not heard of it yet has none of them, and is behind. */
static enum status start(struct range_op *op)
{
	struct partition *partition = partition_table_find(op->partitions, op->partition_id);

	if (partition == NULL)
		return ST_MOVED;
	if (op->rows.local_number != 0) {
		struct table_schema *schema = arena_alloc(&op->arena, sizeof(*schema));

		if (partition->indexes.set == NULL)
			return ST_UNAVAILABLE;
		if (schema == NULL)
			return ST_NO_MEMORY;
		/* A copy: the rows are read off the loop. */
		table_schema_copy(schema, &partition->indexes.schema);
		op->rows.schema = schema;
	}
	return partition_scan_start(partition, &op->scan);
}

void handle_query_range(const struct partition_table *partitions, struct rpc_request *request)
{
	struct range_op *op = range_op_create(partitions, request);
	ProtobufCAllocator allocator;
	Cleave__ReadRangeRequest *message;
	enum status status;

	if (op == NULL) {
		rpc_request_reply_status(request, ST_NO_MEMORY);
		return;
	}
	allocator = proto_arena_allocator(&op->arena);
	message = cleave__read_range_request__unpack(&allocator, request->body.size, request->body.data);
	if (message == NULL || !is_well_formed(message)) {
		finish(op, ST_INVALID);
		return;
	}
	status = take_request(op, message);
	if (status != ST_OK) {
		finish(op, status);
		return;
	}
	status = start(op);
	if (status != ST_WOULD_BLOCK)
		finish(op, status);
}
