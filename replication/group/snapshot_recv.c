#include "replication/group/snapshot_recv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/wire/proto_arena.h"
#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_member.h"

enum { ARENA_BYTES_MAX = 128 * 1024 * 1024, INTENT_ARENA_BYTES_MAX = 256 * 1024 };

/* STAGE --> OFFER --> INTENT --> REPLACE --> RECORD --> CLEAN
 * STAGE waits for chunks and their disk jobs, INTENT and RECORD for the log's sync, REPLACE and
 * CLEAN for a disk job.  What is not wanted goes from STAGE or OFFER straight to CLEAN. */
enum phase { STAGE, OFFER, INTENT, REPLACE, RECORD, CLEAN };

struct snapshot_recv {
	struct group_table *table;
	struct group *group; /* held from OFFER on */
	uint64_t group_id;
	uint64_t snapshot_id;
	uint64_t from_replica_id;
	uint64_t from_node_id;
	uint64_t term;
	enum phase phase;
	enum status status;
	uint32_t next_chunk;
	bool is_busy; /* a job is under way */
	bool is_wanted;
	struct engine *engine;
	struct engine_stage *stage; /* open while chunks come */
	struct group_install_intent intent;

	struct rpc_request *request; /* waits for the job's answer */
	Cleave__SnapshotChunk *chunk;
	struct arena arena; /* of the chunk */
	struct arena keys;  /* of the intent's ranges */
	struct buf last_key;
	uint32_t last_family;
	struct runtime_job job;
	struct log_commit_waiter waiter;
};

static void step(struct snapshot_recv *recv);

static void destroy(struct snapshot_recv *recv)
{
	struct group *group = recv->group;

	(void)hash_map_remove(&recv->table->receiving, recv->group_id);
	if (recv->stage != NULL)
		recv->engine->ops->stage_abandon(recv->stage);
	log_commit_cancel(&recv->waiter);
	arena_close(&recv->arena);
	arena_close(&recv->keys);
	buf_close(&recv->last_key);
	free(recv);
	if (group != NULL)
		group_release_job(group);
}

/* --- staging, off the loop --- */

static bool is_ascending(struct snapshot_recv *recv, const Cleave__SnapshotRow *row)
{
	struct slice key = slice_of(row->key.data, row->key.len);

	if (row->family >= FAMILY_COUNT || row->key.len == 0)
		return false;
	if (row->family < recv->last_family)
		return false;
	if (row->family == recv->last_family && slice_compare(buf_slice(&recv->last_key), key) >= 0)
		return false;
	recv->last_family = row->family;
	buf_reset(&recv->last_key);
	buf_append_slice(&recv->last_key, key);
	return recv->last_key.status == ST_OK;
}

/* Only what the group's ranges hold: never a neighbour's rows, a log or a vote. */
static bool is_in_ranges(const struct group_install_intent *intent, const Cleave__SnapshotRow *row)
{
	struct slice key = slice_of(row->key.data, row->key.len);

	for (size_t i = 0; i < intent->range_count; i++) {
		const struct group_range *range = &intent->ranges[i];

		if (row->family == (uint32_t)range->family && slice_compare(key, range->start) >= 0 &&
		    slice_compare(key, range->end) < 0)
			return true;
	}
	return false;
}

static enum status stage_rows(struct snapshot_recv *recv)
{
	for (size_t i = 0; i < recv->chunk->n_rows; i++) {
		const Cleave__SnapshotRow *row = recv->chunk->rows[i];
		enum status status;

		if (!is_ascending(recv, row) || !is_in_ranges(&recv->intent, row))
			return ST_CORRUPT;
		status = recv->engine->ops->stage_add(recv->stage, (enum engine_family)row->family,
						      slice_of(row->key.data, row->key.len),
						      slice_of(row->value.data, row->value.len));
		if (status != ST_OK)
			return status;
	}
	return ST_OK;
}

static enum status replace_ranges(struct engine *engine, const struct group_install_intent *intent)
{
	struct engine_batch *batch = engine_batch_create(engine);
	enum status status;

	if (batch == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < intent->range_count; i++)
		engine_batch_delete_range(engine, batch, intent->ranges[i].family, intent->ranges[i].start,
					  intent->ranges[i].end);
	status = engine_write(engine, batch);
	engine_batch_destroy(engine, batch);
	return status == ST_OK ? engine_stage_ingest(engine, intent->stage_id) : status;
}

