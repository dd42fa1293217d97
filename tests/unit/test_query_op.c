#include "tests/unit/read_fixture.h"

/* A page under way; keys outlive it. */
struct page {
	struct query_op op;
	struct read_fixture *f;
	uint8_t start[READ_KEY_SIZE + 1];
	uint8_t end[READ_KEY_SIZE + 1];
};

static void on_done(struct query_op *op)
{
	CONTAINER_OF(op, struct page, op)->f->done_count++;
}

/* The rows [first, end). */
static void page_init(struct page *page, struct read_fixture *f, uint32_t first, uint32_t end)
{
	memset(page, 0, sizeof(*page));
	page->f = f;
	page->op.table_id = READ_TABLE;
	page->op.start = read_key(first, page->start);
	page->op.end = read_key(end, page->end);
	page->op.row_count_max = UINT32_MAX;
	page->op.arena = &f->arena;
	page->op.done = on_done;
}

static enum status page_run(struct page *page)
{
	query_op_start(&page->f->env, &page->op);
	read_wait(page->f);
	return page->op.status;
}

/* The page holds rows first, first + step, ...; returns how many. */
static uint32_t page_assert_rows(const struct page *page, uint32_t first, int step)
{
	uint32_t count = 0;

	for (const struct query_rows *chunk = page->op.rows; chunk != NULL; chunk = chunk->next) {
		struct reader reader;

		reader_init(&reader, chunk->rows);
		while (reader.size > 0) {
			assert_int_equal(reader_u32_be(&reader), 4);
			assert_int_equal(reader_u32_be(&reader), (int)first + step * (int)count);
			count++;
		}
		assert_int_equal(reader.status, ST_OK);
	}
	assert_int_equal(page->op.matched_count, count);
	assert_int_equal(page->op.evaluated_count, count);
	assert_int_equal(page->op.evaluated_size_bytes, (uint64_t)count * READ_ROW_SIZE_BYTES);
	return count;
}

static void a_range_comes_whole_from_one_partition(void **state)
{
	struct read_fixture f;
	struct page page;

	(void)state;
	read_fixture_open(&f, 1);
	page_init(&page, &f, 10, 60);
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 10, 1), 50);
	assert_false(page.op.is_cut);
	assert_int_equal(f.call_count, 1);
	read_fixture_close(&f);
}

static void a_range_over_many_partitions_keeps_its_order(void **state)
{
	struct read_fixture f;
	struct page page;

	(void)state;
	read_fixture_open(&f, 2);
	read_cut(&f, 10);
	page_init(&page, &f, 30, 120);
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 30, 1), 90);
	assert_true(f.call_count > 1);
	page_init(&page, &f, 30, 120);
	page.op.is_backward = true;
	page.op.is_consistent = true;
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 119, -1), 90);
	read_fixture_close(&f);
}

static void a_megabyte_ends_a_page(void **state)
{
	struct read_fixture f;
	uint8_t last[READ_KEY_SIZE + 1];
	struct page page;

	(void)state;
	read_fixture_open(&f, 3);
	read_cut(&f, 7);
	page_init(&page, &f, 0, READ_ROWS);
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 0, 1), 103); /* the one that reaches it is in */
	assert_true(page.op.is_cut);
	assert_true(slice_equal(page.op.last_key, read_key(102, last)));
	read_fixture_close(&f);
}

static void a_limit_met_by_the_last_row_still_cuts(void **state)
{
	struct read_fixture f;
	struct page page;

	(void)state;
	read_fixture_open(&f, 4);
	page_init(&page, &f, 10, 20);
	page.op.row_count_max = 10;
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 10, 1), 10);
	assert_true(page.op.is_cut);
	page_init(&page, &f, 10, 20);
	page.op.row_count_max = 11;
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 10, 1), 10);
	assert_false(page.op.is_cut);
	read_fixture_close(&f);
}

static void an_empty_range_asks_nobody(void **state)
{
	struct read_fixture f;
	struct page page;

	(void)state;
	read_fixture_open(&f, 5);
	page_init(&page, &f, 20, 20);
	assert_int_equal(page_run(&page), ST_OK);
	assert_int_equal(page_assert_rows(&page, 0, 1), 0);
	assert_int_equal(f.call_count, 0);
	read_fixture_close(&f);
}

