#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "coordinator/json/json_reader.h"
#include "proto/model/item_check.h"

enum { ARENA_SIZE = 1024 * 1024 };

struct key_element {
	struct slice name;
	struct slice type;
};

struct throughput {
	struct json_number read_units;
};

struct keys_and_names {
	struct json_list keys; /* of struct slice: items */
	struct json_list names;
};

struct table_entry {
	struct slice table_name;
	struct keys_and_names request;
};

struct request {
	struct slice table_name;
	enum json_bool consistent;
	struct json_number limit;
	struct json_list key_schema; /* of struct key_element */
	bool has_throughput;
	struct throughput throughput;
	struct json_list names;  /* of struct json_string_entry */
	struct json_list tables; /* of struct table_entry */
	struct slice key;
	struct slice value;
};

static const struct json_field key_element_fields[] = {
	JSON_FIELD(struct key_element, "AttributeName", &json_type_string, name),
	JSON_FIELD(struct key_element, "KeyType", &json_type_string, type),
};
static const struct json_type key_element_type = JSON_STRUCT("KeySchemaElement", struct key_element,
							     key_element_fields);
static const struct json_type key_schema_type = JSON_LIST_OF(&key_element_type);

static const struct json_field throughput_fields[] = {
	JSON_FIELD(struct throughput, "ReadCapacityUnits", &json_type_long, read_units),
};
static const struct json_type throughput_type = JSON_STRUCT("ProvisionedThroughput", struct throughput,
							    throughput_fields);

static const struct json_field keys_fields[] = {
	JSON_FIELD(struct keys_and_names, "Keys", &json_type_item_list, keys),
	JSON_FIELD(struct keys_and_names, "AttributesToGet", &json_type_string_list, names),
};
static const struct json_type keys_type = JSON_STRUCT("KeysAndAttributes", struct keys_and_names,
						      keys_fields);
static const struct json_type tables_type = JSON_MAP_OF(&keys_type);

static const struct json_field request_fields[] = {
	JSON_FIELD(struct request, "TableName", &json_type_string, table_name),
	JSON_FIELD(struct request, "ConsistentRead", &json_type_bool, consistent),
	JSON_FIELD(struct request, "Limit", &json_type_integer, limit),
	JSON_FIELD(struct request, "KeySchema", &key_schema_type, key_schema),
	JSON_FIELD_NOTED(struct request, "ProvisionedThroughput", &throughput_type, throughput,
			 has_throughput),
	JSON_FIELD(struct request, "ExpressionAttributeNames", &json_type_string_map, names),
	JSON_FIELD(struct request, "RequestItems", &tables_type, tables),
	JSON_FIELD(struct request, "Key", &json_type_item, key),
	JSON_FIELD(struct request, "Value", &json_type_value, value),
};
static const struct json_type request_type = JSON_STRUCT("TestInput", struct request, request_fields);

struct fixture {
	struct arena arena;
	struct json_error error;
	struct request request;
};

static enum status read_body(struct fixture *f, const char *body)
{
	arena_init(&f->arena, ARENA_SIZE);
	return json_read(&request_type, &f->request, slice_of_string(body), &f->arena, &f->error);
}

static void assert_slice(struct slice slice, const char *expected)
{
	assert_int_equal(slice.size, strlen(expected));
	assert_memory_equal(slice.data, expected, slice.size);
}

static void assert_refused(const char *body, const char *message)
{
	struct fixture f;

	assert_int_equal(read_body(&f, body), ST_INVALID);
	assert_string_equal(f.error.message, message);
	assert_int_equal(f.error.kind, JSON_ERROR_SERIALIZATION);
	arena_close(&f.arena);
}

static void members_go_to_their_fields(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(
		read_body(&f, "{\"TableName\":\"t\\u0041b\",\"ConsistentRead\":false,\"Limit\":10,"
			      "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5},\"Other\":[{\"x\":[1]}]}"),
		ST_OK);
	assert_slice(f.request.table_name, "tAb");
	assert_int_equal(f.request.consistent, JSON_FALSE);
	assert_true(f.request.limit.is_set);
	assert_int_equal(f.request.limit.value, 10);
	assert_true(f.request.has_throughput);
	assert_int_equal(f.request.throughput.read_units.value, 5);
	arena_close(&f.arena);
}

