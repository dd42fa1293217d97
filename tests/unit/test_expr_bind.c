#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/expr_fixture.h"

static void check_refused(const char *body, const char *message)
{
	struct expr_fixture f;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, body), ST_INVALID);
	assert_string_equal(f.error.text, message);
	expr_fixture_close(&f);
}

static void a_placeholder_has_its_own_syntax(void **state)
{
	(void)state;
	check_refused("{'N':{}}", "ExpressionAttributeNames must not be empty");
	check_refused("{'V':{}}", "ExpressionAttributeValues must not be empty");
	check_refused("{'N':{'a':'a'},'V':{}}",
		      "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"");
	check_refused("{'N':{'#a-b':'a'}}",
		      "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#a-b\"");
	check_refused("{'N':{'#':'a'}}",
		      "ExpressionAttributeNames contains invalid key: Syntax error; key: \"#\"");
	check_refused("{'N':{'':'a'}}",
		      "ExpressionAttributeNames contains invalid key: Syntax error; key: \"\"");
	check_refused("{'V':{'#a':{'S':'b'}}}",
		      "ExpressionAttributeValues contains invalid key: Syntax error; key: \"#a\"");
	check_refused("{'N':{'#a':''}}",
		      "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a");
}

static void a_placeholder_has_255_bytes_at_most(void **state)
{
	char name[LIMIT_PLACEHOLDER_SIZE_BYTES + 2] = { 0 };
	struct expr_binding binding = { slice_of(name, 255), slice_of_string("a") };
	struct expr_fixture f;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[0] = '#';
	expr_fixture_open(&f);
	assert_int_equal(expr_bind_init(&f.bind, &f.arena, (struct expr_binding_map){ true, 1, &binding },
					(struct expr_binding_map){ 0 }, &f.error),
			 ST_OK);
	binding.placeholder.size++;
	assert_int_equal(expr_bind_init(&f.bind, &f.arena, (struct expr_binding_map){ true, 1, &binding },
					(struct expr_binding_map){ 0 }, &f.error),
			 ST_INVALID);
	assert_string_equal(f.error.text, "ExpressionAttributeNames contains invalid key: The expression "
					  "attribute map contains a key that is too long;");
	expr_fixture_close(&f);
}

static void substitutions_have_two_megabytes_at_most(void **state)
{
	size_t size = LIMIT_SUBSTITUTIONS_SIZE_BYTES / 2;
	uint8_t *bytes = calloc(1, size);
	struct expr_binding bindings[] = { { slice_of_string(":a"), slice_of(bytes, size - 2) },
					   { slice_of_string(":b"), slice_of(bytes, size - 2) } };
	struct expr_binding_map map = { true, 2, bindings };
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_bind_init(&f.bind, &f.arena, (struct expr_binding_map){ 0 }, map, &f.error),
			 ST_OK);
	bindings[1].value.size++;
	assert_int_equal(expr_bind_init(&f.bind, &f.arena, (struct expr_binding_map){ 0 }, map, &f.error),
			 ST_INVALID);
	assert_string_equal(f.error.text, "ExpressionAttributeValues exceeds max size");
	free(bytes);
	expr_fixture_close(&f);
}

static void each_placeholder_must_be_used_by_some_expression(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, "{'N':{'#a':'a','#b':'b'},'V':{':x':{'S':'x'}}}"), ST_OK);
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, "#a = :x"));
	assert_int_equal(expr_bind_finish(&f.bind), ST_INVALID);
	assert_string_equal(f.error.text,
			    "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}");
	assert_null(expr_fixture_refusal(&f, EXPR_FILTER, "attribute_exists(c.#b)"));
	assert_int_equal(expr_bind_finish(&f.bind), ST_OK);

	assert_int_equal(expr_fixture_bind(&f, "{'V':{':d':{'S':'x'},':c':{'S':'x'},':unused':{'S':'x'}}}"),
			 ST_OK);
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, "a = :d"));
	assert_int_equal(expr_bind_finish(&f.bind), ST_INVALID);
	assert_non_null(strstr(f.error.text, "unused in expressions: keys: {"));
	assert_non_null(strstr(f.error.text, ":c"));
	assert_non_null(strstr(f.error.text, ":unused"));
	assert_null(strstr(f.error.text, ":d"));
	expr_fixture_close(&f);
}

static void unused_ones_are_listed_as_a_java_set_has_them(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	/* Slots of 16: "#b" 15, "#a" 14, "#c" 0. */
	assert_int_equal(expr_fixture_bind(&f, "{'N':{'#b':'b','#a':'a','#c':'c'}}"), ST_OK);
	assert_int_equal(expr_bind_finish(&f.bind), ST_INVALID);
	assert_string_equal(f.error.text, "Value provided in ExpressionAttributeNames unused in expressions: "
					  "keys: {#c, #a, #b}");
	expr_fixture_close(&f);
}

static void thousands_of_placeholders_are_found_quickly(void **state)
{
	enum { COUNT = 20000 };
	struct expr_binding *bindings = calloc(COUNT, sizeof(*bindings));
	char(*names)[16] = calloc(COUNT, sizeof(*names));
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "#%d", i);
		bindings[i] = (struct expr_binding){ slice_of_string(names[i]), slice_of_string("x") };
	}
	assert_int_equal(expr_bind_init(&f.bind, &f.arena, (struct expr_binding_map){ true, COUNT, bindings },
					(struct expr_binding_map){ 0 }, &f.error),
			 ST_OK);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(expr_bind_find(&f.bind.names, slice_of_string(names[i])), i);
	assert_int_equal(expr_bind_find(&f.bind.names, slice_of_string("#x")), -1);
	assert_int_equal(expr_bind_finish(&f.bind), ST_OK);
	free(names);
	free(bindings);
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_placeholder_has_its_own_syntax),
		cmocka_unit_test(a_placeholder_has_255_bytes_at_most),
		cmocka_unit_test(substitutions_have_two_megabytes_at_most),
		cmocka_unit_test(each_placeholder_must_be_used_by_some_expression),
		cmocka_unit_test(unused_ones_are_listed_as_a_java_set_has_them),
		cmocka_unit_test(thousands_of_placeholders_are_found_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
