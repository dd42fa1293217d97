#include "coordinator/api/api_query.h"

#include <inttypes.h>

#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_query_range.h"
#include "coordinator/exec/query_op.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"
#include "proto/model/row_key.h"
#include "proto/wire/proto_borrow.h"

struct query_state {
	struct api_request *request;
	enum api_query_kind kind;
	struct api_query_input input;
	struct api_query_target *target;
	Cleave__PageMeasure measure;
	struct query_op op; /* reads the target; its table_id is 0 before the first start */
};

static void run_on_table(struct api_request *request);

/* --- the answer --- */

static enum status write_rows(struct json_writer *writer, const struct query_rows *chunk)
{
	struct reader reader;
	enum status status = ST_OK;

	reader_init(&reader, chunk->rows);
	while (status == ST_OK && reader.size > 0) {
		struct slice item = reader_bytes(&reader, reader_u32_be(&reader));

		if (reader.status != ST_OK)
			return reader.status;
		json_writer_begin_value(writer);
		status = json_item_write(writer->out, item);
	}
	return status;
}

static enum status write_items(struct json_writer *writer, const struct query_op *op)
{
	enum status status = ST_OK;

	if (op->counts_only)
		return ST_OK;
	json_writer_key(writer, "Items");
	json_writer_list_start(writer);
	for (const struct query_rows *chunk = op->rows; status == ST_OK && chunk != NULL; chunk = chunk->next)
		status = write_rows(writer, chunk);
	json_writer_list_end(writer);
	return status;
}

static enum status write_last_key(struct json_writer *writer, const struct query_state *state)
{
	enum status status;
	struct buf key;

