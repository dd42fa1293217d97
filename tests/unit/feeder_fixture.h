/* Real partitions of a table on three nodes and, on node 1, of its global index; between the feeders and
 * the index a network of its own, which the test can hold, break and delay. */
#ifndef TESTS_UNIT_FEEDER_FIXTURE_H
#define TESTS_UNIT_FEEDER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/background/index_feeder_internal.h"
#include "node/partition/partition_definitions.h"
#include "node/server/handle_index.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "storage/changes/change_log.h"
#include "storage/encoding/stored_item.h"
#include "tests/support/partition_fixture.h"
#include "tests/unit/feed_fixture.h"

enum {
	NODES = 3,
	INDEX_NODE = 1,
	PATIENCE_MS = 8000,
	KEYS = 12,
	VALUES = 6,
	MANY = 60,
};

enum verdict { VERDICT_DELIVER, VERDICT_HOLD, VERDICT_UNREACHABLE, VERDICT_LOSE_REPLY };

/* --- the network between feeders and index --- */

struct index_net;

/* A message on its way, and the request as its receiver has it. */
struct parcel {
	struct rpc_request request; /* first */
	struct queue link;
	struct rpc_call *call; /* NULL: nobody waits any more */
	uint64_t due_us;
	bool is_canceled;
	bool is_delivered;
	bool is_answered;
	enum status status;
	uint64_t partition_id; /* of the index */
	size_t row_count;
	size_t size;
	uint8_t body[];
};

struct index_net {
	struct rpc_transport base; /* first */
	struct fixture *x;
	struct queue parcels;
};

struct fixture {
	struct partition_fixture *f;
	struct catalog_view views[NODES + 1];
	struct route routes[NODES + 1];
	struct route_env envs[NODES + 1];
	struct index_net nets[NODES + 1];
	struct index_feeders feeders[NODES + 1];
	struct partition_table index_partitions; /* on INDEX_NODE */
	enum verdict verdict;
	uint64_t held_partition_id; /* of the index: messages to it are held; 0: none */
	uint32_t fail_nth;          /* every nth message is not delivered; 0: none */
	uint64_t parcel_count;
	uint64_t delivered_count;
	uint32_t caught_up_count;
	uint64_t next_request;
};

static inline void note_rows(struct parcel *parcel)
{
	Cleave__WriteIndexRowsRequest *message = cleave__write_index_rows_request__unpack(NULL, parcel->size,
											  parcel->body);

	assert_non_null(message);
	parcel->partition_id = message->partition_id;
	parcel->row_count = message->n_rows;
	cleave__write_index_rows_request__free_unpacked(message, NULL);
}

static inline void net_call(struct rpc_transport *transport, struct rpc_call *call)
{
	struct index_net *net = (struct index_net *)transport;
	struct parcel *parcel = calloc(1, sizeof(*parcel) + call->body.size);

	assert_non_null(parcel);
	assert_int_equal(call->method, METHOD_WRITE_INDEX_ROWS);
	memcpy(parcel->body, call->body.data, call->body.size);
	parcel->size = call->body.size;
	note_rows(parcel);
	parcel->call = call;
	parcel->due_us = runtime_mono_us(transport->runtime) + 1000 * (uint64_t)call->timeout_ms;
	call->impl = parcel;
	call->is_in_flight = true;
	queue_init(&parcel->link);
	queue_push_tail(&net->parcels, &parcel->link);
}

static inline void net_cancel(struct rpc_transport *transport, struct rpc_call *call)
{
	(void)transport;
	((struct parcel *)call->impl)->is_canceled = true;
}

static inline bool net_is_up(const struct rpc_transport *transport, uint64_t peer_id)
{
	(void)transport;
	(void)peer_id;
	return true;
}

static inline void answer_call(struct parcel *parcel, enum status status)
{
	struct rpc_call *call = parcel->call;

	parcel->call = NULL;
	if (call == NULL)
		return;
	call->is_in_flight = false;
	call->status = status;
	call->reply = slice_of(NULL, 0);
	call->done(call);
}

