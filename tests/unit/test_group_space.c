/* What groups do while disks are full: who leads, who may be handed to, what is still taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum { LONG_MS = 5 * GROUP_FIXTURE_ELECTION_MS };

static void set_full(struct group_fixture *f, uint64_t node_id, bool is_full)
{
	group_table_set_disk(&f->nodes[node_id].table, is_full, false);
}

/* A leader that all know and that knows all. */
static struct group_fixture_node *lead(struct group_fixture *f, uint64_t node_id)
{
	struct group_fixture_node *leader = group_fixture_elect(f, node_id);

	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	return leader;
}

/* --- handing over --- */

static void a_full_leader_hands_over_to_the_voter_with_room(void **state)
{
	(void)state;
	for (uint64_t heir = 2; heir <= 3; heir++) {
		struct group_fixture *f = group_fixture_create_default();
		struct group_fixture_node *leader = lead(f, 1);

		set_full(f, 1, true);
		set_full(f, 5 - heir, true);
		group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
		assert_int_equal(group_member_yield(leader->group), ST_OK);
		assert_true(group_fixture_run_until_leads(f, heir));
		assert_int_equal(group_member_yield(leader->group), ST_NOT_LEADER);
		assert_int_equal(leader->table.yield_count, 1);
		group_fixture_destroy(f);
	}
}

static void where_all_disks_are_full_leadership_stays(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = lead(f, 1);
	uint64_t term = raft_engine_term(leader->group->engine);

	(void)state;
	for (uint64_t id = 1; id <= 3; id++)
		set_full(f, id, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(group_member_yield(leader->group), ST_NOT_FOUND);
		group_fixture_run_ms(f, 100);
	}
	assert_true(group_is_ready(leader->group));
	assert_int_equal(raft_engine_term(leader->group->engine), term);
	set_full(f, 2, false);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_yield(leader->group), ST_OK); /* none was tried before */
	assert_true(group_fixture_run_until_leads(f, 2));
	group_fixture_destroy(f);
}

static void a_hand_over_that_failed_is_tried_again_after_a_while(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = lead(f, 1);

	(void)state;
	set_full(f, 1, true);
	group_fixture_isolate(f, 1, true);
	assert_int_equal(group_member_yield(leader->group), ST_OK); /* nobody hears of it */
	group_fixture_run_ms(f, 1);
	assert_int_equal(group_member_yield(leader->group), ST_BUSY);
	group_fixture_isolate(f, 1, false);
	group_fixture_run_ms(f, LONG_MS);
	leader = group_fixture_elect(f, 1);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_yield(leader->group), ST_BUSY);
	group_fixture_run_ms(f, GROUP_MEMBER_YIELD_INTERVAL_MS);
	assert_int_equal(group_member_yield(leader->group), ST_OK);
	assert_int_equal(leader->table.yield_count, 2);
	group_fixture_run_ms(f, LONG_MS);
	assert_false(group_is_ready(f->nodes[1].group));
	group_fixture_destroy(f);
}

static void who_was_not_heard_for_long_is_no_heir(void **state)
{
	(void)state;
	for (uint64_t silent = 2; silent <= 3; silent++) {
		struct group_fixture *f = group_fixture_create_default();
		struct group_fixture_node *leader = lead(f, 1);

		set_full(f, 1, true);
		group_fixture_cut(f, silent, 1, true);
		group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS);
		assert_int_equal(group_member_yield(leader->group), ST_OK);
		assert_true(group_fixture_run_until_leads(f, 5 - silent));
		group_fixture_destroy(f);
	}
}

static void who_lacks_what_is_committed_is_no_heir(void **state)
{
	(void)state;
	for (uint64_t behind = 2; behind <= 3; behind++) {
		struct group_fixture *f = group_fixture_create_default();
		struct group_fixture_node *leader = lead(f, 1);

		set_full(f, 1, true);
		f->nodes[behind].table.refuses_entries = true; /* and does not say so */
		assert_true(group_fixture_commit_many(leader, 5));
		assert_int_equal(group_member_yield(leader->group), ST_OK);
		assert_true(group_fixture_run_until_leads(f, 5 - behind));
		group_fixture_destroy(f);
	}
}

