#include "tests/unit/read_fixture.h"

/* Row numbers to ask for, ascending; numbers from READ_ROWS to 299 name rows that do not exist. */
struct batch {
	struct batch_op op;
	struct read_fixture *f;
	struct batch_key keys[LIMIT_BATCH_GET_COUNT];
	uint8_t bytes[LIMIT_BATCH_GET_COUNT][READ_KEY_SIZE + 1];
	uint32_t rows[LIMIT_BATCH_GET_COUNT];
};

static void on_done(struct batch_op *op)
{
	CONTAINER_OF(op, struct batch, op)->f->done_count++;
}

static void batch_init(struct batch *batch, struct read_fixture *f)
{
	memset(batch, 0, sizeof(*batch));
	batch->f = f;
	batch->op.keys = batch->keys;
	batch->op.size_bytes_max = LIMIT_BATCH_SIZE_BYTES;
	batch->op.arena = &f->arena;
	batch->op.done = on_done;
}

static void batch_add(struct batch *batch, uint32_t row, bool is_consistent)
{
	uint32_t at = batch->op.key_count++;

	batch->rows[at] = row;
	batch->keys[at].table_id = READ_TABLE;
	batch->keys[at].row_key = read_key(row, batch->bytes[at]);
	batch->keys[at].is_consistent = is_consistent;
}

static void batch_run(struct batch *batch)
{
	batch_op_start(&batch->f->env, &batch->op);
	read_wait(batch->f);
}

static void assert_key(const struct batch *batch, uint32_t at)
{
	const struct batch_key *key = &batch->keys[at];

	assert_int_equal(key->status, ST_OK);
	assert_int_equal(key->is_found, batch->rows[at] < READ_ROWS);
	if (!key->is_found)
		return;
	assert_int_equal(key->size_bytes, READ_ROW_SIZE_BYTES);
	assert_int_equal(key->item.size, 4);
	assert_int_equal(get_u32_be(key->item.data), batch->rows[at]);
}

static void keys_of_one_partition_go_in_one_message(void **state)
{
	struct read_fixture f;
	struct batch batch;

	(void)state;
	read_fixture_open(&f, 1);
	batch_init(&batch, &f);
	for (uint32_t i = 0; i < 20; i++)
		batch_add(&batch, 13 * i, false);
	batch_run(&batch);
	for (uint32_t i = 0; i < 20; i++)
		assert_key(&batch, i);
	assert_int_equal(f.call_count, 1);
	read_fixture_close(&f);
}

static void strong_and_eventual_keys_are_asked_apart(void **state)
{
	struct read_fixture f;
	struct batch batch;

	(void)state;
	read_fixture_open(&f, 2);
	batch_init(&batch, &f);
	for (uint32_t i = 0; i < 20; i++)
		batch_add(&batch, 3 * i, i % 2 == 0);
	batch_run(&batch);
	for (uint32_t i = 0; i < 20; i++)
		assert_key(&batch, i);
	assert_int_equal(f.call_count, 2);
	read_fixture_close(&f);
}

static void keys_without_room_are_told_apart(void **state)
{
	struct read_fixture f;
	struct batch batch;
	uint32_t answered = 0;

	(void)state;
	read_fixture_open(&f, 3);
	batch_init(&batch, &f);
	for (uint32_t i = 0; i < 10; i++)
		batch_add(&batch, i, false);
	batch.op.size_bytes_max = 3 * READ_ROW_SIZE_BYTES - 1;
	batch_run(&batch);
	for (uint32_t i = 0; i < 10; i++) {
		assert_true(batch.keys[i].status == ST_OK || batch.keys[i].status == ST_BUSY);
		answered += batch.keys[i].status == ST_OK;
	}
	assert_int_equal(answered, 3); /* the one that reaches it is in */
	read_fixture_close(&f);
}

static void nodes_that_never_answer_well_fail_the_keys_and_not_the_rest(void **state)
{
	struct read_fixture f;
	struct batch batch;

	(void)state;
	read_fixture_open(&f, 4);
	read_cut(&f, 5);
	f.failures_per_mille = 1000;
	batch_init(&batch, &f);
	for (uint32_t i = 0; i < 30; i++)
		batch_add(&batch, 5 * i, true);
	batch_run(&batch);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_not_equal(batch.keys[i].status, ST_OK);
	read_fixture_close(&f);
}

static void a_cancelled_batch_ends_soon_and_once(void **state)
{
	(void)state;
	for (uint32_t turns = 0; turns < 4; turns++) {
		struct read_fixture f;
		struct batch batch;

		read_fixture_open(&f, 5);
		read_cut(&f, 12);
		f.failures_per_mille = 900;
		batch_init(&batch, &f);
		for (uint32_t i = 0; i < 60; i++)
			batch_add(&batch, 3 * i, true);
		batch_op_start(&f.env, &batch.op);
		for (uint32_t i = 0; i < turns; i++)
			manual_runtime_turn(&f.runtime);
		assert_int_equal(f.done_count, 0);
		batch_op_cancel(&batch.op);
		read_wait(&f);
		read_fixture_close(&f);
	}
}

static void every_key_is_answered_while_partitions_move_and_fail(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct read_fixture f;
		struct batch batch;

		read_fixture_open(&f, seed);
		f.failures_per_mille = seed % 3 == 0 ? 0 : 200;
		f.moves_per_mille = seed % 2 == 0 ? 0 : 150;
		read_cut(&f, 1 + (uint32_t)rng_below(&f.rng, 12));
		batch_init(&batch, &f);
		for (uint32_t row = 0; row < 300 && batch.op.key_count < LIMIT_BATCH_GET_COUNT; row++) {
			if (rng_below(&f.rng, 3) == 0)
				batch_add(&batch, row, rng_below(&f.rng, 2) == 0);
		}
		batch_run(&batch);
		for (uint32_t i = 0; i < batch.op.key_count; i++)
			assert_key(&batch, i);
		read_fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_one_partition_go_in_one_message),
		cmocka_unit_test(strong_and_eventual_keys_are_asked_apart),
		cmocka_unit_test(keys_without_room_are_told_apart),
		cmocka_unit_test(nodes_that_never_answer_well_fail_the_keys_and_not_the_rest),
		cmocka_unit_test(a_cancelled_batch_ends_soon_and_once),
		cmocka_unit_test(every_key_is_answered_while_partitions_move_and_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
