#include "coordinator/api/api_item_write.h"

#include <inttypes.h>

#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_item_write_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_row_key.h"
#include "coordinator/expr/expr_update.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"

struct write_state {
	struct api_request *request;
	enum item_op_kind kind;
	struct api_item_write_input input;
	struct slice row_key;
	uint32_t table_id; /* that row_key was made for; 0: none yet */
	struct item_op op;
};

static void run_on_table(struct api_request *request);

/* --- the answer --- */

/* Keys and values stay out of the log. */
static void log_failure(const struct write_state *state, enum status status)
{
	const struct item_op *op = &state->op;

	log_warn("item", "failed",
		 "operation=%s status=%s partition=%" PRIu64 " node=%" PRIu64 " attempts=%" PRIu32,
		 state->request->operation->name, status_name(status), op->target.partition_id,
		 op->target.node_id, op->attempt_count);
}

static void answer(struct write_state *state)
{
	struct api_request *request = state->request;
	const struct item_op *op = &state->op;
	struct json_writer writer;
	enum status status = ST_OK;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	if (op->found_item.size > 0) {
		json_writer_key(&writer, "Attributes");
		json_writer_begin_value(&writer);
		status = json_item_write(writer.out, op->found_item);
	}
	api_capacity_write_member(&writer, state->input.capacity, state->input.table_name,
				  capacity_write_half_units(op->old_size_bytes, op->new_size_bytes, false));
	json_writer_object_end(&writer);
	if (status == ST_OK) {
		api_request_reply(request);
	} else {
		log_failure(state, status); /* the replica sent no item */
		api_request_fail(request);
	}
}

static void answer_condition_failed(struct write_state *state)
{
	api_error_set(&state->request->error, API_ERROR_CONDITIONAL_CHECK_FAILED, "%s",
		      API_MESSAGE_CONDITION);
	api_request_fail_with_item(state->request, state->op.found_item);
}

static void answer_refused(struct write_state *state)
{
	api_error_set(&state->request->error, API_ERROR_VALIDATION, "%s",
		      expr_update_error_text(state->op.update_error));
	api_request_fail(state->request);
}

static void on_done(struct item_op *op)
{
	struct write_state *state = CONTAINER_OF(op, struct write_state, op);
	struct api_request *request = state->request;

	request->cancel = NULL;
	switch (op->status) {
	case ST_OK:
		answer(state);
		return;
	case ST_CONDITION_FAILED:
		answer_condition_failed(state);
		return;
	case ST_REFUSED:
		answer_refused(state);
		return;
	case ST_NOT_FOUND:
		if (!request->is_aborted && !request->has_synced)
			api_request_sync(request, run_on_table);
		else
			api_failure_answer(request, ST_NOT_FOUND);
		return;
	default:
		if (op->status != ST_CANCELED)
			log_failure(state, op->status);
		api_failure_answer(request, op->status);
		return;
	}
}

/* --- on the way --- */

static void cancel(struct api_request *request)
{
	struct write_state *state = request->state;

	item_op_cancel(&state->op);
}

static bool make_row_key(struct write_state *state, const struct table_info *table)
{
	state->table_id = table->table_id;
	if (state->kind == ITEM_OP_PUT)
		return api_row_key_of_item(state->request, table, state->input.item, &state->row_key);
	return api_row_key_of_key(state->request, table, state->input.item, &state->row_key);
}

static void start_op(struct write_state *state)
{
	struct api_request *request = state->request;

	state->op = (struct item_op){
		.kind = state->kind,
		.row_key = state->row_key,
		.item = state->kind == ITEM_OP_DELETE ? slice_of(NULL, 0) : state->input.item,
		.condition = state->input.programs.condition,
		.update = state->input.programs.update,
		.returned = state->input.returned,
		.returns_old_on_failure = state->input.returns_old_on_failure,
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
	struct write_state *state = request->state;
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
	    api_write_expression_check_schema(&state->input.programs, &table->schema, &request->error))
		start_op(state);
	else
		api_request_fail(request);
}

static void run(struct api_request *request, enum item_op_kind kind)
{
	struct write_state *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	state->kind = kind;
	request->state = state;
	if (api_item_write_input_read(kind, request->http->body, request->arena, &state->input,
				      &request->error))
		run_on_table(request);
	else
		api_request_fail(request);
}

void api_item_write_put(struct api_request *request)
{
	run(request, ITEM_OP_PUT);
}

void api_item_write_delete(struct api_request *request)
{
	run(request, ITEM_OP_DELETE);
}

void api_item_write_update(struct api_request *request)
{
	run(request, ITEM_OP_UPDATE);
}
