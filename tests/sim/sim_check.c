#include "tests/sim/sim_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/digest.h"
#include "replication/group/group_internal.h"
#include "tests/support/linear.h"

enum {
	DIGEST_EVERY_US = 700 * SIM_MS,
	LEADERS_EVERY_US = 15 * SIM_MS,
	DIGESTS_MAX = 1000 * 1000,
	STEPS_MAX = 20 * 1000 * 1000,
	SHOWN_OPS = 14, /* of a violated history, up to the violation */
	LINE_SIZE_MAX = 200,
	INDEX_BITS = 48,
};

struct digest_record {
	uint64_t digest;
	uint64_t node_id;
	uint64_t at_us;
};

static double seconds(uint64_t at_us)
{
	return (double)(at_us - SIM_EPOCH_US) / SIM_SECOND;
}

/* --- digests --- */

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

static uint64_t digest_partition(const struct sim_node *node, struct partition *partition)
{
	struct group_range ranges[GROUP_RANGES_MAX];
	size_t count = partition->fsm.ops->ranges(&partition->fsm, ranges);
	uint64_t digest = 1;

	for (size_t i = 0; i < count; i++)
		digest = digest_range(node->engine, &ranges[i], digest);
	return digest;
}

static void compare(struct sim_check *check, const struct sim_node *node, struct partition *partition)
{
	struct sim_world *world = &check->cluster->world;
	uint64_t index = group_applied_index(partition->group);
	uint64_t key = (partition->id << INDEX_BITS) | index;
	struct digest_record *record = hash_map_get(&check->digests, key);
	uint64_t digest = digest_partition(node, partition);

	check->digest_count++;
	if (record != NULL) {
		if (record->digest != digest)
			sim_cluster_fail(check->cluster,
					 "replicas differ: partition %" PRIu64 " at index %" PRIu64
					 ": node %" PRIu64 " at %.6f and node %" PRIu64 " at %.6f",
					 partition->id, index, record->node_id, seconds(record->at_us),
					 node->id, seconds(world->now_us));
		return;
	}
	record = calloc(1, sizeof(*record));
	CHECK(record != NULL);
	*record = (struct digest_record){ digest, node->id, world->now_us };
	CHECK(hash_map_put(&check->digests, key, record) == ST_OK);
}

void sim_check_digests(struct sim_check *check)
{
	for (uint64_t id = 1; id <= SIM_NODES_MAX; id++) {
		struct sim_node *node = sim_cluster_node(check->cluster, id);

		for (uint32_t i = 0; i < check->cluster->workload.partition_count; i++) {
			struct partition *partition = sim_node_partition(node, PARTITION_ID_FIRST + i);

			if (partition != NULL && group_has_state(partition->group))
				compare(check, node, partition);
		}
	}
}

static void on_event(struct sim_event *event)
{
	struct sim_check *check = CONTAINER_OF(event, struct sim_check, event);

	sim_check_digests(check);
	sim_event_in(&check->cluster->world, event, DIGEST_EVERY_US);
}

/* --- elections --- */

static void note_leader(struct sim_check *check, const struct sim_node *node,
			const struct partition *partition)
{
	uint64_t key = (partition->id << INDEX_BITS) | partition->group->leader_term;
	uint64_t *node_id = hash_map_get(&check->leaders, key);

	if (node_id != NULL) {
		if (*node_id != node->id)
			sim_cluster_fail(check->cluster,
					 "two leaders: partition %" PRIu64 ", term %" PRIu64
					 ": nodes %" PRIu64 " and %" PRIu64,
					 partition->id, partition->group->leader_term, *node_id, node->id);
		return;
	}
	node_id = malloc(sizeof(*node_id));
	CHECK(node_id != NULL);
	*node_id = node->id;
	CHECK(hash_map_put(&check->leaders, key, node_id) == ST_OK);
}

static void on_leader_event(struct sim_event *event)
{
	struct sim_check *check = CONTAINER_OF(event, struct sim_check, leader_event);

	for (uint64_t id = 1; id <= SIM_NODES_MAX; id++) {
		const struct sim_node *node = sim_cluster_node(check->cluster, id);

		for (uint32_t i = 0; i < check->cluster->workload.partition_count; i++) {
			const struct partition *partition = sim_node_partition(node, PARTITION_ID_FIRST + i);

			if (partition != NULL && partition->group->was_leader)
				note_leader(check, node, partition);
		}
	}
	sim_event_in(&check->cluster->world, event, LEADERS_EVERY_US);
}

