#include "proto/model/decimal.h"

enum {
	HEAD_NEGATIVE = 0x7f,
	HEAD_ZERO = 0x80,
	HEAD_POSITIVE = 0x81,
	HEAD_SIZE = 2, /* the head and the exponent */
	PAIR_MAX = 99,
	/* From the digit after 9.99E+125 down to the 38th digit of 1E-130. */
	SUM_WEIGHT_MIN = LIMIT_NUMBER_EXPONENT_MIN - LIMIT_NUMBER_DIGIT_COUNT + 1,
	SUM_DIGIT_COUNT = LIMIT_NUMBER_EXPONENT_MAX + 2 - SUM_WEIGHT_MIN,
	INT64_DIGIT_COUNT_MAX = 19,
	/* Further away than any text within the request limit can bring back. */
	TEXT_EXPONENT_MAX = 100 * 1000 * 1000,
};

const char *decimal_error_text(enum decimal_error error)
{
	switch (error) {
	case DECIMAL_OK:
		return "";
	case DECIMAL_NOT_A_NUMBER:
		return "The parameter cannot be converted to a numeric value";
	case DECIMAL_TOO_MANY_DIGITS:
		return "Attempting to store more than 38 significant digits in a Number";
	case DECIMAL_OVERFLOW:
		return "Number overflow. Attempting to store a number with magnitude larger than supported "
		       "range";
	case DECIMAL_UNDERFLOW:
		return "Number underflow. Attempting to store a number with magnitude smaller than supported "
		       "range";
	}
	return "";
}

/* What is known of a number while its text is read. */
struct scan {
	struct decimal *out;
	int64_t exponent;     /* of the first digit that is not zero */
	int64_t zeros_held;   /* zeros after digits: dropped if nothing follows */
	uint32_t digits_seen; /* of any kind, at most 1 */
	bool has_point;
	bool has_too_many;
};

static void take_digit(struct scan *scan, uint8_t digit)
{
	struct decimal *out = scan->out;
	bool is_leading_zero = out->digit_count == 0 && digit == 0;

	scan->digits_seen = 1;
	if (is_leading_zero) {
		scan->exponent -= scan->has_point;
		return;
	}
	if (out->digit_count == 0)
		scan->exponent -= scan->has_point;
	else
		scan->exponent += !scan->has_point;
	if (digit == 0) {
		scan->zeros_held++;
		return;
	}
	if (scan->has_too_many || out->digit_count + scan->zeros_held >= LIMIT_NUMBER_DIGIT_COUNT) {
		scan->has_too_many = true;
		return;
	}
	while (scan->zeros_held > 0) {
		out->digits[out->digit_count++] = 0;
		scan->zeros_held--;
	}
	out->digits[out->digit_count++] = digit;
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* digits [. digits]; the number of bytes taken. */
static size_t take_mantissa(struct scan *scan, struct slice text, size_t start)
{
	size_t at = start;

	for (; at < text.size; at++) {
		uint8_t byte = text.data[at];

		if (is_digit(byte))
			take_digit(scan, (uint8_t)(byte - '0'));
		else if (byte == '.' && !scan->has_point)
			scan->has_point = true;
		else
			break;
	}
	return at;
}

/* [+-] digits up to the end of the text. */
static bool take_exponent(struct scan *scan, struct slice text, size_t start)
{
	bool is_negative = start < text.size && text.data[start] == '-';
	bool has_sign = is_negative || (start < text.size && text.data[start] == '+');
	size_t at = start + has_sign;
	int64_t value = 0;

	if (at == text.size)
		return false;
	for (; at < text.size; at++) {
		if (!is_digit(text.data[at]))
			return false;
		if (value < TEXT_EXPONENT_MAX)
			value = value * 10 + (text.data[at] - '0');
	}
	scan->exponent += is_negative ? -value : value;
	return true;
}

static enum decimal_error check_range(int64_t exponent)
{
	if (exponent > LIMIT_NUMBER_EXPONENT_MAX)
		return DECIMAL_OVERFLOW;
	if (exponent < LIMIT_NUMBER_EXPONENT_MIN)
		return DECIMAL_UNDERFLOW;
	return DECIMAL_OK;
}

enum decimal_error decimal_parse(struct decimal *out, struct slice text)
{
	struct decimal number = { .digit_count = 0 };
	struct scan scan = { .out = &number };
	enum decimal_error error;
	size_t at = 0;

	if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
		number.is_negative = text.data[0] == '-';
		at = 1;
	}
	at = take_mantissa(&scan, text, at);
	if (scan.digits_seen == 0)
		return DECIMAL_NOT_A_NUMBER;
	if (at < text.size) {
		if ((text.data[at] != 'e' && text.data[at] != 'E') || !take_exponent(&scan, text, at + 1))
			return DECIMAL_NOT_A_NUMBER;
	}
	if (number.digit_count == 0) {
		*out = (struct decimal){ .digit_count = 0 };
		return DECIMAL_OK;
	}
	if (scan.has_too_many)
		return DECIMAL_TOO_MANY_DIGITS;
	error = check_range(scan.exponent);
	if (error != DECIMAL_OK)
		return error;
	number.exponent = (int16_t)scan.exponent;
	*out = number;
	return DECIMAL_OK;
}

