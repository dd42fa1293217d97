#include <stdarg.h>
#include <stdio.h>

#include "coordinator/expr/expr_internal.h"
#include "coordinator/expr/expr_message.h"
#include "coordinator/expr/expr_reserved.h"
#include "proto/wire/proto_borrow.h"

/* No token makes more code than this (the comma of if_not_exists has that of its path too). */
enum { CODE_SIZE_PER_TOKEN = 3, INDEX_DIGIT_COUNT = 10, NO_INDEX = UINT16_MAX };

static const char *const prefixes[] = {
	[EXPR_CONDITION] = "Invalid ConditionExpression: ",
	[EXPR_FILTER] = "Invalid FilterExpression: ",
	[EXPR_KEY_CONDITION] = "Invalid KeyConditionExpression: ",
	[EXPR_UPDATE] = "Invalid UpdateExpression: ",
	[EXPR_PROJECTION] = "Invalid ProjectionExpression: ",
};

/* Every path, value and operand has a token of its own, and something between it and the next. */
static void allocate(struct expr_parser *parser, size_t text_size)
{
	size_t count = text_size / 2 + 1;
	size_t bound = parser->bind->values.count;
	size_t paths = count * sizeof(*parser->paths);
	size_t values = (count < bound ? count : bound) * sizeof(*parser->values);
	size_t operands = text_size <= EXPR_SHORT_TEXT_SIZE ? 0 : count * sizeof(*parser->operands);
	size_t slots = bound * sizeof(*parser->value_slots);
	size_t code = CODE_SIZE_PER_TOKEN * (text_size + 1);
	uint8_t *block = arena_alloc(parser->bind->arena, paths + values + operands + slots + code);

	if (block == NULL) {
		parser->status = ST_NO_MEMORY;
		return;
	}
	parser->paths = (ProtobufCBinaryData *)(void *)block;
	parser->values = (ProtobufCBinaryData *)(void *)(block + paths);
	parser->operands = operands == 0 ? parser->few_operands
					 : (struct expr_operand *)(void *)(block + paths + values);
	parser->value_slots = (uint16_t *)(void *)(block + paths + values + operands);
	parser->code = block + paths + values + operands + slots;
	memset(parser->value_slots, 0, slots);
}

static bool is_blank(struct slice text)
{
	struct expr_lexer lexer;

	expr_lexer_init(&lexer, text);
	return lexer.token.kind == EXPR_TOKEN_END;
}

void expr_parse_begin(struct expr_parser *parser, struct expr_bind *bind, enum expr_use use,
		      struct slice text)
{
	memset(parser, 0, offsetof(struct expr_parser, few_operands));
	parser->bind = bind;
	parser->use = use;
	if (text.size > LIMIT_EXPRESSION_SIZE_BYTES) {
		expr_error_set(bind->error, "%s" EXPR_MESSAGE_SIZE, prefixes[use], text.size);
		parser->status = ST_INVALID;
	} else if (is_blank(text)) {
		expr_parse_fail(parser, EXPR_MESSAGE_EMPTY);
	} else {
		allocate(parser, text.size);
		expr_lexer_init(&parser->lexer, text);
	}
}

enum status expr_parse_end(struct expr_parser *parser)
{
	if (parser->status != ST_OK || !parser->has_findings)
		return parser->status;
	for (uint32_t pass = 0; pass < EXPR_PASSES; pass++) {
		if (parser->findings[pass].text != NULL)
			expr_parse_fail(parser, parser->findings[pass].text);
	}
	CHECK(parser->status != ST_OK);
	return parser->status;
}

void expr_parse_fail(struct expr_parser *parser, const char *text)
{
	if (parser->status != ST_OK)
		return;
	expr_error_set(parser->bind->error, "%s%s", prefixes[parser->use], text);
	parser->status = ST_INVALID;
}

void expr_parse_syntax(struct expr_parser *parser)
{
	bool is_end = expr_parse_kind(parser) == EXPR_TOKEN_END;
	struct slice token = is_end ? slice_of_string(EXPR_MESSAGE_END) : expr_lexer_token(&parser->lexer);
	struct slice near = expr_lexer_near(&parser->lexer);

	if (parser->status != ST_OK)
		return;
	expr_error_set(parser->bind->error, "%s" EXPR_MESSAGE_SYNTAX, prefixes[parser->use], (int)token.size,
		       (const char *)token.data, (int)near.size, (const char *)near.data);
	parser->status = ST_INVALID;
}

