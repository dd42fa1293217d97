/* GetItem.
 *
 *   read --> find table --> row key --> item_op --> answer
 *              |    ^                      |
 *              sync-+     table replaced --+ once
 *
 * A table that the catalog's copy does not know is looked up once more after a sync; so is one
 * that turned out to be gone, since it may have been made anew under its old name.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Amazon DynamoDB API reference".
 */
#ifndef COORDINATOR_API_API_ITEM_H
#define COORDINATOR_API_API_ITEM_H

#include "coordinator/api/api_item_input.h"
#include "coordinator/api/api_request.h"

void api_item_get(struct api_request *request);

#endif
