/* ReturnConsumedCapacity as asked for, and ConsumedCapacity as answered.
 *
 * Threads  pure functions.
 * Memory   appends to the writer's buf.
 * Source   "ConsumedCapacity", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_CAPACITY_H
#define COORDINATOR_API_API_CAPACITY_H

#include "coordinator/api/api_check.h"
#include "coordinator/json/json_writer.h"

enum api_capacity { API_CAPACITY_NONE, API_CAPACITY_TOTAL, API_CAPACITY_INDEXES };

/* "returnConsumedCapacity" is one of its three values. */
void api_capacity_check(struct api_check *check, struct slice value);
/* Absent or unknown: API_CAPACITY_NONE. */
enum api_capacity api_capacity_parse(struct slice value);

/* One ConsumedCapacity object, as a value.  Not for API_CAPACITY_NONE. */
void api_capacity_write(struct json_writer *writer, enum api_capacity capacity, struct slice table_name,
			uint64_t half_units);
/* The same as a member of that name; nothing for API_CAPACITY_NONE. */
void api_capacity_write_member(struct json_writer *writer, enum api_capacity capacity,
			       struct slice table_name, uint64_t half_units);

#endif
