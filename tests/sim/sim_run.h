/* One run: V virtual seconds of clients and faults, then all faults end, and the cluster has some
 * seconds to serve again, to catch up, and to agree.
 *
 * Threads  one.
 * Errors   a violated invariant is printed, and the result says so; a failed CHECK() ends the
 *          process.
 */
#ifndef TESTS_SIM_SIM_RUN_H
#define TESTS_SIM_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct sim_run_options {
	uint64_t seconds;
	bool is_verbose;
	bool is_rocksdb; /* else only the share of the seeds that is */
};

struct sim_result {
	bool has_passed;
	bool is_repeatable; /* nothing but the seed decided it: not so on RocksDB */
	uint64_t trace;     /* hash of all that happened */
	uint64_t op_count;
	uint64_t table_op_count;
	uint64_t event_count;
	uint64_t move_count;
	uint64_t start_count;
	uint64_t virtual_us;
};

struct sim_result sim_run_seed(const struct sim_run_options *options, uint64_t seed);

#endif
