/* For how long a thread was ready to run and had no core.
 *
 * The kernel counts it for every thread (Documentation/scheduler/sched-stats.rst: the second number of
 * /proc/<pid>/task/<tid>/schedstat, nanoseconds).  Where it does not, nothing is counted.
 *
 * Threads  each call by the thread that opened it.
 * Memory   the caller owns struct core_wait; it holds one descriptor.
 * Cost     a read of a small file, 1 us.
 */
#ifndef PROTO_BASE_CORE_WAIT_H
#define PROTO_BASE_CORE_WAIT_H

#include <stdint.h>

struct core_wait {
	int fd; /* -1: the kernel does not say */
	uint64_t seen_us;
};

void core_wait_open(struct core_wait *wait);
/* Microseconds since this was last asked, or since open. */
uint64_t core_wait_take_us(struct core_wait *wait);
void core_wait_close(struct core_wait *wait);

#endif
