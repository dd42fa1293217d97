#include "node/partition/partition_indexes.h"

#include <stdlib.h>

#include "proto/catalog/index_info.h"
#include "storage/changes/change_log.h"

enum {
	KEY_SIZE_MAX = 13,
	VERSION = 1,
	ARENA_SIZE_MAX = 4 * 1024 * 1024,
	PACKED_SIZE_MAX = 1024 * 1024,
	POSITION_SIZE_MAX = 1 + LIMIT_ROW_KEY_SIZE_BYTES,
};

static struct slice definitions_key(uint8_t key[KEY_SIZE_MAX], uint64_t partition_id)
{
	put_u64_be(key, partition_id);
	key[8] = 'I';
	return slice_of(key, 9);
}

static struct slice feed_key(uint8_t key[KEY_SIZE_MAX], uint64_t partition_id, uint32_t index_table_id)
{
	put_u64_be(key, partition_id);
	key[8] = 'F';
	put_u32_be(key + 9, index_table_id);
	return slice_of(key, 13);
}

void partition_indexes_init(struct partition_indexes *indexes, uint64_t partition_id)
{
	*indexes = (struct partition_indexes){ .partition_id = partition_id };
	buf_init(&indexes->packed, PACKED_SIZE_MAX);
}

static void free_set(struct partition_indexes *indexes)
{
	union {
		const struct table_indexes *in;
		void *out;
	} pointer = { .in = indexes->set };

	free(pointer.out);
	indexes->set = NULL;
}

void partition_indexes_close(struct partition_indexes *indexes)
{
	for (uint32_t i = 0; i < indexes->feed_count; i++)
		buf_close(&indexes->feeds[i].position);
	indexes->feed_count = 0;
	free_set(indexes);
	buf_close(&indexes->packed);
}

const struct partition_feed *partition_indexes_feed(const struct partition_indexes *indexes,
						    uint32_t index_table_id)
{
	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		if (indexes->feeds[i].index_table_id == index_table_id)
			return &indexes->feeds[i];
	}
	return NULL;
}

/* The token of a row key, or of a bound of keys, as far as it goes on. */
static uint64_t token_of(struct slice key)
{
	uint8_t padded[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0 };

	if (key.size > 0)
		memcpy(padded, key.data, key.size < sizeof(padded) ? key.size : sizeof(padded));
	return get_u64_be(padded + sizeof(uint32_t));
}

uint32_t partition_feed_percent(const struct partition_feed *feed, struct slice range_start,
				struct slice range_end)
{
	struct slice row_key = slice_of(feed->position.data + 1, feed->position.size - 1);
	uint64_t first = token_of(range_start);
	uint64_t last = token_of(range_end) - 1; /* the end of a table is token 0 of the next */
	uint64_t at = token_of(row_key);
	double percent;

	if (feed->position.data[0] != FEED_BACKFILL)
		return 100;
	if (row_key.size == 0 || at < first || last < first)
		return 0;
	percent = (double)(at - first) / ((double)(last - first) + 1) * 100;
	return percent < 99 ? (uint32_t)percent : 99;
}

const struct table_index *partition_indexes_of_feed(const struct partition_indexes *indexes,
						    uint32_t index_table_id)
{
	const struct table_index *index;
	uint32_t cursor = 0;

	while ((index = table_indexes_next(indexes->set, false, &cursor)) != NULL) {
		if (index->table_id == index_table_id)
			return index;
	}
	return NULL;
}

static bool is_kept(const struct partition_indexes *indexes, struct slice name)
{
	const struct table_index *index;
	uint32_t cursor = 0;

	if (table_schema_find(&indexes->schema, name) != NULL)
		return true;
	while ((index = table_indexes_next(indexes->set, false, &cursor)) != NULL) {
		if (table_schema_find(&index->schema, name) != NULL)
			return true;
		for (uint32_t i = 0; i < index->attribute_count; i++) {
			if (slice_equal(index->attributes[i], name))
				return true;
		}
	}
	return false;
}

enum status partition_indexes_keep_old(const struct partition_indexes *indexes, struct slice old_item,
				       struct buf *out)
{
	struct item_attribute attribute;
	struct item_builder builder;
	struct item_iter iter;

