#include "coordinator/expr/expr_legacy.h"

#include "coordinator/expr/expr_message.h"
#include "coordinator/expr/expr_program.h"

enum { ANY_COUNT = UINT8_MAX };

/* Bits of item types. */
#define BIT(type) (1u << (type))
enum {
	TYPES_ANY = UINT16_MAX,
	TYPES_ORDERED = BIT(ITEM_S) | BIT(ITEM_N) | BIT(ITEM_B),
	TYPES_BYTES = BIT(ITEM_S) | BIT(ITEM_B),
	TYPES_MEMBER = TYPES_ORDERED | BIT(ITEM_BOOL) | BIT(ITEM_NULL),
};

static const struct {
	const char *name;
	uint8_t count_min;
	uint8_t count_max;
	uint16_t types;
	enum expr_op op;
	enum expr_key_op key_op;
} comparisons[] = {
	[EXPR_COMPARISON_NONE] = { "", 0, 0, 0, 0, EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_EQ] = { "EQ", 1, 1, TYPES_ANY, EXPR_OP_EQ, EXPR_KEY_EQ },
	[EXPR_COMPARISON_NE] = { "NE", 1, 1, TYPES_ANY, EXPR_OP_NE, EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_LE] = { "LE", 1, 1, TYPES_ORDERED, EXPR_OP_LE, EXPR_KEY_LE },
	[EXPR_COMPARISON_LT] = { "LT", 1, 1, TYPES_ORDERED, EXPR_OP_LT, EXPR_KEY_LT },
	[EXPR_COMPARISON_GE] = { "GE", 1, 1, TYPES_ORDERED, EXPR_OP_GE, EXPR_KEY_GE },
	[EXPR_COMPARISON_GT] = { "GT", 1, 1, TYPES_ORDERED, EXPR_OP_GT, EXPR_KEY_GT },
	[EXPR_COMPARISON_NOT_NULL] = { "NOT_NULL", 0, 0, TYPES_ANY, EXPR_OP_EXISTS, EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_NULL] = { "NULL", 0, 0, TYPES_ANY, EXPR_OP_NOT_EXISTS, EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_CONTAINS] = { "CONTAINS", 1, 1, TYPES_MEMBER, EXPR_OP_CONTAINS, EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_NOT_CONTAINS] = { "NOT_CONTAINS", 1, 1, TYPES_MEMBER, EXPR_OP_CONTAINS,
					   EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_BEGINS_WITH] = { "BEGINS_WITH", 1, 1, TYPES_BYTES, EXPR_OP_BEGINS_WITH,
					  EXPR_KEY_BEGINS_WITH },
	[EXPR_COMPARISON_IN] = { "IN", 1, ANY_COUNT, TYPES_ORDERED, EXPR_OP_IN, EXPR_KEY_UNUSABLE },
	[EXPR_COMPARISON_BETWEEN] = { "BETWEEN", 2, 2, TYPES_ORDERED, EXPR_OP_BETWEEN, EXPR_KEY_BETWEEN },
};

enum expr_comparison expr_legacy_comparison(struct slice name)
{
	for (uint32_t i = 1; i < ARRAY_COUNT(comparisons); i++) {
		if (slice_equal(name, slice_of_string(comparisons[i].name)))
			return (enum expr_comparison)i;
	}
	return EXPR_COMPARISON_NONE;
}

static enum item_type type_of(struct slice encoded)
{
	return encoded.data[0];
}

static bool is_ordered(struct slice low, struct slice high)
{
	struct item_iter iter = { .count_left = 2 };
	struct item_value a = { 0 };
	struct item_value b = { 0 };

	reader_init(&iter.reader, low);
	(void)item_next_value(&iter, &a); /* values are sound */
	reader_init(&iter.reader, high);
	(void)item_next_value(&iter, &b);
	return slice_compare(a.payload, b.payload) <= 0;
}

static void check_types(enum expr_comparison comparison, const struct slice *values, uint32_t count,
			struct expr_error *error)
{
	for (uint32_t i = 1; i < count; i++) {
		if (type_of(values[i]) != type_of(values[0])) {
			expr_error_set(error, EXPR_MESSAGE_LIST_TYPES);
			return;
		}
	}
	if (count > 0 && (comparisons[comparison].types & BIT(type_of(values[0]))) == 0)
		expr_error_set(error, EXPR_MESSAGE_LEGACY_TYPE, comparisons[comparison].name,
			       item_type_name(type_of(values[0])));
	else if (comparison == EXPR_COMPARISON_BETWEEN && !is_ordered(values[0], values[1]))
		expr_error_set(error, EXPR_MESSAGE_LEGACY_BETWEEN);
}

static void check_arguments(enum expr_comparison comparison, const struct slice *values, uint32_t count,
			    struct expr_error *error)
{
	uint32_t count_max = comparisons[comparison].count_max;

	if (count < comparisons[comparison].count_min || (count > count_max && count_max != ANY_COUNT))
		expr_error_set(error, EXPR_MESSAGE_ARGUMENT_COUNT, comparisons[comparison].name);
	else
		check_types(comparison, values, count, error);
}

