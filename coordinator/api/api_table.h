/* CreateTable, DescribeTable, ListTables, UpdateTable and DeleteTable.
 *
 * Reads are answered from the catalog's copy after a sync, so they see every change that was
 * acknowledged before, by whichever coordinator.  Changes go to the catalog's leader; all
 * attempts of one change carry the same request id.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Amazon DynamoDB API reference".
 */
#ifndef COORDINATOR_API_API_TABLE_H
#define COORDINATOR_API_API_TABLE_H

#include "coordinator/api/api_request.h"

void api_table_create(struct api_request *request);
void api_table_describe(struct api_request *request);
void api_table_list(struct api_request *request);
void api_table_update(struct api_request *request);
void api_table_delete(struct api_request *request);

#endif
