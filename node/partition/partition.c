#include "node/partition/partition.h"

#include <stdlib.h>

#include "node/partition/partition_definitions.h"
#include "node/partition/partition_fsm.h"
#include "node/partition/partition_propose.h"
#include "node/partition/partition_write.h"
#include "proto/model/limits.h"

enum {
	HLC_COUNTER_BITS = 16,
	US_PER_MS = 1000,
	ARENA_BYTES_MAX = 256 * 1024 * 1024,
	CAMPAIGN_INTERVAL_US = 20 * 1000,
	CAMPAIGNS_MAX = 50,
};

static void on_campaign(struct runtime_timer *timer)
{
	struct partition *partition = CONTAINER_OF(timer, struct partition, campaign_timer);

	if (partition->campaigns_left == 0 || group_leader_node_id(partition->group) != 0)
		return;
	partition->campaigns_left--;
	group_campaign(partition->group);
	runtime_timer_start(partition->env->runtime, timer, CAMPAIGN_INTERVAL_US);
}

void partition_campaign(struct partition *partition)
{
	partition->campaigns_left = CAMPAIGNS_MAX;
	on_campaign(&partition->campaign_timer);
}

static struct partition *allocate(struct partition_env *env, uint64_t id)
{
	struct partition *partition = calloc(1, sizeof(*partition));

	if (partition == NULL)
		return NULL;
	partition->fsm.ops = &partition_fsm_ops;
	partition->env = env;
	partition->id = id;
	put_u64_be(partition->own_rows_start, id);
	put_u64_be(partition->own_rows_end, id + 1);
	buf_init(&partition->range_start, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_init(&partition->range_end, LIMIT_ROW_KEY_SIZE_BYTES);
	partition_outcomes_init(&partition->outcomes, id);
	partition_indexes_init(&partition->indexes, id);
	partition_sources_init(&partition->sources, id);
	partition_propose_init(partition);
	partition_definitions_init(partition);
	partition_overlay_init(&partition->overlay, env->hash_seed);
	arena_init(&partition->arena, ARENA_BYTES_MAX);
	partition_write_init(partition);
	runtime_timer_init(&partition->campaign_timer, on_campaign);
	return partition;
}

static void destroy(struct partition *partition)
{
	partition_outcomes_close(&partition->outcomes);
	partition_indexes_close(&partition->indexes);
	partition_sources_close(&partition->sources);
	partition_overlay_close(&partition->overlay);
	hash_map_close(&partition->pending_ids);
	arena_close(&partition->arena);
	buf_close(&partition->range_start);
	buf_close(&partition->range_end);
	free(partition);
}

enum status partition_create(struct partition_env *env, const struct partition_meta *meta,
			     uint64_t replica_id, const struct raft_engine_configuration *members,
			     struct partition **partition_out)
{
	struct partition *partition = allocate(env, meta->partition_id);
	enum status status;

	if (partition == NULL)
		return ST_NO_MEMORY;
	partition->table_id = meta->table_id;
	partition->epoch = meta->epoch;
	partition->catalog_version = meta->catalog_version;
	partition->awaits_indexes = meta->awaits_indexes;
	partition->indexes.awaits = meta->awaits_indexes;
	buf_append_slice(&partition->range_start, meta->range_start);
	buf_append_slice(&partition->range_end, meta->range_end);
	status = partition->range_start.status != ST_OK ? partition->range_start.status
							: partition->range_end.status;
	if (status == ST_OK)
		status = group_create(env->groups, partition->id, replica_id, members, &partition->fsm,
				      &partition->group);
	if (status != ST_OK) {
		destroy(partition);
		return status;
	}
	/* The same batch as the group's first records. */
	status = partition_fsm_put_meta(partition, log_commit_batch(&env->groups->commit));
	CHECK(status == ST_OK);
	*partition_out = partition;
	return ST_OK;
}

enum status partition_open(struct partition_env *env, uint64_t partition_id, struct partition **partition_out)
{
	struct partition *partition = allocate(env, partition_id);
	enum status status;

	if (partition == NULL)
		return ST_NO_MEMORY;
	/* First the group: it may have to complete an interrupted install, which brings the rows. */
	status = group_open(env->groups, partition_id, &partition->fsm, &partition->group);
	if (status == ST_OK) {
		status = partition_fsm_load(partition);
		if (status != ST_OK)
			group_close(partition->group);
	}
	if (status != ST_OK) {
		destroy(partition);
		return status;
	}
	*partition_out = partition;
	return ST_OK;
}

void partition_hold(struct partition *partition)
{
	partition->hold_count++;
}

void partition_release(struct partition *partition)
{
	CHECK(partition->hold_count > 0);
	partition->hold_count--;
	if (partition->hold_count == 0 && partition->is_closed)
		destroy(partition);
}

void partition_on_lost(struct partition *partition)
{
	if (partition->env->feeders != NULL)
		partition->env->feeders->lost(partition->env->feeders, partition);
	partition_definitions_on_lost(partition);
	partition_propose_on_lost(partition);
	partition_write_on_lost(partition);
}

static void finish_close(struct partition *partition)
{
	runtime_task_cancel(&partition->propose_task);
	runtime_timer_stop(partition->env->runtime, &partition->campaign_timer);
	partition_on_lost(partition);
	partition->group = NULL;
	partition_hold(partition);
	partition->is_closed = true;
	partition_release(partition);
}

void partition_close(struct partition *partition)
{
	group_close(partition->group);
	finish_close(partition);
}

void partition_drop(struct partition *partition)
{
	struct partition_env *env = partition->env;
	struct engine_batch *batch = log_commit_batch(&env->groups->commit);
	struct group_range ranges[GROUP_RANGES_MAX];
	size_t count = partition->fsm.ops->ranges(&partition->fsm, ranges);

	for (size_t i = 0; i < count; i++)
		engine_batch_delete_range(env->engine, batch, ranges[i].family, ranges[i].start,
					  ranges[i].end);
	group_remove(partition->group);
	finish_close(partition);
}

const struct table_info *partition_owner(const struct partition *partition)
{
	const struct catalog_view *view = partition->env->view;

	return view == NULL ? NULL : catalog_state_table(&view->state, partition->table_id);
}

bool partition_covers(const struct partition *partition, struct slice row_key)
{
	return slice_compare(row_key, buf_slice(&partition->range_start)) >= 0 &&
	       slice_compare(row_key, buf_slice(&partition->range_end)) < 0;
}

uint64_t partition_next_hlc(struct partition *partition)
{
	uint64_t wall = (runtime_wall_us(partition->env->runtime) / US_PER_MS) << HLC_COUNTER_BITS;

	partition->last_hlc = wall > partition->last_hlc ? wall : partition->last_hlc + 1;
	return partition->last_hlc;
}

uint64_t partition_window_ms(const struct partition *partition)
{
	if (partition->window_mono_ms == 0)
		return partition->window_ms;
	return partition->window_ms + runtime_mono_ms(partition->env->runtime) - partition->window_mono_ms;
}
