#include "proto/model/item_builder.h"

enum { SIZE_HEAD = 4, COUNT_HEAD = 4, SMALL_SIZE = 0x80 };

static struct item_builder_level *top(struct item_builder *builder)
{
	return &builder->levels[builder->depth];
}

void item_builder_init(struct item_builder *builder, struct buf *out)
{
	builder->out = out;
	builder->start_offset = out->size;
	builder->depth = 0;
	builder->has_name = false;
	builder->status = ST_OK;
	builder->levels[0] = (struct item_builder_level){ out->size, 0, ITEM_M };
	buf_put_u32_be(out, 0);
}

/* A varint of the size, then the bytes; sizes of one byte are by far the most frequent. */
static void put_sized(struct buf *out, struct slice bytes)
{
	uint8_t *start;

	if (bytes.size >= SMALL_SIZE) {
		buf_put_varint(out, bytes.size);
		buf_append_slice(out, bytes);
		return;
	}
	start = buf_extend(out, 1 + bytes.size);
	if (start == NULL)
		return;
	start[0] = (uint8_t)bytes.size;
	if (bytes.size > 0)
		memcpy(start + 1, bytes.data, bytes.size);
}

void item_builder_name(struct item_builder *builder, struct slice name)
{
	if (builder->status != ST_OK)
		return;
	CHECK(top(builder)->type == ITEM_M && !builder->has_name);
	if (name.size > LIMIT_ATTRIBUTE_NAME_SIZE_BYTES) {
		builder->status = ST_TOO_BIG;
		return;
	}
	builder->has_name = true;
	put_sized(builder->out, name);
}

/* True if a value may be written now. */
static bool begin_value(struct item_builder *builder)
{
	struct item_builder_level *level = top(builder);

	if (builder->status != ST_OK)
		return false;
	CHECK(!item_type_is_set(level->type));
	CHECK(builder->has_name == (level->type == ITEM_M));
	if (builder->depth >= LIMIT_NESTING_DEPTH) {
		builder->status = ST_TOO_BIG;
		return false;
	}
	builder->has_name = false;
	level->count++;
	return true;
}

void item_builder_head(struct item_builder *builder, enum item_type type, size_t size_bytes)
{
	CHECK(!item_type_is_container(type));
	if (!begin_value(builder))
		return;
	buf_put_u8(builder->out, (uint8_t)type);
	buf_put_varint(builder->out, size_bytes);
}

static void put_scalar(struct item_builder *builder, enum item_type type, const void *payload,
		       size_t size_bytes)
{
	uint8_t *out;

	if (size_bytes >= SMALL_SIZE) {
		item_builder_head(builder, type, size_bytes);
		if (builder->status == ST_OK)
			buf_append(builder->out, payload, size_bytes);
		return;
	}
	if (!begin_value(builder))
		return;
	out = buf_extend(builder->out, 2 + size_bytes);
	if (out == NULL)
		return;
	out[0] = (uint8_t)type;
	out[1] = (uint8_t)size_bytes;
	if (size_bytes > 0)
		memcpy(out + 2, payload, size_bytes);
}

void item_builder_string(struct item_builder *builder, struct slice text)
{
	put_scalar(builder, ITEM_S, text.data, text.size);
}

void item_builder_number(struct item_builder *builder, const struct decimal *number)
{
	uint8_t encoded[DECIMAL_ENCODED_SIZE_MAX];

	put_scalar(builder, ITEM_N, encoded, decimal_encode(number, encoded));
}

void item_builder_binary(struct item_builder *builder, struct slice bytes)
{
	put_scalar(builder, ITEM_B, bytes.data, bytes.size);
}

void item_builder_bool(struct item_builder *builder, bool is_true)
{
	uint8_t payload = is_true;

	put_scalar(builder, ITEM_BOOL, &payload, 1);
}

void item_builder_null(struct item_builder *builder)
{
	put_scalar(builder, ITEM_NULL, NULL, 0);
}

void item_builder_open(struct item_builder *builder, enum item_type type)
{
	uint8_t *head;

	CHECK(item_type_is_container(type));
	if (!begin_value(builder))
		return;
	head = buf_extend(builder->out, 1 + SIZE_HEAD + COUNT_HEAD);
	if (head != NULL) {
		memset(head, 0, 1 + SIZE_HEAD + COUNT_HEAD);
		head[0] = (uint8_t)type;
	}
	builder->depth++;
	*top(builder) = (struct item_builder_level){ builder->out->size - COUNT_HEAD, 0, type };
}

/* Fill in the heads that were left open. */
void item_builder_close(struct item_builder *builder)
{
	struct item_builder_level *level = top(builder);
	uint8_t *payload;

	if (builder->status != ST_OK)
		return;
	CHECK(builder->depth > 0 && !builder->has_name);
	builder->depth--;
	if (builder->out->status != ST_OK)
		return;
	payload = builder->out->data + level->payload_offset;
	put_u32_be(payload - SIZE_HEAD, (uint32_t)(builder->out->size - level->payload_offset));
	put_u32_be(payload, level->count);
}

void item_builder_member_head(struct item_builder *builder, size_t size_bytes)
{
	if (builder->status != ST_OK)
		return;
	CHECK(item_type_is_set(top(builder)->type));
	top(builder)->count++;
	buf_put_varint(builder->out, size_bytes);
}

void item_builder_member(struct item_builder *builder, struct slice member)
{
	item_builder_member_head(builder, member.size);
	if (builder->status == ST_OK)
		buf_append_slice(builder->out, member);
}

void item_builder_member_number(struct item_builder *builder, const struct decimal *number)
{
	uint8_t encoded[DECIMAL_ENCODED_SIZE_MAX];

	item_builder_member(builder, slice_of(encoded, decimal_encode(number, encoded)));
}

void item_builder_value(struct item_builder *builder, const struct item_value *value)
{
	if (begin_value(builder))
		buf_append_slice(builder->out, value->encoded);
}

void item_builder_attribute(struct item_builder *builder, const struct item_attribute *attribute)
{
	item_builder_name(builder, attribute->name);
	item_builder_value(builder, &attribute->value);
}

struct slice item_builder_open_payload(struct item_builder *builder)
{
	struct item_builder_level *level = top(builder);
	struct buf *out = builder->out;

	if (builder->status != ST_OK || out->status != ST_OK)
		return slice_of("\0\0\0", COUNT_HEAD); /* nothing in it */
	put_u32_be(out->data + level->payload_offset, level->count);
	return slice_of(out->data + level->payload_offset, out->size - level->payload_offset);
}

enum status item_builder_finish(struct item_builder *builder)
{
	if (builder->status == ST_OK)
		builder->status = builder->out->status;
	if (builder->status != ST_OK)
		return builder->status;
	CHECK(builder->depth == 0 && !builder->has_name);
	put_u32_be(builder->out->data + builder->start_offset, builder->levels[0].count);
	return ST_OK;
}

struct slice item_builder_item(const struct item_builder *builder)
{
	CHECK(builder->status == ST_OK);
	return slice_of(builder->out->data + builder->start_offset,
			builder->out->size - builder->start_offset);
}
