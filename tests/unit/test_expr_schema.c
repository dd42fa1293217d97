#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "coordinator/expr/expr_schema.h"
#include "tests/unit/expr_fixture.h"

static const char bindings[] = "{'N':{'#p':'p'},'V':{':n':{'N':'1'},':s':{'S':'x'},':ns':{'NS':['1']}}}";

static const struct expr_key_attribute keys[] = { { { (const uint8_t *)"p", 1 }, ITEM_S },
						  { { (const uint8_t *)"s", 1 }, ITEM_S } };

static void no_update_changes_a_key(void **state)
{
	static const char *const refused[] = { "SET #p = :s", "REMOVE x, s", "ADD p.x :n",
					       "DELETE x :ns ADD s[1] :n" };
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		expr_error_init(&f.error);
		assert_int_equal(
			expr_schema_check_update(expr_fixture_update(&f, refused[i]), keys, 2, &f.error),
			ST_INVALID);
	}
	assert_string_equal(f.error.text,
			    "One or more parameter values were invalid: Cannot update attribute s. This "
			    "attribute is part of the key");
	assert_int_equal(
		expr_schema_check_update(expr_fixture_update(&f, "SET x = p, y = if_not_exists(s, #p) "
								 "REMOVE pp"),
					 keys, 2, &f.error),
		ST_OK);
	expr_fixture_close(&f);
}

static void an_index_key_keeps_its_type(void **state)
{
	static const struct {
		const char *text;
		const char *actual; /* NULL: fine, or only the item can tell */
	} cases[] = {
		{ "SET s = :n", "N" },
		{ "SET s = x + y", "N" },
		{ "SET s = list_append(x, y)", "L" },
		{ "SET s = if_not_exists(x, :n)", "N" },
		{ "ADD s :n", "N" },
		{ "ADD s :ns", "NS" },
		{ "SET s = :s", NULL },
		{ "SET s = x", NULL },
		{ "SET s = if_not_exists(x, :s)", NULL },
		{ "SET s.x = :n", NULL },
		{ "REMOVE s", NULL },
		{ "SET t = :n", NULL },
	};
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char expected[LIMIT_ERROR_MESSAGE_SIZE_BYTES] = "";

		if (cases[i].actual != NULL)
			(void)snprintf(
				expected, sizeof(expected),
				"One or more parameter values were invalid: Type mismatch for Index Key s "
				"Expected: S Actual: %s IndexName: index1",
				cases[i].actual);
		expr_error_init(&f.error);
		(void)(expr_schema_check_update_type(expr_fixture_update(&f, cases[i].text), &keys[1],
						     slice_of_string("index1"), &f.error) == ST_OK);
		assert_string_equal(f.error.text, expected);
	}
	expr_fixture_close(&f);
}

static void a_key_has_no_inside(void **state)
{
	Cleave__ExprUpdate *update;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	update = expr_fixture_update(&f, "SET x = list_append(p, s[1])");
	assert_int_equal(expr_schema_check_scalars(update->paths, update->n_paths, keys, 1, false, &f.error),
			 ST_OK);
	assert_int_equal(expr_schema_check_scalars(update->paths, update->n_paths, keys, 2, false, &f.error),
			 ST_INVALID);
	assert_string_equal(f.error.text,
			    "Key attributes must be scalars; list random access '[]' and map lookup '.' "
			    "are not allowed: Key: s");
	expr_error_init(&f.error);
	assert_int_equal(expr_schema_check_scalars(update->paths, update->n_paths, keys, 2, true, &f.error),
			 ST_INVALID);
	assert_string_equal(f.error.text,
			    "Key attributes must be scalars; list random access '[]' and map lookup '.' "
			    "are not allowed: IndexKey: s");
	expr_fixture_close(&f);
}

static void a_filter_leaves_the_keys_alone(void **state)
{
	Cleave__ExprCondition *filter;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	assert_int_equal(expr_condition_parse(&f.bind, EXPR_FILTER, slice_of_string("x = :n OR size(#p) > y"),
					      &filter),
			 ST_OK);
	assert_int_equal(expr_schema_check_filter(filter, keys, 2, false, &f.error), ST_INVALID);
	assert_string_equal(f.error.text,
			    "Filter Expression can only contain non-primary key attributes: Primary key "
			    "attribute: p");
	expr_error_init(&f.error);
	assert_int_equal(expr_schema_check_filter(filter, keys, 2, true, &f.error), ST_INVALID);
	assert_string_equal(
		f.error.text,
		"QueryFilter can only contain non-primary key attributes: Primary key attribute: p");
	assert_int_equal(expr_schema_check_filter(filter, keys + 1, 1, false, &f.error), ST_OK);
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_update_changes_a_key),
		cmocka_unit_test(an_index_key_keeps_its_type),
		cmocka_unit_test(a_key_has_no_inside),
		cmocka_unit_test(a_filter_leaves_the_keys_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
