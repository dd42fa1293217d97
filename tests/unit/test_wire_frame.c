#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/wire/wire_frame.h"

static const struct wire_frame sample = {
	.type = WIRE_FRAME_REPLY,
	.method = 0x1234,
	.status = ST_STALE,
	.timeout_ms = 0x01020304,
	.call_id = 0x1122334455667788,
	.body = { (const uint8_t *)"the body", 8 },
};

static void make_sample(struct buf *out)
{
	buf_init(out, 1024);
	wire_frame_append(out, &sample);
	assert_int_equal(out->status, ST_OK);
	assert_int_equal(out->size, WIRE_FRAME_HEADER_SIZE + 8);
}

static enum status decode(struct slice input, size_t body_size_max)
{
	struct wire_frame frame;
	size_t size_bytes;

	return wire_frame_decode(input, body_size_max, &frame, &size_bytes);
}

static void frame_comes_back_as_it_was(void **state)
{
	struct wire_frame frame;
	struct buf out;
	size_t size_bytes;

	(void)state;
	make_sample(&out);
	assert_int_equal(wire_frame_decode(buf_slice(&out), 8, &frame, &size_bytes), ST_OK);
	assert_int_equal(size_bytes, out.size);
	assert_int_equal(frame.type, sample.type);
	assert_int_equal(frame.method, sample.method);
	assert_int_equal(frame.status, sample.status);
	assert_int_equal(frame.timeout_ms, sample.timeout_ms);
	assert_true(frame.call_id == sample.call_id);
	assert_true(slice_equal(frame.body, sample.body));
	assert_ptr_equal(frame.body.data, out.data + WIRE_FRAME_HEADER_SIZE);
	buf_close(&out);
}

static void layout_is_the_documented_one(void **state)
{
	static const uint8_t head[] = { 0xC1, 0xEA, 1, 2, 0, 0, 0, 8 };
	static const uint8_t rest[] = { 0x12, 0x34, 0xFF, 0xE6, 1,    2,    3,    4,
					0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 };
	struct buf out;

	(void)state;
	make_sample(&out);
	assert_memory_equal(out.data, head, sizeof(head));
	assert_memory_equal(out.data + 16, rest, sizeof(rest));
	buf_close(&out);
}

static void every_prefix_asks_for_more(void **state)
{
	struct wire_frame frame = { .call_id = 7 };
	struct buf out;
	size_t size_bytes;

	(void)state;
	make_sample(&out);
	for (size_t i = 0; i < out.size; i++) {
		assert_int_equal(wire_frame_decode(slice_of(out.data, i), 1024, &frame, &size_bytes), ST_OK);
		assert_int_equal(size_bytes, i < WIRE_FRAME_HEADER_SIZE ? WIRE_FRAME_HEADER_SIZE : out.size);
		assert_int_equal(frame.call_id, 7); /* not written */
	}
	buf_close(&out);
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct buf out;

	(void)state;
	make_sample(&out);
	for (size_t bit = 0; bit < 8 * out.size; bit++) {
		struct wire_frame frame;
		size_t size_bytes;
		enum status status;

		out.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		status = wire_frame_decode(buf_slice(&out), 1024, &frame, &size_bytes);
		assert_true(status != ST_OK || size_bytes > out.size); /* a longer frame never ends */
		out.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	buf_close(&out);
}

static void garbage_is_noticed_by_its_first_two_bytes(void **state)
{
	(void)state;
	assert_int_equal(decode(slice_of("G", 1), 1024), ST_OK); /* too little to tell */
	assert_int_equal(decode(slice_of("GE", 2), 1024), ST_CORRUPT);
}

static void another_version_is_told_apart_from_garbage(void **state)
{
	struct buf out;

	(void)state;
	make_sample(&out);
	out.data[2]++;
	assert_int_equal(decode(buf_slice(&out), 1024), ST_VERSION);
	buf_close(&out);
}

static void body_over_the_limit_is_refused_by_its_header(void **state)
{
	struct buf out;

	(void)state;
	make_sample(&out);
	assert_int_equal(decode(slice_of(out.data, WIRE_FRAME_HEADER_SIZE), 7), ST_TOO_BIG);
	put_u32_be(out.data + 4, WIRE_FRAME_BODY_SIZE_MAX + 1u);
	assert_int_equal(decode(slice_of(out.data, WIRE_FRAME_HEADER_SIZE), SIZE_MAX), ST_TOO_BIG);
	put_u32_be(out.data + 4, WIRE_FRAME_BODY_SIZE_MAX);
	assert_int_equal(decode(slice_of(out.data, WIRE_FRAME_HEADER_SIZE), SIZE_MAX), ST_OK);
	buf_close(&out);
}

static void positive_status_is_refused(void **state)
{
	struct wire_frame frame = sample;
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	frame.status = (enum status)5;
	wire_frame_append(&out, &frame);
	assert_int_equal(decode(buf_slice(&out), 1024), ST_CORRUPT);
	buf_close(&out);
}

static void append_over_a_limit_appends_nothing(void **state)
{
	struct wire_frame frame = sample;
	struct buf out;

	(void)state;
	make_sample(&out);
	frame.body.size = WIRE_FRAME_BODY_SIZE_MAX + 1u;
	wire_frame_append(&out, &frame);
	assert_int_equal(out.status, ST_TOO_BIG);
	assert_int_equal(out.size, WIRE_FRAME_HEADER_SIZE + 8);
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_comes_back_as_it_was),
		cmocka_unit_test(layout_is_the_documented_one),
		cmocka_unit_test(every_prefix_asks_for_more),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(garbage_is_noticed_by_its_first_two_bytes),
		cmocka_unit_test(another_version_is_told_apart_from_garbage),
		cmocka_unit_test(body_over_the_limit_is_refused_by_its_header),
		cmocka_unit_test(positive_status_is_refused),
		cmocka_unit_test(append_over_a_limit_appends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
