/* The parts of an item that document paths name.
 *
 * They keep their places: parts of one map stand together in it, parts of one list in a list of
 * only those, in the order of the item.  A path that leads nowhere adds nothing.
 *
 * Threads  pure functions.
 * Memory   appended to the caller's buf; scratch memory comes from the arena.
 * Errors   ST_CORRUPT (the item's bytes), ST_NO_MEMORY, the buf's limit as ST_TOO_BIG.
 */
#ifndef STORAGE_EXPR_EVAL_PROJECT_H
#define STORAGE_EXPR_EVAL_PROJECT_H

#include "proto/base/arena.h"
#include "proto/wire/expr.pb-c.h"

/* Paths in the order of their bytes, once for many items. */
struct eval_projection {
	const struct slice *paths;
	uint32_t count;
};

enum status eval_project_init(struct eval_projection *projection, const Cleave__ExprProjection *source,
			      struct arena *arena) MUST_CHECK;
/* What UPDATED_OLD returns of the old item, and UPDATED_NEW of the new one. */
enum status eval_project_init_updated(struct eval_projection *projection, const Cleave__ExprUpdate *source,
				      struct arena *arena) MUST_CHECK;
/* Append the projected item. */
enum status eval_project(const struct eval_projection *projection, struct slice item,
			 struct buf *out) MUST_CHECK;

#endif
