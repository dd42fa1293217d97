#include "storage/encoding/stored_item.h"
#include "storage/index/index_plan.h"
#include "storage/item/item_scan.h"
#include "tests/unit/engine_fixture.h"
#include "tests/unit/index_fixture.h"

enum {
	RNG_SEED = 3,
	COLLECTIONS = 6,
	ITEMS_PER_COLLECTION = 40, /* enough that a scan seeks past other indexes */
	ITEMS = COLLECTIONS * ITEMS_PER_COLLECTION,
	INDEXES = 3,
	UNLIMITED = INT32_MAX,
	ROUNDS = 300,
	ITEM_SIZE_MAX = 6000,
};

static const uint8_t numbers[INDEXES] = { 1, 3, 5 };

struct entry {
	uint8_t key[128];
	size_t key_size;
	uint32_t item_size_bytes;
	uint32_t base_size_bytes;
};

/* Items whose entries are in each index with a chance; an item's x is long, and no index has it. */
struct fixture {
	struct store store;
	struct table_schema schema;
	struct table_index indexes[INDEXES];
	struct entry entries[INDEXES][ITEMS]; /* ascending */
	size_t entry_counts[INDEXES];
	struct item_scan scan;
	uint8_t start[4];
	uint8_t end[4];
	uint8_t position[128];
};

static void put_stored(struct engine *engine, enum engine_family family, struct slice key, struct slice item)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t head[STORED_ITEM_HEAD_SIZE];
	struct slice parts[] = { { head, sizeof(head) }, item };

	assert_non_null(batch);
	stored_item_put_head(head, 1, 0, (uint32_t)item_size_bytes(item));
	engine_batch_put_parts(engine, batch, family, key, parts, ARRAY_COUNT(parts));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;

	return slice_compare(slice_of(a->key, a->key_size), slice_of(b->key, b->key_size));
}

static void put_entry(struct fixture *f, size_t which, struct slice item)
{
	struct index_owner owner = index_fixture_owner(&f->schema, &f->indexes[which]);
	struct entry *entry = &f->entries[which][f->entry_counts[which]];
	struct index_plan plan;

	index_plan_init(&plan);
	assert_int_equal(index_plan_make(&plan, &owner, slice_of(NULL, 0), item), ST_OK);
	if (plan.has_put) {
		assert_true(plan.put_key.size <= sizeof(entry->key));
		memcpy(entry->key, plan.put_key.data, plan.put_key.size);
		entry->key_size = plan.put_key.size;
		entry->item_size_bytes = plan.item_size_bytes;
		entry->base_size_bytes = (uint32_t)item_size_bytes(item);
		f->entry_counts[which]++;
		put_stored(f->store.engine, FAMILY_LOCAL_INDEXES, plan.put_key, plan.item);
	}
	index_plan_close(&plan);
}

static void put_item(struct fixture *f, struct rng *rng, int number)
{
	static const char *const names[INDEXES] = { "a", "b", "c" };
	static const uint8_t filling[ITEM_SIZE_MAX] = { 0 };
	uint8_t collection = (uint8_t)('a' + number / ITEMS_PER_COLLECTION);
	struct item_builder builder;
	struct row_key_error error;
	struct buf item;
	struct buf key;

	buf_init(&item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&key, LIMIT_ROW_KEY_SIZE_BYTES);
	item_builder_init(&builder, &item);
	index_fixture_string(&builder, "pk", slice_of(&collection, 1));
	index_fixture_int(&builder, "sk", number);
	for (size_t i = 0; i < INDEXES; i++) {
		if (rng_below(rng, 4) > 0)
			index_fixture_int(&builder, names[i], (int64_t)rng_below(rng, 10));
	}
	index_fixture_string(&builder, "x", slice_of(filling, rng_below(rng, ITEM_SIZE_MAX)));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(row_key_from_item(&key, INDEX_FIXTURE_TABLE_ID, INDEX_FIXTURE_SEED, &f->schema,
					   buf_slice(&item), &error),
			 ST_OK);
	put_stored(f->store.engine, FAMILY_ITEMS, buf_slice(&key), buf_slice(&item));
	for (size_t i = 0; i < INDEXES; i++)
		put_entry(f, i, buf_slice(&item));
	buf_close(&item);
	buf_close(&key);
}

