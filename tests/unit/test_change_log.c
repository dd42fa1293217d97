#include "storage/changes/change_log.h"

#include "tests/unit/engine_fixture.h"

enum { PARTITION = 1001, ARENA_SIZE_MAX = 1024 * 1024, MANY = 20 };

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct arena arena;
};

static void fixture_open(struct fixture *f)
{
	f->disk = engine_memory_disk_create();
	assert_non_null(f->disk);
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
	assert_non_null(f->batch);
	arena_init(&f->arena, ARENA_SIZE_MAX);
}

static void fixture_close(struct fixture *f)
{
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

static void put(struct fixture *f, uint64_t partition_id, uint64_t sequence, const char *old_item,
		const char *new_item)
{
	struct change change = { .sequence = sequence,
				 .hlc = 7 * sequence,
				 .origin = 3,
				 .row_key = slice_of_string("key"),
				 .old_item = slice_of_string(old_item),
				 .new_item = slice_of_string(new_item) };

	change_log_put(f->engine, f->batch, partition_id, &change);
	write_batch(f);
}

/* One record for each of the sequences first to last. */
static void put_many(struct fixture *f, uint64_t first, uint64_t last)
{
	for (uint64_t sequence = first; sequence <= last; sequence++)
		put(f, PARTITION, sequence, "old", "new");
}

static void put_raw(struct fixture *f, struct slice key, struct slice value)
{
	engine_batch_put(f->engine, f->batch, FAMILY_CHANGES, key, value);
	write_batch(f);
}

static void trim(struct fixture *f, uint64_t after, uint64_t through)
{
	change_log_trim(f->engine, f->batch, PARTITION, after, through);
	write_batch(f);
}

static void read_page(struct fixture *f, uint64_t after, size_t count_max, size_t size_bytes_max,
		      struct change_page *page)
{
	arena_reset(&f->arena);
	assert_int_equal(change_page_read(f->engine, PARTITION, after, count_max, size_bytes_max,
					  ENGINE_READ_MAY_BLOCK, &f->arena, page),
			 ST_OK);
}

/* The sequences that are left, all of them. */
static void assert_left(struct fixture *f, uint64_t first, size_t count)
{
	struct change_page page;

	read_page(f, 0, 2 * (size_t)MANY, SIZE_MAX, &page);
	assert_true(page.is_at_end);
	assert_int_equal(page.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(page.list[i].sequence, first + i);
}

static void what_was_put_is_read(void **state)
{
	struct change_page page;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put(&f, PARTITION, 5, "", "made");
	put(&f, PARTITION, 6, "made", "changed");
	put(&f, PARTITION, 9, "changed", "");
	read_page(&f, 0, MANY, SIZE_MAX, &page);
	assert_int_equal(page.count, 3);
	assert_true(page.is_at_end);
	assert_int_equal(page.list[1].sequence, 6);
	assert_int_equal(page.list[1].hlc, 42);
	assert_int_equal(page.list[1].origin, 3);
	assert_true(slice_equal(page.list[1].row_key, slice_of_string("key")));
	assert_true(slice_equal(page.list[1].old_item, slice_of_string("made")));
	assert_true(slice_equal(page.list[1].new_item, slice_of_string("changed")));
	assert_int_equal(page.list[0].old_item.size, 0);
	assert_int_equal(page.list[2].new_item.size, 0);
	fixture_close(&f);
}

static void a_page_belongs_to_one_partition(void **state)
{
	struct change_page page;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put(&f, PARTITION - 1, UINT64_MAX, "", "before");
	put(&f, PARTITION, 1, "", "own");
	put(&f, PARTITION + 1, 0, "", "behind");
	read_page(&f, 0, MANY, SIZE_MAX, &page);
	assert_int_equal(page.count, 1);
	assert_true(slice_equal(page.list[0].new_item, slice_of_string("own")));
	fixture_close(&f);
}

static void pages_join_without_gap_or_overlap(void **state)
{
	struct change_page page;
	struct fixture f;
	uint64_t after = 0;
	uint64_t expected = 1;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, MANY);
	do {
		read_page(&f, after, 3, SIZE_MAX, &page);
		for (size_t i = 0; i < page.count; i++)
			assert_int_equal(page.list[i].sequence, expected++);
		after = expected - 1;
	} while (!page.is_at_end);
	assert_int_equal(expected, MANY + 1);
	read_page(&f, after, 3, SIZE_MAX, &page);
	assert_int_equal(page.count, 0);
	assert_true(page.is_at_end);
	fixture_close(&f);
}

static void a_page_of_just_the_rest_knows_that_it_is_the_end(void **state)
{
	struct change_page page;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, 3);
	read_page(&f, 0, 3, SIZE_MAX, &page);
	assert_int_equal(page.count, 3);
	assert_true(page.is_at_end);
	read_page(&f, 0, 2, SIZE_MAX, &page);
	assert_int_equal(page.count, 2);
	assert_false(page.is_at_end);
	fixture_close(&f);
}

static void the_record_that_reaches_the_size_is_the_last(void **state)
{
	struct change_page page;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, 4);
	read_page(&f, 0, MANY, 1, &page); /* progress is made whatever the size */
	assert_int_equal(page.count, 1);
	assert_false(page.is_at_end);
	read_page(&f, 0, MANY, 2 * 29, &page); /* 20 of head and three times three bytes */
	assert_int_equal(page.count, 2);
	read_page(&f, 0, MANY, 2 * 29 + 1, &page);
	assert_int_equal(page.count, 3);
	fixture_close(&f);
}

