/* A second look at the head of a request, stricter than the parser's.
 *
 * The parser takes a bare LF for a line end, joins folded lines, and of several framing
 * headers believes one.  Two parties that believe different ones see different requests
 * (request smuggling), so we answer such a head with 400 and close.
 *
 * Of a chunked body nobody sees the framing but the parser, which takes any text after a size,
 * bare LFs and trailers: whoever calls refuses it with 411.  Clients that sign know the size.
 *
 * Threads  pure functions.
 * Memory   borrows from the head.
 * Source   RFC 9112 sections 2.2, 3.2, 5.1, 5.2, 6.1 and 6.3; RFC 9110 5.5, 5.6.2, 7.2;
 *          RFC 9113 8.2.1.
 */
#ifndef COORDINATOR_HTTP_HTTP_HEAD_H
#define COORDINATOR_HTTP_HTTP_HEAD_H

#include "proto/base/bytes.h"

struct http_head {
	struct slice content_length;    /* data is NULL if there was none */
	struct slice transfer_encoding; /* likewise */
};

/* ST_OK, or ST_INVALID for a head that must be refused.  input begins with the request;
 * what follows the head in it is not looked at. */
enum status http_head_check(struct slice input, struct http_head *head_out) MUST_CHECK;

/* The parts that HTTP/2 brings: not empty, no control characters or spaces, and what a method
 * (a token), a target (a path, or * for OPTIONS) and a host (a name or address, and a port) may be. */
bool http_head_method_is_valid(struct slice method);
bool http_head_target_is_valid(struct slice target, struct slice method);
bool http_head_host_is_valid(struct slice host);
/* No control characters but tabs.  May be empty. */
bool http_head_value_is_valid(struct slice value);

/* Has the empty line that ends a head arrived? */
bool http_head_is_complete(struct slice input);

#endif
