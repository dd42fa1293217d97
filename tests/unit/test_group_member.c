#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum { NEW_REPLICA = 204, PATIENCE_MS = 3000 };

static const struct raft_engine_member *find_member(struct group *group, uint64_t replica_id,
						    struct raft_engine_configuration *configuration)
{
	group_member_list(group, configuration);
	for (uint32_t i = 0; i < configuration->count; i++) {
		if (configuration->members[i].replica_id == replica_id)
			return &configuration->members[i];
	}
	return NULL;
}

static bool is_applied_as(struct group_fixture_node *node, uint64_t replica_id, enum raft_engine_role role)
{
	const struct raft_engine_configuration *configuration = &node->group->applied.configuration;
	int position = group_position_of(replica_id, configuration);

	return position >= 0 && configuration->members[position].role == role;
}

/* Repeat a step of a change until it is refused for another reason than being busy. */
static enum status promote_patiently(struct group_fixture_node *leader, uint64_t replica_id)
{
	enum status status = ST_BUSY;

	for (uint32_t i = 0; i < PATIENCE_MS && status == ST_BUSY; i++) {
		status = group_member_promote(leader->group, replica_id);
		group_fixture_run_ms(leader->fixture, 1);
	}
	return status;
}

static void a_standby_is_promoted_after_catching_up(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	assert_true(group_fixture_commit_many(leader, 20));
	assert_int_equal(group_fixture_add_replica(&f->nodes[4], NEW_REPLICA), ST_OK);
	assert_int_equal(group_member_add_standby(leader->group, NEW_REPLICA, 4), ST_OK);
	group_fixture_run_ms(f, 3);
	assert_true(is_applied_as(leader, NEW_REPLICA, RAFT_ROLE_STANDBY));
	assert_int_equal(group_member_promote(leader->group, NEW_REPLICA), ST_BUSY); /* not caught up */
	assert_int_equal(promote_patiently(leader, NEW_REPLICA), ST_OK);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(is_applied_as(&f->nodes[4], NEW_REPLICA, RAFT_ROLE_VOTER));
	assert_int_equal(group_fixture_row_count(&f->nodes[4]), 20);
	/* Its vote counts: of the four, two old ones alone are no majority. */
	group_fixture_isolate(f, 2, true);
	assert_true(group_fixture_commit(leader, "three of four"));
	group_fixture_destroy(f);
}

static void a_standby_does_not_count_for_a_majority(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t index;

	(void)state;
	assert_int_equal(group_fixture_add_replica(&f->nodes[4], NEW_REPLICA), ST_OK);
	assert_int_equal(group_member_add_standby(leader->group, NEW_REPLICA, 4), ST_OK);
	group_fixture_run_ms(f, 2000);
	assert_int_equal(f->nodes[4].applied_index, leader->applied_index);
	group_fixture_isolate(f, 2, true);
	group_fixture_isolate(f, 3, true);
	assert_int_equal(group_fixture_propose(leader, "two of three voters are away", &index), ST_OK);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS / 2);
	assert_true(leader->applied_index < index);
	group_fixture_destroy(f);
}

static void one_change_at_a_time(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	assert_int_equal(group_member_add_standby(leader->group, NEW_REPLICA, 4), ST_OK);
	assert_int_equal(group_member_remove(leader->group, group_fixture_replica_of(3)), ST_BUSY);
	group_fixture_run_ms(f, 5);
	assert_int_equal(group_member_remove(leader->group, group_fixture_replica_of(3)), ST_OK);
	group_fixture_run_ms(f, 5);
	assert_int_equal(leader->group->applied.configuration.count, 3);
	group_fixture_destroy(f);
}

static void a_removed_member_is_gone_and_the_rest_commits(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct raft_engine_configuration configuration;

	(void)state;
	assert_int_equal(group_member_remove(leader->group, group_fixture_replica_of(3)), ST_OK);
	group_fixture_run_ms(f, 5);
	assert_null(find_member(leader->group, group_fixture_replica_of(3), &configuration));
	group_fixture_isolate(f, 3, true);
	assert_true(group_fixture_commit(leader, "two of two"));
	group_fixture_destroy(f);
}

