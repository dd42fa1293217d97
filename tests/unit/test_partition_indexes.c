#include "node/partition/partition_indexes.h"

#include "storage/changes/change_log.h"
#include "tests/unit/engine_fixture.h"
#include "tests/unit/feed_fixture.h"

enum { PARTITION = 1001, ARENA_SIZE_MAX = 4 * 1024 * 1024 };

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct arena arena;
	struct partition_indexes indexes;
	uint64_t log_index;
};

static void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .disk = engine_memory_disk_create(), .log_index = 10 };
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
	assert_non_null(f->batch);
	arena_init(&f->arena, ARENA_SIZE_MAX);
	partition_indexes_init(&f->indexes, PARTITION);
}

static void fixture_close(struct fixture *f)
{
	partition_indexes_close(&f->indexes);
	arena_close(&f->arena);
	engine_batch_destroy(f->engine, f->batch);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static void write_batch(struct fixture *f)
{
	assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	engine_batch_clear(f->engine, f->batch);
}

static enum status define(struct fixture *f, const uint32_t *ids, size_t count)
{
	uint64_t log_index = f->log_index++;
	enum status status = partition_indexes_apply(
		&f->indexes, f->engine, f->batch, log_index,
		feed_fixture_definitions(&f->arena, log_index, ids, count));

	if (status == ST_OK)
		write_batch(f);
	else
		engine_batch_clear(f->engine, f->batch);
	return status;
}

static enum status progress_to(struct fixture *f, uint32_t id, const void *position, size_t size_bytes)
{
	Cleave__FeedRecord record = CLEAVE__FEED_RECORD__INIT;
	uint8_t *copy = arena_copy(&f->arena, slice_of(position, size_bytes));
	enum status status;

	record.index_table_id = id;
	record.position = (ProtobufCBinaryData){ size_bytes, copy };
	status = partition_indexes_apply_progress(&f->indexes, f->engine, f->batch, &record);
	if (status == ST_OK)
		write_batch(f);
	else
		engine_batch_clear(f->engine, f->batch);
	return status;
}

static enum status progress_to_sequence(struct fixture *f, uint32_t id, uint64_t sequence)
{
	uint8_t position[9] = { FEED_CHANGES };

	put_u64_be(position + 1, sequence);
	return progress_to(f, id, position, sizeof(position));
}

static void log_changes(struct fixture *f, uint64_t log_index, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct change change = { .sequence = change_sequence(log_index, i) };

		change_log_put(f->engine, f->batch, PARTITION, &change);
	}
	write_batch(f);
}

static size_t change_count(struct fixture *f)
{
	struct change_page page;

	assert_int_equal(change_page_read(f->engine, PARTITION, 0, 100, SIZE_MAX, ENGINE_READ_MAY_BLOCK,
					  &f->arena, &page),
			 ST_OK);
	return page.count;
}

static void assert_same(const struct partition_indexes *a, const struct partition_indexes *b)
{
	assert_int_equal(a->table_version, b->table_version);
	assert_int_equal(a->awaits, b->awaits);
	assert_int_equal(a->set == NULL, b->set == NULL);
	assert_true(slice_equal(buf_slice(&a->packed), buf_slice(&b->packed)));
	if (a->set != NULL) {
		assert_int_equal(a->set->count, b->set->count);
		assert_string_equal(table_schema_partition_key(&a->schema)->name,
				    table_schema_partition_key(&b->schema)->name);
		for (uint32_t i = 0; i < a->set->count; i++)
			assert_string_equal(a->set->list[i].name, b->set->list[i].name);
	}
	assert_int_equal(a->feed_count, b->feed_count);
	for (uint32_t i = 0; i < a->feed_count; i++) {
		const struct partition_feed *feed = partition_indexes_feed(b, a->feeds[i].index_table_id);

		assert_non_null(feed);
		assert_int_equal(feed->start_sequence, a->feeds[i].start_sequence);
		assert_true(slice_equal(buf_slice(&feed->position), buf_slice(&a->feeds[i].position)));
	}
}

