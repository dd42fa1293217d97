#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_state.h"
#include "tests/support/group_fixture.h"

static void a_leader_is_elected_and_commits(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_leader(f);

	(void)state;
	assert_non_null(leader);
	assert_int_equal(leader->ready_count, 1);
	assert_int_equal(leader->table.won_count, 1);
	assert_true(group_fixture_commit(leader, "one"));
	assert_true(group_fixture_has_row(leader, "one"));
	group_fixture_destroy(f);
}

static void a_command_is_applied_on_all_replicas(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 2);

	(void)state;
	assert_true(group_fixture_commit(leader, "one"));
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(group_fixture_has_row(&f->nodes[i], "one"));
		assert_int_equal(f->nodes[i].applied_index, leader->applied_index);
	}
	group_fixture_destroy(f);
}

static void a_command_commits_without_a_minority(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	group_fixture_isolate(f, 3, true);
	assert_true(group_fixture_commit(leader, "two of three"));
	assert_false(group_fixture_has_row(&f->nodes[3], "two of three"));
	group_fixture_destroy(f);
}

static void a_command_is_not_applied_before_the_leaders_own_log_is_durable(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t index;

	(void)state;
	leader->is_disk_held = true;
	assert_int_equal(group_fixture_propose(leader, "held", &index), ST_OK);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(group_fixture_has_row(&f->nodes[2], "held")); /* committed by the other two */
	assert_false(group_fixture_has_row(leader, "held"));
	leader->is_disk_held = false;
	group_fixture_run_ms(f, 1);
	assert_true(group_fixture_has_row(leader, "held"));
	group_fixture_destroy(f);
}

static void a_vote_is_sent_only_after_it_is_durable(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *voter = &f->nodes[2];

	(void)state;
	group_fixture_isolate(f, 3, true);
	voter->is_disk_held = true;
	group_campaign(f->nodes[1].group);
	group_fixture_run_ms(f, 20);
	assert_int_equal(raft_engine_voted_for(voter->group->engine), group_fixture_replica_of(1));
	assert_int_equal(voter->sent_count[RAFT_MESSAGE_VOTE_RESULT], 0);
	assert_false(group_is_ready(f->nodes[1].group));
	voter->is_disk_held = false;
	group_fixture_run_ms(f, 5);
	assert_int_equal(voter->sent_count[RAFT_MESSAGE_VOTE_RESULT], 1);
	assert_true(group_is_ready(f->nodes[1].group));
	group_fixture_destroy(f);
}

static void a_candidate_asks_for_votes_only_after_its_own_is_durable(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *candidate = &f->nodes[1];

	(void)state;
	candidate->is_disk_held = true;
	group_campaign(candidate->group);
	group_fixture_run_ms(f, 20); /* the pre-vote round needs no disk */
	assert_int_equal(raft_engine_state(candidate->group->engine), RAFT_STATE_CANDIDATE);
	assert_int_equal(candidate->sent_count[RAFT_MESSAGE_VOTE], 0);
	candidate->is_disk_held = false;
	group_fixture_run_ms(f, 1);
	assert_int_equal(candidate->sent_count[RAFT_MESSAGE_VOTE], 2);
	group_fixture_destroy(f);
}

static void a_vote_survives_the_crash_that_follows_it(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	uint64_t term;

	(void)state;
	group_fixture_elect(f, 1);
	term = raft_engine_term(f->nodes[2].group->engine);
	group_fixture_crash(&f->nodes[2], 0);
	assert_int_equal(group_fixture_restart(&f->nodes[2]), ST_OK);
	assert_int_equal(raft_engine_term(f->nodes[2].group->engine), term);
	assert_int_equal(raft_engine_voted_for(f->nodes[2].group->engine), group_fixture_replica_of(1));
	group_fixture_destroy(f);
}

static void a_follower_that_was_away_catches_up_by_log(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	group_fixture_isolate(f, 3, true);
	assert_true(group_fixture_commit_many(leader, 500));
	group_fixture_isolate(f, 3, false);
	group_fixture_run_ms(f, 1000);
	assert_int_equal(group_fixture_row_count(&f->nodes[3]), 500);
	assert_int_equal(f->nodes[3].chunk_count, 0);
	assert_int_equal(f->nodes[3].restored_count, 0);
	group_fixture_destroy(f);
}

