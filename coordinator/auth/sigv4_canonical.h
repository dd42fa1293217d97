/* The two texts that Signature Version 4 signs: the canonical request and the string
 * to sign.
 *
 * Threads  pure functions.
 * Memory   results are appended to the caller's buffers, scratch comes from the arena.
 * Errors   ST_OK, ST_TOO_BIG (more than SIGV4_SIGNED_HEADERS_MAX or
 *          SIGV4_QUERY_PARAMETERS_MAX, or the buffer's own limit), ST_NO_MEMORY.
 * Source   AWS "Create a signed AWS API request": the rules for services other than S3
 *          (dot segments and empty segments removed, the path escaped once more).
 */
#ifndef COORDINATOR_AUTH_SIGV4_CANONICAL_H
#define COORDINATOR_AUTH_SIGV4_CANONICAL_H

#include "coordinator/auth/sigv4_claim.h"

enum { SIGV4_SIGNED_HEADERS_MAX = 128, SIGV4_QUERY_PARAMETERS_MAX = 256 };

enum status sigv4_canonical_request(const struct sigv4_request *request, const struct sigv4_claim *claim,
				    struct arena *arena, struct buf *out) MUST_CHECK;

enum status sigv4_canonical_string_to_sign(const struct sigv4_claim *claim, struct slice canonical_request,
					   struct buf *out) MUST_CHECK;

#endif
