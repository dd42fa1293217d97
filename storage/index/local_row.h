/* Reading the row keys of local indexes: whose collection, which index, which item.
 *
 *   table_id u32 be | token u64 be | partition key | local_number u8 | index sort key | sort key
 *
 * Before the entries of a collection lies a row that says how large the collection is, items and
 * entries together, as DynamoDB counts:
 *
 *   table_id u32 be | token u64 be | partition key | 00        size u64 be
 *
 * Threads  pure functions.
 * Memory   parts borrow from the row key.
 * Errors   ST_CORRUPT: no such row key under this schema, or an entry without the table's key.
 */
#ifndef STORAGE_INDEX_LOCAL_ROW_H
#define STORAGE_INDEX_LOCAL_ROW_H

#include "proto/model/table_index.h"

enum { LOCAL_ROW_SIZE_VALUE = 8 };

struct local_row {
	struct slice
		collection;   /* the beginning that all rows of its partition key share, in both families */
	uint8_t local_number; /* 0: says how large the collection is */
};

enum status local_row_read(struct slice row_key, const struct table_schema *schema,
			   struct local_row *row_out) MUST_CHECK;
/* The collection of an item, by the item's own row key. */
enum status local_row_collection(struct slice row_key, const struct table_schema *schema,
				 struct slice *collection_out) MUST_CHECK;
/* The key of the row that says how large a collection is; and what it says, both ways. */
void local_row_size_key(struct buf *out, struct slice collection);
void local_row_put_size(uint8_t value_out[LOCAL_ROW_SIZE_VALUE], uint64_t size_bytes);
enum status local_row_take_size(struct slice value, uint64_t *size_bytes_out) MUST_CHECK;
/* The row key of the item whose entry this is: appended to out. */
enum status local_row_base_key(struct buf *out, const struct local_row *row,
			       const struct table_schema *schema, struct slice entry) MUST_CHECK;

#endif
