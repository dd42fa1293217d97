#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/partition/partition_outcomes.h"
#include "storage/engine/engine_memory.h"

enum { PARTITION = 1001, HLC_COUNTER_BITS = 16 };

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct partition_outcomes outcomes;
	uint64_t index; /* of the newest command; all have term 7 */
};

static void fixture_open(struct fixture *f)
{
	f->index = 0;
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
	partition_outcomes_init(&f->outcomes, PARTITION);
}

static void fixture_close(struct fixture *f)
{
	partition_outcomes_close(&f->outcomes);
	engine_batch_destroy(f->engine, f->batch);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static void fixture_reload(struct fixture *f)
{
	partition_outcomes_close(&f->outcomes);
	partition_outcomes_init(&f->outcomes, PARTITION);
	assert_int_equal(partition_outcomes_load(&f->outcomes, f->engine), ST_OK);
}

struct request_id {
	uint8_t bytes[OUTCOMES_REQUEST_ID_SIZE];
};

static struct request_id id_of(uint64_t high, uint64_t low)
{
	struct request_id id;

	put_u64_be(id.bytes, high);
	put_u64_be(id.bytes + 8, low);
	return id;
}

static uint64_t hlc_at_ms(uint64_t time_ms)
{
	return time_ms << HLC_COUNTER_BITS;
}

/* A command of one mutation whose outcome says size. */
static enum status apply_at(struct fixture *f, uint64_t hlc, uint64_t window_ms, struct request_id id,
			    uint32_t size, size_t old_size)
{
	Cleave__Outcome outcome = CLEAVE__OUTCOME__INIT;
	Cleave__Mutation mutation = CLEAVE__MUTATION__INIT;
	Cleave__Mutation *mutations[1] = { &mutation };
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	static uint8_t old_item[1024 * 1024];
	enum status status;

	outcome.new_size_bytes = size;
	outcome.returned = (ProtobufCBinaryData){ old_size, old_item };
	mutation.request_id = (ProtobufCBinaryData){ sizeof(id.bytes), id.bytes };
	mutation.outcome = &outcome;
	command.hlc = hlc;
	command.window_ms = window_ms;
	command.mutations = mutations;
	command.n_mutations = 1;
	status = partition_outcomes_apply(&f->outcomes, f->engine, f->batch, &command, ++f->index, 7);
	assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	engine_batch_clear(f->engine, f->batch);
	return status;
}

/* The size in the remembered outcome, -1 if there is none. */
static enum status apply(struct fixture *f, uint64_t hlc, struct request_id id, uint32_t size,
			 size_t old_size)
{
	return apply_at(f, hlc, hlc >> 16, id, size, old_size);
}

static int64_t found(const struct fixture *f, struct request_id id)
{
	const Cleave__Outcome *outcome = partition_outcomes_find(&f->outcomes,
								 slice_of(id.bytes, sizeof(id.bytes)));

	return outcome == NULL ? -1 : (int64_t)outcome->new_size_bytes;
}

static void an_outcome_is_found_by_its_whole_request_id(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(apply(&f, hlc_at_ms(1000), id_of(1, 7), 11, 0), ST_OK);
	assert_int_equal(apply(&f, hlc_at_ms(1001), id_of(2, 7), 22, 0), ST_OK); /* the same half */
	assert_int_equal(apply(&f, hlc_at_ms(1002), id_of(3, 7), 33, 0), ST_OK);
	assert_int_equal(found(&f, id_of(1, 7)), 11);
	assert_int_equal(found(&f, id_of(2, 7)), 22);
	assert_int_equal(found(&f, id_of(3, 7)), 33);
	assert_int_equal(found(&f, id_of(4, 7)), -1);
	assert_int_equal(found(&f, id_of(1, 8)), -1);
	fixture_close(&f);
}

static void outcomes_survive_a_restart(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(apply(&f, hlc_at_ms(1000), id_of(1, 7), 11, 5), ST_OK);
	assert_int_equal(apply(&f, hlc_at_ms(1001), id_of(2, 7), 22, 0), ST_OK);
	fixture_reload(&f);
	assert_int_equal(found(&f, id_of(1, 7)), 11);
	assert_int_equal(found(&f, id_of(2, 7)), 22);
	assert_int_equal(f.outcomes.count, 2);
	assert_true(partition_outcomes_newest_hlc(&f.outcomes) == hlc_at_ms(1001));
	fixture_close(&f);
}

static void the_newest_row_tells_the_place_in_the_log(void **state)
{
	uint64_t index;
	uint64_t term;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(partition_outcomes_recorded(f.engine, PARTITION, &index, &term), ST_OK);
	assert_int_equal(index, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(apply(&f, hlc_at_ms(100 * i * OUTCOMES_WINDOW_MS), id_of(i, i), 1, 0),
				 ST_OK);
		assert_int_equal(partition_outcomes_recorded(f.engine, PARTITION, &index, &term), ST_OK);
		assert_int_equal(index, f.index);
		assert_int_equal(term, 7);
		assert_int_equal(partition_outcomes_recorded(f.engine, PARTITION + 1, &index, &term), ST_OK);
		assert_int_equal(index, 0);
	}
	fixture_close(&f);
}

static void another_partitions_outcomes_are_its_own(void **state)
{
	struct partition_outcomes other;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(apply(&f, hlc_at_ms(1000), id_of(1, 7), 11, 0), ST_OK);
	partition_outcomes_init(&other, PARTITION + 1);
	assert_int_equal(partition_outcomes_load(&other, f.engine), ST_OK);
	assert_int_equal(other.count, 0);
	assert_int_equal(partition_outcomes_newest_hlc(&other), 0);
	partition_outcomes_close(&other);
	fixture_close(&f);
}

static uint32_t row_count(const struct fixture *f)
{
	struct engine_iter *iter = engine_iter_create(f->engine, FAMILY_META, slice_of(NULL, 0),
						      slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);
	uint32_t count = 0;

	assert_non_null(iter);
	for (engine_iter_seek_first(f->engine, iter); engine_iter_valid(f->engine, iter);
	     engine_iter_next(f->engine, iter))
		count++;
	engine_iter_destroy(f->engine, iter);
	return count;
}

/* Not each by itself as it gets old: all that are, when the oldest is a little older than that. */
static void outcomes_older_than_the_window_are_forgotten_together_with_their_rows(void **state)
{
	struct fixture f;
	uint64_t late_ms = 1000 + OUTCOMES_WINDOW_MS;
	uint64_t time_ms = late_ms;
	uint64_t number = 10;

	(void)state;
	fixture_open(&f);
	assert_int_equal(apply(&f, hlc_at_ms(1000), id_of(1, 1), 1, 0), ST_OK);
	assert_int_equal(apply(&f, hlc_at_ms(1001), id_of(2, 2), 2, 0), ST_OK);
	assert_int_equal(apply(&f, hlc_at_ms(late_ms), id_of(3, 3), 3, 0), ST_OK);
	assert_int_equal(found(&f, id_of(1, 1)), 1); /* just inside */
	assert_false(partition_outcomes_may_have_dropped(&f.outcomes, 0));
	for (; found(&f, id_of(1, 1)) == 1; time_ms += 100, number++) {
		assert_true(time_ms < late_ms + OUTCOMES_WINDOW_MS / 2);
		assert_int_equal(found(&f, id_of(2, 2)), 2);
		assert_int_equal(apply(&f, hlc_at_ms(time_ms) + 1, id_of(number, number), 9, 0), ST_OK);
	}
	assert_int_equal(found(&f, id_of(2, 2)), -1);
	assert_int_equal(found(&f, id_of(3, 3)), 3);
	assert_true(partition_outcomes_may_have_dropped(&f.outcomes, 1001));
	assert_false(partition_outcomes_may_have_dropped(&f.outcomes, 1002));
	assert_int_equal(row_count(&f), f.outcomes.count);
	fixture_reload(&f);
	assert_int_equal(found(&f, id_of(1, 1)), -1);
	assert_int_equal(found(&f, id_of(2, 2)), -1);
	assert_int_equal(found(&f, id_of(3, 3)), 3);
	assert_true(partition_outcomes_may_have_dropped(&f.outcomes, 1001));
	fixture_close(&f);
}

static void the_memory_of_outcomes_is_bounded(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (uint64_t i = 1; i <= 40; i++)
		assert_int_equal(apply(&f, hlc_at_ms(1000 + i), id_of(i, i), 1, 1024 * 1024), ST_OK);
	assert_true(f.outcomes.size_bytes <= OUTCOMES_BYTES_MAX + 2 * 1024 * 1024);
	assert_int_equal(found(&f, id_of(1, 1)), -1);
	assert_int_equal(found(&f, id_of(40, 40)), 1);
	assert_true(partition_outcomes_may_have_dropped(&f.outcomes, 1001));
	fixture_close(&f);
}

/* A new leader's clock may be behind the old one's. */
static void a_clock_that_jumps_back_forgets_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(apply(&f, hlc_at_ms(100000), id_of(1, 1), 1, 0), ST_OK);
	assert_int_equal(apply(&f, hlc_at_ms(100000) + 1, id_of(2, 2), 2, 0), ST_OK);
	assert_int_equal(found(&f, id_of(1, 1)), 1);
	assert_int_equal(found(&f, id_of(2, 2)), 2);
	fixture_close(&f);
}

