#include "coordinator/api/api_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "coordinator/api/api_message.h"
#include "proto/model/table_schema.h"

#define NAME_PATTERN "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"

void api_check_init(struct api_check *check)
{
	check->size = 0;
	check->count = 0;
	check->text[0] = '\0';
}

PRINTF_LIKE(2, 3) static void append(struct api_check *check, const char *format, ...)
{
	size_t room = sizeof(check->text) - check->size;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(check->text + check->size, room, format, args);
	va_end(args);
	if (size > 0)
		check->size += (size_t)size < room ? (size_t)size : room - 1;
}

/* The start of another message; false if there are enough. */
static bool begin(struct api_check *check)
{
	if (check->count == API_CHECK_COUNT_MAX)
		return false;
	append(check, "%s", check->count == 0 ? "" : "; ");
	check->count++;
	return true;
}

void api_check_add(struct api_check *check, const char *format, ...)
{
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	va_list args;

	if (!begin(check))
		return;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args); /* cut to fit */
	va_end(args);
	append(check, "%s", message);
}

PRINTF_LIKE(4, 5)
static void refuse(struct api_check *check, const char *path, struct slice value, const char *format, ...)
{
	char constraint[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	va_list args;

	if (!begin(check))
		return;
	va_start(args, format);
	(void)vsnprintf(constraint, sizeof(constraint), format, args); /* cut to fit */
	va_end(args);
	append(check, "Value '%.*s' at '%s' failed to satisfy constraint: %s", (int)value.size,
	       (const char *)value.data, path, constraint);
}

void api_check_required(struct api_check *check, const char *path, bool is_set)
{
	if (!is_set && begin(check))
		append(check, "Value null at '%s' failed to satisfy constraint: Member must not be null",
		       path);
}

int api_enum_index(const struct api_enum *values, struct slice value)
{
	for (int i = 0; value.data != NULL && values->values[i] != NULL; i++) {
		if (slice_equal(value, slice_of_string(values->values[i])))
			return i;
	}
	return -1;
}

void api_check_enum(struct api_check *check, const char *path, struct slice value,
		    const struct api_enum *values)
{
	if (value.data != NULL && api_enum_index(values, value) < 0)
		refuse(check, path, value, "Member must satisfy enum value set: %s", values->text);
}

void api_check_size(struct api_check *check, const char *path, struct slice value, size_t min, size_t max)
{
	if (value.data != NULL && value.size < min)
		refuse(check, path, value, "Member must have length greater than or equal to %zu", min);
	if (value.data != NULL && value.size > max)
		refuse(check, path, value, "Member must have length less than or equal to %zu", max);
}

void api_check_range(struct api_check *check, const char *path, struct json_number number, int64_t min,
		     int64_t max)
{
	char text[24];
	struct slice value;

	(void)snprintf(text, sizeof(text), "%" PRId64, number.value); /* 20 characters at most */
	value = slice_of_string(text);
	if (number.is_set && number.value < min)
		refuse(check, path, value, "Member must have value greater than or equal to %" PRId64, min);
	if (number.is_set && number.value > max)
		refuse(check, path, value, "Member must have value less than or equal to %" PRId64, max);
}

void api_check_count(struct api_check *check, const char *path, const struct json_list *list, uint32_t min,
		     uint32_t max)
{
	struct slice value = slice_of_string("[]");

	if (list->is_set && list->count < min)
		refuse(check, path, value, "Member must have length greater than or equal to %u", min);
	if (list->is_set && list->count > max)
		refuse(check, path, slice_of_string("[...]"),
		       "Member must have length less than or equal to %u", max);
}

static bool is_table_name_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '_' || byte == '.' || byte == '-';
}

static bool matches_pattern(struct slice name)
{
	for (size_t i = 0; i < name.size; i++) {
		if (!is_table_name_byte(name.data[i]))
			return false;
	}
	return name.size > 0;
}

void api_check_table_name(struct api_check *check, const char *path, struct slice name)
{
	if (name.data == NULL)
		return;
	if (!matches_pattern(name))
		refuse(check, path, name, NAME_PATTERN);
	api_check_size(check, path, name, LIMIT_TABLE_NAME_SIZE_BYTES_MIN, LIMIT_TABLE_NAME_SIZE_BYTES_MAX);
}

bool api_check_passed(const struct api_check *check, struct api_error *error)
{
	if (check->count == 0)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, "%u validation error%s detected: %s", check->count,
		      check->count == 1 ? "" : "s", check->text);
	return false;
}

bool api_check_given_table_name(struct slice name, struct api_error *error)
{
	struct api_check check;

	if (name.data == NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_PARAMETER_MISSING, "TableName");
		return false;
	}
	if (name.size < LIMIT_TABLE_NAME_SIZE_BYTES_MIN || name.size > LIMIT_TABLE_NAME_SIZE_BYTES_MAX) {
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TABLE_NAME_SIZE);
		return false;
	}
	api_check_init(&check);
	api_check_table_name(&check, "tableName", name);
	return api_check_passed(&check, error);
}
