/* What recent writes of a partition came to, by request id: so that a retry of the
 * coordinator's never takes effect twice.
 *
 * Replicated state: one row per command in family meta, written in the command's own batch, so
 * it survives restarts and changes of leader and travels with snapshots.  Kept for at least
 * OUTCOMES_WINDOW_MS of the window clock, if there are not more than OUTCOMES_COUNT_MAX /
 * OUTCOMES_BYTES_MAX, and dropped some at a time, with their rows as one range; what was dropped is told from
 * what never was by the age that a retry carries.
 *
 * The window clock is replicated: each command adds what its leader's machine clock measured
 * since the leader's previous command.  So it never runs ahead of real time, whatever the wall
 * clocks of successive leaders say, and an outcome of age a is never older than a by it.
 *
 * Threads  loop thread.
 * Memory   the outcomes own copies; what find returns is valid until the next call.
 * Format   key partition u64 | 'O' | hlc u64, value protobuf OutcomeRecord.
 */
#ifndef NODE_PARTITION_PARTITION_OUTCOMES_H
#define NODE_PARTITION_PARTITION_OUTCOMES_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/hash_map.h"
#include "proto/base/queue.h"
#include "proto/wire/partition.pb-c.h"
#include "storage/engine/engine.h"

enum {
	OUTCOMES_REQUEST_ID_SIZE = 16,
	OUTCOMES_WINDOW_MS = 30 * 1000,                        /* longer than any coordinator tries */
	OUTCOMES_FORGOTTEN_MS = OUTCOMES_WINDOW_MS + 2 * 1000, /* older than this: by the next command */
	OUTCOMES_COUNT_MAX = 64 * 1024,
	OUTCOMES_BYTES_MAX = 16 * 1024 * 1024,
};

struct partition_outcomes {
	uint64_t partition_id;
	struct queue commands; /* oldest first */
	struct hash_map by_id; /* low half of the request id -> newest with it */
	size_t count;
	size_t size_bytes;
	uint64_t kept_from_ms; /* outcomes before this window time are forgotten; 0: none ever was */
};

void partition_outcomes_init(struct partition_outcomes *outcomes, uint64_t partition_id);
void partition_outcomes_close(struct partition_outcomes *outcomes);
/* Read the rows (start-up, after a snapshot); blocks. */
enum status partition_outcomes_load(struct partition_outcomes *outcomes, struct engine *engine) MUST_CHECK;

/* Part of apply: remember the command's outcomes and forget old ones, rows included.  index and
 * term are the command's place in the log. */
enum status partition_outcomes_apply(struct partition_outcomes *outcomes, struct engine *engine,
				     struct engine_batch *batch, const Cleave__PartitionCommand *command,
				     uint64_t index, uint64_t term) MUST_CHECK;
/* The place of the newest command that was remembered; 0 if there is none.  Blocks. */
enum status partition_outcomes_recorded(struct engine *engine, uint64_t partition_id, uint64_t *index_out,
					uint64_t *term_out) MUST_CHECK;

/* NULL if there is none. */
const Cleave__Outcome *partition_outcomes_find(const struct partition_outcomes *outcomes,
					       struct slice request_id);
/* Of the newest command; 0 if there is none. */
uint64_t partition_outcomes_newest_hlc(const struct partition_outcomes *outcomes);
uint64_t partition_outcomes_newest_window_ms(const struct partition_outcomes *outcomes);
/* Was a request that was first sent at this window time possibly remembered once and dropped
 * since? */
bool partition_outcomes_may_have_dropped(const struct partition_outcomes *outcomes, uint64_t first_sent_ms);

#endif
