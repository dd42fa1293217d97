#include "coordinator/api/api_dispatch.h"

#include "coordinator/api/api_batch.h"
#include "coordinator/api/api_batch_write.h"
#include "coordinator/api/api_item.h"
#include "coordinator/api/api_item_write.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_query.h"
#include "coordinator/api/api_service.h"
#include "coordinator/api/api_table.h"
#include "coordinator/api/api_tag.h"
#include "coordinator/http/http_response.h"
#include "coordinator/json/json_reader.h"

enum { US_PER_S = 1000 * 1000, REPLY_SIZE_MAX = 32 * 1024 * 1024 };

static const char target_prefix[] = "DynamoDB_20120810.";

#define OUTCOME(operation, outcome)                                                                          \
	{                                                                                                    \
		.name = "cleave_coordinator_requests_total",                                                 \
		.labels = "operation=\"" operation "\",outcome=\"" outcome "\"",                             \
		.help = "API requests that passed the signature check.", .kind = METRIC_COUNTER              \
	}
#define OUTCOMES(operation)                                                                                  \
	{                                                                                                    \
		OUTCOME(operation, "ok"), OUTCOME(operation, "user_error"),                                  \
			OUTCOME(operation, "system_error")                                                   \
	}
#define DURATION(operation)                                                                                  \
	{                                                                                                    \
		.name = "cleave_coordinator_request_seconds", .labels = "operation=\"" operation "\"",       \
		.help = "From the signature check to the answer."                                            \
	}

static struct metric outcomes[][API_OUTCOME_COUNT] = {
	OUTCOMES("BatchGetItem"),
	OUTCOMES("BatchWriteItem"),
	OUTCOMES("CreateTable"),
	OUTCOMES("DeleteItem"),
	OUTCOMES("DeleteTable"),
	OUTCOMES("DescribeEndpoints"),
	OUTCOMES("DescribeLimits"),
	OUTCOMES("DescribeTable"),
	OUTCOMES("GetItem"),
	OUTCOMES("ListTables"),
	OUTCOMES("ListTagsOfResource"),
	OUTCOMES("PutItem"),
	OUTCOMES("Query"),
	OUTCOMES("Scan"),
	OUTCOMES("TagResource"),
	OUTCOMES("UntagResource"),
	OUTCOMES("UpdateItem"),
	OUTCOMES("UpdateTable"),
};
static struct histogram durations[] = {
	DURATION("BatchGetItem"),
	DURATION("BatchWriteItem"),
	DURATION("CreateTable"),
	DURATION("DeleteItem"),
	DURATION("DeleteTable"),
	DURATION("DescribeEndpoints"),
	DURATION("DescribeLimits"),
	DURATION("DescribeTable"),
	DURATION("GetItem"),
	DURATION("ListTables"),
	DURATION("ListTagsOfResource"),
	DURATION("PutItem"),
	DURATION("Query"),
	DURATION("Scan"),
	DURATION("TagResource"),
	DURATION("UntagResource"),
	DURATION("UpdateItem"),
	DURATION("UpdateTable"),
};

/* In the order of the metrics above. */
static const struct api_operation operations[] = {
	{ "BatchGetItem", api_batch_get, outcomes[0], &durations[0] },
	{ "BatchWriteItem", api_batch_write_run, outcomes[1], &durations[1] },
	{ "CreateTable", api_table_create, outcomes[2], &durations[2] },
	{ "DeleteItem", api_item_write_delete, outcomes[3], &durations[3] },
	{ "DeleteTable", api_table_delete, outcomes[4], &durations[4] },
	{ "DescribeEndpoints", api_service_describe_endpoints, outcomes[5], &durations[5] },
	{ "DescribeLimits", api_service_describe_limits, outcomes[6], &durations[6] },
	{ "DescribeTable", api_table_describe, outcomes[7], &durations[7] },
	{ "GetItem", api_item_get, outcomes[8], &durations[8] },
	{ "ListTables", api_table_list, outcomes[9], &durations[9] },
	{ "ListTagsOfResource", api_tag_list, outcomes[10], &durations[10] },
	{ "PutItem", api_item_write_put, outcomes[11], &durations[11] },
	{ "Query", api_query_query, outcomes[12], &durations[12] },
	{ "Scan", api_query_scan, outcomes[13], &durations[13] },
	{ "TagResource", api_tag_resource, outcomes[14], &durations[14] },
	{ "UntagResource", api_tag_untag_resource, outcomes[15], &durations[15] },
	{ "UpdateItem", api_item_write_update, outcomes[16], &durations[16] },
	{ "UpdateTable", api_table_update, outcomes[17], &durations[17] },
};

_Static_assert(ARRAY_COUNT(operations) == ARRAY_COUNT(outcomes), "one row of counters for each operation");
_Static_assert(ARRAY_COUNT(operations) == ARRAY_COUNT(durations), "one histogram for each operation");

static struct metric refused = {
	.name = "cleave_coordinator_requests_refused_total",
	.help = "Requests whose target or signature was refused.",
	.kind = METRIC_COUNTER,
};

void api_init(struct api *api, const struct api_options *options)
{
	*api = (struct api){ .options = *options };
	buf_init(&api->reply, REPLY_SIZE_MAX);
	buf_init(&api->row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	metrics_register(&refused);
	for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
		for (size_t outcome = 0; outcome < API_OUTCOME_COUNT; outcome++)
			metrics_register(&outcomes[i][outcome]);
		metrics_register_histogram(&durations[i]);
	}
}

