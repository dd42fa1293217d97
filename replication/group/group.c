#include "replication/group/group.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "replication/group/group_internal.h"

enum {
	/* A dead leader's followers stand one after the other, not against each other. */
	CAMPAIGN_FIRST_MS = 5,
	CAMPAIGN_STEP_MS = 60,
	CAMPAIGN_JITTER_MS = 20,
	/* After a start no vote is given for 11/10 of the election timeout, if leases are used. */
	FENCE_NUMERATOR = 11,
	FENCE_DENOMINATOR = 10,
};

/* --- messages out --- */

static void hold(struct group *group, const struct raft_engine_message *message,
		 const struct log_entry *entries)
{
	struct group_held_message *held;

	held = malloc(sizeof(*held) + message->entry_count * sizeof(entries[0]));
	if (held == NULL)
		return; /* as good as lost on the way */
	held->sequence = group->hard_state_sequence;
	held->message = *message;
	for (uint32_t i = 0; i < message->entry_count; i++) {
		held->entries[i] = entries[i];
		(void)log_body_retain(entries[i].body);
	}
	queue_init(&held->link);
	queue_push_tail(&group->held, &held->link);
	log_commit_wait(&group->table->commit, &group->waiter);
}

static void drop_held(struct group_held_message *held)
{
	queue_remove(&held->link);
	for (uint32_t i = 0; i < held->message.entry_count; i++)
		log_body_release(held->entries[i].body);
	free(held);
}

static void release_held(struct group *group)
{
	uint64_t durable = log_commit_durable_sequence(&group->table->commit);

	while (!queue_is_empty(&group->held)) {
		struct group_held_message *held = CONTAINER_OF(group->held.next, struct group_held_message,
							       link);

		if (held->sequence > durable)
			break;
		peer_link_send(&group->table->link, group->id, group->replica_id, &held->message,
			       held->entries);
		drop_held(held);
	}
}

void group_send(struct group *group, const struct raft_engine_message *message,
		const struct log_entry *entries)
{
	if (group->hard_state_sequence > log_commit_durable_sequence(&group->table->commit) ||
	    !queue_is_empty(&group->held))
		hold(group, message, entries);
	else
		peer_link_send(&group->table->link, group->id, group->replica_id, message, entries);
}

/* As many entries from next_index on as one message shall carry, borrowed from the log. */
static uint32_t gather_entries(const struct group *group, uint64_t next_index, uint64_t end_index,
			       struct log_entry entries[RAFT_ENGINE_ENTRIES_MAX])
{
	size_t size_bytes = 0;
	uint32_t count = 0;

	while (next_index + count < end_index && count < RAFT_ENGINE_ENTRIES_MAX &&
	       size_bytes < GROUP_MESSAGE_BYTES_MAX) {
		const struct log_entry *entry = log_store_entry(&group->log, next_index + count);

		CHECK(entry != NULL);
		entries[count++] = *entry;
		size_bytes += entry->body->size_bytes;
	}
	return count;
}

/* One message of the engine may leave as several, each complete by itself. */
static void send_append(struct group *group, const struct raft_engine_message *message)
{
	struct log_entry entries[RAFT_ENGINE_ENTRIES_MAX];
	struct raft_engine_message part = *message;
	uint64_t next_index = message->prev_index + 1;
	uint64_t end_index = next_index + message->entry_count;

	if (message->entry_count > 0 && log_store_entry(&group->log, next_index) == NULL) {
		group_catchup_send(group, message);
		return;
	}
	do {
		part.entry_count = gather_entries(group, next_index, end_index, entries);
		group_send(group, &part, entries);
		next_index += part.entry_count;
		if (part.entry_count > 0) {
			part.prev_index = next_index - 1;
			part.prev_term = entries[part.entry_count - 1].term;
		}
	} while (next_index < end_index);
}

