#include "coordinator/json/json_reader.h"

#include <stdlib.h>
#include <yajl/yajl_parse.h>

#include "coordinator/json/json_item.h"
#include "proto/model/item_check.h"

enum {
	FRAME_COUNT_MAX = 16, /* the deepest type table */
	LIST_CAPACITY_MIN = 4,
	VALUE_OFFSET = sizeof(struct slice), /* of a map's entry, after its key */
	FIELD_COUNT_MAX = 64,
	ENTRY_ALIGN = 8,
	DISTINCT_SMALL = 16,
	ITEM_ROOM_MAX = 64 * 1024,
};

_Static_assert(sizeof(struct slice) % ENTRY_ALIGN == 0, "the value follows the key at once");

/* A struct, list or map whose end has not come yet. */
struct frame {
	const struct json_type *type;
	uint8_t *target;                /* the C struct or struct json_list */
	const struct json_field *field; /* STRUCT: of the last key; NULL if unknown */
	uint64_t fields_seen;           /* STRUCT: bit n for fields[n] */
	uint32_t capacity;              /* LIST, MAP */
};

struct state {
	struct slice body;
	struct arena *arena;
	struct json_error *error;
	enum status status;
	const struct json_type *root;
	uint8_t *root_target;
	bool has_root;
	uint32_t depth;
	uint32_t skip_depth; /* inside a value that no table names */
	uint32_t frame_count;
	struct frame frames[FRAME_COUNT_MAX];
	struct slice *item_target; /* an item or value is being read; else NULL */
	const char *parameter;     /* of the request: the last key of the root */
	const struct json_fault *first_fault;
	struct json_fault *last_fault;
	struct buf item_bytes;
	struct json_item_parser item;
};

#define SCALAR(scalar_kind, c_type)                                                                          \
	{                                                                                                    \
		.kind = (scalar_kind), .size_bytes = sizeof(c_type)                                          \
	}

const struct json_type json_type_string = SCALAR(JSON_KIND_STRING, struct slice);
const struct json_type json_type_bool = SCALAR(JSON_KIND_BOOL, enum json_bool);
const struct json_type json_type_integer = SCALAR(JSON_KIND_INTEGER, struct json_number);
const struct json_type json_type_long = SCALAR(JSON_KIND_LONG, struct json_number);
const struct json_type json_type_item = SCALAR(JSON_KIND_ITEM, struct slice);
const struct json_type json_type_value = SCALAR(JSON_KIND_VALUE, struct slice);
const struct json_type json_type_string_list = JSON_LIST_OF(&json_type_string);
const struct json_type json_type_string_map = JSON_MAP_OF(&json_type_string);
const struct json_type json_type_item_list = JSON_LIST_OF(&json_type_item);

static struct frame *top(struct state *state)
{
	return &state->frames[state->frame_count - 1];
}

static bool fail(struct state *state, enum status status)
{
	state->status = status;
	return false;
}

/* The JSON is wrong; what to answer is in *error. */
static bool mismatch(struct state *state, const struct json_token *token, enum json_expected expected,
		     const char *java_name)
{
	json_token_mismatch(state->error, token, expected, java_name);
	return fail(state, ST_INVALID);
}

static bool malformed(struct state *state, const char *message)
{
	json_error_set(state->error, JSON_ERROR_SERIALIZATION, "%s", message);
	return fail(state, ST_INVALID);
}

/* Bytes that live as long as body and arena; .data is never NULL. */
static bool keep(struct state *state, struct slice text, struct slice *kept_out)
{
	uintptr_t at = (uintptr_t)text.data;
	uintptr_t body = (uintptr_t)state->body.data;
	const uint8_t *copy;

	if (text.size == 0) {
		*kept_out = slice_of("", 0);
		return true;
	}
	if (at >= body && at < body + state->body.size) {
		*kept_out = text;
		return true;
	}
	copy = arena_copy(state->arena, text);
	if (copy == NULL)
		return fail(state, ST_TOO_BIG);
	*kept_out = slice_of(copy, text.size);
	return true;
}

static void push(struct state *state, const struct json_type *type, void *target)
{
	CHECK(state->frame_count < FRAME_COUNT_MAX);
	state->frames[state->frame_count++] = (struct frame){ .type = type, .target = target };
}

static size_t entry_size(const struct json_type *type)
{
	size_t size = type->element->size_bytes;

	if (type->kind == JSON_KIND_MAP)
		size += VALUE_OFFSET;
	return (size + ENTRY_ALIGN - 1) / ENTRY_ALIGN * ENTRY_ALIGN;
}

