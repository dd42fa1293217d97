/* A second look at the head of an HTTP/1 request, stricter than the parser's.
 *
 * The parser takes a bare LF for a line end, joins folded lines, and of several framing
 * headers believes one.  Two parties that believe different ones see different requests
 * (request smuggling), so we answer such a head with 400 and close.
 *
 * Threads  pure functions.
 * Memory   borrows from the head.
 * Source   RFC 9112 sections 2.2, 5.2, 6.1, 6.3 and 3.2.
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

/* Has the empty line that ends a head arrived? */
bool http_head_is_complete(struct slice input);

#endif
