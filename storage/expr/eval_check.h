/* Is a compiled expression from outside sound?  One pass over it, before it is run.
 *
 * Threads  pure functions.
 * Memory   none.
 * Errors   ST_CORRUPT: an unknown operation, an index out of range, an operand missing or left
 *          over, spans that cross, a bad path or value, actions that meet.  ST_TOO_BIG: over a limit.
 */
#ifndef STORAGE_EXPR_EVAL_CHECK_H
#define STORAGE_EXPR_EVAL_CHECK_H

#include "proto/base/status.h"
#include "proto/wire/expr.pb-c.h"

enum status eval_check_condition(const Cleave__ExprCondition *condition);
enum status eval_check_update(const Cleave__ExprUpdate *update);
enum status eval_check_projection(const Cleave__ExprProjection *projection);

#endif
