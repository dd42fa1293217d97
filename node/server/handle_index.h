/* Rows of global indexes, from the nodes that feed them.
 *
 * Threads  loop thread.
 */
#ifndef NODE_SERVER_HANDLE_INDEX_H
#define NODE_SERVER_HANDLE_INDEX_H

#include "node/partition/partition_table.h"
#include "proto/rpc/rpc.h"

/* METHOD_WRITE_INDEX_ROWS; answered when the rows are applied here. */
void handle_index_write(const struct partition_table *partitions, struct rpc_request *request);

#endif
