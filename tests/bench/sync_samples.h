/* Times of one operation, for programs that measure the disk: the clock, and what is printed of the samples.
 *
 * Threads  one.
 */
#ifndef TESTS_BENCH_SYNC_SAMPLES_H
#define TESTS_BENCH_SYNC_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

enum { SYNC_SAMPLES_MAX = 1000 * 1000 };

struct sync_samples {
	uint64_t start_us;
	size_t count;
	uint32_t took_us[SYNC_SAMPLES_MAX];
};

uint64_t sync_samples_now_us(void);
/* JSON on standard output: operations per second, median and 99th percentile in microseconds.  Sorts the
 * samples. */
void sync_samples_print(struct sync_samples *samples);

#endif
