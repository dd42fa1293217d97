#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "proto/base/fault.h"

static void nothing_fires_unless_armed(void **state)
{
	(void)state;
	assert_false(fault_fires(FAULT_ENGINE_WRITE));
	assert_int_equal(fault_delay_ms(FAULT_APPLY_DELAY), 0);
	assert_false(fault_disarm());
}

static void the_nth_step_of_any_kind_fires_once(void **state)
{
	(void)state;
	fault_arm_nth(2);
	assert_false(fault_fires(FAULT_ENGINE_WRITE));
	assert_false(fault_fires(FAULT_RPC_SEND));
	assert_true(fault_fires(FAULT_ENGINE_SYNC));
	assert_false(fault_fires(FAULT_ENGINE_SYNC));
	assert_true(fault_disarm());
	assert_false(fault_disarm());
	assert_false(fault_is_armed);
}

static void a_run_with_too_few_steps_did_not_fire(void **state)
{
	(void)state;
	fault_arm_nth(1);
	assert_false(fault_fires(FAULT_ENGINE_WRITE));
	assert_false(fault_disarm());
	assert_false(fault_fires(FAULT_ENGINE_WRITE));
}

static unsigned count_fires(enum fault_point point, unsigned ask_count)
{
	unsigned fired_count = 0;

	for (unsigned i = 0; i < ask_count; i++)
		fired_count += fault_fires(point) ? 1 : 0;
	return fired_count;
}

static void a_point_fires_with_its_probability(void **state)
{
	unsigned fired_count;

	(void)state;
	fault_set(FAULT_LINK_DROP, 100000, 0);
	fired_count = count_fires(FAULT_LINK_DROP, 10000);
	assert_in_range(fired_count, 900, 1100);
	assert_int_equal(count_fires(FAULT_RPC_SEND, 1000), 0);
	/* The same calls fire alike. */
	fault_set(FAULT_LINK_DROP, 100000, 0);
	assert_int_equal(count_fires(FAULT_LINK_DROP, 10000), fired_count);
	fault_set(FAULT_LINK_DROP, 1000000, 0);
	assert_int_equal(count_fires(FAULT_LINK_DROP, 100), 100);
	fault_clear_all();
	assert_int_equal(count_fires(FAULT_LINK_DROP, 100), 0);
	assert_false(fault_is_armed);
}

static void a_delay_holds_until_it_is_cleared(void **state)
{
	(void)state;
	fault_set(FAULT_APPLY_DELAY, 0, 250);
	assert_int_equal(fault_delay_ms(FAULT_APPLY_DELAY), 250);
	assert_int_equal(fault_delay_ms(FAULT_RPC_REPLY), 0);
	assert_false(fault_fires(FAULT_APPLY_DELAY));
	fault_set(FAULT_APPLY_DELAY, 0, 0);
	assert_int_equal(fault_delay_ms(FAULT_APPLY_DELAY), 0);
	assert_false(fault_is_armed);
}

static uint64_t now_mono_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void a_point_with_a_delay_holds_its_thread(void **state)
{
	uint64_t begin_mono_ms = now_mono_ms();

	(void)state;
	fault_set(FAULT_ENGINE_SYNC, 0, 30);
	fault_block(FAULT_ENGINE_WRITE);
	fault_block(FAULT_ENGINE_SYNC);
	assert_true(now_mono_ms() - begin_mono_ms >= 29);
	fault_clear_all();
}

static void disarming_the_nth_leaves_the_points(void **state)
{
	(void)state;
	fault_set(FAULT_DISK_FULL, 1000000, 0);
	fault_arm_nth(50);
	assert_false(fault_disarm());
	assert_true(fault_fires(FAULT_DISK_FULL));
	fault_clear_all();
}

static void every_name_parses_back(void **state)
{
	(void)state;
	for (enum fault_point point = FAULT_NONE + 1; point < FAULT_COUNT; point++) {
		assert_non_null(fault_name(point));
		assert_int_equal(fault_parse(fault_name(point)), point);
	}
	assert_int_equal(fault_parse("apply-delay"), FAULT_APPLY_DELAY);
	assert_int_equal(fault_parse("none"), FAULT_NONE);
	assert_int_equal(fault_parse("bogus"), FAULT_NONE);
	assert_string_equal(fault_name(FAULT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_fires_unless_armed),
		cmocka_unit_test(the_nth_step_of_any_kind_fires_once),
		cmocka_unit_test(a_run_with_too_few_steps_did_not_fire),
		cmocka_unit_test(a_point_fires_with_its_probability),
		cmocka_unit_test(a_delay_holds_until_it_is_cleared),
		cmocka_unit_test(a_point_with_a_delay_holds_its_thread),
		cmocka_unit_test(disarming_the_nth_leaves_the_points),
		cmocka_unit_test(every_name_parses_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
