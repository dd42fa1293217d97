/* What PutItem, GetItem and DeleteItem were asked for: from JSON to checked parameters.
 *
 * Parameters of features that are not there yet are refused by name, never ignored.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.  Checked in this order: JSON and its types, constraints
 *          (all in one message), what is not supported, attribute values, the item's size.
 */
#ifndef COORDINATOR_API_API_ITEM_INPUT_H
#define COORDINATOR_API_API_ITEM_INPUT_H

#include "coordinator/api/api_capacity.h"
#include "coordinator/api/api_expression.h"
#include "coordinator/exec/item_op.h"
#include "coordinator/json/json_reader.h"

struct api_item_input {
	struct slice table_name;
	struct slice item; /* PutItem: the item; else the key */
	bool is_consistent;
	bool returns_old;
	enum api_capacity capacity;
	uint64_t size_bytes;                /* of the item, as DynamoDB counts */
	struct api_expressions expressions; /* GetItem: the projection */
};

bool api_item_input_read(enum item_op_kind kind, struct slice body, struct arena *arena,
			 struct api_item_input *input_out, struct api_error *error) MUST_CHECK;

#endif