	if (!state->op.is_cut)
		return ST_OK;
	buf_init(&key, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	status = api_query_target_to_key(state->target, state->op.last_key, &key);
	if (status == ST_OK) {
		json_writer_key(writer, "LastEvaluatedKey");
		json_writer_begin_value(writer);
		status = json_item_write(writer->out, buf_slice(&key));
	}
	buf_close(&key);
	return status;
}

/* The rows are one read; each item that was fetched beside them is one of its own. */
static void write_capacity(struct json_writer *writer, const struct query_state *state)
{
	const struct query_op *op = &state->op;
	enum capacity_read read = op->is_consistent ? CAPACITY_READ_STRONG : CAPACITY_READ_EVENTUAL;
	uint64_t half_units = capacity_read_half_units(op->evaluated_size_bytes, read);
	struct api_capacity_use use = { .table_name = state->input.table_name };
	struct api_capacity_arm arm;

	if (state->target->has_index) {
		arm = (struct api_capacity_arm){ state->input.index_name,
						 table_index_is_local(&state->target->index), half_units };
		use.arms = &arm;
		use.arm_count = 1;
		if (op->fetched_units > 0)
			use.half_units = capacity_read_half_units(
				op->fetched_units * LIMIT_READ_UNIT_SIZE_BYTES, read);
	} else {
		use.half_units = half_units;
	}
	api_capacity_write_use_member(writer, state->input.capacity, &use);
}

static void answer(struct query_state *state)
{
	struct api_request *request = state->request;
	const struct query_op *op = &state->op;
	struct json_writer writer;
	enum status status;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	status = write_items(&writer, op);
	json_writer_member_int(&writer, "Count", op->matched_count);
	json_writer_member_int(&writer, "ScannedCount", op->evaluated_count);
	if (status == ST_OK)
		status = write_last_key(&writer, state);
	write_capacity(&writer, state);
	json_writer_object_end(&writer);
	if (status == ST_OK) {
		api_request_reply(request);
		return;
	}
	log_warn("query", "bad-rows", "status=%s partition=%" PRIu64 " node=%" PRIu64, status_name(status),
		 op->call.target.partition_id, op->call.target.node_id);
	api_request_fail(request);
}

/* --- on the way --- */

static void log_failure(const struct query_op *op)
{
	log_warn("query", "failed", "status=%s partition=%" PRIu64 " node=%" PRIu64 " attempts=%" PRIu32,
		 status_name(op->status), op->call.target.partition_id, op->call.target.node_id,
		 op->call.attempt_count);
}

static void on_done(struct query_op *op)
{
	struct query_state *state = CONTAINER_OF(op, struct query_state, op);
	struct api_request *request = state->request;

	request->cancel = NULL;
	if (op->status == ST_OK) {
		answer(state);
	} else if (op->status == ST_NOT_FOUND && !request->is_aborted && !request->has_synced) {
		api_request_sync(request, run_on_table);
	} else {
		if (op->status != ST_CANCELED && op->status != ST_NOT_FOUND)
			log_failure(op);
		api_failure_answer(request, op->status);
	}
}

static void cancel(struct api_request *request)
{
	struct query_state *state = request->state;

	query_op_cancel(&state->op);
}

static ProtobufCBinaryData bytes_of_name(const struct key_attribute *attribute)
{
	return proto_borrow_bytes(key_attribute_name(attribute));
}

static void start_op(struct query_state *state, const struct api_query_range *range,
		     const struct api_query_selection *selection)
{
	struct api_request *request = state->request;
	const struct api_query_input *input = &state->input;
	const struct api_query_target *target = state->target;

	cleave__page_measure__init(&state->measure);
	if (target->table_schema.sort_count > 0)
		state->measure.sort_key_name = bytes_of_name(table_schema_sort_key(&target->table_schema));
	state->op = (struct query_op){
		.table_id = target->table_id,
		.local_number = target->has_index ? target->index.local_number : 0,
		.start = range->start,
		.end = range->end,
		.is_backward = input->is_backward,
		.is_consistent = input->is_consistent,
		.counts_only = input->counts_only,
		.fetches_items = selection->fetches_items,
		.row_count_max = input->row_count_max,
		.measure = &state->measure,
		.filter = input->expressions.filter,
		.projection = selection->projection,
		.arena = request->arena,
		.done = on_done,
	};
	request->cancel = cancel;
	query_op_start(request->api->options.items, &state->op);
}

/* All that can be said with the table, in the service's order. */
static bool make_range(struct query_state *state, struct api_query_range *range_out)
{
	struct api_request *request = state->request;
	const struct api_query_input *input = &state->input;
	const struct api_query_target *target = state->target;
	const struct api_expressions *expressions = &input->expressions;
	struct api_error *error = &request->error;
	bool is_query = state->kind == API_QUERY;

	if (!api_query_target_check_consistency(target, input, error))
		return false;
	if (is_query ? !api_query_range_of_query(input, target, request->arena, range_out, error)
		     : !api_query_range_of_scan(input, target, request->arena, range_out, error))
		return false;
	if (!api_expression_check_projection(expressions, &target->table_schema, target->indexes, error))
		return false;
	if (is_query &&
	    (!api_expression_check_filter_keys(expressions, api_query_target_schema(target), error) ||
	     !api_query_target_check_select(target, input, error)))
		return false;
	return api_expression_check_filter(expressions, &target->table_schema, target->indexes, error) &&
	       api_query_target_check_attributes(target, input, is_query, error);
}

static void read_target(struct query_state *state)
{
	struct api_request *request = state->request;
	struct api_query_selection selection;
	struct api_query_range range;

	if (make_range(state, &range) &&
	    api_query_target_selection(state->target, &state->input, request->arena, &selection,
				       &request->error))
		start_op(state, &range, &selection);
	else
		api_request_fail(request);
}

/* After a sync the table must be there, and another one than before. */
static void run_on_table(struct api_request *request)
{
	struct query_state *state = request->state;
	const struct table_info *table = api_request_find_usable(request, state->input.table_name);
	bool is_found = table != NULL &&
			api_query_target_find(&state->input, table, &request->api->options.view->state,
					      state->target, &request->error);

	if (!is_found && !request->has_synced) {
		api_error_init(&request->error); /* our copy of the catalog may be old */
		api_request_sync(request, run_on_table);
	} else if (table == NULL || (is_found && state->target->table_id == state->op.table_id)) {
		api_failure_answer(request, ST_NOT_FOUND);
	} else if (!is_found) {
		api_request_fail(request);
	} else {
		read_target(state);
	}
}

static void run(struct api_request *request, enum api_query_kind kind)
{
	struct query_state *state = arena_alloc_zeroed(request->arena, sizeof(*state));
	struct api_query_target *target = arena_alloc(request->arena, sizeof(*target));

	if (state == NULL || target == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	state->kind = kind;
	state->target = target;
	request->state = state;
	if (api_query_input_read(kind, request->http->body, request->arena, &state->input, &request->error))
		run_on_table(request);
	else
		api_request_fail(request);
}

void api_query_query(struct api_request *request)
{
	run(request, API_QUERY);
}

void api_query_scan(struct api_request *request)
{
	run(request, API_SCAN);
}
