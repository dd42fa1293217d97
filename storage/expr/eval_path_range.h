/* Paths in the order of their bytes, searched step by step along an item.
 *
 * Threads  pure functions.
 * Memory   a range borrows the paths.
 * Errors   none: the paths are sound.
 */
#ifndef STORAGE_EXPR_EVAL_PATH_RANGE_H
#define STORAGE_EXPR_EVAL_PATH_RANGE_H

#include "proto/wire/expr_code.h"

/* Paths first..end (exclusive), which agree in their first offset bytes. */
struct eval_path_range {
	const struct slice *paths;
	uint32_t first;
	uint32_t end;
	size_t offset;
};

/* What the path of that index goes on with; it does not end here. */
struct expr_path_element eval_path_range_element(const struct eval_path_range *range, uint32_t index);
/* Those that go on with that element; empty if there is none. */
struct eval_path_range eval_path_range_find(const struct eval_path_range *range,
					    const struct expr_path_element *element);

static inline bool eval_path_range_is_empty(const struct eval_path_range *range)
{
	return range->first == range->end;
}

/* Does one of them end here?  That is the first. */
static inline bool eval_path_range_ends(const struct eval_path_range *range)
{
	return range->paths[range->first].size == range->offset;
}

#endif
