/* Request-scoped memory: many small allocations, freed at once.
 *
 * Threads  an arena belongs to one thread at a time.
 * Memory   everything allocated lives until arena_reset() or arena_close().
 * Errors   NULL when the limit given at birth or the heap is exhausted.
 */
#ifndef PROTO_BASE_ARENA_H
#define PROTO_BASE_ARENA_H

#include <stddef.h>

#include "proto/base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* newest first */
	size_t used_bytes;         /* sum of all chunks */
	size_t size_bytes_max;
};

void arena_init(struct arena *arena, size_t size_bytes_max);
void arena_close(struct arena *arena);
/* Free all but one small chunk, so that a reused arena does not allocate. */
void arena_reset(struct arena *arena);
/* 16-byte aligned, not zeroed. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
void *arena_alloc_zeroed(struct arena *arena, size_t size_bytes);
/* A copy of the slice followed by a NUL that is not counted; NULL on failure. */
uint8_t *arena_copy(struct arena *arena, struct slice slice);

#endif
