#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/engine/raft_engine.h"

enum { ELECTION_MS = 100, HEARTBEAT_MS = 20, UPDATES_MAX = 64 };

/* What the updates said, added up. */
struct heard {
	uint32_t update_count;
	uint64_t entries_first_index[UPDATES_MAX];
	uint32_t entry_count[UPDATES_MAX];
	enum log_entry_type first_type[UPDATES_MAX];
	struct raft_engine_message last_message;
	uint32_t message_count;
	uint32_t install_count;
};

struct fixture {
	struct raft_engine *engine;
	struct heard heard;
	uint64_t now_ms;
};

static const struct raft_engine_position birth = {
	.index = 10,
	.term = 5,
	.configuration = { .members = { { 101, 1, RAFT_ROLE_VOTER },
					{ 102, 2, RAFT_ROLE_VOTER },
					{ 103, 3, RAFT_ROLE_VOTER } },
			   .count = 3,
			   .index = 10 },
};

static void on_update(void *context, const struct raft_engine_update *update)
{
	struct heard *heard = context;

	assert_true(heard->update_count < UPDATES_MAX);
	heard->entries_first_index[heard->update_count] = update->entries_first_index;
	heard->entry_count[heard->update_count] = update->entry_count;
	if (update->entry_count > 0)
		heard->first_type[heard->update_count] = update->entries[0].type;
	heard->update_count++;
	heard->message_count += update->message_count;
	if (update->message_count > 0)
		heard->last_message = update->messages[update->message_count - 1];
	heard->install_count += update->install != NULL;
}

static void fixture_open(struct fixture *f, const struct raft_engine_position *position)
{
	struct raft_engine_options options = {
		.replica_id = 102,
		.node_id = 2,
		.election_timeout_ms = ELECTION_MS,
		.heartbeat_ms = HEARTBEAT_MS,
		.inflight_entries_max = 64,
		.seed = 1,
		.on_update = on_update,
		.context = &f->heard,
	};

	*f = (struct fixture){ .now_ms = 1000 };
	f->engine = raft_engine_create(&options);
	assert_non_null(f->engine);
	raft_engine_start(f->engine, f->now_ms, 5, 0, position, 11, NULL, 0);
	f->heard = (struct heard){ 0 };
}

static void fixture_close(struct fixture *f)
{
	raft_engine_destroy(f->engine);
}

static struct log_entry make_entry(uint64_t term, enum log_entry_type type, const char *text)
{
	struct log_entry entry = { term, type, log_body_create(strlen(text)) };

	memcpy(entry.body->data, text, strlen(text));
	return entry;
}

static void release(struct log_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		log_body_release(entries[i].body);
}

static void append(struct fixture *f, uint64_t prev_index, uint64_t prev_term, uint64_t commit_index,
		   const struct log_entry *entries, uint32_t count, uint64_t applied_index,
		   uint64_t applied_term)
{
	struct raft_engine_message message = {
		.kind = RAFT_MESSAGE_APPEND,
		.peer_replica_id = 101,
		.peer_node_id = 1,
		.term = 6,
		.prev_index = prev_index,
		.prev_term = prev_term,
		.commit_index = commit_index,
		.entry_count = count,
		.entries = entries,
	};

	raft_engine_receive(f->engine, f->now_ms, &message, applied_index, applied_term);
}

