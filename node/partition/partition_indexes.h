/* What the replicas of a partition know of its table's secondary indexes, and how far each global
 * one has been fed from here.
 *
 * Replicated state, set by commands of the partition's own log: so a leader evaluates and a replica
 * applies under the same definitions at every log index, and a node serves its partitions while
 * it cannot reach the catalog.  The leader brings them up to what the catalog says
 * (partition_definitions.h).
 *
 * A *feed* is the stream of rows from this partition to a global index.  It begins when the
 * definitions first name the index: items that are there then are sent in the order of their row
 * keys, after them the changes since, in their order.  While a partition has a feed it logs
 * changes (storage/changes); those that every feed has passed are dropped.
 *
 * Threads  loop thread.
 * Memory   owns copies.  What set points to is valid until the next command is applied.
 * Format   key partition u64 | 'I', value version u8 and protobuf PartitionIndexes;
 *          key partition u64 | 'F' | index table id u32, value version u8 and protobuf FeedRecord.
 */
#ifndef NODE_PARTITION_PARTITION_INDEXES_H
#define NODE_PARTITION_PARTITION_INDEXES_H

#include "proto/model/table_index.h"
#include "proto/wire/partition.pb-c.h"
#include "storage/engine/engine.h"

/* The first byte of a position. */
enum feed_phase { FEED_BACKFILL = 0, FEED_CHANGES = 1 };

struct partition_feed {
	uint32_t index_table_id;
	uint64_t start_sequence; /* changes after this one are the feed's */
	struct buf position;     /* of FeedRecord: what has been sent and need not be sent again */
};

struct partition_indexes {
	uint64_t partition_id;
	bool awaits;                     /* no definitions yet: no write may be taken */
	struct table_schema schema;      /* of the table; valid if set is not NULL */
	const struct table_indexes *set; /* NULL: none */
	uint64_t table_version;
	struct buf packed; /* the definitions as stored; empty: never set */
	struct partition_feed feeds[LIMIT_GLOBAL_INDEX_COUNT];
	uint32_t feed_count;
	uint64_t trimmed_sequence; /* changes through this one are dropped */
};

void partition_indexes_init(struct partition_indexes *indexes, uint64_t partition_id);
void partition_indexes_close(struct partition_indexes *indexes);
/* Read the rows (start-up, after a snapshot); blocks.  awaits: as the partition was born. */
enum status partition_indexes_load(struct partition_indexes *indexes, struct engine *engine,
				   bool awaits) MUST_CHECK;

/* Parts of apply. */
enum status partition_indexes_apply(struct partition_indexes *indexes, struct engine *engine,
				    struct engine_batch *batch, uint64_t log_index,
				    const Cleave__PartitionIndexes *definitions) MUST_CHECK;
enum status partition_indexes_apply_progress(struct partition_indexes *indexes, struct engine *engine,
					     struct engine_batch *batch,
					     const Cleave__FeedRecord *progress) MUST_CHECK;

/* Are changes to be logged? */
static inline bool partition_indexes_logs_changes(const struct partition_indexes *indexes)
{
	return indexes->feed_count > 0;
}

/* Can these bytes be a position? */
bool partition_indexes_is_position(struct slice position);
/* Append what the log of changes has to keep of an item that is being replaced, as an item: the
 * attributes by which the feeds find its entries and tell whether they change.  (An index that
 * projects everything is written anew whenever the item is.) */
enum status partition_indexes_keep_old(const struct partition_indexes *indexes, struct slice old_item,
				       struct buf *out) MUST_CHECK;

/* NULL if there is none. */
const struct partition_feed *partition_indexes_feed(const struct partition_indexes *indexes,
						    uint32_t index_table_id);
/* How much of the range of tokens has been backfilled: 100 when all of it has, whoever did it. */
uint32_t partition_feed_percent(const struct partition_feed *feed, struct slice range_start,
				struct slice range_end);
/* The definition that a feed is for. */
const struct table_index *partition_indexes_of_feed(const struct partition_indexes *indexes,
						    uint32_t index_table_id);

#endif
