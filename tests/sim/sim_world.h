/* Virtual time: the queue of everything that will happen, and the one seed behind it.
 *
 * Events fire in the order of their time, then of their scheduling; nothing else decides the
 * order, so one seed gives one run.  Each part draws from a generator of its own, so that a
 * change in one part's appetite for chance does not reshuffle the others.
 *
 * Threads  one.
 * Memory   events are embedded in their owners and must stay valid until they fired or were
 *          cancelled.
 * Time     microseconds of the world's clock, which no node can see; it starts at SIM_EPOCH_US.
 */
#ifndef TESTS_SIM_SIM_WORLD_H
#define TESTS_SIM_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/rng.h"

enum { SIM_MS = 1000, SIM_SECOND = 1000 * 1000, SIM_EPOCH_US = 10 * SIM_SECOND };

struct sim_event;

typedef void (*sim_event_cb)(struct sim_event *event);

/* A process that can stand still: its events wait until it goes on. */
struct sim_process {
	uint64_t paused_until_us;
	uint64_t timer_lag_us; /* then, how much later than its messages its timers come */
};

struct sim_event {
	uint64_t at_us;
	uint64_t sequence;
	size_t heap_index; /* SIZE_MAX while not scheduled */
	sim_event_cb cb;
	const struct sim_process *process; /* NULL: the world's own */
	bool is_timer;
};

struct sim_world {
	uint64_t seed;
	uint64_t now_us;
	uint64_t next_sequence;
	uint64_t trace; /* hash of all that happened */
	uint64_t event_count;
	bool is_verbose;
	bool is_over; /* a check failed: stop */
	struct rng net_rng;
	struct rng disk_rng;
	struct rng fault_rng;
	struct rng client_rng;
	struct sim_event **heap;
	size_t heap_count;
	size_t heap_capacity;
};

void sim_world_init(struct sim_world *world, uint64_t seed);
void sim_world_close(struct sim_world *world);

void sim_event_init(struct sim_event *event, const struct sim_process *process, sim_event_cb cb);
/* (Re)schedule; a time in the past means now. */
void sim_event_at(struct sim_world *world, struct sim_event *event, uint64_t at_us);
void sim_event_in(struct sim_world *world, struct sim_event *event, uint64_t delay_us);
void sim_event_cancel(struct sim_world *world, struct sim_event *event);
static inline bool sim_event_is_scheduled(const struct sim_event *event)
{
	return event->heap_index != SIZE_MAX;
}

/* Let things happen until the time is reached or the run is over. */
void sim_world_run_until(struct sim_world *world, uint64_t until_us);

/* Fold something that happened into the trace. */
void sim_world_trace(struct sim_world *world, uint64_t what, uint64_t value);
void sim_world_trace_bytes(struct sim_world *world, uint64_t what, struct slice bytes);
/* A line of the run's story, printed when verbose. */
void sim_world_say(const struct sim_world *world, const char *format, ...) PRINTF_LIKE(2, 3);

/* Chance: uniform in [low, high]; true once in n; true in percent of cases. */
uint64_t sim_range(struct rng *rng, uint64_t low, uint64_t high);
bool sim_one_in(struct rng *rng, uint64_t n);
bool sim_percent(struct rng *rng, uint64_t percent);

#endif
