#include "storage/expr/eval_project.h"

#include <stdlib.h>

#include "storage/expr/eval_path_range.h"
#include "storage/expr/eval_value.h"

enum { HEAD_SIZE = 9, COUNT_SIZE = 4 };

struct projector {
	struct buf *out;
	enum status status;
};

static int compare_paths(const void *left, const void *right)
{
	return slice_compare(*(const struct slice *)left, *(const struct slice *)right);
}

static enum status init(struct eval_projection *projection, struct slice *paths, uint32_t count)
{
	if (count > 1)
		qsort(paths, count, sizeof(*paths), compare_paths);
	*projection = (struct eval_projection){ paths, count };
	return ST_OK;
}

enum status eval_project_init(struct eval_projection *projection, const Cleave__ExprProjection *source,
			      struct arena *arena)
{
	struct slice *paths = arena_alloc(arena, (source->n_paths + 1) * sizeof(*paths));

	if (paths == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < source->n_paths; i++)
		paths[i] = eval_slice(source->paths[i]);
	return init(projection, paths, (uint32_t)source->n_paths);
}

static size_t numbers_size(enum expr_op op)
{
	if (op == EXPR_OP_IF_EXISTS || op == EXPR_OP_ADD || op == EXPR_OP_DELETE)
		return 4;
	return op == EXPR_OP_PATH || op == EXPR_OP_VALUE || op == EXPR_OP_SET || op == EXPR_OP_REMOVE ? 2 : 0;
}

enum status eval_project_init_updated(struct eval_projection *projection, const Cleave__ExprUpdate *source,
				      struct arena *arena)
{
	struct slice code = eval_slice(source->code);
	/* An action takes three bytes at least. */
	struct slice *paths = arena_alloc(arena, (code.size / 3 + 1) * sizeof(*paths));
	uint32_t count = 0;

	if (paths == NULL)
		return ST_NO_MEMORY;
	for (size_t at = 0; at < code.size; at += 1 + numbers_size(code.data[at])) {
		if (code.data[at] >= EXPR_OP_SET)
			paths[count++] = eval_slice(source->paths[get_u16_be(code.data + at + 1)]);
	}
	return init(projection, paths, count);
}

static bool write_part(struct projector *p, struct slice name, const struct item_value *value,
		       const struct eval_path_range *range);

static uint32_t write_from_map(struct projector *p, struct slice map, const struct eval_path_range *range)
{
	struct item_attribute attribute;
	struct item_iter iter;
	uint32_t count = 0;

	item_iter_init(&iter, map);
	while (item_next_attribute(&iter, &attribute)) {
		struct expr_path_element element = { attribute.name, 0 };
		struct eval_path_range found = eval_path_range_find(range, &element);

		if (!eval_path_range_is_empty(&found))
			count += write_part(p, attribute.name, &attribute.value, &found);
	}
	if (item_iter_status(&iter) != ST_OK)
		p->status = ST_CORRUPT;
	return count;
}

static uint32_t write_from_list(struct projector *p, struct slice list, const struct eval_path_range *range)
{
	struct expr_path_element element = { slice_of(NULL, 0), 0 };
	struct item_value value;
	struct item_iter iter;
	uint32_t count = 0;

	item_iter_init(&iter, list);
	for (; item_next_value(&iter, &value); element.index++) {
		struct eval_path_range found = eval_path_range_find(range, &element);

		if (!eval_path_range_is_empty(&found))
			count += write_part(p, slice_of(NULL, 0), &value, &found);
	}
	if (item_iter_status(&iter) != ST_OK)
		p->status = ST_CORRUPT;
	return count;
}

/* A container with the named parts of another; nothing if it has none of them. */
static bool write_container(struct projector *p, const struct item_value *value,
			    const struct eval_path_range *range)
{
	size_t start = p->out->size;
	uint32_t count;

	(void)buf_extend(p->out, HEAD_SIZE);
	count = value->type == ITEM_M ? write_from_map(p, value->payload, range)
				      : write_from_list(p, value->payload, range);
	if (count == 0 || p->out->status != ST_OK)
		return false;
	p->out->data[start] = (uint8_t)value->type;
	put_u32_be(p->out->data + start + 1, (uint32_t)(p->out->size - start - HEAD_SIZE + COUNT_SIZE));
	put_u32_be(p->out->data + start + HEAD_SIZE - COUNT_SIZE, count);
	return true;
}

/* name: none (NULL) in a list. */
static bool write_part(struct projector *p, struct slice name, const struct item_value *value,
		       const struct eval_path_range *range)
{
	size_t start = p->out->size;
	bool is_container = value->type == ITEM_M || value->type == ITEM_L;
	bool is_written = eval_path_range_ends(range);

	if (!is_written && !is_container)
		return false;
	if (name.data != NULL) {
		buf_put_varint(p->out, name.size);
		buf_append_slice(p->out, name);
	}
	if (is_written)
		buf_append_slice(p->out, value->encoded);
	else
		is_written = write_container(p, value, range);
	if (!is_written && p->out->status == ST_OK)
		p->out->size = start;
	return is_written;
}

enum status eval_project(const struct eval_projection *projection, struct slice item, struct buf *out)
{
	struct eval_path_range all = { projection->paths, 0, projection->count, 0 };
	struct projector p = { out, ST_OK };
	size_t start = out->size;
	uint32_t count;

	(void)buf_extend(out, COUNT_SIZE);
	count = item.size == 0 ? 0 : write_from_map(&p, item, &all);
	if (out->status != ST_OK)
		return out->status;
	put_u32_be(out->data + start, count);
	return p.status;
}
