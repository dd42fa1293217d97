/* Stream a group's ranges to a replica that is too far behind for the log.
 *
 * One RocksDB snapshot, read in chunks off the loop, sent one call at a time: the next chunk is
 * read when the last one was staged over there, so memory and pace are bounded.  At most one
 * stream per group and peer, a few per node; a failed one is tried again while this replica
 * leads in the same term.
 *
 * Threads  loop thread.
 */
#ifndef REPLICATION_GROUP_SNAPSHOT_SEND_H
#define REPLICATION_GROUP_SNAPSHOT_SEND_H

#include <stdint.h>

struct group;

enum {
	SNAPSHOT_SEND_STREAMS_MAX = 4, /* per node; more wait for the next attempt */
	SNAPSHOT_SEND_CHUNK_BYTES = 1024 * 1024,
};

/* The oldest position being sent, whose log the receiver will need; UINT64_MAX if none is. */
uint64_t snapshot_send_oldest_index(const struct group *group);
void snapshot_send_start(struct group *group, uint64_t replica_id, uint64_t node_id);

#endif
