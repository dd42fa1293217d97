/* An item after an update.
 *
 * Threads  pure functions.
 * Memory   the new item goes to the caller's buf, and results point into it; scratch memory
 *          comes from the arena: give it EVAL_UPDATE_SCRATCH_SIZE_MAX.
 * Errors   ST_INVALID with the reason in result->error; ST_CORRUPT (the old item's bytes, or
 *          actions that meet), ST_NO_MEMORY (also the arena's limit).
 */
#ifndef STORAGE_EXPR_EVAL_UPDATE_H
#define STORAGE_EXPR_EVAL_UPDATE_H

#include "proto/base/arena.h"
#include "proto/wire/expr.pb-c.h"

enum { EVAL_UPDATE_SCRATCH_SIZE_MAX = 32 * 1024 * 1024 };

struct eval_update_result {
	Cleave__ExprUpdateError error;
	bool exists;         /* false: there was no item, and nothing that would make one */
	struct slice item;   /* in the buf */
	uint64_t size_bytes; /* of the new item, as DynamoDB counts */
};

/* update has passed eval_check_update().  old is empty if there is no item; then the new one
 * begins with the attributes of key. */
enum status eval_update(const Cleave__ExprUpdate *update, struct slice old, struct slice key,
			struct arena *scratch, struct buf *out, struct eval_update_result *result) MUST_CHECK;

#endif
