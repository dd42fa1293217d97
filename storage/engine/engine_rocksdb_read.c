#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

/* Sorts behind every key that occurs: no family has keys that start with so many 0xff. */
static const uint8_t last_key[16] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

enum status engine_rocksdb_read_get(struct engine *base, enum engine_family family, struct slice key,
				    enum engine_read_mode mode, struct engine_value *value_out)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	rocksdb_pinnableslice_t *pinned;
	char *error = NULL;
	size_t size;

	if (fault_fires(FAULT_ENGINE_READ)) {
		log_error("engine", "failed", "action=get message=\"injected\"");
		return ST_IO;
	}
	pinned = rocksdb_get_pinned_cf(engine->db, engine->read_options[mode], engine->families[family],
				       engine_rocksdb_chars(key), key.size, &error);
	if (error != NULL)
		return engine_rocksdb_take_error("get", error);
	if (pinned == NULL)
		return ST_NOT_FOUND;
	value_out->slice.data = (const uint8_t *)rocksdb_pinnableslice_value(pinned, &size);
	value_out->slice.size = size;
	/* Where a table file is not open, a read that may not touch the disk reports "the key may
	 * exist": found, with nothing in it.  Only the disk tells that from an empty value. */
	if (mode == ENGINE_READ_CACHED && size == 0) {
		rocksdb_pinnableslice_destroy(pinned);
		return ST_WOULD_BLOCK;
	}
	value_out->impl = pinned;
	value_out->engine = base;
	return ST_OK;
}

void engine_rocksdb_read_release(struct engine_value *value)
{
	rocksdb_pinnableslice_destroy(value->impl);
	value->impl = NULL;
}

struct engine_snapshot *engine_rocksdb_read_snapshot(struct engine *base)
{
	return (struct engine_snapshot *)(uintptr_t)rocksdb_create_snapshot(engine_rocksdb_of(base)->db);
}

void engine_rocksdb_read_snapshot_release(struct engine *base, struct engine_snapshot *snapshot)
{
	rocksdb_release_snapshot(engine_rocksdb_of(base)->db, (const rocksdb_snapshot_t *)snapshot);
}

uint64_t engine_rocksdb_read_size_bytes(struct engine *base, enum engine_family family, struct slice start,
					struct slice end)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	struct slice limit = end.size == 0 ? slice_of(last_key, sizeof(last_key)) : end;
	const char *start_chars = engine_rocksdb_chars(start);
	const char *limit_chars = engine_rocksdb_chars(limit);
	uint64_t size_bytes = 0;
	char *error = NULL;

	if (slice_compare(start, limit) >= 0)
		return 0;
	rocksdb_approximate_sizes_cf(engine->db, engine->families[family], 1, &start_chars, &start.size,
				     &limit_chars, &limit.size, &size_bytes, &error);
	return engine_rocksdb_take_error("approximate_sizes", error) == ST_OK ? size_bytes : 0;
}
