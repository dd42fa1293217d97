/* A bounded open-addressing map from 64-bit keys to pointers.
 *
 * Threads  none of its own.
 * Memory   the map owns its slots, never the values.
 * Errors   hash_map_put() gives ST_TOO_BIG at the limit given at birth, ST_NO_MEMORY.
 */
#ifndef PROTO_BASE_HASH_MAP_H
#define PROTO_BASE_HASH_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/check.h"
#include "proto/base/status.h"

struct hash_map_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

struct hash_map {
	struct hash_map_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
	size_t count_max;
};

void hash_map_init(struct hash_map *map, size_t count_max);
void hash_map_close(struct hash_map *map);
/* NULL if absent. */
void *hash_map_get(const struct hash_map *map, uint64_t key);
/* Insert or replace; value must not be NULL. */
enum status hash_map_put(struct hash_map *map, uint64_t key, void *value) MUST_CHECK;
/* The removed value, NULL if absent. */
void *hash_map_remove(struct hash_map *map, uint64_t key);
/* Iterate: start with *cursor = 0; NULL at the end.  The map must not change between. */
void *hash_map_next(const struct hash_map *map, size_t *cursor);

#endif
