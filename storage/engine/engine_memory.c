#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "storage/engine/engine_memory_internal.h"

/* --- the disk --- */

struct engine_memory_disk *engine_memory_disk_create(void)
{
	struct engine_memory_disk *disk = calloc(1, sizeof(*disk));

	if (disk == NULL)
		return NULL;
	(void)pthread_mutex_init(&disk->lock, NULL);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		engine_memory_map_init(&disk->families[i]);
	hash_map_init(&disk->stages, ENGINE_MEMORY_STAGES_MAX);
	queue_init(&disk->readers);
	disk->free_bytes = UINT64_MAX;
	return disk;
}

void engine_memory_disk_destroy(struct engine_memory_disk *disk)
{
	struct engine_batch *rows;
	size_t cursor = 0;

	if (disk == NULL)
		return;
	CHECK(disk->engine == NULL);
	while ((rows = hash_map_next(&disk->stages, &cursor)) != NULL)
		engine_memory_batch_destroy(rows);
	hash_map_close(&disk->stages);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		engine_memory_map_close(&disk->families[i]);
	(void)pthread_mutex_destroy(&disk->lock);
	free(disk);
}

void engine_memory_disk_fail_write(struct engine_memory_disk *disk)
{
	disk->next_write_fails = true;
}

void engine_memory_disk_fail_sync(struct engine_memory_disk *disk)
{
	disk->next_sync_fails = true;
}

void engine_memory_disk_set_free_bytes(struct engine_memory_disk *disk, uint64_t free_bytes)
{
	disk->free_bytes = free_bytes;
}

void engine_memory_disk_miss_every(struct engine_memory_disk *disk, uint32_t nth)
{
	disk->miss_every_nth = nth;
	disk->cached_read_count = 0;
}

bool engine_memory_misses_locked(struct engine_memory_disk *disk, enum engine_read_mode mode)
{
	if (mode != ENGINE_READ_CACHED || disk->miss_every_nth == 0)
		return false;
	disk->cached_read_count++;
	return disk->cached_read_count % disk->miss_every_nth == 0;
}

/* Forget the versions that neither a reader nor a crash can bring back. */
void engine_memory_prune_locked(struct engine_memory_disk *disk)
{
	uint64_t horizon = disk->synced_sequence;

	for (struct queue *link = disk->readers.next; link != &disk->readers; link = link->next) {
		uint64_t sequence = CONTAINER_OF(link, struct engine_snapshot, link)->sequence;

		if (sequence < horizon)
			horizon = sequence;
	}
	if (horizon == disk->pruned_sequence)
		return;
	disk->pruned_sequence = horizon;
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		engine_memory_map_prune(&disk->families[i], horizon);
}

/* --- writes --- */

static enum status fail(struct engine_memory *engine, const char *action)
{
	log_error("engine", "failed", "action=%s message=\"simulated\"", action);
	engine->has_failed = true;
	return ST_IO;
}

static enum status write_locked(struct engine_memory *engine, const struct engine_batch *batch)
{
	struct engine_memory_disk *disk = engine->disk;

	if (engine->has_crashed || engine->has_failed)
		return ST_IO;
	if (fault_fires(FAULT_ENGINE_WRITE) || disk->next_write_fails || disk->free_bytes == 0)
		return fail(engine, "write");
	return engine_memory_batch_apply(disk, batch);
}

static enum status write_batch(struct engine *base, struct engine_batch *batch)
{
	struct engine_memory *engine = engine_memory_of(base);
	enum status status;

	(void)pthread_mutex_lock(&engine->disk->lock);
	status = write_locked(engine, batch);
	(void)pthread_mutex_unlock(&engine->disk->lock);
	return status;
}

enum status engine_memory_sync_locked(struct engine_memory *engine)
{
	struct engine_memory_disk *disk = engine->disk;

	if (engine->has_crashed || engine->has_failed)
		return ST_IO;
	if (fault_fires(FAULT_ENGINE_SYNC) || disk->next_sync_fails)
		return fail(engine, "sync");
	disk->synced_sequence = disk->last_sequence;
	engine_memory_prune_locked(disk);
	return ST_OK;
}

static enum status sync_log(struct engine *base)
{
	struct engine_memory *engine = engine_memory_of(base);
	enum status status;

	(void)pthread_mutex_lock(&engine->disk->lock);
	status = engine_memory_sync_locked(engine);
	(void)pthread_mutex_unlock(&engine->disk->lock);
	return status;
}

/* --- reads --- */

static enum status get_locked(struct engine_memory_disk *disk, enum engine_family family, struct slice key,
			      struct engine_memory_version **version_out)
{
	const struct engine_memory_node *node = engine_memory_map_at_or_after(&disk->families[family], key);

	if (node == NULL || !slice_equal(engine_memory_map_key(node), key))
		return ST_NOT_FOUND;
	*version_out = engine_memory_map_visible(node, disk->last_sequence);
	if (*version_out == NULL)
		return ST_NOT_FOUND;
	(*version_out)->holder_count++;
	return ST_OK;
}

static enum status get(struct engine *base, enum engine_family family, struct slice key,
		       enum engine_read_mode mode, struct engine_value *value_out)
{
	struct engine_memory_disk *disk = engine_memory_of(base)->disk;
	struct engine_memory_version *version;
	enum status status = ST_WOULD_BLOCK;

	if (fault_fires(FAULT_ENGINE_READ))
		return ST_IO;
	(void)pthread_mutex_lock(&disk->lock);
	if (!engine_memory_misses_locked(disk, mode))
		status = get_locked(disk, family, key, &version);
	(void)pthread_mutex_unlock(&disk->lock);
	if (status == ST_OK)
		*value_out = (struct engine_value){ slice_of(version->bytes, version->size), version, base };
	return status;
}

