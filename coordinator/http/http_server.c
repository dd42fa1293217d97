#include "coordinator/http/http_server.h"

#include <stdlib.h>

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
	.connections_forced = COUNTER("cleave_http_connections_forced_total", NULL,
				      "Connections that a stop had to take from the HTTP library"),
	.bodies_held = { .name = "cleave_http_bodies_held_bytes",
			 .help = "Bodies of requests at work",
			 .kind = METRIC_GAUGE },
	.bodies_arriving = { .name = "cleave_http_bodies_arriving_bytes",
			     .help = "Bodies of requests that are not yet whole",
			     .kind = METRIC_GAUGE },
	.requests = COUNTER("cleave_http_requests_total", NULL, "Requests received whole"),
	.requests_refused = COUNTER("cleave_http_requests_refused_total", NULL,
				    "Requests answered 503 for lack of room"),
	.responses_2xx = COUNTER("cleave_http_responses_total", "class=\"2xx\"", "Answers by class"),
	.responses_4xx = COUNTER("cleave_http_responses_total", "class=\"4xx\"", "Answers by class"),
	.responses_5xx = COUNTER("cleave_http_responses_total", "class=\"5xx\"", "Answers by class"),
	.requests_aborted = COUNTER("cleave_http_requests_aborted_total", NULL,
				    "Requests given up before the answer"),
};

static void register_metrics(void)
{
	static bool is_registered;
	struct metric *metrics[] = { &http_metrics.connections,         &http_metrics.connections_accepted,
				     &http_metrics.connections_refused, &http_metrics.connections_dropped,
				     &http_metrics.connections_forced,  &http_metrics.bodies_held,
				     &http_metrics.bodies_arriving,     &http_metrics.requests,
				     &http_metrics.requests_refused,    &http_metrics.responses_2xx,
				     &http_metrics.responses_4xx,       &http_metrics.responses_5xx,
				     &http_metrics.requests_aborted };

	for (size_t i = 0; !is_registered && i < ARRAY_COUNT(metrics); i++)
		metrics_register(metrics[i]);
	is_registered = true;
}

static void on_incoming(uv_stream_t *listener, int uv_status)
{
	if (uv_status == 0)
		http_connection_accept(CONTAINER_OF(listener, struct http_server, listener), listener);
}

static struct http_connection *connection_at(struct queue *link)
{
	return CONTAINER_OF(link, struct http_connection, link);
}

static void abort_all(struct http_server *server, uint64_t now_ms)
{
	bool is_flushed = now_ms >= server->stop_deadline_ms + HTTP_STOP_FLUSH_MS;

	while (!queue_is_empty(&server->requests))
		http_request_abandon(CONTAINER_OF(server->requests.next, struct http_request_impl, link));
	for (struct queue *link = server->connections.next; link != &server->connections; link = link->next) {
		struct http_connection *connection = connection_at(link);

		if (connection->tcp.write_queue_size == 0 || is_flushed)
			http_connection_drop(connection, false);
	}
}

static void unlink_all(h2o_timeout_t *timeout)
{
	while (!h2o_linklist_is_empty(&timeout->_entries))
		h2o_timeout_unlink(
			H2O_STRUCT_FROM_MEMBER(h2o_timeout_entry_t, _link, timeout->_entries.next));
}

/* The last resort.  Without timers and handles nothing calls libh2o any more. */
static void force_all(struct http_server *server)
{
	log_error("http", "stop-forced", "connections=%u", server->connection_count);
	server->is_forced = true;
	unlink_all(&server->context.zero_timeout);
	unlink_all(&server->context.one_sec_timeout);
	unlink_all(&server->context.hundred_ms_timeout);
	unlink_all(&server->context.handshake_timeout);
	unlink_all(&server->context.http1.req_timeout);
	unlink_all(&server->context.http2.idle_timeout);
	unlink_all(&server->context.http2.graceful_shutdown_timeout);
	for (struct queue *link = server->connections.next; link != &server->connections; link = link->next)
		http_connection_force(connection_at(link));
}

static void on_tick_closed(uv_handle_t *handle)
{
	struct http_server *server = CONTAINER_OF(handle, struct http_server, tick);

	server->is_stopped = true;
	server->stopped_cb(server->stopped_context);
}

static void stop_more(struct http_server *server, uint64_t now_ms)
{
	if (now_ms >= server->stop_deadline_ms)
		abort_all(server, now_ms);
	if (server->connection_count > 0 && !server->is_forced &&
	    now_ms >= server->stop_deadline_ms + HTTP_STOP_FLUSH_MS + HTTP_STOP_FORCE_MS)
		force_all(server);
	if (server->connection_count == 0)
		uv_close((uv_handle_t *)&server->tick, on_tick_closed);
}

