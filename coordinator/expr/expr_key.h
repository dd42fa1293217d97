/* A Query's key condition: which partition, and which range of sort keys.
 *
 * Two steps, since DynamoDB looks at the condition's form before it looks for the table:
 *
 *   expr_condition_parse(&bind, EXPR_KEY_CONDITION, text, &condition)
 *   expr_key_read(condition, &terms, &error)           after expr_bind_finish()
 *   expr_key_match_partition(&terms, partition, has_sort, &query, &error)
 *   expr_key_match_sort(&terms, sort, &query, &error)   if the schema has a sort key
 *
 * KeyConditions gives terms through expr_legacy_key_conditions().
 *
 * Threads  pure functions.
 * Memory   terms and query borrow from the compiled condition.
 * Errors   ST_INVALID with *error set.
 */
#ifndef COORDINATOR_EXPR_EXPR_KEY_H
#define COORDINATOR_EXPR_EXPR_KEY_H

#include "coordinator/expr/expr_error.h"
#include "proto/model/item.h"
#include "proto/wire/expr.pb-c.h"

enum expr_key_op {
	EXPR_KEY_NONE, /* all sort keys */
	EXPR_KEY_EQ,
	EXPR_KEY_LT,
	EXPR_KEY_LE,
	EXPR_KEY_GT,
	EXPR_KEY_GE,
	EXPR_KEY_BETWEEN, /* both ends included */
	EXPR_KEY_BEGINS_WITH,
	EXPR_KEY_UNUSABLE, /* KeyConditions only: an operator that no key can be searched by */
};

/* A condition on one attribute. */
struct expr_key_term {
	struct slice name;
	enum expr_key_op op;
	uint32_t value_count;   /* 1, or 2 of BETWEEN; 0 if unusable */
	struct slice values[2]; /* encoded */
};

struct expr_key_terms {
	struct expr_key_term terms[2];
	uint32_t count;
};

/* A key attribute of the table or index that is queried. */
struct expr_key_attribute {
	struct slice name;
	enum item_type type;
};

struct expr_key_query {
	struct item_value partition;
	enum expr_key_op sort_op;
	uint32_t sort_count; /* values that sort_op takes: 0, 1 or 2 */
	struct item_value sort[2];
};

enum status expr_key_read(const Cleave__ExprCondition *condition, struct expr_key_terms *terms_out,
			  struct expr_error *error) MUST_CHECK;
/* Fills in the partition, and no condition on sort keys. */
enum status expr_key_match_partition(const struct expr_key_terms *terms,
				     const struct expr_key_attribute *partition, bool has_sort,
				     struct expr_key_query *query_out, struct expr_error *error) MUST_CHECK;
/* Fills in the condition on sort keys, if there is one. */
enum status expr_key_match_sort(const struct expr_key_terms *terms, const struct expr_key_attribute *sort,
				struct expr_key_query *query, struct expr_error *error) MUST_CHECK;

#endif
