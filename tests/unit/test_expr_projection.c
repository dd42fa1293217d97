#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/model/item_builder.h"
#include "tests/unit/expr_fixture.h"

static void check_refused(const char *text, const char *message)
{
	Cleave__ExprProjection *projection;
	struct expr_fixture f;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, "{'N':{'#a':'a','#b':'[3]'}}"), ST_OK);
	assert_int_equal(expr_projection_parse(&f.bind, slice_of_string(text), &projection), ST_INVALID);
	assert_string_equal(f.error.text, message);
	expr_fixture_close(&f);
}

static void a_wrong_projection_is_refused(void **state)
{
	(void)state;
	check_refused("", "Invalid ProjectionExpression: The expression can not be empty;");
	check_refused("a b", "Invalid ProjectionExpression: Syntax error; token: \"b\", near: \"a b\"");
	check_refused("a,", "Invalid ProjectionExpression: Syntax error; token: \"<EOF>\", near: \",\"");
	check_refused("a, :b", "Invalid ProjectionExpression: Syntax error; token: \":b\", near: \", :b\"");
	check_refused("a, size(b)",
		      "Invalid ProjectionExpression: Syntax error; token: \"(\", near: \"size(b\"");
	check_refused("a, status, #x", "Invalid ProjectionExpression: Attribute name is a reserved keyword; "
				       "reserved keyword: status");
	check_refused("#x, a, a",
		      "Invalid ProjectionExpression: An expression attribute name used in the document "
		      "path is not defined; attribute name: #x");
	check_refused(
		"b[1], b.a, #a.b, a",
		"Invalid ProjectionExpression: Two document paths overlap with each other; must remove or "
		"rewrite one of these paths; path one: [a, b], path two: [a]");
	check_refused("a, #a[1]",
		      "Invalid ProjectionExpression: Two document paths overlap with each other; must "
		      "remove or rewrite one of these paths; path one: [a], path two: [a, [1]]");
	check_refused(
		"a[3].b, #a.#b.b",
		"Invalid ProjectionExpression: Two document paths conflict with each other; must remove or "
		"rewrite one of these paths; path one: [a, [3], b], path two: [a, [3], b]");
}

static const char *project(struct expr_fixture *f, const char *text, const char *item)
{
	struct eval_projection sorted;
	Cleave__ExprProjection *projection;

	assert_int_equal(expr_projection_parse(&f->bind, slice_of_string(text), &projection), ST_OK);
	assert_int_equal(eval_check_projection(projection), ST_OK);
	assert_int_equal(eval_project_init(&sorted, projection, &f->arena), ST_OK);
	return expr_fixture_project(f, &sorted, expr_fixture_item(f, item));
}

static const char item[] =
	"{'a':{'S':'x'},'b':{'M':{'c':{'N':'1'},'d':{'L':[{'N':'0'},{'N':'1'},{'M':{'e':{'S':"
	"'y'},'f':{'S':'z'}}},{'N':'3'}]}}},'g.h':{'BOOL':true}}";

static void parts_keep_their_places(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, "{'N':{'#gh':'g.h'}}"), ST_OK);
	assert_string_equal(project(&f, "a", item), "{'a':{'S':'x'}}");
	assert_string_equal(project(&f, "#gh, a", item), "{'a':{'S':'x'},'g.h':{'BOOL':true}}");
	assert_string_equal(project(&f, "b.c", item), "{'b':{'M':{'c':{'N':'1'}}}}");
	assert_string_equal(project(&f, "b.d[3], b.d[1], b.c", item),
			    "{'b':{'M':{'c':{'N':'1'},'d':{'L':[{'N':'1'},{'N':'3'}]}}}}");
	assert_string_equal(project(&f, "b.d[2].e, b.d[0]", item),
			    "{'b':{'M':{'d':{'L':[{'N':'0'},{'M':{'e':{'S':'y'}}}]}}}}");
	assert_string_equal(project(&f, "b.d[2].f,b.d[2].e", item),
			    "{'b':{'M':{'d':{'L':[{'M':{'e':{'S':'y'},'f':{'S':'z'}}}]}}}}");
	expr_fixture_close(&f);
}

static void what_leads_nowhere_leaves_no_empty_container(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, "{}"), ST_OK);
	assert_string_equal(project(&f, "nix", item), "{}");
	assert_string_equal(project(&f, "b.nix, b.d[9], b.d[2].nix.nix, a.b", item), "{}");
	assert_string_equal(project(&f, "a[0], b[1], nix[0].a", item), "{}");
	assert_string_equal(project(&f, "b.nix, a, b.d[0].x", item), "{'a':{'S':'x'}}");
	expr_fixture_close(&f);
}

static void names_become_whole_attributes(void **state)
{
	const struct slice names[] = { slice_of_string("g.h"), slice_of_string("a") };
	const struct slice twice[] = { slice_of_string("a"), slice_of_string("b"), slice_of_string("a") };
	Cleave__ExprProjection *projection;
	struct eval_projection sorted;
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_projection_of_names(&f.arena, names, 2, &projection, &f.error), ST_OK);
	assert_int_equal(eval_project_init(&sorted, projection, &f.arena), ST_OK);
	assert_string_equal(expr_fixture_project(&f, &sorted, expr_fixture_item(&f, item)),
			    "{'a':{'S':'x'},'g.h':{'BOOL':true}}");
	assert_int_equal(expr_projection_of_names(&f.arena, twice, 3, &projection, &f.error), ST_INVALID);
	assert_string_equal(
		f.error.text,
		"One or more parameter values were invalid: Duplicate value in attribute name: a");
	expr_fixture_close(&f);
}

static void many_paths_are_found_in_a_big_item(void **state)
{
	enum { COUNT = 500 };
	struct eval_projection sorted;
	Cleave__ExprProjection *projection;
	struct item_builder builder;
	struct slice names[COUNT];
	char texts[COUNT][16];
	struct expr_fixture f;
	struct buf bytes;
	struct buf out;

	(void)state;
	expr_fixture_open(&f);
	buf_init(&bytes, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, &bytes);
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "n%d", i);
		names[i] = slice_of_string(texts[i]);
		item_builder_name(&builder, names[i]);
		item_builder_null(&builder);
	}
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(expr_projection_of_names(&f.arena, names, COUNT - 1, &projection, &f.error), ST_OK);
	assert_int_equal(eval_project_init(&sorted, projection, &f.arena), ST_OK);
	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	assert_int_equal(eval_project(&sorted, buf_slice(&bytes), &out), ST_OK);
	assert_int_equal(item_count(buf_slice(&out)), COUNT - 1);
	buf_close(&out);
	buf_close(&bytes);
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_projection_is_refused),
		cmocka_unit_test(parts_keep_their_places),
		cmocka_unit_test(what_leads_nowhere_leaves_no_empty_container),
		cmocka_unit_test(names_become_whole_attributes),
		cmocka_unit_test(many_paths_are_found_in_a_big_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