static void value_release(struct engine_value *value)
{
	struct engine_memory_disk *disk = engine_memory_of(value->engine)->disk;

	(void)pthread_mutex_lock(&disk->lock);
	engine_memory_map_release(value->impl);
	(void)pthread_mutex_unlock(&disk->lock);
	value->impl = NULL;
}

static struct engine_snapshot *snapshot_create(struct engine *base)
{
	struct engine_memory_disk *disk = engine_memory_of(base)->disk;
	struct engine_snapshot *snapshot = malloc(sizeof(*snapshot));

	if (snapshot == NULL)
		return NULL;
	(void)pthread_mutex_lock(&disk->lock);
	snapshot->sequence = disk->last_sequence;
	queue_push_tail(&disk->readers, &snapshot->link);
	(void)pthread_mutex_unlock(&disk->lock);
	return snapshot;
}

static void snapshot_release(struct engine *base, struct engine_snapshot *snapshot)
{
	struct engine_memory_disk *disk = engine_memory_of(base)->disk;

	(void)pthread_mutex_lock(&disk->lock);
	queue_remove(&snapshot->link);
	engine_memory_prune_locked(disk);
	(void)pthread_mutex_unlock(&disk->lock);
	free(snapshot);
}

static uint64_t approximate_size_bytes(struct engine *base, enum engine_family family, struct slice start,
				       struct slice end)
{
	struct engine_memory_disk *disk = engine_memory_of(base)->disk;
	const struct engine_memory_node *node;
	uint64_t size_bytes = 0;

	(void)pthread_mutex_lock(&disk->lock);
	node = engine_memory_map_at_or_after(&disk->families[family], start);
	for (; node != NULL; node = node->next[0]) {
		if (end.size > 0 && slice_compare(engine_memory_map_key(node), end) >= 0)
			break;
		size_bytes += node->key_size + node->newest->size;
	}
	(void)pthread_mutex_unlock(&disk->lock);
	return size_bytes;
}

static uint64_t free_bytes(struct engine *base)
{
	return engine_memory_of(base)->disk->free_bytes;
}

/* --- life --- */

/* The disk is left as the next engine shall find it: what is there is durable. */
static void settle_disk(struct engine_memory *engine)
{
	struct engine_memory_disk *disk = engine->disk;

	if (engine->has_crashed) {
		disk->last_sequence = engine->crash_sequence;
		for (size_t i = 0; i < FAMILY_COUNT; i++)
			engine_memory_map_roll_back(&disk->families[i], disk->last_sequence);
	}
	disk->synced_sequence = disk->last_sequence;
	disk->next_write_fails = false;
	disk->next_sync_fails = false;
	disk->engine = NULL;
	engine_memory_prune_locked(disk);
}

static void close_engine(struct engine *base)
{
	struct engine_memory *engine = engine_memory_of(base);

	CHECK(queue_is_empty(&engine->disk->readers)); /* nobody iterates or holds a snapshot */
	settle_disk(engine);
	free(engine);
}

uint64_t engine_memory_unsynced_count(const struct engine *engine)
{
	const struct engine_memory_disk *disk = engine_memory_of(engine)->disk;

	return disk->last_sequence - disk->synced_sequence;
}

void engine_memory_crash(struct engine *base, uint64_t keep_count)
{
	struct engine_memory *engine = engine_memory_of(base);
	uint64_t unsynced_count = engine_memory_unsynced_count(base);

	if (engine->has_crashed)
		return;
	engine->has_crashed = true;
	engine->crash_sequence = engine->disk->synced_sequence +
				 (keep_count < unsynced_count ? keep_count : unsynced_count);
}

static const struct engine_ops ops = {
	.close = close_engine,
	.batch_create = engine_memory_batch_create,
	.batch_destroy = engine_memory_batch_destroy,
	.batch_clear = engine_memory_batch_clear,
	.batch_put = engine_memory_batch_put,
	.batch_delete = engine_memory_batch_delete,
	.batch_delete_range = engine_memory_batch_delete_range,
	.batch_count = engine_memory_batch_count,
	.write = write_batch,
	.sync = sync_log,
	.get = get,
	.value_release = value_release,
	.snapshot_create = snapshot_create,
	.snapshot_release = snapshot_release,
	.iter_create = engine_memory_iter_create,
	.iter_destroy = engine_memory_iter_destroy,
	.iter_seek = engine_memory_iter_seek,
	.iter_seek_first = engine_memory_iter_seek_first,
	.iter_seek_last = engine_memory_iter_seek_last,
	.iter_next = engine_memory_iter_next,
	.iter_prev = engine_memory_iter_prev,
	.iter_valid = engine_memory_iter_valid,
	.iter_key = engine_memory_iter_key,
	.iter_value = engine_memory_iter_value,
	.iter_status = engine_memory_iter_status,
	.approximate_size_bytes = approximate_size_bytes,
	.free_bytes = free_bytes,
	.stage_create = engine_memory_stage_create,
	.stage_add = engine_memory_stage_add,
	.stage_finish = engine_memory_stage_finish,
	.stage_abandon = engine_memory_stage_abandon,
	.stage_ingest = engine_memory_stage_ingest,
	.stage_remove = engine_memory_stage_remove,
};

enum status engine_memory_open(struct engine_memory_disk *disk, struct engine **engine_out)
{
	struct engine_memory *engine;

	if (disk->engine != NULL)
		return ST_BUSY;
	engine = calloc(1, sizeof(*engine));
	if (engine == NULL)
		return ST_NO_MEMORY;
	engine->base.ops = &ops;
	engine->disk = disk;
	disk->engine = engine;
	*engine_out = &engine->base;
	return ST_OK;
}
