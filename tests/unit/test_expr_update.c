#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/expr_fixture.h"

struct refusal {
	const char *text;
	const char *message; /* after the prefix; NULL: accepted */
};

#define BINDINGS                                                                                             \
	"{'N':{'#a':'a','#b':'b','#c':'c','#d':'[3]'},"                                                      \
	"'V':{':s':{'S':'s'},':n':{'N':'1'},':b':{'B':'YQ=='},':bool':{'BOOL':true},':null':{'NULL':true},"  \
	"':l':{'L':[]},':m':{'M':{}},':ss':{'SS':['a']},':ns':{'NS':['1']},':bs':{'BS':['YQ==']}}}"

static void check_refusals(const struct refusal *refusals, size_t count)
{
	struct expr_fixture f;

	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	for (size_t i = 0; i < count; i++) {
		const char *message = expr_fixture_update_refusal(&f, refusals[i].text);
		char expected[LIMIT_ERROR_MESSAGE_SIZE_BYTES];

		if (refusals[i].message == NULL && message != NULL)
			fail_msg("%s: %s", refusals[i].text, message);
		if (refusals[i].message == NULL)
			continue;
		if (message == NULL)
			fail_msg("accepted: %s", refusals[i].text);
		(void)snprintf(expected, sizeof(expected), "Invalid UpdateExpression: %s",
			       refusals[i].message);
		if (strcmp(message, expected) != 0)
			fail_msg("%s: %s, not %s", refusals[i].text, message, expected);
	}
	expr_fixture_close(&f);
}

