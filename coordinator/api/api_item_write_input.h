/* What PutItem, DeleteItem and UpdateItem were asked for: from JSON to checked parameters.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.  Checked in this order: JSON and its types, constraints (all in
 *          one message), parameters that may not come together, attribute values, ReturnValues, the
 *          item's size, the old parameters, placeholders and expressions.
 */
#ifndef COORDINATOR_API_API_ITEM_WRITE_INPUT_H
#define COORDINATOR_API_API_ITEM_WRITE_INPUT_H

#include "coordinator/api/api_capacity.h"
#include "coordinator/api/api_write_expression.h"
#include "coordinator/exec/item_op.h"

struct api_item_write_input {
	struct slice table_name;
	struct slice item; /* PutItem: the item; else the key */
	Cleave__WriteItemRequest__Returned returned;
	bool returns_old_on_failure; /* of the condition */
	enum api_capacity capacity;
	bool wants_metrics; /* ReturnItemCollectionMetrics */
	struct api_write_programs programs;
};

/* kind: not ITEM_OP_GET. */
bool api_item_write_input_read(enum item_op_kind kind, struct slice body, struct arena *arena,
			       struct api_item_write_input *input_out, struct api_error *error) MUST_CHECK;

/* ReturnItemCollectionMetrics, which batches have too: is it SIZE? */
bool api_item_write_wants_metrics(struct slice value);

#endif
