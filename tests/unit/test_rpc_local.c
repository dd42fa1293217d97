#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/rpc/rpc_local.h"
#include "tests/support/rpc_fixture.h"

/* The service and the calls of rpc_fixture, over rpc_local instead of sockets. */
struct fixture {
	struct rpc_fixture base;
	struct rpc_local local;
};

static void start(struct fixture *f)
{
	rpc_fixture_init(&f->base, false);
	rpc_local_init(&f->local, &f->base.runtime.base, FIXTURE_NODE_ID, 5, &f->base.service);
}

static void stop(struct fixture *f)
{
	rpc_fixture_answer_held(&f->base, ST_OK);
	rpc_local_close(&f->local);
	rpc_fixture_close(&f->base);
}

static enum status run(struct fixture *f, struct fixture_call *call, uint16_t method, const char *body,
		       uint32_t timeout_ms)
{
	fixture_call_start(&f->local.base, call, method, body, timeout_ms);
	FIXTURE_WAIT(&f->base, call->done_count > 0);
	assert_int_equal(call->done_count, 1);
	assert_false(call->call.is_in_flight);
	return call->status;
}

static void call_is_answered_with_body_and_status(void **state)
{
	struct fixture f;
	struct fixture_call call;

	(void)state;
	start(&f);
	assert_int_equal(run(&f, &call, FIXTURE_ECHO, "hello", 5000), ST_OK);
	assert_int_equal(call.reply_size, 5);
	assert_memory_equal(call.reply, "hello", 5);
	assert_int_equal(run(&f, &call, FIXTURE_FAIL, "hint", 5000), ST_NOT_LEADER);
	assert_memory_equal(call.reply, "hint", 4);
	assert_int_equal(f.base.last_caller_id, 5);
	stop(&f);
}

static void service_is_not_called_from_inside_the_start(void **state)
{
	struct fixture f;
	struct fixture_call call;

	(void)state;
	start(&f);
	fixture_call_start(&f.local.base, &call, FIXTURE_ECHO, "x", 5000);
	assert_int_equal(f.base.handled_count, 0);
	FIXTURE_WAIT(&f.base, call.done_count == 1);
	stop(&f);
}

static void deadline_ends_a_call_and_the_late_reply_is_dropped(void **state)
{
	struct fixture f;
	struct fixture_call call;

	(void)state;
	start(&f);
	assert_int_equal(run(&f, &call, FIXTURE_HOLD, "x", 10), ST_TIMEOUT);
	rpc_fixture_answer_held(&f.base, ST_OK);
	assert_int_equal(run(&f, &call, FIXTURE_ECHO, "y", 5000), ST_OK);
	assert_memory_equal(call.reply, "y", 1);
	stop(&f);
}

static void cancel_ends_a_call_once(void **state)
{
	struct fixture f;
	struct fixture_call call;

	(void)state;
	start(&f);
	fixture_call_start(&f.local.base, &call, FIXTURE_HOLD, "x", 5000);
	FIXTURE_WAIT(&f.base, f.base.held_count == 1);
	rpc_call_cancel(&call.call);
	rpc_call_cancel(&call.call);
	assert_int_equal(call.done_count, 0);
	FIXTURE_WAIT(&f.base, call.done_count == 1);
	assert_int_equal(call.status, ST_CANCELED);
	stop(&f);
}

static void cancel_after_the_reply_changes_nothing(void **state)
{
	struct fixture f;
	struct fixture_call call;

	(void)state;
	start(&f);
	fixture_call_start(&f.local.base, &call, FIXTURE_HOLD, "x", 5000);
	FIXTURE_WAIT(&f.base, f.base.held_count == 1);
	rpc_fixture_answer_held(&f.base, ST_BUSY);
	rpc_call_cancel(&call.call);
	FIXTURE_WAIT(&f.base, call.done_count == 1);
	assert_int_equal(call.status, ST_BUSY);
	assert_int_equal(call.reply_size, 1);
	stop(&f);
}

static void only_the_one_peer_can_be_reached(void **state)
{
	struct fixture f;
	struct fixture_call call;

	(void)state;
	start(&f);
	assert_true(f.local.base.ops->is_up(&f.local.base, FIXTURE_NODE_ID));
	assert_false(f.local.base.ops->is_up(&f.local.base, 2));
	assert_int_equal(rpc_post(&f.local.base, 2, FIXTURE_ECHO, slice_of("x", 1)), ST_UNREACHABLE);
	f.local.peer_id = 2;
	assert_int_equal(run(&f, &call, FIXTURE_ECHO, "x", 5000), ST_UNREACHABLE);
	stop(&f);
}

static void posts_are_handled_one_way(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(rpc_post(&f.local.base, FIXTURE_NODE_ID, FIXTURE_HOLD, slice_of("ab", 2)), ST_OK);
	FIXTURE_WAIT(&f.base, f.base.held_count == 1);
	assert_true(f.base.held[0]->is_one_way);
	assert_int_equal(f.base.held[0]->body.size, 2);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_is_answered_with_body_and_status),
		cmocka_unit_test(service_is_not_called_from_inside_the_start),
		cmocka_unit_test(deadline_ends_a_call_and_the_late_reply_is_dropped),
		cmocka_unit_test(cancel_ends_a_call_once),
		cmocka_unit_test(cancel_after_the_reply_changes_nothing),
		cmocka_unit_test(only_the_one_peer_can_be_reached),
		cmocka_unit_test(posts_are_handled_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
