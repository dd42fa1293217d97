#include "coordinator/api/api_item_input.h"

#include "coordinator/api/api_message.h"
#include "proto/model/item.h"

/* The members of all three requests; each operation's table names its own. */
struct raw_input {
	struct slice table_name;
	struct slice item;
	enum json_bool consistent_read;
	struct slice return_values;
	struct slice return_capacity;
	struct slice return_metrics;
	struct slice return_on_failure;
	struct api_expression_input expressions;
	/* Refused for now. */
	struct slice condition_expression;
	struct slice conditional_operator;
	struct json_list expected;
};

/* What an entry of Expected holds does not matter while it is refused. */
struct ignored {
	uint64_t nothing;
};

static const struct json_type ignored_type = {
	.kind = JSON_KIND_STRUCT,
	.size_bytes = sizeof(struct ignored),
	.java_name = "ExpectedAttributeValue",
};
static const struct json_type expected_type = JSON_MAP_OF(&ignored_type);

#define FIELD(name, type, member)                                                                            \
	{                                                                                                    \
		(name), (type), offsetof(struct raw_input, member), 0                                        \
	}
#define COMMON_FIELDS                                                                                        \
	FIELD("TableName", &json_type_string, table_name),                                                   \
		FIELD("ReturnConsumedCapacity", &json_type_string, return_capacity),                         \
		FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names)
#define WRITE_FIELDS                                                                                         \
	FIELD("ReturnValues", &json_type_string, return_values),                                             \
		FIELD("ReturnItemCollectionMetrics", &json_type_string, return_metrics),                     \
		FIELD("ReturnValuesOnConditionCheckFailure", &json_type_string, return_on_failure),          \
		FIELD("ConditionExpression", &json_type_string, condition_expression),                       \
		FIELD("ConditionalOperator", &json_type_string, conditional_operator),                       \
		FIELD("Expected", &expected_type, expected),                                                 \
		FIELD("ExpressionAttributeValues", &json_type_item, expressions.values)

static const struct json_field get_fields[] = {
	COMMON_FIELDS,
	FIELD("Key", &json_type_item, item),
	FIELD("ConsistentRead", &json_type_bool, consistent_read),
	FIELD("ProjectionExpression", &json_type_string, expressions.projection),
	FIELD("AttributesToGet", &json_type_string_list, expressions.attributes_to_get),
};
static const struct json_field put_fields[] = {
	COMMON_FIELDS,
	WRITE_FIELDS,
	FIELD("Item", &json_type_item, item),
};
static const struct json_field delete_fields[] = {
	COMMON_FIELDS,
	WRITE_FIELDS,
	FIELD("Key", &json_type_item, item),
};

static const struct json_type input_types[] = {
	[ITEM_OP_GET] = JSON_STRUCT("GetItemInput", struct raw_input, get_fields),
	[ITEM_OP_PUT] = JSON_STRUCT("PutItemInput", struct raw_input, put_fields),
	[ITEM_OP_DELETE] = JSON_STRUCT("DeleteItemInput", struct raw_input, delete_fields),
};

static const char *const return_values[] = {
	"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW", NULL
};
static const struct api_enum return_enum = { return_values,
					     "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]" };
static const char *const metrics_values[] = { "SIZE", "NONE", NULL };
static const struct api_enum metrics_enum = { metrics_values, "[SIZE, NONE]" };
static const char *const failure_values[] = { "ALL_OLD", "NONE", NULL };
static const struct api_enum failure_enum = { failure_values, "[ALL_OLD, NONE]" };

/* A wrong value leaves its item out: it is there all the same. */
static bool is_item_given(const struct raw_input *raw, const struct json_error *json, const char *name)
{
	return raw->item.data != NULL ||
	       (json->kind == JSON_ERROR_VALIDATION && strcmp(json->parameter, name) == 0);
}

