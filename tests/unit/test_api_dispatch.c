/* The whole way of a request but for HTTP and the nodes: answers of http_response.h are caught
 * here, nodes answer as item_op_fixture.h scripts it. */
#include "tests/unit/item_op_fixture.h"

#include <stdio.h>

#include "coordinator/api/api_dispatch.h"
#include "coordinator/http/http_response.h"
#include "proto/model/item_builder.h"

enum { ANSWER_SIZE_MAX = 4096, HEADERS_MAX = 8 };

static struct {
	int code;
	uint32_t count;
	char body[ANSWER_SIZE_MAX];
} answer;

struct api_fixture {
	struct item_fixture base;
	struct sigv4_verifier *verifier;
	struct api api;
	struct http_request http;
	struct http_header headers[HEADERS_MAX];
};

/* --- what HTTP would do --- */

const struct http_header *http_request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++) {
		if (slice_equal(request->headers[i].name, slice_of_string(name)))
			return &request->headers[i];
	}
	return NULL;
}

void http_response_send(struct http_request *request, int status_code, const char *content_type,
			struct slice body, const struct http_header *headers, size_t header_count)
{
	(void)content_type;
	(void)headers;
	(void)header_count;
	answer.code = status_code;
	answer.count++;
	assert_true(body.size < ANSWER_SIZE_MAX);
	(void)snprintf(answer.body, sizeof(answer.body), "%.*s", (int)body.size, (const char *)body.data);
	arena_close(&request->arena); /* the request is gone */
}

void http_response_send_unknown_operation(struct http_request *request)
{
	http_response_send(request, 404, NULL, slice_of_string("<UnknownOperationException/>\n"), NULL, 0);
}

/* --- life --- */

static void open_api(struct api_fixture *f)
{
	struct sigv4_options sigv4 = { .mode = SIGV4_OPEN, .region = "us-east-1" };
	struct api_options options;

	fixture_open(&f->base);
	assert_int_equal(sigv4_verifier_create(&sigv4, &f->verifier), ST_OK);
	options = (struct api_options){ .runtime = &f->base.runtime.base,
					.view = &f->base.view,
					.items = &f->base.env,
					.verifier = f->verifier,
					.region = "us-east-1" };
	api_init(&f->api, &options);
}

static void close_api(struct api_fixture *f)
{
	api_close(&f->api);
	sigv4_verifier_destroy(f->verifier);
	fixture_close(&f->base);
}

static void add_header(struct api_fixture *f, const char *name, const char *value)
{
	f->headers[f->http.header_count++] = (struct http_header){ slice_of_string(name),
								   slice_of_string(value) };
}

static void begin(struct api_fixture *f, const char *target, const char *body)
{
	memset(&answer, 0, sizeof(answer));
	f->http = (struct http_request){
		.method = slice_of_string("POST"),
		.path = slice_of_string("/"),
		.headers = f->headers,
		.body = slice_of_string(body),
		.body_raw = slice_of_string(body),
	};
	arena_init(&f->http.arena, HTTP_ARENA_SIZE_MAX);
	add_header(f, "content-type", "application/x-amz-json-1.0");
	if (target != NULL)
		add_header(f, "x-amz-target", target);
}

static void sign(struct api_fixture *f)
{
	add_header(f, "x-amz-date", "20260101T000000Z");
	add_header(f, "authorization",
		   "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/dynamodb/aws4_request, "
		   "SignedHeaders=host;x-amz-date, Signature=00");
}

/* True of every request: one answer, nothing left over. */
static void wait_answer(struct api_fixture *f)
{
	manual_runtime_settle(&f->base.runtime);
	for (uint32_t ms = 0; answer.count == 0 && ms < 2 * ITEM_OP_DEADLINE_MS; ms++)
		manual_runtime_advance_ms(&f->base.runtime, 1);
	assert_int_equal(answer.count, 1);
	assert_int_equal(f->api.request_count, 0);
}

static int request(struct api_fixture *f, const char *operation, const char *body)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "DynamoDB_20120810.%s", operation);
	begin(f, target, body);
	sign(f);
	api_dispatch(&f->api, &f->http);
	wait_answer(f);
	return answer.code;
}

static void assert_says(const char *text)
{
	if (strstr(answer.body, text) == NULL)
		fail_msg("'%s' is not in '%s'", text, answer.body);
}

#define VALIDATION "\"__type\":\"com.amazon.coral.validate#ValidationException\""
#define NOT_FOUND  "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"

static struct slice sync_reply(uint64_t version, uint8_t out[16])
{
	Cleave__CatalogSyncReply reply = CLEAVE__CATALOG_SYNC_REPLY__INIT;

	reply.version = version;
	return slice_of(out, cleave__catalog_sync_reply__pack(&reply, out));
}

