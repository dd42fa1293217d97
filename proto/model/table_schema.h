/* The key schema of a table: which attributes make up the primary key, and their types.
 *
 * Threads  plain data.
 * Memory   everything is inside the struct: copy it by assignment.
 * Errors   table_schema_init() and friends give ST_INVALID for a name or type that breaks a rule.
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
	struct key_attribute partition_key;
	struct key_attribute sort_key; /* if has_sort_key */
	bool has_sort_key;
};

/* A schema without a sort key; type_name is "S", "N" or "B". */
enum status table_schema_init(struct table_schema *schema, struct slice name,
			      struct slice type_name) MUST_CHECK;
/* ST_INVALID also if the name is the partition key's. */
enum status table_schema_set_sort_key(struct table_schema *schema, struct slice name,
				      struct slice type_name) MUST_CHECK;
bool table_schema_equal(const struct table_schema *a, const struct table_schema *b);
/* The key attribute of that name, NULL if it is none. */
const struct key_attribute *table_schema_find(const struct table_schema *schema, struct slice name);
/* How many attributes a Key has: 1 or 2. */
uint32_t table_schema_key_count(const struct table_schema *schema);

static inline struct slice key_attribute_name(const struct key_attribute *attribute)
{
	return slice_of(attribute->name, attribute->name_size);
}

/* A table or index name: 3 to 255 of a-z A-Z 0-9 _ . - */
bool table_schema_name_is_valid(struct slice name);

#endif
