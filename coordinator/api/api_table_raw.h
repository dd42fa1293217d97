/* CreateTable and UpdateTable as their JSON has them, with the constraints of the API's model.
 *
 * Threads  plain data.
 * Memory   what is read borrows from the body and the arena.
 * Source   "CreateTable" and "UpdateTable", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_TABLE_RAW_H
#define COORDINATOR_API_API_TABLE_RAW_H

#include "coordinator/json/json_reader.h"

/* An element of AttributeDefinitions, KeySchema or Tags. */
struct raw_pair {
	struct slice name;
	struct slice value;
};

struct raw_units {
	struct json_number read;
	struct json_number write;
};

struct raw_projection {
	struct slice type;
	struct json_list attributes; /* of struct slice */
};

/* A parameter of which only is known whether it was there. */
struct raw_unread {
	uint64_t nothing;
};

/* An index; a local one has no units. */
struct raw_index {
	struct slice name;
	struct json_list keys; /* of struct raw_pair */
	struct raw_projection projection;
	bool has_projection;
	struct raw_units units;
	bool has_units;
	struct raw_unread on_demand_units;
	bool has_on_demand_units;
	struct raw_unread warm_units;
	bool has_warm_units;
};

/* An element of GlobalSecondaryIndexUpdates. */
struct raw_index_update {
	struct raw_index update; /* name and units */
	struct raw_index create;
	struct raw_index delete; /* name */
	bool has_update;
	bool has_create;
	bool has_delete;
};

struct raw_stream {
	enum json_bool is_on;
	struct slice view;
};

struct raw_encryption {
	enum json_bool is_on;
	struct slice type;
	struct slice key;
};

struct raw_table {
	struct slice name;
	struct json_list definitions; /* of struct raw_pair */
	struct json_list keys;        /* of struct raw_pair */
	struct slice billing_mode;
	struct raw_units units;
	bool has_units;
	struct raw_units on_demand_units;
	bool has_on_demand_units;
	struct json_list local_indexes;  /* of struct raw_index */
	struct json_list global_indexes; /* of struct raw_index */
	struct json_list index_updates;  /* of struct raw_index_update */
	struct raw_stream stream;
	bool has_stream;
	struct raw_encryption encryption;
	bool has_encryption;
	struct json_list tags; /* of struct raw_pair */
	struct slice table_class;
	enum json_bool deletion_protection;
	/* Not there yet. */
	struct json_list replica_updates;
	struct json_list witness_updates;
	struct slice consistency;
	struct slice replication_mode;
	struct slice resource_policy;
	struct raw_unread warm_units;
	bool has_warm_units;
};

extern const struct json_type api_table_raw_create; /* struct raw_table */
extern const struct json_type api_table_raw_update; /* struct raw_table */
extern const struct json_type api_table_raw_tags;   /* LIST of struct raw_pair */

#endif
