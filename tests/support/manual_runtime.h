/* A runtime whose clock and jobs move when the test says so.
 *
 * Threads  one.
 */
#ifndef TESTS_SUPPORT_MANUAL_RUNTIME_H
#define TESTS_SUPPORT_MANUAL_RUNTIME_H

#include "proto/base/runtime.h"

struct manual_runtime {
	struct runtime base; /* first: what the code under test is given */
	uint64_t now_us;
	struct queue jobs; /* submitted, not run */
	uint32_t job_count;
	bool works_here; /* jobs that the loop may do are done by it */
};

void manual_runtime_init(struct manual_runtime *runtime);
void manual_runtime_close(struct manual_runtime *runtime);
/* Timers that are due, then deferred tasks: one loop turn, no jobs. */
void manual_runtime_turn(struct manual_runtime *runtime);
/* Run the oldest submitted job, work and done; false if there is none. */
bool manual_runtime_run_job(struct manual_runtime *runtime);
/* Turns and jobs until nothing is left to do at this time. */
void manual_runtime_settle(struct manual_runtime *runtime);
/* Move the clock, turn by turn of one millisecond, settling each. */
void manual_runtime_advance_ms(struct manual_runtime *runtime, uint64_t duration_ms);

#endif
