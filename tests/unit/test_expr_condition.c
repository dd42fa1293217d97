#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/expr_fixture.h"

struct refusal {
	const char *text;
	const char *message; /* after the prefix */
};

#define BINDINGS                                                                                             \
	"{'N':{'#a':'a','#b':'b','#dot':'x.y'},"                                                             \
	"'V':{':s':{'S':'s'},':t':{'S':'t'},':n':{'N':'1'},':m':{'N':'20'},':b':{'B':'YQ=='},"               \
	"':bool':{'BOOL':true},':null':{'NULL':true},':l':{'L':[]},':map':{'M':{}},':ss':{'SS':['a']},"      \
	"':ns':{'NS':['1']},':bs':{'BS':['YQ==']},':type':{'S':'SS'}}}"

static void check_refusals(const struct refusal *refusals, size_t count)
{
	struct expr_fixture f;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	for (size_t i = 0; i < count; i++) {
		const char *message = expr_fixture_refusal(&f, EXPR_FILTER, refusals[i].text);
		char expected[LIMIT_ERROR_MESSAGE_SIZE_BYTES];

		if (message == NULL)
			fail_msg("accepted: %s", refusals[i].text);
		(void)snprintf(expected, sizeof(expected), "Invalid FilterExpression: %s",
			       refusals[i].message);
		if (strcmp(message, expected) != 0)
			fail_msg("%s: %s, not %s", refusals[i].text, message, expected);
	}
	expr_fixture_close(&f);
}

static void a_syntax_error_names_the_token_and_its_neighbours(void **state)
{
	static const struct refusal refusals[] = {
		{ "things are not gonna be ok", "Syntax error; token: \"are\", near: \"things are not\"" },
		{ "a > 4", "Syntax error; token: \"4\", near: \"> 4\"" },
		{ "!! a", "Syntax error; token: \"!\", near: \"!!\"" },
		{ "a = :s AND", "Syntax error; token: \"<EOF>\", near: \"AND\"" },
		{ "attribute_exists(a) AND NOT #a", "Syntax error; token: \"<EOF>\", near: \"#a\"" },
		{ "#a attribute_not_exists :s",
		  "Syntax error; token: \"attribute_not_exists\", near: \"#a attribute_not_exists :s\"" },
		{ "_version = :s", "Syntax error; token: \"_\", near: \"_version\"" },
		{ "a = :s AND __typename = :s", "Syntax error; token: \"_\", near: \"AND __\"" },
		{ "GI-1 = :s", "Syntax error; token: \"-\", near: \"GI-1\"" },
		{ "contains()", "Syntax error; token: \")\", near: \"()\"" },
		{ "attribute_exists(\"a\")", "Syntax error; token: \"\"\", near: \"(\"a\"" },
		{ "\xc3\xbc > a", "Syntax error; token: \"\xc3\xbc\", near: \"\xc3\xbc >\"" },
		{ "a in (b,c,)", "Syntax error; token: \")\", near: \",)\"" },
		{ "a in b", "Syntax error; token: \"b\", near: \"in b\"" },
		{ "(a = b", "Syntax error; token: \"<EOF>\", near: \"b\"" },
		{ "a = b)", "Syntax error; token: \")\", near: \"b)\"" },
		{ "a = (b = c)", "Syntax error; token: \"=\", near: \"b = c\"" },
		{ "a = b = c", "Syntax error; token: \"=\", near: \"b = c\"" },
		{ "size(a)[0] > b", "Syntax error; token: \"[\", near: \")[0\"" },
		{ "(size(a)).b > a", "Syntax error; token: \".\", near: \").b\"" },
		{ "a[:s] > b", "Syntax error; token: \":s\", near: \"[:s]\"" },
		{ "a[01] > b", "Syntax error; token: \"1\", near: \"01]\"" },
		{ "a..b > c", "Syntax error; token: \".\", near: \"..b\"" },
		{ "# > a", "Syntax error; token: \"#\", near: \"# >\"" },
		{ "a > between", "Syntax error; token: \"between\", near: \"> between\"" },
		{ "a between b", "Syntax error; token: \"<EOF>\", near: \"b\"" },
		{ "a between b or c", "Syntax error; token: \"or\", near: \"b or c\"" },
		{ ":s.a > a", "Syntax error; token: \".\", near: \":s.a\"" },
		{ "f(a = b)", "Syntax error; token: \"=\", near: \"a = b\"" },
		{ "f(NOT a)", "Syntax error; token: \"NOT\", near: \"(NOT a\"" },
		{ "a AND b = c", "Syntax error; token: \"AND\", near: \"a AND b\"" },
		{ "a", "Syntax error; token: \"<EOF>\", near: \"a\"" },
		{ "(a)", "Syntax error; token: \"<EOF>\", near: \")\"" },
		{ "", "The expression can not be empty;" },
		{ " \t\n", "The expression can not be empty;" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void a_group_around_a_group_is_redundant(void **state)
{
	static const char *const texts[] = {
		"a=:s and a > ((b))",
		"a > whatever((:s), ((a)))",
		"a=b AND ((a=b AND a=b)) AND a=b",
		"a=b OR ((a=b OR (a=b OR a=b)))",
		"((a = b))",
		"(((((((a<b)))))))",
		"a in (((b)))",
		"((attribute_exists(a)))",
	};
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, texts[i]),
				    "Invalid ConditionExpression: The expression has redundant parentheses;");
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION,
					 "((a) = (b)) AND ((c = d) OR (e = f)) AND ((g) in ((h))) AND "
					 "(NOT (size((i)) > (j)))"));
	expr_fixture_close(&f);
}

