/* What the files of the RocksDB store share.  Its users include engine.h.
 *
 * Threads  as engine.h; of the struct, only the finished stages in memory change after opening
 *          and they have their lock.
 * Source   RocksDB 7.8.3, include/rocksdb/c.h.
 */
#ifndef STORAGE_ENGINE_ENGINE_ROCKSDB_INTERNAL_H
#define STORAGE_ENGINE_ENGINE_ROCKSDB_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>

#include "proto/base/hash_map.h"
#include "storage/engine/engine.h"
#include "storage/engine/engine_rocksdb_mark.h"

enum { ENGINE_READ_MODE_COUNT = ENGINE_READ_MAY_BLOCK + 1 };

struct engine_rocksdb {
	struct engine base;
	char *dir; /* NULL: in memory */
	rocksdb_t *db;
	rocksdb_env_t *env; /* in memory only */
	rocksdb_cache_t *cache;
	rocksdb_options_t *db_options;
	rocksdb_options_t *family_options[FAMILY_COUNT];
	rocksdb_column_family_handle_t *default_family; /* RocksDB insists on it; stays empty */
	rocksdb_column_family_handle_t *families[FAMILY_COUNT];
	rocksdb_writeoptions_t *write_options;
	rocksdb_readoptions_t *read_options[ENGINE_READ_MODE_COUNT];
	_Atomic bool has_failed; /* a write or sync failed: none may succeed afterwards */
	struct engine_rocksdb_mark mark;
	pthread_mutex_t stages_lock;
	struct hash_map memory_stages; /* id -> finished rocksdb_writebatch_t, in memory only */
};

/* Log and free RocksDB's message and translate it; ST_OK if there is none.  "It would have to
 * read" is an answer, not a failure, and is not logged. */
enum status engine_rocksdb_take_error(const char *action, char *error);

/* Log errno; always ST_IO. */
enum status engine_rocksdb_os_error(const char *action, const char *path);

/* Make a folder and its entry in the parent durable; harmless if it exists. */
enum status engine_rocksdb_make_dir(const char *path);
/* Make renames and new entries in a folder durable. */
enum status engine_rocksdb_sync_dir(const char *path);

/* Fill db_options, family_options, cache and env. */
void engine_rocksdb_options_create(struct engine_rocksdb *engine, const struct engine_options *options);
void engine_rocksdb_options_destroy(struct engine_rocksdb *engine);

struct engine_batch *engine_rocksdb_batch_create(struct engine *base);
void engine_rocksdb_batch_destroy(struct engine_batch *batch);
void engine_rocksdb_batch_clear(struct engine_batch *batch);
void engine_rocksdb_batch_put(struct engine_batch *batch, enum engine_family family, struct slice key,
			      const struct slice *parts, size_t part_count);
void engine_rocksdb_batch_delete(struct engine_batch *batch, enum engine_family family, struct slice key);
void engine_rocksdb_batch_delete_range(struct engine_batch *batch, enum engine_family family,
				       struct slice start, struct slice end);
size_t engine_rocksdb_batch_count(const struct engine_batch *batch);
enum status engine_rocksdb_batch_write(struct engine *base, struct engine_batch *batch);
enum status engine_rocksdb_batch_sync(struct engine *base);

enum status engine_rocksdb_read_get(struct engine *base, enum engine_family family, struct slice key,
				    enum engine_read_mode mode, struct engine_value *value_out);
void engine_rocksdb_read_release(struct engine_value *value);
struct engine_snapshot *engine_rocksdb_read_snapshot(struct engine *base);
void engine_rocksdb_read_snapshot_release(struct engine *base, struct engine_snapshot *snapshot);
uint64_t engine_rocksdb_read_size_bytes(struct engine *base, enum engine_family family, struct slice start,
					struct slice end);

struct engine_iter *engine_rocksdb_iter_create(struct engine *base, enum engine_family family,
					       struct slice start, struct slice end,
					       const struct engine_snapshot *snapshot,
					       enum engine_read_mode mode);
void engine_rocksdb_iter_destroy(struct engine_iter *iter);
void engine_rocksdb_iter_seek(struct engine_iter *iter, struct slice key);
void engine_rocksdb_iter_seek_first(struct engine_iter *iter);
void engine_rocksdb_iter_seek_last(struct engine_iter *iter);
void engine_rocksdb_iter_next(struct engine_iter *iter);
void engine_rocksdb_iter_prev(struct engine_iter *iter);
bool engine_rocksdb_iter_valid(const struct engine_iter *iter);
struct slice engine_rocksdb_iter_key(const struct engine_iter *iter);
struct slice engine_rocksdb_iter_value(const struct engine_iter *iter);
enum status engine_rocksdb_iter_status(const struct engine_iter *iter);

struct engine_rocksdb_path {
	char text[PATH_MAX]; /* a path that is cut names nothing and fails where it is used */
};

/* Make the folder of the stages and drop those that a crash left unfinished. */
enum status engine_rocksdb_stage_files_open(struct engine_rocksdb *engine);
/* Make the folder of one stage; there must be none. */
enum status engine_rocksdb_stage_files_create(struct engine_rocksdb *engine, uint64_t stage_id);
void engine_rocksdb_stage_files_path(struct engine_rocksdb_path *path, const struct engine_rocksdb *engine,
				     uint64_t stage_id, enum engine_family family);
/* From here on the stage exists.  Its files are synced already. */
enum status engine_rocksdb_stage_files_publish(struct engine_rocksdb *engine, uint64_t stage_id,
					       const uint64_t sizes_bytes[FAMILY_COUNT]);
enum status engine_rocksdb_stage_files_ingest(struct engine_rocksdb *engine, uint64_t stage_id);
/* Harmless if there is none. */
enum status engine_rocksdb_stage_files_remove(struct engine_rocksdb *engine, uint64_t stage_id);

/* Free what finished stages in memory hold. */
void engine_rocksdb_stage_forget_all(struct engine_rocksdb *engine);
struct engine_stage *engine_rocksdb_stage_create(struct engine *base, uint64_t stage_id);
enum status engine_rocksdb_stage_add(struct engine_stage *stage, enum engine_family family, struct slice key,
				     struct slice value);
enum status engine_rocksdb_stage_finish(struct engine_stage *stage);
void engine_rocksdb_stage_abandon(struct engine_stage *stage);
enum status engine_rocksdb_stage_ingest(struct engine *base, uint64_t stage_id);
enum status engine_rocksdb_stage_remove(struct engine *base, uint64_t stage_id);

static inline struct engine_rocksdb *engine_rocksdb_of(struct engine *base)
{
	return CONTAINER_OF(base, struct engine_rocksdb, base);
}

/* RocksDB wants char and no NULL. */
static inline const char *engine_rocksdb_chars(struct slice slice)
{
	return slice.data == NULL ? "" : (const char *)slice.data;
}

#endif
