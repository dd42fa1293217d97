/* A clock for schedules finer than the loop's timers, which tick in milliseconds.
 *
 * Threads  loop thread.
 * Memory   the caller keeps struct bench_pacer in place until bench_pacer_close() and the turn
 *          of the loop after it.
 * Errors   ST_IO: the system has no timer left.
 * Units    microseconds of the machine clock.
 * Source   timerfd_create(2).
 */
#ifndef DEPLOY_CLEAVE_BENCH_PACER_H
#define DEPLOY_CLEAVE_BENCH_PACER_H

#include "proto/base/runtime_uv.h"

struct bench_pacer;

typedef void (*bench_pacer_cb)(struct bench_pacer *pacer);

struct bench_pacer {
	uv_poll_t poll;
	int fd;
	uint64_t armed_mono_us; /* 0: not armed */
	bench_pacer_cb cb;
};

enum status bench_pacer_init(struct bench_pacer *pacer, struct runtime_uv *runtime,
			     bench_pacer_cb cb) MUST_CHECK;
/* Call back once at that time, or soon if it is over; a later call replaces an earlier one. */
void bench_pacer_arm(struct bench_pacer *pacer, uint64_t mono_us);
void bench_pacer_close(struct bench_pacer *pacer);

#endif
