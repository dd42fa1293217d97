/* ReturnConsumedCapacity as asked for, and ConsumedCapacity as answered.
 *
 * Threads  pure functions.
 * Memory   appends to the writer's buf.
 * Source   "ConsumedCapacity", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_CAPACITY_H
#define COORDINATOR_API_API_CAPACITY_H

#include "coordinator/json/json_writer.h"

enum api_capacity { API_CAPACITY_NONE, API_CAPACITY_TOTAL, API_CAPACITY_INDEXES };

/* Absent or unknown: API_CAPACITY_NONE. */
enum api_capacity api_capacity_parse(struct slice value);

/* What an operation cost in one index. */
struct api_capacity_arm {
	struct slice index_name;
	bool is_local;
	uint64_t half_units;
};

struct api_capacity_use {
	struct slice table_name;
	uint64_t half_units; /* of the table itself */
	const struct api_capacity_arm *arms;
	uint32_t arm_count;
};

/* One ConsumedCapacity object, as a value, and as a member of that name; the member is left out for
 * API_CAPACITY_NONE, and the value is not for it. */
void api_capacity_write_use(struct json_writer *writer, enum api_capacity capacity,
			    const struct api_capacity_use *use);
void api_capacity_write_use_member(struct json_writer *writer, enum api_capacity capacity,
				   const struct api_capacity_use *use);

/* The same of a table whose indexes are not touched. */
void api_capacity_write(struct json_writer *writer, enum api_capacity capacity, struct slice table_name,
			uint64_t half_units);
void api_capacity_write_member(struct json_writer *writer, enum api_capacity capacity,
			       struct slice table_name, uint64_t half_units);

#endif