/* The stride of a list is its element's size, as in an array. */
static size_t stride(const struct json_type *type)
{
	return type->kind == JSON_KIND_MAP ? entry_size(type) : type->element->size_bytes;
}

const void *json_entry(const struct json_type *type, const struct json_list *list, uint32_t index)
{
	CHECK(index < list->count);
	return (const uint8_t *)list->elements + stride(type) * index;
}

const void *json_element(const struct json_type *type, const struct json_list *list, uint32_t index)
{
	const uint8_t *entry = json_entry(type, list, index);

	return type->kind == JSON_KIND_MAP ? entry + VALUE_OFFSET : entry;
}

static uint8_t *last_element(struct frame *frame)
{
	struct json_list *list = (struct json_list *)(void *)frame->target;

	return (uint8_t *)list->elements + stride(frame->type) * (list->count - 1);
}

/* A new zeroed element at the end; NULL if the arena is full. */
static uint8_t *append_element(struct state *state, struct frame *frame)
{
	struct json_list *list = (struct json_list *)(void *)frame->target;
	size_t size = stride(frame->type);

	if (list->count == frame->capacity) {
		uint32_t capacity = frame->capacity == 0 ? LIST_CAPACITY_MIN : 2 * frame->capacity;
		uint8_t *elements = arena_alloc_zeroed(state->arena, capacity * size);

		if (elements == NULL)
			return NULL;
		if (list->count > 0)
			memcpy(elements, list->elements, list->count * size);
		list->elements = elements;
		frame->capacity = capacity;
	}
	list->count++;
	return last_element(frame);
}

static int64_t saturate(const struct decimal *number)
{
	struct decimal whole = *number;
	int64_t value;

	while (whole.digit_count > 0 && whole.exponent < (int)whole.digit_count - 1)
		whole.digit_count--;
	if (whole.digit_count == 0)
		return 0;
	if (decimal_to_int(&whole, &value) == ST_OK)
		return value;
	return whole.is_negative ? INT64_MIN : INT64_MAX;
}

static bool read_number(struct state *state, const struct json_token *token, struct json_number *out,
			enum json_expected expected)
{
	struct decimal number;
	enum decimal_error error;

	if (token->kind != JSON_TOKEN_NUMBER)
		return mismatch(state, token, expected, NULL);
	error = decimal_parse(&number, token->text);
	if (error == DECIMAL_OK)
		out->value = saturate(&number);
	else if (error != DECIMAL_UNDERFLOW)
		out->value = token->text.data[0] == '-' ? INT64_MIN : INT64_MAX;
	out->is_set = true;
	return true;
}

static bool read_bool(struct state *state, const struct json_token *token, enum json_bool *out)
{
	bool value;

	if (!json_token_to_bool(token, &value))
		return mismatch(state, token, JSON_EXPECTED_BOOLEAN, NULL);
	*out = value ? JSON_TRUE : JSON_FALSE;
	return true;
}

/* expected: JSON_EXPECTED_ELEMENT_STRUCT for an element of a list or map. */
static bool open_list(struct state *state, const struct json_type *type, struct json_list *out,
		      const struct json_token *token, enum json_expected expected)
{
	bool is_element = expected == JSON_EXPECTED_ELEMENT_STRUCT;
	const char *java_name = type->element->java_name;

	if (java_name == NULL)
		java_name = type->element->kind == JSON_KIND_STRING ? "java.lang.String" : "AttributeValue";
	if (type->kind == JSON_KIND_LIST && token->kind != JSON_TOKEN_LIST_START)
		return mismatch(state, token, is_element ? JSON_EXPECTED_ELEMENT_LIST : JSON_EXPECTED_LIST,
				NULL);
	if (type->kind == JSON_KIND_MAP && token->kind != JSON_TOKEN_MAP_START)
		return mismatch(state, token, is_element ? JSON_EXPECTED_ELEMENT_MAP : JSON_EXPECTED_MAP,
				java_name);
	out->is_set = true;
	push(state, type, out);
	return true;
}

static bool open_item(struct state *state, const struct json_type *type, struct slice *out,
		      const struct json_token *token, enum json_expected expected)
{
	if (token->kind != JSON_TOKEN_MAP_START) {
		if (type->kind == JSON_KIND_ITEM)
			expected = expected == JSON_EXPECTED_ELEMENT_STRUCT ? JSON_EXPECTED_ELEMENT_MAP
									    : JSON_EXPECTED_MAP;
		return mismatch(state, token, expected, "AttributeValue");
	}
	buf_reset(&state->item_bytes);
	if (type->kind == JSON_KIND_ITEM)
		json_item_init(&state->item, &state->item_bytes, state->error);
	else
		json_item_init_value(&state->item, &state->item_bytes, state->error);
	state->item_target = out;
	return true;
}

