#include "coordinator/api/api_start_key.h"

#include "coordinator/api/api_message.h"

static bool refuse(struct api_error *error, const char *prefix, const struct row_key_error *fault)
{
	char message[LIMIT_ERROR_MESSAGE_SIZE_BYTES];

	row_key_error_print(fault, message, sizeof(message));
	api_error_set(error, API_ERROR_VALIDATION, "%s%s", prefix, message);
	return false;
}

static bool refuse_schema(struct api_error *error, const char *prefix)
{
	return refuse(error, prefix, &(struct row_key_error){ .fault = ROW_KEY_SCHEMA });
}

static bool check_value(const struct table_schema *schema, const struct key_attribute *attribute,
			const struct item_value *value, const char *prefix, struct api_error *error)
{
	struct row_key_error fault = { .fault = ROW_KEY_OK };

	if (value->type != attribute->type)
		return refuse_schema(error, prefix);
	if (row_key_check_value(schema, attribute, value->payload, &fault) != ST_OK)
		return refuse(error, prefix, &fault);
	return true;
}

static bool check_of_table(const struct table_schema *schema, const struct key_attribute *attribute,
			   struct slice key, struct api_error *error)
{
	static const char prefix[] = API_MESSAGE_START_KEY_INVALID ": ";
	struct item_value value;

	if (!item_find(key, key_attribute_name(attribute), &value))
		return refuse_schema(error, prefix);
	return check_value(schema, attribute, &value, prefix, error);
}

static uint32_t count_of(const struct api_query_target *target)
{
	struct index_owner owner;

	if (!target->has_index)
		return table_schema_key_count(&target->table_schema);
	owner = api_query_target_owner(target);
	return table_index_key_count(&owner);
}

bool api_start_key_check_count(const struct api_query_target *target, enum api_query_kind kind,
			       struct slice key, struct api_error *error)
{
	if (item_count(key) == count_of(target))
		return true;
	if (kind == API_SCAN && !target->has_index)
		return refuse_schema(error, API_MESSAGE_START_KEY_INVALID ": ");
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_START_KEY_INVALID);
	return false;
}

static bool check_attribute(const struct table_schema *schema, const struct key_attribute *attribute,
			    struct slice key, struct api_error *error)
{
	struct item_value value;

	if (item_find(key, key_attribute_name(attribute), &value))
		return check_value(schema, attribute, &value, "", error);
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_START_KEY_INVALID);
	return false;
}

bool api_start_key_check_attributes(const struct table_schema *schema, uint32_t first, uint32_t end,
				    struct slice key, struct api_error *error)
{
	for (uint32_t i = first; i < end; i++) {
		if (!check_attribute(schema, &schema->attributes[i], key, error))
			return false;
	}
	return true;
}

static enum status append_row_key(const struct api_query_target *target, struct slice key, struct buf *out)
{
	struct row_key_error fault = { .fault = ROW_KEY_OK };
	struct index_owner owner;

	if (!target->has_index)
		return row_key_from_key(out, target->table_id, target->token_seed, &target->table_schema, key,
					&fault);
	owner = api_query_target_owner(target);
	return table_index_start_key(out, &owner, key, &fault);
}

bool api_start_key_to_row(const struct api_query_target *target, struct slice key, struct arena *arena,
			  struct slice *row_key_out, struct api_error *error)
{
	const struct table_schema *schema = &target->table_schema;
	const uint8_t *copy = NULL;
	struct buf scratch;

	for (uint32_t i = 0; i < table_schema_key_count(schema); i++) {
		if (!check_of_table(schema, &schema->attributes[i], key, error))
			return false;
	}
	buf_init(&scratch, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	if (append_row_key(target, key, &scratch) == ST_OK)
		copy = arena_copy(arena, buf_slice(&scratch));
	*row_key_out = slice_of(copy, scratch.size);
	buf_close(&scratch);
	if (copy == NULL)
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
	return copy != NULL;
}