static void entries_that_left_the_memory_are_sent_from_disk(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	group_fixture_isolate(f, 3, true);
	assert_true(group_fixture_commit_many(leader, 3 * LOG_STORE_CACHE_ENTRIES));
	assert_true(leader->group->log.cached_first > leader->group->log.first_index);
	group_fixture_isolate(f, 3, false);
	group_fixture_run_ms(f, 3000);
	assert_int_equal(group_fixture_row_count(&f->nodes[3]), 3 * LOG_STORE_CACHE_ENTRIES);
	assert_int_equal(f->nodes[3].restored_count, 0);
	group_fixture_destroy(f);
}

/* The old leader's entries were on its disk's way when the new leader's replaced them. */
static void a_truncated_entry_is_never_reported_as_persisted(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *old_leader = group_fixture_elect(f, 1);
	struct group *group = old_leader->group;
	uint64_t first_lost;
	uint64_t index = 0;

	(void)state;
	group_fixture_run_ms(f, 5);
	group_fixture_isolate(f, 1, true);
	old_leader->is_disk_held = true;
	assert_int_equal(group_fixture_propose(old_leader, "lost 1", &first_lost), ST_OK);
	group_fixture_run_ms(f, 1); /* its batch is with the disk now */
	assert_int_equal(group_fixture_propose(old_leader, "lost 2", &index), ST_OK);
	assert_int_equal(group_fixture_propose(old_leader, "lost 3", &index), ST_OK);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_non_null(group_fixture_leader(f));
	group_fixture_isolate(f, 1, false);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	/* The new leader's barrier has replaced the first of them; nothing of it is durable. */
	assert_int_equal(raft_engine_last_index(group->engine), first_lost);
	assert_true(raft_engine_last_stored(group->engine) < first_lost);
	assert_true(manual_runtime_run_job(&old_leader->runtime));
	assert_true(raft_engine_last_stored(group->engine) < first_lost); /* that was "lost 1" */
	old_leader->is_disk_held = false;
	group_fixture_run_ms(f, 5);
	assert_int_equal(raft_engine_last_stored(group->engine), first_lost);
	assert_false(group_fixture_has_row(old_leader, "lost 1"));
	group_fixture_destroy(f);
}

/* Shorter entries replace a longer tail that is in the open batch too: the replacement alone
 * must still be reported, or it never counts for a majority. */
static void what_replaced_a_pending_tail_is_reported_when_durable(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *follower = &f->nodes[3];
	struct group *group = follower->group;
	struct log_entry entries[3];
	struct raft_engine_message message = {
		.kind = RAFT_MESSAGE_APPEND,
		.peer_replica_id = group_fixture_replica_of(1),
		.peer_node_id = 1,
		.term = 6,
		.prev_index = GROUP_BIRTH_INDEX,
		.prev_term = GROUP_BIRTH_TERM,
		.entry_count = 1,
		.entries = entries,
	};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		entries[i] = (struct log_entry){ 6, LOG_ENTRY_COMMAND, log_body_create(1) };
		entries[i].body->data[0] = (uint8_t)i;
	}
	group_receive(group, &message, 0); /* 11 */
	group_fixture_run_ms(f, 1);
	follower->is_disk_held = true;
	message.prev_index = GROUP_BIRTH_INDEX + 1;
	message.prev_term = 6;
	message.entry_count = 2;
	group_receive(group, &message, 0); /* 12, 13 into the open batch */
	message.term = 7;
	message.peer_replica_id = group_fixture_replica_of(2);
	message.peer_node_id = 2;
	message.prev_index = GROUP_BIRTH_INDEX;
	message.prev_term = GROUP_BIRTH_TERM;
	message.entry_count = 1;
	entries[0].term = 7;
	group_receive(group, &message, 0); /* 11 anew: all of the old tail goes */
	follower->is_disk_held = false;
	group_fixture_run_ms(f, 2);
	assert_int_equal(raft_engine_last_index(group->engine), GROUP_BIRTH_INDEX + 1);
	assert_int_equal(raft_engine_last_stored(group->engine), GROUP_BIRTH_INDEX + 1);
	for (uint32_t i = 0; i < 3; i++)
		log_body_release(entries[i].body);
	group_fixture_destroy(f);
}