/* expected: how messages speak of a struct at this place. */
static bool read_value(struct state *state, const struct json_type *type, void *target,
		       const struct json_token *token, enum json_expected expected)
{
	if (token->kind == JSON_TOKEN_NULL)
		return true;
	switch (type->kind) {
	case JSON_KIND_STRING:
		if (token->kind != JSON_TOKEN_STRING)
			return mismatch(state, token, JSON_EXPECTED_STRING, NULL);
		return keep(state, token->text, target);
	case JSON_KIND_BOOL:
		return read_bool(state, token, target);
	case JSON_KIND_INTEGER:
		return read_number(state, token, target, JSON_EXPECTED_INTEGER);
	case JSON_KIND_LONG:
		return read_number(state, token, target, JSON_EXPECTED_LONG);
	case JSON_KIND_STRUCT:
		if (token->kind != JSON_TOKEN_MAP_START)
			return mismatch(state, token, expected, type->java_name);
		push(state, type, target);
		return true;
	case JSON_KIND_LIST:
	case JSON_KIND_MAP:
		return open_list(state, type, target, token, expected);
	case JSON_KIND_ITEM:
	case JSON_KIND_VALUE:
		return open_item(state, type, target, token, expected);
	}
	UNREACHABLE();
}

static bool name_is(const struct json_field *field, struct slice name)
{
	return strlen(field->name) == name.size && memcmp(field->name, name.data, name.size) == 0;
}

static bool take_key(struct state *state, struct frame *frame, struct slice name)
{
	const struct json_type *type = frame->type;

	CHECK(type->field_count <= FIELD_COUNT_MAX);
	frame->field = NULL;
	for (uint32_t i = 0; i < type->field_count; i++) {
		uint64_t bit = UINT64_C(1) << i;

		if (name.size == 0 || !name_is(&type->fields[i], name))
			continue;
		if ((frame->fields_seen & bit) != 0)
			return malformed(state, "Duplicate member name");
		frame->fields_seen |= bit;
		frame->field = &type->fields[i];
		if (state->frame_count == 1)
			state->parameter = frame->field->name;
		return true;
	}
	return true;
}

static bool read_member(struct state *state, struct frame *frame, const struct json_token *token)
{
	const struct json_field *field = frame->field;

	if (token->kind == JSON_TOKEN_MAP_END) {
		state->frame_count--;
		return true;
	}
	if (token->kind == JSON_TOKEN_KEY)
		return take_key(state, frame, token->text);
	if (field == NULL) {
		state->skip_depth = token->kind == JSON_TOKEN_MAP_START ||
				    token->kind == JSON_TOKEN_LIST_START;
		return true;
	}
	if (field->presence != 0 && token->kind != JSON_TOKEN_NULL)
		frame->target[field->presence - 1] = true;
	return read_value(state, field->type, frame->target + field->offset, token, JSON_EXPECTED_STRUCT);
}

static bool read_element(struct state *state, struct frame *frame, const struct json_token *token)
{
	uint8_t *element;

	if (token->kind == JSON_TOKEN_LIST_END) {
		state->frame_count--;
		return true;
	}
	element = append_element(state, frame);
	if (element == NULL)
		return fail(state, ST_TOO_BIG);
	return read_value(state, frame->type->element, element, token, JSON_EXPECTED_ELEMENT_STRUCT);
}

static bool end_map(struct state *state, const struct frame *frame)
{
	const struct json_list *map = (const struct json_list *)(const void *)frame->target;
	struct slice small[DISTINCT_SMALL];
	struct slice *keys = small;
	bool is_distinct;

	if (map->count > DISTINCT_SMALL)
		keys = malloc(map->count * sizeof(*keys));
	if (keys == NULL)
		return fail(state, ST_NO_MEMORY);
	for (uint32_t i = 0; i < map->count; i++)
		memcpy(&keys[i], (const uint8_t *)map->elements + stride(frame->type) * i, sizeof(*keys));
	is_distinct = item_check_distinct(keys, map->count);
	if (keys != small)
		free(keys);
	if (!is_distinct)
		return malformed(state, "Duplicate map key");
	state->frame_count--;
	return true;
}