/* --- the gates --- */

static void a_foreign_content_type_is_no_operation_at_all(void **state)
{
	struct api_fixture f;

	(void)state;
	open_api(&f);
	begin(&f, "DynamoDB_20120810.ListTables", "{}");
	f.headers[0].value = slice_of_string("text/plain");
	api_dispatch(&f.api, &f.http);
	assert_int_equal(answer.code, 404);
	assert_string_equal(answer.body, "<UnknownOperationException/>\n");
	close_api(&f);
}

static void an_unknown_target_is_refused_before_the_signature(void **state)
{
	static const char *const targets[] = { NULL,
					       "",
					       "ListTables",
					       "Other_20120810.ListTables",
					       "DynamoDB_20120810.NoSuchOperation",
					       "DynamoDB_20120810." };
	struct api_fixture f;

	(void)state;
	open_api(&f);
	for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
		begin(&f, targets[i], "{}");
		api_dispatch(&f.api, &f.http);
		assert_int_equal(answer.code, 400);
		assert_string_equal(answer.body,
				    "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}");
	}
	close_api(&f);
}

static void the_signature_comes_before_the_body(void **state)
{
	struct api_fixture f;

	(void)state;
	open_api(&f);
	begin(&f, "DynamoDB_20120810.GetItem", "{");
	api_dispatch(&f.api, &f.http);
	assert_int_equal(answer.code, 400);
	assert_says("com.amazon.coral.service#MissingAuthenticationTokenException");
	assert_says("\"message\":\"Request is missing Authentication Token\"");
	assert_int_equal(request(&f, "GetItem", "{"), 400);
	assert_says("com.amazon.coral.service#SerializationException");
	assert_int_equal(request(&f, "GetItem", ""), 400);
	assert_says("com.amazon.coral.service#SerializationException");
	close_api(&f);
}

static void a_parameter_of_a_content_type_does_not_matter(void **state)
{
	struct api_fixture f;

	(void)state;
	open_api(&f);
	begin(&f, "DynamoDB_20120810.DescribeLimits", "{}");
	f.headers[0].value = slice_of_string("application/json; charset=utf-8");
	sign(&f);
	api_dispatch(&f.api, &f.http);
	assert_int_equal(answer.code, 200);
	assert_says("\"TableMaxReadCapacityUnits\":40000");
	close_api(&f);
}

/* --- items --- */

static void a_put_is_answered_with_what_it_replaced_and_what_it_cost(void **state)
{
	Cleave__WriteItemReply reply = CLEAVE__WRITE_ITEM_REPLY__INIT;
	struct scripted script[] = { { .status = ST_OK } };
	struct item_builder builder;
	uint8_t packed[256];
	struct api_fixture f;
	struct buf old;

	(void)state;
	buf_init(&old, 128);
	item_builder_init(&builder, &old);
	item_builder_name(&builder, slice_of_string("pk"));
	item_builder_string(&builder, slice_of_string("a"));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	reply.existed = true;
	reply.returned = (ProtobufCBinaryData){ old.size, old.data };
	reply.old_size_bytes = 1025;
	reply.new_size_bytes = 3;
	script[0].body = slice_of(packed, cleave__write_item_reply__pack(&reply, packed));
	open_api(&f);
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "PutItem",
				 "{\"TableName\":\"things\",\"Item\":{\"pk\":{\"S\":\"a\"}},"
				 "\"ReturnValues\":\"ALL_OLD\",\"ReturnConsumedCapacity\":\"INDEXES\"}"),
			 200);
	assert_string_equal(answer.body,
			    "{\"Attributes\":{\"pk\":{\"S\":\"a\"}},\"ConsumedCapacity\":{\"TableName\":"
			    "\"things\",\"CapacityUnits\":2.0,\"Table\":{\"CapacityUnits\":2.0}}}");
	buf_close(&old);
	close_api(&f);
}

static void a_missing_item_is_an_empty_answer_and_costs_the_least(void **state)
{
	static const struct scripted script[] = { { .status = ST_OK } };
	struct api_fixture f;

	(void)state;
	open_api(&f);
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "GetItem", "{\"TableName\":\"things\",\"Key\":{\"pk\":{\"S\":\"a\"}}}"),
			 200);
	assert_string_equal(answer.body, "{}");
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "GetItem",
				 "{\"TableName\":\"things\",\"Key\":{\"pk\":{\"S\":\"a\"}},"
				 "\"ReturnConsumedCapacity\":\"TOTAL\"}"),
			 200);
	assert_string_equal(answer.body,
			    "{\"ConsumedCapacity\":{\"TableName\":\"things\",\"CapacityUnits\":0.5}}");
	assert_false(f.base.sent[0].consistent_read);
	close_api(&f);
}

