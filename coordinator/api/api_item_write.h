/* PutItem, DeleteItem and UpdateItem.
 *
 *   read --> find table --> row key --> item_op --> answer
 *              |    ^                      |
 *              sync-+     table replaced --+ once
 *
 * Condition and update are decided by the leader of the item's partition, in the order of its log.
 * A table that turned out to be gone is looked up once more, since it may have been made anew.
 *
 * Threads  loop thread.
 * Memory   the HTTP request's arena.
 * Errors   answered through request->error; see api_request.h.
 * Source   "Amazon DynamoDB API reference".
 */
#ifndef COORDINATOR_API_API_ITEM_WRITE_H
#define COORDINATOR_API_API_ITEM_WRITE_H

#include "coordinator/api/api_request.h"

void api_item_write_put(struct api_request *request);
void api_item_write_delete(struct api_request *request);
void api_item_write_update(struct api_request *request);

#endif
