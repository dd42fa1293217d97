#include "tests/sim/sim_cluster.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "replication/group/group_internal.h"

enum {
	LINE_MAX_SIZE = 1000,
	LEASES_PERCENT = 45,
	COMPACTION_PERCENT = 65,
	BIG_VALUES_PERCENT = 30,
	MISSES_PERCENT = 40,
	FIVE_SEEDS_PERCENT = 50,
	RATE_PPM_MAX = 30 * 1000, /* two clocks differ by 6 % at most: leases allow for 8 % */
	WALL_SKEW_MAX = INT64_C(3600) * 1000 * 1000, /* an hour */
	MAIN_KEYS_MIN = 4,
	MAIN_GROUP_PERCENT = 45, /* of the groups that a fault is aimed at */
	CATALOG_GROUP_PERCENT = 25,
	INDEX_MOVES_PERCENT = 40,
	LATE_STRAYS_PERCENT = 40,
	LATE_STRAY_S_MAX = 20, /* longer than a log is kept */
};

/* --- choices --- */

static void choose_settings(struct sim_cluster *cluster, struct sim_node_settings *settings)
{
	struct rng *rng = &cluster->world.fault_rng;

	cluster->node_count = (uint32_t)sim_range(rng, SIM_NODES_MIN, SIM_NODES_MAX);
	settings->seed_count = cluster->node_count == SIM_NODES_MAX && sim_percent(rng, FIVE_SEEDS_PERCENT)
				       ? SIM_NODES_MAX
				       : SIM_NODES_MIN;
	settings->catalog = catalog_default_settings(settings->seed_count);
	settings->catalog.heartbeat_ms = (uint32_t)sim_range(rng, 30, 100);
	settings->catalog.election_timeout_ms = settings->catalog.heartbeat_ms *
						(uint32_t)sim_range(rng, 5, 10);
	settings->catalog.leases = sim_percent(rng, LEASES_PERCENT);
	settings->catalog.on_demand_partitions = (uint32_t)sim_range(rng, 1, 3);
	if (sim_percent(rng, COMPACTION_PERCENT))
		settings->log_keep_entries = (uint32_t)sim_range(rng, 16, 120);
}

static void choose_machine(struct sim_world *world, struct sim_node *node, bool misses)
{
	struct rng *rng = &world->fault_rng;

	node->rate_ppm = (int64_t)sim_range(rng, 0, 2 * RATE_PPM_MAX) - RATE_PPM_MAX;
	node->wall_offset_us = (int64_t)sim_range(rng, 0, 2 * WALL_SKEW_MAX) - WALL_SKEW_MAX;
	node->mono_offset_us = sim_range(rng, 0, 100 * (uint64_t)SIM_SECOND);
	node->disk.miss_every = misses ? (uint32_t)sim_range(rng, 2, 20) : 0;
}

static void start_nodes(struct sim_cluster *cluster, const struct sim_node_settings *settings,
			enum sim_disk_kind disk_kind)
{
	struct sim_world *world = &cluster->world;
	bool misses = sim_percent(&world->fault_rng, MISSES_PERCENT);

	for (uint64_t id = 1; id <= cluster->node_count; id++) {
		struct sim_node *node = sim_cluster_node(cluster, id);

		sim_node_init(node, world, &cluster->net, id, settings, disk_kind);
		choose_machine(world, node, misses);
		sim_node_start(node);
	}
}

static void start_coordinators(struct sim_cluster *cluster, const struct sim_node_settings *settings)
{
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		sim_coordinator_init(&cluster->coordinators[i], &cluster->world, &cluster->net,
				     SIM_COORDINATOR_ID_FIRST + i, settings->seed_count);
	sim_index_init(&cluster->index, &cluster->world, &cluster->coordinators[0]);
	sim_tables_init(&cluster->tables, &cluster->world, cluster->coordinators, &cluster->index);
	sim_workload_init(&cluster->workload, &cluster->world, cluster->coordinators,
			  (uint32_t)sim_range(&cluster->world.fault_rng, MAIN_KEYS_MIN, SIM_KEYS_MAX));
	sim_counters_init(&cluster->counters, &cluster->world, cluster->coordinators);
	if (sim_percent(&cluster->world.fault_rng, BIG_VALUES_PERCENT))
		cluster->workload.big_percent = (uint32_t)sim_range(&cluster->world.fault_rng, 2, 20);
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		sim_coordinator_start(&cluster->coordinators[i]);
}

/* --- life --- */

