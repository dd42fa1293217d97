#include "deploy/cleave/tool_survey.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/model/row_key.h"

enum { ROW_KEY_HEAD_SIZE = 12, PROBLEM_SIZE_MAX = 512 };

static bool is_refusal(enum status status)
{
	return status == ST_WRONG_CLUSTER || status == ST_DENIED || status == ST_VERSION ||
	       status == ST_FORGOTTEN;
}

const char *tool_survey_node_state(const struct tool_node *node)
{
	if (node->reply == NULL)
		return is_refusal(node->status) ? "refused" : "unreachable";
	return node->reply->is_ready ? "ready" : "not ready";
}

/* --- joining --- */

static const struct tool_node *find_node(const struct tool_survey *survey, uint64_t node_id)
{
	for (size_t i = 0; i < survey->node_count; i++) {
		if (survey->nodes[i].node_id == node_id)
			return &survey->nodes[i];
	}
	return NULL;
}

static const Cleave__ReplicaStatus *find_report(const struct tool_node *node, uint64_t partition_id)
{
	for (size_t i = 0; node != NULL && node->reply != NULL && i < node->reply->n_replicas; i++) {
		if (node->reply->replicas[i]->partition_id == partition_id)
			return node->reply->replicas[i];
	}
	return NULL;
}

static void add_replica(struct tool_partition *partition, const struct tool_node *node,
			const struct partition_replica *listed)
{
	const Cleave__ReplicaStatus *report = find_report(node, partition->partition_id);
	struct tool_replica *replica;

	if (partition->replica_count == TOOL_SURVEY_REPLICAS_MAX)
		return;
	replica = &partition->replicas[partition->replica_count++];
	*replica = (struct tool_replica){ .is_listed = listed != NULL };
	replica->node_id = listed != NULL ? listed->node_id : node->node_id;
	replica->replica_id = listed != NULL ? listed->replica_id : 0;
	replica->state = node == NULL || node->reply == NULL ? "unreachable" : "missing";
	if (report == NULL)
		return;
	replica->is_known = true;
	replica->replica_id = report->replica_id;
	replica->state = report->state;
	replica->term = report->term;
	replica->applied_index = report->applied_index;
	replica->last_index = report->last_index;
}

static void find_leader(const struct tool_survey *survey, struct tool_partition *partition)
{
	const struct tool_replica *leader = NULL;

	for (size_t i = 0; i < partition->replica_count; i++) {
		const struct tool_replica *replica = &partition->replicas[i];

		if (replica->is_known && strcmp(replica->state, "leader") == 0 &&
		    (leader == NULL || replica->term > leader->term))
			leader = replica;
	}
	if (leader == NULL)
		return;
	partition->leader_node_id = leader->node_id;
	partition->leader_replica_id = leader->replica_id;
	partition->leader_report = find_report(find_node(survey, leader->node_id), partition->partition_id);
	for (size_t i = 0; i < partition->replica_count; i++) {
		struct tool_replica *replica = &partition->replicas[i];

		replica->has_lag = replica->is_known;
		if (replica->is_known && leader->last_index > replica->applied_index)
			replica->lag = leader->last_index - replica->applied_index;
	}
}

/* Replicas that a node has and the catalog's record does not list: a change is under way. */
static void add_unlisted(const struct tool_survey *survey, struct tool_partition *partition,
			 const struct partition_info *info)
{
	for (size_t i = 0; i < survey->node_count; i++) {
		const struct tool_node *node = &survey->nodes[i];

		if (partition_info_find_replica(info, node->node_id) == NULL &&
		    find_report(node, partition->partition_id) != NULL)
			add_replica(partition, node, NULL);
	}
}

/* Only the start of a row key is worth showing: the token. */
static void describe_bound(struct slice bound, uint32_t table_id, char out[TOOL_SURVEY_RANGE_SIZE])
{
	uint8_t padded[ROW_KEY_HEAD_SIZE] = { 0 };
	size_t size = bound.size < sizeof(padded) ? bound.size : sizeof(padded);

	out[0] = '\0';
	if (size > 0)
		memcpy(padded, bound.data, size);
	if (get_u32_be(padded) != table_id)
		return;
	(void)snprintf(out, TOOL_SURVEY_RANGE_SIZE, "%016" PRIx64 "%s", get_u64_be(padded + 4),
		       bound.size > sizeof(padded) ? "+" : "");
}

