/* Amazon Resource Names of tables and indexes: in requests, where a table's name may be taken
 * instead, and in answers.
 *
 *   arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE[/index/INDEX]
 *
 * Threads  pure functions.
 * Memory   what is parsed borrows from the text.
 * Errors   parsing: false.
 * Source   "Actions, resources, and condition keys for Amazon DynamoDB", AWS's documentation.
 */
#ifndef COORDINATOR_API_API_ARN_H
#define COORDINATOR_API_API_ARN_H

#include "coordinator/json/json_writer.h"
#include "proto/base/bytes.h"

/* Everything here belongs to one account. */
#define API_ARN_ACCOUNT "000000000000"

struct api_arn {
	struct slice region;
	struct slice account;
	struct slice table; /* a valid name */
	struct slice index; /* a valid name, or empty: the table itself */
};

/* Does it start as an ARN does?  No name can. */
bool api_arn_is_one(struct slice text);
bool api_arn_parse(struct slice text, struct api_arn *arn_out) MUST_CHECK;
/* The ARN of a table. */
bool api_arn_names_table(struct slice text) MUST_CHECK;
/* "TableArn": "arn:...:table/TABLE" */
void api_arn_write_table(struct json_writer *writer, const char *member, const char *region,
			 const char *table);
void api_arn_write_index(struct json_writer *writer, const char *member, const char *region,
			 const char *table, const char *index);

#endif
