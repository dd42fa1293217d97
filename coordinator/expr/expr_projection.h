/* ProjectionExpression and AttributesToGet: which parts of an item to answer with.
 *
 * Threads, memory, errors: those of the bind.
 * Source   "Projection expressions", AWS's documentation.
 */
#ifndef COORDINATOR_EXPR_EXPR_PROJECTION_H
#define COORDINATOR_EXPR_EXPR_PROJECTION_H

#include "coordinator/expr/expr_bind.h"
#include "proto/wire/expr.pb-c.h"

enum status expr_projection_parse(struct expr_bind *bind, struct slice text,
				  Cleave__ExprProjection **projection_out) MUST_CHECK;
/* AttributesToGet, or the key attributes of an index: whole attributes, by name. */
enum status expr_projection_of_names(struct arena *arena, const struct slice *names, uint32_t name_count,
				     Cleave__ExprProjection **projection_out,
				     struct expr_error *error) MUST_CHECK;

#endif
