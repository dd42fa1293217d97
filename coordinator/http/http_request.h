/* One HTTP request with its whole body, and the promise to answer it once.
 *
 * Threads  the server's loop thread only.
 * Memory   a request owns copies of all it shows.  It is valid until
 *          http_response_send() is called for it, which must happen exactly once, also
 *          after on_abort.  The arena is free for the handler's own use and goes with the
 *          request.
 * Limits   the arena: HTTP_ARENA_SIZE_MAX.  Headers: libh2o's 100, 400 KB together.
 *
 * After on_abort nobody reads the answer any more: over HTTP/2 when the client resets
 * the stream or leaves, over HTTP/1 only when the server is stopped (a client that leaves
 * is noticed there when the answer is written).
 */
#ifndef COORDINATOR_HTTP_HTTP_REQUEST_H
#define COORDINATOR_HTTP_HTTP_REQUEST_H

#include "coordinator/http/http_gzip.h"
#include "proto/base/arena.h"
#include "proto/base/bytes.h"

enum {
	HTTP_BODY_SIZE_MAX = 16 * 1024 * 1024, /* as received, and again unpacked */
	HTTP_ARENA_SIZE_MAX = 128 * 1024 * 1024,
	HTTP_REQUEST_ID_SIZE = 52,
};

struct http_header {
	struct slice name; /* lower case */
	struct slice value;
};

struct http_request {
	struct slice method;
	struct slice path;  /* as received, without the query */
	struct slice query; /* as received, without the '?' */
	/* In order of arrival, with host first and content-length last. */
	struct http_header *headers;
	size_t header_count;
	struct slice body_raw; /* the bytes on the wire */
	struct slice body;     /* unpacked: the same slice if there was no Content-Encoding */
	enum http_coding accepts;
	bool is_tls;
	char request_id[HTTP_REQUEST_ID_SIZE + 1];
	struct arena arena;
	/* For the handler. */
	void *user;
	void (*on_abort)(struct http_request *request); /* may be NULL; at most once */
};

/* The first header of that lower-case name; NULL if absent. */
const struct http_header *http_request_header(const struct http_request *request, const char *name);

#endif
