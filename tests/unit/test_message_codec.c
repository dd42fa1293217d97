#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/raft.pb-c.h"
#include "replication/io/message_codec.h"

enum { GROUP = 7, FROM_NODE = 1, FROM_REPLICA = 101, TO_REPLICA = 102, SENT_US = 123456 };

static struct raft_engine_message decode_one(const Cleave__RaftMessage *encoded, struct log_entry *entries)
{
	struct raft_engine_message message;

	assert_int_equal(message_codec_decode(encoded, FROM_NODE, &message, entries), ST_OK);
	return message;
}

static Cleave__RaftMessage an_append(void)
{
	Cleave__RaftMessage message = CLEAVE__RAFT_MESSAGE__INIT;

	message.kind = CLEAVE__RAFT_MESSAGE__KIND__APPEND;
	message.group_id = GROUP;
	message.from_replica = FROM_REPLICA;
	message.to_replica = TO_REPLICA;
	message.term = 9;
	message.prev_index = 20;
	message.prev_term = 8;
	message.commit_index = 19;
	return message;
}

static enum status decode_status(const Cleave__RaftMessage *encoded)
{
	struct log_entry entries[RAFT_ENGINE_ENTRIES_MAX];
	struct raft_engine_message message = { 0 };
	enum status status = message_codec_decode(encoded, FROM_NODE, &message, entries);

	if (status == ST_OK)
		message_codec_release(&message, entries);
	return status;
}

static void an_append_comes_back_with_its_entries(void **state)
{
	struct log_entry sent[2] = { { 8, LOG_ENTRY_COMMAND, log_body_create(3) },
				     { 9, LOG_ENTRY_BARRIER, log_body_create(1) } };
	struct raft_engine_message message = {
		.kind = RAFT_MESSAGE_APPEND,
		.peer_replica_id = TO_REPLICA,
		.peer_node_id = 2,
		.term = 9,
		.prev_index = 20,
		.prev_term = 8,
		.commit_index = 19,
		.entry_count = 2,
		.version = 1,
	};
	struct log_entry received[RAFT_ENGINE_ENTRIES_MAX];
	struct raft_engine_message back;
	Cleave__RaftMessage *encoded;
	struct arena arena;

	(void)state;
	arena_init(&arena, 64 * 1024);
	memcpy(sent[0].body->data, "abc", 3);
	sent[1].body->data[0] = 0;
	encoded = message_codec_encode(&arena, GROUP, FROM_REPLICA, &message, sent, SENT_US);
	assert_non_null(encoded);
	assert_int_equal(encoded->group_id, GROUP);
	assert_int_equal(encoded->to_replica, TO_REPLICA);
	assert_int_equal(encoded->sent_mono_us, SENT_US);
	back = decode_one(encoded, received);
	assert_int_equal(back.peer_replica_id, FROM_REPLICA);
	assert_int_equal(back.peer_node_id, FROM_NODE);
	assert_int_equal(back.term, 9);
	assert_int_equal(back.prev_index, 20);
	assert_int_equal(back.prev_term, 8);
	assert_int_equal(back.commit_index, 19);
	assert_int_equal(back.entry_count, 2);
	assert_ptr_equal(back.entries, received);
	assert_int_equal(received[0].term, 8);
	assert_true(slice_equal(log_entry_slice(&received[0]), slice_of("abc", 3)));
	assert_int_equal(received[1].type, LOG_ENTRY_BARRIER);
	message_codec_release(&back, received);
	log_body_release(sent[0].body);
	log_body_release(sent[1].body);
	arena_close(&arena);
}

static void the_other_kinds_keep_their_fields(void **state)
{
	static const struct raft_engine_message messages[] = {
		{ .kind = RAFT_MESSAGE_APPEND_RESULT,
		  .peer_replica_id = TO_REPLICA,
		  .term = 9,
		  .rejected_index = 5,
		  .last_index = 4,
		  .features = 3,
		  .capacity = 2 },
		{ .kind = RAFT_MESSAGE_VOTE,
		  .peer_replica_id = TO_REPLICA,
		  .term = 9,
		  .prev_index = 4,
		  .prev_term = 3,
		  .candidate_id = FROM_REPLICA,
		  .disrupt_leader = true,
		  .version = 2 },
		{ .kind = RAFT_MESSAGE_VOTE_RESULT,
		  .peer_replica_id = TO_REPLICA,
		  .term = 9,
		  .is_granted = true,
		  .is_pre_vote = true,
		  .version = 2 },
		{ .kind = RAFT_MESSAGE_TIMEOUT_NOW,
		  .peer_replica_id = TO_REPLICA,
		  .term = 9,
		  .prev_index = 4,
		  .prev_term = 3 },
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < ARRAY_COUNT(messages); i++) {
		struct raft_engine_message expected = messages[i];
		struct raft_engine_message back = decode_one(
			message_codec_encode(&arena, GROUP, FROM_REPLICA, &messages[i], NULL, 0), NULL);

		expected.peer_replica_id = FROM_REPLICA;
		assert_int_equal(back.kind, expected.kind);
		assert_int_equal(back.peer_replica_id, expected.peer_replica_id);
		assert_int_equal(back.term, expected.term);
		assert_int_equal(back.prev_index, expected.prev_index);
		assert_int_equal(back.prev_term, expected.prev_term);
		assert_int_equal(back.rejected_index, expected.rejected_index);
		assert_int_equal(back.last_index, expected.last_index);
		assert_int_equal(back.candidate_id, expected.candidate_id);
		assert_int_equal(back.disrupt_leader, expected.disrupt_leader);
		assert_int_equal(back.is_granted, expected.is_granted);
		assert_int_equal(back.is_pre_vote, expected.is_pre_vote);
		assert_int_equal(back.version, expected.version);
		assert_int_equal(back.features, expected.features);
		assert_int_equal(back.capacity, expected.capacity);
	}
	arena_close(&arena);
}