static void changes_that_make_no_sense_are_refused(void **state)
{
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct group_fixture *f = group_fixture_create(1, &settings);
	struct group_fixture_node *leader = group_fixture_leader(f);

	(void)state;
	assert_non_null(leader);
	assert_int_equal(group_member_add_standby(leader->group, 101, 4), ST_EXISTS);
	assert_int_equal(group_member_add_standby(leader->group, 204, 1), ST_EXISTS);
	assert_int_equal(group_member_add_standby(leader->group, 0, 4), ST_INVALID);
	assert_int_equal(group_member_add_standby(leader->group, 204, 0), ST_INVALID);
	assert_int_equal(group_member_promote(leader->group, 999), ST_NOT_FOUND);
	assert_int_equal(group_member_remove(leader->group, 999), ST_NOT_FOUND);
	assert_int_equal(group_member_remove(leader->group, 101), ST_INVALID); /* the last voter */
	assert_int_equal(group_member_transfer(leader->group, 2), ST_NOT_FOUND);
	assert_int_equal(group_member_transfer(leader->group, 1), ST_OK);
	group_fixture_destroy(f);
}

static void the_number_of_members_is_bounded(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	/* Nodes that are not there: standbys hold nobody up. */
	for (uint64_t i = 4; i <= RAFT_ENGINE_MEMBERS_MAX; i++) {
		assert_int_equal(group_member_add_standby(leader->group, 300 + i, 40 + i), ST_OK);
		group_fixture_run_ms(f, 5);
	}
	assert_int_equal(group_member_add_standby(leader->group, 400, 90), ST_TOO_BIG);
	group_fixture_destroy(f);
}

static void a_change_at_a_follower_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();

	(void)state;
	group_fixture_elect(f, 1);
	assert_int_equal(group_member_add_standby(f->nodes[2].group, NEW_REPLICA, 4), ST_NOT_LEADER);
	assert_int_equal(group_member_promote(f->nodes[2].group, 101), ST_NOT_LEADER);
	assert_int_equal(group_member_remove(f->nodes[2].group, 101), ST_NOT_LEADER);
	assert_int_equal(group_member_transfer(f->nodes[2].group, 3), ST_NOT_LEADER);
	group_fixture_destroy(f);
}

static void leadership_is_handed_to_the_voter_that_was_named(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t index;

	(void)state;
	group_fixture_run_ms(f, 5);
	assert_int_equal(group_member_transfer(leader->group, 3), ST_OK);
	assert_int_equal(group_fixture_propose(leader, "too late", &index), ST_NOT_LEADER);
	group_fixture_run_ms(f, 20);
	assert_true(group_is_ready(f->nodes[3].group));
	assert_int_equal(leader->lost_count, 1);
	assert_true(group_fixture_commit(&f->nodes[3], "by the heir"));
	group_fixture_destroy(f);
}

static void a_hand_over_that_fails_leaves_the_leader_in_place(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	group_fixture_run_ms(f, 5);
	group_fixture_isolate(f, 3, true);
	assert_int_equal(group_member_transfer(leader->group, 3), ST_OK);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_true(group_is_ready(leader->group));
	assert_true(group_fixture_commit(leader, "goes on"));
	group_fixture_destroy(f);
}

/* The entry of a change is not committed when its leader goes: the others must not keep it. */
static void a_change_that_was_not_committed_is_rolled_back(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct raft_engine_configuration configuration;

	(void)state;
	group_fixture_run_ms(f, 5);
	group_fixture_isolate(f, 1, true);
	assert_int_equal(group_member_add_standby(leader->group, NEW_REPLICA, 4), ST_OK);
	assert_non_null(find_member(leader->group, NEW_REPLICA, &configuration));
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	group_fixture_isolate(f, 1, false);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_null(find_member(leader->group, NEW_REPLICA, &configuration));
	assert_int_equal(configuration.count, 3);
	group_fixture_destroy(f);
}

static void the_configuration_survives_a_restart(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct raft_engine_configuration configuration;

	(void)state;
	assert_int_equal(group_member_remove(leader->group, group_fixture_replica_of(3)), ST_OK);
	assert_true(group_fixture_commit(leader, "after it"));
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	group_fixture_crash(&f->nodes[2], 100);
	assert_int_equal(group_fixture_restart(&f->nodes[2]), ST_OK);
	group_member_list(f->nodes[2].group, &configuration);
	assert_int_equal(configuration.count, 2);
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_standby_is_promoted_after_catching_up),
		cmocka_unit_test(a_standby_does_not_count_for_a_majority),
		cmocka_unit_test(one_change_at_a_time),
		cmocka_unit_test(a_removed_member_is_gone_and_the_rest_commits),
		cmocka_unit_test(changes_that_make_no_sense_are_refused),
		cmocka_unit_test(the_number_of_members_is_bounded),
		cmocka_unit_test(a_change_at_a_follower_is_refused),
		cmocka_unit_test(leadership_is_handed_to_the_voter_that_was_named),
		cmocka_unit_test(a_hand_over_that_fails_leaves_the_leader_in_place),
		cmocka_unit_test(a_change_that_was_not_committed_is_rolled_back),
		cmocka_unit_test(the_configuration_survives_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
