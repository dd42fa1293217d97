/* ExclusiveStartKey: is it a key of what is read, and which row key is it?
 *
 * An index's start key has the attributes of its own key and of the table's.  The service looks at
 * them in steps, with other checks of the request between them, and words each step otherwise.
 *
 * Threads  pure functions.
 * Memory   row keys live in the arena.
 * Errors   false with *error set, as the service words it.
 */
#ifndef COORDINATOR_API_API_START_KEY_H
#define COORDINATOR_API_API_START_KEY_H

#include "coordinator/api/api_query_target.h"

/* First the number of attributes. */
bool api_start_key_check_count(const struct api_query_target *target, enum api_query_kind kind,
			       struct slice key, struct api_error *error) MUST_CHECK;
/* Then the attributes of the key that is read by, from first to before end, except by a Scan of a table. */
bool api_start_key_check_attributes(const struct table_schema *schema, uint32_t first, uint32_t end,
				    struct slice key, struct api_error *error) MUST_CHECK;
/* Last those of the table's key.  The row key comes out. */
bool api_start_key_to_row(const struct api_query_target *target, struct slice key, struct arena *arena,
			  struct slice *row_key_out, struct api_error *error) MUST_CHECK;

#endif
