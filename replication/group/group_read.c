#include "replication/group/group_read.h"

#include "replication/group/group_internal.h"

enum {
	US_PER_MS = 1000,
	/* A lease ends this share of the election timeout after the quorum's send time: clocks may
	 * differ in rate by 8 %. */
	LEASE_PERCENT = 85,
};

/* --- leases --- */

/* Sends no older than this were echoed by a majority; 0 if not. */
static uint64_t quorum_echo_us(const struct group *group,
			       const struct raft_engine_configuration *configuration)
{
	uint64_t sorted[RAFT_ENGINE_MEMBERS_MAX];
	uint32_t voter_count = 0;

	for (uint32_t i = 0; i < configuration->count; i++) {
		uint64_t echo_us = group->lease_echo_us[i];
		uint32_t at = voter_count;

		if (configuration->members[i].role != RAFT_ROLE_VOTER)
			continue;
		if (configuration->members[i].replica_id == group->replica_id)
			echo_us = runtime_mono_us(group->table->runtime);
		for (; at > 0 && sorted[at - 1] < echo_us; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = echo_us;
		voter_count++;
	}
	return voter_count == 0 ? 0 : sorted[voter_count / 2];
}

static bool has_lease(const struct group *group)
{
	struct raft_engine_configuration configuration;
	uint64_t length_us = (uint64_t)group->table->settings.election_timeout_ms * US_PER_MS *
			     LEASE_PERCENT / 100;
	uint64_t echo_us;

	if (!group->table->settings.uses_leases || group->lease_term != group->leader_term ||
	    group->transfer_term == group->leader_term || raft_engine_is_changing(group->engine))
		return false;
	raft_engine_configuration(group->engine, &configuration);
	if (configuration.index != group->lease_configuration_index)
		return false;
	echo_us = quorum_echo_us(group, &configuration);
	return echo_us > 0 && runtime_mono_us(group->table->runtime) < echo_us + length_us;
}

void group_read_on_append(struct group *group, const struct raft_engine_message *message,
			  uint64_t sent_mono_us)
{
	struct peer_link_echo echo = { group->id, message->term, sent_mono_us, group->replica_id };
	uint64_t leader_replica_id;
	uint64_t leader_node_id;

	raft_engine_leader(group->engine, &leader_replica_id, &leader_node_id);
	if (raft_engine_state(group->engine) == RAFT_STATE_FOLLOWER &&
	    raft_engine_term(group->engine) == message->term && leader_replica_id == message->peer_replica_id)
		peer_link_send_echo(&group->table->link, message->peer_node_id, &echo);
}

void group_read_on_echo(struct group *group, const struct peer_link_echo *echo)
{
	struct raft_engine_configuration configuration;
	int position;

	if (!group->was_leader || echo->term != group->leader_term)
		return;
	raft_engine_configuration(group->engine, &configuration);
	if (group->lease_term != echo->term || group->lease_configuration_index != configuration.index) {
		group->lease_term = echo->term;
		group->lease_configuration_index = configuration.index;
		memset(group->lease_echo_us, 0, sizeof(group->lease_echo_us));
	}
	position = group_position_of(echo->replica_id, &configuration);
	if (position >= 0 && echo->sent_mono_us > group->lease_echo_us[position] &&
	    echo->sent_mono_us <= runtime_mono_us(group->table->runtime))
		group->lease_echo_us[position] = echo->sent_mono_us;
}

/* --- rounds --- */

static bool is_majority(const struct group *group, uint32_t mask)
{
	struct raft_engine_configuration configuration;
	uint32_t voter_count = 0;
	uint32_t yes_count = 0;

	raft_engine_configuration(group->engine, &configuration);
	for (uint32_t i = 0; i < configuration.count; i++) {
		if (configuration.members[i].role != RAFT_ROLE_VOTER)
			continue;
		voter_count++;
		if ((mask & (1u << i)) != 0 || configuration.members[i].replica_id == group->replica_id)
			yes_count++;
	}
	return yes_count > voter_count / 2;
}

static void finish_reads(struct queue *reads, enum status status)
{
	struct queue *link;

	while ((link = queue_pop_head(reads)) != NULL) {
		struct group_read *read = CONTAINER_OF(link, struct group_read, link);

		read->cb(read, status);
	}
}

void group_read_on_applied(struct group *group)
{
	struct queue ready;

	queue_init(&ready);
	while (!queue_is_empty(&group->confirmed_reads)) {
		struct group_read *read = CONTAINER_OF(group->confirmed_reads.next, struct group_read, link);

		if (read->read_index > group->applied.index)
			break;
		queue_remove(&read->link);
		queue_push_tail(&ready, &read->link);
	}
	finish_reads(&ready, ST_OK);
}

static struct group_read_round *free_round(struct group *group)
{
	for (size_t i = 0; i < GROUP_READ_ROUNDS_MAX; i++) {
		if (group->rounds[i].id == 0)
			return &group->rounds[i];
	}
	return NULL;
}

static void ask_voters(struct group *group, uint64_t round_id)
{
	struct peer_link_confirm confirm = { group->id, group->leader_term, round_id, group->replica_id };
	struct raft_engine_configuration configuration;

	raft_engine_configuration(group->engine, &configuration);
	for (uint32_t i = 0; i < configuration.count; i++) {
		const struct raft_engine_member *member = &configuration.members[i];

		if (member->role == RAFT_ROLE_VOTER && member->replica_id != group->replica_id)
			peer_link_send_confirm(&group->table->link, member->node_id, &confirm);
	}
}

static void arm_repeat(struct group *group)
{
	if (!runtime_timer_is_active(&group->read_timer))
		runtime_timer_start(group->table->runtime, &group->read_timer,
				    (uint64_t)group->table->settings.heartbeat_ms * US_PER_MS);
}

/* The oldest rounds first: reads stay ascending by index. */
static void confirm_up_to(struct group *group, uint64_t round_id)
{
	for (;;) {
		struct group_read_round *oldest = NULL;

		for (size_t i = 0; i < GROUP_READ_ROUNDS_MAX; i++) {
			struct group_read_round *round = &group->rounds[i];

			if (round->id != 0 && round->id <= round_id &&
			    (oldest == NULL || round->id < oldest->id))
				oldest = round;
		}
		if (oldest == NULL)
			break;
		oldest->id = 0;
		queue_move_all(&oldest->reads, &group->confirmed_reads);
	}
	group_read_on_applied(group);
	if (!queue_is_empty(&group->waiting_reads))
		runtime_defer(group->table->runtime, &group->read_task);
}

static void start_round(struct group *group)
{
	struct group_read_round *round = free_round(group);
	struct raft_engine_configuration configuration;
	struct queue *link;

	if (round == NULL)
		return; /* the next confirmation comes back here */
	raft_engine_configuration(group->engine, &configuration);
	round->id = ++group->next_round_id;
	round->configuration_index = configuration.index;
	round->read_index = raft_engine_commit_index(group->engine);
	round->confirmed_mask = 0;
	queue_move_all(&group->waiting_reads, &round->reads);
	for (link = round->reads.next; link != &round->reads; link = link->next)
		CONTAINER_OF(link, struct group_read, link)->read_index = round->read_index;
	if (is_majority(group, 0)) {
		confirm_up_to(group, round->id); /* the only voter */
		return;
	}
	ask_voters(group, round->id);
	arm_repeat(group);
}

static void on_turn_end(struct runtime_task *task)
{
	struct group *group = CONTAINER_OF(task, struct group, read_task);

	if (group->was_leader && !queue_is_empty(&group->waiting_reads))
		start_round(group);
}

/* Frames may be lost: ask again for the newest round, whose answer covers the older ones. */
static void on_repeat(struct runtime_timer *timer)
{
	struct group *group = CONTAINER_OF(timer, struct group, read_timer);
	uint64_t newest = 0;

	for (size_t i = 0; i < GROUP_READ_ROUNDS_MAX; i++) {
		if (group->rounds[i].id > newest)
			newest = group->rounds[i].id;
	}
	if (newest == 0 || !group->was_leader)
		return;
	ask_voters(group, newest);
	arm_repeat(group);
}

void group_read_on_confirm_request(struct group *group, uint64_t from_node_id,
				   const struct peer_link_confirm *confirm)
{
	struct peer_link_confirm reply = { group->id, confirm->term, confirm->round, group->replica_id };

	/* A newer leader's term would be in the durable state of a majority, so one of those asked
	 * would refuse.  A term not yet durable here refuses too: that errs on the safe side. */
	if (!group->is_silent && raft_engine_term(group->engine) <= confirm->term)
		peer_link_send_confirm_reply(&group->table->link, from_node_id, &reply);
}

void group_read_on_confirm_reply(struct group *group, const struct peer_link_confirm *confirm)
{
	struct raft_engine_configuration configuration;
	struct group_read_round *round = NULL;
	int position;

	if (!group->was_leader || confirm->term != group->leader_term)
		return;
	for (size_t i = 0; i < GROUP_READ_ROUNDS_MAX; i++) {
		if (group->rounds[i].id != 0 && group->rounds[i].id == confirm->round)
			round = &group->rounds[i];
	}
	if (round == NULL)
		return;
	raft_engine_configuration(group->engine, &configuration);
	position = group_position_of(confirm->replica_id, &configuration);
	if (position < 0)
		return;
	if (round->configuration_index != configuration.index) {
		round->configuration_index = configuration.index;
		round->confirmed_mask = 0; /* the repetition asks all of them again */
	}
	round->confirmed_mask |= 1u << (unsigned)position;
	if (is_majority(group, round->confirmed_mask))
		confirm_up_to(group, round->id);
}

/* --- life --- */

enum status group_read_start(struct group *group, struct group_read *read)
{
	if (!group->is_ready)
		return ST_NOT_LEADER;
	if (has_lease(group) && group->applied.index >= raft_engine_commit_index(group->engine))
		return ST_OK;
	queue_init(&read->link);
	queue_push_tail(&group->waiting_reads, &read->link);
	runtime_defer(group->table->runtime, &group->read_task);
	return ST_WOULD_BLOCK;
}

void group_read_cancel(struct group_read *read)
{
	queue_remove(&read->link);
}

void group_read_init(struct group *group)
{
	queue_init(&group->waiting_reads);
	queue_init(&group->confirmed_reads);
	for (size_t i = 0; i < GROUP_READ_ROUNDS_MAX; i++)
		queue_init(&group->rounds[i].reads);
	runtime_task_init(&group->read_task, on_turn_end);
	runtime_timer_init(&group->read_timer, on_repeat);
}

void group_read_on_lost(struct group *group)
{
	struct queue lost;

	queue_init(&lost);
	queue_move_all(&group->confirmed_reads, &lost);
	for (size_t i = 0; i < GROUP_READ_ROUNDS_MAX; i++) {
		group->rounds[i].id = 0;
		queue_move_all(&group->rounds[i].reads, &lost);
	}
	queue_move_all(&group->waiting_reads, &lost);
	finish_reads(&lost, ST_NOT_LEADER);
}

void group_read_close(struct group *group)
{
	group_read_on_lost(group);
	runtime_task_cancel(&group->read_task);
	runtime_timer_stop(group->table->runtime, &group->read_timer);
}