static void send_messages(struct group *group, const struct raft_engine_update *update)
{
	for (uint32_t i = 0; i < update->message_count; i++) {
		const struct raft_engine_message *message = &update->messages[i];

		switch (message->kind) {
		case RAFT_MESSAGE_APPEND:
			send_append(group, message);
			break;
		case RAFT_MESSAGE_INSTALL_SNAPSHOT:
			snapshot_send_start(group, message->peer_replica_id, message->peer_node_id);
			break;
		case RAFT_MESSAGE_TIMEOUT_NOW:
			group->transfer_term = raft_engine_term(group->engine);
			group_send(group, message, NULL);
			break;
		default:
			group_send(group, message, NULL);
		}
	}
}

/* --- log writes --- */

static struct group_append *append_at(struct group *group, uint32_t position)
{
	return &group->appends[(group->append_head + position) % GROUP_PENDING_APPENDS_MAX];
}

/* A truncated entry must never be reported as persisted. */
static void clip_pending_appends(struct group *group, uint64_t first_index)
{
	for (uint32_t i = 0; i < group->append_count; i++) {
		struct group_append *append = append_at(group, i);

		if (append->last_index >= first_index)
			append->last_index = first_index - 1;
	}
}

static void append_entries(struct group *group, const struct raft_engine_update *update)
{
	uint64_t sequence = log_commit_open_sequence(&group->table->commit);
	uint64_t last_index = update->entries_first_index + update->entry_count - 1;
	struct group_append *newest;

	clip_pending_appends(group, update->entries_first_index);
	log_store_append(&group->log, update->entries_first_index, update->entries, update->entry_count);
	for (uint32_t i = 0; i < update->entry_count; i++)
		group_set_log_bytes(group, group->log_bytes + update->entries[i].body->size_bytes);
	newest = group->append_count == 0 ? NULL : append_at(group, group->append_count - 1);
	if (newest != NULL && newest->sequence == sequence) {
		/* The log is durable up to its last entry with this batch; a replacement may begin
		 * before what it replaced. */
		if (update->entries_first_index < newest->first_index)
			newest->first_index = update->entries_first_index;
		newest->last_index = last_index;
	} else {
		CHECK(group->append_count < GROUP_PENDING_APPENDS_MAX);
		*append_at(group, group->append_count) = (struct group_append){ sequence,
										update->entries_first_index,
										last_index };
		group->append_count++;
	}
	log_commit_wait(&group->table->commit, &group->waiter);
}

static void put_hard_state(struct group *group)
{
	struct log_commit *commit = &group->table->commit;

	group_state_put_hard(group->table->engine, log_commit_batch(commit), group->id,
			     raft_engine_term(group->engine), raft_engine_voted_for(group->engine));
	group->hard_state_sequence = log_commit_open_sequence(commit);
	log_commit_wait(commit, &group->waiter);
}

static void on_durable(struct log_commit_waiter *waiter)
{
	struct group *group = CONTAINER_OF(waiter, struct group, waiter);
	struct log_commit *commit = &group->table->commit;
	uint64_t durable = log_commit_durable_sequence(commit);
	uint64_t persisted_index = 0;

	while (group->append_count > 0 && append_at(group, 0)->sequence <= durable) {
		struct group_append *append = append_at(group, 0);

		if (append->last_index >= append->first_index)
			persisted_index = append->last_index;
		group->append_head = (group->append_head + 1) % GROUP_PENDING_APPENDS_MAX;
		group->append_count--;
	}
	release_held(group);
	if (group->is_silent) {
		group->is_silent = false;
		runtime_timer_start(group->table->runtime, &group->timer, 0);
	}
	if (group->append_count > 0 || !queue_is_empty(&group->held))
		log_commit_wait(commit, &group->waiter);
	if (persisted_index > 0) {
		raft_engine_persisted(group->engine, group_now_ms(group), persisted_index);
		group_settle(group);
	}
}

/* --- the engine's updates --- */

