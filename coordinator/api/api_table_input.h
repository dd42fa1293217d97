/* What the table operations were asked for: from JSON to checked parameters.
 *
 * Parameters of features that are not there yet are refused by name, never ignored.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.
 * Source   "CreateTable" and "UpdateTable", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_TABLE_INPUT_H
#define COORDINATOR_API_API_TABLE_INPUT_H

#include "coordinator/api/api_index_input.h"
#include "proto/catalog/catalog_info.h"

/* The most that an on-demand table gives; 0: no such limit. */
struct api_table_maximum {
	bool is_set;
	uint64_t units;
};

/* CreateTable, and what UpdateTable changes. */
struct api_table_input {
	struct slice name; /* as given: a name or an ARN */
	struct table_schema schema;
	const struct table_indexes *indexes; /* CreateTable; NULL: none */
	bool has_billing_mode;
	bool is_on_demand; /* CreateTable, or if has_billing_mode */
	bool has_units;
	uint64_t read_units;
	uint64_t write_units;
	struct api_table_maximum read_maximum;
	struct api_table_maximum write_maximum;
	enum json_bool deletion_protection;
	struct slice table_class; /* data is NULL if not given */
	enum json_bool encryption;
	struct slice encryption_key; /* data is NULL if not given */
	struct slice tags;           /* CreateTable: packed, for table_info.tags */
	bool stream_off;             /* UpdateTable: of which there is none */
	struct api_index_updates index_updates;
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

#endif
