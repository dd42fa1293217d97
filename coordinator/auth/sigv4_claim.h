/* What a request claims about its signature: the parts of the Authorization header
 * or of a presigned query, split but not yet believed.
 *
 * Threads  pure functions.
 * Memory   a claim borrows from the request and from the arena given.
 * Errors   enum sigv4_error; the text for the client is appended to message.
 * Limits   a text quotes at most SIGV4_QUOTE_SIZE_MAX bytes of the request, and only
 *          printable ASCII of it.
 * Source   AWS "Signature Version 4"; order and texts as captured by dynalite.
 */
#ifndef COORDINATOR_AUTH_SIGV4_CLAIM_H
#define COORDINATOR_AUTH_SIGV4_CLAIM_H

#include "proto/base/arena.h"
#include "proto/base/bytes.h"

enum { SIGV4_QUOTE_SIZE_MAX = 2048 };

enum sigv4_error {
	SIGV4_OK,
	SIGV4_MISSING_TOKEN,       /* MissingAuthenticationTokenException */
	SIGV4_INCOMPLETE,          /* IncompleteSignatureException */
	SIGV4_INVALID,             /* InvalidSignatureException */
	SIGV4_UNRECOGNIZED_CLIENT, /* UnrecognizedClientException */
	SIGV4_EXPIRED_TOKEN,       /* ExpiredTokenException */
	SIGV4_INTERNAL,            /* out of memory: InternalServerError */
};

/* The value of "__type", e.g. "com.amazon.coral.service#InvalidSignatureException". */
const char *sigv4_error_type(enum sigv4_error error);

struct sigv4_header {
	struct slice name; /* lower case */
	struct slice value;
};

struct sigv4_request {
	struct slice method;
	struct slice path;  /* as received, without the query */
	struct slice query; /* as received, without the '?' */
	const struct sigv4_header *headers;
	size_t header_count;
	struct slice body; /* the bytes on the wire, before any decompression */
};

struct sigv4_claim {
	bool is_presigned;
	bool has_date_header; /* the date came from Date, not from X-Amz-Date */
	struct slice algorithm;
	struct slice credential;
	struct slice signed_headers;
	struct slice signature;
	struct slice date;           /* as sent */
	struct slice security_token; /* data is NULL if none was sent */
	struct slice expires;        /* X-Amz-Expires; data is NULL if none was sent */
	/* The elements of credential, filled by sigv4_claim_split_credential(). */
	struct slice access_key_id;
	struct slice scope; /* date/region/service/terminator */
	struct slice scope_date;
	struct slice scope_region;
	struct slice scope_service;
	struct slice scope_terminator;
};

/* Find the claim.  SIGV4_OK, _MISSING_TOKEN, _INCOMPLETE, _INVALID (both forms at once, or a
 * header given twice that must be there once) or _INTERNAL. */
enum sigv4_error sigv4_claim_read(const struct sigv4_request *request, struct arena *arena,
				  struct buf *message, struct sigv4_claim *claim_out);

/* SIGV4_OK or _INCOMPLETE. */
enum sigv4_error sigv4_claim_split_credential(struct sigv4_claim *claim, struct buf *message);

/* The first header of that lower-case name; NULL if absent. */
const struct sigv4_header *sigv4_request_header(const struct sigv4_request *request, const char *name);

/* Does the claim's SignedHeaders list hold this lower-case name?  Case is ignored. */
bool sigv4_claim_signs(const struct sigv4_claim *claim, const char *name);

/* Take the part before the separator off *rest; false when nothing is left. */
bool sigv4_split(struct slice *rest, char separator, struct slice *part_out);
struct slice sigv4_trim(struct slice text);
/* The byte that a full %XX escape at index stands for; -1 if there is none. */
int sigv4_unescape(struct slice text, size_t index);
/* Append text for a message: cut, and with '?' for what is not printable ASCII. */
void sigv4_quote(struct buf *message, struct slice text);

#endif
