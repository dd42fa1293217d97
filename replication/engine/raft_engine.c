#include "replication/engine/raft_engine.h"

#include <stdlib.h>

#include "replication/engine/raft_engine_internal.h"

enum {
	/* After this long the leader asks for the snapshot to be sent again, if the follower has not got that
	 * far: it may have lost what it was sent in a crash, and have been back before it was missed.  While
	 * a stream to it runs, no second one begins. */
	INSTALL_SNAPSHOT_TIMEOUT_MS = 5 * 1000,
	BARRIER_SIZE = 1,
	DUE_NOW_MS = 1, /* of whoever was not sent anything in this millisecond */
};

struct raft_engine {
	struct raft raft;
	raft_engine_update_cb on_update;
	void *context;
	struct raft_engine_message *messages; /* of the newest update */
	uint32_t message_capacity;
	bool is_stepping;
};

/* The library frees the batch of a received message when it keeps nothing of it.  Our bodies
 * are counted elsewhere, so every batch is this one object, which is never freed. */
static char shared_batch;

static void *heap_malloc(void *data, size_t size)
{
	(void)data;
	return malloc(size);
}

static void heap_free(void *data, void *pointer)
{
	(void)data;
	if (pointer != &shared_batch)
		free(pointer);
}

static void *heap_calloc(void *data, size_t count, size_t size)
{
	(void)data;
	return calloc(count, size);
}

static void *heap_realloc(void *data, void *pointer, size_t size)
{
	(void)data;
	return realloc(pointer, size);
}

static void *heap_aligned_alloc(void *data, size_t alignment, size_t size)
{
	(void)data;
	return aligned_alloc(alignment, size);
}

static void heap_aligned_free(void *data, size_t alignment, void *pointer)
{
	(void)data;
	(void)alignment;
	free(pointer);
}

static struct raft_heap heap = {
	.malloc = heap_malloc,
	.free = heap_free,
	.calloc = heap_calloc,
	.realloc = heap_realloc,
	.aligned_alloc = heap_aligned_alloc,
	.aligned_free = heap_aligned_free,
};

/* --- updates --- */

static void message_from_raft(const struct raft_message *from, struct raft_engine_message *to)
{
	*to = (struct raft_engine_message){
		.kind = (enum raft_engine_message_kind)from->type,
		.peer_replica_id = from->server_id,
		.peer_node_id = raft_engine_parse_address(from->server_address),
	};
	switch (from->type) {
	case RAFT_APPEND_ENTRIES:
		to->version = from->append_entries.version;
		to->term = from->append_entries.term;
		to->prev_index = from->append_entries.prev_log_index;
		to->prev_term = from->append_entries.prev_log_term;
		to->commit_index = from->append_entries.leader_commit;
		to->entry_count = from->append_entries.n_entries;
		break;
	case RAFT_APPEND_ENTRIES_RESULT:
		to->version = from->append_entries_result.version;
		to->term = from->append_entries_result.term;
		to->rejected_index = from->append_entries_result.rejected;
		to->last_index = from->append_entries_result.last_log_index;
		to->features = from->append_entries_result.features;
		to->capacity = from->append_entries_result.capacity;
		break;
	case RAFT_REQUEST_VOTE:
		to->version = from->request_vote.version;
		to->term = from->request_vote.term;
		to->candidate_id = from->request_vote.candidate_id;
		to->prev_index = from->request_vote.last_log_index;
		to->prev_term = from->request_vote.last_log_term;
		to->disrupt_leader = from->request_vote.disrupt_leader;
		to->is_pre_vote = from->request_vote.pre_vote;
		break;
	case RAFT_REQUEST_VOTE_RESULT:
		to->version = from->request_vote_result.version;
		to->term = from->request_vote_result.term;
		to->is_granted = from->request_vote_result.vote_granted;
		to->is_pre_vote = from->request_vote_result.pre_vote;
		to->features = from->request_vote_result.features;
		to->capacity = from->request_vote_result.capacity;
		break;
	case RAFT_INSTALL_SNAPSHOT:
		to->version = from->install_snapshot.version;
		to->term = from->install_snapshot.term;
		break;
	case RAFT_TIMEOUT_NOW:
		to->version = from->timeout_now.version;
		to->term = from->timeout_now.term;
		to->prev_index = from->timeout_now.last_log_index;
		to->prev_term = from->timeout_now.last_log_term;
		break;
	}
}

