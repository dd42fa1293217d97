#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "storage/engine/engine_rocksdb_internal.h"

struct engine_iter {
	rocksdb_iterator_t *rows;
	rocksdb_readoptions_t *options;
	struct slice start; /* the bounds as kept in bytes */
	struct slice end;
	enum status injected; /* by a fault point */
	uint8_t bytes[];      /* RocksDB borrows the bounds for the iterator's life */
};

static void keep_bounds(struct engine_iter *iter, struct slice start, struct slice end)
{
	if (start.size > 0)
		memcpy(iter->bytes, start.data, start.size);
	if (end.size > 0)
		memcpy(iter->bytes + start.size, end.data, end.size);
	iter->start = slice_of(iter->bytes, start.size);
	iter->end = slice_of(iter->bytes + start.size, end.size);
	rocksdb_readoptions_set_iterate_lower_bound(iter->options, engine_rocksdb_chars(iter->start),
						    start.size);
	if (end.size > 0)
		rocksdb_readoptions_set_iterate_upper_bound(iter->options, engine_rocksdb_chars(iter->end),
							    end.size);
}

struct engine_iter *engine_rocksdb_iter_create(struct engine *base, enum engine_family family,
					       struct slice start, struct slice end,
					       const struct engine_snapshot *snapshot,
					       enum engine_read_mode mode)
{
	struct engine_rocksdb *engine = engine_rocksdb_of(base);
	bool is_inverted = end.size > 0 && slice_compare(start, end) > 0;
	struct engine_iter *iter;

	/* RocksDB asserts that the bounds are in order; an empty range is as good. */
	if (is_inverted)
		end = start;
	iter = calloc(1, sizeof(*iter) + start.size + end.size);
	if (iter == NULL)
		return NULL;
	iter->options = rocksdb_readoptions_create();
	keep_bounds(iter, start, end);
	rocksdb_readoptions_set_read_tier(iter->options,
					  rocksdb_readoptions_get_read_tier(engine->read_options[mode]));
	/* Up to version 9.4 RocksDB takes what it knows of one file's deleted ranges for the next file's,
	 * too, if that one cannot be opened, and frees it twice (its change 12805). */
	if (mode == ENGINE_READ_CACHED)
		rocksdb_readoptions_set_ignore_range_deletions(iter->options, 1);
	if (snapshot != NULL)
		rocksdb_readoptions_set_snapshot(iter->options, (const rocksdb_snapshot_t *)snapshot);
	iter->rows = rocksdb_create_iterator_cf(engine->db, iter->options, engine->families[family]);
	return iter;
}

void engine_rocksdb_iter_destroy(struct engine_iter *iter)
{
	rocksdb_iter_destroy(iter->rows);
	rocksdb_readoptions_destroy(iter->options);
	free(iter);
}

static void maybe_inject(struct engine_iter *iter)
{
	if (!fault_fires(FAULT_ENGINE_READ))
		return;
	log_error("engine", "failed", "action=iterate message=\"injected\"");
	iter->injected = ST_IO;
}

void engine_rocksdb_iter_seek(struct engine_iter *iter, struct slice key)
{
	maybe_inject(iter);
	rocksdb_iter_seek(iter->rows, engine_rocksdb_chars(key), key.size);
}

void engine_rocksdb_iter_seek_first(struct engine_iter *iter)
{
	maybe_inject(iter);
	rocksdb_iter_seek_to_first(iter->rows);
}

void engine_rocksdb_iter_seek_last(struct engine_iter *iter)
{
	maybe_inject(iter);
	rocksdb_iter_seek_to_last(iter->rows);
}

void engine_rocksdb_iter_next(struct engine_iter *iter)
{
	CHECK(engine_rocksdb_iter_valid(iter));
	rocksdb_iter_next(iter->rows);
}

void engine_rocksdb_iter_prev(struct engine_iter *iter)
{
	CHECK(engine_rocksdb_iter_valid(iter));
	rocksdb_iter_prev(iter->rows);
}

bool engine_rocksdb_iter_valid(const struct engine_iter *iter)
{
	return iter->injected == ST_OK && rocksdb_iter_valid(iter->rows) != 0;
}

struct slice engine_rocksdb_iter_key(const struct engine_iter *iter)
{
	size_t size;
	const char *key = rocksdb_iter_key(iter->rows, &size);

	return slice_of(key, size);
}

struct slice engine_rocksdb_iter_value(const struct engine_iter *iter)
{
	size_t size;
	const char *value = rocksdb_iter_value(iter->rows, &size);

	return slice_of(value, size);
}

enum status engine_rocksdb_iter_status(const struct engine_iter *iter)
{
	char *error = NULL;

	if (iter->injected != ST_OK)
		return iter->injected;
	rocksdb_iter_get_error(iter->rows, &error);
	return engine_rocksdb_take_error("iterate", error);
}
