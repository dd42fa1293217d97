/* A partition's rows of index definitions, feeds and sources from arbitrary bytes, as found in the store:
 * a list of kind u8, size of what follows in the key u8, the same, size of the value u16 be, value.
 * What loads is sound: it takes progress and loads again as it then is. */
#include "node/partition/partition_indexes.h"
#include "node/partition/partition_sources.h"
#include "storage/engine/engine_memory.h"

enum { PARTITION = 1001, KEY_SIZE_MAX = 9 + UINT8_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void put_rows(struct engine *engine, struct engine_batch *batch, struct reader *reader)
{
	static const char kinds[] = { 'I', 'F', 'S' };

	while (reader->status == ST_OK && reader->size > 0) {
		uint8_t key[KEY_SIZE_MAX];
		struct slice suffix;
		struct slice value;

		put_u64_be(key, PARTITION);
		key[8] = (uint8_t)kinds[reader_u8(reader) % ARRAY_COUNT(kinds)];
		suffix = reader_bytes(reader, reader_u8(reader));
		value = reader_bytes(reader, reader_u16_be(reader));
		if (reader->status != ST_OK)
			return;
		if (suffix.size > 0)
			memcpy(key + 9, suffix.data, suffix.size);
		engine_batch_put(engine, batch, FAMILY_META, slice_of(key, 9 + suffix.size), value);
	}
}

/* The next position of a feed, however far it is. */
static void move_on(struct partition_indexes *indexes, struct engine *engine, struct engine_batch *batch)
{
	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		Cleave__FeedRecord progress = CLEAVE__FEED_RECORD__INIT;
		uint8_t position[9] = { FEED_CHANGES };

		CHECK(partition_indexes_is_position(buf_slice(&indexes->feeds[i].position)));
		memset(position + 1, i % 2 == 0 ? 0xff : 0x01, 8);
		progress.index_table_id = indexes->feeds[i].index_table_id;
		progress.position = (ProtobufCBinaryData){ sizeof(position), position };
		engine_batch_clear(engine, batch);
		CHECK(partition_indexes_apply_progress(indexes, engine, batch, &progress) == ST_OK);
		CHECK(engine_write(engine, batch) == ST_OK);
	}
}

static void check_again(const struct partition_indexes *indexes, struct engine *engine)
{
	struct partition_indexes again;

	partition_indexes_init(&again, PARTITION);
	CHECK(partition_indexes_load(&again, engine, false) == ST_OK);
	CHECK(again.feed_count == indexes->feed_count);
	for (uint32_t i = 0; i < again.feed_count; i++) {
		const struct partition_feed *feed = partition_indexes_feed(indexes,
									   again.feeds[i].index_table_id);

		CHECK(feed != NULL &&
		      slice_equal(buf_slice(&feed->position), buf_slice(&again.feeds[i].position)));
		CHECK(partition_indexes_of_feed(&again, again.feeds[i].index_table_id) != NULL);
	}
	partition_indexes_close(&again);
}

static void run(struct engine *engine, struct engine_batch *batch)
{
	struct partition_indexes indexes;
	struct partition_sources sources;

	partition_indexes_init(&indexes, PARTITION);
	if (partition_indexes_load(&indexes, engine, true) == ST_OK) {
		move_on(&indexes, engine, batch);
		check_again(&indexes, engine);
	}
	partition_indexes_close(&indexes);
	partition_sources_init(&sources, PARTITION);
	if (partition_sources_load(&sources, engine) == ST_OK) {
		engine_batch_clear(engine, batch);
		CHECK(partition_sources_move(&sources, engine, batch, 7, slice_of("\1", 1)) == ST_OK);
		CHECK(engine_write(engine, batch) == ST_OK);
		CHECK(partition_sources_load(&sources, engine) == ST_OK);
		CHECK(partition_sources_mark(&sources, 7).size == 1);
	}
	partition_sources_close(&sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct engine_memory_disk *disk = engine_memory_disk_create();
	struct engine_batch *batch;
	struct reader reader;
	struct engine *engine;

	CHECK(disk != NULL && engine_memory_open(disk, &engine) == ST_OK);
	batch = engine_batch_create(engine);
	CHECK(batch != NULL);
	reader_init(&reader, slice_of(data, size_bytes));
	put_rows(engine, batch, &reader);
	CHECK(engine_write(engine, batch) == ST_OK);
	run(engine, batch);
	engine_batch_destroy(engine, batch);
	engine_close(engine);
	engine_memory_disk_destroy(disk);
	return 0;
}
