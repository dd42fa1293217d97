#include "coordinator/api/api_query_input.h"

#include <inttypes.h>

#include "coordinator/api/api_message.h"

/* The members of both requests; each operation's table names its own. */
struct raw_input {
	struct slice table_name;
	struct slice index_name;
	struct slice select;
	struct slice return_capacity;
	struct slice start_key;
	struct json_number limit;
	struct json_number segment;
	struct json_number total_segments;
	enum json_bool consistent_read;
	enum json_bool scan_forward;
	/* Refused for now. */
	struct slice key_condition_expression;
	struct slice filter_expression;
	struct slice projection_expression;
	struct json_list expression_names;
	struct slice expression_values;
	struct json_list key_conditions;
	struct json_list filter;
	struct slice conditional_operator;
	struct json_list attributes_to_get;
};

struct raw_condition {
	struct slice comparison;
	struct json_list values; /* of encoded values */
};

static const struct json_type value_list_type = JSON_LIST_OF(&json_type_value);
static const struct json_field condition_fields[] = {
	{ "ComparisonOperator", &json_type_string, offsetof(struct raw_condition, comparison), 0 },
	{ "AttributeValueList", &value_list_type, offsetof(struct raw_condition, values), 0 },
};
static const struct json_type condition_type = JSON_STRUCT("Condition", struct raw_condition,
							   condition_fields);
static const struct json_type conditions_type = JSON_MAP_OF(&condition_type);

#define FIELD(name, type, member)                                                                            \
	{                                                                                                    \
		(name), (type), offsetof(struct raw_input, member), 0                                        \
	}
#define COMMON_FIELDS                                                                                        \
	FIELD("TableName", &json_type_string, table_name),                                                   \
		FIELD("IndexName", &json_type_string, index_name),                                           \
		FIELD("Select", &json_type_string, select),                                                  \
		FIELD("ReturnConsumedCapacity", &json_type_string, return_capacity),                         \
		FIELD("ExclusiveStartKey", &json_type_item, start_key),                                      \
		FIELD("Limit", &json_type_integer, limit),                                                   \
		FIELD("ConsistentRead", &json_type_bool, consistent_read),                                   \
		FIELD("FilterExpression", &json_type_string, filter_expression),                             \
		FIELD("ProjectionExpression", &json_type_string, projection_expression),                     \
		FIELD("ExpressionAttributeNames", &json_type_string_map, expression_names),                  \
		FIELD("ExpressionAttributeValues", &json_type_item, expression_values),                      \
		FIELD("ConditionalOperator", &json_type_string, conditional_operator),                       \
		FIELD("AttributesToGet", &json_type_string_list, attributes_to_get)

static const struct json_field query_fields[] = {
	COMMON_FIELDS,
	FIELD("ScanIndexForward", &json_type_bool, scan_forward),
	FIELD("KeyConditionExpression", &json_type_string, key_condition_expression),
	FIELD("KeyConditions", &conditions_type, key_conditions),
	FIELD("QueryFilter", &conditions_type, filter),
};
static const struct json_field scan_fields[] = {
	COMMON_FIELDS,
	FIELD("Segment", &json_type_integer, segment),
	FIELD("TotalSegments", &json_type_integer, total_segments),
	FIELD("ScanFilter", &conditions_type, filter),
};
static const struct json_type input_types[] = {
	[API_QUERY] = JSON_STRUCT("QueryInput", struct raw_input, query_fields),
	[API_SCAN] = JSON_STRUCT("ScanInput", struct raw_input, scan_fields),
};

/* --- constraints of the API's model --- */

enum { SELECT_SPECIFIC, SELECT_COUNT, SELECT_ALL, SELECT_ALL_PROJECTED, SELECT_NONE = -1 };

static const char *const select_values[] = {
	[SELECT_SPECIFIC] = "SPECIFIC_ATTRIBUTES",
	[SELECT_COUNT] = "COUNT",
	[SELECT_ALL] = "ALL_ATTRIBUTES",
	[SELECT_ALL_PROJECTED] = "ALL_PROJECTED_ATTRIBUTES",
	NULL,
};
static const struct api_enum select_enum = {
	select_values, "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
};
static const char *const operator_values[] = { "OR", "AND", NULL };
static const struct api_enum operator_enum = { operator_values, "[OR, AND]" };

static bool check_constraints(enum api_query_kind kind, const struct raw_input *raw, struct api_error *error)
{
	struct api_check check;

	api_check_init(&check);
	api_check_enum(&check, "select", raw->select, &select_enum);
	api_check_table_name(&check, "indexName", raw->index_name);
	api_check_range(&check, "totalSegments", raw->total_segments, 1, LIMIT_SCAN_SEGMENT_COUNT);
	api_capacity_check(&check, raw->return_capacity);
	api_check_required(&check, "tableName", raw->table_name.data != NULL);
	api_check_table_name(&check, "tableName", raw->table_name);
	api_check_enum(&check, "conditionalOperator", raw->conditional_operator, &operator_enum);
	api_check_count(&check, "attributesToGet", &raw->attributes_to_get, 1, LIMIT_ATTRIBUTES_TO_GET_COUNT);
	api_check_range(&check, "segment", raw->segment, 0, LIMIT_SCAN_SEGMENT_COUNT - 1);
	if (kind == API_SCAN)
		api_check_range(&check, "limit", raw->limit, 1, INT32_MAX);
	else if (raw->limit.is_set && raw->limit.value < 1)
		api_check_add(&check, "%s", API_MESSAGE_QUERY_LIMIT);
	return api_check_passed(&check, error);
}

