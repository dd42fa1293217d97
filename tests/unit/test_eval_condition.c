#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/wire/expr_code.h"
#include "tests/unit/expr_fixture.h"

static const char bindings[] =
	"{'N':{'#dot':'x.y'},"
	"'V':{':s':{'S':'abc'},':sb':{'S':'b'},':empty':{'S':''},':n':{'N':'10'},':n9':{'N':'9'},"
	"':neg':{'N':'-3'},':frac':{'N':'10.0'},':b':{'B':'YWJj'},':bb':{'B':'Yg=='},':t':{'BOOL':true},"
	"':null':{'NULL':true},':l':{'L':[{'S':'abc'},{'N':'1'}]},':m':{'M':{'y':{'N':'2'},'x':{'N':'1'}}},"
	"':ss':{'SS':['b','a']},':ns':{'NS':['2','1']},':bs':{'BS':['Yg==','YQ==']},':a':{'S':'a'},"
	"':one':{'N':'1'},':two':{'N':'2'},':three':{'N':'3'},':ba':{'B':'YQ=='},"
	"':tN':{'S':'N'},':tS':{'S':'S'},':tL':{'S':'L'},':tNULL':{'S':'NULL'}}}";

static const char item[] =
	"{'s':{'S':'abc'},'n':{'N':'10'},'neg':{'N':'-3'},'b':{'B':'YWJj'},'t':{'BOOL':true},"
	"'z':{'NULL':true},'l':{'L':[{'S':'abc'},{'N':'1'}]},'m':{'M':{'x':{'N':'1'},'y':{'N':'2'}}},"
	"'ss':{'SS':['a','b']},'ns':{'NS':['1','2']},'bs':{'BS':['YQ==','Yg==']},'x.y':{'S':'dotted'},"
	"'deep':{'M':{'l':{'L':[{'N':'0'},{'M':{'x':{'S':'here'}}}]}}},'u':{'S':'a\\u00e9\\ud83d\\ude00'}}";

struct answer {
	const char *text;
	bool is_true;
};

static void check_answers(const struct answer *answers, size_t count)
{
	struct expr_fixture f;
	struct slice bytes;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	bytes = expr_fixture_item(&f, item);
	for (size_t i = 0; i < count; i++) {
		if (expr_fixture_holds(&f, answers[i].text, bytes) != answers[i].is_true)
			fail_msg("wrong: %s", answers[i].text);
	}
	expr_fixture_close(&f);
}

static void equality_looks_at_types_and_into_containers(void **state)
{
	static const struct answer answers[] = {
		{ "s = :s", true },    { "s <> :s", false },   { "n = :frac", true },  { "n = :s", false },
		{ "n <> :s", true },   { "l = :l", true },     { "m = :m", true },     { "ss = :ss", true },
		{ "ns = :ns", true },  { "bs = :bs", true },   { "ss = :ns", false },  { "t = :t", true },
		{ "z = :null", true }, { "b = :b", true },     { "s = :b", false },    { "nix = :s", false },
		{ "nix <> :s", true }, { ":s = :s", true },    { "nix = nil", false }, { "nix <> nil", true },
		{ "l[0] = s", true },  { "m.x = l[1]", true },
	};

	(void)state;
	check_answers(answers, ARRAY_COUNT(answers));
}

static void order_is_of_one_type_only(void **state)
{
	static const struct answer answers[] = {
		{ "n > :n9", true },
		{ "n >= :n", true },
		{ "n < :n9", false },
		{ "neg < :n9", true },
		{ "n <= :s", false },
		{ "n > :s", false },
		{ "s < :sb", true },
		{ "s > :empty", true },
		{ "b <= :b", true },
		{ "nix < :n", false },
		{ "nix >= nix2", false },
		{ "t < n", false },
		{ "l <= m", false },
		{ "n between :n9 and :n", true },
		{ "n between :neg and :n9", false },
		{ "n between :s and :sb", false },
		{ ":n between neg and n", true },
		{ "nix between :neg and :n", false },
	};

	(void)state;
	check_answers(answers, ARRAY_COUNT(answers));
}