void sim_check_begin(struct sim_check *check)
{
	sim_event_in(&check->cluster->world, &check->leader_event, LEADERS_EVERY_US);
	sim_event_in(&check->cluster->world, &check->event, DIGEST_EVERY_US);
}

/* --- convergence --- */

static bool has_converged(struct sim_check *check, uint64_t partition_id, char *laggard_out,
			  size_t size_bytes)
{
	struct sim_node *leader_node = NULL;
	struct group *leader = sim_cluster_leader(check->cluster, partition_id, &leader_node);
	const struct raft_engine_configuration *configuration;

	if (leader == NULL) {
		(void)snprintf(laggard_out, size_bytes, "partition %" PRIu64 " has no leader", partition_id);
		return false;
	}
	configuration = &leader->applied.configuration;
	for (uint32_t i = 0; i < configuration->count; i++) {
		const struct raft_engine_member *member = &configuration->members[i];
		struct partition *partition = sim_node_partition(
			sim_cluster_node(check->cluster, member->node_id), partition_id);

		if (partition != NULL && group_replica_id(partition->group) == member->replica_id &&
		    group_applied_index(partition->group) == leader->applied.index)
			continue;
		(void)snprintf(laggard_out, size_bytes,
			       "partition %" PRIu64 ": replica %" PRIu64 " on node %" PRIu64 " is at %" PRIu64
			       ", the leader on node %" PRIu64 " at %" PRIu64,
			       partition_id, member->replica_id, member->node_id,
			       partition == NULL ? 0 : group_applied_index(partition->group), leader_node->id,
			       leader->applied.index);
		return false;
	}
	return true;
}

bool sim_check_has_converged(struct sim_check *check, char *laggard_out, size_t size_bytes)
{
	for (uint32_t i = 0; i < check->cluster->workload.partition_count; i++) {
		if (!has_converged(check, PARTITION_ID_FIRST + i, laggard_out, size_bytes))
			return false;
	}
	return true;
}

/* --- history --- */

static bool is_write(const struct sim_op *op)
{
	return op->kind == SIM_PUT || op->kind == SIM_DELETE;
}

/* What the register's checker shall see of it. */
static bool to_linear(const struct sim_op *op, struct linear_op *out)
{
	if (op->kind == SIM_READ_EVENTUAL || op->outcome == SIM_FAILED ||
	    (op->kind == SIM_READ && op->outcome == SIM_OPEN))
		return false;
	*out = (struct linear_op){ .call = op->call_us, .is_write = is_write(op) };
	out->return_at = op->outcome == SIM_DONE ? op->return_us : LINEAR_OPEN;
	out->knows_old = op->outcome == SIM_DONE && op->knows_old;
	out->old_value = is_write(op) ? op->old : op->value;
	out->new_value = op->kind == SIM_PUT ? op->value : LINEAR_ABSENT;
	return true;
}

static void print_op(struct buf *out, const struct sim_op *op)
{
	static const char *const outcomes[] = { "open", "ok", "failed" };

	buf_append_format(out, "  %10.6f  ", seconds(op->call_us));
	if (op->outcome == SIM_OPEN || op->return_us == UINT64_MAX)
		buf_append_string(out, "         ?");
	else
		buf_append_format(out, "%10.6f", seconds(op->return_us));
	buf_append_format(out, "  client %" PRIu32 "  %-8s %-6s", op->client, sim_op_kind_name(op->kind),
			  outcomes[op->outcome]);
	if (op->kind == SIM_PUT)
		buf_append_format(out, " writes %" PRIu64, op->value);
	if (is_write(op) && op->knows_old && op->outcome == SIM_DONE)
		buf_append_format(out, " over %" PRIu64, op->old);
	if (!is_write(op) && op->outcome == SIM_DONE)
		buf_append_format(out, " sees %" PRIu64, op->value);
	buf_append_format(out, "  (%" PRIu32 " attempts)\n", op->attempt_count);
}

