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
		{ "(a > :a and b > :a and c > :a and d > :a and e > :a) and (f > :a and g > :a and h > :a "
		  "and i = "
		  ":a)",
		  "Conditions can be of length 1 or 2 only" },
	};

	(void)state;
	check_read_errors(cases, ARRAY_COUNT(cases));
}

static const char *match_error(struct expr_fixture *f, const char *text, const struct expr_key *key,
			       struct expr_key_query *query)
{
	struct expr_key_terms terms;

	assert_string_equal(read_error(f, text, &terms), "");
	return expr_fixture_match(&terms, key, query, &f->error) == ST_OK ? "" : f->error.text;
}

static void the_key_of_a_table_takes_two_conditions(void **state)
{
	static const char *const cases[] = { ":a = a and b = :a and :a = c",
					     "(a > :a and b > :a) and (c > :a and d > :a)" };
	struct expr_key_terms terms;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_string_equal(read_error(&f, cases[i], &terms), "");
		assert_int_equal(expr_key_check_simple(&terms, &f.error), ST_INVALID);
		assert_string_equal(f.error.text, "Conditions can be of length 1 or 2 only");
	}
	assert_string_equal(read_error(&f, "a = :a and b = :a", &terms), "");
	assert_int_equal(expr_key_check_simple(&terms, &f.error), ST_OK);
	expr_fixture_close(&f);
}

static void the_schema_says_which_conditions_are_needed(void **state)
{
	const struct expr_key sorted = expr_fixture_key("S:p", "S:s");
	const struct expr_key unsorted = expr_fixture_key("S:p", "");
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_string_equal(match_error(&f, "s = :a", &sorted, &query),
			    "Query condition missed key schema element: p");
	assert_string_equal(match_error(&f, "p = :a and t = :a", &sorted, &query),
			    "Query condition missed key schema element: s");
	assert_string_equal(match_error(&f, "p = :a and s = :a", &unsorted, &query),
			    "Query key condition not supported");
	assert_string_equal(match_error(&f, "p = :a and s = :a and t = :a", &sorted, &query),
			    "Conditions can be of length 1 or 2 only");
	assert_string_equal(match_error(&f, "p > :a", &sorted, &query), "Query key condition not supported");
	assert_string_equal(
		match_error(&f, "p = :n", &sorted, &query),
		"One or more parameter values were invalid: Condition parameter type does not match "
		"schema type");
	assert_string_equal(
		match_error(&f, "p = :a and s < :n", &sorted, &query),
		"One or more parameter values were invalid: Condition parameter type does not match "
		"schema type");
	assert_string_equal(
		match_error(&f, "p = :e", &sorted, &query),
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
	const struct expr_key sorted = expr_fixture_key("S:p", "S:s");
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_string_equal(match_error(&f, cases[i].text, &sorted, &query), "");
		assert_true(slice_equal(query.partition[0].payload, slice_of_string("1")));
		assert_int_equal(query.equal_count, 0);
		assert_int_equal(query.sort_op, cases[i].op);
		assert_int_equal(query.sort_count, cases[i].count);
		for (uint32_t j = 0; j < query.sort_count; j++)
			assert_true(slice_equal(query.sort[j].payload, slice_of_string("2")));
	}
	expr_fixture_close(&f);
}

#define HASH_EQUALITY(names)                                                                                 \
	"HASH key attributes " names " must have equality conditions specified in the query"
#define RANGE_EQUALITY(names, name)                                                                          \
	"RANGE key attributes " names " must have equality conditions specified in the query because a "     \
	"condition is present on key attribute " name

