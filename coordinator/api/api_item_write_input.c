#include "coordinator/api/api_item_write_input.h"

#include "coordinator/api/api_legacy.h"
#include "coordinator/api/api_message.h"
#include "proto/model/item.h"

/* The members of all three requests; each operation's table names its own. */
struct raw_input {
	struct slice table_name;
	struct slice item; /* PutItem; or the key */
	struct slice return_values;
	struct slice return_capacity;
	struct slice return_metrics;
	struct slice return_on_failure;
	struct api_write_expression_input expressions;
};

#define FIELD(name, type, member)                                                                            \
	{                                                                                                    \
		(name), (type), offsetof(struct raw_input, member), 0                                        \
	}
#define COMMON_FIELDS                                                                                        \
	FIELD("TableName", &json_type_string, table_name),                                                   \
		FIELD("ReturnConsumedCapacity", &json_type_string, return_capacity),                         \
		FIELD("ReturnValues", &json_type_string, return_values),                                     \
		FIELD("ReturnItemCollectionMetrics", &json_type_string, return_metrics),                     \
		FIELD("ReturnValuesOnConditionCheckFailure", &json_type_string, return_on_failure),          \
		FIELD("ConditionExpression", &json_type_string, expressions.condition),                      \
		FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names),                 \
		FIELD("ExpressionAttributeValues", &json_type_item, expressions.values),                     \
		FIELD("ConditionalOperator", &json_type_string, expressions.conditional_operator),           \
		FIELD("Expected", &api_legacy_expected_type, expressions.expected)

static const struct json_field put_fields[] = {
	COMMON_FIELDS,
	FIELD("Item", &json_type_item, item),
};
static const struct json_field delete_fields[] = {
	COMMON_FIELDS,
	FIELD("Key", &json_type_item, item),
};
static const struct json_field update_fields[] = {
	COMMON_FIELDS,
	FIELD("Key", &json_type_item, item),
	FIELD("UpdateExpression", &json_type_string, expressions.update),
	FIELD("AttributeUpdates", &api_legacy_updates_type, expressions.attribute_updates),
};

static const struct json_type input_types[] = {
	[ITEM_OP_PUT] = JSON_STRUCT("PutItemInput", struct raw_input, put_fields),
	[ITEM_OP_DELETE] = JSON_STRUCT("DeleteItemInput", struct raw_input, delete_fields),
	[ITEM_OP_UPDATE] = JSON_STRUCT("UpdateItemInput", struct raw_input, update_fields),
};

/* --- constraints of the API's model --- */

#define RETURNED(what) CLEAVE__WRITE_ITEM_REQUEST__RETURNED__##what

static const char *const return_values[] = {
	"ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW", NULL
};
static const Cleave__WriteItemRequest__Returned return_meanings[] = { RETURNED(NEW), RETURNED(UPDATED_OLD),
								      RETURNED(OLD), RETURNED(NOTHING),
								      RETURNED(UPDATED_NEW) };
static const struct api_enum return_enum = { return_values,
					     "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]" };
static const char *const metrics_values[] = { "SIZE", "NONE", NULL };
static const struct api_enum metrics_enum = { metrics_values, "[SIZE, NONE]" };
static const char *const failure_values[] = { "ALL_OLD", "NONE", NULL };
static const struct api_enum failure_enum = { failure_values, "[ALL_OLD, NONE]" };
static const char *const operator_values[] = { "OR", "AND", NULL };
static const struct api_enum operator_enum = { operator_values, "[OR, AND]" };

void api_item_write_check_metrics(struct api_check *check, struct slice value)
{
	api_check_enum(check, "returnItemCollectionMetrics", value, &metrics_enum);
}

bool api_item_write_wants_metrics(struct slice value)
{
	return slice_equal(value, slice_of_string("SIZE"));
}

static void check_returned(struct api_check *check, const struct raw_input *raw)
{
	api_check_enum(check, "returnValues", raw->return_values, &return_enum);
}

static void check_conditions(struct api_check *check, const struct raw_input *raw)
{
	api_check_enum(check, "conditionalOperator", raw->expressions.conditional_operator, &operator_enum);
	api_legacy_check_expected(check, &raw->expressions.expected);
}

/* A wrong value leaves its item out: it may be there all the same. */
static bool is_item_given(const struct raw_input *raw, const struct json_error *json)
{
	return raw->item.data != NULL || json->kind == JSON_ERROR_VALIDATION;
}

