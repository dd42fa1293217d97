#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/model/item_builder.h"
#include "proto/model/item_equal.h"
#include "tests/unit/expr_fixture.h"

static const char bindings[] =
	"{'N':{'#n':'name'},"
	"'V':{':s':{'S':'new'},':n':{'N':'5'},':one':{'N':'1'},':l':{'L':[{'S':'x'},{'S':'y'}]},':m':{'M':{}}"
	","
	"':ss':{'SS':['b','c']},':ns':{'NS':['2','3']},':bs':{'BS':['Yg==']},':empty':{'L':[]},"
	"':max':{'N':'9.9999999999999999999999999999999999999E+125'},':min':{'N':'1E-130'},"
	"':min2':{'N':'1.1E-130'},':big':{'N':'1E+50'}}}";

static const char old_item[] =
	"{'k':{'S':'key'},'n':{'N':'10'},'s':{'S':'old'},'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'N':'3'}]},"
	"'m':{'M':{'a':{'N':'1'},'b':{'M':{'c':{'S':'deep'}}}}},'ss':{'SS':['a','b']},'ns':{'NS':['1','2']}}";

static void check_applied(const char *text, const char *old, const char *expected)
{
	struct expr_fixture f;
	struct slice item;
	struct slice wanted;
	bool is_equal = false;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, text),
					    old == NULL ? slice_of(NULL, 0) : expr_fixture_item(&f, old),
					    expr_fixture_item(&f, "{'k':{'S':'key'}}"), &item),
			 EXPR_UPDATE_ERROR(OK));
	if (expected == NULL) {
		assert_int_equal(item.size, 0);
	} else {
		wanted = expr_fixture_item(&f, expected);
		assert_int_equal(item_equal(item, wanted, &is_equal), ST_OK);
		if (!is_equal)
			fail_msg("%s: %s, not %s", text, expr_fixture_json(&f, item),
				 expr_fixture_json(&f, wanted));
	}
	expr_fixture_close(&f);
}

static void check_error(const char *text, Cleave__ExprUpdateError expected)
{
	struct expr_fixture f;
	struct slice item;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	if (expr_fixture_apply(&f, expr_fixture_update(&f, text), expr_fixture_item(&f, old_item),
			       slice_of(NULL, 0), &item) != expected)
		fail_msg("%s", text);
	expr_fixture_close(&f);
}

static void set_writes_what_its_right_side_gives(void **state)
{
	const char *o = "{'a':{'N':'1'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]}}";

	(void)state;
	check_applied("SET a = :s", o, "{'a':{'S':'new'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]}}");
	check_applied("SET c = :s", o, "{'a':{'N':'1'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]},'c':{'S':'new'}}");
	check_applied("SET a = b + :n", o, "{'a':{'N':'7'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]}}");
	check_applied("SET a = a - b", o, "{'a':{'N':'-1'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]}}");
	check_applied("SET a = if_not_exists(c, :n)", o,
		      "{'a':{'N':'5'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]}}");
	check_applied("SET c = if_not_exists(c, :n) + :one", o,
		      "{'a':{'N':'1'},'b':{'N':'2'},'l':{'L':[{'N':'0'}]},'c':{'N':'6'}}");
	check_applied("SET b = if_not_exists(b, c) + (:one)", o,
		      "{'a':{'N':'1'},'b':{'N':'3'},'l':{'L':[{'N':'0'}]}}");
	check_applied("SET b = if_not_exists(b, list_append(c, a))", o, o);
	check_applied("SET l = list_append(l, :l)", o,
		      "{'a':{'N':'1'},'b':{'N':'2'},'l':{'L':[{'N':'0'},{'S':'x'},{'S':'y'}]}}");
	check_applied("SET l = list_append(:l, list_append(l, if_not_exists(c, :empty)))", o,
		      "{'a':{'N':'1'},'b':{'N':'2'},'l':{'L':[{'S':'x'},{'S':'y'},{'N':'0'}]}}");
}

static void right_sides_see_the_old_item(void **state)
{
	(void)state;
	check_applied("SET a = b, b = a", "{'a':{'N':'1'},'b':{'N':'2'}}", "{'a':{'N':'2'},'b':{'N':'1'}}");
	check_applied("REMOVE a SET b = a + b, c = if_not_exists(d, a) ADD d :n",
		      "{'a':{'N':'1'},'b':{'N':'2'}}", "{'b':{'N':'3'},'c':{'N':'1'},'d':{'N':'5'}}");
	check_applied("REMOVE l[0] SET l[1] = l[0], l[2] = l[1]",
		      "{'l':{'L':[{'S':'0'},{'S':'1'},{'S':'2'},{'S':'3'}]}}",
		      "{'l':{'L':[{'S':'0'},{'S':'1'},{'S':'3'}]}}");
}