static void a_configuration_change_is_always_the_first_of_what_is_appended(void **state)
{
	struct raft_engine_configuration configuration = birth.configuration;
	struct log_entry entries[4];
	struct raft_engine_configuration heard;
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	configuration.members[2].role = RAFT_ROLE_STANDBY;
	entries[0] = make_entry(6, LOG_ENTRY_COMMAND, "a");
	entries[1] = make_entry(6, LOG_ENTRY_COMMAND, "b");
	entries[2] = (struct log_entry){ 6, LOG_ENTRY_CHANGE, NULL };
	assert_int_equal(raft_engine_configuration_encode(&configuration, &entries[2].body), ST_OK);
	entries[3] = make_entry(6, LOG_ENTRY_COMMAND, "c");
	append(&f, 10, 5, 10, entries, 4, 10, 5);
	assert_int_equal(f.heard.update_count, 2);
	assert_int_equal(f.heard.entries_first_index[0], 11);
	assert_int_equal(f.heard.entry_count[0], 2);
	assert_int_equal(f.heard.entries_first_index[1], 13);
	assert_int_equal(f.heard.entry_count[1], 2);
	assert_int_equal(f.heard.first_type[1], LOG_ENTRY_CHANGE);
	raft_engine_configuration(f.engine, &heard);
	assert_int_equal(heard.index, 13);
	assert_int_equal(heard.members[2].role, RAFT_ROLE_STANDBY);
	release(entries, 4);
	fixture_close(&f);
}

static void entries_at_or_below_the_applied_index_are_clipped(void **state)
{
	struct log_entry entries[3];
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	for (uint32_t i = 0; i < 3; i++)
		entries[i] = make_entry(6, LOG_ENTRY_COMMAND, "x");
	append(&f, 10, 5, 12, entries, 2, 10, 5); /* 11, 12 */
	raft_engine_persisted(f.engine, f.now_ms, 12);
	raft_engine_compacted(f.engine, f.now_ms,
			      &(struct raft_engine_position){ 12, 6, birth.configuration }, 0);
	f.heard = (struct heard){ 0 };
	append(&f, 10, 5, 12, entries, 3, 12, 6); /* 11, 12 again and 13 */
	assert_int_equal(f.heard.entries_first_index[0], 13);
	assert_int_equal(f.heard.entry_count[0], 1);
	append(&f, 10, 5, 12, entries, 1, 12, 6); /* 11 alone: nothing new, and not refused */
	assert_int_equal(f.heard.last_message.kind, RAFT_MESSAGE_APPEND_RESULT);
	assert_int_equal(f.heard.last_message.rejected_index, 0);
	assert_int_equal(f.heard.last_message.last_index, 12);
	release(entries, 3);
	fixture_close(&f);
}

static void what_is_not_durable_is_not_acknowledged(void **state)
{
	struct log_entry entry = make_entry(6, LOG_ENTRY_COMMAND, "x");
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	append(&f, 10, 5, 10, &entry, 1, 10, 5);
	assert_int_equal(f.heard.message_count, 0);
	assert_int_equal(raft_engine_last_index(f.engine), 11);
	assert_int_equal(raft_engine_last_stored(f.engine), 10);
	raft_engine_persisted(f.engine, f.now_ms, 11);
	assert_int_equal(f.heard.message_count, 1);
	assert_int_equal(f.heard.last_message.last_index, 11);
	assert_int_equal(f.heard.last_message.peer_node_id, 1);
	raft_engine_persisted(f.engine, f.now_ms, 11); /* twice says nothing new */
	assert_int_equal(f.heard.message_count, 1);
	release(&entry, 1);
	fixture_close(&f);
}

static void the_commit_index_never_passes_what_the_message_vouches_for(void **state)
{
	struct log_entry entries[2];
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	for (uint32_t i = 0; i < 2; i++)
		entries[i] = make_entry(6, LOG_ENTRY_COMMAND, "x");
	append(&f, 10, 5, 10, entries, 2, 10, 5);
	append(&f, 11, 6, 1000, NULL, 0, 10, 5);
	assert_int_equal(raft_engine_commit_index(f.engine), 11);
	release(entries, 2);
	fixture_close(&f);
}

static void a_replica_without_position_does_not_stand_for_election(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	for (uint32_t i = 0; i < 10; i++) {
		f.now_ms += ELECTION_MS;
		raft_engine_timeout(f.engine, f.now_ms);
	}
	assert_int_equal(raft_engine_state(f.engine), RAFT_STATE_FOLLOWER);
	assert_int_equal(f.heard.message_count, 0);
	fixture_close(&f);
}

