#include "coordinator/http/http_server.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "coordinator/http/http_head.h"
#include "coordinator/http/http_internal.h"
#include "coordinator/http/http_tls.h"
#include "proto/base/log.h"

enum { LISTEN_BACKLOG = 1024, STOP_SWEEP_INTERVAL_MS = 20 };

#define COUNTER(metric_name, metric_labels, metric_help)                                                     \
	{                                                                                                    \
		.name = metric_name, .labels = metric_labels, .help = metric_help, .kind = METRIC_COUNTER    \
	}

struct http_metrics http_metrics = {
	.connections = { .name = "cleave_http_connections",
			 .help = "Open client connections",
			 .kind = METRIC_GAUGE },
	.connections_accepted = COUNTER("cleave_http_connections_accepted_total", NULL,
					"Accepted connections"),
	.connections_refused = COUNTER("cleave_http_connections_refused_total", NULL,
				       "Connections closed at the limit"),
	.connections_dropped = COUNTER("cleave_http_connections_dropped_total", NULL,
				       "Connections closed as idle or too slow"),
	.requests = COUNTER("cleave_http_requests_total", NULL, "Requests received whole"),
	.responses_2xx = COUNTER("cleave_http_responses_total", "class=\"2xx\"", "Answers by class"),
	.responses_4xx = COUNTER("cleave_http_responses_total", "class=\"4xx\"", "Answers by class"),
	.responses_5xx = COUNTER("cleave_http_responses_total", "class=\"5xx\"", "Answers by class"),
	.requests_aborted = COUNTER("cleave_http_requests_aborted_total", NULL,
				    "Requests given up before the answer"),
};

static void register_metrics(void)
{
	static bool is_registered;
	struct metric *metrics[] = { &http_metrics.connections,
				     &http_metrics.connections_accepted,
				     &http_metrics.connections_refused,
				     &http_metrics.connections_dropped,
				     &http_metrics.requests,
				     &http_metrics.responses_2xx,
				     &http_metrics.responses_4xx,
				     &http_metrics.responses_5xx,
				     &http_metrics.requests_aborted };

	for (size_t i = 0; !is_registered && i < ARRAY_COUNT(metrics); i++)
		metrics_register(metrics[i]);
	is_registered = true;
}

static void on_connection_closed(uv_handle_t *handle)
{
	struct http_connection *connection = CONTAINER_OF(handle, struct http_connection, tcp);

	CHECK(connection->unanswered_count == 0);
	queue_remove(&connection->link);
	connection->server->connection_count--;
	metric_add(&http_metrics.connections, -1);
	free(connection);
}

static void connection_start(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	(void)uv_tcp_nodelay(&connection->tcp, 1); /* only slower without */
	connection->used_at_ms = uv_now(server->loop);
	connection->sock = h2o_uv_socket_create((uv_stream_t *)&connection->tcp, on_connection_closed);
	connection->sock->on_close.data = connection; /* how requests find their connection */
	metric_add(&http_metrics.connections_accepted, 1);
	h2o_accept(&server->accept, connection->sock);
}

static void on_incoming(uv_stream_t *listener, int uv_status)
{
	struct http_server *server = CONTAINER_OF(listener, struct http_server, listener);
	struct http_connection *connection;

	if (uv_status != 0)
		return;
	connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		return; /* the client waits until the next one comes */
	connection->server = server;
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
	connection_start(connection);
}

/* Half the work is libh2o's: it sees the end of the stream and closes.  With a reset what
 * was not sent is forgotten at once, so that the kernel does not keep it for the client. */
static void drop(struct http_connection *connection, bool with_reset)
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

