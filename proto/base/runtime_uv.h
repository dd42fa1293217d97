/* The runtime seam over libuv: real clocks, one loop, a small pool of threads.
 *
 * A loop turn runs: due timers, deferred tasks, poll, I/O callbacks, deferred tasks.
 * The loop does not sleep while deferred tasks are left.
 *
 * Threads  one loop thread calls everything here; runtime_post() and
 *          runtime_uv_stop() may be called from any thread.
 * Memory   the caller owns struct runtime_uv and keeps it in place until
 *          runtime_uv_close() returned.
 * Errors   negative enum status from init; nothing else can fail.
 * Time     timers have a resolution of 1 ms and never fire early.
 */
#ifndef PROTO_BASE_RUNTIME_UV_H
#define PROTO_BASE_RUNTIME_UV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "proto/base/check.h"
#include "proto/base/core_wait.h"
#include "proto/base/runtime.h"
#include "proto/base/status.h"

enum {
	RUNTIME_UV_WORKERS_MAX = 16,
	/* Jobs that take less on average, time without a core not counted, may be done by the loop itself.  A
	 * disk that stalls makes the loop wait once: that job counts so much that the next fifty or so go to
	 * the lane's thread.  The log is what clients wait for anyway; a row may not cost more than to have a
	 * thread read it. */
	RUNTIME_UV_QUICK_LOG_US = 1000,
	RUNTIME_UV_QUICK_ROW_US = 50,
	RUNTIME_UV_SLOW_US = 400 * 1000, /* no job counts for more */
};

struct runtime_uv {
	struct runtime base; /* first: what everybody else is given */
	uv_loop_t loop;
	uv_timer_t timer; /* armed for the earliest timer of the heap */
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;   /* active while deferred tasks are left after a run */
	uv_async_t async; /* posted tasks, finished jobs, stop */
	atomic_bool is_stop_requested;
	size_t jobs_outstanding_count;               /* loop thread */
	uint64_t job_average_us[RUNTIME_LANE_COUNT]; /* loop thread: how long jobs take lately */
	struct core_wait core_wait;                  /* of the loop thread */
	bool is_single_turn;                         /* loop thread: runtime_uv_turn() */
	pthread_mutex_t mutex;                       /* guards what follows */
	pthread_cond_t pool_job_ready;
	pthread_cond_t log_job_ready;
	struct queue posted;
	struct queue jobs_waiting[RUNTIME_LANE_COUNT];
	struct queue jobs_done;
	bool is_pool_closing;
	pthread_t log_worker;
	bool has_log_worker;
	pthread_t workers[RUNTIME_UV_WORKERS_MAX];
	uint32_t worker_count;
};

/* worker_count threads for runtime_submit(), 1 to RUNTIME_UV_WORKERS_MAX.
 * ST_INVALID, ST_NO_MEMORY. */
enum status runtime_uv_init(struct runtime_uv *runtime, uint32_t worker_count) MUST_CHECK;
/* Runs until runtime_uv_stop(). */
void runtime_uv_run(struct runtime_uv *runtime);
/* One loop turn: waits for the first timer, task or event, runs what is there, returns.
 * For tests: while (!done) runtime_uv_turn(runtime). */
void runtime_uv_turn(struct runtime_uv *runtime);
/* From any thread: runtime_uv_run() returns after the current turn, or soon if it is still to be called. */
void runtime_uv_stop(struct runtime_uv *runtime);
/* Waits for submitted jobs and their done().  Every handle that others opened on the
 * loop must have been closed or be closing, every timer stopped. */
void runtime_uv_close(struct runtime_uv *runtime);

#endif
