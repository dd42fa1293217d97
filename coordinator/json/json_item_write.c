#include "coordinator/json/json_item_write.h"

#include "coordinator/json/json_writer.h"
#include "proto/base/base64.h"
#include "proto/model/decimal.h"

static enum status write_value(struct buf *out, const struct item_value *value, uint32_t level);

static enum status write_map(struct buf *out, struct slice map, uint32_t level)
{
	struct item_attribute attribute;
	struct item_iter iter;
	enum status status = ST_OK;
	uint8_t separator = '{';

	item_iter_init(&iter, map);
	if (iter.count_left == 0)
		buf_put_u8(out, '{');
	while (status == ST_OK && item_next_attribute(&iter, &attribute)) {
		buf_put_u8(out, separator);
		json_writer_quote(out, attribute.name);
		buf_put_u8(out, ':');
		status = write_value(out, &attribute.value, level);
		separator = ',';
	}
	buf_put_u8(out, '}');
	return status == ST_OK ? item_iter_status(&iter) : status;
}

static enum status write_list(struct buf *out, struct slice list, uint32_t level)
{
	struct item_value value;
	struct item_iter iter;
	enum status status = ST_OK;
	uint8_t separator = '[';

	item_iter_init(&iter, list);
	if (iter.count_left == 0)
		buf_put_u8(out, '[');
	while (status == ST_OK && item_next_value(&iter, &value)) {
		buf_put_u8(out, separator);
		status = write_value(out, &value, level);
		separator = ',';
	}
	buf_put_u8(out, ']');
	return status == ST_OK ? item_iter_status(&iter) : status;
}

static enum status write_number(struct buf *out, struct slice encoded)
{
	char text[DECIMAL_TEXT_SIZE_MAX];
	struct decimal number;

	if (decimal_decode(&number, encoded, NULL) != ST_OK)
		return ST_CORRUPT;
	buf_put_u8(out, '"');
	buf_append(out, text, decimal_print(&number, text));
	buf_put_u8(out, '"');
	return ST_OK;
}

static enum status write_binary(struct buf *out, struct slice bytes)
{
	buf_put_u8(out, '"');
	base64_encode(out, bytes);
	buf_put_u8(out, '"');
	return ST_OK;
}

/* A string, number or binary value, alone or in a set. */
static enum status write_text(struct buf *out, enum item_type type, struct slice payload)
{
	if (type == ITEM_N || type == ITEM_NS)
		return write_number(out, payload);
	if (type == ITEM_B || type == ITEM_BS)
		return write_binary(out, payload);
	json_writer_quote(out, payload);
	return ST_OK;
}

static enum status write_set(struct buf *out, const struct item_value *set)
{
	struct item_iter iter;
	struct slice member;
	enum status status = ST_OK;
	uint8_t separator = '[';

	item_iter_init(&iter, set->payload);
	if (iter.count_left == 0)
		return ST_CORRUPT;
	while (status == ST_OK && item_next_member(&iter, &member)) {
		buf_put_u8(out, separator);
		status = write_text(out, set->type, member);
		separator = ',';
	}
	buf_put_u8(out, ']');
	return status == ST_OK ? item_iter_status(&iter) : status;
}

static enum status write_payload(struct buf *out, const struct item_value *value, uint32_t level)
{
	switch (value->type) {
	case ITEM_S:
	case ITEM_N:
	case ITEM_B:
		return write_text(out, value->type, value->payload);
	case ITEM_BOOL:
		if (value->payload.size != 1)
			return ST_CORRUPT;
		buf_append_string(out, value->payload.data[0] != 0 ? "true" : "false");
		return ST_OK;
	case ITEM_NULL:
		buf_append_string(out, "true");
		return ST_OK;
	case ITEM_L:
		return write_list(out, value->payload, level + 1);
	case ITEM_M:
		return write_map(out, value->payload, level + 1);
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		return write_set(out, value);
	}
	return ST_CORRUPT;
}

static enum status write_value(struct buf *out, const struct item_value *value, uint32_t level)
{
	enum status status;

	if (level > LIMIT_NESTING_DEPTH)
		return ST_CORRUPT;
	buf_append_string(out, "{\"");
	buf_append_string(out, item_type_name(value->type));
	buf_append_string(out, "\":");
	status = write_payload(out, value, level);
	buf_put_u8(out, '}');
	return status;
}

enum status json_item_write(struct buf *out, struct slice item)
{
	enum status status = write_map(out, item, 1);

	return status == ST_OK ? out->status : status;
}

enum status json_item_write_value(struct buf *out, const struct item_value *value)
{
	enum status status = write_value(out, value, 1);

	return status == ST_OK ? out->status : status;
}
