#include "storage/expr/eval_value.h"

#include "proto/model/decimal.h"
#include "proto/model/item_equal.h"

static const struct item_value not_there;

struct item_value eval_value_of(struct slice encoded)
{
	struct item_iter iter = { .count_left = 1 };
	struct item_value value;

	reader_init(&iter.reader, encoded);
	return item_next_value(&iter, &value) ? value : not_there;
}

struct item_value eval_value_at(struct slice item, struct slice path)
{
	struct item_value value = { .type = ITEM_M, .payload = item };
	struct expr_path_element element;

	while (expr_path_next(&path, &element)) {
		bool is_found;

		if (element.name.data != NULL)
			is_found = value.type == ITEM_M && item_find(value.payload, element.name, &value);
		else
			is_found = value.type == ITEM_L && item_list_at(value.payload, element.index, &value);
		if (!is_found)
			return not_there;
	}
	return value;
}

/* A character outside the basic plane, four bytes long, is two units of UTF-16. */
static uint64_t utf16_count(struct slice text)
{
	uint64_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += (uint64_t)((text.data[i] & 0xc0) != 0x80) + (uint64_t)(text.data[i] >= 0xf0);
	return count;
}

static struct item_value encode_number(uint64_t number, uint8_t scratch[EVAL_NUMBER_SIZE_MAX])
{
	struct decimal decimal;
	size_t size;

	decimal_from_int(&decimal, (int64_t)number);
	size = decimal_encode(&decimal, scratch + 2);
	scratch[0] = ITEM_N;
	scratch[1] = (uint8_t)size;
	return (struct item_value){ ITEM_N, slice_of(scratch + 2, size), slice_of(scratch, size + 2) };
}

_Static_assert(2 + DECIMAL_ENCODED_SIZE_MAX <= EVAL_NUMBER_SIZE_MAX, "a number fits");

struct item_value eval_value_size(const struct item_value *value, uint8_t scratch[EVAL_NUMBER_SIZE_MAX])
{
	switch (value->type) {
	case ITEM_S:
		return encode_number(utf16_count(value->payload), scratch);
	case ITEM_B:
		return encode_number(value->payload.size, scratch);
	case ITEM_L:
	case ITEM_M:
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		return encode_number(item_count(value->payload), scratch);
	default:
		return not_there;
	}
}

enum status eval_value_equal(const struct item_value *a, const struct item_value *b, bool *is_equal_out)
{
	if (!eval_value_is_there(a) || a->type != b->type) {
		*is_equal_out = false;
		return ST_OK;
	}
	if (!item_type_is_container(a->type)) {
		*is_equal_out = slice_equal(a->payload, b->payload);
		return ST_OK;
	}
	return item_equal_value(a, b, is_equal_out);
}

bool eval_value_order(const struct item_value *a, const struct item_value *b, int *order_out)
{
	if (a->type != b->type || (a->type != ITEM_S && a->type != ITEM_N && a->type != ITEM_B))
		return false;
	*order_out = slice_compare(a->payload, b->payload); /* numbers too: see decimal.h */
	return true;
}

bool eval_value_begins_with(const struct item_value *value, const struct item_value *beginning)
{
	size_t size = beginning->payload.size;

	if (value->type != beginning->type || (value->type != ITEM_S && value->type != ITEM_B))
		return false;
	return value->payload.size >= size &&
	       (size == 0 || memcmp(value->payload.data, beginning->payload.data, size) == 0);
}

static bool has_part(struct slice whole, struct slice part)
{
	if (part.size == 0)
		return true;
	return whole.size > 0 && memmem(whole.data, whole.size, part.data, part.size) != NULL;
}

static bool has_member(struct slice set, struct slice wanted)
{
	struct item_iter iter;
	struct slice member;

	item_iter_init(&iter, set);
	while (item_next_member(&iter, &member)) {
		if (slice_equal(member, wanted))
			return true;
	}
	return false;
}

static enum status has_element(struct slice list, const struct item_value *wanted, bool *is_in_out)
{
	enum status status = ST_OK;
	struct item_value element;
	struct item_iter iter;

	*is_in_out = false;
	item_iter_init(&iter, list);
	while (status == ST_OK && !*is_in_out && item_next_value(&iter, &element))
		status = eval_value_equal(&element, wanted, is_in_out);
	return status;
}

enum status eval_value_contains(const struct item_value *value, const struct item_value *part,
				bool *is_in_out)
{
	bool is_in = false;

	switch (value->type) {
	case ITEM_S:
	case ITEM_B:
		is_in = part->type == value->type && has_part(value->payload, part->payload);
		break;
	case ITEM_SS:
	case ITEM_NS:
	case ITEM_BS:
		is_in = part->type == value->type - ITEM_SS + ITEM_S &&
			has_member(value->payload, part->payload);
		break;
	case ITEM_L:
		if (eval_value_is_there(part))
			return has_element(value->payload, part, is_in_out);
		break;
	default:
		break;
	}
	*is_in_out = is_in;
	return ST_OK;
}
