/* A secondary index: its key, what it projects, and how its rows are named.
 *
 *   local    family local_indexes, in the table's own partitions:
 *            table_id u32 be | token u64 be | partition key | local_number u8 | index sort key | sort key
 *   global   family items, a derived table with partitions of its own:
 *            index table_id u32 be | token u64 be | index partition key | index sort key (if any) |
 *            partition key | sort key (if any)
 *
 * Keys are those of row_key.h, a part for each attribute; each part delimits itself, so the bytes keep the
 * order of the index.  A local index has a simple key, a global one up to four attributes of each kind.
 * An item that lacks an attribute of the index key has no row in the index: it is sparse.
 *
 * Threads  pure functions and plain data.
 * Memory   a set of indexes is one block; table_indexes_copy() makes it anew elsewhere.
 * Errors   struct row_key_error for what a client did wrong, enum status for the rest.
 * Source   "Improving data access with secondary indexes", AWS's documentation.
 */
#ifndef PROTO_MODEL_TABLE_INDEX_H
#define PROTO_MODEL_TABLE_INDEX_H

#include "proto/model/row_key.h"

enum {
	TABLE_INDEXES_MAX = LIMIT_LOCAL_INDEX_COUNT + LIMIT_GLOBAL_INDEX_COUNT,
};

/* Sent: never renumber (IndexRecord). */
enum index_projection { INDEX_PROJECTS_ALL = 0, INDEX_PROJECTS_KEYS = 1, INDEX_PROJECTS_SOME = 2 };
enum index_state { INDEX_CREATING = 0, INDEX_ACTIVE = 1, INDEX_UPDATING = 2, INDEX_DELETING = 3 };

/* Provisioned throughput that an update of the table is on its way to. */
struct table_next_units {
	bool is_set;
	uint64_t read_units;
	uint64_t write_units;
};

struct table_index {
	char name[LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 1];
	uint8_t local_number; /* 0: a global index */
	uint32_t table_id;    /* global: of the derived table */
	enum index_projection projection;
	const struct slice *attributes; /* INDEX_PROJECTS_SOME: names */
	uint32_t attribute_count;
	enum index_state state;
	bool is_backfilling;
	uint64_t read_units;
	uint64_t write_units;
	struct table_next_units next_units;
	struct table_schema schema; /* last, see table_index_copy() */
};

struct table_indexes {
	uint32_t count;
	struct table_index list[];
};

static inline bool table_index_is_local(const struct table_index *index)
{
	return index->local_number != 0;
}

/* As by assignment, without the part of the schema that is not in use. */
void table_index_copy(struct table_index *index_out, const struct table_index *index);

/* NULL if absent; indexes may be NULL. */
const struct table_index *table_indexes_find(const struct table_indexes *indexes, struct slice name);
/* The next local, or the next global one: start with *cursor = 0; NULL at the end. */
const struct table_index *table_indexes_next(const struct table_indexes *indexes, bool is_local,
					     uint32_t *cursor);
/* Bytes that a copy takes, and the copy into so many bytes, which are aligned for any type. */
size_t table_indexes_size(const struct table_indexes *indexes);
struct table_indexes *table_indexes_copy(const struct table_indexes *indexes, void *room);

/* Which table a row is an index row of. */
struct index_owner {
	uint32_t table_id;
	uint64_t token_seed;               /* local: the table's; global: the derived table's */
	const struct table_schema *schema; /* of the table */
	const struct table_index *index;
};

/* How many attributes the keys of index and table have together; one may be in both. */
uint32_t table_index_key_count(const struct index_owner *owner);
/* Is this attribute, by name, part of the row?  Key attributes always are. */
bool table_index_projects(const struct index_owner *owner, struct slice name);
/* The row key of a checked item.  ST_NOT_FOUND: no row, for want of an index key attribute of the
 * right type and size. */
enum status table_index_row_key(struct buf *out, const struct index_owner *owner,
				struct slice item) MUST_CHECK;
/* The row key of an ExclusiveStartKey: exactly the attributes of both keys. */
enum status table_index_start_key(struct buf *out, const struct index_owner *owner, struct slice key,
				  struct row_key_error *error) MUST_CHECK;
/* Back: the attributes of both keys, as a finished item (LastEvaluatedKey).  ST_CORRUPT. */
enum status table_index_to_key(struct buf *out, const struct index_owner *owner,
			       struct slice row_key) MUST_CHECK;
/* The beginning of all rows of one index partition key: a value of the schema's type for each of its
 * attributes. */
enum status table_index_partition_start(struct buf *out, const struct index_owner *owner,
					const struct slice *partition_key) MUST_CHECK;
/* May an item hold this index key?  ST_INVALID with *error: an attribute of the index key is there
 * and has the wrong type, is empty or too big. */
enum status table_index_check_item(const struct table_index *index, struct slice item,
				   struct row_key_error *error) MUST_CHECK;

/* An attribute that cannot be the key of an index. */
struct table_index_error {
	const struct table_index *index;
	struct row_key_error key;
	size_t size_bytes; /* of the value */
};

/* The same for all indexes of a table, of which some may be told: what the service tells is a wrong
 * type before an empty value before a size, and of several indexes the first by name.  What is as it was in
 * old_item (empty: there was none) is let through: it was there before the index. */
enum status table_indexes_check_item(const struct table_indexes *indexes, struct slice old_item,
				     struct slice item, struct table_index_error *error) MUST_CHECK;

#endif
