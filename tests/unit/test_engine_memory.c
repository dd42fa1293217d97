/* What only the simulated store can show: crashes at a chosen batch, injected failures. */
#include "tests/unit/engine_fixture.h"

#include "proto/base/rng.h"

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
};

static void open_engine(struct fixture *f)
{
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
}

static void fixture_start(struct fixture *f)
{
	f->disk = engine_memory_disk_create();
	assert_non_null(f->disk);
	open_engine(f);
}

static void fixture_stop(struct fixture *f)
{
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static void crash_and_reopen(struct fixture *f, uint64_t keep_count)
{
	engine_memory_crash(f->engine, keep_count);
	engine_close(f->engine);
	open_engine(f);
}

static enum status write_key(struct engine *engine, const char *key)
{
	struct engine_batch *batch = engine_batch_create(engine);
	enum status status;

	engine_batch_put(engine, batch, FAMILY_ITEMS, slice_of_string(key), slice_of_string(key));
	status = engine_write(engine, batch);
	engine_batch_destroy(engine, batch);
	return status;
}

static void a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest(void **state)
{
	struct fixture f;

	(void)state;
	for (uint64_t keep_count = 0; keep_count <= 3; keep_count++) {
		fixture_start(&f);
		store_put(f.engine, FAMILY_ITEMS, "k", "synced");
		assert_int_equal(engine_memory_unsynced_count(f.engine), 1);
		assert_int_equal(engine_sync(f.engine), ST_OK);
		assert_int_equal(engine_memory_unsynced_count(f.engine), 0);
		store_put(f.engine, FAMILY_ITEMS, "a", "1");
		store_put(f.engine, FAMILY_ITEMS, "k", "2");
		assert_int_equal(engine_memory_unsynced_count(f.engine), 2);
		crash_and_reopen(&f, keep_count);
		assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "a"), keep_count >= 1 ? "1" : "-");
		assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "k"), keep_count >= 2 ? "2" : "synced");
		assert_int_equal(engine_memory_unsynced_count(f.engine), 0);
		fixture_stop(&f);
	}
}

static void a_crash_brings_back_what_an_unsynced_batch_deleted(void **state)
{
	struct engine_batch *batch;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	store_put(f.engine, FAMILY_ITEMS, "a", "1");
	store_put(f.engine, FAMILY_ITEMS, "b", "1");
	assert_int_equal(engine_sync(f.engine), ST_OK);
	batch = engine_batch_create(f.engine);
	engine_batch_delete_range(f.engine, batch, FAMILY_ITEMS, slice_of_string("a"), slice_of_string("c"));
	assert_int_equal(engine_write(f.engine, batch), ST_OK);
	engine_batch_destroy(f.engine, batch);
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "a"), "-");
	crash_and_reopen(&f, 0);
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "a"), "1");
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "b"), "1");
	fixture_stop(&f);
}

static void deleted_rows_take_no_room_after_a_sync(void **state)
{
	struct engine_batch *batch;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	store_put(f.engine, FAMILY_ITEMS, "a", "1");
	assert_int_equal(engine_sync(f.engine), ST_OK);
	batch = engine_batch_create(f.engine);
	engine_batch_delete(f.engine, batch, FAMILY_ITEMS, slice_of_string("a"));
	assert_int_equal(engine_write(f.engine, batch), ST_OK);
	engine_batch_destroy(f.engine, batch);
	assert_int_equal(engine_sync(f.engine), ST_OK);
	assert_int_equal(
		engine_approximate_size_bytes(f.engine, FAMILY_ITEMS, slice_of(NULL, 0), slice_of(NULL, 0)),
		0);
	fixture_stop(&f);
}

static void nothing_can_be_written_after_the_crash(void **state)
{
	struct engine_stage *stage;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	stage = engine_stage_create(f.engine, 1);
	store_put(f.engine, FAMILY_ITEMS, "k", "v");
	engine_memory_crash(f.engine, 0);
	assert_int_equal(write_key(f.engine, "late"), ST_IO);
	assert_int_equal(engine_sync(f.engine), ST_IO);
	assert_int_equal(engine_stage_finish(f.engine, stage), ST_IO);
	engine_close(f.engine);
	open_engine(&f);
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "k"), "-");
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "late"), "-");
	assert_int_equal(engine_stage_ingest(f.engine, 1), ST_NOT_FOUND);
	fixture_stop(&f);
}