static void nested_places_are_changed_inside_their_containers(void **state)
{
	const char *o =
		"{'m':{'M':{'a':{'N':'1'},'b':{'L':[{'N':'0'},{'M':{'x':{'N':'2'},'y':{'N':'3'}}}]}}}}";

	(void)state;
	check_applied("SET m.a = :s, m.b[1].x = :n REMOVE m.b[1].y", o,
		      "{'m':{'M':{'a':{'S':'new'},'b':{'L':[{'N':'0'},{'M':{'x':{'N':'5'}}}]}}}}");
	check_applied(
		"SET m.#n = :s, m.b[1].z = m.a", o,
		"{'m':{'M':{'a':{'N':'1'},'b':{'L':[{'N':'0'},{'M':{'x':{'N':'2'},'y':{'N':'3'},'z':{'N':'1'}"
		"}}]},'name':{'S':'new'}}}}");
	check_applied("REMOVE m.b, m.a", o, "{'m':{'M':{}}}");
	check_applied("REMOVE m.b[0], m.b[1]", o, "{'m':{'M':{'a':{'N':'1'},'b':{'L':[]}}}}");
	check_applied(
		"ADD m.a :n, m.b[0] :one", o,
		"{'m':{'M':{'a':{'N':'6'},'b':{'L':[{'N':'1'},{'M':{'x':{'N':'2'},'y':{'N':'3'}}}]}}}}");
}

static void list_indexes_are_those_of_the_old_list(void **state)
{
	const char *o = "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'N':'3'}]}}";

	(void)state;
	check_applied("REMOVE l[1], l[2]", o, "{'l':{'L':[{'N':'0'},{'N':'3'}]}}");
	check_applied("REMOVE l[0], l[9] SET l[2] = :s", o, "{'l':{'L':[{'N':'1'},{'S':'new'},{'N':'3'}]}}");
	check_applied("SET l[100] = :s, l[50] = :n", o,
		      "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'N':'3'},{'N':'5'},{'S':'new'}]}}");
	check_applied("REMOVE l[3] SET l[4] = :s", o,
		      "{'l':{'L':[{'N':'0'},{'N':'1'},{'N':'2'},{'S':'new'}]}}");
}

static void add_counts_and_joins(void **state)
{
	(void)state;
	check_applied("ADD n :n, p :n", "{'n':{'N':'-10'}}", "{'n':{'N':'-5'},'p':{'N':'5'}}");
	check_applied("ADD ss :ss, t :ss, ns :ns, bs :bs",
		      "{'ss':{'SS':['a','b']},'ns':{'NS':['1','2']},'bs':{'BS':['Yg==']}}",
		      "{'ss':{'SS':['a','b','c']},'ns':{'NS':['1','2','3']},'bs':{'BS':['Yg==']},"
		      "'t':{'SS':['b','c']}}");
}

static void delete_takes_members_and_at_last_the_attribute(void **state)
{
	(void)state;
	check_applied("DELETE ss :ss", "{'ss':{'SS':['a','b']}}", "{'ss':{'SS':['a']}}");
	check_applied("DELETE ss :ss", "{'ss':{'SS':['c','b']},'x':{'N':'1'}}", "{'x':{'N':'1'}}");
	check_applied("DELETE ss :ss, t :ns", "{'ss':{'SS':['x']}}", "{'ss':{'SS':['x']}}");
	check_applied("DELETE l[0] :ss", "{'l':{'L':[{'SS':['b']},{'N':'1'}]}}", "{'l':{'L':[{'N':'1'}]}}");
}

static void an_update_makes_an_item_unless_it_only_takes_away(void **state)
{
	(void)state;
	check_applied("SET a = :n", NULL, "{'k':{'S':'key'},'a':{'N':'5'}}");
	check_applied("ADD a :n", NULL, "{'k':{'S':'key'},'a':{'N':'5'}}");
	check_applied("REMOVE a", NULL, NULL);
	check_applied("DELETE a :ss", NULL, NULL);
	check_applied("REMOVE a SET b = k", NULL, "{'k':{'S':'key'},'b':{'S':'key'}}");
	check_applied("REMOVE nix", "{'a':{'N':'1'}}", "{'a':{'N':'1'}}");
}

