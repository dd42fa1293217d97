/* A client that sees what no client can see: who leads, and who only believes so.
 *
 * Wherever two processes lead one group, it makes a write at the newer leader and, once that is
 * acknowledged, a strong read of the same item at the older one; it reads at leaders that have
 * not applied an entry of their own term; where a follower has applied more than its leader, it reads
 * at that one, then strongly at the leader; it asks an older leader of the catalog, or one that is so
 * behind, how new the catalog is, and an older one for a change that it must refuse.  Any client could
 * do the same by chance, so its operations belong to the history like all others, and a sync must
 * know of every version that somebody had seen before it began.
 *
 * Threads  one.
 * Errors   sim_cluster_fail(); reads and writes are judged by sim_history.
 */
#ifndef TESTS_SIM_SIM_PROBE_H
#define TESTS_SIM_SIM_PROBE_H

#include "tests/sim/sim_cluster.h"

enum { SIM_PROBE_ID_SIZE = 16 };

struct sim_probe {
	struct sim_user user; /* first */
	struct sim_cluster *cluster;
	struct sim_coordinator *coordinator;
	uint32_t client; /* its number in the history */
	struct sim_event event;
	bool is_busy;
	struct rpc_call call;
	struct buf body;
	struct buf item;
	struct buf row_key;
	size_t op_index;         /* reads and writes */
	uint64_t next_node_id;   /* where to read once the write is acknowledged; 0: nowhere */
	uint64_t version_before; /* sync: somebody had seen this one */
	uint32_t table;          /* the number in the name of a table that is not changed */
	uint64_t call_us;
	uint8_t request_id[SIM_PROBE_ID_SIZE];
};

struct sim_probes {
	struct sim_probe list[SIM_COORDINATORS];
	bool is_stopping;
	uint64_t stale_count;  /* requests at an older leader */
	uint64_t fresh_count;  /* at one that is not ready */
	uint64_t behind_count; /* at one that has not applied all that is committed */
};

void sim_probes_init(struct sim_probes *probes, struct sim_cluster *cluster);
/* The coordinators have ended, and the world with them. */
void sim_probes_close(struct sim_probes *probes);
void sim_probes_begin(struct sim_probes *probes);
void sim_probes_stop(struct sim_probes *probes);
bool sim_probes_is_idle(const struct sim_probes *probes);

#endif
