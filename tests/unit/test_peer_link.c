#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "proto/wire/methods.h"
#include "replication/io/peer_link.h"
#include "tests/support/manual_runtime.h"

enum { GROUP = 7, OWN_REPLICA = 101, NODE = 1, FRAMES_MAX = 8, FRAME_SIZE_MAX = 64 * 1024 };

struct fixture {
	struct manual_runtime runtime;
	struct rpc_transport transport;
	enum status post_status;
	uint32_t frame_count;
	uint64_t frame_peer[FRAMES_MAX];
	size_t frame_size[FRAMES_MAX];
	uint8_t frames[FRAMES_MAX][FRAME_SIZE_MAX];
	struct peer_link link;
	/* Heard. */
	uint32_t message_count;
	struct raft_engine_message message;
	uint64_t message_group;
	uint64_t message_to;
	uint64_t message_sent_us;
	uint8_t first_byte;
	uint32_t request_count;
	struct peer_link_confirm request;
	uint32_t reply_count;
	uint32_t echo_count;
	struct peer_link_echo echo;
	uint64_t from_node_id;
};

static enum status post(struct rpc_transport *transport, uint64_t peer_id, uint16_t method, struct slice body)
{
	struct fixture *f = CONTAINER_OF(transport, struct fixture, transport);

	assert_int_equal(method, METHOD_RAFT_MESSAGES);
	assert_true(f->frame_count < FRAMES_MAX);
	f->frame_peer[f->frame_count] = peer_id;
	f->frame_size[f->frame_count] = body.size;
	if (body.size <= FRAME_SIZE_MAX)
		memcpy(f->frames[f->frame_count], body.data, body.size);
	f->frame_count++;
	return f->post_status;
}

static const struct rpc_transport_ops transport_ops = { .post = post };

static void on_message(void *context, uint64_t group_id, uint64_t to_replica_id,
		       const struct raft_engine_message *message, uint64_t sent_mono_us)
{
	struct fixture *f = context;

	f->message_count++;
	f->message = *message;
	f->message_group = group_id;
	f->message_to = to_replica_id;
	f->message_sent_us = sent_mono_us;
	if (message->entry_count > 0)
		f->first_byte = message->entries[0].body->data[0];
}

static void on_request(void *context, uint64_t from_node_id, const struct peer_link_confirm *confirm)
{
	struct fixture *f = context;

	f->request_count++;
	f->request = *confirm;
	f->from_node_id = from_node_id;
}

static void on_reply(void *context, uint64_t from_node_id, const struct peer_link_confirm *confirm)
{
	(void)from_node_id;
	(void)confirm;
	((struct fixture *)context)->reply_count++;
}

static void on_echo(void *context, uint64_t from_node_id, const struct peer_link_echo *echo)
{
	struct fixture *f = context;

	(void)from_node_id;
	f->echo_count++;
	f->echo = *echo;
}

static struct fixture *fixture_create(void)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct peer_link_receiver receiver = { on_message, on_request, on_reply, on_echo, f };

	manual_runtime_init(&f->runtime);
	f->transport.ops = &transport_ops;
	queue_init(&f->transport.observers);
	peer_link_init(&f->link, &f->runtime.base, &f->transport, &receiver);
	return f;
}

static void fixture_destroy(struct fixture *f)
{
	peer_link_close(&f->link);
	manual_runtime_close(&f->runtime);
	test_free(f);
}

static void send_entry(struct fixture *f, uint64_t node_id, size_t size_bytes)
{
	struct log_entry entry = { 9, LOG_ENTRY_COMMAND, log_body_create(size_bytes) };
	struct raft_engine_message message = {
		.kind = RAFT_MESSAGE_APPEND,
		.peer_replica_id = 100 + node_id,
		.peer_node_id = node_id,
		.term = 9,
		.prev_index = 20,
		.prev_term = 8,
		.entry_count = 1,
	};

	memset(entry.body->data, 'e', size_bytes);
	peer_link_send(&f->link, GROUP, OWN_REPLICA, &message, &entry);
	log_body_release(entry.body); /* the link keeps its own reference until the turn's end */
}