static void a_broken_connection_to_the_leader_starts_an_election_soon(void **state)
{
	struct group_fixture *f = group_fixture_create_default();

	(void)state;
	group_fixture_elect(f, 1);
	group_fixture_run_ms(f, 5);
	group_fixture_crash(&f->nodes[1], 0);
	group_fixture_say_down(f, 1);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS / 2);
	assert_non_null(f->nodes[2].group);
	assert_true(group_is_ready(f->nodes[2].group) || group_is_ready(f->nodes[3].group));
	group_fixture_destroy(f);
}

static void replicas_that_find_each_other_without_a_leader_elect_one_soon(void **state)
{
	struct group_fixture *f = group_fixture_create_default();

	(void)state;
	group_fixture_elect(f, 1);
	assert_true(group_fixture_commit(&f->nodes[1], "x"));
	for (uint32_t i = 1; i <= 3; i++)
		group_fixture_crash(&f->nodes[i], UINT64_MAX);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(group_fixture_restart(&f->nodes[i]), ST_OK);
	for (uint32_t i = 1; i <= 3; i++)
		group_fixture_say_up(f, i);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS / 2);
	assert_true(group_is_ready(f->nodes[1].group) || group_is_ready(f->nodes[2].group) ||
		    group_is_ready(f->nodes[3].group));
	group_fixture_destroy(f);
}

static void a_replica_that_comes_back_does_not_disturb_a_living_leader(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t term = raft_engine_term(leader->group->engine);

	(void)state;
	group_fixture_run_ms(f, 5);
	group_fixture_crash(&f->nodes[3], 0);
	assert_int_equal(group_fixture_restart(&f->nodes[3]), ST_OK);
	group_fixture_say_up(f, 1);
	group_fixture_say_up(f, 2);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_ELECTION_MS);
	assert_true(group_is_ready(leader->group));
	assert_int_equal(raft_engine_term(leader->group->engine), term);
	group_fixture_destroy(f);
}

static void a_dead_leader_is_replaced_after_the_timeout(void **state)
{
	struct group_fixture *f = group_fixture_create_default();

	(void)state;
	group_fixture_elect(f, 1);
	group_fixture_run_ms(f, 5);
	group_fixture_crash(&f->nodes[1], 0);
	group_fixture_run_ms(f, GROUP_FIXTURE_ELECTION_MS / 2);
	assert_false(group_is_ready(f->nodes[2].group) || group_is_ready(f->nodes[3].group));
	assert_non_null(group_fixture_leader(f));
	group_fixture_destroy(f);
}

static void a_leader_without_a_majority_steps_down(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t index;

	(void)state;
	group_fixture_isolate(f, 1, true);
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_int_equal(leader->lost_count, 1);
	assert_int_equal(group_fixture_propose(leader, "late", &index), ST_NOT_LEADER);
	group_fixture_destroy(f);
}

/* The fixture checks at leader_ready() that the barrier is applied: here it is far behind the
 * first of what the new leader has to apply. */
static void a_new_leader_is_ready_only_after_all_that_was_before_it(void **state)
{
	enum { COUNT = 5 };
	static uint8_t body[GROUP_APPLY_BYTES_MAX / 3]; /* more than one round of applying */
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t index = 0;

	(void)state;
	group_fixture_run_ms(f, 5);
	group_fixture_cut(f, 2, 1, true); /* the old leader hears of no success, so commits nothing */
	group_fixture_cut(f, 3, 1, true);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(group_propose(leader->group, slice_of(body, sizeof(body)), &index), ST_OK);
	group_fixture_run_ms(f, 20);
	group_fixture_crash(leader, 0);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_ELECTION_MS);
	leader = group_fixture_leader(f);
	assert_non_null(leader);
	assert_true(leader->applied_index >= index + 1);
	assert_int_equal(group_fixture_row_count(leader), COUNT);
	group_fixture_destroy(f);
}

static void a_restart_of_all_keeps_every_acknowledged_command(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader;
	char text[32];

	(void)state;
	for (uint32_t round = 0; round < 4; round++) {
		leader = group_fixture_leader(f);
		assert_non_null(leader);
		(void)snprintf(text, sizeof(text), "acknowledged %u", round);
		assert_true(group_fixture_commit(leader, text));
		for (uint32_t i = 1; i <= 3; i++)
			group_fixture_crash(&f->nodes[i], (round * i) % 3);
		for (uint32_t i = 1; i <= 3; i++)
			assert_int_equal(group_fixture_restart(&f->nodes[i]), ST_OK);
	}
	leader = group_fixture_leader(f);
	assert_non_null(leader);
	group_fixture_run_ms(f, 5 * GROUP_FIXTURE_HEARTBEAT_MS);
	for (uint32_t i = 1; i <= 3; i++) {
		for (uint32_t round = 0; round < 4; round++) {
			(void)snprintf(text, sizeof(text), "acknowledged %u", round);
			assert_true(group_fixture_has_row(&f->nodes[i], text));
		}
		assert_int_equal(group_fixture_row_count(&f->nodes[i]), 4);
	}
	group_fixture_destroy(f);
}

