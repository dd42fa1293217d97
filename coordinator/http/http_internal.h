/* What the files of this folder share; see http_server.h and http_request.h. */
#ifndef COORDINATOR_HTTP_HTTP_INTERNAL_H
#define COORDINATOR_HTTP_HTTP_INTERNAL_H

#include <h2o.h>

#include "coordinator/http/http_server.h"
#include "proto/base/metrics.h"
#include "proto/base/queue.h"
#include "proto/base/rng.h"

struct http_server {
	uv_loop_t *loop;
	struct http_server_options options;
	char *region;
	uv_tcp_t listener;
	uv_timer_t sweep;
	h2o_globalconf_t config;
	h2o_context_t context;
	h2o_accept_ctx_t accept;
	SSL_CTX *tls; /* NULL: plain */
	struct rng rng;
	struct queue connections;
	uint32_t connection_count;
	struct queue requests; /* attached and not answered */
	bool is_stopping;
	bool is_stopped; /* stopped_cb was called */
	uint64_t stop_deadline_ms;
	http_server_stopped_cb stopped_cb;
	void *stopped_context;
};

struct http_connection {
	uv_tcp_t tcp;
	struct http_server *server;
	struct queue link;
	h2o_socket_t *sock;
	uint32_t unanswered_count;
	bool is_http2;
	bool is_dropped;
	uint64_t used_at_ms;       /* accepted, or last request begun or answered */
	uint64_t partial_since_ms; /* a request has begun to arrive; 0: none */
	uint64_t write_moved_at_ms;
	size_t write_queue_size;
};

/* Lives in libh2o's pool of the request and tells when that is gone. */
struct http_anchor {
	struct http_request_impl *request; /* NULL once the two halves have parted */
};

struct http_request_impl {
	struct http_request public;
	struct http_server *server;
	struct http_connection *connection;
	h2o_req_t *h2o; /* NULL: detached */
	struct http_anchor *anchor;
	struct queue link;
	bool is_answered;
	struct buf unpacked;
	struct buf response;
};

/* The handler given to libh2o. */
int http_request_on_h2o(h2o_handler_t *handler, h2o_req_t *h2o);
/* Answer 503, close the connection after it, and tell the handler. */
void http_request_abandon(struct http_request_impl *request);
void http_request_free(struct http_request_impl *request);

struct http_handler {
	h2o_handler_t super;
	struct http_server *server;
};

struct http_metrics {
	struct metric connections;
	struct metric connections_accepted;
	struct metric connections_refused;
	struct metric connections_dropped;
	struct metric requests;
	struct metric responses_2xx;
	struct metric responses_4xx;
	struct metric responses_5xx;
	struct metric requests_aborted;
};

extern struct http_metrics http_metrics;

#endif
