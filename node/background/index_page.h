/* A page of a feed: what comes next in the stream from a partition to a global index.
 *
 * Threads  index_page_read() on any thread, the rest plain data.
 * Memory   all of a page lives in its arena.
 * Errors   ST_IO, ST_CORRUPT, ST_VERSION, ST_NO_MEMORY; ST_WOULD_BLOCK (ENGINE_READ_CACHED): not all of
 *          it is in memory.
 */
#ifndef NODE_BACKGROUND_INDEX_PAGE_H
#define NODE_BACKGROUND_INDEX_PAGE_H

#include "proto/base/arena.h"
#include "storage/engine/engine.h"

/* One item before and after; an empty slice: it was, or is, not there. */
struct index_page_entry {
	struct slice position;
	struct slice old_item;
	struct slice new_item;
	uint64_t hlc; /* of the change; 0: backfill */
};

struct index_page {
	/* Set by the caller. */
	uint64_t partition_id;
	struct slice range_end; /* of the partition */
	struct slice range_start;
	struct slice after;      /* position of FeedRecord */
	uint64_t start_sequence; /* where changes begin */
	/* Results. */
	struct index_page_entry *entries;
	size_t count;
	struct slice end; /* the position when all entries have been sent */
	bool is_at_end;   /* there were no more changes */
};

enum status index_page_read(struct index_page *page, struct engine *engine, size_t count_max,
			    size_t size_bytes_max, enum engine_read_mode mode,
			    struct arena *arena) MUST_CHECK;

#endif
