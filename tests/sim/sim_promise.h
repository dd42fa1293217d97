/* What a replica has told others it must still know after a crash, and what it believes of its own
 * log must be so.
 *
 *   stored      the entries that its engine counts as stored are in its log, and are there again,
 *               with the same terms, after every crash
 *   vote        term and vote that are durable come back
 *   applied     a start finds the applied entry in the log as it was applied, and the replica's
 *               rows as all others had them at that index (sim_check)
 *   members     the newest change of members that the engine knows of is such a change
 *
 * Threads  one.
 * Errors   sim_cluster_fail().
 */
#ifndef TESTS_SIM_SIM_PROMISE_H
#define TESTS_SIM_SIM_PROMISE_H

#include "tests/sim/sim_cluster.h"

/* Of one replica, at the moment of a crash. */
struct sim_promise {
	uint64_t group_id;
	uint64_t replica_id;
	uint64_t stored_index; /* 0: nothing to say */
	uint64_t stored_term;
	uint64_t term; /* durable; 0: nothing to say */
	uint64_t voted_for;
};

struct sim_promises {
	struct sim_cluster *cluster;
	struct sim_promise list[SIM_NODES_MAX][SIM_GROUPS_MAX];
	uint32_t counts[SIM_NODES_MAX];
	uint64_t kept_count;
};

void sim_promises_init(struct sim_promises *promises, struct sim_cluster *cluster);
/* The node is about to crash; it has just started. */
void sim_promises_note(struct sim_promises *promises, const struct sim_node *node);
void sim_promises_check(struct sim_promises *promises, const struct sim_node *node);
/* At any time, of any replica of a running node. */
void sim_promises_look_at(struct sim_promises *promises, const struct sim_node *node,
			  const struct group *group);

#endif
