/* When the engine is called because time has passed.
 *
 * Leaders speak on a grid: a heartbeat that is due waits for the grid's next line, so that those of
 * all groups to one peer share a frame.  And a leader that has had nothing to replicate for a while,
 * and whose members have all of it, is quiet: its heartbeats then only keep elections away, and are
 * as slow as that allows.  The first proposal ends it.
 *
 * A replica on a full disk stands back one election timeout, once, before it stands for election: by
 * then the others have stood, who could take writes too.  If it must, it leads.
 */
#include "replication/group/group_internal.h"

enum {
	US_PER_MS = 1000,
	GRID_LINES_PER_HEARTBEAT = 5,
	QUIET_AFTER_HEARTBEATS = 20,
	QUIET_HEARTBEATS = 4,             /* one takes the place of so many, */
	QUIET_HEARTBEATS_PER_TIMEOUT = 3, /* but so many fit into an election timeout */
};

static uint32_t quiet_heartbeat_ms(const struct group_settings *settings)
{
	uint32_t slow_ms = settings->heartbeat_ms * QUIET_HEARTBEATS;
	uint32_t safe_ms = settings->election_timeout_ms / QUIET_HEARTBEATS_PER_TIMEOUT;
	uint32_t chosen_ms = slow_ms < safe_ms ? slow_ms : safe_ms;

	return chosen_ms < settings->heartbeat_ms ? settings->heartbeat_ms : chosen_ms;
}

static void set_quiet(struct group *group, bool is_quiet)
{
	const struct group_settings *settings = &group->table->settings;

	if (group->is_quiet == is_quiet)
		return;
	group->is_quiet = is_quiet;
	raft_engine_set_heartbeat_ms(group->engine,
				     is_quiet ? quiet_heartbeat_ms(settings) : settings->heartbeat_ms);
}

static bool all_members_have_all(const struct group *group)
{
	const struct raft_engine_configuration *configuration = &group->applied.configuration;
	uint64_t last_index = raft_engine_last_index(group->engine);

	for (uint32_t i = 0; i < configuration->count; i++) {
		uint64_t match_index = 0;

		if (configuration->members[i].role != RAFT_ROLE_SPARE &&
		    (!raft_engine_match_index(group->engine, configuration->members[i].replica_id,
					      &match_index) ||
		     match_index < last_index))
			return false;
	}
	return group->applied.index == last_index;
}

static bool has_nothing_to_say(const struct group *group, uint64_t now_ms)
{
	uint64_t quiet_after_ms = (uint64_t)group->table->settings.heartbeat_ms * QUIET_AFTER_HEARTBEATS;

	return group->was_leader && group->is_ready &&
	       now_ms >= group->last_proposed_mono_ms + quiet_after_ms && all_members_have_all(group);
}

static uint64_t deadline_us_of(const struct group *group)
{
	const struct group_settings *settings = &group->table->settings;
	uint64_t deadline_us = raft_engine_deadline_ms(group->engine) * US_PER_MS;
	uint64_t heartbeat_ms = group->is_quiet ? quiet_heartbeat_ms(settings) : settings->heartbeat_ms;
	uint64_t line_us = heartbeat_ms * US_PER_MS / GRID_LINES_PER_HEARTBEAT;

	if (!group->was_leader || line_us == 0)
		return deadline_us;
	return (deadline_us + line_us - 1) / line_us * line_us;
}

void group_timer_arm(struct group *group)
{
	uint64_t deadline_us;

	if (group->is_silent)
		return;
	deadline_us = deadline_us_of(group);
	/* A deadline that moved away is noticed when the timer fires: heartbeats then cost no heap
	 * operation. */
	if (runtime_timer_is_active(&group->timer) && group->timer.deadline_mono_us <= deadline_us)
		return;
	runtime_timer_start_at(group->table->runtime, &group->timer, deadline_us);
}

static bool stands_back(struct group *group, uint64_t now_ms)
{
	if (!group->table->is_disk_full || group->has_stood_back ||
	    raft_engine_state(group->engine) != RAFT_STATE_FOLLOWER)
		return false;
	group->has_stood_back = true;
	raft_engine_campaign(group->engine, now_ms, group->table->settings.election_timeout_ms);
	return true;
}

static void on_timer(struct runtime_timer *timer)
{
	struct group *group = CONTAINER_OF(timer, struct group, timer);
	uint64_t now_ms = group_now_ms(group);

	if (now_ms >= raft_engine_deadline_ms(group->engine)) {
		set_quiet(group, has_nothing_to_say(group, now_ms));
		if (!stands_back(group, now_ms))
			raft_engine_timeout(group->engine, now_ms);
	}
	group_settle(group);
}

void group_timer_on_proposal(struct group *group)
{
	group->last_proposed_mono_ms = group_now_ms(group);
	set_quiet(group, false);
}

void group_timer_init(struct group *group)
{
	runtime_timer_init(&group->timer, on_timer);
}
