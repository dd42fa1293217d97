/* Equality of values as a condition sees it: maps and sets without order, lists with it,
 * numbers by value (their bytes are canonical, so that is equality of bytes).
 *
 * Threads  pure functions.
 * Memory   scratch memory while large maps and sets are sorted.
 * Errors   ST_CORRUPT (bad bytes, nested too deep), ST_NO_MEMORY; the answer is written on ST_OK only.
 */
#ifndef PROTO_MODEL_ITEM_EQUAL_H
#define PROTO_MODEL_ITEM_EQUAL_H

#include "proto/model/item.h"

enum status item_equal(struct slice a, struct slice b, bool *is_equal_out) MUST_CHECK;
enum status item_equal_value(const struct item_value *a, const struct item_value *b,
			     bool *is_equal_out) MUST_CHECK;

#endif
