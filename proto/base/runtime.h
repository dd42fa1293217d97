/* The seam to time, chance and threads: what a loop offers to the parts on it.
 *
 * Everything in replication/, node/ and the coordinator's router takes clocks,
 * timers, randomness, end-of-turn work and off-loop jobs from here and never from
 * libuv or the system.  Two implementations: runtime_uv (real) and the one in
 * tests/sim (virtual time, one seed).
 *
 * Threads  one runtime belongs to one loop thread.  Only runtime_post() may be
 *          called from other threads.
 * Memory   timers, tasks and jobs are embedded in the caller's objects and must
 *          stay valid until they have run or been stopped.
 * Time     mono_us is the machine clock (Raft, deadlines, retries): monotonic, read
 *          fresh at each call.  wall_us is microseconds since 1970 and may jump.
 */
#ifndef PROTO_BASE_RUNTIME_H
#define PROTO_BASE_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/queue.h"
#include "proto/base/rng.h"

struct runtime;
struct runtime_timer;
struct runtime_task;
struct runtime_job;

typedef void (*runtime_timer_cb)(struct runtime_timer *timer);
typedef void (*runtime_task_cb)(struct runtime_task *task);

struct runtime_timer {
	uint64_t deadline_mono_us;
	size_t heap_index; /* SIZE_MAX while stopped */
	runtime_timer_cb cb;
};

/* Deferred tasks run by stage, and those that they defer as well: first what others wait for, then
 * what hands work to other threads (waking one may cost this one the core), last what can be done
 * while those work. */
enum runtime_stage { RUNTIME_STAGE_FIRST, RUNTIME_STAGE_SUBMIT, RUNTIME_STAGE_LAST };

/* Work for the end of this loop turn (runtime_defer) or from another thread
 * (runtime_post).  A task is in at most one queue at a time. */
struct runtime_task {
	struct queue link;
	bool is_queued;
	enum runtime_stage stage; /* RUNTIME_STAGE_FIRST by runtime_task_init() */
	runtime_task_cb cb;
};

/* Who does blocking work.  The pool's threads take reads of single rows first, then whatever may take
 * longer.  The log has a thread of its own, so that a slow read never delays a commit; its jobs run
 * one after the other. */
enum runtime_lane { RUNTIME_LANE_POOL, RUNTIME_LANE_ROW, RUNTIME_LANE_LOG, RUNTIME_LANE_COUNT };

/* Blocking work.  work() runs on a thread of its lane and touches nothing of the loop;
 * done() runs on the loop thread afterwards, exactly once. */
struct runtime_job {
	struct queue link;
	enum runtime_lane lane;
	void (*work)(struct runtime_job *job);
	void (*done)(struct runtime_job *job);
	uint64_t work_us; /* how long work() took; the runtime's */
};

struct runtime_ops {
	uint64_t (*mono_us)(const struct runtime *runtime);
	uint64_t (*wall_us)(const struct runtime *runtime);
	/* The earliest timer or the defer queue changed: wake up in time. */
	void (*wake)(struct runtime *runtime);
	void (*post)(struct runtime *runtime, struct runtime_task *task);
	void (*submit)(struct runtime *runtime, struct runtime_job *job);
	/* Both NULL: never. */
	bool (*may_work_here)(const struct runtime *runtime, enum runtime_lane lane);
	void (*work_here)(struct runtime *runtime, struct runtime_job *job);
};

struct runtime {
	const struct runtime_ops *ops;
	struct rng rng;
	struct runtime_timer **heap; /* binary heap by deadline, ties by insertion are not kept */
	size_t heap_count;
	size_t heap_capacity;
	struct queue deferred;
};

static inline uint64_t runtime_mono_us(const struct runtime *runtime)
{
	return runtime->ops->mono_us(runtime);
}

static inline uint64_t runtime_mono_ms(const struct runtime *runtime)
{
	return runtime_mono_us(runtime) / 1000;
}

static inline uint64_t runtime_wall_us(const struct runtime *runtime)
{
	return runtime->ops->wall_us(runtime);
}

void runtime_timer_init(struct runtime_timer *timer, runtime_timer_cb cb);
/* (Re)start: fires once, not before delay_us from now.  Aborts the process when out
 * of memory: the heap grows by the number of timers, which limits.h bounds. */
void runtime_timer_start(struct runtime *runtime, struct runtime_timer *timer, uint64_t delay_us);
void runtime_timer_start_at(struct runtime *runtime, struct runtime_timer *timer, uint64_t deadline_mono_us);
/* Harmless on a stopped timer. */
void runtime_timer_stop(struct runtime *runtime, struct runtime_timer *timer);
bool runtime_timer_is_active(const struct runtime_timer *timer);

void runtime_task_init(struct runtime_task *task, runtime_task_cb cb);
/* Run once at the end of this loop turn; harmless if already queued. */
void runtime_defer(struct runtime *runtime, struct runtime_task *task);
/* Take a deferred task back; harmless if not queued. */
void runtime_task_cancel(struct runtime_task *task);

/* From any thread.  The task must not already be queued. */
static inline void runtime_post(struct runtime *runtime, struct runtime_task *task)
{
	runtime->ops->post(runtime, task);
}

static inline void runtime_submit(struct runtime *runtime, struct runtime_job *job)
{
	runtime->ops->submit(runtime, job);
}

/* Have the lane's jobs been so quick that a job is better done by the loop itself?  To wake a thread and
 * to be woken by it costs more than a quick job does. */
static inline bool runtime_may_work_here(const struct runtime *runtime, enum runtime_lane lane)
{
	return runtime->ops->may_work_here != NULL && runtime->ops->may_work_here(runtime, lane);
}

/* The job's work(), before it returns; done() is not called.  Only if runtime_may_work_here() said so in this
 * turn, and, in the log lane, if none of its jobs is under way. */
static inline void runtime_work_here(struct runtime *runtime, struct runtime_job *job)
{
	runtime->ops->work_here(runtime, job);
}

/* For implementations of the seam. */
void runtime_base_init(struct runtime *runtime, const struct runtime_ops *ops);
void runtime_base_close(struct runtime *runtime);
/* UINT64_MAX if no timer is active. */
uint64_t runtime_next_deadline_mono_us(const struct runtime *runtime);
/* Fire all timers that are due now. */
void runtime_run_timers(struct runtime *runtime);
/* Run deferred tasks, stage by stage, until none is left; those that defer again within run too,
 * up to a bound that keeps I/O from starving. */
void runtime_run_deferred(struct runtime *runtime);

#endif
