/* Seeded random numbers: the only source of chance besides keys and certificates.
 *
 * Threads  one generator belongs to one thread.
 * Source   xoshiro256** by Blackman and Vigna (public domain algorithm), seeded by splitmix64.
 */
#ifndef PROTO_BASE_RNG_H
#define PROTO_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed);
/* Seed from the operating system: real processes only, never the simulator. */
void rng_seed_from_system(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
void rng_fill(struct rng *rng, void *out, size_t size_bytes);

#endif
