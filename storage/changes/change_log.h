/* The change log: what happened to the rows of a partition, in order, for those who follow.
 *
 *   key     partition u64 be | sequence u64 be, in family changes
 *   value   version u8 = 1 | flags u8 | hybrid timestamp u64 be | origin region u16 be |
 *           row key size u32 be | old item size u32 be | row key | old item | new item
 *
 * Records are written in the batch of the rows themselves, so the two never differ.  A sequence is
 * the log index of the command and the write's place in it: it grows, with gaps.
 *
 * Threads  pure functions; change_page_read() waits for the disk if it may and runs on any thread.
 * Memory   a record borrows from its value; a page owns copies.
 * Errors   ST_CORRUPT, ST_VERSION (a newer format), ST_IO, ST_NO_MEMORY.
 */
#ifndef STORAGE_CHANGES_CHANGE_LOG_H
#define STORAGE_CHANGES_CHANGE_LOG_H

#include "proto/base/arena.h"
#include "storage/engine/engine.h"

enum {
	CHANGE_KEY_SIZE = 16,
	CHANGE_WRITES_MAX = 65536, /* of one command */
};

struct change {
	uint64_t sequence;
	uint64_t hlc;
	uint16_t origin;
	struct slice row_key;
	struct slice old_item; /* of it, what is needed; empty: there was none */
	struct slice new_item; /* empty: there is none */
};

static inline uint64_t change_sequence(uint64_t log_index, size_t write_number)
{
	return log_index * CHANGE_WRITES_MAX + write_number;
}

void change_log_put(struct engine *engine, struct engine_batch *batch, uint64_t partition_id,
		    const struct change *change);
/* Drop the records with sequences in (after, through]. */
void change_log_trim(struct engine *engine, struct engine_batch *batch, uint64_t partition_id, uint64_t after,
		     uint64_t through);
enum status change_log_decode(struct slice key, struct slice value, struct change *change_out) MUST_CHECK;

/* The next changes of a partition. */
struct change_page {
	struct change *list; /* in the arena, as all that it points to */
	size_t count;
	bool is_at_end; /* there was no more when it was read */
};

/* The changes after a sequence: up to count_max, and until their size reaches size_bytes_max.
 * ST_WOULD_BLOCK: not all of them are in memory.  A cached read may show changes that were trimmed: a
 * follower asks for those after its position, which are not, and sequences are never used again. */
enum status change_page_read(struct engine *engine, uint64_t partition_id, uint64_t after, size_t count_max,
			     size_t size_bytes_max, enum engine_read_mode mode, struct arena *arena,
			     struct change_page *page_out) MUST_CHECK;

#endif
