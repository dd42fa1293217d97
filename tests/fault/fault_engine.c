/* Goal: whatever single step of a store fails, the caller hears of it, nothing leaks, and what
 * was synced before is there when the store is opened again.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no
 * fault left to fire.  ASan reports what a check here would miss. */
#include "tests/unit/engine_fixture.h"

#include "proto/base/fault.h"

static enum status write_one(struct engine *engine, const char *key)
{
	struct engine_batch *batch = engine_batch_create(engine);
	enum status status;

	engine_batch_put(engine, batch, FAMILY_ITEMS, slice_of_string(key), slice_of_string("v"));
	status = engine_write(engine, batch);
	engine_batch_destroy(engine, batch);
	return status;
}

static enum status read_one(struct engine *engine, const char *key)
{
	struct engine_value value;
	enum status status = engine_get(engine, FAMILY_ITEMS, slice_of_string(key), ENGINE_READ_MAY_BLOCK,
					&value);

	if (status == ST_OK)
		engine_value_release(&value);
	return status;
}

static enum status scan(struct engine *engine)
{
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, slice_of(NULL, 0),
						      slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);
	enum status status;

	engine_iter_seek_first(engine, iter);
	while (engine_iter_valid(engine, iter))
		engine_iter_next(engine, iter);
	status = engine_iter_status(engine, iter);
	engine_iter_destroy(engine, iter);
	return status;
}

static enum status stage_one(struct engine *engine)
{
	struct engine_stage *stage = engine_stage_create(engine, 1);
	enum status status;

	assert_non_null(stage);
	status = engine_stage_add(engine, stage, FAMILY_ITEMS, slice_of_string("staged"),
				  slice_of_string("v"));
	if (status != ST_OK) {
		engine_stage_abandon(engine, stage);
		return status;
	}
	status = engine_stage_finish(engine, stage);
	return status == ST_OK ? engine_stage_ingest(engine, 1) : status;
}

/* Write, sync, get, scan, finish a stage, and ingest it, which syncs and writes: seven steps. */
static enum status work(struct engine *engine)
{
	enum status status = write_one(engine, "first");

	if (status == ST_OK)
		status = engine_sync(engine);
	if (status == ST_OK)
		status = read_one(engine, "first");
	if (status == ST_OK)
		status = scan(engine);
	return status == ST_OK ? stage_one(engine) : status;
}

static void each_single_fault_on(enum store_kind kind)
{
	uint32_t fault_count = 0;

	for (uint32_t nth = 0;; nth++) {
		struct store store;
		enum status status;
		bool fired;

		store_start(&store, kind);
		store_put(store.engine, FAMILY_ITEMS, "old", "v");
		assert_int_equal(engine_sync(store.engine), ST_OK);
		fault_arm_nth(nth);
		status = work(store.engine);
		fired = fault_disarm();
		assert_int_equal(status, fired ? ST_IO : ST_OK);
		if (store_survives_closing(&store)) {
			store_close(&store);
			store_open(&store);
			assert_string_equal(store_get(store.engine, FAMILY_ITEMS, "old"), "v");
			assert_int_equal(work(store.engine), ST_OK);
		}
		store_stop(&store);
		if (!fired)
			break;
		fault_count++;
	}
	assert_int_equal(fault_count, 7);
}

static void rocksdb_survives_each_single_fault(void **state)
{
	(void)state;
	each_single_fault_on(STORE_ROCKSDB_DISK);
}

static void rocksdb_in_memory_survives_each_single_fault(void **state)
{
	(void)state;
	each_single_fault_on(STORE_ROCKSDB_MEMORY);
}

static void the_simulated_store_survives_each_single_fault(void **state)
{
	(void)state;
	each_single_fault_on(STORE_SIMULATED);
}

static void a_failed_write_or_sync_is_final(void **state)
{
	static const enum fault_point points[] = { FAULT_ENGINE_WRITE, FAULT_ENGINE_SYNC };

	(void)state;
	for (enum store_kind kind = 0; kind < STORE_KIND_COUNT; kind++) {
		for (size_t i = 0; i < ARRAY_COUNT(points); i++) {
			struct store store;

			store_start(&store, kind);
			fault_set(points[i], 1000000, 0);
			(void)write_one(store.engine, "k"); /* one of the two fails */
			assert_int_equal(engine_sync(store.engine), ST_IO);
			fault_clear_all();
			assert_int_equal(write_one(store.engine, "k"), ST_IO);
			assert_int_equal(engine_sync(store.engine), ST_IO);
			assert_int_equal(read_one(store.engine, "nothing"), ST_NOT_FOUND);
			store_stop(&store);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rocksdb_survives_each_single_fault),
		cmocka_unit_test(rocksdb_in_memory_survives_each_single_fault),
		cmocka_unit_test(the_simulated_store_survives_each_single_fault),
		cmocka_unit_test(a_failed_write_or_sync_is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
