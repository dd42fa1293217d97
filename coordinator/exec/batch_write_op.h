/* Many writes of whole items, each by itself, some at a time; more of them while those wait.
 *
 *   worker:  take the next write --> item_op --> note its result --+
 *              ^                                                   |
 *              +---------------------------------------------------+
 *
 * There is no order among them and no common outcome.  All have one deadline.  Writes to a
 * partition that nobody leads hold their workers until then, so each BATCH_WRITE_OP_PATIENCE_MS
 * as many workers again begin, as long as there is something left to take.
 *
 * Threads  loop thread of env->runtime.
 * Memory   embedded in the caller's operation until done() ran; so are the writes.
 * Errors   done() runs once, never from inside start or cancel.  Each write is judged by itself; its
 *          status is as of item_op, and ST_UNKNOWN_OUTCOME wherever it may have taken effect.
 */
#ifndef COORDINATOR_EXEC_BATCH_WRITE_OP_H
#define COORDINATOR_EXEC_BATCH_WRITE_OP_H

#include "coordinator/exec/item_op.h"
#include "proto/model/limits.h"

enum { BATCH_WRITE_OP_WORKERS = 8, BATCH_WRITE_OP_PATIENCE_MS = 200 };

struct batch_write {
	/* Set by the caller; the rest zeroed. */
	enum item_op_kind kind; /* ITEM_OP_PUT or ITEM_OP_DELETE */
	struct slice row_key;   /* no two are equal */
	struct slice item;      /* PUT */
	/* Valid in done(). */
	enum status status;
	uint32_t old_size_bytes;
	uint32_t new_size_bytes;
	/* As of item_op; in the arena. */
	const Cleave__RefusedIndexKey *refused_index_key;
	bool is_collection_full;
	Cleave__IndexWriteUnits *const *index_units;
	size_t index_unit_count;
	uint64_t collection_size_bytes;
};

struct batch_write_op;

struct batch_write_worker {
	struct batch_write_op *op;
	struct batch_write *write;
	bool is_busy;
	struct item_op item;
};

struct batch_write_op {
	/* Set by the caller; the rest zeroed. */
	struct batch_write *writes;
	uint32_t write_count; /* 1 to LIMIT_BATCH_WRITE_COUNT */
	bool needs_old_size;
	bool needs_collection_size;
	struct arena *arena;
	void (*done)(struct batch_write_op *op);
	/* Own. */
	struct route_env *env;
	struct runtime_task begin_task;
	uint64_t deadline_mono_us;
	struct runtime_timer patience;
	uint32_t next_index;
	uint32_t worker_count;
	uint32_t busy_count;
	bool is_canceled;
	struct batch_write_worker workers[LIMIT_BATCH_WRITE_COUNT]; /* each has taken a write */
};

void batch_write_op_start(struct route_env *env, struct batch_write_op *op);
/* done() still comes, once, later.  Harmless when not under way. */
void batch_write_op_cancel(struct batch_write_op *op);

#endif