/* What was stored is what memory says. */
static void assert_loads(struct fixture *f)
{
	struct partition_indexes loaded;

	partition_indexes_init(&loaded, PARTITION);
	assert_int_equal(
		partition_indexes_load(&loaded, f->engine, f->indexes.packed.size == 0 && f->indexes.awaits),
		ST_OK);
	assert_same(&f->indexes, &loaded);
	partition_indexes_close(&loaded);
}

static enum status load(struct fixture *f)
{
	struct partition_indexes loaded;
	enum status status;

	partition_indexes_init(&loaded, PARTITION);
	status = partition_indexes_load(&loaded, f->engine, false);
	partition_indexes_close(&loaded);
	return status;
}

static void put_meta(struct fixture *f, char kind, uint32_t id, struct slice value)
{
	uint8_t key[13] = { 0 };

	put_u64_be(key, PARTITION);
	key[8] = (uint8_t)kind;
	put_u32_be(key + 9, id);
	engine_batch_put(f->engine, f->batch, FAMILY_META, slice_of(key, kind == 'I' ? 9 : 13), value);
	write_batch(f);
}

static void put_feed(struct fixture *f, uint32_t id, uint32_t id_inside, const void *position, size_t size)
{
	Cleave__FeedRecord record = CLEAVE__FEED_RECORD__INIT;
	uint8_t value[256] = { 1 };
	uint8_t *copy = arena_copy(&f->arena, slice_of(position, size));

	record.index_table_id = id_inside;
	record.position = (ProtobufCBinaryData){ size, copy };
	assert_true(cleave__feed_record__get_packed_size(&record) < sizeof(value));
	put_meta(f, 'F', id, slice_of(value, 1 + cleave__feed_record__pack(&record, value + 1)));
}

/* --- stories --- */

static void definitions_begin_and_end_feeds(void **state)
{
	static const uint32_t ids[] = { 30, 20, 25 };
	const struct partition_feed *feed;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_false(partition_indexes_logs_changes(&f.indexes));
	assert_int_equal(define(&f, ids, 2), ST_OK);
	assert_int_equal(f.indexes.feed_count, 2);
	feed = partition_indexes_feed(&f.indexes, 20);
	assert_int_equal(feed->start_sequence, change_sequence(10, 0));
	assert_true(slice_equal(buf_slice(&feed->position), slice_of("\0", 1)));
	assert_string_equal(partition_indexes_of_feed(&f.indexes, 20)->name, "index-20");
	assert_loads(&f);
	assert_int_equal(define(&f, ids, 3), ST_OK); /* those that are there stay as they are */
	assert_int_equal(partition_indexes_feed(&f.indexes, 20)->start_sequence, change_sequence(10, 0));
	assert_int_equal(partition_indexes_feed(&f.indexes, 25)->start_sequence, change_sequence(11, 0));
	assert_loads(&f);
	assert_int_equal(define(&f, ids + 1, 1), ST_OK);
	assert_int_equal(f.indexes.feed_count, 1);
	assert_null(partition_indexes_feed(&f.indexes, 30));
	assert_loads(&f);
	assert_int_equal(define(&f, ids, 0), ST_OK);
	assert_false(partition_indexes_logs_changes(&f.indexes));
	assert_null(f.indexes.set);
	assert_loads(&f);
	fixture_close(&f);
}

static void twenty_indexes_are_fed_and_not_one_more(void **state)
{
	uint32_t ids[LIMIT_GLOBAL_INDEX_COUNT + 1];
	struct fixture f;

	(void)state;
	for (uint32_t i = 0; i <= LIMIT_GLOBAL_INDEX_COUNT; i++)
		ids[i] = 100 + i;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, LIMIT_GLOBAL_INDEX_COUNT), ST_OK);
	assert_int_equal(f.indexes.feed_count, LIMIT_GLOBAL_INDEX_COUNT);
	assert_loads(&f);
	assert_int_equal(define(&f, ids + 1, LIMIT_GLOBAL_INDEX_COUNT), ST_OK); /* one goes, one comes */
	assert_int_equal(f.indexes.feed_count, LIMIT_GLOBAL_INDEX_COUNT);
	assert_loads(&f);
	assert_int_equal(define(&f, ids, LIMIT_GLOBAL_INDEX_COUNT + 1), ST_CORRUPT);
	fixture_close(&f);
}

