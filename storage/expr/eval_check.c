#include "storage/expr/eval_check.h"

#include "proto/model/item_check.h"
#include "storage/expr/eval_value.h"

enum { KIND_CONDITION = 1, KIND_UPDATE = 2 };

/* What an operation needs and does; all zero: there is no such operation. */
struct effect {
	uint8_t kinds; /* programs that may have it */
	uint8_t size;  /* of its numbers, in bytes */
	uint8_t pops;  /* operands */
	uint8_t pushes;
	bool gives_truth; /* with no operand left, and no truth value before */
	bool needs_truth;
	bool begins_span;
	bool ends_action; /* no operand may be left */
};

#define ALL (KIND_CONDITION | KIND_UPDATE)
#define LEAF(count)                                                                                          \
	{                                                                                                    \
		.kinds = KIND_CONDITION, .pops = (count), .gives_truth = true                                \
	}

static const struct effect effects[256] = {
	[EXPR_OP_PATH] = { .kinds = ALL, .size = 2, .pushes = 1 },
	[EXPR_OP_VALUE] = { .kinds = ALL, .size = 2, .pushes = 1 },
	[EXPR_OP_SIZE] = { .kinds = KIND_CONDITION, .pops = 1, .pushes = 1 },
	[EXPR_OP_EQ] = LEAF(2),
	[EXPR_OP_NE] = LEAF(2),
	[EXPR_OP_LT] = LEAF(2),
	[EXPR_OP_LE] = LEAF(2),
	[EXPR_OP_GT] = LEAF(2),
	[EXPR_OP_GE] = LEAF(2),
	[EXPR_OP_BETWEEN] = LEAF(3),
	[EXPR_OP_IN] = { .kinds = KIND_CONDITION, .size = 2, .gives_truth = true },
	[EXPR_OP_EXISTS] = LEAF(1),
	[EXPR_OP_NOT_EXISTS] = LEAF(1),
	[EXPR_OP_TYPE] = LEAF(2),
	[EXPR_OP_BEGINS_WITH] = LEAF(2),
	[EXPR_OP_CONTAINS] = LEAF(2),
	[EXPR_OP_NOT] = { .kinds = KIND_CONDITION, .needs_truth = true },
	[EXPR_OP_AND] = { .kinds = KIND_CONDITION, .size = 2, .needs_truth = true, .begins_span = true },
	[EXPR_OP_OR] = { .kinds = KIND_CONDITION, .size = 2, .needs_truth = true, .begins_span = true },
	[EXPR_OP_IF_EXISTS] = { .kinds = KIND_UPDATE, .size = 4, .begins_span = true },
	[EXPR_OP_PLUS] = { .kinds = KIND_UPDATE, .pops = 2, .pushes = 1 },
	[EXPR_OP_MINUS] = { .kinds = KIND_UPDATE, .pops = 2, .pushes = 1 },
	[EXPR_OP_LIST_APPEND] = { .kinds = KIND_UPDATE, .pops = 2, .pushes = 1 },
	[EXPR_OP_SET] = { .kinds = KIND_UPDATE, .size = 2, .pops = 1, .ends_action = true },
	[EXPR_OP_REMOVE] = { .kinds = KIND_UPDATE, .size = 2, .ends_action = true },
	[EXPR_OP_ADD] = { .kinds = KIND_UPDATE, .size = 4, .ends_action = true },
	[EXPR_OP_DELETE] = { .kinds = KIND_UPDATE, .size = 4, .ends_action = true },
};

struct span {
	size_t end;
	uint32_t operand_count; /* when it ends */
};

struct check {
	struct slice code;
	size_t at;
	size_t path_count;
	size_t value_count;
	uint8_t kind;
	bool has_truth;
	uint32_t operand_count;
	uint32_t span_count;
	struct span spans[LIMIT_EXPRESSION_STACK_COUNT];
};

/* Every span that ends here must have given what it promised. */
static bool end_spans(struct check *check)
{
	while (check->span_count > 0 && check->spans[check->span_count - 1].end == check->at) {
		const struct span *span = &check->spans[--check->span_count];

		if (check->operand_count != span->operand_count ||
		    (check->kind == KIND_CONDITION) != check->has_truth)
			return false;
	}
	return check->span_count == 0 || check->spans[check->span_count - 1].end > check->at;
}

static bool begin_span(struct check *check, size_t length)
{
	size_t end = check->at + length;
	size_t limit = check->span_count == 0 ? check->code.size : check->spans[check->span_count - 1].end;
	uint32_t pushed = check->kind == KIND_UPDATE;

	if (length == 0 || end > limit || check->span_count == LIMIT_EXPRESSION_STACK_COUNT)
		return false;
	check->spans[check->span_count++] = (struct span){ end, check->operand_count + pushed };
	check->has_truth = false;
	return true;
}

