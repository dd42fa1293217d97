#include "tests/support/raw_stream.h"

enum { RECEIVED_SIZE_MAX = 128 * 1024 * 1024 };

static void on_opened(struct stream *stream)
{
	struct raw_stream *raw = stream->context;

	raw->opened_count++;
}

static uint8_t *on_read_buffer(struct stream *stream, size_t *size_out)
{
	struct raw_stream *raw = stream->context;

	*size_out = sizeof(raw->buffer);
	return raw->buffer;
}

static void on_read(struct stream *stream, size_t size_bytes)
{
	struct raw_stream *raw = stream->context;

	CHECK(raw->opened_count == 1 && raw->ended_count == 0);
	buf_append(&raw->received, raw->buffer, size_bytes);
	CHECK(raw->received.status == ST_OK);
}

static void on_drained(struct stream *stream)
{
	struct raw_stream *raw = stream->context;

	raw->drained_count++;
}

static void on_ended(struct stream *stream, enum status status)
{
	struct raw_stream *raw = stream->context;

	raw->ended_count++;
	raw->ended_status = status;
}

static void on_closed(struct stream *stream)
{
	struct raw_stream *raw = stream->context;

	raw->is_closed = true;
	raw->stream = NULL;
}

static const struct stream_user raw_user = {
	.opened = on_opened,
	.read_buffer = on_read_buffer,
	.read = on_read,
	.drained = on_drained,
	.ended = on_ended,
	.closed = on_closed,
};

void raw_stream_attach(struct raw_stream *raw, struct stream *stream)
{
	CHECK(stream != NULL);
	*raw = (struct raw_stream){ .stream = stream };
	buf_init(&raw->received, RECEIVED_SIZE_MAX);
	stream_set_user(stream, &raw_user, raw);
}

enum status raw_stream_write(struct raw_stream *raw, const void *data, size_t size_bytes)
{
	const struct slice slice = slice_of(data, size_bytes);

	return stream_write(raw->stream, &slice, 1);
}

void raw_stream_close(struct raw_stream *raw)
{
	CHECK(raw->is_closed);
	buf_close(&raw->received);
}