static void progress_goes_forward_only(void **state)
{
	static const uint32_t ids[] = { 20 };
	struct fixture f;
	uint64_t start;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	start = f.indexes.feeds[0].start_sequence;
	assert_int_equal(progress_to(&f, 20, "\0row-m", 6), ST_OK);
	assert_int_equal(progress_to(&f, 20, "\0row-b", 6), ST_OK); /* of a leader before */
	assert_true(slice_equal(buf_slice(&f.indexes.feeds[0].position), slice_of("\0row-m", 6)));
	assert_loads(&f);
	assert_int_equal(progress_to_sequence(&f, 20, start), ST_OK); /* changes come after all rows */
	assert_int_equal(progress_to(&f, 20, "\0\xff\xff", 3), ST_OK);
	assert_int_equal(f.indexes.feeds[0].position.data[0], FEED_CHANGES);
	assert_int_equal(progress_to_sequence(&f, 20, start + 300), ST_OK);
	assert_int_equal(progress_to_sequence(&f, 20, start + 299), ST_OK);
	assert_int_equal(get_u64_be(f.indexes.feeds[0].position.data + 1), start + 300);
	assert_loads(&f);
	assert_int_equal(progress_to_sequence(&f, 21, start), ST_OK); /* of a feed that ended meanwhile */
	assert_int_equal(f.indexes.feed_count, 1);
	fixture_close(&f);
}

static void what_is_no_position_is_refused(void **state)
{
	static const uint32_t ids[] = { 20 };
	uint8_t longest[2 + LIMIT_ROW_KEY_SIZE_BYTES] = { FEED_BACKFILL };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	assert_int_equal(progress_to(&f, 20, "", 0), ST_CORRUPT);
	assert_int_equal(progress_to(&f, 20, "\2", 1), ST_CORRUPT);
	assert_int_equal(progress_to(&f, 20, "\1", 1), ST_CORRUPT);
	assert_int_equal(progress_to(&f, 20, "\1eightish+", 10), ST_CORRUPT);
	assert_int_equal(progress_to(&f, 20, longest, sizeof(longest)), ST_CORRUPT);
	assert_int_equal(progress_to(&f, 20, longest, sizeof(longest) - 1), ST_OK);
	assert_loads(&f);
	fixture_close(&f);
}

static void changes_go_when_the_slowest_feed_has_passed_them(void **state)
{
	static const uint32_t ids[] = { 20, 21 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 2), ST_OK);
	log_changes(&f, 11, 4);
	assert_int_equal(progress_to_sequence(&f, 20, change_sequence(11, 3)), ST_OK);
	assert_int_equal(change_count(&f), 4); /* the other one is being backfilled */
	assert_int_equal(progress_to_sequence(&f, 21, change_sequence(11, 1)), ST_OK);
	assert_int_equal(change_count(&f), 2);
	assert_int_equal(progress_to_sequence(&f, 21, change_sequence(11, 3)), ST_OK);
	assert_int_equal(change_count(&f), 0);
	fixture_close(&f);
}

static void the_end_of_the_slowest_feed_frees_its_changes(void **state)
{
	static const uint32_t ids[] = { 20, 21 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 2), ST_OK);
	log_changes(&f, 11, 4);
	assert_int_equal(progress_to_sequence(&f, 20, change_sequence(11, 2)), ST_OK);
	assert_int_equal(change_count(&f), 4);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	assert_int_equal(change_count(&f), 1);
	assert_int_equal(define(&f, ids, 0), ST_OK);
	assert_int_equal(change_count(&f), 0);
	fixture_close(&f);
}