static void a_syntax_error_names_the_token_and_its_neighbours(void **state)
{
	static const struct refusal refusals[] = {
		{ "INVALID SYNTAX HERE", "Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\"" },
		{ "set a", "Syntax error; token: \"<EOF>\", near: \"a\"" },
		{ "SET", "Syntax error; token: \"<EOF>\", near: \"SET\"" },
		{ "add a", "Syntax error; token: \"<EOF>\", near: \"a\"" },
		{ "ADD hits : incr", "Syntax error; token: \":\", near: \"hits : incr\"" },
		{ "set a=set", "Syntax error; token: \"set\", near: \"=set\"" },
		{ "remove a = b", "Syntax error; token: \"=\", near: \"a = b\"" },
		{ "delete a b", "Syntax error; token: \"b\", near: \"a b\"" },
		{ "delete a if_not_exists(b)",
		  "Syntax error; token: \"if_not_exists\", near: \"a if_not_exists(\"" },
		{ "set :n = b", "Syntax error; token: \":n\", near: \"set :n =\"" },
		{ "set a = b / c", "Syntax error; token: \"/\", near: \"b / c\"" },
		{ "set a[1] = \"eight\"", "Syntax error; token: \"\"\", near: \"= \"eight\"" },
		{ "set a[1] = 1", "Syntax error; token: \"1\", near: \"= 1\"" },
		{ "SET if_not_exists(a, b) = a", "Syntax error; token: \"(\", near: \"if_not_exists(a\"" },
		{ "set (a = (b + c))", "Syntax error; token: \"(\", near: \"set (a\"" },
		{ "set a = (b.c).d + e", "Syntax error; token: \".\", near: \").d\"" },
		{ "set a = b + c + d", "Syntax error; token: \"+\", near: \"c + d\"" },
		{ "set a = (b + c) + d", "Syntax error; token: \"+\", near: \") + d\"" },
		{ "set a = b + (c + d)", "Syntax error; token: \"+\", near: \"c + d\"" },
		{ "set a = list_append(b + c, d)", "Syntax error; token: \"+\", near: \"b + c\"" },
		{ "set a = b,", "Syntax error; token: \"<EOF>\", near: \",\"" },
		{ "set a = b c = d", "Syntax error; token: \"c\", near: \"b c =\"" },
		{ "set a = b, updated", "Syntax error; token: \"<EOF>\", near: \"updated\"" },
		{ "remove #,", "Syntax error; token: \"#\", near: \"remove #,\"" },
		{ "set _something = :n", "Syntax error; token: \"_\", near: \"set _something\"" },
		{ "set a = list_append()", "Syntax error; token: \")\", near: \"()\"" },
		{ "set a = (b", "Syntax error; token: \"<EOF>\", near: \"b\"" },
		{ "set a = b)", "Syntax error; token: \")\", near: \"b)\"" },
		{ "", "The expression can not be empty;" },
		{ "set a = ((b))", "The expression has redundant parentheses;" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void what_is_an_update_is_accepted(void **state)
{
	static const struct refusal refusals[] = {
		{ "set a = b", NULL },
		{ "SET a.b[3].#c = (:n)", NULL },
		{ "set a = (b + c)", NULL },
		{ "set a = ((b.c.d)+(e))", NULL },
		{ "SET a = if_not_exists(a, b) + :n", NULL },
		{ "SET a = if_not_exists(a, if_not_exists(b, list_append(c, if_not_exists(d, :l))))", NULL },
		{ "set a=b remove c,d[1] add e :n , f :ss delete g :bs", NULL },
		{ "delete a :ss add b :n remove c set d = d - :n", NULL },
		{ "set AND = :n, OR = :n", "Attribute name is a reserved keyword; reserved keyword: AND" },
		{ "remove a[1], a[2], a[0]", NULL },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void errors_come_in_the_order_of_the_passes(void **state)
{
	static const struct refusal refusals[] = {
		{ " set #c = :x set abOrt = true ",
		  "Attribute name is a reserved keyword; reserved keyword: abOrt" },
		{ " remove Absolute ", "Attribute name is a reserved keyword; reserved keyword: Absolute" },
		{ "set a = whatever(:x)", "Invalid function name; function: whatever" },
		{ "set a = size(b)", "The function is not allowed in an update expression; function: size" },
		{ "remove a[2147483648]",
		  "List index is not within the allowable range; index: [2147483648]" },
		{ "set a = :x set b = #x",
		  "The \"SET\" section can only be used once in an update expression;" },
		{ "delete #d :e set a = b delete #e :f",
		  "The \"DELETE\" section can only be used once in an update expression;" },
		{ "SET #x = if_not_exists(:c)",
		  "An expression attribute name used in the document path is not "
		  "defined; attribute name: #x" },
		{ "SET a = :y, b = #x", "An expression attribute name used in the document path is not "
					"defined; attribute name: #x" },
		{ "SET #a = if_not_exists(:y), a = b",
		  "An expression attribute value used in expression is not defined; attribute value: :y" },
		{ "set b = list_append(:s, a), c = if_not_exists(a) add a.b :s",
		  "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
		  "typeSet: ALLOWED_FOR_ADD_OPERAND" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void paths_may_not_meet(void **state)
{
	static const struct refusal refusals[] = {
		{ "set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)",
		  "Two document paths overlap with each other; must remove or rewrite one of these paths; "
		  "path "
		  "one: [c, [1], a], path two: [c]" },
		{ "set #c[3].#d = a, #c[3] = a", "Two document paths overlap with each other; must remove or "
						 "rewrite one of these paths; path "
						 "one: [c, [3], [3]], path two: [c, [3]]" },
		{ "set a = b remove #a", "Two document paths overlap with each other; must remove or rewrite "
					 "one of these paths; path "
					 "one: [a], path two: [a]" },
		{ "set #c[3].#d = a, #c.#d[3] = if_not_exists(a)",
		  "Two document paths conflict with each other; must remove or rewrite one of these paths; "
		  "path "
		  "one: [c, [3], [3]], path two: [c, [3], [3]]" },
		{ "remove a.#c set a[1] = #d", "Two document paths conflict with each other; must remove or "
					       "rewrite one of these paths; path "
					       "one: [a, c], path two: [a, [1]]" },
		{ "remove a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,ab,aab,#c.x",
		  "Two document paths overlap with each other; must remove or rewrite one of these paths; "
		  "path "
		  "one: [c], path two: [c, x]" },
		{ "remove c[1],b,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,ab,aab,#c.x",
		  "Two document paths conflict with each other; must remove or rewrite one of these paths; "
		  "path "
		  "one: [c, [1]], path two: [c, x]" },
		{ "remove a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,ab,aab", NULL },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void operands_have_their_types(void **state)
{
	static const struct refusal refusals[] = {
		{ "delete a.b :n",
		  "Incorrect operand type for operator or function; operator: DELETE, operand "
		  "type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND" },
		{ "add a.b :null", "Incorrect operand type for operator or function; operator: ADD, operand "
				   "type: NULL, typeSet: ALLOWED_FOR_ADD_OPERAND" },
		{ "add a.b :bool", "Incorrect operand type for operator or function; operator: ADD, operand "
				   "type: BOOLEAN, typeSet: ALLOWED_FOR_ADD_OPERAND" },
		{ "add a.b :b",
		  "Incorrect operand type for operator or function; operator: ADD, operand type: "
		  "BINARY, typeSet: ALLOWED_FOR_ADD_OPERAND" },
		{ "delete a.b :m",
		  "Incorrect operand type for operator or function; operator: DELETE, operand "
		  "type: MAP, typeSet: ALLOWED_FOR_DELETE_OPERAND" },
		{ "add a.b :l",
		  "Incorrect operand type for operator or function; operator: ADD, operand type: "
		  "LIST, typeSet: ALLOWED_FOR_ADD_OPERAND" },
		{ "set a = if_not_exists(c)",
		  "Incorrect number of operands for operator or function; operator "
		  "or function: if_not_exists, number of operands: 1" },
		{ "set a = list_append(c, d, e)",
		  "Incorrect number of operands for operator or function; "
		  "operator or function: list_append, number of operands: 3" },
		{ "set a = if_not_exists(:s, c)",
		  "Operator or function requires a document path; operator or "
		  "function: if_not_exists" },
		{ "set a = if_not_exists(if_not_exists(a, b), c)",
		  "Operator or function requires a document path; operator or function: if_not_exists" },
		{ "set a = list_append(:s, a)",
		  "Incorrect operand type for operator or function; operator or "
		  "function: list_append, operand type: S" },
		{ "set a = list_append(a, :bs)",
		  "Incorrect operand type for operator or function; operator or "
		  "function: list_append, operand type: BS" },
		{ "set a = :s + :b",
		  "Incorrect operand type for operator or function; operator or function: +, "
		  "operand type: S" },
		{ "set a = a - :l",
		  "Incorrect operand type for operator or function; operator or function: -, "
		  "operand type: L" },
	};

	(void)state;
	check_refusals(refusals, ARRAY_COUNT(refusals));
}

static void three_hundred_operators_are_enough(void **state)
{
	struct expr_fixture f;
	struct buf text;

	(void)state;
	expr_fixture_open(&f);
	assert_int_equal(expr_fixture_bind(&f, BINDINGS), ST_OK);
	buf_init(&text, 64 * 1024);
	buf_append_string(&text, "SET");
	for (int i = 0; i < 300; i++)
		buf_append_format(&text, "%s x%d=y+z", i == 0 ? "" : ",", i);
	buf_put_u8(&text, 0);
	assert_null(expr_fixture_update_refusal(&f, (const char *)text.data));
	text.size--;
	buf_append_string(&text, ", y=y-z");
	buf_put_u8(&text, 0);
	assert_string_equal(expr_fixture_update_refusal(&f, (const char *)text.data),
			    "Invalid UpdateExpression: The expression contains too many operators; operator "
			    "count: 301");
	buf_close(&text);
	expr_fixture_close(&f);
}

static void every_reason_of_a_node_has_a_text(void **state)
{
	(void)state;
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE)),
			    "The provided expression refers to an attribute that does not exist in the item");
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(INVALID_PATH)),
			    "The document path provided in the update expression is invalid for update");
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(OPERAND_TYPE)),
			    "An operand in the update expression has an incorrect data type");
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(LEGACY_TYPE)),
			    "Type mismatch for attribute to update");
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(ITEM_SIZE)),
			    "Item size to update has exceeded the maximum allowed size");
	assert_string_equal(
		expr_update_error_text(EXPR_UPDATE_ERROR(NUMBER_OVERFLOW)),
		"Number overflow. Attempting to store a number with magnitude larger than supported "
		"range");
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(NUMBER_UNDERFLOW)),
			    "Number underflow. Attempting to store a number with magnitude smaller than "
			    "supported range");
	assert_string_equal(expr_update_error_text(EXPR_UPDATE_ERROR(NUMBER_DIGITS)),
			    "Attempting to store more than 38 significant digits in a Number");
	assert_string_equal(
		expr_update_error_text(EXPR_UPDATE_ERROR(NESTING)),
		"Nesting Levels have exceeded supported limits: Attributes in the item have nested "
		"levels beyond supported limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syntax_error_names_the_token_and_its_neighbours),
		cmocka_unit_test(what_is_an_update_is_accepted),
		cmocka_unit_test(errors_come_in_the_order_of_the_passes),
		cmocka_unit_test(paths_may_not_meet),
		cmocka_unit_test(operands_have_their_types),
		cmocka_unit_test(three_hundred_operators_are_enough),
		cmocka_unit_test(every_reason_of_a_node_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
