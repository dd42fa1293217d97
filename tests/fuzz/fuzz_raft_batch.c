/* Arbitrary raft batches against a live group of three: a peer is authenticated and may still
 * send anything, and nothing that it sends may end the process.
 *
 * The input is a list of steps.  A step is raw bytes for peer_link_receive(), or a message made
 * of small numbers around what the receiver knows (so that replicas, terms and indexes often
 * match), or time that passes. */
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum { STEPS_MAX = 48, ENTRIES_MAX = 5, BATCH_SIZE_MAX = 4096, PROPOSALS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* --- a batch around what the receiver knows --- */

/* A number near base: mostly within a few of it, sometimes far. */
static uint64_t near_number(struct reader *input, uint64_t base)
{
	uint8_t chosen = reader_u8(input);

	if (chosen == 0xff)
		return reader_u64_be(input);
	return base + chosen % 16 - 8 + (chosen >= 0xf0 ? 100 : 0);
}

struct made_entries {
	Cleave__RaftEntry entries[ENTRIES_MAX];
	Cleave__RaftEntry *pointers[ENTRIES_MAX];
	struct log_body *members; /* of a sound CHANGE */
};

/* Members among the nodes of the fixture and one that does not exist. */
static struct log_body *make_members(struct reader *input)
{
	struct raft_engine_configuration configuration = { 0 };
	struct log_body *body = NULL;
	uint8_t mask = reader_u8(input);
	uint8_t roles = reader_u8(input);

	for (uint32_t i = 0; i < 5; i++) {
		if ((mask & (1u << i)) == 0)
			continue;
		configuration.members[configuration.count++] = (struct raft_engine_member){
			group_fixture_replica_of(i + 1), i + 1,
			(roles & (1u << i)) != 0 ? RAFT_ROLE_VOTER : RAFT_ROLE_STANDBY
		};
	}
	if (configuration.count > 0 && raft_engine_configuration_encode(&configuration, &body) != ST_OK)
		return NULL;
	return body;
}

static void make_entries(struct reader *input, Cleave__RaftMessage *message, struct made_entries *made)
{
	uint64_t term = message->prev_term;

	message->n_entries = reader_u8(input) % (ENTRIES_MAX + 1);
	message->entries = made->pointers;
	for (size_t i = 0; i < message->n_entries; i++) {
		Cleave__RaftEntry *entry = &made->entries[i];
		uint8_t shape = reader_u8(input);
		struct slice body = reader_bytes(input, shape % 8u < input->size ? shape % 8u : 0);

		cleave__raft_entry__init(entry);
		term += (shape >> 3) % 3;
		entry->term = term;
		entry->type = 1u + (shape >> 5) % 4;
		entry->body = (ProtobufCBinaryData){ body.size, (uint8_t *)(uintptr_t)body.data };
		if (entry->type == LOG_ENTRY_CHANGE && made->members == NULL)
			made->members = make_members(input);
		if (entry->type == LOG_ENTRY_CHANGE && made->members != NULL)
			entry->body = (ProtobufCBinaryData){ made->members->size_bytes, made->members->data };
		made->pointers[i] = entry;
	}
}

static void make_message(struct reader *input, struct group_fixture_node *node, uint64_t from,
			 Cleave__RaftMessage *message, struct made_entries *made)
{
	const struct group *group = node->group;
	uint8_t flags = reader_u8(input);

	cleave__raft_message__init(message);
	message->kind = (Cleave__RaftMessage__Kind)(flags % 8);
	message->flag_a = (flags & 0x10) != 0;
	message->flag_b = (flags & 0x20) != 0;
	message->version = (flags & 0x40) != 0 ? 1 : 2;
	message->group_id = GROUP_FIXTURE_GROUP;
	message->from_replica = group_fixture_replica_of((flags & 0x80) != 0 ? from % 4 + 1 : from);
	message->candidate_id = message->from_replica;
	message->to_replica = group->replica_id;
	message->term = near_number(input, raft_engine_term(group->engine));
	message->prev_index = near_number(input, group->log.last_index);
	message->prev_term = near_number(input, group->applied.term);
	message->commit_index = near_number(input, group->log.last_index);
	message->rejected_index = near_number(input, 4);
	message->last_index = near_number(input, group->log.last_index);
	if (message->kind == CLEAVE__RAFT_MESSAGE__KIND__APPEND)
		make_entries(input, message, made);
}

static void send_made(struct reader *input, struct group_fixture_node *node, uint64_t from)
{
	static uint8_t packed[BATCH_SIZE_MAX];
	struct made_entries made = { 0 };
	Cleave__RaftMessage message;
	Cleave__RaftMessage *messages[1] = { &message };
	Cleave__ConfirmReply confirmed = CLEAVE__CONFIRM_REPLY__INIT;
	Cleave__ConfirmReply *replies[1] = { &confirmed };
	Cleave__LeaseEcho echo = CLEAVE__LEASE_ECHO__INIT;
	Cleave__LeaseEcho *echoes[1] = { &echo };
	Cleave__RaftBatch batch = CLEAVE__RAFT_BATCH__INIT;

	make_message(input, node, from, &message, &made);
	batch.messages = messages;
	batch.n_messages = 1;
	confirmed.group_id = GROUP_FIXTURE_GROUP;
	confirmed.term = message.term;
	confirmed.round = node->group->next_round_id;
	confirmed.from_replica = message.from_replica;
	echo.group_id = GROUP_FIXTURE_GROUP;
	echo.term = message.term;
	echo.sent_mono_us = node->runtime.now_us;
	echo.from_replica = message.from_replica;
	batch.confirmed = replies;
	batch.n_confirmed = message.flag_a ? 1 : 0;
	batch.echoes = echoes;
	batch.n_echoes = message.flag_b ? 1 : 0;
	if (cleave__raft_batch__get_packed_size(&batch) <= sizeof(packed)) {
		size_t packed_size = cleave__raft_batch__pack(&batch, packed);

		(void)group_table_receive(&node->table, from, slice_of(packed, packed_size));
	}
	log_body_release(made.members);
}

/* --- steps --- */

static void on_read(struct group_read *read, enum status status)
{
	(void)status;
	free(read);
}

static void start_read(struct group_fixture_node *node)
{
	struct group_read *read = calloc(1, sizeof(*read));

	CHECK(read != NULL);
	read->cb = on_read;
	if (group_read_start(node->group, read) != ST_WOULD_BLOCK)
		free(read);
}

static void run_step(struct reader *input, struct group_fixture *f)
{
	uint8_t chosen = reader_u8(input);
	struct group_fixture_node *node = &f->nodes[1 + chosen % 3];
	uint64_t from = 1 + (chosen >> 2) % 4;
	uint64_t index;

	switch (chosen >> 5) {
	case 0:
		group_fixture_run_ms(f, reader_u8(input));
		break;
	case 1: {
		size_t size_bytes = reader_u8(input);

		(void)group_table_receive(
			&node->table, from,
			reader_bytes(input, size_bytes < input->size ? size_bytes : input->size));
		break;
	}
	case 2:
		start_read(node);
		for (uint32_t i = 0; i < PROPOSALS; i++)
			(void)group_propose(node->group, slice_of_string("p"), &index);
		break;
	case 3:
		group_fixture_run_ms(f, 5);
		break;
	default:
		send_made(input, node, from);
	}
}

/* Logs are cut early, so that who was misled needs a snapshot. */
static struct group_fixture *create_group(bool uses_leases)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
		.uses_leases = uses_leases,
		.compact_entries = 6,
		.trailing_entries = 2,
		.behind_entries_max = 8,
	};

	return group_fixture_create(3, &settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct group_fixture *f;
	struct reader input;

	log_set_level((enum log_level)(LOG_ERROR + 1)); /* refusals are the normal case here */
	reader_init(&input, slice_of(data, size_bytes));
	f = create_group(reader_u8(&input) % 2 == 1);
	(void)group_fixture_leader(f);
	for (uint32_t i = 0; i < STEPS_MAX && input.size > 0; i++)
		run_step(&input, f);
	group_fixture_run_ms(f, 2 * GROUP_FIXTURE_ELECTION_MS);
	group_fixture_destroy(f);
	return 0;
}
