/* A loop with virtual time, a transport that only notes calls, requests that note answers, and
 * a catalog with one replica on the simulated store. */
#ifndef TESTS_UNIT_CATALOG_FIXTURE_H
#define TESTS_UNIT_CATALOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/catalog/catalog.h"
#include "node/placement/driver.h"
#include "proto/model/row_key.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "storage/engine/engine_memory.h"

enum { MS = 1000, EPOCH_WALL_US = 1700000000 };

/* --- the loop --- */

struct fake_loop {
	struct runtime base; /* first */
	uint64_t now_us;
	struct queue jobs;
};

static inline uint64_t loop_mono_us(const struct runtime *runtime)
{
	return ((const struct fake_loop *)runtime)->now_us;
}

static inline uint64_t loop_wall_us(const struct runtime *runtime)
{
	return loop_mono_us(runtime) + (uint64_t)EPOCH_WALL_US * 1000000;
}

static inline void loop_wake(struct runtime *runtime)
{
	(void)runtime;
}

static inline void loop_post(struct runtime *runtime, struct runtime_task *task)
{
	runtime_defer(runtime, task);
}

static inline void loop_submit(struct runtime *runtime, struct runtime_job *job)
{
	queue_init(&job->link);
	queue_push_tail(&((struct fake_loop *)runtime)->jobs, &job->link);
}

static inline void loop_init(struct fake_loop *loop, uint64_t seed)
{
	static const struct runtime_ops ops = {
		.mono_us = loop_mono_us,
		.wall_us = loop_wall_us,
		.wake = loop_wake,
		.post = loop_post,
		.submit = loop_submit,
	};

	*loop = (struct fake_loop){ .now_us = 5000000 };
	runtime_base_init(&loop->base, &ops);
	rng_seed(&loop->base.rng, seed);
	queue_init(&loop->jobs);
}

/* All that is to do now: timers, ends of turns, jobs, until nothing is left. */
static inline void loop_settle(struct fake_loop *loop)
{
	struct queue *link;

	for (;;) {
		runtime_run_timers(&loop->base);
		runtime_run_deferred(&loop->base);
		link = queue_pop_head(&loop->jobs);
		if (link != NULL) {
			struct runtime_job *job = CONTAINER_OF(link, struct runtime_job, link);

			job->work(job);
			job->done(job);
		} else if (queue_is_empty(&loop->base.deferred) &&
			   runtime_next_deadline_mono_us(&loop->base) > loop->now_us) {
			return;
		}
	}
}

static inline void loop_run_ms(struct fake_loop *loop, uint64_t duration_ms)
{
	uint64_t end_us = loop->now_us + duration_ms * MS;

	loop_settle(loop);
	while (runtime_next_deadline_mono_us(&loop->base) <= end_us) {
		loop->now_us = runtime_next_deadline_mono_us(&loop->base);
		loop_settle(loop);
	}
	loop->now_us = end_us;
	loop_settle(loop);
}

/* --- the transport --- */

enum { FAKE_CALLS_MAX = 16 };

struct fake_transport {
	struct rpc_transport base;              /* first */
	struct rpc_call *calls[FAKE_CALLS_MAX]; /* under way */
	uint8_t bodies[FAKE_CALLS_MAX][512];
	struct slice sent[FAKE_CALLS_MAX];
	size_t call_count;
	size_t started_count;
	struct runtime_task cancel_task;
};

static inline void fake_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct fake_transport *fake = (struct fake_transport *)transport;
	size_t at = fake->call_count;

	assert_true(at < FAKE_CALLS_MAX && call->body.size <= sizeof(fake->bodies[0]));
	assert_false(call->is_in_flight);
	if (call->body.size > 0)
		memcpy(fake->bodies[at], call->body.data, call->body.size);
	fake->sent[at] = slice_of(fake->bodies[at], call->body.size);
	fake->calls[at] = call;
	fake->call_count++;
	fake->started_count++;
	call->status = ST_OK;
	call->is_in_flight = true;
}

