/* UpdateExpression: from text to the compiled form.
 *
 *   update   SET path = value, ... | REMOVE path, ... | ADD path :value, ... | DELETE path :value, ...
 *            each section once, in any order
 *   value    operand | operand + operand | operand - operand
 *   operand  path | :value | if_not_exists ( path, operand ) | list_append ( operand, operand )
 *            | ( operand )
 *
 * Threads, memory, errors: those of the bind.
 * Source   "Update expressions", AWS's documentation.
 */
#ifndef COORDINATOR_EXPR_EXPR_UPDATE_H
#define COORDINATOR_EXPR_EXPR_UPDATE_H

#include "coordinator/expr/expr_bind.h"
#include "proto/wire/expr.pb-c.h"

enum status expr_update_parse(struct expr_bind *bind, struct slice text,
			      Cleave__ExprUpdate **update_out) MUST_CHECK;
/* What DynamoDB says to an update that a node could not apply. */
const char *expr_update_error_text(Cleave__ExprUpdateError error);

#endif
