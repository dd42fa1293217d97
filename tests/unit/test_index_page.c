#include "node/background/index_page.h"

#include "node/partition/partition_indexes.h"
#include "proto/base/fault.h"
#include "storage/changes/change_log.h"
#include "storage/encoding/stored_item.h"
#include "tests/unit/engine_fixture.h"

enum { PARTITION = 1001, ARENA_SIZE_MAX = 1024 * 1024, START_SEQUENCE = 77, ROWS = 10 };

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct arena arena;
	struct buf position;
	struct index_page page;
};

static void fixture_open(struct fixture *f)
{
	static const uint8_t start = FEED_BACKFILL;

	*f = (struct fixture){ .disk = engine_memory_disk_create() };
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
	assert_non_null(f->batch);
	arena_init(&f->arena, ARENA_SIZE_MAX);
	buf_init(&f->position, 1 + LIMIT_ROW_KEY_SIZE_BYTES);
	buf_append(&f->position, &start, 1);
}

static void fixture_close(struct fixture *f)
{
	buf_close(&f->position);
	arena_close(&f->arena);
	engine_batch_destroy(f->engine, f->batch);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static void put_value(struct fixture *f, struct slice key, struct slice value)
{
	engine_batch_put(f->engine, f->batch, FAMILY_ITEMS, key, value);
	assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	engine_batch_clear(f->engine, f->batch);
}

static void put_row(struct fixture *f, const char *key, const char *text)
{
	uint8_t value[64];

	stored_item_put_head(value, 1, 0, 3);
	memcpy(value + STORED_ITEM_HEAD_SIZE, text, strlen(text));
	put_value(f, slice_of_string(key), slice_of(value, STORED_ITEM_HEAD_SIZE + strlen(text)));
}

static void put_change(struct fixture *f, uint64_t sequence, const char *old_item, const char *new_item)
{
	struct change change = { .sequence = sequence,
				 .hlc = 1000 + sequence,
				 .old_item = slice_of_string(old_item),
				 .new_item = slice_of_string(new_item) };

	change_log_put(f->engine, f->batch, PARTITION, &change);
	assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	engine_batch_clear(f->engine, f->batch);
}

static enum status try_read(struct fixture *f, size_t count_max, size_t size_bytes_max)
{
	arena_reset(&f->arena);
	f->page = (struct index_page){
		.partition_id = PARTITION,
		.range_start = slice_of_string("b"),
		.range_end = slice_of_string("x"),
		.after = buf_slice(&f->position),
		.start_sequence = START_SEQUENCE,
	};
	return index_page_read(&f->page, f->engine, count_max, size_bytes_max, ENGINE_READ_MAY_BLOCK,
			       &f->arena);
}

/* Read, and go on behind the page the next time. */
static void read_page(struct fixture *f, size_t count_max, size_t size_bytes_max)
{
	assert_int_equal(try_read(f, count_max, size_bytes_max), ST_OK);
	if (!slice_equal(f->page.end, buf_slice(&f->position))) {
		struct slice end = f->page.end;

		buf_reset(&f->position);
		buf_append_slice(&f->position, end);
	}
}

static void assert_at_changes(const struct fixture *f, uint64_t sequence)
{
	assert_int_equal(f->position.size, 9);
	assert_int_equal(f->position.data[0], FEED_CHANGES);
	assert_int_equal(get_u64_be(f->position.data + 1), sequence);
}

static void assert_entry(const struct fixture *f, size_t at, const char *old_item, const char *new_item)
{
	assert_true(at < f->page.count);
	assert_true(slice_equal(f->page.entries[at].old_item, slice_of_string(old_item)));
	assert_true(slice_equal(f->page.entries[at].new_item, slice_of_string(new_item)));
}

static void nothing_there_leads_to_the_changes_at_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_row(&f, "a", "before");
	put_row(&f, "x", "behind");
	put_change(&f, START_SEQUENCE, "", "of before");
	read_page(&f, ROWS, SIZE_MAX);
	assert_int_equal(f.page.count, 0);
	assert_false(f.page.is_at_end); /* nobody has looked for changes */
	assert_at_changes(&f, START_SEQUENCE);
	read_page(&f, ROWS, SIZE_MAX);
	assert_int_equal(f.page.count, 0);
	assert_true(f.page.is_at_end);
	assert_at_changes(&f, START_SEQUENCE);
	fixture_close(&f);
}

