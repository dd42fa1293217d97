#include "proto/catalog/catalog_state.h"

#include <stdlib.h>

#include "proto/model/row_key.h"

enum { CAPACITY_MIN = 8 };

struct catalog_table {
	struct table_info info;             /* first: what is lent */
	struct table_indexes *indexes;      /* what info points to */
	uint8_t *tags;                      /* and this too */
	struct partition_info **partitions; /* ascending by range_start */
	size_t partition_count;
	size_t partition_capacity;
};

/* --- sorted arrays of pointers --- */

/* Room for one more. */
static enum status reserve(void ***array, size_t count, size_t *capacity)
{
	size_t bigger_capacity = *capacity == 0 ? CAPACITY_MIN : 2 * *capacity;
	void **bigger;

	if (count < *capacity)
		return ST_OK;
	bigger = realloc(*array, bigger_capacity * sizeof(*bigger));
	if (bigger == NULL)
		return ST_NO_MEMORY;
	*array = bigger;
	*capacity = bigger_capacity;
	return ST_OK;
}

static enum status reserve_name(struct catalog_state *state)
{
	void **array = (void **)state->by_name;
	enum status status = reserve(&array, state->table_count, &state->table_capacity);

	state->by_name = (struct catalog_table **)array;
	return status;
}

static enum status reserve_range(struct catalog_table *table)
{
	void **array = (void **)table->partitions;
	enum status status = reserve(&array, table->partition_count, &table->partition_capacity);

	table->partitions = (struct partition_info **)array;
	return status;
}

