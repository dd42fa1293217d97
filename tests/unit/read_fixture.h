/* A table over three nodes that answers range and batch reads from real rows: real routing and
 * operations, real scans, a clock that the test moves, and a partition map and failures that change
 * while an operation is under way.
 *
 * Table 7 has the rows "k000" to "k199" behind token 0; each holds its number as item bytes of
 * four bytes, said to be of READ_ROW_SIZE_BYTES.  Each has a row of the same content in both local
 * indexes.
 *
 * Threads  one.
 */
#ifndef TESTS_UNIT_READ_FIXTURE_H
#define TESTS_UNIT_READ_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/exec/batch_op.h"
#include "coordinator/exec/query_op.h"
#include "proto/base/fault.h"
#include "proto/model/row_key.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "storage/encoding/stored_item.h"
#include "storage/engine/engine_memory.h"
#include "storage/item/item_batch.h"
#include "tests/support/manual_runtime.h"

enum {
	READ_NODES = 3,
	READ_TABLE = 7,
	READ_ROWS = 200,
	READ_ROW_SIZE_BYTES = 10 * 1024, /* about a hundred make a page */
	READ_PARTITION_FIRST = 1000,
	READ_CALLS_MAX = 16,
	READ_KEY_SIZE = LIMIT_ROW_KEY_HEAD_SIZE_BYTES + 4,
	READ_INDEX = 1, /* its local_number; the other's is the next */
	READ_INDEX_KEY_SIZE = READ_KEY_SIZE + 3,
};

/* A call that a node has taken and will answer in this turn. */
struct read_call {
	struct runtime_task task;
	struct read_fixture *f;
	struct rpc_call *call; /* NULL: free */
	uint8_t *body;         /* the sender's buffer is its own again once the call has started */
};

struct read_fixture {
	struct rpc_transport transport;
	struct manual_runtime runtime;
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct catalog_view view;
	struct route route;
	struct route_env env;
	struct arena arena;
	struct rng rng;
	uint32_t failures_per_mille; /* of the answers, while patience lasts */
	uint32_t moves_per_mille;    /* before an answer the map changes */
	uint64_t partition_count;
	uint64_t next_partition_id;
	uint32_t call_count;
	uint32_t rows_asked_max;  /* of one range message */
	uint32_t stops_per_mille; /* of the local index's range messages end at another's row */
	struct read_call calls[READ_CALLS_MAX];
	uint32_t done_count;
};

/* --- keys and rows --- */

static inline struct slice read_key(uint32_t row, uint8_t out[READ_KEY_SIZE + 1])
{
	put_u32_be(out, READ_TABLE);
	put_u64_be(out + 4, 0);
	(void)snprintf((char *)out + LIMIT_ROW_KEY_HEAD_SIZE_BYTES, 5, "k%03u", row % 1000);
	return slice_of(out, READ_KEY_SIZE);
}

static inline struct slice read_index_key(uint32_t row, uint8_t local_number,
					  uint8_t out[READ_INDEX_KEY_SIZE])
{
	(void)read_key(row, out);
	out[READ_KEY_SIZE] = 0; /* the end of the partition key */
	out[READ_KEY_SIZE + 1] = 1;
	out[READ_KEY_SIZE + 2] = local_number;
	return slice_of(out, READ_INDEX_KEY_SIZE);
}

static inline void read_put_rows(struct read_fixture *f)
{
	struct engine_batch *batch = engine_batch_create(f->engine);
	uint8_t value[STORED_ITEM_HEAD_SIZE + 4];
	uint8_t key[READ_INDEX_KEY_SIZE];

	for (uint32_t i = 0; i < READ_ROWS; i++) {
		stored_item_put_head(value, 1, 0, READ_ROW_SIZE_BYTES);
		put_u32_be(value + STORED_ITEM_HEAD_SIZE, i);
		engine_batch_put(f->engine, batch, FAMILY_ITEMS, read_key(i, key),
				 slice_of(value, sizeof(value)));
		for (uint8_t number = READ_INDEX; number <= READ_INDEX + 1; number++)
			engine_batch_put(f->engine, batch, FAMILY_LOCAL_INDEXES,
					 read_index_key(i, number, key), slice_of(value, sizeof(value)));
	}
	assert_int_equal(engine_write(f->engine, batch), ST_OK);
	engine_batch_destroy(f->engine, batch);
}

/* --- the catalog --- */

