/* A listening port: accepts connections up to a limit and hands out streams.
 *
 * Threads  loop thread.
 * Memory   the caller owns struct listener until stopped() ran; host is borrowed during
 *          listener_start(), tls until the end.
 * Errors   listener_start: ST_INVALID (host is no address), ST_EXISTS (address in use),
 *          ST_IO.  Connections over the limit are closed at once and counted.
 */
#ifndef PROTO_NET_LISTENER_H
#define PROTO_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "proto/base/runtime_uv.h"
#include "proto/base/status.h"
#include "proto/net/stream.h"
#include "proto/net/tls_context.h"

enum { LISTENER_BACKLOG = 512 };

struct listener;

struct listener_options {
	struct runtime_uv *runtime;
	const char *host; /* an IPv4 or IPv6 address */
	uint16_t port;    /* 0: any free one, see listener_port() */
	uint32_t connection_count_max;
	size_t queued_bytes_max;       /* of each stream */
	const struct tls_context *tls; /* NULL: plain TCP */
	/* A new stream, not open yet: call stream_set_user() in here, and
	 * listener_release() from its closed(). */
	void (*accepted)(struct listener *listener, struct stream *stream);
};

struct listener {
	struct listener_options options;
	uv_tcp_t *tcp; /* heap: libuv needs it a turn longer than a failed start */
	uint32_t connection_count;
	uint64_t refused_count;
	bool is_open;
	void (*stopped)(struct listener *listener);
};

enum status listener_start(struct listener *listener, const struct listener_options *options) MUST_CHECK;
/* The port in use, also when 0 was asked for. */
uint16_t listener_port(const struct listener *listener);
/* One accepted stream is closed. */
void listener_release(struct listener *listener);
/* Accept no more.  Accepted streams live on.  stopped() comes in a later turn. */
void listener_stop(struct listener *listener, void (*stopped)(struct listener *listener));

#endif