static bool check_constraints(enum item_op_kind kind, const struct raw_input *raw,
			      const struct json_error *json, struct api_error *error)
{
	bool is_put = kind == ITEM_OP_PUT;
	struct api_check check;

	api_check_init(&check);
	api_capacity_check(&check, raw->return_capacity);
	api_check_required(&check, "tableName", raw->table_name.data != NULL);
	api_check_table_name(&check, "tableName", raw->table_name);
	api_check_required(&check, is_put ? "item" : "key",
			   is_item_given(raw, json, is_put ? "Item" : "Key"));
	api_check_count(&check, "attributesToGet", &raw->expressions.attributes_to_get, 1,
			LIMIT_ATTRIBUTES_TO_GET_COUNT);
	api_check_enum(&check, "returnValues", raw->return_values, &return_enum);
	api_check_enum(&check, "returnItemCollectionMetrics", raw->return_metrics, &metrics_enum);
	api_check_enum(&check, "returnValuesOnConditionCheckFailure", raw->return_on_failure, &failure_enum);
	return api_check_passed(&check, error);
}

/* The first parameter that cannot be served yet; NULL if there is none. */
static const char *find_unsupported(enum item_op_kind kind, const struct raw_input *raw)
{
	if (raw->condition_expression.data != NULL)
		return "ConditionExpression";
	if (raw->expected.is_set)
		return "Expected";
	if (raw->conditional_operator.data != NULL)
		return "ConditionalOperator";
	if (kind != ITEM_OP_GET && raw->expressions.names.is_set)
		return "ExpressionAttributeNames";
	if (raw->expressions.values.data != NULL)
		return "ExpressionAttributeValues";
	return NULL;
}

static bool check_return_values(const struct raw_input *raw, struct api_error *error)
{
	int index = api_enum_index(&return_enum, raw->return_values);

	if (index < 0 || strcmp(return_values[index], "ALL_OLD") == 0 ||
	    strcmp(return_values[index], "NONE") == 0)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_RETURN_VALUES);
	return false;
}

static bool check_mixed(const struct raw_input *raw, struct api_error *error)
{
	const struct api_expression_input *input = &raw->expressions;
	const struct expr_parameter projection = { "ProjectionExpression", input->projection.data != NULL };
	const struct expr_parameter names = { "AttributesToGet", input->attributes_to_get.is_set };

	return api_expression_check_mixed(input, &projection, 1, &names, 1, error);
}

static bool fill_in(enum item_op_kind kind, const struct raw_input *raw, struct api_item_input *out,
		    struct api_error *error)
{
	*out = (struct api_item_input){
		.table_name = raw->table_name,
		.item = raw->item,
		.is_consistent = raw->consistent_read == JSON_TRUE,
		.returns_old = slice_equal(raw->return_values, slice_of_string("ALL_OLD")),
		.capacity = api_capacity_parse(raw->return_capacity),
	};
	if (kind != ITEM_OP_PUT)
		return true;
	out->size_bytes = item_size_bytes(raw->item);
	if (out->size_bytes <= LIMIT_ITEM_SIZE_BYTES)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_ITEM_SIZE);
	return false;
}

bool api_item_input_read(enum item_op_kind kind, struct slice body, struct arena *arena,
			 struct api_item_input *input_out, struct api_error *error)
{
	struct raw_input raw;
	struct json_error json;
	const char *unsupported;
	enum status status = json_read(&input_types[kind], &raw, body, arena, &json);

	if (status != ST_OK && json.kind != JSON_ERROR_VALIDATION) {
		api_error_from_json(error, &json);
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
		return false;
	}
	if (!check_constraints(kind, &raw, &json, error))
		return false;
	unsupported = find_unsupported(kind, &raw);
	if (unsupported != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_NOT_SUPPORTED, unsupported);
		return false;
	}
	if (kind == ITEM_OP_GET && !check_mixed(&raw, error))
		return false;
	api_error_from_json(error, &json);
	if (status != ST_OK || !check_return_values(&raw, error) || !fill_in(kind, &raw, input_out, error))
		return false;
	return kind != ITEM_OP_GET ||
	       api_expression_compile(&raw.expressions, arena, &input_out->expressions, error);
}
