#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/wire/methods.h"
#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_state.h"
#include "tests/support/group_fixture.h"

enum { NEW_REPLICA = 204, COMMANDS = 200, SYNC_MS = 3000 };

/* Small logs: who was away for some fifty entries needs a snapshot. */
static struct group_fixture *create_compacting(void)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
		.compact_entries = 20,
		.trailing_entries = 5,
		.behind_entries_max = 30,
	};

	return group_fixture_create(3, &settings);
}

static void commit_one_by_one(struct group_fixture_node *leader, uint32_t count)
{
	char text[32];

	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "command %u", i);
		assert_true(group_fixture_commit(leader, text));
	}
}

/* Node 3 missed more than the log keeps. */
static struct group_fixture_node *leave_behind(struct group_fixture *f)
{
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	group_fixture_run_ms(f, 5);
	group_fixture_isolate(f, 3, true);
	commit_one_by_one(leader, COMMANDS);
	assert_true(leader->group->log.first_index > f->nodes[3].applied_index + 1);
	return leader;
}

static void a_follower_that_was_away_catches_up_by_snapshot(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *leader = leave_behind(f);
	struct group_fixture_node *follower = &f->nodes[3];

	(void)state;
	group_fixture_isolate(f, 3, false);
	group_fixture_run_ms(f, SYNC_MS);
	assert_int_equal(follower->restored_count, 1);
	assert_int_equal(group_install_count(follower->group), 1);
	assert_int_equal(group_fixture_row_count(follower), COMMANDS);
	leader = group_fixture_leader(f);
	assert_non_null(leader);
	assert_true(group_fixture_commit(leader, "after it"));
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(group_fixture_has_row(follower, "after it"));
	group_fixture_destroy(f);
}

static void an_empty_replica_is_filled_by_a_snapshot(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	(void)state;
	commit_one_by_one(leader, 30);
	assert_int_equal(group_fixture_add_replica(&f->nodes[4], NEW_REPLICA), ST_OK);
	assert_false(group_has_state(f->nodes[4].group));
	assert_int_equal(group_member_add_standby(leader->group, NEW_REPLICA, 4), ST_OK);
	group_fixture_run_ms(f, SYNC_MS);
	assert_true(group_has_state(f->nodes[4].group));
	assert_int_equal(f->nodes[4].restored_count, 1);
	assert_int_equal(group_fixture_row_count(&f->nodes[4]), 30);
	group_fixture_destroy(f);
}

static void an_empty_replica_still_waits_after_a_restart(void **state)
{
	struct group_fixture *f = create_compacting();

	(void)state;
	group_fixture_elect(f, 1);
	assert_int_equal(group_fixture_add_replica(&f->nodes[4], NEW_REPLICA), ST_OK);
	group_fixture_run_ms(f, 5);
	group_fixture_crash(&f->nodes[4], 0);
	assert_int_equal(group_fixture_restart(&f->nodes[4]), ST_OK);
	assert_false(group_has_state(f->nodes[4].group));
	group_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS); /* it must not stand for election */
	assert_int_equal(raft_engine_state(f->nodes[4].group->engine), RAFT_STATE_FOLLOWER);
	group_fixture_destroy(f);
}

/* Rows that the leader no longer has must not survive an install. */
static void rows_of_the_old_state_are_replaced(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *follower = &f->nodes[3];
	struct engine_batch *batch;

	(void)state;
	leave_behind(f);
	batch = engine_batch_create(follower->engine);
	engine_batch_put(follower->engine, batch, FAMILY_ITEMS, slice_of_string("old"),
			 slice_of_string("of before"));
	assert_int_equal(engine_write(follower->engine, batch), ST_OK);
	engine_batch_destroy(follower->engine, batch);
	group_fixture_isolate(f, 3, false);
	group_fixture_run_ms(f, SYNC_MS);
	assert_int_equal(follower->restored_count, 1);
	assert_false(group_fixture_has_row(follower, "of before"));
	assert_int_equal(group_fixture_row_count(follower), COMMANDS);
	group_fixture_destroy(f);
}

