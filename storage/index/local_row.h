/* Reading the row keys of local indexes: whose collection, which index, which item.
 *
 *   table_id u32 be | token u64 be | partition key | local_number u8 | index sort key | sort key
 *
 * Threads  pure functions.
 * Memory   parts borrow from the row key.
 * Errors   ST_CORRUPT: no such row key under this schema, or an entry without the table's key.
 */
#ifndef STORAGE_INDEX_LOCAL_ROW_H
#define STORAGE_INDEX_LOCAL_ROW_H

#include "proto/model/table_index.h"

struct local_row {
	struct slice
		collection; /* the beginning that all rows of its partition key share, in both families */
	uint8_t local_number;
};

enum status local_row_read(struct slice row_key, const struct table_schema *schema,
			   struct local_row *row_out) MUST_CHECK;
/* The row key of the item whose entry this is: appended to out. */
enum status local_row_base_key(struct buf *out, const struct local_row *row,
			       const struct table_schema *schema, struct slice entry) MUST_CHECK;

#endif