static void describe_partition(const struct tool_survey *survey, const struct partition_info *info,
			       const struct table_info *table, struct tool_partition *partition)
{
	*partition = (struct tool_partition){
		.partition_id = info->partition_id,
		.table_id = info->table_id,
		.table = table,
		.epoch = info->epoch,
	};
	describe_bound(info->range_start, info->table_id, partition->range_start);
	describe_bound(info->range_end, info->table_id, partition->range_end);
	for (uint32_t i = 0; i < info->replica_count; i++)
		add_replica(partition, find_node(survey, info->replicas[i].node_id), &info->replicas[i]);
	add_unlisted(survey, partition, info);
	find_leader(survey, partition);
}

/* The catalog's group is not in its own map: who reports it has it, and each seed should. */
static void describe_catalog(struct tool_survey *survey)
{
	survey->catalog = (struct tool_partition){ .partition_id = CATALOG_GROUP_ID };
	for (size_t i = 0; i < survey->node_count; i++) {
		const struct tool_node *node = &survey->nodes[i];

		if (node->is_seed || find_report(node, CATALOG_GROUP_ID) != NULL)
			add_replica(&survey->catalog, node, NULL);
	}
	find_leader(survey, &survey->catalog);
}

static bool is_whole(const struct tool_partition *partition)
{
	for (size_t i = 0; i < partition->replica_count; i++) {
		if (partition->replicas[i].is_listed && !partition->replicas[i].is_known)
			return false;
	}
	return true;
}

static enum status describe_partitions(struct tool_survey *survey, struct arena *arena)
{
	const struct table_info *table;
	const struct partition_info *info;
	size_t count = survey->state->partitions.count;

	survey->partitions = arena_alloc(arena, (count + 1) * sizeof(*survey->partitions));
	if (survey->partitions == NULL)
		return ST_NO_MEMORY;
	for (size_t t = 0; (table = catalog_state_table_at(survey->state, t)) != NULL; t++) {
		survey->usable_table_count += table_info_is_usable(table);
		for (size_t i = 0;
		     (info = catalog_state_partition_at(survey->state, table->table_id, i)) != NULL; i++) {
			struct tool_partition *partition = &survey->partitions[survey->partition_count++];

			CHECK(survey->partition_count <= count);
			describe_partition(survey, info, table, partition);
			survey->led_count += partition->leader_node_id != 0;
			survey->whole_count += is_whole(partition);
		}
	}
	return ST_OK;
}

static void count_nodes(struct tool_survey *survey)
{
	for (size_t i = 0; i < survey->node_count; i++) {
		struct tool_node *node = &survey->nodes[i];

		node->leader_count = 0;
		survey->reachable_count += node->reply != NULL;
		survey->ready_count += node->reply != NULL && node->reply->is_ready;
		for (size_t r = 0; node->reply != NULL && r < node->reply->n_replicas; r++)
			node->leader_count += strcmp(node->reply->replicas[r]->state, "leader") == 0;
	}
}

/* --- judging --- */

static void add_problem(struct tool_survey *survey, struct arena *arena, const char *format, ...)
	PRINTF_LIKE(3, 4);

static void add_problem(struct tool_survey *survey, struct arena *arena, const char *format, ...)
{
	char text[PROBLEM_SIZE_MAX];
	const uint8_t *copy = NULL;
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	if (survey->problem_count < TOOL_SURVEY_PROBLEMS_MAX)
		copy = arena_copy(arena, slice_of_string(text));
	if (copy == NULL)
		survey->more_problem_count++;
	else
		survey->problems[survey->problem_count++] = (const char *)copy;
}

static void judge_node(struct tool_survey *survey, const struct tool_node *node, struct arena *arena)
{
	const char *zone = node->zone[0] == '\0' ? "zone not known" : node->zone;

	if (node->reply == NULL)
		add_problem(survey, arena, "node %" PRIu64 " at %s:%u (%s) %s (%s)", node->node_id,
			    node->host, node->port, zone,
			    is_refusal(node->status) ? "refuses us" : "cannot be reached",
			    status_name(node->status));
	else if (!node->reply->is_ready)
		add_problem(survey, arena, "node %" PRIu64 " at %s:%u (%s) is not ready: %s", node->node_id,
			    node->host, node->port, zone, node->reply->problem);
}

