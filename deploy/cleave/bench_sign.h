/* Requests signed with Signature Version 4 at the price of one hash of the body and one HMAC.
 *
 * A signer holds the credentials, the time and the key derived for the day.  A request is the head
 * of all requests of one operation, printed once; signing overwrites the time, the signature and
 * the length in place.
 *
 * Threads  one; a request and its signer belong together.
 * Memory   a signer borrows the texts it is given.  A request owns its buffers from init to close.
 * Errors   ST_NO_MEMORY, ST_TOO_BIG from init (texts far too long); signing cannot fail.
 * Source   AWS "Create a signed AWS API request"; signed headers as botocore sends them.
 */
#ifndef DEPLOY_CLEAVE_BENCH_SIGN_H
#define DEPLOY_CLEAVE_BENCH_SIGN_H

#include "coordinator/auth/sigv4_time.h"
#include "proto/base/digest.h"

enum { BENCH_SIGN_DATE_SIZE = 8, BENCH_SIGN_HEAD_SIZE_MAX = 8 * 1024 };

struct bench_signer {
	const char *access_key;
	const char *secret_key;
	const char *region;
	uint64_t now_epoch_s;
	char time[SIGV4_TIME_SIZE + 1]; /* 20130609T100759Z; its first 8 characters are the date */
	uint8_t key[SHA256_SIZE];       /* of key_date */
	char key_date[BENCH_SIGN_DATE_SIZE];
};

struct bench_request {
	struct buf head;          /* the request up to the empty line */
	struct buf canonical;     /* the canonical request */
	struct buf to_sign;       /* the string to sign */
	uint64_t stamped_epoch_s; /* the time that the texts hold */
	size_t body_size;         /* the length that the head holds */
	size_t head_time_at;
	size_t head_date_at;
	size_t head_signature_at;
	size_t head_length_at;
	size_t canonical_time_at;
	size_t canonical_hash_at;
	size_t to_sign_time_at;
	size_t to_sign_date_at;
	size_t to_sign_hash_at;
};

void bench_signer_init(struct bench_signer *signer, const char *access_key, const char *secret_key,
		       const char *region, uint64_t now_epoch_s);
/* Requests signed from now on say this time; cheap where it is the same second. */
void bench_signer_set_time(struct bench_signer *signer, uint64_t now_epoch_s);

/* operation is "PutItem", host the value of the Host header. */
enum status bench_request_init(struct bench_request *request, const struct bench_signer *signer,
			       const char *host, const char *operation) MUST_CHECK;
void bench_request_close(struct bench_request *request);
/* The head to send before body, with its empty line; valid until the next call. */
struct slice bench_request_sign(struct bench_request *request, const struct bench_signer *signer,
				struct slice body);

#endif
