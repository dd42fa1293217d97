#include "replication/group/snapshot_send.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/wire/methods.h"
#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"

enum {
	US_PER_MS = 1000,
	CHUNK_TIMEOUT_MS = 60 * 1000,
	RETRY_DELAY_MS = 1000,
	CHUNK_ARENA_BYTES_MAX = 16 * 1024 * 1024,
	CHUNK_BODY_BYTES_MAX = 16 * 1024 * 1024,
	CHUNK_ROWS_MAX = 16 * 1024,
};

/* OPEN --> READ --> SEND --> VERDICT --> READ ... --> END
 *   ^                           | failed, still leading
 *   +---- PAUSE <---------------+
 * READ waits for the job, SEND for the reply, PAUSE for the timer. */
enum phase { OPEN, READ, SEND, VERDICT, PAUSE, END };

struct snapshot_send {
	struct queue link; /* in group->sends */
	struct group *group;
	uint64_t replica_id;
	uint64_t node_id;
	uint64_t term;
	enum phase phase;
	enum status status;

	struct engine *engine;
	struct engine_snapshot *snapshot;
	struct raft_engine_position position;
	struct log_body *configuration;
	uint64_t snapshot_id;
	struct group_range ranges[GROUP_RANGES_MAX];
	size_t range_count;
	size_t range_index;
	struct engine_iter *iter;
	uint32_t chunk_number;
	bool is_last;

	struct arena keys; /* the ranges' bounds */
	struct arena rows; /* of the chunk being made */
	struct buf body;
	struct runtime_job job;
	struct rpc_call call;
	struct runtime_timer retry;
};

static void step(struct snapshot_send *send);

/* --- reading, off the loop --- */

static bool add_row(struct snapshot_send *send, Cleave__SnapshotChunk *chunk, Cleave__SnapshotRow **rows)
{
	struct slice key = send->engine->ops->iter_key(send->iter);
	struct slice value = send->engine->ops->iter_value(send->iter);
	Cleave__SnapshotRow *row = arena_alloc(&send->rows, sizeof(*row));
	uint8_t *key_copy = arena_copy(&send->rows, key);
	uint8_t *value_copy = arena_copy(&send->rows, value);

	if (row == NULL || key_copy == NULL || value_copy == NULL)
		return false;
	cleave__snapshot_row__init(row);
	row->family = (uint32_t)send->ranges[send->range_index].family;
	row->key = (ProtobufCBinaryData){ key.size, key_copy };
	row->value = (ProtobufCBinaryData){ value.size, value_copy };
	rows[chunk->n_rows++] = row;
	return true;
}

static enum status open_range(struct snapshot_send *send)
{
	const struct group_range *range = &send->ranges[send->range_index];

	send->iter = engine_iter_create(send->engine, range->family, range->start, range->end, send->snapshot,
					ENGINE_READ_MAY_BLOCK);
	if (send->iter == NULL)
		return ST_NO_MEMORY;
	send->engine->ops->iter_seek_first(send->iter);
	return ST_OK;
}

static enum status close_range(struct snapshot_send *send)
{
	enum status status = send->engine->ops->iter_status(send->iter);

	send->engine->ops->iter_destroy(send->iter);
	send->iter = NULL;
	send->range_index++;
	return status;
}

static enum status fill(struct snapshot_send *send, Cleave__SnapshotChunk *chunk, Cleave__SnapshotRow **rows)
{
	enum status status = ST_OK;

	while (status == ST_OK && send->range_index < send->range_count) {
		if (send->iter == NULL)
			status = open_range(send);
		while (status == ST_OK && send->engine->ops->iter_valid(send->iter)) {
			if (chunk->n_rows == CHUNK_ROWS_MAX ||
			    send->rows.used_bytes >= SNAPSHOT_SEND_CHUNK_BYTES)
				return ST_OK;
			if (!add_row(send, chunk, rows))
				return ST_NO_MEMORY;
			send->engine->ops->iter_next(send->iter);
		}
		if (status == ST_OK)
			status = close_range(send);
	}
	send->is_last = true;
	return status;
}

static enum status pack(struct snapshot_send *send, Cleave__SnapshotChunk *chunk)
{
	uint8_t *start;

