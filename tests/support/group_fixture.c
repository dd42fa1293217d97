#include "tests/support/group_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/methods.h"
#include "proto/wire/raft.pb-c.h"
#include "replication/group/group_internal.h"

enum { US_PER_MS = 1000, PATIENCE_MS = 5000, ROUNDS_MAX = 10000 };

enum frame_kind { FRAME_POST, FRAME_CALL, FRAME_REPLY };

struct frame {
	struct queue link;
	enum frame_kind kind;
	uint64_t from;
	uint64_t to;
	uint16_t method;
	uint64_t call_id;
	uint64_t due_us;
	enum status status;
	size_t size_bytes;
	uint8_t body[];
};

/* A call as its receiver holds it. */
struct served_request {
	struct rpc_request base;
	struct frame *frame;
	struct group_fixture *fixture;
};

/* --- the network --- */

static struct group_fixture_node *node_of(const struct rpc_transport *transport)
{
	return CONTAINER_OF(transport, struct group_fixture_node, transport);
}

static bool is_lost(struct group_fixture *f, uint64_t from, uint64_t to)
{
	f->frame_count++;
	return f->is_cut[from][to] || (f->drop_nth != 0 && f->frame_count % f->drop_nth == 0);
}

static struct frame *queue_frame(struct group_fixture *f, enum frame_kind kind, uint64_t from, uint64_t to,
				 struct slice body)
{
	struct frame *frame = calloc(1, sizeof(*frame) + body.size);

	CHECK(frame != NULL && to >= 1 && to <= f->node_count);
	frame->kind = kind;
	frame->from = from;
	frame->to = to;
	frame->due_us = f->nodes[from].runtime.now_us + (uint64_t)f->delay_ms * US_PER_MS;
	frame->size_bytes = body.size;
	if (body.size > 0)
		memcpy(frame->body, body.data, body.size);
	queue_init(&frame->link);
	queue_push_tail(&f->frames, &frame->link);
	return frame;
}

static void count_messages(struct group_fixture_node *node, struct slice body)
{
	Cleave__RaftBatch *batch = cleave__raft_batch__unpack(NULL, body.size, body.data);

	CHECK(batch != NULL);
	for (size_t i = 0; i < batch->n_messages; i++) {
		const Cleave__RaftMessage *message = batch->messages[i];

		if (!message->flag_b)
			node->sent_count[message->kind]++;
	}
	cleave__raft_batch__free_unpacked(batch, NULL);
}

static enum status post(struct rpc_transport *transport, uint64_t peer_id, uint16_t method, struct slice body)
{
	struct group_fixture_node *node = node_of(transport);
	struct group_fixture *f = node->fixture;

	CHECK(method == METHOD_RAFT_MESSAGES);
	if (peer_id < 1 || peer_id > f->node_count)
		return ST_UNREACHABLE;
	count_messages(node, body);
	if (!is_lost(f, node->id, peer_id))
		queue_frame(f, FRAME_POST, node->id, peer_id, body)->method = method;
	return ST_OK;
}

/* A call that is lost breaks its connection: the caller hears ST_CLOSED. */
static void call(struct rpc_transport *transport, struct rpc_call *rpc_call)
{
	struct group_fixture_node *node = node_of(transport);
	struct group_fixture *f = node->fixture;
	struct frame *frame;

	rpc_call->call_id = ++f->next_call_id;
	rpc_call->is_in_flight = true;
	queue_init(&rpc_call->link);
	queue_push_tail(&node->calls, &rpc_call->link);
	if (is_lost(f, node->id, rpc_call->peer_id)) {
		frame = queue_frame(f, FRAME_REPLY, node->id, node->id, slice_of(NULL, 0));
		frame->status = ST_CLOSED;
	} else {
		frame = queue_frame(f, FRAME_CALL, node->id, rpc_call->peer_id, rpc_call->body);
		frame->method = rpc_call->method;
	}
	frame->call_id = rpc_call->call_id;
}

