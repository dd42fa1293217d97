/* What GetItem was asked for: from JSON to checked parameters.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.  Checked in this order: JSON and its types, constraints (all in
 *          one message), parameters that may not come together, the key's values, expressions.
 */
#ifndef COORDINATOR_API_API_ITEM_INPUT_H
#define COORDINATOR_API_API_ITEM_INPUT_H

#include "coordinator/api/api_capacity.h"
#include "coordinator/api/api_expression.h"
#include "coordinator/json/json_reader.h"

struct api_item_input {
	struct slice table_name;
	struct slice key;
	bool is_consistent;
	enum api_capacity capacity;
	struct api_expressions expressions; /* the projection */
};

bool api_item_input_read(struct slice body, struct arena *arena, struct api_item_input *input_out,
			 struct api_error *error) MUST_CHECK;

#endif