/* A partition of the rows [first, end); end READ_ROWS: to the end of the table. */
static inline void read_put_partition(struct read_fixture *f, uint32_t first, uint32_t end)
{
	Cleave__PartitionRecord record = CLEAVE__PARTITION_RECORD__INIT;
	Cleave__ReplicaRecord replicas[READ_NODES];
	Cleave__ReplicaRecord *pointers[READ_NODES];
	struct partition_info *partition;
	uint8_t start_key[READ_KEY_SIZE + 1];
	uint8_t end_key[READ_KEY_SIZE + 1];
	struct slice start = read_key(first, start_key);
	struct slice limit = read_key(end, end_key);

	if (first == 0)
		start.size = LIMIT_ROW_KEY_HEAD_SIZE_BYTES;
	if (end == READ_ROWS) {
		put_u32_be(end_key, READ_TABLE + 1);
		limit.size = 4;
	}
	for (uint32_t i = 0; i < READ_NODES; i++) {
		cleave__replica_record__init(&replicas[i]);
		replicas[i].replica_id = i + 1;
		replicas[i].node_id = i + 1;
		pointers[i] = &replicas[i];
	}
	record.partition_id = f->next_partition_id++;
	record.table_id = READ_TABLE;
	record.epoch = 1;
	record.range_start = (ProtobufCBinaryData){ start.size, (uint8_t *)(uintptr_t)start.data };
	record.range_end = (ProtobufCBinaryData){ limit.size, (uint8_t *)(uintptr_t)limit.data };
	record.n_replicas = READ_NODES;
	record.replicas = pointers;
	record.preferred_leader_node_id = 1 + rng_below(&f->rng, READ_NODES);
	assert_int_equal(partition_info_decode(&record, &partition), ST_OK);
	assert_int_equal(catalog_state_put_partition(&f->view.state, partition), ST_OK);
}

/* Cut the table anew, at random rows. */
static inline void read_cut(struct read_fixture *f, uint32_t partition_count)
{
	uint32_t first = 0;

	while (catalog_state_partition_count(&f->view.state, READ_TABLE) > 0)
		catalog_state_remove_partition(
			&f->view.state,
			catalog_state_partition_at(&f->view.state, READ_TABLE, 0)->partition_id);
	for (uint32_t left = partition_count; left > 0; left--) {
		uint32_t end = left == 1
				       ? READ_ROWS
				       : first + 1 + (uint32_t)rng_below(&f->rng, (READ_ROWS - first) / left);

		read_put_partition(f, first, end);
		first = end;
	}
	f->view.state.version++;
}

/* --- the nodes --- */

static inline void read_reply(struct rpc_call *call, enum status status, struct slice body)
{
	runtime_timer_stop(call->transport->runtime, &call->timer);
	call->status = status;
	call->reply = body;
	call->is_in_flight = false;
	call->done(call);
}

/* A node serves what lies within a partition of the map as it is now. */
static inline bool read_is_held(struct read_fixture *f, uint64_t partition_id, struct slice first,
				struct slice end)
{
	const struct partition_info *partition = catalog_state_partition(&f->view.state, partition_id);

	return partition != NULL && slice_compare(first, partition->range_start) >= 0 &&
	       slice_compare(end, partition->range_end) <= 0;
}

/* A row of the other index within the range, where a node's step may end. */
static inline bool read_choose_stop(struct read_fixture *f, const struct item_scan *scan,
				    uint8_t out[READ_INDEX_KEY_SIZE])
{
	struct slice key = read_index_key((uint32_t)rng_below(&f->rng, READ_ROWS), READ_INDEX + 1, out);

	return slice_compare(key, scan->start) > 0 && slice_compare(key, scan->end) < 0 &&
	       rng_below(&f->rng, 1000) < f->stops_per_mille;
}

/* As a node does that has passed over too many rows of others: up to one of those. */
static inline enum status read_scan(struct read_fixture *f, struct item_scan *scan)
{
	uint8_t stop[READ_INDEX_KEY_SIZE];
	bool stops = scan->local_number != 0 && read_choose_stop(f, scan, stop);
	enum status status;

	if (stops && scan->is_backward)
		scan->start = slice_of(stop, sizeof(stop));
	else if (stops)
		scan->end = slice_of(stop, sizeof(stop));
	status = item_scan_run(scan, f->engine);
	if (status == ST_OK && stops && scan->is_at_end) {
		scan->is_at_end = false;
		buf_append_slice(&scan->last_key, slice_of(stop, sizeof(stop)));
	}
	return status;
}