static void on_update(void *context, const struct raft_engine_update *update)
{
	struct group *group = context;

	if (update->hard_state_changed)
		put_hard_state(group);
	if (update->entry_count > 0)
		append_entries(group, update);
	if (update->state_changed && update->entry_count > 0 && update->entries[0].type == LOG_ENTRY_BARRIER)
		group->barrier_index = update->entries_first_index;
	if (update->install != NULL)
		snapshot_recv_install(group, update->install);
	send_messages(group, update);
	group_schedule_apply(group);
}

/* A leader evaluates and answers nothing before an entry of its own term is applied. */
static void propose_barrier(struct group *group)
{
	struct log_entry barrier = { .type = LOG_ENTRY_BARRIER, .body = log_body_create(1) };

	CHECK(barrier.body != NULL);
	barrier.body->data[0] = 0;
	group->barrier_index = raft_engine_last_index(group->engine) + 1;
	CHECK(raft_engine_submit(group->engine, group_now_ms(group), &barrier, 1) == ST_OK);
	log_body_release(barrier.body);
}

static void become_leader(struct group *group)
{
	group->was_leader = true;
	group->table->won_count++;
	group->is_ready = false;
	group->leader_term = raft_engine_term(group->engine);
	group->proposed_bytes = 0;
	group_timer_on_proposal(group);
	log_debug("group", "leads", "group=%" PRIu64 " term=%" PRIu64, group->id, group->leader_term);
	if (group->barrier_index == 0)
		propose_barrier(group);
}

static void lose_leadership(struct group *group)
{
	group->was_leader = false;
	group->is_ready = false;
	group->barrier_index = 0;
	group->last_heard_mono_ms = group_now_ms(group);
	log_debug("group", "leads no longer", "group=%" PRIu64 " term=%" PRIu64, group->id,
		  group->leader_term);
	group_read_on_lost(group);
	group->fsm->ops->leader_lost(group->fsm);
}

void group_settle(struct group *group)
{
	bool leads = raft_engine_state(group->engine) == RAFT_STATE_LEADER;

	/* Lost and won again within one step: a new term with a new barrier. */
	if (group->was_leader && (!leads || raft_engine_term(group->engine) != group->leader_term))
		lose_leadership(group);
	if (leads && !group->was_leader)
		become_leader(group);
	if (!leads)
		group->barrier_index = 0;
	group_timer_arm(group);
}

void group_finish_install(struct group *group, const struct raft_engine_position *position)
{
	group->applied = *position;
	group->has_position = true;
	group->is_installing = false;
	group_set_log_bytes(group, 0);
	group->append_count = 0; /* all of it belonged to the log that the snapshot replaced */
	raft_engine_installed(group->engine, group_now_ms(group), position);
	group_settle(group);
	group_schedule_apply(group);
}

/* --- messages in --- */

/* With leases a replica that just started may have promised its vote's absence before it died. */
static bool is_fenced(const struct group *group, const struct raft_engine_message *message)
{
	const struct group_settings *settings = &group->table->settings;
	uint64_t fence_ms = (uint64_t)settings->election_timeout_ms * FENCE_NUMERATOR / FENCE_DENOMINATOR;

	return settings->uses_leases && message->kind == RAFT_MESSAGE_VOTE &&
	       group_now_ms(group) < group->table->started_mono_ms + fence_ms;
}

/* The term of an entry that can no longer change, 0 if it is not known here. */
static uint64_t settled_term(const struct group *group, uint64_t index)
{
	const struct log_entry *entry;

	if (index == group->applied.index)
		return group->applied.term;
	if (index < group->applied.index || index > raft_engine_commit_index(group->engine))
		return 0;
	entry = log_store_entry(&group->log, index);
	return entry == NULL ? 0 : entry->term;
}

/* A second leader of one term, or other entries in the place of committed ones, cannot come from
 * a correct peer, and the engine takes them for the end of the world. */