	chunk->group_id = send->group->id;
	chunk->from_replica = send->group->replica_id;
	chunk->to_replica = send->replica_id;
	chunk->snapshot_id = send->snapshot_id;
	chunk->term = send->term;
	chunk->index = send->position.index;
	chunk->index_term = send->position.term;
	chunk->configuration_index = send->position.configuration.index;
	chunk->configuration = (ProtobufCBinaryData){ send->configuration->size_bytes,
						      send->configuration->data };
	chunk->chunk_number = send->chunk_number;
	chunk->is_last = send->is_last;
	buf_reset(&send->body);
	start = buf_extend(&send->body, cleave__snapshot_chunk__get_packed_size(chunk));
	if (start == NULL)
		return send->body.status;
	(void)cleave__snapshot_chunk__pack(chunk, start);
	return ST_OK;
}

static void read_chunk(struct runtime_job *job)
{
	struct snapshot_send *send = CONTAINER_OF(job, struct snapshot_send, job);
	Cleave__SnapshotRow **rows = calloc(CHUNK_ROWS_MAX, sizeof(*rows));
	Cleave__SnapshotChunk chunk;

	cleave__snapshot_chunk__init(&chunk);
	if (rows == NULL) {
		send->status = ST_NO_MEMORY;
		return;
	}
	chunk.rows = rows;
	arena_reset(&send->rows);
	send->status = fill(send, &chunk, rows);
	if (send->status == ST_OK)
		send->status = pack(send, &chunk);
	free(rows);
}

/* --- the stream --- */

static void on_read(struct runtime_job *job)
{
	struct snapshot_send *send = CONTAINER_OF(job, struct snapshot_send, job);

	CHECK(send->phase == READ);
	send->phase = send->status == ST_OK ? SEND : VERDICT;
	step(send);
}

static void on_reply(struct rpc_call *call)
{
	struct snapshot_send *send = CONTAINER_OF(call, struct snapshot_send, call);

	CHECK(send->phase == SEND);
	send->status = fault_fires(FAULT_SNAPSHOT_CHUNK) ? ST_CLOSED : call->status;
	send->phase = VERDICT;
	step(send);
}

static void on_retry(struct runtime_timer *timer)
{
	struct snapshot_send *send = CONTAINER_OF(timer, struct snapshot_send, retry);

	CHECK(send->phase == PAUSE);
	send->phase = OPEN;
	step(send);
}

static bool is_wanted(const struct snapshot_send *send)
{
	const struct group *group = send->group;

	return !group->is_closed && group->was_leader && group->leader_term == send->term;
}

static void release_source(struct snapshot_send *send)
{
	if (send->iter != NULL)
		send->engine->ops->iter_destroy(send->iter);
	send->iter = NULL;
	engine_snapshot_release(send->engine, send->snapshot);
	send->snapshot = NULL;
	log_body_release(send->configuration);
	send->configuration = NULL;
}

/* Freeze what this replica has applied: applies happen on this thread, so the store's snapshot
 * holds exactly the applied position. */
static enum status open_source(struct snapshot_send *send)
{
	struct group *group = send->group;
	enum status status;

	release_source(send);
	arena_reset(&send->keys);
	send->position = group->applied;
	send->snapshot_id = rng_u64(&group->table->runtime->rng);
	send->chunk_number = 0;
	send->range_index = 0;
	send->is_last = false;
	status = raft_engine_configuration_encode(&send->position.configuration, &send->configuration);
	if (status != ST_OK)
		return status;
	send->range_count = group->fsm->ops->ranges(group->fsm, send->ranges);
	for (size_t i = 0; i < send->range_count; i++) {
		struct group_range *range = &send->ranges[i];

		range->start.data = arena_copy(&send->keys, range->start);
		range->end.data = arena_copy(&send->keys, range->end);
		if (range->start.data == NULL || range->end.data == NULL)
			return ST_NO_MEMORY;
	}
	send->snapshot = engine_snapshot_create(send->engine);
	return send->snapshot == NULL ? ST_NO_MEMORY : ST_OK;
}

