/* KeySchema and AttributeDefinitions, of a table and of its indexes: rules and what they make.
 *
 * Threads  pure functions.
 * Memory   plain data.
 * Errors   false with *error set.
 * Source   "CreateTable", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_KEY_INPUT_H
#define COORDINATOR_API_API_KEY_INPUT_H

#include "coordinator/api/api_error.h"
#include "coordinator/api/api_table_raw.h"
#include "proto/model/table_schema.h"

enum { API_KEY_LIST_SIZE_MAX = 1024 };

/* "[a, b]" of the names of pairs; too long: cut. */
void api_key_input_print(const struct raw_pair *pairs, uint32_t count, char out[API_KEY_LIST_SIZE_MAX]);
/* The definition of an attribute, NULL if there is none. */
const struct raw_pair *api_key_input_definition(const struct json_list *definitions, struct slice name);
/* Of a table or a local index: each key is defined; the names differ, and so do the roles, in the right
 * order. */
bool api_key_input_check(const struct json_list *definitions, const struct json_list *keys,
			 struct api_error *error) MUST_CHECK;
/* Of a global index, which may have several of each role. */
bool api_key_input_check_global(const struct json_list *definitions, const struct json_list *keys,
				struct api_error *error) MUST_CHECK;
/* The schema of keys that were checked. */
bool api_key_input_schema(const struct json_list *definitions, const struct json_list *keys,
			  struct table_schema *schema_out, struct api_error *error) MUST_CHECK;
/* No attribute is defined twice. */
bool api_key_input_check_definitions(const struct json_list *definitions, struct api_error *error) MUST_CHECK;

#endif
