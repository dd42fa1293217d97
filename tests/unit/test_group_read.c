#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

struct watched_read {
	struct group_read base;
	uint32_t done_count;
	enum status status;
};

static void on_read(struct group_read *read, enum status status)
{
	struct watched_read *watched = CONTAINER_OF(read, struct watched_read, base);

	watched->done_count++;
	watched->status = status;
}

static enum status start(struct group_fixture_node *node, struct watched_read *read)
{
	*read = (struct watched_read){ .base.cb = on_read };
	return group_read_start(node->group, &read->base);
}

static struct group_fixture *create_with_leases(void)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
		.uses_leases = true,
	};

	return group_fixture_create(3, &settings);
}

/* With leases a fresh process gives no vote before its fence has passed. */
static struct group_fixture_node *elect_with_leases(struct group_fixture *f, uint64_t node_id)
{
	group_fixture_run_ms(f, 11 * GROUP_FIXTURE_ELECTION_MS / 10);
	assert_non_null(group_fixture_leader(f));
	if (group_fixture_leader(f)->id != node_id) {
		assert_int_equal(group_member_transfer(group_fixture_leader(f)->group, node_id), ST_OK);
		group_fixture_run_ms(f, 20);
		assert_true(group_is_ready(f->nodes[node_id].group));
	}
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	return &f->nodes[node_id];
}

static void a_strong_read_answers_after_a_round(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 1); /* the question is on its way */
	assert_int_equal(read.done_count, 0);
	group_fixture_run_ms(f, 1);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.status, ST_OK);
	group_fixture_destroy(f);
}

static void a_strong_read_at_a_follower_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct watched_read read;

	(void)state;
	group_fixture_elect(f, 1);
	assert_int_equal(start(&f->nodes[2], &read), ST_NOT_LEADER);
	group_fixture_destroy(f);
}

static void a_strong_read_needs_a_majority(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	group_fixture_isolate(f, 1, true);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS / 2);
	assert_int_equal(read.done_count, 0);
	group_fixture_isolate(f, 1, false);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS); /* the question is repeated */
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.status, ST_OK);
	group_fixture_destroy(f);
}

static void a_read_at_a_deposed_leader_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *old_leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	group_fixture_run_ms(f, 5);
	/* It hears nothing and so does not know that it is deposed; its questions still arrive. */
	group_fixture_cut(f, 2, 1, true);
	group_fixture_cut(f, 3, 1, true);
	group_campaign(f->nodes[2].group);
	group_campaign(f->nodes[3].group);
	assert_int_equal(start(old_leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 4 * GROUP_FIXTURE_ELECTION_MS);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.status, ST_NOT_LEADER);
	group_fixture_destroy(f);
}

static void receive_confirm(struct group_fixture_node *node, uint64_t from_node_id, uint64_t from_replica_id)
{
	uint8_t packed[128];
	Cleave__ConfirmReply confirm = CLEAVE__CONFIRM_REPLY__INIT;
	Cleave__ConfirmReply *confirms[1] = { &confirm };
	Cleave__RaftBatch batch = CLEAVE__RAFT_BATCH__INIT;

	confirm.group_id = GROUP_FIXTURE_GROUP;
	confirm.term = node->group->leader_term;
	confirm.round = node->group->next_round_id;
	confirm.from_replica = from_replica_id;
	batch.confirmed = confirms;
	batch.n_confirmed = 1;
	assert_int_equal(group_table_receive(&node->table, from_node_id,
					     slice_of(packed, cleave__raft_batch__pack(&batch, packed))),
			 ST_OK);
}

static void a_node_confirms_only_for_its_own_replica(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	group_fixture_isolate(f, 1, true);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 1);
	receive_confirm(leader, 3, group_fixture_replica_of(2));
	assert_int_equal(read.done_count, 0);
	receive_confirm(leader, 2, group_fixture_replica_of(2));
	assert_int_equal(read.done_count, 1);
	group_fixture_destroy(f);
}

static void a_confirmation_of_a_newer_term_does_not_count(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct peer_link_confirm confirm;
	struct watched_read read;

	(void)state;
	group_fixture_isolate(f, 1, true);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 1);
	confirm = (struct peer_link_confirm){ GROUP_FIXTURE_GROUP, leader->group->leader_term + 1,
					      leader->group->next_round_id, group_fixture_replica_of(2) };
	group_read_on_confirm_reply(leader->group, &confirm);
	assert_int_equal(read.done_count, 0);
	confirm.term--;
	confirm.replica_id = 999; /* not a member */
	group_read_on_confirm_reply(leader->group, &confirm);
	assert_int_equal(read.done_count, 0);
	confirm.replica_id = group_fixture_replica_of(2);
	group_read_on_confirm_reply(leader->group, &confirm);
	assert_int_equal(read.done_count, 1);
	group_fixture_destroy(f);
}