/* Answer the oldest call to a method, which must be there. */
static inline void fake_answer(struct fake_transport *fake, uint16_t method, enum status status,
			       struct slice reply)
{
	for (size_t i = 0; i < fake->call_count; i++) {
		struct rpc_call *call = fake->calls[i];

		if (call->method != method)
			continue;
		fake->call_count--;
		for (size_t k = i; k < fake->call_count; k++) {
			memcpy(fake->bodies[k], fake->bodies[k + 1], sizeof(fake->bodies[k]));
			fake->sent[k] = slice_of(fake->bodies[k], fake->sent[k + 1].size);
			fake->calls[k] = fake->calls[k + 1];
		}
		call->is_in_flight = false;
		call->status = status;
		call->reply = reply;
		call->done(call);
		return;
	}
	fail_msg("no call to method %u is under way", (unsigned)method);
}

static inline const struct rpc_call *fake_find(const struct fake_transport *fake, uint16_t method)
{
	for (size_t i = 0; i < fake->call_count; i++) {
		if (fake->calls[i]->method == method)
			return fake->calls[i];
	}
	return NULL;
}

static inline void fake_cancel(struct rpc_transport *transport, struct rpc_call *call)
{
	struct fake_transport *fake = (struct fake_transport *)transport;

	call->status = ST_CANCELED;
	runtime_defer(fake->base.runtime, &fake->cancel_task);
}

static inline void on_fake_cancel(struct runtime_task *task)
{
	struct fake_transport *fake = CONTAINER_OF(task, struct fake_transport, cancel_task);

	for (size_t i = 0; i < fake->call_count;) {
		if (fake->calls[i]->status == ST_CANCELED) {
			fake_answer(fake, fake->calls[i]->method, ST_CANCELED, slice_of(NULL, 0));
			i = 0;
		} else {
			i++;
		}
	}
}

static inline enum status fake_post(struct rpc_transport *transport, uint64_t peer_id, uint16_t method,
				    struct slice body)
{
	(void)transport;
	(void)peer_id;
	(void)method;
	(void)body;
	return ST_UNREACHABLE;
}

static inline void fake_set_peer(struct rpc_transport *transport, uint64_t peer_id, const char *host,
				 uint16_t port)
{
	(void)transport;
	(void)peer_id;
	(void)host;
	(void)port;
}

static inline void fake_remove_peer(struct rpc_transport *transport, uint64_t peer_id)
{
	(void)transport;
	(void)peer_id;
}

static inline bool fake_is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	(void)transport;
	(void)peer_id;
	return true;
}

static inline void fake_transport_init(struct fake_transport *fake, struct runtime *runtime)
{
	static const struct rpc_transport_ops ops = { .call = fake_call,
						      .cancel = fake_cancel,
						      .post = fake_post,
						      .set_peer = fake_set_peer,
						      .remove_peer = fake_remove_peer,
						      .is_up = fake_is_up };

	*fake = (struct fake_transport){ .base = { .ops = &ops, .runtime = runtime } };
	queue_init(&fake->base.observers);
	runtime_task_init(&fake->cancel_task, on_fake_cancel);
}

/* --- requests to a service --- */

struct fake_request {
	struct rpc_request base; /* first */
	struct buf body;
	struct buf reply;
	enum status status;
	uint32_t answer_count;
};

static inline void fake_reply(struct rpc_request *request, enum status status, struct slice body)
{
	struct fake_request *fake = (struct fake_request *)request;

	fake->answer_count++;
	fake->status = status;
	buf_append_slice(&fake->reply, body);
}

static inline void fake_request_init(struct fake_request *fake, const struct runtime *runtime,
				     uint16_t method, const ProtobufCMessage *message)
{
	static const struct rpc_request_ops ops = { fake_reply };

	*fake = (struct fake_request){ .base = { .method = method, .ops = &ops } };
	buf_init(&fake->body, 1 << 20);
	buf_init(&fake->reply, 32 << 20);
	if (message != NULL)
		(void)protobuf_c_message_pack(
			message, buf_extend(&fake->body, protobuf_c_message_get_packed_size(message)));
	fake->base.body = buf_slice(&fake->body);
	fake->base.deadline_mono_us = runtime_mono_us(runtime) + 60000000;
}