void sim_cluster_init(struct sim_cluster *cluster, uint64_t seed, bool is_rocksdb, bool is_verbose)
{
	struct sim_world *world = &cluster->world;
	struct sim_node_settings settings = { .log_keep_entries = 0 };

	sim_world_init(world, seed);
	cluster->disk_kind = is_rocksdb || seed % SIM_ROCKSDB_EVERY == 0 ? SIM_DISK_ROCKSDB : SIM_DISK_MEMORY;
	world->is_verbose = is_verbose;
	buf_init(&cluster->report, SIM_REPORT_MAX);
	sim_net_init(&cluster->net, world);
	choose_settings(cluster, &settings);
	sim_world_say(world,
		      "%" PRIu32 " nodes on %s, %" PRIu32 " hold the catalog; election %" PRIu32
		      " ms, heartbeat %" PRIu32 " ms, leases %d, log kept %" PRIu32 ", partitions %" PRIu32,
		      cluster->node_count, cluster->disk_kind == SIM_DISK_ROCKSDB ? "RocksDB" : "memory",
		      settings.seed_count, settings.catalog.election_timeout_ms,
		      settings.catalog.heartbeat_ms, settings.catalog.leases, settings.log_keep_entries,
		      settings.catalog.on_demand_partitions);
	if (sim_percent(&world->fault_rng, LATE_STRAYS_PERCENT))
		cluster->net.stray_us_max = sim_range(&world->fault_rng, 1, LATE_STRAY_S_MAX) * SIM_SECOND;
	start_nodes(cluster, &settings, cluster->disk_kind);
	start_coordinators(cluster, &settings);
}

void sim_cluster_close(struct sim_cluster *cluster)
{
	char folder[SIM_DIR_PATH_SIZE];

	for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
		sim_coordinator_crash(&cluster->coordinators[i]);
	sim_workload_close(&cluster->workload);
	sim_counters_close(&cluster->counters);
	sim_tables_close(&cluster->tables);
	for (uint64_t id = 1; id <= cluster->node_count; id++)
		sim_node_close(sim_cluster_node(cluster, id));
	sim_dir_of_process(folder, getpid());
	sim_dir_remove(folder);
	sim_net_close(&cluster->net);
	sim_world_close(&cluster->world);
	buf_close(&cluster->report);
}

/* --- who is who --- */

struct sim_node *sim_cluster_node(struct sim_cluster *cluster, uint64_t node_id)
{
	CHECK(node_id >= 1 && node_id <= cluster->node_count);
	return &cluster->nodes[node_id - 1];
}

struct sim_coordinator *sim_cluster_coordinator(struct sim_cluster *cluster, uint64_t endpoint_id)
{
	CHECK(endpoint_id >= SIM_COORDINATOR_ID_FIRST);
	CHECK(endpoint_id < SIM_COORDINATOR_ID_FIRST + SIM_COORDINATORS);
	return &cluster->coordinators[endpoint_id - SIM_COORDINATOR_ID_FIRST];
}

struct group *sim_cluster_leader(struct sim_cluster *cluster, uint64_t group_id, struct sim_node **node_out)
{
	struct group *leader = NULL;

	for (uint64_t id = 1; id <= cluster->node_count; id++) {
		struct sim_node *node = sim_cluster_node(cluster, id);
		struct group *group = sim_node_group(node, group_id);

		if (group == NULL || !group_is_ready(group))
			continue;
		if (leader == NULL || group->leader_term > leader->leader_term) {
			leader = group;
			*node_out = node;
		}
	}
	return leader;
}

struct catalog *sim_cluster_catalog(struct sim_cluster *cluster, struct sim_node **node_out)
{
	if (sim_cluster_leader(cluster, CATALOG_GROUP_ID, node_out) == NULL ||
	    !catalog_leads((*node_out)->node->catalog))
		return NULL;
	return (*node_out)->node->catalog;
}

const struct catalog_state *sim_cluster_newest_state(struct sim_cluster *cluster)
{
	const struct catalog_state *newest = NULL;

	for (uint64_t id = 1; id <= cluster->node_count; id++) {
		const struct sim_node *node = sim_cluster_node(cluster, id);

		if (node->is_running && (newest == NULL || node->node->view.state.version > newest->version))
			newest = &node->node->view.state;
	}
	return newest;
}

static uint64_t any_partition(struct sim_cluster *cluster, const struct catalog_state *state,
			      uint32_t table_id)
{
	size_t count = catalog_state_partition_count(state, table_id);

	if (count == 0)
		return 0;
	return catalog_state_partition_at(state, table_id,
					  (size_t)rng_below(&cluster->world.fault_rng, count))
		->partition_id;
}