static void a_lost_chunk_is_followed_by_a_new_stream(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *leader = leave_behind(f);

	(void)state;
	group_fixture_isolate(f, 3, false);
	for (uint32_t i = 0; i < SYNC_MS && queue_is_empty(&leader->calls); i++)
		group_fixture_run_ms(f, 1);
	assert_false(queue_is_empty(&leader->calls));
	group_fixture_break_calls(leader); /* the first chunk's answer will not come */
	group_fixture_run_ms(f, 2 * SYNC_MS);
	assert_true(f->nodes[3].restored_count >= 1);
	assert_int_equal(group_fixture_row_count(&f->nodes[3]), COMMANDS);
	group_fixture_destroy(f);
}

static void a_leader_that_goes_in_the_midst_is_replaced_as_sender(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *leader = leave_behind(f);

	(void)state;
	group_fixture_isolate(f, 3, false);
	for (uint32_t i = 0; i < SYNC_MS && queue_is_empty(&leader->calls); i++)
		group_fixture_run_ms(f, 1);
	group_fixture_crash(leader, 0);
	group_fixture_run_ms(f, 2 * SYNC_MS);
	assert_int_equal(group_fixture_row_count(&f->nodes[3]), COMMANDS);
	group_fixture_destroy(f);
}

/* Run until the follower is in the given place of an install; true if it came there. */
static bool run_until_intent(struct group_fixture *f, struct group_fixture_node *node)
{
	for (uint32_t i = 0; i < SYNC_MS; i++) {
		struct group_state found;

		if (group_state_load(node->engine, GROUP_FIXTURE_GROUP, &found) == ST_OK && found.has_intent)
			return true;
		node->is_disk_held = true; /* one job at a time */
		group_fixture_run_ms(f, 1);
		(void)manual_runtime_run_job(&node->runtime);
	}
	return false;
}

/* End the process after 0, 1, 2 ... further jobs from the intent's sync on: before the rows are
 * replaced, after, and when the record is on its way. */
static void interrupt_install(void (*end)(struct group_fixture_node *node))
{
	for (uint32_t jobs = 0; jobs < 4; jobs++) {
		struct group_fixture *f = create_compacting();
		struct group_fixture_node *follower = &f->nodes[3];

		leave_behind(f);
		group_fixture_isolate(f, 3, false);
		assert_true(run_until_intent(f, follower));
		for (uint32_t i = 0; i < jobs; i++) {
			(void)manual_runtime_run_job(&follower->runtime);
			manual_runtime_turn(&follower->runtime);
		}
		group_fixture_isolate(f, 3, true);
		end(follower);
		assert_int_equal(group_fixture_restart(follower), ST_OK);
		assert_true(group_has_state(follower->group));
		assert_int_equal(group_fixture_row_count(follower), follower->group->applied.index - 11);
		assert_int_equal(follower->group->log.last_index, follower->group->applied.index);
		group_fixture_isolate(f, 3, false);
		group_fixture_run_ms(f, SYNC_MS);
		assert_int_equal(group_fixture_row_count(follower), COMMANDS);
		group_fixture_destroy(f);
	}
}

static void lose_power(struct group_fixture_node *node)
{
	group_fixture_crash(node, 0);
}

static void an_interrupted_install_rolls_forward_at_restart(void **state)
{
	(void)state;
	interrupt_install(lose_power);
}

static void an_install_that_a_stop_interrupts_rolls_forward_too(void **state)
{
	(void)state;
	interrupt_install(group_fixture_stop);
}

