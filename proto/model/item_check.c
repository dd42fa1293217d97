#include "proto/model/item_check.h"

#include <stdlib.h>

#include "proto/model/decimal.h"

/* Up to here, comparing each with each beats sorting, and needs no heap. */
enum { SMALL_COUNT = 16 };

static size_t varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7)
		size++;
	return size;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The size of the sequence at the start of text, 0 if it is not well formed. */
static size_t utf8_sequence_size(const uint8_t *text, size_t size)
{
	uint8_t lead = text[0];

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || size < 2 || !is_continuation(text[1]))
		return 0;
	if (lead < 0xe0)
		return 2;
	if (size < 3 || !is_continuation(text[2]))
		return 0;
	if (lead < 0xf0) {
		bool is_overlong = lead == 0xe0 && text[1] < 0xa0;
		bool is_surrogate = lead == 0xed && text[1] >= 0xa0;

		return is_overlong || is_surrogate ? 0 : 3;
	}
	if (size < 4 || !is_continuation(text[3]))
		return 0;
	if (lead > 0xf4 || (lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] >= 0x90))
		return 0;
	return 4;
}

/* Where the first byte that is not ASCII lies, or up to a word before it; text.size if nowhere. */
static size_t skip_ascii(struct slice text, size_t at)
{
	const uint64_t high_bits = UINT64_C(0x8080808080808080);
	uint64_t words[4];

	for (; text.size - at >= sizeof(words); at += sizeof(words)) {
		memcpy(words, text.data + at, sizeof(words));
		if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0)
			break;
	}
	for (; text.size - at >= sizeof(words[0]); at += sizeof(words[0])) {
		memcpy(words, text.data + at, sizeof(words[0]));
		if ((words[0] & high_bits) != 0)
			return at;
	}
	while (at < text.size && text.data[at] < 0x80)
		at++;
	return at;
}

bool item_check_utf8(struct slice text)
{
	size_t at = skip_ascii(text, 0);

	while (at < text.size) {
		size_t size = utf8_sequence_size(text.data + at, text.size - at);

		if (size == 0)
			return false;
		at += size;
		/* After a letter of another script mostly comes another. */
		if (size == 1)
			at = skip_ascii(text, at);
	}
	return true;
}

/* Any total order does, and sizes differ more often than first bytes. */
static int compare_slices(const void *left, const void *right)
{
	const struct slice *a = left;
	const struct slice *b = right;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->size == 0 ? 0 : memcmp(a->data, b->data, a->size);
}

/* Names in one map often have the same size and differ at the end: no call for those. */
static bool is_same(struct slice a, struct slice b)
{
	if (a.size != b.size)
		return false;
	return a.size == 0 ||
	       (a.data[a.size - 1] == b.data[b.size - 1] && memcmp(a.data, b.data, a.size) == 0);
}

static bool is_distinct_small(const struct slice *names, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (is_same(names[i], names[j]))
				return false;
		}
	}
	return true;
}

bool item_check_distinct(struct slice *names, size_t count)
{
	if (count <= SMALL_COUNT)
		return is_distinct_small(names, count);
	qsort(names, count, sizeof(*names), compare_slices);
	for (size_t i = 1; i < count; i++) {
		if (slice_equal(names[i - 1], names[i]))
			return false;
	}
	return true;
}

/* Names of a map or members of a set; ST_CORRUPT if there are fewer than the head says. */
static enum status collect(struct slice container, enum item_type type, struct slice *names)
{
	struct item_attribute attribute;
	struct item_iter iter;
	size_t count = 0;

	item_iter_init(&iter, container);
	if (type == ITEM_M) {
		while (item_next_attribute(&iter, &attribute))
			names[count++] = attribute.name;
	} else {
		while (item_next_member(&iter, &names[count]))
			count++;
	}
	return item_iter_status(&iter);
}

enum status item_check_unique(struct slice container, enum item_type type)
{
	struct slice small[SMALL_COUNT];
	struct slice *names = small;
	uint32_t count = item_count(container);
	enum status status;

	CHECK(type == ITEM_M || item_type_is_set(type));
	if (count > container.size) /* an element has at least one byte */
		return ST_CORRUPT;
	if (count > SMALL_COUNT) {
		names = malloc(count * sizeof(*names));
		if (names == NULL)
			return ST_NO_MEMORY;
	}
	status = collect(container, type, names);
	if (status == ST_OK && !item_check_distinct(names, count))
		status = ST_INVALID;
	if (names != small)
		free(names);
	return status;
}

static enum status check_unique(struct slice container, enum item_type type)
{
	enum status status = item_check_unique(container, type);

	return status == ST_INVALID ? ST_CORRUPT : status;
}

static enum status check_number(struct slice payload)
{
	return payload.size > 0 && decimal_encoded_size(payload) == payload.size ? ST_OK : ST_CORRUPT;
}

