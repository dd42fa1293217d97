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
 *          JSON_ERROR_SERIALIZATION: the struct is unusable then.  JSON_ERROR_VALIDATION: some
 *          attribute values break a rule, and error->faults has the first of each parameter;
 *          the struct is complete but for those items (which are there, and of no bytes), so
 *          the caller may check first what DynamoDB checks first.
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

/* The values of an enumeration in the order in which the service names them. */
struct json_values {
	const char *const *values; /* NULL-terminated */
	const char *text;          /* "[HASH, RANGE]" */
};

enum json_pattern {
	JSON_PATTERN_NONE,
	JSON_PATTERN_NAME,  /* [a-zA-Z0-9_.-]+ */
	JSON_PATTERN_TABLE, /* the same, or the ARN of a table */
};

/* What the API's model asks of a value beyond its type.  The reader does not look at it: see
 * coordinator/api/api_input.h. */
struct json_rule {
	const struct json_values *values; /* STRING; NULL: any */
	enum json_pattern pattern;        /* STRING; of a MAP, of its keys */
	bool has_bounds;
	int64_t min; /* STRING, LIST, MAP: of the length; INTEGER, LONG: of the value */
	int64_t max; /* INT64_MAX: none */
	/* Bounds are told without the value, and with the names as they stand in the request. */
	bool is_bare;
	/* MAP of LIST: the bounds of each list's length are told of the map. */
	bool bounds_values;
};

struct json_type {
	enum json_kind kind;
	uint32_t size_bytes;             /* of the C type */
	const char *java_name;           /* STRUCT, or in a MAP: the class in the API's model, for messages */
	const struct json_field *fields; /* STRUCT; names differ */
	uint32_t field_count;            /* at most 64 */
	const struct json_type *element; /* LIST, MAP */
	const struct json_rule *rule;    /* NULL: none */
};

struct json_field {
	const char *name;
	const struct json_type *type;
	size_t offset;
	/* STRUCT only: a bool is set here if the member was there (offset + 1; 0: not wanted). */
	size_t presence;
	bool is_required; /* by the API's model, as json_type.rule; a STRUCT needs presence for it */
};

#define JSON_FIELD(c_type, field_name, field_type, member)                                                   \
	{                                                                                                    \
		.name = (field_name), .type = (field_type), .offset = offsetof(c_type, member)               \
	}
#define JSON_FIELD_REQUIRED(c_type, field_name, field_type, member)                                          \
	{                                                                                                    \
		.name = (field_name), .type = (field_type), .offset = offsetof(c_type, member),              \
		.is_required = true                                                                          \
	}
/* has_member: a bool that tells whether the struct was there. */
#define JSON_FIELD_NOTED(c_type, field_name, field_type, member, has_member)                                 \
	{                                                                                                    \
		.name = (field_name), .type = (field_type), .offset = offsetof(c_type, member),              \
		.presence = offsetof(c_type, has_member) + 1                                                 \
	}
#define JSON_FIELD_NOTED_REQUIRED(c_type, field_name, field_type, member, has_member)                        \
	{                                                                                                    \
		.name = (field_name), .type = (field_type), .offset = offsetof(c_type, member),              \
		.presence = offsetof(c_type, has_member) + 1, .is_required = true                            \
	}

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

/* An element of a list, or the value of a map's entry; and the entry, which begins with its key. */
const void *json_element(const struct json_type *type, const struct json_list *list, uint32_t index);
const void *json_entry(const struct json_type *type, const struct json_list *list, uint32_t index);

/* Read one JSON object; *out, a struct of that type, is zeroed first. */
enum status json_read(const struct json_type *type, void *out, struct slice body, struct arena *arena,
		      struct json_error *error) MUST_CHECK;

#endif
