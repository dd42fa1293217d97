#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The tool is no library: its file is part of the test. */
#include "deploy/cleave/bench_histogram.c"
#include "proto/base/rng.h"

static struct bench_histogram histogram;
static struct bench_histogram other;

static int reset(void **state)
{
	(void)state;
	bench_histogram_reset(&histogram);
	bench_histogram_reset(&other);
	return 0;
}

static void assert_close(uint64_t actual, uint64_t expected)
{
	assert_true(actual >= expected);
	assert_true(actual - expected <= expected / 1000);
}

static void an_empty_histogram_answers_zero(void **state)
{
	(void)state;
	assert_int_equal(bench_histogram_percentile_us(&histogram, 500), 0);
	assert_int_equal(histogram.max_us, 0);
	assert_true(bench_histogram_mean_us(&histogram) == 0.0);
}

static void small_values_are_exact(void **state)
{
	(void)state;
	for (uint64_t value = 1; value <= 2000; value++)
		bench_histogram_record(&histogram, value);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 0), 1);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 500), 1000);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 990), 1980);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 999), 1998);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 1000), 2000);
	assert_true(bench_histogram_mean_us(&histogram) == 1000.5);
}

/* Every counter begins where the one before ends, and none is wider than 0.1 % of its values. */
static void the_counters_cover_all_values_without_gap_or_overlap(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < BENCH_HISTOGRAM_COUNTERS; i++) {
		assert_int_equal(index_of(last_of(i)), i);
		assert_int_equal(index_of(last_of(i) + 1), i + 1);
		assert_true(i == 0 || last_of(i) - last_of(i - 1) <= 1 + last_of(i) / 1000);
	}
	assert_int_equal(last_of(BENCH_HISTOGRAM_COUNTERS - 1), BENCH_HISTOGRAM_TOP_US - 1);
}

static void any_value_keeps_three_digits(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = rng_u64(&rng) >> (31 + rng_below(&rng, 32));

		bench_histogram_reset(&histogram);
		bench_histogram_record(&histogram, value);
		bench_histogram_record(&histogram, BENCH_HISTOGRAM_TOP_US - 1);
		assert_close(bench_histogram_percentile_us(&histogram, 500), value);
	}
}

static void the_largest_value_is_never_exceeded(void **state)
{
	(void)state;
	bench_histogram_record(&histogram, 123456789);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 500), 123456789);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 1000), 123456789);
}

static void a_value_beyond_the_top_is_counted_and_kept_as_largest(void **state)
{
	(void)state;
	bench_histogram_record(&histogram, 5);
	bench_histogram_record(&histogram, UINT64_MAX / 4);
	assert_int_equal(histogram.count, 2);
	assert_int_equal(histogram.max_us, UINT64_MAX / 4);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 1000), UINT64_MAX / 4);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 500), 5);
}

static void one_slow_operation_in_a_thousand_shows_above_p999_only(void **state)
{
	(void)state;
	for (int i = 0; i < 999; i++)
		bench_histogram_record(&histogram, 100);
	bench_histogram_record(&histogram, 1000000);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 999), 100);
	assert_int_equal(bench_histogram_percentile_us(&histogram, 1000), 1000000);
}

static void merging_is_as_if_all_had_been_recorded_in_one(void **state)
{
	static struct bench_histogram all;
	struct rng rng;

	(void)state;
	bench_histogram_reset(&all);
	rng_seed(&rng, 3);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = rng_below(&rng, 10000000);

		bench_histogram_record(i % 3 == 0 ? &histogram : &other, value);
		bench_histogram_record(&all, value);
	}
	bench_histogram_merge(&histogram, &other);
	assert_memory_equal(&histogram, &all, sizeof(all));
}

static void merging_an_empty_one_changes_nothing(void **state)
{
	static struct bench_histogram before;

	(void)state;
	bench_histogram_record(&histogram, 42);
	before = histogram;
	bench_histogram_merge(&histogram, &other);
	assert_memory_equal(&histogram, &before, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_histogram_answers_zero, reset),
		cmocka_unit_test_setup(small_values_are_exact, reset),
		cmocka_unit_test_setup(the_counters_cover_all_values_without_gap_or_overlap, reset),
		cmocka_unit_test_setup(any_value_keeps_three_digits, reset),
		cmocka_unit_test_setup(the_largest_value_is_never_exceeded, reset),
		cmocka_unit_test_setup(a_value_beyond_the_top_is_counted_and_kept_as_largest, reset),
		cmocka_unit_test_setup(one_slow_operation_in_a_thousand_shows_above_p999_only, reset),
		cmocka_unit_test_setup(merging_is_as_if_all_had_been_recorded_in_one, reset),
		cmocka_unit_test_setup(merging_an_empty_one_changes_nothing, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
