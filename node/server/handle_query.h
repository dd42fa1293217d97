/* Reads of many rows for coordinators: decode, run off the loop, encode the answer.
 *
 * Threads  loop thread.
 * Memory   each request is held by an operation of its own until it is answered.
 * Errors   what a hostile coordinator sends is answered ST_INVALID; what it asks for is cut to
 *          the limits of item_scan.h.
 */
#ifndef NODE_SERVER_HANDLE_QUERY_H
#define NODE_SERVER_HANDLE_QUERY_H

#include "node/partition/partition_table.h"
#include "proto/rpc/rpc.h"

void handle_query_range(const struct partition_table *partitions, struct rpc_request *request);

#endif
