#include "proto/model/row_key.h"

#include <stdio.h>

#include "proto/base/digest.h"
#include "proto/model/item_check.h"

enum { ESCAPE = 0x00, ESCAPED_ZERO = 0xff, ESCAPE_END = 0x01 };

uint64_t row_key_token(struct slice encoded_partition_key, uint64_t token_seed)
{
	return digest_hash64(encoded_partition_key, token_seed);
}

void row_key_append_beginning(struct buf *out, struct slice payload)
{
	struct slice rest = payload;

	while (rest.size > 0) {
		const uint8_t *zero = memchr(rest.data, 0, rest.size);
		size_t plain = zero == NULL ? rest.size : (size_t)(zero - rest.data);

		buf_append(out, rest.data, plain);
		if (zero == NULL)
			break;
		buf_put_u8(out, ESCAPE);
		buf_put_u8(out, ESCAPED_ZERO);
		rest = slice_of(zero + 1, rest.size - plain - 1);
	}
}

void row_key_append_part(struct buf *out, enum item_type type, struct slice payload)
{
	CHECK(type >= ITEM_S && type <= ITEM_B);
	if (type == ITEM_N) {
		buf_append_slice(out, payload);
		return;
	}
	row_key_append_beginning(out, payload);
	buf_put_u8(out, ESCAPE);
	buf_put_u8(out, ESCAPE_END);
}

void row_key_append_after(struct buf *out, struct slice prefix)
{
	size_t size = prefix.size;

	while (size > 0 && prefix.data[size - 1] == 0xff)
		size--;
	CHECK(size > 0); /* table ids do not come near that */
	buf_append(out, prefix.data, size - 1);
	buf_put_u8(out, (uint8_t)(prefix.data[size - 1] + 1));
}

static enum status fail(struct row_key_error *error, enum row_key_fault fault,
			const struct key_attribute *attribute, enum item_type actual)
{
	*error = (struct row_key_error){ fault, attribute, actual };
	return ST_INVALID;
}

static enum status find_value(struct slice item, const struct key_attribute *attribute,
			      struct item_value *value, struct row_key_error *error)
{
	if (!item_find(item, key_attribute_name(attribute), value))
		return fail(error, ROW_KEY_MISSING, attribute, 0);
	if (value->type != attribute->type)
		return fail(error, ROW_KEY_TYPE, attribute, value->type);
	return ST_OK;
}

enum status row_key_check_value(const struct table_schema *schema, const struct key_attribute *attribute,
				struct slice payload, struct row_key_error *error)
{
	bool is_sort_key = table_schema_is_sort_key(schema, attribute);

	if (payload.size == 0)
		return fail(error, ROW_KEY_EMPTY, attribute, attribute->type);
	if (!is_sort_key && payload.size > LIMIT_PARTITION_KEY_SIZE_BYTES)
		return fail(error, ROW_KEY_PARTITION_TOO_BIG, attribute, attribute->type);
	if (is_sort_key && payload.size > LIMIT_SORT_KEY_SIZE_BYTES)
		return fail(error, ROW_KEY_SORT_TOO_BIG, attribute, attribute->type);
	return ST_OK;
}

enum status row_key_partition_start(struct buf *out, uint32_t table_id, uint64_t token_seed,
				    const struct table_schema *schema, const struct slice *partition_key)
{
	size_t token_offset;
	size_t part_offset;

	buf_put_u32_be(out, table_id);
	token_offset = out->size;
	buf_put_u64_be(out, 0);
	part_offset = out->size;
	for (uint32_t i = 0; i < schema->partition_count; i++)
		row_key_append_part(out, schema->attributes[i].type, partition_key[i]);
	if (out->status != ST_OK)
		return out->status;
	put_u64_be(out->data + token_offset,
		   row_key_token(slice_of(out->data + part_offset, out->size - part_offset), token_seed));
	return ST_OK;
}

/* payloads: of all key attributes. */
static enum status append_row_key(struct buf *out, uint32_t table_id, uint64_t token_seed,
				  const struct table_schema *schema, const struct slice *payloads)
{
	enum status status = row_key_partition_start(out, table_id, token_seed, schema, payloads);

	for (uint32_t i = schema->partition_count; status == ST_OK && i < table_schema_key_count(schema);
	     i++) {
		row_key_append_part(out, schema->attributes[i].type, payloads[i]);
		status = out->status;
	}
	return status;
}

