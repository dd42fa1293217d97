#include "replication/io/peer_link.h"

#include <stdlib.h>

#include "proto/base/check.h"
#include "proto/base/fault.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"
#include "replication/io/message_codec.h"

enum {
	/* Unpacked messages of one frame: the frame itself plus bookkeeping. */
	RECEIVE_ARENA_BYTES_MAX = 64 * 1024 * 1024,
	LIST_CAPACITY_MIN = 16,
};

/* A growing array of pointers into the outbox's arena. */
struct pointer_list {
	void **items;
	size_t count;
	size_t capacity;
};

struct outbox {
	uint64_t node_id;
	uint64_t heard_mono_us; /* the peer's newest frame */
	bool is_peer_full;      /* as it said in that */
	bool refuses_entries;   /* likewise */
	struct arena arena;
	struct pointer_list messages;
	struct pointer_list confirms;
	struct pointer_list confirmed;
	struct pointer_list echoes;
	struct pointer_list bodies; /* retained until packed */
	size_t queued_bytes;
};

static bool pointer_list_add(struct pointer_list *list, void *item)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity == 0 ? LIST_CAPACITY_MIN : 2 * list->capacity;
		void **items = realloc(list->items, capacity * sizeof(*items));

		if (items == NULL)
			return false;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = item;
	return true;
}

static void outbox_clear(struct outbox *outbox)
{
	for (size_t i = 0; i < outbox->bodies.count; i++)
		log_body_release(outbox->bodies.items[i]);
	outbox->bodies.count = 0;
	outbox->messages.count = 0;
	outbox->confirms.count = 0;
	outbox->confirmed.count = 0;
	outbox->echoes.count = 0;
	outbox->queued_bytes = 0;
	arena_reset(&outbox->arena);
}

static void outbox_destroy(struct outbox *outbox)
{
	outbox_clear(outbox);
	free(outbox->messages.items);
	free(outbox->confirms.items);
	free(outbox->confirmed.items);
	free(outbox->echoes.items);
	free(outbox->bodies.items);
	arena_close(&outbox->arena);
	free(outbox);
}

static bool outbox_is_empty(const struct outbox *outbox)
{
	return outbox->messages.count == 0 && outbox->confirms.count == 0 && outbox->confirmed.count == 0 &&
	       outbox->echoes.count == 0;
}

/* Made if new; NULL when out of memory. */
static struct outbox *find_or_make(struct peer_link *link, uint64_t node_id)
{
	struct outbox *outbox = hash_map_get(&link->outboxes, node_id);

	if (outbox != NULL)
		return outbox;
	outbox = calloc(1, sizeof(*outbox));
	if (outbox == NULL)
		return NULL;
	outbox->node_id = node_id;
	arena_init(&outbox->arena, 2 * (size_t)PEER_LINK_QUEUE_BYTES_MAX);
	if (hash_map_put(&link->outboxes, node_id, outbox) == ST_OK)
		return outbox;
	free(outbox);
	return NULL;
}

/* The outbox for a node with room for one more, NULL to drop. */
static struct outbox *outbox_for(struct peer_link *link, uint64_t node_id, size_t size_bytes)
{
	struct outbox *outbox = find_or_make(link, node_id);

	if (outbox == NULL)
		return NULL;
	if (outbox->messages.count >= PEER_LINK_MESSAGES_MAX ||
	    (outbox->queued_bytes > 0 && outbox->queued_bytes + size_bytes > PEER_LINK_QUEUE_BYTES_MAX))
		return NULL;
	runtime_defer(link->runtime, &link->flush);
	return outbox;
}

static void pack_and_post(struct peer_link *link, struct outbox *outbox)
{
	Cleave__RaftBatch batch;
	uint8_t *start;
	size_t size_bytes;

	cleave__raft_batch__init(&batch);
	batch.messages = (Cleave__RaftMessage **)outbox->messages.items;
	batch.n_messages = outbox->messages.count;
	batch.confirms = (Cleave__ConfirmRequest **)outbox->confirms.items;
	batch.n_confirms = outbox->confirms.count;
	batch.confirmed = (Cleave__ConfirmReply **)outbox->confirmed.items;
	batch.n_confirmed = outbox->confirmed.count;
	batch.echoes = (Cleave__LeaseEcho **)outbox->echoes.items;
	batch.n_echoes = outbox->echoes.count;
	batch.is_disk_full = link->is_disk_full;
	batch.refuses_entries = link->refuses_entries;
	size_bytes = cleave__raft_batch__get_packed_size(&batch);
	buf_reset(&link->frame);
	start = buf_extend(&link->frame, size_bytes);
	if (start == NULL) {
		link->dropped_count++;
		return;
	}
	(void)cleave__raft_batch__pack(&batch, start);
	if (rpc_post(link->transport, outbox->node_id, METHOD_RAFT_MESSAGES, buf_slice(&link->frame)) !=
	    ST_OK)
		link->dropped_count++;
}

