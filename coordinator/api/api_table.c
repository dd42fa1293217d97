#include "coordinator/api/api_table.h"

#include "coordinator/api/api_change.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_table_update.h"
#include "coordinator/api/api_table_write.h"
#include "proto/catalog/index_info.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_borrow.h"

enum { UPDATE_ATTEMPTS_MAX = 10 };

struct table_op {
	struct api_request *request;
	struct slice name;
	struct api_table_input input; /* CreateTable, UpdateTable */
	struct api_list_input list;   /* ListTables */
	struct table_info table;      /* CreateTable, UpdateTable: as it shall be */
	struct api_change change;
	struct api_table_count count; /* DescribeTable */
	uint32_t attempt_count;       /* UpdateTable */
};

static struct table_op *make_state(struct api_request *request)
{
	struct table_op *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->request = request;
	request->state = state;
	api_change_init(&state->change, request);
	return state;
}

static const struct catalog_state *catalog(const struct api_request *request)
{
	return &request->api->options.view->state;
}

static void fail_not_found(struct api_request *request, struct slice name)
{
	api_error_set(&request->error, API_ERROR_RESOURCE_NOT_FOUND, API_MESSAGE_TABLE_NOT_FOUND,
		      (int)name.size, (const char *)name.data);
	api_request_fail(request);
}

/* --- the answer --- */

static void reply_table(struct api_request *request, const char *name, const struct table_info *table)
{
	const struct table_op *state = request->state;
	struct json_writer writer;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	api_table_write(&writer, name, table, state->count.reply, request->api->options.region);
	json_writer_object_end(&writer);
	api_request_reply(request);
}

static void answer_change(struct api_change *change)
{
	struct table_op *state = CONTAINER_OF(change, struct table_op, change);

	if (change->status == ST_OK)
		reply_table(state->request, "TableDescription", &change->table);
	else
		api_change_fail(change, state->name);
}

/* --- create --- */

static void fill_new_table(const struct table_op *state, struct table_info *table)
{
	const struct api_table_input *input = &state->input;

	*table = (struct table_info){
		.schema = input->schema,
		.is_on_demand = input->is_on_demand,
		.read_units = input->is_on_demand ? input->read_maximum.units : input->read_units,
		.write_units = input->is_on_demand ? input->write_maximum.units : input->write_units,
		.deletion_protection = input->deletion_protection == JSON_TRUE,
		.is_encrypted = input->encryption == JSON_TRUE,
		.tags = input->tags,
		.indexes = input->indexes,
	};
	memcpy(table->name, state->name.data, state->name.size);
	if (input->table_class.size > 0)
		memcpy(table->table_class, input->table_class.data, input->table_class.size);
	if (input->encryption_key.size > 0)
		memcpy(table->kms_key, input->encryption_key.data, input->encryption_key.size);
}

void api_table_create(struct api_request *request)
{
	struct table_op *state = make_state(request);
	Cleave__CreateTableRequest message;

	if (state == NULL ||
	    !api_table_input_create(request->http->body, request->arena, &state->input, &request->error) ||
	    !api_request_name_table(request, state->input.name, &state->name)) {
		api_request_fail(request);
		return;
	}
	fill_new_table(state, &state->table);
	cleave__create_table_request__init(&message);
	message.table = table_info_encode(&state->table, request->arena);
	message.request_id = api_change_id(&state->change);
	if (message.table == NULL)
		api_request_fail(request);
	else
		api_change_start(&state->change, METHOD_CATALOG_CREATE_TABLE, &message.base, answer_change);
}

/* --- update --- */

static void update_synced(struct api_request *request);

static void on_updated(struct api_change *change)
{
	struct table_op *state = CONTAINER_OF(change, struct table_op, change);
	struct api_request *request = state->request;

	/* Another update came between: apply the input to what it left. */
	if (change->status == ST_CONDITION_FAILED && ++state->attempt_count < UPDATE_ATTEMPTS_MAX) {
		api_request_sync(request, update_synced);
		return;
	}
	if (change->status == ST_TOO_BIG)
		api_error_set(&request->error, API_ERROR_LIMIT_EXCEEDED, "%s", API_MESSAGE_INDEX_ONE_ONLINE);
	answer_change(change);
}

static char *name_of(struct slice name, struct arena *arena)
{
	char *text = arena_alloc_zeroed(arena, name.size + 1);

	if (text != NULL)
		memcpy(text, name.data, name.size);
	return text;
}

static bool fill_update(struct table_op *state, Cleave__UpdateTableRequest *message)
{
	const struct api_index_updates *updates = &state->input.index_updates;
	struct arena *arena = state->request->arena;

	message->table = table_info_encode(&state->table, arena);
	if (updates->create_count > 0)
		message->create_index = index_info_encode(updates->create, arena);
	if (updates->delete_count > 0)
		message->delete_index = name_of(updates->delete_name, arena);
	return message->table != NULL && (updates->create_count == 0 || message->create_index != NULL) &&
	       message->delete_index != NULL;
}

