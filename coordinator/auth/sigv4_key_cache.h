/* Signing keys by access key id and day, so that a request costs one HMAC and not five.
 *
 * Threads  belongs to one thread.
 * Memory   a fixed table; an entry is replaced when another key falls into its place.
 * Secrets  holds secrets and keys in memory, wiped by sigv4_key_cache_wipe().
 */
#ifndef COORDINATOR_AUTH_SIGV4_KEY_CACHE_H
#define COORDINATOR_AUTH_SIGV4_KEY_CACHE_H

#include "coordinator/auth/sigv4_verify.h"
#include "proto/base/digest.h"

struct sigv4_key_entry {
	uint16_t access_key_id_size; /* 0: free */
	uint16_t secret_size;
	uint8_t access_key_id[SIGV4_ACCESS_KEY_ID_SIZE_MAX];
	uint8_t secret[SIGV4_SECRET_SIZE_MAX];
	uint8_t date[8];
	uint8_t key[SHA256_SIZE];
};

struct sigv4_key_cache {
	uint64_t seed; /* of the hash: clients choose key ids */
	struct sigv4_key_entry entries[SIGV4_KEY_CACHE_SIZE];
};

/* The signing key of a claim whose scope has been checked; derives it if it is not there or
 * the secret has changed.  Where is_known is false nothing is remembered. */
void sigv4_key_cache_get(struct sigv4_key_cache *cache, const struct sigv4_claim *claim, struct slice secret,
			 bool is_known, uint8_t key_out[SHA256_SIZE]);
void sigv4_key_cache_wipe(struct sigv4_key_cache *cache);

#endif