void decimal_from_int(struct decimal *out, int64_t value)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	uint8_t reversed[INT64_DIGIT_COUNT_MAX];
	uint8_t count = 0;
	uint8_t zeros = 0;

	for (; magnitude > 0; magnitude /= 10)
		reversed[count++] = (uint8_t)(magnitude % 10);
	while (zeros < count && reversed[zeros] == 0)
		zeros++;
	*out = (struct decimal){ .digit_count = (uint8_t)(count - zeros), .is_negative = value < 0 };
	for (uint8_t i = 0; i < out->digit_count; i++)
		out->digits[i] = reversed[count - 1 - i];
	out->exponent = count > 0 ? (int16_t)(count - 1) : 0;
}

enum status decimal_to_int(const struct decimal *decimal, int64_t *value_out)
{
	uint64_t limit = decimal->is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t magnitude = 0;

	if (decimal->exponent >= INT64_DIGIT_COUNT_MAX || decimal->exponent < (int)decimal->digit_count - 1)
		return ST_INVALID;
	for (int i = 0; i <= decimal->exponent && decimal->digit_count > 0; i++)
		magnitude = magnitude * 10 + (i < decimal->digit_count ? decimal->digits[i] : 0);
	if (magnitude > limit)
		return ST_INVALID;
	*value_out = decimal->is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return ST_OK;
}

static size_t put_zeros(char *out, int count)
{
	if (count <= 0)
		return 0;
	memset(out, '0', (size_t)count);
	return (size_t)count;
}

static size_t put_digits(char *out, const struct decimal *decimal, int first, int end)
{
	for (int i = first; i < end; i++)
		out[i - first] = (char)('0' + decimal->digits[i]);
	return (size_t)(end - first);
}

size_t decimal_print(const struct decimal *decimal, char out[DECIMAL_TEXT_SIZE_MAX])
{
	int count = decimal->digit_count;
	int whole = decimal->exponent + 1; /* digits before the point, negative: zeros after it */
	int split = whole < 0 ? 0 : whole > count ? count : whole;
	size_t size = 0;

	if (count == 0) {
		out[0] = '0';
		return 1;
	}
	if (decimal->is_negative)
		out[size++] = '-';
	size += put_digits(out + size, decimal, 0, split);
	size += put_zeros(out + size, whole - count);
	if (split == 0)
		out[size++] = '0';
	if (split == count)
		return size;
	out[size++] = '.';
	size += put_zeros(out + size, -whole);
	size += put_digits(out + size, decimal, split, count);
	return size;
}

