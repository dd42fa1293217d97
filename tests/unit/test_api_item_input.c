#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/api/api_item_input.h"

struct fixture {
	struct arena arena;
	struct api_item_input input;
	struct api_error error;
};

static bool read(struct fixture *f, const char *body)
{
	api_error_init(&f->error);
	arena_init(&f->arena, 64 * 1024 * 1024);
	return api_item_input_read(slice_of_string(body), &f->arena, &f->input, &f->error);
}

static void refused(const char *body, enum api_error_type type, const char *message)
{
	struct fixture f;

	assert_false(read(&f, body));
	assert_int_equal(f.error.type, type);
	assert_string_equal(f.error.message, message);
	arena_close(&f.arena);
}

#define KEY  "\"Key\":{\"pk\":{\"S\":\"a\"}}"
#define NAME "\"TableName\":\"things\""

static void a_get_is_eventual_unless_asked_otherwise(void **state)
{
	struct fixture f;

	(void)state;
	assert_true(read(&f, "{" NAME "," KEY "}"));
	assert_false(f.input.is_consistent);
	assert_null(f.input.expressions.projection);
	arena_close(&f.arena);
	assert_true(
		read(&f, "{" NAME "," KEY ",\"ConsistentRead\":true,\"ReturnConsumedCapacity\":\"TOTAL\"}"));
	assert_true(f.input.is_consistent);
	assert_int_equal(f.input.capacity, API_CAPACITY_TOTAL);
	arena_close(&f.arena);
}

static void all_broken_constraints_are_told_at_once(void **state)
{
	(void)state;
	refused("{\"TableName\":\"a;\",\"ReturnConsumedCapacity\":\"hi\",\"AttributesToGet\":[]}",
		API_ERROR_VALIDATION,
		"5 validation errors detected: Value 'hi' at 'returnConsumedCapacity' failed to satisfy "
		"constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; "
		"Value 'a;' at 'tableName' failed to satisfy constraint: Member must satisfy regular "
		"expression "
		"pattern: [a-zA-Z0-9_.-]+; Value 'a;' at 'tableName' failed to satisfy constraint: Member "
		"must "
		"have length greater than or equal to 3; Value null at 'key' failed to satisfy constraint: "
		"Member must not be null; Value '[]' at 'attributesToGet' failed to satisfy constraint: "
		"Member "
		"must have length greater than or equal to 1");
}

static void types_then_constraints_then_mixture_then_values(void **state)
{
	struct fixture f;

	(void)state;
	assert_false(read(&f, "{\"TableName\":5," KEY ",\"ReturnConsumedCapacity\":\"hi\"}"));
	assert_int_equal(f.error.type, API_ERROR_SERIALIZATION);
	arena_close(&f.arena);
	refused("{" NAME
		",\"Key\":{\"pk\":{\"N\":\"x\"}},\"ProjectionExpression\":\"a\",\"AttributesToGet\":[\"a\"]}",
		API_ERROR_VALIDATION,
		"Can not use both expression and non-expression parameters in the same request: "
		"Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}");
	refused("{" NAME ",\"Key\":{\"pk\":{\"N\":\"x\"}},\"ProjectionExpression\":\"\"}",
		API_ERROR_VALIDATION, "The parameter cannot be converted to a numeric value: x");
	refused("{" NAME "," KEY ",\"ProjectionExpression\":\"\"}", API_ERROR_VALIDATION,
		"Invalid ProjectionExpression: The expression can not be empty;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_is_eventual_unless_asked_otherwise),
		cmocka_unit_test(all_broken_constraints_are_told_at_once),
		cmocka_unit_test(types_then_constraints_then_mixture_then_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