static void cancel(struct rpc_transport *transport, struct rpc_call *rpc_call)
{
	(void)transport;
	(void)rpc_call; /* its answer comes, or the connection breaks */
}

static void set_peer(struct rpc_transport *transport, uint64_t peer_id, const char *host, uint16_t port)
{
	(void)transport;
	(void)peer_id;
	(void)host;
	(void)port;
}

static void remove_peer(struct rpc_transport *transport, uint64_t peer_id)
{
	(void)transport;
	(void)peer_id;
}

static bool is_peer_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	return !node_of(transport)->fixture->is_cut[node_of(transport)->id][peer_id];
}

static const struct rpc_transport_ops transport_ops = {
	.call = call,
	.cancel = cancel,
	.post = post,
	.set_peer = set_peer,
	.remove_peer = remove_peer,
	.is_up = is_peer_up,
};

static void finish_call(struct group_fixture_node *node, uint64_t call_id, enum status status,
			struct slice reply)
{
	for (struct queue *link = node->calls.next; link != &node->calls; link = link->next) {
		struct rpc_call *rpc_call = CONTAINER_OF(link, struct rpc_call, link);

		if (rpc_call->call_id != call_id)
			continue;
		queue_remove(link);
		rpc_call->is_in_flight = false;
		rpc_call->status = status;
		rpc_call->reply = reply;
		rpc_call->done(rpc_call);
		return;
	}
}

static void on_reply(struct rpc_request *request, enum status status, struct slice body)
{
	struct served_request *served = CONTAINER_OF(request, struct served_request, base);
	struct group_fixture *f = served->fixture;
	struct frame *question = served->frame;
	bool lost = is_lost(f, question->to, question->from);
	struct frame *answer = queue_frame(f, FRAME_REPLY, question->to, question->from, body);

	answer->call_id = question->call_id;
	answer->status = lost ? ST_CLOSED : status;
	free(question);
	free(served);
}

static const struct rpc_request_ops request_ops = { .reply = on_reply };

/* Takes the frame over. */
static void serve_call(struct group_fixture_node *node, struct frame *frame)
{
	struct served_request *served = calloc(1, sizeof(*served));

	CHECK(served != NULL && frame->method == METHOD_SNAPSHOT_CHUNK);
	served->frame = frame;
	served->fixture = node->fixture;
	served->base.method = frame->method;
	served->base.caller_id = frame->from;
	served->base.body = slice_of(frame->body, frame->size_bytes);
	served->base.ops = &request_ops;
	if (!node->is_up) {
		rpc_request_reply_status(&served->base, ST_CLOSED);
		return;
	}
	node->chunk_count++;
	snapshot_recv_chunk(&node->table, &served->base);
}

static void deliver(struct group_fixture *f, struct frame *frame)
{
	struct group_fixture_node *node = &f->nodes[frame->to];

	switch (frame->kind) {
	case FRAME_POST:
		if (node->is_up)
			CHECK(group_table_receive(&node->table, frame->from,
						  slice_of(frame->body, frame->size_bytes)) == ST_OK);
		break;
	case FRAME_CALL:
		serve_call(node, frame);
		return;
	case FRAME_REPLY:
		finish_call(node, frame->call_id, frame->status, slice_of(frame->body, frame->size_bytes));
		break;
	}
	free(frame);
}

static bool deliver_due(struct group_fixture *f)
{
	uint64_t now_us = f->nodes[1].runtime.now_us;
	struct queue *link = f->frames.next;

	while (link != &f->frames) {
		struct frame *frame = CONTAINER_OF(link, struct frame, link);

		if (frame->due_us <= now_us) {
			queue_remove(link);
			deliver(f, frame);
			return true;
		}
		link = link->next;
	}
	return false;
}

/* --- time --- */

static bool run_node(struct group_fixture_node *node)
{
	bool did_work = !queue_is_empty(&node->runtime.base.deferred);

	manual_runtime_turn(&node->runtime);
	if (!node->is_disk_held && manual_runtime_run_job(&node->runtime))
		did_work = true;
	return did_work || !queue_is_empty(&node->runtime.base.deferred);
}

