#include "coordinator/auth/sigv4_key_cache.h"

static void derive(const struct sigv4_claim *claim, struct slice secret, uint8_t key_out[SHA256_SIZE])
{
	const struct slice steps[] = { claim->scope_date, claim->scope_region, claim->scope_service,
				       claim->scope_terminator };
	uint8_t start[4 + SIGV4_SECRET_SIZE_MAX] = "AWS4";
	struct slice key = { start, 4 + secret.size };
	uint8_t hash[SHA256_SIZE];

	CHECK(secret.size <= SIGV4_SECRET_SIZE_MAX);
	if (secret.size > 0)
		memcpy(start + 4, secret.data, secret.size);
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		digest_hmac_sha256(key, steps[i], hash);
		memcpy(key_out, hash, sizeof(hash));
		key = slice_of(key_out, SHA256_SIZE);
	}
	explicit_bzero(start, sizeof(start));
}

static bool is_for(const struct sigv4_key_entry *entry, const struct sigv4_claim *claim, struct slice secret)
{
	return slice_equal(slice_of(entry->access_key_id, entry->access_key_id_size), claim->access_key_id) &&
	       slice_equal(slice_of(entry->date, sizeof(entry->date)), claim->scope_date) &&
	       entry->secret_size == secret.size &&
	       digest_equal_constant_time(entry->secret, secret.data, secret.size);
}

static void fill(struct sigv4_key_entry *entry, const struct sigv4_claim *claim, struct slice secret,
		 const uint8_t key[SHA256_SIZE])
{
	memcpy(entry->access_key_id, claim->access_key_id.data, claim->access_key_id.size);
	entry->access_key_id_size = (uint16_t)claim->access_key_id.size;
	memcpy(entry->secret, secret.data, secret.size);
	entry->secret_size = (uint16_t)secret.size;
	memcpy(entry->date, claim->scope_date.data, sizeof(entry->date));
	memcpy(entry->key, key, SHA256_SIZE);
}

void sigv4_key_cache_get(struct sigv4_key_cache *cache, const struct sigv4_claim *claim, struct slice secret,
			 bool is_known, uint8_t key_out[SHA256_SIZE])
{
	uint64_t hash = digest_hash64(claim->access_key_id, cache->seed);
	struct sigv4_key_entry *entry = &cache->entries[hash % SIGV4_KEY_CACHE_SIZE];
	bool may_remember = is_known && claim->access_key_id.size > 0 && secret.size > 0 &&
			    claim->access_key_id.size <= SIGV4_ACCESS_KEY_ID_SIZE_MAX &&
			    claim->scope_date.size == sizeof(entry->date);

	if (may_remember && is_for(entry, claim, secret)) {
		memcpy(key_out, entry->key, SHA256_SIZE);
		return;
	}
	derive(claim, secret, key_out);
	if (may_remember)
		fill(entry, claim, secret, key_out);
}

void sigv4_key_cache_wipe(struct sigv4_key_cache *cache)
{
	explicit_bzero(cache->entries, sizeof(cache->entries));
}
