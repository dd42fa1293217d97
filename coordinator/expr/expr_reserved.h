/* The words that no expression may use as an attribute's name.
 *
 * Threads  pure functions.
 * Source   "Reserved words in DynamoDB", AWS's documentation.
 */
#ifndef COORDINATOR_EXPR_EXPR_RESERVED_H
#define COORDINATOR_EXPR_EXPR_RESERVED_H

#include "proto/base/bytes.h"

/* Upper and lower case are the same. */
bool expr_reserved(struct slice name);

#endif
