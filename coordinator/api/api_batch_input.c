#include "coordinator/api/api_batch_input.h"

#include "coordinator/api/api_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_type.h"
#include "proto/model/item_equal.h"

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

static const struct json_rule keys_rule = API_RULE_BARE(1, LIMIT_BATCH_GET_COUNT);
static const struct json_rule names_rule = API_RULE_BARE(1, LIMIT_ATTRIBUTES_TO_GET_COUNT);
static const struct json_type names_type = API_TYPE_LIST(&json_type_string, &names_rule);
static const struct json_type keys_type = API_TYPE_LIST(&json_type_item, &keys_rule);
static const struct json_field table_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_table, "Keys", &keys_type, keys),
	JSON_FIELD(struct raw_table, "AttributesToGet", &names_type, expressions.attributes_to_get),
	JSON_FIELD(struct raw_table, "ConsistentRead", &json_type_bool, consistent_read),
	JSON_FIELD(struct raw_table, "ProjectionExpression", &json_type_string, expressions.projection),
	JSON_FIELD(struct raw_table, "ExpressionAttributeNames", &json_type_string_map, expressions.names),
};
static const struct json_type table_type = JSON_STRUCT("KeysAndAttributes", struct raw_table, table_fields);
static const struct json_rule tables_rule = {
	.pattern = JSON_PATTERN_TABLE, .has_bounds = true, .min = 1, .max = INT64_MAX, .is_bare = true
};
static const struct json_type tables_type = API_TYPE_MAP(&table_type, &tables_rule);
/* In the service's order of constraints. */
static const struct json_field input_fields[] = {
	JSON_FIELD(struct raw_input, "ReturnConsumedCapacity", &api_type_capacity, return_capacity),
	JSON_FIELD_REQUIRED(struct raw_input, "RequestItems", &tables_type, tables),
};
static const struct json_type input_type = JSON_STRUCT("BatchGetItemInput", struct raw_input, input_fields);

_Static_assert(offsetof(struct raw_entry, value) == sizeof(struct slice), "as JSON_KIND_MAP lays it out");

static const struct raw_entry *entries_of(const struct raw_input *raw)
{
	return raw->tables.elements;
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
	const struct json_fault *faults;
	struct raw_input raw;

	return api_input_read(&input_type, &raw, body, arena, &faults, error) && check_mixed(&raw, error) &&
	       api_input_is_sound(faults, "RequestItems", error) &&
	       take_tables(&raw, arena, input_out, error);
}
