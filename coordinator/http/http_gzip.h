/* Content codings of bodies: gzip and deflate through zlib, with a bound.
 *
 * Threads  pure functions.
 * Errors   ST_CORRUPT for input that is no whole gzip stream, ST_TOO_BIG at out's limit,
 *          ST_NO_MEMORY.
 * Source   RFC 1952 (gzip; members may follow each other), RFC 1950, RFC 9110 section 12.5.3.
 */
#ifndef COORDINATOR_HTTP_HTTP_GZIP_H
#define COORDINATOR_HTTP_HTTP_GZIP_H

#include "proto/base/bytes.h"

enum http_coding { HTTP_CODING_IDENTITY, HTTP_CODING_GZIP, HTTP_CODING_DEFLATE };

/* The coding that an Accept-Encoding value prefers of those we have. */
enum http_coding http_gzip_choose(struct slice accept_encoding);
/* "gzip" or "deflate". */
const char *http_gzip_name(enum http_coding coding);

enum status http_gzip_decode(struct slice packed, struct buf *out) MUST_CHECK;
enum status http_gzip_encode(enum http_coding coding, struct slice plain, struct buf *out) MUST_CHECK;

#endif
