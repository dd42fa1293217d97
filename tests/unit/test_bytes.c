#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "proto/base/bytes.h"

static void a_prefix_sorts_before_what_it_begins(void **state)
{
	(void)state;
	assert_true(slice_compare(slice_of_string("ab"), slice_of_string("abc")) < 0);
	assert_true(slice_compare(slice_of_string("b"), slice_of_string("abc")) > 0);
	assert_int_equal(slice_compare(slice_of_string("ab"), slice_of_string("ab")), 0);
	assert_true(slice_compare(slice_of(NULL, 0), slice_of_string("a")) < 0);
	assert_int_equal(slice_compare(slice_of(NULL, 0), slice_of_string("")), 0);
	/* Bytes are unsigned. */
	assert_true(slice_compare(slice_of("\xff", 1), slice_of("\x01", 1)) > 0);
}

static void slices_are_equal_by_content(void **state)
{
	char copy[] = "same";

	(void)state;
	assert_true(slice_equal(slice_of_string("same"), slice_of_string(copy)));
	assert_false(slice_equal(slice_of_string("same"), slice_of_string("sam")));
	assert_false(slice_equal(slice_of_string("same"), slice_of_string("some")));
	assert_true(slice_equal(slice_of(NULL, 0), slice_of(copy, 0)));
}

static void numbers_are_written_and_read_back(void **state)
{
	struct buf buf;
	struct reader reader;

	(void)state;
	buf_init(&buf, 100);
	buf_put_u8(&buf, 0xab);
	buf_put_u16_be(&buf, 0x1234);
	buf_put_u32_be(&buf, 0xdeadbeef);
	buf_put_u64_be(&buf, 0x0123456789abcdef);
	assert_int_equal(buf.size, 15);
	assert_memory_equal(buf.data, "\xab\x12\x34\xde\xad\xbe\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 15);
	reader_init(&reader, buf_slice(&buf));
	assert_int_equal(reader_u8(&reader), 0xab);
	assert_int_equal(reader_u16_be(&reader), 0x1234);
	assert_int_equal(reader_u32_be(&reader), 0xdeadbeef);
	assert_true(reader_u64_be(&reader) == 0x0123456789abcdef);
	assert_int_equal(reader.size, 0);
	assert_int_equal(reader.status, ST_OK);
	buf_close(&buf);
}

static void varints_of_every_length_come_back(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t values[] = { (uint64_t)1 << bit, ((uint64_t)1 << bit) - 1, UINT64_MAX >> bit };

		for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
			struct buf buf;
			struct reader reader;

			buf_init(&buf, 10);
			buf_put_varint(&buf, values[i]);
			assert_int_equal(buf.status, ST_OK);
			reader_init(&reader, buf_slice(&buf));
			assert_true(reader_varint(&reader) == values[i]);
			assert_int_equal(reader.size, 0);
			assert_int_equal(reader.status, ST_OK);
			buf_close(&buf);
		}
	}
}

static void a_varint_too_long_or_too_big_is_corrupt(void **state)
{
	static const char *const texts[] = {
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", /* 2^64 and more */
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct reader reader;

		reader_init(&reader, slice_of(texts[i], 10));
		assert_true(reader_varint(&reader) == 0);
		assert_int_equal(reader.status, ST_CORRUPT);
	}
}

static void a_short_read_sticks(void **state)
{
	struct reader reader;

	(void)state;
	reader_init(&reader, slice_of_string("abc"));
	assert_int_equal(reader_u32_be(&reader), 0);
	assert_int_equal(reader.status, ST_CORRUPT);
	assert_int_equal(reader_u8(&reader), 0);
	assert_int_equal(reader_bytes(&reader, 1).size, 0);
	assert_int_equal(reader_varint(&reader), 0);
	assert_int_equal(reader.status, ST_CORRUPT);
}

static void nothing_can_be_read_from_nothing(void **state)
{
	struct reader reader;

	(void)state;
	reader_init(&reader, slice_of(NULL, 0));
	assert_int_equal(reader_bytes(&reader, 0).size, 0);
	assert_int_equal(reader.status, ST_OK);
	assert_int_equal(reader_bytes(&reader, SIZE_MAX).size, 0);
	assert_int_equal(reader.status, ST_CORRUPT);
}

static void the_limit_given_at_birth_holds_and_sticks(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_append_string(&buf, "abcd");
	assert_int_equal(buf.status, ST_OK);
	buf_append_string(&buf, "e");
	assert_int_equal(buf.status, ST_TOO_BIG);
	assert_int_equal(buf.size, 4);
	assert_null(buf_extend(&buf, 0));
	buf_reset(&buf);
	assert_int_equal(buf.status, ST_OK);
	assert_int_equal(buf.size, 0);
	assert_null(buf_extend(&buf, SIZE_MAX));
	assert_int_equal(buf.status, ST_TOO_BIG);
	buf_close(&buf);
}

static void a_buf_grows_and_keeps_its_content(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1 << 20);
	for (uint32_t i = 0; i < 10000; i++)
		buf_put_u32_be(&buf, i);
	assert_int_equal(buf.size, 40000);
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(get_u32_be(buf.data + (size_t)4 * i), i);
	buf_close(&buf);
	assert_null(buf.data);
	buf_put_u8(&buf, 1);
	assert_int_equal(buf.size, 1);
	buf_close(&buf);
}

static void formatted_text_leaves_no_nul(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_append_format(&buf, "%s=%d", "a", 1);
	buf_append_format(&buf, "%s", "");
	buf_append_format(&buf, ";%c", 'x');
	assert_true(slice_equal(buf_slice(&buf), slice_of_string("a=1;x")));
	buf_close(&buf);
}

static void stolen_bytes_belong_to_the_thief(void **state)
{
	struct buf buf;
	size_t size_bytes;
	uint8_t *data;

	(void)state;
	buf_init(&buf, 10);
	buf_append_string(&buf, "mine");
	data = buf_steal(&buf, &size_bytes);
	assert_int_equal(size_bytes, 4);
	assert_memory_equal(data, "mine", 4);
	assert_null(buf.data);
	buf_append_string(&buf, "0123456789");
	assert_int_equal(buf.status, ST_OK);
	free(data);
	buf_close(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_sorts_before_what_it_begins),
		cmocka_unit_test(slices_are_equal_by_content),
		cmocka_unit_test(numbers_are_written_and_read_back),
		cmocka_unit_test(varints_of_every_length_come_back),
		cmocka_unit_test(a_varint_too_long_or_too_big_is_corrupt),
		cmocka_unit_test(a_short_read_sticks),
		cmocka_unit_test(nothing_can_be_read_from_nothing),
		cmocka_unit_test(the_limit_given_at_birth_holds_and_sticks),
		cmocka_unit_test(a_buf_grows_and_keeps_its_content),
		cmocka_unit_test(formatted_text_leaves_no_nul),
		cmocka_unit_test(stolen_bytes_belong_to_the_thief),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