static void settle(struct group_fixture *f)
{
	bool did_work = true;

	for (uint32_t round = 0; did_work; round++) {
		CHECK(round < ROUNDS_MAX);
		did_work = deliver_due(f);
		for (uint32_t i = 1; i <= f->node_count; i++)
			did_work |= run_node(&f->nodes[i]);
	}
}

void group_fixture_run_ms(struct group_fixture *f, uint64_t duration_ms)
{
	settle(f);
	for (uint64_t i = 0; i < duration_ms; i++) {
		for (uint32_t n = 1; n <= f->node_count; n++)
			f->nodes[n].runtime.now_us += US_PER_MS;
		settle(f);
	}
}

/* --- the state machine --- */

static enum status apply(struct group_fsm *fsm, const struct group_command *command,
			 struct engine_batch *batch)
{
	struct group_fixture_node *node = CONTAINER_OF(fsm, struct group_fixture_node, fsm);
	uint8_t key[8];

	CHECK(command->index > group_applied_index(node->group));
	put_u64_be(key, command->index);
	engine_batch_put(node->engine, batch, FAMILY_ITEMS, slice_of(key, sizeof(key)), command->body);
	return ST_OK;
}

static void applied(struct group_fsm *fsm, uint64_t index)
{
	struct group_fixture_node *node = CONTAINER_OF(fsm, struct group_fixture_node, fsm);

	CHECK(index > node->applied_index);
	node->applied_index = index;
}

static void leader_ready(struct group_fsm *fsm)
{
	struct group_fixture_node *node = CONTAINER_OF(fsm, struct group_fixture_node, fsm);

	CHECK(group_applied_index(node->group) >= node->group->barrier_index);
	node->ready_count++;
}

static void leader_lost(struct group_fsm *fsm)
{
	CONTAINER_OF(fsm, struct group_fixture_node, fsm)->lost_count++;
}

static size_t ranges(struct group_fsm *fsm, struct group_range ranges_out[GROUP_RANGES_MAX])
{
	static const uint8_t start[8];
	static const uint8_t end[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)fsm;
	ranges_out[0] = (struct group_range){ FAMILY_ITEMS, slice_of(start, 8), slice_of(end, 8) };
	return 1;
}

static enum status restored(struct group_fsm *fsm)
{
	struct group_fixture_node *node = CONTAINER_OF(fsm, struct group_fixture_node, fsm);

	node->restored_count++;
	return ST_OK;
}

static const struct group_fsm_ops fsm_ops = {
	.apply = apply,
	.applied = applied,
	.leader_ready = leader_ready,
	.leader_lost = leader_lost,
	.ranges = ranges,
	.restored = restored,
};

/* --- nodes --- */

static void on_fatal(void *context, enum status status)
{
	struct group_fixture_node *node = context;

	CHECK(node->may_fail);
	node->fatal_status = status;
}

void group_fixture_start(struct group_fixture_node *node)
{
	CHECK(engine_memory_open(node->disk, &node->engine) == ST_OK);
	CHECK(group_table_init(&node->table, &node->runtime.base, node->engine, &node->transport, node->id,
			       &node->fixture->settings, on_fatal, node) == ST_OK);
	node->applied_index = 0;
	node->is_up = true;
	node->may_fail = false;
}

void group_fixture_break_calls(struct group_fixture_node *node)
{
	struct queue *link;

	while ((link = node->calls.next) != &node->calls)
		finish_call(node, CONTAINER_OF(link, struct rpc_call, link)->call_id, ST_CLOSED,
			    slice_of(NULL, 0));
}

