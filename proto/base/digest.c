/* The low-level SHA-256 calls take a tenth of a microsecond where EVP's one-shot calls, which look the
 * algorithm up each time, take up to two; they need no per-thread context either.  OpenSSL 3 keeps them
 * but marks them deprecated, hence the API level. */
#define OPENSSL_API_COMPAT 10101

#include "proto/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <zlib.h>

#include <xxhash.h>

enum { BLOCK_SIZE = SHA256_CBLOCK };

_Static_assert((int)SHA256_SIZE == SHA256_DIGEST_LENGTH, "the header's size is SHA-256's");

/* These calls fail only on a NULL context. */
static void hash_two(const uint8_t first[BLOCK_SIZE], struct slice second, uint8_t out[SHA256_SIZE])
{
	SHA256_CTX context;

	(void)SHA256_Init(&context);
	if (first != NULL)
		(void)SHA256_Update(&context, first, BLOCK_SIZE);
	(void)SHA256_Update(&context, second.data, second.size);
	(void)SHA256_Final(out, &context);
}

void digest_sha256(struct slice data, uint8_t out[SHA256_SIZE])
{
	hash_two(NULL, data, out);
}

/* RFC 2104. */
void digest_hmac_sha256(struct slice key, struct slice data, uint8_t out[SHA256_SIZE])
{
	uint8_t block[BLOCK_SIZE] = { 0 };
	uint8_t inner[SHA256_SIZE];

	if (key.size > BLOCK_SIZE)
		digest_sha256(key, block);
	else if (key.size > 0)
		memcpy(block, key.data, key.size);
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		block[i] ^= 0x36;
	hash_two(block, data, inner);
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		block[i] ^= 0x36 ^ 0x5c;
	hash_two(block, slice_of(inner, sizeof(inner)), out);
	OPENSSL_cleanse(block, sizeof(block));
}

uint32_t digest_crc32(struct slice data)
{
	return digest_crc32_extend(0, data);
}

uint32_t digest_crc32_extend(uint32_t crc32, struct slice more)
{
	/* zlib takes a NULL buffer as a request for the initial value. */
	return more.size == 0 ? crc32 : (uint32_t)crc32_z(crc32, more.data, more.size);
}

uint64_t digest_hash64(struct slice data, uint64_t seed)
{
	return XXH3_64bits_withSeed(data.data, data.size, seed);
}

bool digest_equal_constant_time(const void *a, const void *b, size_t size_bytes)
{
	return CRYPTO_memcmp(a, b, size_bytes) == 0;
}
