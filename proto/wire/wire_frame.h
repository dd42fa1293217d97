/* The frame around each message between processes: 32 bytes of header, then the body.
 *
 *   0  u16  magic 0xC1EA          8  u64  checksum
 *   2  u8   version              16  u16  method
 *   3  u8   type                 18  i16  status (replies and refusing hellos)
 *   4  u32  body size in bytes   20  u32  time left in ms (requests)
 *                                24  u64  call id (requests and replies)
 *
 * All numbers are big endian.  The checksum is XXH3-64 of everything from byte 16 to the
 * end of the body, seeded with the first 8 bytes, so that it covers the whole frame.  The
 * time left is a duration, so the clocks of two machines need not agree.
 *
 * Threads  pure functions.
 * Memory   a decoded body is borrowed from the input.
 * Errors   ST_CORRUPT garbage or checksum, ST_VERSION another frame version,
 *          ST_TOO_BIG body over the limit.
 */
#ifndef PROTO_WIRE_WIRE_FRAME_H
#define PROTO_WIRE_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/status.h"

enum {
	WIRE_FRAME_HEADER_SIZE = 32,
	WIRE_FRAME_BODY_SIZE_MAX = 32 * 1024 * 1024,
	WIRE_FRAME_MAGIC = 0xC1EA,
	WIRE_FRAME_VERSION = 1,
};

enum wire_frame_type {
	WIRE_FRAME_REQUEST = 1,
	WIRE_FRAME_REPLY = 2,
	WIRE_FRAME_ONE_WAY = 3,
	WIRE_FRAME_HELLO = 4,
};

struct wire_frame {
	enum wire_frame_type type;
	uint16_t method;
	enum status status;
	uint32_t timeout_ms;
	uint64_t call_id;
	struct slice body;
};

/* Append header and body.  A body over WIRE_FRAME_BODY_SIZE_MAX makes out->status
 * ST_TOO_BIG and appends nothing. */
void wire_frame_append(struct buf *out, const struct wire_frame *frame);

/* Decode the frame at the start of input.
 *
 * On ST_OK *size_out is the size of the whole frame, or of the header while that is not
 * there yet; the frame is complete, and *frame_out written, only if *size_out <= input.size. */
enum status wire_frame_decode(struct slice input, size_t body_size_bytes_max, struct wire_frame *frame_out,
			      size_t *size_out) MUST_CHECK;

#endif