static void an_update_that_does_not_fit_the_item_is_refused(void **state)
{
	(void)state;
	check_error("SET a = nix", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
	check_error("SET a = nix + :n", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
	check_error("SET a = list_append(nix, :l)", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
	check_error("SET a = if_not_exists(nix, nix2)", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
	check_error("SET a = l[4]", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
	check_error("SET a = s + :n", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("SET a = :n - s", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("SET a = list_append(n, l)", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("ADD s :n", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("ADD n :ss", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("ADD ss :ns", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("DELETE ns :ss", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("DELETE l :ss", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("SET nix.a = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET s.a = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET m[0] = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET l.a = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET m.b.nix.d = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET l[9].a = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("REMOVE nix.a", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("ADD nix.a :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("DELETE s.a :ss", EXPR_UPDATE_ERROR(INVALID_PATH));
}

static void a_container_of_the_wrong_kind_is_told_before_a_type_and_both_before_the_rest(void **state)
{
	(void)state;
	check_error("SET a = s + :n, m[0] = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET a = nix, b = s + :n", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("SET nix.a = :n, b = s + :n", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("SET a = list_append(nix, l) - list_append(l, l)", EXPR_UPDATE_ERROR(OPERAND_TYPE));
	check_error("SET a = nix, nix.b = :n", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("REMOVE nix.b SET a = nix", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
	check_error("SET a = nix REMOVE nix.b", EXPR_UPDATE_ERROR(INVALID_PATH));
	check_error("SET a = :max + :max, b = nix", EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
}

static void numbers_stay_exact_and_in_range(void **state)
{
	(void)state;
	check_error("SET a = :max + :max", EXPR_UPDATE_ERROR(NUMBER_OVERFLOW));
	check_error("SET a = :min2 - :min", EXPR_UPDATE_ERROR(NUMBER_UNDERFLOW));
	check_error("SET a = :big + :one", EXPR_UPDATE_ERROR(NUMBER_DIGITS));
	check_error("ADD n :big", EXPR_UPDATE_ERROR(NUMBER_DIGITS));
	check_applied("SET a = a + b", "{'a':{'N':'0.1'},'b':{'N':'0.2'}}",
		      "{'a':{'N':'0.3'},'b':{'N':'0.2'}}");
	check_applied("ADD a :one", "{'a':{'N':'99999999999999999999999999999999999999'}}",
		      "{'a':{'N':'1E38'}}");
}

/* name, then a string that makes the item as big as DynamoDB counts it. */
static struct slice big_item(struct expr_fixture *f, size_t size_bytes)
{
	struct item_builder builder;
	struct slice item;
	struct buf bytes;

	buf_init(&bytes, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, &bytes);
	item_builder_name(&builder, slice_of_string("s"));
	item_builder_head(&builder, ITEM_S, size_bytes - 1);
	memset(buf_extend(&bytes, size_bytes - 1), 'x', size_bytes - 1);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	item = slice_of(arena_copy(&f->arena, buf_slice(&bytes)), bytes.size);
	buf_close(&bytes);
	return item;
}

static void an_item_may_not_grow_over_its_limit(void **state)
{
	struct expr_fixture f;
	struct slice item;
	struct slice key = slice_of(NULL, 0);

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	/* "t" and "new" are four bytes. */
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, "SET t = :s"),
					    big_item(&f, LIMIT_ITEM_SIZE_BYTES - 4), key, &item),
			 EXPR_UPDATE_ERROR(OK));
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, "SET t = :s"),
					    big_item(&f, LIMIT_ITEM_SIZE_BYTES - 3), key, &item),
			 EXPR_UPDATE_ERROR(ITEM_SIZE));
	assert_int_equal(expr_fixture_apply(&f,
					    expr_fixture_update(&f, "SET a = s, b = s, c = s, d = s, e = s"),
					    big_item(&f, LIMIT_ITEM_SIZE_BYTES - 3), key, &item),
			 EXPR_UPDATE_ERROR(ITEM_SIZE));
	expr_fixture_close(&f);
}

static void lists_that_double_themselves_end_in_time(void **state)
{
	struct expr_fixture f;
	struct slice item;
	struct buf text;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	buf_init(&text, 64 * 1024);
	buf_append_string(&text, "SET a = ");
	/* Each level doubles what the one inside it gives. */
	for (int i = 0; i < 100; i++)
		buf_append_string(&text, "list_append(list_append(l,l),");
	buf_append_string(&text, "l");
	for (int i = 0; i < 100; i++)
		buf_append_string(&text, ")");
	buf_put_u8(&text, 0);
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, (const char *)text.data),
					    expr_fixture_item(&f, old_item), slice_of(NULL, 0), &item),
			 EXPR_UPDATE_ERROR(OK));
	buf_close(&text);
	expr_fixture_close(&f);
}

static void nesting_has_its_limit(void **state)
{
	struct expr_fixture f;
	struct slice item;
	struct buf old;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	buf_init(&old, 64 * 1024);
	buf_append_string(&old, "{'s':{'S':'x'},'d':");
	for (int i = 1; i < LIMIT_NESTING_DEPTH; i++)
		buf_append_string(&old, "{'L':[");
	buf_append_string(&old, "{'N':'1'}");
	for (int i = 1; i < LIMIT_NESTING_DEPTH; i++)
		buf_append_string(&old, "]}");
	buf_append_string(&old, ",'m':{'M':{}}}");
	buf_put_u8(&old, 0);
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, "SET d2 = d"),
					    expr_fixture_item(&f, (const char *)old.data), slice_of(NULL, 0),
					    &item),
			 EXPR_UPDATE_ERROR(OK));
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, "SET m.d = d[0]"),
					    expr_fixture_item(&f, (const char *)old.data), slice_of(NULL, 0),
					    &item),
			 EXPR_UPDATE_ERROR(OK));
	assert_int_equal(expr_fixture_apply(&f, expr_fixture_update(&f, "SET m.d = d"),
					    expr_fixture_item(&f, (const char *)old.data), slice_of(NULL, 0),
					    &item),
			 EXPR_UPDATE_ERROR(NESTING));
	buf_close(&old);
	expr_fixture_close(&f);
}

static void check_updated(const char *text, const char *old, const char *old_parts, const char *new_parts)
{
	struct eval_projection projection;
	Cleave__ExprUpdate *update;
	struct expr_fixture f;
	struct slice item;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	update = expr_fixture_update(&f, text);
	assert_int_equal(expr_fixture_apply(&f, update, expr_fixture_item(&f, old), slice_of(NULL, 0), &item),
			 EXPR_UPDATE_ERROR(OK));
	assert_int_equal(eval_project_init_updated(&projection, update, &f.arena), ST_OK);
	assert_string_equal(expr_fixture_project(&f, &projection, expr_fixture_item(&f, old)), old_parts);
	assert_string_equal(expr_fixture_project(&f, &projection, item), new_parts);
	expr_fixture_close(&f);
}

static void only_the_touched_parts_are_returned(void **state)
{
	const char *o =
		"{'k':{'S':'k'},'a':{'M':{'b':{'S':'dog'},'c':{'L':[{'N':'1'},{'N':'2'},{'N':'3'}]}}},"
		"'d':{'S':'cat'}}";

	(void)state;
	check_updated("SET a.b = :s", o, "{'a':{'M':{'b':{'S':'dog'}}}}", "{'a':{'M':{'b':{'S':'new'}}}}");
	check_updated("SET a.c[1] = :n, a.b = :s", o, "{'a':{'M':{'b':{'S':'dog'},'c':{'L':[{'N':'2'}]}}}}",
		      "{'a':{'M':{'b':{'S':'new'},'c':{'L':[{'N':'5'}]}}}}");
	check_updated("REMOVE d SET e = :n", o, "{'d':{'S':'cat'}}", "{'e':{'N':'5'}}");
	/* As the service has it: what moved into the place is returned, what was appended is not. */
	check_updated("REMOVE a.c[1]", o, "{'a':{'M':{'c':{'L':[{'N':'2'}]}}}}",
		      "{'a':{'M':{'c':{'L':[{'N':'3'}]}}}}");
	check_updated("SET a.c[100] = :n", o, "{}", "{}");
}

static void actions_that_meet_are_no_update(void **state)
{
	static uint8_t code[] = { EXPR_OP_REMOVE, 0, 0, EXPR_OP_REMOVE, 0, 0 };
	static uint8_t path_bytes[] = { EXPR_PATH_NAME, 0, 1, 'a' };
	ProtobufCBinaryData path = { sizeof(path_bytes), path_bytes };
	Cleave__ExprUpdate update = CLEAVE__EXPR_UPDATE__INIT;
	struct eval_update_result result;
	struct expr_fixture f;
	struct buf out;

	(void)state;
	expr_fixture_open(&f);
	update.n_paths = 1;
	update.paths = &path;
	update.code = (ProtobufCBinaryData){ sizeof(code), code };
	assert_int_equal(eval_check_update(&update), ST_OK);
	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	assert_int_equal(eval_update(&update, expr_fixture_item(&f, old_item), slice_of(NULL, 0), &f.arena,
				     &out, &result),
			 ST_CORRUPT);
	buf_close(&out);
	expr_fixture_close(&f);
}

static enum status check_program(const char *code, size_t code_size)
{
	static uint8_t path_bytes[] = { EXPR_PATH_NAME, 0, 1, 'a' };
	static uint8_t value_bytes[] = { ITEM_S, 1, 'a' };
	ProtobufCBinaryData path = { sizeof(path_bytes), path_bytes };
	ProtobufCBinaryData value = { sizeof(value_bytes), value_bytes };
	Cleave__ExprUpdate update = CLEAVE__EXPR_UPDATE__INIT;

	update.n_paths = update.n_values = 1;
	update.paths = &path;
	update.values = &value;
	update.code = (ProtobufCBinaryData){ code_size, (uint8_t *)(uintptr_t)code };
	return eval_check_update(&update);
}

#define PROGRAM(code) check_program(code, sizeof(code) - 1)

static void a_program_that_is_not_sound_is_refused(void **state)
{
	(void)state;
	assert_int_equal(PROGRAM(""), ST_OK);
	assert_int_equal(PROGRAM("\x02\0\0\x50\0\0"), ST_OK);              /* SET a = v */
	assert_int_equal(PROGRAM("\x3c\0\0\0\3\x02\0\0\x50\0\0"), ST_OK);  /* SET a = if_not_exists(a, v) */
	assert_int_equal(PROGRAM("\x50\0\0"), ST_CORRUPT);                 /* nothing to set */
	assert_int_equal(PROGRAM("\x02\0\0\x02\0\0\x50\0\0"), ST_CORRUPT); /* an operand left */
	assert_int_equal(PROGRAM("\x02\0\0\x51\0\0"), ST_CORRUPT);         /* REMOVE above an operand */
	assert_int_equal(PROGRAM("\x52\0\0\0\1"), ST_CORRUPT);             /* no such value */
	assert_int_equal(PROGRAM("\x53\0\0"), ST_CORRUPT);                 /* cut */
	assert_int_equal(PROGRAM("\x01\0\0\x18"), ST_CORRUPT);             /* a condition */
	assert_int_equal(PROGRAM("\x3c\0\0\0\6\x02\0\0\x50\0\0"), ST_CORRUPT); /* a span over an action */
	assert_int_equal(PROGRAM("\x3c\0\0\0\6\x02\0\0\x02\0\0\x3f\x50\0\0"), ST_CORRUPT); /* gives two */
	assert_int_equal(PROGRAM("\x02\0\0\x3c\0\0\0\1\x3f\x50\0\0"), ST_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_writes_what_its_right_side_gives),
		cmocka_unit_test(right_sides_see_the_old_item),
		cmocka_unit_test(nested_places_are_changed_inside_their_containers),
		cmocka_unit_test(list_indexes_are_those_of_the_old_list),
		cmocka_unit_test(add_counts_and_joins),
		cmocka_unit_test(delete_takes_members_and_at_last_the_attribute),
		cmocka_unit_test(an_update_makes_an_item_unless_it_only_takes_away),
		cmocka_unit_test(an_update_that_does_not_fit_the_item_is_refused),
		cmocka_unit_test(
			a_container_of_the_wrong_kind_is_told_before_a_type_and_both_before_the_rest),
		cmocka_unit_test(numbers_stay_exact_and_in_range),
		cmocka_unit_test(an_item_may_not_grow_over_its_limit),
		cmocka_unit_test(lists_that_double_themselves_end_in_time),
		cmocka_unit_test(nesting_has_its_limit),
		cmocka_unit_test(only_the_touched_parts_are_returned),
		cmocka_unit_test(actions_that_meet_are_no_update),
		cmocka_unit_test(a_program_that_is_not_sound_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
