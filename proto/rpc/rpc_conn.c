#include "proto/rpc/rpc_conn.h"

#include "proto/base/log.h"

static void end(struct rpc_conn *conn, enum status status)
{
	if (conn->is_last_flush) {
		rpc_conn_close(conn); /* nobody waits for this end */
		return;
	}
	if (conn->is_over)
		return;
	conn->is_over = true;
	conn->user->ended(conn, status);
}

static void on_opened(struct stream *stream)
{
	struct rpc_conn *conn = stream->context;

	conn->user->opened(conn);
}

static void use_block(struct rpc_conn *conn, struct rpc_block *block)
{
	size_t pending = conn->block->size - conn->parsed;

	if (pending > 0)
		memcpy(block->data, conn->block->data + conn->parsed, pending);
	block->size = pending;
	rpc_block_release(conn->block);
	conn->block = block;
	conn->parsed = 0;
}

/* Make room for the whole frame under way, or for a good piece of what comes next. */
static enum status reserve(struct rpc_conn *conn)
{
	struct rpc_block *block = conn->block;
	size_t pending = block->size - conn->parsed;
	size_t wanted = pending + RPC_READ_SPACE_MIN;
	bool is_shared = block->holder_count > 1;

	if (pending == 0 && !is_shared && block->capacity == RPC_READ_BLOCK_SIZE) {
		block->size = 0;
		conn->parsed = 0;
		return ST_OK;
	}
	if (conn->needed > wanted)
		wanted = conn->needed;
	if (block->capacity - conn->parsed >= wanted)
		return ST_OK;
	block = rpc_block_create(wanted > RPC_READ_BLOCK_SIZE ? wanted : RPC_READ_BLOCK_SIZE);
	if (block == NULL)
		return ST_NO_MEMORY;
	use_block(conn, block);
	return ST_OK;
}

static uint8_t *on_read_buffer(struct stream *stream, size_t *size_out)
{
	struct rpc_conn *conn = stream->context;

	if (conn->block == NULL)
		conn->block = rpc_block_create(RPC_READ_BLOCK_SIZE);
	if (conn->block == NULL || reserve(conn) != ST_OK)
		return NULL;
	*size_out = conn->block->capacity - conn->block->size;
	return conn->block->data + conn->block->size;
}

static void refuse_bytes(struct rpc_conn *conn, enum status status)
{
	log_warn("rpc", "bad-frame", "peer=%s status=%s", conn->stream->peer_name, status_name(status));
	end(conn, status);
}

/* True if a frame was handed out. */
static bool next_frame(struct rpc_conn *conn)
{
	const struct rpc_block *block = conn->block;
	struct slice input = slice_of(block->data + conn->parsed, block->size - conn->parsed);
	struct wire_frame frame;
	size_t frame_size;
	enum status status;

	if (input.size == 0)
		return false;
	status = wire_frame_decode(input, conn->body_size_max, &frame, &frame_size);
	if (status != ST_OK) {
		refuse_bytes(conn, status);
		return false;
	}
	if (frame_size > input.size) {
		conn->needed = frame_size;
		return false;
	}
	conn->parsed += frame_size;
	conn->needed = WIRE_FRAME_HEADER_SIZE;
	conn->user->frame(conn, &frame);
	return true;
}

static void on_read(struct stream *stream, size_t size_bytes)
{
	struct rpc_conn *conn = stream->context;

	conn->block->size += size_bytes;
	while (!conn->is_over && next_frame(conn))
		;
}

static void finish_flush(struct rpc_conn *conn)
{
	if (stream_queued_bytes(conn->stream) > 0)
		return; /* on_drained() resumes */
	if (conn->is_last_flush)
		rpc_conn_close(conn);
	else if (!conn->is_over && conn->user->drained != NULL)
		conn->user->drained(conn);
}

static void forget_out(struct rpc_conn *conn)
{
	if (conn->out.capacity <= RPC_OUT_KEEP_SIZE_MAX) {
		buf_reset(&conn->out);
		return;
	}
	buf_close(&conn->out);
	buf_init(&conn->out, RPC_QUEUED_BYTES_MAX);
}