static void iterators_and_values_may_be_released_after_the_crash(void **state)
{
	struct engine_value value;
	struct engine_iter *iter;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	store_put(f.engine, FAMILY_ITEMS, "k", "v");
	iter = engine_iter_create(f.engine, FAMILY_ITEMS, slice_of(NULL, 0), slice_of(NULL, 0), NULL,
				  ENGINE_READ_CACHED);
	engine_iter_seek_first(f.engine, iter);
	assert_int_equal(engine_get(f.engine, FAMILY_ITEMS, slice_of_string("k"), ENGINE_READ_CACHED, &value),
			 ST_OK);
	engine_memory_crash(f.engine, 0);
	assert_true(engine_iter_valid(f.engine, iter));
	engine_iter_destroy(f.engine, iter);
	engine_value_release(&value);
	fixture_stop(&f);
}

static void ingested_rows_and_all_before_them_survive(void **state)
{
	struct engine_stage *stage;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	stage = engine_stage_create(f.engine, 1);
	assert_int_equal(
		engine_stage_add(f.engine, stage, FAMILY_ITEMS, slice_of_string("s"), slice_of_string("1")),
		ST_OK);
	assert_int_equal(engine_stage_finish(f.engine, stage), ST_OK);
	store_put(f.engine, FAMILY_ITEMS, "before", "1");
	assert_int_equal(engine_stage_ingest(f.engine, 1), ST_OK);
	store_put(f.engine, FAMILY_ITEMS, "after", "1");
	crash_and_reopen(&f, 0);
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "before"), "1");
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "s"), "1");
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "after"), "-");
	assert_int_equal(engine_stage_ingest(f.engine, 1), ST_OK);
	fixture_stop(&f);
}

static void an_injected_failure_is_final_until_the_disk_is_opened_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	engine_memory_disk_fail_sync(f.disk);
	assert_int_equal(write_key(f.engine, "k"), ST_OK);
	assert_int_equal(engine_sync(f.engine), ST_IO);
	assert_int_equal(engine_sync(f.engine), ST_IO);
	assert_int_equal(write_key(f.engine, "k"), ST_IO);
	crash_and_reopen(&f, 0);
	assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "k"), "-");
	engine_memory_disk_fail_write(f.disk);
	assert_int_equal(write_key(f.engine, "k"), ST_IO);
	crash_and_reopen(&f, 0);
	assert_int_equal(write_key(f.engine, "k"), ST_OK);
	fixture_stop(&f);
}

static void a_full_disk_fails_writes(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	engine_memory_disk_set_free_bytes(f.disk, 5);
	assert_int_equal(engine_free_bytes(f.engine), 5);
	assert_int_equal(write_key(f.engine, "k"), ST_OK);
	engine_memory_disk_set_free_bytes(f.disk, 0);
	assert_int_equal(write_key(f.engine, "k"), ST_IO);
	fixture_stop(&f);
}

static void every_nth_cached_read_misses(void **state)
{
	struct engine_value value;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	store_put(f.engine, FAMILY_ITEMS, "k", "v");
	engine_memory_disk_miss_every(f.disk, 3);
	for (unsigned i = 1; i <= 9; i++) {
		enum status status = engine_get(f.engine, FAMILY_ITEMS, slice_of_string("k"),
						ENGINE_READ_CACHED, &value);

		assert_int_equal(status, i % 3 == 0 ? ST_WOULD_BLOCK : ST_OK);
		if (status == ST_OK)
			engine_value_release(&value);
		assert_string_equal(store_get(f.engine, FAMILY_ITEMS, "k"), "v");
	}
	fixture_stop(&f);
}

static void one_disk_serves_one_engine(void **state)
{
	struct engine *second;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	assert_int_equal(engine_memory_open(f.disk, &second), ST_BUSY);
	fixture_stop(&f);
}

/* --- random crashes against a model --- */

enum { KEYS = 20, UNSYNCED_MAX = 12, CRASHES = 300 };

struct model {
	uint32_t values[KEYS];
};

