#include "coordinator/json/json_item.h"

#include "proto/base/base64.h"
#include "proto/model/item_check.h"

#define INVALID_VALUES "One or more parameter values were invalid: "

enum {
	FRAME_ATTRIBUTES, /* {"a": VALUE, ...} */
	FRAME_VALUE,      /* {"S": ...} */
	FRAME_LIST,       /* [VALUE, ...] */
	FRAME_SET,        /* ["x", ...] */
};

enum { VALUE_OFFSET = 5 /* in an item with one attribute of an empty name: count, name size */ };

static struct json_item_frame *top(struct json_item_parser *parser)
{
	return &parser->frames[parser->frame_count - 1];
}

static bool push(struct json_item_parser *parser, uint8_t kind, uint8_t type)
{
	if (parser->frame_count == ARRAY_COUNT(parser->frames)) {
		json_error_set(parser->error, JSON_ERROR_SERIALIZATION, "%s", "");
		return false;
	}
	parser->frames[parser->frame_count++] = (struct json_item_frame){ .kind = kind, .type = type };
	return true;
}

/* Nothing is written from now on. */
static void mute(struct json_item_parser *parser)
{
	if (parser->builder.status == ST_OK)
		parser->builder.status = ST_INVALID;
}

/* Bytes to a C string, cut to fit. */
static void copy_text(char *out, size_t out_size_bytes, struct slice text)
{
	size_t size = text.size < out_size_bytes ? text.size : out_size_bytes - 1;

	if (size > 0)
		memcpy(out, text.data, size);
	out[size] = '\0';
}

/* Before the first error nothing is muted, so the attribute's name is in the item. */
static void name_place(struct json_item_parser *parser)
{
	struct json_error *error = parser->error;
	const struct buf *out = parser->builder.out;
	size_t size = parser->attribute_size;

	if (out->status == ST_OK && size > 0 && size <= parser->attribute_end &&
	    parser->attribute_end <= out->size)
		copy_text(error->attribute, sizeof(error->attribute),
			  slice_of(out->data + parser->attribute_end - size, size));
}

/* A value that breaks a rule: the first one is kept, and parsing goes on. */
PRINTF_LIKE(2, 3) static void refuse(struct json_item_parser *parser, const char *format, ...)
{
	va_list args;

	mute(parser);
	if (parser->error->kind != JSON_ERROR_NONE)
		return;
	va_start(args, format);
	json_error_set_list(parser->error, JSON_ERROR_VALIDATION, format, args);
	va_end(args);
	name_place(parser);
}

void json_item_init(struct json_item_parser *parser, struct buf *out, struct json_error *error)
{
	item_builder_init(&parser->builder, out);
	parser->error = error;
	parser->is_value = false;
	parser->level = 0;
	parser->skip_depth = 0;
	parser->frame_count = 1;
	parser->frames[0] = (struct json_item_frame){ .kind = FRAME_ATTRIBUTES };
	parser->attribute_end = 0;
	parser->attribute_size = 0;
}

void json_item_init_value(struct json_item_parser *parser, struct buf *out, struct json_error *error)
{
	json_item_init(parser, out, error);
	parser->is_value = true;
	parser->frames[0].kind = FRAME_VALUE;
	item_builder_name(&parser->builder, slice_of(NULL, 0));
}

bool json_item_is_done(const struct json_item_parser *parser)
{
	return parser->frame_count == 0;
}

static void take_number(struct json_item_parser *parser, struct slice text, bool is_member)
{
	struct decimal number;
	enum decimal_error error = decimal_parse(&number, text);

	if (error == DECIMAL_NOT_A_NUMBER && text.size > 0)
		refuse(parser, "%s: %.*s", decimal_error_text(error), (int)text.size,
		       (const char *)text.data);
	else if (error != DECIMAL_OK)
		refuse(parser, "%s", decimal_error_text(error));
	else if (is_member)
		item_builder_member_number(&parser->builder, &number);
	else
		item_builder_number(&parser->builder, &number);
}