static void an_exhausted_arena_is_an_answer(void **state)
{
	struct raft_engine_message message = { .kind = RAFT_MESSAGE_VOTE, .peer_replica_id = TO_REPLICA };
	struct arena arena;

	(void)state;
	arena_init(&arena, 16);
	assert_null(message_codec_encode(&arena, GROUP, FROM_REPLICA, &message, NULL, 0));
	arena_close(&arena);
}

static void messages_that_the_engine_must_not_see_are_refused(void **state)
{
	Cleave__RaftMessage message = an_append();

	(void)state;
	assert_int_equal(decode_status(&message), ST_OK);
	message.term = 0;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message.term = UINT64_MAX; /* one more would be 0 */
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.from_replica = 0;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.to_replica = 0;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.prev_term = 0; /* an index without a term */
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.prev_term = 10; /* of the future */
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.prev_index = UINT64_MAX;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.version = 256;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message = an_append();
	message.kind = CLEAVE__RAFT_MESSAGE__KIND__INSTALL_SNAPSHOT; /* comes as chunks only */
	assert_int_equal(decode_status(&message), ST_INVALID);
	message.kind = (Cleave__RaftMessage__Kind)77;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message.kind = CLEAVE__RAFT_MESSAGE__KIND__VOTE;
	message.candidate_id = FROM_REPLICA + 1; /* for somebody else */
	assert_int_equal(decode_status(&message), ST_INVALID);
}

static void entries_that_the_engine_must_not_see_are_refused(void **state)
{
	Cleave__RaftEntry entries[2] = { CLEAVE__RAFT_ENTRY__INIT, CLEAVE__RAFT_ENTRY__INIT };
	Cleave__RaftEntry *pointers[RAFT_ENGINE_ENTRIES_MAX + 1];
	Cleave__RaftMessage message = an_append();
	uint8_t body[1] = { 'x' };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(pointers); i++)
		pointers[i] = &entries[0];
	pointers[1] = &entries[1];
	for (size_t i = 0; i < 2; i++) {
		entries[i].term = 8 + i;
		entries[i].type = LOG_ENTRY_COMMAND;
		entries[i].body = (ProtobufCBinaryData){ 1, body };
	}
	message.entries = pointers;
	message.n_entries = 2;
	assert_int_equal(decode_status(&message), ST_OK);
	entries[1].term = 7; /* terms never fall */
	assert_int_equal(decode_status(&message), ST_INVALID);
	entries[1].term = 10; /* nor pass the leader's */
	assert_int_equal(decode_status(&message), ST_INVALID);
	entries[1].term = 0;
	assert_int_equal(decode_status(&message), ST_INVALID);
	entries[1].term = 9;
	entries[1].type = 4;
	assert_int_equal(decode_status(&message), ST_INVALID);
	entries[1].type = LOG_ENTRY_CHANGE; /* "x" is no configuration */
	assert_int_equal(decode_status(&message), ST_INVALID);
	entries[1].type = LOG_ENTRY_COMMAND;
	entries[1].body.len = 0;
	assert_int_equal(decode_status(&message), ST_INVALID);
	entries[1].body.len = 1;
	message.n_entries = RAFT_ENGINE_ENTRIES_MAX + 1;
	assert_int_equal(decode_status(&message), ST_INVALID);
	message.n_entries = 1;
	message.kind = CLEAVE__RAFT_MESSAGE__KIND__APPEND_RESULT; /* carries none */
	assert_int_equal(decode_status(&message), ST_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_append_comes_back_with_its_entries),
		cmocka_unit_test(the_other_kinds_keep_their_fields),
		cmocka_unit_test(an_exhausted_arena_is_an_answer),
		cmocka_unit_test(messages_that_the_engine_must_not_see_are_refused),
		cmocka_unit_test(entries_that_the_engine_must_not_see_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
