#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/rpc/rpc_in_flight.h"

enum { CALLS = 1000 };

static struct rpc_call calls[CALLS];

static void calls_are_found_once_by_their_id(void **state)
{
	struct rpc_in_flight table;

	(void)state;
	rpc_in_flight_init(&table, CALLS);
	for (int i = 0; i < CALLS; i++)
		assert_int_equal(rpc_in_flight_add(&table, &calls[i]), ST_OK);
	for (int i = 0; i < CALLS; i += 2)
		assert_ptr_equal(rpc_in_flight_take(&table, calls[i].call_id), &calls[i]);
	for (int i = 0; i < CALLS; i += 2)
		assert_null(rpc_in_flight_take(&table, calls[i].call_id));
	for (int i = 1; i < CALLS; i += 2)
		assert_ptr_equal(rpc_in_flight_take(&table, calls[i].call_id), &calls[i]);
	assert_int_equal(table.count, 0);
	rpc_in_flight_close(&table);
}

static void late_reply_does_not_find_the_next_user_of_the_slot(void **state)
{
	struct rpc_in_flight table;
	uint64_t old_id;

	(void)state;
	rpc_in_flight_init(&table, 1);
	assert_int_equal(rpc_in_flight_add(&table, &calls[0]), ST_OK);
	old_id = calls[0].call_id;
	assert_ptr_equal(rpc_in_flight_take(&table, old_id), &calls[0]);
	assert_int_equal(rpc_in_flight_add(&table, &calls[1]), ST_OK);
	assert_null(rpc_in_flight_take(&table, old_id));
	assert_null(rpc_in_flight_take(&table, UINT64_MAX));
	assert_ptr_equal(rpc_in_flight_take(&table, calls[1].call_id), &calls[1]);
	rpc_in_flight_close(&table);
}

static void limit_is_kept_and_room_comes_back(void **state)
{
	struct rpc_in_flight table;

	(void)state;
	rpc_in_flight_init(&table, 70);
	for (int i = 0; i < 70; i++)
		assert_int_equal(rpc_in_flight_add(&table, &calls[i]), ST_OK);
	assert_int_equal(rpc_in_flight_add(&table, &calls[70]), ST_OVERLOADED);
	assert_ptr_equal(rpc_in_flight_take(&table, calls[5].call_id), &calls[5]);
	assert_int_equal(rpc_in_flight_add(&table, &calls[70]), ST_OK);
	for (uint32_t cursor = 0; rpc_in_flight_take_next(&table, &cursor) != NULL;)
		;
	assert_int_equal(table.count, 0);
	rpc_in_flight_close(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_found_once_by_their_id),
		cmocka_unit_test(late_reply_does_not_find_the_next_user_of_the_slot),
		cmocka_unit_test(limit_is_kept_and_room_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
