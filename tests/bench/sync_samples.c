#include "tests/bench/sync_samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NS_PER_US = 1000, US_PER_S = 1000 * 1000 };

uint64_t sync_samples_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

void sync_samples_print(struct sync_samples *samples)
{
	uint64_t took_us = sync_samples_now_us() - samples->start_us;
	size_t count = samples->count;

	qsort(samples->took_us, count, sizeof(*samples->took_us), compare);
	(void)printf("{\"per_s\": %.1f, \"p50_us\": %" PRIu32 ", \"p99_us\": %" PRIu32 "}\n",
		     (double)count * US_PER_S / (double)took_us, samples->took_us[count / 2],
		     samples->took_us[count * 99 / 100]);
}