static bool is_http2(const struct http_connection *connection)
{
	h2o_iovec_t protocol;

	if (connection->is_http2 || connection->sock->ssl == NULL)
		return connection->is_http2;
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

static void sweep_connection(struct http_connection *connection, uint64_t now_ms)
{
	bool is_stopping = connection->server->is_stopping;

	if (connection->sock == NULL || uv_is_closing((const uv_handle_t *)&connection->tcp))
		return;
	if (is_writing_too_slowly(connection, now_ms)) {
		drop(connection, true);
	} else if (connection->unanswered_count > 0 || connection->tcp.write_queue_size > 0) {
		connection->partial_since_ms = 0;
	} else if (connection->sock->input->size > 0 && !is_http2(connection)) {
		if (is_sending_too_slowly(connection, now_ms))
			drop(connection, false);
	} else {
		connection->partial_since_ms = 0;
		if (is_stopping || is_idle_too_long(connection, now_ms))
			drop(connection, false);
	}
}

static void abort_all(struct http_server *server)
{
	while (!queue_is_empty(&server->requests))
		http_request_abandon(CONTAINER_OF(server->requests.next, struct http_request_impl, link));
	for (struct queue *link = server->connections.next; link != &server->connections; link = link->next) {
		struct http_connection *connection = CONTAINER_OF(link, struct http_connection, link);

		if (connection->tcp.write_queue_size == 0 ||
		    uv_now(server->loop) >= server->stop_deadline_ms + server->options.sweep_interval_ms)
			drop(connection, false);
	}
}

static void on_sweep_closed(uv_handle_t *handle)
{
	struct http_server *server = CONTAINER_OF(handle, struct http_server, sweep);

	server->is_stopped = true;
	server->stopped_cb(server->stopped_context);
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_server *server = CONTAINER_OF(timer, struct http_server, sweep);
	uint64_t now_ms = uv_now(server->loop);

	for (struct queue *link = server->connections.next; link != &server->connections; link = link->next)
		sweep_connection(CONTAINER_OF(link, struct http_connection, link), now_ms);
	if (!server->is_stopping)
		return;
	if (now_ms >= server->stop_deadline_ms)
		abort_all(server);
	if (server->connection_count == 0)
		uv_close((uv_handle_t *)&server->sweep, on_sweep_closed);
}

static void use_default(uint32_t *option, uint32_t value)
{
	if (*option == 0)
		*option = value;
}

static enum status copy_options(struct http_server *server, const struct http_server_options *options)
{
	server->options = *options;
	server->options.host = NULL; /* only needed to bind */
	server->options.tls_cert_path = NULL;
	server->options.tls_key_path = NULL;
	use_default(&server->options.connections_max, HTTP_CONNECTIONS_MAX_DEFAULT);
	use_default(&server->options.header_timeout_ms, HTTP_HEADER_TIMEOUT_MS_DEFAULT);
	use_default(&server->options.idle_timeout_ms, HTTP_IDLE_TIMEOUT_MS_DEFAULT);
	use_default(&server->options.sweep_interval_ms, HTTP_SWEEP_INTERVAL_MS_DEFAULT);
	server->region = strdup(options->region);
	return server->region != NULL ? ST_OK : ST_NO_MEMORY;
}

static enum status bind_and_listen(struct http_server *server, const struct http_server_options *options)
{
	struct sockaddr_storage address;

	if (uv_ip4_addr(options->host, options->port, (struct sockaddr_in *)&address) != 0 &&
	    uv_ip6_addr(options->host, options->port, (struct sockaddr_in6 *)&address) != 0)
		return ST_INVALID;
	if (uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0) != 0 ||
	    uv_listen((uv_stream_t *)&server->listener, LISTEN_BACKLOG, on_incoming) != 0)
		return ST_IO;
	return ST_OK;
}

