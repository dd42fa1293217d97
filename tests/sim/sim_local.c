#include "tests/sim/sim_local.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/model/item_equal.h"
#include "storage/encoding/stored_item.h"
#include "storage/index/index_plan.h"
#include "storage/index/local_row.h"

/* One partition: what its items say. */
struct survey {
	const struct table_info *table;
	struct engine *engine;
	struct index_plan plan;
	size_t row_count; /* that there must be */
	char *difference;
	size_t difference_size;
};

static bool differ(struct survey *survey, const char *what)
{
	(void)snprintf(survey->difference, survey->difference_size,
		       "the local indexes of table %" PRIu32 ": %s", survey->table->table_id, what);
	return false;
}

/* *item_out borrows from the value, which is the caller's to release if this is true. */
static bool read_row(struct survey *survey, struct slice key, struct engine_value *value,
		     struct stored_item *stored_out)
{
	return engine_get(survey->engine, FAMILY_LOCAL_INDEXES, key, ENGINE_READ_MAY_BLOCK, value) == ST_OK &&
	       stored_item_read(value->slice, stored_out) == ST_OK;
}

static bool check_entry(struct survey *survey, const struct table_index *index, struct slice item,
			uint64_t *size_bytes)
{
	struct index_owner owner = { survey->table->table_id, survey->table->token_seed,
				     &survey->table->schema, index };
	struct engine_value value = { 0 };
	struct stored_item stored;
	bool is_equal = false;

	CHECK(index_plan_make(&survey->plan, &owner, slice_of(NULL, 0), item) == ST_OK);
	if (!survey->plan.has_put)
		return true;
	survey->row_count++;
	*size_bytes += survey->plan.item_size_bytes;
	if (!read_row(survey, survey->plan.put_key, &value, &stored))
		return differ(survey, "an item has no entry");
	CHECK(item_equal(stored.item, survey->plan.item, &is_equal) == ST_OK);
	is_equal = is_equal && stored.size_bytes == survey->plan.item_size_bytes;
	engine_value_release(&value);
	return is_equal || differ(survey, "an entry is not its item's");
}

/* The tables of a run have no sort key: an item is a collection. */
static bool check_item(struct survey *survey, struct slice row_key, struct slice value)
{
	struct engine_value size_value = { 0 };
	struct stored_item stored;
	struct stored_item size_row;
	uint64_t size_bytes;
	uint64_t told_bytes;
	uint32_t cursor = 0;
	const struct table_index *index;
	struct buf key;
	bool is_there;

	CHECK(stored_item_read(value, &stored) == ST_OK);
	size_bytes = stored.size_bytes;
	while ((index = table_indexes_next(survey->table->indexes, true, &cursor)) != NULL) {
		if (!check_entry(survey, index, stored.item, &size_bytes))
			return false;
	}
	buf_init(&key, LIMIT_ROW_KEY_SIZE_BYTES);
	local_row_size_key(&key, row_key);
	is_there = read_row(survey, buf_slice(&key), &size_value, &size_row);
	buf_close(&key);
	if (!is_there)
		return differ(survey, "a collection's size is not told");
	CHECK(local_row_take_size(size_row.item, &told_bytes) == ST_OK);
	engine_value_release(&size_value);
	survey->row_count++;
	return told_bytes == size_bytes || differ(survey, "a collection has another size");
}

static struct engine_iter *iter_over(const struct survey *survey, enum engine_family family,
				     const struct partition_info *partition)
{
	struct engine_iter *iter = engine_iter_create(survey->engine, family, partition->range_start,
						      partition->range_end, NULL, ENGINE_READ_MAY_BLOCK);

	CHECK(iter != NULL);
	engine_iter_seek_first(survey->engine, iter);
	return iter;
}

static bool check_partition(struct survey *survey, const struct partition_info *partition)
{
	struct engine_iter *iter = iter_over(survey, FAMILY_ITEMS, partition);
	size_t row_count = 0;
	bool is_exact = true;

	survey->row_count = 0;
	for (; is_exact && engine_iter_valid(survey->engine, iter); engine_iter_next(survey->engine, iter))
		is_exact = check_item(survey, engine_iter_key(survey->engine, iter),
				      engine_iter_value(survey->engine, iter));
	engine_iter_destroy(survey->engine, iter);
	if (!is_exact)
		return false;
	iter = iter_over(survey, FAMILY_LOCAL_INDEXES, partition);
	for (; engine_iter_valid(survey->engine, iter); engine_iter_next(survey->engine, iter))
		row_count++;
	engine_iter_destroy(survey->engine, iter);
	return row_count == survey->row_count || differ(survey, "there are rows of no item");
}

static bool check_table(struct survey *survey, struct sim_cluster *cluster, const struct catalog_state *state)
{
	const struct partition_info *partition;
	struct sim_node *node = NULL;

	for (size_t i = 0;
	     (partition = catalog_state_partition_at(state, survey->table->table_id, i)) != NULL; i++) {
		if (sim_cluster_leader(cluster, partition->partition_id, &node) == NULL)
			return differ(survey, "a partition is not led");
		survey->engine = node->disk.engine;
		if (!check_partition(survey, partition))
			return false;
	}
	return true;
}

bool sim_local_are_exact(struct sim_cluster *cluster, const struct catalog_state *state, char *difference_out,
			 size_t size_bytes)
{
	struct survey survey = { .difference = difference_out, .difference_size = size_bytes };
	bool is_exact = true;

	index_plan_init(&survey.plan);
	for (size_t i = 0; is_exact && (survey.table = catalog_state_table_at(state, i)) != NULL; i++) {
		uint32_t cursor = 0;

		if (table_indexes_next(survey.table->indexes, true, &cursor) != NULL)
			is_exact = check_table(&survey, cluster, state);
	}
	index_plan_close(&survey.plan);
	return is_exact;
}