static void update_synced(struct api_request *request)
{
	struct table_op *state = request->state;
	const struct table_info *table = catalog_state_table_named(catalog(request), state->name);
	Cleave__UpdateTableRequest message;

	if (table == NULL) {
		fail_not_found(request, state->name);
		return;
	}
	state->table = *table;
	cleave__update_table_request__init(&message);
	message.request_id = api_change_id(&state->change);
	if (api_table_update_apply(&state->input, request->arena, &state->table, &request->error) &&
	    fill_update(state, &message))
		api_change_start(&state->change, METHOD_CATALOG_UPDATE_TABLE, &message.base, on_updated);
	else
		api_request_fail(request);
}

void api_table_update(struct api_request *request)
{
	struct table_op *state = make_state(request);

	if (state != NULL &&
	    api_table_input_update(request->http->body, request->arena, &state->input, &request->error) &&
	    api_request_name_table(request, state->input.name, &state->name))
		api_request_sync(request, update_synced);
	else
		api_request_fail(request);
}

/* --- delete --- */

static void delete_synced(struct api_request *request)
{
	struct table_op *state = request->state;
	const struct table_info *table = catalog_state_table_named(catalog(request), state->name);
	Cleave__DeleteTableRequest message;

	if (table == NULL) {
		fail_not_found(request, state->name);
		return;
	}
	if (table->deletion_protection) {
		state->change.status = ST_DENIED;
		api_change_fail(&state->change, state->name);
		return;
	}
	cleave__delete_table_request__init(&message);
	message.name = proto_borrow_text(table->name);
	message.request_id = api_change_id(&state->change);
	api_change_start(&state->change, METHOD_CATALOG_DELETE_TABLE, &message.base, answer_change);
}

/* DeleteTable and DescribeTable: read the name, sync, then run. */
static void run_on_name(struct api_request *request, const char *java_name, api_request_cb synced)
{
	struct table_op *state = make_state(request);
	struct slice given;

	if (state != NULL &&
	    api_table_input_name(java_name, request->http->body, request->arena, &given, &request->error) &&
	    api_request_name_table(request, given, &state->name))
		api_request_sync(request, synced);
	else
		api_request_fail(request);
}

void api_table_delete(struct api_request *request)
{
	run_on_name(request, "DeleteTableInput", delete_synced);
}

/* --- reads --- */

static void on_counted(struct api_table_count *count)
{
	struct table_op *state = CONTAINER_OF(count, struct table_op, count);
	struct api_request *request = state->request;
	const struct table_info *table = catalog_state_table_named(catalog(request), state->name);

	if (table == NULL)
		fail_not_found(request, state->name);
	else
		reply_table(request, "Table", table);
}

static void describe_synced(struct api_request *request)
{
	struct table_op *state = request->state;
	const struct table_info *table = catalog_state_table_named(catalog(request), state->name);

	if (table == NULL)
		fail_not_found(request, state->name);
	else
		api_table_count_start(&state->count, request, table, on_counted);
}

void api_table_describe(struct api_request *request)
{
	run_on_name(request, "DescribeTableInput", describe_synced);
}

/* The next table that clients made, from *index on, which becomes its own; NULL: none. */
static const struct table_info *next_named(const struct catalog_state *state, size_t *index)
{
	const struct table_info *table = catalog_state_table_at(state, *index);

	while (table != NULL && !table_info_is_named(table))
		table = catalog_state_table_at(state, ++*index);
	return table;
}

static void list_synced(struct api_request *request)
{
	struct table_op *state = request->state;
	struct slice start_after = state->list.start_after;
	size_t index = start_after.data == NULL ? 0
						: catalog_state_table_after(catalog(request), start_after);
	const struct table_info *next = next_named(catalog(request), &index);
	const struct table_info *last = NULL;
	struct json_writer writer;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	json_writer_key(&writer, "TableNames");
	json_writer_list_start(&writer);
	for (uint32_t count = 0; count < state->list.limit && next != NULL; count++) {
		json_writer_string(&writer, slice_of_string(next->name));
		last = next;
		index++;
		next = next_named(catalog(request), &index);
	}
	json_writer_list_end(&writer);
	if (last != NULL && next != NULL)
		json_writer_member_text(&writer, "LastEvaluatedTableName", last->name);
	json_writer_object_end(&writer);
	api_request_reply(request);
}

void api_table_list(struct api_request *request)
{
	struct table_op *state = make_state(request);

	if (state != NULL &&
	    api_table_input_list(request->http->body, request->arena, &state->list, &request->error))
		api_request_sync(request, list_synced);
	else
		api_request_fail(request);
}