/* a IN (v, ...), in as many parts as the list's limit asks for. */
static void put_in(struct expr_program *program, uint32_t path, const struct slice *values, uint32_t count)
{
	for (uint32_t first = 0; first < count; first += LIMIT_IN_OPERAND_COUNT) {
		uint32_t left = count - first;
		uint32_t part = left < LIMIT_IN_OPERAND_COUNT ? left : LIMIT_IN_OPERAND_COUNT;
		size_t span = first == 0 ? 0 : expr_program_begin_span(program, EXPR_OP_OR);

		expr_program_put_index(program, EXPR_OP_PATH, path);
		for (uint32_t i = 0; i < part; i++)
			expr_program_put_index(program, EXPR_OP_VALUE,
					       expr_program_value(program, values[first + i]));
		expr_program_put_index(program, EXPR_OP_IN, part);
		if (first > 0)
			expr_program_end_span(program, span);
	}
}

static void put_comparison(struct expr_program *program, struct slice name, enum expr_comparison comparison,
			   const struct slice *values, uint32_t count)
{
	uint32_t path = expr_program_name(program, name);
	size_t span = 0;

	if (comparison == EXPR_COMPARISON_IN) {
		put_in(program, path, values, count);
		return;
	}
	/* What is not there does not contain anything, and does not not contain it. */
	if (comparison == EXPR_COMPARISON_NOT_CONTAINS) {
		expr_program_put_index(program, EXPR_OP_PATH, path);
		expr_program_put(program, EXPR_OP_EXISTS);
		span = expr_program_begin_span(program, EXPR_OP_AND);
	}
	expr_program_put_index(program, EXPR_OP_PATH, path);
	for (uint32_t i = 0; i < count; i++)
		expr_program_put_index(program, EXPR_OP_VALUE, expr_program_value(program, values[i]));
	expr_program_put(program, comparisons[comparison].op);
	if (comparison == EXPR_COMPARISON_NOT_CONTAINS) {
		expr_program_put(program, EXPR_OP_NOT);
		expr_program_end_span(program, span);
	}
}

/* What an Expected without ComparisonOperator means. */
static enum expr_comparison implied(const struct expr_legacy_condition *condition)
{
	if (condition->comparison != EXPR_COMPARISON_NONE)
		return condition->comparison;
	return condition->has_exists && !condition->exists ? EXPR_COMPARISON_NULL : EXPR_COMPARISON_EQ;
}

static void put_conditions(struct expr_program *program, const struct expr_legacy_conditions *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		const struct expr_legacy_condition *condition = &all->conditions[i];
		bool has_value = condition->value.data != NULL;
		size_t span = i == 0 ? 0
				     : expr_program_begin_span(program,
							       all->is_or ? EXPR_OP_OR : EXPR_OP_AND);

		put_comparison(program, condition->name, implied(condition),
			       has_value ? &condition->value : condition->values,
			       has_value ? 1 : condition->value_count);
		if (i > 0)
			expr_program_end_span(program, span);
	}
}

static enum status compile(struct arena *arena, const struct expr_legacy_conditions *all,
			   Cleave__ExprCondition **condition_out, struct expr_error *error)
{
	struct expr_program program;

	*condition_out = NULL;
	if (expr_error_is_set(error))
		return ST_INVALID;
	if (all->count == 0)
		return ST_OK;
	expr_program_init(&program, arena);
	put_conditions(&program, all);
	return expr_program_condition(&program, condition_out, error);
}

static void check_without_operator(const struct expr_legacy_condition *condition, struct expr_error *error)
{
	int size = (int)condition->name.size;
	const char *name = (const char *)condition->name.data;
	bool has_value = condition->value.data != NULL;
	bool exists = !condition->has_exists || condition->exists;

	if (condition->has_list)
		expr_error_set(error, EXPR_MESSAGE_LIST_ALONE, size, name);
	else if (exists && !has_value)
		expr_error_set(error, EXPR_MESSAGE_EXISTS_NO_VALUE, condition->has_exists ? "true" : "null",
			       size, name);
	else if (!exists && has_value)
		expr_error_set(error, EXPR_MESSAGE_NOT_EXISTS_VALUE, size, name);
}

static void check_expected(const struct expr_legacy_condition *condition, struct expr_error *error)
{
	int size = (int)condition->name.size;
	const char *name = (const char *)condition->name.data;
	enum expr_comparison comparison = condition->comparison;
	bool has_value = condition->value.data != NULL;
	bool needs_value = comparison != EXPR_COMPARISON_NULL && comparison != EXPR_COMPARISON_NOT_NULL;

	if (condition->has_list && has_value)
		expr_error_set(error, EXPR_MESSAGE_BOTH_VALUES, size, name);
	else if (comparison == EXPR_COMPARISON_NONE)
		check_without_operator(condition, error);
	else if (condition->has_exists)
		expr_error_set(error, EXPR_MESSAGE_BOTH_OPERATORS, size, name);
	else if (needs_value && !condition->has_list && !has_value)
		expr_error_set(error, EXPR_MESSAGE_NO_VALUES, comparisons[comparison].name, size, name);
	else if (has_value)
		check_arguments(comparison, &condition->value, 1, error);
	else
		check_arguments(comparison, condition->values, condition->value_count, error);
}

