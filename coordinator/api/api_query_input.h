/* What Query and Scan were asked for: from JSON to checked parameters.
 *
 * Checked here is what needs no table; keys and key conditions are held against the table's
 * schema by api_query_range.h.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.  Order: JSON and its types, constraints (all in one message),
 *          what is not supported, mixed parameters, attribute values, segments, expressions, Select.
 */
#ifndef COORDINATOR_API_API_QUERY_INPUT_H
#define COORDINATOR_API_API_QUERY_INPUT_H

#include "coordinator/api/api_capacity.h"
#include "coordinator/api/api_expression.h"
#include "proto/base/arena.h"

enum api_query_kind { API_QUERY, API_SCAN };

struct api_query_input {
	struct slice table_name;
	struct slice index_name; /* data NULL: the table itself */
	struct slice start_key;  /* item bytes; data NULL: from the beginning */
	bool is_consistent;
	bool is_backward;
	bool counts_only;
	bool wants_whole_items; /* Select is ALL_ATTRIBUTES */
	uint32_t row_count_max; /* UINT32_MAX: no Limit */
	uint32_t segment;       /* of segment_count, from 0 */
	uint32_t segment_count; /* 1: the whole table */
	enum api_capacity capacity;
	struct api_expressions expressions; /* key_terms: Query only */
};

bool api_query_input_read(enum api_query_kind kind, struct slice body, struct arena *arena,
			  struct api_query_input *input_out, struct api_error *error) MUST_CHECK;

#endif
