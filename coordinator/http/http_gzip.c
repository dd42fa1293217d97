#define ZLIB_CONST /* input is not written to */

#include "coordinator/http/http_gzip.h"

#include <strings.h>
#include <zlib.h>

enum {
	WINDOW_BITS = 15,
	GZIP_FLAG = 16, /* added to the window bits: gzip's frame instead of zlib's */
	CHUNK_SIZE = 64 * 1024,
	ENCODE_LEVEL = 1, /* the loop waits for it */
	MEMORY_LEVEL = 8,
};

static struct slice trim(struct slice text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
		text.size--;
	return text;
}

static struct slice take_part(struct slice *rest, char separator)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
	struct slice part = *rest;

	if (end == NULL) {
		*rest = (struct slice){ NULL, 0 };
	} else {
		part.size = (size_t)(end - rest->data);
		*rest = slice_of(end + 1, rest->size - part.size - 1);
	}
	return trim(part);
}

static bool is_word(struct slice text, const char *word)
{
	return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* Do the parameters after the coding say "q=0"? */
static bool is_forbidden(struct slice parameters)
{
	while (parameters.size > 0) {
		struct slice parameter = take_part(&parameters, ';');

		if (parameter.size < 3 || (parameter.data[0] | 0x20) != 'q' || parameter.data[1] != '=')
			continue;
		for (size_t i = 2; i < parameter.size; i++) {
			if (parameter.data[i] != '0' && parameter.data[i] != '.')
				return false;
		}
		return true;
	}
	return false;
}

enum http_coding http_gzip_choose(struct slice accept_encoding)
{
	enum http_coding coding = HTTP_CODING_IDENTITY;

	while (accept_encoding.size > 0) {
		struct slice parameters = take_part(&accept_encoding, ',');
		struct slice name = take_part(&parameters, ';');

		if (is_forbidden(parameters))
			continue;
		if (is_word(name, "gzip"))
			return HTTP_CODING_GZIP;
		if (is_word(name, "deflate"))
			coding = HTTP_CODING_DEFLATE;
	}
	return coding;
}

const char *http_gzip_name(enum http_coding coding)
{
	CHECK(coding != HTTP_CODING_IDENTITY);
	return coding == HTTP_CODING_GZIP ? "gzip" : "deflate";
}

/* Room for the next part of the output, less near the limit; 0 at the limit. */
static size_t make_room(struct buf *out, z_stream *stream)
{
	size_t room = out->size_max - out->size;

	if (room > CHUNK_SIZE)
		room = CHUNK_SIZE;
	stream->next_out = room > 0 ? buf_extend(out, room) : NULL;
	if (stream->next_out == NULL)
		return 0;
	stream->avail_out = (uInt)room;
	return room;
}

/* One member, or a part of it as large as the room. */
static enum status inflate_more(z_stream *stream, struct buf *out)
{
	int result;

	/* At the limit one byte of room tells a whole stream from too much of it. */
	if (make_room(out, stream) == 0) {
		uint8_t beyond;

		if (out->status != ST_OK)
			return out->status;
		stream->next_out = &beyond;
		stream->avail_out = 1;
		result = inflate(stream, Z_NO_FLUSH);
		if (stream->avail_out == 0)
			return ST_TOO_BIG;
		stream->avail_out = 0;
	} else {
		result = inflate(stream, Z_NO_FLUSH);
	}
	out->size -= stream->avail_out;
	if (result == Z_STREAM_END)
		return stream->avail_in > 0 && inflateReset(stream) != Z_OK ? ST_CORRUPT : ST_OK;
	if (result == Z_MEM_ERROR)
		return ST_NO_MEMORY;
	/* Without progress the input has ended early. */
	return result == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0) ? ST_BUSY : ST_CORRUPT;
}

enum status http_gzip_decode(struct slice packed, struct buf *out)
{
	z_stream stream = { .next_in = packed.data, .avail_in = (uInt)packed.size };
	enum status status;

	if (packed.size > UINT32_MAX)
		return ST_TOO_BIG;
	if (inflateInit2(&stream, WINDOW_BITS + GZIP_FLAG) != Z_OK)
		return ST_NO_MEMORY;
	do {
		status = inflate_more(&stream, out);
	} while (status == ST_BUSY || (status == ST_OK && stream.avail_in > 0));
	(void)inflateEnd(&stream); /* only frees */
	return status;
}

enum status http_gzip_encode(enum http_coding coding, struct slice plain, struct buf *out)
{
	z_stream stream = { .next_in = plain.data, .avail_in = (uInt)plain.size };
	int window_bits = coding == HTTP_CODING_GZIP ? WINDOW_BITS + GZIP_FLAG : WINDOW_BITS;
	enum status status = ST_OK;
	uLong bound;

	if (plain.size > UINT32_MAX / 2)
		return ST_TOO_BIG;
	if (deflateInit2(&stream, ENCODE_LEVEL, Z_DEFLATED, window_bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return ST_NO_MEMORY;
	bound = deflateBound(&stream, plain.size);
	stream.next_out = buf_extend(out, bound);
	if (stream.next_out == NULL) {
		status = out->status;
	} else {
		stream.avail_out = (uInt)bound;
		CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END); /* the bound is enough */
		out->size -= stream.avail_out;
	}
	(void)deflateEnd(&stream); /* only frees */
	return status;
}
