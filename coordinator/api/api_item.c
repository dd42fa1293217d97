#include "coordinator/api/api_item.h"

#include <inttypes.h>

#include "coordinator/api/api_failure.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"
#include "proto/model/item.h"
#include "proto/model/row_key.h"

struct item_state {
	struct api_request *request;
	struct api_item_input input;
	struct slice row_key;
	uint32_t table_id; /* that row_key was made for; 0: none yet */
	struct item_op op;
};

static void run_on_table(struct api_request *request);

/* --- the answer --- */

static uint64_t half_units_of(const struct item_state *state)
{
	const struct item_op *op = &state->op;

	if (op->kind == ITEM_OP_GET)
		return capacity_read_half_units(op->is_found ? op->found_size_bytes : 0,
						op->is_consistent ? CAPACITY_READ_STRONG
								  : CAPACITY_READ_EVENTUAL);
	return capacity_write_half_units(op->old_size_bytes, op->new_size_bytes, false);
}

static enum status write_item(const struct item_state *state, struct json_writer *writer)
{
	const struct item_op *op = &state->op;

	if (op->kind == ITEM_OP_GET ? !op->is_found : op->found_item.size == 0)
		return ST_OK;
	json_writer_key(writer, op->kind == ITEM_OP_GET ? "Item" : "Attributes");
	json_writer_begin_value(writer);
	return json_item_write(writer->out, op->found_item);
}

/* Keys and values stay out of the log. */
static void log_failure(const struct item_op *op, enum status status)
{
	log_warn("item", "failed",
		 "operation=%s status=%s partition=%" PRIu64 " node=%" PRIu64 " attempts=%" PRIu32,
		 op->kind == ITEM_OP_GET   ? "get"
		 : op->kind == ITEM_OP_PUT ? "put"
					   : "delete",
		 status_name(status), op->target.partition_id, op->target.node_id, op->attempt_count);
}

static void answer(struct item_state *state)
{
	struct api_request *request = state->request;
	struct json_writer writer;
	enum status status;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	status = write_item(state, &writer);
	api_capacity_write_member(&writer, state->input.capacity, state->input.table_name,
				  half_units_of(state));
	json_writer_object_end(&writer);
	if (status == ST_OK) {
		api_request_reply(request);
	} else {
		log_failure(&state->op, status); /* the replica sent no item */
		api_request_fail(request);
	}
}

static void on_done(struct item_op *op)
{
	struct item_state *state = CONTAINER_OF(op, struct item_state, op);
	struct api_request *request = state->request;

	request->cancel = NULL;
	if (op->status == ST_OK) {
		answer(state);
	} else if (op->status == ST_NOT_FOUND && !request->is_aborted && !request->has_synced) {
		api_request_sync(request, run_on_table);
	} else {
		if (op->status != ST_CANCELED && op->status != ST_NOT_FOUND)
			log_failure(op, op->status);
		api_failure_answer(request, op->status);
	}
}

/* --- on the way --- */

static void cancel(struct api_request *request)
{
	struct item_state *state = request->state;

	item_op_cancel(&state->op);
}

/* Built in a buffer that all requests share, kept in the request's arena. */
static bool make_row_key(struct item_state *state, const struct table_info *table)
{
	struct api_request *request = state->request;
	struct buf *scratch = &request->api->row_key;
	struct row_key_error key_error = { .fault = ROW_KEY_OK };
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	enum status status;

	buf_reset(scratch);
	status = state->op.kind == ITEM_OP_PUT
			 ? row_key_from_item(scratch, table->table_id, table->token_seed, &table->schema,
					     state->input.item, &key_error)
			 : row_key_from_key(scratch, table->table_id, table->token_seed, &table->schema,
					    state->input.item, &key_error);
	if (status == ST_INVALID) {
		row_key_error_print(&key_error, message, sizeof(message));
		api_error_set(&request->error, API_ERROR_VALIDATION, "%s", message);
	}
	if (status != ST_OK)
		return false;
	state->table_id = table->table_id;
	state->row_key = slice_of(arena_copy(request->arena, buf_slice(scratch)), scratch->size);
	return state->row_key.data != NULL;
}

static void start_op(struct item_state *state)
{
	struct api_request *request = state->request;

	state->op = (struct item_op){
		.kind = state->op.kind,
		.row_key = state->row_key,
		.item = state->op.kind == ITEM_OP_PUT ? state->input.item : slice_of(NULL, 0),
		.is_consistent = state->input.is_consistent,
		.returned = state->input.returns_old ? CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD
						     : CLEAVE__WRITE_ITEM_REQUEST__RETURNED__NOTHING,
		.projection = state->input.expressions.projection,
		.needs_old_size = state->input.capacity != API_CAPACITY_NONE,
		.arena = request->arena,
		.done = on_done,
	};
	request->cancel = cancel;
	item_op_start(request->api->options.items, &state->op);
}

/* After a sync the table must be there, and another one than before. */
static void run_on_table(struct api_request *request)
{
	struct item_state *state = request->state;
	const struct table_info *table = api_request_find_usable(request, state->input.table_name);

	if (table == NULL && !request->has_synced) {
		api_request_sync(request, run_on_table);
		return;
	}
	if (table == NULL || table->table_id == state->table_id) {
		api_failure_answer(request, ST_NOT_FOUND);
		return;
	}
	if (make_row_key(state, table) &&
	    api_expression_check_schema(&state->input.expressions, &table->schema, false, &request->error))
		start_op(state);
	else
		api_request_fail(request);
}

static void run(struct api_request *request, enum item_op_kind kind)
{
	struct item_state *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	state->op.kind = kind;
	request->state = state;
	if (api_item_input_read(kind, request->http->body, request->arena, &state->input, &request->error))
		run_on_table(request);
	else
		api_request_fail(request);
}

void api_item_get(struct api_request *request)
{
	run(request, ITEM_OP_GET);
}

void api_item_put(struct api_request *request)
{
	run(request, ITEM_OP_PUT);
}

void api_item_delete(struct api_request *request)
{
	run(request, ITEM_OP_DELETE);
}
