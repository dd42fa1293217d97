#include "coordinator/api/api_item_input.h"

#include "coordinator/api/api_input.h"
#include "coordinator/api/api_type.h"

struct raw_input {
	struct slice table_name;
	struct slice key;
	enum json_bool consistent_read;
	struct slice return_capacity;
	struct api_expression_input expressions;
};

#define FIELD(name, type, member) JSON_FIELD(struct raw_input, name, type, member)

/* In the service's order of constraints. */
static const struct json_field input_fields[] = {
	FIELD("ReturnConsumedCapacity", &api_type_capacity, return_capacity),
	JSON_FIELD_REQUIRED(struct raw_input, "TableName", &api_type_table, table_name),
	JSON_FIELD_REQUIRED(struct raw_input, "Key", &json_type_item, key),
	FIELD("AttributesToGet", &api_type_attributes_to_get, expressions.attributes_to_get),
	FIELD("ConsistentRead", &json_type_bool, consistent_read),
	FIELD("ProjectionExpression", &json_type_string, expressions.projection),
	FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names),
};
static const struct json_type input_type = JSON_STRUCT("GetItemInput", struct raw_input, input_fields);

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
	const struct json_fault *faults;

	if (!api_input_read(&input_type, &raw, body, arena, &faults, error) || !check_mixed(&raw, error) ||
	    !api_input_is_sound(faults, "Key", error))
		return false;
	*input_out = (struct api_item_input){
		.table_name = raw.table_name,
		.key = raw.key,
		.is_consistent = raw.consistent_read == JSON_TRUE,
		.capacity = api_capacity_parse(raw.return_capacity),
	};
	return api_expression_compile(&raw.expressions, arena, &input_out->expressions, error);
}
