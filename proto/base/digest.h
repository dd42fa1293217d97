/* Digests: SHA-256, HMAC-SHA-256 (OpenSSL), CRC-32 (zlib), seeded XXH3.
 *
 * Threads  pure functions.
 */
#ifndef PROTO_BASE_DIGEST_H
#define PROTO_BASE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"

enum { SHA256_SIZE = 32 };

void digest_sha256(struct slice data, uint8_t out[SHA256_SIZE]);
void digest_hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_SIZE]);
/* CRC-32 (IEEE) as x-amz-crc32 wants it. */
uint32_t digest_crc32(struct slice data);
/* The CRC of a text from that of its beginning (0 for none) and the rest. */
uint32_t digest_crc32_extend(uint32_t crc32, struct slice more);
/* Seeded 64-bit hash: tokens, hash maps, frame checksums. */
uint64_t digest_hash64(struct slice data, uint64_t seed);
/* Compare without leaking where they differ. */
bool digest_equal_constant_time(const void *a, const void *b, size_t size_bytes);

#endif
