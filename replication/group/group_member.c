#include "replication/group/group_member.h"

#include "replication/group/group_internal.h"

enum { US_PER_MS = 1000 };

static enum status begin(const struct group *group, struct raft_engine_configuration *configuration)
{
	if (!group->is_ready)
		return ST_NOT_LEADER;
	if (raft_engine_is_changing(group->engine) || raft_engine_is_transferring(group->engine))
		return ST_BUSY;
	raft_engine_configuration(group->engine, configuration);
	return ST_OK;
}

static enum status submit(struct group *group, const struct raft_engine_configuration *configuration)
{
	struct log_entry entry = { .type = LOG_ENTRY_CHANGE };
	enum status status = raft_engine_configuration_encode(configuration, &entry.body);

	if (status != ST_OK)
		return status;
	status = raft_engine_submit(group->engine, group_now_ms(group), &entry, 1);
	log_body_release(entry.body);
	group_settle(group);
	return status;
}

enum status group_member_add_standby(struct group *group, uint64_t replica_id, uint64_t node_id)
{
	struct raft_engine_configuration configuration;
	enum status status = begin(group, &configuration);

	if (status != ST_OK)
		return status;
	if (replica_id == 0 || node_id == 0)
		return ST_INVALID;
	for (uint32_t i = 0; i < configuration.count; i++) {
		if (configuration.members[i].replica_id == replica_id ||
		    configuration.members[i].node_id == node_id)
			return ST_EXISTS;
	}
	if (configuration.count == RAFT_ENGINE_MEMBERS_MAX)
		return ST_TOO_BIG;
	configuration.members[configuration.count++] = (struct raft_engine_member){ replica_id, node_id,
										    RAFT_ROLE_STANDBY };
	return submit(group, &configuration);
}

enum status group_member_promote(struct group *group, uint64_t replica_id)
{
	struct raft_engine_configuration configuration;
	enum status status = begin(group, &configuration);
	uint64_t match_index;
	int position;

	if (status != ST_OK)
		return status;
	position = group_position_of(replica_id, &configuration);
	if (position < 0)
		return ST_NOT_FOUND;
	if (configuration.members[position].role == RAFT_ROLE_VOTER)
		return ST_OK;
	if (!raft_engine_match_index(group->engine, replica_id, &match_index) ||
	    match_index < raft_engine_commit_index(group->engine))
		return ST_BUSY;
	configuration.members[position].role = RAFT_ROLE_VOTER;
	return submit(group, &configuration);
}

enum status group_member_remove(struct group *group, uint64_t replica_id)
{
	struct raft_engine_configuration configuration;
	enum status status = begin(group, &configuration);
	uint32_t voter_count = 0;
	int position;

	if (status != ST_OK)
		return status;
	position = group_position_of(replica_id, &configuration);
	if (position < 0)
		return ST_NOT_FOUND;
	for (uint32_t i = 0; i < configuration.count; i++)
		voter_count += configuration.members[i].role == RAFT_ROLE_VOTER;
	if (configuration.members[position].role == RAFT_ROLE_VOTER && voter_count == 1)
		return ST_INVALID;
	configuration.count--;
	for (uint32_t i = (uint32_t)position; i < configuration.count; i++)
		configuration.members[i] = configuration.members[i + 1];
	return submit(group, &configuration);
}

/* --- handing over --- */

static bool is_sound(const struct group *group, const struct raft_engine_member *member)
{
	const struct group_table *table = group->table;
	uint64_t heard_us = peer_link_heard_mono_us(&table->link, member->node_id);
	uint64_t silence_us_max = (uint64_t)table->settings.election_timeout_ms * US_PER_MS;
	uint64_t match_index;

	return member->role == RAFT_ROLE_VOTER && member->replica_id != group->replica_id &&
	       !peer_link_is_disk_full(&table->link, member->node_id) && heard_us != 0 &&
	       runtime_mono_us(table->runtime) - heard_us < silence_us_max &&
	       raft_engine_match_index(group->engine, member->replica_id, &match_index) &&
	       match_index >= raft_engine_commit_index(group->engine);
}

/* A sound voter, another for another group, so that a node's groups do not all go to the same; 0: there
 * is none. */
static uint64_t choose_heir(const struct group *group, const struct raft_engine_configuration *configuration)
{
	uint64_t sound_replica_ids[RAFT_ENGINE_MEMBERS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < configuration->count; i++) {
		if (is_sound(group, &configuration->members[i]))
			sound_replica_ids[count++] = configuration->members[i].replica_id;
	}
	return count == 0 ? 0 : sound_replica_ids[group->id % count];
}

/* A new leader is of use, even for reads, only once a majority holds its first entry. */
static bool majority_takes_entries(const struct group *group)
{
	return group_majority_is_free(group, group->table->refuses_entries, peer_link_refuses_entries);
}

enum status group_member_transfer(struct group *group, uint64_t node_id)
{
	struct raft_engine_configuration configuration;
	enum status status = begin(group, &configuration);
	uint64_t replica_id = 0;

	if (status != ST_OK)
		return status;
	if (node_id == group->table->node_id)
		return ST_OK;
	for (uint32_t i = 0; i < configuration.count; i++) {
		if (configuration.members[i].node_id == node_id &&
		    configuration.members[i].role == RAFT_ROLE_VOTER)
			replica_id = configuration.members[i].replica_id;
	}
	if (node_id != 0 && replica_id == 0)
		return ST_NOT_FOUND;
	if (node_id != 0 &&
	    (peer_link_is_disk_full(&group->table->link, node_id) || !majority_takes_entries(group)))
		return ST_NO_SPACE;
	if (node_id == 0)
		replica_id = choose_heir(group, &configuration);
	status = raft_engine_transfer(group->engine, group_now_ms(group), replica_id);
	group_settle(group);
	return status;
}

enum status group_member_yield(struct group *group)
{
	struct raft_engine_configuration configuration;
	enum status status = begin(group, &configuration);
	uint64_t now_ms = group_now_ms(group);
	uint64_t heir;

	if (status != ST_OK)
		return status;
	if (group->yielded_mono_ms != 0 && now_ms < group->yielded_mono_ms + GROUP_MEMBER_YIELD_INTERVAL_MS)
		return ST_BUSY;
	heir = choose_heir(group, &configuration);
	if (heir == 0)
		return ST_NOT_FOUND;
	if (!majority_takes_entries(group))
		return ST_NO_SPACE;
	status = raft_engine_transfer(group->engine, now_ms, heir);
	if (status == ST_OK) {
		group->yielded_mono_ms = now_ms;
		group->table->yield_count++;
	}
	group_settle(group);
	return status;
}

void group_member_list(const struct group *group, struct raft_engine_configuration *configuration_out)
{
	raft_engine_configuration(group->engine, configuration_out);
}

bool group_member_may_speak(const struct group *group, uint64_t node_id, uint64_t replica_id)
{
	uint64_t known_node_id = raft_engine_member_node(group->engine, replica_id);

	return known_node_id == 0 || known_node_id == node_id;
}
