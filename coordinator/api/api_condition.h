/* Conditions of the old kind, KeyConditions, QueryFilter and ScanFilter, in a request's JSON.
 *
 * Threads  pure functions.
 * Memory   what is read borrows from the body and the arena.
 */
#ifndef COORDINATOR_API_API_CONDITION_H
#define COORDINATOR_API_API_CONDITION_H

#include "coordinator/expr/expr_legacy.h"
#include "coordinator/json/json_reader.h"

/* A map from attributes to conditions: read as a struct json_list. */
extern const struct json_type api_condition_map_type;

/* For the compilers of coordinator/expr; ST_NO_MEMORY. */
enum status api_condition_convert(const struct json_list *map, struct arena *arena,
				  struct expr_legacy_conditions *out) MUST_CHECK;

#endif
