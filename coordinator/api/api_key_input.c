#include "coordinator/api/api_key_input.h"

#include <stdio.h>

#include "coordinator/api/api_message.h"

/* More than all keys of a table and its indexes: what is behind cannot all be used. */
enum { DEFINITIONS_COMPARED_MAX = 1024 };

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

static bool is_hash(const struct raw_pair *key)
{
	return slice_equal(key->value, slice_of_string("HASH"));
}

static bool check_names_differ(const struct raw_pair *pairs, uint32_t count, struct api_error *error)
{
	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (slice_equal(pairs[i].name, pairs[k].name))
				return fail(error, API_MESSAGE_KEYS_SAME);
		}
	}
	return true;
}

/* Before anything that takes longer with more of them. */
static bool check_role_counts(const struct raw_pair *pairs, uint32_t count, struct api_error *error)
{
	const char *role = NULL;
	uint32_t hash_count = 0;

	for (uint32_t i = 0; i < count; i++)
		hash_count += is_hash(&pairs[i]);
	if (hash_count > LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT)
		role = "HASH";
	else if (count - hash_count > LIMIT_SORT_KEY_ATTRIBUTE_COUNT)
		role = "RANGE";
	if (role != NULL)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_KEYS_COUNT, role);
	return role == NULL;
}

static bool check_role_order(const struct raw_pair *pairs, uint32_t count, struct api_error *error)
{
	if (!is_hash(&pairs[0]))
		return fail(error, API_MESSAGE_FIRST_KEY_NO_HASH);
	for (uint32_t i = 1; i < count; i++) {
		if (is_hash(&pairs[i]) && !is_hash(&pairs[i - 1]))
			return fail(error, API_MESSAGE_KEYS_ORDER);
	}
	return true;
}

bool api_key_input_check_global(const struct json_list *definitions, const struct json_list *keys,
				struct api_error *error)
{
	const struct raw_pair *pairs = keys->elements;

	/* One of each role at most: told as of a table. */
	if (keys->count == 1 || (keys->count == 2 && !is_hash(&pairs[1])))
		return api_key_input_check(definitions, keys, error);
	return check_role_counts(pairs, keys->count, error) && check_defined(definitions, keys, error) &&
	       check_names_differ(pairs, keys->count, error) && check_role_order(pairs, keys->count, error);
}

bool api_key_input_schema(const struct json_list *definitions, const struct json_list *keys,
			  struct table_schema *schema_out, struct api_error *error)
{
	const struct raw_pair *pairs = keys->elements;
	enum status status = table_schema_init(schema_out, pairs[0].name,
					       api_key_input_definition(definitions, pairs[0].name)->value);

	for (uint32_t i = 1; status == ST_OK && i < keys->count; i++) {
		struct slice type = api_key_input_definition(definitions, pairs[i].name)->value;

		status = is_hash(&pairs[i]) ? table_schema_add_partition_key(schema_out, pairs[i].name, type)
					    : table_schema_add_sort_key(schema_out, pairs[i].name, type);
	}
	return status == ST_OK || fail(error, API_MESSAGE_KEY_NAME);
}

bool api_key_input_check_definitions(const struct json_list *definitions, struct api_error *error)
{
	const struct raw_pair *pairs = definitions->elements;

	for (uint32_t i = 0; i < definitions->count && i < DEFINITIONS_COMPARED_MAX; i++) {
		if (api_key_input_definition(definitions, pairs[i].name) == &pairs[i])
			continue;
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_DEFINITION_TWICE,
			      (int)pairs[i].name.size, (const char *)pairs[i].name.data);
		return false;
	}
	return true;
}