static inline void fake_request_close(struct fake_request *fake)
{
	buf_close(&fake->body);
	buf_close(&fake->reply);
}

/* --- a catalog with one replica --- */

enum { SEED_NODE_ID = 1 };

struct catalog_world {
	struct fake_loop loop;
	struct fake_transport transport;
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct group_table groups;
	struct catalog *catalog;
	struct driver *driver;
	struct group *group;
	uint32_t member_count; /* of the group; the others are never there */
	uint64_t caller_id;    /* of the requests; 0: a coordinator */
	uint64_t request_number;
};

static inline void world_fatal(void *context, enum status status)
{
	(void)context;
	fail_msg("fatal: %s", status_name(status));
}

/* Open what the disk holds, or found the cluster. */
static inline void world_open(struct catalog_world *world, uint32_t replica_count)
{
	static const struct group_settings settings = { .election_timeout_ms = 1000, .heartbeat_ms = 100 };
	struct catalog_settings wanted = catalog_default_settings(replica_count);
	static const uint64_t seeds[] = { SEED_NODE_ID, SEED_NODE_ID + 1, SEED_NODE_ID + 2 };
	struct raft_engine_configuration members;
	struct group_fsm *fsm;
	enum status status;

	assert_int_equal(engine_memory_open(world->disk, &world->engine), ST_OK);
	assert_int_equal(group_table_init(&world->groups, &world->loop.base, world->engine,
					  &world->transport.base, SEED_NODE_ID, &settings, world_fatal, NULL),
			 ST_OK);
	assert_int_equal(catalog_create(&world->groups, &wanted, &world->catalog), ST_OK);
	assert_int_equal(driver_create(world->catalog, &world->loop.base, &world->driver), ST_OK);
	fsm = catalog_group_fsm(world->catalog);
	catalog_bootstrap_members(seeds, world->member_count, &members);
	status = group_open(&world->groups, CATALOG_GROUP_ID, fsm, &world->group);
	if (status == ST_NOT_FOUND)
		status = group_create(&world->groups, CATALOG_GROUP_ID, SEED_NODE_ID, &members, fsm,
				      &world->group);
	assert_int_equal(status, ST_OK);
	assert_int_equal(catalog_attach(world->catalog, world->group), ST_OK);
	loop_run_ms(&world->loop, 3000);
	assert_int_equal(catalog_leads(world->catalog), world->member_count == 1);
}

static inline void world_close(struct catalog_world *world)
{
	catalog_detach(world->catalog);
	group_close(world->group);
	loop_settle(&world->loop);
	catalog_destroy(world->catalog);
	driver_destroy(world->driver);
	group_table_close(&world->groups);
	engine_close(world->engine);
}

static inline void world_start_with(struct catalog_world *world, uint32_t replica_count,
				    uint32_t member_count)
{
	*world = (struct catalog_world){ .member_count = member_count };
	loop_init(&world->loop, 7);
	fake_transport_init(&world->transport, &world->loop.base);
	world->disk = engine_memory_disk_create();
	assert_non_null(world->disk);
	world_open(world, replica_count);
}

static inline void world_start(struct catalog_world *world, uint32_t replica_count)
{
	world_start_with(world, replica_count, 1);
}

static inline void world_stop(struct catalog_world *world)
{
	world_close(world);
	runtime_base_close(&world->loop.base);
	engine_memory_disk_destroy(world->disk);
}

static inline const struct catalog_state *world_state(const struct catalog_world *world)
{
	return catalog_applied_state(world->catalog);
}

/* Send a request and let all happen that it causes at once; answered or not. */
static inline void world_send(struct catalog_world *world, struct fake_request *request, uint16_t method,
			      const ProtobufCMessage *message)
{
	fake_request_init(request, &world->loop.base, method, message);
	request->base.caller_id = world->caller_id;
	catalog_handle(world->catalog, &request->base);
	loop_settle(&world->loop);
	assert_true(request->answer_count <= 1);
}

/* The status of a request that is answered at once. */
static inline enum status world_ask(struct catalog_world *world, uint16_t method,
				    const ProtobufCMessage *message)
{
	struct fake_request request;

	world_send(world, &request, method, message);
	assert_int_equal(request.answer_count, 1);
	fake_request_close(&request);
	return request.status;
}

