#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/model/capacity.h"

enum { KB = 1024 };

static void the_textbook_write_examples_hold(void **state)
{
	(void)state;
	assert_int_equal(10 * capacity_write_half_units(0, 2 * KB, false), 2 * 20);
	assert_int_equal(6 * capacity_write_half_units(0, 4 * KB + KB / 2, false), 2 * 30);
	assert_int_equal(120 * capacity_write_half_units(0, 2 * KB, false) / 60, 2 * 4);
	assert_int_equal(3 * capacity_write_half_units(0, 5 * KB, true), 2 * 30);
}

static void the_textbook_read_examples_hold(void **state)
{
	(void)state;
	assert_int_equal(10 * capacity_read_half_units(4 * KB, CAPACITY_READ_STRONG), 2 * 10);
	assert_int_equal(16 * capacity_read_half_units(12 * KB, CAPACITY_READ_EVENTUAL), 2 * 24);
	assert_int_equal(10 * capacity_read_half_units(6 * KB, CAPACITY_READ_STRONG), 2 * 20);
	assert_int_equal(5 * capacity_read_half_units(5 * KB, CAPACITY_READ_TRANSACTIONAL), 2 * 20);
}

static void nothing_costs_the_minimum(void **state)
{
	(void)state;
	assert_int_equal(capacity_read_half_units(0, CAPACITY_READ_EVENTUAL), 1);
	assert_int_equal(capacity_read_half_units(0, CAPACITY_READ_STRONG), 2);
	assert_int_equal(capacity_write_half_units(0, 0, false), 2);
}

static void the_larger_image_is_charged(void **state)
{
	(void)state;
	assert_int_equal(capacity_write_half_units(3 * KB, 10, false), 6);
	assert_int_equal(capacity_write_half_units(10, 3 * KB, false), 6);
}

static void a_byte_more_begins_a_unit(void **state)
{
	(void)state;
	assert_int_equal(capacity_write_half_units(0, KB, false), 2);
	assert_int_equal(capacity_write_half_units(0, KB + 1, false), 4);
	assert_int_equal(capacity_read_half_units(4 * KB, CAPACITY_READ_EVENTUAL), 1);
	assert_int_equal(capacity_read_half_units(4 * KB + 1, CAPACITY_READ_EVENTUAL), 2);
}

static void units_print_with_one_decimal(void **state)
{
	char text[CAPACITY_TEXT_SIZE_MAX];

	(void)state;
	assert_int_equal(capacity_print(1, text), 3);
	assert_string_equal(text, "0.5");
	assert_int_equal(capacity_print(40, text), 4);
	assert_string_equal(text, "20.0");
	(void)capacity_print(UINT64_MAX, text);
	assert_string_equal(text, "9223372036854775807.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_textbook_write_examples_hold),
		cmocka_unit_test(the_textbook_read_examples_hold),
		cmocka_unit_test(nothing_costs_the_minimum),
		cmocka_unit_test(the_larger_image_is_charged),
		cmocka_unit_test(a_byte_more_begins_a_unit),
		cmocka_unit_test(units_print_with_one_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
