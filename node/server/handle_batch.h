/* Reads of many single items for coordinators: decode, run off the loop, encode the answer.
 *
 * Threads  loop thread.
 * Memory   each request is held by an operation of its own until it is answered.
 * Errors   what a hostile coordinator sends is answered ST_INVALID.
 */
#ifndef NODE_SERVER_HANDLE_BATCH_H
#define NODE_SERVER_HANDLE_BATCH_H

#include "node/partition/partition_table.h"
#include "proto/rpc/rpc.h"

void handle_batch_get(const struct partition_table *partitions, struct rpc_request *request);

#endif
