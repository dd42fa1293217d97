#include "tests/sim/sim_member.h"

#include <inttypes.h>

#include "replication/group/group_internal.h"
#include "replication/group/group_member.h"

enum {
	STEP_EVERY_US = 150 * SIM_MS,
	REPLICA_ID_FIRST = 1000 * 1000, /* far from those that the catalog gives out */
	ARENA_BYTES_MAX = 64 * 1024,
};

static bool is_voter(const struct raft_engine_configuration *configuration, uint64_t replica_id)
{
	int position = group_position_of(replica_id, configuration);

	return position >= 0 && configuration->members[position].role == RAFT_ROLE_VOTER;
}

/* A node without a replica, 0 if there is none. */
static uint64_t free_node(struct sim_cluster *cluster, const struct raft_engine_configuration *configuration)
{
	uint64_t first = rng_below(&cluster->world.fault_rng, cluster->node_count);

	for (uint32_t k = 0; k < cluster->node_count; k++) {
		uint64_t id = 1 + (first + k) % cluster->node_count;
		bool is_used = false;

		for (uint32_t i = 0; i < configuration->count; i++)
			is_used = is_used || configuration->members[i].node_id == id;
		if (!is_used)
			return id;
	}
	return 0;
}

/* Nobody can make it do anything now. */
static bool is_out(const struct sim_node *node)
{
	return !node->is_running || node->node->is_stopping || sim_node_is_paused(node);
}

static void drop(struct sim_node *node, struct partition *partition)
{
	sim_runtime_enter(&node->runtime);
	partition_table_drop(&node->node->partitions, partition);
	sim_runtime_leave(&node->runtime);
}

/* An empty replica, which waits for a snapshot.  A refusal shows by its absence. */
static void create(struct sim_member *member, struct sim_node *node, const struct sim_move *move)
{
	static const struct raft_engine_configuration nobody;
	const struct catalog_state *state = sim_cluster_newest_state(member->cluster);
	const struct partition_info *info = catalog_state_partition(state, move->partition_id);
	struct partition_meta meta = { .partition_id = move->partition_id };

	if (info == NULL)
		return; /* all have just started and know nothing yet */
	meta.table_id = info->table_id;
	meta.epoch = info->epoch;
	meta.range_start = info->range_start;
	meta.range_end = info->range_end;
	meta.catalog_version = info->version;
	sim_runtime_enter(&node->runtime);
	(void)!partition_table_create(&node->node->partitions, &meta, move->new_replica_id, &nobody);
	sim_runtime_leave(&node->runtime);
}

static void create_on_target(struct sim_member *member, const struct sim_move *move)
{
	struct sim_node *node = sim_cluster_node(member->cluster, move->new_node_id);
	struct partition *partition = sim_node_partition(node, move->partition_id);

	if (is_out(node))
		return;
	/* A replica of an earlier move, whose deletion a crash undid. */
	if (partition != NULL && group_replica_id(partition->group) != move->new_replica_id)
		drop(node, partition);
	else if (partition == NULL)
		create(member, node, move);
}

static void drop_old(struct sim_member *member, struct sim_move *move)
{
	struct sim_node *node = sim_cluster_node(member->cluster, move->old_node_id);
	struct partition *partition = sim_node_partition(node, move->partition_id);

	if (is_out(node))
		return;
	if (partition != NULL && group_replica_id(partition->group) == move->old_replica_id) {
		drop(node, partition);
		return; /* look again: a crash may lose the deletion */
	}
	member->move_count++;
	move->phase = SIM_MEMBER_IDLE;
	sim_world_say(&member->cluster->world, "partition %" PRIu64 " moved to node %" PRIu64,
		      move->partition_id, move->new_node_id);
}