static void acknowledged_commands_survive_a_lossy_network_and_changing_leaders(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	uint32_t accepted_count = 0;
	char text[32];

	(void)state;
	f->drop_nth = 5;
	for (uint32_t round = 0; round < 12; round++) {
		struct group_fixture_node *leader = group_fixture_leader(f);

		assert_non_null(leader);
		(void)snprintf(text, sizeof(text), "kept %u", round);
		if (!group_fixture_commit(leader, text))
			continue;
		accepted_count |= 1u << round;
		group_fixture_crash(leader, round % 4);
		assert_int_equal(group_fixture_restart(leader), ST_OK);
	}
	f->drop_nth = 0;
	assert_non_null(group_fixture_leader(f));
	group_fixture_run_ms(f, 10 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(accepted_count != 0);
	for (uint32_t i = 1; i <= 3; i++) {
		for (uint32_t round = 0; round < 12; round++) {
			(void)snprintf(text, sizeof(text), "kept %u", round);
			if ((accepted_count & (1u << round)) != 0)
				assert_true(group_fixture_has_row(&f->nodes[i], text));
		}
	}
	group_fixture_destroy(f);
}

static void a_removed_replica_leaves_a_tombstone(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *node = &f->nodes[3];
	struct group_state found;

	(void)state;
	group_fixture_elect(f, 1);
	group_remove(node->group);
	node->group = NULL;
	group_fixture_run_ms(f, 1);
	assert_int_equal(group_state_load(node->engine, GROUP_FIXTURE_GROUP, &found), ST_NOT_FOUND);
	assert_int_equal(found.tombstone_replica_id, group_fixture_replica_of(3));
	assert_int_equal(group_fixture_add_replica(node, group_fixture_replica_of(3)), ST_STALE);
	assert_int_equal(group_fixture_add_replica(node, group_fixture_replica_of(3) + 100), ST_OK);
	group_fixture_destroy(f);
}

static void a_replica_that_lives_here_cannot_be_made_again(void **state)
{
	struct group_fixture *f = group_fixture_create_default();

	(void)state;
	assert_int_equal(group_fixture_add_replica(&f->nodes[1], 999), ST_EXISTS);
	group_close(f->nodes[1].group);
	f->nodes[1].group = NULL;
	assert_int_equal(group_fixture_add_replica(&f->nodes[1], 999), ST_EXISTS); /* on disk */
	group_fixture_destroy(f);
}

static void a_new_replica_is_silent_until_its_birth_is_durable(void **state)
{
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct group_fixture *f = group_fixture_create(3, &settings);
	struct group_fixture_node *node = &f->nodes[4];

	(void)state;
	node->is_disk_held = true;
	assert_int_equal(group_fixture_add_replica(node, 104), ST_OK);
	assert_true(node->group->is_silent);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_ELECTION_MS);
	assert_true(node->group->is_silent);
	node->is_disk_held = false;
	group_fixture_run_ms(f, 1);
	assert_false(node->group->is_silent);
	group_fixture_destroy(f);
}

static void an_overload_of_proposals_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	static uint8_t body[4 * 1024 * 1024];
	enum status status = ST_OK;
	uint32_t count = 0;
	uint64_t index;

	(void)state;
	group_fixture_isolate(f, 1, true);
	while (status == ST_OK && count < 1000) {
		status = group_propose(leader->group, slice_of(body, sizeof(body)), &index);
		count++;
	}
	assert_int_equal(status, ST_OVERLOADED);
	assert_true(leader->group->append_count <= 2);
	group_fixture_destroy(f);
}

