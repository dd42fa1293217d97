/* Numbers as DynamoDB has them: up to 38 significant decimal digits, exact.
 *
 * A decimal is always normalised: no leading or trailing zero digit, and zero has no
 * digits and no sign.  So equal numbers have equal fields and equal bytes.
 *
 * The byte form keeps the order (memcmp order = numeric order) and delimits itself (no
 * encoding is a prefix of another), so it can stand inside a key.  Numbers are stored,
 * sent and compared in this form:
 *
 *   zero      80
 *   positive  81, exponent + 130, pairs
 *   negative  7f, then the complement of what follows 81 in the positive number
 *   pairs     two digits v = 0..99 a byte, the last filled up with 0: 2v + 1, and 2v in the last
 *
 * Threads  pure functions.
 * Errors   enum decimal_error, so that the caller can give the API's own message.
 * Source   range and precision: "Naming rules and data types", AWS's documentation.
 */
#ifndef PROTO_MODEL_DECIMAL_H
#define PROTO_MODEL_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/model/limits.h"

enum {
	DECIMAL_ENCODED_SIZE_MAX = 2 + (LIMIT_NUMBER_DIGIT_COUNT + 1) / 2,
	/* "-0." and 129 zeros and 38 digits; no NUL. */
	DECIMAL_TEXT_SIZE_MAX = 3 - LIMIT_NUMBER_EXPONENT_MIN - 1 + LIMIT_NUMBER_DIGIT_COUNT,
};

enum decimal_error {
	DECIMAL_OK,
	DECIMAL_NOT_A_NUMBER,
	DECIMAL_TOO_MANY_DIGITS, /* more than 38 */
	DECIMAL_OVERFLOW,        /* magnitude of 1E+126 or more */
	DECIMAL_UNDERFLOW,       /* not zero, but magnitude below 1E-130 */
};

struct decimal {
	uint8_t digits[LIMIT_NUMBER_DIGIT_COUNT]; /* 0..9, most significant first */
	uint8_t digit_count;                      /* 0: zero */
	bool is_negative;
	int16_t exponent; /* of the first digit: 9.99E+125 has 125 */
};

/* What DynamoDB says to it; DECIMAL_NOT_A_NUMBER is followed by ": " and the text, if there is any.
 * A sum of more than 38 digits is answered as DECIMAL_OVERFLOW by the service. */
const char *decimal_error_text(enum decimal_error error);

/* Text: [+-] digits [. digits] [e [+-] digits], at least one digit; no blanks. */
enum decimal_error decimal_parse(struct decimal *out, struct slice text) MUST_CHECK;
void decimal_from_int(struct decimal *out, int64_t value);
/* ST_INVALID if it is not a whole number of 64 bits. */
enum status decimal_to_int(const struct decimal *decimal, int64_t *value_out) MUST_CHECK;
/* Plain notation ("1E2" gives "100"), no NUL; the size in bytes. */
size_t decimal_print(const struct decimal *decimal, char out[DECIMAL_TEXT_SIZE_MAX]);

/* The exact result, or DECIMAL_TOO_MANY_DIGITS, _OVERFLOW, _UNDERFLOW: never rounded.
 * out may be one of the operands; it is written on DECIMAL_OK only. */
enum decimal_error decimal_add(struct decimal *out, const struct decimal *a,
			       const struct decimal *b) MUST_CHECK;
enum decimal_error decimal_subtract(struct decimal *out, const struct decimal *a,
				    const struct decimal *b) MUST_CHECK;
/* <0, 0, >0 */
int decimal_compare(const struct decimal *a, const struct decimal *b);

/* The byte form; its size. */
size_t decimal_encode(const struct decimal *decimal, uint8_t out[DECIMAL_ENCODED_SIZE_MAX]);
/* Decode the number at the start of bytes, and say how long it was (size_out may be NULL).
 * ST_CORRUPT for anything that decimal_encode() would not have written. */
enum status decimal_decode(struct decimal *out, struct slice bytes, size_t *size_out) MUST_CHECK;
/* The size of the number at the start of bytes, 0 if it is not well formed. */
size_t decimal_encoded_size(struct slice bytes);

/* Bytes a number counts for in an item's size: 1, one for each two digits begun before and
 * after the point, and 1 for a minus. */
uint32_t decimal_size_bytes(const struct decimal *decimal);
/* The same of a sound byte form, without decoding its digits. */
uint32_t decimal_size_bytes_encoded(struct slice bytes);

#endif
