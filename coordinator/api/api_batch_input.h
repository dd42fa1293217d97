/* What BatchGetItem was asked for: from JSON to checked parameters.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.  Order: JSON and its types, constraints (all in one message),
 *          then table by table what is not supported, attribute values, duplicates, counts.
 */
#ifndef COORDINATOR_API_API_BATCH_INPUT_H
#define COORDINATOR_API_API_BATCH_INPUT_H

#include "coordinator/api/api_capacity.h"
#include "coordinator/api/api_expression.h"
#include "proto/base/arena.h"

struct api_batch_table {
	struct slice name;
	const struct slice *keys; /* item bytes */
	uint32_t key_count;
	bool is_consistent;
	struct api_expression_input expression_input; /* as sent, for UnprocessedKeys */
	struct api_expressions expressions;           /* the projection */
};

struct api_batch_input {
	struct api_batch_table *tables;
	uint32_t table_count;
	uint32_t key_count; /* of all tables: 1 to LIMIT_BATCH_GET_COUNT */
	enum api_capacity capacity;
};

bool api_batch_input_read(struct slice body, struct arena *arena, struct api_batch_input *input_out,
			  struct api_error *error) MUST_CHECK;

#endif