static void fixture_start(struct fixture *f, enum store_kind kind)
{
	static const char *const keys[INDEXES] = { "N:a", "N:b", "N:c" };
	struct rng rng;

	*f = (struct fixture){ .entry_counts = { 0 } };
	store_start(&f->store, kind);
	rng_seed(&rng, RNG_SEED);
	index_fixture_schema(&f->schema, "S:pk", "N:sk");
	for (size_t i = 0; i < INDEXES; i++)
		index_fixture_index(&f->indexes[i], numbers[i], "S:pk", keys[i], INDEX_PROJECTS_KEYS);
	for (int i = 0; i < ITEMS; i++)
		put_item(f, &rng, i);
	for (size_t i = 0; i < INDEXES; i++)
		qsort(f->entries[i], f->entry_counts[i], sizeof(struct entry), compare_entries);
	put_u32_be(f->start, INDEX_FIXTURE_TABLE_ID);
	put_u32_be(f->end, INDEX_FIXTURE_TABLE_ID + 1);
}

static void scan_init(struct fixture *f, size_t which)
{
	item_scan_init(&f->scan);
	f->scan.family = FAMILY_LOCAL_INDEXES;
	f->scan.local_number = numbers[which];
	f->scan.schema = &f->schema;
	f->scan.start = slice_of(f->start, sizeof(f->start));
	f->scan.end = slice_of(f->end, sizeof(f->end));
	f->scan.row_count_max = UNLIMITED;
	f->scan.size_bytes_max = UINT32_MAX;
}

static void fixture_end(struct fixture *f)
{
	store_stop(&f->store);
}

