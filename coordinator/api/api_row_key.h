/* The row key of an item or key in a request.
 *
 * Threads  loop thread.
 * Memory   the key lies in the request's arena.
 * Errors   false, with request->error set where the client is to blame.
 */
#ifndef COORDINATOR_API_API_ROW_KEY_H
#define COORDINATOR_API_API_ROW_KEY_H

#include "coordinator/api/api_request.h"

/* Of an item, which has more attributes than its key. */
bool api_row_key_of_item(struct api_request *request, const struct table_info *table, struct slice item,
			 struct slice *row_key_out) MUST_CHECK;
/* The same in a batch, where a missing or wrongly typed key is told as of a key. */
bool api_row_key_of_batch_item(struct api_request *request, const struct table_info *table, struct slice item,
			       struct slice *row_key_out) MUST_CHECK;
/* Of a key: its attributes and no others. */
bool api_row_key_of_key(struct api_request *request, const struct table_info *table, struct slice key,
			struct slice *row_key_out) MUST_CHECK;

#endif
