/* What BatchWriteItem was asked for: from JSON to checked parameters.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.  Checked in this order: JSON and its types, constraints (all in
 *          one message), attribute values, one action in each request, sizes, the number of all.
 */
#ifndef COORDINATOR_API_API_BATCH_WRITE_INPUT_H
#define COORDINATOR_API_API_BATCH_WRITE_INPUT_H

#include "coordinator/api/api_capacity.h"
#include "coordinator/api/api_error.h"
#include "proto/base/arena.h"

struct api_batch_write {
	uint32_t table_index;
	bool is_put;
	struct slice item; /* or the key to delete */
};

struct api_batch_write_input {
	struct slice *table_names;
	uint32_t table_count;
	struct api_batch_write *writes; /* in the order of the request */
	uint32_t write_count;           /* 1 to LIMIT_BATCH_WRITE_COUNT */
	enum api_capacity capacity;
	bool wants_metrics; /* ReturnItemCollectionMetrics */
};

bool api_batch_write_input_read(struct slice body, struct arena *arena,
				struct api_batch_write_input *input_out, struct api_error *error) MUST_CHECK;

#endif
