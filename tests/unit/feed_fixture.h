/* Index definitions of a table as a partition's log carries them. */
#ifndef TESTS_UNIT_FEED_FIXTURE_H
#define TESTS_UNIT_FEED_FIXTURE_H

#include <stdio.h>

#include "proto/catalog/index_info.h"
#include "tests/unit/index_fixture.h"

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

#endif
