/* The folders of stages: DIR/stage/<id>/<family>.sst, and DIR/stage/<id>/FINISHED, which lists the
 * files with their sizes and appears by a rename once all of them are durable.  A folder without
 * it is a stage that was never finished: it cannot be ingested and the next start drops it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

enum { LIST_SIZE_MAX = 1024 };

#define LIST_HEAD "cleave-stage 1\n"
#define LIST_TAIL "end\n"

/* --- paths and folders --- */

/* DIR/stage[/<id>[/name]] */
static void stages_path(struct engine_rocksdb_path *path, const struct engine_rocksdb *engine)
{
	(void)snprintf(path->text, sizeof(path->text), "%s/stage", engine->dir);
}

static void stage_path(struct engine_rocksdb_path *path, const struct engine_rocksdb *engine,
		       uint64_t stage_id, const char *name)
{
	(void)snprintf(path->text, sizeof(path->text), "%s/stage/%016" PRIx64 "%s%s", engine->dir, stage_id,
		       name[0] == '\0' ? "" : "/", name);
}

void engine_rocksdb_stage_files_path(struct engine_rocksdb_path *path, const struct engine_rocksdb *engine,
				     uint64_t stage_id, enum engine_family family)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%s.sst", engine_family_name(family));
	stage_path(path, engine, stage_id, name);
}

static enum status remove_path(int (*remove_one)(const char *), const char *path)
{
	if (remove_one(path) != 0 && errno != ENOENT)
		return engine_rocksdb_os_error("remove", path);
	return ST_OK;
}

/* FINISHED goes first and for good, so that a crash in between leaves an unfinished stage, not a
 * broken one. */
static enum status remove_list(struct engine_rocksdb *engine, uint64_t stage_id)
{
	struct engine_rocksdb_path path;

	stage_path(&path, engine, stage_id, "FINISHED");
	if (unlink(path.text) != 0)
		return errno == ENOENT ? ST_OK : engine_rocksdb_os_error("remove", path.text);
	stage_path(&path, engine, stage_id, "");
	return engine_rocksdb_sync_dir(path.text);
}

enum status engine_rocksdb_stage_files_remove(struct engine_rocksdb *engine, uint64_t stage_id)
{
	enum status status = remove_list(engine, stage_id);
	struct engine_rocksdb_path path;

	stage_path(&path, engine, stage_id, "FINISHED.tmp");
	if (status == ST_OK)
		status = remove_path(unlink, path.text);
	for (size_t i = 0; i < FAMILY_COUNT && status == ST_OK; i++) {
		engine_rocksdb_stage_files_path(&path, engine, stage_id, (enum engine_family)i);
		status = remove_path(unlink, path.text);
	}
	stage_path(&path, engine, stage_id, "");
	return status == ST_OK ? remove_path(rmdir, path.text) : status;
}

static bool is_finished(struct engine_rocksdb *engine, uint64_t stage_id)
{
	struct engine_rocksdb_path path;

	stage_path(&path, engine, stage_id, "FINISHED");
	return access(path.text, F_OK) == 0;
}

static bool parse_stage_id(const char *name, uint64_t *stage_id_out)
{
	char *end;

	if (strlen(name) != 16 || strspn(name, "0123456789abcdef") != 16)
		return false;
	*stage_id_out = strtoull(name, &end, 16);
	return true;
}

static enum status drop_unfinished(struct engine_rocksdb *engine, DIR *dir)
{
	struct dirent *entry;
	enum status status = ST_OK;

	while (status == ST_OK && (entry = readdir(dir)) != NULL) {
		uint64_t stage_id;

		if (parse_stage_id(entry->d_name, &stage_id) && !is_finished(engine, stage_id))
			status = engine_rocksdb_stage_files_remove(engine, stage_id);
	}
	return status;
}

enum status engine_rocksdb_stage_files_open(struct engine_rocksdb *engine)
{
	struct engine_rocksdb_path path;
	enum status status;
	DIR *dir;

	stages_path(&path, engine);
	status = engine_rocksdb_make_dir(path.text);
	if (status != ST_OK)
		return status;
	dir = opendir(path.text);
	if (dir == NULL)
		return engine_rocksdb_os_error("opendir", path.text);
	status = drop_unfinished(engine, dir);
	(void)closedir(dir); /* only read */
	return status;
}

enum status engine_rocksdb_stage_files_create(struct engine_rocksdb *engine, uint64_t stage_id)
{
	struct engine_rocksdb_path path;

	stage_path(&path, engine, stage_id, "");
	if (mkdir(path.text, 0700) != 0)
		return engine_rocksdb_os_error("mkdir", path.text);
	return ST_OK;
}

static enum status write_and_sync(int fd, struct slice content)
{
	while (content.size > 0) {
		ssize_t written = write(fd, content.data, content.size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return ST_IO;
		content.data += written;
		content.size -= (size_t)written;
	}
	return fsync(fd) == 0 ? ST_OK : ST_IO;
}

static enum status write_list(const char *path, struct slice list)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum status status;

	if (fd < 0)
		return engine_rocksdb_os_error("create", path);
	status = write_and_sync(fd, list);
	if (status != ST_OK)
		(void)engine_rocksdb_os_error("write", path);
	(void)close(fd); /* synced or given up */
	return status;
}

static void print_list(struct buf *list, const uint64_t sizes_bytes[FAMILY_COUNT])
{
	buf_append_string(list, LIST_HEAD);
	for (size_t i = 0; i < FAMILY_COUNT; i++) {
		if (sizes_bytes[i] > 0)
			buf_append_format(list, "%s %" PRIu64 "\n", engine_family_name((enum engine_family)i),
					  sizes_bytes[i]);
	}
	buf_append_string(list, LIST_TAIL);
}

