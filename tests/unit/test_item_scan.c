#include "storage/item/item_scan.h"

#include "proto/base/fault.h"
#include "storage/encoding/stored_item.h"
#include "tests/unit/engine_fixture.h"

enum { ROWS = 20, ROW_SIZE_BYTES = 100, UNLIMITED = INT32_MAX };

/* Rows "r00" to "r19" whose item bytes are their keys, said to be of ROW_SIZE_BYTES each. */
struct fixture {
	struct store store;
	struct item_scan scan;
};

static struct slice key_of(int row, char key[8])
{
	(void)snprintf(key, 8, "r%02d", row);
	return slice_of_string(key);
}

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

static void scan_init(struct fixture *f, const char *start, const char *end)
{
	item_scan_init(&f->scan);
	f->scan.start = slice_of_string(start);
	f->scan.end = slice_of_string(end);
	f->scan.row_count_max = UNLIMITED;
	f->scan.size_bytes_max = LIMIT_PAGE_SIZE_BYTES;
}

static void fixture_start(struct fixture *f, enum store_kind kind)
{
	char key[8];

	store_start(&f->store, kind);
	for (int i = 0; i < ROWS; i++)
		put_row(f->store.engine, key_of(i, key), 0);
	scan_init(f, "r05", "r15");
}

static void fixture_end(struct fixture *f)
{
	item_scan_close(&f->scan);
	store_stop(&f->store);
}

static enum status run(struct fixture *f)
{
	return item_scan_run(&f->scan, f->store.engine);
}

/* The rows found are first, first + step, ... */
static void assert_rows(const struct fixture *f, int first, int step, uint32_t count)
{
	struct reader reader;
	char key[8];

	assert_int_equal(f->scan.matched_count, count);
	reader_init(&reader, buf_slice(&f->scan.rows));
	for (uint32_t i = 0; i < count; i++) {
		struct slice item = reader_bytes(&reader, reader_u32_be(&reader));

		assert_true(slice_equal(item, key_of(first + step * (int)i, key)));
	}
	assert_int_equal(reader.status, ST_OK);
	assert_int_equal(reader.size, 0);
}

static void a_range_is_read_in_both_directions(void **state)
{
	(void)state;
	for (enum store_kind kind = 0; kind < STORE_KIND_COUNT; kind++) {
		struct fixture f;

		fixture_start(&f, kind);
		assert_int_equal(run(&f), ST_OK);
		assert_rows(&f, 5, 1, 10);
		assert_true(f.scan.is_at_end);
		assert_int_equal(f.scan.last_key.size, 0);
		assert_int_equal(f.scan.evaluated_size_bytes, 10 * ROW_SIZE_BYTES);
		item_scan_close(&f.scan);
		scan_init(&f, "r05", "r15");
		f.scan.is_backward = true;
		assert_int_equal(run(&f), ST_OK);
		assert_rows(&f, 14, -1, 10);
		assert_true(f.scan.is_at_end);
		fixture_end(&f);
	}
}

static void a_limit_of_rows_stops_at_a_row_even_if_it_is_the_last(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	f.scan.row_count_max = 10;
	assert_int_equal(run(&f), ST_OK);
	assert_rows(&f, 5, 1, 10);
	assert_false(f.scan.is_at_end);
	assert_true(slice_equal(buf_slice(&f.scan.last_key), slice_of_string("r14")));
	item_scan_close(&f.scan);
	scan_init(&f, "r05", "r15");
	f.scan.row_count_max = 3;
	f.scan.is_backward = true;
	assert_int_equal(run(&f), ST_OK);
	assert_rows(&f, 14, -1, 3);
	assert_true(slice_equal(buf_slice(&f.scan.last_key), slice_of_string("r12")));
	fixture_end(&f);
}

static void the_row_that_reaches_the_size_is_the_last(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	f.scan.size_bytes_max = 2 * ROW_SIZE_BYTES + 1;
	assert_int_equal(run(&f), ST_OK);
	assert_rows(&f, 5, 1, 3);
	assert_int_equal(f.scan.evaluated_size_bytes, 3 * ROW_SIZE_BYTES);
	assert_true(slice_equal(buf_slice(&f.scan.last_key), slice_of_string("r07")));
	fixture_end(&f);
}

static void counting_brings_no_rows(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	f.scan.counts_only = true;
	assert_int_equal(run(&f), ST_OK);
	assert_int_equal(f.scan.matched_count, 10);
	assert_int_equal(f.scan.evaluated_count, 10);
	assert_int_equal(f.scan.rows.size, 0);
	fixture_end(&f);
}

/* DynamoDB's size says little of the bytes: the step is bounded by both. */
static void encoded_bytes_end_a_step(void **state)
{
	struct fixture f;
	char key[8];

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	for (int i = 0; i < ROWS; i++)
		put_row(f.store.engine, key_of(i, key), LIMIT_ITEM_ENCODED_SIZE_BYTES - 8);
	assert_int_equal(run(&f), ST_OK);
	assert_int_equal(f.scan.matched_count, 3);
	assert_false(f.scan.is_at_end);
	assert_true(slice_equal(buf_slice(&f.scan.last_key), slice_of_string("r07")));
	fixture_end(&f);
}

static void an_empty_or_inverted_range_has_no_rows(void **state)
{
	(void)state;
	for (enum store_kind kind = 0; kind < STORE_KIND_COUNT; kind++) {
		struct fixture f;

		fixture_start(&f, kind);
		item_scan_close(&f.scan);
		scan_init(&f, "s", "t");
		assert_int_equal(run(&f), ST_OK);
		assert_rows(&f, 0, 1, 0);
		assert_true(f.scan.is_at_end);
		item_scan_close(&f.scan);
		scan_init(&f, "r15", "r05");
		f.scan.is_backward = true;
		assert_int_equal(run(&f), ST_OK);
		assert_rows(&f, 0, 1, 0);
		fixture_end(&f);
	}
}

static void a_row_without_its_head_is_corrupt(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	store_put(f.store.engine, FAMILY_ITEMS, "r06", "short");
	assert_int_equal(run(&f), ST_CORRUPT);
	fixture_end(&f);
}

static void a_failed_read_is_told(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	fault_arm_nth(0);
	assert_int_equal(run(&f), ST_IO);
	assert_true(fault_disarm());
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_read_in_both_directions),
		cmocka_unit_test(a_limit_of_rows_stops_at_a_row_even_if_it_is_the_last),
		cmocka_unit_test(the_row_that_reaches_the_size_is_the_last),
		cmocka_unit_test(counting_brings_no_rows),
		cmocka_unit_test(encoded_bytes_end_a_step),
		cmocka_unit_test(an_empty_or_inverted_range_has_no_rows),
		cmocka_unit_test(a_row_without_its_head_is_corrupt),
		cmocka_unit_test(a_failed_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
