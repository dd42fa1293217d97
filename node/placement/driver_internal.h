/* The inside of the placement driver, shared by driver.c (reports, tables) and driver_indexes.c. */
#ifndef NODE_PLACEMENT_DRIVER_INTERNAL_H
#define NODE_PLACEMENT_DRIVER_INTERNAL_H

#include "node/partition/partition.h"
#include "node/placement/driver.h"

/* What this leader was told of a node. */
struct node_track {
	uint64_t node_id;
	uint64_t last_report_mono_ms;
	bool has_told_all;
};

/* How far a partition's leader is with a global index. */
struct feed_track {
	uint32_t index_table_id;
	bool is_caught_up;
	uint32_t backfilled_percent;
};

/* What this leader was told of a partition. */
struct partition_track {
	uint64_t partition_id;
	uint64_t leader_node_id; /* ready; 0: none known */
	uint64_t leader_term;
	uint64_t seen_in_report;     /* number of the last report that named it */
	struct partition_rows items; /* as its leader counted them */
	struct partition_rows local_indexes[LIMIT_LOCAL_INDEX_COUNT];
	struct feed_track feeds[LIMIT_GLOBAL_INDEX_COUNT]; /* of its leader */
	uint32_t feed_count;
	uint64_t dropped_node_ids[CATALOG_REPLICAS_MAX];
	uint32_t dropped_count;
};

struct driver {
	struct catalog_driver base; /* first: what the catalog is given */
	struct catalog *catalog;
	struct runtime *runtime;
	struct runtime_timer tick;
	bool is_active;
	uint64_t active_since_mono_ms;
	uint64_t report_number;
	struct hash_map nodes;      /* struct node_track */
	struct hash_map partitions; /* struct partition_track */
	uint32_t *busy_table_ids;   /* something is to do, at busy_version */
	size_t busy_count;
	uint64_t busy_version;
	uint64_t told_mono_ms; /* when the log was told how far backfills are */
};

/* Propose a change of a table's record.  What cannot be proposed now is decided again at the next
 * look. */
void driver_propose_table(struct driver *driver, const struct table_info *table);
/* Has every partition of the table a ready leader? */
bool driver_has_all_leaders(const struct driver *driver, uint32_t table_id);

/* driver_indexes.c: global indexes, each a derived table that partitions of its base table feed.
 *
 *   CREATING --> backfilling --> ACTIVE    when every partition of the base table has caught up
 *   DELETING --> derived table DELETING    when no partition feeds it any more
 *            --> gone from the record      when the derived table is removed
 */

/* Is there something to do for a table that is ACTIVE itself? */
bool driver_indexes_are_busy(const struct catalog_state *state, const struct table_info *table);
/* The next step of an ACTIVE table's indexes. */
void driver_indexes_look_at(struct driver *driver, const struct table_info *table);
/* Can all indexes of a new table be read? */
bool driver_indexes_are_ready(const struct driver *driver, const struct table_info *table);
/* The derived tables of a table being updated exist. */
bool driver_indexes_are_placed(const struct driver *driver, const struct table_info *table);
/* The table's indexes, all ACTIVE; NULL if there are none, or when out of memory. */
const struct table_indexes *driver_indexes_activate(const struct table_info *table, struct arena *arena);
/* Has the table no derived table any more?  The first step towards that is taken. */
bool driver_indexes_are_gone(struct driver *driver, const struct table_info *table);

#endif
