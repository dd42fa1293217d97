#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "coordinator/json/json_item_write.h"
#include "coordinator/json/json_reader.h"
#include "proto/model/item_check.h"

enum { ARENA_SIZE = 4 * 1024 * 1024 };

#define INVALID     "One or more parameter values were invalid: "
#define EMPTY_VALUE "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
#define MANY_VALUES                                                                                          \
	"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "          \
	"supported "                                                                                         \
	"datatypes"
#define NESTING                                                                                              \
	"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "          \
	"beyond supported limit"

struct request {
	struct slice item;
};

static const struct json_field request_fields[] = {
	JSON_FIELD(struct request, "Item", &json_type_item, item),
};

static const struct json_type request_type = JSON_STRUCT("PutItemInput", struct request, request_fields);

struct fixture {
	struct arena arena;
	struct json_error error;
	struct request request;
	struct buf out;
};

static void fixture_start(struct fixture *f)
{
	arena_init(&f->arena, ARENA_SIZE);
	buf_init(&f->out, ARENA_SIZE);
}

static void fixture_end(struct fixture *f)
{
	arena_close(&f->arena);
	buf_close(&f->out);
}

/* Read {"Item": item_json}. */
static enum status read_item(struct fixture *f, const char *item_json)
{
	struct buf body;
	enum status status;

	buf_init(&body, ARENA_SIZE);
	buf_append_format(&body, "{\"Item\":%s}", item_json);
	status = json_read(&request_type, &f->request, buf_slice(&body), &f->arena, &f->error);
	if (status == ST_OK) { /* the body goes away */
		f->request.item = slice_of(arena_copy(&f->arena, f->request.item), f->request.item.size);
		assert_int_equal(item_check(f->request.item), ST_OK);
	}
	buf_close(&body);
	return status;
}

static void assert_becomes(const char *item_json, const char *expected)
{
	struct fixture f;

	fixture_start(&f);
	assert_int_equal(read_item(&f, item_json), ST_OK);
	assert_int_equal(json_item_write(&f.out, f.request.item), ST_OK);
	buf_put_u8(&f.out, 0);
	assert_string_equal((const char *)f.out.data, expected);
	fixture_end(&f);
}

static void assert_refused(const char *item_json, enum json_error_kind kind, const char *message)
{
	struct fixture f;

	fixture_start(&f);
	assert_int_equal(read_item(&f, item_json), ST_INVALID);
	assert_string_equal(f.error.message, message);
	assert_int_equal(f.error.kind, kind);
	fixture_end(&f);
}