static void a_full_disk_takes_no_entries_but_keeps_the_leader(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	uint64_t index;

	(void)state;
	group_fixture_run_ms(f, 5);
	f->nodes[2].table.refuses_entries = true;
	f->nodes[3].table.refuses_entries = true;
	assert_int_equal(group_fixture_propose(leader, "waits", &index), ST_OK);
	group_fixture_run_ms(f, 5 * GROUP_FIXTURE_ELECTION_MS);
	assert_true(group_is_ready(leader->group));
	assert_true(leader->applied_index < index);
	f->nodes[2].table.refuses_entries = false;
	group_fixture_run_ms(f, 5 * GROUP_FIXTURE_ELECTION_MS);
	assert_true(leader->applied_index >= index);
	group_fixture_destroy(f);
}

/* --- what no correct peer would send --- */

static void receive_append(struct group_fixture_node *node, uint64_t term, uint64_t prev_index,
			   uint64_t prev_term, uint64_t entry_term)
{
	struct log_entry entry = { entry_term, LOG_ENTRY_COMMAND, log_body_create(1) };
	struct raft_engine_message message = {
		.kind = RAFT_MESSAGE_APPEND,
		.peer_replica_id = group_fixture_replica_of(1),
		.peer_node_id = 1,
		.term = term,
		.prev_index = prev_index,
		.prev_term = prev_term,
		.entry_count = 1,
		.entries = &entry,
	};

	entry.body->data[0] = 'x';
	group_receive(node->group, &message, 0);
	log_body_release(entry.body);
}

/* A vote result, a heartbeat or a vote in the name of a replica, as it comes from a peer. */
static void receive_from(struct group_fixture_node *node, uint64_t from_node_id, uint64_t from_replica_id,
			 Cleave__RaftMessage__Kind kind, uint64_t term)
{
	uint8_t packed[256];
	Cleave__RaftMessage message = CLEAVE__RAFT_MESSAGE__INIT;
	Cleave__RaftMessage *messages[1] = { &message };
	Cleave__RaftBatch batch = CLEAVE__RAFT_BATCH__INIT;

	message.kind = kind;
	message.group_id = GROUP_FIXTURE_GROUP;
	message.from_replica = from_replica_id;
	message.candidate_id = from_replica_id;
	message.to_replica = node->group->replica_id;
	message.term = term;
	message.flag_a = kind == CLEAVE__RAFT_MESSAGE__KIND__VOTE_RESULT; /* granted */
	message.version = 1;
	batch.messages = messages;
	batch.n_messages = 1;
	assert_true(cleave__raft_batch__get_packed_size(&batch) <= sizeof(packed));
	assert_int_equal(group_table_receive(&node->table, from_node_id,
					     slice_of(packed, cleave__raft_batch__pack(&batch, packed))),
			 ST_OK);
}

static void a_node_cannot_vote_for_another_nodes_replica(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *candidate = &f->nodes[1];
	uint64_t term;

	(void)state;
	group_campaign(candidate->group);
	group_fixture_run_ms(f, 1); /* the others granted the pre-vote, their votes are on the way */
	for (uint32_t i = 0; i < 20 && raft_engine_voted_for(candidate->group->engine) == 0; i++)
		group_fixture_run_ms(f, 1);
	group_fixture_isolate(f, 1, true);
	assert_int_not_equal(raft_engine_state(candidate->group->engine), RAFT_STATE_LEADER);
	term = raft_engine_term(candidate->group->engine);
	receive_from(candidate, 3, group_fixture_replica_of(2), CLEAVE__RAFT_MESSAGE__KIND__VOTE_RESULT,
		     term);
	assert_int_not_equal(raft_engine_state(candidate->group->engine), RAFT_STATE_LEADER);
	receive_from(candidate, 2, group_fixture_replica_of(2), CLEAVE__RAFT_MESSAGE__KIND__VOTE_RESULT,
		     term);
	assert_int_equal(raft_engine_state(candidate->group->engine), RAFT_STATE_LEADER);
	group_fixture_destroy(f);
}

static void a_node_cannot_lead_in_another_nodes_name(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *follower = &f->nodes[3];
	uint64_t term;

	(void)state;
	group_fixture_elect(f, 1);
	term = raft_engine_term(follower->group->engine);
	receive_from(follower, 1, group_fixture_replica_of(2), CLEAVE__RAFT_MESSAGE__KIND__APPEND, term + 1);
	assert_int_equal(raft_engine_term(follower->group->engine), term);
	assert_int_equal(group_leader_node_id(follower->group), 1);
	receive_from(follower, 2, group_fixture_replica_of(2), CLEAVE__RAFT_MESSAGE__KIND__APPEND, term + 1);
	assert_int_equal(raft_engine_term(follower->group->engine), term + 1);
	group_fixture_destroy(f);
}

