#include "storage/expr/eval_path_range.h"

struct expr_path_element eval_path_range_element(const struct eval_path_range *range, uint32_t index)
{
	struct slice path = range->paths[index];
	struct slice rest = slice_of(path.data + range->offset, path.size - range->offset);
	struct expr_path_element element = { slice_of(NULL, 0), 0 };

	(void)expr_path_next(&rest, &element);
	return element;
}

static size_t size_of(const struct expr_path_element *element)
{
	return element->name.data == NULL ? EXPR_PATH_INDEX_SIZE
					  : EXPR_PATH_NAME_HEAD_SIZE + element->name.size;
}

/* As their bytes compare: names by size, then by bytes; then indexes. */
static int compare(const struct expr_path_element *a, const struct expr_path_element *b)
{
	if ((a->name.data == NULL) != (b->name.data == NULL))
		return a->name.data == NULL ? 1 : -1;
	if (a->name.data == NULL)
		return (a->index > b->index) - (a->index < b->index);
	if (a->name.size != b->name.size)
		return a->name.size < b->name.size ? -1 : 1;
	return a->name.size == 0 ? 0 : memcmp(a->name.data, b->name.data, a->name.size);
}

static bool is_before(const struct eval_path_range *range, uint32_t index,
		      const struct expr_path_element *wanted)
{
	struct expr_path_element element = eval_path_range_element(range, index);

	return compare(&element, wanted) < 0;
}

static bool is_at(const struct eval_path_range *range, uint32_t index, const struct expr_path_element *wanted)
{
	struct expr_path_element element = eval_path_range_element(range, index);

	return compare(&element, wanted) == 0;
}

struct eval_path_range eval_path_range_find(const struct eval_path_range *range,
					    const struct expr_path_element *element)
{
	struct eval_path_range found = { range->paths, range->first, range->first,
					 range->offset + size_of(element) };
	uint32_t end = range->end;

	while (found.first < end) {
		uint32_t middle = found.first + (end - found.first) / 2;

		if (is_before(range, middle, element))
			found.first = middle + 1;
		else
			end = middle;
	}
	found.end = found.first;
	while (found.end < range->end && is_at(range, found.end, element))
		found.end++;
	return found;
}