static size_t decoded_size(struct slice text)
{
	size_t padding = 0;

	while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
		padding++;
	return text.size / 4 * 3 - padding;
}

/* Base64 is decoded straight into the item. */
static bool take_binary(struct json_item_parser *parser, struct slice text, bool is_member)
{
	struct buf *out = parser->builder.out;
	size_t start;
	enum status status;

	if (text.size % 4 != 0) {
		json_error_set(parser->error, JSON_ERROR_SERIALIZATION,
			       "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
			       text.size);
		return false;
	}
	if (is_member)
		item_builder_member_head(&parser->builder, decoded_size(text));
	else
		item_builder_head(&parser->builder, ITEM_B, decoded_size(text));
	start = out->size;
	status = base64_decode(out, text);
	if (status == ST_INVALID) {
		json_error_set(parser->error, JSON_ERROR_SERIALIZATION,
			       "Invalid last non-pad Base64 character dectected");
		return false;
	}
	if (parser->builder.status != ST_OK) /* it was for the check only */
		out->size = start;
	return true;
}

static bool take_bool(struct json_item_parser *parser, const struct json_token *token, bool is_null_type)
{
	bool value;

	if (!json_token_to_bool(token, &value)) {
		json_token_mismatch(parser->error, token, JSON_EXPECTED_BOOLEAN, NULL);
		return false;
	}
	if (!is_null_type)
		item_builder_bool(&parser->builder, value);
	else if (value)
		item_builder_null(&parser->builder);
	else
		refuse(parser, INVALID_VALUES "Null attribute value types must have the value of true");
	return true;
}

/* "S": "x", "N": "1", "B": "eA==" */
static bool take_text(struct json_item_parser *parser, const struct json_token *token, enum item_type type)
{
	if (token->kind != JSON_TOKEN_STRING) {
		json_token_mismatch(parser->error, token,
				    type == ITEM_B ? JSON_EXPECTED_BLOB : JSON_EXPECTED_STRING, NULL);
		return false;
	}
	if (type == ITEM_B)
		return take_binary(parser, token->text, false);
	if (type == ITEM_N)
		take_number(parser, token->text, false);
	else
		item_builder_string(&parser->builder, token->text);
	return true;
}

static bool open_set(struct json_item_parser *parser, const struct json_token *token, enum item_type type)
{
	if (token->kind != JSON_TOKEN_LIST_START) {
		json_token_mismatch(parser->error, token, JSON_EXPECTED_LIST, NULL);
		return false;
	}
	item_builder_open(&parser->builder, type);
	return push(parser, FRAME_SET, (uint8_t)type);
}

static bool open_list(struct json_item_parser *parser, const struct json_token *token)
{
	if (token->kind != JSON_TOKEN_LIST_START) {
		json_token_mismatch(parser->error, token, JSON_EXPECTED_LIST, NULL);
		return false;
	}
	item_builder_open(&parser->builder, ITEM_L);
	parser->level++;
	return push(parser, FRAME_LIST, ITEM_L);
}

static bool open_map(struct json_item_parser *parser, const struct json_token *token)
{
	if (token->kind != JSON_TOKEN_MAP_START) {
		json_token_mismatch(parser->error, token, JSON_EXPECTED_MAP, "AttributeValue");
		return false;
	}
	item_builder_open(&parser->builder, ITEM_M);
	parser->level++;
	return push(parser, FRAME_ATTRIBUTES, ITEM_M);
}

static bool take_typed(struct json_item_parser *parser, const struct json_token *token, enum item_type type)
{
	switch (type) {
	case ITEM_S:
	case ITEM_N:
	case ITEM_B:
		return take_text(parser, token, type);
	case ITEM_BOOL:
	case ITEM_NULL:
		return take_bool(parser, token, type == ITEM_NULL);
	case ITEM_L:
		return open_list(parser, token);
	case ITEM_M:
		return open_map(parser, token);
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		return open_set(parser, token, type);
	}
	UNREACHABLE();
}

