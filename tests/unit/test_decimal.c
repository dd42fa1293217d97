#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "proto/base/rng.h"
#include "proto/model/decimal.h"

enum { PROPERTY_ROUNDS = 20000, SEED = 38 };

struct arithmetic_case {
	const char *a;
	const char *b;
	int order;
	enum decimal_error sum_error;
	const char *sum;
	enum decimal_error difference_error;
	const char *difference;
};

static const struct arithmetic_case cases[] = {
#include "tests/unit/decimal_cases.inc"
};

static struct decimal parsed(const char *text)
{
	struct decimal number;

	assert_int_equal(decimal_parse(&number, slice_of_string(text)), DECIMAL_OK);
	return number;
}

static void assert_prints(const struct decimal *number, const char *expected)
{
	char text[DECIMAL_TEXT_SIZE_MAX + 1];

	text[decimal_print(number, text)] = '\0';
	assert_string_equal(text, expected);
}

static void assert_same(const struct decimal *a, const struct decimal *b)
{
	assert_int_equal(a->digit_count, b->digit_count);
	assert_int_equal(a->is_negative, b->is_negative);
	assert_int_equal(a->exponent, b->exponent);
	assert_memory_equal(a->digits, b->digits, a->digit_count);
}

static int sign_of(int order)
{
	return (order > 0) - (order < 0);
}

/* Digits, exponent and sign at random, normalised by going through text. */
static struct decimal random_number(struct rng *rng)
{
	char text[64];
	int size = 0;
	uint64_t count = 1 + rng_below(rng, LIMIT_NUMBER_DIGIT_COUNT);
	int exponent = (int)rng_below(rng, 256) - 130;

	if (rng_below(rng, 2) == 0)
		exponent = (int)rng_below(rng, 7) - 3;
	if (rng_below(rng, 2) == 0)
		text[size++] = '-';
	text[size++] = (char)('1' + rng_below(rng, 9));
	text[size++] = '.';
	for (uint64_t i = 1; i < count; i++)
		text[size++] = (char)('0' + rng_below(rng, rng_below(rng, 2) == 0 ? 2 : 10));
	(void)snprintf(text + size, sizeof(text) - (size_t)size, "e%d", exponent);
	return parsed(text);
}

static void numbers_print_as_the_api_returns_them(void **state)
{
	static const char *const table[][2] = {
		{ "1E2", "100" },
		{ "1.50", "1.5" },
		{ "-0", "0" },
		{ "0e5", "0" },
		{ "+3", "3" },
		{ "007", "7" },
		{ "001.23", "1.23" },
		{ ".123", "0.123" },
		{ "-.5", "-0.5" },
		{ "1e-3", "0.001" },
		{ "123e-2", "1.23" },
		{ "1.", "1" },
		{ "1.23e4", "12300" },
		{ "100.000", "100" },
		{ "-273.15", "-273.15" },
		{ "0.0010", "0.001" },
		{ "1e+5", "100000" },
		{ "-17.4E3", "-17400" },
		{ "0.000", "0" },
		{ "10", "10" },
		{ "100000000000000000000000000000000000000000000e-44", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct decimal number = parsed(table[i][0]);

		assert_prints(&number, table[i][1]);
	}
}

static void the_longest_numbers_print_in_full(void **state)
{
	struct decimal number = parsed("-1.2345678901234567890123456789012345678e-130");
	char text[DECIMAL_TEXT_SIZE_MAX];

	(void)state;
	assert_int_equal(decimal_print(&number, text), DECIMAL_TEXT_SIZE_MAX);
	assert_memory_equal(text, "-0.000", 6);
	number = parsed("1e125");
	assert_int_equal(decimal_print(&number, text), 126);
}

static void text_that_is_no_number_is_refused(void **state)
{
	static const char *const table[] = { "",     "NaN", "Infinity", "-",   "+",   ".",
					     "e5",   "1e",  "1e+",      " 1",  "1 ",  "1.2.3",
					     "0x10", "--1", "1e5.",     "dog", "1,5", "1e--5" };
	struct decimal number;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_int_equal(decimal_parse(&number, slice_of_string(table[i])), DECIMAL_NOT_A_NUMBER);
}

static void limits_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum decimal_error error;
	} table[] = {
		{ "99999999999999999999999999999999999999", DECIMAL_OK },
		{ "123456789012345678901234567890123456789", DECIMAL_TOO_MANY_DIGITS },
		{ "-1.23456789012345678901234567890123456789", DECIMAL_TOO_MANY_DIGITS },
		{ "100000000000000000000000000000000000001", DECIMAL_TOO_MANY_DIGITS },
		{ "9.9999999999999999999999999999999999999E+125", DECIMAL_OK },
		{ "1e126", DECIMAL_OVERFLOW },
		{ "-1e126", DECIMAL_OVERFLOW },
		{ "1e99999999999999999999999", DECIMAL_OVERFLOW },
		{ "1e-130", DECIMAL_OK },
		{ "1e-131", DECIMAL_UNDERFLOW },
		{ "-1e-131", DECIMAL_UNDERFLOW },
		{ "0.1e-130", DECIMAL_UNDERFLOW },
		{ "0e999", DECIMAL_OK },
	};
	struct decimal number;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_int_equal(decimal_parse(&number, slice_of_string(table[i].text)), table[i].error);
}

