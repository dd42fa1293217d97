/* The key schema of a table or an index: which attributes make up its key, and their types.
 *
 * The partition key is one attribute or more, the sort key none or more, each in an order that counts.
 * Only a global index has more than one of a kind: the key of a table and of a local index is simple.
 *
 * The price of one struct for both: LIMIT_KEY_ATTRIBUTE_COUNT names lie in it, about 2 KB, of which a
 * simple key uses two, 528 bytes.  So it is passed by pointer; what keeps one and is made for each request
 * copies it by table_schema_copy(), which moves the names that are in use.  One partition attribute and at
 * most one sort attribute are the small case of every loop, not a path beside it.
 *
 * Threads  plain data.
 * Memory   everything is inside the struct: copy it by assignment, or by table_schema_copy().
 * Errors   ST_INVALID for a name or type that breaks a rule, and for an attribute too many.
 * Source   "Multi-attribute keys pattern", AWS's documentation.
 */
#ifndef PROTO_MODEL_TABLE_SCHEMA_H
#define PROTO_MODEL_TABLE_SCHEMA_H

#include "proto/base/bytes.h"
#include "proto/model/item.h"
#include "proto/model/limits.h"

struct key_attribute {
	char name[LIMIT_KEY_NAME_SIZE_BYTES + 1]; /* NUL-terminated, without NUL inside */
	uint16_t name_size;                       /* in bytes, without the NUL */
	enum item_type type;                      /* ITEM_S, ITEM_N or ITEM_B */
};

struct table_schema {
	uint8_t partition_count; /* 1 to LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT */
	uint8_t sort_count;      /* 0 to LIMIT_SORT_KEY_ATTRIBUTE_COUNT */
	/* Those of the partition key, then those of the sort key. */
	struct key_attribute attributes[LIMIT_KEY_ATTRIBUTE_COUNT];
};

/* A schema of one partition attribute; type_name is "S", "N" or "B". */
enum status table_schema_init(struct table_schema *schema, struct slice name,
			      struct slice type_name) MUST_CHECK;
/* One more partition attribute, before any sort attribute; one more sort attribute.  ST_INVALID also if
 * the name is in the key already. */
enum status table_schema_add_partition_key(struct table_schema *schema, struct slice name,
					   struct slice type_name) MUST_CHECK;
enum status table_schema_add_sort_key(struct table_schema *schema, struct slice name,
				      struct slice type_name) MUST_CHECK;
bool table_schema_equal(const struct table_schema *a, const struct table_schema *b);
void table_schema_copy(struct table_schema *schema_out, const struct table_schema *schema);
/* The key attribute of that name, NULL if it is none. */
const struct key_attribute *table_schema_find(const struct table_schema *schema, struct slice name);

/* How many attributes a Key has. */
static inline uint32_t table_schema_key_count(const struct table_schema *schema)
{
	return (uint32_t)schema->partition_count + schema->sort_count;
}

/* As that of a table or a local index must be. */
static inline bool table_schema_is_simple(const struct table_schema *schema)
{
	return schema->partition_count == 1 && schema->sort_count <= 1;
}

/* Of a simple schema: the attribute, and the other one or NULL. */
static inline const struct key_attribute *table_schema_partition_key(const struct table_schema *schema)
{
	return &schema->attributes[0];
}

static inline const struct key_attribute *table_schema_sort_key(const struct table_schema *schema)
{
	return schema->sort_count == 0 ? NULL : &schema->attributes[schema->partition_count];
}

/* Of an attribute in this schema. */
static inline bool table_schema_is_sort_key(const struct table_schema *schema,
					    const struct key_attribute *attribute)
{
	return attribute >= schema->attributes + schema->partition_count;
}

static inline struct slice key_attribute_name(const struct key_attribute *attribute)
{
	return slice_of(attribute->name, attribute->name_size);
}

/* A table or index name: 3 to 255 of a-z A-Z 0-9 _ . - */
bool table_schema_name_is_valid(struct slice name);

#endif