static void an_offered_snapshot_is_installed_once_and_gone_on_from(void **state)
{
	struct raft_engine_position position = { 500, 6, birth.configuration };
	struct fixture f;

	(void)state;
	position.configuration.index = 400;
	fixture_open(&f, NULL);
	raft_engine_offer_snapshot(f.engine, f.now_ms, 101, 1, 6, &position);
	assert_int_equal(f.heard.install_count, 1);
	assert_true(raft_engine_is_installing(f.engine));
	raft_engine_offer_snapshot(f.engine, f.now_ms, 101, 1, 6, &position);
	assert_int_equal(f.heard.install_count, 1); /* the second while the first is under way */
	raft_engine_installed(f.engine, f.now_ms, &position);
	assert_false(raft_engine_is_installing(f.engine));
	assert_int_equal(raft_engine_last_index(f.engine), 500);
	assert_int_equal(f.heard.last_message.kind, RAFT_MESSAGE_APPEND_RESULT);
	assert_int_equal(f.heard.last_message.last_index, 500);
	raft_engine_offer_snapshot(f.engine, f.now_ms, 101, 1, 6, &position);
	assert_int_equal(f.heard.install_count, 1); /* is there already */
	fixture_close(&f);
}

/* And not answered: the library would say that it has been taken. */
static void a_snapshot_of_an_old_leader_is_dropped(void **state)
{
	struct raft_engine_position position = { 500, 4, birth.configuration };
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	raft_engine_offer_snapshot(f.engine, f.now_ms, 101, 1, 4, &position);
	assert_int_equal(f.heard.install_count, 0);
	assert_int_equal(f.heard.message_count, 0);
	fixture_close(&f);
}

static void only_a_leader_takes_submissions(void **state)
{
	struct log_entry entry = make_entry(0, LOG_ENTRY_COMMAND, "x");
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	assert_int_equal(raft_engine_submit(f.engine, f.now_ms, &entry, 1), ST_NOT_LEADER);
	assert_int_equal(raft_engine_transfer(f.engine, f.now_ms, 101), ST_NOT_LEADER);
	assert_int_equal(f.heard.update_count, 0);
	release(&entry, 1);
	fixture_close(&f);
}

static void campaigning_brings_the_deadline_forward(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	assert_true(raft_engine_deadline_ms(f.engine) >= f.now_ms + ELECTION_MS);
	raft_engine_campaign(f.engine, f.now_ms, 5);
	assert_int_equal(raft_engine_deadline_ms(f.engine), f.now_ms + 5);
	raft_engine_timeout(f.engine, f.now_ms + 5);
	assert_int_equal(raft_engine_state(f.engine), RAFT_STATE_CANDIDATE);
	assert_int_equal(f.heard.last_message.kind, RAFT_MESSAGE_VOTE);
	assert_true(f.heard.last_message.is_pre_vote);
	fixture_close(&f);
}