/* --- what belongs together --- */

static bool refuse(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

/* The first parameter that cannot be served yet; NULL if there is none. */
static const char *find_unsupported(const struct raw_input *raw)
{
	if (raw->index_name.data != NULL)
		return "IndexName";
	if (raw->key_condition_expression.data != NULL)
		return "KeyConditionExpression";
	if (raw->filter_expression.data != NULL)
		return "FilterExpression";
	if (raw->projection_expression.data != NULL)
		return "ProjectionExpression";
	if (raw->expression_names.is_set)
		return "ExpressionAttributeNames";
	if (raw->expression_values.data != NULL)
		return "ExpressionAttributeValues";
	if (raw->key_conditions.is_set)
		return "KeyConditions";
	if (raw->filter.is_set)
		return "QueryFilter or ScanFilter";
	if (raw->conditional_operator.data != NULL)
		return "ConditionalOperator";
	if (raw->attributes_to_get.is_set)
		return "AttributesToGet";
	return NULL;
}

static bool check_segments(const struct raw_input *raw, struct api_error *error)
{
	if (raw->segment.is_set && !raw->total_segments.is_set)
		return refuse(error, API_MESSAGE_TOTAL_SEGMENTS_MISSING);
	if (!raw->total_segments.is_set)
		return true;
	if (!raw->segment.is_set)
		return refuse(error, API_MESSAGE_SEGMENT_MISSING);
	if (raw->segment.value < raw->total_segments.value)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_SEGMENT_TOO_HIGH, raw->segment.value,
		      raw->total_segments.value);
	return false;
}

/* The parameter that names attributes to return; NULL if there is none. */
static const char *projection_name(const struct raw_input *raw)
{
	if (raw->projection_expression.data != NULL)
		return "ProjectionExpression";
	return raw->attributes_to_get.is_set ? "AttributesToGet" : NULL;
}

static bool check_select(enum api_query_kind kind, const struct raw_input *raw, struct api_error *error)
{
	int select = api_enum_index(&select_enum, raw->select);
	const char *projection = projection_name(raw);

	if (select == SELECT_SPECIFIC && projection == NULL)
		return refuse(error, kind == API_QUERY ? API_MESSAGE_SELECT_NEEDS_ATTRIBUTES_QUERY
						       : API_MESSAGE_SELECT_NEEDS_ATTRIBUTES);
	if (select != SELECT_NONE && select != SELECT_SPECIFIC && projection != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_SELECT_WITH_ATTRIBUTES, projection,
			      select == SELECT_COUNT ? "only the Count" : select_values[select]);
		return false;
	}
	if (select == SELECT_ALL_PROJECTED && raw->index_name.data == NULL)
		return refuse(error, API_MESSAGE_SELECT_NEEDS_INDEX);
	return true;
}

static void fill_in(const struct raw_input *raw, struct api_query_input *out)
{
	*out = (struct api_query_input){
		.table_name = raw->table_name,
		.start_key = raw->start_key,
		.is_consistent = raw->consistent_read == JSON_TRUE,
		.is_backward = raw->scan_forward == JSON_FALSE,
		.counts_only = api_enum_index(&select_enum, raw->select) == SELECT_COUNT,
		.row_count_max = raw->limit.is_set ? (uint32_t)raw->limit.value : UINT32_MAX,
		.segment = raw->segment.is_set ? (uint32_t)raw->segment.value : 0,
		.segment_count = raw->total_segments.is_set ? (uint32_t)raw->total_segments.value : 1,
		.capacity = api_capacity_parse(raw->return_capacity),
	};
}

/* Some of the faults of a start key's values are told with their place, others are not. */
static void tell_wrong_value(struct api_error *error, const struct json_error *json)
{
	static const char *const bare[] = { "contains duplicates", "number set", "numeric value",
					    "significant digits", "number with magnitude" };
	bool is_bare = strcmp(json->parameter, "ExclusiveStartKey") != 0;

	for (size_t i = 0; i < ARRAY_COUNT(bare); i++)
		is_bare = is_bare || strstr(json->message, bare[i]) != NULL;
	if (!is_bare)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_START_KEY_INVALID ": %s",
			      json->message);
	api_error_from_json(error, json);
}

bool api_query_input_read(enum api_query_kind kind, struct slice body, struct arena *arena,
			  struct api_query_input *input_out, struct api_error *error)
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
	if (!check_constraints(kind, &raw, error))
		return false;
	unsupported = find_unsupported(&raw);
	if (unsupported != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_NOT_SUPPORTED, unsupported);
		return false;
	}
	if (status != ST_OK) {
		tell_wrong_value(error, &json);
		return false;
	}
	if (!check_segments(&raw, error) || !check_select(kind, &raw, error))
		return false;
	fill_in(&raw, input_out);
	return true;
}