static void all_of_a_turn_leaves_in_one_frame_per_peer(void **state)
{
	struct fixture *f = fixture_create();
	struct peer_link_confirm confirm = { GROUP, 9, 3, OWN_REPLICA };
	struct peer_link_echo echo = { GROUP, 9, 777, OWN_REPLICA };

	(void)state;
	send_entry(f, 2, 10);
	send_entry(f, 2, 10);
	send_entry(f, 3, 10);
	peer_link_send_confirm(&f->link, 2, &confirm);
	peer_link_send_confirm_reply(&f->link, 2, &confirm);
	peer_link_send_echo(&f->link, 2, &echo);
	assert_int_equal(f->frame_count, 0);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(f->frame_count, 2);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(f->frame_count, 2); /* nothing is sent twice */
	assert_int_equal(f->link.dropped_count, 0);
	fixture_destroy(f);
}

static void what_was_sent_is_heard(void **state)
{
	struct fixture *f = fixture_create();
	struct peer_link_confirm confirm = { GROUP, 9, 3, OWN_REPLICA };
	struct peer_link_echo echo = { GROUP, 9, 777, OWN_REPLICA };

	(void)state;
	send_entry(f, 2, 10);
	peer_link_send_confirm(&f->link, 2, &confirm);
	peer_link_send_confirm_reply(&f->link, 2, &confirm);
	peer_link_send_echo(&f->link, 2, &echo);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(peer_link_receive(&f->link, NODE, slice_of(f->frames[0], f->frame_size[0])), ST_OK);
	assert_int_equal(f->message_count, 1);
	assert_int_equal(f->message_group, GROUP);
	assert_int_equal(f->message_to, 102);
	assert_int_equal(f->message.peer_replica_id, OWN_REPLICA);
	assert_int_equal(f->message.peer_node_id, NODE);
	assert_int_equal(f->message.entry_count, 1);
	assert_int_equal(f->first_byte, 'e');
	assert_true(f->message_sent_us == f->runtime.now_us);
	assert_int_equal(f->request_count, 1);
	assert_int_equal(f->request.round, 3);
	assert_int_equal(f->request.replica_id, OWN_REPLICA);
	assert_int_equal(f->from_node_id, NODE);
	assert_int_equal(f->reply_count, 1);
	assert_int_equal(f->echo_count, 1);
	assert_int_equal(f->echo.sent_mono_us, 777);
	fixture_destroy(f);
}

static void more_than_a_turns_bytes_is_dropped_and_counted(void **state)
{
	struct fixture *f = fixture_create();

	(void)state;
	send_entry(f, 2, PEER_LINK_QUEUE_BYTES_MAX); /* one alone may always go */
	assert_int_equal(f->link.dropped_count, 0);
	send_entry(f, 2, 1);
	assert_int_equal(f->link.dropped_count, 1);
	send_entry(f, 3, 1); /* another peer's queue is its own */
	assert_int_equal(f->link.dropped_count, 1);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(f->frame_count, 2);
	send_entry(f, 2, 1); /* there is room again */
	assert_int_equal(f->link.dropped_count, 1);
	fixture_destroy(f);
}

static void more_than_a_turns_messages_is_dropped_and_counted(void **state)
{
	struct fixture *f = fixture_create();
	struct raft_engine_message vote = {
		.kind = RAFT_MESSAGE_VOTE, .peer_replica_id = 102, .peer_node_id = 2, .term = 9
	};

	(void)state;
	for (uint32_t i = 0; i < PEER_LINK_MESSAGES_MAX + 5; i++)
		peer_link_send(&f->link, GROUP, OWN_REPLICA, &vote, NULL);
	assert_int_equal(f->link.dropped_count, 5);
	fixture_destroy(f);
}

static void an_unreachable_peer_loses_its_frame(void **state)
{
	struct fixture *f = fixture_create();

	(void)state;
	f->post_status = ST_UNREACHABLE;
	send_entry(f, 2, 10);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(f->link.dropped_count, 1);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(f->frame_count, 1); /* not tried again: the engine does that */
	fixture_destroy(f);
}