/* The library answers a pre-vote with the term that was asked for.  A candidate whose log is needed
 * but whose term is behind would then never learn of the newer one, and nobody could win.
 * And it refuses entries of an old term without saying where its own log ends: what is in that
 * field then is whatever was in memory. */
static void complete_message(struct raft_engine *engine, struct raft_engine_message *message)
{
	uint64_t own_term = raft_current_term(&engine->raft);

	if (message->kind == RAFT_MESSAGE_VOTE_RESULT && message->is_pre_vote && !message->is_granted &&
	    message->term < own_term)
		message->term = own_term;
	if (message->kind == RAFT_MESSAGE_APPEND_RESULT && message->rejected_index > 0)
		message->last_index = raft_last_index(&engine->raft);
}

static void translate_messages(struct raft_engine *engine, const struct raft_update *from,
			       struct raft_engine_update *to)
{
	uint32_t count = from->messages.n;

	if (count == 0)
		return;
	if (count > engine->message_capacity) {
		engine->messages = realloc(engine->messages, count * sizeof(*engine->messages));
		CHECK(engine->messages != NULL);
		engine->message_capacity = count;
	}
	for (uint32_t i = 0; i < count; i++) {
		message_from_raft(&from->messages.batch[i], &engine->messages[i]);
		complete_message(engine, &engine->messages[i]);
	}
	to->messages = engine->messages;
	to->message_count = count;
}

/* What the running step was given, to find our entries again in its update. */
struct step_input {
	const struct raft_entry *raft_entries;
	const struct log_entry *entries;
};

/* The entry that the library adds by itself when it becomes leader with an unsettled tail. */
static void own_barrier(const struct raft_entry *barrier, struct log_entry *entry_out)
{
	entry_out->term = barrier->term;
	entry_out->type = LOG_ENTRY_BARRIER;
	entry_out->body = log_body_create(BARRIER_SIZE);
	CHECK(entry_out->body != NULL);
	entry_out->body->data[0] = 0;
	raft_free(barrier->buf.base);
}

static void step(struct raft_engine *engine, struct raft_event *event, const struct step_input *input,
		 int *result_out)
{
	struct raft_update raft_update;
	struct raft_engine_update update = { 0 };
	struct raft_engine_position install;
	struct log_entry barrier = { 0 };
	int result;

	CHECK(!engine->is_stepping);
	engine->is_stepping = true;
	memset(&raft_update, 0, sizeof(raft_update));
	result = raft_step(&engine->raft, event, &raft_update);
	if (result_out != NULL)
		*result_out = result;
	else
		CHECK(result == 0);
	if (result != 0)
		goto out;

	update.hard_state_changed = (raft_update.flags &
				     (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR)) != 0;
	update.state_changed = (raft_update.flags & (RAFT_UPDATE_STATE)) != 0;
	update.commit_changed = (raft_update.flags & (RAFT_UPDATE_COMMIT_INDEX)) != 0;
	if ((raft_update.flags & (RAFT_UPDATE_ENTRIES)) != 0) {
		update.entries_first_index = raft_update.entries.index;
		update.entry_count = raft_update.entries.n;
		if (raft_update.entries.batch == &engine->raft.barrier) {
			own_barrier(raft_update.entries.batch, &barrier);
			update.entries = &barrier;
		} else {
			CHECK(input != NULL && input->raft_entries != NULL);
			update.entries = input->entries + (raft_update.entries.batch - input->raft_entries);
		}
	}
	if ((raft_update.flags & (RAFT_UPDATE_SNAPSHOT)) != 0) {
		install.index = raft_update.snapshot.metadata.index;
		install.term = raft_update.snapshot.metadata.term;
		raft_engine_configuration_from(&raft_update.snapshot.metadata.configuration,
					       raft_update.snapshot.metadata.configuration_index,
					       &install.configuration);
		raft_configuration_close(&raft_update.snapshot.metadata.configuration);
		update.install = &install;
	}
	if ((raft_update.flags & (RAFT_UPDATE_MESSAGES)) != 0)
		translate_messages(engine, &raft_update, &update);
	engine->on_update(engine->context, &update);
	log_body_release(barrier.body);
out:
	engine->is_stepping = false;
}

