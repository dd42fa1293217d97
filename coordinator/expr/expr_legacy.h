/* The parameters that expressions replaced, to the same compiled forms.
 *
 * The API reads them from JSON into the structs below; conditions on attributes stand in the
 * order of the request.
 *
 * Threads  pure functions.
 * Memory   compiled forms lie in the arena and borrow values from the input.
 * Errors   ST_INVALID with *error set, DynamoDB's text in full; ST_NO_MEMORY.
 * Source   "Legacy conditional parameters", AWS's documentation.
 */
#ifndef COORDINATOR_EXPR_EXPR_LEGACY_H
#define COORDINATOR_EXPR_EXPR_LEGACY_H

#include "coordinator/expr/expr_key.h"
#include "proto/base/arena.h"

enum expr_comparison {
	EXPR_COMPARISON_NONE,
	EXPR_COMPARISON_EQ,
	EXPR_COMPARISON_NE,
	EXPR_COMPARISON_LE,
	EXPR_COMPARISON_LT,
	EXPR_COMPARISON_GE,
	EXPR_COMPARISON_GT,
	EXPR_COMPARISON_NOT_NULL,
	EXPR_COMPARISON_NULL,
	EXPR_COMPARISON_CONTAINS,
	EXPR_COMPARISON_NOT_CONTAINS,
	EXPR_COMPARISON_BEGINS_WITH,
	EXPR_COMPARISON_IN,
	EXPR_COMPARISON_BETWEEN,
};

/* EXPR_COMPARISON_NONE if the name is none. */
enum expr_comparison expr_legacy_comparison(struct slice name);

/* A Condition, or an ExpectedAttributeValue. */
struct expr_legacy_condition {
	struct slice name;
	enum expr_comparison comparison; /* NONE: there was no ComparisonOperator */
	bool has_list;                   /* AttributeValueList was there, empty or not */
	uint32_t value_count;
	const struct slice *values; /* encoded, each sound */
	/* Expected only. */
	struct slice value; /* Value; .data == NULL: none */
	bool has_exists;
	bool exists;
};

struct expr_legacy_conditions {
	const struct expr_legacy_condition *conditions;
	uint32_t count;
	bool is_or; /* ConditionalOperator */
};

enum expr_legacy_action_kind { EXPR_LEGACY_PUT, EXPR_LEGACY_ADD, EXPR_LEGACY_DELETE };

/* An AttributeValueUpdate. */
struct expr_legacy_action {
	struct slice name;
	enum expr_legacy_action_kind kind;
	struct slice value; /* encoded; .data == NULL: none */
};

/* Expected.  *condition_out is NULL if there is nothing to expect. */
enum status expr_legacy_expected(struct arena *arena, const struct expr_legacy_conditions *expected,
				 Cleave__ExprCondition **condition_out, struct expr_error *error) MUST_CHECK;
/* QueryFilter, ScanFilter.  *filter_out is NULL if there is nothing to filter by. */
enum status expr_legacy_filter(struct arena *arena, const struct expr_legacy_conditions *filter,
			       Cleave__ExprCondition **filter_out, struct expr_error *error) MUST_CHECK;
/* KeyConditions, to be given to expr_key_match_partition() and _sort(). */
enum status expr_legacy_key_conditions(const struct expr_legacy_conditions *keys,
				       struct expr_key_terms *terms_out, struct expr_error *error) MUST_CHECK;
/* AttributeUpdates; also none at all is an update. */
enum status expr_legacy_updates(struct arena *arena, const struct expr_legacy_action *actions,
				uint32_t action_count, Cleave__ExprUpdate **update_out,
				struct expr_error *error) MUST_CHECK;
/* ConditionalOperator was there: the conditions that it joins must be two at least. */
enum status expr_legacy_check_operator(uint32_t condition_count, struct expr_error *error) MUST_CHECK;

#endif
