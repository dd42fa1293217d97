#include "proto/wire/wire_frame.h"

#include "proto/base/digest.h"

enum { SEED_SIZE = 8, CHECKSUM_AT = 8, CHECKED_FROM = 16 };

static uint64_t checksum(const uint8_t *frame, size_t size_bytes)
{
	return digest_hash64(slice_of(frame + CHECKED_FROM, size_bytes - CHECKED_FROM), get_u64_be(frame));
}

static void put_header(uint8_t *out, const struct wire_frame *frame)
{
	put_u16_be(out, WIRE_FRAME_MAGIC);
	out[2] = WIRE_FRAME_VERSION;
	out[3] = (uint8_t)frame->type;
	put_u32_be(out + 4, (uint32_t)frame->body.size);
	put_u16_be(out + 16, frame->method);
	put_u16_be(out + 18, (uint16_t)frame->status);
	put_u32_be(out + 20, frame->timeout_ms);
	put_u64_be(out + 24, frame->call_id);
}

void wire_frame_append(struct buf *out, const struct wire_frame *frame)
{
	uint8_t *start;

	if (frame->body.size > WIRE_FRAME_BODY_SIZE_MAX && out->status == ST_OK)
		out->status = ST_TOO_BIG;
	if (out->status != ST_OK)
		return;
	start = buf_extend(out, WIRE_FRAME_HEADER_SIZE + frame->body.size);
	if (start == NULL)
		return;
	put_header(start, frame);
	if (frame->body.size > 0)
		memcpy(start + WIRE_FRAME_HEADER_SIZE, frame->body.data, frame->body.size);
	put_u64_be(start + CHECKSUM_AT, checksum(start, WIRE_FRAME_HEADER_SIZE + frame->body.size));
}

static enum status check_header(const uint8_t *header, size_t body_size_bytes_max)
{
	if (get_u16_be(header) != WIRE_FRAME_MAGIC)
		return ST_CORRUPT;
	if (header[2] != WIRE_FRAME_VERSION)
		return ST_VERSION;
	if (header[3] < WIRE_FRAME_REQUEST || header[3] > WIRE_FRAME_HELLO)
		return ST_CORRUPT;
	if (get_u32_be(header + 4) > body_size_bytes_max)
		return ST_TOO_BIG;
	if ((int16_t)get_u16_be(header + 18) > 0)
		return ST_CORRUPT; /* no status is positive */
	return ST_OK;
}

static void get_frame(const uint8_t *in, size_t size_bytes, struct wire_frame *frame)
{
	*frame = (struct wire_frame){
		.type = (enum wire_frame_type)in[3],
		.method = get_u16_be(in + 16),
		.status = (enum status)(int16_t)get_u16_be(in + 18),
		.timeout_ms = get_u32_be(in + 20),
		.call_id = get_u64_be(in + 24),
		.body = slice_of(in + WIRE_FRAME_HEADER_SIZE, size_bytes - WIRE_FRAME_HEADER_SIZE),
	};
}

/* Garbage shall be noticed by its first bytes, not only when a whole header came. */
static enum status check_beginning(struct slice input)
{
	if (input.size >= 2 && get_u16_be(input.data) != WIRE_FRAME_MAGIC)
		return ST_CORRUPT;
	return ST_OK;
}

enum status wire_frame_decode(struct slice input, size_t body_size_bytes_max, struct wire_frame *frame_out,
			      size_t *size_out)
{
	enum status status;
	size_t size_bytes;

	if (body_size_bytes_max > WIRE_FRAME_BODY_SIZE_MAX)
		body_size_bytes_max = WIRE_FRAME_BODY_SIZE_MAX;
	if (input.size < WIRE_FRAME_HEADER_SIZE) {
		*size_out = WIRE_FRAME_HEADER_SIZE;
		return check_beginning(input);
	}
	status = check_header(input.data, body_size_bytes_max);
	if (status != ST_OK)
		return status;
	size_bytes = WIRE_FRAME_HEADER_SIZE + (size_t)get_u32_be(input.data + 4);
	if (input.size >= size_bytes) {
		if (get_u64_be(input.data + CHECKSUM_AT) != checksum(input.data, size_bytes))
			return ST_CORRUPT;
		get_frame(input.data, size_bytes, frame_out);
	}
	*size_out = size_bytes;
	return ST_OK;
}
