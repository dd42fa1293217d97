/* One hosted replica of a partition: a group, the rows of its key range, and at the leader the
 * pending writes.
 *
 * Threads  loop thread of its group.
 * Memory   a partition is owned by its partition_table.
 */
#ifndef NODE_PARTITION_PARTITION_H
#define NODE_PARTITION_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "node/partition/partition_indexes.h"
#include "node/partition/partition_outcomes.h"
#include "node/partition/partition_overlay.h"
#include "node/partition/partition_sources.h"
#include "proto/base/arena.h"
#include "proto/base/hash_map.h"
#include "proto/catalog/catalog_view.h"
#include "replication/group/group.h"

enum {
	PARTITION_ID_FIRST = 1000,                 /* below are the groups of the system */
	PARTITION_COMMAND_BYTES_MAX = 1024 * 1024, /* a turn's writes beyond this start a new entry */
	PARTITION_COMMAND_WRITES_MAX = 256,
	PARTITION_PENDING_WRITES_MAX = 16 * 1024, /* evaluated, not yet applied */
	PARTITION_GATHERS_MAX = 4, /* entries of gathered commands, proposed and not yet applied */
};

struct partition;

/* Who feeds global indexes from the partitions that lead here (node/background). */
struct partition_feeders {
	/* Its feeds, its log of changes or its readiness to lead changed; it leads. */
	void (*changed)(struct partition_feeders *feeders, struct partition *partition);
	/* It leads no longer, or is being closed: forget it now. */
	void (*lost)(struct partition_feeders *feeders, struct partition *partition);
};

struct partition_feeder; /* of one partition */

/* What partitions of one loop share. */
struct partition_env {
	struct runtime *runtime;
	struct engine *engine;
	struct group_table *groups;
	uint64_t hash_seed;
	uint16_t region; /* origin of writes made here */
	/* This node's copy of the catalog; NULL before the first look. */
	const struct catalog_view *view;
	struct partition_feeders *feeders; /* NULL: nobody feeds indexes (tests) */
	/* A write is answered when its rows are in the global indexes too, but for those that are
	 * being backfilled (`cleave local`, where tests read them at once). */
	bool waits_for_indexes;
	uint64_t collection_size_bytes_max; /* 0: LIMIT_COLLECTION_SIZE_BYTES */
	/* A replica began or ceased to lead: tell the catalog.  May be NULL. */
	void (*leader_changed)(struct partition_env *env);
	struct arena scratch; /* of the write being evaluated; partition_table.c makes it */
	uint64_t write_count;
	uint64_t read_count;
};

struct partition_meta {
	uint64_t partition_id;
	uint32_t table_id;
	uint32_t epoch;
	struct slice range_start; /* inclusive */
	struct slice range_end;   /* exclusive */
	uint64_t catalog_version; /* at which the partition was known to exist */
	bool awaits_indexes;      /* of PartitionMeta */
};

/* Of a command that has nothing to do with clients' writes (partition_propose.h). */
struct partition_proposal {
	/* ST_OK: applied.  ST_UNKNOWN_OUTCOME: leadership was lost before. */
	void (*done)(struct partition_proposal *proposal, enum status status);
	/* Own. */
	struct queue link;
	uint64_t index;
	struct buf packed; /* while it is gathered */
};

struct partition_rows {
	uint64_t count;
	uint64_t size_bytes; /* as DynamoDB counts */
};

/* Rows as they were counted last, at some time before now (node/background/item_census.h). */
struct partition_census {
	struct partition_rows items;
	struct partition_rows local_indexes[LIMIT_LOCAL_INDEX_COUNT]; /* by number, from 1 */
	uint64_t applied_index;
	bool is_known;
};

struct partition {
	struct group_fsm fsm;
	struct partition_env *env;
	struct group *group;
	uint64_t id;
	uint32_t table_id;
	uint32_t epoch;
	struct buf range_start;
	struct buf range_end;
	uint64_t catalog_version;
	struct runtime_timer campaign_timer;
	uint32_t campaigns_left;
	uint8_t own_rows_start[8]; /* of family meta and changes */
	uint8_t own_rows_end[8];

	bool awaits_indexes; /* of PartitionMeta */
	struct partition_indexes indexes;
	struct partition_sources sources;
	struct queue proposals;                         /* struct partition_proposal, by index */
	struct queue gathered;                          /* the same, not proposed yet */
	uint64_t gather_indexes[PARTITION_GATHERS_MAX]; /* of the entries with gathered commands under way */
	size_t gather_count;
	struct runtime_task gather_task;
	struct partition_proposal definitions_proposal;
	bool is_defining;       /* definitions_proposal is under way */
	bool wants_definitions; /* look again after the next apply, or when the timer fires */
	struct runtime_timer definitions_timer;
	struct partition_census census;  /* while it leads */
	struct partition_feeder *feeder; /* of env->feeders; NULL: none */
	uint64_t changed_sequence;       /* of the newest change applied here */
	uint64_t fed_sequence; /* changes through this one are in all indexes that writes wait for */

	struct partition_outcomes outcomes;
	struct partition_overlay overlay;
	struct arena arena; /* of the command being applied or proposed */
	uint64_t last_hlc;
	uint64_t window_ms;      /* the outcome window clock at the newest command */
	uint64_t window_mono_ms; /* the machine clock then; 0 unless leading */

	struct queue turn; /* struct partition_write: evaluated in this turn */
	size_t turn_bytes;
	uint32_t turn_count;
	uint64_t turn_sequence;
	struct queue proposed; /* struct partition_command_in_flight, by index */
	struct queue unfed;    /* the same, applied, waiting for global indexes */
	uint32_t pending_count;
	struct hash_map pending_ids; /* low half of a request id -> its write, from start to done() */
	bool must_drain; /* a turn was refused: evaluate nothing until what is proposed is applied */
	struct runtime_task propose_task;
	uint32_t hold_count; /* off-loop jobs that will come back to it */
	bool is_closed;
};

/* A new replica on this node.  members empty: it waits for a snapshot.  ST_EXISTS, ST_STALE. */
enum status partition_create(struct partition_env *env, const struct partition_meta *meta,
			     uint64_t replica_id, const struct raft_engine_configuration *members,
			     struct partition **partition_out) MUST_CHECK;
/* A replica found in the store. */
enum status partition_open(struct partition_env *env, uint64_t partition_id,
			   struct partition **partition_out) MUST_CHECK;
void partition_close(struct partition *partition);
/* Close and delete: rows, log and records; a tombstone stays. */
void partition_drop(struct partition *partition);

/* A new partition's preferred leader: stand for election until somebody leads, at short
 * intervals because the other replicas appear within milliseconds. */
void partition_campaign(struct partition *partition);

/* It leads no longer, or never will again (for partition_fsm.c). */
void partition_on_lost(struct partition *partition);

/* For operations with an off-loop job: the partition stays until the last release. */
void partition_hold(struct partition *partition);
void partition_release(struct partition *partition);

/* The table that it is a part of; NULL while this node's copy of the catalog does not have it. */
const struct table_info *partition_owner(const struct partition *partition);
bool partition_covers(const struct partition *partition, struct slice row_key);
/* A hybrid timestamp later than all that this replica knows. */
uint64_t partition_next_hlc(struct partition *partition);
/* The outcome window clock now, at the leader. */
uint64_t partition_window_ms(const struct partition *partition);

#endif
