#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/base64.h"

static void assert_encodes(const char *plain, const char *expected)
{
	struct buf text;
	struct buf back;

	buf_init(&text, 1024);
	buf_init(&back, 1024);
	base64_encode(&text, slice_of_string(plain));
	assert_true(slice_equal(buf_slice(&text), slice_of_string(expected)));
	assert_int_equal(base64_decode(&back, slice_of_string(expected)), ST_OK);
	assert_true(slice_equal(buf_slice(&back), slice_of_string(plain)));
	buf_close(&back);
	buf_close(&text);
}

/* RFC 4648, section 10. */
static void the_published_pairs_hold_in_both_directions(void **state)
{
	(void)state;
	assert_encodes("", "");
	assert_encodes("f", "Zg==");
	assert_encodes("fo", "Zm8=");
	assert_encodes("foo", "Zm9v");
	assert_encodes("foob", "Zm9vYg==");
	assert_encodes("fooba", "Zm9vYmE=");
	assert_encodes("foobar", "Zm9vYmFy");
	assert_encodes("\xfb\xff\xbf", "+/+/");
}

static void every_byte_at_every_length_survives_a_round_trip(void **state)
{
	uint8_t bytes[256];
	struct buf text;
	struct buf back;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 3);
	buf_init(&text, 1024);
	buf_init(&back, 1024);
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		buf_reset(&text);
		buf_reset(&back);
		base64_encode(&text, slice_of(bytes, size));
		assert_int_equal(base64_decode(&back, buf_slice(&text)), ST_OK);
		assert_true(slice_equal(buf_slice(&back), slice_of(bytes, size)));

		buf_reset(&text);
		buf_reset(&back);
		hex_encode(&text, slice_of(bytes, size));
		assert_int_equal(hex_decode(&back, buf_slice(&text)), ST_OK);
		assert_true(slice_equal(buf_slice(&back), slice_of(bytes, size)));
	}
	buf_close(&back);
	buf_close(&text);
}

static void what_is_not_strict_base64_is_refused_and_leaves_nothing(void **state)
{
	static const char *const texts[] = {
		"Z",
		"Zg",
		"Zg=",
		"Zg==Zg==",
		"=",
		"==",
		"===",
		"====",
		"Z===",
		"Zg=v",
		"Zh==",
		"Zm9=",
		"Zm 9",
		"Zm9v\n",
		"Zm9-",
		"Zm9_",
		"\xff\xff\xff\xff",
		"Zm9vZm9",
		"Zg==Zm9v",
		"A\0AA", /* cut to four characters below, with the NUL */
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	buf_append_string(&out, "before");
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct slice text = slice_of_string(texts[i]);

		if (i + 1 == ARRAY_COUNT(texts))
			text.size = 4;
		assert_int_equal(base64_decode(&out, text), ST_INVALID);
		assert_true(slice_equal(buf_slice(&out), slice_of_string("before")));
	}
	buf_close(&out);
}

static void what_is_not_lower_case_hex_is_refused(void **state)
{
	static const char *const texts[] = { "0", "0g", "AB", "a b", "0x", "a:b;" };
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		assert_int_equal(hex_decode(&out, slice_of_string(texts[i])), ST_INVALID);
		assert_int_equal(out.size, 0);
	}
	buf_close(&out);
}

static void the_limit_of_the_buffer_holds(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 3);
	base64_encode(&out, slice_of_string("f"));
	assert_int_equal(out.status, ST_TOO_BIG);
	buf_reset(&out);
	assert_int_equal(base64_decode(&out, slice_of_string("Zm9vYg==")), ST_TOO_BIG);
	buf_reset(&out);
	assert_int_equal(base64_decode(&out, slice_of_string("Zm9v")), ST_OK);
	assert_int_equal(hex_decode(&out, slice_of_string("00")), ST_TOO_BIG);
	buf_close(&out);
}

static void hex_encode_to_ends_its_text(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x9f, 0xff };
	char text[8] = "zzzzzzz";

	(void)state;
	hex_encode_to(text, bytes, sizeof(bytes));
	assert_string_equal(text, "009fff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_pairs_hold_in_both_directions),
		cmocka_unit_test(every_byte_at_every_length_survives_a_round_trip),
		cmocka_unit_test(what_is_not_strict_base64_is_refused_and_leaves_nothing),
		cmocka_unit_test(what_is_not_lower_case_hex_is_refused),
		cmocka_unit_test(the_limit_of_the_buffer_holds),
		cmocka_unit_test(hex_encode_to_ends_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
