/* Group commit: the log writes of all groups of one loop, one batch and one sync at a time.
 *
 * What the groups add during a loop turn forms one batch.  At the end of the turn, if no sync
 * is under way, the batch is written and synced; what comes meanwhile forms the next one.  So at
 * any load there is one sync in flight and all that waits shares the next.
 *
 * Threads  loop thread; the write itself runs on the runtime's log lane, or on the loop while the
 *          lane's jobs are quick (runtime_may_work_here).
 * Memory   waiters are embedded in their owners.
 * Errors   a failed write or sync calls fatal() once and nothing completes after it: what the
 *          log holds is unknown, so the process must end.
 */
#ifndef REPLICATION_IO_LOG_COMMIT_H
#define REPLICATION_IO_LOG_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/queue.h"
#include "proto/base/runtime.h"
#include "proto/base/status.h"
#include "storage/engine/engine.h"

struct log_commit;

typedef void (*log_commit_fatal_cb)(void *context, enum status status);

/* Called when all that was added up to the moment of log_commit_wait() is durable. */
struct log_commit_waiter {
	struct queue link;
	uint64_t sequence;
	void (*durable)(struct log_commit_waiter *waiter);
};

struct log_commit {
	struct runtime *runtime;
	struct engine *engine;
	log_commit_fatal_cb fatal;
	void *fatal_context;
	struct engine_batch *open;      /* collects this turn's writes */
	struct engine_batch *in_flight; /* being written and synced */
	uint64_t open_sequence;         /* of the open batch; the first is 1 */
	uint64_t durable_sequence;
	struct queue waiters; /* ascending by sequence */
	struct runtime_task flush;
	struct runtime_job job;
	enum status job_status;
	bool is_writing;
	bool has_failed;
	uint64_t sync_count;
};

enum status log_commit_init(struct log_commit *commit, struct runtime *runtime, struct engine *engine,
			    log_commit_fatal_cb fatal, void *fatal_context) MUST_CHECK;
/* Only when nothing is being written (log_commit_is_idle). */
void log_commit_close(struct log_commit *commit);
/* Nothing is on its way to the disk, or will be: also after a failure. */
bool log_commit_is_idle(const struct log_commit *commit);

/* The open batch: add puts and deletes to it; they are written in the order added. */
struct engine_batch *log_commit_batch(struct log_commit *commit);
/* Its sequence number; durable once log_commit_durable_sequence() reaches it. */
static inline uint64_t log_commit_open_sequence(const struct log_commit *commit)
{
	return commit->open_sequence;
}

static inline uint64_t log_commit_durable_sequence(const struct log_commit *commit)
{
	return commit->durable_sequence;
}

/* Wait for the open batch.  A waiter that already waits for it is left as it is; one that
 * waits for an older batch is moved when that fires and must ask again. */
void log_commit_wait(struct log_commit *commit, struct log_commit_waiter *waiter);
void log_commit_waiter_init(struct log_commit_waiter *waiter, void (*durable)(struct log_commit_waiter *));
void log_commit_cancel(struct log_commit_waiter *waiter);

#endif
