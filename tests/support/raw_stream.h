/* A stream's user that remembers what it hears, for tests that speak bytes.
 *
 * Threads  one.
 * Memory   the caller owns struct raw_stream until is_closed.
 */
#ifndef TESTS_SUPPORT_RAW_STREAM_H
#define TESTS_SUPPORT_RAW_STREAM_H

#include <stdbool.h>

#include "proto/base/bytes.h"
#include "proto/net/stream.h"

struct raw_stream {
	struct stream *stream;
	struct buf received;
	uint8_t buffer[64 * 1024];
	uint32_t opened_count;
	uint32_t drained_count;
	uint32_t ended_count;
	enum status ended_status;
	bool is_closed;
};

void raw_stream_attach(struct raw_stream *raw, struct stream *stream);
enum status raw_stream_write(struct raw_stream *raw, const void *data, size_t size_bytes);
/* Frees what was received; the stream must be closed. */
void raw_stream_close(struct raw_stream *raw);

#endif
