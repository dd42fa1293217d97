/* Row keys: where an item lies in storage.
 *
 *   table_id u32 be | token u64 be | partition key | sort key (if the schema has one)
 *
 * Each key is a part for each of its attributes.  The bytes keep the order: within a table by token,
 * within a token by partition key, within that by sort key, attribute by attribute (N by value, S and B
 * by unsigned bytes).  Each part delimits itself: N is the byte form of decimal.h; S and B have 00
 * escaped as 00 ff and end with 00 01.
 *
 * The token is a hash of all parts of the partition key with the table's secret seed, so that
 * nobody can aim keys at one partition.
 *
 * Threads  pure functions.
 * Memory   keys are appended to a caller's buf; parts borrow from the key.
 * Errors   struct row_key_error for what a client did wrong, enum status for the rest.
 * Source   "The provided key element ...": messages as AWS gives them.
 */
#ifndef PROTO_MODEL_ROW_KEY_H
#define PROTO_MODEL_ROW_KEY_H

#include "proto/base/bytes.h"
#include "proto/model/item.h"
#include "proto/model/item_builder.h"
#include "proto/model/table_schema.h"

enum row_key_fault {
	ROW_KEY_OK,
	ROW_KEY_MISSING,           /* attribute: not in the item */
	ROW_KEY_TYPE,              /* attribute, actual: not the schema's type */
	ROW_KEY_EMPTY,             /* attribute: an empty string or binary value */
	ROW_KEY_PARTITION_TOO_BIG, /* over LIMIT_PARTITION_KEY_SIZE_BYTES */
	ROW_KEY_SORT_TOO_BIG,      /* over LIMIT_SORT_KEY_SIZE_BYTES */
	ROW_KEY_SCHEMA,            /* a Key with missing, additional or wrongly typed attributes */
};

struct row_key_error {
	enum row_key_fault fault;
	const struct key_attribute *attribute; /* in the schema; NULL for ROW_KEY_SCHEMA */
	enum item_type actual;                 /* ROW_KEY_TYPE only */
};

struct row_key_parts {
	uint32_t table_id;
	uint64_t token;
	struct slice partition_key; /* encoded: all its parts */
	struct slice sort_key;      /* the same; empty if the schema has none */
};

/* Append the row key of an item (PutItem), or of a Key (all others: exactly the key
 * attributes).  ST_INVALID with *error filled in; ST_TOO_BIG, ST_NO_MEMORY from out. */
enum status row_key_from_item(struct buf *out, uint32_t table_id, uint64_t token_seed,
			      const struct table_schema *schema, struct slice item,
			      struct row_key_error *error) MUST_CHECK;
enum status row_key_from_key(struct buf *out, uint32_t table_id, uint64_t token_seed,
			     const struct table_schema *schema, struct slice key,
			     struct row_key_error *error) MUST_CHECK;
/* The message that DynamoDB gives, NUL-terminated, cut to the size of out. */
void row_key_error_print(const struct row_key_error *error, char *out, size_t out_size_bytes);

/* ST_CORRUPT for what row_key_from_item() would not have written under this schema. */
enum status row_key_split(struct slice row_key, const struct table_schema *schema,
			  struct row_key_parts *parts_out) MUST_CHECK;
/* The key attributes, as a finished item (LastEvaluatedKey). */
enum status row_key_to_key(struct buf *out, struct slice row_key,
			   const struct table_schema *schema) MUST_CHECK;

/* The first possible row key of a table, and of a token in it: bounds of partition ranges. */
void row_key_table_start(struct buf *out, uint32_t table_id);
void row_key_token_start(struct buf *out, uint32_t table_id, uint64_t token);
/* ST_CORRUPT if shorter than table id and token. */
enum status row_key_head(struct slice row_key, uint32_t *table_id_out, uint64_t *token_out) MUST_CHECK;

/* The beginning of all row keys of one partition key: a value of the schema's type for each of its
 * attributes. */
enum status row_key_partition_start(struct buf *out, uint32_t table_id, uint64_t token_seed,
				    const struct table_schema *schema,
				    const struct slice *partition_key) MUST_CHECK;
/* May this be a value of the key attribute?  ST_INVALID with *error filled in. */
enum status row_key_check_value(const struct table_schema *schema, const struct key_attribute *attribute,
				struct slice payload, struct row_key_error *error) MUST_CHECK;
/* The first row key after all that begin with prefix: the exclusive end of their range. */
void row_key_append_after(struct buf *out, struct slice prefix);
/* The beginning that all encoded parts share whose S or B value begins with payload. */
void row_key_append_beginning(struct buf *out, struct slice payload);

/* One encoded key part, and back: value has the schema's type. */
void row_key_append_part(struct buf *out, enum item_type type, struct slice payload);
/* Take the part of a key attribute from the start of *rest.  ST_CORRUPT. */
enum status row_key_take_part(struct slice *rest, const struct table_schema *schema,
			      const struct key_attribute *attribute, struct slice *part_out) MUST_CHECK;
/* The parts of the whole partition key, as one. */
enum status row_key_take_partition(struct slice *rest, const struct table_schema *schema,
				   struct slice *parts_out) MUST_CHECK;
/* Append an attribute, given its part. */
enum status row_key_put_part(struct item_builder *builder, const struct key_attribute *attribute,
			     struct slice part) MUST_CHECK;
uint64_t row_key_token(struct slice encoded_partition_key, uint64_t token_seed);

#endif
