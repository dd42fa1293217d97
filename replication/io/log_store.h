/* One group's log: its entries in the store and the newest of them in memory.
 *
 * Appends go into the open batch of log_commit and become durable with it.  The newest entries
 * stay in memory, at least all that are not applied, so that the normal path (send, apply)
 * never reads the disk; older ones are read off the loop for peers that are behind.
 *
 * Threads  loop thread; log_store_read() belongs to pool threads.
 * Memory   the store retains the bodies of what it keeps; log_store_entry() lends.
 * Format   family raft_log, key group u64 | index u64, value term varint | type u8 | body.
 */
#ifndef REPLICATION_IO_LOG_STORE_H
#define REPLICATION_IO_LOG_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "replication/engine/log_entry.h"
#include "replication/io/log_commit.h"
#include "storage/engine/engine.h"

enum {
	/* Applied entries kept in memory for peers that are a little behind. */
	LOG_STORE_CACHE_BYTES = 1024 * 1024,
	LOG_STORE_CACHE_ENTRIES = 1024,
	LOG_STORE_KEY_SIZE = 16,
};

struct log_store {
	struct log_commit *commit;
	uint64_t group_id;
	uint64_t first_index; /* first in the store; last_index + 1 when empty */
	uint64_t last_index;
	/* A ring of the entries [cached_first, last_index]. */
	struct log_entry *ring;
	uint32_t ring_capacity; /* a power of two, or 0 */
	uint64_t cached_first;
	size_t cached_bytes;
};

/* An empty log whose next entry is first_index. */
void log_store_init(struct log_store *store, struct log_commit *commit, uint64_t group_id,
		    uint64_t first_index);
void log_store_close(struct log_store *store);

/* At start: read the log from the store, blocking.  All entries are loaded; the caller trims. */
enum status log_store_load(struct log_store *store) MUST_CHECK;

/* Put entries at first_index, dropping all from there on first. */
void log_store_append(struct log_store *store, uint64_t first_index, const struct log_entry *entries,
		      uint32_t entry_count);
/* NULL if the entry is not in memory. */
const struct log_entry *log_store_entry(const struct log_store *store, uint64_t index);
/* Forget from memory what is applied and beyond the cache's limits. */
void log_store_trim(struct log_store *store, uint64_t applied_index);
/* Delete entries up to index (inclusive) from the store. */
void log_store_compact(struct log_store *store, uint64_t index);
/* Drop everything; the next entry is first_index.  The deletion goes into the given batch. */
void log_store_reset(struct log_store *store, struct engine_batch *batch, uint64_t first_index);
/* The same of a group that has no store open. */
void log_store_delete(struct engine *engine, struct engine_batch *batch, uint64_t group_id);
void log_store_key(uint8_t key_out[LOG_STORE_KEY_SIZE], uint64_t group_id, uint64_t index);

/* Read entries [first_index, first_index + count) from disk into entries_out, fewer if more
 * than size_bytes_max (but at least one).  Off the loop; bodies belong to the caller. */
enum status log_store_read(struct engine *engine, uint64_t group_id, uint64_t first_index, uint32_t count,
			   size_t size_bytes_max, struct log_entry *entries_out,
			   uint32_t *count_out) MUST_CHECK;

#endif
