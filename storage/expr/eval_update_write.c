#include "storage/expr/eval_path_range.h"
#include "storage/expr/eval_update_internal.h"

enum { SIZE_AND_COUNT_SIZE = 8, COUNT_SIZE = 4 };

struct writer {
	struct eval_action **actions; /* one for each path of a range */
	struct buf *out;
	enum status status;
};

static void put_name(struct buf *out, struct slice name)
{
	buf_put_varint(out, name.size);
	buf_append_slice(out, name);
}

/* The bytes of elements that stay as they are. */
static void flush(struct writer *w, const uint8_t *start, const uint8_t *end)
{
	if (end > start)
		buf_append(w->out, start, (size_t)(end - start));
}

static void write_inside(struct writer *w, const struct item_value *old, const struct eval_path_range *range);

/* The value that an action changes, or something inside it; the number of values written. */
static uint32_t write_changed(struct writer *w, const struct item_value *old, struct slice name,
			      const struct eval_path_range *range)
{
	struct eval_action *action = w->actions[range->first];

	if (!eval_path_range_ends(range)) {
		if (name.data != NULL)
			put_name(w->out, name);
		write_inside(w, old, range);
		return 1;
	}
	action->is_done = true;
	if (!eval_value_is_there(&action->value))
		return 0;
	if (name.data != NULL)
		put_name(w->out, name);
	buf_append_slice(w->out, action->value.encoded);
	return 1;
}

/* What is set and was not there before. */
static uint32_t write_new(struct writer *w, const struct eval_path_range *range)
{
	uint32_t count = 0;

	for (uint32_t i = range->first; i < range->end; i++) {
		struct eval_action *action = w->actions[i];
		struct expr_path_element element = eval_path_range_element(range, i);

		if (action->is_done || !eval_value_is_there(&action->value))
			continue;
		action->is_done = true;
		if (element.name.data != NULL)
			put_name(w->out, element.name);
		buf_append_slice(w->out, action->value.encoded);
		count++;
	}
	return count;
}

/* The elements of a map; their number. */
static uint32_t write_map(struct writer *w, struct slice map, const struct eval_path_range *range)
{
	struct item_attribute attribute;
	struct item_iter iter;
	const uint8_t *kept;
	uint32_t count = 0;

	item_iter_init(&iter, map);
	kept = iter.reader.data;
	for (;;) {
		const uint8_t *start = iter.reader.data;
		struct expr_path_element element;
		struct eval_path_range found;

		if (!item_next_attribute(&iter, &attribute))
			break;
		element = (struct expr_path_element){ attribute.name, 0 };
		found = eval_path_range_find(range, &element);
		if (eval_path_range_is_empty(&found)) {
			count++;
			continue;
		}
		flush(w, kept, start);
		kept = iter.reader.data;
		count += write_changed(w, &attribute.value, attribute.name, &found);
	}
	if (item_iter_status(&iter) != ST_OK) {
		w->status = ST_CORRUPT;
		return count;
	}
	flush(w, kept, iter.reader.data);
	return count + write_new(w, range);
}

/* The elements of a list; their number.  New ones come in the order of their indexes. */
static uint32_t write_list(struct writer *w, struct slice list, const struct eval_path_range *range)
{
	struct expr_path_element element = { slice_of(NULL, 0), 0 };
	struct item_value value;
	struct item_iter iter;
	const uint8_t *kept;
	uint32_t count = 0;

	item_iter_init(&iter, list);
	kept = iter.reader.data;
	for (;; element.index++) {
		const uint8_t *start = iter.reader.data;
		struct eval_path_range found;

		if (!item_next_value(&iter, &value))
			break;
		found = eval_path_range_find(range, &element);
		if (eval_path_range_is_empty(&found)) {
			count++;
			continue;
		}
		flush(w, kept, start);
		kept = iter.reader.data;
		count += write_changed(w, &value, slice_of(NULL, 0), &found);
	}
	if (item_iter_status(&iter) != ST_OK) {
		w->status = ST_CORRUPT;
		return count;
	}
	flush(w, kept, iter.reader.data);
	return count + write_new(w, range);
}

static void write_inside(struct writer *w, const struct item_value *old, const struct eval_path_range *range)
{
	uint32_t count = 0;
	size_t payload;

	buf_put_u8(w->out, (uint8_t)old->type);
	payload = w->out->size + SIZE_AND_COUNT_SIZE - COUNT_SIZE;
	(void)buf_extend(w->out, SIZE_AND_COUNT_SIZE);
	if (old->type == ITEM_M)
		count = write_map(w, old->payload, range);
	else if (old->type == ITEM_L)
		count = write_list(w, old->payload, range);
	else
		w->status = ST_CORRUPT; /* checked: what a path goes through is a container */
	if (w->out->status != ST_OK)
		return;
	put_u32_be(w->out->data + payload - COUNT_SIZE, (uint32_t)(w->out->size - payload));
	put_u32_be(w->out->data + payload, count);
}

void eval_update_write(struct eval_update_work *work, struct eval_action **actions, const struct slice *paths,
		       struct buf *out)
{
	struct eval_path_range all = { paths, 0, work->action_count, 0 };
	struct writer w = { actions, out, ST_OK };
	size_t start = out->size;
	uint32_t count;

	(void)buf_extend(out, COUNT_SIZE);
	count = write_map(&w, work->base, &all);
	if (out->status == ST_TOO_BIG)
		work->error = EXPR_UPDATE_ERROR(ITEM_SIZE);
	else if (out->status != ST_OK)
		work->status = out->status;
	else
		put_u32_be(out->data + start, count);
	if (work->status == ST_OK)
		work->status = w.status;
}
