/* Secondary indexes in CreateTable and UpdateTable: from JSON to checked definitions.
 *
 * Threads  pure functions.
 * Memory   what is made lives in the arena and borrows from the body.
 * Errors   false with *error set.
 * Source   "Improving data access with secondary indexes", AWS's documentation.
 */
#ifndef COORDINATOR_API_API_INDEX_INPUT_H
#define COORDINATOR_API_API_INDEX_INPUT_H

#include "coordinator/api/api_error.h"
#include "coordinator/api/api_table_raw.h"
#include "proto/base/arena.h"
#include "proto/model/table_index.h"

/* New units of a global index. */
struct api_index_units {
	struct slice name;
	uint64_t read_units;
	uint64_t write_units;
};

/* What UpdateTable shall do with indexes. */
struct api_index_updates {
	uint32_t create_count;
	const struct table_index *create; /* the last of them */
	bool create_has_units;
	uint32_t delete_count;
	struct slice delete_name; /* the last of them */
	const struct api_index_units *units;
	uint32_t units_count;
};

/* The indexes of a new table, whose own keys were checked.  *indexes_out: NULL if there are none. */
bool api_index_input_create(const struct raw_table *raw, bool is_on_demand, struct arena *arena,
			    const struct table_indexes **indexes_out, struct api_error *error) MUST_CHECK;
/* All of GlobalSecondaryIndexUpdates that can be judged without the table. */
bool api_index_input_update(const struct raw_table *raw, struct arena *arena,
			    struct api_index_updates *updates_out, struct api_error *error) MUST_CHECK;

/* Are units within what an index may have?  name: .data is NULL for the table itself. */
bool api_index_input_check_units(const struct raw_units *units, struct slice name,
				 struct api_error *error) MUST_CHECK;
/* Are they not nonsense?  UpdateTable tells that in words of its own. */
bool api_index_input_is_sane(const struct api_index_units *units);

#endif
