#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "storage/encoding/stored_item.h"

static void a_head_comes_back_with_the_item_behind_it(void **state)
{
	uint8_t value[STORED_ITEM_HEAD_SIZE + 4];
	struct stored_item stored;

	(void)state;
	stored_item_put_head(value, UINT64_MAX - 1, 513, 400 * 1024);
	memcpy(value + STORED_ITEM_HEAD_SIZE, "item", 4);
	assert_int_equal(stored_item_read(slice_of(value, sizeof(value)), &stored), ST_OK);
	assert_true(stored.hlc == UINT64_MAX - 1);
	assert_int_equal(stored.origin, 513);
	assert_int_equal(stored.size_bytes, 400 * 1024);
	assert_true(slice_equal(stored.item, slice_of_string("item")));
}

static void the_format_is_what_is_on_disk_already(void **state)
{
	static const uint8_t expected[STORED_ITEM_HEAD_SIZE] = { 1, 1, 2,  3,  4,  5,  6, 7,
								 8, 9, 10, 11, 12, 13, 14 };
	uint8_t head[STORED_ITEM_HEAD_SIZE];

	(void)state;
	stored_item_put_head(head, 0x0102030405060708, 0x090a, 0x0b0c0d0e);
	assert_memory_equal(head, expected, sizeof(head));
}

static void an_empty_item_is_a_value(void **state)
{
	uint8_t value[STORED_ITEM_HEAD_SIZE];
	struct stored_item stored;

	(void)state;
	stored_item_put_head(value, 1, 0, 0);
	assert_int_equal(stored_item_read(slice_of(value, sizeof(value)), &stored), ST_OK);
	assert_int_equal(stored.item.size, 0);
}

static void a_short_value_is_corrupt_and_a_newer_one_is_told_apart(void **state)
{
	uint8_t value[STORED_ITEM_HEAD_SIZE];
	struct stored_item stored;

	(void)state;
	stored_item_put_head(value, 1, 0, 0);
	for (size_t size = 0; size < sizeof(value); size++)
		assert_int_equal(stored_item_read(slice_of(value, size), &stored), ST_CORRUPT);
	value[0] = STORED_ITEM_VERSION + 1;
	assert_int_equal(stored_item_read(slice_of(value, sizeof(value)), &stored), ST_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_comes_back_with_the_item_behind_it),
		cmocka_unit_test(the_format_is_what_is_on_disk_already),
		cmocka_unit_test(an_empty_item_is_a_value),
		cmocka_unit_test(a_short_value_is_corrupt_and_a_newer_one_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
