#include "tests/sim/sim_cluster.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "replication/group/group_internal.h"

enum {
	LINE_MAX_SIZE = 1000,
	LEASES_PERCENT = 25,
	COMPACTION_PERCENT = 65,
	BIG_VALUES_PERCENT = 30,
	MISSES_PERCENT = 40,
	RATE_PPM_MAX = 30 * 1000, /* two clocks differ by 6 % at most: leases allow for 8 % */
	WALL_SKEW_MAX = INT64_C(3600) * 1000 * 1000, /* an hour */
};

static void choose_settings(struct sim_world *world, struct group_settings *settings)
{
	struct rng *rng = &world->fault_rng;

	settings->heartbeat_ms = (uint32_t)sim_range(rng, 30, 100);
	settings->election_timeout_ms = settings->heartbeat_ms * (uint32_t)sim_range(rng, 5, 10);
	settings->uses_leases = sim_percent(rng, LEASES_PERCENT);
	if (!sim_percent(rng, COMPACTION_PERCENT))
		return;
	settings->trailing_entries = (uint32_t)sim_range(rng, 1, 60);
	settings->compact_entries = settings->trailing_entries * (uint32_t)sim_range(rng, 2, 8);
	settings->compact_bytes = (uint32_t)sim_range(rng, 16, 1024) * 1024;
	settings->behind_entries_max = settings->compact_entries + (uint32_t)sim_range(rng, 0, 200);
}

static void choose_machine(struct sim_world *world, struct sim_node *node, bool misses)
{
	struct rng *rng = &world->fault_rng;

	node->rate_ppm = (int64_t)sim_range(rng, 0, 2 * RATE_PPM_MAX) - RATE_PPM_MAX;
	node->wall_offset_us = (int64_t)sim_range(rng, 0, 2 * WALL_SKEW_MAX) - WALL_SKEW_MAX;
	node->mono_offset_us = sim_range(rng, 0, 100 * (uint64_t)SIM_SECOND);
	node->miss_every = misses ? (uint32_t)sim_range(rng, 2, 20) : 0;
}

static void create_partition(struct sim_cluster *cluster, uint64_t partition_id)
{
	struct raft_engine_configuration members = { .count = SIM_BIRTH_REPLICAS };

	for (uint32_t i = 0; i < SIM_BIRTH_REPLICAS; i++)
		members.members[i] = (struct raft_engine_member){ i + 1, i + 1, RAFT_ROLE_VOTER };
	for (uint32_t i = 0; i < SIM_BIRTH_REPLICAS; i++)
		CHECK(sim_node_create_replica(&cluster->nodes[i], partition_id, i + 1, &members));
}

void sim_cluster_init(struct sim_cluster *cluster, uint64_t seed, bool is_verbose)
{
	struct sim_world *world = &cluster->world;
	struct group_settings settings = { 0 };
	uint32_t partition_count;
	bool misses;

	sim_world_init(world, seed);
	world->is_verbose = is_verbose;
	buf_init(&cluster->report, SIM_REPORT_MAX);
	sim_net_init(&cluster->net, world);
	choose_settings(world, &settings);
	misses = sim_percent(&world->fault_rng, MISSES_PERCENT);
	partition_count = (uint32_t)sim_range(&world->fault_rng, 1, SIM_PARTITIONS_MAX);
	for (uint64_t id = 1; id <= SIM_NODES_MAX; id++) {
		struct sim_node *node = sim_cluster_node(cluster, id);

		sim_node_init(node, world, &cluster->net, id, &settings);
		choose_machine(world, node, misses);
		sim_node_start(node);
	}
	sim_workload_init(&cluster->workload, world, &cluster->net, partition_count,
			  (uint32_t)sim_range(&world->fault_rng, partition_count, SIM_KEYS_MAX));
	if (sim_percent(&world->fault_rng, BIG_VALUES_PERCENT))
		cluster->workload.big_percent = (uint32_t)sim_range(&world->fault_rng, 2, 20);
	for (uint32_t i = 0; i < partition_count; i++)
		create_partition(cluster, PARTITION_ID_FIRST + i);
	sim_world_say(world,
		      "election %" PRIu32 " ms, heartbeat %" PRIu32 " ms, leases %d, compaction at %" PRIu32
		      " entries keeping %" PRIu32 ", %" PRIu32 " partitions, %" PRIu32 " keys",
		      settings.election_timeout_ms, settings.heartbeat_ms, settings.uses_leases,
		      settings.compact_entries, settings.trailing_entries, partition_count,
		      cluster->workload.key_count);
}

void sim_cluster_close(struct sim_cluster *cluster)
{
	sim_workload_close(&cluster->workload);
	for (uint64_t id = 1; id <= SIM_NODES_MAX; id++)
		sim_node_close(sim_cluster_node(cluster, id));
	sim_net_close(&cluster->net);
	sim_world_close(&cluster->world);
	buf_close(&cluster->report);
}

struct sim_node *sim_cluster_node(struct sim_cluster *cluster, uint64_t node_id)
{
	CHECK(node_id >= 1 && node_id <= SIM_NODES_MAX);
	return &cluster->nodes[node_id - 1];
}

struct group *sim_cluster_leader(struct sim_cluster *cluster, uint64_t partition_id,
				 struct sim_node **node_out)
{
	struct group *leader = NULL;

	for (uint64_t id = 1; id <= SIM_NODES_MAX; id++) {
		struct sim_node *node = sim_cluster_node(cluster, id);
		struct partition *partition = sim_node_partition(node, partition_id);

		if (partition == NULL || !group_is_ready(partition->group))
			continue;
		if (leader == NULL || partition->group->leader_term > leader->leader_term) {
			leader = partition->group;
			*node_out = node;
		}
	}
	return leader;
}

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

static void describe_replica(struct buf *out, const struct sim_node *node, const struct partition *partition)
{
	static const char *const states[] = { "follower", "candidate", "leader" };
	static const char *const roles[] = { "standby", "voter", "spare" };
	const struct group *group = partition->group;
	const struct raft_engine_configuration *members = &group->applied.configuration;
	struct group_status status;

	group_get_status(group, &status);
	buf_append_format(out,
			  "  partition %" PRIu64 " node %" PRIu64 " replica %" PRIu64
			  ": %s%s%s%s, term %" PRIu64 ", log %" PRIu64 "-%" PRIu64 ", committed %" PRIu64
			  ", applied %" PRIu64 ", leader node %" PRIu64 "; members",
			  partition->id, node->id, status.replica_id, states[status.state],
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
	for (uint32_t i = 0; i < cluster->workload.partition_count; i++) {
		for (uint64_t id = 1; id <= SIM_NODES_MAX; id++) {
			struct sim_node *node = sim_cluster_node(cluster, id);
			const struct partition *partition = sim_node_partition(node, PARTITION_ID_FIRST + i);

			if (partition != NULL)
				describe_replica(&cluster->report, node, partition);
			else if (!node->is_running && i == 0)
				buf_append_format(&cluster->report, "  node %" PRIu64 " is down\n", id);
		}
	}
}
