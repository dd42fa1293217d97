#include "deploy/cleave/bench_histogram.h"

#include <string.h>

#include "proto/base/check.h"

enum { EXACT_COUNT = 2 * BENCH_HISTOGRAM_PARTS, PART_BITS = 10, PER_MILLE_MAX = 1000 };

_Static_assert(1 << PART_BITS == BENCH_HISTOGRAM_PARTS, "a shift stands for a division by the parts");

/* A value of 2^(PART_BITS + shift) or more keeps its PART_BITS + 1 highest bits. */
static size_t index_of(uint64_t value_us)
{
	uint32_t shift;

	if (value_us < EXACT_COUNT)
		return (size_t)value_us;
	if (value_us >= BENCH_HISTOGRAM_TOP_US)
		return BENCH_HISTOGRAM_COUNTERS - 1;
	shift = (uint32_t)(63 - __builtin_clzll(value_us)) - PART_BITS;
	return (size_t)BENCH_HISTOGRAM_PARTS * shift + (size_t)(value_us >> shift);
}

/* The largest value that is counted there. */
static uint64_t last_of(size_t index)
{
	size_t shift;
	uint64_t part;

	if (index < EXACT_COUNT)
		return index;
	shift = index / BENCH_HISTOGRAM_PARTS - 1;
	part = index - BENCH_HISTOGRAM_PARTS * shift;
	return ((part + 1) << shift) - 1;
}

void bench_histogram_reset(struct bench_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min_us = UINT64_MAX;
}

static void widen(struct bench_histogram *histogram, uint64_t min_us, uint64_t max_us)
{
	if (min_us < histogram->min_us)
		histogram->min_us = min_us;
	if (max_us > histogram->max_us)
		histogram->max_us = max_us;
}

void bench_histogram_record(struct bench_histogram *histogram, uint64_t value_us)
{
	histogram->counters[index_of(value_us)]++;
	histogram->count++;
	histogram->sum_us += value_us;
	widen(histogram, value_us, value_us);
}

void bench_histogram_merge(struct bench_histogram *into, const struct bench_histogram *from)
{
	if (from->count == 0)
		return;
	for (size_t i = 0; i < BENCH_HISTOGRAM_COUNTERS; i++)
		into->counters[i] += from->counters[i];
	into->count += from->count;
	into->sum_us += from->sum_us;
	widen(into, from->min_us, from->max_us);
}

/* The counter that holds the value of that rank; ranks start at 1. */
static size_t index_of_rank(const struct bench_histogram *histogram, uint64_t rank)
{
	uint64_t seen_count = 0;

	for (size_t i = 0; i < BENCH_HISTOGRAM_COUNTERS; i++) {
		seen_count += histogram->counters[i];
		if (seen_count >= rank)
			return i;
	}
	UNREACHABLE();
}

uint64_t bench_histogram_percentile_us(const struct bench_histogram *histogram, uint32_t per_mille)
{
	uint64_t rank;
	uint64_t value_us;
	size_t index;

	CHECK(per_mille <= PER_MILLE_MAX);
	if (histogram->count == 0)
		return 0;
	rank = (histogram->count * per_mille + PER_MILLE_MAX - 1) / PER_MILLE_MAX;
	index = index_of_rank(histogram, rank == 0 ? 1 : rank);
	value_us = index == BENCH_HISTOGRAM_COUNTERS - 1 ? histogram->max_us : last_of(index);
	return value_us < histogram->max_us ? value_us : histogram->max_us;
}

double bench_histogram_mean_us(const struct bench_histogram *histogram)
{
	return histogram->count == 0 ? 0.0 : (double)histogram->sum_us / (double)histogram->count;
}