static void backfill_resumes_just_behind_its_last_row(void **state)
{
	static const char *const keys[] = { "b", "b\x01", "c", "d" }; /* one is a prefix of the next */
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		put_row(&f, keys[i], keys[i]);
	put_row(&f, "w", "last");
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		read_page(&f, 1, SIZE_MAX);
		assert_int_equal(f.page.count, 1);
		assert_entry(&f, 0, "", keys[i]);
		assert_int_equal(f.page.entries[0].hlc, 0);
		assert_int_equal(f.position.data[0], FEED_BACKFILL);
		assert_true(slice_equal(slice_of(f.position.data + 1, f.position.size - 1),
					slice_of_string(keys[i])));
	}
	read_page(&f, 1, SIZE_MAX);
	assert_entry(&f, 0, "", "last");
	assert_at_changes(&f, START_SEQUENCE);
	fixture_close(&f);
}

static void a_key_that_ends_in_zero_is_not_skipped(void **state)
{
	uint8_t value[STORED_ITEM_HEAD_SIZE];
	struct fixture f;

	(void)state;
	fixture_open(&f);
	stored_item_put_head(value, 1, 0, 0);
	put_value(&f, slice_of("c", 1), slice_of(value, sizeof(value)));
	put_value(&f, slice_of("c\0", 2), slice_of(value, sizeof(value)));
	put_row(&f, "w", "last");
	read_page(&f, 1, SIZE_MAX);
	assert_int_equal(f.position.size, 2);
	read_page(&f, 1, SIZE_MAX);
	assert_int_equal(f.page.count, 1);
	assert_int_equal(f.position.size, 3);
	fixture_close(&f);
}

static void a_row_that_goes_is_passed_and_one_that_comes_is_found(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_row(&f, "d", "four");
	put_row(&f, "w", "last");
	read_page(&f, 1, SIZE_MAX);
	assert_entry(&f, 0, "", "four");
	engine_batch_delete(f.engine, f.batch, FAMILY_ITEMS, slice_of_string("d"));
	put_row(&f, "e", "five");  /* writes the deletion too */
	put_row(&f, "c", "three"); /* behind: its change will be sent */
	read_page(&f, 1, SIZE_MAX);
	assert_entry(&f, 0, "", "five");
	fixture_close(&f);
}

static void the_last_page_of_backfill_ends_with_the_changes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_row(&f, "c", "three");
	put_row(&f, "d", "four");
	read_page(&f, ROWS, SIZE_MAX);
	assert_int_equal(f.page.count, 2);
	assert_int_equal(f.page.entries[1].position.data[0], FEED_BACKFILL);
	assert_at_changes(&f, START_SEQUENCE);
	fixture_close(&f);
}

static void the_row_that_reaches_the_size_is_the_last(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_row(&f, "c", "0123456789");
	put_row(&f, "d", "0123456789");
	put_row(&f, "e", "0123456789");
	read_page(&f, ROWS, 1);
	assert_int_equal(f.page.count, 1);
	read_page(&f, ROWS, 26);
	assert_int_equal(f.page.count, 2);
	fixture_close(&f);
}

static void changes_follow_in_their_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	read_page(&f, ROWS, SIZE_MAX);
	put_change(&f, START_SEQUENCE, "", "of before");
	put_change(&f, START_SEQUENCE + 1, "", "made");
	put_change(&f, START_SEQUENCE + 9, "made", "changed");
	put_change(&f, START_SEQUENCE + 10, "changed", "");
	read_page(&f, 2, SIZE_MAX);
	assert_int_equal(f.page.count, 2);
	assert_false(f.page.is_at_end);
	assert_entry(&f, 0, "", "made");
	assert_entry(&f, 1, "made", "changed");
	assert_int_equal(f.page.entries[1].hlc, 1000 + START_SEQUENCE + 9);
	assert_true(slice_equal(f.page.end, f.page.entries[1].position));
	assert_at_changes(&f, START_SEQUENCE + 9);
	read_page(&f, 2, SIZE_MAX);
	assert_int_equal(f.page.count, 1);
	assert_true(f.page.is_at_end);
	assert_entry(&f, 0, "changed", "");
	fixture_close(&f);
}

