#include "coordinator/api/api_change.h"

#include "coordinator/api/api_message.h"
#include "proto/wire/proto_arena.h"

enum { CHANGE_TIMEOUT_MS = 10 * 1000 };

void api_change_init(struct api_change *change, struct api_request *request)
{
	*change = (struct api_change){ .request = request };
	rng_fill(&request->api->options.runtime->rng, change->id, sizeof(change->id));
}

ProtobufCBinaryData api_change_id(struct api_change *change)
{
	return (ProtobufCBinaryData){ sizeof(change->id), change->id };
}

/* The record in the reply; the copy of the catalog shall follow soon. */
static enum status take_reply(struct api_change *change)
{
	struct api_request *request = change->request;
	ProtobufCAllocator allocator = proto_arena_allocator(request->arena);
	const Cleave__TableReply *reply = cleave__table_reply__unpack(&allocator, change->call.reply.size,
								      change->call.reply.data);

	if (reply == NULL || reply->table == NULL)
		return ST_CORRUPT;
	catalog_view_refresh(request->api->options.view, reply->catalog_version);
	return table_info_decode(reply->table, request->arena, &change->table);
}

static void on_reply(struct catalog_call *call)
{
	struct api_change *change = CONTAINER_OF(call, struct api_change, call);

	change->request->cancel = NULL;
	change->status = call->status == ST_OK ? take_reply(change) : call->status;
	change->done(change);
}

static void cancel(struct api_request *request)
{
	struct api_change *change = request->change;

	catalog_call_cancel(&change->call);
}

void api_change_start(struct api_change *change, uint16_t method, const ProtobufCMessage *message,
		      api_change_cb done)
{
	struct api_request *request = change->request;
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *body = arena_alloc(request->arena, size + 1);

	if (body == NULL) {
		api_request_fail(request);
		return;
	}
	(void)protobuf_c_message_pack(message, body); /* its size is known */
	change->done = done;
	request->change = change;
	request->cancel = cancel;
	catalog_call_start(&request->api->options.view->seeds, &change->call, method, slice_of(body, size),
			   CHANGE_TIMEOUT_MS, on_reply);
}

/* What the table is busy with, as far as the copy knows. */
static const char *occupation(const struct api_request *request, struct slice name)
{
	const struct table_info *table = catalog_state_table_named(&request->api->options.view->state, name);

	if (table != NULL && table->state == TABLE_DELETING)
		return "deleted";
	if (table != NULL && table->state == TABLE_UPDATING)
		return "updated";
	return "created";
}

static void set_error(const struct api_change *change, struct slice name)
{
	struct api_request *request = change->request;
	struct api_error *error = &request->error;

	switch (change->status) {
	case ST_EXISTS:
		api_error_set(error, API_ERROR_RESOURCE_IN_USE, API_MESSAGE_TABLE_EXISTS, (int)name.size,
			      (const char *)name.data);
		return;
	case ST_NOT_FOUND:
		api_error_set(error, API_ERROR_RESOURCE_NOT_FOUND, API_MESSAGE_TABLE_NOT_FOUND,
			      (int)name.size, (const char *)name.data);
		return;
	case ST_BUSY:
		api_error_set(error, API_ERROR_RESOURCE_IN_USE, API_MESSAGE_TABLE_IN_USE,
			      occupation(request, name), (int)name.size, (const char *)name.data);
		return;
	case ST_TOO_BIG:
		api_error_set(error, API_ERROR_LIMIT_EXCEEDED, API_MESSAGE_TABLE_LIMIT, LIMIT_TABLE_COUNT);
		return;
	case ST_DENIED:
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TABLE_PROTECTED);
		return;
	case ST_CORRUPT:
		return; /* an internal error without more words */
	case ST_UNKNOWN_OUTCOME:
	case ST_CANCELED:
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_UNKNOWN_OUTCOME);
		return;
	default:
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_NO_CATALOG);
		return;
	}
}

void api_change_fail(struct api_change *change, struct slice name)
{
	set_error(change, name);
	api_request_fail(change->request);
}
