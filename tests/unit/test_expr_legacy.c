#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/expr/expr_legacy.h"
#include "tests/unit/expr_fixture.h"

/* One condition in a test: values come from the fixture's values, by their placeholders. */
struct condition {
	const char *name;
	const char *comparison; /* "": none */
	const char *list;       /* ":a :b"; "": empty; NULL: none */
	const char *value;      /* NULL: none */
	const char *exists;     /* "true", "false"; NULL: none */
};

static const char bindings[] =
	"{'V':{':s':{'S':'abc'},':t':{'S':'b'},':n':{'N':'10'},':m':{'N':'9'},':b':{'B':'YWJj'},"
	"':bool':{'BOOL':true},':null':{'NULL':true},':l':{'L':[{'N':'1'}]},':map':{'M':{}},':ss':{'SS':['a']"
	"},"
	"':ns':{'NS':['1']},':bs':{'BS':['YQ==']}}}";

static const char item[] = "{'k':{'S':'k'},'s':{'S':'abc'},'n':{'N':'10'},'ss':{'SS':['abc','x']},"
			   "'l':{'L':[{'N':'1'}]}}";

static struct slice value_of(struct expr_fixture *f, const char *placeholder, size_t size)
{
	int64_t index = expr_bind_find(&f->bind.values, slice_of(placeholder, size));

	assert_true(index >= 0);
	return f->bind.values.bindings[index].value;
}

static void read_list(struct expr_fixture *f, const char *list, struct expr_legacy_condition *out)
{
	struct slice *values = arena_alloc(&f->arena, 256 * sizeof(*values));

	out->has_list = list != NULL;
	out->values = values;
	while (list != NULL && *list != '\0') {
		size_t size = strcspn(list, " ");

		values[out->value_count++] = value_of(f, list, size);
		list += size + (list[size] == ' ');
	}
}

static struct expr_legacy_conditions read_conditions(struct expr_fixture *f, const struct condition *in,
						     uint32_t count)
{
	struct expr_legacy_condition *out = arena_alloc_zeroed(&f->arena, (count + 1) * sizeof(*out));

	for (uint32_t i = 0; i < count; i++) {
		out[i].name = slice_of_string(in[i].name);
		out[i].comparison = expr_legacy_comparison(slice_of_string(in[i].comparison));
		read_list(f, in[i].list, &out[i]);
		if (in[i].value != NULL)
			out[i].value = value_of(f, in[i].value, strlen(in[i].value));
		out[i].has_exists = in[i].exists != NULL;
		out[i].exists = in[i].exists != NULL && strcmp(in[i].exists, "true") == 0;
	}
	return (struct expr_legacy_conditions){ out, count, false };
}