static void assert_outcome(enum decimal_error error, const struct decimal *number,
			   enum decimal_error expected_error, const char *expected)
{
	assert_int_equal(error, expected_error);
	if (error == DECIMAL_OK)
		assert_prints(number, expected);
}

static void arithmetic_agrees_with_pythons_decimal(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct decimal a = parsed(cases[i].a);
		struct decimal b = parsed(cases[i].b);
		struct decimal result;
		enum decimal_error error;

		assert_int_equal(sign_of(decimal_compare(&a, &b)), cases[i].order);
		error = decimal_add(&result, &a, &b);
		assert_outcome(error, &result, cases[i].sum_error, cases[i].sum);
		error = decimal_subtract(&result, &a, &b);
		assert_outcome(error, &result, cases[i].difference_error, cases[i].difference);
	}
}

static void a_result_may_replace_an_operand(void **state)
{
	struct decimal number = parsed("0.5");

	(void)state;
	assert_int_equal(decimal_add(&number, &number, &number), DECIMAL_OK);
	assert_prints(&number, "1");
	assert_int_equal(decimal_subtract(&number, &number, &number), DECIMAL_OK);
	assert_prints(&number, "0");
	assert_false(number.is_negative);
}

static void bytes_sort_as_the_numbers_do(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, SEED);
	for (int i = 0; i < PROPERTY_ROUNDS; i++) {
		struct decimal a = random_number(&rng);
		struct decimal b = random_number(&rng);
		uint8_t a_bytes[DECIMAL_ENCODED_SIZE_MAX];
		uint8_t b_bytes[DECIMAL_ENCODED_SIZE_MAX];
		size_t a_size = decimal_encode(&a, a_bytes);
		size_t b_size = decimal_encode(&b, b_bytes);
		size_t common = a_size < b_size ? a_size : b_size;
		int order = memcmp(a_bytes, b_bytes, common);

		assert_int_equal(sign_of(order), sign_of(decimal_compare(&a, &b)));
		if (order == 0) /* not a prefix, but the same */
			assert_int_equal(a_size, b_size);
	}
}

static void bytes_and_text_come_back_as_they_were(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, SEED);
	for (int i = 0; i < PROPERTY_ROUNDS; i++) {
		struct decimal number = random_number(&rng);
		struct decimal back;
		uint8_t bytes[DECIMAL_ENCODED_SIZE_MAX + 1];
		char text[DECIMAL_TEXT_SIZE_MAX];
		size_t size = decimal_encode(&number, bytes);
		size_t back_size;

		bytes[size] = 0xff; /* what follows does not matter */
		assert_int_equal(decimal_decode(&back, slice_of(bytes, size + 1), &back_size), ST_OK);
		assert_int_equal(back_size, size);
		assert_same(&back, &number);
		assert_int_equal(decimal_decode(&back, slice_of(bytes, size - 1), NULL), ST_CORRUPT);
		assert_int_equal(decimal_parse(&back, slice_of(text, decimal_print(&number, text))),
				 DECIMAL_OK);
		assert_same(&back, &number);
	}
}

