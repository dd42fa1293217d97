/* A byte stream that encrypts: OpenSSL through memory buffers over another stream.
 *
 * opened() comes when the handshake is done.  A client of TLS 1.3 is done before the server
 * has judged its certificate, so a refused client hears ended(ST_DENIED) after opened().
 *
 * Threads, Memory, Errors  see stream.h.
 */
#ifndef PROTO_NET_STREAM_TLS_H
#define PROTO_NET_STREAM_TLS_H

#include <stdbool.h>

#include "proto/base/runtime.h"
#include "proto/net/stream.h"
#include "proto/net/tls_context.h"

/* Takes inner over, which must not be open yet; on failure (NULL, no memory) inner stays
 * the caller's. */
struct stream *stream_tls_create(struct runtime *runtime, struct stream *inner,
				 const struct tls_context *context, bool is_server);

#endif
