/* A table with global indexes: its definitions as a partition's log carries them, and a catalog that has
 * it with one partition and an index with two. */
#ifndef TESTS_UNIT_FEED_FIXTURE_H
#define TESTS_UNIT_FEED_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/catalog/catalog_state.h"
#include "proto/catalog/index_info.h"
#include "tests/unit/index_fixture.h"

enum { FEED_BASE = 1, FEED_INDEX = 2, FEED_SOURCE = 1001, FEED_LOW = 2001, FEED_HIGH = 2002 };

/* Keys of the index below this byte, behind the table's id, are in FEED_LOW, others in FEED_HIGH. */
enum { FEED_CUT = 0x80 };

/* A table with key "pk" and, for each id, a global index on "a" with that derived table. */
static inline Cleave__PartitionIndexes *feed_fixture_definitions(struct arena *arena, uint64_t version,
								 const uint32_t *ids, size_t count)
{
	Cleave__PartitionIndexes *definitions = arena_alloc(arena, sizeof(*definitions));
	struct table_schema *schema = arena_alloc(arena, sizeof(*schema));

	CHECK(definitions != NULL && schema != NULL);
	cleave__partition_indexes__init(definitions);
	index_fixture_schema(schema, "S:pk", NULL);
	definitions->schema = table_schema_encode(schema, arena);
	definitions->indexes = arena_alloc(arena, (count + 1) * sizeof(*definitions->indexes));
	definitions->table_version = version;
	CHECK(definitions->schema != NULL && definitions->indexes != NULL);
	for (size_t i = 0; i < count; i++) {
		struct table_index *index = arena_alloc_zeroed(arena, sizeof(*index));

		CHECK(index != NULL);
		index_fixture_index(index, 0, "S:a", NULL, INDEX_PROJECTS_ALL);
		index->table_id = ids[i];
		(void)snprintf(index->name, sizeof(index->name), "index-%u", (unsigned)ids[i]);
		definitions->indexes[i] = index_info_encode(index, arena);
		CHECK(definitions->indexes[i] != NULL);
	}
	definitions->n_indexes = count;
	return definitions;
}

/* node_count replicas, on nodes 1, 2, ... */
static inline void feed_fixture_put_partition(struct catalog_state *state, uint32_t table_id,
					      uint64_t partition_id, struct slice start, struct slice end,
					      uint32_t node_count)
{
	Cleave__PartitionRecord record = CLEAVE__PARTITION_RECORD__INIT;
	Cleave__ReplicaRecord replicas[CATALOG_REPLICAS_MAX];
	Cleave__ReplicaRecord *list[CATALOG_REPLICAS_MAX];
	struct partition_info *info;
	uint8_t bounds[2][LIMIT_ROW_KEY_HEAD_SIZE_BYTES];

	CHECK(start.size <= sizeof(bounds[0]) && end.size <= sizeof(bounds[1]));
	memcpy(bounds[0], start.data, start.size);
	memcpy(bounds[1], end.data, end.size);
	for (uint32_t i = 0; i < node_count; i++) {
		cleave__replica_record__init(&replicas[i]);
		replicas[i].node_id = i + 1;
		replicas[i].replica_id = 101 + i;
		list[i] = &replicas[i];
	}
	record.partition_id = partition_id;
	record.table_id = table_id;
	record.epoch = 3;
	record.range_start = (ProtobufCBinaryData){ start.size, bounds[0] };
	record.range_end = (ProtobufCBinaryData){ end.size, bounds[1] };
	record.replicas = list;
	record.n_replicas = node_count;
	record.preferred_leader_node_id = 1;
	record.version = state->version;
	CHECK(partition_info_decode(&record, &info) == ST_OK);
	CHECK(catalog_state_put_partition(state, info) == ST_OK);
}

static const uint8_t feed_base_start[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0, 0, 0, FEED_BASE };
static const uint8_t feed_other_start[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0, 0, 0, FEED_BASE, 0x80 };
static const uint8_t feed_index_start[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0, 0, 0, FEED_INDEX };
static const uint8_t feed_index_cut[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0, 0, 0, FEED_INDEX, FEED_CUT };
static const uint8_t feed_index_end[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0, 0, 0, FEED_INDEX + 1 };

/* The catalog at version 5: the base table has the index on "a", with all attributes. */
static inline void feed_fixture_catalog(struct catalog_state *state, uint32_t node_count)
{
	struct table_indexes *set = calloc(1, sizeof(*set) + sizeof(set->list[0]));
	struct table_info base = { .name = "base", .table_id = FEED_BASE, .state = TABLE_ACTIVE };
	struct table_info derived = { .name = "index/2",
				      .table_id = FEED_INDEX,
				      .base_table_id = FEED_BASE,
				      .token_seed = 99,
				      .state = TABLE_ACTIVE };

	CHECK(set != NULL);
	catalog_state_init(state);
	state->version = 5;
	base.version = 5;
	derived.version = 5;
	set->count = 1;
	index_fixture_index(&set->list[0], 0, "S:a", NULL, INDEX_PROJECTS_ALL);
	set->list[0].table_id = FEED_INDEX;
	index_fixture_schema(&base.schema, "S:pk", NULL);
	derived.schema = set->list[0].schema;
	base.indexes = set;
	CHECK(catalog_state_put_table(state, &base) == ST_OK);
	CHECK(catalog_state_put_table(state, &derived) == ST_OK);
	feed_fixture_put_partition(state, FEED_BASE, FEED_SOURCE,
				   slice_of(feed_base_start, sizeof(feed_base_start)),
				   slice_of(feed_index_start, sizeof(feed_index_start)), node_count);
	feed_fixture_put_partition(state, FEED_INDEX, FEED_LOW,
				   slice_of(feed_index_start, sizeof(feed_index_start)),
				   slice_of(feed_index_cut, sizeof(feed_index_cut)), node_count);
	feed_fixture_put_partition(state, FEED_INDEX, FEED_HIGH,
				   slice_of(feed_index_cut, sizeof(feed_index_cut)),
				   slice_of(feed_index_end, sizeof(feed_index_end)), node_count);
	free(set);
}

#endif
