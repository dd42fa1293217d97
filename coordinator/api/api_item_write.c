#include "coordinator/api/api_item_write.h"

#include <inttypes.h>

#include "coordinator/api/api_collection.h"
#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_index_key.h"
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
	uint32_t table_id;               /* that row_key was made for; 0: none yet */
	struct slice partition_key_name; /* of that table */
	bool is_measured;                /* its collections are */
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
		 state->request->operation->name, status_name(status), op->call.target.partition_id,
		 op->call.target.node_id, op->call.attempt_count);
}

/* What the write cost in each index, for ConsumedCapacity.  False: no memory. */
static bool take_use(const struct write_state *state, struct api_capacity_use *use_out)
{
	const struct item_op *op = &state->op;
	struct api_capacity_arm *arms = arena_alloc(state->request->arena,
						    (op->index_unit_count + 1) * sizeof(*arms));

	if (arms == NULL)
		return false;
	for (size_t i = 0; i < op->index_unit_count; i++)
		arms[i] = (struct api_capacity_arm){ slice_of_string(op->index_units[i]->index_name),
						     op->index_units[i]->is_local,
						     2 * (uint64_t)op->index_units[i]->units };
	*use_out = (struct api_capacity_use){
		.table_name = state->input.table_name,
		.half_units = capacity_write_half_units(op->old_size_bytes, op->new_size_bytes, false),
		.arms = arms,
		.arm_count = (uint32_t)op->index_unit_count,
	};
	return true;
}

static enum status write_metrics(const struct write_state *state, struct json_writer *writer)
{
	if (!state->input.wants_metrics || !state->is_measured)
		return ST_OK;
	json_writer_key(writer, "ItemCollectionMetrics");
	return api_collection_write(writer, state->partition_key_name, state->input.item,
				    state->op.collection_size_bytes);
}

static void answer(struct write_state *state)
{
	struct api_request *request = state->request;
	const struct item_op *op = &state->op;
	struct api_capacity_use use;
	struct json_writer writer;
	enum status status = take_use(state, &use) ? ST_OK : ST_NO_MEMORY;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	if (status == ST_OK && op->found_item.size > 0) {
		json_writer_key(&writer, "Attributes");
		json_writer_begin_value(&writer);
		status = json_item_write(writer.out, op->found_item);
	}
	if (status == ST_OK) {
		api_capacity_write_use_member(&writer, state->input.capacity, &use);
		status = write_metrics(state, &writer);
	}
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
	const struct item_op *op = &state->op;
	struct api_error *error = &state->request->error;

	if (op->is_collection_full)
		api_error_set(error, API_ERROR_COLLECTION_SIZE, "%s", API_MESSAGE_COLLECTION_SIZE);
	else if (op->refused_index_key != NULL)
		api_index_key_refused(op->refused_index_key, state->kind == ITEM_OP_UPDATE, error);
	else
		api_error_set(error, API_ERROR_VALIDATION, "%s", expr_update_error_text(op->update_error));
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
	struct api_request *request = state->request;

	if (state->kind != ITEM_OP_PUT)
		return api_row_key_of_key(request, table, state->input.item, &state->row_key);
	return api_row_key_of_item(request, table, state->input.item, &state->row_key) &&
	       api_index_key_check(table->indexes, state->input.item, &request->error);
}

/* What the answer needs to know of it; the table may be gone by then. */
static bool take_table(struct write_state *state, const struct table_info *table)
{
	struct slice name = key_attribute_name(table_schema_partition_key(&table->schema));

	state->table_id = table->table_id;
	state->is_measured = api_collection_is_measured(table->indexes);
	state->partition_key_name = slice_of(arena_copy(state->request->arena, name), name.size);
	return state->partition_key_name.data != NULL;
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
		.needs_collection_size = state->input.wants_metrics && state->is_measured,
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
	if (take_table(state, table) && make_row_key(state, table) &&
	    api_write_expression_check_schema(&state->input.programs, &table->schema, table->indexes,
					      &request->error))
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
