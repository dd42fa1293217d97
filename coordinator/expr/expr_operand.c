#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"
#include "proto/model/decimal.h"

enum { BOUND_TEXT_SIZE = 512 };

static const struct {
	const char *name;
	uint32_t operand_count;
	bool is_for_update;
} functions[] = {
	[EXPR_FUNCTION_NONE] = { "", 0, false },
	[EXPR_ATTRIBUTE_EXISTS] = { "attribute_exists", 1, false },
	[EXPR_ATTRIBUTE_NOT_EXISTS] = { "attribute_not_exists", 1, false },
	[EXPR_ATTRIBUTE_TYPE] = { "attribute_type", 2, false },
	[EXPR_BEGINS_WITH] = { "begins_with", 2, false },
	[EXPR_CONTAINS] = { "contains", 2, false },
	[EXPR_SIZE] = { "size", 1, false },
	[EXPR_IF_NOT_EXISTS] = { "if_not_exists", 2, true },
	[EXPR_LIST_APPEND] = { "list_append", 2, true },
};

const char *expr_operand_function_name(enum expr_function function)
{
	return functions[function].name;
}

enum expr_function expr_operand_function(struct expr_parser *parser)
{
	struct slice name = expr_lexer_token(&parser->lexer);
	bool is_update = parser->use == EXPR_UPDATE;
	uint32_t offset = parser->lexer.token.offset;

	for (uint32_t i = 1; i < ARRAY_COUNT(functions); i++) {
		if (functions[i].name[0] != (char)name.data[0] ||
		    !slice_equal(name, slice_of_string(functions[i].name)))
			continue;
		if (functions[i].is_for_update == is_update)
			return (enum expr_function)i;
		if (is_update)
			expr_parse_find(parser, EXPR_PASS_TEXT, offset, EXPR_MESSAGE_FUNCTION_IN_UPDATE,
					(int)name.size, (const char *)name.data);
		else
			expr_parse_find(parser, EXPR_PASS_TEXT, offset, EXPR_MESSAGE_FUNCTION_IN_CONDITION,
					(int)name.size, (const char *)name.data);
		return EXPR_FUNCTION_NONE;
	}
	expr_parse_find(parser, EXPR_PASS_TEXT, offset, EXPR_MESSAGE_FUNCTION, (int)name.size,
			(const char *)name.data);
	return EXPR_FUNCTION_NONE;
}

void expr_operand_push(struct expr_parser *parser, struct expr_operand operand)
{
	parser->operands[parser->operand_count++] = operand;
}

void expr_operand_push_path(struct expr_parser *parser)
{
	uint32_t offset = parser->lexer.token.offset;
	uint32_t index = expr_parse_path(parser);

	if (parser->status != ST_OK)
		return;
	expr_parse_emit_index(parser, EXPR_OP_PATH, index);
	expr_operand_push(parser, (struct expr_operand){ EXPR_OPERAND_PATH, 0, 0, index, offset });
}

void expr_operand_push_value(struct expr_parser *parser)
{
	uint32_t offset = parser->lexer.token.offset;
	uint8_t type;
	uint32_t index = expr_parse_value(parser, &type);

	if (parser->status != ST_OK)
		return;
	expr_parse_emit_index(parser, EXPR_OP_VALUE, index);
	expr_operand_push(parser, (struct expr_operand){ EXPR_OPERAND_VALUE, 0, type, index, offset });
}

struct expr_operand *expr_operand_top(struct expr_parser *parser, uint32_t depth)
{
	CHECK(depth < parser->operand_count);
	return &parser->operands[parser->operand_count - 1 - depth];
}

void expr_operand_pop(struct expr_parser *parser, uint32_t count)
{
	CHECK(count <= parser->operand_count);
	parser->operand_count -= count;
}

static bool is_scalar_in_order(uint8_t type)
{
	return type == ITEM_S || type == ITEM_N || type == ITEM_B;
}

static void find_type(struct expr_parser *parser, const char *operator_name,
		      const struct expr_operand *operand)
{
	/* An update has one pass for all that is wrong with its functions. */
	enum expr_pass pass = parser->use == EXPR_UPDATE ? EXPR_PASS_COUNT : EXPR_PASS_TYPE;

	expr_parse_find(parser, pass, operand->offset, EXPR_MESSAGE_OPERAND_TYPE, operator_name,
			item_type_name(operand->type));
}

