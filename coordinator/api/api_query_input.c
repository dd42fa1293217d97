#include "coordinator/api/api_query_input.h"

#include <inttypes.h>

#include "coordinator/api/api_condition.h"
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
	struct api_expression_input expressions;
};

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
		FIELD("FilterExpression", &json_type_string, expressions.filter),                            \
		FIELD("ProjectionExpression", &json_type_string, expressions.projection),                    \
		FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names),                 \
		FIELD("ExpressionAttributeValues", &json_type_item, expressions.values),                     \
		FIELD("ConditionalOperator", &json_type_string, expressions.conditional_operator),           \
		FIELD("AttributesToGet", &json_type_string_list, expressions.attributes_to_get)

static const struct json_field query_fields[] = {
	COMMON_FIELDS,
	FIELD("ScanIndexForward", &json_type_bool, scan_forward),
	FIELD("KeyConditionExpression", &json_type_string, expressions.key_condition),
	FIELD("KeyConditions", &api_condition_map_type, expressions.key_conditions),
	FIELD("QueryFilter", &api_condition_map_type, expressions.filter_conditions),
};
static const struct json_field scan_fields[] = {
	COMMON_FIELDS,
	FIELD("Segment", &json_type_integer, segment),
	FIELD("TotalSegments", &json_type_integer, total_segments),
	FIELD("ScanFilter", &api_condition_map_type, expressions.filter_conditions),
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
	if (kind == API_QUERY)
		api_condition_check(&check, "queryFilter", &raw->expressions.filter_conditions);
	api_check_required(&check, "tableName", raw->table_name.data != NULL);
	api_check_table_name(&check, "tableName", raw->table_name);
	api_check_enum(&check, "conditionalOperator", raw->expressions.conditional_operator, &operator_enum);
	api_check_count(&check, "attributesToGet", &raw->expressions.attributes_to_get, 1,
			LIMIT_ATTRIBUTES_TO_GET_COUNT);
	if (kind == API_QUERY)
		api_condition_check(&check, "keyConditions", &raw->expressions.key_conditions);
	else
		api_condition_check(&check, "scanFilter", &raw->expressions.filter_conditions);
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

static bool check_mixed(enum api_query_kind kind, const struct raw_input *raw, struct api_error *error)
{
	const struct api_expression_input *input = &raw->expressions;
	const struct expr_parameter expressions[] = {
		{ "ProjectionExpression", input->projection.data != NULL },
		{ "FilterExpression", input->filter.data != NULL },
		{ "KeyConditionExpression", input->key_condition.data != NULL },
	};
	const struct expr_parameter others[] = {
		{ "AttributesToGet", input->attributes_to_get.is_set },
		{ kind == API_QUERY ? "QueryFilter" : "ScanFilter", input->filter_conditions.is_set },
		{ "ConditionalOperator", input->conditional_operator.data != NULL },
		{ "KeyConditions", input->key_conditions.is_set },
	};
	uint32_t extra = kind == API_QUERY ? 1 : 0; /* the last of each is Query's */

	return api_expression_check_mixed(input, expressions, 2 + extra, others, 3 + extra, error);
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
	if (raw->expressions.projection.data != NULL)
		return "ProjectionExpression";
	return raw->expressions.attributes_to_get.is_set ? "AttributesToGet" : NULL;
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
		.index_name = raw->index_name,
		.start_key = raw->start_key,
		.is_consistent = raw->consistent_read == JSON_TRUE,
		.is_backward = raw->scan_forward == JSON_FALSE,
		.counts_only = api_enum_index(&select_enum, raw->select) == SELECT_COUNT,
		.wants_whole_items = api_enum_index(&select_enum, raw->select) == SELECT_ALL,
		.row_count_max = raw->limit.is_set ? (uint32_t)raw->limit.value : UINT32_MAX,
		.segment = raw->segment.is_set ? (uint32_t)raw->segment.value : 0,
		.segment_count = raw->total_segments.is_set ? (uint32_t)raw->total_segments.value : 1,
		.capacity = api_capacity_parse(raw->return_capacity),
	};
}

/* Some of the faults of a start key's values are told with their place, others are not. */
static void tell_wrong_start_key(struct api_error *error, const struct json_error *json)
{
	static const char *const bare[] = { "contains duplicates", "number set", "numeric value",
					    "significant digits", "number with magnitude" };
	bool is_bare = false;

	for (size_t i = 0; i < ARRAY_COUNT(bare); i++)
		is_bare = is_bare || strstr(json->message, bare[i]) != NULL;
	if (!is_bare)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_START_KEY_INVALID ": %s",
			      json->message);
	api_error_from_json(error, json);
}

static void tell_wrong_value(struct api_error *error, const struct json_error *json)
{
	if (strcmp(json->parameter, "ExclusiveStartKey") == 0)
		tell_wrong_start_key(error, json);
	else if (strcmp(json->parameter, "ExpressionAttributeValues") == 0)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_VALUES_INVALID, json->message,
			      json->attribute);
	else
		api_error_from_json(error, json);
}

/* All that can be said without the table, in the service's order. */
static bool check_parameters(enum api_query_kind kind, const struct raw_input *raw, struct arena *arena,
			     const struct json_error *json, struct api_query_input *input_out,
			     struct api_error *error)
{
	if (!check_mixed(kind, raw, error))
		return false;
	if (json->kind != JSON_ERROR_NONE) {
		tell_wrong_value(error, json);
		return false;
	}
	if (!check_segments(raw, error))
		return false;
	if (kind == API_QUERY && raw->expressions.key_condition.data == NULL &&
	    !raw->expressions.key_conditions.is_set)
		return refuse(error, API_MESSAGE_KEY_CONDITION_MISSING);
	return api_expression_compile(&raw->expressions, arena, &input_out->expressions, error) &&
	       check_select(kind, raw, error);
}

bool api_query_input_read(enum api_query_kind kind, struct slice body, struct arena *arena,
			  struct api_query_input *input_out, struct api_error *error)
{
	struct raw_input raw;
	struct json_error json;
	enum status status = json_read(&input_types[kind], &raw, body, arena, &json);

	if (status != ST_OK && json.kind != JSON_ERROR_VALIDATION) {
		api_error_from_json(error, &json);
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
		return false;
	}
	if (!check_constraints(kind, &raw, error))
		return false;
	fill_in(&raw, input_out);
	return check_parameters(kind, &raw, arena, &json, input_out, error);
}
