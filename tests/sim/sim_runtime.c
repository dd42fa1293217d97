#include "tests/sim/sim_runtime.h"

#include <stdlib.h>

enum {
	TRACE_JOB = 1,
	WALL_EPOCH_S = 1700000000, /* when every run begins */
	JOB_US_MIN = 60,
	JOB_US_TYPICAL = 800,
	JOB_US_SLOW = 25 * SIM_MS, /* now and then */
	JOB_SLOW_ONE_IN = 40,
	JOB_US_MAX = 3 * SIM_SECOND, /* on the slowest disk */
	DONE_US_MAX = 120,
	TIMER_LAG_US_MAX = 3 * SIM_MS,
	PPM = 1000 * 1000,
	DRAIN_ROUNDS_MAX = 10000,
};

struct sim_job {
	struct queue link;
	struct sim_event event;
	struct sim_runtime *runtime;
	struct runtime_job *job;
	bool has_worked;
};

struct sim_post {
	struct queue link;
	struct sim_event event;
	struct sim_runtime *runtime;
	struct runtime_task *task;
};

static struct sim_runtime *sim_of(const struct runtime *runtime)
{
	return CONTAINER_OF(runtime, struct sim_runtime, base);
}

/* --- clocks --- */

static uint64_t mono_us(const struct runtime *base)
{
	const struct sim_runtime *runtime = sim_of(base);
	uint64_t elapsed_us = runtime->world->now_us;

	return runtime->mono_offset_us + elapsed_us +
	       (uint64_t)((int64_t)elapsed_us * runtime->rate_ppm / PPM);
}

static uint64_t wall_us(const struct runtime *base)
{
	const struct sim_runtime *runtime = sim_of(base);

	return (uint64_t)WALL_EPOCH_S * SIM_SECOND + runtime->world->now_us +
	       (uint64_t)runtime->wall_offset_us;
}

/* The world's time at which this clock shows at least deadline_us. */
static uint64_t world_time_of(const struct sim_runtime *runtime, uint64_t deadline_us)
{
	uint64_t now_us = mono_us(&runtime->base);
	uint64_t wait_us = deadline_us > now_us ? deadline_us - now_us : 0;

	if (wait_us > (uint64_t)365 * 86400 * SIM_SECOND)
		return UINT64_MAX;
	return runtime->world->now_us + wait_us * PPM / (uint64_t)(PPM + runtime->rate_ppm) + (wait_us > 0);
}

/* --- turns --- */

static void wake(struct runtime *base)
{
	struct sim_runtime *runtime = sim_of(base);

	if (runtime->depth == 0 && !sim_event_is_scheduled(&runtime->turn_event))
		sim_event_in(runtime->world, &runtime->turn_event, 0);
}

static void arm_timer(struct sim_runtime *runtime)
{
	uint64_t deadline_us = runtime_next_deadline_mono_us(&runtime->base);
	uint64_t at_us;

	if (deadline_us == UINT64_MAX) {
		sim_event_cancel(runtime->world, &runtime->timer_event);
		return;
	}
	at_us = world_time_of(runtime, deadline_us);
	if (!sim_event_is_scheduled(&runtime->timer_event) || runtime->timer_event.at_us != at_us)
		sim_event_at(runtime->world, &runtime->timer_event, at_us);
}

void sim_runtime_enter(struct sim_runtime *runtime)
{
	runtime->depth++;
}

void sim_runtime_leave(struct sim_runtime *runtime)
{
	CHECK(runtime->depth > 0);
	if (runtime->depth > 1) {
		runtime->depth--;
		return;
	}
	runtime_run_deferred(&runtime->base);
	runtime->depth--;
	if (!queue_is_empty(&runtime->base.deferred))
		wake(&runtime->base);
	arm_timer(runtime);
}

static void on_timer(struct sim_event *event)
{
	struct sim_runtime *runtime = CONTAINER_OF(event, struct sim_runtime, timer_event);

	sim_runtime_enter(runtime);
	runtime_run_timers(&runtime->base);
	sim_runtime_leave(runtime);
}