void api_close(struct api *api)
{
	CHECK(api->request_count == 0);
	buf_close(&api->reply);
	buf_close(&api->row_key);
}

/* --- the gates --- */

/* Without parameters: "application/json; charset=utf-8" is application/json. */
static struct slice media_type(const struct http_request *http)
{
	const struct http_header *header = http_request_header(http, "content-type");
	struct slice value = header == NULL ? slice_of(NULL, 0) : header->value;
	const uint8_t *semicolon = value.size == 0 ? NULL : memchr(value.data, ';', value.size);

	if (semicolon != NULL)
		value.size = (size_t)(semicolon - value.data);
	while (value.size > 0 && value.data[value.size - 1] == ' ')
		value.size--;
	return value;
}

static bool is_for_us(const struct http_request *http)
{
	struct slice type = media_type(http);

	/* What has no body needs no type. */
	return http->body.size == 0 || slice_equal(type, slice_of_string("application/x-amz-json-1.0")) ||
	       slice_equal(type, slice_of_string("application/json"));
}

static const struct api_operation *find_operation(const struct http_request *http)
{
	const struct http_header *target = http_request_header(http, "x-amz-target");
	size_t prefix_size = sizeof(target_prefix) - 1;
	struct slice name;

	if (target == NULL || target->value.size <= prefix_size ||
	    memcmp(target->value.data, target_prefix, prefix_size) != 0)
		return NULL;
	name = slice_of(target->value.data + prefix_size, target->value.size - prefix_size);
	for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
		if (slice_equal(name, slice_of_string(operations[i].name)))
			return &operations[i];
	}
	return NULL;
}

static void refuse(struct api *api, struct http_request *http, int http_code)
{
	metric_add(&refused, 1);
	http_response_send(http, http_code, api_request_content_type(http), buf_slice(&api->reply), NULL, 0);
}

/* A body that is no JSON is told before the operation that is none. */
static void read_anything(struct http_request *http, struct api_error *error)
{
	static const struct json_type type = { .kind = JSON_KIND_STRUCT,
					       .size_bytes = sizeof(uint64_t),
					       .java_name = "Object" };
	struct json_error json;
	uint64_t nothing;

	if (http->body.size > 0 && json_read(&type, &nothing, http->body, &http->arena, &json) != ST_OK)
		api_error_from_json(error, &json);
}

static void refuse_operation(struct api *api, struct http_request *http)
{
	struct api_error error;

	api_error_init(&error);
	read_anything(http, &error);
	api_error_set(&error, API_ERROR_UNKNOWN_OPERATION, "%s", "");
	buf_reset(&api->reply);
	api_error_write(&error, &api->reply);
	refuse(api, http, api_error_http_code(error.type));
}

static void refuse_out_of_memory(struct api *api, struct http_request *http)
{
	struct api_error error;

	api_error_init(&error);
	api_error_set(&error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
	buf_reset(&api->reply);
	api_error_write(&error, &api->reply);
	refuse(api, http, api_error_http_code(error.type));
}

static bool copy_headers(struct http_request *http, struct sigv4_request *out)
{
	struct sigv4_header *headers = arena_alloc(&http->arena, (http->header_count + 1) * sizeof(*headers));

	if (headers == NULL)
		return false;
	for (size_t i = 0; i < http->header_count; i++)
		headers[i] = (struct sigv4_header){ http->headers[i].name, http->headers[i].value };
	out->headers = headers;
	out->header_count = http->header_count;
	return true;
}

/* False if the request was answered. */
static bool is_signed(struct api *api, struct http_request *http)
{
	struct sigv4_request request = {
		.method = http->method, .path = http->path, .query = http->query, .body = http->body_raw
	};
	uint64_t now_s = runtime_wall_us(api->options.runtime) / US_PER_S;
	struct sigv4_result result;
	enum sigv4_error error;

	if (!copy_headers(http, &request)) {
		refuse_out_of_memory(api, http);
		return false;
	}
	error = sigv4_verify(api->options.verifier, &request, now_s, &result);
	if (error == SIGV4_OK)
		return true;
	buf_reset(&api->reply);
	api_error_write_named(sigv4_error_type(error), result.message, &api->reply);
	refuse(api, http, error == SIGV4_INTERNAL ? 500 : 400);
	return false;
}

/* --- the request --- */

static void on_abort(struct http_request *http)
{
	struct api_request *request = http->user;
	api_request_cb cancel = request->cancel;

	request->is_aborted = true;
	request->cancel = NULL;
	if (cancel != NULL)
		cancel(request);
}

static void start(struct api *api, struct http_request *http, const struct api_operation *operation)
{
	struct api_request *request = arena_alloc_zeroed(&http->arena, sizeof(*request));

	if (request == NULL) {
		refuse_out_of_memory(api, http);
		return;
	}
	request->api = api;
	request->http = http;
	request->arena = &http->arena;
	request->operation = operation;
	request->started_mono_us = runtime_mono_us(api->options.runtime);
	api_error_init(&request->error);
	http->user = request;
	http->on_abort = on_abort;
	api->request_count++;
	operation->run(request);
}

void api_dispatch(void *context, struct http_request *http)
{
	const struct api_operation *operation;
	struct api *api = context;

	if (!is_for_us(http)) {
		http_response_send_unknown_operation(http);
		return;
	}
	operation = find_operation(http);
	if (operation == NULL)
		refuse_operation(api, http);
	else if (is_signed(api, http))
		start(api, http, operation);
}