static void bytes_that_we_never_write_are_refused(void **state)
{
	static const struct {
		uint8_t bytes[4];
		size_t size;
	} table[] = {
		{ { 0 }, 0 },
		{ { 0x82, 130, 20 }, 3 },            /* no such head */
		{ { 0x81, 130 }, 2 },                /* no digits */
		{ { 0x81, 130, 0 }, 3 },             /* 00 */
		{ { 0x81, 130, 2 * 9 }, 3 },         /* 09: a leading zero */
		{ { 0x81, 130, 2 * 10 + 1, 0 }, 4 }, /* 10 00: trailing zeros */
		{ { 0x81, 130, 200 }, 3 },           /* a pair of 100 */
		{ { 0x81, 130, 2 * 10 + 1 }, 3 },    /* more announced than there is */
	};
	struct decimal number;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		assert_int_equal(decimal_decode(&number, slice_of(table[i].bytes, table[i].size), NULL),
				 ST_CORRUPT);
}

static void more_than_38_digits_do_not_decode(void **state)
{
	uint8_t bytes[DECIMAL_ENCODED_SIZE_MAX + 1] = { 0x81, 130 };
	struct decimal number;

	(void)state;
	memset(bytes + 2, 2 * 11 + 1, sizeof(bytes) - 3);
	bytes[sizeof(bytes) - 1] = 2 * 11;
	assert_int_equal(decimal_decode(&number, slice_of(bytes, sizeof(bytes)), NULL), ST_CORRUPT);
	bytes[sizeof(bytes) - 2] = 2 * 11;
	assert_int_equal(decimal_encoded_size(slice_of(bytes, sizeof(bytes))), DECIMAL_ENCODED_SIZE_MAX);
}

static void integers_convert_both_ways(void **state)
{
	static const int64_t values[] = { 0, 1, -1, 10, 1200, -907, INT64_MAX, INT64_MIN };
	struct decimal number;
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		char text[32];

		decimal_from_int(&number, values[i]);
		(void)snprintf(text, sizeof(text), "%lld", (long long)values[i]);
		assert_prints(&number, text);
		assert_int_equal(decimal_to_int(&number, &back), ST_OK);
		assert_true(back == values[i]);
	}
	number = parsed("9223372036854775808");
	assert_int_equal(decimal_to_int(&number, &back), ST_INVALID);
	number = parsed("-9223372036854775809");
	assert_int_equal(decimal_to_int(&number, &back), ST_INVALID);
	number = parsed("1.5");
	assert_int_equal(decimal_to_int(&number, &back), ST_INVALID);
	number = parsed("1e19");
	assert_int_equal(decimal_to_int(&number, &back), ST_INVALID);
	number = parsed("0.5");
	assert_int_equal(decimal_to_int(&number, &back), ST_INVALID);
}

static void sizes_follow_the_trimmed_digits(void **state)
{
	static const struct {
		const char *text;
		uint32_t size_bytes;
	} table[] = {
		{ "0", 1 },       { "5", 2 },           { "-5", 3 },
		{ "12", 2 },      { "123", 3 },         { "100", 2 },
		{ "1e125", 2 },   { "0.001", 2 },       { "1.5", 3 },
		{ "-12.345", 5 }, { "1111111e119", 5 }, { "11111111111111111111111111111111111111", 20 },
		{ "-10", 3 },     { "0.0101", 3 },      { "-0.00123", 4 },
	};
	uint8_t encoded[DECIMAL_ENCODED_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		struct decimal number = parsed(table[i].text);

		assert_int_equal(decimal_size_bytes(&number), table[i].size_bytes);
		assert_int_equal(
			decimal_size_bytes_encoded(slice_of(encoded, decimal_encode(&number, encoded))),
			table[i].size_bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_print_as_the_api_returns_them),
		cmocka_unit_test(the_longest_numbers_print_in_full),
		cmocka_unit_test(text_that_is_no_number_is_refused),
		cmocka_unit_test(limits_are_told_apart),
		cmocka_unit_test(arithmetic_agrees_with_pythons_decimal),
		cmocka_unit_test(a_result_may_replace_an_operand),
		cmocka_unit_test(bytes_sort_as_the_numbers_do),
		cmocka_unit_test(bytes_and_text_come_back_as_they_were),
		cmocka_unit_test(bytes_that_we_never_write_are_refused),
		cmocka_unit_test(more_than_38_digits_do_not_decode),
		cmocka_unit_test(integers_convert_both_ways),
		cmocka_unit_test(sizes_follow_the_trimmed_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