static void trimming_goes_on_after_a_restart(void **state)
{
	static const uint32_t ids[] = { 20 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	log_changes(&f, 11, 6);
	assert_int_equal(progress_to_sequence(&f, 20, change_sequence(11, 1)), ST_OK);
	assert_int_equal(partition_indexes_load(&f.indexes, f.engine, false), ST_OK);
	assert_int_equal(f.indexes.trimmed_sequence, 0);
	assert_int_equal(change_count(&f), 4);
	assert_int_equal(progress_to_sequence(&f, 20, change_sequence(11, 3)), ST_OK);
	assert_int_equal(change_count(&f), 2);
	fixture_close(&f);
}

static void a_feed_that_begins_anew_finds_no_changes_of_before(void **state)
{
	static const uint32_t ids[] = { 20, 21 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	log_changes(&f, 11, 3);
	assert_int_equal(define(&f, ids, 0), ST_OK);
	f.log_index = 20;
	assert_int_equal(define(&f, ids + 1, 1), ST_OK);
	assert_int_equal(change_count(&f), 0);
	log_changes(&f, 21, 2);
	assert_int_equal(progress_to_sequence(&f, 21, change_sequence(21, 0)), ST_OK);
	assert_int_equal(change_count(&f), 1);
	assert_loads(&f);
	fixture_close(&f);
}

static void nothing_stored_loads_as_it_was_born(void **state)
{
	struct partition_indexes loaded;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	partition_indexes_init(&loaded, PARTITION);
	assert_int_equal(partition_indexes_load(&loaded, f.engine, true), ST_OK);
	assert_true(loaded.awaits);
	assert_int_equal(loaded.packed.size, 0);
	assert_int_equal(partition_indexes_load(&loaded, f.engine, false), ST_OK);
	assert_false(loaded.awaits);
	assert_int_equal(define(&f, NULL, 0), ST_OK);
	assert_int_equal(partition_indexes_load(&loaded, f.engine, true), ST_OK);
	assert_false(loaded.awaits); /* it was told that there are none */
	partition_indexes_close(&loaded);
	fixture_close(&f);
}

static void rows_of_other_partitions_are_not_read(void **state)
{
	static const uint32_t ids[] = { 20 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (uint64_t id = PARTITION - 1; id <= PARTITION + 1; id += 2) {
		partition_indexes_close(&f.indexes);
		partition_indexes_init(&f.indexes, id);
		assert_int_equal(define(&f, ids, 1), ST_OK);
	}
	partition_indexes_close(&f.indexes);
	partition_indexes_init(&f.indexes, PARTITION);
	assert_loads(&f);
	fixture_close(&f);
}

static void damaged_definitions_are_told(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_meta(&f, 'I', 0, slice_of("", 0));
	assert_int_equal(load(&f), ST_CORRUPT);
	put_meta(&f, 'I', 0, slice_of("\2", 1));
	assert_int_equal(load(&f), ST_VERSION);
	put_meta(&f, 'I', 0, slice_of("\1\xff", 2));
	assert_int_equal(load(&f), ST_CORRUPT);
	put_meta(&f, 'I', 0, slice_of("\1", 1)); /* no schema */
	assert_int_equal(load(&f), ST_CORRUPT);
	fixture_close(&f);
}

static void damaged_feeds_are_told(void **state)
{
	static const uint32_t ids[] = { 20 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	put_meta(&f, 'F', 20, slice_of("", 0));
	assert_int_equal(load(&f), ST_CORRUPT);
	put_meta(&f, 'F', 20, slice_of("\2", 1));
	assert_int_equal(load(&f), ST_VERSION);
	put_meta(&f, 'F', 20, slice_of("\1\xff", 2));
	assert_int_equal(load(&f), ST_CORRUPT);
	put_feed(&f, 20, 20, "\3", 1);
	assert_int_equal(load(&f), ST_CORRUPT);
	put_feed(&f, 20, 21, "\0", 1); /* under another's key */
	assert_int_equal(load(&f), ST_CORRUPT);
	put_feed(&f, 20, 20, "\0", 1);
	assert_int_equal(load(&f), ST_OK);
	put_feed(&f, 21, 21, "\0", 1); /* of an index that the definitions do not name */
	assert_int_equal(load(&f), ST_CORRUPT);
	fixture_close(&f);
}

static void an_index_without_its_feed_is_told(void **state)
{
	static const uint32_t ids[] = { 20 };
	uint8_t key[13] = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(define(&f, ids, 1), ST_OK);
	put_u64_be(key, PARTITION);
	key[8] = 'F';
	put_u32_be(key + 9, 20);
	engine_batch_delete(f.engine, f.batch, FAMILY_META, slice_of(key, sizeof(key)));
	write_batch(&f);
	assert_int_equal(load(&f), ST_CORRUPT);
	fixture_close(&f);
}

/* --- progress --- */

static uint32_t percent_at(struct slice position, uint64_t first, uint64_t end)
{
	uint8_t bounds[2][LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { { 0, 0, 0, 1 }, { 0, 0, 0, 1 } };
	struct partition_feed feed = { .index_table_id = 2 };
	uint32_t percent;

	put_u64_be(bounds[0] + 4, first);
	put_u64_be(bounds[1] + 4, end);
	bounds[1][3] = end == 0 ? 2 : 1; /* of the table, or inside it */
	buf_init(&feed.position, 100);
	buf_append_slice(&feed.position, position);
	percent = partition_feed_percent(&feed, slice_of(bounds[0], sizeof(bounds[0])),
					 slice_of(bounds[1], sizeof(bounds[1])));
	buf_close(&feed.position);
	return percent;
}

static uint32_t percent_at_token(uint64_t token, uint64_t first, uint64_t end)
{
	uint8_t position[20] = { FEED_BACKFILL, 0, 0, 0, 1 };

	put_u64_be(position + 5, token);
	return percent_at(slice_of(position, sizeof(position)), first, end);
}

static void a_backfill_is_as_far_as_its_token(void **state)
{
	static const uint64_t half = (uint64_t)1 << 63;
	static const uint8_t changes[9] = { FEED_CHANGES };
	static const uint8_t start = FEED_BACKFILL;

	(void)state;
	assert_int_equal(percent_at(slice_of(&start, 1), 0, 0), 0);
	assert_int_equal(percent_at(slice_of(changes, sizeof(changes)), 0, 0), 100);
	assert_int_equal(percent_at_token(0, 0, 0), 0);
	assert_int_equal(percent_at_token(half, 0, 0), 50);
	assert_int_equal(percent_at_token(half / 2, 0, 0), 25);
	assert_int_equal(percent_at_token(UINT64_MAX, 0, 0), 99);
	assert_int_equal(percent_at_token(half, half, 0), 0);
	assert_int_equal(percent_at_token(half + half / 4, half, 0), 25);
	assert_int_equal(percent_at_token(half - 1, 0, half), 99);
	assert_int_equal(percent_at_token(77, 77, 78), 0); /* one token: all or nothing */
	assert_int_equal(percent_at_token(77, 77, 77), 0); /* less than one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backfill_is_as_far_as_its_token),
		cmocka_unit_test(definitions_begin_and_end_feeds),
		cmocka_unit_test(twenty_indexes_are_fed_and_not_one_more),
		cmocka_unit_test(progress_goes_forward_only),
		cmocka_unit_test(what_is_no_position_is_refused),
		cmocka_unit_test(changes_go_when_the_slowest_feed_has_passed_them),
		cmocka_unit_test(the_end_of_the_slowest_feed_frees_its_changes),
		cmocka_unit_test(trimming_goes_on_after_a_restart),
		cmocka_unit_test(a_feed_that_begins_anew_finds_no_changes_of_before),
		cmocka_unit_test(nothing_stored_loads_as_it_was_born),
		cmocka_unit_test(rows_of_other_partitions_are_not_read),
		cmocka_unit_test(damaged_definitions_are_told),
		cmocka_unit_test(damaged_feeds_are_told),
		cmocka_unit_test(an_index_without_its_feed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
