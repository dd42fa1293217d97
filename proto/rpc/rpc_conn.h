/* Frames over one stream, for rpc_client and rpc_server.
 *
 * Frames sent in one loop turn leave in one write at its end.  Frames that arrive are handed
 * out where they were read.  Until rpc_conn_trust() only small bodies are taken.
 *
 * Threads  loop thread.
 * Memory   the owner keeps struct rpc_conn in place until closed().  A frame's body is
 *          borrowed during frame(), longer with rpc_conn_hold().
 * Errors   garbage, a wrong checksum, a foreign frame version or a too big body end the
 *          connection with a log line that names the peer.
 */
#ifndef PROTO_RPC_RPC_CONN_H
#define PROTO_RPC_RPC_CONN_H

#include <stdbool.h>

#include "proto/base/bytes.h"
#include "proto/base/runtime.h"
#include "proto/net/stream.h"
#include "proto/rpc/rpc_block.h"
#include "proto/rpc/rpc_hello.h"
#include "proto/wire/wire_frame.h"

struct rpc_conn;

struct rpc_conn_user {
	void (*opened)(struct rpc_conn *conn);
	void (*frame)(struct rpc_conn *conn, const struct wire_frame *frame);
	/* Nothing waits to be sent any more.  May be NULL. */
	void (*drained)(struct rpc_conn *conn);
	/* At most once, not after a close; the owner then calls rpc_conn_close(). */
	void (*ended)(struct rpc_conn *conn, enum status status);
	void (*closed)(struct rpc_conn *conn); /* the last callback, in a later turn */
};

struct rpc_conn {
	const struct rpc_conn_user *user;
	struct runtime *runtime;
	struct stream *stream;
	struct rpc_block *block;
	size_t parsed; /* offset in block */
	size_t needed; /* bytes of the frame that begins there, as far as known */
	size_t body_size_max;
	struct buf out;
	struct runtime_task flush_task;
	bool is_over;       /* ended or closing: no more frames */
	bool is_last_flush; /* close when all is sent */
};

void rpc_conn_init(struct rpc_conn *conn, struct runtime *runtime, struct stream *stream,
		   const struct rpc_conn_user *user);
/* ST_OVERLOADED (RPC_QUEUED_BYTES_MAX), ST_TOO_BIG, ST_NO_MEMORY, ST_CLOSED: nothing is sent of
 * this frame; those before it are. */
enum status rpc_conn_send(struct rpc_conn *conn, const struct wire_frame *frame) MUST_CHECK;
enum status rpc_conn_send_hello(struct rpc_conn *conn, const struct rpc_identity *own,
				enum status status) MUST_CHECK;
/* The peer may send bodies of full size from now on. */
void rpc_conn_trust(struct rpc_conn *conn);
/* Keep the block of the frame that is being handed out. */
struct rpc_block *rpc_conn_hold(struct rpc_conn *conn);
size_t rpc_conn_queued_bytes(const struct rpc_conn *conn);
/* Drop what is queued.  Harmless when called twice. */
void rpc_conn_close(struct rpc_conn *conn);
/* Take no more frames, send what is queued, then close.  The caller bounds the time. */
void rpc_conn_close_flushed(struct rpc_conn *conn);

#endif
