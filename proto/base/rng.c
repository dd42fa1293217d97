#include "proto/base/rng.h"

#include <string.h>
#include <sys/random.h>

#include "proto/base/check.h"

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t value, int count)
{
	return (value << count) | (value >> (64 - count));
}

void rng_seed(struct rng *rng, uint64_t seed)
{
	for (size_t i = 0; i < ARRAY_COUNT(rng->state); i++)
		rng->state[i] = splitmix64(&seed);
}

void rng_seed_from_system(struct rng *rng)
{
	uint64_t seed;

	/* Up to 256 bytes never fail or come short once the pool is ready. */
	CHECK(getrandom(&seed, sizeof(seed), 0) == (ssize_t)sizeof(seed));
	rng_seed(rng, seed);
}

uint64_t rng_u64(struct rng *rng)
{
	uint64_t *s = rng->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
	uint64_t value;

	CHECK(bound > 0);
	do {
		value = rng_u64(rng);
	} while (value >= limit);
	return value % bound;
}

void rng_fill(struct rng *rng, void *out, size_t size_bytes)
{
	uint8_t *bytes = out;

	while (size_bytes > 0) {
		uint64_t value = rng_u64(rng);
		size_t part = size_bytes < sizeof(value) ? size_bytes : sizeof(value);

		memcpy(bytes, &value, part);
		bytes += part;
		size_bytes -= part;
	}
}
