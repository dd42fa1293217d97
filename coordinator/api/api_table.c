#include "coordinator/api/api_table.h"

#include "coordinator/api/api_message.h"
#include "coordinator/api/api_table_input.h"
#include "coordinator/api/api_table_write.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

enum { REQUEST_ID_SIZE = 16, CHANGE_TIMEOUT_MS = 10 * 1000, UPDATE_ATTEMPTS_MAX = 10 };

struct table_op {
	struct api_request *request;
	struct slice name;
	struct api_table_input input; /* UpdateTable */
	struct api_list_input list;   /* ListTables */
	struct table_info table;      /* CreateTable, UpdateTable: as it shall be */
	uint8_t request_id[REQUEST_ID_SIZE];
	struct catalog_call call;
	uint32_t attempt_count; /* UpdateTable */
};

static void update_synced(struct api_request *request);

static struct table_op *make_state(struct api_request *request)
{
	struct table_op *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->request = request;
	request->state = state;
	rng_fill(&request->api->options.runtime->rng, state->request_id, sizeof(state->request_id));
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
	struct json_writer writer;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	api_table_write(&writer, name, table, request->api->options.region);
	json_writer_object_end(&writer);
	api_request_reply(request);
}

/* What the table is busy with, as far as the copy knows. */
static const char *occupation(const struct api_request *request, struct slice name)
{
	const struct table_info *table = catalog_state_table_named(catalog(request), name);

	if (table != NULL && table->state == TABLE_DELETING)
		return "deleted";
	if (table != NULL && table->state == TABLE_UPDATING)
		return "updated";
	return "created";
}

static void fail_change(struct table_op *state, enum status status)
{
	struct api_request *request = state->request;
	int size = (int)state->name.size;
	const char *name = (const char *)state->name.data;

	switch (status) {
	case ST_EXISTS:
		api_error_set(&request->error, API_ERROR_RESOURCE_IN_USE, API_MESSAGE_TABLE_EXISTS, size,
			      name);
		break;
	case ST_NOT_FOUND:
		fail_not_found(request, state->name);
		return;
	case ST_BUSY:
		api_error_set(&request->error, API_ERROR_RESOURCE_IN_USE, API_MESSAGE_TABLE_IN_USE,
			      occupation(request, state->name), size, name);
		break;
	case ST_TOO_BIG:
		api_error_set(&request->error, API_ERROR_LIMIT_EXCEEDED, API_MESSAGE_TABLE_LIMIT,
			      LIMIT_TABLE_COUNT);
		break;
	case ST_DENIED:
		api_error_set(&request->error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TABLE_PROTECTED);
		break;
	case ST_UNKNOWN_OUTCOME:
	case ST_CANCELED:
		api_error_set(&request->error, API_ERROR_INTERNAL, "%s", API_MESSAGE_UNKNOWN_OUTCOME);
		break;
	default:
		api_error_set(&request->error, API_ERROR_INTERNAL, "%s", API_MESSAGE_NO_CATALOG);
		break;
	}
	api_request_fail(request);
}

/* --- a change --- */

static void on_changed(struct catalog_call *call)
{
	struct table_op *state = CONTAINER_OF(call, struct table_op, call);
	struct api_request *request = state->request;
	ProtobufCAllocator allocator = proto_arena_allocator(request->arena);
	const Cleave__TableReply *reply;

	request->cancel = NULL;
	/* Another update came between: apply the input to what it left. */
	if (call->status == ST_CONDITION_FAILED && ++state->attempt_count < UPDATE_ATTEMPTS_MAX) {
		api_request_sync(request, update_synced);
		return;
	}
	if (call->status != ST_OK) {
		fail_change(state, call->status);
		return;
	}
	reply = cleave__table_reply__unpack(&allocator, call->reply.size, call->reply.data);
	if (reply == NULL || reply->table == NULL ||
	    table_info_decode(reply->table, request->arena, &state->table) != ST_OK) {
		api_request_fail(request);
		return;
	}
	catalog_view_refresh(request->api->options.view, reply->catalog_version);
	reply_table(request, "TableDescription", &state->table);
}

static void cancel_change(struct api_request *request)
{
	struct table_op *state = request->state;

	catalog_call_cancel(&state->call);
}

/* Send a packed message; the call copies it. */
static void start_change(struct table_op *state, uint16_t method, const ProtobufCMessage *message)
{
	struct api_request *request = state->request;
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *body = arena_alloc(request->arena, size + 1);

	if (body == NULL) {
		api_request_fail(request);
		return;
	}
	(void)protobuf_c_message_pack(message, body); /* its size is known */
	request->cancel = cancel_change;
	catalog_call_start(&request->api->options.view->seeds, &state->call, method, slice_of(body, size),
			   CHANGE_TIMEOUT_MS, on_changed);
}

