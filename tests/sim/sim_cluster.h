/* What one run is made of: three to five machines in three zones, three coordinators, a network,
 * clients, and where it went wrong.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_CLUSTER_H
#define TESTS_SIM_SIM_CLUSTER_H

#include "tests/sim/sim_counter.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_tables.h"
#include "tests/sim/sim_workload.h"

/* Every so many seeds one runs on RocksDB. */
enum { SIM_ROCKSDB_EVERY = 20 };

enum { SIM_NODES_MIN = 3, SIM_REPORT_MAX = 16 * 1024, SIM_GROUPS_MAX = 64 };

struct sim_cluster {
	struct sim_world world;
	struct sim_net net;
	struct sim_node nodes[SIM_NODES_MAX]; /* [0] is node 1 */
	uint32_t node_count;
	enum sim_disk_kind disk_kind;
	struct sim_coordinator coordinators[SIM_COORDINATORS];
	struct sim_workload workload;
	struct sim_counters counters;
	struct sim_tables tables;
	struct sim_index index;
	struct buf report; /* empty: nothing is wrong */
};

/* Choose the run's settings from its seed and start the processes; is_rocksdb: whatever the seed
 * says of the disks. */
void sim_cluster_init(struct sim_cluster *cluster, uint64_t seed, bool is_rocksdb, bool is_verbose);
void sim_cluster_close(struct sim_cluster *cluster);

struct sim_node *sim_cluster_node(struct sim_cluster *cluster, uint64_t node_id);
struct sim_coordinator *sim_cluster_coordinator(struct sim_cluster *cluster, uint64_t endpoint_id);
/* The group of the replica that leads with the highest term and may evaluate; NULL if none. */
struct group *sim_cluster_leader(struct sim_cluster *cluster, uint64_t group_id, struct sim_node **node_out);
/* The catalog at its leader; NULL if none leads. */
struct catalog *sim_cluster_catalog(struct sim_cluster *cluster, struct sim_node **node_out);
/* The newest copy of the catalog that any process has; NULL if none runs. */
const struct catalog_state *sim_cluster_newest_state(struct sim_cluster *cluster);
/* Some group: the catalog's or a partition's. */
uint64_t sim_cluster_any_group(struct sim_cluster *cluster);
/* A partition of the main table; 0 while there is none. */
uint64_t sim_cluster_main_partition(struct sim_cluster *cluster);
/* One of its global index. */
uint64_t sim_cluster_index_partition(struct sim_cluster *cluster);
/* One of the main table, or of its index if that is not deleted in this run; 0 while there is none. */
uint64_t sim_cluster_lasting_partition(struct sim_cluster *cluster);

/* Note a violated invariant; the run ends.  Only the first is kept. */
void sim_cluster_fail(struct sim_cluster *cluster, const char *format, ...) PRINTF_LIKE(2, 3);
/* Add what every replica is at to the report. */
void sim_cluster_describe(struct sim_cluster *cluster);
static inline bool sim_cluster_has_failed(const struct sim_cluster *cluster)
{
	return cluster->report.size > 0;
}

#endif
