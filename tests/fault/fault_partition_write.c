/* Goal: whatever single step fails under a write, the caller hears of it once, an answered
 * write is there after a restart of everything, and a retry of an unanswered one takes effect
 * once.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no
 * fault left to fire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "tests/support/partition_fixture.h"

enum { WRITES = 3, PATIENCE_MS = 1000, FAULTS_MAX = 500 };

static const char *const texts[WRITES] = { "one", "two", "three" };

static bool has_failed(const struct partition_fixture *f)
{
	for (uint32_t i = 1; i <= f->net->node_count; i++) {
		if (f->net->nodes[i].fatal_status != ST_OK)
			return true;
	}
	return false;
}

/* Each on top of the one before; true as long as they were answered ST_OK. */
static uint32_t write_all(struct partition_fixture *f, struct partition *leader,
			  struct watched_write writes[WRITES])
{
	uint32_t ok_count = 0;

	for (uint32_t i = 0; i < WRITES; i++) {
		watched_write_init(&writes[i], "a", texts[i], 1 + i);
		if (has_failed(f) || ok_count < i ||
		    watched_write_start(&writes[i], leader) != ST_WOULD_BLOCK)
			continue;
		for (uint32_t ms = 0; ms < PATIENCE_MS && writes[i].done_count == 0 && !has_failed(f); ms++)
			partition_fixture_run_ms(f, 1);
		ok_count += writes[i].done_count == 1 && writes[i].status == ST_OK;
	}
	return ok_count;
}

static void restart_all(struct partition_fixture *f)
{
	for (uint32_t i = 1; i <= f->net->node_count; i++) {
		partition_fixture_crash(f, i, 0);
		f->net->nodes[i].fatal_status = ST_OK;
	}
	for (uint32_t i = 1; i <= f->net->node_count; i++)
		assert_int_equal(partition_fixture_restart(f, i), ST_OK);
}

/* What a coordinator does with what was not answered; what was is recognised. */
static void retry_all(struct partition_fixture *f, struct partition *leader)
{
	for (uint32_t i = 0; i < WRITES; i++) {
		struct watched_write retry;

		watched_write_init(&retry, "a", texts[i], 1 + i);
		retry.base.age_ms = PATIENCE_MS;
		assert_int_equal(watched_write_run(f, &retry, leader), ST_OK);
		assert_int_equal(retry.base.existed, i > 0);
		if (i > 0)
			assert_true(partition_fixture_item_is(buf_slice(&retry.old_item), texts[i - 1]));
		watched_write_close(&retry);
	}
}

static void run_with_fault(uint32_t nth, uint32_t voter_count, bool *fired_out)
{
	struct partition_fixture *f = partition_fixture_create(voter_count);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write writes[WRITES];
	uint32_t ok_count;
	bool matches;

	for (uint32_t i = 1; i <= voter_count; i++)
		f->net->nodes[i].may_fail = true;
	fault_arm_nth(nth);
	ok_count = write_all(f, leader, writes);
	*fired_out = fault_disarm();
	if (!*fired_out)
		assert_int_equal(ok_count, WRITES);
	restart_all(f);
	for (uint32_t i = 0; i < WRITES; i++) {
		assert_in_range(writes[i].done_count, 0, 1);
		watched_write_close(&writes[i]);
	}
	leader = partition_fixture_leader(f); /* 1's log may lack the end */
	assert_non_null(leader);
	if (ok_count == WRITES) {
		assert_int_equal(partition_fixture_get(f, leader, "a", true, texts[WRITES - 1], &matches),
				 ST_OK);
		assert_true(matches);
	}
	retry_all(f, leader);
	assert_int_equal(partition_fixture_get(f, leader, "a", true, texts[WRITES - 1], &matches), ST_OK);
	assert_true(matches);
	partition_fixture_destroy(f);
}

static void run_with_each_fault(uint32_t voter_count)
{
	uint32_t nth = 0;
	bool fired = true;

	log_set_level((enum log_level)(LOG_ERROR + 1));
	for (; fired; nth++) {
		assert_true(nth < FAULTS_MAX);
		run_with_fault(nth, voter_count, &fired);
	}
	assert_in_range(nth, 3 * WRITES, FAULTS_MAX); /* a read, a write and a sync each at least */
}

static void a_write_survives_each_single_fault(void **state)
{
	(void)state;
	run_with_each_fault(1);
}

static void a_replicated_write_survives_each_single_fault(void **state)
{
	(void)state;
	run_with_each_fault(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_survives_each_single_fault),
		cmocka_unit_test(a_replicated_write_survives_each_single_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
