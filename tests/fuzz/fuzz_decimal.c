/* Numbers: whatever text or bytes come, what is accepted is canonical and comes back. */
#include "proto/model/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct decimal *number)
{
	uint8_t bytes[DECIMAL_ENCODED_SIZE_MAX];
	char text[DECIMAL_TEXT_SIZE_MAX];
	struct decimal back;
	size_t bytes_size = decimal_encode(number, bytes);
	size_t back_size;

	CHECK(decimal_decode(&back, slice_of(bytes, bytes_size), &back_size) == ST_OK);
	CHECK(back_size == bytes_size);
	CHECK(decimal_compare(&back, number) == 0);
	CHECK(decimal_parse(&back, slice_of(text, decimal_print(number, text))) == DECIMAL_OK);
	CHECK(decimal_compare(&back, number) == 0);
	CHECK(decimal_size_bytes(number) <= 22);
}

/* (a + b) - b = a, where both have a result. */
static void check_arithmetic(const struct decimal *a, const struct decimal *b)
{
	struct decimal sum;
	struct decimal back;

	if (decimal_add(&sum, a, b) != DECIMAL_OK)
		return;
	check_round_trip(&sum);
	CHECK(decimal_subtract(&back, &sum, b) == DECIMAL_OK);
	CHECK(decimal_compare(&back, a) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_of(data, size);
	struct slice first = slice_of(data, size / 2);
	struct slice second = slice_of(data + size / 2, size - size / 2);
	struct decimal a;
	struct decimal b;
	size_t encoded_size;

	if (decimal_parse(&a, input) == DECIMAL_OK)
		check_round_trip(&a);
	if (decimal_parse(&a, first) == DECIMAL_OK && decimal_parse(&b, second) == DECIMAL_OK)
		check_arithmetic(&a, &b);
	if (decimal_decode(&a, input, &encoded_size) == ST_OK) {
		uint8_t bytes[DECIMAL_ENCODED_SIZE_MAX];

		CHECK(decimal_encode(&a, bytes) == encoded_size);
		CHECK(memcmp(bytes, data, encoded_size) == 0);
		check_round_trip(&a);
	}
	return 0;
}
