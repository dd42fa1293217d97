#include <stdlib.h>

#include "storage/expr/eval_update_internal.h"

/* Numbers after each operation, in bytes. */
static size_t numbers_size(enum expr_op op)
{
	switch (op) {
	case EXPR_OP_PATH:
	case EXPR_OP_VALUE:
	case EXPR_OP_SET:
	case EXPR_OP_REMOVE:
		return 2;
	case EXPR_OP_IF_EXISTS:
	case EXPR_OP_ADD:
	case EXPR_OP_DELETE:
		return 4;
	default:
		return 0;
	}
}

static bool is_action(enum expr_op op)
{
	return op >= EXPR_OP_SET;
}

static uint32_t count_actions(struct slice code)
{
	uint32_t count = 0;

	for (size_t at = 0; at < code.size; at += 1 + numbers_size(code.data[at]))
		count += is_action(code.data[at]);
	return count;
}

/* Is the map or list that the path ends in there?  It may also be something else. */
static void find_place(struct eval_update_work *work, struct eval_action *action)
{
	struct slice rest = action->path;
	struct expr_path_element last = { slice_of(NULL, 0), 0 };
	size_t before_last = 0;
	struct item_value place;

	while (rest.size > 0) {
		before_last = action->path.size - rest.size;
		if (!expr_path_next(&rest, &last))
			break;
	}
	if (before_last == 0) {
		action->is_writable = true;
		return;
	}
	place = eval_value_at(work->base, slice_of(action->path.data, before_last));
	action->is_writable = place.type == (last.name.data != NULL ? ITEM_M : ITEM_L);
	if (!action->is_writable && eval_value_is_there(&place))
		work->error = EXPR_UPDATE_ERROR(INVALID_PATH);
}

static void collect_actions(struct eval_update_work *work)
{
	const Cleave__ExprUpdate *update = work->update;
	struct slice code = eval_slice(update->code);
	uint32_t count = 0;

	work->action_count = count_actions(code);
	work->actions = arena_alloc_zeroed(work->scratch, (work->action_count + 1) * sizeof(*work->actions));
	if (work->actions == NULL) {
		work->status = ST_NO_MEMORY;
		return;
	}
	for (size_t at = 0; at < code.size; at += 1 + numbers_size(code.data[at])) {
		enum expr_op op = code.data[at];
		struct eval_action *action = &work->actions[count];

		if (!is_action(op))
			continue;
		count++;
		action->op = op;
		action->path = eval_slice(update->paths[get_u16_be(code.data + at + 1)]);
		if (op == EXPR_OP_ADD || op == EXPR_OP_DELETE)
			action->operand = eval_value_of(
				eval_slice(update->values[get_u16_be(code.data + at + 3)]));
		find_place(work, action);
	}
}

/* The section of an action ends where another begins: one of each kind, in any order. */
static uint32_t section_start(const struct eval_update_work *work, uint32_t end)
{
	uint32_t start = end;

	while (start > 0 && work->actions[start - 1].op == work->actions[end - 1].op)
		start--;
	return start;
}

/* The service looks at the sections from the last to the first: at paths, then at what is missing. */
static void check_places(struct eval_update_work *work)
{
	uint32_t end = work->action_count;

	while (end > 0 && work->error == EXPR_UPDATE_ERROR(OK)) {
		uint32_t start = section_start(work, end);

		for (uint32_t i = start; i < end; i++) {
			if (!work->actions[i].is_writable)
				work->error = EXPR_UPDATE_ERROR(INVALID_PATH);
		}
		for (uint32_t i = start; i < end && work->error == EXPR_UPDATE_ERROR(OK); i++) {
			if (work->actions[i].is_missing)
				work->error = EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE);
		}
		end = start;
	}
	if (work->error == EXPR_UPDATE_ERROR(OK))
		work->error = work->number_error;
}

static uint32_t path_depth(struct slice path)
{
	struct expr_path_element element;
	uint32_t depth = 0;

	while (expr_path_next(&path, &element))
		depth++;
	return depth;
}

