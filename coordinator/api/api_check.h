/* Constraints of the API's model: all that are broken, in one message.
 *
 *   2 validation errors detected: Value 'x' at 'returnValues' failed to satisfy constraint:
 *   Member must satisfy enum value set: [...]; Value null at 'key' failed ...
 *
 *   api_check_init(&check);
 *   api_check_required(&check, API_PATH("Key"), input.key.data != NULL);
 *   if (!api_check_passed(&check, error))
 *           return false;
 *
 * Threads  a check belongs to one request.
 * Memory   plain data; a text over the limit is cut.  An absent value (slice without data, number not set)
 *          passes everything but api_check_required().
 * Errors   api_check_passed() fills in the error.
 * Limits   API_CHECK_COUNT_MAX messages, as the service does.
 */
#ifndef COORDINATOR_API_API_CHECK_H
#define COORDINATOR_API_API_CHECK_H

#include "coordinator/api/api_error.h"
#include "coordinator/json/json_reader.h"

enum { API_CHECK_COUNT_MAX = 10 };

struct api_check {
	char text[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	size_t size;
	uint32_t count;
	struct slice wrong_arn; /* data is NULL: none */
};

/* Where a value is, from the inside out; written only when it is needed. */
struct api_path {
	const struct api_path *parent; /* NULL: the request */
	const char *field;             /* a member of a struct, as its json_field; NULL: an element */
	struct slice key;              /* of an element of a map; .data is NULL: of a list */
	uint32_t number;               /* of an element of a list, from 1 */
};

/* A member of the request. */
#define API_PATH(field_name) (&(const struct api_path){ .field = (field_name) })

void api_check_init(struct api_check *check);
void api_check_required(struct api_check *check, const struct api_path *path, bool is_set);
void api_check_enum(struct api_check *check, const struct api_path *path, struct slice value,
		    const struct json_values *values);
/* Lengths are counted as the service counts them: in units of UTF-16. */
void api_check_size(struct api_check *check, const struct api_path *path, struct slice value, size_t min,
		    size_t max);
void api_check_range(struct api_check *check, const struct api_path *path, const struct json_rule *rule,
		     struct json_number number);
/* The length of a list or map, whose type has bounds. */
void api_check_count(struct api_check *check, const struct api_path *path, const struct json_type *type,
		     const struct json_list *list);
/* The key of an entry, and the length of the list that it holds, as the map's rule asks. */
void api_check_entry(struct api_check *check, const struct api_path *path, const struct json_type *type,
		     struct slice key, const void *value);
/* Characters and length of a table's or index's name. */
void api_check_table_name(struct api_check *check, const struct api_path *path, struct slice name);
/* A table's name, or its ARN.  A wrong ARN is told when nothing else is wrong, and alone. */
void api_check_table(struct api_check *check, const struct api_path *path, struct slice name);
/* Only the characters. */
void api_check_pattern(struct api_check *check, const struct api_path *path, struct slice name);
size_t api_check_utf16_size(struct slice text);
/* A message that is worded otherwise. */
void api_check_add(struct api_check *check, const char *format, ...) PRINTF_LIKE(2, 3);
/* One of the usual form: value is shown in quotes. */
void api_check_refuse(struct api_check *check, const struct api_path *path, struct slice value,
		      const char *format, ...) PRINTF_LIKE(4, 5);
bool api_check_passed(const struct api_check *check, struct api_error *error) MUST_CHECK;

/* False, with the error set, unless it is there and of a table name's length: what table
 * operations say first, and alone. */
bool api_check_given_table_name(struct slice name, struct api_error *error) MUST_CHECK;

/* The index of value in values; -1 if it is none of them or absent. */
int api_enum_index(const struct json_values *values, struct slice value);

#endif