static void what_is_absent_or_null_can_be_told(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_body(&f, "{\"TableName\":null,\"ProvisionedThroughput\":null,\"Key\":null}"),
			 ST_OK);
	assert_null(f.request.table_name.data);
	assert_int_equal(f.request.consistent, JSON_UNSET);
	assert_false(f.request.limit.is_set);
	assert_false(f.request.has_throughput);
	assert_false(f.request.key_schema.is_set);
	assert_null(f.request.key.data);
	arena_close(&f.arena);
	assert_int_equal(read_body(&f, "{\"TableName\":\"\",\"KeySchema\":[],\"Key\":{}}"), ST_OK);
	assert_non_null(f.request.table_name.data);
	assert_true(f.request.key_schema.is_set);
	assert_non_null(f.request.key.data);
	arena_close(&f.arena);
}

static void lists_of_structs_grow(void **state)
{
	struct fixture f;
	struct buf body;
	const struct key_element *elements;

	(void)state;
	buf_init(&body, ARENA_SIZE);
	buf_append_string(&body, "{\"KeySchema\":[{}");
	for (int i = 1; i < 100; i++)
		buf_append_format(&body, ",{\"AttributeName\":\"a%d\",\"KeyType\":\"HASH\"}", i);
	buf_append_string(&body, "]}");
	buf_put_u8(&body, 0);
	assert_int_equal(read_body(&f, (const char *)body.data), ST_OK);
	assert_int_equal(f.request.key_schema.count, 100);
	elements = f.request.key_schema.elements;
	assert_null(elements[0].name.data);
	assert_slice(elements[99].name, "a99");
	assert_slice(elements[99].type, "HASH");
	arena_close(&f.arena);
	buf_close(&body);
}

static void maps_keep_keys_and_values(void **state)
{
	struct fixture f;
	const struct json_string_entry *names;
	const struct table_entry *tables;
	const struct slice *keys;

	(void)state;
	assert_int_equal(
		read_body(&f, "{\"ExpressionAttributeNames\":{\"#a\":\"x\",\"#b\":\"y\"},\"RequestItems\":{"
			      "\"t1\":{\"Keys\":[{\"k\":{\"S\":\"1\"}},{\"k\":{\"S\":\"2\"}}]},"
			      "\"t2\":{\"AttributesToGet\":[\"c\",\"d\"]}}}"),
		ST_OK);
	names = f.request.names.elements;
	assert_int_equal(f.request.names.count, 2);
	assert_slice(names[1].key, "#b");
	assert_slice(names[1].value, "y");
	tables = f.request.tables.elements;
	assert_int_equal(f.request.tables.count, 2);
	assert_slice(tables[0].table_name, "t1");
	assert_int_equal(tables[0].request.keys.count, 2);
	keys = tables[0].request.keys.elements;
	assert_int_equal(item_check(keys[0]), ST_OK);
	assert_int_equal(item_check(keys[1]), ST_OK);
	assert_int_equal(tables[1].request.names.count, 2);
	arena_close(&f.arena);
}

static void a_single_value_is_read_alone(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_body(&f, "{\"Value\":{\"L\":[{\"N\":\"1\"}]}}"), ST_OK);
	assert_int_equal(item_check_value(f.request.value), ST_OK);
	assert_int_equal(f.request.value.data[0], ITEM_L);
	arena_close(&f.arena);
	assert_refused("{\"Value\":\"x\"}", "Unexpected field type");
}

static void a_name_goes_on_behind_a_zero_byte(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_body(&f, "{\"Limit\\u0000and more than the name has\":1}"), ST_OK);
	assert_false(f.request.limit.is_set);
	arena_close(&f.arena);
}

