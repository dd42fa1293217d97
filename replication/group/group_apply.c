/* Applying: committed and durable entries, in order, with the applied index in the same batch.
 *
 * All groups that have something to apply at the end of a turn share one batch, and each puts its
 * rows and its applied index into it: a batch costs the store as much as several rows do. */
#include <inttypes.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "replication/group/group_internal.h"

enum { US_PER_MS = 1000 };

/* Entries may be applied when they are committed and in this replica's own durable log. */
static uint64_t limit_of(const struct group *group)
{
	uint64_t committed = raft_engine_commit_index(group->engine);
	uint64_t stored = raft_engine_last_stored(group->engine);

	return committed < stored ? committed : stored;
}

static bool may_apply(const struct group *group)
{
	return group->has_position && !group->is_installing && !raft_engine_is_installing(group->engine) &&
	       group->applied.index < limit_of(group);
}

static void queue_up(struct group *group)
{
	if (!queue_is_empty(&group->apply_link))
		return; /* or among those that are being applied: announce() asks again */
	queue_push_tail(&group->table->apply_waiting, &group->apply_link);
	runtime_defer(group->table->runtime, &group->table->apply_task);
}

void group_schedule_apply(struct group *group)
{
	uint32_t delay_ms = fault_delay_ms(FAULT_APPLY_DELAY);

	if (group->is_closed || !may_apply(group) || runtime_timer_is_active(&group->apply_delay))
		return;
	if (delay_ms > 0 && !group->was_leader)
		runtime_timer_start(group->table->runtime, &group->apply_delay,
				    (uint64_t)delay_ms * US_PER_MS);
	else
		queue_up(group);
}

static void on_apply_delay(struct runtime_timer *timer)
{
	queue_up(CONTAINER_OF(timer, struct group, apply_delay));
}

static void fail(struct group *group, const char *what, enum status status)
{
	log_error("group", "cannot apply", "group=%" PRIu64 " index=%" PRIu64 " step=%s status=%s", group->id,
		  group->applied.index + 1, what, status_name(status));
	group->table->fatal(group->table->fatal_context, status);
}

static enum status apply_entry(struct group *group, const struct log_entry *entry)
{
	struct engine_batch *batch = group->table->apply_batch;
	struct group_apply_round *round = &group->round;
	uint64_t index = round->position.index + 1;
	enum status status = ST_OK;

	if (entry->type == LOG_ENTRY_COMMAND) {
		struct group_command command = { index, entry->term, log_entry_slice(entry) };

		status = group->fsm->ops->apply(group->fsm, &command, batch);
	} else if (entry->type == LOG_ENTRY_CHANGE) {
		status = raft_engine_configuration_decode(log_entry_slice(entry),
							  &round->position.configuration);
		round->position.configuration.index = index;
		round->has_change = true;
	}
	round->position.index = index;
	round->position.term = entry->term;
	round->size_bytes += entry->body->size_bytes;
	round->entry_count++;
	return status;
}

/* What the fsm recorded of the newest entry tells where the group is. */
static void put_position(const struct group *group)
{
	const struct group_table *table = group->table;
	const struct group_apply_round *round = &group->round;

	if (group->fsm->recorded_index != round->position.index)
		group_state_put_applied(table->engine, table->apply_batch, group->id, round->position.index,
					round->position.term);
	if (round->has_change)
		group_state_put_configuration(table->engine, table->apply_batch, group->id,
					      &round->position.configuration);
}

/* This group's part of the batch: up to the bounds of one turn, and a membership change ends it. */
static enum status collect(struct group *group)
{
	struct group_apply_round *round = &group->round;
	uint64_t limit = limit_of(group);

	*round = (struct group_apply_round){ .position = group->applied };
	while (round->position.index < limit && !round->has_change &&
	       round->entry_count < GROUP_APPLY_ENTRIES_MAX && round->size_bytes < GROUP_APPLY_BYTES_MAX) {
		const struct log_entry *entry = log_store_entry(&group->log, round->position.index + 1);
		enum status status;

		CHECK(entry != NULL); /* what is not applied stays in memory */
		status = apply_entry(group, entry);
		if (status != ST_OK)
			return status;
	}
	put_position(group);
	return ST_OK;
}

/* --- compaction --- */

/* How large a log may grow before it is cut. */
static size_t compact_bytes_of(const struct group_table *table)
{
	size_t share = GROUP_TABLE_LOG_BYTES / (table->groups.count + 1);

	if (share < GROUP_COMPACT_BYTES_MIN)
		share = GROUP_COMPACT_BYTES_MIN;
	return table->log_bytes <= GROUP_TABLE_LOG_BYTES || share > table->settings.compact_bytes
		       ? table->settings.compact_bytes
		       : share;
}

/* How many applied entries stay for replicas that are a little behind: a number, but not too many
 * bytes.  What is deleted while the store still holds it in memory costs no file. */
static uint64_t trailing_count(const struct group *group, uint64_t kept)
{
	uint64_t trailing = group->table->settings.trailing_entries;
	uint64_t average_bytes = group->log_bytes / kept + 1;
	uint64_t fitting = compact_bytes_of(group->table) / 2 / average_bytes;

	if (fitting < GROUP_TRAILING_ENTRIES_MIN)
		fitting = GROUP_TRAILING_ENTRIES_MIN;
	return trailing < fitting ? trailing : fitting;
}

