/* Types of the API's model that several operations share, with their constraints.
 *
 * Threads  constants only.
 * Source   "Amazon DynamoDB API reference"; enumerations in the order in which the service tells them.
 */
#ifndef COORDINATOR_API_API_TYPE_H
#define COORDINATOR_API_API_TYPE_H

#include "coordinator/json/json_reader.h"

/* A STRING with constraints. */
#define API_TYPE_STRING(string_rule)                                                                         \
	{                                                                                                    \
		.kind = JSON_KIND_STRING, .size_bytes = sizeof(struct slice), .rule = (string_rule)          \
	}
#define API_TYPE_INTEGER(integer_rule)                                                                       \
	{                                                                                                    \
		.kind = JSON_KIND_INTEGER, .size_bytes = sizeof(struct json_number), .rule = (integer_rule)  \
	}
#define API_TYPE_LONG(long_rule)                                                                             \
	{                                                                                                    \
		.kind = JSON_KIND_LONG, .size_bytes = sizeof(struct json_number), .rule = (long_rule)        \
	}
#define API_TYPE_LIST(element_type, list_rule)                                                               \
	{                                                                                                    \
		.kind = JSON_KIND_LIST, .size_bytes = sizeof(struct json_list), .element = (element_type),   \
		.rule = (list_rule)                                                                          \
	}
#define API_TYPE_MAP(element_type, map_rule)                                                                 \
	{                                                                                                    \
		.kind = JSON_KIND_MAP, .size_bytes = sizeof(struct json_list), .element = (element_type),    \
		.rule = (map_rule)                                                                           \
	}
#define API_RULE_BOUNDS(lowest, highest)                                                                     \
	{                                                                                                    \
		.has_bounds = true, .min = (lowest), .max = (highest)                                        \
	}
#define API_RULE_BARE(lowest, highest)                                                                       \
	{                                                                                                    \
		.has_bounds = true, .min = (lowest), .max = (highest), .is_bare = true                       \
	}

extern const struct json_type api_type_table;             /* a name, or the ARN of a table */
extern const struct json_type api_type_control_table;     /* the same, whose length was judged before */
extern const struct json_type api_type_index_name;        /* or a table's: no ARN */
extern const struct json_type api_type_attribute_name;    /* of a key, or projected */
extern const struct json_type api_type_attributes_to_get; /* LIST of STRING */
extern const struct json_type api_type_capacity;          /* ReturnConsumedCapacity */
extern const struct json_type api_type_metrics;           /* ReturnItemCollectionMetrics */
extern const struct json_type api_type_operator;          /* ConditionalOperator */
extern const struct json_type api_type_comparison;        /* ComparisonOperator */

extern const struct json_values api_values_capacity;
extern const struct json_values api_values_comparison;

#endif