static int compare_magnitude(const struct decimal *a, const struct decimal *b)
{
	struct slice a_digits = slice_of(a->digits, a->digit_count);
	struct slice b_digits = slice_of(b->digits, b->digit_count);

	if (a->digit_count == 0 || b->digit_count == 0)
		return (a->digit_count > 0) - (b->digit_count > 0);
	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -1 : 1;
	return slice_compare(a_digits, b_digits);
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
	if (a->is_negative != b->is_negative)
		return a->is_negative ? -1 : 1;
	return a->is_negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

/* The digit that stands for 10^weight. */
static int digit_at(const struct decimal *decimal, int weight)
{
	int index = decimal->exponent - weight;

	return index >= 0 && index < decimal->digit_count ? decimal->digits[index] : 0;
}

static int weight_last(const struct decimal *decimal)
{
	return decimal->exponent - decimal->digit_count + 1;
}

/* sum[0] stands for 10^weight; take what is between the zeros at both ends. */
static enum decimal_error from_sum(struct decimal *out, const uint8_t *sum, int count, int weight,
				   bool is_negative)
{
	struct decimal result = { .is_negative = is_negative };
	enum decimal_error error;

	while (count > 0 && sum[count - 1] == 0)
		count--;
	if (count == 0) {
		*out = (struct decimal){ .digit_count = 0 };
		return DECIMAL_OK;
	}
	error = check_range((int64_t)weight + count - 1);
	if (error != DECIMAL_OK)
		return error;
	result.exponent = (int16_t)(weight + count - 1);
	while (*sum == 0) {
		sum++;
		count--;
	}
	if (count > LIMIT_NUMBER_DIGIT_COUNT)
		return DECIMAL_TOO_MANY_DIGITS;
	result.digit_count = (uint8_t)count;
	for (int i = 0; i < count; i++)
		result.digits[i] = sum[count - 1 - i];
	*out = result;
	return DECIMAL_OK;
}

/* |big| + sign * |small| with the sign of big; neither is zero, and |big| >= |small|. */
static enum decimal_error combine(struct decimal *out, const struct decimal *big, const struct decimal *small,
				  int sign)
{
	uint8_t sum[SUM_DIGIT_COUNT];
	int first = weight_last(big) < weight_last(small) ? weight_last(big) : weight_last(small);
	int count = big->exponent + 2 - first; /* one more for the carry */
	int carry = 0;

	CHECK(count > 0 && count <= SUM_DIGIT_COUNT);
	for (int i = 0; i < count; i++) {
		int digit = digit_at(big, first + i) + sign * digit_at(small, first + i) + carry;

		carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
		sum[i] = (uint8_t)(digit - 10 * carry);
	}
	CHECK(carry == 0);
	return from_sum(out, sum, count, first, big->is_negative);
}

enum decimal_error decimal_add(struct decimal *out, const struct decimal *a, const struct decimal *b)
{
	int sign = a->is_negative == b->is_negative ? 1 : -1;

	if (a->digit_count == 0 || b->digit_count == 0) {
		*out = a->digit_count == 0 ? *b : *a;
		return DECIMAL_OK;
	}
	if (compare_magnitude(a, b) >= 0)
		return combine(out, a, b, sign);
	return combine(out, b, a, sign);
}

enum decimal_error decimal_subtract(struct decimal *out, const struct decimal *a, const struct decimal *b)
{
	struct decimal negated = *b;

	negated.is_negative = b->digit_count > 0 && !b->is_negative;
	return decimal_add(out, a, &negated);
}

size_t decimal_encode(const struct decimal *decimal, uint8_t out[DECIMAL_ENCODED_SIZE_MAX])
{
	uint8_t flip = decimal->is_negative ? 0xff : 0;
	size_t size = HEAD_SIZE;

	if (decimal->digit_count == 0) {
		out[0] = HEAD_ZERO;
		return 1;
	}
	out[0] = decimal->is_negative ? HEAD_NEGATIVE : HEAD_POSITIVE;
	out[1] = (uint8_t)(decimal->exponent - LIMIT_NUMBER_EXPONENT_MIN) ^ flip;
	for (unsigned i = 0; i < decimal->digit_count; i += 2) {
		unsigned low = i + 1 < decimal->digit_count ? decimal->digits[i + 1] : 0;
		unsigned more = i + 2 < decimal->digit_count;

		out[size++] = (uint8_t)(2 * (10u * decimal->digits[i] + low) + more) ^ flip;
	}
	return size;
}

static void set_size(size_t *size_out, size_t size)
{
	if (size_out != NULL)
		*size_out = size;
}

enum status decimal_decode(struct decimal *out, struct slice bytes, size_t *size_out)
{
	struct decimal number = { .digit_count = 0 };
	size_t at = HEAD_SIZE;
	bool has_more = true;
	uint8_t flip;

	if (bytes.size > 0 && bytes.data[0] == HEAD_ZERO) {
		*out = number;
		set_size(size_out, 1);
		return ST_OK;
	}
	if (bytes.size <= HEAD_SIZE || (bytes.data[0] != HEAD_POSITIVE && bytes.data[0] != HEAD_NEGATIVE))
		return ST_CORRUPT;
	number.is_negative = bytes.data[0] == HEAD_NEGATIVE;
	flip = number.is_negative ? 0xff : 0;
	number.exponent = (int16_t)((bytes.data[1] ^ flip) + LIMIT_NUMBER_EXPONENT_MIN);
	for (; has_more; at++) {
		unsigned byte = at < bytes.size ? bytes.data[at] ^ flip : UINT8_MAX;

		if (byte / 2 > PAIR_MAX || number.digit_count == LIMIT_NUMBER_DIGIT_COUNT)
			return ST_CORRUPT;
		number.digits[number.digit_count++] = (uint8_t)(byte / 2 / 10);
		number.digits[number.digit_count++] = (uint8_t)(byte / 2 % 10);
		has_more = (byte & 1) != 0;
	}
	if (number.digits[number.digit_count - 1] == 0) /* filled up, or not canonical */
		number.digit_count--;
	if (number.digits[0] == 0 || number.digits[number.digit_count - 1] == 0)
		return ST_CORRUPT;
	*out = number;
	set_size(size_out, at);
	return ST_OK;
}

size_t decimal_encoded_size(struct slice bytes)
{
	struct decimal ignored;
	size_t size;

	return decimal_decode(&ignored, bytes, &size) == ST_OK ? size : 0;
}

static uint32_t counted_size(int digit_count, int exponent, bool is_negative)
{
	int whole = exponent + 1;
	int before_point = whole < 0 ? 0 : whole > digit_count ? digit_count : whole;
	int after_point = digit_count - before_point;

	if (digit_count == 0)
		return 1;
	return (uint32_t)(1 + (before_point + 1) / 2 + (after_point + 1) / 2 + is_negative);
}

uint32_t decimal_size_bytes(const struct decimal *decimal)
{
	return counted_size(decimal->digit_count, decimal->exponent, decimal->is_negative);
}

uint32_t decimal_size_bytes_encoded(struct slice bytes)
{
	bool is_negative = bytes.size > 0 && bytes.data[0] == HEAD_NEGATIVE;
	uint8_t flip = is_negative ? 0xff : 0;
	int digit_count;

	if (bytes.size <= HEAD_SIZE)
		return 1;
	digit_count = 2 * (int)(bytes.size - HEAD_SIZE);
	if ((bytes.data[bytes.size - 1] ^ flip) / 2 % 10 == 0) /* filled up */
		digit_count--;
	return counted_size(digit_count, (bytes.data[1] ^ flip) + LIMIT_NUMBER_EXPONENT_MIN, is_negative);
}
