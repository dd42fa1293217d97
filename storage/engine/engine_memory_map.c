#include "storage/engine/engine_memory_map.h"

#include <stdlib.h>

#include "proto/base/digest.h"

/* Where a key is or would be: per level the link that leads to it. */
struct place {
	struct engine_memory_node **links[ENGINE_MEMORY_MAP_HEIGHT_MAX];
};

void engine_memory_map_init(struct engine_memory_map *map)
{
	*map = (struct engine_memory_map){ .first = { NULL } };
	queue_init(&map->dirty);
}

void engine_memory_map_release(struct engine_memory_version *version)
{
	CHECK(version->holder_count > 0);
	version->holder_count--;
	if (version->holder_count == 0)
		free(version);
}

static void release_chain(struct engine_memory_version *version)
{
	while (version != NULL) {
		struct engine_memory_version *older = version->older;

		version->older = NULL;
		engine_memory_map_release(version);
		version = older;
	}
}

void engine_memory_map_close(struct engine_memory_map *map)
{
	struct engine_memory_node *node = map->first[0];

	while (node != NULL) {
		struct engine_memory_node *next = node->next[0];

		release_chain(node->newest);
		free(node);
		node = next;
	}
	engine_memory_map_init(map);
}

static struct engine_memory_node *find(struct engine_memory_map *map, struct slice key, struct place *place)
{
	struct engine_memory_node **links = map->first;

	for (size_t level = ENGINE_MEMORY_MAP_HEIGHT_MAX; level-- > 0;) {
		while (links[level] != NULL && slice_compare(engine_memory_map_key(links[level]), key) < 0)
			links = links[level]->next;
		place->links[level] = &links[level];
	}
	return links[0];
}

struct engine_memory_node *engine_memory_map_at_or_after(const struct engine_memory_map *map,
							 struct slice key)
{
	struct engine_memory_node *const *links = map->first;

	for (size_t level = ENGINE_MEMORY_MAP_HEIGHT_MAX; level-- > 0;) {
		while (links[level] != NULL && slice_compare(engine_memory_map_key(links[level]), key) < 0)
			links = links[level]->next;
	}
	return links[0];
}

struct engine_memory_node *engine_memory_map_before(const struct engine_memory_map *map,
						    const struct slice *key)
{
	struct engine_memory_node *const *links = map->first;
	struct engine_memory_node *found = NULL;

	for (size_t level = ENGINE_MEMORY_MAP_HEIGHT_MAX; level-- > 0;) {
		while (links[level] != NULL &&
		       (key == NULL || slice_compare(engine_memory_map_key(links[level]), *key) < 0)) {
			found = links[level];
			links = found->next;
		}
	}
	return found;
}

/* One key in four reaches the next level. */
static size_t height_of(struct slice key)
{
	uint64_t hash = digest_hash64(key, 0);
	size_t height = 1;

	while (height < ENGINE_MEMORY_MAP_HEIGHT_MAX && (hash & 3) == 0) {
		hash >>= 2;
		height++;
	}
	return height;
}

static struct engine_memory_node *insert_node(struct place *place, struct slice key)
{
	size_t height = height_of(key);
	size_t links_size = height * sizeof(struct engine_memory_node *);
	struct engine_memory_node *node = malloc(sizeof(*node) + links_size + key.size);

	if (node == NULL)
		return NULL;
	if (key.size > 0)
		memcpy((uint8_t *)node->next + links_size, key.data, key.size);
	node->newest = NULL;
	queue_init(&node->dirty_link);
	node->key_bytes = (uint8_t *)node->next + links_size;
	node->key_size = key.size;
	node->height = height;
	for (size_t level = 0; level < height; level++) {
		node->next[level] = *place->links[level];
		*place->links[level] = node;
	}
	return node;
}

static void remove_node(struct engine_memory_map *map, struct engine_memory_node *node)
{
	struct place place;

	CHECK(find(map, engine_memory_map_key(node), &place) == node);
	for (size_t level = 0; level < node->height; level++)
		*place.links[level] = node->next[level];
	queue_remove(&node->dirty_link);
	free(node);
}

static struct engine_memory_version *create_version(uint64_t sequence, struct slice value, bool is_deleted)
{
	struct engine_memory_version *version = malloc(sizeof(*version) + value.size);

	if (version == NULL)
		return NULL;
	*version = (struct engine_memory_version){
		.sequence = sequence,
		.holder_count = 1,
		.is_deleted = is_deleted,
		.size = value.size,
	};
	if (value.size > 0)
		memcpy(version->bytes, value.data, value.size);
	return version;
}