static struct raft_event event_of(enum raft_event_type type, uint64_t now_ms)
{
	struct raft_event event;

	memset(&event, 0, sizeof(event));
	event.type = type;
	event.time = now_ms;
	return event;
}

static void entry_to_raft(const struct log_entry *from, struct raft_entry *to)
{
	*to = (struct raft_entry){
		.term = from->term,
		.type = (enum raft_entry_type)from->type,
		.buf = { .base = from->body->data, .len = from->body->size_bytes },
		.batch = &shared_batch,
	};
}

/* --- life --- */

struct raft_engine *raft_engine_create(const struct raft_engine_options *options)
{
	struct raft_engine *engine = calloc(1, sizeof(*engine));
	char address[NODE_ADDRESS_SIZE];

	if (engine == NULL)
		return NULL;
	raft_heap_set(&heap);
	raft_engine_format_address(address, options->node_id);
	if (raft_init(&engine->raft, NULL, NULL, options->replica_id, address) != 0) {
		free(engine);
		return NULL;
	}
	engine->raft.tracer = NULL; /* the library's own prints every event into a buffer, to drop it */
	raft_seed(&engine->raft, options->seed);
	raft_set_election_timeout(&engine->raft, options->election_timeout_ms);
	raft_set_heartbeat_timeout(&engine->raft, options->heartbeat_ms);
	raft_set_install_snapshot_timeout(&engine->raft, INSTALL_SNAPSHOT_TIMEOUT_MS);
	raft_set_pre_vote(&engine->raft, true);
	raft_set_max_inflight_entries(&engine->raft, options->inflight_entries_max);
	engine->on_update = options->on_update;
	engine->context = options->context;
	return engine;
}

void raft_engine_destroy(struct raft_engine *engine)
{
	if (engine == NULL)
		return;
	CHECK(!engine->is_stepping);
	raft_close(&engine->raft, NULL);
	free(engine->messages);
	free(engine);
}

void raft_engine_start(struct raft_engine *engine, uint64_t now_ms, uint64_t term, uint64_t voted_for,
		       const struct raft_engine_position *position, uint64_t first_index,
		       const struct log_entry *entries, uint32_t entry_count)
{
	struct raft_event event = event_of(RAFT_START, now_ms);
	struct raft_snapshot_metadata metadata;
	struct raft_entry *raft_entries = calloc((size_t)entry_count + 1, sizeof(*raft_entries));
	struct step_input input = { raft_entries, entries };

	CHECK(raft_entries != NULL);
	CHECK_IMPLIES(position == NULL, entry_count == 0);
	for (uint32_t i = 0; i < entry_count; i++)
		entry_to_raft(&entries[i], &raft_entries[i]);
	event.start.term = term;
	event.start.voted_for = voted_for;
	if (position != NULL) {
		raft_engine_configuration_to_metadata(position, &metadata);
		event.start.metadata = &metadata;
	}
	event.start.start_index = position == NULL ? 1 : first_index;
	event.start.entries = raft_entries;
	event.start.n_entries = entry_count;
	step(engine, &event, &input, NULL);
	free(raft_entries);
}

/* --- receiving --- */

/* A configuration change must be the first entry of what the library sees at once: it
 * records the index of the first entry for any change in the message. */
static uint32_t count_before_change(const struct log_entry *entries, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		if (entries[i].type == LOG_ENTRY_CHANGE)
			return i;
	}
	return count;
}

