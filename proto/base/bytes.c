#include "proto/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_CAPACITY_MIN = 64, VARINT_SIZE_MAX = 10 };

int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void buf_init(struct buf *buf, size_t size_bytes_max)
{
	*buf = (struct buf){ .size_max = size_bytes_max };
}

void buf_close(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ .size_max = buf->size_max };
}

void buf_reset(struct buf *buf)
{
	buf->size = 0;
	buf->status = ST_OK;
}

static bool grow(struct buf *buf, size_t needed)
{
	size_t capacity = buf->capacity < BUF_CAPACITY_MIN ? BUF_CAPACITY_MIN : buf->capacity;
	uint8_t *data;

	while (capacity < needed)
		capacity *= 2;
	data = realloc(buf->data, capacity);
	if (data == NULL) {
		buf->status = ST_NO_MEMORY;
		return false;
	}
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

uint8_t *buf_extend(struct buf *buf, size_t size_bytes)
{
	uint8_t *start;

	if (buf->status != ST_OK)
		return NULL;
	if (size_bytes > buf->size_max - buf->size) {
		buf->status = ST_TOO_BIG;
		return NULL;
	}
	/* NULL means failure, so that even nothing has a place. */
	if ((buf->data == NULL || buf->size + size_bytes > buf->capacity) &&
	    !grow(buf, buf->size + size_bytes))
		return NULL;
	start = buf->data + buf->size;
	buf->size += size_bytes;
	return start;
}

void buf_append(struct buf *buf, const void *data, size_t size_bytes)
{
	uint8_t *start;

	if (size_bytes == 0)
		return;
	start = buf_extend(buf, size_bytes);
	if (start != NULL)
		memcpy(start, data, size_bytes);
}

void buf_append_slice(struct buf *buf, struct slice slice)
{
	buf_append(buf, slice.data, slice.size);
}

void buf_append_string(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_list args_again;
	uint8_t *start;
	int length;

	va_start(args, format);
	va_copy(args_again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(length >= 0);
	/* vsnprintf writes a final NUL that is not part of the content. */
	start = buf_extend(buf, (size_t)length + 1);
	if (start != NULL) {
		(void)vsnprintf((char *)start, (size_t)length + 1, format, args_again);
		buf->size--;
	}
	va_end(args_again);
}

void buf_put_u8(struct buf *buf, uint8_t value)
{
	buf_append(buf, &value, 1);
}

void buf_put_u16_be(struct buf *buf, uint16_t value)
{
	uint8_t *start = buf_extend(buf, 2);

	if (start != NULL)
		put_u16_be(start, value);
}

void buf_put_u32_be(struct buf *buf, uint32_t value)
{
	uint8_t *start = buf_extend(buf, 4);

	if (start != NULL)
		put_u32_be(start, value);
}

void buf_put_u64_be(struct buf *buf, uint64_t value)
{
	uint8_t *start = buf_extend(buf, 8);

	if (start != NULL)
		put_u64_be(start, value);
}

void buf_put_varint(struct buf *buf, uint64_t value)
{
	uint8_t bytes[VARINT_SIZE_MAX];
	size_t count = 0;

	while (value >= 0x80) {
		bytes[count++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[count++] = (uint8_t)value;
	buf_append(buf, bytes, count);
}

uint8_t *buf_steal(struct buf *buf, size_t *size_bytes_out)
{
	uint8_t *data = buf->data;

	*size_bytes_out = buf->size;
	*buf = (struct buf){ .size_max = buf->size_max };
	return data;
}

void reader_init(struct reader *reader, struct slice slice)
{
	*reader = (struct reader){ slice.data, slice.size, ST_OK };
}

uint16_t reader_u16_be(struct reader *reader)
{
	struct slice taken = reader_bytes(reader, 2);

	return taken.size == 2 ? get_u16_be(taken.data) : 0;
}

uint32_t reader_u32_be(struct reader *reader)
{
	struct slice taken = reader_bytes(reader, 4);

	return taken.size == 4 ? get_u32_be(taken.data) : 0;
}

uint64_t reader_u64_be(struct reader *reader)
{
	struct slice taken = reader_bytes(reader, 8);

	return taken.size == 8 ? get_u64_be(taken.data) : 0;
}

uint64_t reader_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(reader);

		if (reader->status != ST_OK)
			return 0;
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return value;
	}
	reader->status = ST_CORRUPT;
	return 0;
}