static void term_and_vote_are_not_taken_from_a_snapshot(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *follower = &f->nodes[3];
	uint64_t term;

	(void)state;
	leave_behind(f);
	group_fixture_isolate(f, 3, false);
	group_fixture_run_ms(f, SYNC_MS);
	assert_int_equal(follower->restored_count, 1);
	term = raft_engine_term(follower->group->engine);
	assert_true(term >= follower->group->applied.term);
	group_fixture_crash(follower, 0);
	assert_int_equal(group_fixture_restart(follower), ST_OK);
	assert_int_equal(raft_engine_term(follower->group->engine), term);
	group_fixture_destroy(f);
}

static void a_replica_removed_during_an_install_stays_removed(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *follower = &f->nodes[3];
	struct group_state found;

	(void)state;
	leave_behind(f);
	group_fixture_isolate(f, 3, false);
	assert_true(run_until_intent(f, follower));
	group_remove(follower->group);
	follower->group = NULL;
	follower->is_disk_held = false;
	group_fixture_run_ms(f, 50);
	assert_int_equal(group_state_load(follower->engine, GROUP_FIXTURE_GROUP, &found), ST_NOT_FOUND);
	assert_int_equal(found.tombstone_replica_id, group_fixture_replica_of(3));
	group_fixture_destroy(f);
}

/* --- chunks that no correct leader would send --- */

struct asked {
	struct rpc_request base;
	uint8_t body[1024];
	uint32_t reply_count;
	enum status status;
};

static void on_answer(struct rpc_request *request, enum status status, struct slice body)
{
	struct asked *asked = CONTAINER_OF(request, struct asked, base);

	(void)body;
	asked->reply_count++;
	asked->status = status;
}

static const struct rpc_request_ops asked_ops = { .reply = on_answer };

static enum status ask(struct group_fixture_node *node, const Cleave__SnapshotChunk *chunk)
{
	struct asked asked = { .base = {
				       .method = METHOD_SNAPSHOT_CHUNK, .caller_id = 1, .ops = &asked_ops } };

	assert_true(cleave__snapshot_chunk__get_packed_size(chunk) <= sizeof(asked.body));
	asked.base.body = slice_of(asked.body, cleave__snapshot_chunk__pack(chunk, asked.body));
	snapshot_recv_chunk(&node->table, &asked.base);
	group_fixture_run_ms(node->fixture, 1);
	assert_int_equal(asked.reply_count, 1);
	return asked.status;
}

static void chunks_out_of_order_are_refused(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *node = &f->nodes[3];
	struct log_body *members;
	Cleave__SnapshotChunk chunk = CLEAVE__SNAPSHOT_CHUNK__INIT;

	(void)state;
	assert_int_equal(raft_engine_configuration_encode(&node->group->applied.configuration, &members),
			 ST_OK);
	chunk.group_id = GROUP_FIXTURE_GROUP;
	chunk.from_replica = 101;
	chunk.to_replica = 103;
	chunk.snapshot_id = 1;
	chunk.term = 50;
	chunk.index = 500;
	chunk.index_term = 40;
	chunk.configuration_index = 400;
	chunk.configuration = (ProtobufCBinaryData){ members->size_bytes, members->data };
	chunk.chunk_number = 1;
	assert_int_equal(ask(node, &chunk), ST_INVALID); /* a stream begins with 0 */
	chunk.chunk_number = 0;
	assert_int_equal(ask(node, &chunk), ST_OK);
	assert_int_equal(ask(node, &chunk), ST_INVALID); /* twice */
	chunk.chunk_number = 2;
	assert_int_equal(ask(node, &chunk), ST_INVALID); /* a gap */
	chunk.to_replica = 999;
	assert_int_equal(ask(node, &chunk), ST_STALE);
	chunk.to_replica = 103;
	chunk.term = 1;
	assert_int_equal(ask(node, &chunk), ST_STALE); /* of a leader that was */
	log_body_release(members);
	group_fixture_destroy(f);
}

