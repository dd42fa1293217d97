#include <stdlib.h>

#include "proto/base/fault.h"
#include "storage/engine/engine_memory_internal.h"

enum { KEY_SIZE_MAX = 64 * 1024 };

struct engine_stage {
	struct engine_memory *engine;
	uint64_t id;
	enum status status; /* the first failure sticks */
	struct buf last_key;
	int last_family; /* -1 before the first row */
	struct engine_batch *rows;
};

struct engine_stage *engine_memory_stage_create(struct engine *base, uint64_t stage_id)
{
	struct engine_memory *engine = engine_memory_of(base);
	struct engine_stage *stage = calloc(1, sizeof(*stage));

	if (stage == NULL)
		return NULL;
	stage->rows = engine_memory_batch_create(base);
	if (stage->rows == NULL || engine_memory_stage_remove(base, stage_id) != ST_OK) {
		free(stage->rows); /* still empty */
		free(stage);
		return NULL;
	}
	stage->engine = engine;
	stage->id = stage_id;
	stage->last_family = -1;
	buf_init(&stage->last_key, KEY_SIZE_MAX);
	return stage;
}

static bool is_in_order(const struct engine_stage *stage, enum engine_family family, struct slice key)
{
	if ((int)family != stage->last_family)
		return (int)family > stage->last_family;
	return slice_compare(buf_slice(&stage->last_key), key) < 0;
}

enum status engine_memory_stage_add(struct engine_stage *stage, enum engine_family family, struct slice key,
				    struct slice value)
{
	if (stage->status != ST_OK)
		return stage->status;
	if (!is_in_order(stage, family, key)) {
		stage->status = ST_INVALID;
		return ST_INVALID;
	}
	engine_memory_batch_put(stage->rows, family, key, &value, 1);
	stage->last_family = (int)family;
	buf_reset(&stage->last_key);
	buf_append_slice(&stage->last_key, key);
	stage->status = stage->last_key.status != ST_OK ? stage->last_key.status
							: stage->rows->operations.status;
	return stage->status;
}

void engine_memory_stage_abandon(struct engine_stage *stage)
{
	if (stage->rows != NULL)
		engine_memory_batch_destroy(stage->rows);
	buf_close(&stage->last_key);
	free(stage);
}

static enum status keep_rows(struct engine_stage *stage)
{
	struct engine_memory *engine = stage->engine;
	struct engine_batch *older = hash_map_get(&engine->disk->stages, stage->id);
	enum status status;

	if (engine->has_crashed || fault_fires(FAULT_ENGINE_SYNC))
		return ST_IO;
	status = hash_map_put(&engine->disk->stages, stage->id, stage->rows);
	if (status != ST_OK)
		return status;
	stage->rows = NULL; /* kept */
	if (older != NULL)
		engine_memory_batch_destroy(older);
	return ST_OK;
}

enum status engine_memory_stage_finish(struct engine_stage *stage)
{
	enum status status = stage->status;

	(void)pthread_mutex_lock(&stage->engine->disk->lock);
	if (status == ST_OK)
		status = keep_rows(stage);
	(void)pthread_mutex_unlock(&stage->engine->disk->lock);
	engine_memory_stage_abandon(stage);
	return status;
}

/* Durable at once, and so must be all that was written before. */
static enum status ingest_locked(struct engine_memory *engine, uint64_t stage_id)
{
	struct engine_memory_disk *disk = engine->disk;
	const struct engine_batch *rows = hash_map_get(&disk->stages, stage_id);
	enum status status = engine_memory_sync_locked(engine);

	if (status != ST_OK)
		return status;
	if (fault_fires(FAULT_ENGINE_WRITE) || disk->free_bytes == 0)
		return ST_IO;
	if (rows == NULL)
		return ST_NOT_FOUND;
	status = engine_memory_batch_apply(disk, rows);
	disk->synced_sequence = disk->last_sequence;
	return status;
}

enum status engine_memory_stage_ingest(struct engine *base, uint64_t stage_id)
{
	struct engine_memory *engine = engine_memory_of(base);
	enum status status;

	(void)pthread_mutex_lock(&engine->disk->lock);
	status = ingest_locked(engine, stage_id);
	(void)pthread_mutex_unlock(&engine->disk->lock);
	return status;
}

enum status engine_memory_stage_remove(struct engine *base, uint64_t stage_id)
{
	struct engine_memory *engine = engine_memory_of(base);
	struct engine_batch *rows = NULL;
	enum status status = ST_IO;

	(void)pthread_mutex_lock(&engine->disk->lock);
	if (!engine->has_crashed) {
		rows = hash_map_remove(&engine->disk->stages, stage_id);
		status = ST_OK;
	}
	(void)pthread_mutex_unlock(&engine->disk->lock);
	if (rows != NULL)
		engine_memory_batch_destroy(rows);
	return status;
}
