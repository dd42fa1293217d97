#include "coordinator/expr/expr_bind.h"

#include <stdlib.h>

#include "coordinator/expr/expr_message.h"

/* Up to here, comparing with each is quick enough. */
enum { FEW_BINDINGS = 16, JAVA_CAPACITY_MIN = 16 };

static const char names_parameter[] = "ExpressionAttributeNames";
static const char values_parameter[] = "ExpressionAttributeValues";

static bool is_word_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '_';
}

static bool is_placeholder(struct slice text, uint8_t sigil)
{
	if (text.size < 2 || text.data[0] != sigil)
		return false;
	for (size_t i = 1; i < text.size; i++) {
		if (!is_word_byte(text.data[i]))
			return false;
	}
	return true;
}

/* The size of the map's placeholders and values. */
static uint64_t check_placeholders(const struct expr_binding_map *map, uint8_t sigil, const char *parameter,
				   struct expr_error *error)
{
	uint64_t total = 0;

	if (map->count == 0) {
		expr_error_set(error, EXPR_MESSAGE_MAP_EMPTY, parameter);
		return 0;
	}
	for (uint32_t i = 0; i < map->count; i++) {
		struct slice placeholder = map->bindings[i].placeholder;

		if (placeholder.size > LIMIT_PLACEHOLDER_SIZE_BYTES)
			expr_error_set(error, EXPR_MESSAGE_MAP_KEY_SIZE, parameter);
		else if (!is_placeholder(placeholder, sigil))
			expr_error_set(error, EXPR_MESSAGE_MAP_KEY, parameter, (int)placeholder.size,
				       (const char *)placeholder.data);
		total += placeholder.size + map->bindings[i].value.size;
	}
	if (total > LIMIT_SUBSTITUTIONS_SIZE_BYTES)
		expr_error_set(error, EXPR_MESSAGE_MAP_SIZE, parameter);
	return total;
}

static void check_names(const struct expr_binding_map *map, struct expr_error *error)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct expr_binding *binding = &map->bindings[i];

		if (binding->value.size == 0)
			expr_error_set(error, EXPR_MESSAGE_MAP_NAME, (int)binding->placeholder.size,
				       (const char *)binding->placeholder.data);
		else if (binding->value.size > LIMIT_ATTRIBUTE_NAME_SIZE_BYTES)
			expr_error_set(error, EXPR_MESSAGE_MAP_NAME_SIZE, (int)binding->placeholder.size,
				       (const char *)binding->placeholder.data);
	}
}

static int compare_placeholders(const void *left, const void *right, void *context)
{
	const struct expr_binding *bindings = context;

	return slice_compare(bindings[*(const uint32_t *)left].placeholder,
			     bindings[*(const uint32_t *)right].placeholder);
}

static enum status open_lookup(struct expr_lookup *lookup, struct arena *arena,
			       const struct expr_binding_map *map)
{
	*lookup = (struct expr_lookup){ .bindings = map->bindings,
					.count = map->count,
					.use_left = map->count };
	if (map->count == 0)
		return ST_OK;
	lookup->is_used = arena_alloc_zeroed(arena, map->count);
	if (lookup->is_used == NULL)
		return ST_NO_MEMORY;
	if (map->count <= FEW_BINDINGS)
		return ST_OK;
	lookup->sorted = arena_alloc(arena, map->count * sizeof(*lookup->sorted));
	if (lookup->sorted == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < map->count; i++)
		lookup->sorted[i] = i;
	qsort_r(lookup->sorted, map->count, sizeof(*lookup->sorted), compare_placeholders,
		(void *)(uintptr_t)map->bindings);
	return ST_OK;
}

enum status expr_bind_init(struct expr_bind *bind, struct arena *arena, struct expr_binding_map names,
			   struct expr_binding_map values, struct expr_error *error)
{
	enum status status;
	uint64_t total = 0;

