/* The mover of a run: brings a replica of the main table to a node that has none, through every
 * step of a membership change, whatever fails in between.
 *
 *   JOIN (add as standby, make the replica) --> PROMOTE --> REMOVE (the old one, which hands over
 *   first if it leads) --> RECORD (in the catalog) --> DROP (the old one's rows)
 *
 * Each step is tried again until an applied configuration or the catalog shows it.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_MEMBER_H
#define TESTS_SIM_SIM_MEMBER_H

#include "tests/sim/sim_cluster.h"

enum { SIM_MOVES_MAX = SIM_PARTITIONS_MAX };

enum sim_member_phase {
	SIM_MEMBER_IDLE,
	SIM_MEMBER_JOIN,
	SIM_MEMBER_PROMOTE,
	SIM_MEMBER_REMOVE,
	SIM_MEMBER_RECORD,
	SIM_MEMBER_DROP
};

struct sim_move {
	enum sim_member_phase phase;
	uint64_t partition_id;
	uint64_t new_replica_id;
	uint64_t new_node_id;
	uint64_t old_replica_id;
	uint64_t old_node_id;
};

struct sim_member {
	struct sim_cluster *cluster;
	struct sim_move moves[SIM_MOVES_MAX];
	uint64_t next_replica_id;
	uint64_t move_count;       /* completed */
	uint64_t recorded_version; /* of the catalog, with the newest record that a move made */
	struct sim_event event;
};

void sim_member_init(struct sim_member *member, struct sim_cluster *cluster);
void sim_member_close(struct sim_member *member);
void sim_member_begin(struct sim_member *member);
/* Begin a move unless the partition moves already, or there is nowhere to go. */
void sim_member_move(struct sim_member *member, uint64_t partition_id);
/* The move of a partition that is under way; NULL if there is none. */
const struct sim_move *sim_member_find(const struct sim_member *member, uint64_t partition_id);
bool sim_member_is_idle(const struct sim_member *member);
/* Add the moves under way to the report. */
void sim_member_describe(const struct sim_member *member);

#endif