static void a_replica_of_a_newer_term_does_not_confirm(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	group_fixture_isolate(f, 1, true);
	for (uint32_t i = 2; i <= 3; i++) {
		struct raft_engine_message vote = {
			.kind = RAFT_MESSAGE_VOTE,
			.peer_replica_id = 555,
			.peer_node_id = 3,
			.candidate_id = 555,
			.term = leader->group->leader_term + 1,
			.prev_index = 1000,
			.prev_term = 1000,
			.disrupt_leader = true,
		};

		group_receive(f->nodes[i].group, &vote, 0);
		assert_int_equal(raft_engine_term(f->nodes[i].group->engine), vote.term);
	}
	group_fixture_isolate(f, 1, false);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 5);
	assert_int_equal(read.done_count, 0);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_ELECTION_MS);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.status, ST_NOT_LEADER);
	group_fixture_destroy(f);
}

/* Committed entries of earlier terms may not be known as such before the barrier. */
static void a_new_leader_serves_no_strong_read_before_its_barrier_is_applied(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = &f->nodes[2];
	struct watched_read read;

	(void)state;
	group_fixture_elect(f, 1);
	group_fixture_run_ms(f, 5);
	assert_int_equal(group_member_transfer(f->nodes[1].group, 2), ST_OK);
	while (raft_engine_state(leader->group->engine) != RAFT_STATE_LEADER)
		group_fixture_run_ms(f, 1);
	assert_false(group_is_ready(leader->group));
	assert_int_equal(start(leader, &read), ST_NOT_LEADER);
	assert_true(group_fixture_run_until_leads(f, 2));
	assert_true(leader->applied_index >= leader->group->barrier_index);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 2);
	assert_int_equal(read.status, ST_OK);
	group_fixture_destroy(f);
}

static void a_read_waits_until_what_was_committed_before_it_is_applied(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;
	uint64_t index;

	(void)state;
	leader->is_disk_held = true; /* the others commit, the leader cannot apply yet */
	assert_int_equal(group_fixture_propose(leader, "seen", &index), ST_OK);
	group_fixture_run_ms(f, 5);
	assert_true(raft_engine_commit_index(leader->group->engine) >= index);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 10);
	assert_int_equal(read.done_count, 0);
	leader->is_disk_held = false;
	group_fixture_run_ms(f, 1);
	assert_int_equal(read.done_count, 1);
	assert_true(group_fixture_has_row(leader, "seen"));
	group_fixture_destroy(f);
}

static void reads_beyond_the_rounds_wait_for_a_free_one(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read reads[2 * GROUP_READ_ROUNDS_MAX];

	(void)state;
	group_fixture_isolate(f, 1, true);
	for (uint32_t i = 0; i < ARRAY_COUNT(reads); i++) {
		assert_int_equal(start(leader, &reads[i]), ST_WOULD_BLOCK);
		group_fixture_run_ms(f, 1); /* a turn, and so a round, of its own */
	}
	group_fixture_isolate(f, 1, false);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	for (uint32_t i = 0; i < ARRAY_COUNT(reads); i++) {
		assert_int_equal(reads[i].done_count, 1);
		assert_int_equal(reads[i].status, ST_OK);
	}
	group_fixture_destroy(f);
}

static void a_canceled_read_is_not_answered(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 1);
	group_read_cancel(&read.base);
	group_fixture_run_ms(f, 20);
	assert_int_equal(read.done_count, 0);
	group_fixture_destroy(f);
}

static void closing_the_group_answers_its_reads(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_close(leader->group);
	leader->group = NULL;
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.status, ST_NOT_LEADER);
	group_fixture_destroy(f);
}

static void a_single_voter_needs_no_round(void **state)
{
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct group_fixture *f = group_fixture_create(1, &settings);
	struct group_fixture_node *leader = group_fixture_leader(f);
	struct watched_read read;

	(void)state;
	assert_non_null(leader);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_fixture_run_ms(f, 0);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.status, ST_OK);
	group_fixture_destroy(f);
}

/* --- leases --- */

static void with_a_lease_a_read_is_answered_at_once(void **state)
{
	struct group_fixture *f = create_with_leases();
	struct group_fixture_node *leader = elect_with_leases(f, 1);
	struct watched_read read;

	(void)state;
	assert_true(group_fixture_commit(leader, "x"));
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(start(leader, &read), ST_OK);
	group_fixture_destroy(f);
}

