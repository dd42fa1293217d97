#include "coordinator/api/api_batch_write.h"

#include <inttypes.h>

#include "coordinator/api/api_batch_write_input.h"
#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_row_key.h"
#include "coordinator/exec/batch_write_op.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"

struct write_batch_state {
	struct api_request *request;
	struct api_batch_write_input input;
	uint32_t *table_ids;                                 /* that row keys were made for; 0: none yet */
	struct batch_write results[LIMIT_BATCH_WRITE_COUNT]; /* in the order of the request */
	bool is_settled[LIMIT_BATCH_WRITE_COUNT];
	/* Those that are not, and whose they are. */
	struct batch_write writes[LIMIT_BATCH_WRITE_COUNT];
	uint32_t indexes[LIMIT_BATCH_WRITE_COUNT];
	struct batch_write_op op;
};

static void run_on_tables(struct api_request *request);

/* --- the answer --- */

static enum status write_one(const struct api_batch_write *write, struct json_writer *writer)
{
	enum status status;

	json_writer_object_start(writer);
	json_writer_key(writer, write->is_put ? "PutRequest" : "DeleteRequest");
	json_writer_object_start(writer);
	json_writer_key(writer, write->is_put ? "Item" : "Key");
	json_writer_begin_value(writer);
	status = json_item_write(writer->out, write->item);
	json_writer_object_end(writer);
	json_writer_object_end(writer);
	return status;
}

static bool is_left(const struct write_batch_state *state, uint32_t index, uint32_t table_index)
{
	return state->input.writes[index].table_index == table_index && state->results[index].status != ST_OK;
}

static enum status write_unprocessed_of(const struct write_batch_state *state, uint32_t table_index,
					struct json_writer *writer)
{
	enum status status = ST_OK;
	bool is_any = false;

	for (uint32_t i = 0; status == ST_OK && i < state->input.write_count; i++) {
		if (!is_left(state, i, table_index))
			continue;
		if (!is_any) {
			json_writer_name(writer, state->input.table_names[table_index]);
			json_writer_list_start(writer);
		}
		is_any = true;
		status = write_one(&state->input.writes[i], writer);
	}
	if (is_any)
		json_writer_list_end(writer);
	return status;
}

static enum status write_unprocessed(const struct write_batch_state *state, struct json_writer *writer)
{
	enum status status = ST_OK;

	json_writer_key(writer, "UnprocessedItems");
	json_writer_object_start(writer);
	for (uint32_t i = 0; status == ST_OK && i < state->input.table_count; i++)
		status = write_unprocessed_of(state, i, writer);
	json_writer_object_end(writer);
	return status;
}

/* Each write is rounded up by itself. */
static uint64_t half_units_of(const struct write_batch_state *state, uint32_t table_index)
{
	uint64_t half_units = 0;

	for (uint32_t i = 0; i < state->input.write_count; i++) {
		const struct batch_write *result = &state->results[i];

		if (state->input.writes[i].table_index == table_index && result->status == ST_OK)
			half_units += capacity_write_half_units(result->old_size_bytes,
								result->new_size_bytes, false);
	}
	return half_units;
}

static void write_capacity(const struct write_batch_state *state, struct json_writer *writer)
{
	if (state->input.capacity == API_CAPACITY_NONE)
		return;
	json_writer_key(writer, "ConsumedCapacity");
	json_writer_list_start(writer);
	for (uint32_t i = 0; i < state->input.table_count; i++)
		api_capacity_write(writer, state->input.capacity, state->input.table_names[i],
				   half_units_of(state, i));
	json_writer_list_end(writer);
}

static void answer(struct write_batch_state *state)
{
	struct api_request *request = state->request;
	struct json_writer writer;
	enum status status;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	status = write_unprocessed(state, &writer);
	write_capacity(state, &writer);
	json_writer_object_end(&writer);
	if (status == ST_OK)
		api_request_reply(request);
	else
		api_request_fail(request);
}

/* --- verdict --- */

/* It had no effect, and may have one when it is sent again. */
static bool is_unprocessed(enum status status)
{
	switch (status) {
	case ST_UNREACHABLE:
	case ST_NOT_LEADER:
	case ST_UNAVAILABLE:
	case ST_TIMEOUT:
	case ST_MOVED:
	case ST_BUSY:
	case ST_OVERLOADED:
	case ST_NO_SPACE:
		return true;
	default:
		return false;
	}
}

/* ST_OK if something was written and the rest can be told as unprocessed. */
static enum status common_status(const struct write_batch_state *state)
{
	enum status first = state->results[0].status;
	bool is_any_written = false;

	for (uint32_t i = 0; i < state->input.write_count; i++) {
		enum status status = state->results[i].status;

		if (status != ST_OK && !is_unprocessed(status))
			return status;
		is_any_written = is_any_written || status == ST_OK;
	}
	return is_any_written ? ST_OK : first;
}

