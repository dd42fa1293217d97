/* Conditions: from text to the compiled form.
 *
 * One grammar for ConditionExpression, FilterExpression and KeyConditionExpression:
 *
 *   condition  operand comparator operand | operand BETWEEN operand AND operand
 *              | operand IN ( operand, ... ) | function | ( condition )
 *              | NOT condition | condition AND condition | condition OR condition
 *   operand    path | :value | size ( operand ) | ( operand )
 *
 * Threads, memory, errors: those of the bind.
 * Source   "Condition expressions", AWS's documentation.
 */
#ifndef COORDINATOR_EXPR_EXPR_CONDITION_H
#define COORDINATOR_EXPR_EXPR_CONDITION_H

#include "coordinator/expr/expr_bind.h"
#include "proto/wire/expr.pb-c.h"

/* use: EXPR_CONDITION, EXPR_FILTER or EXPR_KEY_CONDITION. */
enum status expr_condition_parse(struct expr_bind *bind, enum expr_use use, struct slice text,
				 Cleave__ExprCondition **condition_out) MUST_CHECK;

#endif
