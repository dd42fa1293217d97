/* Counters, gauges and histograms of one process, printed in Prometheus' text form.
 *
 * Threads  registration before the loops start; metric_add() and metric_set() are
 *          relaxed atomics and may be called from any thread.
 * Memory   metrics are static objects of their owners; the registry borrows them.
 * Source   Prometheus text exposition format 0.0.4.
 */
#ifndef PROTO_BASE_METRICS_H
#define PROTO_BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
	const char *name;   /* cleave_... with unit as suffix */
	const char *labels; /* "zone=\"az-a\"" or NULL */
	const char *help;
	enum metric_kind kind;
	_Atomic int64_t value;
	struct metric *next;
};

enum { HISTOGRAM_BUCKETS = 90 };

/* From 2 us to 16 s, each power of two in four parts. */
struct histogram {
	const char *name; /* ..._seconds */
	const char *labels;
	const char *help;
	bool is_fine; /* print the parts too; else powers of two only */
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS + 1];
	_Atomic uint64_t sum_us;
	struct histogram *next;
};

/* Registering twice is harmless. */
void metrics_register(struct metric *metric);
void metrics_register_histogram(struct histogram *histogram);
/* All registered metrics plus the process's own (resident bytes, open descriptors,
 * CPU seconds, uptime). */
void metrics_print(struct buf *out);
void histogram_record(struct histogram *histogram, uint64_t duration_us);

static inline void metric_add(struct metric *metric, int64_t delta)
{
	atomic_fetch_add_explicit(&metric->value, delta, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

#endif
