/* Item requests of coordinators: decode, run, encode the answer.
 *
 * Threads  loop thread.
 * Memory   each request is held by an operation of its own until it is answered.
 */
#ifndef NODE_SERVER_HANDLE_ITEM_H
#define NODE_SERVER_HANDLE_ITEM_H

#include "node/partition/partition_table.h"
#include "proto/rpc/rpc.h"

struct handle_item {
	struct partition_table *partitions;
	struct buf reply;     /* reused: a reply is copied or sent at once */
	struct buf projected; /* reused: the part of an item that is sent */
	struct buf row_key;   /* reused by the check of each write */
	struct queue spares;  /* operations kept for reuse */
	uint32_t spare_count;
};

enum { HANDLE_ITEM_SPARES_MAX = 256 };

void handle_item_init(struct handle_item *items, struct partition_table *partitions);
void handle_item_close(struct handle_item *items);
void handle_item_get(struct handle_item *items, struct rpc_request *request);
void handle_item_write(struct handle_item *items, struct rpc_request *request);

#endif
