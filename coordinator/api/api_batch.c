#include "coordinator/api/api_batch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "coordinator/api/api_batch_input.h"
#include "coordinator/api/api_failure.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_row_key.h"
#include "coordinator/exec/batch_op.h"
#include "coordinator/json/json_item_write.h"
#include "proto/base/log.h"
#include "proto/model/capacity.h"

/* An answer that has grown so far takes no further item; it still has room for one, and for
 * all keys as unprocessed. */
enum { BODY_SIZE_BYTES_MAX = 20 * 1024 * 1024 };

/* A key of the request, and its place among the sorted keys of the operation. */
struct batch_item {
	uint32_t table_index;
	uint32_t key_index; /* in its table */
	uint32_t op_index;
	bool is_answered;
};

struct batch_state {
	struct api_request *request;
	struct api_batch_input input;
	uint32_t *table_ids;      /* that the row keys were made for */
	struct batch_item *items; /* in the order of the request */
	uint64_t size_bytes;      /* of the items in the answer */
	struct batch_op op;
};

static void run_on_tables(struct api_request *request);

/* --- the answer --- */

static const struct batch_key *key_of(const struct batch_state *state, const struct batch_item *item)
{
	return &state->op.keys[item->op_index];
}

static bool has_room(const struct batch_state *state, const struct json_writer *writer,
		     const struct batch_key *key)
{
	return state->size_bytes + key->size_bytes <= LIMIT_BATCH_SIZE_BYTES &&
	       writer->out->size < BODY_SIZE_BYTES_MAX;
}

static enum status write_responses_of(struct batch_state *state, uint32_t table_index,
				      struct json_writer *writer)
{
	enum status status = ST_OK;

	json_writer_name(writer, state->input.tables[table_index].name);
	json_writer_list_start(writer);
	for (uint32_t i = 0; status == ST_OK && i < state->input.key_count; i++) {
		struct batch_item *item = &state->items[i];
		const struct batch_key *key = key_of(state, item);

		if (item->table_index != table_index || key->status != ST_OK || !has_room(state, writer, key))
			continue;
		item->is_answered = true;
		if (!key->is_found)
			continue;
		state->size_bytes += key->size_bytes;
		json_writer_begin_value(writer);
		status = json_item_write(writer->out, key->item);
	}
	json_writer_list_end(writer);
	return status;
}

static enum status write_responses(struct batch_state *state, struct json_writer *writer)
{
	enum status status = ST_OK;

	json_writer_key(writer, "Responses");
	json_writer_object_start(writer);
	for (uint32_t i = 0; status == ST_OK && i < state->input.table_count; i++)
		status = write_responses_of(state, i, writer);
	json_writer_object_end(writer);
	return status;
}

static bool is_complete(const struct batch_state *state, uint32_t table_index)
{
	for (uint32_t i = 0; i < state->input.key_count; i++) {
		if (state->items[i].table_index == table_index && !state->items[i].is_answered)
			return false;
	}
	return true;
}

static void write_names(const struct json_list *names, struct json_writer *writer)
{
	const struct json_string_entry *entries = names->elements;

	json_writer_key(writer, "ExpressionAttributeNames");
	json_writer_object_start(writer);
	for (uint32_t i = 0; i < names->count; i++) {
		json_writer_name(writer, entries[i].key);
		json_writer_string(writer, entries[i].value);
	}
	json_writer_object_end(writer);
}

/* What else the table's entry had: it can be sent again as it stands. */
static void write_options(const struct api_batch_table *table, struct json_writer *writer)
{
	const struct api_expression_input *input = &table->expression_input;
	const struct slice *attributes = input->attributes_to_get.elements;

	if (table->is_consistent)
		json_writer_member_bool(writer, "ConsistentRead", true);
	if (input->projection.data != NULL)
		json_writer_member_string(writer, "ProjectionExpression", input->projection);
	if (input->names.is_set)
		write_names(&input->names, writer);
	if (!input->attributes_to_get.is_set)
		return;
	json_writer_key(writer, "AttributesToGet");
	json_writer_list_start(writer);
	for (uint32_t i = 0; i < input->attributes_to_get.count; i++)
		json_writer_string(writer, attributes[i]);
	json_writer_list_end(writer);
}