static void end_value(struct json_item_parser *parser)
{
	uint16_t type_count = top(parser)->type_count;

	if (type_count == 0)
		refuse(parser, "Supplied AttributeValue is empty, must contain exactly one of the supported "
			       "datatypes");
	if (type_count > 1)
		refuse(parser,
		       "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
		       "the supported datatypes");
	parser->frame_count--;
}

/* Inside {"S": ...}. */
static bool feed_value(struct json_item_parser *parser, const struct json_token *token)
{
	struct json_item_frame *frame = top(parser);
	enum item_type type;

	if (token->kind == JSON_TOKEN_MAP_END) {
		end_value(parser);
		return true;
	}
	if (token->kind == JSON_TOKEN_KEY) {
		frame->type = item_type_parse(token->text, &type) ? (uint8_t)type : 0;
		return true;
	}
	if (frame->type == 0) {
		parser->skip_depth = token->kind == JSON_TOKEN_MAP_START ||
				     token->kind == JSON_TOKEN_LIST_START;
		return true;
	}
	if (token->kind == JSON_TOKEN_NULL)
		return true;
	if (frame->type_count > 0)
		mute(parser); /* refused in end_value(), unless the second value is worse */
	if (frame->type_count < UINT16_MAX)
		frame->type_count++;
	return take_typed(parser, token, frame->type);
}

static bool open_value(struct json_item_parser *parser, const struct json_token *token)
{
	if (token->kind == JSON_TOKEN_NULL) {
		refuse(parser, "Supplied AttributeValue is empty, must contain exactly one of the supported "
			       "datatypes");
		return true;
	}
	if (token->kind != JSON_TOKEN_MAP_START) {
		json_token_mismatch(parser->error, token, JSON_EXPECTED_ELEMENT_STRUCT, "AttributeValue");
		return false;
	}
	if (parser->level >= LIMIT_NESTING_DEPTH)
		refuse(parser,
		       "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
		       "levels beyond supported limit");
	return push(parser, FRAME_VALUE, 0);
}

/* ST_INVALID if the container that is about to end has a name or member twice. */
static enum status check_unique(struct json_item_parser *parser, enum item_type type)
{
	enum status status;

	if (parser->builder.status != ST_OK || parser->builder.out->status != ST_OK)
		return ST_OK;
	status = item_check_unique(item_builder_open_payload(&parser->builder), type);
	if (status == ST_NO_MEMORY)
		parser->builder.status = status;
	return status;
}

static void pop_container(struct json_item_parser *parser)
{
	parser->level--;
	parser->frame_count--;
	item_builder_close(&parser->builder);
}

static bool end_attributes(struct json_item_parser *parser)
{
	if (check_unique(parser, ITEM_M) == ST_INVALID) {
		json_error_set(parser->error, JSON_ERROR_SERIALIZATION, "Duplicate attribute name");
		return false;
	}
	if (parser->frame_count == 1)
		parser->frame_count = 0;
	else
		pop_container(parser);
	return true;
}

/* Inside {"a": VALUE, ...}. */
static bool feed_attributes(struct json_item_parser *parser, const struct json_token *token)
{
	if (token->kind == JSON_TOKEN_MAP_END)
		return end_attributes(parser);
	if (token->kind != JSON_TOKEN_KEY)
		return open_value(parser, token);
	item_builder_name(&parser->builder, token->text);
	if (parser->frame_count == 1) {
		parser->attribute_end = parser->builder.out->size;
		parser->attribute_size = token->text.size;
	}
	return true;
}

static bool feed_list(struct json_item_parser *parser, const struct json_token *token)
{
	if (token->kind != JSON_TOKEN_LIST_END)
		return open_value(parser, token);
	pop_container(parser);
	return true;
}

