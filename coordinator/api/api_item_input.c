#include "coordinator/api/api_item_input.h"

#include "coordinator/api/api_message.h"

struct raw_input {
	struct slice table_name;
	struct slice key;
	enum json_bool consistent_read;
	struct slice return_capacity;
	struct api_expression_input expressions;
};

#define FIELD(name, type, member)                                                                            \
	{                                                                                                    \
		(name), (type), offsetof(struct raw_input, member), 0                                        \
	}

static const struct json_field input_fields[] = {
	FIELD("TableName", &json_type_string, table_name),
	FIELD("Key", &json_type_item, key),
	FIELD("ConsistentRead", &json_type_bool, consistent_read),
	FIELD("ReturnConsumedCapacity", &json_type_string, return_capacity),
	FIELD("ProjectionExpression", &json_type_string, expressions.projection),
	FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names),
	FIELD("AttributesToGet", &json_type_string_list, expressions.attributes_to_get),
};
static const struct json_type input_type = JSON_STRUCT("GetItemInput", struct raw_input, input_fields);

static bool check_constraints(const struct raw_input *raw, const struct json_error *json,
			      struct api_error *error)
{
	struct api_check check;

	api_check_init(&check);
	api_capacity_check(&check, raw->return_capacity);
	api_check_required(&check, "tableName", raw->table_name.data != NULL);
	api_check_table_name(&check, "tableName", raw->table_name);
	/* A wrong value leaves the key out: it is there all the same. */
	api_check_required(&check, "key", raw->key.data != NULL || json->kind == JSON_ERROR_VALIDATION);
	api_check_count(&check, "attributesToGet", &raw->expressions.attributes_to_get, 1,
			LIMIT_ATTRIBUTES_TO_GET_COUNT);
	return api_check_passed(&check, error);
}

static bool check_mixed(const struct raw_input *raw, struct api_error *error)
{
	const struct api_expression_input *input = &raw->expressions;
	const struct expr_parameter projection = { "ProjectionExpression", input->projection.data != NULL };
	const struct expr_parameter names = { "AttributesToGet", input->attributes_to_get.is_set };

	return api_expression_check_mixed(input, &projection, 1, &names, 1, error);
}

bool api_item_input_read(struct slice body, struct arena *arena, struct api_item_input *input_out,
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
	if (!check_constraints(&raw, &json, error) || !check_mixed(&raw, error))
		return false;
	api_error_from_json(error, &json);
	if (status != ST_OK)
		return false;
	*input_out = (struct api_item_input){
		.table_name = raw.table_name,
		.key = raw.key,
		.is_consistent = raw.consistent_read == JSON_TRUE,
		.capacity = api_capacity_parse(raw.return_capacity),
	};
	return api_expression_compile(&raw.expressions, arena, &input_out->expressions, error);
}