static enum status write_unprocessed_of(const struct batch_state *state, uint32_t table_index,
					struct json_writer *writer)
{
	const struct api_batch_table *table = &state->input.tables[table_index];
	enum status status = ST_OK;

	json_writer_name(writer, table->name);
	json_writer_object_start(writer);
	json_writer_key(writer, "Keys");
	json_writer_list_start(writer);
	for (uint32_t i = 0; status == ST_OK && i < state->input.key_count; i++) {
		if (state->items[i].table_index != table_index || state->items[i].is_answered)
			continue;
		json_writer_begin_value(writer);
		status = json_item_write(writer->out, table->keys[state->items[i].key_index]);
	}
	json_writer_list_end(writer);
	write_options(table, writer);
	json_writer_object_end(writer);
	return status;
}

static enum status write_unprocessed(const struct batch_state *state, struct json_writer *writer)
{
	enum status status = ST_OK;

	json_writer_key(writer, "UnprocessedKeys");
	json_writer_object_start(writer);
	for (uint32_t i = 0; status == ST_OK && i < state->input.table_count; i++) {
		if (!is_complete(state, i))
			status = write_unprocessed_of(state, i, writer);
	}
	json_writer_object_end(writer);
	return status;
}

/* Each item is rounded up by itself. */
static uint64_t half_units_of(const struct batch_state *state, uint32_t table_index)
{
	uint64_t half_units = 0;

	for (uint32_t i = 0; i < state->input.key_count; i++) {
		const struct batch_key *key = key_of(state, &state->items[i]);

		if (state->items[i].table_index == table_index && state->items[i].is_answered)
			half_units += capacity_read_half_units(key->is_found ? key->size_bytes : 0,
							       key->is_consistent ? CAPACITY_READ_STRONG
										  : CAPACITY_READ_EVENTUAL);
	}
	return half_units;
}

static void write_capacity(const struct batch_state *state, struct json_writer *writer)
{
	if (state->input.capacity == API_CAPACITY_NONE)
		return;
	json_writer_key(writer, "ConsumedCapacity");
	json_writer_list_start(writer);
	for (uint32_t i = 0; i < state->input.table_count; i++)
		api_capacity_write(writer, state->input.capacity, state->input.tables[i].name,
				   half_units_of(state, i));
	json_writer_list_end(writer);
}

static void answer(struct batch_state *state)
{
	struct api_request *request = state->request;
	struct json_writer writer;
	enum status status;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	status = write_responses(state, &writer);
	if (status == ST_OK)
		status = write_unprocessed(state, &writer);
	write_capacity(state, &writer);
	json_writer_object_end(&writer);
	if (status == ST_OK) {
		api_request_reply(request);
		return;
	}
	log_warn("batch", "bad-items", "status=%s", status_name(status));
	api_request_fail(request);
}

/* --- verdict --- */

/* If no key was read, that is the request's failure. */
static enum status common_failure(const struct batch_state *state)
{
	enum status status = state->op.keys[0].status;

	for (uint32_t i = 0; i < state->op.key_count; i++) {
		if (state->op.keys[i].status == ST_NOT_FOUND)
			return ST_NOT_FOUND; /* a table is gone */
		if (state->op.keys[i].status == ST_OK)
			status = ST_OK;
	}
	return status;
}

static void log_failures(const struct batch_state *state)
{
	uint32_t count = 0;
	enum status status = ST_OK;

	for (uint32_t i = 0; i < state->op.key_count; i++) {
		enum status own = state->op.keys[i].status;

		if (own == ST_OK || own == ST_BUSY || own == ST_CANCELED || own == ST_NOT_FOUND)
			continue;
		count++;
		status = own;
	}
	if (count > 0)
		log_warn("batch", "unread", "keys=%" PRIu32 " of=%" PRIu32 " status=%s", count,
			 state->op.key_count, status_name(status));
}

