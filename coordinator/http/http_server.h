/* The HTTP front end: libh2o on the caller's loop.
 *
 * HTTP/1.1 with keep-alive and pipelining, HTTP/2 over TLS (ALPN) and in the clear with
 * prior knowledge.  Answers by itself: GET / (health), OPTIONS of browsers (CORS), other
 * methods than POST (404), broken heads (400), bodies over HTTP_BODY_SIZE_MAX (413) and bad
 * Content-Encoding (500).  Everything else goes to the callback with its whole body.
 *
 * Threads  the loop's thread only.
 * Memory   options are copied.
 * Errors   negative enum status; after a failure the loop must turn once more before it can
 *          be closed.
 * Process  SIGPIPE must be ignored.
 *
 * Limits   connections_max per server: a connection above it is closed at once.
 *          header_timeout_ms for the handshake of TLS and again for a whole head; a body must
 *          then come with at least HTTP_BODY_RATE_MIN bytes a second; idle_timeout_ms between
 *          requests; a client that takes nothing of its answer for idle_timeout_ms is dropped.
 *          Checked every sweep_interval_ms.
 *          requests_max and bodies_size_bytes_max per server, over all its connections: a
 *          request above either gets 503.  Bodies count as received and again unpacked, from
 *          their first byte until the answer.  Those that are still arriving are counted
 *          every HTTP_CENSUS_INTERVAL_MS; if there is no room for them, the connections with
 *          most of them are reset.  While a request is at work libh2o keeps a second copy
 *          of its body, which is not counted.
 *          A connection that is closed after an error lingers, so that a client that is still
 *          uploading can read the answer: see HTTP_LINGER_*.
 *          A stop ends HTTP_STOP_FLUSH_MS + HTTP_STOP_FORCE_MS after its grace at the latest.
 */
#ifndef COORDINATOR_HTTP_HTTP_SERVER_H
#define COORDINATOR_HTTP_HTTP_SERVER_H

#include <uv.h>

#include "coordinator/http/http_request.h"

enum {
	HTTP_HEADER_TIMEOUT_MS_DEFAULT = 10 * 1000,
	HTTP_IDLE_TIMEOUT_MS_DEFAULT = 60 * 1000,
	HTTP_SWEEP_INTERVAL_MS_DEFAULT = 1000,
	HTTP_CONNECTIONS_MAX_DEFAULT = 4096,
	HTTP_REQUESTS_MAX_DEFAULT = 8192,
	HTTP_BODIES_SIZE_MAX_DEFAULT = 256 * 1024 * 1024,
	HTTP_CENSUS_INTERVAL_MS = 50,
	HTTP_BODY_RATE_MIN = 1024,            /* bytes a second */
	HTTP_REQUEST_TIMEOUT_MS = 300 * 1000, /* for one request to arrive, however it comes */
	HTTP_LINGER_TIMEOUT_MS = 30 * 1000,
	HTTP_LINGER_IDLE_TIMEOUT_MS = 5 * 1000,
	HTTP_LINGER_SIZE_MAX = 64 * 1024 * 1024,
	HTTP_STOP_FLUSH_MS = 1000, /* for the 503 of aborted requests to be taken */
	HTTP_STOP_FORCE_MS = 1000, /* for libh2o to close its sockets */
};

struct http_server;

/* Called from the loop, possibly more than once before the first is answered. */
typedef void (*http_request_cb)(void *context, struct http_request *request);
typedef void (*http_server_stopped_cb)(void *context);

struct http_server_options {
	const char *host; /* an address, not a name */
	uint16_t port;    /* 0: any */
	const char *region;
	const char *tls_cert_path; /* PEM chain; NULL: plain */
	const char *tls_key_path;
	uint32_t connections_max; /* 0 stands for the default, here and below */
	uint32_t requests_max;    /* received whole, and not yet answered and sent */
	uint64_t bodies_size_bytes_max;
	uint32_t header_timeout_ms;
	uint32_t idle_timeout_ms;
	uint32_t sweep_interval_ms;
	http_request_cb post_cb;
	http_request_cb get_cb; /* GET of other paths than "/"; NULL: 404 */
	void *context;
};

/* Start listening.  ST_INVALID: address, certificate or key is unusable; ST_IO: the port
 * is. */
enum status http_server_create(uv_loop_t *loop, const struct http_server_options *options,
			       struct http_server **server_out) MUST_CHECK;

/* Show new clients another certificate; those that are here keep theirs.  ST_INVALID: it is
 * unusable, and the old one stays.  Only for a server that was made with one. */
enum status http_server_reload_tls(struct http_server *server, const char *cert_path,
				   const char *key_path) MUST_CHECK;

/* The port in use. */
uint16_t http_server_port(const struct http_server *server);

/* Stop accepting, let requests in flight end, and after grace_ms abort the rest; then
 * stopped_cb, once and within the bound above, whatever the clients do.  Not from inside a
 * request callback. */
void http_server_stop(struct http_server *server, uint32_t grace_ms, http_server_stopped_cb stopped_cb,
		      void *context);

/* After stopped_cb, and not from inside any callback of the loop: libh2o runs the loop
 * once to close its handles. */
void http_server_destroy(struct http_server *server);

#endif
