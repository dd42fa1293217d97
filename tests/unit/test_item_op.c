#include "tests/unit/item_op_fixture.h"

static void a_put_goes_to_the_preferred_leader_and_is_done_once(void **state)
{
	static const struct scripted script[] = { { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(f.sent[0].peer_id, 1);
	assert_int_equal(f.sent[0].method, METHOD_WRITE_ITEM);
	assert_int_equal(f.sent[0].partition_id, FIXTURE_PARTITION);
	assert_int_equal(f.sent[0].epoch, FIXTURE_EPOCH);
	assert_int_equal(f.sent[0].age_ms, 0);
	fixture_close(&f);
}

static void a_put_retries_with_the_same_request_id_when_its_connection_breaks(void **state)
{
	static const struct scripted script[] = { { .status = ST_CLOSED }, { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, 2);
	assert_memory_equal(f.sent[0].request_id, f.sent[1].request_id, ITEM_OP_REQUEST_ID_SIZE);
	assert_int_not_equal(f.sent[0].peer_id, f.sent[1].peer_id);
	assert_int_equal(f.sent[0].age_ms, 0);
	assert_true(f.sent[1].age_ms >= 1);
	fixture_close(&f);
}

static void two_puts_have_different_request_ids(void **state)
{
	static const struct scripted script[] = { { .status = ST_OK } };
	struct item_fixture f;
	struct sent first;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	first = f.sent[0];
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_DELETE, false), ST_OK);
	assert_memory_not_equal(first.request_id, f.sent[0].request_id, ITEM_OP_REQUEST_ID_SIZE);
	fixture_close(&f);
}

static void a_put_that_never_left_has_no_age(void **state)
{
	static const struct scripted script[] = { { .status = ST_UNREACHABLE },
						  { .status = ST_UNREACHABLE },
						  { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, 3);
	assert_int_equal(f.sent[1].age_ms, 0);
	assert_int_equal(f.sent[2].age_ms, 0);
	fixture_close(&f);
}

static void a_hint_is_followed_and_remembered(void **state)
{
	static const struct scripted script[] = { { .status = ST_NOT_LEADER, .leader_node_id = 3 },
						  { .status = ST_OK } };
	static const struct scripted ok[] = { { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_OK);
	assert_int_equal(f.sent[0].peer_id, 1);
	assert_int_equal(f.sent[1].peer_id, 3);
	assert_int_equal(f.sent[1].at_ms, f.sent[0].at_ms);
	SCRIPT(&f, ok);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent[0].peer_id, 3);
	fixture_close(&f);
}

static void everybody_is_asked_before_the_first_pause_while_nobody_leads(void **state)
{
	static const struct scripted script[] = { { .status = ST_NOT_LEADER },
						  { .status = ST_NOT_LEADER },
						  { .status = ST_NOT_LEADER },
						  { .status = ST_OK } };
	struct item_fixture f;
	uint64_t pause_ms;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, 4);
	assert_int_equal(f.sent[0].peer_id + f.sent[1].peer_id + f.sent[2].peer_id, 1 + 2 + 3);
	assert_int_equal(f.sent[2].at_ms, f.sent[0].at_ms);
	pause_ms = f.sent[3].at_ms - f.sent[2].at_ms;
	assert_in_range(pause_ms, ROUTE_PAUSE_MS_MIN, 2 * ROUTE_PAUSE_MS_MIN);
	fixture_close(&f);
}

static void pauses_grow_up_to_their_limit(void **state)
{
	static const struct scripted script[] = { { .status = ST_BUSY } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_BUSY);
	assert_true(f.sent_count > ITEM_OP_DEADLINE_MS / ROUTE_PAUSE_MS_MAX);
	for (uint32_t i = 1; i < f.sent_count; i++)
		assert_in_range(f.sent[i].at_ms - f.sent[i - 1].at_ms, ROUTE_PAUSE_MS_MIN,
				ROUTE_PAUSE_MS_MAX + 1);
	assert_in_range(f.sent[f.sent_count - 1].at_ms - f.sent[0].at_ms,
			ITEM_OP_DEADLINE_MS - ROUTE_PAUSE_MS_MAX - 1, ITEM_OP_DEADLINE_MS);
	fixture_close(&f);
}

static void a_paused_node_does_not_hold_a_request(void **state)
{
	static const struct scripted script[] = { { .status = ST_TIMEOUT }, { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_OK);
	assert_int_equal(f.sent[1].at_ms - f.sent[0].at_ms, ITEM_OP_ATTEMPT_MS);
	assert_int_not_equal(f.sent[1].peer_id, f.sent[0].peer_id);
	fixture_close(&f);
}

static void a_node_that_was_silent_is_asked_last_for_a_while(void **state)
{
	static const struct scripted silent[] = { { .status = ST_TIMEOUT }, { .status = ST_OK } };
	static const struct scripted ok[] = { { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, silent);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, false), ST_OK);
	assert_int_equal(f.sent[0].peer_id, 2); /* in the coordinator's zone */
	SCRIPT(&f, ok);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, false), ST_OK);
	assert_int_not_equal(f.sent[0].peer_id, 2);
	manual_runtime_advance_ms(&f.runtime, ROUTE_SUSPECT_MS);
	SCRIPT(&f, ok);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, false), ST_OK);
	assert_int_equal(f.sent[0].peer_id, 2);
	fixture_close(&f);
}

