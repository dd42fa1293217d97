/* Feeding global indexes: each partition that leads here sends the rows that its writes make in
 * the global indexes of its table to the leaders of the indexes' partitions.
 *
 *   READ a page --> plan its rows --> a lane for each partition of the index, one message at a time
 *     ^    |                                   | acknowledged: the position moves    | failed
 *     +----+ while there is more               v                                      v
 *     +------------------------------ PAUSE, all from the position on is read and sent again
 *
 * Changes are read as soon as they are applied, on the loop if they are in memory.  A lane's next message
 * takes all that waits for it, so rows arrive there in the order of the stream, and a slow partition of the
 * index holds up no other.  What has been acknowledged moves the feed's position (partition_indexes.h),
 * in memory at once and in the replicated state some times a second; a new leader goes on from there, and
 * what it sends again is known to the receiver by its position (partition_sources.h).
 *
 * A feed that begins sends the items that are there (backfill), then the changes since.
 *
 * Threads  loop thread; what has to come from disk is read on pool threads.
 * Memory   a feeder belongs to its partition while that leads, then lives until its last
 *          job and call have come back.
 * Errors   none: a feed tries until its index is gone.
 */
#ifndef NODE_BACKGROUND_INDEX_FEEDER_H
#define NODE_BACKGROUND_INDEX_FEEDER_H

#include "node/partition/partition.h"
#include "proto/route/route_env.h"

enum {
	INDEX_FEEDER_PAGE_COUNT = 512,
	INDEX_FEEDER_PAGE_BYTES = 1024 * 1024,
	INDEX_FEEDER_SMALL_PAGE_COUNT = 64, /* of a page that is read on the loop */
	INDEX_FEEDER_SMALL_PAGE_BYTES = 128 * 1024,
	INDEX_FEEDER_PROGRESS_MS = 200, /* between two proposals of a partition's progress */
	INDEX_FEEDER_PAUSE_MS = 50,
	INDEX_FEEDER_CALL_MS = 2000, /* then what is not acknowledged is planned anew */
	/* What of a feed is under way: beyond this, it waits before it reads the next page. */
	INDEX_FEEDER_PAGES_MAX = 128,
	INDEX_FEEDER_FEED_BYTES_MAX = 4 * 1024 * 1024,
	/* The same of a node, of all pages. */
	INDEX_FEEDER_BYTES_MAX = 256 * 1024 * 1024,
};

struct index_feeders {
	struct partition_feeders base; /* what partitions are given */
	struct runtime *runtime;
	struct engine *engine;
	struct route_env *env;
	/* A feed has caught up for the first time: tell the catalog.  May be NULL. */
	void (*caught_up)(struct index_feeders *feeders);
	struct queue all;  /* struct partition_feeder, those that wait for jobs and calls too */
	size_t held_bytes; /* in pages that are under way */
};

/* engine and env are borrowed. */
void index_feeders_init(struct index_feeders *feeders, struct runtime *runtime, struct engine *engine,
			struct route_env *env);
/* Nothing is under way: true some time after all partitions were closed. */
bool index_feeders_is_idle(const struct index_feeders *feeders);

/* Has every item that was there when the feed began got its row, and have the changes up to some
 * moment since? */
bool index_feeder_is_caught_up(const struct partition *partition, uint32_t index_table_id);
/* Items backfilled by this leader. */
uint64_t index_feeder_item_count(const struct partition *partition, uint32_t index_table_id);

#endif
