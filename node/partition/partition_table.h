/* The partitions that this node hosts, made and dropped as the catalog says.
 *
 * Threads  loop thread.
 * Memory   the table owns its partitions.
 */
#ifndef NODE_PARTITION_PARTITION_TABLE_H
#define NODE_PARTITION_PARTITION_TABLE_H

#include "node/partition/partition.h"
#include "proto/base/hash_map.h"
#include "proto/catalog/catalog_view.h"

enum { PARTITION_TABLE_MAX = 50000 };

struct partition_table {
	struct partition_env env;
	struct hash_map by_id;
	struct queue dropped; /* struct partition_dropped, not yet known to the catalog */
	uint64_t reconciled_version;
};

struct partition_dropped {
	struct queue link;
	uint64_t partition_id;
};

void partition_table_init(struct partition_table *table, const struct partition_env *env);
/* Close all; the replicas stay on disk. */
void partition_table_close(struct partition_table *table);
/* Open the replicas found in the store (start-up; blocks). */
enum status partition_table_open_all(struct partition_table *table) MUST_CHECK;

/* NULL if this node hosts no replica of it. */
struct partition *partition_table_find(const struct partition_table *table, uint64_t partition_id);
/* Start with *cursor = 0; NULL at the end. */
struct partition *partition_table_next(const struct partition_table *table, size_t *cursor);

/* Create what the catalog places here and drop what it no longer knows. */
void partition_table_follow(struct partition_table *table, const struct catalog_view *view);
uint64_t partition_table_catalog_version(const struct partition_table *table);

/* The catalog has heard of the first count dropped partitions. */
void partition_table_forget_dropped(struct partition_table *table, uint64_t count);

/* Make a replica (also for tests and the simulator). */
enum status partition_table_create(struct partition_table *table, const struct partition_meta *meta,
				   uint64_t replica_id,
				   const struct raft_engine_configuration *members) MUST_CHECK;
void partition_table_drop(struct partition_table *table, struct partition *partition);

#endif