static void on_turn(struct sim_event *event)
{
	struct sim_runtime *runtime = CONTAINER_OF(event, struct sim_runtime, turn_event);

	sim_runtime_enter(runtime);
	sim_runtime_leave(runtime);
}

void sim_runtime_pause(struct sim_runtime *runtime, uint64_t until_us)
{
	runtime->process.paused_until_us = until_us;
	runtime->process.timer_lag_us = sim_range(&runtime->world->disk_rng, 0, TIMER_LAG_US_MAX);
}

/* --- jobs and posts --- */

static void finish_job(struct sim_job *sim_job)
{
	struct sim_runtime *runtime = sim_job->runtime;
	struct runtime_job *job = sim_job->job;

	queue_remove(&sim_job->link);
	sim_event_cancel(runtime->world, &sim_job->event);
	free(sim_job);
	sim_runtime_enter(runtime);
	job->done(job);
	sim_runtime_leave(runtime);
}

static void work(struct sim_job *sim_job)
{
	sim_job->has_worked = true;
	sim_job->job->work(sim_job->job);
}

static void on_job(struct sim_event *event)
{
	struct sim_job *sim_job = CONTAINER_OF(event, struct sim_job, event);
	struct sim_world *world = sim_job->runtime->world;

	sim_world_trace(world, TRACE_JOB, sim_job->runtime->id);
	if (sim_job->has_worked) {
		finish_job(sim_job);
		return;
	}
	work(sim_job);
	sim_event_in(world, event, sim_range(&world->disk_rng, 1, DONE_US_MAX));
}

static uint64_t job_delay_us(struct sim_runtime *runtime)
{
	struct rng *rng = &runtime->world->disk_rng;
	uint64_t us_max = sim_one_in(rng, JOB_SLOW_ONE_IN) ? JOB_US_SLOW : JOB_US_TYPICAL;

	uint64_t delay_us = sim_range(rng, JOB_US_MIN, us_max) * runtime->slow_factor;

	return delay_us < JOB_US_MAX ? delay_us : (uint64_t)JOB_US_MAX;
}

/* The log lane is one thread: its jobs follow each other. */
static uint64_t job_time_us(struct sim_runtime *runtime, enum runtime_lane lane)
{
	uint64_t now_us = runtime->world->now_us;
	uint64_t start_us = lane == RUNTIME_LANE_LOG && runtime->log_lane_free_us > now_us
				    ? runtime->log_lane_free_us
				    : now_us;
	uint64_t at_us = start_us + job_delay_us(runtime);

	if (lane == RUNTIME_LANE_LOG)
		runtime->log_lane_free_us = at_us;
	return at_us;
}

static void submit(struct runtime *base, struct runtime_job *job)
{
	struct sim_runtime *runtime = sim_of(base);
	struct sim_job *sim_job = calloc(1, sizeof(*sim_job));

	CHECK(sim_job != NULL);
	sim_job->runtime = runtime;
	sim_job->job = job;
	queue_init(&sim_job->link);
	queue_push_tail(&runtime->jobs, &sim_job->link);
	sim_event_init(&sim_job->event, &runtime->process, on_job);
	sim_event_at(runtime->world, &sim_job->event, job_time_us(runtime, job->lane));
}

/* One in two at random; never with a slow disk. */
static bool may_work_here(const struct runtime *base, enum runtime_lane lane)
{
	struct sim_runtime *runtime = sim_of(base);

	(void)lane;
	return runtime->slow_factor == 1 && sim_one_in(&runtime->world->disk_rng, 2);
}

/* In no time, like all that a turn does. */
static void work_here(struct runtime *base, struct runtime_job *job)
{
	sim_world_trace(sim_of(base)->world, TRACE_JOB, sim_of(base)->id);
	job->work(job);
}