	item_builder_init(&builder, out);
	item_iter_init(&iter, old_item);
	while (item_next_attribute(&iter, &attribute)) {
		if (is_kept(indexes, attribute.name))
			item_builder_attribute(&builder, &attribute);
	}
	return item_iter_status(&iter) == ST_OK ? item_builder_finish(&builder) : ST_CORRUPT;
}

/* --- definitions --- */

static enum status keep_set(struct partition_indexes *indexes, const struct table_indexes *decoded)
{
	void *copy = NULL;

	if (decoded != NULL) {
		copy = malloc(table_indexes_size(decoded));
		if (copy == NULL)
			return ST_NO_MEMORY;
		(void)table_indexes_copy(decoded, copy);
	}
	free_set(indexes);
	indexes->set = copy;
	return ST_OK;
}

/* Into memory, all or nothing. */
static enum status take_definitions(struct partition_indexes *indexes,
				    const Cleave__PartitionIndexes *definitions)
{
	Cleave__TableRecord record = CLEAVE__TABLE_RECORD__INIT;
	const struct table_indexes *decoded;
	struct table_schema schema;
	struct arena arena;
	enum status status;

	arena_init(&arena, ARENA_SIZE_MAX);
	record.indexes = definitions->indexes;
	record.n_indexes = definitions->n_indexes;
	status = table_schema_decode(definitions->schema, &schema);
	if (status == ST_OK)
		status = index_info_decode_all(&record, &arena, &decoded);
	if (status == ST_OK)
		status = keep_set(indexes, decoded);
	if (status == ST_OK) {
		indexes->schema = schema;
		indexes->table_version = definitions->table_version;
		indexes->awaits = false;
	}
	arena_close(&arena);
	return status;
}

static enum status pack_definitions(struct partition_indexes *indexes,
				    const Cleave__PartitionIndexes *definitions)
{
	uint8_t *room;

	buf_reset(&indexes->packed);
	buf_put_u8(&indexes->packed, VERSION);
	room = buf_extend(&indexes->packed, cleave__partition_indexes__get_packed_size(definitions));
	if (room != NULL)
		(void)cleave__partition_indexes__pack(definitions, room);
	return indexes->packed.status;
}

/* --- feeds --- */

static enum status put_feed(const struct partition_indexes *indexes, struct engine *engine,
			    struct engine_batch *batch, const struct partition_feed *feed)
{
	Cleave__FeedRecord record = CLEAVE__FEED_RECORD__INIT;
	uint8_t key[KEY_SIZE_MAX];
	struct buf packed;
	uint8_t *room;
	enum status status;

	record.index_table_id = feed->index_table_id;
	record.start_sequence = feed->start_sequence;
	record.position = (ProtobufCBinaryData){ feed->position.size, feed->position.data };
	buf_init(&packed, POSITION_SIZE_MAX + 64);
	buf_put_u8(&packed, VERSION);
	room = buf_extend(&packed, cleave__feed_record__get_packed_size(&record));
	if (room != NULL)
		(void)cleave__feed_record__pack(&record, room);
	status = packed.status;
	if (status == ST_OK)
		engine_batch_put(engine, batch, FAMILY_META,
				 feed_key(key, indexes->partition_id, feed->index_table_id),
				 buf_slice(&packed));
	buf_close(&packed);
	return status;
}

static enum status add_feed(struct partition_indexes *indexes, uint32_t index_table_id,
			    uint64_t start_sequence, struct slice position)
{
	struct partition_feed *feed = &indexes->feeds[indexes->feed_count];

	if (indexes->feed_count == ARRAY_COUNT(indexes->feeds))
		return ST_CORRUPT;
	*feed = (struct partition_feed){ .index_table_id = index_table_id, .start_sequence = start_sequence };
	buf_init(&feed->position, POSITION_SIZE_MAX);
	buf_append_slice(&feed->position, position);
	if (feed->position.status != ST_OK)
		return feed->position.status;
	indexes->feed_count++;
	return ST_OK;
}