static void all_comparisons_have_names(void **state)
{
	static const char *const names[] = { "EQ",          "NE",       "LE",     "LT",       "GE",
					     "GT",          "NOT_NULL", "NULL",   "CONTAINS", "NOT_CONTAINS",
					     "BEGINS_WITH", "IN",       "BETWEEN" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		assert_int_equal(expr_legacy_comparison(slice_of_string(names[i])), i + 1);
	assert_int_equal(expr_legacy_comparison(slice_of_string("eq")), EXPR_COMPARISON_NONE);
	assert_int_equal(expr_legacy_comparison(slice_of_string("")), EXPR_COMPARISON_NONE);
}

#define INVALID "One or more parameter values were invalid: "

static void an_expectation_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		struct condition condition;
		const char *message;
	} cases[] = {
		{ { "a", "EQ", ":s", ":s", NULL },
		  INVALID "Value and AttributeValueList cannot be used together for Attribute: a" },
		{ { "a", "EQ", ":s", NULL, "true" },
		  INVALID "Exists and ComparisonOperator cannot be used together for Attribute: a" },
		{ { "a", "LT", NULL, NULL, NULL },
		  INVALID
		  "Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: a" },
		{ { "a", "", ":s", NULL, NULL },
		  INVALID "AttributeValueList can only be used with a ComparisonOperator for Attribute: a" },
		{ { "a", "", NULL, NULL, NULL },
		  INVALID "Value must be provided when Exists is null for Attribute: a" },
		{ { "a", "", NULL, NULL, "true" },
		  INVALID "Value must be provided when Exists is true for Attribute: a" },
		{ { "a", "", NULL, ":s", "false" },
		  INVALID "Value cannot be used when Exists is false for Attribute: a" },
		{ { "a", "EQ", "", NULL, NULL },
		  INVALID "Invalid number of argument(s) for the EQ ComparisonOperator" },
		{ { "a", "EQ", ":s :t", NULL, NULL },
		  INVALID "Invalid number of argument(s) for the EQ ComparisonOperator" },
		{ { "a", "NULL", NULL, ":s", NULL },
		  INVALID "Invalid number of argument(s) for the NULL ComparisonOperator" },
		{ { "a", "NOT_NULL", ":s", NULL, NULL },
		  INVALID "Invalid number of argument(s) for the NOT_NULL ComparisonOperator" },
		{ { "a", "IN", "", NULL, NULL },
		  INVALID "Invalid number of argument(s) for the IN ComparisonOperator" },
		{ { "a", "BETWEEN", NULL, ":s", NULL },
		  INVALID "Invalid number of argument(s) for the BETWEEN ComparisonOperator" },
		{ { "a", "IN", ":s :n", NULL, NULL },
		  INVALID "AttributeValues inside AttributeValueList must be of same type" },
		{ { "a", "BETWEEN", ":n :m", NULL, NULL },
		  "The BETWEEN condition was provided a range where the lower bound is greater than the "
		  "upper "
		  "bound" },
		{ { "a", "LT", ":ss", NULL, NULL },
		  INVALID "ComparisonOperator LT is not valid for SS AttributeValue type" },
	};
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct expr_legacy_conditions expected = read_conditions(&f, &cases[i].condition, 1);
		Cleave__ExprCondition *condition;

		assert_int_equal(expr_legacy_expected(&f.arena, &expected, &condition, &f.error), ST_INVALID);
		assert_string_equal(f.error.text, cases[i].message);
	}
	expr_fixture_close(&f);
}

static void each_comparison_has_its_types(void **state)
{
	static const char *const types[] = { ":s", ":n",   ":b",  ":bool", ":null",
					     ":l", ":map", ":ss", ":ns",   ":bs" };
	static const struct {
		const char *comparison;
		const char *allowed; /* one digit for each type */
	} cases[] = {
		{ "EQ", "1111111111" },           { "NE", "1111111111" },
		{ "LT", "1110000000" },           { "LE", "1110000000" },
		{ "GT", "1110000000" },           { "GE", "1110000000" },
		{ "IN", "1110000000" },           { "CONTAINS", "1111100000" },
		{ "NOT_CONTAINS", "1111100000" }, { "BEGINS_WITH", "1010000000" },
	};
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (size_t j = 0; j < ARRAY_COUNT(types); j++) {
			struct condition one = { "a", cases[i].comparison, types[j], NULL, NULL };
			struct expr_legacy_conditions filter = read_conditions(&f, &one, 1);
			Cleave__ExprCondition *condition;
			enum status status = expr_legacy_filter(&f.arena, &filter, &condition, &f.error);

			assert_int_equal(status == ST_OK, cases[i].allowed[j] == '1');
		}
	}
	assert_string_equal(f.error.text,
			    INVALID "ComparisonOperator BEGINS_WITH is not valid for BS AttributeValue type");
	expr_fixture_close(&f);
}

static bool holds(struct expr_fixture *f, const struct condition *in, uint32_t count, bool is_or)
{
	struct expr_legacy_conditions all = read_conditions(f, in, count);
	Cleave__ExprCondition *condition;
	bool is_true = false;

	all.is_or = is_or;
	if (expr_legacy_expected(&f->arena, &all, &condition, &f->error) != ST_OK)
		fail_msg("%s", f->error.text);
	assert_int_equal(
		eval_condition(expr_fixture_send(f, condition), expr_fixture_item(f, item), &is_true), ST_OK);
	return is_true;
}

