#include "proto/base/arena.h"

#include <stdlib.h>

enum { ARENA_CHUNK_SIZE = 4096, ARENA_ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t capacity;
	size_t used;
	size_t padding; /* keeps data 16-byte aligned */
	uint8_t data[];
};

void arena_init(struct arena *arena, size_t size_bytes_max)
{
	*arena = (struct arena){ .size_bytes_max = size_bytes_max };
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk != NULL) {
		struct arena_chunk *older = chunk->older;

		free(chunk);
		chunk = older;
	}
}

void arena_close(struct arena *arena)
{
	free_chunks(arena->chunk);
	arena->chunk = NULL;
	arena->used_bytes = 0;
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *oldest = arena->chunk;

	if (oldest == NULL)
		return;
	while (oldest->older != NULL) {
		struct arena_chunk *older = oldest->older;

		free(oldest);
		oldest = older;
	}
	if (oldest->capacity > ARENA_CHUNK_SIZE) {
		free(oldest);
		oldest = NULL;
	} else {
		oldest->used = 0;
	}
	arena->chunk = oldest;
	arena->used_bytes = oldest == NULL ? 0 : oldest->capacity;
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t size_bytes)
{
	size_t capacity = size_bytes > ARENA_CHUNK_SIZE ? size_bytes : ARENA_CHUNK_SIZE;
	struct arena_chunk *chunk;

	if (capacity > arena->size_bytes_max - arena->used_bytes)
		capacity = size_bytes;
	if (capacity > arena->size_bytes_max - arena->used_bytes)
		return NULL;
	chunk = malloc(sizeof(*chunk) + capacity);
	if (chunk == NULL)
		return NULL;
	chunk->older = arena->chunk;
	chunk->capacity = capacity;
	chunk->used = 0;
	arena->chunk = chunk;
	arena->used_bytes += capacity;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
	struct arena_chunk *chunk = arena->chunk;
	size_t rounded;
	void *start;

	if (size_bytes > arena->size_bytes_max)
		return NULL;
	rounded = (size_bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (chunk == NULL || rounded > chunk->capacity - chunk->used)
		chunk = add_chunk(arena, rounded);
	if (chunk == NULL)
		return NULL;
	start = chunk->data + chunk->used;
	chunk->used += rounded;
	return start;
}

void *arena_alloc_zeroed(struct arena *arena, size_t size_bytes)
{
	void *start = arena_alloc(arena, size_bytes);

	if (start != NULL)
		memset(start, 0, size_bytes);
	return start;
}

uint8_t *arena_copy(struct arena *arena, struct slice slice)
{
	uint8_t *start = arena_alloc(arena, slice.size + 1);

	if (start == NULL)
		return NULL;
	if (slice.size > 0)
		memcpy(start, slice.data, slice.size);
	start[slice.size] = 0;
	return start;
}