void expr_operand_check_distinct(struct expr_parser *parser, const char *operator_name, uint32_t count)
{
	const struct expr_operand *first = expr_operand_top(parser, count - 1);
	ProtobufCBinaryData path;

	if (first->kind != EXPR_OPERAND_PATH)
		return;
	path = parser->paths[first->index];
	if (path.len == 0)
		return;
	for (uint32_t i = 1; i < count; i++) {
		const struct expr_operand *other = first + i;

		if (other->kind == EXPR_OPERAND_PATH &&
		    slice_equal(expr_slice(path), expr_slice(parser->paths[other->index]))) {
			expr_parse_find(parser, EXPR_PASS_DISTINCT, first->offset, EXPR_MESSAGE_DISTINCT,
					operator_name, expr_parse_path_text(parser, path));
			return;
		}
	}
}

void expr_operand_check_order(struct expr_parser *parser, const char *operator_name, uint32_t count)
{
	const struct expr_operand *first = expr_operand_top(parser, count - 1);

	for (uint32_t i = 0; i < count; i++) {
		if (first[i].type != 0 && !is_scalar_in_order(first[i].type))
			find_type(parser, operator_name, &first[i]);
	}
}

static struct item_value value_of(const struct expr_parser *parser, const struct expr_operand *operand)
{
	struct slice encoded = expr_slice(parser->values[operand->index]);
	struct item_iter iter = { .count_left = 1 };
	struct item_value value = { 0 };

	reader_init(&iter.reader, encoded);
	(void)item_next_value(&iter, &value); /* the bind's values are sound */
	return value;
}

/* "S:text", as a Java object prints itself. */
static void print_bound(const struct item_value *value, char out[BOUND_TEXT_SIZE])
{
	char digits[DECIMAL_TEXT_SIZE_MAX];
	struct decimal number;
	struct buf text;

	buf_init(&text, BOUND_TEXT_SIZE);
	buf_append_format(&text, "%s:", item_type_name(value->type));
	if (value->type == ITEM_N && decimal_decode(&number, value->payload, NULL) == ST_OK)
		buf_append(&text, digits, decimal_print(&number, digits));
	else if (value->type == ITEM_B)
		buf_append_format(&text, "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]",
				  value->payload.size, value->payload.size);
	else
		buf_append(&text, value->payload.data,
			   value->payload.size < BOUND_TEXT_SIZE / 2 ? value->payload.size
								     : BOUND_TEXT_SIZE / 2);
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	buf_close(&text);
}

void expr_operand_check_bounds(struct expr_parser *parser)
{
	const struct expr_operand *low = expr_operand_top(parser, 1);
	const struct expr_operand *high = expr_operand_top(parser, 0);
	char low_text[BOUND_TEXT_SIZE];
	char high_text[BOUND_TEXT_SIZE];
	struct item_value a;
	struct item_value b;

	if (low->kind != EXPR_OPERAND_VALUE || high->kind != EXPR_OPERAND_VALUE ||
	    !is_scalar_in_order(low->type) || !is_scalar_in_order(high->type))
		return;
	a = value_of(parser, low);
	b = value_of(parser, high);
	if (a.type == b.type && slice_compare(a.payload, b.payload) <= 0)
		return;
	print_bound(&a, low_text);
	print_bound(&b, high_text);
	if (a.type != b.type)
		expr_parse_find(parser, EXPR_PASS_TYPE, low->offset, EXPR_MESSAGE_BETWEEN_TYPES, low_text,
				high_text);
	else
		expr_parse_find(parser, EXPR_PASS_TYPE, low->offset, EXPR_MESSAGE_BETWEEN_ORDER, low_text,
				high_text);
}

void expr_operand_check_number(struct expr_parser *parser, const char *operator_name, uint32_t count)
{
	const struct expr_operand *first = expr_operand_top(parser, count - 1);

	for (uint32_t i = 0; i < count; i++) {
		if (first[i].type != 0 && first[i].type != ITEM_N)
			find_type(parser, operator_name, &first[i]);
	}
}

