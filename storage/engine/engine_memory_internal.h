/* What the files of the simulated store share.
 *
 * Threads  disk->lock guards everything below it.
 */
#ifndef STORAGE_ENGINE_ENGINE_MEMORY_INTERNAL_H
#define STORAGE_ENGINE_ENGINE_MEMORY_INTERNAL_H

#include <pthread.h>

#include "proto/base/hash_map.h"
#include "storage/engine/engine_memory.h"
#include "storage/engine/engine_memory_map.h"

enum { ENGINE_MEMORY_BATCH_SIZE_MAX = 1 << 30, ENGINE_MEMORY_STAGES_MAX = 4096 };

struct engine_memory_disk {
	pthread_mutex_t lock;
	struct engine_memory_map families[FAMILY_COUNT];
	struct hash_map stages; /* id -> finished struct engine_batch */
	uint64_t last_sequence; /* of the newest batch */
	uint64_t synced_sequence;
	uint64_t pruned_sequence;
	struct queue readers; /* struct engine_snapshot */
	struct engine_memory *engine;
	uint64_t free_bytes;
	uint32_t miss_every_nth;
	uint32_t cached_read_count;
	bool next_write_fails;
	bool next_sync_fails;
};

struct engine_memory {
	struct engine base;
	struct engine_memory_disk *disk;
	uint64_t crash_sequence; /* what survives, once has_crashed */
	bool has_crashed;
	bool has_failed;
};

/* A number at which somebody reads: versions that it sees are kept. */
struct engine_snapshot {
	struct queue link;
	uint64_t sequence;
};

/* Operations in order, encoded; also the rows of a stage. */
struct engine_batch {
	struct buf operations;
	size_t count;
};

static inline struct engine_memory *engine_memory_of(const struct engine *base)
{
	return CONTAINER_OF(base, struct engine_memory, base);
}

/* The rest wants the lock held. */

enum status engine_memory_batch_apply(struct engine_memory_disk *disk, const struct engine_batch *batch);
enum status engine_memory_sync_locked(struct engine_memory *engine);
void engine_memory_prune_locked(struct engine_memory_disk *disk);
/* Does this cached read miss? */
bool engine_memory_misses_locked(struct engine_memory_disk *disk, enum engine_read_mode mode);

/* These lock. */

struct engine_batch *engine_memory_batch_create(struct engine *base);
void engine_memory_batch_destroy(struct engine_batch *batch);
void engine_memory_batch_clear(struct engine_batch *batch);
void engine_memory_batch_put(struct engine_batch *batch, enum engine_family family, struct slice key,
			     const struct slice *parts, size_t part_count);
void engine_memory_batch_delete(struct engine_batch *batch, enum engine_family family, struct slice key);
void engine_memory_batch_delete_range(struct engine_batch *batch, enum engine_family family,
				      struct slice start, struct slice end);
size_t engine_memory_batch_count(const struct engine_batch *batch);

struct engine_iter *engine_memory_iter_create(struct engine *base, enum engine_family family,
					      struct slice start, struct slice end,
					      const struct engine_snapshot *snapshot,
					      enum engine_read_mode mode);
void engine_memory_iter_destroy(struct engine_iter *iter);
void engine_memory_iter_seek(struct engine_iter *iter, struct slice key);
void engine_memory_iter_seek_first(struct engine_iter *iter);
void engine_memory_iter_seek_last(struct engine_iter *iter);
void engine_memory_iter_next(struct engine_iter *iter);
void engine_memory_iter_prev(struct engine_iter *iter);
bool engine_memory_iter_valid(const struct engine_iter *iter);
struct slice engine_memory_iter_key(const struct engine_iter *iter);
struct slice engine_memory_iter_value(const struct engine_iter *iter);
enum status engine_memory_iter_status(const struct engine_iter *iter);

struct engine_stage *engine_memory_stage_create(struct engine *base, uint64_t stage_id);
enum status engine_memory_stage_add(struct engine_stage *stage, enum engine_family family, struct slice key,
				    struct slice value);
enum status engine_memory_stage_finish(struct engine_stage *stage);
void engine_memory_stage_abandon(struct engine_stage *stage);
enum status engine_memory_stage_ingest(struct engine *base, uint64_t stage_id);
enum status engine_memory_stage_remove(struct engine *base, uint64_t stage_id);

#endif