struct tool_table_name tool_survey_table_name(const struct catalog_state *state,
					      const struct table_info *table)
{
	const struct table_info *base = catalog_state_table(state, table->base_table_id);
	const struct table_index *index;
	struct tool_table_name name;
	uint32_t cursor = 0;

	(void)snprintf(name.text, sizeof(name.text), "%s", table->name);
	if (table_info_is_named(table) || base == NULL)
		return name;
	while ((index = table_indexes_next(base->indexes, false, &cursor)) != NULL) {
		if (index->table_id == table->table_id)
			(void)snprintf(name.text, sizeof(name.text), "%s/%s", base->name, index->name);
	}
	return name;
}

static void judge_partition(struct tool_survey *survey, const struct tool_partition *partition,
			    struct arena *arena)
{
	struct tool_table_name name;

	if (!table_info_is_usable(partition->table))
		return; /* it comes or goes */
	name = tool_survey_table_name(survey->state, partition->table);
	if (partition->leader_node_id == 0)
		add_problem(survey, arena, "partition %" PRIu64 " of table %s has no leader",
			    partition->partition_id, name.text);
	for (size_t i = 0; i < partition->replica_count; i++) {
		const struct tool_replica *replica = &partition->replicas[i];
		const struct tool_node *node = find_node(survey, replica->node_id);

		if (!replica->is_known && node != NULL && node->reply != NULL)
			add_problem(survey, arena,
				    "partition %" PRIu64 " of table %s is missing on node %" PRIu64,
				    partition->partition_id, name.text, replica->node_id);
	}
}

static void judge(struct tool_survey *survey, struct arena *arena)
{
	for (size_t i = 0; i < survey->node_count; i++)
		judge_node(survey, &survey->nodes[i], arena);
	if (survey->catalog.leader_node_id == 0)
		add_problem(survey, arena, "the catalog has no leader: tables cannot be made or changed");
	for (size_t i = 0; i < survey->partition_count; i++)
		judge_partition(survey, &survey->partitions[i], arena);
}

static int compare_nodes(const void *a, const void *b)
{
	const struct tool_node *left = a;
	const struct tool_node *right = b;

	return (left->node_id > right->node_id) - (left->node_id < right->node_id);
}

enum status tool_survey_build(struct tool_survey *survey, const struct catalog_state *state,
			      struct tool_node *nodes, size_t node_count, struct arena *arena)
{
	enum status status;

	*survey = (struct tool_survey){ .state = state, .nodes = nodes, .node_count = node_count };
	survey->catalog_version = state->version;
	if (node_count > 0)
		qsort(nodes, node_count, sizeof(*nodes), compare_nodes);
	count_nodes(survey);
	describe_catalog(survey);
	status = describe_partitions(survey, arena);
	if (status == ST_OK)
		judge(survey, arena);
	return status;
}

const struct tool_partition *tool_survey_find(const struct tool_survey *survey, uint64_t partition_id)
{
	if (partition_id == CATALOG_GROUP_ID)
		return &survey->catalog;
	for (size_t i = 0; i < survey->partition_count; i++) {
		if (survey->partitions[i].partition_id == partition_id)
			return &survey->partitions[i];
	}
	return NULL;
}

/* --- indexes --- */

static const Cleave__FeedStatus *find_feed(const struct tool_partition *partition, uint32_t index_table_id)
{
	const Cleave__ReplicaStatus *report = partition->leader_report;

	for (size_t i = 0; report != NULL && i < report->n_feeds; i++) {
		if (report->feeds[i]->index_table_id == index_table_id)
			return report->feeds[i];
	}
	return NULL;
}

struct tool_index_progress tool_survey_index_progress(const struct tool_survey *survey,
						      const struct table_index *index, uint32_t table_id)
{
	struct tool_index_progress progress = { .partition_count = 0 };
	uint64_t percent = 0;

	for (size_t i = 0; i < survey->partition_count; i++) {
		const Cleave__FeedStatus *feed = find_feed(&survey->partitions[i], index->table_id);

		if (survey->partitions[i].table_id != table_id)
			continue;
		progress.partition_count++;
		progress.fed_count += feed != NULL && feed->backfilled_percent >= 100;
		percent += feed == NULL ? 0 : feed->backfilled_percent;
	}
	if (progress.partition_count > 0)
		progress.percent = (uint32_t)(percent / progress.partition_count);
	return progress;
}
