#include "proto/wire/proto_arena.h"

static void *allocate(void *arena, size_t size_bytes)
{
	return arena_alloc(arena, size_bytes);
}

static void release(void *arena, void *memory)
{
	(void)arena; /* everything goes at once with the arena */
	(void)memory;
}

ProtobufCAllocator proto_arena_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){ .alloc = allocate, .free = release, .allocator_data = arena };
}
