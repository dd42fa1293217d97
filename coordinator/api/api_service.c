#include "coordinator/api/api_service.h"

#include <stdio.h>

#include "coordinator/json/json_reader.h"

enum { ENDPOINT_CACHE_MINUTES = 1440, ACCOUNT_CAPACITY_UNITS = 2 * LIMIT_TABLE_CAPACITY_UNITS };

struct no_input {
	uint64_t nothing;
};

static const struct json_type endpoints_type = {
	.kind = JSON_KIND_STRUCT,
	.size_bytes = sizeof(struct no_input),
	.java_name = "DescribeEndpointsRequest",
};
static const struct json_type limits_type = {
	.kind = JSON_KIND_STRUCT,
	.size_bytes = sizeof(struct no_input),
	.java_name = "DescribeLimitsInput",
};

static bool read_nothing(struct api_request *request, const struct json_type *type)
{
	struct no_input input;
	struct json_error json;

	if (json_read(type, &input, request->http->body, request->arena, &json) == ST_OK)
		return true;
	api_error_from_json(&request->error, &json);
	api_request_fail(request);
	return false;
}

/* The address by which the client came: whoever asks shall stay here. */
static void write_address(struct api_request *request, struct json_writer *writer)
{
	const struct http_header *host = http_request_header(request->http, "host");
	char name[SIGV4_REGION_SIZE_MAX + 32];

	if (host != NULL) {
		json_writer_member_string(writer, "Address", host->value);
		return;
	}
	(void)snprintf(name, sizeof(name), "dynamodb.%s.amazonaws.com", request->api->options.region);
	json_writer_member_text(writer, "Address", name);
}

void api_service_describe_endpoints(struct api_request *request)
{
	struct json_writer writer;

	if (!read_nothing(request, &endpoints_type))
		return;
	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	json_writer_key(&writer, "Endpoints");
	json_writer_list_start(&writer);
	json_writer_object_start(&writer);
	write_address(request, &writer);
	json_writer_member_int(&writer, "CachePeriodInMinutes", ENDPOINT_CACHE_MINUTES);
	json_writer_object_end(&writer);
	json_writer_list_end(&writer);
	json_writer_object_end(&writer);
	api_request_reply(request);
}

void api_service_describe_limits(struct api_request *request)
{
	struct json_writer writer;

	if (!read_nothing(request, &limits_type))
		return;
	json_writer_init(&writer, api_request_body(request));
	json_writer_object_start(&writer);
	json_writer_member_int(&writer, "AccountMaxReadCapacityUnits", ACCOUNT_CAPACITY_UNITS);
	json_writer_member_int(&writer, "AccountMaxWriteCapacityUnits", ACCOUNT_CAPACITY_UNITS);
	json_writer_member_int(&writer, "TableMaxReadCapacityUnits", LIMIT_TABLE_CAPACITY_UNITS);
	json_writer_member_int(&writer, "TableMaxWriteCapacityUnits", LIMIT_TABLE_CAPACITY_UNITS);
	json_writer_object_end(&writer);
	api_request_reply(request);
}