static void an_unknown_table_is_looked_for_once_more_by_a_sync(void **state)
{
	struct scripted script[] = { { .status = ST_OK } };
	uint8_t packed[16];
	struct api_fixture f;

	(void)state;
	script[0].body = sync_reply(FIXTURE_VERSION, packed);
	open_api(&f);
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "GetItem", "{\"TableName\":\"nowhere\",\"Key\":{\"pk\":{\"S\":\"a\"}}}"),
			 400);
	assert_says(NOT_FOUND);
	assert_says("\"message\":\"Requested resource not found\"");
	assert_int_equal(f.base.sent_count, 1);
	assert_int_equal(f.base.sent[0].method, METHOD_CATALOG_SYNC);
	close_api(&f);
}

static void a_table_that_is_not_active_yet_has_no_items(void **state)
{
	static const enum table_state states[] = { TABLE_CREATING, TABLE_DELETING };
	struct scripted script[] = { { .status = ST_OK } };
	uint8_t packed[16];

	(void)state;
	script[0].body = sync_reply(FIXTURE_VERSION, packed);
	for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
		struct api_fixture f;

		open_api(&f);
		fixture_put_table(&f.base, FIXTURE_TABLE, states[i]);
		SCRIPT(&f.base, script);
		assert_int_equal(
			request(&f, "PutItem", "{\"TableName\":\"things\",\"Item\":{\"pk\":{\"S\":\"a\"}}}"),
			400);
		assert_says(NOT_FOUND);
		close_api(&f);
	}
}

static void a_table_made_anew_under_its_name_while_a_request_was_under_way_is_found(void **state)
{
	struct scripted script[] = { { .status = ST_MOVED, .catalog_version = FIXTURE_VERSION + 1 },
				     { .status = ST_OK },
				     { .status = ST_OK } };
	uint8_t packed[16];
	struct api_fixture f;

	(void)state;
	script[1].body = sync_reply(FIXTURE_VERSION, packed);
	open_api(&f);
	SCRIPT(&f.base, script);
	begin(&f, "DynamoDB_20120810.GetItem", "{\"TableName\":\"things\",\"Key\":{\"pk\":{\"S\":\"a\"}}}");
	sign(&f);
	api_dispatch(&f.api, &f.http);
	manual_runtime_settle(&f.base.runtime); /* sent, and told that the partition moved */
	catalog_state_remove_table(&f.base.view.state, FIXTURE_TABLE);
	fixture_put_table(&f.base, FIXTURE_TABLE + 1, TABLE_ACTIVE);
	fixture_put_partition(&f.base, FIXTURE_TABLE + 1, FIXTURE_PARTITION + 1, 1);
	f.base.view.state.version = FIXTURE_VERSION + 1;
	wait_answer(&f);
	assert_int_equal(answer.code, 200);
	assert_int_equal(f.base.sent_count, 3);
	assert_int_equal(f.base.sent[2].partition_id, FIXTURE_PARTITION + 1);
	close_api(&f);
}

static void keys_are_checked_against_the_table(void **state)
{
	static const struct scripted script[] = { { .status = ST_OK } };
	struct api_fixture f;

	(void)state;
	open_api(&f);
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "PutItem", "{\"TableName\":\"things\",\"Item\":{\"x\":{\"S\":\"a\"}}}"),
			 400);
	assert_says(VALIDATION);
	assert_says("One or more parameter values were invalid: Missing the key pk in the item");
	assert_int_equal(request(&f, "GetItem", "{\"TableName\":\"things\",\"Key\":{\"pk\":{\"N\":\"1\"}}}"),
			 400);
	assert_says("The provided key element does not match the schema");
	assert_int_equal(f.base.sent_count, 0);
	close_api(&f);
}

static void what_nobody_can_tell_is_an_internal_error(void **state)
{
	static const struct scripted doubt[] = { { .status = ST_FORGOTTEN } };
	static const struct scripted full[] = { { .status = ST_NO_SPACE } };
	const char *body = "{\"TableName\":\"things\",\"Item\":{\"pk\":{\"S\":\"a\"}}}";
	struct api_fixture f;

	(void)state;
	open_api(&f);
	SCRIPT(&f.base, doubt);
	assert_int_equal(request(&f, "PutItem", body), 500);
	assert_says("com.amazonaws.dynamodb.v20120810#InternalServerError");
	assert_says("may or may not have taken effect");
	SCRIPT(&f.base, full);
	assert_int_equal(request(&f, "PutItem", body), 500);
	assert_says("out of disk space");
	close_api(&f);
}