static bool contradicts(const struct group *group, const struct raft_engine_message *message)
{
	uint64_t term = message->prev_term;

	if (message->kind != RAFT_MESSAGE_APPEND || message->term < raft_engine_term(group->engine))
		return false;
	if (raft_engine_state(group->engine) == RAFT_STATE_LEADER &&
	    message->term == raft_engine_term(group->engine))
		return true;
	for (uint32_t i = 0;; i++) {
		uint64_t settled = settled_term(group, message->prev_index + i);

		if (settled != 0 && settled != term)
			return true;
		if (i == message->entry_count)
			return false;
		term = message->entries[i].term;
	}
}

void group_receive(struct group *group, const struct raft_engine_message *message, uint64_t sent_mono_us)
{
	struct raft_engine_message heard = *message;
	uint64_t now_ms = group_now_ms(group);

	if (group->is_silent || is_fenced(group, message) || message->peer_replica_id == group->replica_id)
		return; /* nobody speaks in our name */
	if (contradicts(group, message)) {
		log_error("group", "refused append", "group=%" PRIu64 " term=%" PRIu64 " from=%" PRIu64,
			  group->id, message->term, message->peer_node_id);
		return;
	}
	/* Without room an append is a heartbeat: dropping it would cost the leader its majority. */
	if (group->table->refuses_entries)
		heard.entry_count = 0;
	raft_engine_receive(group->engine, now_ms, &heard, group->applied.index, group->applied.term);
	if (message->kind == RAFT_MESSAGE_APPEND && message->term == raft_engine_term(group->engine)) {
		group->last_heard_mono_ms = now_ms;
		group->has_stood_back = false;
	}
	group_settle(group);
	if (message->kind == RAFT_MESSAGE_APPEND && group->table->settings.uses_leases)
		group_read_on_append(group, message, sent_mono_us);
}

/* The voters stand one after the other, each by its place among those that are left. */
static void campaign_in_turn(struct group *group, uint64_t gone_node_id)
{
	struct raft_engine_configuration configuration;
	struct runtime *runtime = group->table->runtime;
	uint64_t delay_ms;
	uint64_t rank = 0;

	raft_engine_configuration(group->engine, &configuration);
	for (uint32_t i = 0; i < configuration.count; i++) {
		const struct raft_engine_member *member = &configuration.members[i];

		if (member->replica_id == group->replica_id)
			break;
		if (member->role == RAFT_ROLE_VOTER && member->node_id != gone_node_id)
			rank++;
	}
	delay_ms = CAMPAIGN_FIRST_MS + rank * CAMPAIGN_STEP_MS + rng_below(&runtime->rng, CAMPAIGN_JITTER_MS);
	raft_engine_campaign(group->engine, group_now_ms(group), delay_ms);
	group_settle(group);
}

void group_node_down(struct group *group, uint64_t node_id)
{
	/* With leases a broken connection does not prove that the leader serves no longer. */
	if (group->is_silent || group->table->settings.uses_leases ||
	    group_leader_node_id(group) != node_id || raft_engine_state(group->engine) != RAFT_STATE_FOLLOWER)
		return;
	campaign_in_turn(group, node_id);
}

void group_node_up(struct group *group)
{
	uint64_t leader_replica_id;
	uint64_t leader_node_id;

	raft_engine_leader(group->engine, &leader_replica_id, &leader_node_id);
	if (group->is_silent || group->table->settings.uses_leases || leader_replica_id != 0 ||
	    raft_engine_state(group->engine) != RAFT_STATE_FOLLOWER)
		return;
	campaign_in_turn(group, 0);
}

void group_campaign(struct group *group)
{
	raft_engine_campaign(group->engine, group_now_ms(group), 0);
	group_settle(group);
}

/* --- proposing --- */

