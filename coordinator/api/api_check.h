/* Constraints of the API's model: all that are broken, in one message.
 *
 *   2 validation errors detected: Value 'x' at 'returnValues' failed to satisfy constraint:
 *   Member must satisfy enum value set: [...]; Value null at 'key' failed ...
 *
 *   api_check_init(&check);
 *   api_check_required(&check, "key", input.key.data != NULL);
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
};

/* The values of an enumeration in the order in which the service names them. */
struct api_enum {
	const char *const *values; /* NULL-terminated */
	const char *text;          /* "[HASH, RANGE]" */
};

void api_check_init(struct api_check *check);
void api_check_required(struct api_check *check, const char *path, bool is_set);
void api_check_enum(struct api_check *check, const char *path, struct slice value,
		    const struct api_enum *values);
void api_check_size(struct api_check *check, const char *path, struct slice value, size_t min, size_t max);
void api_check_range(struct api_check *check, const char *path, struct json_number number, int64_t min,
		     int64_t max);
/* A list's length; the value is not shown. */
void api_check_count(struct api_check *check, const char *path, const struct json_list *list, uint32_t min,
		     uint32_t max);
/* Characters and length of a table's name. */
void api_check_table_name(struct api_check *check, const char *path, struct slice name);
/* A message that is worded otherwise. */
void api_check_add(struct api_check *check, const char *format, ...) PRINTF_LIKE(2, 3);
bool api_check_passed(const struct api_check *check, struct api_error *error) MUST_CHECK;

/* False, with the error set, unless it is a table name: what table operations say first. */
bool api_check_given_table_name(struct slice name, struct api_error *error) MUST_CHECK;

/* The index of value in values; -1 if it is none of them or absent. */
int api_enum_index(const struct api_enum *values, struct slice value);

#endif