static void on_done(struct batch_op *op)
{
	struct batch_state *state = CONTAINER_OF(op, struct batch_state, op);
	struct api_request *request = state->request;
	enum status status = common_failure(state);

	request->cancel = NULL;
	log_failures(state);
	if (status == ST_OK)
		answer(state);
	else if (status == ST_NOT_FOUND && !request->is_aborted && !request->has_synced)
		api_request_sync(request, run_on_tables);
	else
		api_failure_answer(request, status);
}

/* --- on the way --- */

static void cancel(struct api_request *request)
{
	struct batch_state *state = request->state;

	batch_op_cancel(&state->op);
}

static int compare_keys(const void *a, const void *b)
{
	return slice_compare(((const struct batch_key *)a)->row_key, ((const struct batch_key *)b)->row_key);
}

/* The keys of all tables, sorted, and where each of the request's went. */
static bool make_keys(struct batch_state *state, const struct table_info *const *tables)
{
	const struct api_batch_input *input = &state->input;
	struct batch_key *keys = arena_alloc_zeroed(state->request->arena, input->key_count * sizeof(*keys));
	uint32_t count = 0;

	if (keys == NULL)
		return false;
	for (uint32_t t = 0; t < input->table_count; t++) {
		if (!api_expression_check_projection(&input->tables[t].expressions, &tables[t]->schema,
						     tables[t]->indexes, &state->request->error))
			return false;
		for (uint32_t k = 0; k < input->tables[t].key_count; k++) {
			if (!api_row_key_of_key(state->request, tables[t], input->tables[t].keys[k],
						&keys[count].row_key))
				return false;
			keys[count].table_id = tables[t]->table_id;
			keys[count].is_consistent = input->tables[t].is_consistent;
			keys[count].projection = input->tables[t].expressions.projection;
			keys[count].request_index = count;
			state->items[count] = (struct batch_item){ .table_index = t, .key_index = k };
			count++;
		}
	}
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < count; i++)
		state->items[keys[i].request_index].op_index = i;
	state->op.keys = keys;
	state->op.key_count = count;
	return true;
}

static void start_op(struct batch_state *state)
{
	struct api_request *request = state->request;

	state->op = (struct batch_op){
		.keys = state->op.keys,
		.key_count = state->op.key_count,
		.size_bytes_max = LIMIT_BATCH_SIZE_BYTES,
		.arena = request->arena,
		.done = on_done,
	};
	request->cancel = cancel;
	batch_op_start(request->api->options.items, &state->op);
}

/* False if one of the tables is not there. */
static bool find_tables(struct batch_state *state, const struct table_info **tables, bool *is_new_out)
{
	*is_new_out = false;
	for (uint32_t i = 0; i < state->input.table_count; i++) {
		tables[i] = api_request_find_usable(state->request, state->input.tables[i].name);
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
	struct batch_state *state = request->state;
	const struct table_info *tables[LIMIT_BATCH_GET_COUNT];
	bool is_new;
	bool is_found = find_tables(state, tables, &is_new);

	if (!is_found && !request->has_synced)
		api_request_sync(request, run_on_tables);
	else if (!is_found || !is_new)
		api_failure_answer(request, ST_NOT_FOUND);
	else if (make_keys(state, tables))
		start_op(state);
	else
		api_request_fail(request);
}

void api_batch_get(struct api_request *request)
{
	struct batch_state *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	request->state = state;
	if (!api_batch_input_read(request->http->body, request->arena, &state->input, &request->error)) {
		api_request_fail(request);
		return;
	}
	state->table_ids = arena_alloc_zeroed(request->arena, state->input.table_count * sizeof(uint32_t));
	state->items = arena_alloc_zeroed(request->arena, state->input.key_count * sizeof(*state->items));
	if (state->table_ids == NULL || state->items == NULL)
		api_request_fail(request);
	else
		run_on_tables(request);
}