/* The engine bounds what is in flight to a follower by entries; we want it bounded by bytes. */
static void adapt_inflight(struct group *group, size_t body_size_bytes)
{
	size_t average;
	size_t entries_max;

	group->average_entry_bytes += ((int64_t)body_size_bytes - group->average_entry_bytes) / 8;
	average = group->average_entry_bytes < 1 ? 1 : (size_t)group->average_entry_bytes;
	entries_max = GROUP_INFLIGHT_BYTES / average;
	if (entries_max < GROUP_INFLIGHT_ENTRIES_MIN)
		entries_max = GROUP_INFLIGHT_ENTRIES_MIN;
	if (entries_max > GROUP_INFLIGHT_ENTRIES_MAX)
		entries_max = GROUP_INFLIGHT_ENTRIES_MAX;
	raft_engine_set_inflight_entries_max(group->engine, (uint32_t)entries_max);
}

bool group_majority_is_free(const struct group *group, bool is_self_bound,
			    bool (*is_peer_bound)(const struct peer_link *link, uint64_t node_id))
{
	struct raft_engine_configuration configuration;
	uint32_t voter_count = 0;
	uint32_t bound_count = 0;

	raft_engine_configuration(group->engine, &configuration);
	for (uint32_t i = 0; i < configuration.count; i++) {
		const struct raft_engine_member *member = &configuration.members[i];

		if (member->role != RAFT_ROLE_VOTER)
			continue;
		voter_count++;
		bound_count += member->replica_id == group->replica_id
				       ? is_self_bound
				       : is_peer_bound(&group->table->link, member->node_id);
	}
	return voter_count - bound_count > voter_count / 2;
}

bool group_has_room(const struct group *group)
{
	if (group->table->is_disk_full)
		return false;
	return group->table->link.full_peer_count == 0 ||
	       group_majority_is_free(group, false, peer_link_is_disk_full);
}

enum status group_propose(struct group *group, struct slice body, uint64_t *index_out)
{
	struct log_entry entry = { .type = LOG_ENTRY_COMMAND };
	uint64_t index;
	enum status status;

	CHECK(body.size > 0);
	if (!group->is_ready)
		return ST_NOT_LEADER;
	if (group->proposed_bytes + body.size > GROUP_PROPOSED_BYTES_MAX)
		return ST_OVERLOADED;
	entry.body = log_body_create(body.size);
	if (entry.body == NULL)
		return ST_NO_MEMORY;
	memcpy(entry.body->data, body.data, body.size);
	adapt_inflight(group, body.size);
	group_timer_on_proposal(group);
	index = raft_engine_last_index(group->engine) + 1;
	status = raft_engine_submit(group->engine, group_now_ms(group), &entry, 1);
	log_body_release(entry.body);
	if (status != ST_OK)
		return status;
	group->proposed_bytes += body.size;
	group->table->proposed_count++;
	*index_out = index;
	group_settle(group);
	return ST_OK;
}

/* --- life --- */

static struct group *allocate(struct group_table *table, uint64_t id, uint64_t replica_id,
			      struct group_fsm *fsm)
{
	struct group *group = calloc(1, sizeof(*group));
	struct raft_engine_options options = {
		.replica_id = replica_id,
		.node_id = table->node_id,
		.election_timeout_ms = table->settings.election_timeout_ms,
		.heartbeat_ms = table->settings.heartbeat_ms,
		.inflight_entries_max = GROUP_INFLIGHT_ENTRIES_MAX,
		.seed = (uint32_t)rng_u64(&table->runtime->rng),
		.on_update = on_update,
		.context = group,
	};

	if (group == NULL)
		return NULL;
	group->engine = raft_engine_create(&options);
	if (group->engine == NULL) {
		free(group);
		return NULL;
	}
	group->table = table;
	group->id = id;
	group->replica_id = replica_id;
	group->fsm = fsm;
	log_commit_waiter_init(&group->waiter, on_durable);
	queue_init(&group->held);
	queue_init(&group->sends);
	group_timer_init(group);
	group_apply_init(group);
	group_read_init(group);
	group->last_heard_mono_ms = runtime_mono_ms(table->runtime);
	return group;
}

static void destroy(struct group *group)
{
	CHECK(group->job_count == 0);
	group_set_log_bytes(group, 0);
	log_store_close(&group->log);
	raft_engine_destroy(group->engine);
	free(group);
}

