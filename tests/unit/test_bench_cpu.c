#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The tool is no library: its file is part of the test. */
#include "deploy/cleave/bench_cpu.c"

static enum status parse_pids(const char *text, struct bench_cpu_pids *pids)
{
	return bench_cpu_parse_pids(slice_of_string(text), pids);
}

static void a_list_of_pids_is_read(void **state)
{
	struct bench_cpu_pids pids;

	(void)state;
	assert_int_equal(parse_pids("7", &pids), ST_OK);
	assert_int_equal(pids.count, 1);
	assert_int_equal(pids.pids[0], 7);
	assert_int_equal(parse_pids("123,4567,1", &pids), ST_OK);
	assert_int_equal(pids.count, 3);
	assert_int_equal(pids.pids[1], 4567);
}

static void what_is_not_a_list_of_pids_is_refused(void **state)
{
	static const char *const texts[] = { "",    ",",   "1,",  ",1",         "1,,2",
					     "0",   "-1",  "1 2", "2147483648", "99999999999999999999999",
					     "12x", "1;2", " 1" };
	struct bench_cpu_pids pids;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (parse_pids(texts[i], &pids) != ST_INVALID)
			fail_msg("taken: '%s'", texts[i]);
	}
}

static void too_many_pids_are_refused(void **state)
{
	struct bench_cpu_pids pids;
	char text[2 * BENCH_CPU_PIDS_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? '1' : ',';
	assert_int_equal(bench_cpu_parse_pids(slice_of(text, 2 * BENCH_CPU_PIDS_MAX - 1), &pids), ST_OK);
	assert_int_equal(pids.count, BENCH_CPU_PIDS_MAX);
	assert_int_equal(bench_cpu_parse_pids(slice_of(text, 2 * BENCH_CPU_PIDS_MAX + 1), &pids), ST_INVALID);
}

static void user_and_system_time_are_found_behind_any_name(void **state)
{
	static const char *const names[] = { "cat", "a b", "a) R 1 (b", "" };
	uint64_t ticks;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), "42 (%s) S 1 42 42 0 -1 4194560 9 0 1 0 250 31 7 8 20 0",
			       names[i]);
		assert_int_equal(bench_cpu_parse_stat(slice_of_string(text), &ticks), ST_OK);
		assert_int_equal(ticks, 281);
	}
}

static void a_text_that_is_too_short_is_refused(void **state)
{
	static const char text[] = "42 (cat) S 1 42 42 0 -1 4194560 9 0 1 0 250 ";
	uint64_t ticks;

	(void)state;
	for (size_t size = 0; size < sizeof(text); size++)
		assert_int_equal(bench_cpu_parse_stat(slice_of(text, size), &ticks), ST_INVALID);
}

/* Both count this process; the file lags by up to two ticks. */
static void our_own_file_agrees_with_our_own_count(void **state)
{
	struct bench_cpu_pids pids = { .pids = { (uint32_t)getpid() }, .count = 1 };
	struct bench_cpu_times times = { .own_us = 0 };
	volatile uint64_t sink = 0;

	(void)state;
	while (times.own_us < 100 * 1000) {
		for (uint64_t i = 0; i < 1000 * 1000; i++)
			sink += i;
		assert_int_equal(bench_cpu_read(&pids, &times), ST_OK);
	}
	assert_true(times.server_us[0] + 40 * 1000 >= times.own_us);
	assert_true(times.server_us[0] <= times.own_us + 40 * 1000);
	assert_true(sink > 0);
}

static void a_process_that_is_gone_is_an_error(void **state)
{
	struct bench_cpu_pids pids = { .pids = { INT32_MAX }, .count = 1 };
	struct bench_cpu_times times;

	(void)state;
	assert_int_equal(bench_cpu_read(&pids, &times), ST_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_pids_is_read),
		cmocka_unit_test(what_is_not_a_list_of_pids_is_refused),
		cmocka_unit_test(too_many_pids_are_refused),
		cmocka_unit_test(user_and_system_time_are_found_behind_any_name),
		cmocka_unit_test(a_text_that_is_too_short_is_refused),
		cmocka_unit_test(our_own_file_agrees_with_our_own_count),
		cmocka_unit_test(a_process_that_is_gone_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
