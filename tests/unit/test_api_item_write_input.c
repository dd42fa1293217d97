#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/api/api_item_write_input.h"

struct fixture {
	struct arena arena;
	struct api_item_write_input input;
	struct api_error error;
};

static bool read(struct fixture *f, enum item_op_kind kind, const char *body)
{
	api_error_init(&f->error);
	arena_init(&f->arena, 64 * 1024 * 1024);
	return api_item_write_input_read(kind, slice_of_string(body), &f->arena, &f->input, &f->error);
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
	assert_int_equal(f.input.returned, CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD);
	assert_int_equal(f.input.capacity, API_CAPACITY_TOTAL);
	assert_null(f.input.programs.condition);
	assert_null(f.input.programs.update);
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
	refused(ITEM_OP_DELETE, "{" NAME "," KEY ",\"ReturnValues\":\"UPDATED_OLD\"}", API_ERROR_VALIDATION,
		"ReturnValues can only be ALL_OLD or NONE");
}

static void an_update_returns_any_of_five(void **state)
{
	static const struct {
		const char *name;
		Cleave__WriteItemRequest__Returned returned;
	} cases[] = {
		{ "NONE", CLEAVE__WRITE_ITEM_REQUEST__RETURNED__NOTHING },
		{ "ALL_OLD", CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD },
		{ "ALL_NEW", CLEAVE__WRITE_ITEM_REQUEST__RETURNED__NEW },
		{ "UPDATED_OLD", CLEAVE__WRITE_ITEM_REQUEST__RETURNED__UPDATED_OLD },
		{ "UPDATED_NEW", CLEAVE__WRITE_ITEM_REQUEST__RETURNED__UPDATED_NEW },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;
		char body[256];

		(void)snprintf(body, sizeof(body), "{" NAME "," KEY ",\"ReturnValues\":\"%s\"}",
			       cases[i].name);
		assert_true(read(&f, ITEM_OP_UPDATE, body));
		assert_int_equal(f.input.returned, cases[i].returned);
		assert_non_null(f.input.programs.update); /* of no action */
		arena_close(&f.arena);
	}
}

static void old_and_new_parameters_do_not_mix(void **state)
{
	(void)state;
	refused(ITEM_OP_PUT,
		"{" NAME "," ITEM
		",\"ConditionExpression\":\"\",\"Expected\":{},\"ConditionalOperator\":\"OR\"}",
		API_ERROR_VALIDATION,
		"Can not use both expression and non-expression parameters in the same request: "
		"Non-expression parameters: {Expected, ConditionalOperator} Expression parameters: "
		"{ConditionExpression}");
	refused(ITEM_OP_UPDATE,
		"{" NAME "," KEY ",\"UpdateExpression\":\"\",\"ConditionExpression\":\"\","
		"\"AttributeUpdates\":{},\"Expected\":{}}",
		API_ERROR_VALIDATION,
		"Can not use both expression and non-expression parameters in the same request: "
		"Non-expression parameters: {AttributeUpdates, Expected} Expression parameters: "
		"{UpdateExpression, ConditionExpression}");
}

static void placeholders_need_an_expression(void **state)
{
	(void)state;
	refused(ITEM_OP_DELETE, "{" NAME "," KEY ",\"ExpressionAttributeNames\":{\"#a\":\"a\"}}",
		API_ERROR_VALIDATION,
		"ExpressionAttributeNames can only be specified when using expressions");
	refused(ITEM_OP_PUT, "{" NAME "," ITEM ",\"ExpressionAttributeValues\":{\":a\":{\"S\":\"a\"}}}",
		API_ERROR_VALIDATION,
		"ExpressionAttributeValues can only be specified when using expressions: "
		"ConditionExpression is null");
	refused(ITEM_OP_UPDATE, "{" NAME "," KEY ",\"ExpressionAttributeValues\":{\":a\":{\"S\":\"a\"}}}",
		API_ERROR_VALIDATION,
		"ExpressionAttributeValues can only be specified when using expressions: "
		"UpdateExpression and ConditionExpression are null");
}

/* Each body is wrong in two ways; the first that the service looks for is told. */
static void faults_are_told_in_the_service_s_order(void **state)
{
	(void)state;
	refused(ITEM_OP_PUT, "{" NAME ",\"Item\":{\"pk\":{\"N\":\"x\"}},\"ReturnValues\":\"ALL_NEW\"}",
		API_ERROR_VALIDATION, "The parameter cannot be converted to a numeric value: x");
	refused(ITEM_OP_PUT,
		"{" NAME "," ITEM ",\"ReturnValues\":\"ALL_NEW\",\"ConditionExpression\":\"!\","
		"\"ExpressionAttributeValues\":{\":a\":{\"N\":\"x\"}}}",
		API_ERROR_VALIDATION, "ReturnValues can only be ALL_OLD or NONE");
	refused(ITEM_OP_PUT,
		"{" NAME "," ITEM ",\"ConditionExpression\":\"!\","
		"\"ExpressionAttributeValues\":{\":a\":{\"N\":\"x\"}}}",
		API_ERROR_VALIDATION,
		"ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a "
		"numeric value: x for key :a");
	refused(ITEM_OP_UPDATE, "{" NAME "," KEY ",\"UpdateExpression\":\"\",\"ConditionExpression\":\"!\"}",
		API_ERROR_VALIDATION, "Invalid UpdateExpression: The expression can not be empty;");
	refused(ITEM_OP_UPDATE, "{" NAME "," KEY ",\"AttributeUpdates\":{\"a\":{}},\"Expected\":{\"b\":{}}}",
		API_ERROR_VALIDATION,
		"One or more parameter values were invalid: Only DELETE action is allowed when no attribute "
		"value is specified");
	refused(ITEM_OP_UPDATE, "{" NAME "," KEY ",\"Expected\":{\"b\":{}}}", API_ERROR_VALIDATION,
		"One or more parameter values were invalid: Value must be provided when Exists is null for "
		"Attribute: b");
	refused(ITEM_OP_DELETE,
		"{" NAME "," KEY ",\"Expected\":{\"b\":{\"Exists\":false}},\"ConditionalOperator\":\"OR\"}",
		API_ERROR_VALIDATION,
		"ConditionalOperator can only be used when Filter or Expected has two or more elements");
}

