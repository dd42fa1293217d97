/* An ordered map of one family that remembers versions: a skip list of keys, each with its
 * versions, newest first.  The height of a key comes from its hash, so equal content gives equal shape.
 *
 * Every batch has a sequence number.  A reader at number n sees of each key the newest version
 * at most n.  map_prune() forgets what no reader at or above the horizon can see;
 * map_roll_back() forgets what is newer than a number.
 *
 * Threads  none of its own: the user locks.
 * Memory   a version lives until it is unlinked and no reader holds it.
 * Errors   ST_NO_MEMORY.
 */
#ifndef STORAGE_ENGINE_ENGINE_MEMORY_MAP_H
#define STORAGE_ENGINE_ENGINE_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/queue.h"

enum { ENGINE_MEMORY_MAP_HEIGHT_MAX = 12 };

struct engine_memory_version {
	struct engine_memory_version *older;
	uint64_t sequence;
	uint32_t holder_count; /* the list itself and readers */
	bool is_deleted;
	size_t size;
	uint8_t bytes[];
};

struct engine_memory_node {
	struct engine_memory_version *newest;
	struct queue dirty_link; /* in map->dirty while there is more than one final version */
	const uint8_t *key_bytes;
	size_t key_size;
	size_t height;
	struct engine_memory_node *next[];
};

struct engine_memory_map {
	struct engine_memory_node *first[ENGINE_MEMORY_MAP_HEIGHT_MAX];
	struct queue dirty;
};

void engine_memory_map_init(struct engine_memory_map *map);
void engine_memory_map_close(struct engine_memory_map *map);

enum status engine_memory_map_put(struct engine_memory_map *map, uint64_t sequence, struct slice key,
				  struct slice value) MUST_CHECK;
enum status engine_memory_map_delete(struct engine_memory_map *map, uint64_t sequence,
				     struct slice key) MUST_CHECK;
enum status engine_memory_map_delete_range(struct engine_memory_map *map, uint64_t sequence,
					   struct slice start, struct slice end) MUST_CHECK;

void engine_memory_map_prune(struct engine_memory_map *map, uint64_t horizon);
void engine_memory_map_roll_back(struct engine_memory_map *map, uint64_t sequence);

/* The first node at or after key; NULL at the end. */
struct engine_memory_node *engine_memory_map_at_or_after(const struct engine_memory_map *map,
							 struct slice key);
/* The last node before key; before the end of the map if key is NULL. */
struct engine_memory_node *engine_memory_map_before(const struct engine_memory_map *map,
						    const struct slice *key);

/* What a reader at sequence sees of node: NULL if nothing or deleted. */
struct engine_memory_version *engine_memory_map_visible(const struct engine_memory_node *node,
							uint64_t sequence);
void engine_memory_map_release(struct engine_memory_version *version);

static inline struct slice engine_memory_map_key(const struct engine_memory_node *node)
{
	return slice_of(node->key_bytes, node->key_size);
}

#endif
