#include "coordinator/api/api_batch_write.h"

#include <inttypes.h>

#include "coordinator/api/api_batch_write_input.h"
#include "coordinator/api/api_collection.h"
#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_index_key.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_row_key.h"
#include "coordinator/exec/batch_write_op.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"

/* What is remembered of a table that row keys were made for. */
struct batch_table {
	uint32_t table_id; /* 0: none yet */
	struct slice partition_key_name;
	bool is_measured;
};

struct write_batch_state {
	struct api_request *request;
	struct api_batch_write_input input;
	struct batch_table *tables;
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

static bool is_written(const struct write_batch_state *state, uint32_t index, uint32_t table_index)
{
	return state->input.writes[index].table_index == table_index && state->results[index].status == ST_OK;
}

/* To the entry of its index, which may be a new one: there is room. */
static void add_index_units(struct api_capacity_arm *arms, uint32_t *count,
			    const Cleave__IndexWriteUnits *units)
{
	struct slice name = slice_of_string(units->index_name);
	uint32_t at = 0;

	while (at < *count && !slice_equal(arms[at].index_name, name))
		at++;
	if (at == *count)
		arms[(*count)++] = (struct api_capacity_arm){ name, units->is_local, 0 };
	arms[at].half_units += 2 * (uint64_t)units->units;
}

/* Each write is rounded up by itself.  False: no memory. */
static bool take_use(const struct write_batch_state *state, uint32_t table_index,
		     struct api_capacity_use *use_out)
{
	struct api_capacity_arm *arms;
	size_t unit_count = 0;

	*use_out = (struct api_capacity_use){ .table_name = state->input.table_names[table_index] };
	for (uint32_t i = 0; i < state->input.write_count; i++)
		unit_count += is_written(state, i, table_index) ? state->results[i].index_unit_count : 0;
	arms = arena_alloc(state->request->arena, (unit_count + 1) * sizeof(*arms));
	if (arms == NULL)
		return false;
	use_out->arms = arms;
	for (uint32_t i = 0; i < state->input.write_count; i++) {
		const struct batch_write *result = &state->results[i];

		if (!is_written(state, i, table_index))
			continue;
		use_out->half_units += capacity_write_half_units(result->old_size_bytes,
								 result->new_size_bytes, false);
		for (size_t k = 0; k < result->index_unit_count; k++)
			add_index_units(arms, &use_out->arm_count, result->index_units[k]);
	}
	return true;
}

static enum status write_capacity(const struct write_batch_state *state, struct json_writer *writer)
{
	struct api_capacity_use use;

	if (state->input.capacity == API_CAPACITY_NONE)
		return ST_OK;
	json_writer_key(writer, "ConsumedCapacity");
	json_writer_list_start(writer);
	for (uint32_t i = 0; i < state->input.table_count; i++) {
		if (!take_use(state, i, &use))
			return ST_NO_MEMORY;
		api_capacity_write_use(writer, state->input.capacity, &use);
	}
	json_writer_list_end(writer);
	return ST_OK;
}

/* Does a later write tell of the same collection?  It knows better. */
static bool is_told_later(const struct write_batch_state *state, uint32_t index)
{
	uint32_t table_index = state->input.writes[index].table_index;
	struct slice name = state->tables[table_index].partition_key_name;
	struct item_value own;
	struct item_value other;

	if (!item_find(state->input.writes[index].item, name, &own))
		return false;
	for (uint32_t i = index + 1; i < state->input.write_count; i++) {
		if (is_written(state, i, table_index) &&
		    item_find(state->input.writes[i].item, name, &other) &&
		    slice_equal(own.encoded, other.encoded))
			return true;
	}
	return false;
}

static enum status write_metrics_of(const struct write_batch_state *state, uint32_t table_index,
				    struct json_writer *writer)
{
	enum status status = ST_OK;
	bool is_any = false;

	for (uint32_t i = 0; status == ST_OK && i < state->input.write_count; i++) {
		if (!is_written(state, i, table_index) || is_told_later(state, i))
			continue;
		if (!is_any) {
			json_writer_name(writer, state->input.table_names[table_index]);
			json_writer_list_start(writer);
		}
		is_any = true;
		status = api_collection_write(writer, state->tables[table_index].partition_key_name,
					      state->input.writes[i].item,
					      state->results[i].collection_size_bytes);
	}
	if (is_any)
		json_writer_list_end(writer);
	return status;
}

static bool is_any_measured(const struct write_batch_state *state)
{
	bool is_any = false;

	for (uint32_t i = 0; i < state->input.table_count; i++)
		is_any = is_any || state->tables[i].is_measured;
	return is_any && state->input.wants_metrics;
}

static enum status write_metrics(const struct write_batch_state *state, struct json_writer *writer)
{
	enum status status = ST_OK;

	if (!is_any_measured(state))
		return ST_OK;
	json_writer_key(writer, "ItemCollectionMetrics");
	json_writer_object_start(writer);
	for (uint32_t i = 0; status == ST_OK && i < state->input.table_count; i++) {
		if (state->tables[i].is_measured)
			status = write_metrics_of(state, i, writer);
	}
	json_writer_object_end(writer);
	return status;
}

static void answer(struct write_batch_state *state)
{
	struct api_request *request = state->request;
	struct json_writer writer;
	enum status status;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	status = write_unprocessed(state, &writer);
	if (status == ST_OK)
		status = write_capacity(state, &writer);
	if (status == ST_OK)
		status = write_metrics(state, &writer);
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

/* A put that a replica with newer indexes does not take, or for which there is no room. */
static void answer_refused(struct write_batch_state *state)
{
	const struct batch_write *refused = &state->results[0];
	struct api_error *error = &state->request->error;

	while (refused->status != ST_REFUSED)
		refused++; /* it is why we are here */
	if (refused->is_collection_full)
		api_error_set(error, API_ERROR_COLLECTION_SIZE, "%s", API_MESSAGE_COLLECTION_SIZE);
	else if (refused->refused_index_key != NULL)
		api_index_key_refused(refused->refused_index_key, false, error);
	api_request_fail(state->request);
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
	else if (status == ST_REFUSED)
		answer_refused(state);
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
	if (!write->is_put)
		return api_row_key_of_key(state->request, table, write->item, &result->row_key);
	return api_row_key_of_batch_item(state->request, table, write->item, &result->row_key) &&
	       api_index_key_check(table->indexes, write->item, &state->request->error);
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
		.needs_collection_size = is_any_measured(state),
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
		*is_new_out = *is_new_out || tables[i]->table_id != state->tables[i].table_id;
	}
	return true;
}

/* What the answer needs to know of them; they may be gone by then. */
static bool take_tables(struct write_batch_state *state, const struct table_info *const *tables)
{
	for (uint32_t i = 0; i < state->input.table_count; i++) {
		struct slice name = key_attribute_name(table_schema_partition_key(&tables[i]->schema));
		uint8_t *copy = arena_copy(state->request->arena, name);

		if (copy == NULL)
			return false;
		state->tables[i] = (struct batch_table){ tables[i]->table_id, slice_of(copy, name.size),
							 api_collection_is_measured(tables[i]->indexes) };
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
	else if (take_tables(state, tables) && make_writes(state, tables))
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
	state->tables = arena_alloc_zeroed(request->arena, state->input.table_count * sizeof(*state->tables));
	if (state->tables == NULL)
		api_request_fail(request);
	else
		run_on_tables(request);
}
