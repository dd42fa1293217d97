/* Borrowed slices, growable buffers that state their limit at birth, and a reader.
 *
 * Threads  no shared state; an object belongs to one thread at a time.
 * Memory   a slice borrows.  A buf owns its bytes until buf_close() or buf_steal().
 * Errors   appending to a buf never fails at once: the first failure sticks in
 *          buf.status, later appends do nothing, and the user checks once at
 *          the end.  A reader works the same way.
 */
#ifndef PROTO_BASE_BYTES_H
#define PROTO_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/base/check.h"
#include "proto/base/status.h"

struct slice {
	const uint8_t *data;
	size_t size;
};

static inline struct slice slice_of(const void *data, size_t size_bytes)
{
	return (struct slice){ (const uint8_t *)data, size_bytes };
}

static inline struct slice slice_of_string(const char *text)
{
	return (struct slice){ (const uint8_t *)text, strlen(text) };
}

/* <0, 0, >0 like memcmp; a proper prefix sorts first. */
int slice_compare(struct slice a, struct slice b);
bool slice_equal(struct slice a, struct slice b);

struct buf {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t size_max;    /* the limit given at birth */
	enum status status; /* ST_OK, ST_TOO_BIG or ST_NO_MEMORY; sticks */
};

void buf_init(struct buf *buf, size_t size_bytes_max);
void buf_close(struct buf *buf);
/* Forget the content, keep the memory and the limit, clear the status. */
void buf_reset(struct buf *buf);
/* Grow by size_bytes and return where they start, NULL on failure (sticks). */
uint8_t *buf_extend(struct buf *buf, size_t size_bytes);
void buf_append(struct buf *buf, const void *data, size_t size_bytes);
void buf_append_slice(struct buf *buf, struct slice slice);
void buf_append_string(struct buf *buf, const char *text);
void buf_append_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_put_u8(struct buf *buf, uint8_t value);
void buf_put_u16_be(struct buf *buf, uint16_t value);
void buf_put_u32_be(struct buf *buf, uint32_t value);
void buf_put_u64_be(struct buf *buf, uint64_t value);
void buf_put_varint(struct buf *buf, uint64_t value); /* LEB128, at most 10 bytes */
/* Hand the malloc()ed bytes to the caller; the buf is empty afterwards. */
uint8_t *buf_steal(struct buf *buf, size_t *size_bytes_out);

static inline struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){ buf->data, buf->size };
}

/* A cursor over borrowed bytes.  After a short read status is ST_CORRUPT and
 * every further read gives zero or an empty slice. */
struct reader {
	const uint8_t *data;
	size_t size; /* bytes left */
	enum status status;
};

void reader_init(struct reader *reader, struct slice slice);
uint16_t reader_u16_be(struct reader *reader);
uint32_t reader_u32_be(struct reader *reader);
uint64_t reader_u64_be(struct reader *reader);
uint64_t reader_varint(struct reader *reader);

/* These two are most of what it takes to walk an item. */
static inline struct slice reader_bytes(struct reader *reader, size_t size_bytes)
{
	struct slice taken = { reader->data, size_bytes };

	if (reader->status != ST_OK || size_bytes > reader->size) {
		reader->status = ST_CORRUPT;
		return (struct slice){ NULL, 0 };
	}
	/* NULL + 0 is undefined in C. */
	if (size_bytes > 0)
		reader->data += size_bytes;
	reader->size -= size_bytes;
	return taken;
}

static inline uint8_t reader_u8(struct reader *reader)
{
	struct slice taken = reader_bytes(reader, 1);

	return taken.size == 1 ? taken.data[0] : 0;
}

static inline void put_u16_be(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

static inline void put_u32_be(uint8_t *out, uint32_t value)
{
	put_u16_be(out, (uint16_t)(value >> 16));
	put_u16_be(out + 2, (uint16_t)value);
}

static inline void put_u64_be(uint8_t *out, uint64_t value)
{
	put_u32_be(out, (uint32_t)(value >> 32));
	put_u32_be(out + 4, (uint32_t)value);
}

static inline uint16_t get_u16_be(const uint8_t *in)
{
	return (uint16_t)((in[0] << 8) | in[1]);
}

static inline uint32_t get_u32_be(const uint8_t *in)
{
	return ((uint32_t)get_u16_be(in) << 16) | get_u16_be(in + 2);
}

static inline uint64_t get_u64_be(const uint8_t *in)
{
	return ((uint64_t)get_u32_be(in) << 32) | get_u32_be(in + 4);
}

#endif
