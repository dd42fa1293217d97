#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/hash_map.h"
#include "proto/base/rng.h"

static void a_put_value_is_found_and_replaced(void **state)
{
	struct hash_map map;
	int a;
	int b;

	(void)state;
	hash_map_init(&map, 10);
	assert_null(hash_map_get(&map, 1));
	assert_int_equal(hash_map_put(&map, 1, &a), ST_OK);
	assert_ptr_equal(hash_map_get(&map, 1), &a);
	assert_int_equal(hash_map_put(&map, 1, &b), ST_OK);
	assert_ptr_equal(hash_map_get(&map, 1), &b);
	assert_int_equal(map.count, 1);
	hash_map_close(&map);
}

static void zero_is_a_key_like_others(void **state)
{
	struct hash_map map;
	int value;

	(void)state;
	hash_map_init(&map, 10);
	assert_int_equal(hash_map_put(&map, 0, &value), ST_OK);
	assert_ptr_equal(hash_map_get(&map, 0), &value);
	assert_ptr_equal(hash_map_remove(&map, 0), &value);
	assert_null(hash_map_get(&map, 0));
	hash_map_close(&map);
}

static void the_limit_refuses_new_keys_only(void **state)
{
	struct hash_map map;
	int value;

	(void)state;
	hash_map_init(&map, 3);
	for (uint64_t key = 0; key < 3; key++)
		assert_int_equal(hash_map_put(&map, key, &value), ST_OK);
	assert_int_equal(hash_map_put(&map, 3, &value), ST_TOO_BIG);
	assert_int_equal(hash_map_put(&map, 2, &value), ST_OK);
	assert_ptr_equal(hash_map_remove(&map, 0), &value);
	assert_int_equal(hash_map_put(&map, 3, &value), ST_OK);
	hash_map_close(&map);
}

static void removing_the_absent_does_nothing(void **state)
{
	struct hash_map map;
	int value;

	(void)state;
	hash_map_init(&map, 3);
	assert_null(hash_map_remove(&map, 9));
	assert_int_equal(hash_map_put(&map, 1, &value), ST_OK);
	assert_null(hash_map_remove(&map, 9));
	assert_int_equal(map.count, 1);
	hash_map_close(&map);
}

static void iterating_meets_every_value_once(void **state)
{
	struct hash_map map;
	int values[100] = { 0 };
	size_t cursor = 0;
	int *value;

	(void)state;
	hash_map_init(&map, 100);
	assert_null(hash_map_next(&map, &cursor));
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(hash_map_put(&map, i << 40, &values[i]), ST_OK);
	cursor = 0;
	while ((value = hash_map_next(&map, &cursor)) != NULL)
		(*value)++;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(values[i], 1);
	hash_map_close(&map);
}

/* Few keys and many removals, so that runs form, wrap round the end and break up. */
static void random_work_agrees_with_a_plain_array(void **state)
{
	enum { KEYS = 40, STEPS = 20000 };
	struct hash_map map;
	int values[KEYS];
	bool is_in[KEYS] = { false };
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	hash_map_init(&map, KEYS);
	for (int step = 0; step < STEPS; step++) {
		size_t k = rng_below(&rng, KEYS);
		uint64_t key = k * 0x100000001u;

		if (rng_below(&rng, 2) == 0) {
			assert_int_equal(hash_map_put(&map, key, &values[k]), ST_OK);
			is_in[k] = true;
		} else {
			assert_ptr_equal(hash_map_remove(&map, key), is_in[k] ? &values[k] : NULL);
			is_in[k] = false;
		}
		for (size_t i = 0; i < KEYS; i++)
			assert_ptr_equal(hash_map_get(&map, i * 0x100000001u), is_in[i] ? &values[i] : NULL);
	}
	hash_map_close(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_value_is_found_and_replaced),
		cmocka_unit_test(zero_is_a_key_like_others),
		cmocka_unit_test(the_limit_refuses_new_keys_only),
		cmocka_unit_test(removing_the_absent_does_nothing),
		cmocka_unit_test(iterating_meets_every_value_once),
		cmocka_unit_test(random_work_agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
