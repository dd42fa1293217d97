#include "coordinator/api/api_item_write_input.h"

#include "coordinator/api/api_expression.h"
#include "coordinator/api/api_input.h"
#include "coordinator/api/api_legacy.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_type.h"
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

#define RETURNED(what) CLEAVE__WRITE_ITEM_REQUEST__RETURNED__##what

static const char *const returned[] = { "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW", NULL };
static const Cleave__WriteItemRequest__Returned return_meanings[] = { RETURNED(NEW), RETURNED(UPDATED_OLD),
								      RETURNED(OLD), RETURNED(NOTHING),
								      RETURNED(UPDATED_NEW) };
static const struct json_values return_values = { returned,
						  "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]" };
static const struct json_rule return_rule = { .values = &return_values };
static const struct json_type return_type = API_TYPE_STRING(&return_rule);
static const char *const on_failure[] = { "ALL_OLD", "NONE", NULL };
static const struct json_values on_failure_values = { on_failure, "[ALL_OLD, NONE]" };
static const struct json_rule on_failure_rule = { .values = &on_failure_values };
static const struct json_type on_failure_type = API_TYPE_STRING(&on_failure_rule);

/* Each operation has its fields in the service's order of constraints. */
#define FIELD(name, type, member)    JSON_FIELD(struct raw_input, name, type, member)
#define REQUIRED(name, type, member) JSON_FIELD_REQUIRED(struct raw_input, name, type, member)
#define FIRST_FIELDS                                                                                         \
	FIELD("ReturnConsumedCapacity", &api_type_capacity, return_capacity),                                \
		REQUIRED("TableName", &api_type_table, table_name)
#define RETURN_FIELD  FIELD("ReturnValues", &return_type, return_values)
#define METRICS_FIELD FIELD("ReturnItemCollectionMetrics", &api_type_metrics, return_metrics)
#define CONDITION_FIELDS                                                                                     \
	FIELD("ConditionalOperator", &api_type_operator, expressions.conditional_operator),                  \
		FIELD("Expected", &api_legacy_expected_type, expressions.expected)
#define LAST_FIELDS                                                                                          \
	FIELD("ReturnValuesOnConditionCheckFailure", &on_failure_type, return_on_failure),                   \
		FIELD("ConditionExpression", &json_type_string, expressions.condition),                      \
		FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names),                 \
		FIELD("ExpressionAttributeValues", &json_type_item, expressions.values)

static const struct json_field put_fields[] = {
	FIRST_FIELDS, REQUIRED("Item", &json_type_item, item), CONDITION_FIELDS, RETURN_FIELD, METRICS_FIELD,
	LAST_FIELDS,
};
static const struct json_field delete_fields[] = {
	FIRST_FIELDS,     RETURN_FIELD, METRICS_FIELD, REQUIRED("Key", &json_type_item, item),
	CONDITION_FIELDS, LAST_FIELDS,
};
static const struct json_field update_fields[] = {
	FIRST_FIELDS,     METRICS_FIELD,
	RETURN_FIELD,     REQUIRED("Key", &json_type_item, item),
	CONDITION_FIELDS, FIELD("AttributeUpdates", &api_legacy_updates_type, expressions.attribute_updates),
	LAST_FIELDS,      FIELD("UpdateExpression", &json_type_string, expressions.update),
};

static const struct json_type input_types[] = {
	[ITEM_OP_PUT] = JSON_STRUCT("PutItemInput", struct raw_input, put_fields),
	[ITEM_OP_DELETE] = JSON_STRUCT("DeleteItemInput", struct raw_input, delete_fields),
	[ITEM_OP_UPDATE] = JSON_STRUCT("UpdateItemInput", struct raw_input, update_fields),
};

bool api_item_write_wants_metrics(struct slice value)
{
	return slice_equal(value, slice_of_string("SIZE"));
}

/* --- the rest --- */

static bool check_return_values(enum item_op_kind kind, const struct raw_input *raw, struct api_error *error)
{
	int index = api_enum_index(&return_values, raw->return_values);

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
	int index = api_enum_index(&return_values, raw->return_values);

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
static bool check_parameters(enum item_op_kind kind, const struct raw_input *raw, struct slice body,
			     struct arena *arena, const struct json_fault *faults, struct api_error *error)
{
	return api_write_expression_check_mixed(&raw->expressions, kind == ITEM_OP_UPDATE, error) &&
	       api_input_is_sound(faults, "Item", error) && api_input_is_sound(faults, "Key", error) &&
	       api_input_is_sound(faults, "AttributeUpdates", error) &&
	       check_return_values(kind, raw, error) && check_size(kind, raw, error) &&
	       api_input_is_sound(faults, "Expected", error) &&
	       api_expression_check_values(faults, &raw->expressions.names, body, arena, error);
}

bool api_item_write_input_read(enum item_op_kind kind, struct slice body, struct arena *arena,
			       struct api_item_write_input *input_out, struct api_error *error)
{
	const struct json_fault *faults;
	struct raw_input raw;

	CHECK(kind != ITEM_OP_GET);
	if (!api_input_read(&input_types[kind], &raw, body, arena, &faults, error) ||
	    !check_parameters(kind, &raw, body, arena, faults, error))
		return false;
	fill_in(&raw, input_out);
	return api_write_expression_compile(&raw.expressions, kind == ITEM_OP_UPDATE, arena,
					    &input_out->programs, error);
}
