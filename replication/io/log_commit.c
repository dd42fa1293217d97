#include "replication/io/log_commit.h"

#include "proto/base/check.h"

/* On the log lane's thread, or on the loop. */
static void write_and_sync(struct runtime_job *job)
{
	struct log_commit *commit = CONTAINER_OF(job, struct log_commit, job);

	commit->job_status = engine_write(commit->engine, commit->in_flight);
	if (commit->job_status == ST_OK)
		commit->job_status = engine_sync(commit->engine);
}

static void wake_waiters(struct log_commit *commit)
{
	while (!queue_is_empty(&commit->waiters)) {
		struct log_commit_waiter *waiter = CONTAINER_OF(commit->waiters.next,
								struct log_commit_waiter, link);

		if (waiter->sequence > commit->durable_sequence)
			break;
		queue_remove(&waiter->link);
		waiter->durable(waiter);
	}
}

static void finish_write(struct log_commit *commit)
{
	CHECK(commit->is_writing);
	commit->is_writing = false;
	if (commit->job_status != ST_OK) {
		commit->has_failed = true;
		commit->fatal(commit->fatal_context, commit->job_status);
		return;
	}
	commit->durable_sequence = commit->open_sequence - 1;
	commit->sync_count++;
	engine_batch_clear(commit->engine, commit->in_flight);
	wake_waiters(commit);
	if (engine_batch_count(commit->engine, commit->open) > 0)
		runtime_defer(commit->runtime, &commit->flush);
}

static void on_written(struct runtime_job *job)
{
	finish_write(CONTAINER_OF(job, struct log_commit, job));
}

static void start_write(struct log_commit *commit)
{
	struct engine_batch *ready = commit->open;

	commit->open = commit->in_flight;
	commit->in_flight = ready;
	commit->open_sequence++;
	commit->is_writing = true;
	if (!runtime_may_work_here(commit->runtime, RUNTIME_LANE_LOG)) {
		runtime_submit(commit->runtime, &commit->job);
		return;
	}
	runtime_work_here(commit->runtime, &commit->job);
	finish_write(commit);
}

static void on_turn_end(struct runtime_task *task)
{
	struct log_commit *commit = CONTAINER_OF(task, struct log_commit, flush);

	if (commit->is_writing || commit->has_failed)
		return; /* on_written() starts the next */
	if (engine_batch_count(commit->engine, commit->open) > 0)
		start_write(commit);
}

enum status log_commit_init(struct log_commit *commit, struct runtime *runtime, struct engine *engine,
			    log_commit_fatal_cb fatal, void *fatal_context)
{
	*commit = (struct log_commit){
		.runtime = runtime,
		.engine = engine,
		.fatal = fatal,
		.fatal_context = fatal_context,
		.open_sequence = 1,
		.job = { .lane = RUNTIME_LANE_LOG, .work = write_and_sync, .done = on_written },
	};
	queue_init(&commit->waiters);
	runtime_task_init(&commit->flush, on_turn_end);
	commit->flush.stage = RUNTIME_STAGE_SUBMIT; /* messages to followers leave before it */
	commit->open = engine_batch_create(engine);
	commit->in_flight = engine_batch_create(engine);
	if (commit->open == NULL || commit->in_flight == NULL) {
		log_commit_close(commit);
		return ST_NO_MEMORY;
	}
	return ST_OK;
}

void log_commit_close(struct log_commit *commit)
{
	CHECK(!commit->is_writing);
	runtime_task_cancel(&commit->flush);
	engine_batch_destroy(commit->engine, commit->open);
	engine_batch_destroy(commit->engine, commit->in_flight);
	commit->open = NULL;
	commit->in_flight = NULL;
}

bool log_commit_is_idle(const struct log_commit *commit)
{
	if (commit->is_writing)
		return false;
	return commit->has_failed || engine_batch_count(commit->engine, commit->open) == 0;
}

struct engine_batch *log_commit_batch(struct log_commit *commit)
{
	runtime_defer(commit->runtime, &commit->flush);
	return commit->open;
}

void log_commit_waiter_init(struct log_commit_waiter *waiter, void (*durable)(struct log_commit_waiter *))
{
	*waiter = (struct log_commit_waiter){ .durable = durable };
	queue_init(&waiter->link);
}

void log_commit_wait(struct log_commit *commit, struct log_commit_waiter *waiter)
{
	if (!queue_is_empty(&waiter->link))
		return;
	waiter->sequence = commit->open_sequence;
	queue_push_tail(&commit->waiters, &waiter->link);
}

void log_commit_cancel(struct log_commit_waiter *waiter)
{
	queue_remove(&waiter->link);
}
