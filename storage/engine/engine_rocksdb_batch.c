#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

enum { PARTS_MAX = 16 };

struct engine_batch {
	struct engine_rocksdb *engine;
	rocksdb_writebatch_t *rows;
};

struct engine_batch *engine_rocksdb_batch_create(struct engine *base)
{
	struct engine_batch *batch = malloc(sizeof(*batch));

	if (batch == NULL)
		return NULL;
	batch->engine = engine_rocksdb_of(base);
	batch->rows = rocksdb_writebatch_create();
	return batch;
}

void engine_rocksdb_batch_destroy(struct engine_batch *batch)
{
	rocksdb_writebatch_destroy(batch->rows);
	free(batch);
}

void engine_rocksdb_batch_clear(struct engine_batch *batch)
{
	rocksdb_writebatch_clear(batch->rows);
}

static void put_parts(struct engine_batch *batch, enum engine_family family, struct slice key,
		      const struct slice *parts, size_t part_count)
{
	const char *key_chars = engine_rocksdb_chars(key);
	const char *starts[PARTS_MAX];
	size_t sizes[PARTS_MAX];

	CHECK(part_count <= PARTS_MAX);
	for (size_t i = 0; i < part_count; i++) {
		starts[i] = engine_rocksdb_chars(parts[i]);
		sizes[i] = parts[i].size;
	}
	rocksdb_writebatch_putv_cf(batch->rows, batch->engine->families[family], 1, &key_chars, &key.size,
				   (int)part_count, starts, sizes);
}

void engine_rocksdb_batch_put(struct engine_batch *batch, enum engine_family family, struct slice key,
			      const struct slice *parts, size_t part_count)
{
	if (part_count != 1) {
		put_parts(batch, family, key, parts, part_count);
		return;
	}
	rocksdb_writebatch_put_cf(batch->rows, batch->engine->families[family], engine_rocksdb_chars(key),
				  key.size, engine_rocksdb_chars(parts[0]), parts[0].size);
}

void engine_rocksdb_batch_delete(struct engine_batch *batch, enum engine_family family, struct slice key)
{
	rocksdb_writebatch_delete_cf(batch->rows, batch->engine->families[family], engine_rocksdb_chars(key),
				     key.size);
}

void engine_rocksdb_batch_delete_range(struct engine_batch *batch, enum engine_family family,
				       struct slice start, struct slice end)
{
	/* RocksDB does not check the order and would keep a range that makes no sense. */
	if (slice_compare(start, end) >= 0)
		return;
	rocksdb_writebatch_delete_range_cf(batch->rows, batch->engine->families[family],
					   engine_rocksdb_chars(start), start.size, engine_rocksdb_chars(end),
					   end.size);
}

size_t engine_rocksdb_batch_count(const struct engine_batch *batch)
{
	return (size_t)rocksdb_writebatch_count(batch->rows);
}

/* From the first failure on nobody can tell what the log holds: stay failed. */
static enum status note_failure(struct engine_rocksdb *engine, enum status status)
{
	if (status == ST_OK)
		return ST_OK;
	engine->has_failed = true;
	return ST_IO;
}

static enum status inject(struct engine_rocksdb *engine, const char *action)
{
	log_error("engine", "failed", "action=%s message=\"injected\"", action);
	return note_failure(engine, ST_IO);
}

enum status engine_rocksdb_batch_write(struct engine *base, struct engine_batch *batch)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	char *error = NULL;

	if (engine->has_failed)
		return ST_IO;
	if (fault_fires(FAULT_ENGINE_WRITE))
		return inject(engine, "write");
	rocksdb_write(engine->db, engine->write_options, batch->rows, &error);
	return note_failure(engine, engine_rocksdb_take_error("write", error));
}

enum status engine_rocksdb_batch_sync(struct engine *base)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	/* RocksDB's files in memory cannot be synced, and nothing would be gained. */
	unsigned char to_disk = engine->dir != NULL;
	uint64_t sequence = rocksdb_get_latest_sequence_number(engine->db);
	char *error = NULL;
	enum status status;

	if (engine->has_failed)
		return ST_IO;
	fault_block(FAULT_ENGINE_SYNC);
	if (fault_fires(FAULT_ENGINE_SYNC))
		return inject(engine, "sync");
	rocksdb_flush_wal(engine->db, to_disk, &error);
	status = engine_rocksdb_take_error("sync", error);
	if (status == ST_OK)
		status = engine_rocksdb_mark_note(&engine->mark, sequence);
	return note_failure(engine, status);
}
