#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/api/api_item_input.h"

struct fixture {
	struct arena arena;
	struct api_item_input input;
	struct api_error error;
};

static bool read(struct fixture *f, enum item_op_kind kind, const char *body)
{
	api_error_init(&f->error);
	arena_init(&f->arena, 64 * 1024 * 1024);
	return api_item_input_read(kind, slice_of_string(body), &f->arena, &f->input, &f->error);
}

static void refused(enum item_op_kind kind, const char *body, enum api_error_type type, const char *message)
{
	struct fixture f;

	assert_false(read(&f, kind, body));
	assert_int_equal(f.error.type, type);
	assert_string_equal(f.error.message, message);
	arena_close(&f.arena);
}

#define ITEM "\"Item\":{\"pk\":{\"S\":\"a\"}}"
#define KEY  "\"Key\":{\"pk\":{\"S\":\"a\"}}"
#define NAME "\"TableName\":\"things\""

static void a_put_is_read_with_its_settings(void **state)
{
	struct fixture f;

	(void)state;
	assert_true(read(&f, ITEM_OP_PUT,
			 "{" NAME "," ITEM
			 ",\"ReturnValues\":\"ALL_OLD\",\"ReturnConsumedCapacity\":\"TOTAL\","
			 "\"ReturnItemCollectionMetrics\":\"SIZE\",\"Unknown\":[1,2]}"));
	assert_true(f.input.returns_old);
	assert_int_equal(f.input.capacity, API_CAPACITY_TOTAL);
	assert_int_equal(f.input.size_bytes, 3);
	arena_close(&f.arena);
}

static void a_get_is_eventual_unless_asked_otherwise(void **state)
{
	struct fixture f;

	(void)state;
	assert_true(read(&f, ITEM_OP_GET, "{" NAME "," KEY "}"));
	assert_false(f.input.is_consistent);
	arena_close(&f.arena);
	assert_true(read(&f, ITEM_OP_GET, "{" NAME "," KEY ",\"ConsistentRead\":true}"));
	assert_true(f.input.is_consistent);
	arena_close(&f.arena);
}

static void all_broken_constraints_are_told_at_once(void **state)
{
	(void)state;
	refused(ITEM_OP_PUT,
		"{\"TableName\":\"a;\",\"ReturnValues\":\"hi\",\"ReturnConsumedCapacity\":\"hi\","
		"\"ReturnItemCollectionMetrics\":\"hi\"}",
		API_ERROR_VALIDATION,
		"6 validation errors detected: "
		"Value 'hi' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy "
		"enum "
		"value set: [INDEXES, TOTAL, NONE]; "
		"Value 'a;' at 'tableName' failed to satisfy constraint: Member must satisfy regular "
		"expression "
		"pattern: [a-zA-Z0-9_.-]+; "
		"Value 'a;' at 'tableName' failed to satisfy constraint: Member must have length greater "
		"than or "
		"equal to 3; "
		"Value null at 'item' failed to satisfy constraint: Member must not be null; "
		"Value 'hi' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value "
		"set: "
		"[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; "
		"Value 'hi' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must "
		"satisfy "
		"enum value set: [SIZE, NONE]");
}

static void what_is_not_there_yet_is_refused_by_name(void **state)
{
	static const struct {
		enum item_op_kind kind;
		const char *member;
		const char *name;
	} cases[] = {
		{ ITEM_OP_PUT, "\"ConditionExpression\":\"a = b\"", "ConditionExpression" },
		{ ITEM_OP_PUT, "\"Expected\":{\"a\":{\"Exists\":false}}", "Expected" },
		{ ITEM_OP_DELETE, "\"ConditionalOperator\":\"OR\"", "ConditionalOperator" },
		{ ITEM_OP_DELETE, "\"ExpressionAttributeValues\":{\":v\":{\"S\":\"x\"}}",
		  "ExpressionAttributeValues" },
		{ ITEM_OP_PUT, "\"ExpressionAttributeNames\":{\"#a\":\"a\"}", "ExpressionAttributeNames" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const char *item = cases[i].kind == ITEM_OP_PUT ? ITEM : KEY;
		char body[256];
		char message[128];

		(void)snprintf(body, sizeof(body), "{" NAME ",%s,%s}", item, cases[i].member);
		(void)snprintf(message, sizeof(message),
			       "One or more parameter values were invalid: %s is not supported yet",
			       cases[i].name);
		refused(cases[i].kind, body, API_ERROR_VALIDATION, message);
	}
}

static void a_wrong_type_comes_before_a_broken_constraint(void **state)
{
	struct fixture f;

	(void)state;
	assert_false(read(&f, ITEM_OP_PUT, "{\"TableName\":5," ITEM ",\"ReturnValues\":\"hi\"}"));
	assert_int_equal(f.error.type, API_ERROR_SERIALIZATION);
	arena_close(&f.arena);
}

static void a_broken_constraint_comes_before_a_wrong_value(void **state)
{
	(void)state;
	refused(ITEM_OP_PUT, "{" NAME ",\"Item\":{\"pk\":{\"N\":\"x\"}},\"ReturnValues\":\"hi\"}",
		API_ERROR_VALIDATION,
		"1 validation error detected: Value 'hi' at 'returnValues' failed to satisfy constraint: "
		"Member "
		"must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]");
	refused(ITEM_OP_PUT, "{" NAME ",\"Item\":{\"pk\":{\"N\":\"x\"}}}", API_ERROR_VALIDATION,
		"The parameter cannot be converted to a numeric value: x");
}

static void a_put_returns_the_old_item_or_nothing(void **state)
{
	(void)state;
	refused(ITEM_OP_PUT, "{" NAME "," ITEM ",\"ReturnValues\":\"ALL_NEW\"}", API_ERROR_VALIDATION,
		"ReturnValues can only be ALL_OLD or NONE");
}

static void an_item_over_400_kb_is_refused(void **state)
{
	size_t text_size = LIMIT_ITEM_SIZE_BYTES - strlen("pk") - strlen("a") - strlen("v");
	char *body = malloc(text_size + 256);
	struct fixture f;
	int at;

	(void)state;
	assert_non_null(body);
	for (size_t more = 0; more < 2; more++) {
		at = snprintf(body, 256, "{" NAME ",\"Item\":{\"pk\":{\"S\":\"a\"},\"v\":{\"S\":\"");
		memset(body + at, 'x', text_size + more);
		(void)snprintf(body + at + text_size + more, 8, "\"}}}");
		assert_int_equal(read(&f, ITEM_OP_PUT, body), more == 0);
		if (more == 1)
			assert_string_equal(f.error.message,
					    "Item size has exceeded the maximum allowed size");
		arena_close(&f.arena);
	}
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_is_read_with_its_settings),
		cmocka_unit_test(a_get_is_eventual_unless_asked_otherwise),
		cmocka_unit_test(all_broken_constraints_are_told_at_once),
		cmocka_unit_test(what_is_not_there_yet_is_refused_by_name),
		cmocka_unit_test(a_wrong_type_comes_before_a_broken_constraint),
		cmocka_unit_test(a_broken_constraint_comes_before_a_wrong_value),
		cmocka_unit_test(a_put_returns_the_old_item_or_nothing),
		cmocka_unit_test(an_item_over_400_kb_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