static void propose_record(struct catalog *catalog, const struct sim_move *move,
			   const struct partition_info *info)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	struct partition_info changed = *info;
	struct arena arena;

	for (uint32_t i = 0; i < changed.replica_count; i++) {
		if (changed.replicas[i].replica_id == move->old_replica_id)
			changed.replicas[i] = (struct partition_replica){ move->new_replica_id,
									  move->new_node_id };
	}
	if (changed.preferred_leader_node_id == move->old_node_id)
		changed.preferred_leader_node_id = move->new_node_id;
	arena_init(&arena, ARENA_BYTES_MAX);
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_PARTITION;
	command.put_partition = partition_info_encode(&changed, &arena);
	CHECK(command.put_partition != NULL);
	(void)!catalog_propose(catalog, &command); /* refused or accepted: the record shows */
	arena_close(&arena);
}

static void record(struct sim_member *member, struct sim_move *move)
{
	struct sim_node *node = NULL;
	struct catalog *catalog = sim_cluster_catalog(member->cluster, &node);
	const struct partition_info *info;
	const struct partition_replica *replica;

	if (catalog == NULL || is_out(node))
		return;
	info = catalog_state_partition(catalog_applied_state(catalog), move->partition_id);
	CHECK(info != NULL);
	replica = partition_info_find_replica(info, move->new_node_id);
	if (replica != NULL && replica->replica_id == move->new_replica_id) {
		member->recorded_version = catalog_applied_state(catalog)->version;
		move->phase = SIM_MEMBER_DROP;
		return;
	}
	sim_runtime_enter(&node->runtime);
	propose_record(catalog, move, info);
	sim_runtime_leave(&node->runtime);
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

/* A step that a leader takes. */
static void step_at_leader(struct sim_move *move, struct group *leader)
{
	const struct raft_engine_configuration *applied = &leader->applied.configuration;
	enum status status = ST_OK;

	if (move->phase == SIM_MEMBER_JOIN) {
		if (group_position_of(move->new_replica_id, applied) >= 0)
			move->phase = SIM_MEMBER_PROMOTE;
		else
			status = group_member_add_standby(leader, move->new_replica_id, move->new_node_id);
	} else if (move->phase == SIM_MEMBER_PROMOTE) {
		if (is_voter(applied, move->new_replica_id))
			move->phase = SIM_MEMBER_REMOVE;
		else
			status = group_member_promote(leader, move->new_replica_id);
	} else if (group_position_of(move->old_replica_id, applied) < 0) {
		move->phase = SIM_MEMBER_RECORD;
	} else {
		remove_old(leader, move);
	}
	(void)status; /* refused or accepted: only the applied configuration counts */
}

static void step(struct sim_member *member, struct sim_move *move)
{
	struct sim_node *node = NULL;
	struct group *leader = sim_cluster_leader(member->cluster, move->partition_id, &node);

	if (move->phase == SIM_MEMBER_RECORD) {
		record(member, move);
		return;
	}
	if (move->phase == SIM_MEMBER_DROP) {
		drop_old(member, move);
		return;
	}
	if (leader == NULL || is_out(node))
		return;
	sim_runtime_enter(&node->runtime);
	step_at_leader(move, leader);
	sim_runtime_leave(&node->runtime);
	if (move->phase == SIM_MEMBER_JOIN || move->phase == SIM_MEMBER_PROMOTE)
		create_on_target(member, move);
}

const struct sim_move *sim_member_find(const struct sim_member *member, uint64_t partition_id)
{
	for (size_t i = 0; i < SIM_MOVES_MAX; i++) {
		if (member->moves[i].phase != SIM_MEMBER_IDLE &&
		    member->moves[i].partition_id == partition_id)
			return &member->moves[i];
	}
	return NULL;
}

/* Replicas that moved away and came back, because a crash undid their deletion. */
static void collect(struct sim_member *member, struct sim_node *node, const struct catalog_state *state)
{
	struct partition *partition;
	size_t cursor = 0;

	if (is_out(node))
		return;
	while ((partition = partition_table_next(&node->node->partitions, &cursor)) != NULL) {
		const struct partition_info *info = catalog_state_partition(state, partition->id);
		const struct partition_replica *replica = info == NULL ? NULL
								       : partition_info_find_replica(
										 info, node->id);
		uint64_t replica_id = group_replica_id(partition->group);

		if (info == NULL || (replica != NULL && replica->replica_id == replica_id) ||
		    sim_member_find(member, partition->id) != NULL)
			continue;
		drop(node, partition);
		return; /* the others another time */
	}
}

static void on_event(struct sim_event *event)
{
	struct sim_member *member = CONTAINER_OF(event, struct sim_member, event);

	struct sim_node *catalog_node = NULL;
	struct catalog *catalog = sim_cluster_catalog(member->cluster, &catalog_node);

	/* An old leader may not know the newest records. */
	if (catalog != NULL && catalog_applied_state(catalog)->version >= member->recorded_version) {
		for (uint64_t id = 1; id <= member->cluster->node_count; id++)
			collect(member, sim_cluster_node(member->cluster, id),
				catalog_applied_state(catalog));
	}

	for (size_t i = 0; i < SIM_MOVES_MAX; i++) {
		if (member->moves[i].phase != SIM_MEMBER_IDLE)
			step(member, &member->moves[i]);
	}
	sim_event_in(&member->cluster->world, event, STEP_EVERY_US);
}

/* A free slot; NULL if the partition moves already. */
static struct sim_move *find_slot(struct sim_member *member, uint64_t partition_id)
{
	struct sim_move *slot = NULL;

	for (size_t i = 0; i < SIM_MOVES_MAX; i++) {
		if (member->moves[i].phase == SIM_MEMBER_IDLE)
			slot = &member->moves[i];
		else if (member->moves[i].partition_id == partition_id)
			return NULL;
	}
	return slot;
}

/* Does the catalog name all of them, and nobody else? */
static bool is_recorded(struct sim_cluster *cluster, uint64_t partition_id,
			const struct raft_engine_configuration *configuration)
{
	const struct partition_info *info = catalog_state_partition(sim_cluster_newest_state(cluster),
								    partition_id);

	if (info == NULL || info->replica_count != configuration->count)
		return false;
	for (uint32_t i = 0; i < info->replica_count; i++) {
		if (group_position_of(info->replicas[i].replica_id, configuration) < 0)
			return false;
	}
	return true;
}

void sim_member_move(struct sim_member *member, uint64_t partition_id)
{
	struct sim_move *move = find_slot(member, partition_id);
	struct sim_node *node = NULL;
	struct group *leader = sim_cluster_leader(member->cluster, partition_id, &node);
	const struct raft_engine_configuration *applied;
	const struct raft_engine_member *old;
	uint64_t new_node_id;

	if (move == NULL || leader == NULL)
		return;
	applied = &leader->applied.configuration;
	new_node_id = free_node(member->cluster, applied);
	/* A leader may not know the last move yet. */
	if (new_node_id == 0 || !is_recorded(member->cluster, partition_id, applied))
		return;
	old = &applied->members[rng_below(&member->cluster->world.fault_rng, applied->count)];
	*move = (struct sim_move){
		.phase = SIM_MEMBER_JOIN,
		.partition_id = partition_id,
		.new_replica_id = member->next_replica_id++,
		.new_node_id = new_node_id,
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
	for (size_t i = 0; i < SIM_MOVES_MAX; i++) {
		if (member->moves[i].phase != SIM_MEMBER_IDLE)
			return false;
	}
	return true;
}

void sim_member_describe(const struct sim_member *member)
{
	static const char *const phases[] = { "idle", "join", "promote", "remove", "record", "drop" };

	for (size_t i = 0; i < SIM_MOVES_MAX; i++) {
		const struct sim_move *move = &member->moves[i];

		if (move->phase != SIM_MEMBER_IDLE)
			buf_append_format(&member->cluster->report,
					  "  partition %" PRIu64 " moves, phase %s: replica %" PRIu64
					  " on node %" PRIu64 " replaces replica %" PRIu64 " on node %" PRIu64
					  "\n",
					  move->partition_id, phases[move->phase], move->new_replica_id,
					  move->new_node_id, move->old_replica_id, move->old_node_id);
	}
}

void sim_member_init(struct sim_member *member, struct sim_cluster *cluster)
{
	*member = (struct sim_member){ .cluster = cluster, .next_replica_id = REPLICA_ID_FIRST };
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
