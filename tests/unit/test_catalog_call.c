#include "proto/catalog/catalog_call.h"

#include "tests/unit/catalog_fixture.h"

static const uint64_t seeds_ids[] = { 1, 2, 3 };

struct fixture {
	struct fake_loop loop;
	struct fake_transport transport;
	struct catalog_seeds seeds;
	struct catalog_call call;
	uint32_t done_count;
	enum status status;
};

static struct fixture *current;

static void on_done(struct catalog_call *call)
{
	current->done_count++;
	current->status = call->status;
}

static void start(struct fixture *f, uint32_t timeout_ms)
{
	loop_init(&f->loop, 3);
	fake_transport_init(&f->transport, &f->loop.base);
	catalog_seeds_init(&f->seeds, &f->loop.base, &f->transport.base, seeds_ids, 3);
	f->done_count = 0;
	current = f;
	catalog_call_start(&f->seeds, &f->call, METHOD_CATALOG_SYNC, slice_of_string("body"), timeout_ms,
			   on_done);
	assert_int_equal(f->done_count, 0); /* never from inside start */
	assert_int_equal(f->transport.call_count, 1);
}

static void stop(struct fixture *f)
{
	assert_int_equal(f->done_count, 1);
	assert_int_equal(f->transport.call_count, 0);
	assert_true(runtime_next_deadline_mono_us(&f->loop.base) == UINT64_MAX);
	runtime_base_close(&f->loop.base);
}

static void answer(struct fixture *f, enum status status)
{
	fake_answer(&f->transport, METHOD_CATALOG_SYNC, status, slice_of(NULL, 0));
}

static void answer_with_hint(struct fixture *f, uint64_t leader_node_id)
{
	Cleave__RoutingHint hint = CLEAVE__ROUTING_HINT__INIT;
	uint8_t body[64];

	hint.leader_node_id = leader_node_id;
	fake_answer(&f->transport, METHOD_CATALOG_SYNC, ST_NOT_LEADER,
		    slice_of(body, cleave__routing_hint__pack(&hint, body)));
}

static void call_follows_the_hint_to_the_leader_and_stays_there(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1000);
	answer_with_hint(&f, 9); /* no seed, but the leader all the same */
	loop_settle(&f.loop);
	assert_int_equal(f.transport.calls[0]->peer_id, 9);
	assert_true(slice_equal(f.transport.sent[0], slice_of_string("body")));
	answer(&f, ST_OK);
	assert_int_equal(f.status, ST_OK);
	assert_int_equal(f.seeds.leader_node_id, 9);
	stop(&f);
}

static void call_goes_round_the_seeds_until_one_answers(void **state)
{
	struct fixture f;
	uint64_t asked[3];

	(void)state;
	start(&f, 5000);
	for (size_t i = 0; i < 3; i++) {
		asked[i] = f.transport.calls[0]->peer_id;
		answer(&f, ST_UNREACHABLE);
		assert_int_equal(f.transport.call_count, 0); /* it pauses */
		loop_run_ms(&f.loop, 200);
		assert_int_equal(f.transport.call_count, 1);
	}
	assert_true(asked[0] != asked[1] && asked[1] != asked[2] && asked[0] != asked[2]);
	answer(&f, ST_OK);
	stop(&f);
}

static void decisions_of_the_catalog_are_final(void **state)
{
	static const enum status decisions[] = { ST_EXISTS, ST_NOT_FOUND, ST_BUSY,
						 ST_DENIED, ST_INVALID,   ST_TOO_BIG };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(decisions); i++) {
		struct fixture f;

		start(&f, 1000);
		answer(&f, decisions[i]);
		assert_int_equal(f.status, decisions[i]);
		stop(&f);
	}
}

static void deadline_ends_with_the_last_failure(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 300);
	for (int i = 0; i < 50 && f.done_count == 0; i++) {
		if (f.transport.call_count > 0)
			answer(&f, ST_UNAVAILABLE);
		loop_run_ms(&f.loop, 20);
	}
	assert_int_equal(f.status, ST_UNAVAILABLE);
	stop(&f);
}

static void lost_answer_makes_the_outcome_unknown(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 100);
	answer(&f, ST_CLOSED);
	for (int i = 0; i < 50 && f.done_count == 0; i++) {
		loop_run_ms(&f.loop, 10);
		if (f.transport.call_count > 0)
			answer(&f, ST_UNREACHABLE);
	}
	assert_int_equal(f.status, ST_UNKNOWN_OUTCOME);
	stop(&f);
}

/* The first attempt may still come: the table that is busy now may be deleted by it later. */
static void a_refusal_after_a_lost_answer_is_no_answer(void **state)
{
	static const enum status refusals[] = { ST_EXISTS, ST_NOT_FOUND, ST_BUSY };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
		struct fixture f;

		start(&f, 5000);
		answer(&f, ST_TIMEOUT);
		loop_run_ms(&f.loop, 200);
		answer(&f, refusals[i]);
		assert_int_equal(f.status, ST_UNKNOWN_OUTCOME);
		stop(&f);
	}
}

static void cancel_ends_a_call_in_flight_and_one_that_pauses(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 1000);
	catalog_call_cancel(&f.call);
	assert_int_equal(f.done_count, 0);
	loop_settle(&f.loop);
	assert_int_equal(f.status, ST_CANCELED);
	stop(&f);

	start(&f, 1000);
	answer(&f, ST_OVERLOADED);
	catalog_call_cancel(&f.call);
	assert_int_equal(f.done_count, 0);
	loop_settle(&f.loop);
	assert_int_equal(f.status, ST_CANCELED);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_follows_the_hint_to_the_leader_and_stays_there),
		cmocka_unit_test(call_goes_round_the_seeds_until_one_answers),
		cmocka_unit_test(decisions_of_the_catalog_are_final),
		cmocka_unit_test(deadline_ends_with_the_last_failure),
		cmocka_unit_test(lost_answer_makes_the_outcome_unknown),
		cmocka_unit_test(a_refusal_after_a_lost_answer_is_no_answer),
		cmocka_unit_test(cancel_ends_a_call_in_flight_and_one_that_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