/* Each operation has an order of its own. */
static bool check_constraints(enum item_op_kind kind, const struct raw_input *raw,
			      const struct json_error *json, struct api_error *error)
{
	struct api_check check;

	api_check_init(&check);
	api_capacity_check(&check, raw->return_capacity);
	api_check_required(&check, "tableName", raw->table_name.data != NULL);
	api_check_table_name(&check, "tableName", raw->table_name);
	if (kind == ITEM_OP_PUT) {
		api_check_required(&check, "item", is_item_given(raw, json));
		check_conditions(&check, raw);
		check_returned(&check, raw);
		api_item_write_check_metrics(&check, raw->return_metrics);
	} else {
		if (kind == ITEM_OP_DELETE)
			check_returned(&check, raw);
		api_item_write_check_metrics(&check, raw->return_metrics);
		if (kind == ITEM_OP_UPDATE)
			check_returned(&check, raw);
		api_check_required(&check, "key", is_item_given(raw, json));
		check_conditions(&check, raw);
		api_legacy_check_updates(&check, &raw->expressions.attribute_updates);
	}
	api_check_enum(&check, "returnValuesOnConditionCheckFailure", raw->return_on_failure, &failure_enum);
	return api_check_passed(&check, error);
}

/* --- the rest --- */

static bool is_in_values(const struct json_error *json)
{
	return json->kind == JSON_ERROR_VALIDATION &&
	       strcmp(json->parameter, "ExpressionAttributeValues") == 0;
}

static bool check_values(const struct json_error *json, struct api_error *error)
{
	if (!is_in_values(json))
		return true;
	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_VALUES_INVALID, json->message,
		      json->attribute);
	return false;
}

static bool check_return_values(enum item_op_kind kind, const struct raw_input *raw, struct api_error *error)
{
	int index = api_enum_index(&return_enum, raw->return_values);

	if (kind == ITEM_OP_UPDATE || index < 0 || return_meanings[index] <= RETURNED(OLD))
		return true;
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_RETURN_VALUES);
	return false;
}

static bool check_size(enum item_op_kind kind, const struct raw_input *raw, struct api_error *error)
{
	if (kind != ITEM_OP_PUT || item_size_bytes(raw->item) <= LIMIT_ITEM_SIZE_BYTES)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, "%s", API_MESSAGE_ITEM_SIZE);
	return false;
}

static void fill_in(const struct raw_input *raw, struct api_item_write_input *out)
{
	int index = api_enum_index(&return_enum, raw->return_values);

	*out = (struct api_item_write_input){
		.table_name = raw->table_name,
		.item = raw->item,
		.returned = index < 0 ? RETURNED(NOTHING) : return_meanings[index],
		.returns_old_on_failure = slice_equal(raw->return_on_failure, slice_of_string("ALL_OLD")),
		.capacity = api_capacity_parse(raw->return_capacity),
		.wants_metrics = api_item_write_wants_metrics(raw->return_metrics),
	};
}

/* All that can be said without the table, in the service's order. */
static bool check_parameters(enum item_op_kind kind, const struct raw_input *raw,
			     const struct json_error *json, struct api_error *error)
{
	if (!api_write_expression_check_mixed(&raw->expressions, kind == ITEM_OP_UPDATE, error))
		return false;
	if (json->kind != JSON_ERROR_NONE && (!is_in_values(json) || raw->item.data == NULL)) {
		api_error_from_json(error, json);
		return false;
	}
	return check_return_values(kind, raw, error) && check_size(kind, raw, error) &&
	       check_values(json, error);
}

bool api_item_write_input_read(enum item_op_kind kind, struct slice body, struct arena *arena,
			       struct api_item_write_input *input_out, struct api_error *error)
{
	struct raw_input raw;
	struct json_error json;
	enum status status;

	CHECK(kind != ITEM_OP_GET);
	status = json_read(&input_types[kind], &raw, body, arena, &json);
	if (status != ST_OK && json.kind != JSON_ERROR_VALIDATION) {
		api_error_from_json(error, &json);
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
		return false;
	}
	if (!check_constraints(kind, &raw, &json, error) || !check_parameters(kind, &raw, &json, error))
		return false;
	fill_in(&raw, input_out);
	return api_write_expression_compile(&raw.expressions, kind == ITEM_OP_UPDATE, arena,
					    &input_out->programs, error);
}