static void log_failures(const struct write_batch_state *state)
{
	uint32_t count = 0;
	enum status status = ST_OK;

	for (uint32_t i = 0; i < state->input.write_count; i++) {
		enum status own = state->results[i].status;

		if (own == ST_OK || own == ST_CANCELED || own == ST_NOT_FOUND)
			continue;
		count++;
		status = own;
	}
	if (count > 0)
		log_warn("batch", "unwritten", "items=%" PRIu32 " of=%" PRIu32 " status=%s", count,
			 state->input.write_count, status_name(status));
}

/* Of this round; false if a write met a table that is gone. */
static bool take_results(struct write_batch_state *state)
{
	bool is_complete = true;

	for (uint32_t i = 0; i < state->op.write_count; i++) {
		uint32_t index = state->indexes[i];

		state->results[index] = state->writes[i];
		state->is_settled[index] = state->writes[i].status != ST_NOT_FOUND;
		is_complete = is_complete && state->is_settled[index];
	}
	return is_complete;
}

static void on_done(struct batch_write_op *op)
{
	struct write_batch_state *state = CONTAINER_OF(op, struct write_batch_state, op);
	struct api_request *request = state->request;
	enum status status;

	request->cancel = NULL;
	if (!take_results(state) && !request->is_aborted && !request->has_synced) {
		api_request_sync(request, run_on_tables);
		return;
	}
	log_failures(state);
	status = common_status(state);
	if (status == ST_OK)
		answer(state);
	else
		api_failure_answer(request, status);
}

/* --- on the way --- */

static void cancel(struct api_request *request)
{
	struct write_batch_state *state = request->state;

	batch_write_op_cancel(&state->op);
}

static bool make_row_key(struct write_batch_state *state, uint32_t index,
			 const struct table_info *const *tables)
{
	const struct api_batch_write *write = &state->input.writes[index];
	const struct table_info *table = tables[write->table_index];
	struct batch_write *result = &state->results[index];

	result->kind = write->is_put ? ITEM_OP_PUT : ITEM_OP_DELETE;
	result->item = write->is_put ? write->item : slice_of(NULL, 0);
	if (write->is_put)
		return api_row_key_of_batch_item(state->request, table, write->item, &result->row_key);
	return api_row_key_of_key(state->request, table, write->item, &result->row_key);
}

static bool is_duplicate(const struct write_batch_state *state, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++) {
		if (slice_equal(state->results[i].row_key, state->results[index].row_key))
			return true;
	}
	return false;
}

static bool make_writes(struct write_batch_state *state, const struct table_info *const *tables)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < state->input.write_count; i++) {
		if (state->is_settled[i])
			continue;
		if (!make_row_key(state, i, tables))
			return false;
		if (is_duplicate(state, i)) {
			api_error_set(&state->request->error, API_ERROR_VALIDATION, "%s",
				      API_MESSAGE_BATCH_DUPLICATES);
			return false;
		}
		state->writes[count] = state->results[i];
		state->indexes[count++] = i;
	}
	state->op.write_count = count;
	return true;
}

static void start_op(struct write_batch_state *state)
{
	struct api_request *request = state->request;

	state->op = (struct batch_write_op){
		.writes = state->writes,
		.write_count = state->op.write_count,
		.needs_old_size = state->input.capacity != API_CAPACITY_NONE,
		.arena = request->arena,
		.done = on_done,
	};
	request->cancel = cancel;
	batch_write_op_start(request->api->options.items, &state->op);
}

/* False if one of the tables is not there. */
static bool find_tables(struct write_batch_state *state, const struct table_info **tables, bool *is_new_out)
{
	*is_new_out = false;
	for (uint32_t i = 0; i < state->input.table_count; i++) {
		tables[i] = api_request_find_usable(state->request, state->input.table_names[i]);
		if (tables[i] == NULL)
			return false;
		*is_new_out = *is_new_out || tables[i]->table_id != state->table_ids[i];
		state->table_ids[i] = tables[i]->table_id;
	}
	return true;
}

/* After a sync the tables must be there, and one of them another one than before. */
static void run_on_tables(struct api_request *request)
{
	struct write_batch_state *state = request->state;
	const struct table_info *tables[LIMIT_BATCH_WRITE_COUNT]; /* each has a write */
	bool is_new;
	bool is_found = find_tables(state, tables, &is_new);

	if (!is_found && !request->has_synced)
		api_request_sync(request, run_on_tables);
	else if (!is_found || !is_new)
		api_failure_answer(request, ST_NOT_FOUND);
	else if (make_writes(state, tables))
		start_op(state);
	else
		api_request_fail(request);
}

void api_batch_write_run(struct api_request *request)
{
	struct write_batch_state *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	request->state = state;
	if (!api_batch_write_input_read(request->http->body, request->arena, &state->input,
					&request->error)) {
		api_request_fail(request);
		return;
	}
	state->table_ids = arena_alloc_zeroed(request->arena, state->input.table_count * sizeof(uint32_t));
	if (state->table_ids == NULL)
		api_request_fail(request);
	else
		run_on_tables(request);
}
