#include "node/partition/partition_sources.h"

#include <stdlib.h>

#include "proto/model/limits.h"

enum { KEY_SIZE = 17, POSITION_SIZE_MAX = 1 + LIMIT_ROW_KEY_SIZE_BYTES };

struct source_mark {
	struct buf position;
};

static struct slice make_key(uint8_t key[KEY_SIZE], uint64_t partition_id, uint64_t source_partition_id)
{
	put_u64_be(key, partition_id);
	key[8] = 'S';
	put_u64_be(key + 9, source_partition_id);
	return slice_of(key, KEY_SIZE);
}

void partition_sources_init(struct partition_sources *sources, uint64_t partition_id)
{
	*sources = (struct partition_sources){ .partition_id = partition_id };
	hash_map_init(&sources->marks, PARTITION_SOURCES_MAX);
}

void partition_sources_close(struct partition_sources *sources)
{
	struct source_mark *mark;
	size_t cursor = 0;

	while ((mark = hash_map_next(&sources->marks, &cursor)) != NULL) {
		buf_close(&mark->position);
		free(mark);
	}
	hash_map_close(&sources->marks);
}

struct slice partition_sources_mark(const struct partition_sources *sources, uint64_t source_partition_id)
{
	const struct source_mark *mark = hash_map_get(&sources->marks, source_partition_id);

	return mark == NULL ? slice_of(NULL, 0) : buf_slice(&mark->position);
}

static enum status set_mark(struct partition_sources *sources, uint64_t source_partition_id,
			    struct slice position)
{
	struct source_mark *mark = hash_map_get(&sources->marks, source_partition_id);
	enum status status = ST_OK;

	if (mark == NULL) {
		mark = calloc(1, sizeof(*mark));
		if (mark == NULL)
			return ST_NO_MEMORY;
		buf_init(&mark->position, POSITION_SIZE_MAX);
		status = hash_map_put(&sources->marks, source_partition_id, mark);
		if (status != ST_OK) {
			free(mark);
			return status;
		}
	}
	buf_reset(&mark->position);
	buf_append_slice(&mark->position, position);
	return mark->position.status;
}

enum status partition_sources_move(struct partition_sources *sources, struct engine *engine,
				   struct engine_batch *batch, uint64_t source_partition_id,
				   struct slice position)
{
	uint8_t key[KEY_SIZE];

	engine_batch_put(engine, batch, FAMILY_META,
			 make_key(key, sources->partition_id, source_partition_id), position);
	return set_mark(sources, source_partition_id, position);
}

enum status partition_sources_load(struct partition_sources *sources, struct engine *engine)
{
	uint64_t partition_id = sources->partition_id;
	uint8_t start[KEY_SIZE];
	uint8_t end[KEY_SIZE];
	struct engine_iter *iter;
	enum status status = ST_OK;

	partition_sources_close(sources);
	partition_sources_init(sources, partition_id);
	iter = engine_iter_create(engine, FAMILY_META, make_key(start, partition_id, 0),
				  make_key(end, partition_id, UINT64_MAX), NULL, ENGINE_READ_MAY_BLOCK);
	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine_iter_seek_first(engine, iter); status == ST_OK && engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		struct slice key = engine_iter_key(engine, iter);

		status = key.size == KEY_SIZE ? set_mark(sources, get_u64_be(key.data + 9),
							 engine_iter_value(engine, iter))
					      : ST_CORRUPT;
	}
	if (status == ST_OK)
		status = engine_iter_status(engine, iter);
	engine_iter_destroy(engine, iter);
	return status;
}