static void nobody_waits_long_for_a_leader_that_was_silent(void **state)
{
	/* The others know only the silent one, and are asked before it the next time. */
	static const struct scripted script[] = {
		{ .status = ST_TIMEOUT },    { .status = ST_NOT_LEADER }, { .status = ST_NOT_LEADER },
		{ .status = ST_NOT_LEADER }, { .status = ST_NOT_LEADER }, { .status = ST_TIMEOUT },
		{ .status = ST_OK },
	};
	struct item_fixture f;
	uint64_t first_ms;
	uint64_t second_ms;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, ARRAY_COUNT(script));
	first_ms = f.sent[1].at_ms - f.sent[0].at_ms;
	second_ms = f.sent[6].at_ms - f.sent[5].at_ms;
	assert_int_equal(first_ms, ITEM_OP_ATTEMPT_MS);
	assert_int_equal(f.sent[5].peer_id, f.sent[0].peer_id);
	assert_in_range(second_ms, ITEM_OP_SUSPECT_ATTEMPT_MS,
			ITEM_OP_SUSPECT_ATTEMPT_MS + ROUTE_PAUSE_MS_MAX);
	fixture_close(&f);
}

static void an_operation_that_meets_only_silence_waits_longer_and_longer(void **state)
{
	static const struct scripted script[] = { { .status = ST_TIMEOUT } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_TIMEOUT);
	assert_in_range(f.sent_count, 8, 20);
	assert_true(f.sent[f.sent_count - 2].at_ms - f.sent[f.sent_count - 3].at_ms >=
		    2 * ITEM_OP_SUSPECT_ATTEMPT_MS);
	fixture_close(&f);
}

static void an_eventual_read_leaves_a_replica_that_hears_no_leader(void **state)
{
	static const struct scripted script[] = { { .status = ST_STALE }, { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, false), ST_OK);
	assert_int_equal(f.sent_count, 2);
	assert_int_not_equal(f.sent[0].peer_id, f.sent[1].peer_id);
	assert_false(f.sent[1].accepts_frozen);
	fixture_close(&f);
}

static void an_eventual_read_takes_a_frozen_answer_when_there_is_no_other(void **state)
{
	static const struct scripted script[] = { { .status = ST_STALE },
						  { .status = ST_STALE },
						  { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	f.is_down[1] = true;
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, false), ST_OK);
	assert_int_equal(f.sent_count, 3);
	assert_false(f.sent[1].accepts_frozen);
	assert_true(f.sent[2].accepts_frozen);
	assert_int_equal(f.sent[2].at_ms, f.sent[0].at_ms);
	fixture_close(&f);
}

static void a_moved_partition_is_found_once_the_catalog_is_refreshed(void **state)
{
	static const struct scripted script[] = {
		{ .status = ST_MOVED, .catalog_version = FIXTURE_VERSION + 1 }, { .status = ST_OK }
	};
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	fixture_start(&f, ITEM_OP_PUT, false);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(f.view.wanted_version, FIXTURE_VERSION + 1);
	fixture_put_partition(&f, FIXTURE_TABLE, FIXTURE_PARTITION, FIXTURE_EPOCH + 1);
	f.view.state.version = FIXTURE_VERSION + 1;
	assert_int_equal(fixture_wait(&f), ST_OK);
	assert_int_equal(f.sent_count, 2);
	assert_int_equal(f.sent[1].epoch, FIXTURE_EPOCH + 1);
	assert_memory_equal(f.sent[0].request_id, f.sent[1].request_id, ITEM_OP_REQUEST_ID_SIZE);
	fixture_close(&f);
}

static void a_replica_behind_our_catalog_is_passed_over(void **state)
{
	static const struct scripted script[] = {
		{ .status = ST_MOVED, .catalog_version = FIXTURE_VERSION - 1 }, { .status = ST_OK }
	};
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent[1].at_ms, f.sent[0].at_ms);
	assert_int_not_equal(f.sent[1].peer_id, f.sent[0].peer_id);
	fixture_close(&f);
}

