/* A cluster of three nodes that answer as the test has written: real routing and operations,
 * a clock that the test moves, a transport that follows a script.
 *
 * Nodes 1, 2, 3 stand in az-a, az-b, az-c; the coordinator in az-b.  Table 7 ("things", key
 * pk of type S) is one partition, led by node 1.
 *
 * Threads  one.
 */
#ifndef TESTS_UNIT_ITEM_OP_FIXTURE_H
#define TESTS_UNIT_ITEM_OP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/exec/item_op.h"
#include "proto/base/fault.h"
#include "proto/model/row_key.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "tests/support/manual_runtime.h"

enum {
	FIXTURE_NODES = 3,
	FIXTURE_SCRIPT_MAX = 8,
	FIXTURE_SENT_MAX = 4096,
	FIXTURE_TABLE = 7,
	FIXTURE_PARTITION = 1000,
	FIXTURE_EPOCH = 3,
	FIXTURE_VERSION = 10,
	FIXTURE_REPLY_MAX = 512,
};

/* What a node answers.  After the last entry the last one is repeated. */
struct scripted {
	enum status status; /* ST_TIMEOUT: nothing, until the call's own time is up */
	uint64_t leader_node_id;
	uint64_t catalog_version;
	struct slice body; /* instead of a hint */
};

/* What was sent, one entry for each attempt. */
struct sent {
	uint64_t peer_id;
	uint64_t at_ms;
	uint16_t method;
	uint64_t partition_id;
	uint32_t epoch;
	bool consistent_read;
	bool accepts_frozen;
	uint32_t age_ms;
	uint8_t request_id[ITEM_OP_REQUEST_ID_SIZE];
};

struct item_fixture {
	struct rpc_transport transport;
	struct manual_runtime runtime;
	struct catalog_view view;
	struct route route;
	struct route_env env;
	struct arena arena;
	struct buf row_key;
	bool is_down[FIXTURE_NODES + 1];
	const struct scripted *script;
	size_t script_size;
	struct sent sent[FIXTURE_SENT_MAX];
	uint32_t sent_count;
	struct rpc_call *call; /* in flight: one at a time */
	struct runtime_task reply_task;
	enum status reply_status;
	uint8_t reply[FIXTURE_REPLY_MAX];
	size_t reply_size;
	struct item_op op;
	uint32_t done_count;
};

static inline struct item_fixture *fixture_of(const struct rpc_transport *transport)
{
	return CONTAINER_OF(transport, struct item_fixture, transport);
}

/* --- the transport --- */

static inline void fixture_finish(struct item_fixture *f, enum status status)
{
	struct rpc_call *call = f->call;

	f->call = NULL;
	runtime_timer_stop(&f->runtime.base, &call->timer);
	call->status = status;
	call->reply = slice_of(f->reply, f->reply_size);
	call->is_in_flight = false;
	call->done(call);
}

static inline void fixture_on_reply(struct runtime_task *task)
{
	struct item_fixture *f = CONTAINER_OF(task, struct item_fixture, reply_task);

	fixture_finish(f, f->reply_status);
}

static inline void fixture_on_timeout(struct runtime_timer *timer)
{
	struct rpc_call *call = CONTAINER_OF(timer, struct rpc_call, timer);

	fixture_of(call->transport)->reply_size = 0;
	fixture_finish(fixture_of(call->transport), ST_TIMEOUT);
}

static inline void fixture_note(struct item_fixture *f, const struct rpc_call *call)
{
	struct sent *sent = &f->sent[f->sent_count];

	assert_true(f->sent_count < FIXTURE_SENT_MAX);
	f->sent_count++;
	*sent = (struct sent){ .peer_id = call->peer_id, .method = call->method };
	sent->at_ms = runtime_mono_ms(&f->runtime.base);
	if (call->method == METHOD_GET_ITEM) {
		Cleave__GetItemRequest *get = cleave__get_item_request__unpack(NULL, call->body.size,
									       call->body.data);

		assert_non_null(get);
		sent->partition_id = get->partition_id;
		sent->epoch = get->epoch;
		sent->consistent_read = get->consistent_read;
		sent->accepts_frozen = get->accepts_frozen;
		cleave__get_item_request__free_unpacked(get, NULL);
	} else if (call->method == METHOD_WRITE_ITEM) {
		Cleave__WriteItemRequest *write = cleave__write_item_request__unpack(NULL, call->body.size,
										     call->body.data);

		assert_non_null(write);
		assert_int_equal(write->request_id.len, ITEM_OP_REQUEST_ID_SIZE);
		sent->partition_id = write->partition_id;
		sent->epoch = write->epoch;
		sent->age_ms = write->age_ms;
		memcpy(sent->request_id, write->request_id.data, ITEM_OP_REQUEST_ID_SIZE);
		cleave__write_item_request__free_unpacked(write, NULL);
	}
}