/* Keep what voters that are behind still need, up to a bound.  Of one that a new leader has not
 * heard yet, nothing is known but that it needs no more than there is. */
static uint64_t compaction_point(const struct group *group, uint64_t trailing)
{
	const struct raft_engine_configuration *configuration = &group->applied.configuration;
	const struct group_settings *settings = &group->table->settings;
	uint64_t applied = group->applied.index;
	uint64_t point = applied - trailing;
	uint64_t sending_index = snapshot_send_oldest_index(group);

	if (sending_index < point && group->log_bytes < GROUP_BEHIND_BYTES_MAX)
		point = sending_index; /* else the snapshot is too old when it arrives */
	for (uint32_t i = 0; i < configuration->count; i++) {
		uint64_t match_index;

		if (!raft_engine_match_index(group->engine, configuration->members[i].replica_id,
					     &match_index))
			continue;
		if (match_index < group->log.first_index)
			match_index = group->log.first_index - 1;
		if (match_index < point && applied - match_index < settings->behind_entries_max &&
		    group->log_bytes < GROUP_BEHIND_BYTES_MAX)
			point = match_index;
	}
	return point;
}

static void maybe_compact(struct group *group)
{
	const struct group_settings *settings = &group->table->settings;
	uint64_t kept = group->applied.index - group->log.first_index + 1;
	uint64_t trailing;
	uint64_t point;

	if (kept < settings->compact_entries && group->log_bytes < compact_bytes_of(group->table))
		return;
	trailing = trailing_count(group, kept);
	if (kept < 2 * trailing)
		return;
	point = compaction_point(group, trailing);
	if (point < group->log.first_index + trailing)
		return;
	group_set_log_bytes(group, (size_t)((double)group->log_bytes *
					    (double)(group->applied.index - point) / (double)kept));
	log_store_compact(&group->log, point);
	raft_engine_compacted(group->engine, group_now_ms(group), &group->applied,
			      (uint32_t)(group->applied.index - point));
	group_settle(group);
}

/* --- after the write --- */

static void reach_readiness(struct group *group)
{
	if (!group->was_leader || group->is_ready || group->barrier_index == 0 ||
	    group->applied.index < group->barrier_index)
		return;
	group->is_ready = true;
	group->fsm->ops->leader_ready(group->fsm);
}

static void announce(struct group *group)
{
	struct group_apply_round *round = &group->round;

	group->table->applied_count += round->entry_count;
	group->proposed_bytes -= group->proposed_bytes < round->size_bytes ? group->proposed_bytes
									   : round->size_bytes;
	group->fsm->ops->applied(group->fsm, group->applied.index);
	reach_readiness(group);
	group_read_on_applied(group);
	if (round->has_change) {
		raft_engine_configuration_applied(group->engine, group_now_ms(group),
						  &group->applied.configuration);
		group_settle(group);
	}
	log_store_trim(&group->log, group->applied.index);
	maybe_compact(group);
	group_schedule_apply(group);
}

/* --- all groups of a turn --- */

/* Move groups from waiting to applying until the batch is full; false if one failed. */
static bool collect_all(struct group_table *table)
{
	size_t size_bytes = 0;
	struct queue *link;

	while (size_bytes < GROUP_APPLY_BYTES_MAX && (link = queue_pop_head(&table->apply_waiting)) != NULL) {
		struct group *group = CONTAINER_OF(link, struct group, apply_link);
		enum status status;

		if (!may_apply(group))
			continue;
		status = collect(group);
		if (status != ST_OK) {
			fail(group, "evaluate", status);
			return false;
		}
		queue_push_tail(&table->applying, &group->apply_link);
		size_bytes += group->round.size_bytes;
	}
	if (!queue_is_empty(&table->apply_waiting))
		runtime_defer(table->runtime, &table->apply_task);
	return true;
}

/* First all positions, so that whoever is told of one group finds every group as the store is. */
static void announce_all(struct group_table *table)
{
	struct queue *link;

	for (link = table->applying.next; link != &table->applying; link = link->next) {
		struct group *group = CONTAINER_OF(link, struct group, apply_link);

		group->applied = group->round.position;
	}
	while ((link = queue_pop_head(&table->applying)) != NULL)
		announce(CONTAINER_OF(link, struct group, apply_link));
}

/* The process is about to end: nothing of the batch may count as applied. */
static void drop_all(struct group_table *table)
{
	while (queue_pop_head(&table->applying) != NULL)
		;
}

void group_apply_waiting(struct runtime_task *task)
{
	struct group_table *table = CONTAINER_OF(task, struct group_table, apply_task);
	enum status status;

	engine_batch_clear(table->engine, table->apply_batch);
	if (!collect_all(table)) {
		drop_all(table);
		return;
	}
	if (queue_is_empty(&table->applying))
		return;
	status = engine_write(table->engine, table->apply_batch);
	if (status == ST_OK) {
		announce_all(table);
		return;
	}
	fail(CONTAINER_OF(table->applying.next, struct group, apply_link), "write", status);
	drop_all(table);
}

void group_apply_init(struct group *group)
{
	queue_init(&group->apply_link);
	runtime_timer_init(&group->apply_delay, on_apply_delay);
}
