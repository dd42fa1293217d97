#include "coordinator/api/api_query_input.h"

#include <inttypes.h>

#include "coordinator/api/api_condition.h"
#include "coordinator/api/api_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_type.h"

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

enum { SELECT_SPECIFIC, SELECT_COUNT, SELECT_ALL, SELECT_ALL_PROJECTED, SELECT_NONE = -1 };

static const char *const select_names[] = {
	[SELECT_SPECIFIC] = "SPECIFIC_ATTRIBUTES",
	[SELECT_COUNT] = "COUNT",
	[SELECT_ALL] = "ALL_ATTRIBUTES",
	[SELECT_ALL_PROJECTED] = "ALL_PROJECTED_ATTRIBUTES",
	NULL,
};
static const struct json_values select_values = {
	select_names, "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
};
static const struct json_rule select_rule = { .values = &select_values };
static const struct json_type select_type = API_TYPE_STRING(&select_rule);
static const struct json_rule limit_rule = API_RULE_BOUNDS(1, INT32_MAX);
static const struct json_type limit_type = API_TYPE_INTEGER(&limit_rule);
static const struct json_rule query_limit_rule = API_RULE_BARE(1, INT32_MAX);
static const struct json_type query_limit_type = API_TYPE_INTEGER(&query_limit_rule);
static const struct json_rule segment_rule = API_RULE_BOUNDS(0, LIMIT_SCAN_SEGMENT_COUNT - 1);
static const struct json_type segment_type = API_TYPE_INTEGER(&segment_rule);
static const struct json_rule segment_count_rule = API_RULE_BOUNDS(1, LIMIT_SCAN_SEGMENT_COUNT);
static const struct json_type segment_count_type = API_TYPE_INTEGER(&segment_count_rule);

/* Each operation has its fields in the service's order of constraints. */
#define FIELD(name, type, member) JSON_FIELD(struct raw_input, name, type, member)
#define FIRST_FIELDS                                                                                         \
	FIELD("Select", &select_type, select), FIELD("IndexName", &api_type_index_name, index_name)
#define MIDDLE_FIELDS                                                                                        \
	JSON_FIELD_REQUIRED(struct raw_input, "TableName", &api_type_table, table_name),                     \
		FIELD("ConditionalOperator", &api_type_operator, expressions.conditional_operator)
#define NAMES_FIELD FIELD("AttributesToGet", &api_type_attributes_to_get, expressions.attributes_to_get)
#define LAST_FIELDS                                                                                          \
	FIELD("ExclusiveStartKey", &json_type_item, start_key),                                              \
		FIELD("ConsistentRead", &json_type_bool, consistent_read),                                   \
		FIELD("FilterExpression", &json_type_string, expressions.filter),                            \
		FIELD("ProjectionExpression", &json_type_string, expressions.projection),                    \
		FIELD("ExpressionAttributeNames", &json_type_string_map, expressions.names),                 \
		FIELD("ExpressionAttributeValues", &json_type_item, expressions.values)

static const struct json_field query_fields[] = {
	FIRST_FIELDS,
	FIELD("ReturnConsumedCapacity", &api_type_capacity, return_capacity),
	FIELD("QueryFilter", &api_condition_map_type, expressions.filter_conditions),
	MIDDLE_FIELDS,
	NAMES_FIELD,
	FIELD("Limit", &query_limit_type, limit),
	FIELD("KeyConditions", &api_condition_map_type, expressions.key_conditions),
	LAST_FIELDS,
	FIELD("ScanIndexForward", &json_type_bool, scan_forward),
	FIELD("KeyConditionExpression", &json_type_string, expressions.key_condition),
};
static const struct json_field scan_fields[] = {
	FIRST_FIELDS,
	FIELD("TotalSegments", &segment_count_type, total_segments),
	FIELD("ReturnConsumedCapacity", &api_type_capacity, return_capacity),
	MIDDLE_FIELDS,
	FIELD("ScanFilter", &api_condition_map_type, expressions.filter_conditions),
	FIELD("Segment", &segment_type, segment),
	FIELD("Limit", &limit_type, limit),
	NAMES_FIELD,
	LAST_FIELDS,
};
static const struct json_type input_types[] = {
	[API_QUERY] = JSON_STRUCT("QueryInput", struct raw_input, query_fields),
	[API_SCAN] = JSON_STRUCT("ScanInput", struct raw_input, scan_fields),
};

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
	int select = api_enum_index(&select_values, raw->select);
	const char *projection = projection_name(raw);

	if (select == SELECT_SPECIFIC && projection == NULL)
		return refuse(error, kind == API_QUERY ? API_MESSAGE_SELECT_NEEDS_ATTRIBUTES_QUERY
						       : API_MESSAGE_SELECT_NEEDS_ATTRIBUTES);
	if (select != SELECT_NONE && select != SELECT_SPECIFIC && projection != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_SELECT_WITH_ATTRIBUTES, projection,
			      select == SELECT_COUNT ? "only the Count" : select_names[select]);
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
		.counts_only = api_enum_index(&select_values, raw->select) == SELECT_COUNT,
		.wants_whole_items = api_enum_index(&select_values, raw->select) == SELECT_ALL,
		.row_count_max = raw->limit.is_set ? (uint32_t)raw->limit.value : UINT32_MAX,
		.segment = raw->segment.is_set ? (uint32_t)raw->segment.value : 0,
		.segment_count = raw->total_segments.is_set ? (uint32_t)raw->total_segments.value : 1,
		.capacity = api_capacity_parse(raw->return_capacity),
	};
}