static void what_the_text_alone_shows_comes_in_its_order(void **state)
{
	static const struct refusal refusals[] = {
		{ "a = abOrT and b = status",
		  "Attribute name is a reserved keyword; reserved keyword: abOrT" },
		{ ":undefined < abOrT", "Attribute name is a reserved keyword; reserved keyword: abOrT" },
		{ "attribute_exists(views, #a)",
		  "Attribute name is a reserved keyword; reserved keyword: views" },
		{ "a = whatever((:s)) and status = b", "Invalid function name; function: whatever" },
		{ "attRIbute_exIsts((views), #a)", "Invalid function name; function: attRIbute_exIsts" },
		{ "a = if_not_exists(a, b)",
		  "The function is not allowed in a condition expression; function: if_not_exists" },
		{ "a=b and attribute_exists((views), (#a)) > b",
		  "The function is not allowed to be used this way in an expression; function: "
		  "attribute_exists" },
		{ "size(contains(a, b)) > a",
		  "The function is not allowed to be used this way in an expression; function: contains" },
		{ "size(a)",
		  "The function is not allowed to be used this way in an expression; function: size" },
		{ "NOT size(a)",
		  "The function is not allowed to be used this way in an expression; function: size" },
		{ "a in (b, attribute_exists(c))",
		  "The function is not allowed to be used this way in an expression; function: "
		  "attribute_exists" },
		{ "a between b and begins_with(c, d)",
		  "The function is not allowed to be used this way in an expression; function: begins_with" },
		{ "a[2147483648] = b", "List index is not within the allowable range; index: [2147483648]" },
		{ "a[99999999999999999999999] = b",
		  "List index is not within the allowable range; index: [99999999999999999999999]" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void each_leaf_is_checked_by_itself(void **state)
{
	static const struct refusal refusals[] = {
		{ "a = #x and b = #y", "An expression attribute name used in the document path is not "
				       "defined; attribute name: #x" },
		{ "begins_with(:hello, #x, #y)", "An expression attribute value used in expression is not "
						 "defined; attribute value: :hello" },
		{ "begins_with(a, :n) and a = :x",
		  "Incorrect operand type for operator or function; operator or "
		  "function: begins_with, operand type: N" },
		{ "attribute_exists(a, b) and a=a",
		  "Incorrect number of operands for operator or function; operator or function: "
		  "attribute_exists, number of operands: 2" },
		{ "size(a, b) > c", "Incorrect number of operands for operator or function; operator or "
				    "function: size, number of operands: 2" },
		{ "begins_with(a)", "Incorrect number of operands for operator or function; operator or "
				    "function: begins_with, number of operands: 1" },
		{ "attribute_exists(:s)",
		  "Operator or function requires a document path; operator or function: attribute_exists" },
		{ "attribute_not_exists(size(:s))",
		  "Operator or function requires a document path; operator or function: "
		  "attribute_not_exists" },
		{ "attribute_not_exists(size(:n))",
		  "Incorrect operand type for operator or function; operator "
		  "or function: size, operand type: N" },
		{ "size(size(a)) > b", "Incorrect operand type for operator or function; operator or "
				       "function: size, operand type: N" },
		{ "size(:null) > b", "Incorrect operand type for operator or function; operator or "
				     "function: size, operand type: NULL" },
		{ "attribute_type(a, b)",
		  "Incorrect operand type for operator or function; operator or function: attribute_type, "
		  "operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}" },
		{ "attribute_type(a, :bs)", "Incorrect operand type for operator or function; operator or "
					    "function: attribute_type, operand type: BS" },
		{ "attribute_type(a, size(b))",
		  "Incorrect operand type for operator or function; operator or "
		  "function: attribute_type, operand type: N" },
		{ "attribute_type(a, :s)", "Invalid attribute type name found; type: s, valid types: "
					   "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}" },
		{ "begins_with(:ns, a)", "Incorrect operand type for operator or function; operator or "
					 "function: begins_with, operand type: NS" },
		{ "a < :bool", "Incorrect operand type for operator or function; operator or function: <, "
			       "operand type: BOOL" },
		{ "a between :ss and b", "Incorrect operand type for operator or function; operator or "
					 "function: BETWEEN, operand type: SS" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void the_first_operand_must_differ_from_the_others(void **state)
{
	static const struct refusal refusals[] = {
		{ "a = a AND #x = b",
		  "The first operand must be distinct from the remaining operands for this "
		  "operator or function; operator: =, first operand: [a]" },
		{ "#a <> a", "The first operand must be distinct from the remaining operands for this "
			     "operator or function; operator: <>, first operand: [a]" },
		{ "contains(ab.bc[1].a, ab.bc[1].#a)",
		  "The first operand must be distinct from the remaining operands for this operator or "
		  "function; operator: contains, first operand: [ab, bc, [1], a]" },
		{ "attribute_type(b.#a, b.a)",
		  "The first operand must be distinct from the remaining operands for this operator or "
		  "function; operator: attribute_type, first operand: [b, a]" },
		{ "a between b and a",
		  "The first operand must be distinct from the remaining operands for this "
		  "operator or function; operator: BETWEEN, first operand: [a]" },
		{ "a in (b, #a)", "The first operand must be distinct from the remaining operands for this "
				  "operator or function; operator: IN, first operand: [a]" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void bounds_of_between_are_compared_at_once(void **state)
{
	static const struct refusal refusals[] = {
		{ "a between :n and :s",
		  "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
		  "operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:s}" },
		{ "a between :t and :s",
		  "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
		  "lower bound operand: AttributeValue: {S:t}, upper bound operand: AttributeValue: {S:s}" },
		{ "a between :m and :n",
		  "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
		  "lower bound operand: AttributeValue: {N:20}, upper bound operand: AttributeValue: {N:1}" },
		{ "a between :b and :s",
		  "The BETWEEN operator requires same data type for lower and upper bounds; lower bound "
		  "operand: AttributeValue: {B:java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]}, upper bound "
		  "operand: AttributeValue: {S:s}" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void the_prefix_names_the_parameter(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, "a"),
			    "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"a\"");
	assert_string_equal(expr_fixture_refusal(&f, EXPR_KEY_CONDITION, "a"),
			    "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"a\"");
	expr_fixture_close(&f);
}

/* before, then count times part, then after. */
static const char *repeat(struct expr_fixture *f, const char *before, const char *part, uint32_t count,
			  const char *after)
{
	struct buf text;
	const char *copy;

	buf_init(&text, 64 * 1024);
	buf_append_string(&text, before);
	for (uint32_t i = 0; i < count; i++)
		buf_append_string(&text, part);
	buf_append_string(&text, after);
	copy = (const char *)arena_copy(&f->arena, buf_slice(&text));
	buf_close(&text);
	return copy;
}

static void three_hundred_operators_are_enough(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "not a<b", " or a<b", 149, "")));
	assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "a<b", " or a<b", 150, "")),
			    "Invalid ConditionExpression: The expression contains too many operators; "
			    "operator count: 301");
	/* Nested as deep as that. */
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION,
					 repeat(&f, repeat(&f, "a<b", " or (a<b", 149, ""), ")", 149, "")));
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "", "not ", 299, "a<b")));
	assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "", "not ", 1000, "a<b")),
			    "Invalid ConditionExpression: The expression contains too many operators; "
			    "operator count: 301");
	assert_string_equal(
		expr_fixture_refusal(&f, EXPR_CONDITION,
				     repeat(&f, repeat(&f, "a < ", "f(", 1300, "b"), ")", 1300, "")),
		"Invalid ConditionExpression: Invalid function name; function: f");
	expr_fixture_close(&f);
}