/* "[a, b]" of the set that is about to end; binary members in base64. */
static void print_members(struct json_item_parser *parser, enum item_type type, struct buf *out)
{
	struct item_iter iter;
	struct slice member;
	const char *separator = "[";

	item_iter_init(&iter, item_builder_open_payload(&parser->builder));
	while (item_next_member(&iter, &member)) {
		buf_append_string(out, separator);
		if (type == ITEM_BS)
			base64_encode(out, member);
		else
			buf_append_slice(out, member);
		separator = ", ";
	}
	buf_append_string(out, "]");
}

static void refuse_duplicates(struct json_item_parser *parser, enum item_type type)
{
	struct buf members;

	if (type == ITEM_NS) {
		refuse(parser, "Input collection contains duplicates");
		return;
	}
	buf_init(&members, LIMIT_ERROR_MESSAGE_SIZE_BYTES); /* too long: cut between members */
	print_members(parser, type, &members);
	refuse(parser, INVALID_VALUES "Input collection %.*s%s contains duplicates.", (int)members.size,
	       (const char *)members.data, type == ITEM_BS ? "of type BS" : "");
	buf_close(&members);
}

static void end_set(struct json_item_parser *parser)
{
	enum item_type type = top(parser)->type;

	if (top(parser)->count == 0 && type == ITEM_SS)
		refuse(parser, INVALID_VALUES "An string set  may not be empty");
	else if (top(parser)->count == 0 && type == ITEM_NS)
		refuse(parser, INVALID_VALUES "An number set  may not be empty");
	else if (top(parser)->count == 0)
		refuse(parser, INVALID_VALUES "Binary sets should not be empty");
	else if (check_unique(parser, type) == ST_INVALID)
		refuse_duplicates(parser, type);
	parser->frame_count--;
	item_builder_close(&parser->builder);
}

/* Inside ["x", ...] of SS, NS or BS. */
static bool feed_set(struct json_item_parser *parser, const struct json_token *token)
{
	struct json_item_frame *frame = top(parser);

	if (token->kind == JSON_TOKEN_LIST_END) {
		end_set(parser);
		return true;
	}
	if (token->kind != JSON_TOKEN_STRING) {
		json_token_mismatch(parser->error, token,
				    frame->type == ITEM_BS ? JSON_EXPECTED_BLOB : JSON_EXPECTED_STRING, NULL);
		return false;
	}
	frame->count++;
	if (frame->type == ITEM_BS)
		return take_binary(parser, token->text, true);
	if (frame->type == ITEM_NS)
		take_number(parser, token->text, true);
	else
		item_builder_member(&parser->builder, token->text);
	return true;
}

static void skip(struct json_item_parser *parser, enum json_token_kind kind)
{
	if (kind == JSON_TOKEN_MAP_START || kind == JSON_TOKEN_LIST_START)
		parser->skip_depth++;
	if (kind == JSON_TOKEN_MAP_END || kind == JSON_TOKEN_LIST_END)
		parser->skip_depth--;
}

bool json_item_feed(struct json_item_parser *parser, const struct json_token *token)
{
	CHECK(parser->frame_count > 0);
	if (parser->skip_depth > 0) {
		skip(parser, token->kind);
		return true;
	}
	switch (top(parser)->kind) {
	case FRAME_ATTRIBUTES:
		return feed_attributes(parser, token);
	case FRAME_VALUE:
		return feed_value(parser, token);
	case FRAME_LIST:
		return feed_list(parser, token);
	default:
		return feed_set(parser, token);
	}
}

enum status json_item_finish(struct json_item_parser *parser, struct slice *bytes_out)
{
	enum status status = item_builder_finish(&parser->builder);
	struct slice item;

	CHECK(json_item_is_done(parser));
	if (status == ST_TOO_BIG) {
		refuse(parser, "Item size has exceeded the maximum allowed size");
		return ST_INVALID;
	}
	if (status != ST_OK)
		return status;
	item = item_builder_item(&parser->builder);
	*bytes_out = parser->is_value ? slice_of(item.data + VALUE_OFFSET, item.size - VALUE_OFFSET) : item;
	return ST_OK;
}
