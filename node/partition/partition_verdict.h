/* What a write makes of the row that it finds: condition, new image, what is returned.
 *
 * Threads  loop thread.
 * Memory   results are in the write's own buffers.
 * Errors   a failed condition and an update that the item does not allow are verdicts, not
 *          errors: ST_OK, told in write->verdict.  ST_CORRUPT (the old row, or the program),
 *          ST_NO_MEMORY.
 */
#ifndef NODE_PARTITION_PARTITION_VERDICT_H
#define NODE_PARTITION_PARTITION_VERDICT_H

#include "node/partition/partition_write.h"

/* The row before the write. */
struct partition_old_image {
	bool exists;
	uint32_t size_bytes; /* as DynamoDB counts */
	struct slice item;
};

/* A plain put is decided without the old row. */
bool partition_verdict_needs_old(const struct partition_write *write);
/* Fill in verdict, changes, image and the results. */
enum status partition_verdict_reach(struct partition_write *write, const struct partition_old_image *old,
				    struct arena *scratch) MUST_CHECK;
/* For partition_index_rows.c: nothing changes; why is told elsewhere. */
void partition_verdict_refuse(struct partition_write *write, enum status verdict);

#endif
