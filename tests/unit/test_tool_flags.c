#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The tool is a program, not a library. */
#include "deploy/cleave/tool_flags.c"

static enum status apply(const char *text)
{
	return tool_flags_apply_lab(slice_of_string(text));
}

static int forget_before(void **state)
{
	(void)state;
	return unsetenv("CLEAVE_SEEDS") | unsetenv("CLEAVE_CLUSTER_ID");
}

static void lines_become_environment_variables(void **state)
{
	(void)state;
	assert_int_equal(apply("CLEAVE_SEEDS=1@host:1,2@host:2\nCLEAVE_CLUSTER_ID=ab=cd\n"), ST_OK);
	assert_string_equal(getenv("CLEAVE_SEEDS"), "1@host:1,2@host:2");
	assert_string_equal(getenv("CLEAVE_CLUSTER_ID"), "ab=cd");
}

static void comments_blank_lines_and_line_ends_of_all_kinds_are_fine(void **state)
{
	(void)state;
	assert_int_equal(apply("\n# CLEAVE_SEEDS=no\r\n\r\nCLEAVE_SEEDS=yes\r\nCLEAVE_CLUSTER_ID=last"),
			 ST_OK);
	assert_string_equal(getenv("CLEAVE_SEEDS"), "yes");
	assert_string_equal(getenv("CLEAVE_CLUSTER_ID"), "last");
	assert_int_equal(apply(""), ST_OK);
}

static void names_of_others_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(apply("LD_PRELOAD=x\nCLEAVE=1\n"), ST_OK);
	assert_null(getenv("CLEAVE"));
	assert_null(getenv("LD_PRELOAD"));
}

static void the_file_wins_over_the_environment(void **state)
{
	(void)state;
	assert_int_equal(setenv("CLEAVE_SEEDS", "before", 1), 0);
	assert_int_equal(apply("CLEAVE_SEEDS=after\n"), ST_OK);
	assert_string_equal(getenv("CLEAVE_SEEDS"), "after");
}

static void what_is_no_setting_is_refused(void **state)
{
	char longer[VALUE_SIZE_MAX + 64];

	(void)state;
	assert_int_equal(apply("hello\n"), ST_INVALID);
	assert_int_equal(apply("=value\n"), ST_INVALID);
	assert_int_equal(tool_flags_apply_lab(slice_of("CLEAVE_SEEDS=a\0b", 16)), ST_INVALID);
	(void)snprintf(longer, sizeof(longer), "CLEAVE_SEEDS=%0*d", VALUE_SIZE_MAX, 1);
	assert_int_equal(apply(longer), ST_INVALID);
	(void)snprintf(longer, sizeof(longer), "CLEAVE_%0*d=1", NAME_SIZE_MAX, 1);
	assert_int_equal(apply(longer), ST_INVALID);
	assert_null(getenv("CLEAVE_SEEDS"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_become_environment_variables, forget_before),
		cmocka_unit_test_setup(comments_blank_lines_and_line_ends_of_all_kinds_are_fine,
				       forget_before),
		cmocka_unit_test_setup(names_of_others_are_left_alone, forget_before),
		cmocka_unit_test_setup(the_file_wins_over_the_environment, forget_before),
		cmocka_unit_test_setup(what_is_no_setting_is_refused, forget_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
