/* The seam of proto/base/runtime.h on virtual time: one process's clocks, timers and jobs.
 *
 * A turn is what happens between sim_runtime_enter() and sim_runtime_leave(): the end of the
 * outermost turn runs what was deferred, like a loop does.  A job's work() and done() run later,
 * at two moments; the process can die before, between or (for its disk) inside them.
 *
 * Threads  one.
 * Memory   embedded in the node or client; sim_runtime_drain() before sim_runtime_close().
 */
#ifndef TESTS_SIM_SIM_RUNTIME_H
#define TESTS_SIM_SIM_RUNTIME_H

#include "proto/base/runtime.h"
#include "tests/sim/sim_world.h"

struct sim_runtime {
	struct runtime base; /* first */
	struct sim_world *world;
	struct sim_process process;
	uint64_t id;
	/* Clocks: mono = offset + elapsed * rate, wall = true time + offset. */
	uint64_t mono_offset_us;
	int64_t rate_ppm;
	int64_t wall_offset_us;
	uint32_t slow_factor; /* of the disk; 1 normally */
	uint32_t depth;       /* turns entered */
	uint64_t log_lane_free_us;
	struct sim_event timer_event;
	struct sim_event turn_event;
	struct queue jobs;  /* struct sim_job */
	struct queue posts; /* struct sim_post */
};

void sim_runtime_init(struct sim_runtime *runtime, struct sim_world *world, uint64_t id);
/* Nothing may be left: see sim_runtime_drain(). */
void sim_runtime_close(struct sim_runtime *runtime);

void sim_runtime_enter(struct sim_runtime *runtime);
void sim_runtime_leave(struct sim_runtime *runtime);

/* The process stands still, clocks running on. */
void sim_runtime_pause(struct sim_runtime *runtime, uint64_t until_us);

/* The machine dies: let some of the jobs that wait do their work() up to the point where the
 * disk fails them, so that what they wrote is there, unsynced. */
void sim_runtime_tear_jobs(struct sim_runtime *runtime);
/* For tearing down: run jobs, timers and tasks, whenever they are due, until none is left or
 * a bound is reached (false). */
bool sim_runtime_drain(struct sim_runtime *runtime);

#endif
