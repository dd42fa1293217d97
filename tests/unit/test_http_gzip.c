#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/http/http_gzip.h"

enum { LIMIT = 1024 * 1024 };

static void assert_chooses(const char *accept_encoding, enum http_coding expected)
{
	assert_int_equal(http_gzip_choose(slice_of_string(accept_encoding)), expected);
}

static void the_best_accepted_coding_is_chosen(void **state)
{
	(void)state;
	assert_chooses("", HTTP_CODING_IDENTITY);
	assert_chooses("identity", HTTP_CODING_IDENTITY);
	assert_chooses("gzip", HTTP_CODING_GZIP);
	assert_chooses("GZIP", HTTP_CODING_GZIP);
	assert_chooses("deflate", HTTP_CODING_DEFLATE);
	assert_chooses("deflate, br , gzip;q=0.5", HTTP_CODING_GZIP);
	assert_chooses("gzip;q=0, deflate", HTTP_CODING_DEFLATE);
	assert_chooses("gzip; q=0.000", HTTP_CODING_IDENTITY);
	assert_chooses("gzip;q=0.001", HTTP_CODING_GZIP);
	assert_chooses("xgzip, gzipx, *", HTTP_CODING_IDENTITY);
	assert_chooses(",,;q=0,gzip", HTTP_CODING_GZIP);
}

static struct slice pattern(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * i >> 3);
	return slice_of(bytes, size);
}

static void packed_bodies_unpack_to_the_same(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 65535, 65536, 65537, 500000, LIMIT };
	uint8_t *bytes = malloc(LIMIT);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct slice plain = pattern(bytes, sizes[i]);
		struct buf packed;
		struct buf back;

		buf_init(&packed, 2 * LIMIT);
		buf_init(&back, LIMIT); /* the last size just fits */
		assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, plain, &packed), ST_OK);
		assert_int_equal(http_gzip_decode(buf_slice(&packed), &back), ST_OK);
		assert_true(slice_equal(buf_slice(&back), plain));
		buf_close(&back);
		buf_close(&packed);
	}
	free(bytes);
}

static void members_that_follow_each_other_are_one_body(void **state)
{
	struct buf packed;
	struct buf back;

	(void)state;
	buf_init(&packed, LIMIT);
	buf_init(&back, LIMIT);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of_string("first "), &packed), ST_OK);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of_string("second"), &packed), ST_OK);
	assert_int_equal(http_gzip_decode(buf_slice(&packed), &back), ST_OK);
	assert_true(slice_equal(buf_slice(&back), slice_of_string("first second")));
	buf_close(&back);
	buf_close(&packed);
}

static void each_cut_or_changed_stream_is_refused(void **state)
{
	struct buf packed;
	struct buf back;

	(void)state;
	buf_init(&packed, LIMIT);
	buf_init(&back, LIMIT);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of_string("some text, some text"), &packed),
			 ST_OK);
	for (size_t size = 0; size < packed.size; size++) {
		buf_reset(&back);
		assert_int_equal(http_gzip_decode(slice_of(packed.data, size), &back), ST_CORRUPT);
	}
	packed.data[packed.size - 5] ^= 1; /* the checksum */
	buf_reset(&back);
	assert_int_equal(http_gzip_decode(buf_slice(&packed), &back), ST_CORRUPT);
	packed.data[packed.size - 5] ^= 1;
	buf_append_string(&packed, "junk");
	buf_reset(&back);
	assert_int_equal(http_gzip_decode(buf_slice(&packed), &back), ST_CORRUPT);
	assert_int_equal(http_gzip_decode(slice_of_string("not gzip at all"), &back), ST_CORRUPT);
	buf_close(&back);
	buf_close(&packed);
}

static void a_bomb_stops_at_the_limit(void **state)
{
	uint8_t *zeros = calloc(1, LIMIT);
	struct buf packed;
	struct buf back;

	(void)state;
	buf_init(&packed, 2 * LIMIT);
	assert_int_equal(http_gzip_encode(HTTP_CODING_GZIP, slice_of(zeros, LIMIT), &packed), ST_OK);
	for (size_t less = 1; less < LIMIT; less *= 7) {
		buf_init(&back, LIMIT - less);
		assert_int_equal(http_gzip_decode(buf_slice(&packed), &back), ST_TOO_BIG);
		assert_true(back.size <= LIMIT - less);
		buf_close(&back);
	}
	buf_close(&packed);
	free(zeros);
}

static void a_full_output_is_an_error(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_int_equal(http_gzip_encode(HTTP_CODING_DEFLATE, slice_of_string("text"), &out), ST_TOO_BIG);
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_accepted_coding_is_chosen),
		cmocka_unit_test(packed_bodies_unpack_to_the_same),
		cmocka_unit_test(members_that_follow_each_other_are_one_body),
		cmocka_unit_test(each_cut_or_changed_stream_is_refused),
		cmocka_unit_test(a_bomb_stops_at_the_limit),
		cmocka_unit_test(a_full_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