/* Whatever the order of the terms. */
static void a_key_of_several_attributes_is_given_without_gaps(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "g = :a and h = :n", "" },
		{ "g = :a", HASH_EQUALITY("h") },
		{ "s = :a", HASH_EQUALITY("g, h") },
		{ "g = :a and h > :n", HASH_EQUALITY("h") },
		{ "begins_with(g, :a) and h between :n and :n", HASH_EQUALITY("g, h") },
		{ "h = :n and s = :a", HASH_EQUALITY("g") },
		{ "g = :a and h = :n and t = :n", RANGE_EQUALITY("s", "t") },
		{ "u = :a and g = :a and h = :n", RANGE_EQUALITY("s, t", "u") },
		{ "g = :a and h = :n and u = :a and s = :a", RANGE_EQUALITY("t", "u") },
		{ "g = :a and h = :n and s > :a and t = :n", RANGE_EQUALITY("s", "t") },
		{ "g = :a and h = :n and s > :a and u = :a", RANGE_EQUALITY("s, t", "u") },
		{ "t < :n and h = :n and s > :a and g = :a", RANGE_EQUALITY("s", "t") },
		{ "begins_with(s, :a) and g = :a and h = :n and t = :n", RANGE_EQUALITY("s", "t") },
		{ "g = :a and h = :n and x = :a", "Query condition missed key schema element: s" },
		{ "g = :a and h = :n and s = :a and x = :a", "Query condition missed key schema element: t" },
		{ "g = :a and h = :n and s = :a and t = :n and u = :a and x = :a",
		  "Query key condition not supported" },
		{ "g = :n and h = :n",
		  "One or more parameter values were invalid: Condition parameter type does not match schema "
		  "type" },
		{ "g = :a and h = :n and s = :a and t = :a and u > :a",
		  "One or more parameter values were invalid: Condition parameter type does not match schema "
		  "type" },
		{ "g = :a and h = :n and s = :e and t = :n",
		  "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
		  "contain an empty string value. Key: s" },
	};
	const struct expr_key key = expr_fixture_key("S:g N:h", "S:s N:t S:u");
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const char *message = match_error(&f, cases[i].text, &key, &query);

		if (strcmp(message, cases[i].message) != 0)
			fail_msg("%s: %s", cases[i].text, message);
	}
	expr_fixture_close(&f);
}

static void a_key_of_several_attributes_without_sort_takes_no_more(void **state)
{
	const struct expr_key key = expr_fixture_key("S:g N:h", "");
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_string_equal(match_error(&f, "h = :n and g = :b", &key, &query), "");
	assert_true(slice_equal(query.partition[0].payload, slice_of_string("2")));
	assert_int_equal(query.partition[1].type, ITEM_N);
	assert_int_equal(query.sort_op, EXPR_KEY_NONE);
	assert_string_equal(match_error(&f, "h = :n and g = :b and s = :a", &key, &query),
			    "Query key condition not supported");
	expr_fixture_close(&f);
}

static void the_last_attribute_given_may_be_a_range(void **state)
{
	static const struct {
		const char *text;
		uint32_t equal_count;
		enum expr_key_op op;
	} cases[] = {
		{ "g = :a and h = :b", 0, EXPR_KEY_NONE },
		{ "g = :a and h = :b and s = :a", 0, EXPR_KEY_EQ },
		{ "g = :a and h = :b and s > :a", 0, EXPR_KEY_GT },
		{ "t < :a and g = :a and s = :b and h = :b", 1, EXPR_KEY_LT },
		{ "g = :a and h = :b and s = :b and t = :b and begins_with(u, :a)", 2, EXPR_KEY_BEGINS_WITH },
		{ "g = :a and h = :b and s = :b and t = :b and u = :b and v between :a and :a", 3,
		  EXPR_KEY_BETWEEN },
		{ "g = :a and h = :b and s = :b and t = :b and u = :b and v = :a", 3, EXPR_KEY_EQ },
	};
	const struct expr_key key = expr_fixture_key("S:g S:h", "S:s S:t S:u S:v");
	struct expr_key_query query;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_string_equal(match_error(&f, cases[i].text, &key, &query), "");
		assert_true(slice_equal(query.partition[0].payload, slice_of_string("1")));
		assert_true(slice_equal(query.partition[1].payload, slice_of_string("2")));
		assert_int_equal(query.equal_count, cases[i].equal_count);
		for (uint32_t k = 0; k < query.equal_count; k++)
			assert_true(slice_equal(query.equal[k].payload, slice_of_string("2")));
		assert_int_equal(query.sort_op, cases[i].op);
		for (uint32_t k = 0; k < query.sort_count; k++)
			assert_true(slice_equal(query.sort[k].payload, slice_of_string("1")));
	}
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_condition_that_is_no_key_condition_is_refused),
		cmocka_unit_test(the_key_of_a_table_takes_two_conditions),
		cmocka_unit_test(a_key_of_several_attributes_is_given_without_gaps),
		cmocka_unit_test(a_key_of_several_attributes_without_sort_takes_no_more),
		cmocka_unit_test(the_last_attribute_given_may_be_a_range),
		cmocka_unit_test(the_schema_says_which_conditions_are_needed),
		cmocka_unit_test(a_key_condition_gives_a_partition_and_a_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