static void a_table_that_is_gone_is_told(void **state)
{
	struct read_fixture f;
	struct page page;

	(void)state;
	read_fixture_open(&f, 6);
	catalog_state_remove_table(&f.view.state, READ_TABLE);
	page_init(&page, &f, 0, 20);
	assert_int_equal(page_run(&page), ST_NOT_FOUND);
	read_fixture_close(&f);
}

static void nodes_that_never_answer_well_end_at_the_deadline(void **state)
{
	struct read_fixture f;
	struct page page;

	(void)state;
	read_fixture_open(&f, 7);
	f.failures_per_mille = 1000;
	page_init(&page, &f, 0, 20);
	assert_int_not_equal(page_run(&page), ST_OK);
	read_fixture_close(&f);
}

static void a_cancelled_page_ends_soon_and_once(void **state)
{
	(void)state;
	for (uint32_t turns = 0; turns < 12; turns++) {
		struct read_fixture f;
		struct page page;

		read_fixture_open(&f, 8);
		read_cut(&f, 8);
		page_init(&page, &f, 0, 90);
		query_op_start(&f.env, &page.op);
		for (uint32_t i = 0; i < turns && f.done_count == 0; i++)
			manual_runtime_turn(&f.runtime);
		if (f.done_count == 0) {
			query_op_cancel(&page.op);
			read_wait(&f);
			assert_int_equal(page.op.status, ST_CANCELED);
		}
		f.done_count = 0;
		read_fixture_close(&f);
	}
}

/* Pages with random limits over a map that changes between and during them, with failures: put
 * together they are the range, row by row. */
static void read_all_pages(struct read_fixture *f, bool is_backward, uint32_t local_number)
{
	uint32_t first = (uint32_t)rng_below(&f->rng, READ_ROWS / 2);
	uint32_t end = first + 1 + (uint32_t)rng_below(&f->rng, READ_ROWS - first - 1);
	uint32_t next = is_backward ? end - 1 : first;
	uint32_t left = end - first;
	struct page page;

	for (;;) {
		uint32_t count;

		page_init(&page, f, is_backward ? first : next, is_backward ? next + 1 : end);
		page.op.is_backward = is_backward;
		page.op.is_consistent = rng_below(&f->rng, 2) == 0;
		page.op.local_number = local_number;
		page.op.row_count_max = 1 + (uint32_t)rng_below(&f->rng, 40);
		f->rows_asked_max = 1 + (uint32_t)rng_below(&f->rng, 30);
		assert_int_equal(page_run(&page), ST_OK);
		count = page_assert_rows(&page, next, is_backward ? -1 : 1);
		assert_true(count <= left && (count == page.op.row_count_max) == page.op.is_cut);
		left -= count;
		next = is_backward ? next - count : next + count;
		arena_reset(&f->arena);
		if (!page.op.is_cut || left == 0)
			break;
	}
	assert_int_equal(left, 0);
}

static void no_row_is_lost_or_doubled_while_partitions_move_and_fail(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct read_fixture f;

		read_fixture_open(&f, seed);
		f.failures_per_mille = seed % 3 == 0 ? 0 : 200;
		f.moves_per_mille = seed % 2 == 0 ? 0 : 150;
		read_cut(&f, 1 + (uint32_t)rng_below(&f.rng, 12));
		f.stops_per_mille = 500;
		read_all_pages(&f, seed % 5 < 2, seed % 7 < 3 ? READ_INDEX : 0);
		read_fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_comes_whole_from_one_partition),
		cmocka_unit_test(a_range_over_many_partitions_keeps_its_order),
		cmocka_unit_test(a_megabyte_ends_a_page),
		cmocka_unit_test(a_limit_met_by_the_last_row_still_cuts),
		cmocka_unit_test(an_empty_range_asks_nobody),
		cmocka_unit_test(a_table_that_is_gone_is_told),
		cmocka_unit_test(nodes_that_never_answer_well_end_at_the_deadline),
		cmocka_unit_test(a_cancelled_page_ends_soon_and_once),
		cmocka_unit_test(no_row_is_lost_or_doubled_while_partitions_move_and_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
