#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/base/runtime_uv.h"

struct fixture {
	struct runtime_uv runtime;
	struct runtime_timer timers[3];
	struct runtime_task task;
	uint32_t fired[3];
	uint32_t fired_count;
	uint32_t task_count;
	uint64_t fired_mono_us;
};

static struct fixture fixture; /* callbacks find it here */

static void on_timer(struct runtime_timer *timer)
{
	fixture.fired_mono_us = runtime_mono_us(&fixture.runtime.base);
	fixture.fired[fixture.fired_count++] = (uint32_t)(timer - fixture.timers);
}

static void on_task(struct runtime_task *task)
{
	(void)task;
	fixture.task_count++;
}

static void start(uint32_t worker_count)
{
	fixture = (struct fixture){ .task_count = 0 };
	assert_int_equal(runtime_uv_init(&fixture.runtime, worker_count), ST_OK);
	for (int i = 0; i < 3; i++)
		runtime_timer_init(&fixture.timers[i], on_timer);
	runtime_task_init(&fixture.task, on_task);
}

static void timers_fire_in_order_and_never_early(void **state)
{
	struct runtime *runtime = &fixture.runtime.base;
	uint64_t start_us;

	(void)state;
	start(1);
	start_us = runtime_mono_us(runtime);
	runtime_timer_start(runtime, &fixture.timers[0], 20500);
	runtime_timer_start(runtime, &fixture.timers[1], 500);
	runtime_timer_start(runtime, &fixture.timers[2], 10000);
	while (fixture.fired_count < 3)
		runtime_uv_turn(&fixture.runtime);
	assert_true(fixture.fired_mono_us >= start_us + 20500);
	assert_int_equal(fixture.fired[0], 1);
	assert_int_equal(fixture.fired[1], 2);
	assert_int_equal(fixture.fired[2], 0);
	runtime_uv_close(&fixture.runtime);
}

static void on_defer_from_timer(struct runtime_timer *timer)
{
	(void)timer;
	runtime_defer(&fixture.runtime.base, &fixture.task);
}

static void task_deferred_by_a_timer_runs_in_the_same_turn(void **state)
{
	(void)state;
	start(1);
	fixture.timers[0].cb = on_defer_from_timer;
	runtime_timer_start(&fixture.runtime.base, &fixture.timers[0], 0);
	runtime_uv_turn(&fixture.runtime);
	assert_int_equal(fixture.task_count, 1);
	runtime_uv_close(&fixture.runtime);
}

enum { AGAIN_COUNT = 100 };

static void on_task_again(struct runtime_task *task)
{
	if (++fixture.task_count < AGAIN_COUNT)
		runtime_defer(&fixture.runtime.base, task);
	else
		runtime_uv_stop(&fixture.runtime);
}

static void loop_does_not_sleep_while_tasks_are_left(void **state)
{
	(void)state;
	start(1);
	fixture.task.cb = on_task_again;
	runtime_defer(&fixture.runtime.base, &fixture.task);
	runtime_uv_run(&fixture.runtime); /* no timer would wake it */
	assert_int_equal(fixture.task_count, AGAIN_COUNT);
	runtime_uv_close(&fixture.runtime);
}

/* ---- other threads ---- */

enum { POSTERS = 4, POSTS_EACH = 500 };

struct poster {
	pthread_t thread;
	struct runtime_task tasks[POSTS_EACH];
};

static struct poster posters[POSTERS];

static void *post_all(void *arg)
{
	struct poster *poster = arg;

	for (int i = 0; i < POSTS_EACH; i++)
		runtime_post(&fixture.runtime.base, &poster->tasks[i]);
	return NULL;
}

static void tasks_posted_by_many_threads_all_run(void **state)
{
	(void)state;
	start(1);
	for (int i = 0; i < POSTERS; i++) {
		for (int j = 0; j < POSTS_EACH; j++)
			runtime_task_init(&posters[i].tasks[j], on_task);
		assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
	}
	while (fixture.task_count < POSTERS * POSTS_EACH)
		runtime_uv_turn(&fixture.runtime);
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
	runtime_uv_close(&fixture.runtime);
}

struct test_job {
	struct runtime_job job;
	pthread_t worked_in;
	uint32_t work_count;
	uint32_t done_count;
};

enum { JOBS = 200 };

static uint32_t jobs_done_count;

static void on_work(struct runtime_job *job)
{
	struct test_job *test_job = CONTAINER_OF(job, struct test_job, job);

	test_job->work_count++;
	test_job->worked_in = pthread_self();
}

static void on_done(struct runtime_job *job)
{
	struct test_job *test_job = CONTAINER_OF(job, struct test_job, job);

	test_job->done_count++;
	jobs_done_count++;
	assert_int_equal(test_job->work_count, 1);
	assert_false(pthread_equal(test_job->worked_in, pthread_self()));
}

