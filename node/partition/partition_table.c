#include "node/partition/partition_table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "node/partition/partition_definitions.h"
#include "proto/base/log.h"
#include "replication/group/group_state.h"
#include "storage/expr/eval_update.h"

void partition_table_init(struct partition_table *table, const struct partition_env *env)
{
	*table = (struct partition_table){ .env = *env };
	arena_init(&table->env.scratch, EVAL_UPDATE_SCRATCH_SIZE_MAX);
	hash_map_init(&table->by_id, PARTITION_TABLE_MAX);
	queue_init(&table->dropped);
}

static struct partition *any_partition(const struct partition_table *table)
{
	size_t cursor = 0;

	return hash_map_next(&table->by_id, &cursor);
}

void partition_table_close(struct partition_table *table)
{
	struct partition *partition;

	while ((partition = any_partition(table)) != NULL) {
		(void)hash_map_remove(&table->by_id, partition->id);
		partition_close(partition);
	}
	partition_table_forget_dropped(table, UINT64_MAX);
	hash_map_close(&table->by_id);
	arena_close(&table->env.scratch);
}

static enum status insert(struct partition_table *table, struct partition *partition)
{
	enum status status = hash_map_put(&table->by_id, partition->id, partition);

	if (status != ST_OK)
		partition_close(partition);
	return status;
}

enum status partition_table_open_all(struct partition_table *table)
{
	uint64_t group_id = PARTITION_ID_FIRST - 1;
	enum status status;

	while ((status = group_state_next(table->env.engine, &group_id)) == ST_OK) {
		struct partition *partition;

		status = partition_open(&table->env, group_id, &partition);
		if (status == ST_OK)
			status = insert(table, partition);
		if (status != ST_OK) {
			log_error("partition", "cannot open", "partition=%" PRIu64 " status=%s", group_id,
				  status_name(status));
			return status;
		}
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

struct partition *partition_table_find(const struct partition_table *table, uint64_t partition_id)
{
	return hash_map_get(&table->by_id, partition_id);
}

struct partition *partition_table_next(const struct partition_table *table, size_t *cursor)
{
	return hash_map_next(&table->by_id, cursor);
}

uint64_t partition_table_catalog_version(const struct partition_table *table)
{
	return table->env.view == NULL ? 0 : table->env.view->state.version;
}

enum status partition_table_create(struct partition_table *table, const struct partition_meta *meta,
				   uint64_t replica_id, const struct raft_engine_configuration *members)
{
	struct partition *partition;
	enum status status = partition_create(&table->env, meta, replica_id, members, &partition);

	return status == ST_OK ? insert(table, partition) : status;
}

/* --- what the catalog must hear --- */

static void note_dropped(struct partition_table *table, uint64_t partition_id)
{
	struct partition_dropped *dropped;

	for (struct queue *link = table->dropped.next; link != &table->dropped; link = link->next) {
		if (CONTAINER_OF(link, struct partition_dropped, link)->partition_id == partition_id)
			return;
	}
	dropped = calloc(1, sizeof(*dropped));
	if (dropped == NULL)
		return; /* the next change of the catalog comes here again */
	dropped->partition_id = partition_id;
	queue_push_tail(&table->dropped, &dropped->link);
	if (table->env.leader_changed != NULL)
		table->env.leader_changed(&table->env);
}

void partition_table_forget_dropped(struct partition_table *table, uint64_t count)
{
	for (; count > 0 && !queue_is_empty(&table->dropped); count--)
		free(CONTAINER_OF(queue_pop_head(&table->dropped), struct partition_dropped, link));
}

void partition_table_drop(struct partition_table *table, struct partition *partition)
{
	CHECK(hash_map_remove(&table->by_id, partition->id) == partition);
	log_info("partition", "dropped", "partition=%" PRIu64, partition->id);
	partition_drop(partition);
}

/* --- following the catalog --- */

static void create_from_record(struct partition_table *table, const struct partition_info *info,
			       const struct partition_replica *own)
{
	struct raft_engine_configuration members = { .count = info->replica_count };
	struct partition_meta meta = {
		.partition_id = info->partition_id,
		.table_id = info->table_id,
		.epoch = info->epoch,
		.range_start = info->range_start,
		.range_end = info->range_end,
		.catalog_version = info->version,
		.awaits_indexes =
			catalog_state_table(&table->env.view->state, info->table_id)->is_born_with_indexes,
	};
	enum status status;

	for (uint32_t i = 0; i < info->replica_count; i++)
		members.members[i] = (struct raft_engine_member){ info->replicas[i].replica_id,
								  info->replicas[i].node_id,
								  RAFT_ROLE_VOTER };
	status = partition_table_create(table, &meta, own->replica_id, &members);
	/* A view that lags names a replica whose tombstone is already there. */
	if (status == ST_STALE) {
		log_debug("partition", "not created again", "partition=%" PRIu64, info->partition_id);
		return;
	}
	if (status != ST_OK) {
		log_error("partition", "cannot create", "partition=%" PRIu64 " status=%s", info->partition_id,
			  status_name(status));
		return;
	}
	if (info->preferred_leader_node_id == table->env.groups->node_id)
		partition_campaign(partition_table_find(table, info->partition_id));
}

static void follow_record(struct partition_table *table, const struct partition_info *info)
{
	const struct partition_replica *own = partition_info_find_replica(info, table->env.groups->node_id);
	const struct table_info *owner = catalog_state_table(&table->env.view->state, info->table_id);
	struct partition *partition = partition_table_find(table, info->partition_id);

	if (own == NULL || owner == NULL)
		return;
	if (owner->state == TABLE_DELETING) {
		if (partition != NULL)
			partition_table_drop(table, partition);
		note_dropped(table, info->partition_id);
	} else if (partition == NULL) {
		create_from_record(table, info, own);
	}
}

/* A replica whose partition the catalog no longer knows.  A view that is older than the
 * replica says nothing about it. */
static struct partition *find_orphan(const struct partition_table *table)
{
	struct partition *partition;
	size_t cursor = 0;

	while ((partition = partition_table_next(table, &cursor)) != NULL) {
		if (catalog_state_partition(&table->env.view->state, partition->id) == NULL &&
		    table->env.view->state.version >= partition->catalog_version)
			return partition;
	}
	return NULL;
}

void partition_table_follow(struct partition_table *table, const struct catalog_view *view)
{
	const struct partition_info *info;
	struct partition *orphan;
	struct partition *partition;
	size_t cursor = 0;

	table->env.view = view;
	if (view->state.version == 0)
		return;
	while ((info = catalog_state_next_partition(&view->state, &cursor)) != NULL) {
		if (info->version > table->reconciled_version ||
		    partition_table_find(table, info->partition_id) == NULL ||
		    catalog_state_table(&view->state, info->table_id)->state == TABLE_DELETING)
			follow_record(table, info);
	}
	while ((orphan = find_orphan(table)) != NULL)
		partition_table_drop(table, orphan);
	table->reconciled_version = view->state.version;
	cursor = 0;
	while ((partition = partition_table_next(table, &cursor)) != NULL)
		partition_definitions_follow(partition);
}
