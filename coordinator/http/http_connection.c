#include <stdlib.h>
#include <sys/socket.h>

#include "coordinator/http/http_head.h"
#include "coordinator/http/http_internal.h"

static void on_connection_closed(uv_handle_t *handle)
{
	struct http_connection *connection = CONTAINER_OF(handle, struct http_connection, tcp);

	connection->sock = NULL;
	if (connection->linger_fd >= 0) {
		http_linger_start(connection, on_connection_closed);
		return;
	}
	CHECK(connection->unanswered_count == 0);
	queue_remove(&connection->link);
	connection->server->connection_count--;
	metric_add(&http_metrics.connections, -1);
	free(connection);
}

static void start(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	(void)uv_tcp_nodelay(&connection->tcp, 1); /* only slower without */
	connection->used_at_ms = uv_now(server->loop);
	connection->sock = h2o_uv_socket_create((uv_stream_t *)&connection->tcp, on_connection_closed);
	connection->sock->on_close.data = connection; /* how requests find their connection */
	metric_add(&http_metrics.connections_accepted, 1);
	h2o_accept(&server->accept, connection->sock);
	if (server->tls != NULL)
		http_read_learn((uv_stream_t *)&connection->tcp);
}

void http_connection_accept(struct http_server *server, uv_stream_t *listener)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return; /* the client waits until the next one comes */
	connection->server = server;
	connection->linger_fd = -1;
	if (uv_tcp_init(server->loop, &connection->tcp) != 0) {
		free(connection);
		return;
	}
	queue_push_tail(&server->connections, &connection->link);
	server->connection_count++;
	metric_add(&http_metrics.connections, 1);
	if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 || server->is_stopping ||
	    server->connection_count > server->options.connections_max) {
		metric_add(&http_metrics.connections_refused, 1);
		uv_close((uv_handle_t *)&connection->tcp, on_connection_closed);
		return;
	}
	start(connection);
}

struct http_connection *http_connection_of(h2o_req_t *h2o)
{
	return h2o->conn->callbacks->get_socket(h2o->conn)->on_close.data;
}

void http_connection_drop(struct http_connection *connection, bool with_reset)
{
	const struct linger forget = { .l_onoff = 1, .l_linger = 0 };
	uv_os_fd_t fd;

	if (connection->is_dropped || uv_fileno((const uv_handle_t *)&connection->tcp, &fd) != 0)
		return;
	connection->is_dropped = true;
	metric_add(&http_metrics.connections_dropped, 1);
	if (with_reset)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &forget, sizeof(forget)); /* a kindness to us */
	(void)shutdown(fd, SHUT_RDWR); /* fails if the client was quicker */
}

void http_connection_force(struct http_connection *connection)
{
	metric_add(&http_metrics.connections_forced, 1);
	http_linger_cancel(connection);
	if (uv_is_closing((const uv_handle_t *)&connection->tcp))
		return;
	if (connection->sock != NULL) {
		connection->sock->_cb.read = NULL;
		connection->sock->_cb.write = NULL; /* or closing would call it */
	}
	uv_close((uv_handle_t *)&connection->tcp, on_connection_closed);
}

/* After a reset libuv refuses to write, libh2o ignores the refusal and waits for its write
 * to end; so it does with the close_notify of TLS, which would keep the connection for ever.
 * An empty queue alone may also mean that the callback is about to be called: it is, before
 * the next sweep. */
static bool is_write_refused(struct http_connection *connection)
{
	bool was_refused = connection->is_write_refused;

	connection->is_write_refused = connection->sock->_cb.write != NULL &&
				       connection->tcp.write_queue_size == 0 &&
				       !uv_is_writable((const uv_stream_t *)&connection->tcp);
	return was_refused && connection->is_write_refused;
}

/* What libuv would have done, had it taken the write. */
static void fail_write(struct http_connection *connection)
{
	h2o_socket_cb write_cb = connection->sock->_cb.write;

	connection->is_write_refused = false;
	connection->sock->_cb.write = NULL;
	write_cb(connection->sock, h2o_socket_error_io); /* closes the socket */
}

static bool is_http2(const struct http_connection *connection)
{
	h2o_iovec_t protocol;

	if (connection->is_http2 || connection->sock->ssl == NULL)
		return connection->is_http2;
	if (h2o_socket_get_ssl_protocol_version(connection->sock) == NULL)
		return false; /* its first byte has not come, and asking for the protocol would crash */
	protocol = h2o_socket_ssl_get_selected_protocol(connection->sock);
	return protocol.len >= 2 && memcmp(protocol.base, "h2", 2) == 0;
}

static bool is_writing_too_slowly(struct http_connection *connection, uint64_t now_ms)
{
	size_t queue_size = connection->tcp.write_queue_size;

	if (queue_size == 0 || queue_size != connection->write_queue_size) {
		connection->write_queue_size = queue_size;
		connection->write_moved_at_ms = now_ms;
		return false;
	}
	return now_ms - connection->write_moved_at_ms > connection->server->options.idle_timeout_ms;
}

/* An HTTP/1 request has begun to arrive, but is not whole. */
static bool is_sending_too_slowly(struct http_connection *connection, uint64_t now_ms)
{
	const h2o_buffer_t *input = connection->sock->input;
	uint64_t grace_ms = connection->server->options.header_timeout_ms;
	uint64_t elapsed_ms;

	if (connection->partial_since_ms == 0)
		connection->partial_since_ms = now_ms;
	elapsed_ms = now_ms - connection->partial_since_ms;
	if (elapsed_ms <= grace_ms)
		return false;
	if (!http_head_is_complete(slice_of(input->bytes, input->size)))
		return true;
	return input->size < (elapsed_ms - grace_ms) * HTTP_BODY_RATE_MIN / 1000;
}

static bool is_idle_too_long(const struct http_connection *connection, uint64_t now_ms)
{
	uint64_t limit_ms = connection->server->options.idle_timeout_ms;

	/* What arrives in the streams of HTTP/2 is not seen here; libh2o has its own timer. */
	if (is_http2(connection))
		limit_ms = HTTP_REQUEST_TIMEOUT_MS;
	return now_ms - connection->used_at_ms > limit_ms;
}

/* Of those without a request at work or an answer under way. */
static bool is_overdue(struct http_connection *connection, uint64_t now_ms)
{
	if (connection->sock->input->size > 0 && !is_http2(connection))
		return is_sending_too_slowly(connection, now_ms);
	connection->partial_since_ms = 0;
	return connection->server->is_stopping || is_idle_too_long(connection, now_ms);
}

void http_connection_sweep(struct http_connection *connection, uint64_t now_ms)
{
	if (uv_is_closing((const uv_handle_t *)&connection->tcp))
		return;
	if (connection->is_lingering) {
		http_linger_sweep(connection, now_ms);
	} else if (connection->sock == NULL) {
		return;
	} else if (is_write_refused(connection)) {
		fail_write(connection);
	} else if (is_writing_too_slowly(connection, now_ms)) {
		http_connection_drop(connection, true);
	} else if (connection->unanswered_count > 0 || connection->tcp.write_queue_size > 0) {
		connection->partial_since_ms = 0;
	} else if (is_overdue(connection, now_ms)) {
		http_connection_drop(connection, false);
	}
}
