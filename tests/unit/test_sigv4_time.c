#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/auth/sigv4_time.h"

static void assert_time(const char *text, uint64_t expected_epoch_s)
{
	char printed[SIGV4_TIME_SIZE + 1];
	uint64_t epoch_s = 0;

	assert_int_equal(sigv4_time_parse(slice_of_string(text), &epoch_s), ST_OK);
	assert_int_equal(epoch_s, expected_epoch_s);
	sigv4_time_format(epoch_s, printed);
	assert_string_equal(printed, text);
}

static void known_moments_parse_and_print(void **state)
{
	(void)state;
	assert_time("19700101T000000Z", 0);
	assert_time("20000229T235959Z", 951868799);
	assert_time("20130609T100759Z", 1370772479);
	assert_time("20310301T235958Z", 1930175998);
	assert_time("99991231T235959Z", 253402300799);
}

/* One day after another for 300 years. */
static void days_follow_each_other_without_a_gap(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 300 * 365; day++) {
		char text[SIGV4_TIME_SIZE + 1];
		uint64_t epoch_s = 0;

		sigv4_time_format(day * 86400 + 12345, text);
		assert_int_equal(sigv4_time_parse(slice_of_string(text), &epoch_s), ST_OK);
		assert_int_equal(epoch_s, day * 86400 + 12345);
	}
}

static void other_shapes_and_impossible_dates_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"201",
		"20130609T100759",
		"20130609T100759ZZ",
		"2013-06-09T10:07Z",
		"20130609t100759Z",
		"20130609T100759z",
		"2013060 T100759Z",
		"20130609T1007-9Z",
		"19691231T235959Z",
		"20130009T100759Z",
		"20131309T100759Z",
		"20130600T100759Z",
		"20130631T100759Z",
		"20130229T100759Z",
		"21000229T100759Z",
		"20130609T240000Z",
		"20130609T106000Z",
		"20130609T100760Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		uint64_t epoch_s = 7;

		assert_int_equal(sigv4_time_parse(slice_of_string(texts[i]), &epoch_s), ST_INVALID);
		assert_int_equal(epoch_s, 7);
	}
}

static void a_moment_beyond_the_last_year_prints_as_the_last_one(void **state)
{
	char text[SIGV4_TIME_SIZE + 1];

	(void)state;
	sigv4_time_format(UINT64_MAX / 2, text);
	assert_string_equal(text, "99991231T235959Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_moments_parse_and_print),
		cmocka_unit_test(days_follow_each_other_without_a_gap),
		cmocka_unit_test(other_shapes_and_impossible_dates_are_refused),
		cmocka_unit_test(a_moment_beyond_the_last_year_prints_as_the_last_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
