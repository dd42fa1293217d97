/* The answer to a read or write that did not come about, with a hint where to ask instead.
 *
 * Threads  loop thread.
 */
#ifndef NODE_SERVER_REPLY_FAILURE_H
#define NODE_SERVER_REPLY_FAILURE_H

#include "node/partition/partition_table.h"
#include "proto/rpc/rpc.h"

/* status is not ST_OK.  what ("read failed") goes to the log if neither the caller nor a retry
 * brings the failure about. */
void reply_failure_send(const struct partition_table *partitions, struct rpc_request *request,
			enum status status, uint64_t partition_id, const char *what);

#endif