static void a_lease_ends_before_another_can_lead(void **state)
{
	struct group_fixture *f = create_with_leases();
	struct group_fixture_node *leader = elect_with_leases(f, 1);
	struct watched_read read;
	uint32_t leased_ms = 0;

	(void)state;
	group_fixture_isolate(f, 1, true);
	while (start(leader, &read) == ST_OK) {
		assert_false(group_is_ready(f->nodes[2].group) || group_is_ready(f->nodes[3].group));
		group_fixture_run_ms(f, 1);
		leased_ms++;
	}
	assert_in_range(leased_ms, 1, GROUP_FIXTURE_ELECTION_MS * 85 / 100);
	group_fixture_run_ms(f, 4 * GROUP_FIXTURE_ELECTION_MS); /* the last read is refused */
	assert_int_equal(read.status, ST_NOT_LEADER);
	group_fixture_destroy(f);
}

static void with_leases_a_restarted_replica_gives_no_vote_at_once(void **state)
{
	struct group_fixture *f = create_with_leases();
	struct raft_engine_message vote = {
		.kind = RAFT_MESSAGE_VOTE,
		.peer_replica_id = group_fixture_replica_of(3),
		.peer_node_id = 3,
		.candidate_id = group_fixture_replica_of(3),
		.term = 50,
		.prev_index = 1000,
		.prev_term = 49,
		.disrupt_leader = true,
	};

	(void)state;
	elect_with_leases(f, 1);
	group_fixture_crash(&f->nodes[2], 0);
	assert_int_equal(group_fixture_restart(&f->nodes[2]), ST_OK);
	group_fixture_isolate(f, 2, true);
	group_receive(f->nodes[2].group, &vote, 0);
	assert_true(raft_engine_term(f->nodes[2].group->engine) < 50);
	group_fixture_run_ms(f, 11 * GROUP_FIXTURE_ELECTION_MS / 10);
	group_receive(f->nodes[2].group, &vote, 0);
	assert_int_equal(raft_engine_term(f->nodes[2].group->engine), 50);
	group_fixture_destroy(f);
}

static void after_a_hand_over_began_there_is_no_lease_in_that_term(void **state)
{
	struct group_fixture *f = create_with_leases();
	struct group_fixture_node *leader = elect_with_leases(f, 1);
	struct watched_read read;

	(void)state;
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(start(leader, &read), ST_OK);
	group_fixture_cut(f, 1, 2, true); /* the heir does not hear of it */
	assert_int_equal(group_member_transfer(leader->group, 2), ST_OK);
	group_fixture_run_ms(f, 2);
	assert_int_equal(start(leader, &read), ST_WOULD_BLOCK);
	group_read_cancel(&read.base);
	group_fixture_destroy(f);
}

static void an_echo_from_the_future_gives_no_lease(void **state)
{
	struct group_fixture *f = create_with_leases();
	struct group_fixture_node *leader = elect_with_leases(f, 1);
	struct peer_link_echo echo = { GROUP_FIXTURE_GROUP, leader->group->leader_term,
				       leader->runtime.now_us + 1000 * 1000 * 1000,
				       group_fixture_replica_of(2) };
	struct watched_read read;

	(void)state;
	group_fixture_isolate(f, 1, true);
	group_read_on_echo(leader->group, &echo);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS * 9 / 10);
	assert_int_not_equal(start(leader, &read), ST_OK);
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strong_read_answers_after_a_round),
		cmocka_unit_test(a_strong_read_at_a_follower_is_refused),
		cmocka_unit_test(a_strong_read_needs_a_majority),
		cmocka_unit_test(a_read_at_a_deposed_leader_is_refused),
		cmocka_unit_test(a_node_confirms_only_for_its_own_replica),
		cmocka_unit_test(a_confirmation_of_a_newer_term_does_not_count),
		cmocka_unit_test(a_replica_of_a_newer_term_does_not_confirm),
		cmocka_unit_test(a_new_leader_serves_no_strong_read_before_its_barrier_is_applied),
		cmocka_unit_test(a_read_waits_until_what_was_committed_before_it_is_applied),
		cmocka_unit_test(reads_beyond_the_rounds_wait_for_a_free_one),
		cmocka_unit_test(a_canceled_read_is_not_answered),
		cmocka_unit_test(closing_the_group_answers_its_reads),
		cmocka_unit_test(a_single_voter_needs_no_round),
		cmocka_unit_test(with_a_lease_a_read_is_answered_at_once),
		cmocka_unit_test(a_lease_ends_before_another_can_lead),
		cmocka_unit_test(with_leases_a_restarted_replica_gives_no_vote_at_once),
		cmocka_unit_test(after_a_hand_over_began_there_is_no_lease_in_that_term),
		cmocka_unit_test(an_echo_from_the_future_gives_no_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