enum status expr_legacy_expected(struct arena *arena, const struct expr_legacy_conditions *expected,
				 Cleave__ExprCondition **condition_out, struct expr_error *error)
{
	expr_error_init(error);
	for (uint32_t i = 0; i < expected->count; i++)
		check_expected(&expected->conditions[i], error);
	return compile(arena, expected, condition_out, error);
}

static void check_conditions(const struct expr_legacy_conditions *all, struct expr_error *error)
{
	expr_error_init(error);
	for (uint32_t i = 0; i < all->count; i++)
		check_arguments(all->conditions[i].comparison, all->conditions[i].values,
				all->conditions[i].value_count, error);
}

enum status expr_legacy_filter(struct arena *arena, const struct expr_legacy_conditions *filter,
			       Cleave__ExprCondition **filter_out, struct expr_error *error)
{
	check_conditions(filter, error);
	return compile(arena, filter, filter_out, error);
}

enum status expr_legacy_key_conditions(const struct expr_legacy_conditions *keys,
				       struct expr_key_terms *terms_out, struct expr_error *error)
{
	struct expr_key_terms terms = { .count = keys->count };

	check_conditions(keys, error);
	if (keys->count == 0 || keys->count > ARRAY_COUNT(terms.terms))
		expr_error_set(error, EXPR_MESSAGE_KEY_TERM_COUNT);
	if (expr_error_is_set(error))
		return ST_INVALID;
	for (uint32_t i = 0; i < keys->count; i++) {
		const struct expr_legacy_condition *condition = &keys->conditions[i];
		struct expr_key_term *term = &terms.terms[i];

		term->name = condition->name;
		term->op = comparisons[condition->comparison].key_op;
		term->value_count = term->op == EXPR_KEY_UNUSABLE ? 0 : condition->value_count;
		for (uint32_t j = 0; j < term->value_count; j++)
			term->values[j] = condition->values[j];
	}
	*terms_out = terms;
	return ST_OK;
}

static void check_action(const struct expr_legacy_action *action, struct expr_error *error)
{
	enum item_type type;

	if (action->value.data == NULL) {
		if (action->kind != EXPR_LEGACY_DELETE)
			expr_error_set(error, EXPR_MESSAGE_UPDATE_NO_VALUE);
		return;
	}
	type = type_of(action->value);
	if (action->kind == EXPR_LEGACY_DELETE && !item_type_is_set(type))
		expr_error_set(error, EXPR_MESSAGE_DELETE_TYPE, item_type_name(type));
	if (action->kind == EXPR_LEGACY_ADD && type != ITEM_N && type != ITEM_L && !item_type_is_set(type))
		expr_error_set(error, EXPR_MESSAGE_ADD_TYPE, item_type_name(type));
}

static void put_action(struct expr_program *program, const struct expr_legacy_action *action)
{
	uint32_t path = expr_program_name(program, action->name);
	uint32_t value;

	if (action->value.data == NULL) {
		expr_program_put_index(program, EXPR_OP_REMOVE, path);
		return;
	}
	value = expr_program_value(program, action->value);
	if (action->kind == EXPR_LEGACY_PUT) {
		expr_program_put_index(program, EXPR_OP_VALUE, value);
		expr_program_put_index(program, EXPR_OP_SET, path);
		return;
	}
	expr_program_put_index(program, action->kind == EXPR_LEGACY_ADD ? EXPR_OP_ADD : EXPR_OP_DELETE, path);
	expr_program_put_number(program, value);
}

enum status expr_legacy_updates(struct arena *arena, const struct expr_legacy_action *actions,
				uint32_t action_count, Cleave__ExprUpdate **update_out,
				struct expr_error *error)
{
	struct expr_program program;
	enum status status;

	expr_error_init(error);
	for (uint32_t i = 0; i < action_count; i++)
		check_action(&actions[i], error);
	if (expr_error_is_set(error))
		return ST_INVALID;
	expr_program_init(&program, arena);
	for (uint32_t i = 0; i < action_count; i++)
		put_action(&program, &actions[i]);
	status = expr_program_update(&program, update_out, error);
	if (status == ST_OK)
		(*update_out)->is_legacy = true;
	return status;
}

enum status expr_legacy_check_operator(uint32_t condition_count, struct expr_error *error)
{
	expr_error_init(error);
	if (condition_count == 0)
		expr_error_set(error, EXPR_MESSAGE_OPERATOR_ALONE);
	else if (condition_count == 1)
		expr_error_set(error, EXPR_MESSAGE_OPERATOR_FOR_ONE);
	return expr_error_is_set(error) ? ST_INVALID : ST_OK;
}
