/* The stores under test, opened alike: RocksDB on disk, RocksDB in memory, the simulated twin. */
#ifndef TESTS_UNIT_ENGINE_FIXTURE_H
#define TESTS_UNIT_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/engine/engine.h"
#include "storage/engine/engine_memory.h"

enum store_kind { STORE_ROCKSDB_DISK, STORE_ROCKSDB_MEMORY, STORE_SIMULATED, STORE_KIND_COUNT };

struct store {
	enum store_kind kind;
	char dir[64];
	struct engine_memory_disk *disk;
	struct engine *engine;
};

static inline int remove_entry(const char *path, const struct stat *figures, int kind, struct FTW *walk)
{
	(void)figures;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void temporary_dir_make(char dir[64])
{
	(void)snprintf(dir, 64, "/tmp/cleave-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static inline void temporary_dir_remove(const char *dir)
{
	assert_int_equal(nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void store_open(struct store *store)
{
	struct engine_options options = { .is_small = true };

	if (store->kind == STORE_SIMULATED) {
		assert_int_equal(engine_memory_open(store->disk, &store->engine), ST_OK);
		return;
	}
	options.dir = store->kind == STORE_ROCKSDB_DISK ? store->dir : NULL;
	assert_int_equal(engine_rocksdb_open(&options, &store->engine), ST_OK);
}

static inline void store_close(struct store *store)
{
	engine_close(store->engine);
	store->engine = NULL;
}

static inline void store_start(struct store *store, enum store_kind kind)
{
	*store = (struct store){ .kind = kind };
	temporary_dir_make(store->dir);
	store->disk = engine_memory_disk_create();
	assert_non_null(store->disk);
	store_open(store);
}

static inline void store_stop(struct store *store)
{
	engine_close(store->engine);
	engine_memory_disk_destroy(store->disk);
	temporary_dir_remove(store->dir);
}

static inline bool store_survives_closing(const struct store *store)
{
	return store->kind != STORE_ROCKSDB_MEMORY;
}

static inline void store_put(struct engine *engine, enum engine_family family, const char *key,
			     const char *value)
{
	struct engine_batch *batch = engine_batch_create(engine);

	assert_non_null(batch);
	engine_batch_put(engine, batch, family, slice_of_string(key), slice_of_string(value));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
}

/* The value as text, "-" if there is none; every get is released. */
static inline const char *store_get(struct engine *engine, enum engine_family family, const char *key)
{
	static char text[256];
	struct engine_value value = { .engine = NULL };
	enum status status = engine_get(engine, family, slice_of_string(key), ENGINE_READ_MAY_BLOCK, &value);

	if (status == ST_NOT_FOUND)
		return "-";
	assert_int_equal(status, ST_OK);
	assert_true(value.slice.size < sizeof(text));
	if (value.slice.size > 0)
		memcpy(text, value.slice.data, value.slice.size);
	text[value.slice.size] = '\0';
	engine_value_release(&value);
	return text;
}

#endif