static void init_h2o(struct http_server *server)
{
	h2o_hostconf_t *host;
	struct http_handler *handler;

	h2o_config_init(&server->config);
	server->config.server_name = h2o_iovec_init(NULL, 0);
	server->config.max_request_entity_size = HTTP_BODY_SIZE_MAX;
	server->config.handshake_timeout = server->options.header_timeout_ms;
	server->config.http1.req_timeout = HTTP_REQUEST_TIMEOUT_MS;
	server->config.http1.upgrade_to_http2 = 1; /* prior knowledge is part of it */
	server->config.http2.idle_timeout = server->options.idle_timeout_ms;
	host = h2o_config_register_host(&server->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
	handler = (struct http_handler *)h2o_create_handler(h2o_config_register_path(host, "/", 0),
							    sizeof(*handler));
	handler->super.on_req = http_request_on_h2o;
	handler->server = server;
	handler = (struct http_handler *)h2o_create_handler(&host->fallback_path, sizeof(*handler));
	handler->super.on_req = http_request_on_h2o;
	handler->server = server;
	h2o_context_init(&server->context, server->loop, &server->config);
	server->accept.ctx = &server->context;
	server->accept.hosts = server->config.hosts;
	server->accept.ssl_ctx = server->tls;
}

static void free_server(struct http_server *server)
{
	SSL_CTX_free(server->tls);
	free(server->region);
	free(server);
}

static void on_failed_closed(uv_handle_t *handle)
{
	free_server(CONTAINER_OF(handle, struct http_server, listener));
}

enum status http_server_create(uv_loop_t *loop, const struct http_server_options *options,
			       struct http_server **server_out)
{
	struct http_server *server = calloc(1, sizeof(*server));
	enum status status = ST_INVALID;

	if (server == NULL)
		return ST_NO_MEMORY;
	server->loop = loop;
	queue_init(&server->connections);
	queue_init(&server->requests);
	rng_seed_from_system(&server->rng);
	if (options->tls_cert_path != NULL) {
		server->tls = http_tls_create(options->tls_cert_path, options->tls_key_path);
		if (server->tls == NULL)
			goto free_server;
	}
	status = copy_options(server, options);
	if (status != ST_OK)
		goto free_server;
	CHECK(uv_tcp_init(loop, &server->listener) == 0); /* makes no socket yet */
	status = bind_and_listen(server, options);
	if (status != ST_OK)
		goto close_listener;

	init_h2o(server);
	register_metrics();
	CHECK(uv_timer_init(loop, &server->sweep) == 0);
	CHECK(uv_timer_start(&server->sweep, on_sweep, server->options.sweep_interval_ms,
			     server->options.sweep_interval_ms) == 0);
	log_info("http", "listening", "host=%s port=%u tls=%d", options->host, http_server_port(server),
		 server->tls != NULL);
	*server_out = server;
	return ST_OK;

close_listener:
	uv_close((uv_handle_t *)&server->listener, on_failed_closed); /* frees the rest */
	return status;
free_server:
	free_server(server);
	return status;
}

uint16_t http_server_port(const struct http_server *server)
{
	struct sockaddr_storage address;
	int size = sizeof(address);

	if (uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &size) != 0)
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

void http_server_stop(struct http_server *server, uint32_t grace_ms, http_server_stopped_cb stopped_cb,
		      void *context)
{
	CHECK(!server->is_stopping);
	server->is_stopping = true;
	server->stop_deadline_ms = uv_now(server->loop) + grace_ms;
	server->stopped_cb = stopped_cb;
	server->stopped_context = context;
	uv_close((uv_handle_t *)&server->listener, NULL);
	h2o_context_request_shutdown(&server->context);
	CHECK(uv_timer_start(&server->sweep, on_sweep, STOP_SWEEP_INTERVAL_MS, STOP_SWEEP_INTERVAL_MS) == 0);
}

void http_server_destroy(struct http_server *server)
{
	if (server == NULL)
		return;
	CHECK(server->is_stopped);
	/* The shutdown leaves it linked, which disposing does not like. */
	h2o_timeout_unlink(&server->context.http2._graceful_shutdown_timeout);
	h2o_context_dispose(&server->context);
	h2o_config_dispose(&server->config);
	free_server(server);
}
