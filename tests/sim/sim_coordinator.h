/* A coordinator process of a run: the real router (coordinator/router.h) and the clients that
 * use it, who end and begin with it.
 *
 * Threads  one.
 * Memory   the object lives for the whole run, like its users.
 */
#ifndef TESTS_SIM_SIM_COORDINATOR_H
#define TESTS_SIM_SIM_COORDINATOR_H

#include "coordinator/router.h"
#include "tests/sim/sim_net.h"

enum {
	SIM_COORDINATORS = 3,         /* one in each zone; each has its own belief who leads */
	SIM_COORDINATOR_ID_FIRST = 8, /* endpoint ids */
};

/* A client on a coordinator. */
struct sim_user {
	struct queue link;
	/* The process has begun; it is about to end: cancel what is under way. */
	void (*begin)(struct sim_user *user);
	void (*end)(struct sim_user *user);
};

struct sim_coordinator {
	struct sim_world *world;
	struct sim_net *net;
	uint64_t id;
	uint32_t seed_count;
	char zone[2];
	bool is_running;
	bool is_closed; /* the router's view has ended */
	struct sim_runtime runtime;
	struct sim_endpoint endpoint;
	struct router router;
	struct queue users;
	uint64_t start_count;
};

void sim_coordinator_init(struct sim_coordinator *coordinator, struct sim_world *world, struct sim_net *net,
			  uint64_t id, uint32_t seed_count);
void sim_coordinator_add(struct sim_coordinator *coordinator, struct sim_user *user);
void sim_coordinator_start(struct sim_coordinator *coordinator);
/* Kill it: what its clients wait for never comes. */
void sim_coordinator_crash(struct sim_coordinator *coordinator);

/* What an item operation on it may end with although nothing is wrong with the product, by item_op.h. */
bool sim_coordinator_may_answer(const struct sim_coordinator *coordinator, enum status status);
/* A table that it would serve items of; NULL if its copy of the catalog has none. */
const struct table_info *sim_coordinator_table(const struct sim_coordinator *coordinator, const char *name);

#endif
