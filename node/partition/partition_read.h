/* Reads of one item: strong at the leader, eventual at any replica.
 *
 * Threads  loop thread; rows that are not in memory are read off it.
 * Memory   a read is embedded in the caller's operation; row_key must stay until the answer;
 *          item is borrowed from the store until partition_read_close().
 */
#ifndef NODE_PARTITION_PARTITION_READ_H
#define NODE_PARTITION_PARTITION_READ_H

#include "node/partition/partition.h"
#include "replication/group/group_read.h"

enum {
	/* An eventual read is handed on by a replica that heard no leader for this long. */
	PARTITION_READ_SILENCE_MS = 5000,
};

struct partition_read {
	/* Set by the caller. */
	struct slice row_key;
	bool is_consistent;
	bool accepts_frozen; /* eventual: nobody fresher is left to ask */
	void (*done)(struct partition_read *read);
	/* Valid after ST_OK or ST_NOT_FOUND, until partition_read_close(). */
	enum status status;
	struct slice item;
	uint32_t size_bytes; /* of the item, as DynamoDB counts; 0 if there is none */
	/* Own. */
	struct partition *partition;
	struct group_read group_read;
	struct engine_value value;
	struct runtime_job job;
	uint64_t install_count; /* of the group when the job began */
	bool is_waiting;        /* in the group's read queues */
};

/*   ST_WOULD_BLOCK  done() will be called, once, later, with read->status
 *   any other       is the answer; done() will not be called:
 *     ST_OK, ST_NOT_FOUND, ST_NOT_LEADER, ST_MOVED, ST_UNAVAILABLE (waits for a snapshot),
 *     ST_STALE (eventual, no leader heard), ST_IO, ST_CORRUPT */
enum status partition_read_start(struct partition *partition, struct partition_read *read) MUST_CHECK;
/* After the answer was used. */
void partition_read_close(struct partition_read *read);

#endif