static void finish_post(struct sim_post *sim_post)
{
	struct sim_runtime *runtime = sim_post->runtime;
	struct runtime_task *task = sim_post->task;

	queue_remove(&sim_post->link);
	sim_event_cancel(runtime->world, &sim_post->event);
	free(sim_post);
	sim_runtime_enter(runtime);
	task->is_queued = false;
	task->cb(task);
	sim_runtime_leave(runtime);
}

static void on_post(struct sim_event *event)
{
	finish_post(CONTAINER_OF(event, struct sim_post, event));
}

static void post(struct runtime *base, struct runtime_task *task)
{
	struct sim_runtime *runtime = sim_of(base);
	struct sim_post *sim_post = calloc(1, sizeof(*sim_post));

	CHECK(sim_post != NULL && !task->is_queued);
	task->is_queued = true;
	sim_post->runtime = runtime;
	sim_post->task = task;
	queue_init(&sim_post->link);
	queue_push_tail(&runtime->posts, &sim_post->link);
	sim_event_init(&sim_post->event, &runtime->process, on_post);
	sim_event_in(runtime->world, &sim_post->event, 1);
}

/* --- life --- */

static const struct runtime_ops ops = {
	.mono_us = mono_us,
	.wall_us = wall_us,
	.wake = wake,
	.post = post,
	.submit = submit,
	.may_work_here = may_work_here,
	.work_here = work_here,
};

void sim_runtime_init(struct sim_runtime *runtime, struct sim_world *world, uint64_t id)
{
	*runtime = (struct sim_runtime){ .world = world, .id = id, .slow_factor = 1 };
	runtime_base_init(&runtime->base, &ops);
	rng_seed(&runtime->base.rng, rng_u64(&world->disk_rng));
	sim_event_init(&runtime->timer_event, &runtime->process, on_timer);
	runtime->timer_event.is_timer = true;
	sim_event_init(&runtime->turn_event, &runtime->process, on_turn);
	queue_init(&runtime->jobs);
	queue_init(&runtime->posts);
}

void sim_runtime_close(struct sim_runtime *runtime)
{
	CHECK(queue_is_empty(&runtime->jobs) && queue_is_empty(&runtime->posts));
	CHECK(queue_is_empty(&runtime->base.deferred));
	sim_event_cancel(runtime->world, &runtime->timer_event);
	sim_event_cancel(runtime->world, &runtime->turn_event);
	runtime_base_close(&runtime->base);
}

void sim_runtime_tear_jobs(struct sim_runtime *runtime)
{
	for (struct queue *link = runtime->jobs.next; link != &runtime->jobs; link = link->next) {
		struct sim_job *sim_job = CONTAINER_OF(link, struct sim_job, link);

		if (!sim_job->has_worked && sim_percent(&runtime->world->disk_rng, 50))
			work(sim_job);
	}
}

static void run_one_timer(struct sim_runtime *runtime)
{
	struct runtime_timer *timer = runtime->base.heap[0];

	sim_runtime_enter(runtime);
	runtime_timer_stop(&runtime->base, timer);
	timer->cb(timer);
	sim_runtime_leave(runtime);
}

bool sim_runtime_drain(struct sim_runtime *runtime)
{
	for (int round = 0; round < DRAIN_ROUNDS_MAX; round++) {
		if (!queue_is_empty(&runtime->base.deferred)) {
			sim_runtime_enter(runtime);
			sim_runtime_leave(runtime);
		} else if (!queue_is_empty(&runtime->jobs)) {
			struct sim_job *sim_job = CONTAINER_OF(runtime->jobs.next, struct sim_job, link);

			if (!sim_job->has_worked)
				work(sim_job);
			finish_job(sim_job);
		} else if (!queue_is_empty(&runtime->posts)) {
			finish_post(CONTAINER_OF(runtime->posts.next, struct sim_post, link));
		} else if (runtime->base.heap_count > 0) {
			run_one_timer(runtime);
		} else {
			return true;
		}
	}
	return false;
}