static inline void on_reply(struct rpc_request *request, enum status status, struct slice body)
{
	struct parcel *parcel = (struct parcel *)request;

	(void)body;
	assert_false(parcel->is_answered);
	parcel->is_answered = true;
	parcel->status = status;
}

static inline void deliver(struct index_net *net, struct parcel *parcel)
{
	static const struct rpc_request_ops ops = { on_reply };

	parcel->is_delivered = true;
	parcel->request = (struct rpc_request){ .method = METHOD_WRITE_INDEX_ROWS,
						.caller_id = (uint64_t)(net - net->x->nets),
						.body = slice_of(parcel->body, parcel->size),
						.ops = &ops };
	net->x->delivered_count++;
	handle_index_write(&net->x->index_partitions, &parcel->request);
}

static inline bool is_to_fail(struct fixture *x)
{
	x->parcel_count++;
	return x->fail_nth != 0 && x->parcel_count % x->fail_nth == 0;
}

/* A caller that gave up hears so at once; what it sent may still arrive, much later. */
static inline bool move_parcel(struct index_net *net, struct parcel *parcel)
{
	struct fixture *x = net->x;

	if (parcel->is_canceled)
		answer_call(parcel, ST_CANCELED);
	else if (runtime_mono_us(net->base.runtime) >= parcel->due_us)
		answer_call(parcel, ST_TIMEOUT);
	if (parcel->is_answered) {
		answer_call(parcel, x->verdict == VERDICT_LOSE_REPLY ? ST_CLOSED : parcel->status);
		return true;
	}
	if (parcel->is_delivered || x->verdict == VERDICT_HOLD ||
	    parcel->partition_id == x->held_partition_id)
		return false;
	if (parcel->call != NULL && parcel->call->peer_id != INDEX_NODE) {
		answer_call(parcel, ST_NOT_LEADER); /* what every other node would say */
		return true;
	}
	if (x->verdict == VERDICT_UNREACHABLE || is_to_fail(x)) {
		answer_call(parcel, ST_UNREACHABLE);
		return true;
	}
	deliver(net, parcel);
	return false;
}

static inline void move_parcels(struct fixture *x)
{
	for (size_t i = 1; i <= NODES; i++) {
		struct queue *next;

		for (struct queue *link = x->nets[i].parcels.next; link != &x->nets[i].parcels; link = next) {
			struct parcel *parcel = CONTAINER_OF(link, struct parcel, link);

			next = link->next;
			if (move_parcel(&x->nets[i], parcel)) {
				queue_remove(link);
				free(parcel);
			}
		}
	}
}

static inline void run_ms(struct fixture *x, uint64_t duration_ms)
{
	for (uint64_t i = 0; i < duration_ms; i++) {
		partition_fixture_run_ms(x->f, 1);
		move_parcels(x);
	}
}

#define RUN_UNTIL(x, condition)                                                                              \
	do {                                                                                                 \
		for (uint32_t ms_ = 0; ms_ < PATIENCE_MS && !(condition); ms_++)                             \
			run_ms(x, 1);                                                                        \
		assert_true(condition);                                                                      \
	} while (0)

static inline size_t parcels_under_way(const struct fixture *x)
{
	size_t count = 0;

	for (size_t i = 1; i <= NODES; i++) {
		for (const struct queue *link = x->nets[i].parcels.next; link != &x->nets[i].parcels;
		     link = link->next)
			count++;
	}
	return count;
}

/* --- the world --- */

static inline void on_caught_up(struct index_feeders *feeders)
{
	((struct index_net *)feeders->env->transport)->x->caught_up_count++;
}

static inline void create_index_partition(struct fixture *x, uint32_t table_id, uint64_t partition_id,
					  struct slice start, struct slice end)
{
	struct raft_engine_configuration members = { .members = { { 101, INDEX_NODE, RAFT_ROLE_VOTER } },
						     .count = 1 };
	struct partition_meta meta = { .partition_id = partition_id,
				       .table_id = table_id,
				       .epoch = 3,
				       .range_start = start,
				       .range_end = end };

