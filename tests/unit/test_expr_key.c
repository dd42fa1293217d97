#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "coordinator/expr/expr_key.h"
#include "tests/unit/expr_fixture.h"

static const char bindings[] =
	"{'N':{'#p':'p'},'V':{':a':{'S':'1'},':b':{'S':'2'},':n':{'N':'1'},':e':{'S':''},':bin':{'B':''}}}";

static const struct expr_key_attribute partition = { { (const uint8_t *)"p", 1 }, ITEM_S };
static const struct expr_key_attribute sort = { { (const uint8_t *)"s", 1 }, ITEM_S };

/* The message that reading the condition gives, "" if none. */
static const char *read_error(struct expr_fixture *f, const char *text, struct expr_key_terms *terms)
{
	Cleave__ExprCondition *condition;

	expr_error_init(&f->error);
	assert_int_equal(expr_fixture_bind(f, bindings), ST_OK);
	if (expr_condition_parse(&f->bind, EXPR_KEY_CONDITION, slice_of_string(text), &condition) != ST_OK)
		fail_msg("%s: %s", text, f->error.text);
	return expr_key_read(condition, terms, &f->error) == ST_OK ? "" : f->error.text;
}

static void check_read_errors(const char *const (*cases)[2], size_t count)
{
	struct expr_key_terms terms;
	struct expr_fixture f;

	expr_fixture_open(&f);
	for (size_t i = 0; i < count; i++) {
		const char *message = read_error(&f, cases[i][0], &terms);

		if (strcmp(message, cases[i][1]) != 0)
			fail_msg("%s: %s", cases[i][0], message);
	}
	expr_fixture_close(&f);
}

static void a_condition_that_is_no_key_condition_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "a > b and size(b) > c or a > c", "Invalid operator used in KeyConditionExpression: OR" },
		{ "a in (b, size(c), d)", "Invalid operator used in KeyConditionExpression: IN" },
		{ "attribute_exists(a)",
		  "Invalid operator used in KeyConditionExpression: attribute_exists" },
		{ "attribute_not_exists(a)",
		  "Invalid operator used in KeyConditionExpression: attribute_not_exists" },
		{ "contains(a.d, b)", "Invalid operator used in KeyConditionExpression: contains" },
		{ "not a > b", "Invalid operator used in KeyConditionExpression: NOT" },
		{ "a <> b", "Invalid operator used in KeyConditionExpression: <>" },
		{ ":a between size(b) and size(a) and b > :b",
		  "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute "
		  "as "
		  "its first operand" },
		{ "begins_with(:a, b) and a > :b", "Invalid condition in KeyConditionExpression: begins_with "
						   "operator must have the key attribute "
						   "as its first operand" },
		{ "size(b) > a AND a.b > b AND b > c",
		  "KeyConditionExpressions cannot contain nested operations" },
		{ "a > size(b.d)", "KeyConditionExpressions cannot contain nested operations" },
		{ "a between size(b) and size(a)",
		  "KeyConditionExpressions cannot contain nested operations" },
		{ "b > a.b",
		  "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
		  "condition" },
		{ "b between c[1] and d",
		  "Invalid condition in KeyConditionExpression: Multiple attribute names "
		  "used in one condition" },
		{ "begins_with(a, b)",
		  "Invalid condition in KeyConditionExpression: Multiple attribute names "
		  "used in one condition" },
		{ "b.d > a AND c.d > e.f",
		  "KeyConditionExpressions cannot have conditions on nested attributes" },
		{ "b[0] > a", "KeyConditionExpressions cannot have conditions on nested attributes" },
		{ ":b > :a AND a < :b",
		  "Invalid condition in KeyConditionExpression: No key attribute specified" },
		{ "b > :a AND b < :a and c = :a and d = :a",
		  "KeyConditionExpressions must only contain one condition per key" },
		{ "(a > :a and b > :a) and (b > :a and c > :a)",
		  "KeyConditionExpressions must only contain one condition per key" },
		{ ":a = a and b = :a and :a = c", "Conditions can be of length 1 or 2 only" },
		{ "(a > :a and b > :a) and (c > :a and d > :a)", "Conditions can be of length 1 or 2 only" },
	};

	(void)state;
	check_read_errors(cases, ARRAY_COUNT(cases));
}

static const char *match_error(struct expr_fixture *f, const char *text,
			       const struct expr_key_attribute *sort_key, struct expr_key_query *query)
{
	struct expr_key_terms terms;

	assert_string_equal(read_error(f, text, &terms), "");
	return expr_fixture_match(&terms, &partition, sort_key, query, &f->error) == ST_OK ? ""
											   : f->error.text;
}

static void the_schema_says_which_conditions_are_needed(void **state)
{
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_string_equal(match_error(&f, "s = :a", &sort, &query),
			    "Query condition missed key schema element: p");
	assert_string_equal(match_error(&f, "p = :a and t = :a", &sort, &query),
			    "Query condition missed key schema element: s");
	assert_string_equal(match_error(&f, "p = :a and s = :a", NULL, &query),
			    "Query key condition not supported");
	assert_string_equal(match_error(&f, "p > :a", &sort, &query), "Query key condition not supported");
	assert_string_equal(
		match_error(&f, "p = :n", &sort, &query),
		"One or more parameter values were invalid: Condition parameter type does not match "
		"schema type");
	assert_string_equal(
		match_error(&f, "p = :a and s < :n", &sort, &query),
		"One or more parameter values were invalid: Condition parameter type does not match "
		"schema type");
	assert_string_equal(
		match_error(&f, "p = :e", &sort, &query),
		"One or more parameter values are not valid. The AttributeValue for a key attribute "
		"cannot contain an empty string value. Key: p");
	expr_fixture_close(&f);
}

static void a_key_condition_gives_a_partition_and_a_range(void **state)
{
	static const struct {
		const char *text;
		enum expr_key_op op;
		uint32_t count;
	} cases[] = {
		{ "p = :a", EXPR_KEY_NONE, 0 },
		{ "#p = :a AND s = :b", EXPR_KEY_EQ, 1 },
		{ "s < :b AND :a = #p", EXPR_KEY_LT, 1 },
		{ "p = :a AND :b < s", EXPR_KEY_GT, 1 },
		{ "p = :a AND :b <= s", EXPR_KEY_GE, 1 },
		{ "p = :a AND :b >= s", EXPR_KEY_LE, 1 },
		{ "p = :a AND :b > s", EXPR_KEY_LT, 1 },
		{ "(p = :a) AND (s >= :b)", EXPR_KEY_GE, 1 },
		{ "p = :a AND begins_with(s, :b)", EXPR_KEY_BEGINS_WITH, 1 },
		{ "s BETWEEN :b AND :b AND p = :a", EXPR_KEY_BETWEEN, 2 },
	};
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_string_equal(match_error(&f, cases[i].text, &sort, &query), "");
		assert_true(slice_equal(query.partition.payload, slice_of_string("1")));
		assert_int_equal(query.sort_op, cases[i].op);
		assert_int_equal(query.sort_count, cases[i].count);
		for (uint32_t j = 0; j < query.sort_count; j++)
			assert_true(slice_equal(query.sort[j].payload, slice_of_string("2")));
	}
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_condition_that_is_no_key_condition_is_refused),
		cmocka_unit_test(the_schema_says_which_conditions_are_needed),
		cmocka_unit_test(a_key_condition_gives_a_partition_and_a_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