static void receive_append_part(struct raft_engine *engine, uint64_t now_ms,
				struct raft_message *raft_message, const struct log_entry *entries,
				uint32_t count)
{
	struct raft_event event = event_of(RAFT_RECEIVE, now_ms);
	struct raft_entry raft_entries[RAFT_ENGINE_ENTRIES_MAX];
	struct step_input input = { raft_entries, entries };
	struct raft_append_entries *append = &raft_message->append_entries;

	CHECK(count <= RAFT_ENGINE_ENTRIES_MAX);
	for (uint32_t i = 0; i < count; i++)
		entry_to_raft(&entries[i], &raft_entries[i]);
	append->entries = count == 0 ? NULL : raft_entries;
	append->n_entries = count;
	if (append->leader_commit > append->prev_log_index + count)
		append->leader_commit = append->prev_log_index + count;
	event.receive.message = raft_message;
	step(engine, &event, &input, NULL);
}

/* Entries at or below what is applied are cut off: the library's bookkeeping has forgotten
 * them and would take them for new ones. */
static void receive_append(struct raft_engine *engine, uint64_t now_ms, struct raft_message *raft_message,
			   const struct raft_engine_message *message, uint64_t applied_index,
			   uint64_t applied_term)
{
	struct raft_append_entries *append = &raft_message->append_entries;
	uint64_t settled = raft_commit_index(&engine->raft);
	uint32_t offset = 0;
	uint32_t count = message->entry_count;

	if (applied_index < settled)
		settled = applied_index;
	if (message->term >= raft_current_term(&engine->raft) && !engine->raft.snapshot.installing &&
	    settled > 0 && message->prev_index < settled) {
		if (message->prev_index + count <= settled) {
			append->prev_log_index = settled;
			append->prev_log_term = applied_term;
			count = 0;
		} else {
			offset = (uint32_t)(settled - message->prev_index);
			append->prev_log_index = settled;
			append->prev_log_term = message->entries[offset - 1].term;
		}
	}
	do {
		uint32_t part = count == 0 ? 0
					   : count_before_change(message->entries + offset, count - offset);

		append->leader_commit = message->commit_index;
		receive_append_part(engine, now_ms, raft_message,
				    part == 0 ? NULL : message->entries + offset, part);
		if (part == 0)
			break;
		offset += part;
		append->prev_log_index += part;
		append->prev_log_term = message->entries[offset - 1].term;
	} while (offset < count);
}

static void message_to_raft(const struct raft_engine_message *from, struct raft_message *to)
{
	switch (from->kind) {
	case RAFT_MESSAGE_APPEND:
		to->append_entries.version = (unsigned char)from->version;
		to->append_entries.term = from->term;
		to->append_entries.prev_log_index = from->prev_index;
		to->append_entries.prev_log_term = from->prev_term;
		break;
	case RAFT_MESSAGE_APPEND_RESULT:
		to->append_entries_result.version = (unsigned char)from->version;
		to->append_entries_result.term = from->term;
		to->append_entries_result.rejected = from->rejected_index;
		to->append_entries_result.last_log_index = from->last_index;
		to->append_entries_result.features = (unsigned short)from->features;
		to->append_entries_result.capacity = (unsigned short)from->capacity;
		break;
	case RAFT_MESSAGE_VOTE:
		to->request_vote.version = (unsigned char)from->version;
		to->request_vote.term = from->term;
		to->request_vote.candidate_id = from->candidate_id;
		to->request_vote.last_log_index = from->prev_index;
		to->request_vote.last_log_term = from->prev_term;
		to->request_vote.disrupt_leader = from->disrupt_leader;
		to->request_vote.pre_vote = from->is_pre_vote;
		break;
	case RAFT_MESSAGE_VOTE_RESULT:
		to->request_vote_result.version = (unsigned char)from->version;
		to->request_vote_result.term = from->term;
		to->request_vote_result.vote_granted = from->is_granted;
		to->request_vote_result.pre_vote = from->is_pre_vote;
		to->request_vote_result.features = (unsigned short)from->features;
		to->request_vote_result.capacity = (unsigned short)from->capacity;
		break;
	case RAFT_MESSAGE_TIMEOUT_NOW:
		to->timeout_now.version = (unsigned char)from->version;
		to->timeout_now.term = from->term;
		to->timeout_now.last_log_index = from->prev_index;
		to->timeout_now.last_log_term = from->prev_term;
		break;
	case RAFT_MESSAGE_INSTALL_SNAPSHOT:
		UNREACHABLE(); /* offered by raft_engine_offer_snapshot() */
	}
}

