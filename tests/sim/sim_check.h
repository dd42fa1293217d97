/* The invariants: what must hold during a run and after it.
 *
 *   elections     at most one leader in a term
 *   linearizable  strong reads and all writes of each key (also: at most once, acknowledged
 *                 writes survive)
 *   eventual      a value that somebody wrote, and whose write did not certainly fail
 *   digests       replicas at the same applied index hold the same bytes, at any time of the run
 *   convergence   after the last fault all members reach the same index
 *
 * Threads  one.
 * Errors   sim_cluster_fail().
 */
#ifndef TESTS_SIM_SIM_CHECK_H
#define TESTS_SIM_SIM_CHECK_H

#include "proto/base/hash_map.h"
#include "tests/sim/sim_cluster.h"

struct sim_check {
	struct sim_cluster *cluster;
	struct hash_map digests; /* of all replicas seen so far, by partition and applied index */
	uint64_t digest_count;
	struct sim_event event;
	struct hash_map leaders; /* node ids seen leading, by partition and term */
	struct sim_event leader_event;
};

void sim_check_init(struct sim_check *check, struct sim_cluster *cluster);
void sim_check_close(struct sim_check *check);
/* Take the digests of all replicas now; once begun, it goes on by itself. */
void sim_check_begin(struct sim_check *check);
void sim_check_digests(struct sim_check *check);
/* All members of every partition have applied the same; says of the first that has not. */
bool sim_check_has_converged(struct sim_check *check, char *laggard_out, size_t size_bytes);
void sim_check_history(struct sim_check *check);

#endif