static bool read_entry(struct state *state, struct frame *frame, const struct json_token *token)
{
	uint8_t *entry;

	if (token->kind == JSON_TOKEN_MAP_END)
		return end_map(state, frame);
	if (token->kind == JSON_TOKEN_KEY) {
		entry = append_element(state, frame);
		return entry == NULL ? fail(state, ST_TOO_BIG)
				     : keep(state, token->text, (struct slice *)(void *)entry);
	}
	return read_value(state, frame->type->element, last_element(frame) + VALUE_OFFSET, token,
			  JSON_EXPECTED_ELEMENT_STRUCT);
}

static const char *keep_text(struct state *state, const char *text)
{
	return (const char *)arena_copy(state->arena, slice_of(text, strlen(text) + 1));
}

/* What is wrong with the item becomes its parameter's fault, if that has none yet. */
static bool note_fault(struct state *state)
{
	const struct json_fault *last = state->last_fault;
	struct json_fault *fault;

	if (last == NULL || last->parameter != state->parameter) { /* a parameter comes once */
		fault = arena_alloc_zeroed(state->arena, sizeof(*fault));
		if (fault == NULL)
			return fail(state, ST_TOO_BIG);
		fault->parameter = state->parameter;
		fault->message = keep_text(state, state->error->message);
		fault->attribute = keep_text(state, state->error->attribute);
		if (fault->message == NULL || fault->attribute == NULL)
			return fail(state, ST_TOO_BIG);
		*(state->last_fault == NULL ? &state->first_fault : &state->last_fault->next) = fault;
		state->last_fault = fault;
	}
	json_error_init(state->error);
	return true;
}

static bool feed_item(struct state *state, const struct json_token *token)
{
	struct slice bytes = slice_of("", 0);
	enum status status;

	if (!json_item_feed(&state->item, token))
		return fail(state, ST_INVALID);
	if (!json_item_is_done(&state->item))
		return true;
	status = json_item_finish(&state->item, &bytes);
	if (status == ST_INVALID && !note_fault(state))
		return false;
	if (status != ST_OK && status != ST_INVALID)
		return fail(state, status);
	if (!keep(state, bytes, state->item_target))
		return false;
	state->item_target = NULL;
	return true;
}

static bool count_depth(struct state *state, enum json_token_kind kind)
{
	if (kind == JSON_TOKEN_MAP_START || kind == JSON_TOKEN_LIST_START)
		state->depth++;
	if (kind == JSON_TOKEN_MAP_END || kind == JSON_TOKEN_LIST_END)
		state->depth--;
	return state->depth <= LIMIT_JSON_DEPTH;
}

static void skip(struct state *state, enum json_token_kind kind)
{
	if (kind == JSON_TOKEN_MAP_START || kind == JSON_TOKEN_LIST_START)
		state->skip_depth++;
	if (kind == JSON_TOKEN_MAP_END || kind == JSON_TOKEN_LIST_END)
		state->skip_depth--;
}

static bool read_root(struct state *state, const struct json_token *token)
{
	if (token->kind != JSON_TOKEN_MAP_START)
		return mismatch(state, token, JSON_EXPECTED_STRUCT, state->root->java_name);
	state->has_root = true;
	push(state, state->root, state->root_target);
	return true;
}

static int on_token(struct state *state, const struct json_token *token)
{
	struct frame *frame;

	if (!count_depth(state, token->kind))
		return malformed(state, "");
	if (state->skip_depth > 0) {
		skip(state, token->kind);
		return true;
	}
	if (state->item_target != NULL)
		return feed_item(state, token);
	if (state->frame_count == 0)
		return read_root(state, token);
	frame = top(state);
	if (frame->type->kind == JSON_KIND_STRUCT)
		return read_member(state, frame, token);
	if (frame->type->kind == JSON_KIND_LIST)
		return read_element(state, frame, token);
	return read_entry(state, frame, token);
}

static int on_null(void *ctx)
{
	struct json_token token = { JSON_TOKEN_NULL, { NULL, 0 } };

	return on_token(ctx, &token);
}

static int on_boolean(void *ctx, int is_true)
{
	struct json_token token = { is_true ? JSON_TOKEN_TRUE : JSON_TOKEN_FALSE, { NULL, 0 } };

	return on_token(ctx, &token);
}

static int on_number(void *ctx, const char *text, size_t size)
{
	struct json_token token = { JSON_TOKEN_NUMBER, slice_of(text, size) };

	return on_token(ctx, &token);
}

static int on_string(void *ctx, const unsigned char *text, size_t size)
{
	struct json_token token = { JSON_TOKEN_STRING, slice_of(text, size) };

	return on_token(ctx, &token);
}