static void call_peer(struct snapshot_send *send)
{
	send->call.peer_id = send->node_id;
	send->call.method = METHOD_SNAPSHOT_CHUNK;
	send->call.timeout_ms = CHUNK_TIMEOUT_MS;
	send->call.body = buf_slice(&send->body);
	send->call.done = on_reply;
	rpc_call_start(send->group->table->transport, &send->call);
}

static enum phase verdict(struct snapshot_send *send)
{
	if (!is_wanted(send))
		return END;
	if (send->status != ST_OK) {
		log_warn("snapshot", "stream failed", "group=%" PRIu64 " to=%" PRIu64 " chunk=%u status=%s",
			 send->group->id, send->node_id, send->chunk_number, status_name(send->status));
		return send->status == ST_STALE ? END : PAUSE;
	}
	if (send->is_last) {
		log_info("snapshot", "sent", "group=%" PRIu64 " to=%" PRIu64 " index=%" PRIu64,
			 send->group->id, send->node_id, send->position.index);
		return END;
	}
	send->chunk_number++;
	return READ;
}

static void finish(struct snapshot_send *send)
{
	struct group *group = send->group;

	release_source(send);
	queue_remove(&send->link);
	group->table->sending_count--;
	arena_close(&send->keys);
	arena_close(&send->rows);
	buf_close(&send->body);
	free(send);
	group_release_job(group);
}

static void step(struct snapshot_send *send)
{
	struct runtime *runtime = send->group->table->runtime;

	for (;;) {
		switch (send->phase) {
		case OPEN:
			send->status = is_wanted(send) ? open_source(send) : ST_STALE;
			send->phase = send->status == ST_OK ? READ : VERDICT;
			continue;
		case READ:
			runtime_submit(runtime, &send->job);
			return; /* on_read() resumes */
		case SEND:
			call_peer(send);
			return; /* on_reply() resumes */
		case VERDICT:
			send->phase = verdict(send);
			continue;
		case PAUSE:
			release_source(send);
			runtime_timer_start(runtime, &send->retry, (uint64_t)RETRY_DELAY_MS * US_PER_MS);
			return; /* on_retry() resumes */
		case END:
			finish(send);
			return;
		}
	}
}

static bool is_sending_to(const struct group *group, uint64_t replica_id)
{
	for (const struct queue *link = group->sends.next; link != &group->sends; link = link->next) {
		if (CONTAINER_OF(link, struct snapshot_send, link)->replica_id == replica_id)
			return true;
	}
	return false;
}

uint64_t snapshot_send_oldest_index(const struct group *group)
{
	uint64_t oldest = UINT64_MAX;

	for (const struct queue *link = group->sends.next; link != &group->sends; link = link->next) {
		const struct snapshot_send *send = CONTAINER_OF(link, struct snapshot_send, link);

		if (send->snapshot != NULL && send->position.index < oldest)
			oldest = send->position.index;
	}
	return oldest;
}

void snapshot_send_start(struct group *group, uint64_t replica_id, uint64_t node_id)
{
	struct snapshot_send *send;

	if (is_sending_to(group, replica_id))
		return;
	send = calloc(1, sizeof(*send));
	if (send == NULL)
		return; /* the engine asks again */
	send->group = group;
	send->engine = group->table->engine;
	send->replica_id = replica_id;
	send->node_id = node_id;
	send->term = raft_engine_term(group->engine);
	send->job.work = read_chunk;
	send->job.done = on_read;
	arena_init(&send->keys, CHUNK_ARENA_BYTES_MAX);
	arena_init(&send->rows, CHUNK_ARENA_BYTES_MAX);
	buf_init(&send->body, CHUNK_BODY_BYTES_MAX);
	queue_init(&send->link);
	queue_push_tail(&group->sends, &send->link);
	runtime_timer_init(&send->retry, on_retry);
	group->job_count++;
	group->table->sending_count++;
	/* Called from inside the engine's step: begin with the next timer round, not here. */
	send->phase = PAUSE;
	runtime_timer_start(group->table->runtime, &send->retry,
			    group->table->sending_count > SNAPSHOT_SEND_STREAMS_MAX
				    ? (uint64_t)RETRY_DELAY_MS * US_PER_MS
				    : 0);
}
