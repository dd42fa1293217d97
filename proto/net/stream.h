/* One byte stream: TCP (stream_tcp.h) or TLS over it (stream_tls.h).
 *
 * A stream is born connecting or accepted.  opened() says that it can be used: connected
 * and, with TLS, both certificates verified.  ended() says that it is over, whoever caused
 * it; the user then calls stream_close(), and closed() is the last callback.
 *
 * Threads  loop thread.  No callback comes from inside a function called by the user.
 * Memory   streams are heap objects that free themselves after closed().  Bytes given to
 *          stream_write() are borrowed during the call only.  Bytes that arrive are put
 *          where read_buffer() says.
 * Errors   ended() gets ST_CLOSED (peer closed, reset), ST_UNREACHABLE (could not
 *          connect), ST_DENIED (a certificate was refused by us or by the peer),
 *          ST_CORRUPT (not TLS), ST_IO.
 */
#ifndef PROTO_NET_STREAM_H
#define PROTO_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/status.h"
#include "proto/net/tls_context.h"

struct stream;

enum { STREAM_PEER_NAME_SIZE = 64, STREAM_SLICES_MAX = 16 };

struct stream_user {
	void (*opened)(struct stream *stream);
	/* Where to put what arrives next; at least 1 byte, NULL to end the stream (ST_NO_MEMORY).
	 * It may turn out that nothing arrived: then read() does not follow. */
	uint8_t *(*read_buffer)(struct stream *stream, size_t *size_out);
	void (*read)(struct stream *stream, size_t size_bytes);
	/* The write queue became empty after bytes had waited there.  May be NULL. */
	void (*drained)(struct stream *stream);
	/* At most once, and not after stream_close(). */
	void (*ended)(struct stream *stream, enum status status);
	void (*closed)(struct stream *stream);
};

struct stream_ops {
	enum status (*write)(struct stream *stream, const struct slice *slices, size_t slice_count);
	void (*read_start)(struct stream *stream);
	void (*read_stop)(struct stream *stream);
	size_t (*queued_bytes)(const struct stream *stream);
	bool (*peer_identity)(const struct stream *stream, struct tls_identity *identity_out);
	void (*close)(struct stream *stream);
};

struct stream {
	const struct stream_ops *ops;
	const struct stream_user *user;
	void *context;                         /* the user's */
	size_t queued_bytes_max;               /* stream_write() beyond it gives ST_OVERLOADED */
	bool is_closing;                       /* stream_close() was called */
	char peer_name[STREAM_PEER_NAME_SIZE]; /* "address:port" for log lines */
};

/* Who shall hear of the stream, once, before the next loop turn.  Reading starts by itself. */
static inline void stream_set_user(struct stream *stream, const struct stream_user *user, void *context)
{
	stream->user = user;
	stream->context = context;
}

/* Write now what the socket takes and queue a copy of the rest.  All or nothing:
 *   ST_OK          on its way
 *   ST_OVERLOADED  queued_bytes_max would be exceeded, nothing was taken
 *   ST_CLOSED      the stream is broken or not open; close it
 *   ST_NO_MEMORY   close it: a part may have been sent */
static inline enum status stream_write(struct stream *stream, const struct slice *slices, size_t slice_count)
{
	return stream->ops->write(stream, slices, slice_count);
}

/* Back-pressure towards the peer: stop and go on reading. */
static inline void stream_read_stop(struct stream *stream)
{
	stream->ops->read_stop(stream);
}

static inline void stream_read_start(struct stream *stream)
{
	stream->ops->read_start(stream);
}

/* Bytes that wait for the socket. */
static inline size_t stream_queued_bytes(const struct stream *stream)
{
	return stream->ops->queued_bytes(stream);
}

/* Whom the peer's verified certificate names; false on plain TCP or a name that says nothing. */
static inline bool stream_peer_identity(const struct stream *stream, struct tls_identity *identity_out)
{
	return stream->ops->peer_identity(stream, identity_out);
}

/* Queued bytes are dropped.  Harmless when already closing. */
static inline void stream_close(struct stream *stream)
{
	if (stream->is_closing)
		return;
	stream->is_closing = true;
	stream->ops->close(stream);
}

#endif
