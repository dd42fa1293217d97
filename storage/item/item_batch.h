/* Single rows by their keys, many in one step: what BatchGetItem does beside the data.
 *
 * A step stops early at a limit of bytes; the caller then asks for the keys that are left.
 *
 * Threads  any, one at a time: a batch may wait for the disk.
 * Memory   keys are borrowed.  rows belong to the batch until item_batch_close().
 * Errors   ST_OK, also for keys without a row; ST_NO_MEMORY, ST_IO, ST_CORRUPT, ST_VERSION: the
 *          results are unusable.
 */
#ifndef STORAGE_ITEM_ITEM_BATCH_H
#define STORAGE_ITEM_ITEM_BATCH_H

#include "storage/item/item_scan.h"

enum { ITEM_BATCH_KEYS_MAX = LIMIT_BATCH_GET_COUNT };

struct item_batch {
	/* Set by the caller after item_batch_init(). */
	const struct slice *keys;
	uint32_t key_count;
	uint64_t size_bytes_max; /* of the items as DynamoDB counts; the one that reaches it is the last */
	const struct eval_projection *projection; /* NULL: whole items */
	/* Results. */
	struct buf rows; /* one for each answered key: encoded size u32 be (0: none) | size u32 be | item */
	uint32_t answered_count; /* the first ones; at least 1 */
};

void item_batch_init(struct item_batch *batch);
void item_batch_close(struct item_batch *batch);
/* Once. */
enum status item_batch_run(struct item_batch *batch, struct engine *engine) MUST_CHECK;

#endif