/* The library looks into a candidate's state before it asks whether there is one, and takes for
 * granted that nobody grants a term that it did not ask for. */
static bool is_stray_vote(const struct raft_engine *engine, const struct raft_engine_message *message)
{
	return message->kind == RAFT_MESSAGE_VOTE_RESULT &&
	       (engine->raft.state != RAFT_CANDIDATE ||
		(message->is_granted && message->term > raft_current_term(&engine->raft) + 1));
}

/* An old answer: what a follower has acknowledged it does not lack.  The library would send again
 * from below that.  But whoever has seen a newer term must be heard, or it stays out for good. */
static bool is_stale_rejection(const struct raft_engine *engine, const struct raft_engine_message *message)
{
	raft_index match;

	return message->kind == RAFT_MESSAGE_APPEND_RESULT && message->rejected_index > 0 &&
	       message->term <= raft_current_term(&engine->raft) &&
	       raft_match_index(&engine->raft, message->peer_replica_id, &match) == 0 &&
	       (message->rejected_index <= match || message->last_index < match);
}

void raft_engine_receive(struct raft_engine *engine, uint64_t now_ms,
			 const struct raft_engine_message *message, uint64_t applied_index,
			 uint64_t applied_term)
{
	struct raft_event event = event_of(RAFT_RECEIVE, now_ms);
	struct raft_message raft_message;
	char address[NODE_ADDRESS_SIZE];

	if (is_stray_vote(engine, message) || is_stale_rejection(engine, message))
		return;
	memset(&raft_message, 0, sizeof(raft_message));
	raft_engine_format_address(address, message->peer_node_id);
	raft_message.type = (enum raft_message_type)message->kind;
	raft_message.server_id = message->peer_replica_id;
	raft_message.server_address = address;
	message_to_raft(message, &raft_message);
	if (message->kind == RAFT_MESSAGE_APPEND) {
		receive_append(engine, now_ms, &raft_message, message, applied_index, applied_term);
		return;
	}
	event.receive.message = &raft_message;
	step(engine, &event, NULL, NULL);
}

void raft_engine_offer_snapshot(struct raft_engine *engine, uint64_t now_ms, uint64_t from_replica_id,
				uint64_t from_node_id, uint64_t term,
				const struct raft_engine_position *position)
{
	struct raft_event event = event_of(RAFT_RECEIVE, now_ms);
	struct raft_message message;
	char address[NODE_ADDRESS_SIZE];

	memset(&message, 0, sizeof(message));
	raft_engine_format_address(address, from_node_id);
	message.type = RAFT_INSTALL_SNAPSHOT;
	message.server_id = from_replica_id;
	message.server_address = address;
	message.install_snapshot.term = term;
	message.install_snapshot.last_index = position->index;
	message.install_snapshot.last_term = position->term;
	message.install_snapshot.conf_index = position->configuration.index;
	message.install_snapshot.data.base = &shared_batch;
	CHECK(raft_engine_configuration_to(&position->configuration, &message.install_snapshot.conf) ==
	      ST_OK);
	event.receive.message = &message;
	/* An offer while another is being installed, by a leader of an older term or by a second one of our
	 * own, is dropped, with its configuration.  To one of an older term the library would answer with our
	 * term, as if it had been taken, up to an index that it does not fill in: who leads in our term would
	 * count us for all of its log. */
	if (engine->raft.snapshot.installing || term < raft_current_term(&engine->raft) ||
	    (engine->raft.state == RAFT_LEADER && term == raft_current_term(&engine->raft))) {
		raft_configuration_close(&message.install_snapshot.conf);
		return;
	}
	step(engine, &event, NULL, NULL);
}

/* --- other events --- */

void raft_engine_persisted(struct raft_engine *engine, uint64_t now_ms, uint64_t index)
{
	struct raft_event event = event_of(RAFT_PERSISTED_ENTRIES, now_ms);

	if (index <= engine->raft.last_stored || engine->raft.snapshot.installing)
		return;
	event.persisted_entries.index = index;
	step(engine, &event, NULL, NULL);
}

