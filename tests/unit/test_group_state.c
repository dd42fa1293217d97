#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/group/group_state.h"
#include "storage/engine/engine_memory.h"

enum { GROUP = 7, REPLICA = 103 };

struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
};

static const struct raft_engine_configuration three_members = {
	.members = { { 101, 1, RAFT_ROLE_VOTER },
		     { 102, 2, RAFT_ROLE_STANDBY },
		     { 103, 3, RAFT_ROLE_SPARE } },
	.count = 3,
	.index = 44,
};

static void fixture_open(struct fixture *f)
{
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
}

static void fixture_write(struct fixture *f)
{
	assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	engine_batch_clear(f->engine, f->batch);
}

static void fixture_close(struct fixture *f)
{
	engine_batch_destroy(f->engine, f->batch);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static void put_raw(struct fixture *f, char tag, const char *value, size_t size_bytes)
{
	uint8_t key[9];

	put_u64_be(key, GROUP);
	key[8] = (uint8_t)tag;
	engine_batch_put(f->engine, f->batch, FAMILY_RAFT_STATE, slice_of(key, sizeof(key)),
			 slice_of(value, size_bytes));
	fixture_write(f);
}

static void a_newborn_group_stands_at_the_birth_position(void **state)
{
	struct group_state found;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	group_state_put_birth(f.engine, f.batch, GROUP, REPLICA, &three_members);
	fixture_write(&f);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_OK);
	assert_int_equal(found.replica_id, REPLICA);
	assert_int_equal(found.term, GROUP_BIRTH_TERM);
	assert_int_equal(found.voted_for, 0);
	assert_true(found.has_position);
	assert_int_equal(found.applied.index, GROUP_BIRTH_INDEX);
	assert_int_equal(found.applied.term, GROUP_BIRTH_TERM);
	assert_int_equal(found.applied.configuration.index, GROUP_BIRTH_INDEX);
	assert_int_equal(found.applied.configuration.count, 3);
	assert_int_equal(found.applied.configuration.members[1].role, RAFT_ROLE_STANDBY);
	assert_false(found.has_intent);
	fixture_close(&f);
}

static void each_record_replaces_its_own_part_only(void **state)
{
	struct group_state found;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	group_state_put_birth(f.engine, f.batch, GROUP, REPLICA, &three_members);
	group_state_put_hard(f.engine, f.batch, GROUP, UINT64_MAX, 101);
	group_state_put_applied(f.engine, f.batch, GROUP, 1ull << 40, 300);
	group_state_put_configuration(f.engine, f.batch, GROUP, &three_members);
	fixture_write(&f);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_OK);
	assert_true(found.term == UINT64_MAX);
	assert_int_equal(found.voted_for, 101);
	assert_true(found.applied.index == 1ull << 40);
	assert_int_equal(found.applied.term, 300);
	assert_int_equal(found.applied.configuration.index, 44);
	fixture_close(&f);
}

static void a_group_that_is_not_here_is_not_found(void **state)
{
	struct group_state found;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_NOT_FOUND);
	assert_int_equal(found.tombstone_replica_id, 0);
	fixture_close(&f);
}

static void a_tombstone_is_all_that_a_removed_replica_leaves(void **state)
{
	struct group_install_intent intent = { .stage_id = 1 };
	struct group_state found;
	struct fixture f;
	uint64_t group_id = 0;

	(void)state;
	fixture_open(&f);
	group_state_put_birth(f.engine, f.batch, GROUP, REPLICA, &three_members);
	group_state_put_intent(f.engine, f.batch, GROUP, &intent);
	group_state_put_tombstone(f.engine, f.batch, GROUP, REPLICA);
	fixture_write(&f);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_NOT_FOUND);
	assert_int_equal(found.tombstone_replica_id, REPLICA);
	assert_int_equal(group_state_next(f.engine, &group_id), ST_NOT_FOUND);
	fixture_close(&f);
}

