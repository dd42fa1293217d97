/* A table with sort key, indexes of every kind on it, and items to put into them. */
#ifndef TESTS_UNIT_INDEX_FIXTURE_H
#define TESTS_UNIT_INDEX_FIXTURE_H

#include "proto/base/rng.h"
#include "proto/model/item_builder.h"
#include "proto/model/table_index.h"

enum { INDEX_FIXTURE_TABLE_ID = 7, INDEX_FIXTURE_GLOBAL_ID = 8, INDEX_FIXTURE_SEED = 99 };

/* The next attribute of "S:g N:h", a type and a name; false at the end. */
static inline bool index_fixture_next(const char **text, struct slice *type_out, struct slice *name_out)
{
	size_t size = *text == NULL ? 0 : strcspn(*text, " ");

	if (size == 0)
		return false;
	*type_out = slice_of(*text, 1);
	*name_out = slice_of(*text + 2, size - 2);
	*text += size + ((*text)[size] == ' ');
	return true;
}

/* Keys as types and names: "S:pk", or "S:g N:h" of several attributes. */
static inline void index_fixture_schema(struct table_schema *schema, const char *partition, const char *sort)
{
	struct slice type;
	struct slice name;

	CHECK(index_fixture_next(&partition, &type, &name));
	CHECK(table_schema_init(schema, name, type) == ST_OK);
	while (index_fixture_next(&partition, &type, &name))
		CHECK(table_schema_add_partition_key(schema, name, type) == ST_OK);
	while (index_fixture_next(&sort, &type, &name))
		CHECK(table_schema_add_sort_key(schema, name, type) == ST_OK);
}

static inline void index_fixture_index(struct table_index *index, uint8_t local_number, const char *partition,
				       const char *sort, enum index_projection projection)
{
	static const struct slice included[] = { { (const uint8_t *)"x", 1 } };

	*index = (struct table_index){ .name = "an-index",
				       .local_number = local_number,
				       .table_id = local_number == 0 ? INDEX_FIXTURE_GLOBAL_ID : 0,
				       .projection = projection,
				       .state = INDEX_ACTIVE };
	index_fixture_schema(&index->schema, partition, sort);
	if (projection == INDEX_PROJECTS_SOME) {
		index->attributes = included;
		index->attribute_count = 1;
	}
}

static inline struct index_owner index_fixture_owner(const struct table_schema *schema,
						     const struct table_index *index)
{
	return (struct index_owner){ INDEX_FIXTURE_TABLE_ID, INDEX_FIXTURE_SEED, schema, index };
}

static inline void index_fixture_string(struct item_builder *builder, const char *name, struct slice value)
{
	item_builder_name(builder, slice_of_string(name));
	item_builder_string(builder, value);
}

static inline void index_fixture_int(struct item_builder *builder, const char *name, int64_t value)
{
	struct decimal number;

	decimal_from_int(&number, value);
	item_builder_name(builder, slice_of_string(name));
	item_builder_number(builder, &number);
}

#endif