enum status row_key_from_item(struct buf *out, uint32_t table_id, uint64_t token_seed,
			      const struct table_schema *schema, struct slice item,
			      struct row_key_error *error)
{
	uint32_t count = table_schema_key_count(schema);
	struct slice payloads[LIMIT_KEY_ATTRIBUTE_COUNT];
	struct item_value value;
	enum status status = ST_OK;

	for (uint32_t i = 0; status == ST_OK && i < count; i++) {
		status = find_value(item, &schema->attributes[i], &value, error);
		payloads[i] = value.payload;
	}
	for (uint32_t i = 0; status == ST_OK && i < count; i++)
		status = row_key_check_value(schema, &schema->attributes[i], payloads[i], error);
	if (status != ST_OK)
		return status;
	return append_row_key(out, table_id, token_seed, schema, payloads);
}

enum status row_key_from_key(struct buf *out, uint32_t table_id, uint64_t token_seed,
			     const struct table_schema *schema, struct slice key, struct row_key_error *error)
{
	enum status status;

	if (item_count(key) != table_schema_key_count(schema))
		return fail(error, ROW_KEY_SCHEMA, NULL, 0);
	status = row_key_from_item(out, table_id, token_seed, schema, key, error);
	if (status == ST_INVALID && (error->fault == ROW_KEY_MISSING || error->fault == ROW_KEY_TYPE))
		return fail(error, ROW_KEY_SCHEMA, NULL, 0);
	return status;
}

void row_key_error_print(const struct row_key_error *error, char *out, size_t out_size_bytes)
{
	static const char *const invalid = "One or more parameter values were invalid: ";
	const char *name = error->attribute == NULL ? "" : error->attribute->name;

	switch (error->fault) {
	case ROW_KEY_OK:
		(void)snprintf(out, out_size_bytes, "%s", "");
		return;
	case ROW_KEY_MISSING:
		(void)snprintf(out, out_size_bytes, "%sMissing the key %s in the item", invalid, name);
		return;
	case ROW_KEY_TYPE:
		(void)snprintf(out, out_size_bytes, "%sType mismatch for key %s expected: %s actual: %s",
			       invalid, name, item_type_name(error->attribute->type),
			       item_type_name(error->actual));
		return;
	case ROW_KEY_EMPTY:
		(void)snprintf(out, out_size_bytes,
			       "One or more parameter values are not valid. The AttributeValue for a key "
			       "attribute cannot contain an empty %s value. Key: %s",
			       error->attribute->type == ITEM_B ? "binary" : "string", name);
		return;
	case ROW_KEY_PARTITION_TOO_BIG:
		(void)snprintf(out, out_size_bytes,
			       "%sSize of hashkey has exceeded the maximum size limit of2048 bytes", invalid);
		return;
	case ROW_KEY_SORT_TOO_BIG:
		(void)snprintf(
			out, out_size_bytes,
			"%sAggregated size of all range keys has exceeded the size limit of 1024 bytes",
			invalid);
		return;
	case ROW_KEY_SCHEMA:
		(void)snprintf(out, out_size_bytes, "The provided key element does not match the schema");
		return;
	}
}

/* The size of the escaped bytes with their end, and of what they stand for; 0 if malformed. */
static size_t escaped_size(struct slice bytes, size_t *plain_size_out)
{
	size_t escape_count = 0;

	for (size_t at = 0; at + 1 < bytes.size; at++) {
		if (bytes.data[at] != ESCAPE)
			continue;
		at++;
		if (bytes.data[at] == ESCAPE_END) {
			*plain_size_out = at - 1 - escape_count;
			return at + 1;
		}
		if (bytes.data[at] != ESCAPED_ZERO)
			return 0;
		escape_count++;
	}
	return 0;
}

/* Take one part from the start of *rest. */
static enum status take_part(struct slice *rest, enum item_type type, size_t plain_size_max,
			     struct slice *part_out)
{
	size_t plain_size = 1;
	size_t size = type == ITEM_N ? decimal_encoded_size(*rest) : escaped_size(*rest, &plain_size);

	if (size == 0 || plain_size == 0 || plain_size > plain_size_max)
		return ST_CORRUPT;
	*part_out = slice_of(rest->data, size);
	*rest = slice_of(rest->data + size, rest->size - size);
	return ST_OK;
}

