/* From the parameters of a Query or Scan, and what it reads, to a range of row keys.
 *
 * Threads  pure functions.
 * Memory   bounds live in the arena.
 * Errors   false with *error set: API_ERROR_VALIDATION as the service words it, or
 *          API_ERROR_INTERNAL without memory.
 */
#ifndef COORDINATOR_API_API_QUERY_RANGE_H
#define COORDINATOR_API_API_QUERY_RANGE_H

#include "coordinator/api/api_query_target.h"

struct api_query_range {
	struct slice start; /* inclusive row key */
	struct slice end;   /* exclusive; not before start */
};

/* The rows of a Scan: a segment's tokens, from behind the start key.  Select is checked on the way. */
bool api_query_range_of_scan(const struct api_query_input *input, const struct api_query_target *target,
			     struct arena *arena, struct api_query_range *range_out,
			     struct api_error *error) MUST_CHECK;

/* The rows of a Query: of one partition key, as its key condition has it. */
bool api_query_range_of_query(const struct api_query_input *input, const struct api_query_target *target,
			      struct arena *arena, struct api_query_range *range_out,
			      struct api_error *error) MUST_CHECK;

#endif
