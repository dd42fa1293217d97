/* Collecting rows into a stage.  On disk it is a folder of sorted files
 * (engine_rocksdb_stage_files.c); in memory it is a write batch that is kept until removed. */
#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

enum { KEY_SIZE_MAX = 64 * 1024 };

struct engine_stage {
	struct engine_rocksdb *engine;
	uint64_t id;
	enum status status; /* the first failure sticks */
	struct buf last_key;
	int last_family;                    /* -1 before the first row */
	rocksdb_sstfilewriter_t *file;      /* of last_family; NULL before the first row */
	uint64_t sizes_bytes[FAMILY_COUNT]; /* of completed files; 0: no file */
	rocksdb_writebatch_t *rows;         /* in memory only */
};

/* --- in memory --- */

static enum status keep_in_memory(struct engine_rocksdb *engine, uint64_t stage_id,
				  rocksdb_writebatch_t *rows)
{
	rocksdb_writebatch_t *older;
	enum status status;

	(void)pthread_mutex_lock(&engine->stages_lock);
	older = hash_map_get(&engine->memory_stages, stage_id);
	status = hash_map_put(&engine->memory_stages, stage_id, rows);
	(void)pthread_mutex_unlock(&engine->stages_lock);
	if (status == ST_OK && older != NULL)
		rocksdb_writebatch_destroy(older);
	return status;
}

static void forget_in_memory(struct engine_rocksdb *engine, uint64_t stage_id)
{
	rocksdb_writebatch_t *rows;

	(void)pthread_mutex_lock(&engine->stages_lock);
	rows = hash_map_remove(&engine->memory_stages, stage_id);
	(void)pthread_mutex_unlock(&engine->stages_lock);
	if (rows != NULL)
		rocksdb_writebatch_destroy(rows);
}

/* The lock is held over the write, so that the rows are not removed meanwhile. */
static enum status ingest_from_memory(struct engine_rocksdb *engine, uint64_t stage_id)
{
	enum status status = ST_NOT_FOUND;
	rocksdb_writebatch_t *rows;
	char *error = NULL;

	(void)pthread_mutex_lock(&engine->stages_lock);
	rows = hash_map_get(&engine->memory_stages, stage_id);
	if (rows != NULL) {
		rocksdb_write(engine->db, engine->write_options, rows, &error);
		status = engine_rocksdb_take_error("ingest", error);
	}
	(void)pthread_mutex_unlock(&engine->stages_lock);
	return status;
}

void engine_rocksdb_stage_forget_all(struct engine_rocksdb *engine)
{
	size_t cursor = 0;
	rocksdb_writebatch_t *rows;

	while ((rows = hash_map_next(&engine->memory_stages, &cursor)) != NULL)
		rocksdb_writebatch_destroy(rows);
	hash_map_close(&engine->memory_stages);
}

/* --- collecting --- */

struct engine_stage *engine_rocksdb_stage_create(struct engine *base, uint64_t stage_id)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	struct engine_stage *stage = calloc(1, sizeof(*stage));

	if (stage == NULL)
		return NULL;
	if (engine_rocksdb_stage_remove(base, stage_id) != ST_OK)
		goto free_stage;
	if (engine->dir == NULL)
		stage->rows = rocksdb_writebatch_create();
	else if (engine_rocksdb_stage_files_create(engine, stage_id) != ST_OK)
		goto free_stage;
	stage->engine = engine;
	stage->id = stage_id;
	stage->last_family = -1;
	buf_init(&stage->last_key, KEY_SIZE_MAX);
	return stage;

free_stage:
	free(stage);
	return NULL;
}

/* Complete and sync the file of the last family. */
static enum status close_file(struct engine_stage *stage)
{
	enum status status;
	char *error = NULL;

	if (stage->file == NULL)
		return ST_OK;
	rocksdb_sstfilewriter_finish(stage->file, &error);
	status = engine_rocksdb_take_error("stage_finish", error);
	rocksdb_sstfilewriter_file_size(stage->file, &stage->sizes_bytes[stage->last_family]);
	rocksdb_sstfilewriter_destroy(stage->file);
	stage->file = NULL;
	return status;
}

static enum status open_file(struct engine_stage *stage, enum engine_family family)
{
	rocksdb_envoptions_t *env_options = rocksdb_envoptions_create();
	struct engine_rocksdb_path path;
	char *error = NULL;