void group_release_job(struct group *group)
{
	CHECK(group->job_count > 0);
	group->job_count--;
	if (group->is_closed && group->job_count == 0)
		destroy(group);
}

/* Feed the engine what the disk holds. */
static void start_engine(struct group *group, const struct group_state *state)
{
	uint64_t count = group->log.last_index + 1 - group->log.first_index;
	struct log_entry *entries = calloc(count + 1, sizeof(*entries));
	uint64_t now_ms = group_now_ms(group);

	CHECK(entries != NULL && count <= UINT32_MAX);
	for (uint64_t i = 0; i < count; i++)
		entries[i] = *log_store_entry(&group->log, group->log.first_index + i);
	raft_engine_start(group->engine, now_ms, state->term, state->voted_for,
			  state->has_position ? &state->applied : NULL, group->log.first_index, entries,
			  (uint32_t)count);
	free(entries);
	group_set_log_bytes(group, group->log.cached_bytes); /* all of it is in memory now */
	log_store_trim(&group->log, group->applied.index);
}

static enum status insert_and_start(struct group *group, const struct group_state *state)
{
	enum status status = hash_map_put(&group->table->groups, group->id, group);

	if (status != ST_OK)
		return status;
	group->applied = state->applied;
	group->has_position = state->has_position;
	start_engine(group, state);
	group_settle(group);
	return ST_OK;
}

enum status group_create(struct group_table *table, uint64_t id, uint64_t replica_id,
			 const struct raft_engine_configuration *configuration, struct group_fsm *fsm,
			 struct group **group_out)
{
	struct engine_batch *batch = log_commit_batch(&table->commit);
	struct group_state state;
	struct group *group;
	enum status status;

	if (group_table_find(table, id) != NULL)
		return ST_EXISTS;
	status = group_state_load(table->engine, id, &state);
	if (status != ST_NOT_FOUND)
		return status == ST_OK ? ST_EXISTS : status;
	if (state.tombstone_replica_id >= replica_id)
		return ST_STALE;
	group = allocate(table, id, replica_id, fsm);
	if (group == NULL)
		return ST_NO_MEMORY;
	state.replica_id = replica_id;
	if (configuration->count > 0) {
		group_state_put_birth(table->engine, batch, id, replica_id, configuration);
		state.term = GROUP_BIRTH_TERM;
		state.has_position = true;
		state.applied.index = GROUP_BIRTH_INDEX;
		state.applied.term = GROUP_BIRTH_TERM;
		state.applied.configuration = *configuration;
		state.applied.configuration.index = GROUP_BIRTH_INDEX;
	} else {
		group_state_put_replica(table->engine, batch, id, replica_id);
	}
	log_store_init(&group->log, &table->commit, id, state.applied.index + 1);
	group->is_silent = true;
	status = insert_and_start(group, &state);
	if (status != ST_OK) {
		destroy(group);
		return status;
	}
	log_commit_wait(&table->commit, &group->waiter);
	*group_out = group;
	return ST_OK;
}

/* What a crash left of the log must continue the applied state. */
static enum status check_log(const struct log_store *log, const struct group_state *state)
{
	if (log->first_index > state->applied.index + 1 || log->last_index < state->applied.index) {
		log_error("group", "log does not reach its applied index",
			  "group=%" PRIu64 " first=%" PRIu64 " last=%" PRIu64 " applied=%" PRIu64,
			  state->group_id, log->first_index, log->last_index, state->applied.index);
		return ST_CORRUPT;
	}
	return ST_OK;
}

/* Records of the group and of its fsm: the newer position counts. */
static enum status take_recorded(struct group_fsm *fsm, struct group_state *state)
{
	uint64_t index;
	uint64_t term;
	enum status status;

	if (fsm->ops->recorded == NULL || !state->has_position)
		return ST_OK;
	status = fsm->ops->recorded(fsm, &index, &term);
	if (status == ST_OK && index > state->applied.index) {
		state->applied.index = index;
		state->applied.term = term;
	}
	return status;
}

