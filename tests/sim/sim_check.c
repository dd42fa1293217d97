#include "tests/sim/sim_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/placement/placer.h"
#include "proto/base/digest.h"
#include "replication/group/group_internal.h"
#include "tests/sim/sim_exact.h"
#include "tests/sim/sim_local.h"

enum {
	DIGEST_EVERY_US = 700 * SIM_MS,
	SAMPLE_EVERY_US = 15 * SIM_MS,
	IDLE_LOOKS = 6, /* one of so many is at replicas that have applied nothing since */
	RECORDS_MAX = 1000 * 1000,
	INDEX_BITS = 48,
	BOUND_SIZE_MAX = 64,
};

/* The first sight of something that must look the same everywhere. */
struct sight {
	uint64_t digest;
	uint64_t node_id;
	uint64_t at_us;
};

static double seconds(uint64_t at_us)
{
	return (double)(at_us - SIM_EPOCH_US) / SIM_SECOND;
}

/* NULL if it is the first, or the same as the first. */
static const struct sight *find_other(struct sim_check *check, struct hash_map *sights, uint64_t key,
				      uint64_t digest, uint64_t node_id)
{
	struct sight *sight = hash_map_get(sights, key);

	if (sight != NULL)
		return sight->digest == digest ? NULL : sight;
	sight = calloc(1, sizeof(*sight));
	CHECK(sight != NULL);
	*sight = (struct sight){ digest, node_id, check->cluster->world.now_us };
	CHECK(hash_map_put(sights, key, sight) == ST_OK);
	return NULL;
}

/* --- replicas --- */

static uint64_t digest_range(struct engine *engine, const struct group_range *range, uint64_t digest)
{
	struct engine_iter *iter = engine_iter_create(engine, range->family, range->start, range->end, NULL,
						      ENGINE_READ_MAY_BLOCK);

	CHECK(iter != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		digest = digest_hash64(engine_iter_key(engine, iter), digest + (uint64_t)range->family);
		digest = digest_hash64(engine_iter_value(engine, iter), digest);
	}
	CHECK(engine_iter_status(engine, iter) == ST_OK);
	engine_iter_destroy(engine, iter);
	return digest;
}

static uint64_t digest_group(const struct sim_node *node, struct group *group)
{
	struct group_range ranges[GROUP_RANGES_MAX];
	size_t count = group->fsm->ops->ranges(group->fsm, ranges);
	uint64_t digest = 1;

	for (size_t i = 0; i < count; i++)
		digest = digest_range(node->disk.engine, &ranges[i], digest);
	return digest;
}

static void compare(struct sim_check *check, const struct sim_node *node, struct group *group)
{
	uint64_t index = group_applied_index(group);
	uint64_t key = (group_id(group) << INDEX_BITS) | index;
	const struct sight *other = find_other(check, &check->digests, key, digest_group(node, group),
					       node->id);

	check->digest_count++;
	if (other != NULL)
		sim_cluster_fail(check->cluster,
				 "replicas differ: group %" PRIu64 " at index %" PRIu64 ": node %" PRIu64
				 " at %.6f and node %" PRIu64 " at %.6f",
				 group_id(group), index, other->node_id, seconds(other->at_us), node->id,
				 seconds(check->cluster->world.now_us));
}

/* Has it applied something since it was looked at, or was that long ago? */
static bool is_due(struct sim_check *check, const struct sim_node *node, const struct group *group)
{
	uint64_t key = group_id(group) * SIM_ENDPOINTS_MAX + node->id;
	uintptr_t index = (uintptr_t)group_applied_index(group); /* never 0 */
	bool is_same = (uintptr_t)hash_map_get(&check->looked_at, key) == index;

	if (is_same && (check->look_count + key) % IDLE_LOOKS != 0)
		return false;
	CHECK(hash_map_put(&check->looked_at, key, (void *)index) == ST_OK);
	return true;
}

static void digest_node(struct sim_check *check, const struct sim_node *node, bool are_all_due)
{
	struct group *group;
	size_t cursor = 0;

	if (!node->is_running || node->node->is_stopping)
		return;
	while ((group = group_table_next(&node->node->groups, &cursor)) != NULL) {
		/* A silent one's first records are still on their way to the disk. */
		if (group_has_state(group) && !group->is_silent &&
		    (is_due(check, node, group) || are_all_due))
			compare(check, node, group);
	}
}

static void digest_nodes(struct sim_check *check, bool are_all_due)
{
	for (uint64_t id = 1; id <= check->cluster->node_count; id++)
		digest_node(check, sim_cluster_node(check->cluster, id), are_all_due);
}