static void a_bad_message_does_not_spoil_the_good_ones(void **state)
{
	struct fixture *f = fixture_create();
	struct raft_engine_message bad = { .kind = RAFT_MESSAGE_VOTE,
					   .peer_replica_id = 102,
					   .peer_node_id = 2,
					   .term = 9,
					   .candidate_id = 999 };

	(void)state;
	peer_link_send(&f->link, GROUP, OWN_REPLICA, &bad, NULL);
	send_entry(f, 2, 10);
	manual_runtime_turn(&f->runtime);
	assert_int_equal(peer_link_receive(&f->link, NODE, slice_of(f->frames[0], f->frame_size[0])), ST_OK);
	assert_int_equal(f->message_count, 1);
	assert_int_equal(f->message.kind, RAFT_MESSAGE_APPEND);
	assert_int_equal(f->link.dropped_count, 1);
	fixture_destroy(f);
}

static void bytes_that_are_no_batch_are_corrupt(void **state)
{
	struct fixture *f = fixture_create();

	(void)state;
	assert_int_equal(peer_link_receive(&f->link, NODE, slice_of("\x0a\xff", 2)), ST_CORRUPT);
	assert_int_equal(peer_link_receive(&f->link, NODE, slice_of("", 0)), ST_OK); /* says nothing */
	assert_int_equal(f->message_count, 0);
	fixture_destroy(f);
}

static void the_fault_point_drops_messages(void **state)
{
	struct fixture *f = fixture_create();

	(void)state;
	fault_set(FAULT_LINK_DROP, 1000000, 0);
	send_entry(f, 2, 10);
	fault_clear_all();
	manual_runtime_turn(&f->runtime);
	assert_int_equal(f->frame_count, 0);
	assert_int_equal(f->link.dropped_count, 1);
	fixture_destroy(f);
}

static void closing_forgets_what_is_queued(void **state)
{
	struct fixture *f = fixture_create();

	(void)state;
	send_entry(f, 2, 10);
	fixture_destroy(f); /* ASan reports a body that stays */
}

static void a_frame_says_whether_its_senders_disk_is_full(void **state)
{
	struct fixture *f = fixture_create();
	struct slice full;
	struct slice has_room;

	(void)state;
	f->link.is_disk_full = true;
	f->link.refuses_entries = true;
	send_entry(f, 2, 10);
	manual_runtime_turn(&f->runtime);
	f->link.is_disk_full = false;
	f->link.refuses_entries = false;
	send_entry(f, 2, 10);
	manual_runtime_turn(&f->runtime);
	full = slice_of(f->frames[0], f->frame_size[0]);
	has_room = slice_of(f->frames[1], f->frame_size[1]);
	assert_int_equal(peer_link_heard_mono_us(&f->link, 7), 0);
	for (uint32_t i = 0; i < 2; i++) {
		manual_runtime_advance_ms(&f->runtime, 5);
		assert_int_equal(peer_link_receive(&f->link, 7, full), ST_OK);
		assert_true(peer_link_is_disk_full(&f->link, 7));
		assert_true(peer_link_refuses_entries(&f->link, 7));
		assert_true(peer_link_heard_mono_us(&f->link, 7) == f->runtime.now_us);
		assert_false(peer_link_is_disk_full(&f->link, 8));
		assert_int_equal(f->link.full_peer_count, 1);
	}
	assert_int_equal(peer_link_receive(&f->link, 8, full), ST_OK);
	assert_int_equal(f->link.full_peer_count, 2);
	assert_int_equal(peer_link_receive(&f->link, 7, has_room), ST_OK);
	assert_int_equal(peer_link_receive(&f->link, 7, has_room), ST_OK);
	assert_false(peer_link_is_disk_full(&f->link, 7));
	assert_false(peer_link_refuses_entries(&f->link, 7));
	assert_true(peer_link_refuses_entries(&f->link, 8));
	assert_int_equal(f->link.full_peer_count, 1);
	fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_turn_leaves_in_one_frame_per_peer),
		cmocka_unit_test(what_was_sent_is_heard),
		cmocka_unit_test(more_than_a_turns_bytes_is_dropped_and_counted),
		cmocka_unit_test(more_than_a_turns_messages_is_dropped_and_counted),
		cmocka_unit_test(an_unreachable_peer_loses_its_frame),
		cmocka_unit_test(a_bad_message_does_not_spoil_the_good_ones),
		cmocka_unit_test(bytes_that_are_no_batch_are_corrupt),
		cmocka_unit_test(a_frame_says_whether_its_senders_disk_is_full),
		cmocka_unit_test(the_fault_point_drops_messages),
		cmocka_unit_test(closing_forgets_what_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