/* May a value stand on that level? */
static bool fits(const struct item_value *value, uint32_t level)
{
	struct item_attribute attribute;
	struct item_value element;
	struct item_iter iter;
	bool is_fit = level <= LIMIT_NESTING_DEPTH;

	item_iter_init(&iter, value->payload);
	if (value->type == ITEM_M) {
		while (is_fit && item_next_attribute(&iter, &attribute))
			is_fit = fits(&attribute.value, level + 1);
	} else if (value->type == ITEM_L) {
		while (is_fit && item_next_value(&iter, &element))
			is_fit = fits(&element, level + 1);
	}
	return is_fit;
}

static void check_nesting(struct eval_update_work *work)
{
	for (uint32_t i = 0; i < work->action_count; i++) {
		const struct eval_action *action = &work->actions[i];

		/* No value was nested deeper than an attribute may be. */
		if (action->op == EXPR_OP_SET && item_type_is_container(action->value.type) &&
		    path_depth(action->path) > 1 && !fits(&action->value, path_depth(action->path)))
			work->error = EXPR_UPDATE_ERROR(NESTING);
	}
}

static int compare_actions(const void *left, const void *right)
{
	const struct eval_action *const *a = left;
	const struct eval_action *const *b = right;

	return slice_compare((*a)->path, (*b)->path);
}

static bool is_beginning(struct slice path, struct slice beginning)
{
	return path.size >= beginning.size && memcmp(path.data, beginning.data, beginning.size) == 0;
}

/* In the order of their paths. */
static void sort_actions(struct eval_update_work *work, struct eval_action **sorted, struct slice *paths)
{
	for (uint32_t i = 0; i < work->action_count; i++)
		sorted[i] = &work->actions[i];
	if (work->action_count > 1)
		qsort(sorted, work->action_count, sizeof(*sorted), compare_actions);
	for (uint32_t i = 0; i < work->action_count; i++) {
		paths[i] = sorted[i]->path;
		if (i > 0 && is_beginning(paths[i], paths[i - 1]))
			work->status = ST_CORRUPT; /* the coordinator refuses paths that meet */
	}
}

static void write(struct eval_update_work *work, struct buf *out, struct eval_update_result *result)
{
	struct eval_action **sorted = arena_alloc(work->scratch, (work->action_count + 1) * sizeof(*sorted));
	struct slice *paths = arena_alloc(work->scratch, (work->action_count + 1) * sizeof(*paths));
	size_t start = out->size;

	if (sorted == NULL || paths == NULL) {
		work->status = ST_NO_MEMORY;
		return;
	}
	sort_actions(work, sorted, paths);
	if (work->status == ST_OK)
		eval_update_write(work, sorted, paths, out);
	if (!eval_update_is_fine(work))
		return;
	result->item = slice_of(out->data + start, out->size - start);
	result->size_bytes = item_size_bytes(result->item);
	if (result->size_bytes > LIMIT_ITEM_SIZE_BYTES)
		work->error = EXPR_UPDATE_ERROR(ITEM_SIZE);
}

/* Taking away makes no item; setting does, and so does an update without any action. */
static bool makes_item(const struct eval_update_work *work)
{
	for (uint32_t i = 0; i < work->action_count; i++) {
		if (work->actions[i].op == EXPR_OP_SET || work->actions[i].op == EXPR_OP_ADD)
			return true;
	}
	return work->action_count == 0;
}

enum status eval_update(const Cleave__ExprUpdate *update, struct slice old, struct slice key,
			struct arena *scratch, struct buf *out, struct eval_update_result *result)
{
	static const uint8_t no_attributes[4];
	struct eval_update_work work = { .update = update, .base = old, .scratch = scratch };

	if (old.size == 0)
		work.base = key.size > 0 ? key : slice_of(no_attributes, sizeof(no_attributes));
	*result = (struct eval_update_result){ .error = EXPR_UPDATE_ERROR(OK) };
	collect_actions(&work);
	if (eval_update_is_fine(&work))
		eval_update_operands(&work);
	if (eval_update_is_fine(&work))
		check_places(&work);
	if (eval_update_is_fine(&work))
		check_nesting(&work);
	result->exists = old.size > 0 || makes_item(&work);
	if (eval_update_is_fine(&work) && result->exists)
		write(&work, out, result);
	result->error = work.error;
	if (work.status == ST_OK && work.error != EXPR_UPDATE_ERROR(OK))
		work.status = ST_INVALID;
	return work.status;
}