static void every_type_goes_in_and_out(void **state)
{
	static const char *const same[] = {
		"{}",
		"{\"a\":{\"S\":\"\"}}",
		"{\"a\":{\"S\":\"x\"},\"b\":{\"N\":\"-1.5\"},\"c\":{\"B\":\"AAEC\"},\"d\":{\"BOOL\":false}}",
		"{\"n\":{\"NULL\":true},\"ss\":{\"SS\":[\"b\",\"a\"]},\"ns\":{\"NS\":[\"2\",\"1\"]}}",
		"{\"bs\":{\"BS\":[\"AQ==\",\"AQI=\"]},\"e\":{\"L\":[]},\"f\":{\"M\":{}}}",
		"{\"l\":{\"L\":[{\"S\":\"x\"},{\"M\":{\"k\":{\"L\":[{\"N\":\"1\"}]}}}]}}",
		"{\"M\":{\"M\":{\"S\":{\"S\":\"S\"}}}}",
		"{\"\xc3\xa9\":{\"S\":\"\xe2\x82\xac\xf0\x9f\x98\x80\"}}",
		"{\"a\":{\"B\":\"\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(same); i++)
		assert_becomes(same[i], same[i]);
}

static void values_are_normalised(void **state)
{
	(void)state;
	assert_becomes("{\"a\":{\"N\":\"1.50E2\"}}", "{\"a\":{\"N\":\"150\"}}");
	assert_becomes("{\"a\":{\"NS\":[\"+3\",\"-0\"]}}", "{\"a\":{\"NS\":[\"3\",\"0\"]}}");
	assert_becomes("{ \"a\" : { \"S\" : \"\\u0041\\n\\uD83D\\uDE00\" } }",
		       "{\"a\":{\"S\":\"A\\n\xf0\x9f\x98\x80\"}}");
	assert_becomes("{\"a\":{\"S\":\"x\",\"Unknown\":{\"S\":[{}]},\"N\":null}}", "{\"a\":{\"S\":\"x\"}}");
}

static void values_that_break_a_rule_are_refused(void **state)
{
	static const char *const table[][2] = {
		{ "{}", EMPTY_VALUE },
		{ "{\"a\":\"\"}", EMPTY_VALUE },
		{ "{\"M\":{\"a\":{}}}", EMPTY_VALUE },
		{ "{\"L\":[{}]}", EMPTY_VALUE },
		{ "{\"S\":null}", EMPTY_VALUE },
		{ "{\"S\":\"a\",\"N\":\"1\"}", MANY_VALUES },
		{ "{\"S\":\"a\",\"SS\":[\"x\"]}", MANY_VALUES },
		{ "{\"M\":{\"x\":{\"S\":\"a\"}},\"B\":\"AQ==\",\"BS\":[\"AQ==\"]}", MANY_VALUES },
		{ "{\"NULL\":\"no\"}", INVALID "Null attribute value types must have the value of true" },
		{ "{\"NULL\":false}", INVALID "Null attribute value types must have the value of true" },
		{ "{\"SS\":[]}", INVALID "An string set  may not be empty" },
		{ "{\"NS\":[]}", INVALID "An number set  may not be empty" },
		{ "{\"BS\":[]}", INVALID "Binary sets should not be empty" },
		{ "{\"SS\":[\"a\",\"a\"]}", INVALID "Input collection [a, a] contains duplicates." },
		{ "{\"BS\":[\"Yg==\",\"Yg==\"]}",
		  INVALID "Input collection [Yg==, Yg==]of type BS contains duplicates." },
		{ "{\"NS\":[\"1\",\"1.0\"]}", "Input collection contains duplicates" },
		{ "{\"S\":\"\",\"N\":\"\"}", "The parameter cannot be converted to a numeric value" },
		{ "{\"S\":\"a\",\"N\":\"b\"}", "The parameter cannot be converted to a numeric value: b" },
		{ "{\"NS\":[\"1\",\"b\"]}", "The parameter cannot be converted to a numeric value: b" },
		{ "{\"N\":\"123456789012345678901234567890123456789\"}",
		  "Attempting to store more than 38 significant digits in a Number" },
		{ "{\"N\":\"-1e126\"}", "Number overflow. Attempting to store a number with magnitude larger "
					"than supported range" },
		{ "{\"N\":\"1e-131\"}", "Number underflow. Attempting to store a number with magnitude "
					"smaller than supported range" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		char item_json[512];

		(void)snprintf(item_json, sizeof(item_json), "{\"k\":{\"S\":\"x\"},\"a\":%s}", table[i][0]);
		assert_refused(item_json, JSON_ERROR_VALIDATION, table[i][1]);
	}
}

static void wrong_json_types_are_serialization_errors(void **state)
{
	static const char *const table[][2] = {
		{ "{\"a\":\"x\"}", "Unexpected value type in payload" },
		{ "{\"a\":34.56}", "Unexpected value type in payload" },
		{ "{\"a\":[]}",
		  "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue" },
		{ "{\"a\":{\"S\":true}}", "TRUE_VALUE cannot be converted to String" },
		{ "{\"a\":{\"S\":23}}", "NUMBER_VALUE cannot be converted to String" },
		{ "{\"a\":{\"N\":-2147483648}}", "NUMBER_VALUE cannot be converted to String" },
		{ "{\"a\":{\"N\":34.56}}", "DECIMAL_VALUE cannot be converted to String" },
		{ "{\"a\":{\"S\":[]}}", "Unrecognized collection type class java.lang.String" },
		{ "{\"a\":{\"S\":{}}}", "Start of structure or map found where not expected" },
		{ "{\"a\":{\"B\":true}}", "only base-64-encoded strings are convertible to bytes" },
		{ "{\"a\":{\"B\":[]}}", "Unrecognized collection type class java.nio.ByteBuffer" },
		{ "{\"a\":{\"B\":\"23456\"}}",
		  "Base64 encoded length is expected a multiple of 4 bytes but found: 5" },
		{ "{\"a\":{\"B\":\"=+/=\"}}", "Invalid last non-pad Base64 character dectected" },
		{ "{\"a\":{\"BS\":[\"+/+=\"]}}", "Invalid last non-pad Base64 character dectected" },
		{ "{\"a\":{\"BOOL\":\"23\"}}", "Unexpected token received from parser" },
		{ "{\"a\":{\"BOOL\":23}}", "NUMBER_VALUE cannot be converted to Boolean" },
		{ "{\"a\":{\"NULL\":[]}}", "Unrecognized collection type class java.lang.Boolean" },
		{ "{\"a\":{\"SS\":\"23\"}}", "Unexpected field type" },
		{ "{\"a\":{\"NS\":{}}}", "Start of structure or map found where not expected" },
		{ "{\"a\":{\"SS\":[1]}}", "NUMBER_VALUE cannot be converted to String" },
		{ "{\"a\":{\"BS\":[1]}}", "only base-64-encoded strings are convertible to bytes" },
		{ "{\"a\":{\"L\":true}}", "Unexpected field type" },
		{ "{\"a\":{\"L\":[\"x\"]}}", "Unexpected value type in payload" },
		{ "{\"a\":{\"M\":7}}", "Unexpected field type" },
		{ "{\"a\":{\"M\":[]}}", "Unrecognized collection type java.util.Map<java.lang.String, "
					"com.amazonaws.dynamodb.v20120810.AttributeValue>" },
		{ "\"x\"", "Unexpected field type" },
		{ "{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}", "Duplicate attribute name" },
		{ "{\"m\":{\"M\":{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}}}", "Duplicate attribute name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_refused(table[i][0], JSON_ERROR_SERIALIZATION, table[i][1]);
}

static void a_wrong_type_is_answered_before_a_wrong_value(void **state)
{
	(void)state;
	assert_refused("{\"a\":{},\"b\":{\"S\":1}}", JSON_ERROR_SERIALIZATION,
		       "NUMBER_VALUE cannot be converted to String");
	assert_refused("{\"a\":{},\"b\":{\"B\":\"x\"}}", JSON_ERROR_SERIALIZATION,
		       "Base64 encoded length is expected a multiple of 4 bytes but found: 1");
	assert_refused("{\"a\":{},\"b\":{\"B\":\"AQ==\"},\"c\":{\"N\":\"x\"}}", JSON_ERROR_VALIDATION,
		       EMPTY_VALUE);
}

static void the_error_names_the_attribute(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	assert_int_equal(read_item(&f, "{\"good\":{\"S\":\"x\"},\"bad\":{\"M\":{\"in\":{}}},\"worse\":{}}"),
			 ST_INVALID);
	assert_string_equal(f.error.faults->parameter, "Item");
	assert_string_equal(f.error.faults->attribute, "bad");
	assert_int_equal(f.request.item.size, 0);
	fixture_end(&f);
}

/* {"d":{"L":[ ... {"NULL":true} ... ]}} with count lists. */
static void print_nested(struct buf *out, uint32_t count)
{
	buf_append_string(out, "{\"d\":");
	for (uint32_t i = 0; i < count; i++)
		buf_append_string(out, "{\"L\":[");
	buf_append_string(out, "{\"NULL\":true}");
	for (uint32_t i = 0; i < count; i++)
		buf_append_string(out, "]}");
	buf_append_string(out, "}");
	buf_put_u8(out, 0);
}

static void values_nest_32_levels_deep(void **state)
{
	struct buf json;

	(void)state;
	buf_init(&json, 1024 * 1024);
	print_nested(&json, LIMIT_NESTING_DEPTH - 1);
	assert_becomes((const char *)json.data, (const char *)json.data);
	buf_reset(&json);
	print_nested(&json, LIMIT_NESTING_DEPTH);
	assert_refused((const char *)json.data, JSON_ERROR_VALIDATION, NESTING);
	buf_reset(&json);
	print_nested(&json, 50000);
	assert_refused((const char *)json.data, JSON_ERROR_SERIALIZATION, "");
	buf_close(&json);
}

static void an_item_beyond_any_size_is_refused(void **state)
{
	struct buf json;

	(void)state;
	buf_init(&json, 2 * LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_append_string(&json, "{\"s\":{\"S\":\"");
	memset(buf_extend(&json, LIMIT_ITEM_ENCODED_SIZE_BYTES), 'x', LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_append_string(&json, "\"}}");
	buf_put_u8(&json, 0);
	assert_refused((const char *)json.data, JSON_ERROR_VALIDATION,
		       "Item size has exceeded the maximum allowed size");
	buf_close(&json);
}

static void a_long_collection_is_cut_in_the_message(void **state)
{
	struct fixture f;
	struct buf json;

	(void)state;
	fixture_start(&f);
	buf_init(&json, 64 * 1024);
	buf_append_string(&json, "{\"s\":{\"SS\":[");
	for (int i = 0; i < 1000; i++)
		buf_append_format(&json, "\"member%d\",", i);
	buf_append_string(&json, "\"member1\"]}}");
	buf_put_u8(&json, 0);
	assert_int_equal(read_item(&f, (const char *)json.data), ST_INVALID);
	assert_true(strlen(f.error.message) < LIMIT_ERROR_MESSAGE_SIZE_BYTES);
	assert_memory_equal(f.error.message, INVALID "Input collection [member0, member1", 60);
	buf_close(&json);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_goes_in_and_out),
		cmocka_unit_test(values_are_normalised),
		cmocka_unit_test(values_that_break_a_rule_are_refused),
		cmocka_unit_test(wrong_json_types_are_serialization_errors),
		cmocka_unit_test(a_wrong_type_is_answered_before_a_wrong_value),
		cmocka_unit_test(the_error_names_the_attribute),
		cmocka_unit_test(values_nest_32_levels_deep),
		cmocka_unit_test(an_item_beyond_any_size_is_refused),
		cmocka_unit_test(a_long_collection_is_cut_in_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
