/* Latencies, counted so that every percentile keeps three significant digits.
 *
 * Below 2048 us each microsecond has a counter of its own; above, each power of two is cut into
 * 1024 equal parts, so a value is off by less than 0.1 %.  Smallest, largest and mean are exact.
 *
 * Threads  none of its own.
 * Memory   a fixed array inside the struct (about 190 KB: not for the stack).
 * Units    microseconds.
 * Limits   values of BENCH_HISTOGRAM_TOP_US (2.4 hours) and more share the last counter.
 */
#ifndef DEPLOY_CLEAVE_BENCH_HISTOGRAM_H
#define DEPLOY_CLEAVE_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	BENCH_HISTOGRAM_PARTS = 1024, /* of each power of two */
	BENCH_HISTOGRAM_OCTAVES = 22, /* above the exact values */
	BENCH_HISTOGRAM_COUNTERS = BENCH_HISTOGRAM_PARTS * (BENCH_HISTOGRAM_OCTAVES + 2),
};

#define BENCH_HISTOGRAM_TOP_US (UINT64_C(2048) << BENCH_HISTOGRAM_OCTAVES)

struct bench_histogram {
	uint64_t counters[BENCH_HISTOGRAM_COUNTERS];
	uint64_t count;
	uint64_t sum_us;
	uint64_t min_us; /* UINT64_MAX while empty */
	uint64_t max_us;
};

void bench_histogram_reset(struct bench_histogram *histogram);
void bench_histogram_record(struct bench_histogram *histogram, uint64_t value_us);
/* Add what from has counted. */
void bench_histogram_merge(struct bench_histogram *into, const struct bench_histogram *from);
/* The value that per_mille thousandths of all values do not exceed: 500 is the median, 999 is
 * p99.9, 1000 the largest.  0 while empty. */
uint64_t bench_histogram_percentile_us(const struct bench_histogram *histogram, uint32_t per_mille);
/* 0 while empty. */
double bench_histogram_mean_us(const struct bench_histogram *histogram);

#endif
