/* BatchWriteItem.
 *
 *   read --> find tables --> row keys --> batch_write_op --> answer
 *              |    ^                           |
 *              sync-+  a table was replaced ----+ once, for the writes that met it
 *
 * What certainly had no effect, because nobody could take it in time, is answered as unprocessed.  If
 * nothing was written, or if a write may or may not have taken effect, the request as a whole fails.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "BatchWriteItem", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_BATCH_WRITE_H
#define COORDINATOR_API_API_BATCH_WRITE_H

#include "coordinator/api/api_request.h"

void api_batch_write_run(struct api_request *request);

#endif