/* A batch that touches a key twice leaves its last version only. */
static void push_version(struct engine_memory_map *map, struct engine_memory_node *node,
			 struct engine_memory_version *version)
{
	struct engine_memory_version *older = node->newest;

	CHECK_IMPLIES(older != NULL, older->sequence <= version->sequence);
	if (older != NULL && older->sequence == version->sequence) {
		version->older = older->older;
		engine_memory_map_release(older);
	} else {
		version->older = older;
	}
	node->newest = version;
	queue_remove(&node->dirty_link);
	queue_push_tail(&map->dirty, &node->dirty_link);
}

static bool is_node_of(const struct engine_memory_node *node, struct slice key)
{
	return node != NULL && slice_equal(engine_memory_map_key(node), key);
}

enum status engine_memory_map_put(struct engine_memory_map *map, uint64_t sequence, struct slice key,
				  struct slice value)
{
	struct engine_memory_version *version = create_version(sequence, value, false);
	struct engine_memory_node *node;
	struct place place;

	if (version == NULL)
		return ST_NO_MEMORY;
	node = find(map, key, &place);
	if (!is_node_of(node, key))
		node = insert_node(&place, key);
	if (node == NULL) {
		free(version);
		return ST_NO_MEMORY;
	}
	push_version(map, node, version);
	return ST_OK;
}

static enum status delete_node(struct engine_memory_map *map, uint64_t sequence,
			       struct engine_memory_node *node)
{
	struct engine_memory_version *version;

	if (node->newest->is_deleted)
		return ST_OK;
	version = create_version(sequence, slice_of(NULL, 0), true);
	if (version == NULL)
		return ST_NO_MEMORY;
	push_version(map, node, version);
	return ST_OK;
}

enum status engine_memory_map_delete(struct engine_memory_map *map, uint64_t sequence, struct slice key)
{
	struct engine_memory_node *node = engine_memory_map_at_or_after(map, key);

	return is_node_of(node, key) ? delete_node(map, sequence, node) : ST_OK;
}

enum status engine_memory_map_delete_range(struct engine_memory_map *map, uint64_t sequence,
					   struct slice start, struct slice end)
{
	struct engine_memory_node *node = engine_memory_map_at_or_after(map, start);
	enum status status = ST_OK;

	for (; status == ST_OK && node != NULL; node = node->next[0]) {
		if (slice_compare(engine_memory_map_key(node), end) >= 0)
			break;
		status = delete_node(map, sequence, node);
	}
	return status;
}

struct engine_memory_version *engine_memory_map_visible(const struct engine_memory_node *node,
							uint64_t sequence)
{
	struct engine_memory_version *version = node->newest;

	while (version != NULL && version->sequence > sequence)
		version = version->older;
	return version == NULL || version->is_deleted ? NULL : version;
}

/* Cut the versions that are older than what a reader at the horizon sees. */
static void prune_node(struct engine_memory_map *map, struct engine_memory_node *node, uint64_t horizon)
{
	struct engine_memory_version **link = &node->newest;

	while (*link != NULL && (*link)->sequence > horizon)
		link = &(*link)->older;
	if (*link != NULL && !(*link)->is_deleted)
		link = &(*link)->older;
	release_chain(*link);
	*link = NULL;
	if (node->newest == NULL) {
		remove_node(map, node);
		return;
	}
	if (node->newest->sequence <= horizon)
		queue_remove(&node->dirty_link);
}

void engine_memory_map_prune(struct engine_memory_map *map, uint64_t horizon)
{
	struct queue *link = map->dirty.next;

	while (link != &map->dirty) {
		struct queue *next = link->next;

		prune_node(map, CONTAINER_OF(link, struct engine_memory_node, dirty_link), horizon);
		link = next;
	}
}

void engine_memory_map_roll_back(struct engine_memory_map *map, uint64_t sequence)
{
	struct queue *link = map->dirty.next;

	while (link != &map->dirty) {
		struct engine_memory_node *node = CONTAINER_OF(link, struct engine_memory_node, dirty_link);
		struct queue *next = link->next;

		while (node->newest != NULL && node->newest->sequence > sequence) {
			struct engine_memory_version *version = node->newest;

			node->newest = version->older;
			engine_memory_map_release(version);
		}
		if (node->newest == NULL)
			remove_node(map, node);
		link = next;
	}
}