static void work(struct runtime_job *job)
{
	struct snapshot_recv *recv = CONTAINER_OF(job, struct snapshot_recv, job);

	switch (recv->phase) {
	case STAGE:
		recv->status = stage_rows(recv);
		if (recv->status == ST_OK && recv->chunk->is_last) {
			recv->status = recv->engine->ops->stage_finish(recv->stage);
			recv->stage = NULL;
		}
		break;
	case REPLACE:
		recv->status = replace_ranges(recv->engine, &recv->intent);
		break;
	case CLEAN:
		recv->status = engine_stage_remove(recv->engine, recv->intent.stage_id);
		break;
	default:
		UNREACHABLE();
	}
}

/* --- steps --- */

static void answer(struct snapshot_recv *recv, enum status status)
{
	struct rpc_request *request = recv->request;

	recv->request = NULL;
	if (request != NULL)
		rpc_request_reply_status(request, status);
}

static enum phase after_chunk(struct snapshot_recv *recv)
{
	bool is_last = recv->chunk->is_last;

	recv->chunk = NULL;
	arena_reset(&recv->arena);
	if (recv->status != ST_OK) {
		log_warn("snapshot", "cannot stage", "group=%" PRIu64 " status=%s", recv->group_id,
			 status_name(recv->status));
		answer(recv, recv->status);
		return CLEAN;
	}
	recv->next_chunk++;
	if (is_last)
		return OFFER;
	answer(recv, ST_OK);
	return STAGE;
}

static void on_work_done(struct runtime_job *job)
{
	struct snapshot_recv *recv = CONTAINER_OF(job, struct snapshot_recv, job);

	recv->is_busy = false;
	switch (recv->phase) {
	case STAGE:
		recv->phase = after_chunk(recv);
		if (recv->phase != STAGE)
			step(recv);
		return; /* the next chunk resumes */
	case REPLACE:
		if (recv->status != ST_OK) {
			recv->table->fatal(recv->table->fatal_context, recv->status);
			return;
		}
		recv->phase = RECORD;
		step(recv);
		return;
	default:
		destroy(recv);
	}
}

static void submit(struct snapshot_recv *recv)
{
	recv->is_busy = true;
	runtime_submit(recv->table->runtime, &recv->job);
}

static enum phase offer(struct snapshot_recv *recv)
{
	struct group *group = group_table_find(recv->table, recv->group_id);

	answer(recv, group == NULL ? ST_STALE : ST_OK);
	if (group == NULL || group->is_installing)
		return CLEAN;
	recv->group = group;
	group->job_count++;
	raft_engine_offer_snapshot(group->engine, group_now_ms(group), recv->from_replica_id,
				   recv->from_node_id, recv->term, &recv->intent.position);
	group_settle(group);
	return recv->is_wanted ? INTENT : CLEAN;
}

static void put_intent(struct snapshot_recv *recv)
{
	struct log_commit *commit = &recv->table->commit;

	group_state_put_intent(recv->engine, log_commit_batch(commit), recv->group_id, &recv->intent);
	log_commit_wait(commit, &recv->waiter);
}

static void put_record(struct snapshot_recv *recv)
{
	struct log_commit *commit = &recv->table->commit;
	struct engine_batch *batch = log_commit_batch(commit);
	const struct raft_engine_position *position = &recv->intent.position;

	log_store_reset(&recv->group->log, batch, position->index + 1);
	group_state_put_applied(recv->engine, batch, recv->group_id, position->index, position->term);
	group_state_put_configuration(recv->engine, batch, recv->group_id, &position->configuration);
	group_state_delete_intent(recv->engine, batch, recv->group_id);
	log_commit_wait(commit, &recv->waiter);
}

static void finish_install(struct snapshot_recv *recv)
{
	struct group *group = recv->group;
	enum status status;

	if (group->is_closed)
		return;
	log_info("snapshot", "installed", "group=%" PRIu64 " index=%" PRIu64, recv->group_id,
		 recv->intent.position.index);
	status = group->fsm->ops->restored(group->fsm);
	if (status != ST_OK) {
		recv->table->fatal(recv->table->fatal_context, status);
		return;
	}
	group_finish_install(group, &recv->intent.position);
}

static void on_durable(struct log_commit_waiter *waiter)
{
	struct snapshot_recv *recv = CONTAINER_OF(waiter, struct snapshot_recv, waiter);

	if (recv->phase == INTENT) {
		recv->phase = REPLACE;
	} else {
		CHECK(recv->phase == RECORD);
		finish_install(recv);
		recv->phase = CLEAN;
	}
	step(recv);
}