static void a_key_of_a_table_that_is_gone_is_not_found(void **state)
{
	static const struct scripted script[] = { { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	catalog_state_remove_table(&f.view.state, FIXTURE_TABLE);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_NOT_FOUND);
	assert_int_equal(f.sent_count, 0);
	fixture_close(&f);
}

/* Partitions of a table that is being made come later than the table. */
static void a_key_that_no_partition_holds_is_waited_for(void **state)
{
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	catalog_state_remove_partition(&f.view.state, FIXTURE_PARTITION);
	fixture_start(&f, ITEM_OP_PUT, false);
	manual_runtime_advance_ms(&f.runtime, ITEM_OP_DEADLINE_MS / 2);
	assert_int_equal(f.done_count, 0);
	assert_int_equal(fixture_wait(&f), ST_NOT_FOUND);
	assert_int_equal(f.sent_count, 0);
	fixture_close(&f);
}

static void nobody_reachable_is_unreachable_at_the_deadline(void **state)
{
	static const struct scripted script[] = { { .status = ST_OK } };
	struct item_fixture f;
	uint64_t start_ms;

	(void)state;
	fixture_open(&f);
	f.is_down[1] = f.is_down[2] = f.is_down[3] = true;
	SCRIPT(&f, script);
	start_ms = runtime_mono_ms(&f.runtime.base);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_UNREACHABLE);
	assert_int_equal(f.sent_count, 0);
	assert_in_range(runtime_mono_ms(&f.runtime.base) - start_ms, ITEM_OP_DEADLINE_MS,
			ITEM_OP_DEADLINE_MS + ROUTE_PAUSE_MS_MAX + 20);
	fixture_close(&f);
}

static void a_put_in_doubt_at_the_deadline_has_an_unknown_outcome(void **state)
{
	static const struct scripted script[] = { { .status = ST_CLOSED }, { .status = ST_NOT_LEADER } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_UNKNOWN_OUTCOME);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_NOT_LEADER); /* a read leaves no doubt */
	fixture_close(&f);
}

static void a_put_that_nobody_admitted_is_not_in_doubt(void **state)
{
	static const struct scripted script[] = { { .status = ST_NOT_LEADER } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_NOT_LEADER);
	fixture_close(&f);
}

static void what_no_retry_can_mend_is_not_retried(void **state)
{
	static const enum status finals[] = { ST_FORGOTTEN, ST_INVALID, ST_IO, ST_CORRUPT };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(finals); i++) {
		const struct scripted script[] = { { .status = finals[i] } };
		struct item_fixture f;

		fixture_open(&f);
		SCRIPT(&f, script);
		assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), finals[i]);
		assert_int_equal(f.sent_count, 1);
		fixture_close(&f);
	}
}

static void a_leader_on_a_full_disk_is_asked_until_another_leads(void **state)
{
	static const struct scripted script[] = { { .status = ST_NO_SPACE },
						  { .status = ST_NO_SPACE },
						  { .status = ST_NOT_LEADER, .leader_node_id = 3 },
						  { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, ARRAY_COUNT(script));
	assert_int_equal(f.sent[2].peer_id, f.sent[0].peer_id);
	assert_int_equal(f.sent[3].peer_id, 3);
	assert_true(f.sent[1].at_ms >= f.sent[0].at_ms + ROUTE_PAUSE_MS_MIN);
	assert_false(f.op.may_have_happened);
	fixture_close(&f);
}

static void a_put_that_finds_no_room_until_its_deadline_was_not_done(void **state)
{
	static const struct scripted full[] = { { .status = ST_NO_SPACE } };
	static const struct scripted doubt[] = { { .status = ST_CLOSED }, { .status = ST_NO_SPACE } };
	struct item_fixture f;
	uint64_t before_ms;

	(void)state;
	fixture_open(&f);
	before_ms = runtime_mono_ms(&f.runtime.base);
	SCRIPT(&f, full);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_NO_SPACE);
	assert_in_range(runtime_mono_ms(&f.runtime.base) - before_ms, ITEM_OP_DEADLINE_MS,
			ITEM_OP_DEADLINE_MS + 2 * ROUTE_PAUSE_MS_MAX);
	assert_false(f.op.may_have_happened);
	SCRIPT(&f, doubt);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_UNKNOWN_OUTCOME);
	fixture_close(&f);
}

static void a_replica_out_of_memory_is_asked_again(void **state)
{
	static const struct scripted script[] = { { .status = ST_NO_MEMORY }, { .status = ST_OK } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_PUT, false), ST_OK);
	assert_int_equal(f.sent_count, 2);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, false), ST_OK);
	assert_int_not_equal(f.sent[0].peer_id, f.sent[1].peer_id);
	fixture_close(&f);
}

