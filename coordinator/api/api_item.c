#include "coordinator/api/api_item.h"

#include <inttypes.h>

#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_row_key.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"

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

	return capacity_read_half_units(op->is_found ? op->found_size_bytes : 0,
					op->is_consistent ? CAPACITY_READ_STRONG : CAPACITY_READ_EVENTUAL);
}

static enum status write_item(const struct item_state *state, struct json_writer *writer)
{
	const struct item_op *op = &state->op;

	if (!op->is_found)
		return ST_OK;
	json_writer_key(writer, "Item");
	json_writer_begin_value(writer);
	return json_item_write(writer->out, op->found_item);
}

/* Keys and values stay out of the log. */
static void log_failure(const struct item_op *op, enum status status)
{
	log_warn("item", "failed",
		 "operation=GetItem status=%s partition=%" PRIu64 " node=%" PRIu64 " attempts=%" PRIu32,
		 status_name(status), op->call.target.partition_id, op->call.target.node_id,
		 op->call.attempt_count);
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

static void start_op(struct item_state *state)
{
	struct api_request *request = state->request;

	state->op = (struct item_op){
		.kind = ITEM_OP_GET,
		.row_key = state->row_key,
		.is_consistent = state->input.is_consistent,
		.projection = state->input.expressions.projection,
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
	state->table_id = table->table_id;
	if (api_row_key_of_key(request, table, state->input.key, &state->row_key) &&
	    api_expression_check_projection(&state->input.expressions, &table->schema, table->indexes,
					    &request->error))
		start_op(state);
	else
		api_request_fail(request);
}

void api_item_get(struct api_request *request)
{
	struct item_state *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	request->state = state;
	if (api_item_input_read(request->http->body, request->arena, &state->input, &request->error))
		run_on_table(request);
	else
		api_request_fail(request);
}
