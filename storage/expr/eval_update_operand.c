#include <stdlib.h>

#include "proto/model/decimal.h"
#include "storage/expr/eval_update_internal.h"

enum {
	CONTAINER_HEAD_SIZE = 9, /* type, size of the payload, count */
	COUNT_SIZE = 4,
	/* More than this cannot end up in one item. */
	SCRATCH_SIZE_MAX = 4 * LIMIT_ITEM_ENCODED_SIZE_BYTES,
};

static const struct item_value nothing;

/* The right side of one SET. */
struct machine {
	struct eval_update_work *work;
	bool is_missing;
	uint32_t depth;
	struct item_value stack[LIMIT_EXPRESSION_STACK_COUNT];
};

static void fail(struct eval_update_work *work, Cleave__ExprUpdateError error)
{
	if (work->error == EXPR_UPDATE_ERROR(OK))
		work->error = error;
}

static void fail_type(struct eval_update_work *work)
{
	fail(work,
	     work->update->is_legacy ? EXPR_UPDATE_ERROR(LEGACY_TYPE) : EXPR_UPDATE_ERROR(OPERAND_TYPE));
}

/* NULL, with the error or status set, if that is too much. */
static uint8_t *allocate(struct eval_update_work *work, uint64_t size_bytes)
{
	uint8_t *bytes;

	if (size_bytes > SCRATCH_SIZE_MAX - work->scratch_size_bytes) {
		fail(work, EXPR_UPDATE_ERROR(ITEM_SIZE));
		return NULL;
	}
	work->scratch_size_bytes += size_bytes;
	bytes = arena_alloc(work->scratch, size_bytes);
	if (bytes == NULL)
		work->status = ST_NO_MEMORY;
	return bytes;
}

static void note_number_error(struct eval_update_work *work, enum decimal_error error)
{
	if (work->number_error != EXPR_UPDATE_ERROR(OK))
		return;
	work->number_error = error == DECIMAL_UNDERFLOW  ? EXPR_UPDATE_ERROR(NUMBER_UNDERFLOW)
			     : error == DECIMAL_OVERFLOW ? EXPR_UPDATE_ERROR(NUMBER_OVERFLOW)
							 : EXPR_UPDATE_ERROR(NUMBER_DIGITS);
}

/* a + b or a - b, both numbers. */
static struct item_value add_numbers(struct eval_update_work *work, const struct item_value *a,
				     const struct item_value *b, bool is_minus)
{
	enum decimal_error error;
	struct decimal left;
	struct decimal right;
	uint8_t *out;
	size_t size;

	if (decimal_decode(&left, a->payload, NULL) != ST_OK ||
	    decimal_decode(&right, b->payload, NULL) != ST_OK) {
		work->status = ST_CORRUPT;
		return nothing;
	}
	error = is_minus ? decimal_subtract(&left, &left, &right) : decimal_add(&left, &left, &right);
	if (error != DECIMAL_OK)
		note_number_error(work, error); /* left is still a number, which nobody will see */
	out = allocate(work, EVAL_NUMBER_SIZE_MAX);
	if (out == NULL)
		return nothing;
	size = decimal_encode(&left, out + 2);
	out[0] = ITEM_N;
	out[1] = (uint8_t)size;
	return (struct item_value){ ITEM_N, slice_of(out + 2, size), slice_of(out, size + 2) };
}

static struct item_value finish_container(uint8_t *start, enum item_type type, const uint8_t *end,
					  uint32_t count)
{
	size_t size = (size_t)(end - start);

	start[0] = (uint8_t)type;
	put_u32_be(start + 1, (uint32_t)(size - CONTAINER_HEAD_SIZE + COUNT_SIZE));
	put_u32_be(start + 1 + 4, count);
	return (struct item_value){ type, slice_of(start + 1 + 4, size - 1 - 4), slice_of(start, size) };
}

static uint8_t *append_elements(uint8_t *out, struct slice payload)
{
	if (payload.size <= COUNT_SIZE)
		return out;
	memcpy(out, payload.data + COUNT_SIZE, payload.size - COUNT_SIZE);
	return out + payload.size - COUNT_SIZE;
}

