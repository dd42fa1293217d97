#include "storage/expr/eval_condition.h"

#include "storage/expr/eval_value.h"

struct machine {
	const Cleave__ExprCondition *program;
	struct slice item;
	enum status status;
	bool is_true;
	uint32_t depth;
	struct item_value stack[LIMIT_IN_OPERAND_COUNT + 2];
	/* size() gives a number that lies nowhere else. */
	uint8_t numbers[LIMIT_IN_OPERAND_COUNT + 2][EVAL_NUMBER_SIZE_MAX];
};

static void push(struct machine *m, struct item_value value)
{
	CHECK(m->depth < ARRAY_COUNT(m->stack));
	m->stack[m->depth++] = value;
}

/* The topmost count operands, the first of them lowest. */
static const struct item_value *pop(struct machine *m, uint32_t count)
{
	CHECK(count <= m->depth);
	m->depth -= count;
	return &m->stack[m->depth];
}

static void compare(struct machine *m, enum expr_op op)
{
	const struct item_value *operands = pop(m, 2);
	int order;

	if (op == EXPR_OP_EQ || op == EXPR_OP_NE) {
		m->status = eval_value_equal(&operands[0], &operands[1], &m->is_true);
		m->is_true ^= op == EXPR_OP_NE;
		return;
	}
	if (!eval_value_order(&operands[0], &operands[1], &order)) {
		m->is_true = false;
		return;
	}
	m->is_true = (order < 0 && (op == EXPR_OP_LT || op == EXPR_OP_LE)) ||
		     (order > 0 && (op == EXPR_OP_GT || op == EXPR_OP_GE)) ||
		     (order == 0 && (op == EXPR_OP_LE || op == EXPR_OP_GE));
}

static void is_between(struct machine *m)
{
	const struct item_value *operands = pop(m, 3);
	int low;
	int high;

	m->is_true = eval_value_order(&operands[0], &operands[1], &low) &&
		     eval_value_order(&operands[0], &operands[2], &high) && low >= 0 && high <= 0;
}

static void is_in(struct machine *m, uint32_t count)
{
	const struct item_value *operands = pop(m, count + 1);

	m->is_true = false;
	for (uint32_t i = 1; i <= count && !m->is_true && m->status == ST_OK; i++)
		m->status = eval_value_equal(&operands[0], &operands[i], &m->is_true);
}

static void is_of_type(struct machine *m)
{
	const struct item_value *operands = pop(m, 2);
	enum item_type type;

	m->is_true = operands[1].type == ITEM_S && item_type_parse(operands[1].payload, &type) &&
		     operands[0].type == type;
}

static void take_size(struct machine *m)
{
	const struct item_value *operand = pop(m, 1);

	push(m, eval_value_size(operand, m->numbers[m->depth]));
}

static void begins_with(struct machine *m)
{
	const struct item_value *operands = pop(m, 2);

	m->is_true = eval_value_begins_with(&operands[0], &operands[1]);
}

static void contains(struct machine *m)
{
	const struct item_value *operands = pop(m, 2);

	m->status = eval_value_contains(&operands[0], &operands[1], &m->is_true);
}

/* One operation; the size of what follows it. */
static size_t step(struct machine *m, enum expr_op op, const uint8_t *numbers)
{
	switch (op) {
	case EXPR_OP_PATH:
		push(m, eval_value_at(m->item, eval_slice(m->program->paths[get_u16_be(numbers)])));
		return 2;
	case EXPR_OP_VALUE:
		push(m, eval_value_of(eval_slice(m->program->values[get_u16_be(numbers)])));
		return 2;
	case EXPR_OP_SIZE:
		take_size(m);
		return 0;
	case EXPR_OP_EQ:
	case EXPR_OP_NE:
	case EXPR_OP_LT:
	case EXPR_OP_LE:
	case EXPR_OP_GT:
	case EXPR_OP_GE:
		compare(m, op);
		return 0;
	case EXPR_OP_BETWEEN:
		is_between(m);
		return 0;
	case EXPR_OP_IN:
		is_in(m, get_u16_be(numbers));
		return 2;
	case EXPR_OP_EXISTS:
		m->is_true = eval_value_is_there(pop(m, 1));
		return 0;
	case EXPR_OP_NOT_EXISTS:
		m->is_true = !eval_value_is_there(pop(m, 1));
		return 0;
	case EXPR_OP_TYPE:
		is_of_type(m);
		return 0;
	case EXPR_OP_BEGINS_WITH:
		begins_with(m);
		return 0;
	case EXPR_OP_CONTAINS:
		contains(m);
		return 0;
	case EXPR_OP_NOT:
		m->is_true = !m->is_true;
		return 0;
	case EXPR_OP_AND:
		return m->is_true ? 2u : 2u + get_u16_be(numbers);
	case EXPR_OP_OR:
		return m->is_true ? 2u + get_u16_be(numbers) : 2u;
	default:
		UNREACHABLE(); /* eval_check_condition() let it pass */
	}
}

enum status eval_condition(const Cleave__ExprCondition *condition, struct slice item, bool *is_true_out)
{
	static const uint8_t no_attributes[4];
	struct slice code = eval_slice(condition->code);
	struct machine m;
	size_t at = 0;

	m.program = condition;
	m.item = item.size > 0 ? item : slice_of(no_attributes, sizeof(no_attributes));
	m.status = ST_OK;
	m.is_true = false;
	m.depth = 0;
	while (at < code.size && m.status == ST_OK) {
		enum expr_op op = code.data[at++];

		at += step(&m, op, code.data + at);
	}
	if (m.status == ST_OK)
		*is_true_out = m.is_true;
	return m.status;
}
