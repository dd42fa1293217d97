/* Clients of a run that count: they add one to few items of the main table, read them strongly,
 * and check what they were told.
 *
 * What must hold for each counter, A and B being operations and A before B if it ended before B
 * began:
 *   no two increments were answered with the same count
 *   an increment gives more than all before it, a read no less
 *   a count is at least the increments acknowledged before it (none is lost), and at most those
 *   begun before it ended, without those that certainly failed (none is made twice)
 * The last read of each counter begins after all else has ended.
 *
 * Threads  one.
 * Memory   the history lives until sim_counters_close().
 */
#ifndef TESTS_SIM_SIM_COUNTER_H
#define TESTS_SIM_SIM_COUNTER_H

#include "tests/sim/sim_workload.h"

enum { SIM_COUNTERS = 3, SIM_COUNTER_CLIENTS = 6 };

struct sim_count_op {
	bool is_read;
	bool is_last; /* begun after all else had ended */
	enum sim_op_outcome outcome;
	enum status status;
	uint32_t client;
	uint32_t attempt_count;
	uint64_t count; /* once done: as it was left, or read */
	uint64_t call_us;
	uint64_t return_us;
};

struct sim_counter {
	struct sim_count_op *ops; /* in the order of their beginnings */
	size_t op_count;
	size_t op_capacity;
	bool is_read_last; /* the last read was answered */
};

struct sim_counters;

struct sim_counter_client {
	struct sim_user user; /* first */
	struct sim_counters *counters;
	struct sim_coordinator *coordinator;
	uint32_t id;
	bool is_busy;
	uint32_t counter; /* of the present operation */
	size_t op_index;
	struct item_op op;
	struct arena arena;
	struct buf row_key;
	struct buf key_item;
	struct runtime_timer timer;
};

struct sim_counters {
	struct sim_world *world;
	struct sim_counter_client clients[SIM_COUNTER_CLIENTS];
	struct sim_counter counters[SIM_COUNTERS];
	uint64_t think_us_max;
	uint64_t rests_until_us;
	bool is_stopping;
	char problem[200]; /* empty: none */
};

void sim_counters_init(struct sim_counters *counters, struct sim_world *world,
		       struct sim_coordinator *coordinators);
/* The coordinators have ended. */
void sim_counters_close(struct sim_counters *counters);
/* No new operations but one last strong read of every counter. */
void sim_counters_stop(struct sim_counters *counters);
/* No new operations before then, which may also be in the past. */
void sim_counters_rest(struct sim_counters *counters, uint64_t until_us);
bool sim_counters_is_idle(const struct sim_counters *counters);
uint64_t sim_counters_op_count(const struct sim_counters *counters);

/* Append what is wrong with the history; nothing if it is sound. */
void sim_counters_check(const struct sim_counters *counters, struct buf *report_out);

#endif
