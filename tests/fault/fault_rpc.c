#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "proto/rpc/rpc_local.h"
#include "tests/support/rpc_fixture.h"

enum { FAULT_STEPS = 2 }; /* the sending and the reply */

typedef enum status (*run_fn)(struct rpc_fixture *f, struct fixture_call *call);

/* Goal: whatever single step fails, the caller hears of it once and nothing leaks.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets
 * through with no fault left to fire. */
static void call_survives_each_single_fault(run_fn run)
{
	static const enum status expected[] = { ST_UNREACHABLE, ST_TIMEOUT };
	uint32_t fault_count = 0;

	for (uint32_t nth = 0;; nth++) {
		struct rpc_fixture f;
		struct fixture_call call;
		enum status status;
		bool fired;

		rpc_fixture_init(&f, false);
		rpc_fixture_start(&f);
		fault_arm_nth(nth);
		status = run(&f, &call);
		fired = fault_disarm();
		rpc_fixture_close(&f);
		assert_int_equal(call.done_count, 1);
		if (!fired) {
			assert_int_equal(status, ST_OK);
			break;
		}
		assert_true(nth < FAULT_STEPS);
		assert_int_equal(status, expected[nth]);
		fault_count++;
	}
	assert_int_equal(fault_count, FAULT_STEPS);
}

static enum status run_remote(struct rpc_fixture *f, struct fixture_call *call)
{
	return fixture_call_run(f, call, FIXTURE_ECHO, "x", 30);
}

static enum status run_local(struct rpc_fixture *f, struct fixture_call *call)
{
	struct rpc_local local;

	rpc_local_init(&local, &f->runtime.base, FIXTURE_NODE_ID, 0, &f->service);
	fixture_call_start(&local.base, call, FIXTURE_ECHO, "x", 30);
	FIXTURE_WAIT(f, call->done_count > 0);
	rpc_local_close(&local);
	return call->status;
}

static void remote_call_survives_each_single_fault(void **state)
{
	(void)state;
	call_survives_each_single_fault(run_remote);
}

static void local_call_survives_each_single_fault(void **state)
{
	(void)state;
	call_survives_each_single_fault(run_local);
}

static void post_that_is_not_sent_says_so(void **state)
{
	struct rpc_fixture f;

	(void)state;
	rpc_fixture_init(&f, false);
	rpc_fixture_start(&f);
	fault_arm_nth(0);
	assert_int_equal(rpc_post(&f.client.base, FIXTURE_NODE_ID, FIXTURE_ECHO, slice_of("x", 1)),
			 ST_UNREACHABLE);
	assert_true(fault_disarm());
	assert_int_equal(rpc_post(&f.client.base, FIXTURE_NODE_ID, FIXTURE_ECHO, slice_of("x", 1)), ST_OK);
	rpc_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_call_survives_each_single_fault),
		cmocka_unit_test(local_call_survives_each_single_fault),
		cmocka_unit_test(post_that_is_not_sent_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
