#include "coordinator/api/api_batch_input.h"

#include "coordinator/api/api_message.h"
#include "proto/model/item_equal.h"
#include "proto/model/table_schema.h"

struct raw_table {
	struct json_list keys; /* of item bytes */
	enum json_bool consistent_read;
	struct api_expression_input expressions;
};

/* An entry of RequestItems. */
struct raw_entry {
	struct slice key;
	struct raw_table value;
};

struct raw_input {
	struct json_list tables;
	struct slice return_capacity;
};

static const struct json_field table_fields[] = {
	{ "Keys", &json_type_item_list, offsetof(struct raw_table, keys), 0 },
	{ "ConsistentRead", &json_type_bool, offsetof(struct raw_table, consistent_read), 0 },
	{ "AttributesToGet", &json_type_string_list,
	  offsetof(struct raw_table, expressions.attributes_to_get), 0 },
	{ "ProjectionExpression", &json_type_string, offsetof(struct raw_table, expressions.projection), 0 },
	{ "ExpressionAttributeNames", &json_type_string_map, offsetof(struct raw_table, expressions.names),
	  0 },
};
static const struct json_type table_type = JSON_STRUCT("KeysAndAttributes", struct raw_table, table_fields);
static const struct json_type tables_type = JSON_MAP_OF(&table_type);
static const struct json_field input_fields[] = {
	{ "RequestItems", &tables_type, offsetof(struct raw_input, tables), 0 },
	{ "ReturnConsumedCapacity", &json_type_string, offsetof(struct raw_input, return_capacity), 0 },
};
static const struct json_type input_type = JSON_STRUCT("BatchGetItemInput", struct raw_input, input_fields);

_Static_assert(offsetof(struct raw_entry, value) == sizeof(struct slice), "as JSON_KIND_MAP lays it out");

static const struct raw_entry *entries_of(const struct raw_input *raw)
{
	return raw->tables.elements;
}

/* --- constraints of the API's model --- */

static void check_names(struct api_check *check, const struct raw_entry *entry)
{
	const struct json_list *names = &entry->value.expressions.attributes_to_get;
	int size = (int)entry->key.size;
	const char *table = (const char *)entry->key.data;

	if (names->is_set && names->count == 0)
		api_check_add(check,
			      API_MESSAGE_BATCH_NAMES "Member must have length greater than or equal to 1",
			      size, table);
	if (names->count > LIMIT_ATTRIBUTES_TO_GET_COUNT)
		api_check_add(check,
			      API_MESSAGE_BATCH_NAMES "Member must have length less than or equal to %d",
			      size, table, LIMIT_ATTRIBUTES_TO_GET_COUNT);
}

static void check_keys(struct api_check *check, const struct raw_entry *entry)
{
	const struct json_list *keys = &entry->value.keys;
	int size = (int)entry->key.size;
	const char *name = (const char *)entry->key.data;

	if (!keys->is_set)
		api_check_add(check, API_MESSAGE_BATCH_KEYS "Member must not be null", size, name);
	else if (keys->count == 0)
		api_check_add(check,
			      API_MESSAGE_BATCH_KEYS "Member must have length greater than or equal to 1",
			      size, name);
	else if (keys->count > LIMIT_BATCH_GET_COUNT)
		api_check_add(check,
			      API_MESSAGE_BATCH_KEYS "Member must have length less than or equal to %d", size,
			      name, LIMIT_BATCH_GET_COUNT);
}

static bool check_constraints(const struct raw_input *raw, struct api_error *error)
{
	struct api_check check;

	api_check_init(&check);
	api_capacity_check(&check, raw->return_capacity);
	if (!raw->tables.is_set || raw->tables.count == 0)
		api_check_add(&check, "%s", API_MESSAGE_BATCH_EMPTY);
	for (uint32_t i = 0; i < raw->tables.count; i++) {
		const struct raw_entry *entry = &entries_of(raw)[i];

		if (!table_schema_name_is_valid(entry->key))
			api_check_add(&check, API_MESSAGE_BATCH_TABLE_NAME, (int)entry->key.size,
				      (const char *)entry->key.data);
		check_keys(&check, entry);
		check_names(&check, entry);
	}
	return api_check_passed(&check, error);
}