/* The entry that makes it a member may still be on its way. */
static void a_replica_that_is_not_known_here_is_heard(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *follower = &f->nodes[3];
	uint64_t term;

	(void)state;
	group_fixture_elect(f, 1);
	term = raft_engine_term(follower->group->engine);
	receive_from(follower, 2, 777, CLEAVE__RAFT_MESSAGE__KIND__APPEND, term + 1);
	assert_int_equal(raft_engine_term(follower->group->engine), term + 1);
	group_fixture_destroy(f);
}

static void a_second_leader_of_the_same_term_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 2);
	uint64_t term = raft_engine_term(leader->group->engine);

	(void)state;
	receive_append(leader, term, leader->applied_index, term, term);
	group_fixture_run_ms(f, 5);
	assert_true(group_is_ready(leader->group));
	assert_true(group_fixture_commit(leader, "goes on"));
	group_fixture_destroy(f);
}

static void an_append_that_contradicts_what_is_committed_is_refused(void **state)
{
	struct group_fixture *f = group_fixture_create_default();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);
	struct group_fixture_node *follower = &f->nodes[2];
	uint64_t term;
	uint64_t applied;

	(void)state;
	assert_true(group_fixture_commit(leader, "committed"));
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	applied = follower->applied_index;
	term = raft_engine_term(follower->group->engine);
	receive_append(follower, term + 5, applied, term + 3, term + 4);     /* the applied one's term */
	receive_append(follower, term + 5, applied - 1, term - 1, term + 4); /* the applied one itself */
	receive_append(follower, term + 5, applied - 2, term - 1, term);     /* one before: nothing new */
	group_fixture_run_ms(f, 1000);
	assert_true(group_fixture_has_row(follower, "committed"));
	assert_non_null(group_fixture_leader(f));
	assert_true(group_fixture_commit(group_fixture_leader(f), "goes on"));
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leader_is_elected_and_commits),
		cmocka_unit_test(a_command_is_applied_on_all_replicas),
		cmocka_unit_test(a_command_commits_without_a_minority),
		cmocka_unit_test(a_command_is_not_applied_before_the_leaders_own_log_is_durable),
		cmocka_unit_test(a_vote_is_sent_only_after_it_is_durable),
		cmocka_unit_test(a_candidate_asks_for_votes_only_after_its_own_is_durable),
		cmocka_unit_test(a_vote_survives_the_crash_that_follows_it),
		cmocka_unit_test(a_follower_that_was_away_catches_up_by_log),
		cmocka_unit_test(entries_that_left_the_memory_are_sent_from_disk),
		cmocka_unit_test(a_truncated_entry_is_never_reported_as_persisted),
		cmocka_unit_test(what_replaced_a_pending_tail_is_reported_when_durable),
		cmocka_unit_test(a_broken_connection_to_the_leader_starts_an_election_soon),
		cmocka_unit_test(replicas_that_find_each_other_without_a_leader_elect_one_soon),
		cmocka_unit_test(a_replica_that_comes_back_does_not_disturb_a_living_leader),
		cmocka_unit_test(a_dead_leader_is_replaced_after_the_timeout),
		cmocka_unit_test(a_leader_without_a_majority_steps_down),
		cmocka_unit_test(a_new_leader_is_ready_only_after_all_that_was_before_it),
		cmocka_unit_test(a_restart_of_all_keeps_every_acknowledged_command),
		cmocka_unit_test(acknowledged_commands_survive_a_lossy_network_and_changing_leaders),
		cmocka_unit_test(a_removed_replica_leaves_a_tombstone),
		cmocka_unit_test(a_replica_that_lives_here_cannot_be_made_again),
		cmocka_unit_test(a_new_replica_is_silent_until_its_birth_is_durable),
		cmocka_unit_test(an_overload_of_proposals_is_refused),
		cmocka_unit_test(a_full_disk_takes_no_entries_but_keeps_the_leader),
		cmocka_unit_test(a_node_cannot_vote_for_another_nodes_replica),
		cmocka_unit_test(a_node_cannot_lead_in_another_nodes_name),
		cmocka_unit_test(a_replica_that_is_not_known_here_is_heard),
		cmocka_unit_test(a_second_leader_of_the_same_term_is_refused),
		cmocka_unit_test(an_append_that_contradicts_what_is_committed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