static inline void world_report(struct catalog_world *world, uint64_t node_id, Cleave__NodeReport *report)
{
	Cleave__NodeRecord node = CLEAVE__NODE_RECORD__INIT;
	char zone[8];
	char host[8];

	(void)snprintf(zone, sizeof(zone), "az-%c", (int)('a' + node_id % 3));
	(void)snprintf(host, sizeof(host), "n%u", (unsigned)(node_id % 1000));
	node.node_id = node_id;
	node.zone = zone;
	node.host = host;
	node.port = 7000;
	report->node = &node;
	world->caller_id = node_id;
	assert_int_equal(world_ask(world, METHOD_CATALOG_REPORT, &report->base), ST_OK);
	world->caller_id = 0;
	report->node = NULL;
}

static inline void world_register(struct catalog_world *world, uint64_t node_count)
{
	for (uint64_t node_id = 1; node_id <= node_count; node_id++) {
		Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;

		report.is_complete = true;
		world_report(world, node_id, &report);
	}
	assert_int_equal(world_state(world)->nodes.count, node_count);
}

/* A new request id, or (number > 0) that of an earlier request. */
static inline enum status world_create(struct catalog_world *world, const char *name,
				       uint32_t partition_count, uint64_t number)
{
	Cleave__CreateTableRequest create = CLEAVE__CREATE_TABLE_REQUEST__INIT;
	Cleave__TableRecord table = CLEAVE__TABLE_RECORD__INIT;
	Cleave__TableSchema schema = CLEAVE__TABLE_SCHEMA__INIT;
	Cleave__KeyAttribute key = CLEAVE__KEY_ATTRIBUTE__INIT;
	char name_copy[300];
	char key_name[] = "pk";
	char key_type[] = "S";

	if (number == 0)
		number = ++world->request_number;
	(void)snprintf(name_copy, sizeof(name_copy), "%s", name);
	key.name = key_name;
	key.type = key_type;
	schema.partition_key = &key;
	table.name = name_copy;
	table.schema = &schema;
	table.is_on_demand = true;
	create.table = &table;
	create.partition_count = partition_count;
	create.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	return world_ask(world, METHOD_CATALOG_CREATE_TABLE, &create.base);
}

static inline enum status world_delete(struct catalog_world *world, const char *name, uint64_t number)
{
	Cleave__DeleteTableRequest request = CLEAVE__DELETE_TABLE_REQUEST__INIT;
	char name_copy[300];

	if (number == 0)
		number = ++world->request_number;
	(void)snprintf(name_copy, sizeof(name_copy), "%s", name);
	request.name = name_copy;
	request.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	return world_ask(world, METHOD_CATALOG_DELETE_TABLE, &request.base);
}

static inline const struct table_info *world_table(const struct catalog_world *world, const char *name)
{
	return catalog_state_table_named(world_state(world), slice_of_string(name));
}

/* Every partition's first replica says that it leads and is ready. */
static inline void world_report_leaders(struct catalog_world *world, const char *name)
{
	const struct table_info *table = world_table(world, name);
	const struct partition_info *partition;

	assert_non_null(table);
	for (size_t i = 0;
	     (partition = catalog_state_partition_at(world_state(world), table->table_id, i)) != NULL; i++) {
		Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
		Cleave__ReplicaReport replica = CLEAVE__REPLICA_REPORT__INIT;
		Cleave__ReplicaReport *replicas[] = { &replica };

		replica.partition_id = partition->partition_id;
		replica.replica_id = partition->replicas[0].replica_id;
		replica.is_leader = true;
		replica.is_ready = true;
		replica.term = 2;
		report.n_replicas = 1;
		report.replicas = replicas;
		world_report(world, partition->replicas[0].node_id, &report);
	}
}

static inline void world_create_active(struct catalog_world *world, const char *name,
				       uint32_t partition_count)
{
	assert_int_equal(world_create(world, name, partition_count, 0), ST_OK);
	world_report_leaders(world, name);
	assert_int_equal(world_table(world, name)->state, TABLE_ACTIVE);
}

#endif