/* A wrong value before it, a wrong key after it: both are left out, the first is told. */
static void a_wrong_key_is_told_before_wrong_values(void **state)
{
	(void)state;
	refused(ITEM_OP_UPDATE,
		"{" NAME
		",\"UpdateExpression\":\"SET a = :a\",\"ExpressionAttributeValues\":{\":a\":{\"N\":\"x\"}},"
		"\"Key\":{\"pk\":{\"N\":\"y\"}}}",
		API_ERROR_VALIDATION, "The parameter cannot be converted to a numeric value: y");
}

static void old_parameters_have_constraints_of_their_own(void **state)
{
	(void)state;
	refused(ITEM_OP_UPDATE,
		"{" NAME "," KEY ",\"Expected\":{\"a\":{\"ComparisonOperator\":\"hi\"}},"
		"\"AttributeUpdates\":{\"b\":{\"Action\":\"hi\"}},\"ConditionalOperator\":\"hi\"}",
		API_ERROR_VALIDATION,
		"3 validation errors detected: Value 'hi' at 'conditionalOperator' failed to satisfy "
		"constraint: "
		"Member must satisfy enum value set: [OR, AND]; Value 'hi' at "
		"'expected.a.member.comparisonOperator' failed to satisfy constraint: Member must satisfy "
		"enum "
		"value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, "
		"CONTAINS]; Value 'hi' at 'attributeUpdates.b.member.action' failed to satisfy constraint: "
		"Member must satisfy enum value set: [ADD, PUT, DELETE]");
}

static void conditions_and_updates_are_compiled(void **state)
{
	struct fixture f;

	(void)state;
	assert_true(read(&f, ITEM_OP_UPDATE,
			 "{" NAME "," KEY
			 ",\"UpdateExpression\":\"ADD n :n\",\"ConditionExpression\":\"n < :n\","
			 "\"ExpressionAttributeValues\":{\":n\":{\"N\":\"1\"}},"
			 "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}"));
	assert_non_null(f.input.programs.condition);
	assert_int_equal(f.input.programs.update->n_paths, 1);
	assert_true(f.input.returns_old_on_failure);
	arena_close(&f.arena);
	assert_true(read(&f, ITEM_OP_DELETE, "{" NAME "," KEY ",\"Expected\":{\"a\":{\"Exists\":false}}}"));
	assert_non_null(f.input.programs.condition);
	assert_false(f.input.returns_old_on_failure);
	arena_close(&f.arena);
	assert_true(read(&f, ITEM_OP_UPDATE,
			 "{" NAME "," KEY ",\"AttributeUpdates\":{\"a\":{\"Action\":\"DELETE\"}}}"));
	assert_true(f.input.programs.update->is_legacy);
	arena_close(&f.arena);
}

static void no_update_may_touch_the_key(void **state)
{
	static const char *const bodies[] = {
		"\"UpdateExpression\":\"REMOVE a, pk\"",
		"\"AttributeUpdates\":{\"pk\":{\"Action\":\"DELETE\"}}",
	};
	struct table_schema schema;

	(void)state;
	assert_int_equal(table_schema_init(&schema, slice_of_string("pk"), slice_of_string("S")), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
		struct fixture f;
		char body[256];

		(void)snprintf(body, sizeof(body), "{" NAME "," KEY ",%s}", bodies[i]);
		assert_true(read(&f, ITEM_OP_UPDATE, body));
		assert_false(api_write_expression_check_schema(&f.input.programs, &schema, NULL, &f.error));
		assert_string_equal(f.error.message,
				    "One or more parameter values were invalid: Cannot update "
				    "attribute pk. This attribute is part of the key");
		arena_close(&f.arena);
	}
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
		cmocka_unit_test(all_broken_constraints_are_told_at_once),
		cmocka_unit_test(a_wrong_type_comes_before_a_broken_constraint),
		cmocka_unit_test(a_broken_constraint_comes_before_a_wrong_value),
		cmocka_unit_test(a_put_returns_the_old_item_or_nothing),
		cmocka_unit_test(an_update_returns_any_of_five),
		cmocka_unit_test(old_and_new_parameters_do_not_mix),
		cmocka_unit_test(placeholders_need_an_expression),
		cmocka_unit_test(faults_are_told_in_the_service_s_order),
		cmocka_unit_test(a_wrong_key_is_told_before_wrong_values),
		cmocka_unit_test(old_parameters_have_constraints_of_their_own),
		cmocka_unit_test(conditions_and_updates_are_compiled),
		cmocka_unit_test(no_update_may_touch_the_key),
		cmocka_unit_test(an_item_over_400_kb_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
