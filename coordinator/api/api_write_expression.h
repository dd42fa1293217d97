/* Condition and update of one write: texts or their old parameters in, compiled programs out.
 *
 * Threads  pure functions.
 * Memory   what is compiled borrows from the input and from the arena.
 * Errors   false with *error set.
 * Source   "Expressions" and "Legacy conditional parameters", Amazon DynamoDB developer guide.
 */
#ifndef COORDINATOR_API_API_WRITE_EXPRESSION_H
#define COORDINATOR_API_API_WRITE_EXPRESSION_H

#include "coordinator/api/api_error.h"
#include "coordinator/json/json_reader.h"
#include "proto/base/arena.h"
#include "proto/model/table_index.h"
#include "proto/wire/expr.pb-c.h"

/* As they stood in the request; a text is absent if its .data is NULL. */
struct api_write_expression_input {
	struct slice update; /* UpdateItem */
	struct slice condition;
	struct json_list names; /* of struct json_string_entry */
	struct slice values;    /* item bytes: a map of values */
	/* What expressions replaced. */
	struct json_list attribute_updates; /* of api_legacy_updates_type; UpdateItem */
	struct json_list expected;          /* of api_legacy_expected_type */
	struct slice conditional_operator;
};

struct api_write_programs {
	const Cleave__ExprCondition *condition; /* NULL: none */
	const Cleave__ExprUpdate *update;       /* UpdateItem: always */
};

/* Which parameters may come together.  is_update: the operation is UpdateItem. */
bool api_write_expression_check_mixed(const struct api_write_expression_input *input, bool is_update,
				      struct api_error *error) MUST_CHECK;
bool api_write_expression_compile(const struct api_write_expression_input *input, bool is_update,
				  struct arena *arena, struct api_write_programs *out,
				  struct api_error *error) MUST_CHECK;
/* What they may not do with the keys of the table and of its indexes (NULL: it has none). */
bool api_write_expression_check_schema(const struct api_write_programs *programs,
				       const struct table_schema *schema, const struct table_indexes *indexes,
				       struct api_error *error) MUST_CHECK;

#endif