static void numbers_are_cut_and_saturated(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} table[] = {
		{ "34.56", 34 },        { "-0.9", 0 },
		{ "1e3", 1000 },        { "9223372036854775808", INT64_MAX },
		{ "-1e30", INT64_MIN }, { "1e999", INT64_MAX },
		{ "1e-999", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct fixture f;
		char body[64];

		(void)snprintf(body, sizeof(body), "{\"Limit\":%s}", table[i].text);
		assert_int_equal(read_body(&f, body), ST_OK);
		assert_true(f.request.limit.value == table[i].value);
		arena_close(&f.arena);
	}
}

static void what_is_not_json_is_refused_without_a_message(void **state)
{
	static const char *const table[] = {
		"",
		" ",
		"{",
		"}",
		"{}x",
		"{}{}",
		"{\"Limit\":NaN}",
		"{\"Limit\":01}",
		"{\"Limit\":-}",
		"{'a':1}",
		"{\"a\":1,}",
		"{\"a\":[1,]}",
		"{\"a\":\"\x01\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\ud800x\"}",
		"{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\" 1}",
		"\xef\xbb\xbf{}",
		"{\"a\":/* */1}",
		"{\"a\":\v1}",
		"{\"a\":1\f}",
		"{\"a\":\"\f\"}",
		"{\"a\":\"x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_refused(table[i], "");
}

static void wrong_types_are_answered_as_the_service_does(void **state)
{
	static const char *const table[][2] = {
		{ "[]", "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.TestInput" },
		{ "{\"TableName\":23}", "NUMBER_VALUE cannot be converted to String" },
		{ "{\"TableName\":[]}", "Unrecognized collection type class java.lang.String" },
		{ "{\"ConsistentRead\":\"23\"}", "Unexpected token received from parser" },
		{ "{\"ConsistentRead\":34.56}", "DECIMAL_VALUE cannot be converted to Boolean" },
		{ "{\"Limit\":\"23\"}", "STRING_VALUE cannot be converted to Integer" },
		{ "{\"Limit\":true}", "TRUE_VALUE cannot be converted to Integer" },
		{ "{\"Limit\":{}}", "Start of structure or map found where not expected" },
		{ "{\"ProvisionedThroughput\":{\"ReadCapacityUnits\":\"1\"}}",
		  "STRING_VALUE cannot be converted to Long" },
		{ "{\"ProvisionedThroughput\":1}", "Unexpected field type" },
		{ "{\"ProvisionedThroughput\":[]}",
		  "Unrecognized collection type class "
		  "com.amazonaws.dynamodb.v20120810.ProvisionedThroughput" },
		{ "{\"KeySchema\":\"x\"}", "Unexpected field type" },
		{ "{\"KeySchema\":{}}", "Start of structure or map found where not expected" },
		{ "{\"KeySchema\":[1]}", "Unexpected value type in payload" },
		{ "{\"ExpressionAttributeNames\":[]}",
		  "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>" },
		{ "{\"ExpressionAttributeNames\":1}", "Unexpected field type" },
		{ "{\"RequestItems\":[]}", "Unrecognized collection type java.util.Map<java.lang.String, "
					   "com.amazonaws.dynamodb.v20120810.KeysAndAttributes>" },
		{ "{\"Key\":[]}", "Unrecognized collection type java.util.Map<java.lang.String, "
				  "com.amazonaws.dynamodb.v20120810.AttributeValue>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_refused(table[i][0], table[i][1]);
}

static void duplicate_members_and_keys_are_refused(void **state)
{
	struct buf body;

	(void)state;
	assert_refused("{\"TableName\":\"a\",\"TableName\":\"a\"}", "Duplicate member name");
	assert_refused("{\"ExpressionAttributeNames\":{\"#a\":\"x\",\"#a\":\"y\"}}", "Duplicate map key");
	buf_init(&body, ARENA_SIZE);
	buf_append_string(&body, "{\"ExpressionAttributeNames\":{");
	for (int i = 0; i < 1000; i++)
		buf_append_format(&body, "\"#%d\":\"x\",", i);
	buf_append_string(&body, "\"#500\":\"x\"}}");
	buf_put_u8(&body, 0);
	assert_refused((const char *)body.data, "Duplicate map key");
	buf_close(&body);
}

static void hostile_depth_is_cut_in_known_and_unknown_members(void **state)
{
	enum { DEPTH = 100000 };
	struct buf body;

	(void)state;
	buf_init(&body, ARENA_SIZE);
	buf_append_string(&body, "{\"Unknown\":");
	memset(buf_extend(&body, DEPTH), '[', DEPTH);
	buf_put_u8(&body, 0);
	assert_refused((const char *)body.data, "");
	buf_close(&body);
}

static void the_arena_limits_what_a_body_can_ask_for(void **state)
{
	struct fixture f;
	struct buf body;

	(void)state;
	buf_init(&body, ARENA_SIZE);
	buf_append_string(&body, "{\"KeySchema\":[{}");
	for (int i = 0; i < 100000; i++)
		buf_append_string(&body, ",{}");
	buf_append_string(&body, "]}");
	buf_put_u8(&body, 0);
	assert_int_equal(read_body(&f, (const char *)body.data), ST_TOO_BIG);
	arena_close(&f.arena);
	buf_close(&body);
}

static void a_wrong_value_leaves_the_rest_readable(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(read_body(&f, "{\"Key\":{\"k\":{}},\"TableName\":\"ab\"}"), ST_INVALID);
	assert_int_equal(f.error.kind, JSON_ERROR_VALIDATION);
	assert_string_equal(f.error.faults->parameter, "Key");
	assert_string_equal(f.error.faults->attribute, "k");
	assert_null(f.error.faults->next);
	assert_slice(f.request.table_name, "ab");
	assert_slice(f.request.key, "");
	arena_close(&f.arena);
}

/* Whatever the order of the text, the caller finds the fault of the parameter that it asks for. */
static void each_parameter_keeps_its_first_fault(void **state)
{
	const struct json_fault *faults;
	struct fixture f;

	(void)state;
	assert_int_equal(read_body(&f, "{\"Value\":{\"N\":\"x\"},\"RequestItems\":{\"t\":{\"Keys\":["
				       "{\"a\":{\"S\":\"\"}},{\"b\":{}},{\"c\":{\"SS\":[]}}]}},"
				       "\"Key\":{\"k\":{\"N\":\"y\"}}}"),
			 ST_INVALID);
	assert_int_equal(f.error.kind, JSON_ERROR_VALIDATION);
	faults = f.error.faults;
	assert_string_equal(faults->parameter, "Value");
	assert_string_equal(faults->message, "The parameter cannot be converted to a numeric value: x");
	assert_string_equal(faults->attribute, "");
	faults = faults->next;
	assert_string_equal(faults->parameter, "RequestItems");
	assert_string_equal(faults->attribute, "b");
	faults = faults->next;
	assert_string_equal(faults->parameter, "Key");
	assert_null(faults->next);
	arena_close(&f.arena);
}

/* A wrong type anywhere goes before wrong values. */
static void a_wrong_type_goes_before_faults(void **state)
{
	(void)state;
	assert_refused("{\"Key\":{\"k\":{\"N\":\"y\"}},\"TableName\":1}",
		       "NUMBER_VALUE cannot be converted to String");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_go_to_their_fields),
		cmocka_unit_test(what_is_absent_or_null_can_be_told),
		cmocka_unit_test(lists_of_structs_grow),
		cmocka_unit_test(maps_keep_keys_and_values),
		cmocka_unit_test(a_single_value_is_read_alone),
		cmocka_unit_test(a_name_goes_on_behind_a_zero_byte),
		cmocka_unit_test(numbers_are_cut_and_saturated),
		cmocka_unit_test(what_is_not_json_is_refused_without_a_message),
		cmocka_unit_test(wrong_types_are_answered_as_the_service_does),
		cmocka_unit_test(duplicate_members_and_keys_are_refused),
		cmocka_unit_test(hostile_depth_is_cut_in_known_and_unknown_members),
		cmocka_unit_test(the_arena_limits_what_a_body_can_ask_for),
		cmocka_unit_test(a_wrong_value_leaves_the_rest_readable),
		cmocka_unit_test(each_parameter_keeps_its_first_fault),
		cmocka_unit_test(a_wrong_type_goes_before_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