/* One page, whose rows are the entries from *at on. */
static void check_page(struct fixture *f, size_t which, size_t *at)
{
	bool is_backward = f->scan.is_backward;
	struct index_owner owner = index_fixture_owner(&f->schema, &f->indexes[which]);
	uint64_t size_bytes = 0;
	uint64_t base_units = 0;
	struct reader reader;
	struct buf key;

	assert_int_equal(item_scan_run(&f->scan, f->store.engine), ST_OK);
	assert_int_equal(f->scan.matched_count, f->scan.evaluated_count);
	buf_init(&key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	reader_init(&reader, buf_slice(&f->scan.rows));
	for (uint32_t i = 0; i < f->scan.matched_count; i++) {
		struct slice item = reader_bytes(&reader, reader_u32_be(&reader));
		const struct entry *entry;
		struct item_value value;

		assert_true(*at < f->entry_counts[which]);
		entry = &f->entries[which][is_backward ? f->entry_counts[which] - 1 - *at : *at];
		(*at)++;
		buf_reset(&key);
		assert_int_equal(table_index_row_key(&key, &owner, item), ST_OK);
		assert_true(slice_equal(buf_slice(&key), slice_of(entry->key, entry->key_size)));
		assert_true(item_find(item, slice_of_string("x"), &value) == f->scan.fetches_items);
		size_bytes += entry->item_size_bytes;
		base_units += (entry->base_size_bytes + 4095) / 4096;
	}
	buf_close(&key);
	assert_int_equal(f->scan.evaluated_size_bytes, size_bytes);
	assert_int_equal(f->scan.fetched_units, f->scan.fetches_items ? base_units : 0);
}

/* The next page's range begins behind the row where this one stopped. */
static void go_on(struct fixture *f)
{
	size_t size = f->scan.last_key.size;

	assert_true(size > 0 && size < sizeof(f->position));
	memcpy(f->position, f->scan.last_key.data, size);
	f->position[size] = 0;
}

static void all_pages_are_the_index(struct fixture *f, size_t which, uint32_t rows_max, bool is_backward,
				    bool fetches_items)
{
	size_t position_size = 0;
	size_t at = 0;
	bool is_at_end = false;

	while (!is_at_end) {
		scan_init(f, which);
		f->scan.row_count_max = rows_max;
		f->scan.is_backward = is_backward;
		f->scan.fetches_items = fetches_items;
		if (position_size > 0 && is_backward)
			f->scan.end = slice_of(f->position, position_size - 1);
		else if (position_size > 0)
			f->scan.start = slice_of(f->position, position_size);
		check_page(f, which, &at);
		is_at_end = f->scan.is_at_end;
		if (!is_at_end) {
			assert_int_equal(f->scan.evaluated_count, rows_max);
			position_size = f->scan.last_key.size + 1;
			go_on(f);
		}
		item_scan_close(&f->scan);
	}
	assert_int_equal(at, f->entry_counts[which]);
}

static void any_pages_of_any_index_are_the_whole(void **state)
{
	struct rng rng;

	(void)state;
	for (enum store_kind kind = 0; kind < STORE_KIND_COUNT; kind++) {
		struct fixture f;

		rng_seed(&rng, RNG_SEED);
		fixture_start(&f, kind);
		for (int i = 0; i < ROUNDS; i++)
			all_pages_are_the_index(&f, rng_below(&rng, INDEXES),
						1 + (uint32_t)rng_below(&rng, 2 * ITEMS),
						rng_below(&rng, 2) == 0, rng_below(&rng, 3) == 0);
		fixture_end(&f);
	}
}

static void what_is_fetched_counts_for_the_page(void **state)
{
	struct fixture f;
	uint64_t fetched;
	size_t at = 0;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	scan_init(&f, 1);
	f.scan.fetches_items = true;
	f.scan.size_bytes_max = 3 * ITEM_SIZE_MAX;
	check_page(&f, 1, &at);
	assert_true(at < f.entry_counts[1]);
	fetched = f.scan.fetched_units * LIMIT_READ_UNIT_SIZE_BYTES;
	assert_true(fetched + f.scan.evaluated_size_bytes >= f.scan.size_bytes_max);
	assert_true(fetched < f.scan.size_bytes_max + 2 * LIMIT_READ_UNIT_SIZE_BYTES);
	item_scan_close(&f.scan);
	fixture_end(&f);
}

static void an_entry_without_its_item_is_corrupt(void **state)
{
	struct fixture f;
	struct engine_batch *batch;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	batch = engine_batch_create(f.store.engine);
	engine_batch_delete_range(f.store.engine, batch, FAMILY_ITEMS, slice_of(f.start, 4),
				  slice_of(f.end, 4));
	assert_int_equal(engine_write(f.store.engine, batch), ST_OK);
	engine_batch_destroy(f.store.engine, batch);
	scan_init(&f, 0);
	f.scan.fetches_items = true;
	assert_int_equal(item_scan_run(&f.scan, f.store.engine), ST_CORRUPT);
	item_scan_close(&f.scan);
	scan_init(&f, 0); /* the entries themselves are there */
	assert_int_equal(item_scan_run(&f.scan, f.store.engine), ST_OK);
	item_scan_close(&f.scan);
	fixture_end(&f);
}

/* Many collections, each with a row of another index only; but the first row after a step's end. */
static void passing_over_rows_ends_a_step_too(void **state)
{
	enum { OTHERS = ITEM_SCAN_PASSED_MAX + 10 };
	struct engine_batch *batch;
	struct fixture f;
	uint8_t head[STORED_ITEM_HEAD_SIZE];

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	put_u32_be(f.start, INDEX_FIXTURE_TABLE_ID + 1);
	put_u32_be(f.end, INDEX_FIXTURE_TABLE_ID + 2);
	stored_item_put_head(head, 1, 0, 1);
	batch = engine_batch_create(f.store.engine);
	for (uint32_t i = 0; i < OTHERS; i++) {
		uint8_t key[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'k', 0, 1, 1, 0x80, 0x80 };

		put_u32_be(key, INDEX_FIXTURE_TABLE_ID + 1);
		put_u32_be(key + 4, i);
		if (i == ITEM_SCAN_PASSED_MAX)
			key[15] = numbers[1];
		engine_batch_put(f.store.engine, batch, FAMILY_LOCAL_INDEXES, slice_of(key, sizeof(key)),
				 slice_of(head, sizeof(head)));
	}
	assert_int_equal(engine_write(f.store.engine, batch), ST_OK);
	engine_batch_destroy(f.store.engine, batch);
	scan_init(&f, 1);
	assert_int_equal(item_scan_run(&f.scan, f.store.engine), ST_OK);
	assert_int_equal(f.scan.evaluated_count, 0);
	assert_false(f.scan.is_at_end);
	assert_int_equal(get_u32_be(f.scan.last_key.data + 4), ITEM_SCAN_PASSED_MAX - 1);
	go_on(&f);
	item_scan_close(&f.scan);
	scan_init(&f, 1);
	f.scan.start = slice_of(f.position, 19);
	assert_int_equal(item_scan_run(&f.scan, f.store.engine), ST_OK);
	assert_int_equal(f.scan.evaluated_count, 1);
	assert_true(f.scan.is_at_end);
	item_scan_close(&f.scan);
	fixture_end(&f);
}

static void a_row_key_of_another_schema_is_corrupt(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, STORE_SIMULATED);
	store_put(f.store.engine, FAMILY_LOCAL_INDEXES, "\x7f\x7f\x7f\x7f", "value");
	memset(f.start, 0x7e, sizeof(f.start));
	memset(f.end, 0x80, sizeof(f.end));
	scan_init(&f, 0);
	assert_int_equal(item_scan_run(&f.scan, f.store.engine), ST_CORRUPT);
	item_scan_close(&f.scan);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_pages_of_any_index_are_the_whole),
		cmocka_unit_test(what_is_fetched_counts_for_the_page),
		cmocka_unit_test(an_entry_without_its_item_is_corrupt),
		cmocka_unit_test(passing_over_rows_ends_a_step_too),
		cmocka_unit_test(a_row_key_of_another_schema_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
