/* ItemCollectionMetrics of writes: which collection, and about how large it is.
 *
 * Threads  pure functions.
 * Memory   appends to the writer's buf.
 * Errors   ST_CORRUPT: the item has no partition key, or is none.  ST_TOO_BIG, ST_NO_MEMORY.
 * Source   "ItemCollectionMetrics", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_COLLECTION_H
#define COORDINATOR_API_API_COLLECTION_H

#include "coordinator/json/json_writer.h"
#include "proto/model/table_index.h"

/* Only tables with local indexes have metrics. */
bool api_collection_is_measured(const struct table_indexes *indexes);
/* One object, as a value.  item: the item or its key. */
enum status api_collection_write(struct json_writer *writer, struct slice partition_key_name,
				 struct slice item, uint64_t size_bytes) MUST_CHECK;

#endif