static void check_needs_path(struct expr_parser *parser, enum expr_function function)
{
	const struct expr_operand *first = expr_operand_top(parser, functions[function].operand_count - 1);
	enum expr_pass pass = parser->use == EXPR_UPDATE ? EXPR_PASS_COUNT : EXPR_PASS_TYPE;

	if (first->kind != EXPR_OPERAND_PATH)
		expr_parse_find(parser, pass, first->offset, EXPR_MESSAGE_NEEDS_PATH,
				functions[function].name);
}

static void check_type_name(struct expr_parser *parser)
{
	const struct expr_operand *operand = expr_operand_top(parser, 0);
	enum item_type ignored;
	struct item_value value;

	if (operand->type == 0) {
		if (operand->kind != EXPR_OPERAND_VALUE) /* an undefined value is found already */
			expr_parse_find(parser, EXPR_PASS_TYPE, operand->offset, EXPR_MESSAGE_OPERAND_TYPE,
					functions[EXPR_ATTRIBUTE_TYPE].name, EXPR_MESSAGE_ANY_TYPE);
		return;
	}
	if (operand->type != ITEM_S || operand->kind != EXPR_OPERAND_VALUE) {
		find_type(parser, functions[EXPR_ATTRIBUTE_TYPE].name, operand);
		return;
	}
	value = value_of(parser, operand);
	if (!item_type_parse(value.payload, &ignored))
		expr_parse_find(parser, EXPR_PASS_TYPE, operand->offset, EXPR_MESSAGE_TYPE_NAME,
				(int)(value.payload.size < LIMIT_ERROR_MESSAGE_SIZE_BYTES
					      ? value.payload.size
					      : LIMIT_ERROR_MESSAGE_SIZE_BYTES),
				(const char *)value.payload.data);
}

static void check_begins_with(struct expr_parser *parser)
{
	for (uint32_t depth = 2; depth-- > 0;) {
		const struct expr_operand *operand = expr_operand_top(parser, depth);

		if (operand->type != 0 && operand->type != ITEM_S && operand->type != ITEM_B)
			find_type(parser, functions[EXPR_BEGINS_WITH].name, operand);
	}
}

static void check_size(struct expr_parser *parser)
{
	const struct expr_operand *operand = expr_operand_top(parser, 0);

	if (operand->type == ITEM_N || operand->type == ITEM_BOOL || operand->type == ITEM_NULL)
		find_type(parser, functions[EXPR_SIZE].name, operand);
}

static void check_list_append(struct expr_parser *parser)
{
	for (uint32_t depth = 2; depth-- > 0;) {
		const struct expr_operand *operand = expr_operand_top(parser, depth);

		if (operand->type != 0 && operand->type != ITEM_L)
			find_type(parser, functions[EXPR_LIST_APPEND].name, operand);
	}
}

void expr_operand_check_call(struct expr_parser *parser, enum expr_function function, uint32_t count)
{
	if (function == EXPR_FUNCTION_NONE)
		return;
	if (count != functions[function].operand_count) {
		expr_parse_find(parser, EXPR_PASS_COUNT, 0, EXPR_MESSAGE_OPERAND_COUNT,
				functions[function].name, count);
		return;
	}
	if (count == 2 && parser->use != EXPR_UPDATE)
		expr_operand_check_distinct(parser, functions[function].name, count);
	switch (function) {
	case EXPR_ATTRIBUTE_EXISTS:
	case EXPR_ATTRIBUTE_NOT_EXISTS:
	case EXPR_IF_NOT_EXISTS:
		check_needs_path(parser, function);
		return;
	case EXPR_ATTRIBUTE_TYPE:
		check_needs_path(parser, function);
		check_type_name(parser);
		return;
	case EXPR_BEGINS_WITH:
		check_begins_with(parser);
		return;
	case EXPR_SIZE:
		check_size(parser);
		return;
	case EXPR_LIST_APPEND:
		check_list_append(parser);
		return;
	case EXPR_CONTAINS:
	case EXPR_FUNCTION_NONE:
		return;
	}
}
