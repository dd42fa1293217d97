#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

enum { MEMORY_STAGES_MAX = 4096 };

enum status engine_rocksdb_os_error(const char *action, const char *path)
{
	log_error("engine", "failed", "action=%s path=%s error=%s", action, path, strerror(errno));
	return ST_IO;
}

enum status engine_rocksdb_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum status status = ST_OK;

	if (fd < 0)
		return engine_rocksdb_os_error("open", path);
	if (fsync(fd) != 0)
		status = engine_rocksdb_os_error("fsync", path);
	(void)close(fd); /* nothing is written through it */
	return status;
}

enum status engine_rocksdb_make_dir(const char *path)
{
	char parent[PATH_MAX];

	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? ST_OK : engine_rocksdb_os_error("mkdir", path);
	if (snprintf(parent, sizeof(parent), "%s/..", path) >= (int)sizeof(parent)) {
		errno = ENAMETOOLONG;
		return engine_rocksdb_os_error("mkdir", path);
	}
	return engine_rocksdb_sync_dir(parent);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The C interface gives no code, only text that starts with the code's name. */
static enum status classify(const char *error)
{
	if (starts_with(error, "Result incomplete"))
		return ST_WOULD_BLOCK;
	if (starts_with(error, "Corruption"))
		return ST_CORRUPT;
	if (starts_with(error, "Invalid argument"))
		return ST_INVALID;
	return ST_IO;
}

enum status engine_rocksdb_take_error(const char *action, char *error)
{
	enum status status;

	if (error == NULL)
		return ST_OK;
	status = classify(error);
	if (status != ST_WOULD_BLOCK)
		log_error("engine", "failed", "action=%s message=\"%s\"", action, error);
	rocksdb_free(error);
	return status;
}

static enum status take_open_error(char *error)
{
	bool is_locked = error != NULL && (strstr(error, "lock hold by current process") != NULL ||
					   strstr(error, "While lock file") != NULL);
	enum status status = engine_rocksdb_take_error("open", error);

	if (is_locked)
		return ST_BUSY;
	/* For example families of a later version. */
	return status == ST_INVALID ? ST_CORRUPT : status;
}

static enum status open_db(struct engine_rocksdb *engine)
{
	const char *names[FAMILY_COUNT + 1] = { "default" };
	const rocksdb_options_t *options[FAMILY_COUNT + 1] = { engine->db_options };
	rocksdb_column_family_handle_t *handles[FAMILY_COUNT + 1];
	char *error = NULL;

	for (size_t i = 0; i < FAMILY_COUNT; i++) {
		names[i + 1] = engine_family_name((enum engine_family)i);
		options[i + 1] = engine->family_options[i];
	}
	engine->db = rocksdb_open_column_families(engine->db_options,
						  engine->dir == NULL ? "/memory" : engine->dir,
						  FAMILY_COUNT + 1, names, options, handles, &error);
	if (engine->db == NULL)
		return take_open_error(error);
	engine->default_family = handles[0];
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		engine->families[i] = handles[i + 1];
	return ST_OK;
}

static void close_db(struct engine_rocksdb *engine)
{
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		rocksdb_column_family_handle_destroy(engine->families[i]);
	rocksdb_column_family_handle_destroy(engine->default_family);
	rocksdb_close(engine->db);
}

static void close_engine(struct engine *base)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);

	/* Not promised, but an orderly end should lose nothing.  A failure was logged. */
	if (!engine->has_failed)
		(void)engine_rocksdb_batch_sync(base);
	engine_rocksdb_stage_forget_all(engine);
	close_db(engine);
	engine_rocksdb_options_destroy(engine);
	engine_rocksdb_mark_close(&engine->mark);
	(void)pthread_mutex_destroy(&engine->stages_lock);
	free(engine->dir);
	free(engine);
}

