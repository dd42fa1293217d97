/* The expressions of one read: placeholders and texts in, compiled programs out; and which
 * parameters may come together.
 *
 * Threads  pure functions.
 * Memory   what is compiled borrows from the input and from the arena.
 * Errors   false with *error set, in the service's order: mixed parameters, placeholders without
 *          an expression, placeholders, the expressions, unused placeholders.
 * Source   "Expressions", Amazon DynamoDB developer guide.
 */
#ifndef COORDINATOR_API_API_EXPRESSION_H
#define COORDINATOR_API_API_EXPRESSION_H

#include "coordinator/api/api_error.h"
#include "coordinator/expr/expr_bind.h"
#include "coordinator/expr/expr_key.h"
#include "coordinator/expr/expr_mixed.h"
#include "coordinator/json/json_reader.h"
#include "proto/model/table_index.h"

/* As they stood in the request; a text is absent if its .data is NULL. */
struct api_expression_input {
	struct slice key_condition;
	struct slice filter;
	struct slice projection;
	struct json_list names; /* of struct json_string_entry */
	struct slice values;    /* item bytes: a map of values */
	/* What expressions replaced. */
	struct json_list key_conditions;    /* of api_condition_map_type */
	struct json_list filter_conditions; /* the same */
	struct slice conditional_operator;
	struct json_list attributes_to_get; /* of struct slice */
};

struct api_expressions {
	struct expr_key_terms key_terms; /* of the key condition */
	const Cleave__ExprCondition *filter;
	const Cleave__ExprProjection *projection;
	bool is_legacy_filter;
};

/* expressions, others: the parameters that the operation has, in its order. */
bool api_expression_check_mixed(const struct api_expression_input *input,
				const struct expr_parameter *expressions, uint32_t expression_count,
				const struct expr_parameter *others, uint32_t other_count,
				struct api_error *error) MUST_CHECK;
/* What expressions may not do with the keys of the table and of its indexes (NULL: none). */
bool api_expression_check_projection(const struct api_expressions *expressions,
				     const struct table_schema *schema, const struct table_indexes *indexes,
				     struct api_error *error) MUST_CHECK;
bool api_expression_check_filter(const struct api_expressions *expressions, const struct table_schema *schema,
				 const struct table_indexes *indexes, struct api_error *error) MUST_CHECK;
/* A Query's filter may not name the keys that it searches by. */
bool api_expression_check_filter_keys(const struct api_expressions *expressions,
				      const struct table_schema *schema, struct api_error *error) MUST_CHECK;
/* All of it: the old parameters first, in the order of GetItem and Scan. */
bool api_expression_compile(const struct api_expression_input *input, struct arena *arena,
			    struct api_expressions *out, struct api_error *error) MUST_CHECK;
/* Or its parts one by one, in an operation's own order, into what is zeroed before:
 * AttributesToGet; ConditionalOperator and QueryFilter or ScanFilter; the rest. */
bool api_expression_compile_names(const struct api_expression_input *input, struct arena *arena,
				  struct api_expressions *out, struct api_error *error) MUST_CHECK;
bool api_expression_compile_old_filter(const struct api_expression_input *input, struct arena *arena,
				       struct api_expressions *out, struct api_error *error) MUST_CHECK;
bool api_expression_compile_rest(const struct api_expression_input *input, struct arena *arena,
				 struct api_expressions *out, struct api_error *error) MUST_CHECK;
/* Is there no fault in ExpressionAttributeValues?  If there is, what is wrong with the placeholders
 * of both maps goes first; body: the request's. */
bool api_expression_check_values(const struct json_fault *faults, const struct json_list *names,
				 struct slice body, struct arena *arena, struct api_error *error) MUST_CHECK;

/* The key attributes of a schema, without those of another one (NULL: none); how many. */
uint32_t api_expression_keys(const struct table_schema *schema, const struct table_schema *other,
			     struct expr_key_attribute keys_out[LIMIT_KEY_ATTRIBUTE_COUNT]);

/* For expressions of other requests.  The placeholders, checked: */
enum status api_expression_bind(const struct json_list *names, struct slice values, struct arena *arena,
				struct expr_bind *bind, struct expr_error *error) MUST_CHECK;
/* What the compilers of coordinator/expr found; true if nothing. */
bool api_expression_take_error(enum status status, const struct expr_error *found,
			       struct api_error *error) MUST_CHECK;

#endif
