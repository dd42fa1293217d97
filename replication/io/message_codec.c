#include "replication/io/message_codec.h"

static bool encode_entries(struct arena *arena, const struct log_entry *entries, uint32_t count,
			   Cleave__RaftMessage *out)
{
	Cleave__RaftEntry *encoded = arena_alloc(arena, count * sizeof(*encoded));
	Cleave__RaftEntry **pointers = arena_alloc(arena, count * sizeof(*pointers));

	if (encoded == NULL || pointers == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		cleave__raft_entry__init(&encoded[i]);
		encoded[i].term = entries[i].term;
		encoded[i].type = (uint32_t)entries[i].type;
		encoded[i].body = (ProtobufCBinaryData){ entries[i].body->size_bytes, entries[i].body->data };
		pointers[i] = &encoded[i];
	}
	out->entries = pointers;
	out->n_entries = count;
	return true;
}

Cleave__RaftMessage *message_codec_encode(struct arena *arena, uint64_t group_id, uint64_t from_replica_id,
					  const struct raft_engine_message *message,
					  const struct log_entry *entries, uint64_t sent_mono_us)
{
	Cleave__RaftMessage *out = arena_alloc(arena, sizeof(*out));

	if (out == NULL)
		return NULL;
	cleave__raft_message__init(out);
	out->kind = (Cleave__RaftMessage__Kind)message->kind;
	out->group_id = group_id;
	out->from_replica = from_replica_id;
	out->to_replica = message->peer_replica_id;
	out->version = message->version;
	out->term = message->term;
	out->prev_index = message->prev_index;
	out->prev_term = message->prev_term;
	out->commit_index = message->commit_index;
	out->rejected_index = message->rejected_index;
	out->last_index = message->last_index;
	out->candidate_id = message->candidate_id;
	out->flag_a = message->kind == RAFT_MESSAGE_VOTE ? message->disrupt_leader : message->is_granted;
	out->flag_b = message->is_pre_vote;
	out->features = message->features;
	out->capacity = message->capacity;
	out->sent_mono_us = sent_mono_us;
	if (message->entry_count > 0 && !encode_entries(arena, entries, message->entry_count, out))
		return NULL;
	return out;
}

static enum status decode_entry(const Cleave__RaftEntry *from, uint64_t leader_term, struct log_entry *out)
{
	struct raft_engine_configuration configuration;

	if (from->term == 0 || from->term > leader_term)
		return ST_INVALID;
	if (from->type < LOG_ENTRY_COMMAND || from->type > LOG_ENTRY_CHANGE || from->body.len == 0)
		return ST_INVALID;
	if (from->type == LOG_ENTRY_CHANGE &&
	    raft_engine_configuration_decode(slice_of(from->body.data, from->body.len), &configuration) !=
		    ST_OK)
		return ST_INVALID;
	out->body = log_body_create(from->body.len);
	if (out->body == NULL)
		return ST_NO_MEMORY;
	out->term = from->term;
	out->type = (enum log_entry_type)from->type;
	memcpy(out->body->data, from->body.data, from->body.len);
	return ST_OK;
}

static enum status decode_entries(const Cleave__RaftMessage *from, struct raft_engine_message *message,
				  struct log_entry *entries)
{
	uint64_t previous_term = from->prev_term;

	if (from->n_entries > RAFT_ENGINE_ENTRIES_MAX || from->kind != CLEAVE__RAFT_MESSAGE__KIND__APPEND)
		return ST_INVALID;
	message->entries = entries;
	for (size_t i = 0; i < from->n_entries; i++) {
		enum status status = decode_entry(from->entries[i], from->term, &entries[i]);

		if (status == ST_OK)
			message->entry_count++;
		if (status == ST_OK && entries[i].term < previous_term)
			status = ST_INVALID;
		if (status != ST_OK) {
			message_codec_release(message, entries);
			return status;
		}
		previous_term = entries[i].term;
	}
	return ST_OK;
}

static bool is_plausible(const Cleave__RaftMessage *from)
{
	/* The engine counts terms up and must not get to the end. */
	if (from->term == 0 || from->term > UINT64_MAX / 2 || from->from_replica == 0 ||
	    from->to_replica == 0 || from->version > UINT8_MAX)
		return false;
	switch (from->kind) {
	case CLEAVE__RAFT_MESSAGE__KIND__APPEND:
		return (from->prev_index == 0) == (from->prev_term == 0) && from->prev_term <= from->term &&
		       from->prev_index < UINT64_MAX / 2;
	case CLEAVE__RAFT_MESSAGE__KIND__VOTE:
		return from->candidate_id == from->from_replica;
	case CLEAVE__RAFT_MESSAGE__KIND__APPEND_RESULT:
	case CLEAVE__RAFT_MESSAGE__KIND__VOTE_RESULT:
	case CLEAVE__RAFT_MESSAGE__KIND__TIMEOUT_NOW:
		return true;
	default:
		return false; /* INSTALL_SNAPSHOT travels as staged chunks */
	}
}

enum status message_codec_decode(const Cleave__RaftMessage *from, uint64_t from_node_id,
				 struct raft_engine_message *message_out, struct log_entry *entries_out)
{
	if (!is_plausible(from))
		return ST_INVALID;
	*message_out = (struct raft_engine_message){
		.kind = (enum raft_engine_message_kind)from->kind,
		.peer_replica_id = from->from_replica,
		.peer_node_id = from_node_id,
		.version = from->version,
		.term = from->term,
		.prev_index = from->prev_index,
		.prev_term = from->prev_term,
		.commit_index = from->commit_index,
		.rejected_index = from->rejected_index,
		.last_index = from->last_index,
		.candidate_id = from->candidate_id,
		.disrupt_leader = from->kind == CLEAVE__RAFT_MESSAGE__KIND__VOTE && from->flag_a,
		.is_granted = from->kind == CLEAVE__RAFT_MESSAGE__KIND__VOTE_RESULT && from->flag_a,
		.is_pre_vote = from->flag_b,
		.features = from->features & UINT16_MAX,
		.capacity = from->capacity & UINT16_MAX,
	};
	return from->n_entries == 0 ? ST_OK : decode_entries(from, message_out, entries_out);
}

void message_codec_release(struct raft_engine_message *message, struct log_entry *entries)
{
	for (uint32_t i = 0; i < message->entry_count; i++)
		log_body_release(entries[i].body);
	message->entry_count = 0;
}
