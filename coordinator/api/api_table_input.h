/* What the table operations were asked for: from JSON to checked parameters.
 *
 * Parameters of features that are not there yet are refused by name, never ignored.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.
 */
#ifndef COORDINATOR_API_API_TABLE_INPUT_H
#define COORDINATOR_API_API_TABLE_INPUT_H

#include "coordinator/api/api_error.h"
#include "coordinator/json/json_reader.h"
#include "proto/catalog/catalog_info.h"

/* CreateTable, and what UpdateTable changes. */
struct api_table_input {
	struct slice name;
	struct table_schema schema; /* CreateTable */
	bool has_billing_mode;
	bool is_on_demand; /* CreateTable, or if has_billing_mode */
	bool has_units;
	uint64_t read_units;
	uint64_t write_units;
	enum json_bool deletion_protection;
	struct slice table_class; /* data is NULL if not given */
};

struct api_list_input {
	struct slice start_after; /* data is NULL: from the first */
	uint32_t limit;
};

bool api_table_input_create(struct slice body, struct arena *arena, struct api_table_input *input_out,
			    struct api_error *error) MUST_CHECK;
bool api_table_input_update(struct slice body, struct arena *arena, struct api_table_input *input_out,
			    struct api_error *error) MUST_CHECK;
/* DescribeTable and DeleteTable: java_name is "DescribeTableInput" or "DeleteTableInput". */
bool api_table_input_name(const char *java_name, struct slice body, struct arena *arena,
			  struct slice *name_out, struct api_error *error) MUST_CHECK;
bool api_table_input_list(struct slice body, struct arena *arena, struct api_list_input *input_out,
			  struct api_error *error) MUST_CHECK;
/* What the table will be after the update; false if it may not become that. */
bool api_table_input_apply(const struct api_table_input *input, struct table_info *table,
			   struct api_error *error) MUST_CHECK;

#endif