/* --- one table --- */

static bool refuse(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

/* Keys are few and mostly differ in size or in their first bytes. */
static bool has_equal_keys(const struct slice *keys, uint32_t count)
{
	bool is_equal = false;

	for (uint32_t i = 1; i < count; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (keys[i].size == keys[k].size &&
			    item_equal(keys[i], keys[k], &is_equal) == ST_OK && is_equal)
				return true;
		}
	}
	return false;
}

static bool take_table(const struct raw_entry *entry, struct arena *arena, struct api_batch_table *table_out,
		       struct api_error *error)
{
	const struct raw_table *raw = &entry->value;

	*table_out = (struct api_batch_table){
		.name = entry->key,
		.keys = raw->keys.elements,
		.key_count = raw->keys.count,
		.is_consistent = raw->consistent_read == JSON_TRUE,
		.expression_input = raw->expressions,
	};
	if (!api_expression_compile(&raw->expressions, arena, &table_out->expressions, error))
		return false;
	if (has_equal_keys(table_out->keys, table_out->key_count))
		return refuse(error, API_MESSAGE_BATCH_DUPLICATES);
	return true;
}

/* Tables may not differ in kind: all of them together, then each with its own placeholders. */
static bool check_mixed(const struct raw_input *raw, struct api_error *error)
{
	static const struct api_expression_input no_placeholders;
	struct expr_parameter projection = { "ProjectionExpression", false };
	struct expr_parameter names = { "AttributesToGet", false };

	for (uint32_t i = 0; i < raw->tables.count; i++) {
		const struct api_expression_input *input = &entries_of(raw)[i].value.expressions;

		projection.is_set = projection.is_set || input->projection.data != NULL;
		names.is_set = names.is_set || input->attributes_to_get.is_set;
	}
	if (!api_expression_check_mixed(&no_placeholders, &projection, 1, &names, 1, error))
		return false;
	for (uint32_t i = 0; i < raw->tables.count; i++) {
		const struct api_expression_input *input = &entries_of(raw)[i].value.expressions;

		projection.is_set = input->projection.data != NULL;
		names.is_set = input->attributes_to_get.is_set;
		if (!api_expression_check_mixed(input, &projection, 1, &names, 1, error))
			return false;
	}
	return true;
}

static bool take_tables(const struct raw_input *raw, struct arena *arena, struct api_batch_input *input_out,
			struct api_error *error)
{
	struct api_batch_input input = {
		.tables = arena_alloc(arena, raw->tables.count * sizeof(*input.tables)),
		.table_count = raw->tables.count,
		.capacity = api_capacity_parse(raw->return_capacity),
	};

	if (input.tables == NULL) {
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return false;
	}
	for (uint32_t i = 0; i < raw->tables.count; i++) {
		if (!take_table(&entries_of(raw)[i], arena, &input.tables[i], error))
			return false;
		input.key_count += input.tables[i].key_count;
		if (input.key_count > LIMIT_BATCH_GET_COUNT)
			return refuse(error, API_MESSAGE_BATCH_TOO_MANY);
	}
	*input_out = input;
	return true;
}

bool api_batch_input_read(struct slice body, struct arena *arena, struct api_batch_input *input_out,
			  struct api_error *error)
{
	struct raw_input raw;
	struct json_error json;
	enum status status = json_read(&input_type, &raw, body, arena, &json);

	if (status != ST_OK && json.kind != JSON_ERROR_VALIDATION) {
		api_error_from_json(error, &json);
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
		return false;
	}
	if (!check_constraints(&raw, error))
		return false;
	if (!check_mixed(&raw, error))
		return false;
	api_error_from_json(error, &json);
	return status == ST_OK && take_tables(&raw, arena, input_out, error);
}
