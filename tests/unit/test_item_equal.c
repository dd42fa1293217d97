#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "proto/model/item_builder.h"
#include "proto/model/item_equal.h"

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static bool equal(const struct buf *a, const struct buf *b)
{
	bool is_equal = false;

	assert_int_equal(item_equal(buf_slice(a), buf_slice(b), &is_equal), ST_OK);
	return is_equal;
}

/* An attribute "v" of that type with the elements first, first + step, ... */
static void build_numbers(struct buf *buf, enum item_type type, int first, int step, int count)
{
	struct item_builder builder;
	char name[16];

	buf_reset(buf);
	item_builder_init(&builder, buf);
	item_builder_name(&builder, text("v"));
	item_builder_open(&builder, type);
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%d", first + i * step);
		if (type == ITEM_M)
			item_builder_name(&builder, text(name));
		if (type == ITEM_SS)
			item_builder_member(&builder, text(name));
		else
			item_builder_string(&builder, text(name));
	}
	item_builder_close(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

struct fixture {
	struct buf a;
	struct buf b;
};

static void fixture_start(struct fixture *f)
{
	buf_init(&f->a, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&f->b, LIMIT_ITEM_ENCODED_SIZE_BYTES);
}

static void fixture_end(struct fixture *f)
{
	buf_close(&f->a);
	buf_close(&f->b);
}

static void maps_and_sets_have_no_order(void **state)
{
	static const int counts[] = { 1, 2, 16, 17, 1000 };
	struct fixture f;

	(void)state;
	fixture_start(&f);
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		for (enum item_type type = ITEM_M; type <= ITEM_SS; type++) {
			build_numbers(&f.a, type, 0, 1, counts[i]);
			build_numbers(&f.b, type, counts[i] - 1, -1, counts[i]);
			assert_true(equal(&f.a, &f.b));
			build_numbers(&f.b, type, 1, 1, counts[i]);
			assert_false(equal(&f.a, &f.b));
			build_numbers(&f.b, type, 0, 1, counts[i] + 1);
			assert_false(equal(&f.a, &f.b));
		}
	}
	fixture_end(&f);
}

static void lists_have_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	build_numbers(&f.a, ITEM_L, 0, 1, 5);
	build_numbers(&f.b, ITEM_L, 0, 1, 5);
	assert_true(equal(&f.a, &f.b));
	build_numbers(&f.b, ITEM_L, 4, -1, 5);
	assert_false(equal(&f.a, &f.b));
	build_numbers(&f.b, ITEM_L, 0, 1, 4);
	assert_false(equal(&f.a, &f.b));
	fixture_end(&f);
}

static void build_number(struct buf *buf, const char *number_text)
{
	struct item_builder builder;
	struct decimal number;

	buf_reset(buf);
	assert_int_equal(decimal_parse(&number, text(number_text)), DECIMAL_OK);
	item_builder_init(&builder, buf);
	item_builder_name(&builder, text("n"));
	item_builder_number(&builder, &number);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

static void numbers_are_equal_by_value(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	build_number(&f.a, "1E3");
	build_number(&f.b, "1000.0");
	assert_true(equal(&f.a, &f.b));
	build_number(&f.b, "1000.1");
	assert_false(equal(&f.a, &f.b));
	fixture_end(&f);
}

static void values_of_different_types_differ(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	build_numbers(&f.a, ITEM_L, 0, 1, 2);
	build_numbers(&f.b, ITEM_SS, 0, 1, 2);
	assert_false(equal(&f.a, &f.b));
	fixture_end(&f);
}

static void bad_bytes_are_corrupt_not_equal(void **state)
{
	static const uint8_t one_of_two[] = { 0, 0, 0, 2, 1, 'a', ITEM_NULL, 0 };
	static const uint8_t huge_count[] = { 0xff, 0xff, 0xff, 0xff, 1, 'a', ITEM_NULL, 0 };
	bool is_equal;

	(void)state;
	assert_int_equal(item_equal(slice_of(one_of_two, sizeof(one_of_two)),
				    slice_of(one_of_two, sizeof(one_of_two)), &is_equal),
			 ST_CORRUPT);
	assert_int_equal(item_equal(slice_of(huge_count, sizeof(huge_count)),
				    slice_of(huge_count, sizeof(huge_count)), &is_equal),
			 ST_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_and_sets_have_no_order),
		cmocka_unit_test(lists_have_order),
		cmocka_unit_test(numbers_are_equal_by_value),
		cmocka_unit_test(values_of_different_types_differ),
		cmocka_unit_test(bad_bytes_are_corrupt_not_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
