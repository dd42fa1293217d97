#include "proto/model/table_schema.h"

#include <stddef.h>

static enum status set_attribute(struct key_attribute *attribute, struct slice name, struct slice type_name)
{
	enum item_type type;

	if (name.size == 0 || name.size > LIMIT_KEY_NAME_SIZE_BYTES ||
	    memchr(name.data, 0, name.size) != NULL)
		return ST_INVALID;
	if (!item_type_parse(type_name, &type) || type > ITEM_B)
		return ST_INVALID;
	*attribute = (struct key_attribute){ .name_size = (uint16_t)name.size, .type = type };
	memcpy(attribute->name, name.data, name.size);
	return ST_OK;
}

enum status table_schema_init(struct table_schema *schema, struct slice name, struct slice type_name)
{
	*schema = (struct table_schema){ .partition_count = 1 };
	return set_attribute(&schema->attributes[0], name, type_name);
}

static enum status add_attribute(struct table_schema *schema, struct slice name, struct slice type_name)
{
	if (table_schema_find(schema, name) != NULL)
		return ST_INVALID;
	return set_attribute(&schema->attributes[table_schema_key_count(schema)], name, type_name);
}

enum status table_schema_add_partition_key(struct table_schema *schema, struct slice name,
					   struct slice type_name)
{
	enum status status;

	if (schema->partition_count == LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT || schema->sort_count > 0)
		return ST_INVALID;
	status = add_attribute(schema, name, type_name);
	if (status == ST_OK)
		schema->partition_count++;
	return status;
}

enum status table_schema_add_sort_key(struct table_schema *schema, struct slice name, struct slice type_name)
{
	enum status status;

	if (schema->sort_count == LIMIT_SORT_KEY_ATTRIBUTE_COUNT)
		return ST_INVALID;
	status = add_attribute(schema, name, type_name);
	if (status == ST_OK)
		schema->sort_count++;
	return status;
}

static bool attribute_equal(const struct key_attribute *a, const struct key_attribute *b)
{
	return a->type == b->type && slice_equal(key_attribute_name(a), key_attribute_name(b));
}

bool table_schema_equal(const struct table_schema *a, const struct table_schema *b)
{
	if (a->partition_count != b->partition_count || a->sort_count != b->sort_count)
		return false;
	for (uint32_t i = 0; i < table_schema_key_count(a); i++) {
		if (!attribute_equal(&a->attributes[i], &b->attributes[i]))
			return false;
	}
	return true;
}

void table_schema_copy(struct table_schema *schema_out, const struct table_schema *schema)
{
	memcpy(schema_out, schema,
	       offsetof(struct table_schema, attributes) +
		       table_schema_key_count(schema) * sizeof(schema->attributes[0]));
}

const struct key_attribute *table_schema_find(const struct table_schema *schema, struct slice name)
{
	for (uint32_t i = 0; i < table_schema_key_count(schema); i++) {
		if (slice_equal(name, key_attribute_name(&schema->attributes[i])))
			return &schema->attributes[i];
	}
	return NULL;
}

static bool is_name_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '_' || byte == '.' || byte == '-';
}

bool table_schema_name_is_valid(struct slice name)
{
	if (name.size < LIMIT_TABLE_NAME_SIZE_BYTES_MIN || name.size > LIMIT_TABLE_NAME_SIZE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		if (!is_name_byte(name.data[i]))
			return false;
	}
	return true;
}