static struct item_value append_lists(struct eval_update_work *work, const struct item_value *a,
				      const struct item_value *b)
{
	uint8_t *start = allocate(work, CONTAINER_HEAD_SIZE + (uint64_t)a->payload.size + b->payload.size);
	uint8_t *end;

	if (start == NULL)
		return nothing;
	end = append_elements(start + CONTAINER_HEAD_SIZE, a->payload);
	end = append_elements(end, b->payload);
	return finish_container(start, ITEM_L, end, item_count(a->payload) + item_count(b->payload));
}

static void push(struct machine *m, struct item_value value)
{
	CHECK(m->depth < ARRAY_COUNT(m->stack));
	m->stack[m->depth++] = value;
}

/* Two operands of that type become one; what is not there gives nothing, and is told later. */
static void combine(struct machine *m, enum expr_op op)
{
	enum item_type type = op == EXPR_OP_LIST_APPEND ? ITEM_L : ITEM_N;
	const struct item_value *operands;
	struct item_value result = nothing;
	bool is_whole = true;

	CHECK(m->depth >= 2);
	m->depth -= 2;
	operands = &m->stack[m->depth];
	for (uint32_t i = 0; i < 2; i++) {
		if (!eval_value_is_there(&operands[i]))
			is_whole = false;
		else if (operands[i].type != type)
			fail_type(m->work);
	}
	if (is_whole && eval_update_is_fine(m->work))
		result = op == EXPR_OP_LIST_APPEND
				 ? append_lists(m->work, &operands[0], &operands[1])
				 : add_numbers(m->work, &operands[0], &operands[1], op == EXPR_OP_MINUS);
	m->is_missing |= !is_whole;
	push(m, result);
}

static size_t if_exists(struct machine *m, const uint8_t *numbers)
{
	const Cleave__ExprUpdate *update = m->work->update;
	struct item_value value = eval_value_at(m->work->base,
						eval_slice(update->paths[get_u16_be(numbers)]));

	if (!eval_value_is_there(&value))
		return 4;
	push(m, value);
	return 4u + get_u16_be(numbers + 2);
}

/* The members of a set in order, to find one quickly. */
struct members {
	struct slice *sorted;
	bool *is_present; /* in the other set */
	uint32_t count;
};

static int compare_members(const void *left, const void *right)
{
	return slice_compare(*(const struct slice *)left, *(const struct slice *)right);
}

static bool sort_members(struct eval_update_work *work, const struct item_value *set, struct members *members)
{
	struct item_iter iter;
	uint32_t count = item_count(set->payload);
	uint8_t *bytes;

	/* A member has at least its size's byte. */
	if (count > set->payload.size) {
		work->status = ST_CORRUPT;
		return false;
	}
	bytes = arena_alloc(work->scratch, count * (sizeof(struct slice) + sizeof(bool)));
	if (bytes == NULL) {
		work->status = ST_NO_MEMORY;
		return false;
	}
	members->sorted = (struct slice *)(void *)bytes;
	members->is_present = (bool *)(bytes + count * sizeof(struct slice));
	memset(members->is_present, 0, count * sizeof(bool));
	members->count = 0;
	item_iter_init(&iter, set->payload);
	while (item_next_member(&iter, &members->sorted[members->count]))
		members->count++;
	qsort(members->sorted, members->count, sizeof(*members->sorted), compare_members);
	return true;
}

/* Its index in members, or -1. */
static int64_t find_member(const struct members *members, struct slice member)
{
	const struct slice *found = bsearch(&member, members->sorted, members->count, sizeof(member),
					    compare_members);

	return found == NULL ? -1 : found - members->sorted;
}

static uint8_t *put_member(uint8_t *out, struct slice member)
{
	uint64_t size = member.size;

	for (; size >= 0x80; size >>= 7)
		*out++ = (uint8_t)(size | 0x80);
	*out++ = (uint8_t)size;
	if (member.size > 0)
		memcpy(out, member.data, member.size);
	return out + member.size;
}

