/* Goal: a read that fails under the feeding of an index is told, leaves nothing half loaded behind that
 * anybody would use, and in the end costs nothing but time.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no fault left
 * to fire; and let reads fail at random while partitions feed. */
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "tests/unit/feeder_fixture.h"

enum { FAULTS_MAX = 100, SOURCE = 1002, PER_MILLION = 1000000 };

/* --- one partition's rows --- */

struct store {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct arena arena;
};

static void store_open(struct store *store)
{
	static const uint32_t ids[] = { 20, 21 };
	struct partition_indexes indexes;
	struct partition_sources sources;

	store->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(store->disk, &store->engine), ST_OK);
	store->batch = engine_batch_create(store->engine);
	assert_non_null(store->batch);
	arena_init(&store->arena, SIZE_MAX);
	partition_indexes_init(&indexes, FEED_SOURCE);
	partition_sources_init(&sources, FEED_SOURCE);
	assert_int_equal(partition_indexes_apply(&indexes, store->engine, store->batch, 7,
						 feed_fixture_definitions(&store->arena, 1, ids, 2)),
			 ST_OK);
	assert_int_equal(
		partition_sources_move(&sources, store->engine, store->batch, SOURCE, slice_of("\0row", 4)),
		ST_OK);
	assert_int_equal(engine_write(store->engine, store->batch), ST_OK);
	partition_indexes_close(&indexes);
	partition_sources_close(&sources);
}

static void store_close(struct store *store)
{
	arena_close(&store->arena);
	engine_batch_destroy(store->engine, store->batch);
	engine_close(store->engine);
	engine_memory_disk_destroy(store->disk);
}

static enum status load_all(struct store *store)
{
	struct partition_indexes indexes;
	struct partition_sources sources;
	enum status status;

	partition_indexes_init(&indexes, FEED_SOURCE);
	partition_sources_init(&sources, FEED_SOURCE);
	status = partition_indexes_load(&indexes, store->engine, true);
	if (status == ST_OK)
		status = partition_sources_load(&sources, store->engine);
	if (status == ST_OK) {
		assert_int_equal(indexes.feed_count, 2);
		assert_int_equal(partition_sources_mark(&sources, SOURCE).size, 4);
	}
	partition_indexes_close(&indexes);
	partition_sources_close(&sources);
	return status;
}

static void loading_tells_each_single_fault(void **state)
{
	struct store store;
	uint32_t fault_count = 0;
	bool fired = true;

	(void)state;
	store_open(&store);
	for (uint32_t nth = 0; fired; nth++) {
		enum status status;

		fault_arm_nth(nth);
		status = load_all(&store);
		fired = fault_disarm();
		fault_count += fired;
		assert_int_equal(status == ST_OK, !fired);
		assert_true(fault_count < FAULTS_MAX);
	}
	assert_int_equal(fault_count, 3); /* the definitions, the feeds, the sources */
	store_close(&store);
}

static enum status read_page(struct store *store, struct slice after)
{
	struct index_page page = { .partition_id = FEED_SOURCE,
				   .range_start = slice_of(feed_base_start, sizeof(feed_base_start)),
				   .range_end = slice_of(feed_index_start, sizeof(feed_index_start)),
				   .after = after,
				   .start_sequence = 1 };

	return index_page_read(&page, store->engine, 8, SIZE_MAX, ENGINE_READ_MAY_BLOCK, &store->arena);
}

static void pages_tell_each_single_fault(void **state)
{
	static const uint8_t changes[9] = { FEED_CHANGES };
	const struct slice positions[] = { slice_of("\0", 1), slice_of(changes, sizeof(changes)) };
	struct store store;

	(void)state;
	store_open(&store);
	for (size_t i = 0; i < ARRAY_COUNT(positions); i++) {
		uint32_t fault_count = 0;
		bool fired = true;

		for (uint32_t nth = 0; fired; nth++) {
			enum status status;

			fault_arm_nth(nth);
			status = read_page(&store, positions[i]);
			fired = fault_disarm();
			fault_count += fired;
			assert_int_equal(status == ST_OK, !fired);
		}
		assert_int_equal(fault_count, 1);
	}
	store_close(&store);
}

/* --- feeding --- */

static void a_feed_outlives_reads_that_fail(void **state)
{
	struct index_feed *feed;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, MANY);
	x.verdict = VERDICT_UNREACHABLE;
	tell_all(&x);
	RUN_UNTIL(&x, leader_of(&x)->feeder != NULL);
	feed = feed_of(leader_of(&x), FEED_INDEX);
	RUN_UNTIL(&x, feed->phase == INDEX_FEED_PAUSE); /* a page that was read is given up */
	fault_set(FAULT_ENGINE_READ, PER_MILLION, 0);
	x.verdict = VERDICT_DELIVER;
	run_ms(&x, 10 * INDEX_FEEDER_PAUSE_MS);
	fault_clear_all();
	assert_int_equal(feed->position.size, 1);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), 0);
	fault_set(FAULT_ENGINE_READ, PER_MILLION / 2, 0);
	run_ms(&x, 20 * INDEX_FEEDER_PAUSE_MS);
	fault_clear_all();
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void a_partition_closes_while_reads_fail(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	x.verdict = VERDICT_UNREACHABLE;
	tell_all(&x);
	RUN_UNTIL(&x, leader_of(&x)->feeder != NULL);
	fault_set(FAULT_ENGINE_READ, PER_MILLION, 0);
	run_ms(&x, INDEX_FEEDER_PAUSE_MS / 2);
	close_sources(&x);
	RUN_UNTIL(&x, feeders_are_idle(&x));
	fault_clear_all();
	fixture_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loading_tells_each_single_fault),
		cmocka_unit_test(pages_tell_each_single_fault),
		cmocka_unit_test(a_feed_outlives_reads_that_fail),
		cmocka_unit_test(a_partition_closes_while_reads_fail),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
