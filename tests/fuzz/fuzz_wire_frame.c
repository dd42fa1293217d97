/* Frames from arbitrary bytes: decode what is there, and what decodes must encode to the
 * same bytes again. */
#include "proto/wire/wire_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check_round_trip(const struct wire_frame *frame, struct slice whole)
{
	struct buf out;

	buf_init(&out, WIRE_FRAME_HEADER_SIZE + WIRE_FRAME_BODY_SIZE_MAX);
	wire_frame_append(&out, frame);
	CHECK(out.status == ST_OK && slice_equal(buf_slice(&out), whole));
	buf_close(&out);
}

/* The checksum keeps mutated frames out, so let one in by giving it the right one. */
static void check_repaired(struct slice input)
{
	struct wire_frame frame = { .type = WIRE_FRAME_REQUEST };
	struct wire_frame decoded;
	struct buf out;
	size_t frame_size;

	if (input.size < 16)
		return;
	frame.type = (enum wire_frame_type)(1 + input.data[0] % 4);
	frame.method = get_u16_be(input.data + 1);
	frame.status = (enum status)(int16_t)(get_u16_be(input.data + 3) | 0x8000);
	frame.call_id = get_u64_be(input.data + 5);
	frame.body = slice_of(input.data + 16, input.size - 16);
	buf_init(&out, WIRE_FRAME_HEADER_SIZE + WIRE_FRAME_BODY_SIZE_MAX);
	wire_frame_append(&out, &frame);
	CHECK(out.status == ST_OK);
	CHECK(wire_frame_decode(buf_slice(&out), SIZE_MAX, &decoded, &frame_size) == ST_OK);
	CHECK(frame_size == out.size && decoded.call_id == frame.call_id && decoded.status == frame.status);
	buf_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct slice input = slice_of(data, size_bytes);
	struct wire_frame frame;
	size_t frame_size;

	check_repaired(input);
	while (wire_frame_decode(input, SIZE_MAX, &frame, &frame_size) == ST_OK && frame_size <= input.size) {
		check_round_trip(&frame, slice_of(input.data, frame_size));
		input = slice_of(input.data + frame_size, input.size - frame_size);
	}
	return 0;
}