static void submit_jobs(struct test_job jobs[JOBS])
{
	jobs_done_count = 0;
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct test_job){ .job = { .work = on_work, .done = on_done } };
		runtime_submit(&fixture.runtime.base, &jobs[i].job);
	}
}

static void jobs_work_on_other_threads_and_are_done_on_the_loop(void **state)
{
	static struct test_job jobs[JOBS];

	(void)state;
	start(3);
	submit_jobs(jobs);
	while (jobs_done_count < JOBS)
		runtime_uv_turn(&fixture.runtime);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(jobs[i].done_count, 1);
	runtime_uv_close(&fixture.runtime);
}

static void close_waits_for_jobs(void **state)
{
	static struct test_job jobs[JOBS];

	(void)state;
	start(2);
	submit_jobs(jobs);
	runtime_uv_close(&fixture.runtime);
	assert_int_equal(jobs_done_count, JOBS);
}

/* A job that waits to be let go, and notes when it was done. */
struct gated_job {
	struct runtime_job base;
	sem_t *reached;
	sem_t *gate; /* NULL: there is none */
	uint32_t place;
};

static _Atomic uint32_t next_place;

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		; /* EINTR */
}

static void pass_gate(struct runtime_job *base)
{
	struct gated_job *job = CONTAINER_OF(base, struct gated_job, base);

	if (job->gate != NULL) {
		assert_int_equal(sem_post(job->reached), 0);
		wait_for(job->gate);
	}
	job->place = next_place++;
}

static void count_done(struct runtime_job *job)
{
	(void)job;
	jobs_done_count++;
}

static void the_pool_reads_rows_first(void **state)
{
	sem_t reached;
	sem_t gate;
	struct gated_job jobs[] = {
		{ .base = { .lane = RUNTIME_LANE_POOL }, .reached = &reached, .gate = &gate },
		{ .base = { .lane = RUNTIME_LANE_POOL } },
		{ .base = { .lane = RUNTIME_LANE_ROW } },
	};

	(void)state;
	start(1);
	jobs_done_count = 0;
	next_place = 0;
	assert_int_equal(sem_init(&reached, 0, 0), 0);
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	for (size_t i = 0; i < 3; i++) {
		jobs[i].base.work = pass_gate;
		jobs[i].base.done = count_done;
	}
	runtime_submit(&fixture.runtime.base, &jobs[0].base);
	wait_for(&reached); /* the only thread is busy */
	runtime_submit(&fixture.runtime.base, &jobs[1].base);
	runtime_submit(&fixture.runtime.base, &jobs[2].base);
	assert_int_equal(sem_post(&gate), 0);
	while (jobs_done_count < 3)
		runtime_uv_turn(&fixture.runtime);
	assert_int_equal(jobs[0].place, 0);
	assert_int_equal(jobs[2].place, 1);
	assert_int_equal(jobs[1].place, 2);
	assert_int_equal(sem_destroy(&gate), 0);
	assert_int_equal(sem_destroy(&reached), 0);
	runtime_uv_close(&fixture.runtime);
}

/* A job that takes so long, and says whether the loop did it. */
struct timed_job {
	struct runtime_job base;
	uint64_t duration_us;
	pthread_t loop_thread;
	bool was_here;
	bool is_done;
};

struct lane_case {
	enum runtime_lane lane;
	uint64_t slow_us; /* enough to send the next ones to a thread */
};

static void take_time(struct runtime_job *base)
{
	struct timed_job *job = CONTAINER_OF(base, struct timed_job, base);
	uint64_t start_us = runtime_mono_us(&fixture.runtime.base);

	job->was_here = pthread_equal(pthread_self(), job->loop_thread) != 0;
	while (runtime_mono_us(&fixture.runtime.base) - start_us < job->duration_us)
		;
}

static void on_time_taken(struct runtime_job *base)
{
	CONTAINER_OF(base, struct timed_job, base)->is_done = true;
}

/* As whoever has a choice does it. */
static bool is_done_here(enum runtime_lane lane, uint64_t duration_us)
{
	struct timed_job job = {
		.base = { .lane = lane, .work = take_time, .done = on_time_taken },
		.duration_us = duration_us,
		.loop_thread = pthread_self(),
	};
	struct runtime *runtime = &fixture.runtime.base;

	queue_init(&job.base.link);
	if (runtime_may_work_here(runtime, lane)) {
		runtime_work_here(runtime, &job.base);
		assert_true(job.was_here);
		return true;
	}
	runtime_submit(runtime, &job.base);
	assert_false(job.is_done);
	while (!job.is_done)
		runtime_uv_turn(&fixture.runtime);
	assert_false(job.was_here);
	return false;
}

/* --- a machine without a free core --- */

enum { RIVALS = 15, BUSY_JOB_US = 8 * 1000 };

static void *burn(void *stop)
{
	while (!atomic_load((atomic_bool *)stop))
		;
	return NULL;
}

