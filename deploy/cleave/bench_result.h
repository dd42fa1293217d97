/* What a load has shown: counts, latencies, errors by name, CPU time.
 *
 * Latency is that of operations that succeeded, and of those that never got an answer (timed out,
 * connection lost, never sent although due) up to the moment they were given up: what stalls must
 * not vanish from the percentiles.  Errors that the server answered are counted only.
 *
 * Threads  one.
 * Memory   large because of its histograms: static or on the heap.
 * Errors   printing gives sticky errors in the buf.
 * Limits   names of errors beyond BENCH_RESULT_ERRORS_MAX are counted as "other".
 */
#ifndef DEPLOY_CLEAVE_BENCH_RESULT_H
#define DEPLOY_CLEAVE_BENCH_RESULT_H

#include "deploy/cleave/bench_histogram.h"
#include "deploy/cleave/bench_settings.h"

enum { BENCH_RESULT_ERRORS_MAX = 32, BENCH_RESULT_ERROR_SIZE = 64, BENCH_RESULT_TEXT_SIZE_MAX = 64 * 1024 };

struct bench_error {
	char name[BENCH_RESULT_ERROR_SIZE];
	uint64_t count;
};

struct bench_errors {
	struct bench_error kinds[BENCH_RESULT_ERRORS_MAX];
	size_t kind_count;
	uint64_t count;
};

struct bench_result {
	uint64_t load_count; /* keys written before */
	uint64_t load_us;
	struct bench_errors early_errors; /* while loading and warming up */
	/* Of operations whose scheduled start lies within the measured time. */
	uint64_t operation_count; /* succeeded */
	uint64_t missing_count;   /* of them: gets that found no item */
	uint64_t unsent_count;    /* due, but no connection was free until the end */
	struct bench_errors errors;
	struct bench_histogram latency;
	/* Of the measured time, whenever an operation began. */
	uint64_t measured_us;
	uint64_t success_count;
	uint64_t answer_count; /* successes and answered errors: what CPU time is divided by */
	bool has_cpu;
	struct bench_cpu_times cpu;
	bool is_interrupted;
};

void bench_result_init(struct bench_result *result);
/* name is cut and cleaned of what a terminal would act on. */
void bench_errors_add(struct bench_errors *errors, struct slice name);
/* 0 where nothing was counted. */
double bench_result_rate_per_s(const struct bench_result *result);

void bench_result_print_text(const struct bench_result *result, const struct bench_settings *settings,
			     struct buf *out);
void bench_result_print_json(const struct bench_result *result, const struct bench_settings *settings,
			     struct buf *out);
/* "1.23 ms" */
void bench_result_print_latency(struct buf *out, double latency_us);

#endif