static void comparisons_mean_what_they_say(void **state)
{
	static const struct {
		struct condition condition;
		bool is_true;
	} cases[] = {
		{ { "s", "EQ", ":s", NULL, NULL }, true },
		{ { "s", "", NULL, ":s", NULL }, true },
		{ { "s", "", NULL, ":t", "true" }, false },
		{ { "s", "", NULL, NULL, "false" }, false },
		{ { "x", "", NULL, NULL, "false" }, true },
		{ { "s", "NE", ":t", NULL, NULL }, true },
		{ { "x", "NE", ":t", NULL, NULL }, true },
		{ { "n", "LE", ":n", NULL, NULL }, true },
		{ { "n", "LT", ":n", NULL, NULL }, false },
		{ { "n", "GE", ":m", NULL, NULL }, true },
		{ { "n", "GT", ":s", NULL, NULL }, false },
		{ { "s", "NULL", NULL, NULL, NULL }, false },
		{ { "x", "NULL", NULL, NULL, NULL }, true },
		{ { "s", "NOT_NULL", NULL, NULL, NULL }, true },
		{ { "s", "CONTAINS", ":t", NULL, NULL }, true },
		{ { "ss", "CONTAINS", ":s", NULL, NULL }, true },
		{ { "ss", "NOT_CONTAINS", ":t", NULL, NULL }, true },
		{ { "ss", "NOT_CONTAINS", ":s", NULL, NULL }, false },
		{ { "x", "NOT_CONTAINS", ":s", NULL, NULL }, false },
		{ { "s", "BEGINS_WITH", ":t", NULL, NULL }, false },
		{ { "s", "IN", ":t :s", NULL, NULL }, true },
		{ { "x", "IN", ":t :s", NULL, NULL }, false },
		{ { "n", "BETWEEN", ":m :n", NULL, NULL }, true },
		{ { "l", "EQ", ":l", NULL, NULL }, true },
	};
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (holds(&f, &cases[i].condition, 1, false) != cases[i].is_true)
			fail_msg("%s %s", cases[i].condition.name, cases[i].condition.comparison);
	}
	expr_fixture_close(&f);
}

static void the_conditional_operator_joins_them(void **state)
{
	static const struct condition conditions[] = {
		{ "s", "EQ", ":s", NULL, NULL },
		{ "x", "NOT_NULL", NULL, NULL, NULL },
		{ "n", "NOT_CONTAINS", ":s", NULL, NULL },
	};
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	assert_false(holds(&f, conditions, 3, false));
	assert_true(holds(&f, conditions, 3, true));
	assert_true(holds(&f, conditions, 1, false));
	assert_false(holds(&f, conditions + 1, 2, false));
	assert_int_equal(expr_legacy_check_operator(0, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, "ConditionalOperator cannot be used without Filter or Expected");
	assert_int_equal(expr_legacy_check_operator(1, &f.error), ST_INVALID);
	assert_string_equal(
		f.error.text,
		"ConditionalOperator can only be used when Filter or Expected has two or more elements");
	assert_int_equal(expr_legacy_check_operator(2, &f.error), ST_OK);
	expr_fixture_close(&f);
}

static void no_condition_is_none(void **state)
{
	struct expr_legacy_conditions none = { 0 };
	Cleave__ExprCondition *condition;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_legacy_filter(&f.arena, &none, &condition, &f.error), ST_OK);
	assert_null(condition);
	expr_fixture_close(&f);
}

static void a_long_list_is_searched_in_parts(void **state)
{
	struct slice values[250];
	struct expr_legacy_condition one = { .name = slice_of_string("n"),
					     .comparison = EXPR_COMPARISON_IN,
					     .has_list = true,
					     .values = values };
	struct expr_legacy_conditions all = { &one, 1, false };
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	for (uint32_t i = 0; i < 250; i++)
		values[i] = value_of(&f, i == 249 ? ":n" : ":m", 2);
	for (one.value_count = 249; one.value_count <= 250; one.value_count++) {
		Cleave__ExprCondition *condition;
		bool is_true = false;

		assert_int_equal(expr_legacy_filter(&f.arena, &all, &condition, &f.error), ST_OK);
		assert_int_equal(eval_condition(expr_fixture_send(&f, condition), expr_fixture_item(&f, item),
						&is_true),
				 ST_OK);
		assert_int_equal(is_true, one.value_count == 250);
	}
	expr_fixture_close(&f);
}

