/* Query and Scan.
 *
 *   read --> find table --> range --> query_op --> answer
 *              |    ^                    |
 *              sync-+   table replaced --+ once
 *
 * As api_item.h.  A page's rows are kept as they came and become JSON in the answer's buffer.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Amazon DynamoDB API reference".
 */
#ifndef COORDINATOR_API_API_QUERY_H
#define COORDINATOR_API_API_QUERY_H

#include "coordinator/api/api_request.h"

void api_query_query(struct api_request *request);
void api_query_scan(struct api_request *request);

#endif
