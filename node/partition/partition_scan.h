/* Reads of many rows at once: strong at the leader, eventual at any replica, always off the loop.
 *
 *   start --> confirmed (strong only) --> work() on a pool thread --> done()
 *
 * What work() reads is a state at or after the one that was confirmed.  If meanwhile the
 * replica's rows were replaced or its range no longer holds [start, end), the result is thrown
 * away: rows that moved are deleted here, and a scan would miss them without a word.
 *
 * Threads  loop thread; work() runs on another.
 * Memory   a scan is embedded in the caller's operation and stays, with start and end, until
 *          done() or until partition_scan_start() gave another answer than ST_WOULD_BLOCK.
 */
#ifndef NODE_PARTITION_PARTITION_SCAN_H
#define NODE_PARTITION_PARTITION_SCAN_H

#include "node/partition/partition.h"
#include "replication/group/group_read.h"

struct partition_scan {
	/* Set by the caller. */
	struct slice start; /* row keys; the partition must hold all of [start, end) */
	struct slice end;
	bool is_consistent;
	bool accepts_frozen; /* eventual: nobody fresher is left to ask */
	enum status (*work)(struct partition_scan *scan, struct engine *engine);
	void (*done)(struct partition_scan *scan);
	/* Valid in done(). */
	enum status status;
	/* Own. */
	struct partition *partition;
	struct engine *engine;
	struct group_read group_read;
	struct runtime_job job;
	uint64_t install_count; /* of the group when the job began */
};

/*   ST_WOULD_BLOCK  done() will be called, once, later, with scan->status
 *   any other       is the answer; done() will not be called:
 *     ST_INVALID (end is not after start), ST_NOT_LEADER, ST_MOVED, ST_UNAVAILABLE,
 *     ST_STALE as partition_read_start() */
enum status partition_scan_start(struct partition *partition, struct partition_scan *scan) MUST_CHECK;

#endif
