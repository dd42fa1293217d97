/* Old and new parameters in one request, and placeholders that nothing could use.
 *
 * Threads  pure functions.
 * Memory   borrows only.
 * Errors   ST_INVALID with *error set.
 */
#ifndef COORDINATOR_EXPR_EXPR_MIXED_H
#define COORDINATOR_EXPR_EXPR_MIXED_H

#include "coordinator/expr/expr_error.h"

/* A parameter that was in the request, or not. */
struct expr_parameter {
	const char *name;
	bool is_set;
};

/* Old and new parameters in one request, in the operation's order; and placeholders without
 * an expression.  KeyConditions may stand beside expressions unless KeyConditionExpression
 * is there too. */
enum status expr_mixed_check(const struct expr_parameter *expressions, uint32_t expression_count,
			     const struct expr_parameter *others, uint32_t other_count, bool has_names,
			     bool has_values, struct expr_error *error) MUST_CHECK;

#endif