void raft_engine_installed(struct raft_engine *engine, uint64_t now_ms,
			   const struct raft_engine_position *position)
{
	struct raft_event event = event_of(RAFT_PERSISTED_SNAPSHOT, now_ms);

	raft_engine_configuration_to_metadata(position, &event.persisted_snapshot.metadata);
	event.persisted_snapshot.last = true;
	step(engine, &event, NULL, NULL);
}

void raft_engine_configuration_applied(struct raft_engine *engine, uint64_t now_ms,
				       const struct raft_engine_configuration *configuration)
{
	struct raft_event event = event_of(RAFT_CONFIGURATION, now_ms);

	event.configuration.index = configuration->index;
	CHECK(raft_engine_configuration_to(configuration, &event.configuration.conf) == ST_OK);
	step(engine, &event, NULL, NULL);
}

void raft_engine_compacted(struct raft_engine *engine, uint64_t now_ms,
			   const struct raft_engine_position *position, uint32_t trailing_count)
{
	struct raft_event event = event_of(RAFT_SNAPSHOT, now_ms);

	CHECK(!engine->raft.snapshot.installing);
	raft_engine_configuration_to_metadata(position, &event.snapshot.metadata);
	event.snapshot.trailing = trailing_count;
	step(engine, &event, NULL, NULL);
}

/* At each timeout the library asks whom the leader has heard since the one before, and to others it sends
 * new entries no longer at once, but with the next heartbeat.  Left alone, it speaks only to those whose
 * heartbeat is due: then two timeouts may follow each other closely, nobody had anything to answer
 * between them, and the next write waits for a heartbeat.  So a timeout speaks to all, and the next one
 * comes a heartbeat later. */
void raft_engine_timeout(struct raft_engine *engine, uint64_t now_ms)
{
	struct raft_event event = event_of(RAFT_TIMEOUT, now_ms);
	unsigned heartbeat_ms = engine->raft.heartbeat_timeout;

	raft_set_heartbeat_timeout(&engine->raft, DUE_NOW_MS);
	step(engine, &event, NULL, NULL);
	raft_set_heartbeat_timeout(&engine->raft, heartbeat_ms);
}

enum status raft_engine_submit(struct raft_engine *engine, uint64_t now_ms, struct log_entry *entries,
			       uint32_t entry_count)
{
	struct raft_event event = event_of(RAFT_SUBMIT, now_ms);
	struct raft_entry raft_entries[RAFT_ENGINE_ENTRIES_MAX];
	struct step_input input = { raft_entries, entries };
	int result;

	CHECK(entry_count > 0 && entry_count <= RAFT_ENGINE_ENTRIES_MAX);
	for (uint32_t i = 0; i < entry_count; i++) {
		entries[i].term = raft_current_term(&engine->raft);
		entry_to_raft(&entries[i], &raft_entries[i]);
	}
	event.submit.entries = raft_entries;
	event.submit.n = entry_count;
	step(engine, &event, &input, &result);
	switch (result) {
	case 0:
		return ST_OK;
	case RAFT_NOTLEADER:
		return ST_NOT_LEADER;
	case RAFT_CANTCHANGE:
		return ST_BUSY;
	default:
		return ST_NO_MEMORY;
	}
}

enum status raft_engine_transfer(struct raft_engine *engine, uint64_t now_ms, uint64_t replica_id)
{
	struct raft_event event = event_of(RAFT_TRANSFER, now_ms);
	int result;

	event.transfer.server_id = replica_id;
	step(engine, &event, NULL, &result);
	switch (result) {
	case 0:
		return ST_OK;
	case RAFT_NOTLEADER:
		return ST_NOT_LEADER;
	case RAFT_BADID:
	case RAFT_NOTFOUND:
		return ST_NOT_FOUND;
	default:
		return ST_NO_MEMORY;
	}
}

static void forget_leader(struct raft *raft)
{
	if (raft->follower_state.current_leader.address != NULL)
		raft_free(raft->follower_state.current_leader.address);
	raft->follower_state.current_leader.address = NULL;
	raft->follower_state.current_leader.id = 0;
}

