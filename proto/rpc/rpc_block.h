/* A block of bytes read from a socket, shared by the requests whose bodies lie in it.
 *
 * Threads  loop thread: the count of holders is not atomic.
 * Memory   freed by the last rpc_block_release().
 */
#ifndef PROTO_RPC_RPC_BLOCK_H
#define PROTO_RPC_RPC_BLOCK_H

#include <stddef.h>
#include <stdint.h>

struct rpc_block {
	uint32_t holder_count;
	size_t capacity;
	size_t size; /* bytes filled */
	uint8_t data[];
};

/* One holder: the caller.  NULL without memory. */
struct rpc_block *rpc_block_create(size_t capacity);
struct rpc_block *rpc_block_hold(struct rpc_block *block);
/* NULL is fine. */
void rpc_block_release(struct rpc_block *block);

#endif
