#include "proto/model/table_schema.h"

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
	*schema = (struct table_schema){ .has_sort_key = false };
	return set_attribute(&schema->partition_key, name, type_name);
}

enum status table_schema_set_sort_key(struct table_schema *schema, struct slice name, struct slice type_name)
{
	enum status status;

	if (slice_equal(name, key_attribute_name(&schema->partition_key)))
		return ST_INVALID;
	status = set_attribute(&schema->sort_key, name, type_name);
	if (status == ST_OK)
		schema->has_sort_key = true;
	return status;
}

static bool attribute_equal(const struct key_attribute *a, const struct key_attribute *b)
{
	return a->type == b->type && slice_equal(key_attribute_name(a), key_attribute_name(b));
}

bool table_schema_equal(const struct table_schema *a, const struct table_schema *b)
{
	if (a->has_sort_key != b->has_sort_key || !attribute_equal(&a->partition_key, &b->partition_key))
		return false;
	return !a->has_sort_key || attribute_equal(&a->sort_key, &b->sort_key);
}

const struct key_attribute *table_schema_find(const struct table_schema *schema, struct slice name)
{
	if (slice_equal(name, key_attribute_name(&schema->partition_key)))
		return &schema->partition_key;
	if (schema->has_sort_key && slice_equal(name, key_attribute_name(&schema->sort_key)))
		return &schema->sort_key;
	return NULL;
}

uint32_t table_schema_key_count(const struct table_schema *schema)
{
	return schema->has_sort_key ? 2 : 1;
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
