#include <stdlib.h>

#include "proto/base/fault.h"
#include "storage/engine/engine_memory_internal.h"

struct engine_iter {
	struct engine_memory_disk *disk;
	struct engine_snapshot reader; /* keeps what the iterator sees */
	const struct engine_memory_map *map;
	const struct engine_memory_node *node; /* NULL: on no row */
	const struct engine_memory_version *version;
	enum engine_read_mode mode;
	enum status status;
	struct slice start;
	struct slice end;
	uint8_t bytes[];
};

static void keep_bounds(struct engine_iter *iter, struct slice start, struct slice end)
{
	if (start.size > 0)
		memcpy(iter->bytes, start.data, start.size);
	if (end.size > 0)
		memcpy(iter->bytes + start.size, end.data, end.size);
	iter->start = slice_of(iter->bytes, start.size);
	iter->end = slice_of(iter->bytes + start.size, end.size);
}

struct engine_iter *engine_memory_iter_create(struct engine *base, enum engine_family family,
					      struct slice start, struct slice end,
					      const struct engine_snapshot *snapshot,
					      enum engine_read_mode mode)
{
	struct engine_memory_disk *disk = engine_memory_of(base)->disk;
	struct engine_iter *iter = calloc(1, sizeof(*iter) + start.size + end.size);

	if (iter == NULL)
		return NULL;
	keep_bounds(iter, start, end);
	iter->disk = disk;
	iter->map = &disk->families[family];
	iter->mode = mode;
	(void)pthread_mutex_lock(&disk->lock);
	iter->reader.sequence = snapshot == NULL ? disk->last_sequence : snapshot->sequence;
	queue_push_tail(&disk->readers, &iter->reader.link);
	(void)pthread_mutex_unlock(&disk->lock);
	return iter;
}

void engine_memory_iter_destroy(struct engine_iter *iter)
{
	struct engine_memory_disk *disk = iter->disk;

	(void)pthread_mutex_lock(&disk->lock);
	queue_remove(&iter->reader.link);
	engine_memory_prune_locked(disk);
	(void)pthread_mutex_unlock(&disk->lock);
	free(iter);
}

static bool is_inside(const struct engine_iter *iter, const struct engine_memory_node *node)
{
	struct slice key = engine_memory_map_key(node);

	return slice_compare(key, iter->start) >= 0 &&
	       (iter->end.size == 0 || slice_compare(key, iter->end) < 0);
}

/* Stop at the first row from node on that is visible. */
static void settle_forward(struct engine_iter *iter, const struct engine_memory_node *node)
{
	iter->node = NULL;
	for (; node != NULL && is_inside(iter, node); node = node->next[0]) {
		iter->version = engine_memory_map_visible(node, iter->reader.sequence);
		if (iter->version == NULL)
			continue;
		iter->node = node;
		return;
	}
}

static void settle_backward(struct engine_iter *iter, const struct engine_memory_node *node)
{
	iter->node = NULL;
	while (node != NULL && is_inside(iter, node)) {
		struct slice key = engine_memory_map_key(node);

		iter->version = engine_memory_map_visible(node, iter->reader.sequence);
		if (iter->version != NULL) {
			iter->node = node;
			return;
		}
		node = engine_memory_map_before(iter->map, &key);
	}
}

/* May this positioning go on?  Wants the lock held. */
static bool begin(struct engine_iter *iter)
{
	iter->node = NULL;
	if (iter->status == ST_OK && fault_fires(FAULT_ENGINE_READ))
		iter->status = ST_IO;
	if (iter->status == ST_OK && engine_memory_misses_locked(iter->disk, iter->mode))
		iter->status = ST_WOULD_BLOCK;
	return iter->status == ST_OK;
}

void engine_memory_iter_seek(struct engine_iter *iter, struct slice key)
{
	struct slice from = slice_compare(key, iter->start) < 0 ? iter->start : key;

	(void)pthread_mutex_lock(&iter->disk->lock);
	if (begin(iter))
		settle_forward(iter, engine_memory_map_at_or_after(iter->map, from));
	(void)pthread_mutex_unlock(&iter->disk->lock);
}

void engine_memory_iter_seek_first(struct engine_iter *iter)
{
	engine_memory_iter_seek(iter, iter->start);
}

void engine_memory_iter_seek_last(struct engine_iter *iter)
{
	const struct slice *end = iter->end.size == 0 ? NULL : &iter->end;

	(void)pthread_mutex_lock(&iter->disk->lock);
	if (begin(iter))
		settle_backward(iter, engine_memory_map_before(iter->map, end));
	(void)pthread_mutex_unlock(&iter->disk->lock);
}

void engine_memory_iter_next(struct engine_iter *iter)
{
	CHECK(iter->node != NULL);
	(void)pthread_mutex_lock(&iter->disk->lock);
	settle_forward(iter, iter->node->next[0]);
	(void)pthread_mutex_unlock(&iter->disk->lock);
}

void engine_memory_iter_prev(struct engine_iter *iter)
{
	struct slice key;

	CHECK(iter->node != NULL);
	key = engine_memory_map_key(iter->node);
	(void)pthread_mutex_lock(&iter->disk->lock);
	settle_backward(iter, engine_memory_map_before(iter->map, &key));
	(void)pthread_mutex_unlock(&iter->disk->lock);
}

bool engine_memory_iter_valid(const struct engine_iter *iter)
{
	return iter->node != NULL;
}

struct slice engine_memory_iter_key(const struct engine_iter *iter)
{
	return engine_memory_map_key(iter->node);
}

struct slice engine_memory_iter_value(const struct engine_iter *iter)
{
	return slice_of(iter->version->bytes, iter->version->size);
}

enum status engine_memory_iter_status(const struct engine_iter *iter)
{
	return iter->status;
}