void sim_check_digests(struct sim_check *check)
{
	digest_nodes(check, true);
}

static void on_event(struct sim_event *event)
{
	struct sim_check *check = CONTAINER_OF(event, struct sim_check, event);

	check->look_count++;
	digest_nodes(check, false);
	sim_event_in(&check->cluster->world, event, DIGEST_EVERY_US);
}

/* --- elections --- */

static void note_leader(struct sim_check *check, const struct sim_node *node, const struct group *group)
{
	uint64_t key = (group_id(group) << INDEX_BITS) | group->leader_term;
	const struct sight *other = find_other(check, &check->leaders, key, node->id, node->id);

	if (other != NULL)
		sim_cluster_fail(check->cluster,
				 "two leaders: group %" PRIu64 ", term %" PRIu64 ": nodes %" PRIu64
				 " and %" PRIu64,
				 group_id(group), group->leader_term, other->node_id, node->id);
}

static void note_leaders(struct sim_check *check, const struct sim_node *node)
{
	struct group *group;
	size_t cursor = 0;

	if (!node->is_running || node->node->is_stopping)
		return;
	while ((group = group_table_next(&node->node->groups, &cursor)) != NULL) {
		sim_promises_look_at(&check->promises, node, group);
		if (group->was_leader)
			note_leader(check, node, group);
	}
}

/* --- the catalog --- */

static uint64_t digest_u64(uint64_t value, uint64_t digest)
{
	return digest_hash64(slice_of(&value, sizeof(value)), digest);
}

static uint64_t digest_partition(const struct partition_info *info, uint64_t digest)
{
	digest = digest_u64(info->partition_id, digest);
	digest = digest_u64(info->epoch, digest);
	digest = digest_u64(info->version, digest);
	digest = digest_u64(info->preferred_leader_node_id, digest);
	digest = digest_hash64(info->range_start, digest);
	digest = digest_hash64(info->range_end, digest);
	for (uint32_t i = 0; i < info->replica_count; i++) {
		digest = digest_u64(info->replicas[i].replica_id, digest);
		digest = digest_u64(info->replicas[i].node_id, digest);
	}
	return digest;
}

static uint64_t digest_indexes(const struct table_indexes *indexes, uint64_t digest)
{
	for (uint32_t i = 0; indexes != NULL && i < indexes->count; i++) {
		digest = digest_hash64(slice_of_string(indexes->list[i].name), digest);
		digest = digest_u64(indexes->list[i].table_id, digest);
		digest = digest_u64((uint64_t)indexes->list[i].state, digest);
		digest = digest_u64(indexes->list[i].is_backfilling, digest);
	}
	return digest;
}

static uint64_t digest_table(const struct catalog_state *state, const struct table_info *table,
			     uint64_t digest)
{
	const struct partition_info *info;

	digest = digest_u64(table->table_id, digest);
	digest = digest_u64((uint64_t)table->state, digest);
	digest = digest_u64(table->version, digest);
	digest = digest_u64(table->token_seed, digest);
	digest = digest_hash64(slice_of_string(table->name), digest);
	digest = digest_indexes(table->indexes, digest);
	for (size_t i = 0; (info = catalog_state_partition_at(state, table->table_id, i)) != NULL; i++)
		digest = digest_partition(info, digest);
	return digest;
}

static uint64_t digest_state(const struct catalog_state *state)
{
	uint64_t digest = digest_u64(state->settings.version, 1);
	const struct table_info *table;
	const struct node_info *node;
	uint64_t nodes = 0; /* in no order: a sum */
	size_t cursor = 0;

	for (size_t i = 0; (table = catalog_state_table_at(state, i)) != NULL; i++)
		digest = digest_table(state, table, digest);
	while ((node = catalog_state_next_node(state, &cursor)) != NULL)
		nodes += digest_hash64(slice_of(node->incarnation, sizeof(node->incarnation)),
				       digest_u64(node->version, node->node_id));
	return digest_u64(nodes, digest);
}