/* The operations on the key that ended last before the violation, and those open then. */
static void print_history(struct sim_check *check, uint32_t key, uint64_t violation_us)
{
	const struct sim_workload *workload = &check->cluster->workload;
	struct buf *out = &check->cluster->report;
	uint64_t from_us = violation_us;
	size_t shown = 0;

	for (size_t i = workload->op_count; i > 0 && shown < SHOWN_OPS; i--) {
		const struct sim_op *op = &workload->ops[i - 1];

		if (op->key != key || op->call_us > violation_us)
			continue;
		from_us = op->call_us;
		shown++;
	}
	buf_append_format(out, "  key %" PRIu32 ": begin, end (virtual seconds); 0 means absent\n", key);
	for (size_t i = 0; i < workload->op_count; i++) {
		const struct sim_op *op = &workload->ops[i];
		bool is_late_write = is_write(op) && op->outcome == SIM_OPEN && op->attempt_count > 0 &&
				     from_us - op->call_us < 5 * (uint64_t)SIM_SECOND;

		if (op->key == key && op->call_us <= violation_us &&
		    (op->call_us >= from_us || is_late_write))
			print_op(out, op);
	}
}

static void check_key(struct sim_check *check, uint32_t key, struct linear_op *ops)
{
	const struct sim_workload *workload = &check->cluster->workload;
	enum linear_verdict verdict;
	uint64_t violation_us;
	size_t count = 0;

	for (size_t i = 0; i < workload->op_count; i++) {
		if (workload->ops[i].key == key && to_linear(&workload->ops[i], &ops[count]))
			count++;
	}
	verdict = linear_check(ops, count, STEPS_MAX);
	if (verdict == LINEAR_OK)
		return;
	if (verdict == LINEAR_UNKNOWN) {
		sim_cluster_fail(check->cluster,
				 "linearizability of key %" PRIu32
				 " not decided in %d steps (%zu operations)",
				 key, STEPS_MAX, count);
		return;
	}
	violation_us = linear_first_violation(ops, count, STEPS_MAX);
	sim_cluster_fail(check->cluster, "not linearizable: key %" PRIu32 ", at the latest at %.6f", key,
			 seconds(violation_us));
	print_history(check, key, violation_us);
}

/* The put that wrote a value; NULL if nobody did. */
static const struct sim_op *writer_of(const struct sim_workload *workload,
				      const struct sim_op *const *writers, uint64_t value)
{
	return value <= workload->next_value ? writers[value] : NULL;
}

static void check_eventual(struct sim_check *check)
{
	const struct sim_workload *workload = &check->cluster->workload;
	const struct sim_op **writers = calloc(workload->next_value + 1, sizeof(*writers));

	CHECK(writers != NULL);
	for (size_t i = 0; i < workload->op_count; i++) {
		if (workload->ops[i].kind == SIM_PUT)
			writers[workload->ops[i].value] = &workload->ops[i];
	}
	for (size_t i = 0; i < workload->op_count; i++) {
		const struct sim_op *op = &workload->ops[i];
		const struct sim_op *writer;

		if (op->kind != SIM_READ_EVENTUAL || op->outcome != SIM_DONE || op->value == 0)
			continue;
		writer = writer_of(workload, writers, op->value);
		if (writer == NULL || writer->key != op->key || writer->outcome == SIM_FAILED ||
		    writer->call_us > op->return_us) {
			sim_cluster_fail(check->cluster,
					 "eventual read of key %" PRIu32 " at %.6f saw %" PRIu64
					 ", which was never written",
					 op->key, seconds(op->call_us), op->value);
			print_history(check, op->key, op->return_us);
		}
	}
	free(writers);
}

void sim_check_history(struct sim_check *check)
{
	const struct sim_workload *workload = &check->cluster->workload;
	struct linear_op *ops = calloc(workload->op_count + 1, sizeof(*ops));

	CHECK(ops != NULL);
	for (uint32_t key = 0; key < workload->key_count && !sim_cluster_has_failed(check->cluster); key++)
		check_key(check, key, ops);
	free(ops);
	if (!sim_cluster_has_failed(check->cluster))
		check_eventual(check);
}

/* --- life --- */

void sim_check_init(struct sim_check *check, struct sim_cluster *cluster)
{
	*check = (struct sim_check){ .cluster = cluster };
	hash_map_init(&check->digests, DIGESTS_MAX);
	hash_map_init(&check->leaders, DIGESTS_MAX);
	sim_event_init(&check->event, NULL, on_event);
	sim_event_init(&check->leader_event, NULL, on_leader_event);
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
	sim_event_cancel(&check->cluster->world, &check->event);
	sim_event_cancel(&check->cluster->world, &check->leader_event);
	free_values(&check->digests);
	free_values(&check->leaders);
}