static void sizes_have_their_limits(void **state)
{
	struct expr_fixture f;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "a = b", " ", 4096 - 5, "")));
	assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "a = b", " ", 4096 - 4, "")),
			    "Invalid ConditionExpression: Expression size has exceeded the maximum allowed "
			    "size; expression size: 4097");
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "a in (b", ",b", 99, ")")));
	assert_string_equal(
		expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "a in (b", ",b", 100, ")")),
		"Invalid ConditionExpression: The IN operator is provided with too many operands; "
		"number of operands: 101");
	assert_null(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "b = a", "[0]", 31, "")));
	assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "b = a", ".a", 32, "")),
			    "Invalid ConditionExpression: The document path has too many nesting levels; "
			    "nesting levels: 33");
	/* However deep, a group is not what ends us. */
	assert_string_equal(expr_fixture_refusal(&f, EXPR_CONDITION, repeat(&f, "", "(", 4096, "")),
			    "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"(\"");
	expr_fixture_close(&f);
}

static void memory_that_runs_out_is_no_crash(void **state)
{
	struct expr_fixture f;
	Cleave__ExprCondition *condition;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	for (size_t size = 0; size < 4096; size += 16) {
		struct arena small;

		arena_init(&small, size);
		f.bind.arena = &small;
		assert_in_range(-expr_condition_parse(&f.bind, EXPR_CONDITION,
						      slice_of_string("a = b and c.d[1] in (:n)"),
						      &condition),
				0, 1);
		arena_close(&small);
	}
	expr_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syntax_error_names_the_token_and_its_neighbours),
		cmocka_unit_test(a_group_around_a_group_is_redundant),
		cmocka_unit_test(what_the_text_alone_shows_comes_in_its_order),
		cmocka_unit_test(each_leaf_is_checked_by_itself),
		cmocka_unit_test(the_first_operand_must_differ_from_the_others),
		cmocka_unit_test(bounds_of_between_are_compared_at_once),
		cmocka_unit_test(the_prefix_names_the_parameter),
		cmocka_unit_test(three_hundred_operators_are_enough),
		cmocka_unit_test(sizes_have_their_limits),
		cmocka_unit_test(memory_that_runs_out_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
