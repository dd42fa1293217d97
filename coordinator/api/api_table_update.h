/* What UpdateTable makes of a table.
 *
 * Threads  pure functions.
 * Memory   what is made lives in the arena.
 * Errors   false with *error set.
 */
#ifndef COORDINATOR_API_API_TABLE_UPDATE_H
#define COORDINATOR_API_API_TABLE_UPDATE_H

#include "coordinator/api/api_table_input.h"

/* *table becomes what it shall be, but for indexes that are made or deleted: those are input's
 * index_updates, at most one of them. */
bool api_table_update_apply(const struct api_table_input *input, struct arena *arena,
			    struct table_info *table, struct api_error *error) MUST_CHECK;

#endif