static void on_flush(struct runtime_task *task)
{
	struct rpc_conn *conn = CONTAINER_OF(task, struct rpc_conn, flush_task);
	struct slice slice = buf_slice(&conn->out);
	enum status status = slice.size == 0 ? ST_OK : stream_write(conn->stream, &slice, 1);

	forget_out(conn);
	if (status != ST_OK)
		end(conn, ST_CLOSED);
	else
		finish_flush(conn);
}

static void on_drained(struct stream *stream)
{
	struct rpc_conn *conn = stream->context;

	if (conn->out.size == 0) /* else on_flush() is about to come */
		finish_flush(conn);
}

static void on_ended(struct stream *stream, enum status status)
{
	end(stream->context, status);
}

static void on_closed(struct stream *stream)
{
	struct rpc_conn *conn = stream->context;

	rpc_block_release(conn->block);
	conn->block = NULL;
	buf_close(&conn->out);
	conn->stream = NULL;
	conn->user->closed(conn);
}

static const struct stream_user stream_user = {
	.opened = on_opened,
	.read_buffer = on_read_buffer,
	.read = on_read,
	.drained = on_drained,
	.ended = on_ended,
	.closed = on_closed,
};

void rpc_conn_init(struct rpc_conn *conn, struct runtime *runtime, struct stream *stream,
		   const struct rpc_conn_user *user)
{
	*conn = (struct rpc_conn){
		.user = user,
		.runtime = runtime,
		.stream = stream,
		.needed = WIRE_FRAME_HEADER_SIZE,
		.body_size_max = RPC_HELLO_BODY_SIZE_MAX,
	};
	buf_init(&conn->out, RPC_QUEUED_BYTES_MAX);
	runtime_task_init(&conn->flush_task, on_flush);
	stream_set_user(stream, &stream_user, conn);
}

static enum status can_send(const struct rpc_conn *conn, size_t body_size_bytes)
{
	if (conn->is_over)
		return ST_CLOSED;
	if (body_size_bytes > WIRE_FRAME_BODY_SIZE_MAX)
		return ST_TOO_BIG;
	if (rpc_conn_queued_bytes(conn) + WIRE_FRAME_HEADER_SIZE + body_size_bytes > RPC_QUEUED_BYTES_MAX)
		return ST_OVERLOADED;
	return ST_OK;
}

/* A frame that found no memory left the buffer as it was. */
static enum status flush_later(struct rpc_conn *conn)
{
	enum status status = conn->out.status;

	conn->out.status = ST_OK;
	if (status == ST_OK)
		runtime_defer(conn->runtime, &conn->flush_task);
	return status;
}

enum status rpc_conn_send(struct rpc_conn *conn, const struct wire_frame *frame)
{
	enum status status = can_send(conn, frame->body.size);

	if (status != ST_OK)
		return status;
	wire_frame_append(&conn->out, frame);
	return flush_later(conn);
}

enum status rpc_conn_send_hello(struct rpc_conn *conn, const struct rpc_identity *own, enum status status)
{
	enum status can = can_send(conn, RPC_HELLO_BODY_SIZE_MAX);

	if (can != ST_OK)
		return can;
	rpc_hello_append(&conn->out, own, status);
	return flush_later(conn);
}

void rpc_conn_trust(struct rpc_conn *conn)
{
	conn->body_size_max = WIRE_FRAME_BODY_SIZE_MAX;
}

struct rpc_block *rpc_conn_hold(struct rpc_conn *conn)
{
	return rpc_block_hold(conn->block);
}

size_t rpc_conn_queued_bytes(const struct rpc_conn *conn)
{
	return conn->stream == NULL ? 0 : conn->out.size + stream_queued_bytes(conn->stream);
}

void rpc_conn_close(struct rpc_conn *conn)
{
	conn->is_over = true;
	conn->is_last_flush = false;
	runtime_task_cancel(&conn->flush_task);
	if (conn->stream != NULL)
		stream_close(conn->stream); /* on_closed() ends it */
}

void rpc_conn_close_flushed(struct rpc_conn *conn)
{
	if (conn->is_over)
		return;
	conn->is_over = true;
	conn->is_last_flush = true;
	runtime_defer(conn->runtime, &conn->flush_task);
}
