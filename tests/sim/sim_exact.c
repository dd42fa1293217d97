#include "tests/sim/sim_exact.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/digest.h"
#include "storage/encoding/stored_item.h"

enum { NAME_SIZE = 200, ENTRIES_MAX = 256 };

/* An item or an index entry, by what they must have in common. */
struct entry {
	char name[NAME_SIZE]; /* of its key attributes */
	uint64_t digest;      /* of all of it */
};

struct entries {
	size_t count;
	struct entry list[ENTRIES_MAX];
};

static int compare(const void *a, const void *b)
{
	const struct entry *first = a;
	const struct entry *second = b;
	int order = strcmp(first->name, second->name);

	if (order != 0 || first->digest == second->digest)
		return order;
	return first->digest < second->digest ? -1 : 1;
}

static struct slice attribute(struct slice item, const char *name)
{
	struct item_value value;

	return item_find(item, slice_of_string(name), &value) && value.type == ITEM_S ? value.payload
										      : slice_of(NULL, 0);
}

/* "key-3 with g=group-1, v=17": by the key of the table and of the index; false if it lacks one of them. */
static bool print_keys(char out[NAME_SIZE], const struct table_index *index, struct slice item)
{
	struct slice key = attribute(item, "k");
	size_t size = (size_t)snprintf(out, NAME_SIZE, "%.*s with", (int)key.size, (const char *)key.data);

	for (uint32_t i = 0; i < table_schema_key_count(&index->schema); i++) {
		const char *name = index->schema.attributes[i].name;
		struct slice value = attribute(item, name);

		if (value.size == 0)
			return false;
		CHECK(size < NAME_SIZE);
		size += (size_t)snprintf(out + size, NAME_SIZE - size, "%s %s=%.*s", i == 0 ? "" : ",", name,
					 (int)value.size, (const char *)value.data);
	}
	return true;
}

/* How many attributes an entry of keys has: those of the index, and the table's k. */
static uint64_t key_count(const struct table_index *index)
{
	return table_schema_key_count(&index->schema) +
	       (table_schema_find(&index->schema, slice_of_string("k")) == NULL);
}

/* What lacks an attribute of the index key has no entry. */
static void add_item(struct entries *entries, const struct table_index *index, struct slice item, bool is_row)
{
	struct entry entry;

	if (!print_keys(entry.name, index, item) && !is_row)
		return;
	entry.digest = index->projection == INDEX_PROJECTS_ALL ? digest_hash64(item, 0) : key_count(index);
	if (is_row && index->projection != INDEX_PROJECTS_ALL)
		entry.digest = item_count(item);
	CHECK(entries->count < ENTRIES_MAX);
	entries->list[entries->count++] = entry;
}

static void add_partition(struct entries *entries, const struct table_index *index, struct engine *engine,
			  const struct partition_info *partition, bool is_row)
{
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, partition->range_start,
						      partition->range_end, NULL, ENGINE_READ_MAY_BLOCK);

	CHECK(iter != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		struct stored_item stored;

		CHECK(stored_item_read(engine_iter_value(engine, iter), &stored) == ST_OK);
		add_item(entries, index, stored.item, is_row);
	}
	CHECK(engine_iter_status(engine, iter) == ST_OK);
	engine_iter_destroy(engine, iter);
}

/* False if a partition is not led just now. */
static bool add_table(struct entries *entries, const struct table_index *index, struct sim_cluster *cluster,
		      const struct catalog_state *state, uint32_t table_id, bool is_row)
{
	const struct partition_info *partition;
	struct sim_node *node = NULL;

	for (size_t i = 0; (partition = catalog_state_partition_at(state, table_id, i)) != NULL; i++) {
		if (sim_cluster_leader(cluster, partition->partition_id, &node) == NULL)
			return false;
		add_partition(entries, index, node->disk.engine, partition, is_row);
	}
	qsort(entries->list, entries->count, sizeof(entries->list[0]), compare);
	return true;
}

static bool are_equal(const struct entries *items, const struct entries *rows, const struct table_info *table,
		      char *difference_out, size_t size_bytes)
{
	size_t at = 0;
	int order = 0;

	while (order == 0 && at < items->count && at < rows->count) {
		order = compare(&items->list[at], &rows->list[at]);
		at += order == 0;
	}
	if (order == 0 && items->count == rows->count)
		return true;
	if (at < items->count && (order < 0 || at == rows->count))
		(void)snprintf(difference_out, size_bytes, "the index of table %" PRIu32 " lacks %s",
			       table->table_id, items->list[at].name);
	else
		(void)snprintf(difference_out, size_bytes, "the index of table %" PRIu32 " has %s in vain",
			       table->table_id, rows->list[at].name);
	return false;
}

static bool is_exact(struct sim_cluster *cluster, const struct catalog_state *state,
		     const struct table_info *table, const struct table_index *index, char *difference_out,
		     size_t size_bytes)
{
	struct entries *items = calloc(1, sizeof(*items));
	struct entries *rows = calloc(1, sizeof(*rows));
	bool is_so = false;

	CHECK(items != NULL && rows != NULL);
	(void)snprintf(difference_out, size_bytes, "table %" PRIu32 " or its index is not led",
		       table->table_id);
	if (index->state != INDEX_ACTIVE)
		(void)snprintf(difference_out, size_bytes, "the index of table %" PRIu32 " stays in state %d",
			       table->table_id, (int)index->state);
	else if (add_table(items, index, cluster, state, table->table_id, false) &&
		 add_table(rows, index, cluster, state, index->table_id, true))
		is_so = are_equal(items, rows, table, difference_out, size_bytes);
	free(items);
	free(rows);
	return is_so;
}

bool sim_exact_are_indexes(struct sim_cluster *cluster, const struct catalog_state *state,
			   char *difference_out, size_t size_bytes)
{
	const struct table_info *table;

	for (size_t i = 0; (table = catalog_state_table_at(state, i)) != NULL; i++) {
		const struct table_index *index;
		uint32_t cursor = 0;

		while ((index = table_indexes_next(table->indexes, false, &cursor)) != NULL) {
			if (!is_exact(cluster, state, table, index, difference_out, size_bytes))
				return false;
		}
	}
	return true;
}