static bool check_path_index(const struct check *check, const uint8_t *number)
{
	return get_u16_be(number) < check->path_count;
}

static bool check_value_index(const struct check *check, const uint8_t *number)
{
	return get_u16_be(number) < check->value_count;
}

/* The numbers after the operation, and how many operands IN takes. */
static bool check_numbers(const struct check *check, enum expr_op op, const uint8_t *numbers, uint32_t *pops)
{
	switch (op) {
	case EXPR_OP_PATH:
	case EXPR_OP_SET:
	case EXPR_OP_REMOVE:
	case EXPR_OP_IF_EXISTS:
		return check_path_index(check, numbers);
	case EXPR_OP_VALUE:
		return check_value_index(check, numbers);
	case EXPR_OP_ADD:
	case EXPR_OP_DELETE:
		return check_path_index(check, numbers) && check_value_index(check, numbers + 2);
	case EXPR_OP_IN:
		*pops = get_u16_be(numbers) + 1u;
		return *pops > 1 && *pops <= LIMIT_IN_OPERAND_COUNT + 1;
	default:
		return true;
	}
}

static bool apply_effect(struct check *check, const struct effect *effect, uint32_t pops)
{
	if (check->operand_count < pops || check->has_truth != effect->needs_truth)
		return false;
	check->operand_count = check->operand_count - pops + effect->pushes;
	if ((effect->gives_truth || effect->needs_truth || effect->ends_action) && check->operand_count > 0)
		return false;
	if (effect->gives_truth)
		check->has_truth = true;
	/* An action inside a span would not always be run. */
	if (effect->ends_action && check->span_count > 0)
		return false;
	return check->operand_count <= LIMIT_EXPRESSION_STACK_COUNT;
}

static bool check_operation(struct check *check)
{
	enum expr_op op = check->code.data[check->at++];
	const struct effect *effect = &effects[op];
	const uint8_t *numbers = check->code.data + check->at;
	uint32_t pops = effect->pops;

	if ((effect->kinds & check->kind) == 0 || check->code.size - check->at < effect->size)
		return false;
	if (!check_numbers(check, op, numbers, &pops) || !apply_effect(check, effect, pops))
		return false;
	check->at += effect->size;
	if (effect->begins_span && !begin_span(check, get_u16_be(numbers + effect->size - 2)))
		return false;
	return end_spans(check);
}

static enum status check_code(uint8_t kind, ProtobufCBinaryData code, size_t path_count, size_t value_count)
{
	struct check check;

	check.code = eval_slice(code);
	check.at = 0;
	check.path_count = path_count;
	check.value_count = value_count;
	check.kind = kind;
	check.has_truth = false;
	check.operand_count = 0;
	check.span_count = 0;
	if (code.len > LIMIT_EXPRESSION_CODE_SIZE_BYTES)
		return ST_TOO_BIG;
	while (check.at < check.code.size) {
		if (!check_operation(&check))
			return ST_CORRUPT;
	}
	if (check.operand_count > 0 || check.span_count > 0 || check.has_truth != (kind == KIND_CONDITION))
		return ST_CORRUPT;
	return ST_OK;
}

/* Names may end up in an item. */
static bool is_sound_path(struct slice path)
{
	struct expr_path_element element;

	if (!expr_path_is_valid(path))
		return false;
	while (expr_path_next(&path, &element)) {
		if (element.name.data != NULL && !item_check_utf8(element.name))
			return false;
	}
	return true;
}

static enum status check_paths(const ProtobufCBinaryData *paths, size_t count)
{
	if (count > UINT16_MAX)
		return ST_TOO_BIG;
	for (size_t i = 0; i < count; i++) {
		if (!is_sound_path(eval_slice(paths[i])))
			return ST_CORRUPT;
	}
	return ST_OK;
}

static enum status check_values(const ProtobufCBinaryData *values, size_t count)
{
	enum status status = count > UINT16_MAX ? ST_TOO_BIG : ST_OK;

	for (size_t i = 0; i < count && status == ST_OK; i++)
		status = item_check_value(eval_slice(values[i]));
	return status;
}

enum status eval_check_condition(const Cleave__ExprCondition *condition)
{
	enum status status = check_paths(condition->paths, condition->n_paths);

	if (status == ST_OK)
		status = check_values(condition->values, condition->n_values);
	if (status == ST_OK)
		status = check_code(KIND_CONDITION, condition->code, condition->n_paths, condition->n_values);
	return status;
}

enum status eval_check_update(const Cleave__ExprUpdate *update)
{
	enum status status = check_paths(update->paths, update->n_paths);

	if (status == ST_OK)
		status = check_values(update->values, update->n_values);
	if (status == ST_OK)
		status = check_code(KIND_UPDATE, update->code, update->n_paths, update->n_values);
	return status;
}

enum status eval_check_projection(const Cleave__ExprProjection *projection)
{
	return check_paths(projection->paths, projection->n_paths);
}