static void positions_grow_from_page_to_page(void **state)
{
	struct fixture f;
	struct buf before;

	(void)state;
	fixture_open(&f);
	buf_init(&before, 1 + LIMIT_ROW_KEY_SIZE_BYTES);
	for (char name = 'b'; name < 'h'; name++)
		put_row(&f, (char[]){ name, '\0' }, "x");
	for (uint64_t i = 1; i < 6; i++)
		put_change(&f, START_SEQUENCE + i, "", "y");
	do {
		buf_reset(&before);
		buf_append_slice(&before, buf_slice(&f.position));
		read_page(&f, 2, SIZE_MAX);
		for (size_t i = 0; i < f.page.count; i++) {
			assert_true(slice_compare(f.page.entries[i].position, buf_slice(&before)) > 0);
			buf_reset(&before);
			buf_append_slice(&before, f.page.entries[i].position);
		}
		assert_true(slice_compare(f.page.end, buf_slice(&before)) >= 0);
	} while (!f.page.is_at_end);
	assert_at_changes(&f, START_SEQUENCE + 5);
	buf_close(&before);
	fixture_close(&f);
}

static void damage_is_told(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_value(&f, slice_of_string("c"), slice_of("\x01", 1));
	assert_int_equal(try_read(&f, ROWS, SIZE_MAX), ST_CORRUPT);
	put_value(&f, slice_of_string("c"), slice_of("\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	assert_int_equal(try_read(&f, ROWS, SIZE_MAX), ST_VERSION);
	fixture_close(&f);
}

static void want_of_memory_is_told_at_every_size(void **state)
{
	struct index_page page;
	struct fixture f;
	struct arena arena;
	enum status status;
	size_t size_bytes = 0;

	(void)state;
	fixture_open(&f);
	put_row(&f, "c", "three");
	put_row(&f, "d", "four");
	do {
		assert_int_equal(try_read(&f, 1, SIZE_MAX), ST_OK);
		page = (struct index_page){ .partition_id = PARTITION,
					    .range_start = slice_of_string("b"),
					    .range_end = slice_of_string("x"),
					    .after = slice_of("\0c", 2),
					    .start_sequence = START_SEQUENCE };
		arena_init(&arena, size_bytes++);
		status = index_page_read(&page, f.engine, 4, SIZE_MAX, ENGINE_READ_MAY_BLOCK, &arena);
		assert_true(status == ST_OK || status == ST_NO_MEMORY);
		arena_close(&arena);
	} while (status != ST_OK);
	assert_int_equal(page.count, 1);
	assert_true(size_bytes > 4 * sizeof(struct index_page_entry));
	fixture_close(&f);
}

static void a_read_that_fails_is_told(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_row(&f, "c", "three");
	for (size_t round = 0; round < 2; round++) {
		fault_arm_nth(0);
		assert_int_not_equal(try_read(&f, ROWS, SIZE_MAX), ST_OK);
		assert_true(fault_disarm());
		read_page(&f, ROWS, SIZE_MAX); /* then the changes */
	}
	assert_at_changes(&f, START_SEQUENCE);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_there_leads_to_the_changes_at_once),
		cmocka_unit_test(backfill_resumes_just_behind_its_last_row),
		cmocka_unit_test(a_key_that_ends_in_zero_is_not_skipped),
		cmocka_unit_test(a_row_that_goes_is_passed_and_one_that_comes_is_found),
		cmocka_unit_test(the_last_page_of_backfill_ends_with_the_changes),
		cmocka_unit_test(the_row_that_reaches_the_size_is_the_last),
		cmocka_unit_test(changes_follow_in_their_order),
		cmocka_unit_test(positions_grow_from_page_to_page),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(want_of_memory_is_told_at_every_size),
		cmocka_unit_test(a_read_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
