#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/api/api_batch_write_input.h"

struct fixture {
	struct arena arena;
	struct api_batch_write_input input;
	struct api_error error;
};

static bool read(struct fixture *f, const char *body)
{
	api_error_init(&f->error);
	arena_init(&f->arena, 64 * 1024 * 1024);
	return api_batch_write_input_read(slice_of_string(body), &f->arena, &f->input, &f->error);
}

static void refused(const char *body, const char *message)
{
	struct fixture f;

	assert_false(read(&f, body));
	assert_int_equal(f.error.type, API_ERROR_VALIDATION);
	assert_string_equal(f.error.message, message);
	arena_close(&f.arena);
}

#define PUT    "{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"a\"}}}}"
#define DELETE "{\"DeleteRequest\":{\"Key\":{\"pk\":{\"S\":\"b\"}}}}"

static void writes_of_all_tables_are_read_in_order(void **state)
{
	struct fixture f;

	(void)state;
	assert_true(read(&f,
			 "{\"RequestItems\":{\"one\":[" DELETE "," PUT "],\"two\":[" PUT "]},"
			 "\"ReturnConsumedCapacity\":\"INDEXES\",\"ReturnItemCollectionMetrics\":\"SIZE\"}"));
	assert_int_equal(f.input.table_count, 2);
	assert_true(slice_equal(f.input.table_names[1], slice_of_string("two")));
	assert_int_equal(f.input.write_count, 3);
	assert_false(f.input.writes[0].is_put);
	assert_true(f.input.writes[1].is_put);
	assert_int_equal(f.input.writes[1].table_index, 0);
	assert_int_equal(f.input.writes[2].table_index, 1);
	assert_int_equal(f.input.capacity, API_CAPACITY_INDEXES);
	arena_close(&f.arena);
}

static void all_broken_constraints_are_told_at_once(void **state)
{
	(void)state;
	refused("{}",
		"1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: "
		"Member must not be null");
	refused("{\"RequestItems\":{}}", "1 validation error detected: Value '{}' at 'requestItems' failed "
					 "to satisfy constraint: Member "
					 "must have length greater than or equal to 1");
	refused("{\"RequestItems\":{\"a;\":[{\"PutRequest\":{},\"DeleteRequest\":{}}]},"
		"\"ReturnConsumedCapacity\":\"hi\",\"ReturnItemCollectionMetrics\":\"hi\"}",
		"5 validation errors detected: Value 'hi' at 'returnConsumedCapacity' failed to satisfy "
		"constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value 'hi' at "
		"'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value "
		"set: "
		"[SIZE, NONE]; Value '{\"a;\":[...]}' at 'requestItems' failed to satisfy constraint: Map "
		"keys "
		"must "
		"satisfy constraint: [Member must have length less than or equal to 255, Member must have "
		"length "
		"greater than or equal to 3, Member must satisfy regular expression pattern: "
		"[a-zA-Z0-9_.-]+]; "
		"Value null at 'requestItems.a;.member.1.member.deleteRequest.key' failed to satisfy "
		"constraint: "
		"Member must not be null; Value null at 'requestItems.a;.member.1.member.putRequest.item' "
		"failed "
		"to satisfy constraint: Member must not be null");
}

static void wrong_types_come_first(void **state)
{
	struct fixture f;

	(void)state;
	assert_false(read(&f, "{\"RequestItems\":[],\"ReturnConsumedCapacity\":\"hi\"}"));
	assert_int_equal(f.error.type, API_ERROR_SERIALIZATION);
	assert_string_equal(f.error.message,
			    "Unrecognized collection type java.util.Map<java.lang.String, "
			    "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>");
	arena_close(&f.arena);
}

/* count writes in each of two tables. */
static bool read_many(struct fixture *f, uint32_t first_count, uint32_t second_count)
{
	struct buf body;
	bool is_good;

	buf_init(&body, 64 * 1024);
	buf_append_string(&body, "{\"RequestItems\":{\"one\":[");
	for (uint32_t i = 0; i < first_count; i++)
		buf_append_format(&body, "%s" PUT, i == 0 ? "" : ",");
	buf_append_string(&body, "]");
	for (uint32_t i = 0; i < second_count; i++)
		buf_append_format(&body, "%s" DELETE, i == 0 ? ",\"two\":[" : ",");
	buf_append_string(&body, second_count > 0 ? "]}}" : "}}");
	buf_put_u8(&body, 0);
	is_good = read(f, (const char *)body.data);
	buf_close(&body);
	return is_good;
}

static void a_batch_has_up_to_25_writes(void **state)
{
	static const char wrong_count[] =
		"1 validation error detected: Value '{one=[...]}' at 'requestItems' failed to satisfy "
		"constraint: Map value must satisfy constraint: [Member must have length less than or equal "
		"to "
		"25, Member must have length greater than or equal to 1]";
	struct fixture f;

	(void)state;
	assert_true(read_many(&f, 24, 1));
	arena_close(&f.arena);
	assert_false(read_many(&f, 24, 2));
	assert_string_equal(f.error.message, "Too many items requested for the BatchWriteItem call");
	arena_close(&f.arena);
	assert_false(read_many(&f, 26, 0));
	assert_string_equal(f.error.message, wrong_count);
	arena_close(&f.arena);
	assert_false(read_many(&f, 0, 3));
	assert_non_null(strstr(f.error.message, "Value '{one=[]}' at 'requestItems' failed to satisfy "
						"constraint: Map value must satisfy constraint: "));
	arena_close(&f.arena);
}

static void a_request_is_one_action(void **state)
{
	static const char message[] = "Supplied AttributeValue has more than one datatypes set, must contain "
				      "exactly one of the supported datatypes";

	(void)state;
	refused("{\"RequestItems\":{\"one\":[" PUT ",{}]}}", message);
	refused("{\"RequestItems\":{\"one\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"a\"}}},"
		"\"DeleteRequest\":{\"Key\":{\"pk\":{\"S\":\"b\"}}}}]}}",
		message);
}

static void a_wrong_value_is_told_and_not_taken_for_absent(void **state)
{
	(void)state;
	refused("{\"RequestItems\":{\"one\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"N\":\"x\"}}}}]}}",
		"The parameter cannot be converted to a numeric value: x");
}

static void an_item_over_400_kb_is_refused(void **state)
{
	size_t text_size = LIMIT_ITEM_SIZE_BYTES - strlen("pk") - strlen("a") - strlen("v");
	struct fixture f;
	struct buf body;

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		buf_init(&body, 1024 * 1024);
		buf_append_string(&body, "{\"RequestItems\":{\"one\":[{\"PutRequest\":{\"Item\":"
					 "{\"pk\":{\"S\":\"a\"},\"v\":{\"S\":\"");
		memset(buf_extend(&body, text_size + more), 'x', text_size + more);
		buf_append_string(&body, "\"}}}}]}}");
		buf_put_u8(&body, 0);
		assert_int_equal(read(&f, (const char *)body.data), more == 0);
		if (more == 1)
			assert_string_equal(f.error.message,
					    "Item size has exceeded the maximum allowed size");
		arena_close(&f.arena);
		buf_close(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_of_all_tables_are_read_in_order),
		cmocka_unit_test(all_broken_constraints_are_told_at_once),
		cmocka_unit_test(wrong_types_come_first),
		cmocka_unit_test(a_batch_has_up_to_25_writes),
		cmocka_unit_test(a_request_is_one_action),
		cmocka_unit_test(a_wrong_value_is_told_and_not_taken_for_absent),
		cmocka_unit_test(an_item_over_400_kb_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
