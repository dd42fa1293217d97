/* The sizes of item collections, in tables with local indexes: of all items with one partition key
 * and their entries in local indexes, as DynamoDB counts.
 *
 * Each collection's size is a row beside its entries, replicated like them: the leader reads it,
 * pending writes first, and the write's command carries what it becomes.  So it is exact, and
 * costs a read of one small row per write that changes it.
 *
 * Threads  loop thread.
 * Memory   results lie in the write's index_arena.
 * Errors   a collection that may not grow is a verdict: ST_REFUSED in write->verdict, with
 *          is_collection_full.  ST_WOULD_BLOCK (collection_key must be read from disk first),
 *          ST_INVALID (no such row key), ST_CORRUPT, ST_NO_MEMORY.
 * Format   local_row.h
 */
#ifndef NODE_PARTITION_PARTITION_COLLECTION_H
#define NODE_PARTITION_PARTITION_COLLECTION_H

#include "node/partition/partition_write.h"

/* Last of what a write does to local indexes: there is room in local_rows.  Nothing, without
 * growth, unless needs_collection_size; nothing without local indexes. */
enum status partition_collection_grow(struct partition_write *write, int64_t growth_bytes) MUST_CHECK;

#endif
