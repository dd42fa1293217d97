/* A table's record as the API's TableDescription.
 *
 * Threads  pure functions.
 * Memory   appends to the writer's buf.
 * Errors   sticky in the buf.
 * Source   "TableDescription", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_TABLE_WRITE_H
#define COORDINATOR_API_API_TABLE_WRITE_H

#include "coordinator/api/api_table_count.h"
#include "coordinator/json/json_writer.h"
#include "proto/catalog/catalog_info.h"

/* name: of the member that holds it, "Table" or "TableDescription".  counts: NULL if nobody asked. */
void api_table_write(struct json_writer *writer, const char *name, const struct table_info *table,
		     const Cleave__StatisticsReply *counts, const char *region);

#endif