/* Takes long because others have the core. */
static void give_way(struct runtime_job *base)
{
	uint64_t start_us = runtime_mono_us(&fixture.runtime.base);

	(void)base;
	do
		(void)sched_yield();
	while (runtime_mono_us(&fixture.runtime.base) - start_us < BUSY_JOB_US);
}

static void time_without_a_core_does_not_count(void **state)
{
	struct runtime_job job = { .lane = RUNTIME_LANE_LOG, .work = give_way };
	struct core_wait wait;
	atomic_bool stop = false;
	pthread_t rivals[RIVALS];
	cpu_set_t all;
	cpu_set_t one;

	(void)state;
	core_wait_open(&wait);
	if (wait.fd < 0) {
		assert_int_equal(core_wait_take_us(&wait), 0); /* this kernel does not count it */
		return;
	}
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0); /* threads inherit it */
	start(1);
	while (!is_done_here(RUNTIME_LANE_LOG, 0))
		;
	for (size_t i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_create(&rivals[i], NULL, burn, &stop), 0);
	for (int i = 0; i < 50; i++) {
		runtime_work_here(&fixture.runtime.base, &job);
		assert_true(runtime_may_work_here(&fixture.runtime.base, RUNTIME_LANE_LOG));
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_join(rivals[i], NULL), 0);
	/* All of them took far too long by the clock. */
	assert_true(core_wait_take_us(&wait) > 50 * BUSY_JOB_US / 2);
	core_wait_close(&wait);
	runtime_uv_close(&fixture.runtime);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void jobs_are_done_here_while_they_are_quick(void **state)
{
	static const struct lane_case cases[] = {
		{ RUNTIME_LANE_LOG, RUNTIME_UV_SLOW_US / 4 },
		{ RUNTIME_LANE_ROW, RUNTIME_UV_SLOW_US / 64 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum runtime_lane lane = cases[i].lane;
		uint32_t count = 0;

		start(1);
		assert_false(is_done_here(lane, 0)); /* nothing is known of the lane */
		while (!is_done_here(lane, 0))
			count++;
		/* One that takes long sends many to the thread, and time heals it. */
		while (is_done_here(lane, cases[i].slow_us))
			count = 0;
		while (!is_done_here(lane, 0))
			count++;
		assert_true(count > 10);
		assert_false(is_done_here(RUNTIME_LANE_POOL, 0)); /* that lane's never are */
		runtime_uv_close(&fixture.runtime);
	}
}

static void *stop_from_outside(void *arg)
{
	runtime_uv_stop(arg);
	return NULL;
}

static void another_thread_can_stop_the_loop(void **state)
{
	pthread_t thread;

	(void)state;
	start(1);
	runtime_timer_start(&fixture.runtime.base, &fixture.timers[0], 60ull * 1000 * 1000);
	/* The stop may come before the run: then the run must be ended by it, too. */
	assert_int_equal(pthread_create(&thread, NULL, stop_from_outside, &fixture.runtime), 0);
	runtime_uv_run(&fixture.runtime);
	assert_int_equal(pthread_join(thread, NULL), 0);
	runtime_timer_stop(&fixture.runtime.base, &fixture.timers[0]);
	assert_int_equal(fixture.fired_count, 0);
	runtime_uv_close(&fixture.runtime);
}

static void clocks_are_read_fresh(void **state)
{
	uint64_t first_us;
	uint64_t wall_us;

	(void)state;
	start(1);
	first_us = runtime_mono_us(&fixture.runtime.base);
	while (runtime_mono_us(&fixture.runtime.base) == first_us)
		; /* without a loop turn: a cached clock would never move */
	wall_us = runtime_wall_us(&fixture.runtime.base);
	assert_true(wall_us > 1600000000ull * 1000000);
	runtime_uv_close(&fixture.runtime);
}

static void worker_count_has_limits(void **state)
{
	struct runtime_uv runtime;

	(void)state;
	assert_int_equal(runtime_uv_init(&runtime, 0), ST_INVALID);
	assert_int_equal(runtime_uv_init(&runtime, RUNTIME_UV_WORKERS_MAX + 1), ST_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_and_never_early),
		cmocka_unit_test(task_deferred_by_a_timer_runs_in_the_same_turn),
		cmocka_unit_test(loop_does_not_sleep_while_tasks_are_left),
		cmocka_unit_test(tasks_posted_by_many_threads_all_run),
		cmocka_unit_test(jobs_work_on_other_threads_and_are_done_on_the_loop),
		cmocka_unit_test(close_waits_for_jobs),
		cmocka_unit_test(the_pool_reads_rows_first),
		cmocka_unit_test(jobs_are_done_here_while_they_are_quick),
		cmocka_unit_test(time_without_a_core_does_not_count),
		cmocka_unit_test(another_thread_can_stop_the_loop),
		cmocka_unit_test(clocks_are_read_fresh),
		cmocka_unit_test(worker_count_has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