static void remove_feed(struct partition_indexes *indexes, uint32_t at)
{
	buf_close(&indexes->feeds[at].position);
	indexes->feed_count--;
	memmove(&indexes->feeds[at], &indexes->feeds[at + 1],
		(indexes->feed_count - at) * sizeof(indexes->feeds[0]));
}

/* A feed for each global index, and no others. */
static enum status match_feeds(struct partition_indexes *indexes, struct engine *engine,
			       struct engine_batch *batch, uint64_t log_index)
{
	const uint8_t start = FEED_BACKFILL;
	const struct table_index *index;
	uint32_t cursor = 0;
	enum status status = ST_OK;

	for (uint32_t i = indexes->feed_count; i > 0; i--) {
		uint32_t index_table_id = indexes->feeds[i - 1].index_table_id;
		uint8_t key[KEY_SIZE_MAX];

		if (partition_indexes_of_feed(indexes, index_table_id) != NULL)
			continue;
		engine_batch_delete(engine, batch, FAMILY_META,
				    feed_key(key, indexes->partition_id, index_table_id));
		remove_feed(indexes, i - 1);
	}
	while (status == ST_OK && (index = table_indexes_next(indexes->set, false, &cursor)) != NULL) {
		if (partition_indexes_feed(indexes, index->table_id) != NULL)
			continue;
		status = add_feed(indexes, index->table_id, change_sequence(log_index, 0),
				  slice_of(&start, sizeof(start)));
		if (status == ST_OK)
			status = put_feed(indexes, engine, batch, &indexes->feeds[indexes->feed_count - 1]);
	}
	return status;
}

/* The change through which a feed needs no more. */
static uint64_t passed_sequence(const struct partition_feed *feed)
{
	if (feed->position.data[0] == FEED_BACKFILL)
		return feed->start_sequence;
	return get_u64_be(feed->position.data + 1);
}

/* Drop the changes that every feed has passed; all there are if there is no feed. */
static void trim(struct partition_indexes *indexes, struct engine *engine, struct engine_batch *batch)
{
	uint64_t through = UINT64_MAX - 1;

	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		uint64_t passed = passed_sequence(&indexes->feeds[i]);

		if (passed < through)
			through = passed;
	}
	change_log_trim(engine, batch, indexes->partition_id, indexes->trimmed_sequence, through);
	if (indexes->feed_count > 0 && through > indexes->trimmed_sequence)
		indexes->trimmed_sequence = through;
}

/* --- applying --- */

enum status partition_indexes_apply(struct partition_indexes *indexes, struct engine *engine,
				    struct engine_batch *batch, uint64_t log_index,
				    const Cleave__PartitionIndexes *definitions)
{
	bool had_feeds = indexes->feed_count > 0;
	uint8_t key[KEY_SIZE_MAX];
	enum status status = take_definitions(indexes, definitions);

	if (status == ST_OK)
		status = pack_definitions(indexes, definitions);
	if (status == ST_OK)
		status = match_feeds(indexes, engine, batch, log_index);
	if (status != ST_OK)
		return status;
	if (had_feeds)
		trim(indexes, engine, batch);
	engine_batch_put(engine, batch, FAMILY_META, definitions_key(key, indexes->partition_id),
			 buf_slice(&indexes->packed));
	return ST_OK;
}

bool partition_indexes_is_position(struct slice position)
{
	if (position.size == 0 || position.size > POSITION_SIZE_MAX)
		return false;
	return position.data[0] == FEED_BACKFILL || (position.data[0] == FEED_CHANGES && position.size == 9);
}

enum status partition_indexes_apply_progress(struct partition_indexes *indexes, struct engine *engine,
					     struct engine_batch *batch, const Cleave__FeedRecord *progress)
{
	struct slice position = slice_of(progress->position.data, progress->position.len);
	struct partition_feed *feed = NULL;
	enum status status;

	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		if (indexes->feeds[i].index_table_id == progress->index_table_id)
			feed = &indexes->feeds[i];
	}
	if (feed == NULL)
		return ST_OK; /* it ended meanwhile */
	if (!partition_indexes_is_position(position))
		return ST_CORRUPT;
	if (slice_compare(position, buf_slice(&feed->position)) <= 0)
		return ST_OK; /* a leader before this one had come further */
	buf_reset(&feed->position);
	buf_append_slice(&feed->position, position);
	status = put_feed(indexes, engine, batch, feed);
	if (status == ST_OK)
		trim(indexes, engine, batch);
	return status;
}

