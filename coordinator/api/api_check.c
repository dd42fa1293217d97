#include "coordinator/api/api_check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "coordinator/api/api_arn.h"
#include "coordinator/api/api_message.h"
#include "proto/model/table_schema.h"

#define NAME_PATTERN "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"

#define MAP_KEYS                                                                                             \
	"Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must " \
	"have length greater than or equal to 3, " NAME_PATTERN "]"
#define MAP_VALUE                                                                                            \
	"Map value must satisfy constraint: [Member must have length less than or equal to %" PRId64         \
	", Member must have length greater than or equal to %" PRId64 "]"

enum { PATH_SIZE = 512, SHOWN_MAX = LIMIT_TABLE_NAME_SIZE_BYTES_MAX, SHOWN_VALUE_SIZE = 1024 };

void api_check_init(struct api_check *check)
{
	check->size = 0;
	check->count = 0;
	check->text[0] = '\0';
	check->wrong_arn = slice_of(NULL, 0);
}

/* Append to a text of *size characters; too long: cut. */
PRINTF_LIKE(4, 5)
static void print(char *out, size_t out_size_bytes, size_t *size, const char *format, ...)
{
	size_t room = out_size_bytes - *size;
	va_list args;
	int written;

	va_start(args, format);
	written = vsnprintf(out + *size, room, format, args);
	va_end(args);
	if (written > 0)
		*size += (size_t)written < room ? (size_t)written : room - 1;
}

#define append(check, ...) print((check)->text, sizeof((check)->text), &(check)->size, __VA_ARGS__)

static void print_place(const struct api_path *path, bool keeps_case, char *out, size_t out_size_bytes,
			size_t *size)
{
	if (path->parent != NULL)
		print_place(path->parent, keeps_case, out, out_size_bytes, size);
	if (path->field != NULL)
		print(out, out_size_bytes, size, "%s%c%s", *size == 0 ? "" : ".",
		      keeps_case ? path->field[0] : tolower(path->field[0]), path->field + 1);
	else if (path->key.data != NULL)
		print(out, out_size_bytes, size, ".%.*s.member",
		      (int)(path->key.size < SHOWN_MAX ? path->key.size : SHOWN_MAX),
		      (const char *)path->key.data);
	else
		print(out, out_size_bytes, size, ".%u.member", path->number);
}