	*bind = (struct expr_bind){ .arena = arena, .error = error };
	expr_error_init(error);
	if (names.is_set) {
		total += check_placeholders(&names, '#', names_parameter, error);
		check_names(&names, error);
	}
	if (values.is_set)
		total += check_placeholders(&values, ':', values_parameter, error);
	if (total > LIMIT_SUBSTITUTIONS_SIZE_BYTES)
		expr_error_set(error, EXPR_MESSAGE_MAPS_SIZE);
	if (expr_error_is_set(error))
		return ST_INVALID;
	status = open_lookup(&bind->names, arena, &names);
	return status == ST_OK ? open_lookup(&bind->values, arena, &values) : status;
}

static int64_t find_sorted(const struct expr_lookup *lookup, struct slice placeholder)
{
	uint32_t first = 0;
	uint32_t end = lookup->count;

	while (first < end) {
		uint32_t middle = first + (end - first) / 2;
		uint32_t index = lookup->sorted[middle];
		int order = slice_compare(lookup->bindings[index].placeholder, placeholder);

		if (order == 0)
			return index;
		if (order < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return -1;
}

static int64_t find_one_by_one(const struct expr_lookup *lookup, struct slice placeholder)
{
	for (uint32_t i = 0; i < lookup->count; i++) {
		if (slice_equal(lookup->bindings[i].placeholder, placeholder))
			return i;
	}
	return -1;
}

int64_t expr_bind_find(struct expr_lookup *lookup, struct slice placeholder)
{
	int64_t index = lookup->sorted != NULL ? find_sorted(lookup, placeholder)
					       : find_one_by_one(lookup, placeholder);

	if (index >= 0 && !lookup->is_used[index]) {
		lookup->is_used[index] = true;
		lookup->use_left--;
	}
	return index;
}

/* The service lists what is left in the order of a Java HashSet, which follows from its
 * capacity and String.hashCode(). */
static uint32_t java_slot(struct slice text, uint32_t capacity)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < text.size; i++)
		hash = 31 * hash + text.data[i];
	return (hash ^ (hash >> 16)) & (capacity - 1);
}

struct unused {
	uint32_t slot;
	uint32_t index;
};

static int compare_unused(const void *left, const void *right)
{
	const struct unused *a = left;
	const struct unused *b = right;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static uint32_t java_capacity(uint32_t count)
{
	uint64_t wanted = (uint64_t)count * 4 / 3 + 1;
	uint32_t capacity = JAVA_CAPACITY_MIN;

	while (capacity < wanted && capacity < UINT32_C(1) << 31)
		capacity *= 2;
	return capacity;
}

static enum status report_unused(const struct expr_bind *bind, const struct expr_lookup *lookup,
				 const char *parameter)
{
	struct unused *unused = arena_alloc(bind->arena, lookup->use_left * sizeof(*unused));
	uint32_t capacity = java_capacity(lookup->count);
	uint32_t count = 0;
	struct buf keys;

	if (unused == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = 0; i < lookup->count; i++) {
		if (!lookup->is_used[i])
			unused[count++] = (struct unused){
				java_slot(lookup->bindings[i].placeholder, capacity), i
			};
	}
	CHECK(count == lookup->use_left);
	qsort(unused, count, sizeof(*unused), compare_unused);
	/* What does not fit into the message need not be listed. */
	buf_init(&keys, 2 * LIMIT_ERROR_MESSAGE_SIZE_BYTES);
	for (uint32_t i = 0; i < count && keys.size < LIMIT_ERROR_MESSAGE_SIZE_BYTES; i++) {
		buf_append_string(&keys, i == 0 ? "" : ", ");
		buf_append_slice(&keys, lookup->bindings[unused[i].index].placeholder);
	}
	buf_put_u8(&keys, 0);
	if (keys.status == ST_OK)
		expr_error_set(bind->error, EXPR_MESSAGE_UNUSED, parameter, (const char *)keys.data);
	buf_close(&keys);
	return expr_error_is_set(bind->error) ? ST_INVALID : ST_NO_MEMORY;
}

enum status expr_bind_finish(struct expr_bind *bind)
{
	if (bind->names.use_left > 0)
		return report_unused(bind, &bind->names, names_parameter);
	if (bind->values.use_left > 0)
		return report_unused(bind, &bind->values, values_parameter);
	return ST_OK;
}