static void functions_answer_as_documented(void **state)
{
	static const struct answer answers[] = {
		{ "attribute_exists(s)", true },
		{ "attribute_exists(nix)", false },
		{ "attribute_not_exists(nix)", true },
		{ "attribute_exists(z)", true },
		{ "attribute_exists(deep.l[1].x)", true },
		{ "attribute_exists(deep.l[2])", false },
		{ "attribute_exists(deep.x)", false },
		{ "attribute_exists(s.x)", false },
		{ "attribute_exists(m[0])", false },
		{ "attribute_exists(l.x)", false },
		{ "attribute_exists(#dot)", true },
		{ "attribute_type(n, :tN)", true },
		{ "attribute_type(n, :tS)", false },
		{ "attribute_type(l, :tL)", true },
		{ "attribute_type(z, :tNULL)", true },
		{ "attribute_type(nix, :tN)", false },
		{ "begins_with(s, :a)", true },
		{ "begins_with(s, :sb)", false },
		{ "begins_with(s, :empty)", true },
		{ "begins_with(b, :ba)", true },
		{ "begins_with(b, :a)", false },
		{ "begins_with(n, :a)", false },
		{ "begins_with(nix, :a)", false },
		{ "contains(s, :sb)", true },
		{ "contains(s, :n)", false },
		{ "contains(b, :bb)", true },
		{ "contains(ss, :a)", true },
		{ "contains(ss, :s)", false },
		{ "contains(ss, :ba)", false },
		{ "contains(ns, :two)", true },
		{ "contains(bs, :bb)", true },
		{ "contains(l, :s)", true },
		{ "contains(l, :one)", true },
		{ "contains(l, :two)", false },
		{ "contains(ss, :ss)", false },
		{ "contains(m, :a)", false },
		{ "contains(nix, :a)", false },
		{ "contains(l, nix)", false },
		{ "contains(:s, deep.nix)", false },
	};

	(void)state;
	check_answers(answers, ARRAY_COUNT(answers));
}

static void size_measures_what_has_one(void **state)
{
	static const struct answer answers[] = {
		{ "size(s) = :three", true },
		{ "size(b) = :three", true },
		{ "size(l) = :two", true },
		{ "size(m) = :two", true },
		{ "size(ss) = :two", true },
		{ "size(u) > :three", true }, /* four units of UTF-16 */
		{ "size(u) < :n9", true },
		{ "size(n) = :two", false },
		{ "size(nix) < :three", false },
		{ "size(nix) <> :three", true },
		{ "size(s) between size(l) and :three", true },
		{ "size(m) in (:one, :two)", true },
	};

	(void)state;
	check_answers(answers, ARRAY_COUNT(answers));
}

static void in_finds_any_of_its_list(void **state)
{
	static const struct answer answers[] = {
		{ "s in (:n, :s)", true }, { "s in (:n, :n9)", false },   { "nix in (:n)", false },
		{ "nix in (nil)", false }, { "l in (:m, :l, :n)", true }, { "n in (nix, l[0], :frac)", true },
	};

	(void)state;
	check_answers(answers, ARRAY_COUNT(answers));
}

static void and_binds_tighter_than_or_and_not_tightest(void **state)
{
	static const struct answer answers[] = {
		{ "s = :s OR s = :n AND s = :n", true },
		{ "(s = :s OR s = :n) AND s = :n", false },
		{ "s = :n AND s = :n OR s = :s", true },
		{ "NOT s = :s OR s = :s", true },
		{ "NOT (s = :s OR s = :s)", false },
		{ "NOT s = :n AND s = :s", true },
		{ "NOT NOT s = :s", true },
		{ "s = :s AND NOT s = :n AND n between :n9 AND :n AND t = :t", true },
		{ "s = :n OR n = :s OR (t = :t AND z = :null)", true },
		{ "s = :n AND (n = :n OR t = :t) OR NOT b = :s AND attribute_exists(s)", true },
		{ "not attribute_exists(nix) and Not begins_with(s, :sb)", true },
	};

	(void)state;
	check_answers(answers, ARRAY_COUNT(answers));
}

static void no_item_has_no_attributes(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, bindings), ST_OK);
	assert_true(expr_fixture_holds(&f, "attribute_not_exists(s)", slice_of(NULL, 0)));
	assert_false(expr_fixture_holds(&f, "attribute_exists(s) or s = :s", slice_of(NULL, 0)));
	assert_true(expr_fixture_holds(&f, "s <> :s and size(s) <> :n", slice_of(NULL, 0)));
	expr_fixture_close(&f);
}

static enum status check_program(const char *code, size_t code_size)
{
	static uint8_t path_bytes[] = { 1, 0, 1, 'a' };
	static uint8_t value_bytes[] = { ITEM_S, 1, 'a' };
	ProtobufCBinaryData path = { sizeof(path_bytes), path_bytes };
	ProtobufCBinaryData value = { sizeof(value_bytes), value_bytes };
	Cleave__ExprCondition condition = CLEAVE__EXPR_CONDITION__INIT;