static void on_turn_end(struct runtime_task *task)
{
	struct peer_link *link = CONTAINER_OF(task, struct peer_link, flush);
	struct outbox *outbox;
	size_t cursor = 0;

	while ((outbox = hash_map_next(&link->outboxes, &cursor)) != NULL) {
		if (outbox_is_empty(outbox))
			continue;
		pack_and_post(link, outbox);
		outbox_clear(outbox);
	}
}

void peer_link_init(struct peer_link *link, struct runtime *runtime, struct rpc_transport *transport,
		    const struct peer_link_receiver *receiver)
{
	*link = (struct peer_link){ .runtime = runtime, .transport = transport, .receiver = *receiver };
	hash_map_init(&link->outboxes, PEER_LINK_PEERS_MAX);
	runtime_task_init(&link->flush, on_turn_end);
	buf_init(&link->frame, 2 * (size_t)PEER_LINK_QUEUE_BYTES_MAX);
	arena_init(&link->arena, RECEIVE_ARENA_BYTES_MAX);
}

void peer_link_close(struct peer_link *link)
{
	struct outbox *outbox;
	size_t cursor = 0;

	runtime_task_cancel(&link->flush);
	while ((outbox = hash_map_next(&link->outboxes, &cursor)) != NULL)
		outbox_destroy(outbox);
	hash_map_close(&link->outboxes);
	buf_close(&link->frame);
	arena_close(&link->arena);
}

static bool retain_bodies(struct outbox *outbox, const struct log_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!pointer_list_add(&outbox->bodies, entries[i].body))
			return false;
		(void)log_body_retain(entries[i].body);
		outbox->queued_bytes += entries[i].body->size_bytes;
	}
	return true;
}

void peer_link_send(struct peer_link *link, uint64_t group_id, uint64_t from_replica_id,
		    const struct raft_engine_message *message, const struct log_entry *entries)
{
	Cleave__RaftMessage *encoded;
	struct outbox *outbox;
	size_t size_bytes = 0;

	for (uint32_t i = 0; i < message->entry_count; i++)
		size_bytes += entries[i].body->size_bytes;
	outbox = outbox_for(link, message->peer_node_id, size_bytes);
	if (outbox == NULL || fault_fires(FAULT_LINK_DROP)) {
		link->dropped_count++;
		return;
	}
	encoded = message_codec_encode(&outbox->arena, group_id, from_replica_id, message, entries,
				       runtime_mono_us(link->runtime));
	if (encoded == NULL || !retain_bodies(outbox, entries, message->entry_count) ||
	    !pointer_list_add(&outbox->messages, encoded))
		link->dropped_count++;
}

void peer_link_send_confirm(struct peer_link *link, uint64_t node_id, const struct peer_link_confirm *confirm)
{
	struct outbox *outbox = outbox_for(link, node_id, 0);
	Cleave__ConfirmRequest *encoded = outbox == NULL ? NULL
							 : arena_alloc(&outbox->arena, sizeof(*encoded));

	if (encoded == NULL) {
		link->dropped_count++;
		return;
	}
	cleave__confirm_request__init(encoded);
	encoded->group_id = confirm->group_id;
	encoded->term = confirm->term;
	encoded->round = confirm->round;
	encoded->from_replica = confirm->replica_id;
	if (!pointer_list_add(&outbox->confirms, encoded))
		link->dropped_count++;
}

void peer_link_send_confirm_reply(struct peer_link *link, uint64_t node_id,
				  const struct peer_link_confirm *confirm)
{
	struct outbox *outbox = outbox_for(link, node_id, 0);
	Cleave__ConfirmReply *encoded = outbox == NULL ? NULL : arena_alloc(&outbox->arena, sizeof(*encoded));

	if (encoded == NULL) {
		link->dropped_count++;
		return;
	}
	cleave__confirm_reply__init(encoded);
	encoded->group_id = confirm->group_id;
	encoded->term = confirm->term;
	encoded->round = confirm->round;
	encoded->from_replica = confirm->replica_id;
	if (!pointer_list_add(&outbox->confirmed, encoded))
		link->dropped_count++;
}

