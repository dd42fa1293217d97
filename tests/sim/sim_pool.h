/* Many seeds, each in a process of its own, some at a time: a failed CHECK() is then that seed's
 * failure and no other's.
 *
 * Threads  one; it forks.
 */
#ifndef TESTS_SIM_SIM_POOL_H
#define TESTS_SIM_SIM_POOL_H

#include "tests/sim/sim_run.h"

struct sim_pool_options {
	struct sim_run_options run;
	uint64_t first_seed;
	uint64_t seed_count;
	uint64_t jobs;        /* processes at a time */
	uint64_t twice_every; /* of so many seeds one is run twice, and the traces compared; 0: none */
};

/* A seed is through; called as they end. */
typedef void (*sim_pool_cb)(void *context, uint64_t seed, const struct sim_result *result);

void sim_pool_run(const struct sim_pool_options *options, sim_pool_cb seed_cb, void *context);

#endif
