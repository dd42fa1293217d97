/* What one run is made of: four machines, a network, clients, and where it went wrong.
 *
 * Three replicas of every partition are born on nodes 1 to 3; node 4 waits to join.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_CLUSTER_H
#define TESTS_SIM_SIM_CLUSTER_H

#include "tests/sim/sim_node.h"
#include "tests/sim/sim_workload.h"

enum { SIM_BIRTH_REPLICAS = 3, SIM_REPORT_MAX = 16 * 1024 };

struct sim_cluster {
	struct sim_world world;
	struct sim_net net;
	struct sim_node nodes[SIM_NODES_MAX]; /* [0] is node 1 */
	struct sim_workload workload;
	struct buf report; /* empty: nothing is wrong */
};

/* Choose the run's settings from its seed, make the machines and the partitions. */
void sim_cluster_init(struct sim_cluster *cluster, uint64_t seed, bool is_verbose);
void sim_cluster_close(struct sim_cluster *cluster);

struct sim_node *sim_cluster_node(struct sim_cluster *cluster, uint64_t node_id);
/* The group of the replica that leads with the highest term and may evaluate; NULL if none. */
struct group *sim_cluster_leader(struct sim_cluster *cluster, uint64_t partition_id,
				 struct sim_node **node_out);

/* Note a violated invariant; the run ends.  Only the first is kept. */
void sim_cluster_fail(struct sim_cluster *cluster, const char *format, ...) PRINTF_LIKE(2, 3);
/* Add what every replica is at to the report. */
void sim_cluster_describe(struct sim_cluster *cluster);
static inline bool sim_cluster_has_failed(const struct sim_cluster *cluster)
{
	return cluster->report.size > 0;
}

#endif
