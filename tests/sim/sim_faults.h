/* What goes wrong in a run, and when: drawn from the seed.
 *
 * Each seed allows itself some kinds of fault (a share of seeds only one, or none) and then
 * starts one every few hundred milliseconds; each ends by itself.  A directed run has few kinds that
 * are aimed at a certain situation, and starts one when the cluster has got over the last; part of the seeds
 * with leases are directed at those.  sim_faults_heal() ends all and starts what is down.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_FAULTS_H
#define TESTS_SIM_SIM_FAULTS_H

#include "tests/sim/sim_member.h"

enum sim_fault_kind {
	SIM_FAULT_LOSS,      /* posts lost, calls delayed; posts doubled and overtaken */
	SIM_FAULT_DELAY,     /* one direction of one link is slow */
	SIM_FAULT_CUT,       /* one direction, or both, between two processes */
	SIM_FAULT_ZONE,      /* all processes of a zone from all others */
	SIM_FAULT_ISOLATE,   /* a node from all others, or from all nodes but not the clients */
	SIM_FAULT_LEADER,    /* the same, of a partition's leader */
	SIM_FAULT_CRASH,     /* one node */
	SIM_FAULT_STOP,      /* one node, in order */
	SIM_FAULT_FRONT,     /* a coordinator */
	SIM_FAULT_CRASH_ALL, /* all nodes at once */
	SIM_FAULT_AWAY,      /* one node for long: the others compact their logs */
	SIM_FAULT_PAUSE,     /* a node or coordinator stands still, its clock runs on */
	SIM_FAULT_SLOW_DISK,
	SIM_FAULT_DISK,      /* a write or sync fails: the process must end itself */
	SIM_FAULT_FULL,      /* a disk runs full: below the watermark, or to the last byte */
	SIM_FAULT_CLOCK,     /* a wall clock is set, within the allowed skew */
	SIM_FAULT_RESET,     /* a connection breaks */
	SIM_FAULT_TRANSFER,  /* leadership is handed over */
	SIM_FAULT_MOVE,      /* a replica of the main table, or of its index, moves to another node */
	SIM_FAULT_INSTALL,   /* a node needs a snapshot, and dies while that comes or is put in place */
	SIM_FAULT_USURP,     /* a leader cut off but for one follower, which starts anew at the worst time */
	SIM_FAULT_TRUNCATE,  /* a leader and one follower hold entries on slow disks, and both lose them */
	SIM_FAULT_HEIRS,     /* a leader goes, and the disks of the others are slow */
	SIM_FAULT_LATE,      /* a dead leader's messages arrive */
	SIM_FAULT_HAND_OVER, /* leadership is handed over, and the old leader does not hear of it */
	SIM_FAULT_UNPLUG,    /* a leader's connections to all other nodes break at once */
	SIM_FAULT_RUSH,      /* a voter comes and another goes at once, just when the links are cut */
	SIM_FAULT_YIELD,     /* a leader's disk runs full, and it must let others lead */
	SIM_FAULT_KINDS,
};

enum { SIM_FAULTS_ACTIVE_MAX = 12 };

struct sim_faults;

struct sim_fault {
	struct sim_faults *faults;
	enum sim_fault_kind kind;
	bool is_active;
	uint64_t node_id;
	uint64_t peer_id;
	uint16_t cuts[SIM_ENDPOINTS_MAX]; /* by sender: mask of receivers that it does not reach */
	uint16_t down;                    /* mask of nodes that may not start yet */
	uint16_t slowed;                  /* mask of nodes with a slow disk */
	uint16_t filled;                  /* mask of nodes with a full disk */
	struct sim_event end;             /* of it, or of a stage */
	/* Of those that come in stages (sim_staged.h). */
	uint32_t stage;
	uint32_t poll_count;
	uint64_t group_id;
	uint64_t term;
	uint64_t index;
	uint64_t ahead_us;
	bool is_feed; /* it is aimed at pages of an index */
};

struct sim_faults {
	struct sim_cluster *cluster;
	struct sim_member *member;
	uint32_t allowed; /* mask of kinds */
	bool is_directed; /* one at a time, on a sound cluster */
	uint64_t waiting_since_us;
	uint64_t gap_us_max;
	struct sim_fault active[SIM_FAULTS_ACTIVE_MAX];
	bool is_healed;
	struct sim_event event;
	uint64_t counts[SIM_FAULT_KINDS];
};

void sim_faults_init(struct sim_faults *faults, struct sim_cluster *cluster, struct sim_member *member);
void sim_faults_close(struct sim_faults *faults);
void sim_faults_begin(struct sim_faults *faults);
void sim_faults_heal(struct sim_faults *faults);

/* For sim_staged.c: what belongs to a fault ends with it. */
void sim_faults_cut_pair(struct sim_fault *fault, uint64_t a, uint64_t b, uint64_t direction);
void sim_faults_heal_cuts(struct sim_fault *fault);
void sim_faults_crash(struct sim_fault *fault, uint64_t node_id, bool is_silent);
void sim_faults_fill(struct sim_fault *fault, uint64_t node_id, uint64_t free_bytes);
uint64_t sim_faults_election_us(const struct sim_fault *fault);

#endif
