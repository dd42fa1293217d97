/* Request bodies: JSON straight into a C struct that a table describes; no tree.
 *
 *   struct get_item { struct slice table_name; struct slice key; enum json_bool consistent_read; };
 *
 *   static const struct json_field fields[] = {
 *           { "TableName", &json_type_string, offsetof(struct get_item, table_name) },
 *           { "Key", &json_type_item, offsetof(struct get_item, key) },
 *           { "ConsistentRead", &json_type_bool, offsetof(struct get_item, consistent_read) },
 *   };
 *   static const struct json_type type = JSON_STRUCT("GetItemInput", struct get_item, fields);
 *
 *   status = json_read(&type, &request, body, &arena, &error);
 *
 * A member that is null or absent leaves its field zero, which every kind below can tell from
 * a value.  Members that no table names are skipped.
 *
 * Threads  pure functions.
 * Memory   what is read borrows from the body and from the arena.
 * Errors   ST_INVALID and struct json_error.  Wrong JSON and wrong types come first, as
 *          JSON_ERROR_SERIALIZATION: the struct is unusable then.  JSON_ERROR_VALIDATION is the
 *          first attribute value that breaks a rule: the struct is complete but for that item
 *          (which is absent), so the caller may check first what DynamoDB checks first.
 *          ST_TOO_BIG (the arena's limit), ST_NO_MEMORY.
 *          Nesting is limited (LIMIT_JSON_DEPTH); so are duplicate members: there are none.
 */
#ifndef COORDINATOR_JSON_JSON_READER_H
#define COORDINATOR_JSON_JSON_READER_H

#include "coordinator/json/json_token.h"
#include "proto/base/arena.h"

enum json_kind {
	JSON_KIND_STRING,  /* struct slice; .data is NULL if absent, also for "" it is not */
	JSON_KIND_BOOL,    /* enum json_bool */
	JSON_KIND_INTEGER, /* struct json_number; fractions are cut off, as the service does */
	JSON_KIND_LONG,    /* struct json_number */
	JSON_KIND_STRUCT,  /* the struct itself, zeroed; see json_field.presence */
	JSON_KIND_LIST,    /* struct json_list of the element type */
	JSON_KIND_MAP,     /* struct json_list of { struct slice key; element value; } */
	JSON_KIND_ITEM,    /* struct slice of item bytes (proto/model/item.h): a map of AttributeValues */
	JSON_KIND_VALUE,   /* struct slice of one encoded value: an AttributeValue */
};

enum json_bool { JSON_UNSET, JSON_FALSE, JSON_TRUE };

struct json_number {
	bool is_set;
	int64_t value; /* saturated */
};

struct json_list {
	bool is_set; /* an empty list is not an absent one */
	uint32_t count;
	void *elements; /* an array */
};

struct json_field;

struct json_type {
	enum json_kind kind;
	uint32_t size_bytes;             /* of the C type */
	const char *java_name;           /* STRUCT, or in a MAP: the class in the API's model, for messages */
	const struct json_field *fields; /* STRUCT; names differ */
	uint32_t field_count;            /* at most 64 */
	const struct json_type *element; /* LIST, MAP */
};

struct json_field {
	const char *name;
	const struct json_type *type;
	size_t offset;
	/* STRUCT only: a bool is set here if the member was there (offset + 1; 0: not wanted). */
	size_t presence;
};

#define JSON_STRUCT(class_name, c_type, field_array)                                                         \
	{                                                                                                    \
		.kind = JSON_KIND_STRUCT, .size_bytes = sizeof(c_type), .java_name = (class_name),           \
		.fields = (field_array), .field_count = ARRAY_COUNT(field_array)                             \
	}
#define JSON_LIST_OF(element_type)                                                                           \
	{                                                                                                    \
		.kind = JSON_KIND_LIST, .size_bytes = sizeof(struct json_list), .element = (element_type)    \
	}
#define JSON_MAP_OF(element_type)                                                                            \
	{                                                                                                    \
		.kind = JSON_KIND_MAP, .size_bytes = sizeof(struct json_list), .element = (element_type)     \
	}
#define JSON_PRESENCE(c_type, member) (offsetof(c_type, member) + 1)

extern const struct json_type json_type_string;
extern const struct json_type json_type_bool;
extern const struct json_type json_type_integer;
extern const struct json_type json_type_long;
extern const struct json_type json_type_item;
extern const struct json_type json_type_value;
extern const struct json_type json_type_string_list;
extern const struct json_type json_type_string_map;
extern const struct json_type json_type_item_list;

/* An entry of json_type_string_map. */
struct json_string_entry {
	struct slice key;
	struct slice value;
};

/* Read one JSON object; *out, a struct of that type, is zeroed first. */
enum status json_read(const struct json_type *type, void *out, struct slice body, struct arena *arena,
		      struct json_error *error) MUST_CHECK;

#endif
