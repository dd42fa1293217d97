#include "storage/item/item_page_size.h"

#include "proto/model/decimal.h"

enum {
	NAME_SIZE = 1,
	LENGTH_1_MAX = 127, /* longest string whose length takes one byte, and two */
	LENGTH_2_MAX = 16383,
	CONTAINER_SIZE = 3,
	ROW_SIZE = 2,
	BLOCK_SIZE = 3072,
	BLOCK_HEAD_SIZE = 18, /* and the sort key */
};

static uint64_t value_size(const struct item_value *value, uint32_t level);

static uint64_t list_size(struct slice list, uint32_t level)
{
	struct item_value value;
	struct item_iter iter;
	uint64_t total = 0;

	item_iter_init(&iter, list);
	while (item_next_value(&iter, &value))
		total += 1 + value_size(&value, level);
	return total;
}

static uint64_t map_size(struct slice map, uint32_t level)
{
	struct item_attribute attribute;
	struct item_iter iter;
	uint64_t total = 0;

	item_iter_init(&iter, map);
	while (item_next_attribute(&iter, &attribute))
		total += 1 + NAME_SIZE + value_size(&attribute.value, level);
	return total;
}

static uint64_t string_size(uint64_t size)
{
	if (size <= LENGTH_1_MAX)
		return size + 1;
	return size + (size <= LENGTH_2_MAX ? 2 : 3);
}

static uint64_t value_size(const struct item_value *value, uint32_t level)
{
	if (level > LIMIT_NESTING_DEPTH)
		return 0;
	switch (value->type) {
	case ITEM_S:
		return string_size(value->payload.size);
	case ITEM_B:
		return value->payload.size + 1;
	case ITEM_N:
		return decimal_size_bytes_encoded(value->payload) + 1;
	case ITEM_BOOL:
		return 1;
	case ITEM_NULL:
		return 0;
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		return item_value_size_bytes(value) + item_count(value->payload) + 1;
	case ITEM_L:
		return CONTAINER_SIZE + list_size(value->payload, level + 1);
	case ITEM_M:
		return CONTAINER_SIZE + map_size(value->payload, level + 1);
	}
	return 0;
}

/* Names are short and mostly differ in size: no call for those. */
static inline bool is_named(const struct item_attribute *attribute, struct slice name)
{
	return attribute->name.size == name.size && slice_equal(attribute->name, name);
}

uint64_t item_page_size_bytes(struct slice item, struct slice sort_key_name)
{
	struct item_attribute attribute;
	struct item_iter iter;
	uint64_t sort_key_size = 0;
	uint64_t size = 0;

	item_iter_init(&iter, item);
	while (item_next_attribute(&iter, &attribute)) {
		if (is_named(&attribute, sort_key_name))
			sort_key_size = item_value_size_bytes(&attribute.value);
		else
			size += NAME_SIZE + value_size(&attribute.value, 1);
	}
	return ROW_SIZE + size + (1 + (1 + size) / BLOCK_SIZE) * (BLOCK_HEAD_SIZE + sort_key_size);
}