static enum status rename_list(struct engine_rocksdb *engine, uint64_t stage_id, const char *temporary)
{
	struct engine_rocksdb_path path;
	enum status status;

	stage_path(&path, engine, stage_id, "FINISHED");
	if (rename(temporary, path.text) != 0)
		return engine_rocksdb_os_error("rename", path.text);
	stage_path(&path, engine, stage_id, "");
	status = engine_rocksdb_sync_dir(path.text);
	stages_path(&path, engine);
	return status == ST_OK ? engine_rocksdb_sync_dir(path.text) : status;
}

enum status engine_rocksdb_stage_files_publish(struct engine_rocksdb *engine, uint64_t stage_id,
					       const uint64_t sizes_bytes[FAMILY_COUNT])
{
	struct engine_rocksdb_path temporary;
	enum status status;
	struct buf list;

	buf_init(&list, LIST_SIZE_MAX - 1);
	print_list(&list, sizes_bytes);
	stage_path(&temporary, engine, stage_id, "FINISHED.tmp");
	status = list.status;
	if (status == ST_OK)
		status = write_list(temporary.text, buf_slice(&list));
	if (status == ST_OK)
		status = rename_list(engine, stage_id, temporary.text);
	buf_close(&list);
	return status;
}

/* --- ingesting --- */

static enum status read_list(struct engine_rocksdb *engine, uint64_t stage_id, char text[LIST_SIZE_MAX])
{
	struct engine_rocksdb_path path;
	enum status status = ST_OK;
	size_t size;
	FILE *file;

	stage_path(&path, engine, stage_id, "FINISHED");
	file = fopen(path.text, "re");
	if (file == NULL)
		return errno == ENOENT ? ST_NOT_FOUND : engine_rocksdb_os_error("open", path.text);
	size = fread(text, 1, LIST_SIZE_MAX - 1, file);
	if (ferror(file) != 0)
		status = engine_rocksdb_os_error("read", path.text);
	text[size] = '\0';
	(void)fclose(file); /* only read */
	return status;
}

static bool has_size(const char *path, uint64_t size_bytes)
{
	struct stat figures;

	return stat(path, &figures) == 0 && (uint64_t)figures.st_size == size_bytes;
}

/* Take one line "<family> <size>" off the list. */
static enum status next_file(const char **text, enum engine_family *family_out, uint64_t *size_bytes_out)
{
	size_t line_size = strcspn(*text, "\n");

	for (size_t i = 0; i < FAMILY_COUNT; i++) {
		const char *name = engine_family_name((enum engine_family)i);
		size_t name_size = strlen(name);

		if (name_size >= line_size || memcmp(*text, name, name_size) != 0 ||
		    (*text)[name_size] != ' ')
			continue;
		*family_out = (enum engine_family)i;
		*size_bytes_out = strtoull(*text + name_size + 1, NULL, 10);
		*text += line_size + ((*text)[line_size] == '\n' ? 1 : 0);
		return ST_OK;
	}
	return ST_CORRUPT;
}

/* Which families the stage has, after checking that the files are those that were finished. */
static enum status check_files(struct engine_rocksdb *engine, uint64_t stage_id, const char *list,
			       bool has_family_out[FAMILY_COUNT])
{
	if (strncmp(list, LIST_HEAD, strlen(LIST_HEAD)) != 0)
		return ST_CORRUPT;
	list += strlen(LIST_HEAD);
	while (strcmp(list, LIST_TAIL) != 0) {
		enum engine_family family;
		uint64_t size_bytes;
		struct engine_rocksdb_path path;

		if (next_file(&list, &family, &size_bytes) != ST_OK)
			return ST_CORRUPT;
		engine_rocksdb_stage_files_path(&path, engine, stage_id, family);
		if (!has_size(path.text, size_bytes))
			return ST_CORRUPT;
		has_family_out[family] = true;
	}
	return ST_OK;
}

static enum status ingest_file(struct engine_rocksdb *engine, uint64_t stage_id, enum engine_family family)
{
	rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	struct engine_rocksdb_path path;
	const char *name = path.text;
	enum status status;
	char *error = NULL;

	engine_rocksdb_stage_files_path(&path, engine, stage_id, family);
	rocksdb_ingestexternalfileoptions_set_move_files(options, 0); /* the staged copy stays */
	/* RocksDB would flush by itself, but with all writers held back meanwhile. */
	rocksdb_flush_cf(engine->db, flush, engine->families[family], &error);
	status = engine_rocksdb_take_error("flush", error);
	error = NULL;
	if (status == ST_OK) {
		rocksdb_ingest_external_file_cf(engine->db, engine->families[family], &name, 1, options,
						&error);
		status = engine_rocksdb_take_error("ingest", error);
	}
	rocksdb_flushoptions_destroy(flush);
	rocksdb_ingestexternalfileoptions_destroy(options);
	return status;
}

enum status engine_rocksdb_stage_files_ingest(struct engine_rocksdb *engine, uint64_t stage_id)
{
	bool has_family[FAMILY_COUNT] = { false };
	char list[LIST_SIZE_MAX];
	enum status status = read_list(engine, stage_id, list);

	if (status != ST_OK)
		return status;
	status = check_files(engine, stage_id, list, has_family);
	if (status != ST_OK)
		log_error("engine", "failed",
			  "action=ingest stage=%016" PRIx64 " message=\"files do not match\"", stage_id);
	for (size_t i = 0; i < FAMILY_COUNT && status == ST_OK; i++) {
		if (has_family[i])
			status = ingest_file(engine, stage_id, (enum engine_family)i);
	}
	return status;
}