static void on_tick(uv_timer_t *timer)
{
	struct http_server *server = CONTAINER_OF(timer, struct http_server, tick);
	uint64_t now_ms = uv_now(server->loop);

	if (!server->is_forced)
		http_census_take(server);
	if (now_ms >= server->sweep_due_ms) {
		server->sweep_due_ms = now_ms + server->options.sweep_interval_ms;
		for (struct queue *link = server->connections.next; link != &server->connections;
		     link = link->next)
			http_connection_sweep(connection_at(link), now_ms);
	}
	if (server->is_stopping)
		stop_more(server, now_ms);
}

static void start_ticking(struct http_server *server)
{
	uint32_t interval_ms = server->options.sweep_interval_ms;

	if (interval_ms > HTTP_CENSUS_INTERVAL_MS)
		interval_ms = HTTP_CENSUS_INTERVAL_MS;
	CHECK(uv_timer_start(&server->tick, on_tick, interval_ms, interval_ms) == 0);
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
	use_default(&server->options.requests_max, HTTP_REQUESTS_MAX_DEFAULT);
	if (server->options.bodies_size_bytes_max == 0)
		server->options.bodies_size_bytes_max = HTTP_BODIES_SIZE_MAX_DEFAULT;
	use_default(&server->options.header_timeout_ms, HTTP_HEADER_TIMEOUT_MS_DEFAULT);
	use_default(&server->options.idle_timeout_ms, HTTP_IDLE_TIMEOUT_MS_DEFAULT);
	use_default(&server->options.sweep_interval_ms, HTTP_SWEEP_INTERVAL_MS_DEFAULT);
	server->region = strdup(options->region);
	server->drain_buffer = malloc(HTTP_DRAIN_BUFFER_SIZE);
	server->ledger = calloc(1, sizeof(*server->ledger));
	if (server->region == NULL || server->drain_buffer == NULL || server->ledger == NULL)
		return ST_NO_MEMORY;
	return ST_OK;
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

static void serve_path(struct http_server *server, h2o_pathconf_t *path)
{
	struct http_handler *handler = (struct http_handler *)h2o_create_handler(path, sizeof(*handler));

	handler->super.on_req = http_request_on_h2o;
	handler->server = server;
	h2o_create_logger(path, sizeof(h2o_logger_t))->log_access = http_linger_on_log;
}

static void init_h2o(struct http_server *server)
{
	h2o_hostconf_t *host;

	h2o_config_init(&server->config);
	server->config.server_name = h2o_iovec_init(NULL, 0);
	server->config.max_request_entity_size = HTTP_BODY_SIZE_MAX;
	server->config.handshake_timeout = server->options.header_timeout_ms;
	server->config.http1.req_timeout = HTTP_REQUEST_TIMEOUT_MS;
	server->config.http1.upgrade_to_http2 = 1; /* prior knowledge is part of it */
	server->config.http2.idle_timeout = server->options.idle_timeout_ms;
	host = h2o_config_register_host(&server->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
	serve_path(server, h2o_config_register_path(host, "/", 0));
	serve_path(server, &host->fallback_path);
	h2o_context_init(&server->context, server->loop, &server->config);
	server->accept.ctx = &server->context;
	server->accept.hosts = server->config.hosts;
	server->accept.ssl_ctx = server->tls;
}

static void free_server(struct http_server *server)
{
	SSL_CTX_free(server->tls);
	if (server->ledger != NULL && server->ledger->request_count > 0)
		server->ledger->is_orphan = true;
	else
		free(server->ledger);
	free(server->drain_buffer);
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
	CHECK(uv_timer_init(loop, &server->tick) == 0);
	start_ticking(server);
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

enum status http_server_reload_tls(struct http_server *server, const char *cert_path, const char *key_path)
{
	SSL_CTX *tls = http_tls_create(cert_path, key_path);

	CHECK(server->tls != NULL);
	if (tls == NULL)
		return ST_INVALID;
	SSL_CTX_free(server->tls); /* sessions hold references of their own */
	server->tls = tls;
	server->accept.ssl_ctx = tls;
	return ST_OK;
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
	server->sweep_due_ms = 0;
	server->options.sweep_interval_ms = STOP_SWEEP_INTERVAL_MS;
	start_ticking(server);
}

void http_server_destroy(struct http_server *server)
{
	if (server == NULL)
		return;
	CHECK(server->is_stopped);
	metric_add(&http_metrics.bodies_arriving, -(int64_t)server->arriving_size_bytes);
	/* The shutdown leaves it linked, which disposing does not like. */
	h2o_timeout_unlink(&server->context.http2._graceful_shutdown_timeout);
	h2o_context_dispose(&server->context);
	h2o_config_dispose(&server->config);
	free_server(server);
}