void expr_parse_find(struct expr_parser *parser, enum expr_pass pass, uint32_t offset, const char *format,
		     ...)
{
	struct expr_finding *finding = &parser->findings[pass];
	char text[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	va_list args;

	if (parser->status != ST_OK ||
	    (pass > EXPR_PASS_LEAF && parser->findings[EXPR_PASS_LEAF].text != NULL))
		return;
	if (finding->text != NULL && (pass != EXPR_PASS_TEXT || offset >= finding->offset))
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut like the error itself */
	va_end(args);
	finding->text = (const char *)arena_copy(parser->bind->arena, slice_of_string(text));
	finding->offset = offset;
	parser->has_findings = true;
	if (finding->text == NULL)
		parser->status = ST_NO_MEMORY;
}

void expr_parse_leaf(struct expr_parser *parser)
{
	struct expr_finding *leaf = &parser->findings[EXPR_PASS_LEAF];

	if (!parser->has_findings || leaf->text != NULL)
		return;
	for (uint32_t pass = EXPR_PASS_LEAF + 1; pass < EXPR_PASSES && leaf->text == NULL; pass++)
		*leaf = parser->findings[pass];
}

void expr_parse_count_operator(struct expr_parser *parser)
{
	if (++parser->operator_count > LIMIT_EXPRESSION_OPERATOR_COUNT)
		expr_parse_find(parser, EXPR_PASS_OPERATORS, 0, EXPR_MESSAGE_OPERATORS,
				parser->operator_count);
}

void expr_parse_expect(struct expr_parser *parser, enum expr_token_kind kind)
{
	if (expr_parse_kind(parser) != kind)
		expr_parse_syntax(parser);
	else
		expr_lexer_next(&parser->lexer);
}

bool expr_parse_is_keyword(const struct expr_parser *parser)
{
	enum expr_keyword keyword = parser->lexer.token.keyword;

	if (keyword == EXPR_WORD_PLAIN || parser->use == EXPR_PROJECTION)
		return false;
	return (keyword >= EXPR_WORD_SET) == (parser->use == EXPR_UPDATE);
}

/* A path while its tokens are read. */
struct path_scan {
	struct expr_path_element elements[LIMIT_NESTING_DEPTH];
	uint32_t depth; /* may be more than fit */
	size_t size;    /* encoded */
	bool is_defined;
};

static void add_element(struct path_scan *scan, struct slice name, uint32_t index)
{
	if (scan->depth < LIMIT_NESTING_DEPTH)
		scan->elements[scan->depth] = (struct expr_path_element){ name, index };
	scan->size += name.data != NULL ? EXPR_PATH_NAME_HEAD_SIZE + name.size : EXPR_PATH_INDEX_SIZE;
	scan->depth++;
}

static void scan_name(struct expr_parser *parser, struct path_scan *scan)
{
	struct slice token = expr_lexer_token(&parser->lexer);
	uint32_t offset = parser->lexer.token.offset;
	int64_t index;

	if (expr_parse_kind(parser) == EXPR_TOKEN_NAME) {
		index = expr_bind_find(&parser->bind->names, token);
		if (index < 0) {
			expr_parse_find(parser, EXPR_PASS_NAME, offset, EXPR_MESSAGE_NAME, (int)token.size,
					(const char *)token.data);
			scan->is_defined = false;
		} else {
			token = parser->bind->names.bindings[index].value;
		}
	} else if (expr_parse_kind(parser) != EXPR_TOKEN_WORD || expr_parse_is_keyword(parser)) {
		expr_parse_syntax(parser);
		return;
	} else if (expr_reserved(token)) {
		expr_parse_find(parser, EXPR_PASS_TEXT, offset, EXPR_MESSAGE_RESERVED, (int)token.size,
				(const char *)token.data);
	}
	add_element(scan, token, 0);
	expr_lexer_next(&parser->lexer);
}

static void scan_index(struct expr_parser *parser, struct path_scan *scan)
{
	struct slice digits = expr_lexer_token(&parser->lexer);
	uint32_t offset = parser->lexer.token.offset;
	uint64_t index = 0;

	expr_parse_expect(parser, EXPR_TOKEN_INDEX);
	if (parser->status != ST_OK)
		return;
	for (size_t i = 0; i < digits.size && i <= INDEX_DIGIT_COUNT; i++)
		index = 10 * index + (digits.data[i] - '0');
	if (index > LIMIT_LIST_INDEX)
		expr_parse_find(parser, EXPR_PASS_TEXT, offset, EXPR_MESSAGE_LIST_INDEX, (int)digits.size,
				(const char *)digits.data);
	add_element(scan, slice_of(NULL, 0), (uint32_t)index);
	expr_parse_expect(parser, EXPR_TOKEN_LIST_CLOSE);
}

static uint8_t *write_element(uint8_t *out, const struct expr_path_element *element)
{
	if (element->name.data == NULL) {
		out[0] = EXPR_PATH_INDEX;
		put_u32_be(out + 1, element->index);
		return out + EXPR_PATH_INDEX_SIZE;
	}
	out[0] = EXPR_PATH_NAME;
	put_u16_be(out + 1, (uint16_t)element->name.size);
	memcpy(out + EXPR_PATH_NAME_HEAD_SIZE, element->name.data, element->name.size);
	return out + EXPR_PATH_NAME_HEAD_SIZE + element->name.size;
}

enum status expr_parse_path_of_name(struct arena *arena, struct slice name, ProtobufCBinaryData *path_out)
{
	struct expr_path_element element = { name, 0 };
	uint8_t *out;

	if (name.size > LIMIT_ATTRIBUTE_NAME_SIZE_BYTES)
		return ST_INVALID;
	out = arena_alloc(arena, EXPR_PATH_NAME_HEAD_SIZE + name.size);
	if (out == NULL)
		return ST_NO_MEMORY;
	*path_out = (ProtobufCBinaryData){ EXPR_PATH_NAME_HEAD_SIZE + name.size, out };
	(void)write_element(out, &element);
	return ST_OK;
}

/* A path that is not sound stays empty: there is a finding about it. */
static uint32_t add_path(struct expr_parser *parser, const struct path_scan *scan, uint32_t offset)
{
	uint32_t index = parser->path_count++;
	uint8_t *out;

	parser->paths[index] = (ProtobufCBinaryData){ 0, NULL };
	if (scan->depth > LIMIT_NESTING_DEPTH) {
		expr_parse_find(parser, EXPR_PASS_NAME, offset, EXPR_MESSAGE_DEPTH, scan->depth);
		return index;
	}
	if (!scan->is_defined)
		return index;
	out = arena_alloc(parser->bind->arena, scan->size);
	if (out == NULL) {
		parser->status = ST_NO_MEMORY;
		return index;
	}
	parser->paths[index] = (ProtobufCBinaryData){ scan->size, out };
	for (uint32_t i = 0; i < scan->depth; i++)
		out = write_element(out, &scan->elements[i]);
	return index;
}

uint32_t expr_parse_path(struct expr_parser *parser)
{
	uint32_t offset = parser->lexer.token.offset;
	struct path_scan scan;

	scan.depth = 0;
	scan.size = 0;
	scan.is_defined = true;
	scan_name(parser, &scan);
	while (parser->status == ST_OK) {
		if (expr_parse_kind(parser) == EXPR_TOKEN_DOT) {
			expr_lexer_next(&parser->lexer);
			scan_name(parser, &scan);
		} else if (expr_parse_kind(parser) == EXPR_TOKEN_LIST_OPEN) {
			expr_lexer_next(&parser->lexer);
			scan_index(parser, &scan);
		} else {
			break;
		}
	}
	return parser->status == ST_OK ? add_path(parser, &scan, offset) : 0;
}

uint32_t expr_parse_value(struct expr_parser *parser, uint8_t *type_out)
{
	struct slice token = expr_lexer_token(&parser->lexer);
	uint32_t offset = parser->lexer.token.offset;
	struct slice value;
	int64_t index;

	*type_out = 0;
	expr_parse_expect(parser, EXPR_TOKEN_VALUE);
	if (parser->status != ST_OK)
		return 0;
	index = expr_bind_find(&parser->bind->values, token);
	if (index < 0) {
		/* In a condition, names and values are looked for together. */
		enum expr_pass pass = parser->use == EXPR_UPDATE ? EXPR_PASS_VALUE : EXPR_PASS_NAME;

		expr_parse_find(parser, pass, offset, EXPR_MESSAGE_VALUE, (int)token.size,
				(const char *)token.data);
		return NO_INDEX;
	}
	value = parser->bind->values.bindings[index].value;
	*type_out = value.data[0];
	if (parser->value_slots[index] == 0) {
		parser->values[parser->value_count++] = proto_borrow_bytes(value);
		parser->value_slots[index] = (uint16_t)parser->value_count;
	}
	return parser->value_slots[index] - 1u;
}

void expr_parse_emit(struct expr_parser *parser, enum expr_op op)
{
	parser->code[parser->code_size++] = (uint8_t)op;
}

void expr_parse_emit_number(struct expr_parser *parser, uint32_t number)
{
	CHECK(number <= UINT16_MAX);
	put_u16_be(parser->code + parser->code_size, (uint16_t)number);
	parser->code_size += 2;
}

void expr_parse_emit_index(struct expr_parser *parser, enum expr_op op, uint32_t index)
{
	expr_parse_emit(parser, op);
	expr_parse_emit_number(parser, index);
}

void expr_parse_end_span(struct expr_parser *parser, uint32_t at)
{
	put_u16_be(parser->code + at, (uint16_t)(parser->code_size - at - 2));
}

const char *expr_parse_path_text(struct expr_parser *parser, ProtobufCBinaryData path)
{
	struct slice left = expr_slice(path);
	struct expr_path_element element;
	struct buf text;
	uint8_t *copy = NULL;

	buf_init(&text, 2 * path.len + 4 * LIMIT_NESTING_DEPTH + 64 * 1024);
	buf_append_string(&text, "[");
	while (expr_path_next(&left, &element)) {
		if (text.size > 1)
			buf_append_string(&text, ", ");
		if (element.name.data != NULL)
			buf_append_slice(&text, element.name);
		else
			buf_append_format(&text, "[%u]", element.index);
	}
	buf_append_string(&text, "]");
	if (text.status == ST_OK)
		copy = arena_copy(parser->bind->arena, buf_slice(&text));
	buf_close(&text);
	if (copy == NULL)
		parser->status = ST_NO_MEMORY;
	return copy == NULL ? "" : (const char *)copy;
}