static void a_client_that_leaves_ends_its_request(void **state)
{
	static const struct scripted script[] = { { .status = ST_TIMEOUT } };
	struct api_fixture f;

	(void)state;
	open_api(&f);
	SCRIPT(&f.base, script);
	begin(&f, "DynamoDB_20120810.PutItem", "{\"TableName\":\"things\",\"Item\":{\"pk\":{\"S\":\"a\"}}}");
	sign(&f);
	api_dispatch(&f.api, &f.http);
	assert_int_equal(f.api.request_count, 1);
	f.http.on_abort(&f.http);
	wait_answer(&f);
	assert_int_equal(f.base.sent_count, 1);
	assert_in_range(runtime_mono_ms(&f.base.runtime.base), 0, f.base.sent[0].at_ms + 1);
	close_api(&f);
}

/* --- tables --- */

static void a_table_is_described_after_a_sync(void **state)
{
	struct scripted script[] = { { .status = ST_OK } };
	uint8_t packed[16];
	struct api_fixture f;

	(void)state;
	script[0].body = sync_reply(FIXTURE_VERSION, packed);
	open_api(&f);
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "DescribeTable", "{\"TableName\":\"things\"}"), 200);
	assert_int_equal(f.base.sent[0].method, METHOD_CATALOG_SYNC);
	assert_says("{\"Table\":{");
	assert_says("\"TableStatus\":\"ACTIVE\"");
	assert_int_equal(request(&f, "DescribeTable", "{\"TableName\":\"nowhere\"}"), 400);
	assert_says("Requested resource not found: Table: nowhere not found");
	assert_int_equal(request(&f, "DeleteTable", "{\"TableName\":\"nowhere\"}"), 400);
	assert_says("Requested resource not found: Table: nowhere not found");
	assert_int_equal(request(&f, "ListTables", "{}"), 200);
	assert_string_equal(answer.body, "{\"TableNames\":[\"things\"]}");
	assert_int_equal(request(&f, "ListTables", "{\"ExclusiveStartTableName\":\"things\"}"), 200);
	assert_string_equal(answer.body, "{\"TableNames\":[]}");
	close_api(&f);
}

static void what_the_catalog_refuses_is_told_in_the_api_s_words(void **state)
{
	static const struct {
		enum status status;
		const char *type;
		const char *message;
	} cases[] = {
		{ ST_EXISTS, "#ResourceInUseException", "Table already exists: things" },
		{ ST_BUSY, "#ResourceInUseException", "still in use: Table is being created: things" },
		{ ST_TOO_BIG, "#LimitExceededException", "Subscriber limit exceeded" },
		{ ST_UNKNOWN_OUTCOME, "#InternalServerError", "may or may not" },
	};
	struct api_fixture f;

	(void)state;
	open_api(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct scripted script[] = { { .status = cases[i].status } };

		SCRIPT(&f.base, script);
		(void)request(
			&f, "CreateTable",
			"{\"TableName\":\"things\",\"BillingMode\":\"PAY_PER_REQUEST\","
			"\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],"
			"\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}]}");
		assert_says(cases[i].type);
		assert_says(cases[i].message);
	}
	close_api(&f);
}

static void a_silent_catalog_is_an_internal_error(void **state)
{
	static const struct scripted script[] = { { .status = ST_UNAVAILABLE } };
	struct api_fixture f;

	(void)state;
	open_api(&f);
	SCRIPT(&f.base, script);
	assert_int_equal(request(&f, "DescribeTable", "{\"TableName\":\"things\"}"), 500);
	assert_says("catalog could not be reached");
	close_api(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_foreign_content_type_is_no_operation_at_all),
		cmocka_unit_test(an_unknown_target_is_refused_before_the_signature),
		cmocka_unit_test(the_signature_comes_before_the_body),
		cmocka_unit_test(a_parameter_of_a_content_type_does_not_matter),
		cmocka_unit_test(a_put_is_answered_with_what_it_replaced_and_what_it_cost),
		cmocka_unit_test(a_missing_item_is_an_empty_answer_and_costs_the_least),
		cmocka_unit_test(an_unknown_table_is_looked_for_once_more_by_a_sync),
		cmocka_unit_test(a_table_that_is_not_active_yet_has_no_items),
		cmocka_unit_test(a_table_made_anew_under_its_name_while_a_request_was_under_way_is_found),
		cmocka_unit_test(keys_are_checked_against_the_table),
		cmocka_unit_test(what_nobody_can_tell_is_an_internal_error),
		cmocka_unit_test(a_client_that_leaves_ends_its_request),
		cmocka_unit_test(a_table_is_described_after_a_sync),
		cmocka_unit_test(what_the_catalog_refuses_is_told_in_the_api_s_words),
		cmocka_unit_test(a_silent_catalog_is_an_internal_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