static void a_full_disk_is_not_handed_to(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = lead(f, 1);

	(void)state;
	set_full(f, 3, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_transfer(leader->group, 3), ST_NO_SPACE);
	assert_int_equal(group_member_transfer(leader->group, 0), ST_OK);
	assert_true(group_fixture_run_until_leads(f, 2));
	/* A leader that must go goes to any. */
	set_full(f, 1, true);
	set_full(f, 2, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_transfer(f->nodes[2].group, 0), ST_OK);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS / 2);
	assert_false(group_is_ready(f->nodes[2].group));
	group_fixture_destroy(f);
}

/* The heir could not commit its first entry, and nobody would serve reads. */
static void where_most_take_no_entries_the_leader_stays(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = lead(f, 1);

	(void)state;
	group_table_set_disk(&f->nodes[1].table, true, true);
	group_table_set_disk(&f->nodes[2].table, true, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_yield(leader->group), ST_NO_SPACE);
	assert_int_equal(group_member_transfer(leader->group, 3), ST_NO_SPACE);
	group_fixture_run_ms(f, LONG_MS);
	assert_true(group_is_ready(leader->group));
	group_table_set_disk(&f->nodes[2].table, true, false);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_yield(leader->group), ST_OK);
	assert_true(group_fixture_run_until_leads(f, 3));
	group_fixture_destroy(f);
}

/* --- standing for election --- */

static void a_full_disk_lets_the_others_stand_first(void **state)
{
	(void)state;
	for (uint64_t full = 2; full <= 3; full++) {
		struct group_fixture *f = group_fixture_create_default();

		lead(f, 1);
		set_full(f, full, true);
		group_fixture_crash(&f->nodes[1], 0);
		group_fixture_say_down(f, 1);
		assert_true(group_fixture_run_until_leads(f, 5 - full));
		assert_int_equal(f->nodes[full].ready_count, 0);
		assert_int_equal(raft_engine_term(f->nodes[full].group->engine),
				 raft_engine_term(f->nodes[5 - full].group->engine));
		group_fixture_destroy(f);
	}
}

static void a_full_disk_leads_if_nobody_else_can(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = lead(f, 1);

	(void)state;
	set_full(f, 2, true);
	group_fixture_isolate(f, 3, true);
	assert_true(group_fixture_commit(leader, "node 3 does not have it"));
	group_fixture_run_ms(f, 3);
	group_fixture_crash(&f->nodes[1], 100);
	group_fixture_isolate(f, 3, false);
	assert_true(group_fixture_run_until_leads(f, 2));
	group_fixture_destroy(f);
}

/* --- what is taken --- */

static void a_write_must_find_room_at_a_majority(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = lead(f, 1);

	(void)state;
	assert_true(group_has_room(leader->group));
	set_full(f, 2, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(group_has_room(leader->group));
	set_full(f, 3, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_false(group_has_room(leader->group));
	set_full(f, 2, false);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(group_has_room(leader->group));
	set_full(f, 1, true);
	assert_false(group_has_room(leader->group));
	group_fixture_destroy(f);
}

/* A new leader serves nothing, not even reads, before its first entry is at a majority. */
static void full_disks_take_what_a_new_leader_needs(void **state)
{
	struct group_fixture *f = group_fixture_create_default();

	(void)state;
	lead(f, 1);
	set_full(f, 1, true);
	set_full(f, 2, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(group_member_yield(f->nodes[1].group), ST_OK);
	assert_true(group_fixture_run_until_leads(f, 3));
	assert_false(group_has_room(f->nodes[3].group));
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_leader_hands_over_to_the_voter_with_room),
		cmocka_unit_test(where_all_disks_are_full_leadership_stays),
		cmocka_unit_test(a_hand_over_that_failed_is_tried_again_after_a_while),
		cmocka_unit_test(who_was_not_heard_for_long_is_no_heir),
		cmocka_unit_test(who_lacks_what_is_committed_is_no_heir),
		cmocka_unit_test(a_full_disk_is_not_handed_to),
		cmocka_unit_test(where_most_take_no_entries_the_leader_stays),
		cmocka_unit_test(a_full_disk_lets_the_others_stand_first),
		cmocka_unit_test(a_full_disk_leads_if_nobody_else_can),
		cmocka_unit_test(a_write_must_find_room_at_a_majority),
		cmocka_unit_test(full_disks_take_what_a_new_leader_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
