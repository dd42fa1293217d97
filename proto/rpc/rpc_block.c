#include "proto/rpc/rpc_block.h"

#include <stdlib.h>

#include "proto/base/check.h"

struct rpc_block *rpc_block_create(size_t capacity)
{
	struct rpc_block *block = malloc(sizeof(*block) + capacity);

	if (block == NULL)
		return NULL;
	block->holder_count = 1;
	block->capacity = capacity;
	block->size = 0;
	return block;
}

struct rpc_block *rpc_block_hold(struct rpc_block *block)
{
	CHECK(block->holder_count > 0 && block->holder_count < UINT32_MAX);
	block->holder_count++;
	return block;
}

void rpc_block_release(struct rpc_block *block)
{
	if (block == NULL)
		return;
	CHECK(block->holder_count > 0);
	block->holder_count--;
	if (block->holder_count == 0)
		free(block);
}