static void a_vote_that_nobody_asked_for_changes_nothing(void **state)
{
	struct raft_engine_message vote = {
		.kind = RAFT_MESSAGE_VOTE_RESULT,
		.peer_replica_id = 101,
		.peer_node_id = 1,
		.term = 50,
		.is_granted = true,
		.version = 1,
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	raft_engine_receive(f.engine, f.now_ms, &vote, 10, 5);
	assert_int_equal(raft_engine_term(f.engine), 5);
	raft_engine_campaign(f.engine, f.now_ms, 0);
	raft_engine_timeout(f.engine, f.now_ms);
	raft_engine_receive(f.engine, f.now_ms, &vote, 10, 5); /* of a term far ahead */
	assert_int_equal(raft_engine_state(f.engine), RAFT_STATE_CANDIDATE);
	assert_int_equal(raft_engine_term(f.engine), 5);
	vote.term = 6;
	vote.is_pre_vote = true;
	raft_engine_receive(f.engine, f.now_ms, &vote, 10, 5); /* the one it asked for */
	assert_int_equal(raft_engine_term(f.engine), 6);
	fixture_close(&f);
}

/* Win the election of term 6 with the voice of 101. */
static void lead(struct fixture *f)
{
	struct raft_engine_message vote = {
		.kind = RAFT_MESSAGE_VOTE_RESULT,
		.peer_replica_id = 101,
		.peer_node_id = 1,
		.term = 6,
		.is_granted = true,
		.is_pre_vote = true,
		.version = 2,
	};

	raft_engine_campaign(f->engine, f->now_ms, 0);
	raft_engine_timeout(f->engine, f->now_ms);
	raft_engine_receive(f->engine, f->now_ms, &vote, 10, 5);
	vote.is_pre_vote = false;
	raft_engine_receive(f->engine, f->now_ms, &vote, 10, 5);
	assert_int_equal(raft_engine_state(f->engine), RAFT_STATE_LEADER);
}

static void an_old_rejection_does_not_undo_an_acknowledgement(void **state)
{
	struct log_entry entry = make_entry(0, LOG_ENTRY_COMMAND, "x");
	struct raft_engine_message result = {
		.kind = RAFT_MESSAGE_APPEND_RESULT,
		.peer_replica_id = 101,
		.peer_node_id = 1,
		.term = 6,
		.last_index = 11,
	};
	uint64_t match;
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	lead(&f);
	assert_int_equal(raft_engine_submit(f.engine, f.now_ms, &entry, 1), ST_OK);
	raft_engine_receive(f.engine, f.now_ms, &result, 10, 5);
	f.heard = (struct heard){ 0 };
	result.rejected_index = 11;
	result.last_index = 3;
	raft_engine_receive(f.engine, f.now_ms, &result, 10, 5);
	assert_int_equal(f.heard.message_count, 0); /* nothing is sent again */
	assert_true(raft_engine_match_index(f.engine, 101, &match));
	assert_int_equal(match, 11);
	release(&entry, 1);
	fixture_close(&f);
}

/* A follower that stood for election while it could not be heard is in a newer term, and refuses
 * what it had acknowledged. */
static void a_rejection_from_a_newer_term_ends_the_leadership(void **state)
{
	struct log_entry entry = make_entry(0, LOG_ENTRY_COMMAND, "x");
	struct raft_engine_message result = {
		.kind = RAFT_MESSAGE_APPEND_RESULT,
		.peer_replica_id = 101,
		.peer_node_id = 1,
		.term = 6,
		.last_index = 11,
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	lead(&f);
	assert_int_equal(raft_engine_submit(f.engine, f.now_ms, &entry, 1), ST_OK);
	raft_engine_receive(f.engine, f.now_ms, &result, 10, 5);
	result.term = 9;
	result.rejected_index = 11;
	raft_engine_receive(f.engine, f.now_ms, &result, 10, 5);
	assert_int_equal(raft_engine_state(f.engine), RAFT_STATE_FOLLOWER);
	assert_int_equal(raft_engine_term(f.engine), 9);
	release(&entry, 1);
	fixture_close(&f);
}

/* To an append; rejected_index 0: as acknowledged. */
static void answer(struct fixture *f, uint64_t replica_id, uint64_t rejected_index, uint64_t last_index)
{
	struct raft_engine_message result = {
		.kind = RAFT_MESSAGE_APPEND_RESULT,
		.peer_replica_id = replica_id,
		.peer_node_id = replica_id - 100,
		.term = 6,
		.rejected_index = rejected_index,
		.last_index = last_index,
	};

	raft_engine_receive(f->engine, f->now_ms, &result, 10, 5);
}

static void acknowledge(struct fixture *f, uint64_t replica_id, uint64_t last_index)
{
	answer(f, replica_id, 0, last_index);
}

/* What was sent last to one follower was sent a little later than to the other. */
static void speak_out_of_step(struct fixture *f)
{
	struct log_entry entry = make_entry(0, LOG_ENTRY_COMMAND, "x");

	assert_int_equal(raft_engine_submit(f->engine, f->now_ms, &entry, 1), ST_OK);
	acknowledge(f, 101, 11);
	f->now_ms += 3;
	assert_int_equal(raft_engine_submit(f->engine, f->now_ms, &entry, 1), ST_OK);
	f->now_ms++;
	acknowledge(f, 103, 11);
	acknowledge(f, 101, 12);
	acknowledge(f, 103, 12);
	release(&entry, 1);
}

static void after_heartbeats_a_write_is_sent_at_once(void **state)
{
	enum { HEARTBEATS = 10, ANSWER_MS = 2 };
	struct log_entry entry = make_entry(0, LOG_ENTRY_COMMAND, "x");
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	lead(&f);
	speak_out_of_step(&f);
	for (int i = 0; i < HEARTBEATS; i++) {
		f.now_ms = raft_engine_deadline_ms(f.engine);
		raft_engine_timeout(f.engine, f.now_ms);
		if (raft_engine_deadline_ms(f.engine) <= f.now_ms + ANSWER_MS)
			continue; /* before anybody could answer */
		f.now_ms += ANSWER_MS;
		acknowledge(&f, 101, 12);
		acknowledge(&f, 103, 12);
	}
	f.now_ms++;
	f.heard = (struct heard){ 0 };
	assert_int_equal(raft_engine_submit(f.engine, f.now_ms, &entry, 1), ST_OK);
	assert_int_equal(f.heard.message_count, 2);
	assert_int_equal(f.heard.last_message.entry_count, 1);
	release(&entry, 1);
	fixture_close(&f);
}

/* 101 has everything up to last_index, and the log is cut there. */
static void move_on_without_103(struct fixture *f, uint64_t last_index)
{
	struct raft_engine_position position = birth;
	struct log_entry entry = make_entry(0, LOG_ENTRY_COMMAND, "x");

	while (raft_engine_last_index(f->engine) < last_index)
		assert_int_equal(raft_engine_submit(f->engine, f->now_ms, &entry, 1), ST_OK);
	raft_engine_persisted(f->engine, f->now_ms, last_index);
	acknowledge(f, 101, last_index);
	assert_int_equal(raft_engine_commit_index(f->engine), last_index);
	position.index = last_index;
	position.term = 6;
	raft_engine_compacted(f->engine, f->now_ms, &position, 0);
	release(&entry, 1);
}

static void a_snapshot_that_was_lost_is_sent_again(void **state)
{
	enum { PATIENCE_MS = 10 * 1000 };
	uint64_t lost_ms;
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	lead(&f);
	move_on_without_103(&f, 13);
	answer(&f, 103, 10, 10); /* it ends at the birth of the group */
	assert_int_equal(f.heard.last_message.kind, RAFT_MESSAGE_INSTALL_SNAPSHOT);
	move_on_without_103(&f, 16); /* what it refuses from here on is not that snapshot */
	lost_ms = f.now_ms;
	do {
		f.heard = (struct heard){ 0 };
		f.now_ms = raft_engine_deadline_ms(f.engine);
		assert_true(f.now_ms < lost_ms + PATIENCE_MS);
		raft_engine_timeout(f.engine, f.now_ms);
		acknowledge(&f, 101, 16);
		answer(&f, 103, 16, 10);
	} while (f.heard.last_message.kind != RAFT_MESSAGE_INSTALL_SNAPSHOT);
	assert_int_equal(f.heard.last_message.peer_replica_id, 103);
	fixture_close(&f);
}

static void a_refusal_of_an_old_term_tells_where_the_log_ends(void **state)
{
	struct log_entry entry = make_entry(5, LOG_ENTRY_COMMAND, "x");
	struct raft_engine_message old = {
		.kind = RAFT_MESSAGE_APPEND,
		.peer_replica_id = 101,
		.peer_node_id = 1,
		.term = 4,
		.prev_index = 10,
		.prev_term = 5,
		.entry_count = 1,
		.entries = &entry,
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	raft_engine_receive(f.engine, f.now_ms, &old, 10, 5);
	assert_int_equal(f.heard.last_message.kind, RAFT_MESSAGE_APPEND_RESULT);
	assert_int_not_equal(f.heard.last_message.rejected_index, 0);
	assert_int_equal(f.heard.last_message.last_index, 10);
	release(&entry, 1);
	fixture_close(&f);
}

static void a_leader_takes_no_snapshot_of_its_own_term(void **state)
{
	struct raft_engine_position position = { 500, 6, birth.configuration };
	struct fixture f;

	(void)state;
	fixture_open(&f, &birth);
	lead(&f);
	raft_engine_offer_snapshot(f.engine, f.now_ms, 103, 3, 6, &position);
	assert_int_equal(f.heard.install_count, 0);
	assert_int_equal(raft_engine_state(f.engine), RAFT_STATE_LEADER);
	fixture_close(&f);
}

/* --- configurations --- */

static enum status recode(const struct raft_engine_configuration *configuration,
			  struct raft_engine_configuration *back)
{
	struct log_body *body;
	enum status status = raft_engine_configuration_encode(configuration, &body);

	assert_int_equal(status, ST_OK);
	status = raft_engine_configuration_decode(slice_of(body->data, body->size_bytes), back);
	log_body_release(body);
	return status;
}

static void a_configuration_comes_back_as_it_was_encoded(void **state)
{
	struct raft_engine_configuration full = { .count = RAFT_ENGINE_MEMBERS_MAX };
	struct raft_engine_configuration back;

	(void)state;
	for (uint32_t i = 0; i < full.count; i++)
		full.members[i] = (struct raft_engine_member){ UINT64_MAX - i, UINT64_MAX - 100 - i,
							       (enum raft_engine_role)(i % 3) };
	assert_int_equal(recode(&full, &back), ST_OK);
	assert_int_equal(back.count, full.count);
	for (uint32_t i = 0; i < full.count; i++) {
		assert_true(back.members[i].replica_id == full.members[i].replica_id);
		assert_true(back.members[i].node_id == full.members[i].node_id);
		assert_int_equal(back.members[i].role, full.members[i].role);
	}
}

static void configurations_that_name_somebody_twice_are_not_encoded(void **state)
{
	struct raft_engine_configuration twice = birth.configuration;
	struct log_body *body;

	(void)state;
	twice.members[1].replica_id = twice.members[0].replica_id;
	assert_int_equal(raft_engine_configuration_encode(&twice, &body), ST_INVALID);
	twice = birth.configuration;
	twice.members[1].node_id = twice.members[0].node_id;
	assert_int_equal(raft_engine_configuration_encode(&twice, &body), ST_INVALID);
}

/* Version 1, the count, then one member each of id 101 and 102 with these names. */
static enum status decode_two(const char *first, const char *second, uint8_t second_id, uint8_t role)
{
	struct raft_engine_configuration back;
	struct buf bytes;
	enum status status;

	buf_init(&bytes, 256);
	buf_put_u8(&bytes, 1);
	buf_append(&bytes, "\x02\0\0\0\0\0\0\0", 8);
	buf_append(&bytes, "\x65\0\0\0\0\0\0\0", 8);
	buf_append(&bytes, first, strlen(first) + 1);
	buf_put_u8(&bytes, role);
	buf_put_u8(&bytes, second_id);
	buf_append(&bytes, "\0\0\0\0\0\0\0", 7);
	buf_append(&bytes, second, strlen(second) + 1);
	buf_put_u8(&bytes, role);
	status = raft_engine_configuration_decode(buf_slice(&bytes), &back);
	buf_close(&bytes);
	return status;
}

static void configurations_that_the_library_would_trip_over_are_corrupt(void **state)
{
	(void)state;
	assert_int_equal(decode_two("1", "2", 0x66, RAFT_ROLE_VOTER), ST_OK);
	assert_int_equal(decode_two("1", "1", 0x66, RAFT_ROLE_VOTER), ST_CORRUPT);
	assert_int_equal(decode_two("1", "01", 0x66, RAFT_ROLE_VOTER), ST_CORRUPT); /* the same node */
	assert_int_equal(decode_two("1", "x", 0x66, RAFT_ROLE_VOTER), ST_CORRUPT);
	assert_int_equal(decode_two("1", "", 0x66, RAFT_ROLE_VOTER), ST_CORRUPT);
	assert_int_equal(decode_two("1", "2", 0x65, RAFT_ROLE_VOTER), ST_CORRUPT);
	assert_int_equal(decode_two("1", "2", 0, RAFT_ROLE_VOTER), ST_CORRUPT);
	assert_int_equal(decode_two("1", "2", 0x66, 3), ST_CORRUPT);
	assert_int_equal(decode_two("1", "2", 0x66, RAFT_ROLE_STANDBY), ST_CORRUPT); /* nobody votes */
	assert_int_equal(decode_two("1", "123456789012345678901234567890", 0x66, RAFT_ROLE_VOTER),
			 ST_CORRUPT);
}

static void every_cut_of_a_configuration_is_corrupt(void **state)
{
	struct raft_engine_configuration back;
	struct log_body *body;
	size_t used = 1 + 8 + 3 * (8 + 2 + 1);

	(void)state;
	assert_int_equal(raft_engine_configuration_encode(&birth.configuration, &body), ST_OK);
	for (size_t size = 0; size < used; size++)
		assert_int_equal(raft_engine_configuration_decode(slice_of(body->data, size), &back),
				 ST_CORRUPT);
	assert_int_equal(raft_engine_configuration_decode(slice_of(body->data, used), &back), ST_OK);
	log_body_release(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_change_is_always_the_first_of_what_is_appended),
		cmocka_unit_test(entries_at_or_below_the_applied_index_are_clipped),
		cmocka_unit_test(what_is_not_durable_is_not_acknowledged),
		cmocka_unit_test(the_commit_index_never_passes_what_the_message_vouches_for),
		cmocka_unit_test(a_replica_without_position_does_not_stand_for_election),
		cmocka_unit_test(an_offered_snapshot_is_installed_once_and_gone_on_from),
		cmocka_unit_test(a_snapshot_of_an_old_leader_is_dropped),
		cmocka_unit_test(only_a_leader_takes_submissions),
		cmocka_unit_test(campaigning_brings_the_deadline_forward),
		cmocka_unit_test(a_vote_that_nobody_asked_for_changes_nothing),
		cmocka_unit_test(an_old_rejection_does_not_undo_an_acknowledgement),
		cmocka_unit_test(a_rejection_from_a_newer_term_ends_the_leadership),
		cmocka_unit_test(after_heartbeats_a_write_is_sent_at_once),
		cmocka_unit_test(a_snapshot_that_was_lost_is_sent_again),
		cmocka_unit_test(a_refusal_of_an_old_term_tells_where_the_log_ends),
		cmocka_unit_test(a_leader_takes_no_snapshot_of_its_own_term),
		cmocka_unit_test(a_configuration_comes_back_as_it_was_encoded),
		cmocka_unit_test(configurations_that_name_somebody_twice_are_not_encoded),
		cmocka_unit_test(configurations_that_the_library_would_trip_over_are_corrupt),
		cmocka_unit_test(every_cut_of_a_configuration_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
