#include "proto/model/item_equal.h"

#include <stdlib.h>

enum { SMALL_COUNT = 16 };

/* The elements of two containers of the same count, each sorted by name. */
struct pair {
	struct item_attribute small[2 * SMALL_COUNT];
	struct item_attribute *a;
	struct item_attribute *b;
	uint32_t count;
};

static int compare_names(const void *left, const void *right)
{
	const struct item_attribute *a = left;
	const struct item_attribute *b = right;

	return slice_compare(a->name, b->name);
}

/* A set's members become names without values. */
static enum status collect(struct slice container, enum item_type type, struct item_attribute *out,
			   uint32_t count)
{
	struct item_iter iter;
	uint32_t at = 0;

	item_iter_init(&iter, container);
	if (type == ITEM_M) {
		while (item_next_attribute(&iter, &out[at]))
			at++;
	} else {
		while (item_next_member(&iter, &out[at].name))
			at++;
	}
	if (item_iter_status(&iter) != ST_OK)
		return ST_CORRUPT;
	CHECK(at == count);
	qsort(out, count, sizeof(*out), compare_names);
	return ST_OK;
}

static void pair_close(struct pair *pair)
{
	if (pair->a != pair->small)
		free(pair->a);
}

static enum status pair_open(struct pair *pair, struct slice a, struct slice b, enum item_type type)
{
	enum status status;

	pair->a = pair->small;
	pair->count = item_count(a);
	if (pair->count > a.size)
		return ST_CORRUPT;
	if (pair->count > SMALL_COUNT) {
		pair->a = malloc(2 * (size_t)pair->count * sizeof(*pair->a));
		if (pair->a == NULL) {
			pair->a = pair->small;
			return ST_NO_MEMORY;
		}
	}
	pair->b = pair->a + pair->count;
	status = collect(a, type, pair->a, pair->count);
	if (status == ST_OK)
		status = collect(b, type, pair->b, pair->count);
	return status;
}

static enum status equal_values(const struct item_value *a, const struct item_value *b, uint32_t level,
				bool *is_equal_out);

static enum status equal_pair(const struct pair *pair, enum item_type type, uint32_t level,
			      bool *is_equal_out)
{
	bool is_equal = true;

	for (uint32_t i = 0; i < pair->count && is_equal; i++) {
		enum status status = ST_OK;

		is_equal = slice_equal(pair->a[i].name, pair->b[i].name);
		if (is_equal && type == ITEM_M)
			status = equal_values(&pair->a[i].value, &pair->b[i].value, level, &is_equal);
		if (status != ST_OK)
			return status;
	}
	*is_equal_out = is_equal;
	return ST_OK;
}

/* Maps and sets. */
static enum status equal_unordered(struct slice a, struct slice b, enum item_type type, uint32_t level,
				   bool *is_equal_out)
{
	struct pair pair;
	enum status status;

	if (item_count(a) != item_count(b)) {
		*is_equal_out = false;
		return ST_OK;
	}
	status = pair_open(&pair, a, b, type);
	if (status == ST_OK)
		status = equal_pair(&pair, type, level, is_equal_out);
	pair_close(&pair);
	return status;
}

static enum status equal_lists(struct slice a, struct slice b, uint32_t level, bool *is_equal_out)
{
	struct item_iter a_iter;
	struct item_iter b_iter;
	struct item_value a_value;
	struct item_value b_value;
	bool is_equal = item_count(a) == item_count(b);

	item_iter_init(&a_iter, a);
	item_iter_init(&b_iter, b);
	while (is_equal && item_next_value(&a_iter, &a_value) && item_next_value(&b_iter, &b_value)) {
		enum status status = equal_values(&a_value, &b_value, level, &is_equal);

		if (status != ST_OK)
			return status;
	}
	if (is_equal && (item_iter_status(&a_iter) != ST_OK || item_iter_status(&b_iter) != ST_OK))
		return ST_CORRUPT;
	*is_equal_out = is_equal;
	return ST_OK;
}

static enum status equal_values(const struct item_value *a, const struct item_value *b, uint32_t level,
				bool *is_equal_out)
{
	if (level > LIMIT_NESTING_DEPTH)
		return ST_CORRUPT;
	if (a->type != b->type || !item_type_is_container(a->type)) {
		*is_equal_out = a->type == b->type && slice_equal(a->payload, b->payload);
		return ST_OK;
	}
	if (a->type == ITEM_L)
		return equal_lists(a->payload, b->payload, level + 1, is_equal_out);
	return equal_unordered(a->payload, b->payload, a->type, level + 1, is_equal_out);
}

enum status item_equal(struct slice a, struct slice b, bool *is_equal_out)
{
	return equal_unordered(a, b, ITEM_M, 1, is_equal_out);
}

enum status item_equal_value(const struct item_value *a, const struct item_value *b, bool *is_equal_out)
{
	return equal_values(a, b, 1, is_equal_out);
}
