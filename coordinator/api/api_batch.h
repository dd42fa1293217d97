/* BatchGetItem.
 *
 *   read --> find tables --> row keys --> batch_op --> answer
 *              |    ^                        |
 *              sync-+     table replaced ----+ once
 *
 * Keys that could not be read in time, or for which the answer has no room, come back as
 * UnprocessedKeys; only if that would be all of them the request fails.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Amazon DynamoDB API reference".
 */
#ifndef COORDINATOR_API_API_BATCH_H
#define COORDINATOR_API_API_BATCH_H

#include "coordinator/api/api_request.h"

void api_batch_get(struct api_request *request);

#endif