static void chunks_that_say_nonsense_are_refused(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *node = &f->nodes[3];
	uint8_t key[8] = { 1 };
	Cleave__SnapshotRow row = CLEAVE__SNAPSHOT_ROW__INIT;
	Cleave__SnapshotRow *rows[2] = { &row, &row };
	Cleave__SnapshotChunk chunk = CLEAVE__SNAPSHOT_CHUNK__INIT;
	struct log_body *members;

	(void)state;
	assert_int_equal(raft_engine_configuration_encode(&node->group->applied.configuration, &members),
			 ST_OK);
	chunk.group_id = GROUP_FIXTURE_GROUP;
	chunk.from_replica = 101;
	chunk.to_replica = 103;
	chunk.snapshot_id = 1;
	chunk.term = 50;
	chunk.index = 500;
	chunk.index_term = 40;
	assert_int_equal(ask(node, &chunk), ST_CORRUPT); /* no members */
	chunk.configuration = (ProtobufCBinaryData){ members->size_bytes, members->data };
	chunk.index = 0;
	assert_int_equal(ask(node, &chunk), ST_INVALID);
	chunk.index = 500;
	row.key = (ProtobufCBinaryData){ sizeof(key), key };
	chunk.rows = rows;
	chunk.n_rows = 2;
	assert_int_equal(ask(node, &chunk), ST_CORRUPT); /* the same key twice */
	chunk.snapshot_id = 2;
	chunk.n_rows = 1;
	row.family = FAMILY_COUNT;
	assert_int_equal(ask(node, &chunk), ST_CORRUPT);
	log_body_release(members);
	group_fixture_destroy(f);
}

/* A snapshot brings the group's rows, never those of a neighbour or of the log. */
static void rows_outside_the_groups_ranges_are_refused(void **state)
{
	struct group_fixture *f = create_compacting();
	struct group_fixture_node *node = &f->nodes[3];
	uint8_t key[9] = { 0 };
	Cleave__SnapshotRow row = CLEAVE__SNAPSHOT_ROW__INIT;
	Cleave__SnapshotRow *rows[1] = { &row };
	Cleave__SnapshotChunk chunk = CLEAVE__SNAPSHOT_CHUNK__INIT;
	struct log_body *members;

	(void)state;
	assert_int_equal(raft_engine_configuration_encode(&node->group->applied.configuration, &members),
			 ST_OK);
	chunk.group_id = GROUP_FIXTURE_GROUP;
	chunk.from_replica = 101;
	chunk.to_replica = 103;
	chunk.snapshot_id = 1;
	chunk.term = 50;
	chunk.index = 500;
	chunk.index_term = 40;
	chunk.configuration = (ProtobufCBinaryData){ members->size_bytes, members->data };
	row.family = FAMILY_RAFT_STATE;
	row.key = (ProtobufCBinaryData){ sizeof(key), key };
	chunk.rows = rows;
	chunk.n_rows = 1;
	assert_int_equal(ask(node, &chunk), ST_CORRUPT);
	log_body_release(members);
	group_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_follower_that_was_away_catches_up_by_snapshot),
		cmocka_unit_test(an_empty_replica_is_filled_by_a_snapshot),
		cmocka_unit_test(an_empty_replica_still_waits_after_a_restart),
		cmocka_unit_test(rows_of_the_old_state_are_replaced),
		cmocka_unit_test(a_lost_chunk_is_followed_by_a_new_stream),
		cmocka_unit_test(a_leader_that_goes_in_the_midst_is_replaced_as_sender),
		cmocka_unit_test(an_interrupted_install_rolls_forward_at_restart),
		cmocka_unit_test(an_install_that_a_stop_interrupts_rolls_forward_too),
		cmocka_unit_test(term_and_vote_are_not_taken_from_a_snapshot),
		cmocka_unit_test(a_replica_removed_during_an_install_stays_removed),
		cmocka_unit_test(chunks_out_of_order_are_refused),
		cmocka_unit_test(chunks_that_say_nonsense_are_refused),
		cmocka_unit_test(rows_outside_the_groups_ranges_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