void raft_engine_campaign(struct raft_engine *engine, uint64_t now_ms, uint64_t delay_ms)
{
	struct raft *raft = &engine->raft;
	uint64_t timeout_ms;

	if (raft->state == RAFT_FOLLOWER) {
		forget_leader(raft);
		timeout_ms = raft->follower_state.randomized_election_timeout;
	} else if (raft->state == RAFT_CANDIDATE) {
		timeout_ms = raft->candidate_state.randomized_election_timeout;
	} else {
		return;
	}
	/* The timer is due when its start plus the randomized timeout has come. */
	if (now_ms + delay_ms > timeout_ms)
		raft->election_timer_start = now_ms + delay_ms - timeout_ms;
}

void raft_engine_set_heartbeat_ms(struct raft_engine *engine, uint32_t heartbeat_ms)
{
	raft_set_heartbeat_timeout(&engine->raft, heartbeat_ms);
}

void raft_engine_set_inflight_entries_max(struct raft_engine *engine, uint32_t count)
{
	raft_set_max_inflight_entries(&engine->raft, count);
}

/* --- questions --- */

enum raft_engine_state raft_engine_state(const struct raft_engine *engine)
{
	switch (engine->raft.state) {
	case RAFT_LEADER:
		return RAFT_STATE_LEADER;
	case RAFT_CANDIDATE:
		return RAFT_STATE_CANDIDATE;
	default:
		return RAFT_STATE_FOLLOWER;
	}
}

uint64_t raft_engine_term(const struct raft_engine *engine)
{
	return raft_current_term(&engine->raft);
}

uint64_t raft_engine_voted_for(const struct raft_engine *engine)
{
	return raft_voted_for(&engine->raft);
}

uint64_t raft_engine_commit_index(const struct raft_engine *engine)
{
	return raft_commit_index(&engine->raft);
}

uint64_t raft_engine_last_stored(const struct raft_engine *engine)
{
	return engine->raft.last_stored;
}

uint64_t raft_engine_last_index(const struct raft_engine *engine)
{
	return raft_last_index((struct raft *)(uintptr_t)&engine->raft);
}

uint64_t raft_engine_deadline_ms(const struct raft_engine *engine)
{
	return raft_timeout(&engine->raft);
}

bool raft_engine_is_installing(const struct raft_engine *engine)
{
	return engine->raft.snapshot.installing;
}

bool raft_engine_is_transferring(const struct raft_engine *engine)
{
	return raft_transferee(&engine->raft) != 0;
}

bool raft_engine_is_changing(const struct raft_engine *engine)
{
	return engine->raft.configuration_uncommitted_index != 0;
}

void raft_engine_leader(const struct raft_engine *engine, uint64_t *replica_id_out, uint64_t *node_id_out)
{
	const char *address = NULL;
	raft_id id = 0;

	raft_leader((struct raft *)(uintptr_t)&engine->raft, &id, &address);
	*replica_id_out = id;
	*node_id_out = id == 0 ? 0 : raft_engine_parse_address(address);
}

void raft_engine_configuration(const struct raft_engine *engine,
			       struct raft_engine_configuration *configuration_out)
{
	const struct raft *raft = &engine->raft;
	uint64_t index = raft->configuration_uncommitted_index != 0 ? raft->configuration_uncommitted_index
								    : raft->configuration_committed_index;

	raft_engine_configuration_from(&raft->configuration, index, configuration_out);
}

uint64_t raft_engine_member_node(const struct raft_engine *engine, uint64_t replica_id)
{
	const struct raft_configuration *configuration = &engine->raft.configuration;

	for (unsigned i = 0; i < configuration->n; i++) {
		if (configuration->servers[i].id == replica_id)
			return raft_engine_parse_address(configuration->servers[i].address);
	}
	return 0;
}

bool raft_engine_match_index(const struct raft_engine *engine, uint64_t replica_id, uint64_t *index_out)
{
	raft_index index;

	if (raft_match_index(&engine->raft, replica_id, &index) != 0)
		return false;
	*index_out = index;
	return true;
}