static void a_reply_that_does_not_decode_is_corrupt(void **state)
{
	const struct scripted script[] = { { .status = ST_OK, .body = slice_of("\xff\xff", 2) } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_CORRUPT);
	fixture_close(&f);
}

static void a_read_gives_the_item_that_the_replica_sent(void **state)
{
	Cleave__GetItemReply reply = CLEAVE__GET_ITEM_REPLY__INIT;
	struct scripted script[] = { { .status = ST_OK } };
	uint8_t packed[64];
	struct item_fixture f;

	(void)state;
	reply.found = true;
	reply.item = (ProtobufCBinaryData){ 4, (uint8_t *)(uintptr_t) "item" };
	script[0].body = slice_of(packed, cleave__get_item_reply__pack(&reply, packed));
	fixture_open(&f);
	SCRIPT(&f, script);
	assert_int_equal(fixture_run(&f, ITEM_OP_GET, true), ST_OK);
	assert_true(f.op.is_found);
	assert_true(slice_equal(f.op.found_item, slice_of_string("item")));
	fixture_close(&f);
}

static void a_canceled_call_ends_once_and_later(void **state)
{
	static const struct scripted script[] = { { .status = ST_TIMEOUT } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	fixture_start(&f, ITEM_OP_PUT, false);
	item_op_cancel(&f.op);
	assert_int_equal(f.done_count, 0);
	assert_int_equal(fixture_wait(&f), ST_CANCELED);
	assert_int_equal(f.sent_count, 1);
	item_op_cancel(&f.op); /* harmless */
	fixture_close(&f);
}

static void a_canceled_pause_ends_once_and_later(void **state)
{
	static const struct scripted script[] = { { .status = ST_BUSY } };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	SCRIPT(&f, script);
	fixture_start(&f, ITEM_OP_PUT, false);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(f.op.call.phase, REPLICA_CALL_PAUSE);
	item_op_cancel(&f.op);
	assert_int_equal(f.done_count, 0);
	assert_int_equal(fixture_wait(&f), ST_CANCELED);
	assert_int_equal(f.sent_count, 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_goes_to_the_preferred_leader_and_is_done_once),
		cmocka_unit_test(a_put_retries_with_the_same_request_id_when_its_connection_breaks),
		cmocka_unit_test(two_puts_have_different_request_ids),
		cmocka_unit_test(a_put_that_never_left_has_no_age),
		cmocka_unit_test(a_hint_is_followed_and_remembered),
		cmocka_unit_test(everybody_is_asked_before_the_first_pause_while_nobody_leads),
		cmocka_unit_test(pauses_grow_up_to_their_limit),
		cmocka_unit_test(a_paused_node_does_not_hold_a_request),
		cmocka_unit_test(a_node_that_was_silent_is_asked_last_for_a_while),
		cmocka_unit_test(nobody_waits_long_for_a_leader_that_was_silent),
		cmocka_unit_test(an_operation_that_meets_only_silence_waits_longer_and_longer),
		cmocka_unit_test(an_eventual_read_leaves_a_replica_that_hears_no_leader),
		cmocka_unit_test(an_eventual_read_takes_a_frozen_answer_when_there_is_no_other),
		cmocka_unit_test(a_moved_partition_is_found_once_the_catalog_is_refreshed),
		cmocka_unit_test(a_replica_behind_our_catalog_is_passed_over),
		cmocka_unit_test(a_key_of_a_table_that_is_gone_is_not_found),
		cmocka_unit_test(a_key_that_no_partition_holds_is_waited_for),
		cmocka_unit_test(nobody_reachable_is_unreachable_at_the_deadline),
		cmocka_unit_test(a_put_in_doubt_at_the_deadline_has_an_unknown_outcome),
		cmocka_unit_test(a_put_that_nobody_admitted_is_not_in_doubt),
		cmocka_unit_test(what_no_retry_can_mend_is_not_retried),
		cmocka_unit_test(a_leader_on_a_full_disk_is_asked_until_another_leads),
		cmocka_unit_test(a_put_that_finds_no_room_until_its_deadline_was_not_done),
		cmocka_unit_test(a_replica_out_of_memory_is_asked_again),
		cmocka_unit_test(a_reply_that_does_not_decode_is_corrupt),
		cmocka_unit_test(a_read_gives_the_item_that_the_replica_sent),
		cmocka_unit_test(a_canceled_call_ends_once_and_later),
		cmocka_unit_test(a_canceled_pause_ends_once_and_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
