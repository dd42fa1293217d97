/* CPU time: our own, and that of the processes that serve us.
 *
 * Threads  one.
 * Errors   ST_NOT_FOUND: there is no such process (any more); ST_INVALID: not a list of pids.
 * Units    microseconds, user and system together; other processes in clock ticks of 10 ms.
 * Source   proc(5), /proc/PID/stat.
 */
#ifndef DEPLOY_CLEAVE_BENCH_CPU_H
#define DEPLOY_CLEAVE_BENCH_CPU_H

#include "proto/base/bytes.h"

enum { BENCH_CPU_PIDS_MAX = 64 };

struct bench_cpu_pids {
	uint32_t pids[BENCH_CPU_PIDS_MAX];
	uint32_t count;
};

struct bench_cpu_times {
	uint64_t own_us;
	uint64_t server_us[BENCH_CPU_PIDS_MAX]; /* in the order of the pids */
};

/* "123,456" */
enum status bench_cpu_parse_pids(struct slice text, struct bench_cpu_pids *pids_out) MUST_CHECK;
enum status bench_cpu_read(const struct bench_cpu_pids *pids, struct bench_cpu_times *times_out) MUST_CHECK;
/* One process, by the text of its stat file. */
enum status bench_cpu_parse_stat(struct slice text, uint64_t *ticks_out) MUST_CHECK;

#endif