static inline void read_answer_range(struct read_fixture *f, struct rpc_call *call)
{
	const struct table_info *table = catalog_state_table(&f->view.state, READ_TABLE);
	Cleave__ReadRangeRequest *message = cleave__read_range_request__unpack(NULL, call->body.size,
									       call->body.data);
	Cleave__ReadRangeReply reply = CLEAVE__READ_RANGE_REPLY__INIT;
	enum status status = ST_MOVED;
	struct item_scan scan;
	uint8_t *packed = NULL;

	assert_non_null(message);
	item_scan_init(&scan);
	scan.start = slice_of(message->start.data, message->start.len);
	scan.end = slice_of(message->end.data, message->end.len);
	scan.is_backward = message->is_backward;
	scan.counts_only = message->count_only;
	scan.row_count_max = message->row_count_max < f->rows_asked_max ? message->row_count_max
									: f->rows_asked_max;
	scan.size_bytes_max = message->size_bytes_max;
	scan.local_number = (uint8_t)message->local_number;
	scan.schema = table == NULL ? NULL : &table->schema;
	if (scan.local_number != 0)
		scan.family = FAMILY_LOCAL_INDEXES;
	assert_true(slice_compare(scan.start, scan.end) < 0);
	if (read_is_held(f, message->partition_id, scan.start, scan.end))
		status = read_scan(f, &scan);
	if (status == ST_OK) {
		reply.rows = (ProtobufCBinaryData){ scan.rows.size, scan.rows.data };
		reply.matched_count = scan.matched_count;
		reply.evaluated_count = scan.evaluated_count;
		reply.evaluated_size_bytes = scan.evaluated_size_bytes;
		reply.page_size_bytes = scan.page_size_bytes;
		reply.last_key = (ProtobufCBinaryData){ scan.last_key.size, scan.last_key.data };
		reply.is_at_end = scan.is_at_end;
		packed = malloc(cleave__read_range_reply__get_packed_size(&reply) + 1);
		assert_non_null(packed);
	}
	cleave__read_range_request__free_unpacked(message, NULL);
	read_reply(call, status,
		   slice_of(packed, packed == NULL ? 0 : cleave__read_range_reply__pack(&reply, packed)));
	item_scan_close(&scan);
	free(packed);
}

static inline void read_answer_batch(struct read_fixture *f, struct rpc_call *call)
{
	Cleave__GetItemsRequest *message = cleave__get_items_request__unpack(NULL, call->body.size,
									     call->body.data);
	Cleave__GetItemsReply reply = CLEAVE__GET_ITEMS_REPLY__INIT;
	struct slice keys[LIMIT_BATCH_GET_COUNT];
	enum status status = ST_OK;
	struct item_batch batch;
	uint8_t *packed = NULL;

	assert_non_null(message);
	assert_in_range(message->n_row_keys, 1, LIMIT_BATCH_GET_COUNT);
	item_batch_init(&batch);
	for (size_t i = 0; i < message->n_row_keys; i++) {
		keys[i] = slice_of(message->row_keys[i].data, message->row_keys[i].len);
		assert_true(i == 0 || slice_compare(keys[i - 1], keys[i]) < 0);
		if (!read_is_held(f, message->partition_id, keys[i], keys[i]))
			status = ST_MOVED;
	}
	batch.keys = keys;
	batch.key_count = (uint32_t)message->n_row_keys;
	batch.size_bytes_max = message->size_bytes_max;
	if (status == ST_OK)
		status = item_batch_run(&batch, f->engine);
	if (status == ST_OK) {
		reply.rows = (ProtobufCBinaryData){ batch.rows.size, batch.rows.data };
		reply.answered_count = batch.answered_count;
		packed = malloc(cleave__get_items_reply__get_packed_size(&reply) + 1);
		assert_non_null(packed);
	}
	cleave__get_items_request__free_unpacked(message, NULL);
	read_reply(call, status,
		   slice_of(packed, packed == NULL ? 0 : cleave__get_items_reply__pack(&reply, packed)));
	item_batch_close(&batch);
	free(packed);
}

static inline bool read_hits(struct read_fixture *f, uint32_t per_mille)
{
	return rng_below(&f->rng, 1000) < per_mille;
}

