/* Answers as they come off a connection: status, body, and whether the connection goes on.
 *
 * Threads  pure functions.
 * Memory   a response borrows from the bytes it was read from.
 * Errors   ST_BUSY: not all of it has arrived, come back with more.  ST_CORRUPT: this is not an
 *          HTTP/1.1 answer with a length.  ST_TOO_BIG: it will not fit size_bytes_max.
 * Source   RFC 9112; of the framings only Content-Length, which every DynamoDB endpoint sends.
 */
#ifndef DEPLOY_CLEAVE_BENCH_RESPONSE_H
#define DEPLOY_CLEAVE_BENCH_RESPONSE_H

#include "proto/base/bytes.h"

struct bench_response {
	uint32_t http_status;
	bool is_last; /* the server closes the connection after it */
	struct slice body;
	size_t size_bytes; /* head and body */
};

enum status bench_response_read(struct slice bytes, size_t size_bytes_max,
				struct bench_response *response_out) MUST_CHECK;

/* "ResourceNotFoundException" of an error's body; empty if it names none. */
struct slice bench_response_error_type(struct slice body);

/* Is the string at "name" in the body this text?  For answers whose member names do not repeat. */
bool bench_response_member_is(struct slice body, const char *name, const char *text);

#endif
