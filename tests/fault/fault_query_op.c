/* Goal: whatever single reply is lost, a page or a batch does not notice: it ends once, with all its
 * rows; and if a row cannot be read, it fails as a whole and says so.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no
 * fault left to fire.  ASan reports what a check here would miss. */
#include "tests/unit/read_fixture.h"

enum { PARTITIONS = 4, FIRST = 20, END = 90, KEYS = 40 };

struct page {
	struct query_op op;
	struct read_fixture *f;
	uint8_t start[READ_KEY_SIZE + 1];
	uint8_t end[READ_KEY_SIZE + 1];
};

struct batch {
	struct batch_op op;
	struct read_fixture *f;
	struct batch_key keys[KEYS];
	uint8_t bytes[KEYS][READ_KEY_SIZE + 1];
};

static void on_page(struct query_op *op)
{
	CONTAINER_OF(op, struct page, op)->f->done_count++;
}

static void on_batch(struct batch_op *op)
{
	CONTAINER_OF(op, struct batch, op)->f->done_count++;
}

/* ST_OK with all rows, or the failure. */
static enum status read_page(struct read_fixture *f)
{
	struct page page = { .f = f };

	page.op.table_id = READ_TABLE;
	page.op.start = read_key(FIRST, page.start);
	page.op.end = read_key(END, page.end);
	page.op.is_consistent = true;
	page.op.row_count_max = UINT32_MAX;
	page.op.arena = &f->arena;
	page.op.done = on_page;
	query_op_start(&f->env, &page.op);
	read_wait(f);
	if (page.op.status == ST_OK)
		assert_int_equal(page.op.matched_count, END - FIRST);
	return page.op.status;
}

/* How many keys could not be read. */
static uint32_t read_batch(struct read_fixture *f)
{
	struct batch batch = { .f = f };
	uint32_t unread = 0;

	for (uint32_t i = 0; i < KEYS; i++) {
		batch.keys[i].table_id = READ_TABLE;
		batch.keys[i].row_key = read_key(4 * i, batch.bytes[i]);
	}
	batch.op.keys = batch.keys;
	batch.op.key_count = KEYS;
	batch.op.size_bytes_max = LIMIT_BATCH_SIZE_BYTES;
	batch.op.arena = &f->arena;
	batch.op.done = on_batch;
	batch_op_start(&f->env, &batch.op);
	read_wait(f);
	for (uint32_t i = 0; i < KEYS; i++) {
		unread += batch.keys[i].status != ST_OK;
		assert_true(batch.keys[i].status == ST_OK || batch.keys[i].status == ST_IO);
	}
	return unread;
}

static void a_page_survives_each_lost_reply_and_tells_each_failed_read(void **state)
{
	uint32_t failed = 0;

	(void)state;
	for (uint32_t nth = 0;; nth++) {
		struct read_fixture f;
		enum status status;
		bool has_fired;

		read_fixture_open(&f, 1);
		read_cut(&f, PARTITIONS);
		fault_arm_nth(nth);
		status = read_page(&f);
		has_fired = fault_disarm();
		read_fixture_close(&f);
		assert_true(status == ST_OK || status == ST_IO);
		failed += status == ST_IO;
		if (has_fired)
			continue;
		assert_int_equal(status, ST_OK);
		assert_int_equal(nth, 2 * failed); /* each message: its reply, and its seek */
		assert_true(failed > 1);
		return;
	}
}

static void a_batch_survives_each_lost_reply_and_tells_each_failed_read(void **state)
{
	uint32_t failed = 0;

	(void)state;
	for (uint32_t nth = 0;; nth++) {
		struct read_fixture f;
		uint32_t unread;
		bool has_fired;

		read_fixture_open(&f, 1);
		read_cut(&f, PARTITIONS);
		fault_arm_nth(nth);
		unread = read_batch(&f);
		has_fired = fault_disarm();
		read_fixture_close(&f);
		assert_true(unread < KEYS); /* the other partitions' are there */
		failed += unread > 0;
		if (has_fired)
			continue;
		assert_int_equal(unread, 0);
		assert_int_equal(failed, KEYS); /* each key's own read, once */
		assert_int_equal(nth, KEYS + PARTITIONS);
		return;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_survives_each_lost_reply_and_tells_each_failed_read),
		cmocka_unit_test(a_batch_survives_each_lost_reply_and_tells_each_failed_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
