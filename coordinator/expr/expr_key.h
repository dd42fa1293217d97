/* A Query's key condition: which partition, and which range of sort keys.
 *
 * Two steps, since DynamoDB looks at the condition's form before it looks for the table:
 *
 *   expr_condition_parse(&bind, EXPR_KEY_CONDITION, text, &condition)
 *   expr_key_read(condition, &terms, &error)           after expr_bind_finish()
 *   expr_key_check_simple(&terms, &error)              if a table is queried, not an index
 *   expr_key_match_partition(&terms, &key, &query, &error)
 *   expr_key_match_sort(&terms, &key, &query, &error)
 *
 * KeyConditions gives terms through expr_legacy_key_conditions().
 *
 * Each attribute of the partition key needs an equality.  Sort attributes are given from the first on without
 * a gap, and all but the last of those that are given by an equality.  The order of the terms does not
 * matter. A key of one and at most one attribute is held to the same rules, but the service has words of its
 * own there.
 *
 * Threads  pure functions.
 * Memory   terms and query borrow from the compiled condition.
 * Errors   ST_INVALID with *error set.
 */
#ifndef COORDINATOR_EXPR_EXPR_KEY_H
#define COORDINATOR_EXPR_EXPR_KEY_H

#include "coordinator/expr/expr_error.h"
#include "proto/model/item.h"
#include "proto/model/limits.h"
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
	struct expr_key_term terms[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint32_t count;
};

/* A key attribute of the table or index that is queried. */
struct expr_key_attribute {
	struct slice name;
	enum item_type type;
};

/* All of them, those of the partition key first. */
struct expr_key {
	struct expr_key_attribute attributes[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint32_t partition_count;
	uint32_t sort_count;
};

struct expr_key_query {
	struct item_value partition[LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT];
	uint32_t equal_count; /* sort attributes that are given by an equality, before the last one given */
	struct item_value equal[LIMIT_SORT_KEY_ATTRIBUTE_COUNT - 1];
	enum expr_key_op sort_op; /* of the sort attribute behind those */
	uint32_t sort_count;      /* values that sort_op takes: 0, 1 or 2 */
	struct item_value sort[2];
};

enum status expr_key_read(const Cleave__ExprCondition *condition, struct expr_key_terms *terms_out,
			  struct expr_error *error) MUST_CHECK;
/* No more terms than the key of a table has attributes. */
enum status expr_key_check_simple(const struct expr_key_terms *terms, struct expr_error *error) MUST_CHECK;
/* Fills in the partition, and no condition on sort attributes. */
enum status expr_key_match_partition(const struct expr_key_terms *terms, const struct expr_key *key,
				     struct expr_key_query *query_out, struct expr_error *error) MUST_CHECK;
/* Fills in the conditions on sort attributes, as far as there are any. */
enum status expr_key_match_sort(const struct expr_key_terms *terms, const struct expr_key *key,
				struct expr_key_query *query, struct expr_error *error) MUST_CHECK;

#endif
