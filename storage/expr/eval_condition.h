/* Is a condition, or a filter, true of an item?
 *
 * Threads  pure functions.
 * Memory   scratch memory only where large maps and sets are compared.
 * Errors   ST_CORRUPT (the item's bytes), ST_NO_MEMORY.
 */
#ifndef STORAGE_EXPR_EVAL_CONDITION_H
#define STORAGE_EXPR_EVAL_CONDITION_H

#include "proto/base/bytes.h"
#include "proto/wire/expr.pb-c.h"

/* condition has passed eval_check_condition().  item is empty if there is none. */
enum status eval_condition(const Cleave__ExprCondition *condition, struct slice item,
			   bool *is_true_out) MUST_CHECK;

#endif