static void trimming_takes_what_is_behind_after_through_the_last(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, MANY);
	put(&f, PARTITION + 1, 1, "", "behind");
	trim(&f, 0, 4);
	assert_left(&f, 5, MANY - 4);
	trim(&f, 4, 4);
	trim(&f, 9, 6); /* nothing */
	assert_left(&f, 5, MANY - 4);
	trim(&f, 0, 5); /* from before what is there, as after a restart */
	assert_left(&f, 6, MANY - 5);
	trim(&f, 5, UINT64_MAX - 1);
	assert_left(&f, 0, 0);
	fixture_close(&f);
}

static void the_greatest_sequence_is_no_way_around(void **state)
{
	struct change_page page;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, 3);
	put(&f, PARTITION, UINT64_MAX, "", "last");
	put(&f, PARTITION + 1, 1, "", "behind");
	read_page(&f, UINT64_MAX, MANY, SIZE_MAX, &page);
	assert_int_equal(page.count, 0);
	assert_true(page.is_at_end);
	trim(&f, 0, UINT64_MAX);
	assert_left(&f, 0, 0);
	arena_reset(&f.arena);
	assert_int_equal(change_page_read(f.engine, PARTITION + 1, 0, MANY, SIZE_MAX, ENGINE_READ_MAY_BLOCK,
					  &f.arena, &page),
			 ST_OK);
	assert_int_equal(page.count, 1);
	fixture_close(&f);
}

static void sequences_grow_from_command_to_command(void **state)
{
	(void)state;
	assert_true(change_sequence(7, CHANGE_WRITES_MAX - 1) < change_sequence(8, 0));
	assert_true(change_sequence(8, 0) < change_sequence(8, 1));
}

static void damaged_records_are_told(void **state)
{
	uint8_t key[CHANGE_KEY_SIZE] = { 0, 0, 0, 0, 0, 0, PARTITION >> 8, PARTITION & 0xff, 0 };
	uint8_t value[24] = { 1 };
	struct change change;
	struct slice good = slice_of(key, sizeof(key));

	(void)state;
	put_u32_be(value + 12, 2);
	put_u32_be(value + 16, 2);
	assert_int_equal(change_log_decode(good, slice_of(value, 24), &change), ST_OK);
	assert_int_equal(change.new_item.size, 0);
	assert_int_equal(change_log_decode(good, slice_of(value, 23), &change), ST_CORRUPT);
	assert_int_equal(change_log_decode(good, slice_of(value, 19), &change), ST_CORRUPT);
	assert_int_equal(change_log_decode(good, slice_of(value, 0), &change), ST_CORRUPT);
	assert_int_equal(change_log_decode(slice_of(key, 15), slice_of(value, 24), &change), ST_CORRUPT);
	put_u32_be(value + 12, UINT32_MAX); /* sizes whose sum is small again */
	put_u32_be(value + 16, 5);
	assert_int_equal(change_log_decode(good, slice_of(value, 24), &change), ST_CORRUPT);
	put_u32_be(value + 12, 4);
	put_u32_be(value + 16, UINT32_MAX);
	assert_int_equal(change_log_decode(good, slice_of(value, 24), &change), ST_CORRUPT);
	value[0] = 2;
	assert_int_equal(change_log_decode(good, slice_of(value, 24), &change), ST_VERSION);
}

static void a_damaged_record_ends_the_page_with_its_fault(void **state)
{
	uint8_t key[CHANGE_KEY_SIZE] = { 0, 0, 0, 0, 0, 0, PARTITION >> 8, PARTITION & 0xff };
	struct change_page page;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, 2);
	key[15] = 3;
	put_raw(&f, slice_of(key, sizeof(key)), slice_of("\x01", 1));
	assert_int_equal(change_page_read(f.engine, PARTITION, 0, MANY, SIZE_MAX, ENGINE_READ_MAY_BLOCK,
					  &f.arena, &page),
			 ST_CORRUPT);
	put_raw(&f, slice_of(key, sizeof(key)), slice_of("\x02", 1));
	assert_int_equal(change_page_read(f.engine, PARTITION, 0, MANY, SIZE_MAX, ENGINE_READ_MAY_BLOCK,
					  &f.arena, &page),
			 ST_CORRUPT);
	read_page(&f, 0, 2, SIZE_MAX, &page); /* those before it can be read */
	assert_int_equal(page.count, 2);
	fixture_close(&f);
}

static void a_page_that_does_not_fit_into_memory_is_told(void **state)
{
	struct change_page page;
	struct fixture f;
	struct arena small;

	(void)state;
	fixture_open(&f);
	put_many(&f, 1, 3);
	arena_init(&small, 64);
	assert_int_equal(change_page_read(f.engine, PARTITION, 0, MANY, SIZE_MAX, ENGINE_READ_MAY_BLOCK,
					  &small, &page),
			 ST_NO_MEMORY);
	arena_close(&small);
	arena_init(&small, 8 * sizeof(struct change));
	assert_int_equal(
		change_page_read(f.engine, PARTITION, 0, 8, SIZE_MAX, ENGINE_READ_MAY_BLOCK, &small, &page),
		ST_NO_MEMORY);
	arena_close(&small);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_read),
		cmocka_unit_test(a_page_belongs_to_one_partition),
		cmocka_unit_test(pages_join_without_gap_or_overlap),
		cmocka_unit_test(a_page_of_just_the_rest_knows_that_it_is_the_end),
		cmocka_unit_test(the_record_that_reaches_the_size_is_the_last),
		cmocka_unit_test(trimming_takes_what_is_behind_after_through_the_last),
		cmocka_unit_test(the_greatest_sequence_is_no_way_around),
		cmocka_unit_test(sequences_grow_from_command_to_command),
		cmocka_unit_test(damaged_records_are_told),
		cmocka_unit_test(a_damaged_record_ends_the_page_with_its_fault),
		cmocka_unit_test(a_page_that_does_not_fit_into_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
