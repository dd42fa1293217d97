#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum { ELECTION_MS = 1000, HEARTBEAT_MS = 50, WATCHED_MS = 4000, FOLLOWERS = 2 };

static struct group_fixture *create(void)
{
	struct group_settings settings = { .election_timeout_ms = ELECTION_MS, .heartbeat_ms = HEARTBEAT_MS };

	return group_fixture_create(3, &settings);
}

static uint32_t heartbeats_in(struct group_fixture *f, struct group_fixture_node *leader,
			      uint64_t duration_ms)
{
	uint32_t before = leader->sent_count[RAFT_MESSAGE_APPEND];

	group_fixture_run_ms(f, duration_ms);
	return leader->sent_count[RAFT_MESSAGE_APPEND] - before;
}

static void run_until_quiet(struct group_fixture *f, const struct group_fixture_node *leader)
{
	for (uint32_t i = 0; i < 100 && !leader->group->is_quiet; i++)
		group_fixture_run_ms(f, HEARTBEAT_MS);
	assert_true(leader->group->is_quiet);
}

static void a_leader_with_nothing_to_say_speaks_seldom_and_keeps_its_term(void **state)
{
	struct group_fixture *f = create();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t term = raft_engine_term(leader->group->engine);
	uint32_t busy;
	uint32_t quiet;

	(void)state;
	busy = heartbeats_in(f, leader, 10 * HEARTBEAT_MS);
	run_until_quiet(f, leader);
	quiet = heartbeats_in(f, leader, WATCHED_MS);
	assert_in_range(busy, FOLLOWERS * 7, FOLLOWERS * 11);
	assert_in_range(quiet, FOLLOWERS * WATCHED_MS / ELECTION_MS * 3,
			FOLLOWERS * WATCHED_MS / (4 * HEARTBEAT_MS) + FOLLOWERS);
	group_fixture_run_ms(f, 20 * ELECTION_MS);
	assert_true(group_is_ready(leader->group));
	assert_int_equal(raft_engine_term(leader->group->engine), term);
	group_fixture_destroy(f);
}

static void a_proposal_ends_the_quiet_and_followers_learn_of_its_commit_soon(void **state)
{
	struct group_fixture *f = create();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	run_until_quiet(f, leader);
	assert_true(group_fixture_commit(leader, "news"));
	assert_false(leader->group->is_quiet);
	group_fixture_run_ms(f, 2 * HEARTBEAT_MS);
	assert_true(group_fixture_has_row(&f->nodes[2], "news"));
	assert_true(group_fixture_has_row(&f->nodes[3], "news"));
	group_fixture_destroy(f);
}

static void a_member_that_lacks_something_keeps_the_leader_awake(void **state)
{
	struct group_fixture *f = create();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	group_fixture_isolate(f, 3, true);
	assert_true(group_fixture_commit(leader, "x"));
	group_fixture_run_ms(f, WATCHED_MS);
	assert_false(leader->group->is_quiet);
	group_fixture_isolate(f, 3, false);
	run_until_quiet(f, leader);
	group_fixture_destroy(f);
}

static void a_quiet_leader_that_dies_is_replaced(void **state)
{
	struct group_fixture *f = create();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	run_until_quiet(f, leader);
	group_fixture_isolate(f, 1, true);
	group_fixture_run_ms(f, 4 * ELECTION_MS);
	assert_true(group_is_ready(f->nodes[2].group) || group_is_ready(f->nodes[3].group));
	assert_false(group_is_ready(leader->group));
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leader_with_nothing_to_say_speaks_seldom_and_keeps_its_term),
		cmocka_unit_test(a_proposal_ends_the_quiet_and_followers_learn_of_its_commit_soon),
		cmocka_unit_test(a_member_that_lacks_something_keeps_the_leader_awake),
		cmocka_unit_test(a_quiet_leader_that_dies_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