static void write_random(struct engine *engine, struct model *model, struct rng *rng)
{
	struct engine_batch *batch = engine_batch_create(engine);

	for (size_t i = rng_below(rng, 4) + 1; i > 0; i--) {
		uint8_t first = (uint8_t)rng_below(rng, KEYS);
		uint8_t last = (uint8_t)(first + rng_below(rng, 4) + 1);
		uint32_t value = (uint32_t)rng_below(rng, 1000) + 1;

		if (rng_below(rng, 3) == 0) {
			engine_batch_delete_range(engine, batch, FAMILY_META, slice_of(&first, 1),
						  slice_of(&last, 1));
			for (uint8_t k = first; k < last && k < KEYS; k++)
				model->values[k] = 0;
		} else {
			engine_batch_put(engine, batch, FAMILY_META, slice_of(&first, 1),
					 slice_of(&value, sizeof(value)));
			model->values[first] = value;
		}
	}
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
}

static void check_model(struct engine *engine, const struct model *model)
{
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_META, slice_of(NULL, 0),
						      slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);

	engine_iter_seek_first(engine, iter);
	for (uint8_t k = 0; k < KEYS; k++) {
		if (model->values[k] == 0)
			continue;
		assert_true(engine_iter_valid(engine, iter));
		assert_true(slice_equal(engine_iter_key(engine, iter), slice_of(&k, 1)));
		assert_memory_equal(engine_iter_value(engine, iter).data, &model->values[k],
				    sizeof(uint32_t));
		engine_iter_next(engine, iter);
	}
	assert_false(engine_iter_valid(engine, iter));
	engine_iter_destroy(engine, iter);
}

/* history[i]: the content after i unsynced batches. */
static void random_crashes_leave_the_chosen_prefix(void **state)
{
	struct model history[UNSYNCED_MAX + 1] = { 0 };
	struct fixture f;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 42);
	fixture_start(&f);
	for (unsigned crash = 0; crash < CRASHES; crash++) {
		size_t count = rng_below(&rng, UNSYNCED_MAX + 1);
		size_t keep_count = rng_below(&rng, count + 1);
		struct engine_snapshot *snapshot = engine_snapshot_create(f.engine);

		for (size_t i = 0; i < count; i++) {
			history[i + 1] = history[i];
			write_random(f.engine, &history[i + 1], &rng);
		}
		engine_snapshot_release(f.engine, snapshot);
		if (rng_below(&rng, 3) == 0) {
			assert_int_equal(engine_sync(f.engine), ST_OK);
			keep_count = count;
		}
		crash_and_reopen(&f, keep_count);
		check_model(f.engine, &history[keep_count]);
		history[0] = history[keep_count];
	}
	fixture_stop(&f);
}

static void a_hundred_thousand_keys_are_handled(void **state)
{
	struct engine_batch *batch;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	batch = engine_batch_create(f.engine);
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t key[4];

		put_u32_be(key, i * 2654435761u);
		engine_batch_clear(f.engine, batch);
		engine_batch_put(f.engine, batch, FAMILY_ITEMS, slice_of(key, 4), slice_of(key, 4));
		assert_int_equal(engine_write(f.engine, batch), ST_OK);
	}
	engine_batch_destroy(f.engine, batch);
	assert_int_equal(engine_sync(f.engine), ST_OK);
	assert_int_equal(
		engine_approximate_size_bytes(f.engine, FAMILY_ITEMS, slice_of(NULL, 0), slice_of(NULL, 0)),
		800000);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest),
		cmocka_unit_test(a_crash_brings_back_what_an_unsynced_batch_deleted),
		cmocka_unit_test(deleted_rows_take_no_room_after_a_sync),
		cmocka_unit_test(nothing_can_be_written_after_the_crash),
		cmocka_unit_test(iterators_and_values_may_be_released_after_the_crash),
		cmocka_unit_test(ingested_rows_and_all_before_them_survive),
		cmocka_unit_test(an_injected_failure_is_final_until_the_disk_is_opened_again),
		cmocka_unit_test(a_full_disk_fails_writes),
		cmocka_unit_test(every_nth_cached_read_misses),
		cmocka_unit_test(one_disk_serves_one_engine),
		cmocka_unit_test(random_crashes_leave_the_chosen_prefix),
		cmocka_unit_test(a_hundred_thousand_keys_are_handled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