	engine_rocksdb_stage_files_path(&path, stage->engine, stage->id, family);
	stage->file = rocksdb_sstfilewriter_create(env_options, stage->engine->family_options[family]);
	rocksdb_envoptions_destroy(env_options);
	rocksdb_sstfilewriter_open(stage->file, path.text, &error);
	return engine_rocksdb_take_error("stage_open", error);
}

static enum status add_to_file(struct engine_stage *stage, enum engine_family family, struct slice key,
			       struct slice value)
{
	char *error = NULL;

	if (stage->last_family != (int)family) {
		enum status status = close_file(stage);

		if (status == ST_OK)
			status = open_file(stage, family);
		if (status != ST_OK)
			return status;
	}
	rocksdb_sstfilewriter_put(stage->file, engine_rocksdb_chars(key), key.size,
				  engine_rocksdb_chars(value), value.size, &error);
	return engine_rocksdb_take_error("stage_add", error);
}

static bool is_in_order(const struct engine_stage *stage, enum engine_family family, struct slice key)
{
	if ((int)family != stage->last_family)
		return (int)family > stage->last_family;
	return slice_compare(buf_slice(&stage->last_key), key) < 0;
}

enum status engine_rocksdb_stage_add(struct engine_stage *stage, enum engine_family family, struct slice key,
				     struct slice value)
{
	if (stage->status != ST_OK)
		return stage->status;
	if (!is_in_order(stage, family, key)) {
		stage->status = ST_INVALID;
		return ST_INVALID;
	}
	if (stage->rows != NULL)
		rocksdb_writebatch_put_cf(stage->rows, stage->engine->families[family],
					  engine_rocksdb_chars(key), key.size, engine_rocksdb_chars(value),
					  value.size);
	else
		stage->status = add_to_file(stage, family, key, value);
	stage->last_family = (int)family;
	buf_reset(&stage->last_key);
	buf_append_slice(&stage->last_key, key);
	if (stage->status == ST_OK)
		stage->status = stage->last_key.status;
	return stage->status;
}

/* --- finishing --- */

static enum status finish_files(struct engine_stage *stage)
{
	enum status status = close_file(stage);

	if (status == ST_OK && fault_fires(FAULT_ENGINE_SYNC))
		status = ST_IO;
	return status == ST_OK
		       ? engine_rocksdb_stage_files_publish(stage->engine, stage->id, stage->sizes_bytes)
		       : status;
}

static enum status finish_memory(struct engine_stage *stage)
{
	enum status status = fault_fires(FAULT_ENGINE_SYNC) ? ST_IO : ST_OK;

	if (status == ST_OK)
		status = keep_in_memory(stage->engine, stage->id, stage->rows);
	if (status == ST_OK)
		stage->rows = NULL; /* kept */
	return status;
}

static void free_stage(struct engine_stage *stage)
{
	if (stage->file != NULL)
		rocksdb_sstfilewriter_destroy(stage->file);
	if (stage->rows != NULL)
		rocksdb_writebatch_destroy(stage->rows);
	buf_close(&stage->last_key);
	free(stage);
}

void engine_rocksdb_stage_abandon(struct engine_stage *stage)
{
	struct engine_rocksdb *engine = stage->engine;
	uint64_t stage_id = stage->id;

	free_stage(stage);
	if (engine->dir != NULL)
		(void)engine_rocksdb_stage_files_remove(
			engine, stage_id); /* what stays is dropped at the next start */
}

enum status engine_rocksdb_stage_finish(struct engine_stage *stage)
{
	enum status status = stage->status;

	if (status == ST_OK)
		status = stage->engine->dir == NULL ? finish_memory(stage) : finish_files(stage);
	if (status != ST_OK) {
		engine_rocksdb_stage_abandon(stage);
		return status;
	}
	free_stage(stage);
	return ST_OK;
}

/* --- ingesting --- */

enum status engine_rocksdb_stage_ingest(struct engine *base, uint64_t stage_id)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	/* Ingested rows are durable at once; no batch written earlier may be lost behind them. */
	enum status status = engine_rocksdb_batch_sync(base);

	if (status != ST_OK)
		return status;
	if (fault_fires(FAULT_ENGINE_WRITE)) {
		log_error("engine", "failed", "action=ingest message=\"injected\"");
		return ST_IO;
	}
	return engine->dir == NULL ? ingest_from_memory(engine, stage_id)
				   : engine_rocksdb_stage_files_ingest(engine, stage_id);
}

enum status engine_rocksdb_stage_remove(struct engine *base, uint64_t stage_id)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);

	if (engine->dir != NULL)
		return engine_rocksdb_stage_files_remove(engine, stage_id);
	forget_in_memory(engine, stage_id);
	return ST_OK;
}
