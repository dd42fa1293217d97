/* What a write does to the indexes of its table, decided with the write itself: whether its item
 * may be in them, the rows of local indexes, which the log carries, and what each index charges.
 *
 * Threads  loop thread.
 * Memory   results lie in the write's index_arena.
 * Errors   an item that cannot be in an index is a verdict, not an error: ST_REFUSED in
 *          write->verdict, refused_index_key says why.  ST_INVALID (an item under
 *          another's row key), ST_CORRUPT (an item's bytes), ST_NO_MEMORY.
 */
#ifndef NODE_PARTITION_PARTITION_INDEX_ROWS_H
#define NODE_PARTITION_PARTITION_INDEX_ROWS_H

#include "node/partition/partition_verdict.h"

enum {
	/* Each local index projects an item at most; keys and names are small beside that. */
	PARTITION_INDEX_ROWS_BYTES_MAX = LIMIT_LOCAL_INDEX_COUNT * LIMIT_ITEM_ENCODED_SIZE_BYTES +
					 1024 * 1024,
};

/* For a write whose image is made. */
enum status partition_index_rows_make(struct partition_write *write,
				      const struct partition_old_image *old) MUST_CHECK;

#endif
