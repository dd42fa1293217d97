#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/expr/expr_mixed.h"

static struct expr_error error;

static void old_and_new_parameters_do_not_go_together(void **state)
{
	struct expr_parameter expressions[] = { { "UpdateExpression", true },
						{ "ConditionExpression", true } };
	struct expr_parameter others[] = { { "AttributeUpdates", true }, { "Expected", true } };

	(void)state;
	assert_int_equal(expr_mixed_check(expressions, 2, others, 2, true, true, &error), ST_INVALID);
	assert_string_equal(error.text,
			    "Can not use both expression and non-expression parameters in the same request: "
			    "Non-expression parameters: {AttributeUpdates, Expected} Expression parameters: "
			    "{UpdateExpression, ConditionExpression}");
	others[0].is_set = false;
	expressions[0].is_set = false;
	assert_int_equal(expr_mixed_check(expressions, 2, others, 2, true, true, &error), ST_INVALID);
	assert_string_equal(
		error.text,
		"Can not use both expression and non-expression parameters in the same request: "
		"Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}");
	others[1].is_set = false;
	assert_int_equal(expr_mixed_check(expressions, 2, others, 2, true, true, &error), ST_OK);
}

static void key_conditions_may_stand_beside_a_filter_expression(void **state)
{
	struct expr_parameter expressions[] = { { "ProjectionExpression", true },
						{ "FilterExpression", true },
						{ "KeyConditionExpression", false } };
	struct expr_parameter others[] = { { "AttributesToGet", false }, { "KeyConditions", true } };

	(void)state;
	assert_int_equal(expr_mixed_check(expressions, 3, others, 2, true, true, &error), ST_OK);
	others[0].is_set = true;
	assert_int_equal(expr_mixed_check(expressions, 3, others, 2, true, true, &error), ST_INVALID);
	assert_string_equal(error.text,
			    "Can not use both expression and non-expression parameters in the same request: "
			    "Non-expression parameters: {AttributesToGet} Expression parameters: "
			    "{ProjectionExpression, FilterExpression}");
	expressions[2].is_set = true;
	assert_int_equal(expr_mixed_check(expressions, 3, others, 2, true, true, &error), ST_INVALID);
	assert_string_equal(
		error.text,
		"Can not use both expression and non-expression parameters in the same request: "
		"Non-expression parameters: {AttributesToGet, KeyConditions} Expression parameters: "
		"{ProjectionExpression, FilterExpression, KeyConditionExpression}");
}

static void placeholders_need_an_expression(void **state)
{
	struct expr_parameter put[] = { { "ConditionExpression", false } };
	struct expr_parameter query[] = { { "ProjectionExpression", true },
					  { "FilterExpression", false },
					  { "KeyConditionExpression", false } };

	(void)state;
	assert_int_equal(expr_mixed_check(put, 1, NULL, 0, true, false, &error), ST_INVALID);
	assert_string_equal(error.text,
			    "ExpressionAttributeNames can only be specified when using expressions");
	assert_int_equal(expr_mixed_check(put, 1, NULL, 0, false, true, &error), ST_INVALID);
	assert_string_equal(error.text,
			    "ExpressionAttributeValues can only be specified when using expressions: "
			    "ConditionExpression is null");
	assert_int_equal(expr_mixed_check(query, 3, NULL, 0, true, true, &error), ST_INVALID);
	assert_string_equal(error.text,
			    "ExpressionAttributeValues can only be specified when using expressions: "
			    "FilterExpression and KeyConditionExpression are null");
	assert_int_equal(expr_mixed_check(query, 1, NULL, 0, true, true, &error),
			 ST_OK); /* GetItem has no values */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_and_new_parameters_do_not_go_together),
		cmocka_unit_test(key_conditions_may_stand_beside_a_filter_expression),
		cmocka_unit_test(placeholders_need_an_expression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
