#include "tests/sim/sim_member.h"

#include <inttypes.h>

#include "replication/group/group_internal.h"
#include "replication/group/group_member.h"

enum { STEP_EVERY_US = 150 * SIM_MS };

static bool is_voter(const struct raft_engine_configuration *configuration, uint64_t replica_id)
{
	int position = group_position_of(replica_id, configuration);

	return position >= 0 && configuration->members[position].role == RAFT_ROLE_VOTER;
}

/* The partition's one node without a replica. */
static uint64_t free_node(const struct raft_engine_configuration *configuration)
{
	for (uint64_t id = 1; id <= SIM_NODES_MAX; id++) {
		bool is_used = false;

		for (uint32_t i = 0; i < configuration->count; i++)
			is_used = is_used || configuration->members[i].node_id == id;
		if (!is_used)
			return id;
	}
	return 0;
}

static bool is_paused(const struct sim_node *node)
{
	return node->runtime.process.paused_until_us > node->world->now_us;
}

static void drop(struct sim_node *node, struct partition *partition)
{
	sim_runtime_enter(&node->runtime);
	partition_table_drop(&node->partitions, partition);
	sim_runtime_leave(&node->runtime);
}

static void create_on_target(struct sim_member *member, uint64_t partition_id, const struct sim_move *move)
{
	struct sim_node *node = sim_cluster_node(member->cluster, move->new_node_id);
	struct partition *partition = sim_node_partition(node, partition_id);

	if (!node->is_running || is_paused(node))
		return;
	/* A replica of an earlier move, whose deletion a crash undid. */
	if (partition != NULL && group_replica_id(partition->group) != move->new_replica_id) {
		drop(node, partition);
		return;
	}
	if (partition == NULL)
		(void)sim_node_create_replica(node, partition_id, move->new_replica_id, NULL);
}

static void drop_old(struct sim_member *member, uint64_t partition_id, struct sim_move *move)
{
	struct sim_node *node = sim_cluster_node(member->cluster, move->old_node_id);
	struct partition *partition = sim_node_partition(node, partition_id);

	if (!node->is_running || is_paused(node))
		return;
	if (partition != NULL && group_replica_id(partition->group) == move->old_replica_id) {
		drop(node, partition);
		return; /* look again: a crash may lose the deletion */
	}
	member->move_count++;
	move->phase = SIM_MEMBER_IDLE;
	sim_world_say(&member->cluster->world, "partition %" PRIu64 " moved to node %" PRIu64, partition_id,
		      move->new_node_id);
}

static void remove_old(struct group *leader, const struct sim_move *move)
{
	enum status status;

	if (group_replica_id(leader) == move->old_replica_id)
		status = group_member_transfer(leader, 0);
	else
		status = group_member_remove(leader, move->old_replica_id);
	(void)status; /* tried again until it shows */
}

static void step(struct sim_member *member, uint64_t partition_id, struct sim_move *move)
{
	struct sim_node *node = NULL;
	struct group *leader = sim_cluster_leader(member->cluster, partition_id, &node);
	const struct raft_engine_configuration *applied;
	enum status status = ST_OK;

	if (leader == NULL || is_paused(node))
		return;
	applied = &leader->applied.configuration;
	sim_runtime_enter(&node->runtime);
	switch (move->phase) {
	case SIM_MEMBER_JOIN:
		if (group_position_of(move->new_replica_id, applied) >= 0)
			move->phase = SIM_MEMBER_PROMOTE;
		else
			status = group_member_add_standby(leader, move->new_replica_id, move->new_node_id);
		break;
	case SIM_MEMBER_PROMOTE:
		if (is_voter(applied, move->new_replica_id))
			move->phase = SIM_MEMBER_REMOVE;
		else
			status = group_member_promote(leader, move->new_replica_id);
		break;
	case SIM_MEMBER_REMOVE:
		if (group_position_of(move->old_replica_id, applied) < 0)
			move->phase = SIM_MEMBER_DROP;
		else
			remove_old(leader, move);
		break;
	default:
		break;
	}
	(void)status; /* refused or accepted: only the applied configuration counts */
	sim_runtime_leave(&node->runtime);
	if (move->phase == SIM_MEMBER_JOIN || move->phase == SIM_MEMBER_PROMOTE)
		create_on_target(member, partition_id, move);
	else if (move->phase == SIM_MEMBER_DROP)
		drop_old(member, partition_id, move);
}

static void on_event(struct sim_event *event)
{
	struct sim_member *member = CONTAINER_OF(event, struct sim_member, event);

	for (uint32_t i = 0; i < member->cluster->workload.partition_count; i++) {
		if (member->moves[i].phase != SIM_MEMBER_IDLE)
			step(member, PARTITION_ID_FIRST + i, &member->moves[i]);
	}
	sim_event_in(&member->cluster->world, event, STEP_EVERY_US);
}

void sim_member_move(struct sim_member *member, uint64_t partition_id)
{
	struct sim_move *move = &member->moves[partition_id - PARTITION_ID_FIRST];
	struct sim_node *node = NULL;
	struct group *leader = sim_cluster_leader(member->cluster, partition_id, &node);
	const struct raft_engine_configuration *applied;
	const struct raft_engine_member *old;

	if (move->phase != SIM_MEMBER_IDLE || leader == NULL)
		return;
	applied = &leader->applied.configuration;
	if (applied->count != SIM_BIRTH_REPLICAS)
		return; /* a leader that does not know the last move yet */
	old = &applied->members[rng_below(&member->cluster->world.fault_rng, applied->count)];
	*move = (struct sim_move){
		.phase = SIM_MEMBER_JOIN,
		.new_replica_id = member->next_replica_id++,
		.new_node_id = free_node(applied),
		.old_replica_id = old->replica_id,
		.old_node_id = old->node_id,
	};
	sim_world_say(&member->cluster->world,
		      "partition %" PRIu64 " moves from replica %" PRIu64 " on node %" PRIu64
		      " to replica %" PRIu64 " on node %" PRIu64,
		      partition_id, move->old_replica_id, move->old_node_id, move->new_replica_id,
		      move->new_node_id);
}

bool sim_member_is_idle(const struct sim_member *member)
{
	for (size_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
		if (member->moves[i].phase != SIM_MEMBER_IDLE)
			return false;
	}
	return true;
}

void sim_member_describe(const struct sim_member *member)
{
	static const char *const phases[] = { "idle", "join", "promote", "remove", "drop" };

	for (size_t i = 0; i < SIM_PARTITIONS_MAX; i++) {
		const struct sim_move *move = &member->moves[i];

		if (move->phase != SIM_MEMBER_IDLE)
			buf_append_format(&member->cluster->report,
					  "  partition %zu moves, phase %s: replica %" PRIu64
					  " on node %" PRIu64 " replaces replica %" PRIu64 " on node %" PRIu64
					  "\n",
					  PARTITION_ID_FIRST + i, phases[move->phase], move->new_replica_id,
					  move->new_node_id, move->old_replica_id, move->old_node_id);
	}
}

void sim_member_init(struct sim_member *member, struct sim_cluster *cluster)
{
	*member = (struct sim_member){ .cluster = cluster, .next_replica_id = SIM_BIRTH_REPLICAS + 1 };
	sim_event_init(&member->event, NULL, on_event);
}

void sim_member_begin(struct sim_member *member)
{
	sim_event_in(&member->cluster->world, &member->event, STEP_EVERY_US);
}

void sim_member_close(struct sim_member *member)
{
	sim_event_cancel(&member->cluster->world, &member->event);
}