static uint64_t free_bytes(struct engine *base)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	struct statvfs figures;

	if (engine->dir == NULL)
		return UINT64_MAX;
	if (statvfs(engine->dir, &figures) != 0) {
		(void)engine_rocksdb_os_error("statvfs", engine->dir);
		return 0;
	}
	return (uint64_t)figures.f_bavail * (uint64_t)figures.f_frsize;
}

static const struct engine_ops ops = {
	.close = close_engine,
	.batch_create = engine_rocksdb_batch_create,
	.batch_destroy = engine_rocksdb_batch_destroy,
	.batch_clear = engine_rocksdb_batch_clear,
	.batch_put = engine_rocksdb_batch_put,
	.batch_delete = engine_rocksdb_batch_delete,
	.batch_delete_range = engine_rocksdb_batch_delete_range,
	.batch_count = engine_rocksdb_batch_count,
	.write = engine_rocksdb_batch_write,
	.sync = engine_rocksdb_batch_sync,
	.get = engine_rocksdb_read_get,
	.value_release = engine_rocksdb_read_release,
	.snapshot_create = engine_rocksdb_read_snapshot,
	.snapshot_release = engine_rocksdb_read_snapshot_release,
	.iter_create = engine_rocksdb_iter_create,
	.iter_destroy = engine_rocksdb_iter_destroy,
	.iter_seek = engine_rocksdb_iter_seek,
	.iter_seek_first = engine_rocksdb_iter_seek_first,
	.iter_seek_last = engine_rocksdb_iter_seek_last,
	.iter_next = engine_rocksdb_iter_next,
	.iter_prev = engine_rocksdb_iter_prev,
	.iter_valid = engine_rocksdb_iter_valid,
	.iter_key = engine_rocksdb_iter_key,
	.iter_value = engine_rocksdb_iter_value,
	.iter_status = engine_rocksdb_iter_status,
	.approximate_size_bytes = engine_rocksdb_read_size_bytes,
	.free_bytes = free_bytes,
	.stage_create = engine_rocksdb_stage_create,
	.stage_add = engine_rocksdb_stage_add,
	.stage_finish = engine_rocksdb_stage_finish,
	.stage_abandon = engine_rocksdb_stage_abandon,
	.stage_ingest = engine_rocksdb_stage_ingest,
	.stage_remove = engine_rocksdb_stage_remove,
};

static enum status set_dir(struct engine_rocksdb *engine, const char *dir)
{
	if (dir == NULL)
		return ST_OK;
	engine->dir = strdup(dir);
	if (engine->dir == NULL)
		return ST_NO_MEMORY;
	return engine_rocksdb_make_dir(dir);
}

enum status engine_rocksdb_open(const struct engine_options *options, struct engine **engine_out)
{
	struct engine_rocksdb *engine = calloc(1, sizeof(*engine));
	enum status status;

	if (engine == NULL)
		return ST_NO_MEMORY;
	engine->base.ops = &ops;
	hash_map_init(&engine->memory_stages, MEMORY_STAGES_MAX);
	status = set_dir(engine, options->dir);
	if (status != ST_OK)
		goto free_engine;
	status = engine_rocksdb_mark_open(&engine->mark, engine->dir);
	if (status != ST_OK)
		goto close_mark;
	engine_rocksdb_options_create(engine, options);
	status = open_db(engine);
	if (status != ST_OK)
		goto destroy_options;
	status = engine_rocksdb_mark_check(&engine->mark, rocksdb_get_latest_sequence_number(engine->db));
	if (status != ST_OK)
		goto close_db;
	/* After the store is open: only then nobody else uses the folder. */
	if (engine->dir != NULL)
		status = engine_rocksdb_stage_files_open(engine);
	if (status != ST_OK)
		goto close_db;
	(void)pthread_mutex_init(&engine->stages_lock, NULL);
	*engine_out = &engine->base;
	return ST_OK;

close_db:
	close_db(engine);
destroy_options:
	engine_rocksdb_options_destroy(engine);
close_mark:
	engine_rocksdb_mark_close(&engine->mark);
free_engine:
	free(engine->dir);
	free(engine);
	return status;
}