/* The node stops, and the intent is on disk: it needs the staged rows to roll forward from. */
static bool is_for_the_next_start(const struct snapshot_recv *recv)
{
	return recv->group != NULL && recv->group->is_closed && !recv->group->is_removed &&
	       (recv->phase == REPLACE || recv->phase == RECORD);
}

static void step(struct snapshot_recv *recv)
{
	for (;;) {
		if (is_for_the_next_start(recv)) {
			destroy(recv);
			return;
		}
		/* A replica that was removed meanwhile must not get its records back. */
		if (recv->group != NULL && recv->group->is_closed)
			recv->phase = CLEAN;
		switch (recv->phase) {
		case STAGE:
			submit(recv);
			return; /* on_work_done() resumes */
		case OFFER:
			recv->phase = offer(recv);
			continue;
		case INTENT:
			put_intent(recv);
			return; /* on_durable() resumes */
		case REPLACE:
			submit(recv);
			return; /* on_work_done() resumes */
		case RECORD:
			put_record(recv);
			return; /* on_durable() resumes */
		case CLEAN:
			if (recv->stage != NULL) {
				recv->engine->ops->stage_abandon(recv->stage);
				recv->stage = NULL;
			}
			submit(recv);
			return; /* on_work_done() ends it */
		}
	}
}

void snapshot_recv_install(struct group *group, const struct raft_engine_position *position)
{
	struct snapshot_recv *recv = hash_map_get(&group->table->receiving, group->id);

	CHECK(recv != NULL && recv->phase == OFFER && recv->intent.position.index == position->index);
	recv->is_wanted = true;
	group->install_count++;
	group->is_installing = true;
}

/* --- chunks --- */

static enum status keep_ranges(struct snapshot_recv *recv, struct group *group)
{
	struct group_install_intent *intent = &recv->intent;

	intent->range_count = group->fsm->ops->ranges(group->fsm, intent->ranges);
	for (size_t i = 0; i < intent->range_count; i++) {
		struct group_range *range = &intent->ranges[i];

		range->start.data = arena_copy(&recv->keys, range->start);
		range->end.data = arena_copy(&recv->keys, range->end);
		if (range->start.data == NULL || range->end.data == NULL)
			return ST_NO_MEMORY;
	}
	return ST_OK;
}

static enum status begin(struct group_table *table, struct group *group, uint64_t from_node_id,
			 const Cleave__SnapshotChunk *chunk, struct snapshot_recv **recv_out)
{
	struct raft_engine_position *position;
	struct snapshot_recv *recv;
	enum status status;

	if (table->receiving.count >= SNAPSHOT_RECV_STREAMS_MAX)
		return ST_OVERLOADED;
	recv = calloc(1, sizeof(*recv));
	if (recv == NULL)
		return ST_NO_MEMORY;
	recv->table = table;
	recv->engine = table->engine;
	recv->group_id = chunk->group_id;
	recv->snapshot_id = chunk->snapshot_id;
	recv->from_replica_id = chunk->from_replica;
	recv->from_node_id = from_node_id;
	recv->term = chunk->term;
	recv->job.work = work;
	recv->job.done = on_work_done;
	log_commit_waiter_init(&recv->waiter, on_durable);
	arena_init(&recv->arena, ARENA_BYTES_MAX);
	arena_init(&recv->keys, INTENT_ARENA_BYTES_MAX);
	buf_init(&recv->last_key, INTENT_ARENA_BYTES_MAX);
	recv->intent.stage_id = chunk->group_id;
	position = &recv->intent.position;
	position->index = chunk->index;
	position->term = chunk->index_term;
	status = raft_engine_configuration_decode(
		slice_of(chunk->configuration.data, chunk->configuration.len), &position->configuration);
	position->configuration.index = chunk->configuration_index;
	if (status == ST_OK &&
	    (position->index == 0 || position->term == 0 || position->configuration.count == 0))
		status = ST_INVALID;
	if (status == ST_OK)
		status = keep_ranges(recv, group);
	if (status == ST_OK)
		status = hash_map_put(&table->receiving, chunk->group_id, recv);
	if (status == ST_OK) {
		recv->stage = engine_stage_create(table->engine, recv->intent.stage_id);
		status = recv->stage == NULL ? ST_IO : ST_OK;
	}
	if (status != ST_OK) {
		destroy(recv);
		return status;
	}
	*recv_out = recv;
	return ST_OK;
}