static ProtobufCBinaryData request_id(struct table_op *state)
{
	return (ProtobufCBinaryData){ sizeof(state->request_id), state->request_id };
}

static void fill_new_table(const struct api_table_input *input, struct table_info *table)
{
	*table = (struct table_info){
		.schema = input->schema,
		.is_on_demand = input->is_on_demand,
		.read_units = input->read_units,
		.write_units = input->write_units,
		.deletion_protection = input->deletion_protection == JSON_TRUE,
	};
	memcpy(table->name, input->name.data, input->name.size);
	if (input->table_class.data != NULL)
		memcpy(table->table_class, input->table_class.data, input->table_class.size);
}

void api_table_create(struct api_request *request)
{
	struct table_op *state = make_state(request);
	Cleave__CreateTableRequest message;

	if (state == NULL ||
	    !api_table_input_create(request->http->body, request->arena, &state->input, &request->error)) {
		api_request_fail(request);
		return;
	}
	state->name = state->input.name;
	fill_new_table(&state->input, &state->table);
	cleave__create_table_request__init(&message);
	message.table = table_info_encode(&state->table, request->arena);
	message.request_id = request_id(state);
	if (message.table == NULL)
		api_request_fail(request);
	else
		start_change(state, METHOD_CATALOG_CREATE_TABLE, &message.base);
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
	message.request_id = request_id(state);
	if (api_table_input_apply(&state->input, &state->table, &request->error))
		message.table = table_info_encode(&state->table, request->arena);
	if (message.table == NULL)
		api_request_fail(request);
	else
		start_change(state, METHOD_CATALOG_UPDATE_TABLE, &message.base);
}

void api_table_update(struct api_request *request)
{
	struct table_op *state = make_state(request);

	if (state == NULL ||
	    !api_table_input_update(request->http->body, request->arena, &state->input, &request->error)) {
		api_request_fail(request);
		return;
	}
	state->name = state->input.name;
	api_request_sync(request, update_synced);
}

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
		fail_change(state, ST_DENIED);
		return;
	}
	cleave__delete_table_request__init(&message);
	message.name = (char *)(uintptr_t)table->name;
	message.request_id = request_id(state);
	start_change(state, METHOD_CATALOG_DELETE_TABLE, &message.base);
}

void api_table_delete(struct api_request *request)
{
	struct table_op *state = make_state(request);

	if (state == NULL || !api_table_input_name("DeleteTableInput", request->http->body, request->arena,
						   &state->name, &request->error)) {
		api_request_fail(request);
		return;
	}
	api_request_sync(request, delete_synced);
}

/* --- reads --- */

static void describe_synced(struct api_request *request)
{
	struct table_op *state = request->state;
	const struct table_info *table = catalog_state_table_named(catalog(request), state->name);

	if (table == NULL)
		fail_not_found(request, state->name);
	else
		reply_table(request, "Table", table);
}

void api_table_describe(struct api_request *request)
{
	struct table_op *state = make_state(request);

	if (state == NULL || !api_table_input_name("DescribeTableInput", request->http->body, request->arena,
						   &state->name, &request->error)) {
		api_request_fail(request);
		return;
	}
	api_request_sync(request, describe_synced);
}

/* The next table that clients can name, from *index on; NULL at the end. */
static const struct table_info *next_named(const struct api_request *request, size_t *index)
{
	const struct table_info *table;

	do {
		table = catalog_state_table_at(catalog(request), (*index)++);
	} while (table != NULL && !table_info_is_named(table));
	return table;
}

static void list_synced(struct api_request *request)
{
	struct table_op *state = request->state;
	struct slice start_after = state->list.start_after;
	size_t index = start_after.data == NULL ? 0
						: catalog_state_table_after(catalog(request), start_after);
	const struct table_info *next = next_named(request, &index);
	const struct table_info *table = NULL;
	struct json_writer writer;

	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	json_writer_key(&writer, "TableNames");
	json_writer_list_start(&writer);
	for (uint32_t count = 0; next != NULL && count < state->list.limit; count++) {
		table = next;
		json_writer_string(&writer, slice_of_string(table->name));
		next = next_named(request, &index);
	}
	json_writer_list_end(&writer);
	if (table != NULL && next != NULL)
		json_writer_member_text(&writer, "LastEvaluatedTableName", table->name);
	json_writer_object_end(&writer);
	api_request_reply(request);
}

void api_table_list(struct api_request *request)
{
	struct table_op *state = make_state(request);

	if (state == NULL ||
	    !api_table_input_list(request->http->body, request->arena, &state->list, &request->error)) {
		api_request_fail(request);
		return;
	}
	api_request_sync(request, list_synced);
}