/* The index of the first table whose name is not less than name. */
static size_t name_position(const struct catalog_state *state, struct slice name)
{
	size_t low = 0;
	size_t high = state->table_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(slice_of_string(state->by_name[middle]->info.name), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The index of the first partition whose range starts after key. */
static size_t range_position(const struct catalog_table *table, struct slice key)
{
	size_t low = 0;
	size_t high = table->partition_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_compare(table->partitions[middle]->range_start, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Everything of info is the table's own afterwards. */
static enum status take_info(struct catalog_table *table, const struct table_info *info)
{
	struct table_indexes *indexes = NULL;
	uint8_t *tags = malloc(info->tags.size + 1);

	if (info->indexes != NULL)
		indexes = malloc(table_indexes_size(info->indexes));
	if (tags == NULL || (indexes == NULL && info->indexes != NULL)) {
		free(indexes);
		free(tags);
		return ST_NO_MEMORY;
	}
	if (indexes != NULL)
		(void)table_indexes_copy(info->indexes, indexes);
	if (info->tags.size > 0)
		memcpy(tags, info->tags.data, info->tags.size);
	free(table->indexes);
	free(table->tags);
	table->indexes = indexes;
	table->tags = tags;
	table->info = *info;
	table->info.indexes = indexes;
	table->info.tags = slice_of(tags, info->tags.size);
	return ST_OK;
}

static void free_table(struct catalog_table *table)
{
	free(table->partitions);
	free(table->indexes);
	free(table->tags);
	free(table);
}

/* --- life --- */

void catalog_state_init(struct catalog_state *state)
{
	*state = (struct catalog_state){ .version = 0 };
	hash_map_init(&state->nodes, CATALOG_NODES_MAX);
	hash_map_init(&state->tables, CATALOG_TABLES_MAX);
	hash_map_init(&state->partitions, CATALOG_PARTITIONS_MAX);
}

void catalog_state_close(struct catalog_state *state)
{
	struct node_info *node;
	struct partition_info *partition;
	size_t cursor = 0;

	while ((node = hash_map_next(&state->nodes, &cursor)) != NULL)
		free(node);
	cursor = 0;
	while ((partition = hash_map_next(&state->partitions, &cursor)) != NULL)
		partition_info_free(partition);
	for (size_t i = 0; i < state->table_count; i++)
		free_table(state->by_name[i]);
	free(state->by_name);
	hash_map_close(&state->nodes);
	hash_map_close(&state->tables);
	hash_map_close(&state->partitions);
	catalog_state_init(state);
}

/* --- nodes --- */

enum status catalog_state_put_node(struct catalog_state *state, const struct node_info *node)
{
	struct node_info *stored = hash_map_get(&state->nodes, node->node_id);
	enum status status;

	if (stored != NULL) {
		*stored = *node;
		return ST_OK;
	}
	stored = malloc(sizeof(*stored));
	if (stored == NULL)
		return ST_NO_MEMORY;
	*stored = *node;
	status = hash_map_put(&state->nodes, node->node_id, stored);
	if (status != ST_OK)
		free(stored);
	return status;
}

void catalog_state_remove_node(struct catalog_state *state, uint64_t node_id)
{
	free(hash_map_remove(&state->nodes, node_id));
}

/* --- tables --- */

static struct catalog_table *find_table(const struct catalog_state *state, uint32_t table_id)
{
	return hash_map_get(&state->tables, table_id);
}

static enum status add_table(struct catalog_state *state, const struct table_info *info)
{
	size_t position = name_position(state, slice_of_string(info->name));
	struct catalog_table *table;
	enum status status = reserve_name(state);

	if (status != ST_OK)
		return status;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return ST_NO_MEMORY;
	status = take_info(table, info);
	if (status == ST_OK)
		status = hash_map_put(&state->tables, info->table_id, table);
	if (status != ST_OK) {
		free_table(table);
		return status;
	}
	memmove(&state->by_name[position + 1], &state->by_name[position],
		(state->table_count - position) * sizeof(*state->by_name));
	state->by_name[position] = table;
	state->table_count++;
	return ST_OK;
}

enum status catalog_state_put_table(struct catalog_state *state, const struct table_info *info)
{
	const struct table_info *named = catalog_state_table_named(state, slice_of_string(info->name));
	struct catalog_table *table = find_table(state, info->table_id);

	if (named != NULL && named->table_id != info->table_id)
		return ST_EXISTS;
	if (table == NULL)
		return add_table(state, info);
	if (strcmp(table->info.name, info->name) != 0)
		return ST_EXISTS; /* a table keeps its name */
	return take_info(table, info);
}

void catalog_state_remove_table(struct catalog_state *state, uint32_t table_id)
{
	struct catalog_table *table = hash_map_remove(&state->tables, table_id);
	size_t position;

	if (table == NULL)
		return;
	for (size_t i = 0; i < table->partition_count; i++) {
		(void)hash_map_remove(&state->partitions, table->partitions[i]->partition_id);
		partition_info_free(table->partitions[i]);
	}
	position = name_position(state, slice_of_string(table->info.name));
	CHECK(position < state->table_count && state->by_name[position] == table);
	state->table_count--;
	memmove(&state->by_name[position], &state->by_name[position + 1],
		(state->table_count - position) * sizeof(*state->by_name));
	free_table(table);
}

/* --- partitions --- */

/* Take a partition out of its table's index. */
static void unlink_range(struct catalog_state *state, const struct partition_info *partition)
{
	struct catalog_table *table = find_table(state, partition->table_id);
	size_t position;

	CHECK(table != NULL);
	for (position = range_position(table, partition->range_start); position > 0; position--) {
		if (table->partitions[position - 1] == partition)
			break;
	}
	CHECK(position > 0);
	table->partition_count--;
	memmove(&table->partitions[position - 1], &table->partitions[position],
		(table->partition_count - position + 1) * sizeof(*table->partitions));
}

static void link_range(struct catalog_table *table, struct partition_info *partition)
{
	size_t position = range_position(table, partition->range_start);

	CHECK(table->partition_count < table->partition_capacity);
	memmove(&table->partitions[position + 1], &table->partitions[position],
		(table->partition_count - position) * sizeof(*table->partitions));
	table->partitions[position] = partition;
	table->partition_count++;
}

enum status catalog_state_put_partition(struct catalog_state *state, struct partition_info *partition)
{
	struct partition_info *old = hash_map_get(&state->partitions, partition->partition_id);
	struct catalog_table *table = find_table(state, partition->table_id);
	enum status status;

	if (table == NULL)
		return ST_NOT_FOUND;
	status = reserve_range(table);
	if (status == ST_OK)
		status = hash_map_put(&state->partitions, partition->partition_id, partition);
	if (status != ST_OK)
		return status;
	if (old != NULL) {
		unlink_range(state, old);
		partition_info_free(old);
	}
	link_range(table, partition);
	return ST_OK;
}

void catalog_state_remove_partition(struct catalog_state *state, uint64_t partition_id)
{
	struct partition_info *partition = hash_map_remove(&state->partitions, partition_id);

	if (partition == NULL)
		return;
	unlink_range(state, partition);
	partition_info_free(partition);
}

/* --- look-ups --- */

const struct node_info *catalog_state_node(const struct catalog_state *state, uint64_t node_id)
{
	return hash_map_get(&state->nodes, node_id);
}

const struct table_info *catalog_state_table(const struct catalog_state *state, uint32_t table_id)
{
	const struct catalog_table *table = find_table(state, table_id);

	return table == NULL ? NULL : &table->info;
}

const struct table_info *catalog_state_table_named(const struct catalog_state *state, struct slice name)
{
	size_t position = name_position(state, name);
	const struct table_info *table = catalog_state_table_at(state, position);

	return table != NULL && slice_equal(slice_of_string(table->name), name) ? table : NULL;
}

const struct partition_info *catalog_state_partition(const struct catalog_state *state, uint64_t partition_id)
{
	return hash_map_get(&state->partitions, partition_id);
}

const struct partition_info *catalog_state_find_partition(const struct catalog_state *state,
							  struct slice row_key)
{
	const struct catalog_table *table;
	uint32_t table_id;
	uint64_t token;
	size_t position;

	if (row_key_head(row_key, &table_id, &token) != ST_OK)
		return NULL;
	table = find_table(state, table_id);
	if (table == NULL)
		return NULL;
	position = range_position(table, row_key);
	if (position == 0 || !partition_info_holds(table->partitions[position - 1], row_key))
		return NULL;
	return table->partitions[position - 1];
}

const struct partition_info *catalog_state_find_partition_below(const struct catalog_state *state,
								uint32_t table_id, struct slice row_key)
{
	const struct catalog_table *table = find_table(state, table_id);
	size_t position;

	if (table == NULL)
		return NULL;
	position = range_position(table, row_key);
	if (position > 0 && slice_equal(table->partitions[position - 1]->range_start, row_key))
		position--;
	if (position == 0 || slice_compare(row_key, table->partitions[position - 1]->range_end) > 0)
		return NULL;
	return table->partitions[position - 1];
}

size_t catalog_state_partition_count(const struct catalog_state *state, uint32_t table_id)
{
	const struct catalog_table *table = find_table(state, table_id);

	return table == NULL ? 0 : table->partition_count;
}

const struct partition_info *catalog_state_partition_at(const struct catalog_state *state, uint32_t table_id,
							size_t index)
{
	const struct catalog_table *table = find_table(state, table_id);

	return table == NULL || index >= table->partition_count ? NULL : table->partitions[index];
}

const struct table_info *catalog_state_table_at(const struct catalog_state *state, size_t index)
{
	return index < state->table_count ? &state->by_name[index]->info : NULL;
}

size_t catalog_state_table_after(const struct catalog_state *state, struct slice name)
{
	size_t position = name_position(state, name);
	const struct table_info *table = catalog_state_table_at(state, position);

	return table != NULL && slice_equal(slice_of_string(table->name), name) ? position + 1 : position;
}

const struct node_info *catalog_state_next_node(const struct catalog_state *state, size_t *cursor)
{
	return hash_map_next(&state->nodes, cursor);
}

const struct partition_info *catalog_state_next_partition(const struct catalog_state *state, size_t *cursor)
{
	return hash_map_next(&state->partitions, cursor);
}
