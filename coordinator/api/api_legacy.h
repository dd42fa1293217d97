/* The old parameters of writes, Expected and AttributeUpdates, in a request's JSON.
 *
 * Threads  pure functions.
 * Memory   what is read borrows from the body and the arena.
 * Source   "Legacy conditional parameters", AWS's documentation.
 */
#ifndef COORDINATOR_API_API_LEGACY_H
#define COORDINATOR_API_API_LEGACY_H

#include "coordinator/expr/expr_legacy.h"
#include "coordinator/json/json_reader.h"

/* Maps from attributes: each read as a struct json_list. */
extern const struct json_type api_legacy_expected_type;
extern const struct json_type api_legacy_updates_type;

/* For the compilers of coordinator/expr; ST_NO_MEMORY. */
enum status api_legacy_convert_expected(const struct json_list *map, struct arena *arena,
					struct expr_legacy_conditions *out) MUST_CHECK;
/* *actions_out: map->count of them. */
enum status api_legacy_convert_updates(const struct json_list *map, struct arena *arena,
				       const struct expr_legacy_action **actions_out) MUST_CHECK;

#endif
