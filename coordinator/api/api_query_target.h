/* What a Query or Scan reads: a table, or one of its indexes.
 *
 * A local index lies in the table's own partitions, a global one in those of its derived table.
 *
 * Threads  loop thread.
 * Memory   a target is whole in itself but for the index's projected attributes and the other
 *          indexes, which it borrows from the catalog's copy: they hold for this turn only.
 * Errors   false with *error set, as the service words it.
 */
#ifndef COORDINATOR_API_API_QUERY_TARGET_H
#define COORDINATOR_API_API_QUERY_TARGET_H

#include "coordinator/api/api_query_input.h"
#include "proto/catalog/catalog_state.h"

struct api_query_target {
	uint32_t table_id;   /* whose partitions are asked */
	uint64_t token_seed; /* of that table */
	bool has_index;
	const struct table_indexes *indexes;
	struct table_schema table_schema;
	struct table_index index; /* if has_index */
};

/* The table's own rows. */
void api_query_target_of_table(const struct table_info *table, struct api_query_target *target_out);
/* Those of the index that the input names, if it names one. */
bool api_query_target_find(const struct api_query_input *input, const struct table_info *table,
			   const struct catalog_state *state, struct api_query_target *target_out,
			   struct api_error *error) MUST_CHECK;

/* The schema that key conditions are about. */
const struct table_schema *api_query_target_schema(const struct api_query_target *target);
/* For table_index.h; the target has an index. */
struct index_owner api_query_target_owner(const struct api_query_target *target);
static inline bool api_query_target_is_global(const struct api_query_target *target)
{
	return target->has_index && !table_index_is_local(&target->index);
}

/* May it be read so?  No strong reads of a global index. */
bool api_query_target_check_consistency(const struct api_query_target *target,
					const struct api_query_input *input,
					struct api_error *error) MUST_CHECK;
/* Whole items come only from an index that holds them, or can fetch them. */
bool api_query_target_check_select(const struct api_query_target *target, const struct api_query_input *input,
				   struct api_error *error) MUST_CHECK;
/* What is returned, and what a Query filters by, must be in a global index. */
bool api_query_target_check_attributes(const struct api_query_target *target,
				       const struct api_query_input *input, bool is_query,
				       struct api_error *error) MUST_CHECK;

/* What the rows are to be read with: are the whole items needed, and what is answered of them. */
struct api_query_selection {
	bool fetches_items; /* from the table, beside the rows of a local index */
	const Cleave__ExprProjection *projection;
};
bool api_query_target_selection(const struct api_query_target *target, const struct api_query_input *input,
				struct arena *arena, struct api_query_selection *selection_out,
				struct api_error *error) MUST_CHECK;

/* LastEvaluatedKey: from the row where a page ended.  ST_CORRUPT: the replica sent no such row. */
enum status api_query_target_to_key(const struct api_query_target *target, struct slice row_key,
				    struct buf *out) MUST_CHECK;

#endif