	assert_int_equal(partition_table_create(&x->index_partitions, &meta, 101, &members), ST_OK);
}

static inline void open_index_partitions(struct fixture *x)
{
	struct group_fixture_node *node = &x->f->net->nodes[INDEX_NODE];
	struct partition_env env = { .runtime = &node->runtime.base,
				     .engine = node->engine,
				     .groups = &node->table,
				     .hash_seed = 1,
				     .view = &x->views[INDEX_NODE] };

	partition_table_init(&x->index_partitions, &env);
	create_index_partition(x, FEED_INDEX, FEED_LOW, slice_of(feed_index_start, sizeof(feed_index_start)),
			       slice_of(feed_index_cut, sizeof(feed_index_cut)));
	create_index_partition(x, FEED_INDEX, FEED_HIGH, slice_of(feed_index_cut, sizeof(feed_index_cut)),
			       slice_of(feed_index_end, sizeof(feed_index_end)));
}

static inline void open_node(struct fixture *x, uint64_t node_id)
{
	static const struct rpc_transport_ops ops = { .call = net_call,
						      .cancel = net_cancel,
						      .is_up = net_is_up };
	struct group_fixture_node *node = &x->f->net->nodes[node_id];
	struct index_net *net = &x->nets[node_id];

	*net = (struct index_net){ .base = { .ops = &ops, .runtime = &node->runtime.base }, .x = x };
	queue_init(&net->base.observers);
	queue_init(&net->parcels);
	feed_fixture_catalog(&x->views[node_id].state, NODES);
	route_init(&x->routes[node_id], &x->views[node_id], &net->base, "zone");
	route_env_init(&x->envs[node_id], &x->views[node_id], &x->routes[node_id], &net->base);
	index_feeders_init(&x->feeders[node_id], &node->runtime.base, node->engine, &x->envs[node_id]);
	x->feeders[node_id].caught_up = on_caught_up;
	x->f->env[node_id].feeders = &x->feeders[node_id].base;
}

/* Nobody knows of the index yet. */
static inline void fixture_open(struct fixture *x)
{
	*x = (struct fixture){ .f = partition_fixture_create(NODES), .next_request = 1 };
	for (uint64_t i = 1; i <= NODES; i++)
		open_node(x, i);
	open_index_partitions(x);
	(void)partition_fixture_elect(x->f, 1);
	run_ms(x, 3 * GROUP_FIXTURE_ELECTION_MS);
}

/* The catalog tells all nodes of the index. */
static inline void tell_all(struct fixture *x)
{
	for (uint64_t i = 1; i <= NODES; i++) {
		x->f->env[i].view = &x->views[i];
		if (x->f->partition[i] != NULL)
			partition_definitions_follow(x->f->partition[i]);
	}
}

/* As when the leadership is lost, or the node ends. */
static inline void close_sources(struct fixture *x)
{
	for (uint64_t i = 1; i <= NODES; i++) {
		if (x->f->partition[i] != NULL)
			partition_close(x->f->partition[i]);
		x->f->partition[i] = NULL;
	}
}

static inline bool feeders_are_idle(const struct fixture *x)
{
	for (size_t i = 1; i <= NODES; i++) {
		if (!index_feeders_is_idle(&x->feeders[i]))
			return false;
	}
	return true;
}

static inline void fixture_close(struct fixture *x)
{
	close_sources(x);
	x->verdict = VERDICT_DELIVER;
	for (size_t i = 1; i <= NODES; i++)
		x->f->net->nodes[i].is_disk_held = false;
	RUN_UNTIL(x, feeders_are_idle(x) && parcels_under_way(x) == 0);
	partition_table_close(&x->index_partitions);
	run_ms(x, 5);
	for (size_t i = 1; i <= NODES; i++) {
		route_env_close(&x->envs[i]);
		route_close(&x->routes[i]);
		catalog_state_close(&x->views[i].state);
	}
	partition_fixture_destroy(x->f);
}