static void check_ranges(struct sim_check *check, const struct catalog_state *state,
			 const struct table_info *table)
{
	const struct partition_info *info;
	struct buf bound;
	bool is_gapless = true;

	buf_init(&bound, BOUND_SIZE_MAX);
	placer_range_bound(&bound, table->table_id, 0, 1);
	for (size_t i = 0; (info = catalog_state_partition_at(state, table->table_id, i)) != NULL; i++) {
		is_gapless = is_gapless && slice_equal(info->range_start, buf_slice(&bound)) &&
			     slice_compare(info->range_start, info->range_end) < 0;
		buf_reset(&bound);
		buf_append(&bound, info->range_end.data, info->range_end.size);
	}
	if (is_gapless) {
		struct buf end;

		buf_init(&end, BOUND_SIZE_MAX);
		placer_range_bound(&end, table->table_id, 1, 1);
		is_gapless = slice_equal(buf_slice(&bound), buf_slice(&end));
		buf_close(&end);
	}
	if (!is_gapless)
		sim_cluster_fail(check->cluster,
				 "ranges: the partitions of table %" PRIu32
				 " do not cover it exactly once at version %" PRIu64,
				 table->table_id, state->version);
	buf_close(&bound);
}

/* A copy at one of the places: look if it is new. */
static void look_at(struct sim_check *check, size_t place, uint64_t process_id,
		    const struct catalog_state *state)
{
	const struct sight *other;
	const struct table_info *table;

	if (state == NULL || state->version == 0 || state->version == check->copy_versions[place])
		return;
	check->copy_versions[place] = state->version;
	other = find_other(check, &check->copies, state->version, digest_state(state), process_id);
	if (other != NULL)
		sim_cluster_fail(check->cluster,
				 "copies of the catalog differ: version %" PRIu64 " at process %" PRIu64
				 " at %.6f and at process %" PRIu64 " at %.6f",
				 state->version, other->node_id, seconds(other->at_us), process_id,
				 seconds(check->cluster->world.now_us));
	for (size_t i = 0; (table = catalog_state_table_at(state, i)) != NULL; i++)
		check_ranges(check, state, table);
}

static void look_at_copies(struct sim_check *check)
{
	size_t place = 0;

	for (uint64_t id = 1; id <= check->cluster->node_count; id++, place += 2) {
		const struct sim_node *node = sim_cluster_node(check->cluster, id);
		const struct group *group = sim_node_group(node, CATALOG_GROUP_ID);

		if (!node->is_running)
			continue;
		look_at(check, place, id, &node->node->view.state);
		if (group != NULL && group_has_state(group) && node->node->catalog != NULL)
			look_at(check, place + 1, id, catalog_applied_state(node->node->catalog));
	}
	for (uint32_t i = 0; i < SIM_COORDINATORS; i++, place++) {
		const struct sim_coordinator *coordinator = &check->cluster->coordinators[i];

		if (coordinator->is_running)
			look_at(check, place, coordinator->id, &coordinator->router.view.state);
	}
}

static void on_sample(struct sim_event *event)
{
	struct sim_check *check = CONTAINER_OF(event, struct sim_check, sample_event);

	for (uint64_t id = 1; id <= check->cluster->node_count; id++)
		note_leaders(check, sim_cluster_node(check->cluster, id));
	look_at_copies(check);
	sim_event_in(&check->cluster->world, event, SAMPLE_EVERY_US);
}

void sim_check_begin(struct sim_check *check)
{
	sim_event_in(&check->cluster->world, &check->sample_event, SAMPLE_EVERY_US);
	sim_event_in(&check->cluster->world, &check->event, DIGEST_EVERY_US);
}

/* --- convergence --- */

static bool has_group_converged(struct sim_check *check, uint64_t group_id_wanted, char *laggard_out,
				size_t size_bytes)
{
	struct sim_node *leader_node = NULL;
	struct group *leader = sim_cluster_leader(check->cluster, group_id_wanted, &leader_node);
	const struct raft_engine_configuration *configuration;

	if (leader == NULL) {
		(void)snprintf(laggard_out, size_bytes, "group %" PRIu64 " has no leader", group_id_wanted);
		return false;
	}
	configuration = &leader->applied.configuration;
	for (uint32_t i = 0; i < configuration->count; i++) {
		const struct raft_engine_member *member = &configuration->members[i];
		struct group *group = sim_node_group(sim_cluster_node(check->cluster, member->node_id),
						     group_id_wanted);

		if (group != NULL && group_replica_id(group) == member->replica_id &&
		    group_applied_index(group) == leader->applied.index)
			continue;
		(void)snprintf(laggard_out, size_bytes,
			       "group %" PRIu64 ": replica %" PRIu64 " on node %" PRIu64 " is at %" PRIu64
			       ", the leader on node %" PRIu64 " at %" PRIu64,
			       group_id_wanted, member->replica_id, member->node_id,
			       group == NULL ? 0 : group_applied_index(group), leader_node->id,
			       leader->applied.index);
		return false;
	}
	return true;
}