/* As the service writes it: "globalSecondaryIndexes.1.member.indexName", or with the capitals. */
static void print_path(const struct api_path *path, bool keeps_case, char *out, size_t out_size_bytes)
{
	size_t size = 0;

	out[0] = '\0';
	print_place(path, keeps_case, out, out_size_bytes, &size);
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

void api_check_refuse(struct api_check *check, const struct api_path *path, struct slice value,
		      const char *format, ...)
{
	char constraint[LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	char place[PATH_SIZE];
	va_list args;

	if (!begin(check))
		return;
	va_start(args, format);
	(void)vsnprintf(constraint, sizeof(constraint), format, args); /* cut to fit */
	va_end(args);
	print_path(path, false, place, sizeof(place));
	append(check, "Value '%.*s' at '%s' failed to satisfy constraint: %s", (int)value.size,
	       (const char *)value.data, place, constraint);
}

void api_check_required(struct api_check *check, const struct api_path *path, bool is_set)
{
	char place[PATH_SIZE];

	if (is_set || !begin(check))
		return;
	print_path(path, false, place, sizeof(place));
	append(check, "Value null at '%s' failed to satisfy constraint: Member must not be null", place);
}

int api_enum_index(const struct json_values *values, struct slice value)
{
	for (int i = 0; value.data != NULL && values->values[i] != NULL; i++) {
		if (slice_equal(value, slice_of_string(values->values[i])))
			return i;
	}
	return -1;
}

void api_check_enum(struct api_check *check, const struct api_path *path, struct slice value,
		    const struct json_values *values)
{
	if (value.data != NULL && api_enum_index(values, value) < 0)
		api_check_refuse(check, path, value, "Member must satisfy enum value set: %s", values->text);
}

/* Four bytes of UTF-8 are two units, fewer are one. */
size_t api_check_utf16_size(struct slice text)
{
	size_t size = 0;

	for (size_t i = 0; i < text.size; i++) {
		bool is_start = (text.data[i] & 0xc0) != 0x80;

		size += is_start ? (text.data[i] >= 0xf0 ? 2 : 1) : 0;
	}
	return size;
}

void api_check_size(struct api_check *check, const struct api_path *path, struct slice value, size_t min,
		    size_t max)
{
	size_t size = value.data == NULL ? 0 : api_check_utf16_size(value);

	if (value.data != NULL && size < min)
		api_check_refuse(check, path, value, "Member must have length greater than or equal to %zu",
				 min);
	if (value.data != NULL && size > max)
		api_check_refuse(check, path, value, "Member must have length less than or equal to %zu",
				 max);
}

/* A bound that is broken; of_what: "value" or "length". */
static void refuse_bound(struct api_check *check, const struct api_path *path, const struct json_rule *rule,
			 struct slice value, const char *of_what, bool is_low)
{
	int64_t bound = is_low ? rule->min : rule->max;
	const char *side = is_low ? "greater" : "less";
	char place[PATH_SIZE];

	if (!rule->is_bare) {
		api_check_refuse(check, path, value, "Member must have %s %s than or equal to %" PRId64,
				 of_what, side, bound);
		return;
	}
	print_path(path, true, place, sizeof(place));
	api_check_add(check,
		      "Value at '%s' failed to satisfy constraint: Member must have %s %s than or equal to "
		      "%" PRId64,
		      place, of_what, side, bound);
}

void api_check_range(struct api_check *check, const struct api_path *path, const struct json_rule *rule,
		     struct json_number number)
{
	char text[24];

	if (!number.is_set || (number.value >= rule->min && number.value <= rule->max))
		return;
	(void)snprintf(text, sizeof(text), "%" PRId64, number.value); /* 20 characters at most */
	refuse_bound(check, path, rule, slice_of_string(text), "value", number.value < rule->min);
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

void api_check_pattern(struct api_check *check, const struct api_path *path, struct slice name)
{
	if (name.data != NULL && !matches_pattern(name))
		api_check_refuse(check, path, name, NAME_PATTERN);
}

void api_check_table(struct api_check *check, const struct api_path *path, struct slice name)
{
	if (!api_arn_is_one(name))
		api_check_table_name(check, path, name);
	else if (!api_arn_names_table(name) && check->wrong_arn.data == NULL)
		check->wrong_arn = name;
}

void api_check_table_name(struct api_check *check, const struct api_path *path, struct slice name)
{
	api_check_pattern(check, path, name);
	api_check_size(check, path, name, LIMIT_TABLE_NAME_SIZE_BYTES_MIN, LIMIT_TABLE_NAME_SIZE_BYTES_MAX);
}

/* --- values, as the service's Java prints them --- */

struct shown {
	char text[SHOWN_VALUE_SIZE];
	size_t size;
};

#define show(shown, ...) print((shown)->text, sizeof((shown)->text), &(shown)->size, __VA_ARGS__)

static void show_value(struct shown *shown, const struct json_type *type, const void *value);

static void show_text(struct shown *shown, struct slice text)
{
	if (text.data == NULL)
		show(shown, "null");
	else
		show(shown, "%.*s", (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX),
		     (const char *)text.data);
}

static void show_list(struct shown *shown, const struct json_type *type, const struct json_list *list)
{
	bool is_map = type->kind == JSON_KIND_MAP;

	show(shown, "%s", is_map ? "{" : "[");
	for (uint32_t i = 0; i < list->count && shown->size + 1 < sizeof(shown->text); i++) {
		struct slice key;

		show(shown, "%s", i == 0 ? "" : ", ");
		if (is_map) {
			memcpy(&key, json_entry(type, list, i), sizeof(key));
			show_text(shown, key);
			show(shown, "=");
		}
		show_value(shown, type->element, json_element(type, list, i));
	}
	show(shown, "%s", is_map ? "}" : "]");
}

static void show_struct(struct shown *shown, const struct json_type *type, const uint8_t *input)
{
	show(shown, "%s(", type->java_name);
	for (uint32_t i = 0; i < type->field_count; i++) {
		const struct json_field *field = &type->fields[i];

		show(shown, "%s%c%s=", i == 0 ? "" : ", ", tolower(field->name[0]), field->name + 1);
		show_value(shown, field->type, input + field->offset);
	}
	show(shown, ")");
}

static void show_number(struct shown *shown, const struct json_number *number)
{
	if (number->is_set)
		show(shown, "%" PRId64, number->value);
	else
		show(shown, "null");
}

static void show_value(struct shown *shown, const struct json_type *type, const void *value)
{
	switch (type->kind) {
	case JSON_KIND_STRING:
		show_text(shown, *(const struct slice *)value);
		return;
	case JSON_KIND_BOOL:
		show(shown, "%s", *(const enum json_bool *)value == JSON_TRUE ? "true" : "false");
		return;
	case JSON_KIND_INTEGER:
	case JSON_KIND_LONG:
		show_number(shown, value);
		return;
	case JSON_KIND_LIST:
	case JSON_KIND_MAP:
		show_list(shown, type, value);
		return;
	case JSON_KIND_STRUCT:
		show_struct(shown, type, value);
		return;
	case JSON_KIND_ITEM:
	case JSON_KIND_VALUE:
		show(shown, "..."); /* may be large, and is the client's own business */
		return;
	}
	UNREACHABLE();
}

void api_check_count(struct api_check *check, const struct api_path *path, const struct json_type *type,
		     const struct json_list *list)
{
	const struct json_rule *rule = type->rule;
	struct shown shown = { .size = 0 };

	if (list->count >= rule->min && list->count <= rule->max)
		return;
	show_list(&shown, type, list);
	refuse_bound(check, path, rule, slice_of(shown.text, shown.size), "length", list->count < rule->min);
}

/* Of a map is shown the entry: its key, and what kind of thing it holds.  The service prints it as
 * JSON if the key is wrong, and as its Java does if the value is. */
static void refuse_entry(struct api_check *check, const struct api_path *path, struct slice key,
			 const char *after_key, bool is_json, const char *constraint)
{
	const char *quote = is_json ? "\"" : "";
	struct shown shown = { .size = 0 };

	show(&shown, "{%s", quote);
	show_text(&shown, key);
	show(&shown, "%s%s}", quote, after_key);
	api_check_refuse(check, path, slice_of(shown.text, shown.size), "%s", constraint);
}

void api_check_entry(struct api_check *check, const struct api_path *path, const struct json_type *type,
		     struct slice key, const void *value)
{
	const struct json_rule *lengths = type->rule->bounds_values ? type->element->rule : NULL;
	const struct json_list *list = value;
	char constraint[256];

	if (type->rule->pattern == JSON_PATTERN_TABLE && api_arn_is_one(key))
		api_check_table(check, path, key);
	else if (type->rule->pattern != JSON_PATTERN_NONE && !table_schema_name_is_valid(key))
		refuse_entry(check, path, key, lengths == NULL ? ":..." : ":[...]", true, MAP_KEYS);
	if (lengths == NULL || (list->count >= lengths->min && list->count <= lengths->max))
		return;
	(void)snprintf(constraint, sizeof(constraint), MAP_VALUE, lengths->max, lengths->min); /* fits */
	refuse_entry(check, path, key, list->count == 0 ? "=[]" : "=[...]", false, constraint);
}

bool api_check_passed(const struct api_check *check, struct api_error *error)
{
	if (check->count == 0 && check->wrong_arn.data == NULL)
		return true;
	if (check->count == 0)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_ARN_RESOURCE,
			      (int)check->wrong_arn.size, (const char *)check->wrong_arn.data);
	api_error_set(error, API_ERROR_VALIDATION, "%u validation error%s detected: %s", check->count,
		      check->count == 1 ? "" : "s", check->text);
	return false;
}

bool api_check_given_table_name(struct slice name, struct api_error *error)
{
	if (name.data == NULL)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_PARAMETER_MISSING, "TableName");
	else if (!api_arn_is_one(name) &&
		 (name.size < LIMIT_TABLE_NAME_SIZE_BYTES_MIN || name.size > LIMIT_TABLE_NAME_SIZE_BYTES_MAX))
		api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_TABLE_NAME_SIZE);
	return error->type == API_OK;
}