static int on_map_start(void *ctx)
{
	struct json_token token = { JSON_TOKEN_MAP_START, { NULL, 0 } };

	return on_token(ctx, &token);
}

static int on_key(void *ctx, const unsigned char *text, size_t size)
{
	struct json_token token = { JSON_TOKEN_KEY, slice_of(text, size) };

	return on_token(ctx, &token);
}

static int on_map_end(void *ctx)
{
	struct json_token token = { JSON_TOKEN_MAP_END, { NULL, 0 } };

	return on_token(ctx, &token);
}

static int on_list_start(void *ctx)
{
	struct json_token token = { JSON_TOKEN_LIST_START, { NULL, 0 } };

	return on_token(ctx, &token);
}

static int on_list_end(void *ctx)
{
	struct json_token token = { JSON_TOKEN_LIST_END, { NULL, 0 } };

	return on_token(ctx, &token);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map_start,
	.yajl_map_key = on_key,
	.yajl_end_map = on_map_end,
	.yajl_start_array = on_list_start,
	.yajl_end_array = on_list_end,
};

/* The value of four hex digits, -1 if they are none. */
static int hex4(const uint8_t *text)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t byte = text[i];
		int digit = byte >= '0' && byte <= '9'   ? byte - '0'
			    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
			    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
							 : -1;

		if (digit < 0)
			return -1;
		value = 16 * value + digit;
	}
	return value;
}

/* The size of the escape at the start of text, 0 for half a surrogate pair: the parser
 * would let it pass as something that is not UTF-8. */
static size_t escape_size(const uint8_t *text, size_t size)
{
	int first;
	int second;

	if (size < 6 || text[1] != 'u')
		return 2;
	first = hex4(text + 2);
	if (first < 0xd800 || first > 0xdfff)
		return 6;
	if (first > 0xdbff || size < 12 || text[6] != '\\' || text[7] != 'u')
		return 0;
	second = hex4(text + 8);
	return second >= 0xdc00 && second <= 0xdfff ? 12 : 0;
}

static bool escapes_are_valid(struct slice body)
{
	const uint8_t *end = body.data + body.size;
	const uint8_t *at = body.data;

	while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
		size_t size = escape_size(at, (size_t)(end - at));

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

static void parse(struct state *state)
{
	yajl_handle parser = yajl_alloc(&callbacks, NULL, state);
	yajl_status result;

	if (parser == NULL) {
		state->status = ST_NO_MEMORY;
		return;
	}
	/* One allocation instead of many small steps; if there is no memory, it will show. */
	(void)buf_extend(&state->item_bytes,
			 state->body.size < ITEM_ROOM_MAX ? state->body.size : ITEM_ROOM_MAX);
	(void)yajl_config(parser, yajl_dont_validate_strings, 1); /* done, and more strictly */
	result = yajl_parse(parser, state->body.data, state->body.size);
	if (result == yajl_status_ok)
		result = yajl_complete_parse(parser);
	if (result == yajl_status_error)
		(void)malformed(state, "");
	yajl_free(parser);
}

/* The parser itself takes invalid UTF-8, lone surrogates, and a vertical tab or form feed for a
 * blank; nothing behind it does.  Those two have no place in a string either. */
static bool text_is_valid(struct slice body)
{
	return body.size > 0 && memchr(body.data, '\v', body.size) == NULL &&
	       memchr(body.data, '\f', body.size) == NULL && item_check_utf8(body) && escapes_are_valid(body);
}

enum status json_read(const struct json_type *type, void *out, struct slice body, struct arena *arena,
		      struct json_error *error)
{
	struct state state;

	CHECK(type->kind == JSON_KIND_STRUCT);
	json_error_init(error);
	memset(out, 0, type->size_bytes);
	state.body = body;
	state.arena = arena;
	state.error = error;
	state.status = ST_OK;
	state.root = type;
	state.root_target = out;
	state.has_root = false;
	state.depth = 0;
	state.skip_depth = 0;
	state.frame_count = 0;
	state.item_target = NULL;
	state.parameter = NULL;
	state.first_fault = NULL;
	state.last_fault = NULL;
	buf_init(&state.item_bytes, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	if (text_is_valid(body))
		parse(&state);
	else
		(void)malformed(&state, "");
	buf_close(&state.item_bytes);
	if (state.status == ST_OK && state.first_fault != NULL) {
		json_error_set(error, JSON_ERROR_VALIDATION, "%s", state.first_fault->message);
		error->faults = state.first_fault;
		return ST_INVALID;
	}
	CHECK(state.status != ST_OK || (state.has_root && state.frame_count == 0));
	return state.status;
}