static bool are_tables_settled(const struct catalog_state *state, char *laggard_out, size_t size_bytes)
{
	const struct table_info *table;

	for (size_t i = 0; (table = catalog_state_table_at(state, i)) != NULL; i++) {
		if (table->state == TABLE_ACTIVE)
			continue;
		(void)snprintf(laggard_out, size_bytes, "table %" PRIu32 " stays in state %d",
			       table->table_id, (int)table->state);
		return false;
	}
	return true;
}

/* Every hosted replica is one that the catalog names. */
static bool has_no_orphan(struct sim_check *check, const struct catalog_state *state, char *laggard_out,
			  size_t size_bytes)
{
	for (uint64_t id = 1; id <= check->cluster->node_count; id++) {
		const struct sim_node *node = sim_cluster_node(check->cluster, id);
		struct partition *partition;
		size_t cursor = 0;

		while (node->is_running &&
		       (partition = partition_table_next(&node->node->partitions, &cursor)) != NULL) {
			const struct partition_info *info = catalog_state_partition(state, partition->id);
			const struct partition_replica *replica = info == NULL ? NULL
									       : partition_info_find_replica(
											 info, id);

			if (replica != NULL && replica->replica_id == group_replica_id(partition->group))
				continue;
			(void)snprintf(laggard_out, size_bytes,
				       "node %" PRIu64 " keeps a replica of partition %" PRIu64
				       " that the catalog does not name",
				       id, partition->id);
			return false;
		}
	}
	return true;
}

bool sim_check_has_converged(struct sim_check *check, char *laggard_out, size_t size_bytes)
{
	struct sim_node *node = NULL;
	struct catalog *catalog = sim_cluster_catalog(check->cluster, &node);
	const struct catalog_state *state;
	const struct partition_info *info;
	size_t cursor = 0;

	if (!has_group_converged(check, CATALOG_GROUP_ID, laggard_out, size_bytes) || catalog == NULL)
		return false;
	state = catalog_applied_state(catalog);
	while ((info = catalog_state_next_partition(state, &cursor)) != NULL) {
		if (!has_group_converged(check, info->partition_id, laggard_out, size_bytes))
			return false;
	}
	return are_tables_settled(state, laggard_out, size_bytes) &&
	       has_no_orphan(check, state, laggard_out, size_bytes) &&
	       sim_local_are_exact(check->cluster, state, laggard_out, size_bytes) &&
	       sim_exact_are_indexes(check->cluster, state, laggard_out, size_bytes);
}

/* --- crashes and starts --- */

static void on_crash(struct sim_node_witness *witness, struct sim_node *node)
{
	sim_promises_note(&CONTAINER_OF(witness, struct sim_check, witness)->promises, node);
}

static void on_start(struct sim_node_witness *witness, struct sim_node *node)
{
	struct sim_check *check = CONTAINER_OF(witness, struct sim_check, witness);

	sim_promises_check(&check->promises, node);
	digest_node(check, node, true);
}

/* --- life --- */

void sim_check_init(struct sim_check *check, struct sim_cluster *cluster)
{
	*check = (struct sim_check){ .cluster = cluster };
	hash_map_init(&check->digests, RECORDS_MAX);
	hash_map_init(&check->looked_at, RECORDS_MAX);
	hash_map_init(&check->leaders, RECORDS_MAX);
	hash_map_init(&check->copies, RECORDS_MAX);
	sim_event_init(&check->event, NULL, on_event);
	sim_event_init(&check->sample_event, NULL, on_sample);
	sim_promises_init(&check->promises, cluster);
	check->witness = (struct sim_node_witness){ on_crash, on_start };
	for (uint64_t id = 1; id <= cluster->node_count; id++)
		sim_cluster_node(cluster, id)->witness = &check->witness;
}

static void free_values(struct hash_map *map)
{
	size_t cursor = 0;
	void *value;

	while ((value = hash_map_next(map, &cursor)) != NULL)
		free(value);
	hash_map_close(map);
}

void sim_check_close(struct sim_check *check)
{
	for (uint64_t id = 1; id <= check->cluster->node_count; id++)
		sim_cluster_node(check->cluster, id)->witness = NULL;
	sim_event_cancel(&check->cluster->world, &check->event);
	sim_event_cancel(&check->cluster->world, &check->sample_event);
	free_values(&check->digests);
	hash_map_close(&check->looked_at);
	free_values(&check->leaders);
	free_values(&check->copies);
}