	condition.n_paths = condition.n_values = 1;
	condition.paths = &path;
	condition.values = &value;
	condition.code = (ProtobufCBinaryData){ code_size, (uint8_t *)(uintptr_t)code };
	return eval_check_condition(&condition);
}

#define PROGRAM(code) check_program(code, sizeof(code) - 1)

static void a_program_that_is_not_sound_is_refused(void **state)
{
	(void)state;
	assert_int_equal(PROGRAM("\x01\0\0\x18"), ST_OK);                             /* a exists */
	assert_int_equal(PROGRAM("\x01\0\0\x02\0\0\x10\x29\0\4\x01\0\0\x18"), ST_OK); /* a = v and ... */
	assert_int_equal(PROGRAM(""), ST_CORRUPT);
	assert_int_equal(PROGRAM("\x01\0\0"), ST_CORRUPT);                 /* an operand left */
	assert_int_equal(PROGRAM("\x18"), ST_CORRUPT);                     /* an operand missing */
	assert_int_equal(PROGRAM("\x01\0\1\x18"), ST_CORRUPT);             /* no such path */
	assert_int_equal(PROGRAM("\x02\0\1\x18"), ST_CORRUPT);             /* no such value */
	assert_int_equal(PROGRAM("\x01\0"), ST_CORRUPT);                   /* cut */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x28\x63"), ST_CORRUPT);     /* no such operation */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x52\0\0"), ST_CORRUPT);     /* an action */
	assert_int_equal(PROGRAM("\x28\x01\0\0\x18"), ST_CORRUPT);         /* nothing to negate */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x01\0\0\x18"), ST_CORRUPT); /* two truth values */
	assert_int_equal(PROGRAM("\x01\0\0\x01\0\0\x18"), ST_CORRUPT);     /* a leaf above an operand */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x29\0\0"), ST_CORRUPT);     /* an empty span */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x29\0\3\x01\0\0\x18"), ST_CORRUPT); /* ends inside a leaf */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x29\0\5\x01\0\0\x18"), ST_CORRUPT); /* ends behind the code */
	/* A span that ends behind the one around it. */
	assert_int_equal(PROGRAM("\x01\0\0\x18\x29\0\7\x01\0\0\x18\x2a\0\4\x01\0\0\x18"), ST_CORRUPT);
	assert_int_equal(PROGRAM("\x01\0\0\x17\0\0"), ST_CORRUPT); /* IN nothing */
}

static void check_path_bytes(const char *bytes, size_t size, enum status expected)
{
	ProtobufCBinaryData path = { size, (uint8_t *)(uintptr_t)bytes };
	Cleave__ExprProjection projection = CLEAVE__EXPR_PROJECTION__INIT;

	projection.n_paths = 1;
	projection.paths = &path;
	assert_int_equal(eval_check_projection(&projection), expected);
}

static void a_path_that_is_not_sound_is_refused(void **state)
{
	char deep[4 + 5 * LIMIT_NESTING_DEPTH] = "\x01\0\1a";

	(void)state;
	check_path_bytes("\x01\0\1a", 4, ST_OK);
	check_path_bytes("\x01\0\0", 3, ST_OK); /* an empty name */
	check_path_bytes("\x01\0\1a\x02\0\0\0\7", 9, ST_OK);
	check_path_bytes("", 0, ST_CORRUPT);
	check_path_bytes("\x01\0\2a\x99", 5, ST_CORRUPT); /* no UTF-8 */
	check_path_bytes("\x02\0\0\0\7", 5, ST_CORRUPT);
	check_path_bytes("\x01\0\2a", 4, ST_CORRUPT);
	check_path_bytes("\x01\0\1a\x02\0\0\0", 8, ST_CORRUPT);
	check_path_bytes("\x01\0\1a\x03", 5, ST_CORRUPT);
	for (size_t i = 0; i < LIMIT_NESTING_DEPTH; i++)
		memcpy(deep + 4 + 5 * i, "\x02\0\0\0\0", 5);
	check_path_bytes(deep, sizeof(deep) - 5, ST_OK);
	check_path_bytes(deep, sizeof(deep), ST_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_looks_at_types_and_into_containers),
		cmocka_unit_test(order_is_of_one_type_only),
		cmocka_unit_test(functions_answer_as_documented),
		cmocka_unit_test(size_measures_what_has_one),
		cmocka_unit_test(in_finds_any_of_its_list),
		cmocka_unit_test(and_binds_tighter_than_or_and_not_tightest),
		cmocka_unit_test(no_item_has_no_attributes),
		cmocka_unit_test(a_program_that_is_not_sound_is_refused),
		cmocka_unit_test(a_path_that_is_not_sound_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
