/* What the files of this folder share; see http_server.h and http_request.h.
 *
 * The life of a connection, all on the loop's thread:
 *
 *	accepted --> libh2o's --> closing --> gone
 *	                             |          ^
 *	                             +--> lingering (http_linger.c)
 *
 * Only libh2o closes its socket.  We make it do so: shutdown(2) lets its read or write fail.
 * Where libh2o does not hear of the failure (http_connection.c) we tell it, and where even
 * that does not help a stop takes the handle away from it.
 */
#ifndef COORDINATOR_HTTP_HTTP_INTERNAL_H
#define COORDINATOR_HTTP_HTTP_INTERNAL_H

#include <h2o.h>

#include "coordinator/http/http_server.h"
#include "proto/base/metrics.h"
#include "proto/base/queue.h"
#include "proto/base/rng.h"

enum { HTTP_DRAIN_BUFFER_SIZE = 64 * 1024 };

/* What requests hold of the server's limits.  Requests may outlive the server: the last of
 * them frees the ledger. */
struct http_ledger {
	uint32_t request_count;
	uint64_t bodies_size_bytes;
	bool is_orphan;
};

struct http_server {
	uv_loop_t *loop;
	struct http_server_options options;
	char *region;
	uv_tcp_t listener;
	uv_timer_t tick;
	uint64_t sweep_due_ms;
	h2o_globalconf_t config;
	h2o_context_t context;
	h2o_accept_ctx_t accept;
	SSL_CTX *tls; /* NULL: plain */
	struct rng rng;
	struct queue connections;
	uint32_t connection_count;
	struct queue requests; /* attached and not answered */
	struct http_ledger *ledger;
	uint64_t arriving_size_bytes; /* at the last census */
	uint8_t *drain_buffer;        /* for bytes that nobody wants */
	bool is_stopping;
	bool is_forced;  /* what libh2o still has of connections must not be looked at */
	bool is_stopped; /* stopped_cb was called */
	uint64_t stop_deadline_ms;
	http_server_stopped_cb stopped_cb;
	void *stopped_context;
};

struct http_connection {
	uv_tcp_t tcp;
	struct http_server *server;
	struct queue link;
	h2o_socket_t *sock; /* NULL: not libh2o's, or not any more */
	uint32_t unanswered_count;
	bool is_http2;
	bool is_dropped;
	bool is_write_refused;     /* seen so by the last sweep */
	uint64_t used_at_ms;       /* accepted, or last request begun or answered */
	uint64_t partial_since_ms; /* a request has begun to arrive; 0: none */
	uint64_t write_moved_at_ms;
	size_t write_queue_size;
	size_t arriving_size_bytes; /* at the last census */
	int linger_fd;              /* keeps the stream open after libh2o's close; -1: none */
	bool is_lingering;
	uv_close_cb linger_closed_cb;
	uint64_t linger_since_ms;
	uint64_t linger_moved_at_ms;
	size_t linger_size_bytes;
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
	struct http_ledger *ledger;
	size_t held_size_bytes; /* its part of ledger->bodies_size_bytes */
	struct buf unpacked;
	struct buf response;
};

/* The handler given to libh2o. */
int http_request_on_h2o(h2o_handler_t *handler, h2o_req_t *h2o);
/* Answer 503, close the connection after it, and tell the handler. */
void http_request_abandon(struct http_request_impl *request);
/* Give back what only the handler needs: the arena and the bodies. */
void http_request_release(struct http_request_impl *request);
void http_request_free(struct http_request_impl *request);

/* http_connection.c */
void http_connection_accept(struct http_server *server, uv_stream_t *listener);
/* Half the work is libh2o's: it sees the end of the stream and closes.  With a reset what
 * was not sent is forgotten at once, so that the kernel does not keep it for the client. */
void http_connection_drop(struct http_connection *connection, bool with_reset);
void http_connection_sweep(struct http_connection *connection, uint64_t now_ms);
/* Take the handle away from libh2o, whose objects leak.  Its timers must be unlinked. */
void http_connection_force(struct http_connection *connection);
/* The connection of a request; libh2o must still have its socket. */
struct http_connection *http_connection_of(h2o_req_t *h2o);

/* http_read.c: learn libh2o's callback from its first connection with TLS, and from then on keep
 * reads that bring nothing from it.  To be called once libh2o reads from the stream. */
void http_read_learn(uv_stream_t *stream);

/* http_linger.c */
void http_linger_on_log(h2o_logger_t *logger, h2o_req_t *h2o);
/* The connection, whose handle has just been closed, goes on without libh2o. */
void http_linger_start(struct http_connection *connection, uv_close_cb closed_cb);
void http_linger_sweep(struct http_connection *connection, uint64_t now_ms);
void http_linger_cancel(struct http_connection *connection);

/* http_census.c: count the bodies that are arriving, and drop the greediest connections
 * while there is more of them than bodies_size_bytes_max allows. */
void http_census_take(struct http_server *server);

struct http_handler {
	h2o_handler_t super;
	struct http_server *server;
};

/* HTTP/1 keeps its head at the start of the connection's input while it is worked on. */
static inline bool http_is_http1(const h2o_req_t *h2o)
{
	return h2o->conn->callbacks->log_.http1.request_index != NULL;
}

struct http_metrics {
	struct metric connections;
	struct metric connections_accepted;
	struct metric connections_refused;
	struct metric connections_dropped;
	struct metric connections_forced;
	struct metric bodies_held;
	struct metric bodies_arriving;
	struct metric requests;
	struct metric requests_refused;
	struct metric responses_2xx;
	struct metric responses_4xx;
	struct metric responses_5xx;
	struct metric requests_aborted;
};

extern struct http_metrics http_metrics;

#endif