static void an_intent_comes_back_as_it_was_written(void **state)
{
	struct group_install_intent intent = {
		.stage_id = 99,
		.position = { 500, 12, three_members },
		.ranges = { { FAMILY_ITEMS, slice_of("a", 1), slice_of("b", 1) },
			    { FAMILY_META, slice_of("", 0), slice_of("\xff\xff", 2) } },
		.range_count = 2,
	};
	struct group_install_intent read;
	struct group_state found;
	struct arena arena;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	arena_init(&arena, 4096);
	group_state_put_replica(f.engine, f.batch, GROUP, REPLICA);
	group_state_put_intent(f.engine, f.batch, GROUP, &intent);
	fixture_write(&f);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_OK);
	assert_true(found.has_intent);
	assert_false(found.has_position);
	assert_int_equal(group_state_load_intent(f.engine, GROUP, &arena, &read), ST_OK);
	assert_int_equal(read.stage_id, 99);
	assert_int_equal(read.position.index, 500);
	assert_int_equal(read.position.term, 12);
	assert_int_equal(read.position.configuration.count, 3);
	assert_int_equal(read.position.configuration.members[2].replica_id, 103);
	assert_int_equal(read.position.configuration.members[2].node_id, 3);
	assert_int_equal(read.position.configuration.members[2].role, RAFT_ROLE_SPARE);
	assert_int_equal(read.range_count, 2);
	assert_int_equal(read.ranges[1].family, FAMILY_META);
	assert_true(slice_equal(read.ranges[0].end, slice_of("b", 1)));
	assert_int_equal(read.ranges[1].start.size, 0);
	group_state_delete_intent(f.engine, f.batch, GROUP);
	fixture_write(&f);
	assert_int_equal(group_state_load_intent(f.engine, GROUP, &arena, &read), ST_NOT_FOUND);
	arena_close(&arena);
	fixture_close(&f);
}

static void the_groups_are_listed_in_order(void **state)
{
	static const uint64_t ids[] = { 3, 1000, 1ull << 50 };
	struct fixture f;
	uint64_t group_id = 0;

	(void)state;
	fixture_open(&f);
	for (size_t i = ARRAY_COUNT(ids); i-- > 0;)
		group_state_put_birth(f.engine, f.batch, ids[i], 1, &three_members);
	group_state_put_tombstone(f.engine, f.batch, 5, 1);
	fixture_write(&f);
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		assert_int_equal(group_state_next(f.engine, &group_id), ST_OK);
		assert_true(group_id == ids[i]);
	}
	assert_int_equal(group_state_next(f.engine, &group_id), ST_NOT_FOUND);
	fixture_close(&f);
}

static void records_that_do_not_decode_are_corrupt(void **state)
{
	struct group_state found;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put_raw(&f, 'R', "\x01\x07\x00", 3);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_OK);
	put_raw(&f, 'H', "\x01\x07", 2); /* cut short */
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_CORRUPT);
	put_raw(&f, 'H', "\x02\x07\x00", 3); /* another version */
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_CORRUPT);
	put_raw(&f, 'H', "\x01\x07\x00", 3);
	put_raw(&f, 'A', "\x01\x0a\x05", 3); /* a position needs a configuration */
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_CORRUPT);
	put_raw(&f, 'C', "\x01\x0a\x7f", 3); /* of 127 members */
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_CORRUPT);
	put_raw(&f, 'C', "\x01\x0a\x01\x65\x01\x09", 6); /* of role 9 */
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_CORRUPT);
	put_raw(&f, 'C', "\x01\x0a\x01\x65\x01\x01", 6);
	assert_int_equal(group_state_load(f.engine, GROUP, &found), ST_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newborn_group_stands_at_the_birth_position),
		cmocka_unit_test(each_record_replaces_its_own_part_only),
		cmocka_unit_test(a_group_that_is_not_here_is_not_found),
		cmocka_unit_test(a_tombstone_is_all_that_a_removed_replica_leaves),
		cmocka_unit_test(an_intent_comes_back_as_it_was_written),
		cmocka_unit_test(the_groups_are_listed_in_order),
		cmocka_unit_test(records_that_do_not_decode_are_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
