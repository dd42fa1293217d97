/* What expressions may do with the attributes that are keys of the table or of an index.
 *
 * Threads  pure functions.
 * Memory   borrows only.
 * Errors   ST_INVALID with *error set.
 */
#ifndef COORDINATOR_EXPR_EXPR_SCHEMA_H
#define COORDINATOR_EXPR_EXPR_SCHEMA_H

#include "coordinator/expr/expr_key.h"

/* No update may change an attribute of the table's key. */
enum status expr_schema_check_update(const Cleave__ExprUpdate *update, const struct expr_key_attribute *keys,
				     uint32_t key_count, struct expr_error *error) MUST_CHECK;
/* What an update stores in an index's key must be of its type, as far as the update alone tells. */
enum status expr_schema_check_update_type(const Cleave__ExprUpdate *update,
					  const struct expr_key_attribute *key, struct slice index_name,
					  struct expr_error *error) MUST_CHECK;
/* Key attributes have no inside.  paths: those of a condition, update or projection. */
enum status expr_schema_check_scalars(const ProtobufCBinaryData *paths, size_t path_count,
				      const struct expr_key_attribute *keys, uint32_t key_count,
				      bool is_index, struct expr_error *error) MUST_CHECK;
/* A Query's filter may not name the keys that it searches by. */
enum status expr_schema_check_filter(const Cleave__ExprCondition *filter,
				     const struct expr_key_attribute *keys, uint32_t key_count,
				     bool is_legacy, struct expr_error *error) MUST_CHECK;

#endif
