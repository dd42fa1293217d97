#include "storage/item/item_batch.h"

#include "proto/base/fault.h"
#include "storage/encoding/stored_item.h"
#include "tests/unit/engine_fixture.h"

enum { ROW_SIZE_BYTES = 100 };

static const struct slice keys[] = {
	{ (const uint8_t *)"a", 1 },
	{ (const uint8_t *)"b", 1 },
	{ (const uint8_t *)"c", 1 },
};

static void put_row(struct engine *engine, struct slice key, size_t padding)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t *value = calloc(1, STORED_ITEM_HEAD_SIZE + key.size + padding);

	assert_non_null(batch);
	assert_non_null(value);
	stored_item_put_head(value, 1, 0, ROW_SIZE_BYTES);
	memcpy(value + STORED_ITEM_HEAD_SIZE, key.data, key.size);
	engine_batch_put(engine, batch, FAMILY_ITEMS, key,
			 slice_of(value, STORED_ITEM_HEAD_SIZE + key.size + padding));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
	free(value);
}

/* Rows "a" and "c". */
static void start(struct store *store, struct item_batch *batch, size_t padding)
{
	store_start(store, STORE_SIMULATED);
	put_row(store->engine, keys[0], padding);
	put_row(store->engine, keys[2], padding);
	item_batch_init(batch);
	batch->keys = keys;
	batch->key_count = ARRAY_COUNT(keys);
	batch->size_bytes_max = LIMIT_BATCH_SIZE_BYTES;
}

static void end(struct store *store, struct item_batch *batch)
{
	item_batch_close(batch);
	store_stop(store);
}

static void assert_row(struct reader *reader, struct slice item)
{
	assert_int_equal(reader_u32_be(reader), item.size);
	assert_int_equal(reader_u32_be(reader), item.size == 0 ? 0 : ROW_SIZE_BYTES);
	assert_true(slice_equal(reader_bytes(reader, item.size), item));
}

static void each_key_has_its_row_or_none(void **state)
{
	struct item_batch batch;
	struct reader reader;
	struct store store;

	(void)state;
	start(&store, &batch, 0);
	assert_int_equal(item_batch_run(&batch, store.engine), ST_OK);
	assert_int_equal(batch.answered_count, 3);
	reader_init(&reader, buf_slice(&batch.rows));
	assert_row(&reader, keys[0]);
	assert_row(&reader, slice_of(NULL, 0));
	assert_row(&reader, keys[2]);
	assert_int_equal(reader.size, 0);
	end(&store, &batch);
}

static void the_item_that_reaches_the_size_is_the_last(void **state)
{
	struct item_batch batch;
	struct store store;

	(void)state;
	start(&store, &batch, 0);
	batch.size_bytes_max = 1;
	assert_int_equal(item_batch_run(&batch, store.engine), ST_OK);
	assert_int_equal(batch.answered_count, 1);
	end(&store, &batch);
}

static void bad_rows_and_failed_reads_are_told(void **state)
{
	struct item_batch batch;
	struct store store;

	(void)state;
	start(&store, &batch, 0);
	store_put(store.engine, FAMILY_ITEMS, "b", "short");
	assert_int_equal(item_batch_run(&batch, store.engine), ST_CORRUPT);
	end(&store, &batch);
	start(&store, &batch, 0);
	fault_arm_nth(1);
	assert_int_equal(item_batch_run(&batch, store.engine), ST_IO);
	assert_true(fault_disarm());
	end(&store, &batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_has_its_row_or_none),
		cmocka_unit_test(the_item_that_reaches_the_size_is_the_last),
		cmocka_unit_test(bad_rows_and_failed_reads_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