static enum status check_member(enum item_type set_type, struct slice member)
{
	if (set_type == ITEM_NS)
		return check_number(member);
	if (set_type == ITEM_SS && !item_check_utf8(member))
		return ST_CORRUPT;
	return ST_OK;
}

static enum status check_set(const struct item_value *set)
{
	struct item_iter iter;
	struct slice member;

	item_iter_init(&iter, set->payload);
	if (iter.count_left == 0)
		return ST_CORRUPT;
	for (;;) {
		const uint8_t *start = iter.reader.data;

		if (!item_next_member(&iter, &member))
			break;
		if ((size_t)(member.data - start) != varint_size(member.size))
			return ST_CORRUPT;
		if (check_member(set->type, member) != ST_OK)
			return ST_CORRUPT;
	}
	if (item_iter_status(&iter) != ST_OK)
		return ST_CORRUPT;
	return check_unique(set->payload, set->type);
}

static enum status check_value(const struct item_value *value, uint32_t level);

static enum status check_list(struct slice list, uint32_t level)
{
	struct item_value value;
	struct item_iter iter;
	enum status status = ST_OK;

	item_iter_init(&iter, list);
	while (status == ST_OK && item_next_value(&iter, &value))
		status = check_value(&value, level);
	return status == ST_OK ? item_iter_status(&iter) : status;
}

static enum status check_name(const uint8_t *start, struct slice name)
{
	if (name.size > LIMIT_ATTRIBUTE_NAME_SIZE_BYTES)
		return ST_TOO_BIG;
	if ((size_t)(name.data - start) != varint_size(name.size) || !item_check_utf8(name))
		return ST_CORRUPT;
	return ST_OK;
}

/* names_out: of the first SMALL_COUNT attributes. */
static enum status check_attributes(struct slice map, uint32_t level, struct slice *names_out)
{
	struct item_attribute attribute;
	struct item_iter iter;
	uint32_t count = 0;

	item_iter_init(&iter, map);
	for (;; count++) {
		const uint8_t *start = iter.reader.data;
		enum status status;

		if (!item_next_attribute(&iter, &attribute))
			break;
		status = check_name(start, attribute.name);
		if (status == ST_OK)
			status = check_value(&attribute.value, level);
		if (status != ST_OK)
			return status;
		if (count < SMALL_COUNT)
			names_out[count] = attribute.name;
	}
	return item_iter_status(&iter) == ST_OK ? ST_OK : ST_CORRUPT;
}

static enum status check_map(struct slice map, uint32_t level)
{
	struct slice names[SMALL_COUNT];
	enum status status = check_attributes(map, level, names);

	if (status != ST_OK)
		return status;
	if (item_count(map) > SMALL_COUNT)
		return check_unique(map, ITEM_M);
	return is_distinct_small(names, item_count(map)) ? ST_OK : ST_CORRUPT;
}

static enum status check_scalar(const struct item_value *value)
{
	struct slice payload = value->payload;

	if (value->encoded.size != 1 + varint_size(payload.size) + payload.size)
		return ST_CORRUPT;
	switch (value->type) {
	case ITEM_S:
		return item_check_utf8(payload) ? ST_OK : ST_CORRUPT;
	case ITEM_N:
		return check_number(payload);
	case ITEM_B:
		return ST_OK;
	case ITEM_BOOL:
		return payload.size == 1 && payload.data[0] <= 1 ? ST_OK : ST_CORRUPT;
	default:
		CHECK(value->type == ITEM_NULL);
		return payload.size == 0 ? ST_OK : ST_CORRUPT;
	}
}

/* level: 1 for the item's own attributes. */
static enum status check_value(const struct item_value *value, uint32_t level)
{
	if (level > LIMIT_NESTING_DEPTH)
		return ST_TOO_BIG;
	if (value->type == ITEM_L)
		return check_list(value->payload, level + 1);
	if (value->type == ITEM_M)
		return check_map(value->payload, level + 1);
	if (item_type_is_set(value->type))
		return check_set(value);
	return check_scalar(value);
}

enum status item_check(struct slice item)
{
	if (item.size > LIMIT_ITEM_ENCODED_SIZE_BYTES)
		return ST_TOO_BIG;
	return check_map(item, 1);
}

enum status item_check_value(struct slice encoded)
{
	struct item_value value;
	struct item_iter iter = { .count_left = 1 };

	if (encoded.size > LIMIT_ITEM_ENCODED_SIZE_BYTES)
		return ST_TOO_BIG;
	reader_init(&iter.reader, encoded);
	if (!item_next_value(&iter, &value) || item_iter_status(&iter) != ST_OK)
		return ST_CORRUPT;
	return check_value(&value, 1);
}