void peer_link_send_echo(struct peer_link *link, uint64_t node_id, const struct peer_link_echo *echo)
{
	struct outbox *outbox = outbox_for(link, node_id, 0);
	Cleave__LeaseEcho *encoded = outbox == NULL ? NULL : arena_alloc(&outbox->arena, sizeof(*encoded));

	if (encoded == NULL) {
		link->dropped_count++;
		return;
	}
	cleave__lease_echo__init(encoded);
	encoded->group_id = echo->group_id;
	encoded->term = echo->term;
	encoded->sent_mono_us = echo->sent_mono_us;
	encoded->from_replica = echo->replica_id;
	if (!pointer_list_add(&outbox->echoes, encoded))
		link->dropped_count++;
}

static void note_frame(struct peer_link *link, uint64_t from_node_id, const Cleave__RaftBatch *batch)
{
	struct outbox *outbox = find_or_make(link, from_node_id);

	if (outbox == NULL)
		return; /* the next frame says it again */
	outbox->heard_mono_us = runtime_mono_us(link->runtime);
	outbox->refuses_entries = batch->refuses_entries;
	if (batch->is_disk_full && !outbox->is_peer_full)
		link->full_peer_count++;
	else if (!batch->is_disk_full && outbox->is_peer_full)
		link->full_peer_count--;
	outbox->is_peer_full = batch->is_disk_full;
}

bool peer_link_is_disk_full(const struct peer_link *link, uint64_t node_id)
{
	const struct outbox *outbox = hash_map_get(&link->outboxes, node_id);

	return outbox != NULL && outbox->is_peer_full;
}

bool peer_link_refuses_entries(const struct peer_link *link, uint64_t node_id)
{
	const struct outbox *outbox = hash_map_get(&link->outboxes, node_id);

	return outbox != NULL && outbox->refuses_entries;
}

uint64_t peer_link_heard_mono_us(const struct peer_link *link, uint64_t node_id)
{
	const struct outbox *outbox = hash_map_get(&link->outboxes, node_id);

	return outbox == NULL ? 0 : outbox->heard_mono_us;
}

static void receive_messages(struct peer_link *link, uint64_t from_node_id, const Cleave__RaftBatch *batch)
{
	struct log_entry entries[RAFT_ENGINE_ENTRIES_MAX];

	for (size_t i = 0; i < batch->n_messages; i++) {
		const Cleave__RaftMessage *from = batch->messages[i];
		struct raft_engine_message message;

		if (message_codec_decode(from, from_node_id, &message, entries) != ST_OK) {
			link->dropped_count++;
			continue;
		}
		link->receiver.message(link->receiver.context, from->group_id, from->to_replica, &message,
				       from->sent_mono_us);
		message_codec_release(&message, entries);
	}
}

static void receive_rounds(struct peer_link *link, uint64_t from_node_id, const Cleave__RaftBatch *batch)
{
	const struct peer_link_receiver *receiver = &link->receiver;

	for (size_t i = 0; i < batch->n_confirms; i++) {
		const Cleave__ConfirmRequest *from = batch->confirms[i];
		struct peer_link_confirm confirm = { from->group_id, from->term, from->round,
						     from->from_replica };

		receiver->confirm_request(receiver->context, from_node_id, &confirm);
	}
	for (size_t i = 0; i < batch->n_confirmed; i++) {
		const Cleave__ConfirmReply *from = batch->confirmed[i];
		struct peer_link_confirm confirm = { from->group_id, from->term, from->round,
						     from->from_replica };

		receiver->confirm_reply(receiver->context, from_node_id, &confirm);
	}
	for (size_t i = 0; i < batch->n_echoes; i++) {
		const Cleave__LeaseEcho *from = batch->echoes[i];
		struct peer_link_echo echo = { from->group_id, from->term, from->sent_mono_us,
					       from->from_replica };

		receiver->lease_echo(receiver->context, from_node_id, &echo);
	}
}

enum status peer_link_receive(struct peer_link *link, uint64_t from_node_id, struct slice body)
{
	ProtobufCAllocator allocator = proto_arena_allocator(&link->arena);
	Cleave__RaftBatch *batch = cleave__raft_batch__unpack(&allocator, body.size, body.data);

	if (batch != NULL) {
		note_frame(link, from_node_id, batch);
		receive_messages(link, from_node_id, batch);
		receive_rounds(link, from_node_id, batch);
	}
	arena_reset(&link->arena);
	return batch == NULL ? ST_CORRUPT : ST_OK;
}
