#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "proto/base/metrics.h"

static struct metric calls_a = { .name = "cleave_calls_total",
				 .labels = "zone=\"az-a\"",
				 .help = "Calls answered.",
				 .kind = METRIC_COUNTER };
static struct metric depth = { .name = "cleave_queue_depth", .help = "Calls waiting.", .kind = METRIC_GAUGE };
static struct metric calls_b = { .name = "cleave_calls_total",
				 .labels = "zone=\"az-b\"",
				 .help = "Calls answered.",
				 .kind = METRIC_COUNTER };
static struct histogram sync_time = { .name = "cleave_sync_seconds", .help = "Log syncs." };
static struct histogram lag = { .name = "cleave_lag_seconds", .help = "Lag.", .is_fine = true };
static struct histogram call_time = { .name = "cleave_call_seconds",
				      .labels = "op=\"get\"",
				      .help = "Calls." };

static int register_all(void **state)
{
	(void)state;
	metrics_register(&calls_a);
	metrics_register(&depth);
	metrics_register(&calls_b);
	metrics_register(&calls_b);
	metrics_register_histogram(&sync_time);
	metrics_register_histogram(&lag);
	metrics_register_histogram(&call_time);
	return 0;
}

/* The whole text, to be freed. */
static char *print(void)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	metrics_print(&out);
	buf_put_u8(&out, 0);
	assert_int_equal(out.status, ST_OK);
	return (char *)out.data;
}

static void assert_prints(const char *expected)
{
	char *text = print();

	if (strstr(text, expected) == NULL)
		fail_msg("not found:\n%s\nin:\n%s", expected, text);
	free(text);
}

static void metrics_of_one_name_stand_together_under_one_head(void **state)
{
	(void)state;
	metric_add(&calls_a, 5);
	metric_add(&calls_a, 2);
	metric_add(&calls_b, 1);
	assert_prints("# HELP cleave_calls_total Calls answered.\n"
		      "# TYPE cleave_calls_total counter\n"
		      "cleave_calls_total{zone=\"az-a\"} 7\n"
		      "cleave_calls_total{zone=\"az-b\"} 1\n"
		      "# HELP cleave_queue_depth Calls waiting.\n");
}

static void a_gauge_may_fall_below_zero(void **state)
{
	(void)state;
	metric_set(&depth, 3);
	metric_add(&depth, -5);
	assert_prints("# TYPE cleave_queue_depth gauge\ncleave_queue_depth -2\n");
}

static void buckets_count_what_is_at_most_their_bound(void **state)
{
	(void)state;
	histogram_record(&sync_time, 0);
	histogram_record(&sync_time, 2);
	histogram_record(&sync_time, 3);
	histogram_record(&sync_time, 4);
	histogram_record(&sync_time, 5);
	histogram_record(&sync_time, 16777216);
	histogram_record(&sync_time, 16777217);
	assert_prints("# TYPE cleave_sync_seconds histogram\n"
		      "cleave_sync_seconds_bucket{le=\"0.000002\"} 2\n"
		      "cleave_sync_seconds_bucket{le=\"0.000004\"} 4\n"
		      "cleave_sync_seconds_bucket{le=\"0.000008\"} 5\n"
		      "cleave_sync_seconds_bucket{le=\"0.000016\"} 5\n");
	assert_prints("cleave_sync_seconds_bucket{le=\"8.388608\"} 5\n"
		      "cleave_sync_seconds_bucket{le=\"16.777216\"} 6\n"
		      "cleave_sync_seconds_bucket{le=\"+Inf\"} 7\n"
		      "cleave_sync_seconds_sum 33.554447\n"
		      "cleave_sync_seconds_count 7\n");
}

static void a_fine_histogram_has_four_buckets_for_each_power_of_two(void **state)
{
	(void)state;
	for (uint64_t us = 4; us <= 17; us++)
		histogram_record(&lag, us);
	histogram_record(&lag, 14680065);
	assert_prints("# TYPE cleave_lag_seconds histogram\n"
		      "cleave_lag_seconds_bucket{le=\"0.000002\"} 0\n"
		      "cleave_lag_seconds_bucket{le=\"0.000004\"} 1\n"
		      "cleave_lag_seconds_bucket{le=\"0.000005\"} 2\n"
		      "cleave_lag_seconds_bucket{le=\"0.000006\"} 3\n"
		      "cleave_lag_seconds_bucket{le=\"0.000007\"} 4\n"
		      "cleave_lag_seconds_bucket{le=\"0.000008\"} 5\n"
		      "cleave_lag_seconds_bucket{le=\"0.000010\"} 7\n"
		      "cleave_lag_seconds_bucket{le=\"0.000012\"} 9\n"
		      "cleave_lag_seconds_bucket{le=\"0.000014\"} 11\n"
		      "cleave_lag_seconds_bucket{le=\"0.000016\"} 13\n"
		      "cleave_lag_seconds_bucket{le=\"0.000020\"} 14\n");
	assert_prints("cleave_lag_seconds_bucket{le=\"14.680064\"} 14\n"
		      "cleave_lag_seconds_bucket{le=\"16.777216\"} 15\n"
		      "cleave_lag_seconds_bucket{le=\"+Inf\"} 15\n");
}

static void a_histogram_keeps_its_labels(void **state)
{
	(void)state;
	histogram_record(&call_time, 1500000);
	assert_prints("cleave_call_seconds_bucket{op=\"get\",le=\"1.048576\"} 0\n"
		      "cleave_call_seconds_bucket{op=\"get\",le=\"2.097152\"} 1\n");
	assert_prints(
		"cleave_call_seconds_sum{op=\"get\"} 1.500000\ncleave_call_seconds_count{op=\"get\"} 1\n");
}

static void assert_process_figure(const char *name, double low, double high)
{
	char *text = print();
	char *line = strstr(text, name);
	double value;

	/* The name stands in the HELP and TYPE lines first. */
	while (line != NULL && line != text && line[-1] != '\n')
		line = strstr(line + 1, name);
	assert_non_null(line);
	value = strtod(line + strlen(name), NULL);
	if (value < low || value > high)
		fail_msg("%s is %f", name, value);
	free(text);
}

static void the_process_describes_itself(void **state)
{
	(void)state;
	assert_process_figure("process_resident_memory_bytes ", 500e3, 10e9);
	assert_process_figure("process_open_fds ", 3, 1000);
	assert_process_figure("process_cpu_seconds_total ", 0, 100);
	assert_process_figure("process_uptime_seconds ", 0, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_of_one_name_stand_together_under_one_head),
		cmocka_unit_test(a_gauge_may_fall_below_zero),
		cmocka_unit_test(buckets_count_what_is_at_most_their_bound),
		cmocka_unit_test(a_fine_histogram_has_four_buckets_for_each_power_of_two),
		cmocka_unit_test(a_histogram_keeps_its_labels),
		cmocka_unit_test(the_process_describes_itself),
	};

	return cmocka_run_group_tests(tests, register_all, NULL);
}
