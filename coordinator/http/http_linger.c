/* The lingering close.
 *
 * Who closes a socket with unread bytes in it resets the connection, and a client that is
 * still uploading never gets to see why.  libh2o closes so.  We keep a second descriptor of
 * such a stream, end only our direction of it, and read what the client sends until it is
 * through or has had enough of our patience (RFC 9112, section 9.6). */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coordinator/http/http_internal.h"

/* libh2o is done with a request, but has not yet closed its socket. */
void http_linger_on_log(h2o_logger_t *logger, h2o_req_t *h2o)
{
	struct http_connection *connection;
	uv_os_fd_t fd;

	(void)logger;
	if (!http_is_http1(h2o) || h2o->http1_is_persistent || h2o->res.status < 400)
		return;
	connection = http_connection_of(h2o);
	if (connection->is_dropped || connection->linger_fd >= 0 ||
	    uv_fileno((const uv_handle_t *)&connection->tcp, &fd) != 0)
		return;
	connection->linger_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* -1: it does not linger */
}

static void close_now(struct http_connection *connection)
{
	uv_handle_t *handle = (uv_handle_t *)&connection->tcp;

	if (!uv_is_closing(handle))
		uv_close(handle, connection->linger_closed_cb);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
	struct http_connection *connection = CONTAINER_OF(handle, struct http_connection, tcp);

	(void)suggested_size;
	*buf = uv_buf_init((char *)connection->server->drain_buffer, HTTP_DRAIN_BUFFER_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct http_connection *connection = CONTAINER_OF(stream, struct http_connection, tcp);

	(void)buf; /* nobody wants it */
	if (count > 0) {
		connection->linger_size_bytes += (size_t)count;
		connection->linger_moved_at_ms = uv_now(stream->loop);
	}
	if (count < 0 || connection->linger_size_bytes > HTTP_LINGER_SIZE_MAX)
		close_now(connection);
}

void http_linger_start(struct http_connection *connection, uv_close_cb closed_cb)
{
	int fd = connection->linger_fd;

	connection->linger_fd = -1;
	connection->is_lingering = true;
	connection->linger_closed_cb = closed_cb;
	connection->linger_since_ms = uv_now(connection->server->loop);
	connection->linger_moved_at_ms = connection->linger_since_ms;
	CHECK(uv_tcp_init(connection->server->loop, &connection->tcp) == 0); /* makes no socket */
	if (uv_tcp_open(&connection->tcp, fd) != 0) {
		(void)close(fd);
		close_now(connection);
		return;
	}
	(void)shutdown(fd, SHUT_WR); /* fails if the client was quicker, which reading tells */
	if (uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) != 0)
		close_now(connection);
}

void http_linger_sweep(struct http_connection *connection, uint64_t now_ms)
{
	if (now_ms - connection->linger_since_ms > HTTP_LINGER_TIMEOUT_MS ||
	    now_ms - connection->linger_moved_at_ms > HTTP_LINGER_IDLE_TIMEOUT_MS)
		close_now(connection);
}

void http_linger_cancel(struct http_connection *connection)
{
	if (connection->linger_fd >= 0)
		(void)close(connection->linger_fd);
	connection->linger_fd = -1;
}