static inline void fixture_prepare(struct item_fixture *f, const struct scripted *entry)
{
	Cleave__RoutingHint hint = CLEAVE__ROUTING_HINT__INIT;

	f->reply_status = entry->status;
	hint.leader_node_id = entry->leader_node_id;
	hint.catalog_version = entry->catalog_version;
	f->reply_size = entry->body.size;
	assert_true(entry->body.size <= FIXTURE_REPLY_MAX);
	if (entry->body.size > 0)
		memcpy(f->reply, entry->body.data, entry->body.size);
	else if (entry->status != ST_OK)
		f->reply_size = cleave__routing_hint__pack(&hint, f->reply);
}

static inline void fixture_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct item_fixture *f = fixture_of(transport);
	size_t index = f->sent_count < f->script_size ? f->sent_count : f->script_size - 1;

	assert_null(f->call);
	f->call = call;
	call->is_in_flight = true;
	runtime_timer_init(&call->timer, fixture_on_timeout);
	fixture_note(f, call);
	fixture_prepare(f, &f->script[index]);
	if (fault_fires(FAULT_RPC_SEND))
		f->reply_status = ST_UNREACHABLE;
	else if (fault_fires(FAULT_RPC_REPLY))
		f->reply_status = ST_CLOSED;
	if (f->reply_status == ST_UNREACHABLE || f->reply_status == ST_CLOSED)
		f->reply_size = 0;
	if (f->reply_status == ST_TIMEOUT)
		runtime_timer_start(&f->runtime.base, &call->timer, call->timeout_ms * 1000ull);
	else
		runtime_defer(&f->runtime.base, &f->reply_task);
}

static inline void fixture_cancel_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct item_fixture *f = fixture_of(transport);

	assert_ptr_equal(f->call, call);
	f->reply_status = ST_CANCELED;
	f->reply_size = 0;
	runtime_defer(&f->runtime.base, &f->reply_task);
}

static inline bool fixture_is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	return peer_id <= FIXTURE_NODES && !fixture_of(transport)->is_down[peer_id];
}

static const struct rpc_transport_ops fixture_ops = {
	.call = fixture_call,
	.cancel = fixture_cancel_call,
	.is_up = fixture_is_up,
};

/* --- the catalog --- */

static inline void fixture_put_nodes(struct item_fixture *f)
{
	static const char *const zones[] = { "", "az-a", "az-b", "az-c" };

	for (uint64_t id = 1; id <= FIXTURE_NODES; id++) {
		struct node_info node = { .node_id = id, .host = "h", .port = 1 };

		memcpy(node.zone, zones[id], 5);
		assert_int_equal(catalog_state_put_node(&f->view.state, &node), ST_OK);
	}
}

static inline void fixture_put_table(struct item_fixture *f, uint32_t table_id, enum table_state state)
{
	struct table_info table = {
		.table_id = table_id, .state = state, .name = "things", .is_on_demand = true
	};

	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(catalog_state_put_table(&f->view.state, &table), ST_OK);
}

