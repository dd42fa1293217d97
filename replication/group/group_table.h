/* All groups of one loop, and what they share: store, log writer, links, settings.
 *
 * Threads  loop thread.
 * Memory   the table borrows engine, transport and runtime; it owns no group.
 */
#ifndef REPLICATION_GROUP_GROUP_TABLE_H
#define REPLICATION_GROUP_GROUP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/hash_map.h"
#include "proto/base/runtime.h"
#include "proto/rpc/rpc.h"
#include "replication/io/log_commit.h"
#include "replication/io/peer_link.h"
#include "storage/engine/engine.h"

struct group;
struct snapshot_recv;

enum {
	GROUP_TABLE_GROUPS_MAX = 100000,
	/* While the logs of all groups have more, none keeps more than its share of this.  It is half of
	 * what the store buffers of the log: most of an entry's life then ends before it needs a file. */
	GROUP_TABLE_LOG_BYTES = 16 * 1024 * 1024,
};

struct group_settings {
	uint32_t election_timeout_ms; /* the same on every node of the cluster */
	uint32_t heartbeat_ms;
	bool uses_leases; /* strong reads without a round of confirmations */
	/* When the log is cut; 0: the defaults of group_internal.h. */
	uint32_t compact_entries;    /* applied entries that start a compaction */
	uint32_t compact_bytes;      /* likewise; less while all logs together are too large */
	uint32_t trailing_entries;   /* kept behind the applied index; at most compact_entries */
	uint32_t behind_entries_max; /* kept at most for a voter that is behind */
};

struct group_table {
	struct runtime *runtime;
	struct engine *engine;
	struct rpc_transport *transport;
	uint64_t node_id;
	struct group_settings settings;
	uint64_t started_mono_ms;
	struct log_commit commit;
	struct peer_link link;
	struct engine_batch *apply_batch; /* one for all groups of a turn */
	struct queue apply_waiting;       /* groups with something to apply */
	struct queue applying;            /* those in the batch */
	struct runtime_task apply_task;
	struct hash_map groups;    /* by group id */
	struct hash_map receiving; /* snapshots being staged, by group id */
	struct rpc_peer_observer observer;
	size_t log_bytes; /* of all groups */
	uint64_t next_stage_id;
	uint32_t sending_count; /* snapshots being streamed from here */
	bool is_disk_full;      /* set by group_table_set_disk() */
	bool refuses_entries;   /* likewise: an append from a leader is a heartbeat */
	log_commit_fatal_cb fatal;
	void *fatal_context;
	/* Figures. */
	uint64_t applied_count;
	uint64_t proposed_count;
	uint64_t won_count;   /* times that a replica became leader */
	uint64_t yield_count; /* times that one began to hand over because of a full disk */
};

enum status group_table_init(struct group_table *table, struct runtime *runtime, struct engine *engine,
			     struct rpc_transport *transport, uint64_t node_id,
			     const struct group_settings *settings, log_commit_fatal_cb fatal,
			     void *fatal_context) MUST_CHECK;
/* What the disk has room for, in two steps.
 *
 *   is_disk_full     Nothing new starts here: a leader's own writes are refused (group_has_room), peers
 *                    are told, and a replica stands for election after the others.  But it takes
 *                    what a leader sends, above all the entry that a new leader must commit.
 *   refuses_entries  Not that either: reads, heartbeats and votes are left. */
void group_table_set_disk(struct group_table *table, bool is_disk_full, bool refuses_entries);
/* Nothing is on its way to the disk. */
bool group_table_is_idle(const struct group_table *table);
/* All groups are closed and the table is idle. */
void group_table_close(struct group_table *table);
struct group *group_table_find(const struct group_table *table, uint64_t group_id);
/* Start with *cursor = 0; NULL at the end.  The table must not change between. */
struct group *group_table_next(const struct group_table *table, size_t *cursor);
/* A METHOD_RAFT_MESSAGES body. */
enum status group_table_receive(struct group_table *table, uint64_t from_node_id,
				struct slice body) MUST_CHECK;

#endif