static void more_than_fits_is_refused(void **state)
{
	enum { COUNT = 10000 };
	struct expr_legacy_condition *many = calloc(COUNT, sizeof(*many));
	struct expr_legacy_conditions all = { many, COUNT, false };
	Cleave__ExprCondition *condition;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (int i = 0; i < COUNT; i++)
		many[i] = (struct expr_legacy_condition){ .name = slice_of_string("a"),
							  .comparison = EXPR_COMPARISON_NULL };
	assert_int_equal(expr_legacy_filter(&f.arena, &all, &condition, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, "Expression size has exceeded the maximum allowed size;");
	free(many);
	expr_fixture_close(&f);
}

static void key_conditions_become_terms(void **state)
{
	static const struct condition conditions[] = { { "k", "EQ", ":s", NULL, NULL },
						       { "n", "BETWEEN", ":m :n", NULL, NULL } };
	static const struct condition unusable = { "k", "NE", ":s", NULL, NULL };
	static const struct condition three[] = { { "r", "EQ", ":n", NULL, NULL },
						  { "k", "EQ", ":s", NULL, NULL },
						  { "n", "LE", ":m", NULL, NULL } };
	const struct expr_key simple = expr_fixture_key("S:k", "N:n");
	const struct expr_key multiple = expr_fixture_key("S:k", "N:n N:r");
	struct expr_legacy_conditions keys;
	struct expr_key_query query;
	struct expr_key_terms terms;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	keys = read_conditions(&f, conditions, 2);
	assert_int_equal(expr_legacy_key_conditions(&keys, &terms, &f.error), ST_OK);
	assert_int_equal(expr_fixture_match(&terms, &simple, &query, &f.error), ST_OK);
	assert_int_equal(query.sort_op, EXPR_KEY_BETWEEN);
	assert_int_equal(query.sort_count, 2);
	assert_true(slice_equal(query.partition[0].payload, slice_of_string("abc")));
	keys = read_conditions(&f, &unusable, 1);
	assert_int_equal(expr_legacy_key_conditions(&keys, &terms, &f.error), ST_OK);
	assert_int_equal(expr_fixture_match(&terms, &simple, &query, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, "Attempted conditional constraint is not an indexable operation");
	keys = read_conditions(&f, three, 3);
	assert_int_equal(expr_legacy_key_conditions(&keys, &terms, &f.error), ST_OK);
	assert_int_equal(expr_fixture_match(&terms, &simple, &query, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, "Conditions can be of length 1 or 2 only");
	assert_int_equal(expr_fixture_match(&terms, &multiple, &query, &f.error), ST_INVALID);
	assert_string_equal(f.error.text,
			    "RANGE key attributes n must have equality conditions specified in the query "
			    "because a condition is present on key attribute r");
	keys.count = 0;
	expr_error_init(&f.error);
	assert_int_equal(expr_legacy_key_conditions(&keys, &terms, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, "Conditions can be of length 1 or 2 only");
	expr_fixture_close(&f);
}

static void attribute_updates_are_checked(void **state)
{
	struct expr_legacy_action action = { .name = slice_of_string("a"), .kind = EXPR_LEGACY_PUT };
	Cleave__ExprUpdate *update;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	assert_int_equal(expr_legacy_updates(&f.arena, &action, 1, &update, &f.error), ST_INVALID);
	assert_string_equal(f.error.text,
			    INVALID "Only DELETE action is allowed when no attribute value is specified");
	action.kind = EXPR_LEGACY_DELETE;
	action.value = value_of(&f, ":map", 4);
	assert_int_equal(expr_legacy_updates(&f.arena, &action, 1, &update, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, INVALID "DELETE action with value is not supported for the type M");
	action.kind = EXPR_LEGACY_ADD;
	action.value = value_of(&f, ":b", 2);
	assert_int_equal(expr_legacy_updates(&f.arena, &action, 1, &update, &f.error), ST_INVALID);
	assert_string_equal(f.error.text, INVALID "ADD action is not supported for the type B");
	expr_fixture_close(&f);
}

static const char *apply(struct expr_fixture *f, const struct expr_legacy_action *actions, uint32_t count,
			 const char *old)
{
	Cleave__ExprUpdate *update;
	struct slice result;

	assert_int_equal(expr_legacy_updates(&f->arena, actions, count, &update, &f->error), ST_OK);
	assert_int_equal(expr_fixture_apply(f, expr_fixture_send_update(f, update), expr_fixture_item(f, old),
					    slice_of(NULL, 0), &result),
			 EXPR_UPDATE_ERROR(OK));
	return expr_fixture_json(f, result);
}

static void attribute_updates_put_add_and_delete(void **state)
{
	struct expr_legacy_action actions[] = {
		{ slice_of_string("p"), EXPR_LEGACY_PUT, { 0 } },
		{ slice_of_string("n"), EXPR_LEGACY_ADD, { 0 } },
		{ slice_of_string("l"), EXPR_LEGACY_ADD, { 0 } },
		{ slice_of_string("x"), EXPR_LEGACY_DELETE, { 0 } },
		{ slice_of_string("ss"), EXPR_LEGACY_DELETE, { 0 } },
	};
	Cleave__ExprUpdate *update;
	struct expr_fixture f;
	struct slice result;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	actions[0].value = value_of(&f, ":s", 2);
	actions[1].value = value_of(&f, ":m", 2);
	actions[2].value = value_of(&f, ":l", 2);
	actions[4].value = value_of(&f, ":ss", 3);
	assert_string_equal(
		apply(&f, actions, 5,
		      "{'n':{'N':'1'},'x':{'S':'y'},'l':{'L':[{'S':'a'}]},'ss':{'SS':['a','b']}}"),
		"{'n':{'N':'10'},'l':{'L':[{'S':'a'},{'N':'1'}]},'ss':{'SS':['b']},'p':{'S':'abc'}}");
	assert_string_equal(apply(&f, actions, 0, "{'n':{'N':'1'}}"), "{'n':{'N':'1'}}");
	assert_int_equal(expr_legacy_updates(&f.arena, &actions[1], 1, &update, &f.error), ST_OK);
	assert_int_equal(expr_fixture_apply(&f, update, expr_fixture_item(&f, "{'n':{'S':'x'}}"),
					    slice_of(NULL, 0), &result),
			 EXPR_UPDATE_ERROR(LEGACY_TYPE));
	/* No actions at all make an item of its key. */
	assert_int_equal(expr_legacy_updates(&f.arena, NULL, 0, &update, &f.error), ST_OK);
	assert_int_equal(expr_fixture_apply(&f, update, slice_of(NULL, 0),
					    expr_fixture_item(&f, "{'k':{'S':'x'}}"), &result),
			 EXPR_UPDATE_ERROR(OK));
	assert_string_equal(expr_fixture_json(&f, result), "{'k':{'S':'x'}}");
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_comparisons_have_names),
		cmocka_unit_test(an_expectation_that_makes_no_sense_is_refused),
		cmocka_unit_test(each_comparison_has_its_types),
		cmocka_unit_test(comparisons_mean_what_they_say),
		cmocka_unit_test(the_conditional_operator_joins_them),
		cmocka_unit_test(no_condition_is_none),
		cmocka_unit_test(a_long_list_is_searched_in_parts),
		cmocka_unit_test(more_than_fits_is_refused),
		cmocka_unit_test(key_conditions_become_terms),
		cmocka_unit_test(attribute_updates_are_checked),
		cmocka_unit_test(attribute_updates_put_add_and_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