static inline void read_on_task(struct runtime_task *task)
{
	static const enum status failures[] = { ST_NOT_LEADER, ST_CLOSED, ST_UNREACHABLE, ST_OVERLOADED,
						ST_STALE,      ST_MOVED,  ST_UNAVAILABLE, ST_BUSY };
	struct read_call *taken = CONTAINER_OF(task, struct read_call, task);
	struct read_fixture *f = taken->f;
	struct rpc_call *call = taken->call;
	uint8_t *body = taken->body;

	taken->call = NULL;
	if (read_hits(f, f->moves_per_mille))
		read_cut(f, 1 + (uint32_t)rng_below(&f->rng, 12));
	if (fault_fires(FAULT_RPC_REPLY))
		read_reply(call, ST_CLOSED, slice_of(NULL, 0));
	else if (call->status == ST_CANCELED)
		read_reply(call, ST_CANCELED, slice_of(NULL, 0));
	else if (read_hits(f, f->failures_per_mille))
		read_reply(call, failures[rng_below(&f->rng, ARRAY_COUNT(failures))], slice_of(NULL, 0));
	else if (call->method == METHOD_READ_RANGE)
		read_answer_range(f, call);
	else
		read_answer_batch(f, call);
	free(body);
}

static inline void read_on_timeout(struct runtime_timer *timer)
{
	(void)timer;
	fail_msg("%s", "every call is answered in its turn");
}

static inline void read_call_start(struct rpc_transport *transport, struct rpc_call *call)
{
	struct read_fixture *f = CONTAINER_OF(transport, struct read_fixture, transport);

	f->call_count++;
	call->is_in_flight = true;
	call->status = ST_OK;
	runtime_timer_init(&call->timer, read_on_timeout);
	for (uint32_t i = 0; i < READ_CALLS_MAX; i++) {
		if (f->calls[i].call != NULL)
			continue;
		f->calls[i].call = call;
		f->calls[i].f = f;
		f->calls[i].body = malloc(call->body.size + 1);
		assert_non_null(f->calls[i].body);
		memcpy(f->calls[i].body, call->body.data, call->body.size);
		call->body.data = f->calls[i].body;
		call->impl = &f->calls[i];
		runtime_defer(transport->runtime, &f->calls[i].task);
		return;
	}
	fail_msg("%s", "too many calls at a time");
}

static inline void read_call_cancel(struct rpc_transport *transport, struct rpc_call *call)
{
	(void)transport;
	call->status = ST_CANCELED; /* read_on_task() tells */
}

static inline bool read_is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	(void)transport;
	return peer_id >= 1 && peer_id <= READ_NODES;
}

static const struct rpc_transport_ops read_transport_ops = {
	.call = read_call_start,
	.cancel = read_call_cancel,
	.is_up = read_is_up,
};

/* --- life --- */

static inline void read_fixture_open(struct read_fixture *f, uint64_t seed)
{
	static const uint64_t seeds[] = { 1, 2, 3 };
	struct table_info table = { .table_id = READ_TABLE, .state = TABLE_ACTIVE, .name = "things" };

	memset(f, 0, sizeof(*f));
	f->next_partition_id = READ_PARTITION_FIRST;
	f->rows_asked_max = UINT32_MAX;
	rng_seed(&f->rng, seed);
	manual_runtime_init(&f->runtime);
	f->transport = (struct rpc_transport){ .ops = &read_transport_ops, .runtime = &f->runtime.base };
	queue_init(&f->transport.observers);
	for (uint32_t i = 0; i < READ_CALLS_MAX; i++)
		runtime_task_init(&f->calls[i].task, read_on_task);
	f->disk = engine_memory_disk_create();
	assert_non_null(f->disk);
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	read_put_rows(f);
	catalog_view_init(&f->view, &f->runtime.base, &f->transport, seeds, READ_NODES);
	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(catalog_state_put_table(&f->view.state, &table), ST_OK);
	read_cut(f, 1);
	route_init(&f->route, &f->view, &f->transport, "az-b");
	route_env_init(&f->env, &f->view, &f->route, &f->transport);
	arena_init(&f->arena, 64 * 1024 * 1024);
}

static inline void read_fixture_close(struct read_fixture *f)
{
	arena_close(&f->arena);
	route_env_close(&f->env);
	route_close(&f->route);
	catalog_view_close(&f->view);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
	manual_runtime_close(&f->runtime);
}

/* What is true of every operation, however it ends. */
static inline void read_wait(struct read_fixture *f)
{
	assert_int_equal(f->done_count, 0); /* never from inside start */
	manual_runtime_settle(&f->runtime);
	for (uint32_t ms = 0; f->done_count == 0 && ms <= 2 * REPLICA_CALL_DEADLINE_MS; ms++)
		manual_runtime_advance_ms(&f->runtime, 1);
	assert_int_equal(f->done_count, 1);
	manual_runtime_advance_ms(&f->runtime, 10);
	assert_int_equal(f->done_count, 1);
	assert_int_equal(runtime_next_deadline_mono_us(&f->runtime.base), UINT64_MAX);
	f->done_count = 0;
}

#endif
