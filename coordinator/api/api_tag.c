#include "coordinator/api/api_tag.h"

#include "coordinator/api/api_change.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_tag_input.h"
#include "proto/catalog/tag_info.h"
#include "proto/wire/methods.h"

struct tag_op {
	struct api_request *request;
	struct api_tag_input input;
	struct slice name;
	struct api_change change;
};

static void fail_not_found(struct tag_op *state)
{
	struct slice resource = state->input.resource;

	api_error_set(&state->request->error, API_ERROR_RESOURCE_NOT_FOUND, API_MESSAGE_ARN_NOT_FOUND,
		      (int)resource.size, (const char *)resource.data);
	api_request_fail(state->request);
}

/* --- changes --- */

/* The answer has no body at all. */
static void on_changed(struct api_change *change)
{
	struct tag_op *state = CONTAINER_OF(change, struct tag_op, change);
	struct api_request *request = state->request;

	if (change->status == ST_OK) {
		(void)api_request_body(request);
		api_request_reply(request);
		return;
	}
	if (change->status == ST_NOT_FOUND && state->input.put != NULL) {
		fail_not_found(state);
		return;
	}
	if (change->status == ST_NOT_FOUND)
		api_error_set(&request->error, API_ERROR_RESOURCE_NOT_FOUND, "%s", API_MESSAGE_NOT_FOUND);
	if (change->status == ST_TOO_BIG)
		api_error_set(&request->error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TAGS_LIMIT);
	api_change_fail(change, state->name);
}

static bool fill_keys(const struct api_tag_input *input, struct arena *arena,
		      Cleave__TagTableRequest *message)
{
	message->remove = arena_alloc(arena, (input->remove_count + 1) * sizeof(*message->remove));
	if (message->remove == NULL)
		return false;
	for (uint32_t i = 0; i < input->remove_count; i++) {
		uint8_t *copy = arena_copy(arena, input->remove[i]);

		if (copy == NULL)
			return false;
		message->remove[message->n_remove++] = (ProtobufCBinaryData){ input->remove[i].size, copy };
	}
	return true;
}

static void start_change(struct tag_op *state)
{
	struct arena *arena = state->request->arena;
	Cleave__TagTableRequest message = CLEAVE__TAG_TABLE_REQUEST__INIT;

	message.name = (char *)arena_alloc_zeroed(arena, state->name.size + 1);
	message.put = state->input.put;
	message.request_id = api_change_id(&state->change);
	if (message.name == NULL || !fill_keys(&state->input, arena, &message)) {
		api_request_fail(state->request);
		return;
	}
	memcpy(message.name, state->name.data, state->name.size);
	api_change_start(&state->change, METHOD_CATALOG_TAG_TABLE, &message.base, on_changed);
}

/* --- the list --- */

static void write_text(struct json_writer *writer, const char *name, const ProtobufCBinaryData *text)
{
	json_writer_member_string(writer, name, slice_of(text->data, text->len));
}

static void list_synced(struct api_request *request)
{
	struct tag_op *state = request->state;
	const struct table_info *table = catalog_state_table_named(&request->api->options.view->state,
								   state->name);
	const Cleave__TagSet *set = table == NULL ? NULL : tag_info_unpack(table->tags, request->arena);
	struct json_writer writer;

	if (table == NULL || set == NULL) {
		fail_not_found(state);
		return;
	}
	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	json_writer_key(&writer, "Tags");
	json_writer_list_start(&writer);
	for (size_t i = 0; i < set->n_tags; i++) {
		json_writer_object_start(&writer);
		write_text(&writer, "Key", &set->tags[i]->key);
		write_text(&writer, "Value", &set->tags[i]->value);
		json_writer_object_end(&writer);
	}
	json_writer_list_end(&writer);
	json_writer_object_end(&writer);
	api_request_reply(request);
}

/* --- all --- */

static void run(struct api_request *request, enum api_tag_kind kind)
{
	struct tag_op *state = arena_alloc_zeroed(request->arena, sizeof(*state));

	if (state == NULL) {
		api_request_fail(request);
		return;
	}
	state->request = request;
	request->state = state;
	api_change_init(&state->change, request);
	if (!api_tag_input_read(kind, request->http->body, request->arena, &state->input, &request->error) ||
	    !api_request_name_table(request, state->input.resource, &state->name))
		api_request_fail(request);
	else if (kind == API_TAG_LIST)
		api_request_sync(request, list_synced);
	else
		start_change(state);
}

void api_tag_resource(struct api_request *request)
{
	run(request, API_TAG);
}

void api_tag_untag_resource(struct api_request *request)
{
	run(request, API_UNTAG);
}

void api_tag_list(struct api_request *request)
{
	run(request, API_TAG_LIST);
}
