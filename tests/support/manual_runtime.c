#include "tests/support/manual_runtime.h"

#include "proto/base/check.h"

enum { START_US = 1000 * 1000 * 1000, US_PER_MS = 1000 };

static struct manual_runtime *runtime_of(const struct runtime *base)
{
	return CONTAINER_OF(base, struct manual_runtime, base);
}

static uint64_t now_us(const struct runtime *base)
{
	return runtime_of(base)->now_us;
}

static void wake(struct runtime *base)
{
	(void)base; /* the test turns the loop */
}

static void post(struct runtime *base, struct runtime_task *task)
{
	runtime_defer(base, task);
}

static void submit(struct runtime *base, struct runtime_job *job)
{
	struct manual_runtime *runtime = runtime_of(base);

	queue_push_tail(&runtime->jobs, &job->link);
	runtime->job_count++;
}

static bool may_work_here(const struct runtime *base, enum runtime_lane lane)
{
	(void)lane;
	return runtime_of(base)->works_here;
}

static void work_here(struct runtime *base, struct runtime_job *job)
{
	(void)base;
	job->work(job);
}

static const struct runtime_ops ops = {
	.mono_us = now_us,
	.wall_us = now_us,
	.wake = wake,
	.post = post,
	.submit = submit,
	.may_work_here = may_work_here,
	.work_here = work_here,
};

void manual_runtime_init(struct manual_runtime *runtime)
{
	*runtime = (struct manual_runtime){ .now_us = START_US };
	runtime_base_init(&runtime->base, &ops);
	rng_seed(&runtime->base.rng, 1);
	queue_init(&runtime->jobs);
}

void manual_runtime_close(struct manual_runtime *runtime)
{
	CHECK(queue_is_empty(&runtime->jobs));
	runtime_base_close(&runtime->base);
}

void manual_runtime_turn(struct manual_runtime *runtime)
{
	runtime_run_timers(&runtime->base);
	runtime_run_deferred(&runtime->base);
}

bool manual_runtime_run_job(struct manual_runtime *runtime)
{
	struct queue *link = queue_pop_head(&runtime->jobs);
	struct runtime_job *job;

	if (link == NULL)
		return false;
	job = CONTAINER_OF(link, struct runtime_job, link);
	runtime->job_count--;
	job->work(job);
	job->done(job);
	return true;
}

void manual_runtime_settle(struct manual_runtime *runtime)
{
	do
		manual_runtime_turn(runtime);
	while (manual_runtime_run_job(runtime) || !queue_is_empty(&runtime->base.deferred));
}

void manual_runtime_advance_ms(struct manual_runtime *runtime, uint64_t duration_ms)
{
	for (uint64_t i = 0; i < duration_ms; i++) {
		runtime->now_us += US_PER_MS;
		manual_runtime_settle(runtime);
	}
}