/* Some of the faults of a start key's values are told with their place, others are not. */
static bool check_start_key(const struct json_fault *faults, struct api_error *error)
{
	static const char *const bare[] = { "contains duplicates", "number set", "numeric value",
					    "significant digits", "number with magnitude" };
	const struct json_fault *fault = api_input_fault(faults, "ExclusiveStartKey");
	bool is_bare = false;

	if (fault == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(bare); i++)
		is_bare = is_bare || strstr(fault->message, bare[i]) != NULL;
	api_error_set(error, API_ERROR_VALIDATION, "%s%s", is_bare ? "" : API_MESSAGE_START_KEY_INVALID ": ",
		      fault->message);
	return false;
}

/* AttributesToGet and the old filter: Query and Scan look at them in different order. */
static bool take_old(enum api_query_kind kind, const struct api_expression_input *input, struct arena *arena,
		     const struct json_fault *faults, struct api_expressions *out, struct api_error *error)
{
	if (kind == API_QUERY)
		return api_input_is_sound(faults, "QueryFilter", error) &&
		       api_expression_compile_old_filter(input, arena, out, error) &&
		       api_expression_compile_names(input, arena, out, error);
	return api_expression_compile_names(input, arena, out, error) &&
	       api_input_is_sound(faults, "ScanFilter", error) &&
	       api_expression_compile_old_filter(input, arena, out, error);
}

/* Of an index it depends on the index. */
static bool check_term_count(const struct api_query_input *input, struct api_error *error)
{
	struct expr_error found;

	expr_error_init(&found);
	return input->index_name.data != NULL ||
	       api_expression_take_error(expr_key_check_simple(&input->expressions.key_terms, &found), &found,
					 error);
}

/* All that can be said without the table, in the service's order. */
static bool check_parameters(enum api_query_kind kind, const struct raw_input *raw, struct slice body,
			     struct arena *arena, const struct json_fault *faults,
			     struct api_query_input *input_out, struct api_error *error)
{
	const struct api_expression_input *input = &raw->expressions;

	if (!check_mixed(kind, raw, error) ||
	    !take_old(kind, input, arena, faults, &input_out->expressions, error) ||
	    !check_start_key(faults, error) || !check_segments(raw, error))
		return false;
	if (kind == API_QUERY && input->key_condition.data == NULL && !input->key_conditions.is_set)
		return refuse(error, API_MESSAGE_KEY_CONDITION_MISSING);
	return api_expression_check_values(faults, &input->names, body, arena, error) &&
	       api_input_is_sound(faults, "KeyConditions", error) &&
	       api_expression_compile_rest(input, arena, &input_out->expressions, error) &&
	       check_term_count(input_out, error) && check_select(kind, raw, error);
}

bool api_query_input_read(enum api_query_kind kind, struct slice body, struct arena *arena,
			  struct api_query_input *input_out, struct api_error *error)
{
	const struct json_fault *faults;
	struct raw_input raw;

	if (!api_input_read(&input_types[kind], &raw, body, arena, &faults, error))
		return false;
	fill_in(&raw, input_out);
	return check_parameters(kind, &raw, body, arena, faults, input_out, error);
}
