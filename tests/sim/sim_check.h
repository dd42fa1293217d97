/* The invariants of the replicas and the catalog: what must hold during a run and after it.
 *
 *   elections    at most one leader of a group in a term
 *   replicas     of a group at the same applied index hold the same bytes, at any time of the run,
 *                the catalog's replicas among them
 *   copies       of the catalog at the same version are the same, wherever they are
 *   ranges       of each table's partitions cover its key space exactly once, at each version of
 *                the catalog that any process has
 *   convergence  after the last fault all members of each group reach the same index, no table is
 *                between two states, and no replica is left that the catalog does not name
 *   indexes      each global index then holds exactly what its table's items say (sim_exact.h)
 *   promises     sim_promise.h
 *
 * Threads  one.
 * Errors   sim_cluster_fail().
 */
#ifndef TESTS_SIM_SIM_CHECK_H
#define TESTS_SIM_SIM_CHECK_H

#include "proto/base/hash_map.h"
#include "tests/sim/sim_promise.h"

enum { SIM_COPIES_MAX = 2 * SIM_NODES_MAX + SIM_COORDINATORS };

struct sim_check {
	struct sim_cluster *cluster;
	struct hash_map digests; /* of all replicas seen so far, by group and applied index; each start shows
				    all of its node */
	uint64_t digest_count;
	struct hash_map looked_at; /* applied indexes at the last look, by replica */
	uint64_t look_count;
	struct sim_event event;
	struct hash_map leaders;                /* node ids seen leading, by group and term */
	struct hash_map copies;                 /* of the catalog, by version */
	uint64_t copy_versions[SIM_COPIES_MAX]; /* looked at last, by place */
	struct sim_event sample_event;
	struct sim_promises promises;
	struct sim_node_witness witness;
};

void sim_check_init(struct sim_check *check, struct sim_cluster *cluster);
void sim_check_close(struct sim_check *check);
/* Once begun, it goes on by itself. */
void sim_check_begin(struct sim_check *check);
/* Take the digests of all replicas now. */
void sim_check_digests(struct sim_check *check);
/* Says of the first thing that has not converged. */
bool sim_check_has_converged(struct sim_check *check, char *laggard_out, size_t size_bytes);

#endif
