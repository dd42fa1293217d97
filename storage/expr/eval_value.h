/* Values for expressions: found by path, compared, measured, searched.
 *
 * A value that is not there has type 0 (eval_value_is_there()).
 *
 * Threads  pure functions.
 * Memory   values are views into the item, the program or the caller's scratch bytes.
 * Errors   enum status where bytes must be walked to the end: ST_CORRUPT, ST_NO_MEMORY.
 * Source   "Comparison operator and function reference", AWS's documentation.
 */
#ifndef STORAGE_EXPR_EVAL_VALUE_H
#define STORAGE_EXPR_EVAL_VALUE_H

#include "proto/model/item.h"
#include "proto/wire/expr_code.h"

#include <protobuf-c/protobuf-c.h>

/* Room for one encoded number: type, size, payload. */
enum { EVAL_NUMBER_SIZE_MAX = 32 };

static inline bool eval_value_is_there(const struct item_value *value)
{
	return value->type != 0;
}

static inline struct slice eval_slice(ProtobufCBinaryData data)
{
	return slice_of(data.data, data.len);
}

/* One encoded value; not there if the bytes are bad. */
struct item_value eval_value_of(struct slice encoded);
/* What lies at a path; not there if it leads nowhere. */
struct item_value eval_value_at(struct slice item, struct slice path);
/* Characters of a string (as UTF-16 has them, like the service), bytes, members, elements, attributes: a
 * number, encoded in scratch; not there for other types. */
struct item_value eval_value_size(const struct item_value *value, uint8_t scratch[EVAL_NUMBER_SIZE_MAX]);

/* Values that are there and of one type. */
enum status eval_value_equal(const struct item_value *a, const struct item_value *b,
			     bool *is_equal_out) MUST_CHECK;
/* False if they have no order; else *order_out is <0, 0, >0. */
bool eval_value_order(const struct item_value *a, const struct item_value *b, int *order_out);
bool eval_value_begins_with(const struct item_value *value, const struct item_value *beginning);
/* A part of a string or of bytes, a member of a set, an element of a list. */
enum status eval_value_contains(const struct item_value *value, const struct item_value *part,
				bool *is_in_out) MUST_CHECK;

#endif
