/* Is this request signed by whom it says?  The gate that every API request passes.
 *
 * Checks, in this order: both forms at once, none, missing parts, date format, clock
 * window, signed headers, algorithm, credential shape, scope, key id and signature, session
 * token.  An unknown key id costs the same work as a wrong signature.
 *
 * In open mode any key id is accepted and nothing after "missing parts" is checked.
 *
 * Threads  a verifier belongs to one loop thread.
 * Memory   results borrow from the request and from the verifier, until its next call.
 *          The verifier remembers secrets and the signing keys derived from them, in a
 *          table of SIGV4_KEY_CACHE_SIZE entries, and wipes them when destroyed.
 * Errors   enum sigv4_error with a text for the client; sigv4_error_type() names it.
 * Units    seconds since 1970, by the wall clock.
 * Source   AWS Signature Version 4; order and texts as captured by dynalite.
 */
#ifndef COORDINATOR_AUTH_SIGV4_VERIFY_H
#define COORDINATOR_AUTH_SIGV4_VERIFY_H

#include "coordinator/auth/sigv4_claim.h"

enum {
	SIGV4_KEY_CACHE_SIZE = 1024,
	SIGV4_ACCESS_KEY_ID_SIZE_MAX = 128,
	SIGV4_SECRET_SIZE_MAX = 256,
	SIGV4_REGION_SIZE_MAX = 64,
	SIGV4_CLOCK_WINDOW_S_DEFAULT = 15 * 60,
	SIGV4_EXPIRES_S_MAX = 7 * 24 * 3600, /* of a presigned request */
	SIGV4_CANONICAL_SIZE_MAX = 2 * 1024 * 1024,
	SIGV4_MESSAGE_SIZE_MAX = 16 * 1024,
};

enum sigv4_mode { SIGV4_STRICT, SIGV4_OPEN };

struct sigv4_credential {
	struct slice secret;        /* at most SIGV4_SECRET_SIZE_MAX */
	struct slice session_token; /* size 0: a long-term key */
	uint64_t expires_epoch_s;   /* 0: never */
};

/* Fill in what belongs to the key id; false if nobody has it.  Slices must stay valid
 * until sigv4_verify() returns. */
typedef bool (*sigv4_credential_cb)(void *context, struct slice access_key_id,
				    struct sigv4_credential *credential_out);

struct sigv4_options {
	enum sigv4_mode mode;
	const char *region; /* copied */
	uint32_t clock_window_s;
	sigv4_credential_cb credential_cb; /* may be NULL in open mode */
	void *credential_context;
};

struct sigv4_result {
	struct slice access_key_id; /* set on SIGV4_OK only */
	struct slice message;       /* set on failure only */
};

struct sigv4_verifier;

/* ST_OK, ST_NO_MEMORY, or ST_INVALID for a region that is empty or too long or a missing
 * callback in strict mode. */
enum status sigv4_verifier_create(const struct sigv4_options *options,
				  struct sigv4_verifier **verifier_out) MUST_CHECK;
void sigv4_verifier_destroy(struct sigv4_verifier *verifier);

enum sigv4_error sigv4_verify(struct sigv4_verifier *verifier, const struct sigv4_request *request,
			      uint64_t now_epoch_s, struct sigv4_result *result_out) MUST_CHECK;

#endif
