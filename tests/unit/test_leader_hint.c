#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/route/leader_hint.h"

static void a_hint_is_kept_until_it_is_denied(void **state)
{
	struct leader_hint hints;

	(void)state;
	leader_hint_init(&hints, 4);
	assert_int_equal(leader_hint_get(&hints, 1), 0);
	leader_hint_set(&hints, 1, 7);
	leader_hint_deny(&hints, 1, 8);
	assert_int_equal(leader_hint_get(&hints, 1), 7);
	leader_hint_deny(&hints, 1, 7);
	assert_int_equal(leader_hint_get(&hints, 1), 0);
	leader_hint_set(&hints, 1, 9);
	leader_hint_set(&hints, 1, 0);
	assert_int_equal(leader_hint_get(&hints, 1), 0);
	leader_hint_close(&hints);
}

static void a_full_table_forgets_and_learns_anew(void **state)
{
	struct leader_hint hints;

	(void)state;
	leader_hint_init(&hints, 4);
	for (uint64_t partition = 1; partition <= 100; partition++) {
		leader_hint_set(&hints, partition, partition + 1000);
		assert_int_equal(leader_hint_get(&hints, partition), partition + 1000);
		assert_true(hints.by_partition.count <= 4);
	}
	leader_hint_close(&hints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hint_is_kept_until_it_is_denied),
		cmocka_unit_test(a_full_table_forgets_and_learns_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