enum status row_key_take_part(struct slice *rest, const struct table_schema *schema,
			      const struct key_attribute *attribute, struct slice *part_out)
{
	size_t size_max = table_schema_is_sort_key(schema, attribute) ? LIMIT_SORT_KEY_SIZE_BYTES
								      : LIMIT_PARTITION_KEY_SIZE_BYTES;

	return take_part(rest, attribute->type, size_max, part_out);
}

/* Those of the attributes from first to before end, as one. */
static enum status take_parts(struct slice *rest, const struct table_schema *schema, uint32_t first,
			      uint32_t end, struct slice *parts_out)
{
	const uint8_t *start = rest->data;
	struct slice part;
	enum status status = ST_OK;

	for (uint32_t i = first; status == ST_OK && i < end; i++)
		status = row_key_take_part(rest, schema, &schema->attributes[i], &part);
	if (status == ST_OK)
		*parts_out = slice_of(start, (size_t)(rest->data - start));
	return status;
}

enum status row_key_take_partition(struct slice *rest, const struct table_schema *schema,
				   struct slice *parts_out)
{
	return take_parts(rest, schema, 0, schema->partition_count, parts_out);
}

enum status row_key_head(struct slice row_key, uint32_t *table_id_out, uint64_t *token_out)
{
	if (row_key.size < LIMIT_ROW_KEY_HEAD_SIZE_BYTES)
		return ST_CORRUPT;
	*table_id_out = get_u32_be(row_key.data);
	*token_out = get_u64_be(row_key.data + 4);
	return ST_OK;
}

enum status row_key_split(struct slice row_key, const struct table_schema *schema,
			  struct row_key_parts *parts_out)
{
	struct row_key_parts parts = { .table_id = 0 };
	enum status status;
	struct slice rest;

	status = row_key_head(row_key, &parts.table_id, &parts.token);
	if (status != ST_OK)
		return status;
	rest = slice_of(row_key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
			row_key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	status = row_key_take_partition(&rest, schema, &parts.partition_key);
	if (status == ST_OK)
		status = take_parts(&rest, schema, schema->partition_count, table_schema_key_count(schema),
				    &parts.sort_key);
	if (status != ST_OK)
		return status;
	if (rest.size != 0)
		return ST_CORRUPT;
	*parts_out = parts;
	return ST_OK;
}

/* out has room for the part's size. */
static struct slice unescape(struct slice part, uint8_t *out)
{
	size_t size = 0;

	for (size_t at = 0; at + 2 < part.size; at++) {
		out[size++] = part.data[at];
		at += part.data[at] == ESCAPE;
	}
	return slice_of(out, size);
}

enum status row_key_put_part(struct item_builder *builder, const struct key_attribute *attribute,
			     struct slice part)
{
	uint8_t plain[2 * LIMIT_PARTITION_KEY_SIZE_BYTES + 2];
	struct decimal number;
	struct slice value;

	item_builder_name(builder, key_attribute_name(attribute));
	if (attribute->type == ITEM_N) {
		if (decimal_decode(&number, part, NULL) != ST_OK)
			return ST_CORRUPT;
		item_builder_number(builder, &number);
		return ST_OK;
	}
	CHECK(part.size <= sizeof(plain));
	value = unescape(part, plain);
	if (attribute->type == ITEM_S && !item_check_utf8(value))
		return ST_CORRUPT;
	if (attribute->type == ITEM_S)
		item_builder_string(builder, value);
	else
		item_builder_binary(builder, value);
	return ST_OK;
}

enum status row_key_to_key(struct buf *out, struct slice row_key, const struct table_schema *schema)
{
	struct item_builder builder;
	struct row_key_parts parts;
	struct slice rest;
	enum status status = row_key_split(row_key, schema, &parts);

	if (status != ST_OK)
		return status;
	item_builder_init(&builder, out);
	rest = slice_of(parts.partition_key.data, parts.partition_key.size + parts.sort_key.size);
	for (uint32_t i = 0; status == ST_OK && i < table_schema_key_count(schema); i++) {
		struct slice part;

		status = row_key_take_part(&rest, schema, &schema->attributes[i], &part);
		if (status == ST_OK)
			status = row_key_put_part(&builder, &schema->attributes[i], part);
	}
	return status == ST_OK ? item_builder_finish(&builder) : status;
}

void row_key_table_start(struct buf *out, uint32_t table_id)
{
	buf_put_u32_be(out, table_id);
}

void row_key_token_start(struct buf *out, uint32_t table_id, uint64_t token)
{
	buf_put_u32_be(out, table_id);
	buf_put_u64_be(out, token);
}
