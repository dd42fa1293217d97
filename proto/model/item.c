#include "proto/model/item.h"

#include "proto/model/decimal.h"

_Static_assert(ITEM_SS - ITEM_S == ITEM_NS - ITEM_N && ITEM_NS - ITEM_N == ITEM_BS - ITEM_B,
	       "sets follow their members");

enum { SIZE_BYTES_OF_CONTAINER = 3, SIZE_BYTES_OF_ELEMENT = 1 };

static const char *const type_names[] = {
	[ITEM_S] = "S", [ITEM_N] = "N", [ITEM_B] = "B",   [ITEM_BOOL] = "BOOL", [ITEM_NULL] = "NULL",
	[ITEM_L] = "L", [ITEM_M] = "M", [ITEM_SS] = "SS", [ITEM_NS] = "NS",     [ITEM_BS] = "BS",
};

const char *item_type_name(enum item_type type)
{
	return type >= ITEM_S && type <= ITEM_BS ? type_names[type] : "?";
}

/* The type of a name of one letter, or of the letter before "S" in a set's. */
static enum item_type type_of_letter(uint8_t letter)
{
	switch (letter) {
	case 'S':
		return ITEM_S;
	case 'N':
		return ITEM_N;
	case 'B':
		return ITEM_B;
	case 'L':
		return ITEM_L;
	case 'M':
		return ITEM_M;
	default:
		return 0;
	}
}

bool item_type_parse(struct slice name, enum item_type *type_out)
{
	enum item_type type = name.size > 0 ? type_of_letter(name.data[0]) : 0;

	if (name.size == 2)
		type = name.data[1] == 'S' && type != 0 && type <= ITEM_B ? type + (ITEM_SS - ITEM_S) : 0;
	if (name.size > 2)
		type = slice_equal(name, slice_of("BOOL", 4))   ? ITEM_BOOL
		       : slice_equal(name, slice_of("NULL", 4)) ? ITEM_NULL
								: 0;
	if (type == 0)
		return false;
	*type_out = type;
	return true;
}

bool item_type_is_set(enum item_type type)
{
	return type >= ITEM_SS && type <= ITEM_BS;
}

bool item_type_is_container(enum item_type type)
{
	return type >= ITEM_L && type <= ITEM_BS;
}

void item_iter_init(struct item_iter *iter, struct slice container)
{
	reader_init(&iter->reader, container);
	iter->count_left = reader_u32_be(&iter->reader);
}

enum status item_iter_status(const struct item_iter *iter)
{
	if (iter->reader.status != ST_OK)
		return iter->reader.status;
	return iter->count_left == 0 && iter->reader.size == 0 ? ST_OK : ST_CORRUPT;
}

/* A size of one byte is by far the most frequent. */
static struct slice read_sized(struct reader *reader)
{
	if (reader->size > 0 && reader->data[0] < 0x80 && reader->status == ST_OK)
		return reader_bytes(reader, reader_u8(reader));
	return reader_bytes(reader, reader_varint(reader));
}

static bool read_value(struct reader *reader, struct item_value *value_out)
{
	const uint8_t *start = reader->data;
	enum item_type type = reader_u8(reader);

	if (type < ITEM_S || type > ITEM_BS)
		reader->status = ST_CORRUPT;
	value_out->type = type;
	if (item_type_is_container(type))
		value_out->payload = reader_bytes(reader, reader_u32_be(reader));
	else
		value_out->payload = read_sized(reader);
	if (reader->status != ST_OK)
		return false;
	value_out->encoded = slice_of(start, (size_t)(reader->data - start));
	return true;
}

bool item_next_attribute(struct item_iter *iter, struct item_attribute *attribute_out)
{
	if (iter->count_left == 0 || iter->reader.status != ST_OK)
		return false;
	iter->count_left--;
	attribute_out->name = read_sized(&iter->reader);
	return read_value(&iter->reader, &attribute_out->value);
}

bool item_next_value(struct item_iter *iter, struct item_value *value_out)
{
	if (iter->count_left == 0 || iter->reader.status != ST_OK)
		return false;
	iter->count_left--;
	return read_value(&iter->reader, value_out);
}

bool item_next_member(struct item_iter *iter, struct slice *member_out)
{
	if (iter->count_left == 0 || iter->reader.status != ST_OK)
		return false;
	iter->count_left--;
	*member_out = read_sized(&iter->reader);
	return iter->reader.status == ST_OK;
}

uint32_t item_count(struct slice container)
{
	return container.size < 4 ? 0 : get_u32_be(container.data);
}

bool item_find(struct slice item, struct slice name, struct item_value *value_out)
{
	struct item_attribute attribute;
	struct item_iter iter;

	item_iter_init(&iter, item);
	while (item_next_attribute(&iter, &attribute)) {
		if (slice_equal(attribute.name, name)) {
			*value_out = attribute.value;
			return true;
		}
	}
	return false;
}

bool item_list_at(struct slice list, uint32_t index, struct item_value *value_out)
{
	struct item_iter iter;

	item_iter_init(&iter, list);
	while (item_next_value(&iter, value_out)) {
		if (index-- == 0)
			return true;
	}
	return false;
}

static uint64_t number_size_bytes(struct slice encoded)
{
	struct decimal number;

	return decimal_decode(&number, encoded, NULL) == ST_OK ? decimal_size_bytes(&number) : 0;
}

static uint64_t set_size_bytes(const struct item_value *set)
{
	struct slice member;
	struct item_iter iter;
	uint64_t total = 0;

	item_iter_init(&iter, set->payload);
	while (item_next_member(&iter, &member))
		total += set->type == ITEM_NS ? number_size_bytes(member) : member.size;
	return total;
}

static uint64_t value_size_bytes(const struct item_value *value, uint32_t level);

/* element_size_bytes: what each element costs besides name and value. */
static uint64_t map_size_bytes(struct slice map, uint32_t level, uint64_t element_size_bytes)
{
	struct item_attribute attribute;
	struct item_iter iter;
	uint64_t total = 0;

	item_iter_init(&iter, map);
	while (item_next_attribute(&iter, &attribute)) {
		total += element_size_bytes + attribute.name.size;
		total += value_size_bytes(&attribute.value, level);
	}
	return total;
}

static uint64_t list_size_bytes(struct slice list, uint32_t level)
{
	struct item_value value;
	struct item_iter iter;
	uint64_t total = 0;

	item_iter_init(&iter, list);
	while (item_next_value(&iter, &value))
		total += SIZE_BYTES_OF_ELEMENT + value_size_bytes(&value, level);
	return total;
}

static uint64_t value_size_bytes(const struct item_value *value, uint32_t level)
{
	if (level > LIMIT_NESTING_DEPTH)
		return 0;
	switch (value->type) {
	case ITEM_S:
	case ITEM_B:
		return value->payload.size;
	case ITEM_N:
		return number_size_bytes(value->payload);
	case ITEM_BOOL:
	case ITEM_NULL:
		return 1;
	case ITEM_L:
		return SIZE_BYTES_OF_CONTAINER + list_size_bytes(value->payload, level + 1);
	case ITEM_M:
		return SIZE_BYTES_OF_CONTAINER +
		       map_size_bytes(value->payload, level + 1, SIZE_BYTES_OF_ELEMENT);
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		return set_size_bytes(value);
	}
	return 0;
}

uint64_t item_size_bytes(struct slice item)
{
	return map_size_bytes(item, 1, 0);
}

uint64_t item_value_size_bytes(const struct item_value *value)
{
	return value_size_bytes(value, 1);
}