static inline void fixture_put_partition(struct item_fixture *f, uint32_t table_id, uint64_t partition_id,
					 uint32_t epoch)
{
	Cleave__PartitionRecord record = CLEAVE__PARTITION_RECORD__INIT;
	Cleave__ReplicaRecord replicas[FIXTURE_NODES];
	Cleave__ReplicaRecord *pointers[FIXTURE_NODES];
	struct partition_info *partition;
	struct buf start;
	struct buf end;

	buf_init(&start, 64);
	buf_init(&end, 64);
	row_key_token_start(&start, table_id, 0);
	row_key_table_start(&end, table_id + 1);
	for (uint32_t i = 0; i < FIXTURE_NODES; i++) {
		cleave__replica_record__init(&replicas[i]);
		replicas[i].replica_id = i + 1;
		replicas[i].node_id = i + 1;
		pointers[i] = &replicas[i];
	}
	record.partition_id = partition_id;
	record.table_id = table_id;
	record.epoch = epoch;
	record.range_start = (ProtobufCBinaryData){ start.size, start.data };
	record.range_end = (ProtobufCBinaryData){ end.size, end.data };
	record.n_replicas = FIXTURE_NODES;
	record.replicas = pointers;
	record.preferred_leader_node_id = 1;
	assert_int_equal(partition_info_decode(&record, &partition), ST_OK);
	assert_int_equal(catalog_state_put_partition(&f->view.state, partition), ST_OK);
	buf_close(&start);
	buf_close(&end);
}

/* --- life --- */

static inline void fixture_open(struct item_fixture *f)
{
	static const uint64_t seeds[] = { 1, 2, 3 };

	memset(f, 0, sizeof(*f));
	manual_runtime_init(&f->runtime);
	f->transport = (struct rpc_transport){ .ops = &fixture_ops, .runtime = &f->runtime.base };
	queue_init(&f->transport.observers);
	runtime_task_init(&f->reply_task, fixture_on_reply);
	catalog_view_init(&f->view, &f->runtime.base, &f->transport, seeds, FIXTURE_NODES);
	fixture_put_nodes(f);
	fixture_put_table(f, FIXTURE_TABLE, TABLE_ACTIVE);
	fixture_put_partition(f, FIXTURE_TABLE, FIXTURE_PARTITION, FIXTURE_EPOCH);
	f->view.state.version = FIXTURE_VERSION;
	route_init(&f->route, &f->view, &f->transport, "az-b");
	route_env_init(&f->env, &f->view, &f->route, &f->transport);
	arena_init(&f->arena, 16 * 1024 * 1024);
	buf_init(&f->row_key, 64);
	row_key_token_start(&f->row_key, FIXTURE_TABLE, 99);
	buf_append_string(&f->row_key, "key");
}

static inline void fixture_close(struct item_fixture *f)
{
	assert_null(f->call);
	buf_close(&f->row_key);
	arena_close(&f->arena);
	route_env_close(&f->env);
	route_close(&f->route);
	catalog_view_close(&f->view);
	manual_runtime_close(&f->runtime);
}

/* --- operations --- */

static inline void fixture_on_done(struct item_op *op)
{
	CONTAINER_OF(op, struct item_fixture, op)->done_count++;
}

static inline void fixture_script(struct item_fixture *f, const struct scripted *script, size_t size)
{
	f->script = script;
	f->script_size = size;
	f->sent_count = 0;
}

static inline void fixture_start(struct item_fixture *f, enum item_op_kind kind, bool is_consistent)
{
	f->op = (struct item_op){
		.kind = kind,
		.row_key = buf_slice(&f->row_key),
		.item = slice_of_string("item bytes"),
		.is_consistent = is_consistent,
		.arena = &f->arena,
		.done = fixture_on_done,
	};
	f->done_count = 0;
	item_op_start(&f->env, &f->op);
	assert_int_equal(f->done_count, 0); /* never from inside start */
}

/* What is true of every operation, however it ends. */
static inline enum status fixture_wait(struct item_fixture *f)
{
	manual_runtime_settle(&f->runtime);
	for (uint32_t ms = 0; f->done_count == 0 && ms <= 2 * ITEM_OP_DEADLINE_MS; ms++)
		manual_runtime_advance_ms(&f->runtime, 1);
	assert_int_equal(f->done_count, 1);
	assert_false(runtime_timer_is_active(&f->op.call.timer));
	assert_int_equal(runtime_next_deadline_mono_us(&f->runtime.base), UINT64_MAX);
	manual_runtime_advance_ms(&f->runtime, 10);
	assert_int_equal(f->done_count, 1);
	assert_int_equal(f->op.call.attempt_count, f->sent_count);
	return f->op.status;
}

static inline enum status fixture_run(struct item_fixture *f, enum item_op_kind kind, bool is_consistent)
{
	fixture_start(f, kind, is_consistent);
	return fixture_wait(f);
}

#define SCRIPT(fixture, entries) fixture_script((fixture), (entries), ARRAY_COUNT(entries))

#endif
