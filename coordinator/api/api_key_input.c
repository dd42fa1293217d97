#include "coordinator/api/api_key_input.h"

#include <stdio.h>

#include "coordinator/api/api_message.h"

static bool fail(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

void api_key_input_print(const struct raw_pair *pairs, uint32_t count, char out[API_KEY_LIST_SIZE_MAX])
{
	size_t size = 0;

	(void)snprintf(out, API_KEY_LIST_SIZE_MAX, "[");
	size = strlen(out);
	for (uint32_t i = 0; i < count && size < API_KEY_LIST_SIZE_MAX - 2; i++) {
		(void)snprintf(out + size, API_KEY_LIST_SIZE_MAX - 1 - size, "%s%.*s", i == 0 ? "" : ", ",
			       (int)pairs[i].name.size, (const char *)pairs[i].name.data); /* cut to fit */
		size = strlen(out);
	}
	(void)snprintf(out + size, API_KEY_LIST_SIZE_MAX - size, "]"); /* there is room for it */
}

const struct raw_pair *api_key_input_definition(const struct json_list *definitions, struct slice name)
{
	const struct raw_pair *pairs = definitions->elements;

	for (uint32_t i = 0; i < definitions->count; i++) {
		if (slice_equal(pairs[i].name, name))
			return &pairs[i];
	}
	return NULL;
}

static bool check_defined(const struct json_list *definitions, const struct json_list *keys,
			  struct api_error *error)
{
	const struct raw_pair *pairs = keys->elements;
	char wanted[API_KEY_LIST_SIZE_MAX];
	char given[API_KEY_LIST_SIZE_MAX];

	for (uint32_t i = 0; i < keys->count; i++) {
		if (api_key_input_definition(definitions, pairs[i].name) != NULL)
			continue;
		api_key_input_print(pairs, keys->count, wanted);
		api_key_input_print(definitions->elements, definitions->count, given);
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_KEYS_UNDEFINED, wanted, given);
		return false;
	}
	return true;
}

bool api_key_input_check(const struct json_list *definitions, const struct json_list *keys,
			 struct api_error *error)
{
	const struct raw_pair *pairs = keys->elements;
	bool has_two = keys->count > 1;

	if (!check_defined(definitions, keys, error))
		return false;
	if (has_two && slice_equal(pairs[0].name, pairs[1].name))
		return fail(error, API_MESSAGE_KEYS_EQUAL);
	if (!slice_equal(pairs[0].value, slice_of_string("HASH")))
		return fail(error, API_MESSAGE_FIRST_KEY_NO_HASH);
	if (has_two && !slice_equal(pairs[1].value, slice_of_string("RANGE")))
		return fail(error, API_MESSAGE_SECOND_KEY_NO_RANGE);
	return true;
}

bool api_key_input_schema(const struct json_list *definitions, const struct json_list *keys,
			  struct table_schema *schema_out, struct api_error *error)
{
	const struct raw_pair *pairs = keys->elements;
	enum status status = table_schema_init(schema_out, pairs[0].name,
					       api_key_input_definition(definitions, pairs[0].name)->value);

	if (status == ST_OK && keys->count > 1)
		status = table_schema_set_sort_key(
			schema_out, pairs[1].name,
			api_key_input_definition(definitions, pairs[1].name)->value);
	return status == ST_OK || fail(error, API_MESSAGE_KEY_NAME);
}

bool api_key_input_check_definitions(const struct json_list *definitions, struct api_error *error)
{
	const struct raw_pair *pairs = definitions->elements;

	for (uint32_t i = 0; i < definitions->count; i++) {
		if (api_key_input_definition(definitions, pairs[i].name) == &pairs[i])
			continue;
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_DEFINITION_TWICE,
			      (int)pairs[i].name.size, (const char *)pairs[i].name.data);
		return false;
	}
	return true;
}
