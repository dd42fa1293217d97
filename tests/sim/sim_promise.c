#include "tests/sim/sim_promise.h"

#include <inttypes.h>

#include "replication/group/group_internal.h"

static void accuse(struct sim_promises *promises, const struct sim_node *node, const struct group *group,
		   const char *what, uint64_t index)
{
	sim_cluster_fail(promises->cluster,
			 "promise broken: group %" PRIu64 " on node %" PRIu64 ": %s (%" PRIu64 ")", group->id,
			 node->id, what, index);
}

/* NULL if it is not in memory. */
static const struct log_entry *entry_at(const struct group *group, uint64_t index)
{
	return index == 0 ? NULL : log_store_entry(&group->log, index);
}

void sim_promises_look_at(struct sim_promises *promises, const struct sim_node *node,
			  const struct group *group)
{
	struct raft_engine_configuration members;
	const struct log_entry *entry;

	if (!group->is_installing && raft_engine_last_stored(group->engine) > group->log.last_index)
		accuse(promises, node, group, "counts entries as stored that its log does not have",
		       raft_engine_last_stored(group->engine));
	if (!raft_engine_is_changing(group->engine))
		return;
	raft_engine_configuration(group->engine, &members);
	entry = entry_at(group, members.index);
	if (entry != NULL && entry->type != LOG_ENTRY_CHANGE)
		accuse(promises, node, group, "takes another entry for a change of members", members.index);
}

static struct sim_promise promise_of(const struct group *group)
{
	struct sim_promise promise = { .group_id = group->id, .replica_id = group->replica_id };
	uint64_t stored_index = raft_engine_last_stored(group->engine);
	const struct log_entry *entry = entry_at(group, stored_index);

	if (entry != NULL && !group->is_installing) {
		promise.stored_index = stored_index;
		promise.stored_term = entry->term;
	}
	if (group->hard_state_sequence <= log_commit_durable_sequence(&group->table->commit)) {
		promise.term = raft_engine_term(group->engine);
		promise.voted_for = raft_engine_voted_for(group->engine);
	}
	return promise;
}

void sim_promises_note(struct sim_promises *promises, const struct sim_node *node)
{
	uint32_t *count = &promises->counts[node->id - 1];
	struct group *group;
	size_t cursor = 0;

	*count = 0;
	if (node->node->is_stopping)
		return;
	while ((group = group_table_next(&node->node->groups, &cursor)) != NULL && *count < SIM_GROUPS_MAX) {
		sim_promises_look_at(promises, node, group);
		if (!group->is_silent)
			promises->list[node->id - 1][(*count)++] = promise_of(group);
	}
}

static void check_log(struct sim_promises *promises, const struct sim_node *node, const struct group *group,
		      const struct sim_promise *promise)
{
	const struct log_entry *entry = entry_at(group, promise->stored_index);

	/* What is applied may be compacted. */
	if (promise->stored_index > 0 && promise->stored_index > group->applied.index &&
	    (entry == NULL || entry->term != promise->stored_term))
		accuse(promises, node, group, "lost entries that it had counted as stored",
		       promise->stored_index);
	if (raft_engine_term(group->engine) < promise->term)
		accuse(promises, node, group, "forgot a term", promise->term);
	if (raft_engine_term(group->engine) == promise->term && promise->voted_for != 0 &&
	    raft_engine_voted_for(group->engine) != promise->voted_for)
		accuse(promises, node, group, "forgot a vote", promise->voted_for);
	promises->kept_count++;
}

void sim_promises_check(struct sim_promises *promises, const struct sim_node *node)
{
	struct group *group;
	size_t cursor = 0;

	while ((group = group_table_next(&node->node->groups, &cursor)) != NULL) {
		const struct log_entry *entry = entry_at(group, group->applied.index);

		if (entry != NULL && entry->term != group->applied.term)
			accuse(promises, node, group, "holds another entry than the one that it applied",
			       group->applied.index);
	}
	for (uint32_t i = 0; i < promises->counts[node->id - 1]; i++) {
		const struct sim_promise *promise = &promises->list[node->id - 1][i];

		group = group_table_find(&node->node->groups, promise->group_id);
		if (group != NULL && group->replica_id == promise->replica_id)
			check_log(promises, node, group, promise);
	}
	promises->counts[node->id - 1] = 0; /* kept: an orderly end makes no new ones */
}

void sim_promises_init(struct sim_promises *promises, struct sim_cluster *cluster)
{
	*promises = (struct sim_promises){ .cluster = cluster };
}
