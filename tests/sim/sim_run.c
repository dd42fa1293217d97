#include "tests/sim/sim_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim_check.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_probe.h"

enum {
	FAULTLESS_US = 500 * SIM_MS, /* before the first fault */
	PROGRESS_US = 10 * SIM_SECOND,
	IDLE_US = 15 * SIM_SECOND,
	CONVERGE_US = 20 * SIM_SECOND,
	POLL_US = 100 * SIM_MS,
};

struct sim_run {
	struct sim_cluster cluster;
	struct sim_member member;
	struct sim_faults faults;
	struct sim_check check;
	struct sim_probes probes;
};

static bool all_serve(const struct sim_run *run, uint64_t since_us)
{
	const struct sim_cluster *cluster = &run->cluster;

	for (uint32_t i = 0; i < cluster->workload.main_partitions; i++) {
		if (cluster->workload.acked_call_us[i] < since_us)
			return false;
	}
	return cluster->workload.has_main && cluster->tables.done_call_us >= since_us;
}

/* After the last fault every partition and the catalog take a change again, before long. */
static void await_progress(struct sim_run *run)
{
	struct sim_world *world = &run->cluster.world;
	uint64_t since_us = world->now_us;

	while (!world->is_over && !all_serve(run, since_us)) {
		if (world->now_us > since_us + PROGRESS_US) {
			sim_cluster_fail(&run->cluster,
					 "no progress: a partition or the catalog served nothing for %d s "
					 "after all faults",
					 PROGRESS_US / SIM_SECOND);
			return;
		}
		sim_world_run_until(world, world->now_us + POLL_US);
	}
}

static bool are_clients_idle(const struct sim_run *run)
{
	const struct sim_cluster *cluster = &run->cluster;

	return sim_probes_is_idle(&run->probes) && sim_index_is_idle(&cluster->index) &&
	       sim_workload_is_idle(&cluster->workload) && sim_counters_is_idle(&cluster->counters) &&
	       sim_tables_is_idle(&cluster->tables);
}

static void await_idle(struct sim_run *run)
{
	struct sim_world *world = &run->cluster.world;
	uint64_t since_us = world->now_us;

	sim_probes_stop(&run->probes);
	sim_workload_stop(&run->cluster.workload);
	sim_counters_stop(&run->cluster.counters);
	sim_tables_stop(&run->cluster.tables);
	sim_index_stop(&run->cluster.index);
	while (!world->is_over && !are_clients_idle(run)) {
		if (world->now_us > since_us + IDLE_US) {
			sim_cluster_fail(&run->cluster, "an operation did not end");
			return;
		}
		sim_world_run_until(world, world->now_us + POLL_US);
	}
}

static void await_convergence(struct sim_run *run)
{
	struct sim_world *world = &run->cluster.world;
	uint64_t since_us = world->now_us;
	char laggard[200] = "";

	while (!world->is_over && (!sim_member_is_idle(&run->member) ||
				   !sim_check_has_converged(&run->check, laggard, sizeof(laggard)))) {
		if (world->now_us > since_us + CONVERGE_US) {
			sim_cluster_fail(&run->cluster, "no convergence %d s after all faults: %s",
					 CONVERGE_US / SIM_SECOND,
					 sim_member_is_idle(&run->member)
						 ? laggard
						 : "a move of a replica is not done");
			return;
		}
		sim_world_run_until(world, world->now_us + POLL_US);
	}
}

static void play(struct sim_run *run, uint64_t seconds)
{
	struct sim_world *world = &run->cluster.world;

	sim_check_begin(&run->check);
	sim_member_begin(&run->member);
	sim_probes_begin(&run->probes);
	sim_world_run_until(world, world->now_us + FAULTLESS_US);
	sim_faults_begin(&run->faults);
	sim_world_run_until(world, world->now_us + seconds * SIM_SECOND);
	if (!world->is_over)
		sim_faults_heal(&run->faults);
	await_progress(run);
	await_idle(run);
	await_convergence(run);
	if (sim_cluster_has_failed(&run->cluster)) {
		sim_member_describe(&run->member);
		sim_cluster_describe(&run->cluster);
	}
	sim_world_say(world, "conditions: %" PRIu64 " held, %" PRIu64 " failed; %" PRIu64 " counts",
		      run->cluster.workload.cas_held_count, run->cluster.workload.cas_failed_count,
		      sim_counters_op_count(&run->cluster.counters));
	sim_world_say(world,
		      "asked leaders that were none any more %" PRIu64
		      " times, such as were not ready %" PRIu64 " times, or behind %" PRIu64
		      " times; %" PRIu64 " promises kept",
		      run->probes.stale_count, run->probes.fresh_count, run->probes.behind_count,
		      run->check.promises.kept_count);
	sim_world_say(world, "index: used %d, born %d, made %" PRIu64 " times, deleted %" PRIu64 " times",
		      run->cluster.index.is_used, run->cluster.index.is_born, run->cluster.index.made_count,
		      run->cluster.index.deleted_count);
	sim_check_digests(&run->check);
	sim_history_check(&run->cluster);
}

struct sim_result sim_run_seed(const struct sim_run_options *options, uint64_t seed)
{
	struct sim_run *run = calloc(1, sizeof(*run));
	struct sim_result result = { 0 };

	CHECK(run != NULL);
	sim_cluster_init(&run->cluster, seed, options->is_rocksdb, options->is_verbose);
	sim_member_init(&run->member, &run->cluster);
	sim_faults_init(&run->faults, &run->cluster, &run->member);
	sim_check_init(&run->check, &run->cluster);
	sim_probes_init(&run->probes, &run->cluster);
	play(run, options->seconds);
	result.has_passed = !sim_cluster_has_failed(&run->cluster);
	result.is_repeatable = run->cluster.disk_kind == SIM_DISK_MEMORY;
	result.trace = run->cluster.world.trace;
	result.op_count = run->cluster.workload.op_count + sim_counters_op_count(&run->cluster.counters);
	result.table_op_count = run->cluster.tables.op_count;
	result.event_count = run->cluster.world.event_count;
	result.move_count = run->member.move_count;
	result.virtual_us = run->cluster.world.now_us - SIM_EPOCH_US;
	for (uint64_t id = 1; id <= run->cluster.node_count; id++)
		result.start_count += sim_cluster_node(&run->cluster, id)->start_count;
	if (!result.has_passed)
		(void)printf("%.*s", (int)run->cluster.report.size, (const char *)run->cluster.report.data);
	(void)fflush(stdout);
	sim_check_close(&run->check);
	sim_faults_close(&run->faults);
	sim_member_close(&run->member);
	sim_cluster_close(&run->cluster);
	sim_probes_close(&run->probes);
	free(run);
	return result;
}
