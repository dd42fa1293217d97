#include "coordinator/api/api_type.h"

#include "proto/model/limits.h"

#define NAME_BOUNDS                                                                                          \
	.has_bounds = true, .min = LIMIT_TABLE_NAME_SIZE_BYTES_MIN, .max = LIMIT_TABLE_NAME_SIZE_BYTES_MAX

static const char *const capacity[] = { "INDEXES", "TOTAL", "NONE", NULL };
const struct json_values api_values_capacity = { capacity, "[INDEXES, TOTAL, NONE]" };
static const struct json_rule capacity_rule = { .values = &api_values_capacity };
const struct json_type api_type_capacity = API_TYPE_STRING(&capacity_rule);

static const char *const metrics[] = { "SIZE", "NONE", NULL };
static const struct json_values metrics_values = { metrics, "[SIZE, NONE]" };
static const struct json_rule metrics_rule = { .values = &metrics_values };
const struct json_type api_type_metrics = API_TYPE_STRING(&metrics_rule);

static const char *const operators[] = { "OR", "AND", NULL };
static const struct json_values operator_values = { operators, "[OR, AND]" };
static const struct json_rule operator_rule = { .values = &operator_values };
const struct json_type api_type_operator = API_TYPE_STRING(&operator_rule);

static const char *const comparisons[] = { "IN",          "NULL", "BETWEEN",  "LT", "NOT_CONTAINS",
					   "EQ",          "GT",   "NOT_NULL", "NE", "LE",
					   "BEGINS_WITH", "GE",   "CONTAINS", NULL };
const struct json_values api_values_comparison = {
	comparisons,
	"[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"
};
static const struct json_rule comparison_rule = { .values = &api_values_comparison };
const struct json_type api_type_comparison = API_TYPE_STRING(&comparison_rule);

static const struct json_rule table_rule = { .pattern = JSON_PATTERN_TABLE, NAME_BOUNDS };
const struct json_type api_type_table = API_TYPE_STRING(&table_rule);

static const struct json_rule control_table_rule = { .pattern = JSON_PATTERN_TABLE };
const struct json_type api_type_control_table = API_TYPE_STRING(&control_table_rule);

static const struct json_rule index_name_rule = { .pattern = JSON_PATTERN_NAME, NAME_BOUNDS };
const struct json_type api_type_index_name = API_TYPE_STRING(&index_name_rule);

static const struct json_rule attribute_name_rule = API_RULE_BOUNDS(1, LIMIT_KEY_NAME_SIZE_BYTES);
const struct json_type api_type_attribute_name = API_TYPE_STRING(&attribute_name_rule);

static const struct json_rule attributes_to_get_rule = API_RULE_BOUNDS(1, LIMIT_ATTRIBUTES_TO_GET_COUNT);
const struct json_type api_type_attributes_to_get = API_TYPE_LIST(&json_type_string, &attributes_to_get_rule);