static inline struct partition *leader_among(struct fixture *x, uint64_t first)
{
	for (uint64_t i = first; i <= NODES; i++) {
		if (x->f->partition[i] != NULL && group_is_ready(x->f->partition[i]->group))
			return x->f->partition[i];
	}
	return NULL;
}

static inline struct partition *leader_of(struct fixture *x)
{
	RUN_UNTIL(x, leader_among(x, 1) != NULL);
	return leader_among(x, 1);
}

/* Node 1 is cut off from the other replicas, not from the index. */
static inline struct partition *lead_elsewhere(struct fixture *x)
{
	group_fixture_isolate(x->f->net, 1, true);
	RUN_UNTIL(x, leader_among(x, 2) != NULL);
	return leader_among(x, 2);
}

static inline struct index_feed *feed_of(const struct partition *partition, uint32_t index_table_id)
{
	struct partition_feeder *feeder = partition->feeder;

	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (feed->index_table_id == index_table_id && !feed->is_ended)
			return feed;
	}
	return NULL;
}

/* --- items --- */

struct feed_write {
	struct watched_write base;
	struct buf key;
};

static inline void build_item(struct buf *item, const char *name, const char *a, struct slice text)
{
	struct item_builder builder;

	buf_init(item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, item);
	index_fixture_string(&builder, "pk", slice_of_string(name));
	if (a != NULL)
		index_fixture_string(&builder, "a", slice_of_string(a));
	if (text.size > 0)
		index_fixture_string(&builder, "text", text);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

static inline void build_key(struct buf *key, const char *name)
{
	buf_init(key, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_append(key, feed_base_start, sizeof(feed_base_start));
	buf_append_string(key, name);
}

/* Put an item with the index key a (NULL: without) and a text (empty: without), or delete (text.data NULL).
 */
static inline void write_init(struct fixture *x, struct feed_write *write, const char *name, const char *a,
			      struct slice text)
{
	watched_write_init(&write->base, "unused", text.data == NULL ? NULL : "unused", x->next_request++);
	build_key(&write->key, name);
	write->base.base.row_key = buf_slice(&write->key);
	if (text.data != NULL) {
		buf_close(&write->base.item);
		build_item(&write->base.item, name, a, text);
		write->base.base.item = buf_slice(&write->base.item);
	}
}

static inline void write_close(struct feed_write *write)
{
	watched_write_close(&write->base);
	buf_close(&write->key);
}

static inline void write_run(struct fixture *x, const char *name, const char *a, struct slice text)
{
	struct feed_write write;
	enum status status;

	write_init(x, &write, name, a, text);
	do {
		status = watched_write_start(&write.base, leader_of(x));
		if (status == ST_BUSY)
			run_ms(x, 1); /* definitions are on their way */
	} while (status == ST_BUSY);
	assert_int_equal(status, ST_WOULD_BLOCK);
	RUN_UNTIL(x, write.base.done_count == 1);
	assert_int_equal(write.base.status, ST_OK);
	write_close(&write);
}

static inline void put(struct fixture *x, const char *name, const char *a, const char *text)
{
	write_run(x, name, a, slice_of_string(text));
}

static inline void delete_item(struct fixture *x, const char *name)
{
	write_run(x, name, NULL, slice_of(NULL, 0));
}

static inline void put_many(struct fixture *x, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[16];
		char a[16];

		(void)snprintf(name, sizeof(name), "item-%02u", (unsigned)i);
		(void)snprintf(a, sizeof(a), "value-%u", (unsigned)(i % VALUES));
		put(x, name, a, "text");
	}
}

/* --- what the index holds --- */

static inline struct engine *index_engine(const struct fixture *x)
{
	return x->f->net->nodes[INDEX_NODE].engine;
}

static inline size_t count_rows(struct engine *engine, uint32_t table_id)
{
	uint8_t start[4];
	uint8_t end[4];
	struct engine_iter *iter;
	size_t count = 0;

	put_u32_be(start, table_id);
	put_u32_be(end, table_id + 1);
	iter = engine_iter_create(engine, FAMILY_ITEMS, slice_of(start, 4), slice_of(end, 4), NULL,
				  ENGINE_READ_MAY_BLOCK);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		count++;
	engine_iter_destroy(engine, iter);
	return count;
}

static inline bool has_row(struct fixture *x, const struct index_owner *owner, struct slice item)
{
	struct engine_value value;
	struct stored_item stored;
	struct buf key;
	bool is_there = false;

	buf_init(&key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	assert_int_equal(table_index_row_key(&key, owner, item), ST_OK);
	if (engine_get(index_engine(x), FAMILY_ITEMS, buf_slice(&key), ENGINE_READ_MAY_BLOCK, &value) ==
	    ST_OK) {
		is_there = stored_item_read(value.slice, &stored) == ST_OK && slice_equal(stored.item, item);
		engine_value_release(&value);
	}
	buf_close(&key);
	return is_there;
}

static inline bool has_index_key(struct slice item)
{
	struct item_value value;

	return item_find(item, slice_of_string("a"), &value);
}

/* The index holds an entry for each item with an index key, and nothing else. */
static inline bool is_exact(struct fixture *x, struct partition *leader, uint32_t index_table_id)
{
	struct engine *engine = leader->env->engine;
	const struct catalog_state *state = &x->views[INDEX_NODE].state;
	const struct table_info *base = catalog_state_table(state, FEED_BASE);
	const struct table_info *derived = catalog_state_table(state, index_table_id);
	struct index_owner owner = { FEED_BASE, derived->token_seed, &base->schema, NULL };
	struct engine_iter *iter;
	size_t expected = 0;
	bool are_there = true;

	for (uint32_t i = 0; i < base->indexes->count; i++) {
		if (base->indexes->list[i].table_id == index_table_id)
			owner.index = &base->indexes->list[i];
	}
	iter = engine_iter_create(engine, FAMILY_ITEMS, buf_slice(&leader->range_start),
				  buf_slice(&leader->range_end), NULL, ENGINE_READ_MAY_BLOCK);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		struct stored_item stored;

		assert_int_equal(stored_item_read(engine_iter_value(engine, iter), &stored), ST_OK);
		if (!has_index_key(stored.item))
			continue;
		expected++;
		are_there = are_there && has_row(x, &owner, stored.item);
	}
	engine_iter_destroy(engine, iter);
	return are_there && count_rows(index_engine(x), index_table_id) == expected;
}

static inline size_t change_count(struct partition *partition)
{
	struct change_page page;
	struct arena arena;
	size_t count;

	arena_init(&arena, SIZE_MAX);
	assert_int_equal(change_page_read(partition->env->engine, partition->id, 0, 10000, SIZE_MAX,
					  ENGINE_READ_MAY_BLOCK, &arena, &page),
			 ST_OK);
	count = page.count;
	arena_close(&arena);
	return count;
}

/* All is sent: what the feed says of itself. */
static inline bool is_fed(struct partition *leader, uint32_t index_table_id)
{
	const struct index_feed *feed = leader->feeder == NULL ? NULL : feed_of(leader, index_table_id);

	return feed != NULL && feed->is_caught_up && feed->phase == INDEX_FEED_IDLE &&
	       feed->position.data[0] == FEED_CHANGES &&
	       get_u64_be(feed->position.data + 1) >= leader->changed_sequence;
}

static inline void assert_becomes_exact(struct fixture *x)
{
	struct partition *leader = leader_of(x);

	RUN_UNTIL(x, is_fed(leader, FEED_INDEX));
	assert_true(is_exact(x, leader, FEED_INDEX));
}

#endif