/* The old set's members, but those of the other one if it is taken away; then the other's if it is added. */
static struct item_value change_set(struct eval_update_work *work, const struct item_value *old,
				    const struct item_value *other, bool is_added)
{
	struct members members;
	struct item_iter iter;
	struct slice member;
	uint32_t count = 0;
	uint8_t *start;
	uint8_t *end;

	if (!sort_members(work, other, &members))
		return nothing;
	start = allocate(work, CONTAINER_HEAD_SIZE + (uint64_t)old->payload.size + other->payload.size);
	if (start == NULL)
		return nothing;
	end = start + CONTAINER_HEAD_SIZE;
	item_iter_init(&iter, old->payload);
	while (item_next_member(&iter, &member)) {
		int64_t at = find_member(&members, member);

		if (at >= 0)
			members.is_present[at] = true;
		if (at >= 0 && !is_added)
			continue;
		end = put_member(end, member);
		count++;
	}
	if (item_iter_status(&iter) != ST_OK)
		work->status = ST_CORRUPT;
	for (uint32_t i = 0; i < members.count && is_added; i++) {
		if (members.is_present[i])
			continue;
		end = put_member(end, members.sorted[i]);
		count++;
	}
	return count == 0 ? nothing : finish_container(start, old->type, end, count);
}

static bool can_add(const struct eval_update_work *work, enum item_type type)
{
	return type == ITEM_N || item_type_is_set(type) || (type == ITEM_L && work->update->is_legacy);
}

static void add(struct eval_update_work *work, struct eval_action *action, const struct item_value *old)
{
	const struct item_value *operand = &action->operand;

	if (!can_add(work, operand->type) || (eval_value_is_there(old) && old->type != operand->type))
		fail_type(work);
	else if (!eval_value_is_there(old))
		action->value = *operand;
	else if (operand->type == ITEM_N)
		action->value = add_numbers(work, old, operand, false);
	else if (operand->type == ITEM_L)
		action->value = append_lists(work, old, operand);
	else
		action->value = change_set(work, old, operand, true);
}

static void delete (struct eval_update_work *work, struct eval_action *action, const struct item_value *old)
{
	const struct item_value *operand = &action->operand;

	if (!item_type_is_set(operand->type) || (eval_value_is_there(old) && old->type != operand->type))
		fail_type(work);
	else if (eval_value_is_there(old))
		action->value = change_set(work, old, operand, false);
}

static void set(struct machine *m, struct eval_action *action)
{
	CHECK(m->depth == 1);
	action->value = m->stack[--m->depth];
	action->is_missing = m->is_missing || !eval_value_is_there(&action->value);
	m->is_missing = false;
}

static void act(struct machine *m, struct eval_action *action)
{
	struct item_value old = nothing;

	if (action->op == EXPR_OP_SET) {
		set(m, action);
		return;
	}
	if (action->op == EXPR_OP_REMOVE)
		return;
	if (action->is_writable)
		old = eval_value_at(m->work->base, action->path);
	if (action->op == EXPR_OP_ADD)
		add(m->work, action, &old);
	else
		delete (m->work, action, &old);
}

/* One operation; the size of what follows it. */
static size_t step(struct machine *m, enum expr_op op, const uint8_t *numbers, uint32_t *action_index)
{
	struct eval_update_work *work = m->work;

	switch (op) {
	case EXPR_OP_PATH:
		push(m, eval_value_at(work->base, eval_slice(work->update->paths[get_u16_be(numbers)])));
		return 2;
	case EXPR_OP_VALUE:
		push(m, eval_value_of(eval_slice(work->update->values[get_u16_be(numbers)])));
		return 2;
	case EXPR_OP_IF_EXISTS:
		return if_exists(m, numbers);
	case EXPR_OP_PLUS:
	case EXPR_OP_MINUS:
	case EXPR_OP_LIST_APPEND:
		combine(m, op);
		return 0;
	case EXPR_OP_SET:
	case EXPR_OP_REMOVE:
		act(m, &work->actions[(*action_index)++]);
		return 2;
	case EXPR_OP_ADD:
	case EXPR_OP_DELETE:
		act(m, &work->actions[(*action_index)++]);
		return 4;
	default:
		UNREACHABLE(); /* eval_check_update() let it pass */
	}
}

void eval_update_operands(struct eval_update_work *work)
{
	struct slice code = eval_slice(work->update->code);
	uint32_t action_index = 0;
	struct machine m;
	size_t at = 0;

	m.work = work;
	m.is_missing = false;
	m.depth = 0;
	while (at < code.size && eval_update_is_fine(work)) {
		enum expr_op op = code.data[at++];

		at += step(&m, op, code.data + at, &action_index);
	}
}
