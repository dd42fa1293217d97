/* Goal: whatever single step of an operation fails, the client does not notice: it ends once,
 * with ST_OK, nothing leaks, and a write keeps its request id.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no
 * fault left to fire.  ASan reports what a check here would miss. */
#include "tests/unit/item_op_fixture.h"

static const struct scripted script[] = {
	{ .status = ST_MOVED, .catalog_version = FIXTURE_VERSION - 1 },
	{ .status = ST_OK },
};

/* How many single faults there are. */
static uint32_t survive_each(enum item_op_kind kind, bool is_consistent)
{
	for (uint32_t nth = 0;; nth++) {
		struct item_fixture f;
		bool has_fired;

		fixture_open(&f);
		SCRIPT(&f, script);
		fault_arm_nth(nth);
		assert_int_equal(fixture_run(&f, kind, is_consistent), ST_OK);
		has_fired = fault_disarm();
		for (uint32_t i = 1; i < f.sent_count; i++)
			assert_memory_equal(f.sent[i].request_id, f.sent[0].request_id,
					    ITEM_OP_REQUEST_ID_SIZE);
		fixture_close(&f);
		if (!has_fired)
			return nth;
	}
}

static void a_put_survives_each_single_fault(void **state)
{
	(void)state;
	assert_int_equal(survive_each(ITEM_OP_PUT, false), 4); /* 2 sends + 2 replies */
}

static void a_strong_read_survives_each_single_fault(void **state)
{
	(void)state;
	assert_int_equal(survive_each(ITEM_OP_GET, true), 4); /* 2 sends + 2 replies */
}

static void an_eventual_read_survives_each_single_fault(void **state)
{
	(void)state;
	assert_int_equal(survive_each(ITEM_OP_GET, false), 4); /* 2 sends + 2 replies */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_survives_each_single_fault),
		cmocka_unit_test(a_strong_read_survives_each_single_fault),
		cmocka_unit_test(an_eventual_read_survives_each_single_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
