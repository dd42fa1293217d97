#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The tool is a program, not a library. */
#include "deploy/cleave/tool_text.c"

static const char *const heads[] = { "A", "LONG HEAD", "B", NULL };

static void assert_prints(const struct tool_text *text, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	tool_text_print(text, &out);
	buf_put_u8(&out, '\0');
	assert_int_equal(out.status, ST_OK);
	assert_string_equal((const char *)out.data, expected);
	buf_close(&out);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	struct tool_text text;

	(void)state;
	tool_text_init(&text, heads);
	tool_text_cell(&text, "%d", 12345);
	tool_text_cell(&text, "x");
	tool_text_cell(&text, "last");
	assert_prints(&text, "A      LONG HEAD  B\n12345  x          last\n");
	tool_text_close(&text);
}

static void a_table_without_rows_is_its_heads(void **state)
{
	struct tool_text text;

	(void)state;
	tool_text_init(&text, heads);
	assert_prints(&text, "A  LONG HEAD  B\n");
	tool_text_close(&text);
}

static void bytes_that_a_terminal_would_act_on_are_shown_as_question_marks(void **state)
{
	static const char *const one[] = { "A", NULL };
	struct tool_text text;

	(void)state;
	tool_text_init(&text, one);
	tool_text_cell(&text, "%s", "\x1b[2Jx\n\x7f");
	assert_prints(&text, "A\n?[2Jx??\n");
	tool_text_close(&text);
}

static void a_cell_is_cut_at_its_limit(void **state)
{
	static const char *const one[] = { "A", NULL };
	char longer[2 * TOOL_TEXT_CELL_SIZE_MAX];
	struct tool_text text;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	tool_text_init(&text, one);
	tool_text_cell(&text, "%s", longer);
	assert_int_equal(text.widths[0], TOOL_TEXT_CELL_SIZE_MAX - 1);
	tool_text_close(&text);
}

static void an_uptime_is_told_in_its_two_largest_units(void **state)
{
	static const struct {
		uint64_t uptime_ms;
		const char *text;
	} cases[] = {
		{ 0, "0ms" },          { 999, "999ms" },
		{ 1000, "1s" },        { 59999, "59s" },
		{ 60000, "1m00s" },    { 3599999, "59m59s" },
		{ 3600000, "1h00m" },  { 86399999, "23h59m" },
		{ 86400000, "1d00h" }, { UINT64_MAX, "213503982334d14h" },
	};
	char text[TOOL_TEXT_UPTIME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		tool_text_uptime(cases[i].uptime_ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(a_table_without_rows_is_its_heads),
		cmocka_unit_test(bytes_that_a_terminal_would_act_on_are_shown_as_question_marks),
		cmocka_unit_test(a_cell_is_cut_at_its_limit),
		cmocka_unit_test(an_uptime_is_told_in_its_two_largest_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
