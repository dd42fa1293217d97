#include "node/partition/partition_sources.h"

#include "proto/model/limits.h"
#include "tests/unit/engine_fixture.h"

enum { PARTITION = 1001 };

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct partition_sources sources;
};

static void fixture_open(struct fixture *f)
{
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
	assert_non_null(f->batch);
	partition_sources_init(&f->sources, PARTITION);
}

static void fixture_close(struct fixture *f)
{
	partition_sources_close(&f->sources);
	engine_batch_destroy(f->engine, f->batch);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static enum status move(struct fixture *f, struct partition_sources *sources, uint64_t source,
			const void *position, size_t size_bytes)
{
	enum status status = partition_sources_move(sources, f->engine, f->batch, source,
						    slice_of(position, size_bytes));

	if (status == ST_OK)
		assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	engine_batch_clear(f->engine, f->batch);
	return status;
}

static void assert_mark(const struct fixture *f, uint64_t source, const void *position, size_t size_bytes)
{
	assert_true(slice_equal(partition_sources_mark(&f->sources, source), slice_of(position, size_bytes)));
}

static void marks_move_and_load_as_they_were(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_mark(&f, 7, "", 0);
	assert_int_equal(move(&f, &f.sources, 7, "\0a", 2), ST_OK);
	assert_int_equal(move(&f, &f.sources, 8, "\0b", 2), ST_OK);
	assert_int_equal(move(&f, &f.sources, 7, "\0cc", 3), ST_OK);
	for (int round = 0; round < 2; round++) {
		assert_mark(&f, 7, "\0cc", 3);
		assert_mark(&f, 8, "\0b", 2);
		assert_mark(&f, 9, "", 0);
		assert_int_equal(partition_sources_load(&f.sources, f.engine), ST_OK);
		assert_int_equal(f.sources.marks.count, 2);
	}
	fixture_close(&f);
}

static void the_longest_position_is_kept(void **state)
{
	static uint8_t longest[2 + LIMIT_ROW_KEY_SIZE_BYTES];
	struct fixture f;

	(void)state;
	fixture_open(&f);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(move(&f, &f.sources, 7, longest, sizeof(longest) - 1), ST_OK);
	assert_int_equal(partition_sources_load(&f.sources, f.engine), ST_OK);
	assert_mark(&f, 7, longest, sizeof(longest) - 1);
	assert_int_equal(move(&f, &f.sources, 7, longest, sizeof(longest)), ST_TOO_BIG);
	fixture_close(&f);
}

static void marks_of_other_partitions_are_not_read(void **state)
{
	struct partition_sources other;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (uint64_t id = PARTITION - 1; id <= PARTITION + 1; id += 2) {
		partition_sources_init(&other, id);
		assert_int_equal(move(&f, &other, 1, "x", 1), ST_OK);
		assert_int_equal(move(&f, &other, UINT64_MAX - 1, "x", 1), ST_OK);
		partition_sources_close(&other);
	}
	assert_int_equal(partition_sources_load(&f.sources, f.engine), ST_OK);
	assert_int_equal(f.sources.marks.count, 0);
	fixture_close(&f);
}

static void a_mark_under_a_damaged_key_is_told(void **state)
{
	uint8_t key[18] = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_u64_be(key, PARTITION);
	key[8] = 'S';
	engine_batch_put(f.engine, f.batch, FAMILY_META, slice_of(key, sizeof(key)), slice_of("x", 1));
	assert_int_equal(engine_write(f.engine, f.batch), ST_OK);
	assert_int_equal(partition_sources_load(&f.sources, f.engine), ST_CORRUPT);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_move_and_load_as_they_were),
		cmocka_unit_test(the_longest_position_is_kept),
		cmocka_unit_test(marks_of_other_partitions_are_not_read),
		cmocka_unit_test(a_mark_under_a_damaged_key_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
