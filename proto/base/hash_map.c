#include "proto/base/hash_map.h"

#include <stdlib.h>

enum { CAPACITY_MIN = 16 };

void hash_map_init(struct hash_map *map, size_t count_max)
{
	*map = (struct hash_map){ .count_max = count_max };
}

void hash_map_close(struct hash_map *map)
{
	free(map->slots);
	*map = (struct hash_map){ .count_max = map->count_max };
}

/* Keys are often small successive numbers: spread them (the finalizer of MurmurHash3). */
static size_t home_of(const struct hash_map *map, uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdu;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53u;
	key ^= key >> 33;
	return (size_t)key & (map->capacity - 1);
}

/* The slot of key, or the free slot where it would go.  One slot is always free. */
static struct hash_map_slot *find(const struct hash_map *map, uint64_t key)
{
	size_t index = home_of(map, key);

	CHECK(map->count < map->capacity);
	while (map->slots[index].value != NULL && map->slots[index].key != key)
		index = (index + 1) & (map->capacity - 1);
	return &map->slots[index];
}

void *hash_map_get(const struct hash_map *map, uint64_t key)
{
	return map->count == 0 ? NULL : find(map, key)->value;
}

static enum status grow(struct hash_map *map)
{
	struct hash_map bigger = *map;

	bigger.capacity = map->capacity == 0 ? CAPACITY_MIN : 2 * map->capacity;
	bigger.slots = calloc(bigger.capacity, sizeof(struct hash_map_slot));
	if (bigger.slots == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].value != NULL)
			*find(&bigger, map->slots[i].key) = map->slots[i];
	}
	free(map->slots);
	*map = bigger;
	return ST_OK;
}

enum status hash_map_put(struct hash_map *map, uint64_t key, void *value)
{
	struct hash_map_slot *slot;

	CHECK(value != NULL);
	if (map->capacity > 0) {
		slot = find(map, key);
		if (slot->value != NULL) {
			slot->value = value;
			return ST_OK;
		}
	}
	if (map->count == map->count_max)
		return ST_TOO_BIG;
	/* At most three quarters full, so that probes stay short. */
	if (map->count + 1 > map->capacity / 4 * 3) {
		enum status status = grow(map);

		if (status != ST_OK)
			return status;
	}
	*find(map, key) = (struct hash_map_slot){ key, value };
	map->count++;
	return ST_OK;
}

/* Pull later slots of the same run back into the hole, so that no marker is needed. */
static void close_hole(struct hash_map *map, size_t hole)
{
	size_t mask = map->capacity - 1;
	size_t index = hole;

	for (;;) {
		size_t distance;

		index = (index + 1) & mask;
		if (map->slots[index].value == NULL)
			break;
		distance = (index - home_of(map, map->slots[index].key)) & mask;
		if (distance < ((index - hole) & mask))
			continue;
		map->slots[hole] = map->slots[index];
		hole = index;
	}
	map->slots[hole] = (struct hash_map_slot){ 0, NULL };
}

void *hash_map_remove(struct hash_map *map, uint64_t key)
{
	struct hash_map_slot *slot;
	void *value;

	if (map->count == 0)
		return NULL;
	slot = find(map, key);
	value = slot->value;
	if (value == NULL)
		return NULL;
	close_hole(map, (size_t)(slot - map->slots));
	map->count--;
	return value;
}

void *hash_map_next(const struct hash_map *map, size_t *cursor)
{
	while (*cursor < map->capacity) {
		void *value = map->slots[(*cursor)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}