/* Nothing of the node may be left in a queue when its table closes. */
static void stop_table(struct group_fixture_node *node)
{
	uint64_t now_us = node->runtime.now_us;

	node->is_disk_held = false;
	if (node->group != NULL)
		group_close(node->group);
	node->group = NULL;
	node->is_up = false;
	do {
		group_fixture_break_calls(node);
		while (manual_runtime_run_job(&node->runtime))
			;
		manual_runtime_turn(&node->runtime);
		node->runtime.now_us += US_PER_MS;
	} while (node->table.sending_count > 0 || node->runtime.job_count > 0);
	group_table_close(&node->table);
	engine_close(node->engine);
	node->engine = NULL;
	node->runtime.now_us = now_us; /* one clock for all */
}

static void init_node(struct group_fixture *f, uint32_t id)
{
	struct group_fixture_node *node = &f->nodes[id];

	node->fixture = f;
	node->id = id;
	manual_runtime_init(&node->runtime);
	rng_seed(&node->runtime.base.rng, id);
	node->transport.ops = &transport_ops;
	node->transport.runtime = &node->runtime.base;
	queue_init(&node->transport.observers);
	queue_init(&node->calls);
	node->fsm.ops = &fsm_ops;
	node->disk = engine_memory_disk_create();
	CHECK(node->disk != NULL);
	group_fixture_start(node);
}

struct group_fixture *group_fixture_create_nodes(uint32_t node_count, const struct group_settings *settings)
{
	struct group_fixture *f = calloc(1, sizeof(*f));

	CHECK(f != NULL && node_count <= GROUP_FIXTURE_NODES_MAX);
	f->node_count = node_count;
	f->delay_ms = 1;
	f->settings = *settings;
	queue_init(&f->frames);
	for (uint32_t i = 1; i <= f->node_count; i++)
		init_node(f, i);
	return f;
}

struct group_fixture *group_fixture_create(uint32_t voter_count, const struct group_settings *settings)
{
	struct group_fixture *f = group_fixture_create_nodes(voter_count + 1, settings);
	struct raft_engine_configuration members = { .count = voter_count };

	for (uint32_t i = 0; i < voter_count; i++)
		members.members[i] = (struct raft_engine_member){ group_fixture_replica_of(i + 1), i + 1,
								  RAFT_ROLE_VOTER };
	for (uint32_t i = 1; i <= voter_count; i++)
		CHECK(group_create(&f->nodes[i].table, GROUP_FIXTURE_GROUP, group_fixture_replica_of(i),
				   &members, &f->nodes[i].fsm, &f->nodes[i].group) == ST_OK);
	settle(f);
	return f;
}

struct group_fixture *group_fixture_create_default(void)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
	};

	return group_fixture_create(3, &settings);
}

void group_fixture_destroy(struct group_fixture *f)
{
	struct queue *link;

	for (uint32_t i = 1; i <= f->node_count; i++) {
		if (f->nodes[i].is_up)
			stop_table(&f->nodes[i]);
		engine_memory_disk_destroy(f->nodes[i].disk);
		manual_runtime_close(&f->nodes[i].runtime);
	}
	while ((link = queue_pop_head(&f->frames)) != NULL)
		free(CONTAINER_OF(link, struct frame, link));
	free(f);
}

void group_fixture_crash(struct group_fixture_node *node, uint64_t keep_count)
{
	node->may_fail = true;
	engine_memory_crash(node->engine, keep_count);
	stop_table(node);
}

void group_fixture_stop(struct group_fixture_node *node)
{
	stop_table(node);
}

enum status group_fixture_restart(struct group_fixture_node *node)
{
	group_fixture_start(node);
	return group_open(&node->table, GROUP_FIXTURE_GROUP, &node->fsm, &node->group);
}

enum status group_fixture_add_replica(struct group_fixture_node *node, uint64_t replica_id)
{
	struct raft_engine_configuration none = { 0 };

	return group_create(&node->table, GROUP_FIXTURE_GROUP, replica_id, &none, &node->fsm, &node->group);
}

/* --- what tests ask for --- */

bool group_fixture_run_until_leads(struct group_fixture *f, uint64_t node_id)
{
	for (uint32_t i = 0; i < PATIENCE_MS; i++) {
		if (group_is_ready(f->nodes[node_id].group))
			return true;
		group_fixture_run_ms(f, 1);
	}
	return false;
}