/* --- loading --- */

static enum status load_definitions(struct partition_indexes *indexes, struct engine *engine)
{
	Cleave__PartitionIndexes *definitions;
	struct engine_value value;
	uint8_t key[KEY_SIZE_MAX];
	enum status status = engine_get(engine, FAMILY_META, definitions_key(key, indexes->partition_id),
					ENGINE_READ_MAY_BLOCK, &value);

	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	if (value.slice.size < 1 || value.slice.data[0] != VERSION) {
		status = value.slice.size < 1 ? ST_CORRUPT : ST_VERSION;
		engine_value_release(&value);
		return status;
	}
	definitions = cleave__partition_indexes__unpack(NULL, value.slice.size - 1, value.slice.data + 1);
	buf_append_slice(&indexes->packed, value.slice);
	engine_value_release(&value);
	if (definitions == NULL)
		return ST_CORRUPT;
	status = take_definitions(indexes, definitions);
	cleave__partition_indexes__free_unpacked(definitions, NULL);
	return status == ST_OK ? indexes->packed.status : status;
}

static enum status load_feed(struct partition_indexes *indexes, struct slice key, struct slice value)
{
	uint8_t expected[KEY_SIZE_MAX];
	Cleave__FeedRecord *record;
	struct slice position;
	enum status status;

	if (value.size < 1 || value.data[0] != VERSION)
		return value.size < 1 ? ST_CORRUPT : ST_VERSION;
	record = cleave__feed_record__unpack(NULL, value.size - 1, value.data + 1);
	if (record == NULL)
		return ST_CORRUPT;
	position = slice_of(record->position.data, record->position.len);
	status = partition_indexes_is_position(position) &&
				 slice_equal(key, feed_key(expected, indexes->partition_id,
							   record->index_table_id))
			 ? add_feed(indexes, record->index_table_id, record->start_sequence, position)
			 : ST_CORRUPT;
	cleave__feed_record__free_unpacked(record, NULL);
	return status;
}

static enum status load_feeds(struct partition_indexes *indexes, struct engine *engine)
{
	uint8_t start[KEY_SIZE_MAX];
	uint8_t end[KEY_SIZE_MAX];
	struct engine_iter *iter;
	enum status status = ST_OK;

	iter = engine_iter_create(engine, FAMILY_META, feed_key(start, indexes->partition_id, 0),
				  feed_key(end, indexes->partition_id, UINT32_MAX), NULL,
				  ENGINE_READ_MAY_BLOCK);
	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine_iter_seek_first(engine, iter); status == ST_OK && engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		status = load_feed(indexes, engine_iter_key(engine, iter), engine_iter_value(engine, iter));
	if (status == ST_OK)
		status = engine_iter_status(engine, iter);
	engine_iter_destroy(engine, iter);
	return status;
}

/* A feed for each global index, and no others: as match_feeds() leaves them. */
static bool feeds_match(const struct partition_indexes *indexes)
{
	const struct table_index *index;
	uint32_t cursor = 0;

	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		if (partition_indexes_of_feed(indexes, indexes->feeds[i].index_table_id) == NULL)
			return false;
	}
	while ((index = table_indexes_next(indexes->set, false, &cursor)) != NULL) {
		if (partition_indexes_feed(indexes, index->table_id) == NULL)
			return false;
	}
	return true;
}

enum status partition_indexes_load(struct partition_indexes *indexes, struct engine *engine, bool awaits)
{
	uint64_t partition_id = indexes->partition_id;
	enum status status;

	partition_indexes_close(indexes);
	partition_indexes_init(indexes, partition_id);
	indexes->awaits = awaits;
	status = load_definitions(indexes, engine);
	if (status == ST_OK)
		status = load_feeds(indexes, engine);
	if (status == ST_OK && !feeds_match(indexes))
		status = ST_CORRUPT;
	return status;
}
