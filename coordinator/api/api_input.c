#include "coordinator/api/api_input.h"

#include "coordinator/api/api_arn.h"
#include "coordinator/api/api_message.h"

static void walk_value(struct api_check *check, const struct api_path *path, const struct json_type *type,
		       const void *value);

/* --- constraints --- */

static void check_string(struct api_check *check, const struct api_path *path, const struct json_rule *rule,
			 struct slice value)
{
	if (rule->pattern == JSON_PATTERN_TABLE && api_arn_is_one(value)) {
		api_check_table(check, path, value);
		return;
	}
	if (rule->pattern != JSON_PATTERN_NONE)
		api_check_pattern(check, path, value);
	if (rule->has_bounds)
		api_check_size(check, path, value, (size_t)rule->min, (size_t)rule->max);
	if (rule->values != NULL)
		api_check_enum(check, path, value, rule->values);
}

static void walk_list(struct api_check *check, const struct api_path *path, const struct json_type *type,
		      const struct json_list *list)
{
	if (!list->is_set)
		return;
	if (type->rule != NULL && type->rule->has_bounds)
		api_check_count(check, path, type, list);
	for (uint32_t i = 0; i < list->count && check->count < API_CHECK_COUNT_MAX; i++) {
		const struct api_path place = { .parent = path, .number = i + 1 };

		walk_value(check, &place, type->element, json_element(type, list, i));
	}
}

static struct slice key_at(const struct json_type *type, const struct json_list *map, uint32_t i)
{
	struct slice key;

	memcpy(&key, json_entry(type, map, i), sizeof(key));
	return key;
}

static void walk_map(struct api_check *check, const struct api_path *path, const struct json_type *type,
		     const struct json_list *map)
{
	if (!map->is_set)
		return;
	if (type->rule != NULL && type->rule->has_bounds)
		api_check_count(check, path, type, map);
	for (uint32_t i = 0; type->rule != NULL && i < map->count; i++)
		api_check_entry(check, path, type, key_at(type, map, i), json_element(type, map, i));
	for (uint32_t i = 0; i < map->count && check->count < API_CHECK_COUNT_MAX; i++) {
		const struct api_path place = { .parent = path, .key = key_at(type, map, i) };

		walk_value(check, &place, type->element, json_element(type, map, i));
	}
}

static bool is_there(const struct json_field *field, const uint8_t *input)
{
	const void *value = input + field->offset;

	switch (field->type->kind) {
	case JSON_KIND_STRING:
	case JSON_KIND_ITEM:
	case JSON_KIND_VALUE:
		return ((const struct slice *)value)->data != NULL;
	case JSON_KIND_BOOL:
		return *(const enum json_bool *)value != JSON_UNSET;
	case JSON_KIND_INTEGER:
	case JSON_KIND_LONG:
		return ((const struct json_number *)value)->is_set;
	case JSON_KIND_LIST:
	case JSON_KIND_MAP:
		return ((const struct json_list *)value)->is_set;
	case JSON_KIND_STRUCT:
		return field->presence == 0 || input[field->presence - 1] != 0;
	}
	UNREACHABLE();
}

static void walk_struct(struct api_check *check, const struct api_path *path, const struct json_type *type,
			const uint8_t *input)
{
	for (uint32_t i = 0; i < type->field_count; i++) {
		const struct json_field *field = &type->fields[i];
		const struct api_path place = { .parent = path, .field = field->name };

		if (is_there(field, input))
			walk_value(check, &place, field->type, input + field->offset);
		else if (field->is_required)
			api_check_required(check, &place, false);
	}
}

static void walk_value(struct api_check *check, const struct api_path *path, const struct json_type *type,
		       const void *value)
{
	switch (type->kind) {
	case JSON_KIND_STRING:
		if (type->rule != NULL)
			check_string(check, path, type->rule, *(const struct slice *)value);
		return;
	case JSON_KIND_INTEGER:
	case JSON_KIND_LONG:
		if (type->rule != NULL && type->rule->has_bounds)
			api_check_range(check, path, type->rule, *(const struct json_number *)value);
		return;
	case JSON_KIND_LIST:
		walk_list(check, path, type, value);
		return;
	case JSON_KIND_MAP:
		walk_map(check, path, type, value);
		return;
	case JSON_KIND_STRUCT:
		walk_struct(check, path, type, value);
		return;
	case JSON_KIND_BOOL:
	case JSON_KIND_ITEM:
	case JSON_KIND_VALUE:
		return;
	}
	UNREACHABLE();
}

void api_input_check(struct api_check *check, const struct json_type *type, const void *input)
{
	CHECK(type->kind == JSON_KIND_STRUCT);
	walk_struct(check, NULL, type, input);
}

/* --- reading --- */

bool api_input_parse(const struct json_type *type, void *input, struct slice body, struct arena *arena,
		     const struct json_fault **faults_out, struct api_error *error)
{
	struct json_error json;
	enum status status = json_read(type, input, body, arena, &json);

	*faults_out = json.faults;
	if (status == ST_OK || json.kind == JSON_ERROR_VALIDATION)
		return true;
	api_error_from_json(error, &json);
	api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
	return false;
}

bool api_input_read(const struct json_type *type, void *input, struct slice body, struct arena *arena,
		    const struct json_fault **faults_out, struct api_error *error)
{
	struct api_check check;

	if (!api_input_parse(type, input, body, arena, faults_out, error))
		return false;
	api_check_init(&check);
	api_input_check(&check, type, input);
	return api_check_passed(&check, error);
}

/* --- faults --- */

const struct json_fault *api_input_fault(const struct json_fault *faults, const char *parameter)
{
	while (faults != NULL && strcmp(faults->parameter, parameter) != 0)
		faults = faults->next;
	return faults;
}

bool api_input_is_sound(const struct json_fault *faults, const char *parameter, struct api_error *error)
{
	const struct json_fault *fault = api_input_fault(faults, parameter);

	if (fault != NULL)
		api_error_set(error, API_ERROR_VALIDATION, "%s", fault->message);
	return fault == NULL;
}