/* The stream that the chunk continues or begins. */
static enum status find_stream(struct group_table *table, uint64_t from_node_id,
			       const Cleave__SnapshotChunk *chunk, struct snapshot_recv **recv_out)
{
	struct group *group = group_table_find(table, chunk->group_id);
	struct snapshot_recv *recv = hash_map_get(&table->receiving, chunk->group_id);

	if (group == NULL || group->replica_id != chunk->to_replica ||
	    chunk->term < raft_engine_term(group->engine))
		return ST_STALE;
	if (!group_member_may_speak(group, from_node_id, chunk->from_replica) ||
	    (recv != NULL && recv->snapshot_id == chunk->snapshot_id && recv->from_node_id != from_node_id))
		return ST_DENIED;
	if (recv != NULL && recv->snapshot_id != chunk->snapshot_id) {
		if (recv->is_busy || recv->phase != STAGE)
			return ST_BUSY;
		destroy(recv); /* its leader gave up */
		recv = NULL;
	}
	if (recv == NULL) {
		if (chunk->chunk_number != 0)
			return ST_INVALID;
		return begin(table, group, from_node_id, chunk, recv_out);
	}
	if (recv->is_busy || recv->phase != STAGE)
		return ST_BUSY;
	if (chunk->chunk_number != recv->next_chunk)
		return ST_INVALID;
	*recv_out = recv;
	return ST_OK;
}

void snapshot_recv_chunk(struct group_table *table, struct rpc_request *request)
{
	struct arena arena;
	ProtobufCAllocator allocator;
	Cleave__SnapshotChunk *chunk;
	struct snapshot_recv *recv = NULL;
	enum status status;

	arena_init(&arena, ARENA_BYTES_MAX);
	allocator = proto_arena_allocator(&arena);
	chunk = cleave__snapshot_chunk__unpack(&allocator, request->body.size, request->body.data);
	status = chunk == NULL ? ST_CORRUPT : find_stream(table, request->caller_id, chunk, &recv);
	if (status != ST_OK) {
		arena_close(&arena);
		rpc_request_reply_status(request, status);
		return;
	}
	arena_close(&recv->arena);
	recv->arena = arena;
	recv->chunk = chunk;
	recv->request = request;
	step(recv);
}

bool snapshot_recv_is_busy(const struct group_table *table)
{
	const struct snapshot_recv *recv;
	size_t cursor = 0;

	while ((recv = hash_map_next(&table->receiving, &cursor)) != NULL) {
		if (recv->is_busy)
			return true;
	}
	return false;
}

void snapshot_recv_close_all(struct group_table *table)
{
	struct snapshot_recv *recv;
	size_t cursor = 0;

	while ((recv = hash_map_next(&table->receiving, &cursor)) != NULL) {
		CHECK(!recv->is_busy);
		answer(recv, ST_CLOSED);
		destroy(recv);
		cursor = 0;
	}
}

/* --- restart --- */

enum status snapshot_recv_roll_forward(struct engine *engine, struct group_state *state)
{
	struct group_install_intent intent;
	struct engine_batch *batch = engine_batch_create(engine);
	struct arena keys;
	enum status status;

	if (batch == NULL)
		return ST_NO_MEMORY;
	arena_init(&keys, INTENT_ARENA_BYTES_MAX);
	status = group_state_load_intent(engine, state->group_id, &keys, &intent);
	if (status == ST_OK)
		status = replace_ranges(engine, &intent);
	if (status == ST_OK) {
		log_store_delete(engine, batch, state->group_id);
		group_state_put_applied(engine, batch, state->group_id, intent.position.index,
					intent.position.term);
		group_state_put_configuration(engine, batch, state->group_id, &intent.position.configuration);
		group_state_delete_intent(engine, batch, state->group_id);
		status = engine_write(engine, batch);
	}
	if (status == ST_OK)
		status = engine_sync(engine);
	if (status == ST_OK) {
		state->applied = intent.position;
		state->has_position = true;
		state->has_intent = false;
		log_info("snapshot", "rolled forward", "group=%" PRIu64 " index=%" PRIu64, state->group_id,
			 state->applied.index);
	}
	arena_close(&keys);
	engine_batch_destroy(engine, batch);
	return status;
}