struct group_fixture_node *group_fixture_elect(struct group_fixture *f, uint64_t node_id)
{
	group_campaign(f->nodes[node_id].group);
	CHECK(group_fixture_run_until_leads(f, node_id));
	return &f->nodes[node_id];
}

static struct group_fixture_node *find_leader(struct group_fixture *f)
{
	struct group_fixture_node *leader = NULL;
	uint64_t leader_term = 0;

	for (uint32_t i = 1; i <= f->node_count; i++) {
		struct group_status status;

		if (f->nodes[i].group == NULL)
			continue;
		group_get_status(f->nodes[i].group, &status);
		if (status.is_ready && status.term > leader_term) {
			leader = &f->nodes[i];
			leader_term = status.term;
		}
	}
	return leader;
}

struct group_fixture_node *group_fixture_leader(struct group_fixture *f)
{
	for (uint32_t i = 0; i < PATIENCE_MS; i++) {
		struct group_fixture_node *leader = find_leader(f);

		if (leader != NULL)
			return leader;
		group_fixture_run_ms(f, 1);
	}
	return NULL;
}

enum status group_fixture_propose(struct group_fixture_node *node, const char *text, uint64_t *index_out)
{
	return group_propose(node->group, slice_of_string(text), index_out);
}

static bool run_until_applied(struct group_fixture_node *node, uint64_t index)
{
	for (uint32_t i = 0; i < PATIENCE_MS; i++) {
		if (node->applied_index >= index)
			return true;
		group_fixture_run_ms(node->fixture, 1);
	}
	return false;
}

bool group_fixture_commit(struct group_fixture_node *node, const char *text)
{
	uint64_t index;

	return group_fixture_propose(node, text, &index) == ST_OK && run_until_applied(node, index);
}

bool group_fixture_commit_many(struct group_fixture_node *node, uint32_t count)
{
	uint64_t index = 0;
	char text[32];

	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "command %u", i);
		if (group_fixture_propose(node, text, &index) != ST_OK)
			return false;
	}
	return run_until_applied(node, index);
}

static uint32_t count_rows(const struct group_fixture_node *node, const char *text)
{
	struct engine *engine = node->engine;
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, slice_of(NULL, 0),
						      slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);
	uint32_t count = 0;

	CHECK(iter != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		count += text == NULL || slice_equal(engine_iter_value(engine, iter), slice_of_string(text));
	engine_iter_destroy(engine, iter);
	return count;
}

bool group_fixture_has_row(const struct group_fixture_node *node, const char *text)
{
	return count_rows(node, text) > 0;
}

uint32_t group_fixture_row_count(const struct group_fixture_node *node)
{
	return count_rows(node, NULL);
}

void group_fixture_cut(struct group_fixture *f, uint64_t from, uint64_t to, bool is_cut)
{
	f->is_cut[from][to] = is_cut;
}

void group_fixture_isolate(struct group_fixture *f, uint64_t node_id, bool is_cut)
{
	for (uint32_t i = 1; i <= f->node_count; i++) {
		if (i == node_id)
			continue;
		group_fixture_cut(f, node_id, i, is_cut);
		group_fixture_cut(f, i, node_id, is_cut);
	}
}

static void say(struct group_fixture *f, uint64_t node_id, bool is_up)
{
	for (uint32_t i = 1; i <= f->node_count; i++) {
		struct queue *observers = &f->nodes[i].transport.observers;

		if (i == node_id || !f->nodes[i].is_up)
			continue;
		for (struct queue *link = observers->next; link != observers; link = link->next) {
			struct rpc_peer_observer *observer = CONTAINER_OF(link, struct rpc_peer_observer,
									  link);

			observer->changed(observer, node_id, is_up);
		}
	}
}

void group_fixture_say_down(struct group_fixture *f, uint64_t node_id)
{
	say(f, node_id, false);
}

void group_fixture_say_up(struct group_fixture *f, uint64_t node_id)
{
	say(f, node_id, true);
}
