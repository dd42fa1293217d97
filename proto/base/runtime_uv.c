#include "proto/base/runtime_uv.h"

#include <time.h>

enum { JOB_AVERAGE_OVER = 16 };

static const uint64_t quick_us[RUNTIME_LANE_COUNT] = {
	[RUNTIME_LANE_POOL] = 0, /* never */
	[RUNTIME_LANE_ROW] = RUNTIME_UV_QUICK_ROW_US,
	[RUNTIME_LANE_LOG] = RUNTIME_UV_QUICK_LOG_US,
};

static struct runtime_uv *runtime_of(const struct runtime *base)
{
	return CONTAINER_OF(base, struct runtime_uv, base);
}

static uint64_t read_clock_us(clockid_t clock)
{
	struct timespec now;
	int rc = clock_gettime(clock, &now);

	CHECK(rc == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t mono_us(const struct runtime *base)
{
	(void)base;
	return read_clock_us(CLOCK_MONOTONIC);
}

static uint64_t wall_us(const struct runtime *base)
{
	(void)base;
	return read_clock_us(CLOCK_REALTIME);
}

static void wake(struct runtime *base)
{
	(void)base; /* on_prepare() looks at timers and tasks before each poll */
}

static void send_async(struct runtime_uv *runtime)
{
	int rc = uv_async_send(&runtime->async);

	CHECK(rc == 0);
}

static void post(struct runtime *base, struct runtime_task *task)
{
	struct runtime_uv *runtime = runtime_of(base);

	pthread_mutex_lock(&runtime->mutex);
	CHECK(!task->is_queued);
	task->is_queued = true;
	queue_push_tail(&runtime->posted, &task->link);
	pthread_mutex_unlock(&runtime->mutex);
	send_async(runtime);
}

static void submit(struct runtime *base, struct runtime_job *job)
{
	struct runtime_uv *runtime = runtime_of(base);

	runtime->jobs_outstanding_count++;
	pthread_mutex_lock(&runtime->mutex);
	queue_push_tail(&runtime->jobs_waiting[job->lane], &job->link);
	pthread_mutex_unlock(&runtime->mutex);
	/* Not while the mutex is held: whoever wakes up would wait for it at once. */
	pthread_cond_signal(job->lane == RUNTIME_LANE_LOG ? &runtime->log_job_ready
							  : &runtime->pool_job_ready);
}

/* --- who does a job --- */

static void note_job(struct runtime_uv *runtime, const struct runtime_job *job)
{
	uint64_t took_us = job->work_us < RUNTIME_UV_SLOW_US ? job->work_us : RUNTIME_UV_SLOW_US;
	uint64_t *average_us = &runtime->job_average_us[job->lane];

	*average_us = (*average_us * (JOB_AVERAGE_OVER - 1) + took_us) / JOB_AVERAGE_OVER;
}

/* A busy machine makes every job take long, and to wake a thread there costs more, not less: time without
 * a core does not count.  The kernel is asked only of jobs that matter, and says all that the thread
 * waited since the last of them. */
static void work(struct runtime_job *job, struct core_wait *wait)
{
	uint64_t start_us = read_clock_us(CLOCK_MONOTONIC);
	uint64_t waited_us;

	job->work(job);
	job->work_us = read_clock_us(CLOCK_MONOTONIC) - start_us;
	if (quick_us[job->lane] == 0 || job->work_us < quick_us[job->lane])
		return;
	waited_us = core_wait_take_us(wait);
	job->work_us -= waited_us < job->work_us ? waited_us : job->work_us;
}

static bool may_work_here(const struct runtime *base, enum runtime_lane lane)
{
	return runtime_of(base)->job_average_us[lane] < quick_us[lane];
}

static void work_here(struct runtime *base, struct runtime_job *job)
{
	struct runtime_uv *runtime = runtime_of(base);

	work(job, &runtime->core_wait);
	note_job(runtime, job);
}

static const struct runtime_ops runtime_uv_ops = {
	.mono_us = mono_us,
	.wall_us = wall_us,
	.wake = wake,
	.post = post,
	.submit = submit,
	.may_work_here = may_work_here,
	.work_here = work_here,
};

static struct queue *take_job(struct runtime_uv *runtime, bool is_log)
{
	struct queue *link;

	if (is_log)
		return queue_pop_head(&runtime->jobs_waiting[RUNTIME_LANE_LOG]);
	link = queue_pop_head(&runtime->jobs_waiting[RUNTIME_LANE_ROW]);
	return link != NULL ? link : queue_pop_head(&runtime->jobs_waiting[RUNTIME_LANE_POOL]);
}

/* NULL when the pool closes. */
static struct runtime_job *wait_for_job(struct runtime_uv *runtime, bool is_log)
{
	struct queue *link;

	pthread_mutex_lock(&runtime->mutex);
	while ((link = take_job(runtime, is_log)) == NULL && !runtime->is_pool_closing)
		pthread_cond_wait(is_log ? &runtime->log_job_ready : &runtime->pool_job_ready,
				  &runtime->mutex);
	pthread_mutex_unlock(&runtime->mutex);
	return link == NULL ? NULL : CONTAINER_OF(link, struct runtime_job, link);
}

static void run_jobs(struct runtime_uv *runtime, bool is_log)
{
	struct runtime_job *job;
	struct core_wait wait;

	core_wait_open(&wait);
	while ((job = wait_for_job(runtime, is_log)) != NULL) {
		work(job, &wait);
		pthread_mutex_lock(&runtime->mutex);
		queue_push_tail(&runtime->jobs_done, &job->link);
		pthread_mutex_unlock(&runtime->mutex);
		/* Not while the mutex is held, as above.  The loop may have finished the job already, but
		 * it joins this thread before it closes. */
		send_async(runtime);
	}
	core_wait_close(&wait);
}

static void *worker_main(void *arg)
{
	run_jobs(arg, false);
	return NULL;
}

static void *log_worker_main(void *arg)
{
	run_jobs(arg, true);
	return NULL;
}

static void run_posted(struct queue *posted)
{
	struct queue *link;

	while ((link = queue_pop_head(posted)) != NULL) {
		struct runtime_task *task = CONTAINER_OF(link, struct runtime_task, link);

		task->is_queued = false;
		task->cb(task);
	}
}

static void run_done(struct runtime_uv *runtime, struct queue *done)
{
	struct queue *link;

	while ((link = queue_pop_head(done)) != NULL) {
		struct runtime_job *job = CONTAINER_OF(link, struct runtime_job, link);

		CHECK(runtime->jobs_outstanding_count > 0);
		runtime->jobs_outstanding_count--;
		note_job(runtime, job);
		job->done(job);
	}
}

static void on_async(uv_async_t *async)
{
	struct runtime_uv *runtime = CONTAINER_OF(async, struct runtime_uv, async);
	struct queue posted;
	struct queue done;

	queue_init(&posted);
	queue_init(&done);
	pthread_mutex_lock(&runtime->mutex);
	queue_move_all(&runtime->posted, &posted);
	queue_move_all(&runtime->jobs_done, &done);
	pthread_mutex_unlock(&runtime->mutex);
	run_posted(&posted);
	run_done(runtime, &done);
	if (atomic_load(&runtime->is_stop_requested))
		uv_stop(&runtime->loop);
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer; /* it only wakes the loop: on_prepare() runs what is due */
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* it only keeps the poll from sleeping */
}

static void arm_timer(struct runtime_uv *runtime)
{
	uint64_t deadline_us = runtime_next_deadline_mono_us(&runtime->base);
	uint64_t deadline_ms = deadline_us / 1000 + (deadline_us % 1000 != 0);
	uint64_t now_ms;
	int rc;

	if (deadline_us == UINT64_MAX) {
		(void)uv_timer_stop(&runtime->timer); /* cannot fail on an open handle */
		return;
	}
	uv_update_time(&runtime->loop);
	now_ms = uv_now(&runtime->loop);
	rc = uv_timer_start(&runtime->timer, on_timer, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
	CHECK(rc == 0);
}

static bool has_work(const struct runtime_uv *runtime)
{
	return !queue_is_empty(&runtime->base.deferred) ||
	       runtime_next_deadline_mono_us(&runtime->base) <= mono_us(&runtime->base);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct runtime_uv *runtime = CONTAINER_OF(prepare, struct runtime_uv, prepare);
	bool may_sleep = !runtime->is_single_turn || !has_work(runtime);

	runtime_run_timers(&runtime->base);
	runtime_run_deferred(&runtime->base);
	if (may_sleep && queue_is_empty(&runtime->base.deferred))
		(void)uv_idle_stop(&runtime->idle);
	else
		(void)uv_idle_start(&runtime->idle, on_idle); /* fails only without a callback */
	arm_timer(runtime);
}

static void on_check(uv_check_t *check)
{
	struct runtime_uv *runtime = CONTAINER_OF(check, struct runtime_uv, check);

	runtime_run_deferred(&runtime->base);
}

static void init_handles(struct runtime_uv *runtime)
{
	int rc = uv_timer_init(&runtime->loop, &runtime->timer);

	rc |= uv_idle_init(&runtime->loop, &runtime->idle);
	rc |= uv_prepare_init(&runtime->loop, &runtime->prepare);
	rc |= uv_prepare_start(&runtime->prepare, on_prepare);
	rc |= uv_check_init(&runtime->loop, &runtime->check);
	rc |= uv_check_start(&runtime->check, on_check);
	CHECK(rc == 0); /* none of these allocates */
}

static void join_workers(struct runtime_uv *runtime)
{
	pthread_mutex_lock(&runtime->mutex);
	runtime->is_pool_closing = true;
	pthread_cond_broadcast(&runtime->pool_job_ready);
	pthread_cond_broadcast(&runtime->log_job_ready);
	pthread_mutex_unlock(&runtime->mutex);
	if (runtime->has_log_worker) {
		int rc = pthread_join(runtime->log_worker, NULL);

		CHECK(rc == 0);
		runtime->has_log_worker = false;
	}
	while (runtime->worker_count > 0) {
		int rc = pthread_join(runtime->workers[--runtime->worker_count], NULL);

		CHECK(rc == 0);
	}
}

static enum status start_workers(struct runtime_uv *runtime, uint32_t worker_count)
{
	if (pthread_create(&runtime->log_worker, NULL, log_worker_main, runtime) != 0)
		return ST_NO_MEMORY;
	runtime->has_log_worker = true;
	while (runtime->worker_count < worker_count) {
		if (pthread_create(&runtime->workers[runtime->worker_count], NULL, worker_main, runtime) !=
		    0) {
			join_workers(runtime);
			return ST_NO_MEMORY;
		}
		runtime->worker_count++;
	}
	return ST_OK;
}

static void close_handles(struct runtime_uv *runtime)
{
	int rc;

	uv_close((uv_handle_t *)&runtime->timer, NULL);
	uv_close((uv_handle_t *)&runtime->idle, NULL);
	uv_close((uv_handle_t *)&runtime->prepare, NULL);
	uv_close((uv_handle_t *)&runtime->check, NULL);
	uv_close((uv_handle_t *)&runtime->async, NULL);
	(void)uv_run(&runtime->loop, UV_RUN_DEFAULT); /* the result says if handles are left: see below */
	rc = uv_loop_close(&runtime->loop);
	CHECK(rc == 0); /* somebody left a handle open */
}

enum status runtime_uv_init(struct runtime_uv *runtime, uint32_t worker_count)
{
	enum status status;

	if (worker_count == 0 || worker_count > RUNTIME_UV_WORKERS_MAX)
		return ST_INVALID;
	*runtime = (struct runtime_uv){ .worker_count = 0 };
	if (uv_loop_init(&runtime->loop) != 0)
		return ST_NO_MEMORY;
	if (uv_async_init(&runtime->loop, &runtime->async, on_async) != 0) {
		(void)uv_loop_close(&runtime->loop); /* it has no handle */
		return ST_NO_MEMORY;
	}
	init_handles(runtime);
	core_wait_open(&runtime->core_wait);
	runtime_base_init(&runtime->base, &runtime_uv_ops);
	rng_seed_from_system(&runtime->base.rng);
	queue_init(&runtime->posted);
	for (size_t lane = 0; lane < RUNTIME_LANE_COUNT; lane++) {
		runtime->job_average_us[lane] = quick_us[lane]; /* until they are known */
		queue_init(&runtime->jobs_waiting[lane]);
	}
	pthread_cond_init(&runtime->pool_job_ready, NULL);
	pthread_cond_init(&runtime->log_job_ready, NULL);
	queue_init(&runtime->jobs_done);
	pthread_mutex_init(&runtime->mutex, NULL);
	status = start_workers(runtime, worker_count);
	if (status != ST_OK)
		runtime_uv_close(runtime);
	return status;
}

void runtime_uv_run(struct runtime_uv *runtime)
{
	(void)uv_run(&runtime->loop, UV_RUN_DEFAULT); /* our own handles are always active */
	atomic_store(&runtime->is_stop_requested, false);
}

void runtime_uv_turn(struct runtime_uv *runtime)
{
	runtime->is_single_turn = true;
	(void)uv_run(&runtime->loop, UV_RUN_ONCE);
	runtime->is_single_turn = false;
}

void runtime_uv_stop(struct runtime_uv *runtime)
{
	atomic_store(&runtime->is_stop_requested, true);
	send_async(runtime);
}

void runtime_uv_close(struct runtime_uv *runtime)
{
	while (runtime->jobs_outstanding_count > 0)
		(void)uv_run(&runtime->loop, UV_RUN_ONCE);
	join_workers(runtime);
	close_handles(runtime);
	CHECK(queue_is_empty(&runtime->posted) && queue_is_empty(&runtime->base.deferred));
	runtime_base_close(&runtime->base);
	core_wait_close(&runtime->core_wait);
	pthread_mutex_destroy(&runtime->mutex);
	pthread_cond_destroy(&runtime->pool_job_ready);
	pthread_cond_destroy(&runtime->log_job_ready);
}
