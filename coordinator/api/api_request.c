#include "coordinator/api/api_request.h"

#include "coordinator/api/api_arn.h"
#include "coordinator/api/api_message.h"
#include "coordinator/http/http_response.h"

static const char amz_json[] = "application/x-amz-json-1.0";

const char *api_request_content_type(const struct http_request *http)
{
	const struct http_header *header = http_request_header(http, "content-type");
	size_t size = sizeof(amz_json) - 1;

	/* Parameters may follow. */
	return header != NULL && header->value.size >= size && memcmp(header->value.data, amz_json, size) == 0
		       ? amz_json
		       : "application/json";
}

struct buf *api_request_body(struct api_request *request)
{
	struct buf *body = &request->api->reply;

	buf_reset(body);
	return body;
}

static enum api_outcome outcome_of(int http_code)
{
	if (http_code < 400)
		return API_OUTCOME_OK;
	return http_code < 500 ? API_OUTCOME_USER_ERROR : API_OUTCOME_SYSTEM_ERROR;
}

static void count(const struct api_request *request, int http_code)
{
	uint64_t now_us = runtime_mono_us(request->api->options.runtime);

	metric_add(&request->operation->outcomes[outcome_of(http_code)], 1);
	histogram_record(request->operation->duration, now_us - request->started_mono_us);
}

/* The request is gone afterwards. */
static void send(struct api_request *request, int http_code)
{
	struct api *api = request->api;

	CHECK(api->request_count > 0);
	count(request, http_code);
	api->request_count--;
	http_response_send(request->http, http_code, api_request_content_type(request->http),
			   buf_slice(&api->reply), NULL, 0);
}

void api_request_fail(struct api_request *request)
{
	struct buf *body = api_request_body(request);

	api_error_set(&request->error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* if there is none */
	api_error_write(&request->error, body);
	send(request, api_error_http_code(request->error.type));
}

void api_request_fail_with_item(struct api_request *request, struct slice item)
{
	enum status status = api_error_write_item(&request->error, item, api_request_body(request));

	if (status == ST_OK && request->api->reply.status == ST_OK) {
		send(request, api_error_http_code(request->error.type));
		return;
	}
	api_error_init(&request->error);
	api_request_fail(request);
}

void api_request_fail_internal(struct api_request *request, const char *message)
{
	api_error_set(&request->error, API_ERROR_INTERNAL, "%s", message);
	api_request_fail(request);
}

void api_request_reply(struct api_request *request)
{
	if (request->api->reply.status == ST_OK)
		send(request, 200);
	else
		api_request_fail_internal(request, API_MESSAGE_INTERNAL);
}

static void cancel_sync(struct api_request *request)
{
	catalog_view_sync_cancel(&request->sync);
}

static void on_synced(struct catalog_sync *sync)
{
	struct api_request *request = CONTAINER_OF(sync, struct api_request, sync);

	request->cancel = NULL;
	request->has_synced = true;
	if (sync->status != ST_OK)
		api_request_fail_internal(request, API_MESSAGE_NO_CATALOG);
	else
		request->synced(request);
}

void api_request_sync(struct api_request *request, api_request_cb synced)
{
	request->synced = synced;
	request->cancel = cancel_sync;
	catalog_view_sync(request->api->options.view, &request->sync, API_SYNC_TIMEOUT_MS, on_synced);
}

bool api_request_name_table(struct api_request *request, struct slice given, struct slice *name_out)
{
	struct api_arn arn;

	*name_out = given;
	if (!api_arn_is_one(given))
		return true;
	if (!api_arn_parse(given, &arn) || arn.index.size > 0)
		return API_REFUSE(&request->error, API_MESSAGE_ARN_RESOURCE, given);
	if (!slice_equal(arn.region, slice_of_string(request->api->options.region)))
		return API_REFUSE(&request->error, API_MESSAGE_ARN_REGION, given);
	*name_out = arn.table;
	if (slice_equal(arn.account, slice_of_string(API_ARN_ACCOUNT)))
		return true;
	api_error_set(&request->error, API_ERROR_ACCESS_DENIED, API_MESSAGE_ARN_DENIED, API_ARN_ACCOUNT,
		      request->operation->name, (int)given.size, (const char *)given.data);
	return false;
}

const struct table_info *api_request_find_usable(struct api_request *request, struct slice given)
{
	const struct table_info *table;
	struct slice name;

	if (!api_request_name_table(request, given, &name))
		return NULL;
	table = catalog_state_table_named(&request->api->options.view->state, name);
	return table != NULL && table_info_is_named(table) && table_info_is_usable(table) ? table : NULL;
}
