/* A byte stream over TCP, without Nagle's delay and with keepalive.
 *
 * A peer that vanished without a word is noticed after about STREAM_TCP_DEAD_AFTER_MS,
 * by unacknowledged data or by keepalive probes.
 *
 * Threads, Memory, Errors  see stream.h.
 */
#ifndef PROTO_NET_STREAM_TCP_H
#define PROTO_NET_STREAM_TCP_H

#include <stdint.h>
#include <uv.h>

#include "proto/base/runtime_uv.h"
#include "proto/net/stream.h"

enum { STREAM_TCP_DEAD_AFTER_MS = 5000 };

/* Start to connect; opened() or ended() follows.  host is an address or a name; where a
 * name has several addresses, attempt chooses one (attempt modulo count).  NULL without memory. */
struct stream *stream_tcp_connect(struct runtime_uv *runtime, const char *host, uint16_t port,
				  uint32_t attempt, size_t queued_bytes_max);

/* Take the next connection of a listening socket; opened() follows in a later turn.
 * NULL without memory or when the connection is gone already. */
struct stream *stream_tcp_accept(struct runtime_uv *runtime, uv_stream_t *server, size_t queued_bytes_max);

#endif