enum status group_open(struct group_table *table, uint64_t id, struct group_fsm *fsm,
		       struct group **group_out)
{
	struct group_state state;
	struct group *group;
	enum status status = group_state_load(table->engine, id, &state);

	if (status != ST_OK)
		return status;
	if (state.has_intent) {
		status = snapshot_recv_roll_forward(table->engine, &state);
		if (status != ST_OK)
			return status;
	}
	status = take_recorded(fsm, &state);
	if (status != ST_OK)
		return status;
	group = allocate(table, id, state.replica_id, fsm);
	if (group == NULL)
		return ST_NO_MEMORY;
	log_store_init(&group->log, &table->commit, id, state.applied.index + 1);
	status = log_store_load(&group->log);
	if (status == ST_OK)
		status = check_log(&group->log, &state);
	if (status == ST_OK)
		status = insert_and_start(group, &state);
	if (status != ST_OK) {
		destroy(group);
		return status;
	}
	*group_out = group;
	return ST_OK;
}

void group_close(struct group *group)
{
	struct runtime *runtime = group->table->runtime;

	CHECK(!group->is_closed);
	if (group->was_leader)
		lose_leadership(group);
	group_read_close(group);
	runtime_timer_stop(runtime, &group->timer);
	runtime_timer_stop(runtime, &group->apply_delay);
	queue_remove(&group->apply_link);
	log_commit_cancel(&group->waiter);
	while (!queue_is_empty(&group->held))
		drop_held(CONTAINER_OF(group->held.next, struct group_held_message, link));
	CHECK(hash_map_remove(&group->table->groups, group->id) == group);
	group->is_closed = true;
	group->job_count++;
	group_release_job(group);
}

void group_remove(struct group *group)
{
	struct log_commit *commit = &group->table->commit;
	struct engine_batch *batch = log_commit_batch(commit);

	log_store_reset(&group->log, batch, group->applied.index + 1);
	group_state_put_tombstone(group->table->engine, batch, group->id, group->replica_id);
	group->is_removed = true;
	group_close(group);
}

/* --- questions --- */

uint64_t group_id(const struct group *group)
{
	return group->id;
}

uint64_t group_replica_id(const struct group *group)
{
	return group->replica_id;
}

bool group_is_ready(const struct group *group)
{
	return group->is_ready;
}

bool group_has_state(const struct group *group)
{
	return group->has_position && !group->is_installing;
}

uint64_t group_install_count(const struct group *group)
{
	return group->install_count;
}

uint64_t group_applied_index(const struct group *group)
{
	return group->applied.index;
}

uint64_t group_leader_silence_ms(const struct group *group)
{
	return group->was_leader ? 0 : group_now_ms(group) - group->last_heard_mono_ms;
}

uint64_t group_leader_node_id(const struct group *group)
{
	uint64_t replica_id;
	uint64_t node_id;

	raft_engine_leader(group->engine, &replica_id, &node_id);
	return node_id;
}

int group_position_of(uint64_t replica_id, const struct raft_engine_configuration *configuration)
{
	for (uint32_t i = 0; i < configuration->count; i++) {
		if (configuration->members[i].replica_id == replica_id)
			return (int)i;
	}
	return -1;
}

void group_get_status(const struct group *group, struct group_status *status_out)
{
	*status_out = (struct group_status){
		.group_id = group->id,
		.replica_id = group->replica_id,
		.state = raft_engine_state(group->engine),
		.is_ready = group->is_ready,
		.is_installing = raft_engine_is_installing(group->engine),
		.is_waiting_for_snapshot = !group->has_position,
		.leader_node_id = group_leader_node_id(group),
		.term = raft_engine_term(group->engine),
		.first_index = group->log.first_index,
		.last_index = group->log.last_index,
		.commit_index = raft_engine_commit_index(group->engine),
		.applied_index = group->applied.index,
	};
}