static const struct table_info *main_table(const struct catalog_state *state)
{
	return state == NULL ? NULL : catalog_state_table_named(state, slice_of_string(SIM_MAIN_TABLE));
}

uint64_t sim_cluster_main_partition(struct sim_cluster *cluster)
{
	const struct catalog_state *state = sim_cluster_newest_state(cluster);
	const struct table_info *table = main_table(state);

	return table == NULL ? 0 : any_partition(cluster, state, table->table_id);
}

uint64_t sim_cluster_index_partition(struct sim_cluster *cluster)
{
	const struct catalog_state *state = sim_cluster_newest_state(cluster);
	const struct table_info *table = main_table(state);
	const struct table_index *index;

	if (table == NULL)
		return 0;
	index = table_indexes_find(table->indexes, slice_of_string(SIM_INDEX_NAME));
	return index == NULL ? 0 : any_partition(cluster, state, index->table_id);
}

uint64_t sim_cluster_lasting_partition(struct sim_cluster *cluster)
{
	uint64_t index_partition = cluster->index.is_changed ? 0 : sim_cluster_index_partition(cluster);

	if (index_partition == 0 || !sim_percent(&cluster->world.fault_rng, INDEX_MOVES_PERCENT))
		return sim_cluster_main_partition(cluster);
	return index_partition;
}

uint64_t sim_cluster_any_group(struct sim_cluster *cluster)
{
	uint64_t ids[SIM_GROUPS_MAX] = { CATALOG_GROUP_ID };
	size_t count = 1;
	const struct catalog_state *state = sim_cluster_newest_state(cluster);
	const struct partition_info *info;
	size_t cursor = 0;
	uint64_t at = rng_below(&cluster->world.fault_rng, 100);
	uint64_t main_partition = at < MAIN_GROUP_PERCENT ? sim_cluster_main_partition(cluster) : 0;

	if (main_partition != 0)
		return main_partition;
	if (at >= 100 - CATALOG_GROUP_PERCENT)
		return CATALOG_GROUP_ID;
	while (state != NULL && count < SIM_GROUPS_MAX &&
	       (info = catalog_state_next_partition(state, &cursor)) != NULL)
		ids[count++] = info->partition_id;
	return ids[rng_below(&cluster->world.fault_rng, count)];
}

/* --- the report --- */

void sim_cluster_fail(struct sim_cluster *cluster, const char *format, ...)
{
	char text[LINE_MAX_SIZE];
	va_list arguments;

	if (sim_cluster_has_failed(cluster))
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	buf_append_string(&cluster->report, text);
	buf_append_string(&cluster->report, "\n");
	cluster->world.is_over = true;
}

static void describe_replica(struct buf *out, const struct sim_node *node, const struct group *group)
{
	static const char *const states[] = { "follower", "candidate", "leader" };
	static const char *const roles[] = { "standby", "voter", "spare" };
	const struct raft_engine_configuration *members = &group->applied.configuration;
	struct group_status status;

	group_get_status(group, &status);
	buf_append_format(out,
			  "  group %" PRIu64 " node %" PRIu64 " replica %" PRIu64 ": %s%s%s%s, term %" PRIu64
			  ", log %" PRIu64 "-%" PRIu64 ", committed %" PRIu64 ", applied %" PRIu64
			  ", leader node %" PRIu64 "; members",
			  status.group_id, node->id, status.replica_id, states[status.state],
			  status.is_ready ? " ready" : "", status.is_installing ? " installing" : "",
			  status.is_waiting_for_snapshot ? " waiting for a snapshot" : "", status.term,
			  status.first_index, status.last_index, status.commit_index, status.applied_index,
			  status.leader_node_id);
	for (uint32_t i = 0; i < members->count; i++)
		buf_append_format(out, " %" PRIu64 "@%" PRIu64 " %s", members->members[i].replica_id,
				  members->members[i].node_id, roles[members->members[i].role]);
	buf_append_string(out, "\n");
}

void sim_cluster_describe(struct sim_cluster *cluster)
{
	for (uint64_t id = 1; id <= cluster->node_count; id++) {
		struct sim_node *node = sim_cluster_node(cluster, id);
		struct group *group;
		size_t cursor = 0;

		if (!node->is_running) {
			buf_append_format(&cluster->report, "  node %" PRIu64 " is down\n", id);
			continue;
		}
		while ((group = group_table_next(&node->node->groups, &cursor)) != NULL)
			describe_replica(&cluster->report, node, group);
	}
}
