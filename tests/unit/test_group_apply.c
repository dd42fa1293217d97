#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_state.h"
#include "tests/support/group_fixture.h"

static struct group_fixture *create_compacting(uint32_t behind_entries_max)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
		.compact_entries = 20,
		.trailing_entries = 5,
		.behind_entries_max = behind_entries_max,
	};

	return group_fixture_create(3, &settings);
}

static void commit_one_by_one(struct group_fixture_node *leader, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		assert_true(group_fixture_commit(leader, "x"));
}

/* The power goes after an apply and before the next sync. */
static void the_applied_index_is_written_with_its_data(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct group_fixture_node *node = &f->nodes[2];

	(void)state;
	for (uint64_t keep = 0; keep < 4; keep++) {
		uint32_t before;

		group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
		assert_int_equal(engine_sync(node->engine), ST_OK);
		before = group_fixture_row_count(node);
		assert_true(group_fixture_commit_many(
			leader, 3)); /* durable over there, not yet known as committed */
		node->is_disk_held = true;
		group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
		assert_int_equal(group_fixture_row_count(node), before + 3);
		group_fixture_crash(node, keep);
		assert_int_equal(group_fixture_restart(node), ST_OK);
		assert_int_equal(group_fixture_row_count(node), keep == 0 ? before : before + 3);
		/* Barrier at 11, commands from 12 on. */
		if (group_fixture_row_count(node) > 0)
			assert_int_equal(group_applied_index(node->group),
					 GROUP_BIRTH_INDEX + 1 + group_fixture_row_count(node));
	}
	group_fixture_destroy(f);
}

static void what_is_applied_is_not_replayed(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct group_fixture_node *node = &f->nodes[2];
	uint64_t applied;

	(void)state;
	commit_one_by_one(leader, 10);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	applied = node->applied_index;
	assert_int_equal(engine_sync(node->engine), ST_OK);
	group_fixture_crash(node, 0);
	assert_int_equal(group_fixture_restart(node), ST_OK);
	assert_int_equal(group_applied_index(node->group), applied);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(node->table.applied_count, 0);
	group_fixture_destroy(f);
}

static void a_log_that_does_not_reach_the_applied_index_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *node = &f->nodes[2];
	struct engine_batch *batch;

	(void)state;
	batch = engine_batch_create(node->engine);
	group_state_put_applied(node->engine, batch, GROUP_FIXTURE_GROUP, 100, 9);
	assert_int_equal(engine_write(node->engine, batch), ST_OK);
	engine_batch_destroy(node->engine, batch);
	group_fixture_crash(node, 100);
	{
		uint8_t key[LOG_STORE_KEY_SIZE];

		/* An entry far behind: the log begins and ends before what is applied. */
		assert_int_equal(engine_memory_open(node->disk, &node->engine), ST_OK);
		batch = engine_batch_create(node->engine);
		log_store_key(key, GROUP_FIXTURE_GROUP, 50);
		engine_batch_put(node->engine, batch, FAMILY_RAFT_LOG, slice_of(key, sizeof(key)),
				 slice_of_string("\x05\x01x"));
		assert_int_equal(engine_write(node->engine, batch), ST_OK);
		assert_int_equal(engine_sync(node->engine), ST_OK);
		engine_batch_destroy(node->engine, batch);
		engine_close(node->engine);
	}
	assert_int_equal(group_fixture_restart(node), ST_CORRUPT);
	group_fixture_destroy(f);
}

static void the_log_is_cut_behind_what_is_applied(void **state)
{
	struct group_fixture *f = create_compacting(1000);
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	commit_one_by_one(leader, 100);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	for (uint32_t i = 1; i <= 3; i++) {
		const struct group *group = f->nodes[i].group;
		uint64_t kept = group->log.last_index - group->log.first_index + 1;

		assert_in_range(kept, f->settings.trailing_entries, f->settings.compact_entries + 5);
	}
	/* What is left is a log to start from. */
	group_fixture_crash(&f->nodes[2], 100);
	assert_int_equal(group_fixture_restart(&f->nodes[2]), ST_OK);
	assert_true(group_fixture_commit(leader, "after it"));
	group_fixture_destroy(f);
}

static void the_log_is_kept_for_a_voter_that_is_behind_up_to_a_bound(void **state)
{
	struct group_fixture *f = create_compacting(60);
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t behind;

	(void)state;
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	group_fixture_isolate(f, 3, true);
	behind = f->nodes[3].applied_index;
	commit_one_by_one(leader, 50);
	assert_true(leader->group->log.first_index <= behind + 1);
	commit_one_by_one(leader, 50);
	assert_true(leader->group->log.first_index > behind + 1);
	group_fixture_destroy(f);
}

static void a_slow_follower_applies_late_but_everything(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	fault_set(FAULT_APPLY_DELAY, 1000000, 50);
	assert_true(group_fixture_commit(leader, "late"));
	group_fixture_run_ms(f, GROUP_FIXTURE_HEARTBEAT_MS);
	assert_false(group_fixture_has_row(&f->nodes[2], "late"));
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(group_fixture_has_row(&f->nodes[2], "late"));
	fault_clear_all();
	group_fixture_destroy(f);
}

static void many_entries_are_applied_in_bounded_turns(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t before = leader->applied_index;

	(void)state;
	group_fixture_isolate(f, 1, true);
	for (uint32_t i = 0; i < 2 * GROUP_APPLY_ENTRIES_MAX; i++) {
		uint64_t index;

		assert_int_equal(group_fixture_propose(leader, "x", &index), ST_OK);
	}
	assert_int_equal(leader->applied_index, before);
	group_fixture_isolate(f, 1, false);
	group_fixture_run_ms(f, 1000);
	assert_int_equal(leader->applied_index, before + 2 * GROUP_APPLY_ENTRIES_MAX);
	assert_int_equal(leader->group->proposed_bytes, 0);
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_applied_index_is_written_with_its_data),
		cmocka_unit_test(what_is_applied_is_not_replayed),
		cmocka_unit_test(a_log_that_does_not_reach_the_applied_index_is_refused),
		cmocka_unit_test(the_log_is_cut_behind_what_is_applied),
		cmocka_unit_test(the_log_is_kept_for_a_voter_that_is_behind_up_to_a_bound),
		cmocka_unit_test(a_slow_follower_applies_late_but_everything),
		cmocka_unit_test(many_entries_are_applied_in_bounded_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