/* The next leader's wall clock is an hour ahead: real time is not. */
static void a_wall_clock_that_jumps_ahead_forgets_nothing(void **state)
{
	const uint64_t hour_ms = 3600 * 1000;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(apply_at(&f, hlc_at_ms(1000), 500, id_of(1, 1), 1, 0), ST_OK);
	assert_int_equal(apply_at(&f, hlc_at_ms(1000 + hour_ms), 600, id_of(2, 2), 2, 0), ST_OK);
	assert_int_equal(found(&f, id_of(1, 1)), 1);
	assert_false(partition_outcomes_may_have_dropped(&f.outcomes, 0));
	fixture_close(&f);
}

static void a_mutation_without_request_id_is_not_remembered(void **state)
{
	Cleave__Mutation mutation = CLEAVE__MUTATION__INIT;
	Cleave__Mutation *mutations[1] = { &mutation };
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	command.hlc = hlc_at_ms(1);
	command.mutations = mutations;
	command.n_mutations = 1;
	assert_int_equal(partition_outcomes_apply(&f.outcomes, f.engine, f.batch, &command, ++f.index, 7),
			 ST_OK);
	assert_int_equal(f.outcomes.count, 0);
	fixture_close(&f);
}

static void a_mutation_that_breaks_the_format_is_corrupt(void **state)
{
	Cleave__Outcome outcome = CLEAVE__OUTCOME__INIT;
	Cleave__Mutation mutation = CLEAVE__MUTATION__INIT;
	Cleave__Mutation *mutations[1] = { &mutation };
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	struct request_id id = id_of(1, 1);
	struct fixture f;

	(void)state;
	fixture_open(&f);
	command.mutations = mutations;
	command.n_mutations = 1;
	mutation.request_id = (ProtobufCBinaryData){ sizeof(id.bytes), id.bytes };
	assert_int_equal(partition_outcomes_apply(&f.outcomes, f.engine, f.batch, &command, ++f.index, 7),
			 ST_CORRUPT);
	mutation.outcome = &outcome;
	mutation.request_id.len = 3;
	assert_int_equal(partition_outcomes_apply(&f.outcomes, f.engine, f.batch, &command, ++f.index, 7),
			 ST_CORRUPT);
	assert_int_equal(f.outcomes.count, 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outcome_is_found_by_its_whole_request_id),
		cmocka_unit_test(outcomes_survive_a_restart),
		cmocka_unit_test(the_newest_row_tells_the_place_in_the_log),
		cmocka_unit_test(another_partitions_outcomes_are_its_own),
		cmocka_unit_test(outcomes_older_than_the_window_are_forgotten_together_with_their_rows),
		cmocka_unit_test(the_memory_of_outcomes_is_bounded),
		cmocka_unit_test(a_clock_that_jumps_back_forgets_nothing),
		cmocka_unit_test(a_wall_clock_that_jumps_ahead_forgets_nothing),
		cmocka_unit_test(a_mutation_without_request_id_is_not_remembered),
		cmocka_unit_test(a_mutation_that_breaks_the_format_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
