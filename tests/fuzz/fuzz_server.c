/* The node's port behind the hello: any peer with a certificate, any method, any body, against a
 * live node that hosts the catalog and one partition, both alone.  Nothing that comes may end the
 * process, each request is answered at most once, and what the partition then holds is sound.
 *
 * The input is a list of steps: method u8, who u8, size u16 be, body.  A first bit of who lets the
 * loop run between two steps. */
#include <stdlib.h>

#include "node/placement/driver.h"
#include "node/server/server.h"
#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "proto/model/item_check.h"
#include "proto/wire/methods.h"
#include "storage/encoding/stored_item.h"
#include "tests/support/group_fixture.h"

enum {
	STEPS_MAX = 24,
	PARTITION = 1001,
	TABLE = 1,
	REPLICA = 501,
	SETTLE_MS = 3 * GROUP_FIXTURE_ELECTION_MS
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static const uint16_t methods[] = {
	METHOD_RAFT_MESSAGES,
	METHOD_SNAPSHOT_CHUNK,
	METHOD_GET_ITEM,
	METHOD_WRITE_ITEM,
	METHOD_CATALOG_WATCH,
	METHOD_CATALOG_SYNC,
	METHOD_CATALOG_CREATE_TABLE,
	METHOD_CATALOG_UPDATE_TABLE,
	METHOD_CATALOG_REPORT,
	METHOD_CATALOG_DELETE_TABLE,
	METHOD_NODE_STATUS,
	METHOD_NODE_TRANSFER,
	METHOD_NODE_MEMBER,
	METHOD_NODE_FAULT,
	METHOD_READ_RANGE,
	METHOD_GET_ITEMS,
	METHOD_CATALOG_TAG_TABLE,
};

struct world {
	struct group_fixture *net;
	struct partition_env env;
	struct partition_table partitions;
	struct catalog *catalog;
	struct driver *driver;
	struct group *catalog_group;
	struct server server;
	uint32_t waiting_count; /* requests that were not answered yet */
};

struct asked {
	struct rpc_request base;
	struct world *world;
	uint8_t body[];
};

static void on_answer(struct rpc_request *request, enum status status, struct slice body)
{
	struct asked *asked = CONTAINER_OF(request, struct asked, base);

	(void)status;
	CHECK(body.size == 0 || body.data != NULL);
	CHECK(asked->world->waiting_count > 0);
	asked->world->waiting_count--;
	free(asked); /* a second answer is a use after this */
}

static void ask(struct world *world, uint16_t method, uint8_t who, struct slice body)
{
	static const struct rpc_request_ops ops = { .reply = on_answer };
	struct asked *asked = malloc(sizeof(*asked) + body.size);

	CHECK(asked != NULL);
	if (body.size > 0)
		memcpy(asked->body, body.data, body.size);
	asked->world = world;
	asked->base = (struct rpc_request){
		.method = method,
		.is_one_way = method == METHOD_RAFT_MESSAGES,
		.caller_id = who % 4,
		.is_tool = (who & 0x10) != 0,
		.deadline_mono_us = world->net->nodes[1].runtime.now_us + 1000000,
		.body = slice_of(asked->body, body.size),
		.ops = &ops,
	};
	world->waiting_count++;
	world->server.service.handle(&world->server.service, &asked->base);
}

static const char *no_problem(void *context)
{
	(void)context;
	return NULL;
}

static void open_catalog(struct world *world)
{
	static const uint64_t seeds[] = { 1 };
	struct catalog_settings settings = catalog_default_settings(1);
	struct group_table *groups = &world->net->nodes[1].table;
	struct raft_engine_configuration members;

	CHECK(catalog_create(groups, &settings, &world->catalog) == ST_OK);
	CHECK(driver_create(world->catalog, groups->runtime, &world->driver) == ST_OK);
	catalog_bootstrap_members(seeds, 1, &members);
	CHECK(group_create(groups, CATALOG_GROUP_ID, 1, &members, catalog_group_fsm(world->catalog),
			   &world->catalog_group) == ST_OK);
	CHECK(catalog_attach(world->catalog, world->catalog_group) == ST_OK);
}

static void open_partition(struct world *world)
{
	static const uint8_t start[] = { 0, 0, 0, TABLE };
	static const uint8_t end[] = { 0, 0, 0, TABLE + 1 };
	struct raft_engine_configuration members = { .members = { { REPLICA, 1, RAFT_ROLE_VOTER } },
						     .count = 1 };
	struct partition_meta meta = { .partition_id = PARTITION,
				       .table_id = TABLE,
				       .epoch = 1,
				       .range_start = slice_of(start, sizeof(start)),
				       .range_end = slice_of(end, sizeof(end)) };

	CHECK(partition_table_create(&world->partitions, &meta, REPLICA, &members) == ST_OK);
}

static void world_open(struct world *world)
{
	static const struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
							.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct group_fixture_node *node;

	*world = (struct world){ .net = group_fixture_create_nodes(1, &settings) };
	node = &world->net->nodes[1];
	world->env = (struct partition_env){
		.runtime = &node->runtime.base, .engine = node->engine, .groups = &node->table, .hash_seed = 1
	};
	partition_table_init(&world->partitions, &world->env);
	open_catalog(world);
	open_partition(world);
	world->server = (struct server){ .runtime = &node->runtime.base,
					 .groups = &node->table,
					 .partitions = &world->partitions,
					 .catalog = world->catalog,
					 .node_id = 1,
					 .zone = "az-a",
					 .problem = no_problem };
	server_init(&world->server);
	group_fixture_run_ms(world->net, SETTLE_MS);
}

/* Whatever was written: rows of the partition, each a sound item. */
static void check_rows(struct world *world)
{
	struct engine *engine = world->net->nodes[1].engine;
	struct partition *partition = partition_table_find(&world->partitions, PARTITION);
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, slice_of(NULL, 0),
						      slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);

	CHECK(iter != NULL && partition != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		struct stored_item stored;

		CHECK(partition_covers(partition, engine_iter_key(engine, iter)));
		CHECK(stored_item_read(engine_iter_value(engine, iter), &stored) == ST_OK);
		CHECK(item_check(stored.item) == ST_OK);
	}
	engine_iter_destroy(engine, iter);
}

static void world_close(struct world *world)
{
	fault_clear_all();
	group_fixture_run_ms(world->net, SETTLE_MS);
	partition_table_close(&world->partitions);
	catalog_detach(world->catalog);
	group_close(world->catalog_group);
	group_fixture_run_ms(world->net, 5);
	catalog_destroy(world->catalog);
	driver_destroy(world->driver);
	server_close(&world->server);
	group_fixture_destroy(world->net);
	CHECK(world->waiting_count == 0); /* all that waited was answered */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct world world;
	struct reader input;

	log_set_level((enum log_level)(LOG_ERROR + 1));
	world_open(&world);
	reader_init(&input, slice_of(data, size_bytes));
	for (uint32_t i = 0; i < STEPS_MAX && input.size > 0; i++) {
		uint16_t method = methods[reader_u8(&input) % ARRAY_COUNT(methods)];
		uint8_t who = reader_u8(&input);
		size_t size = reader_u16_be(&input);

		/* Faults of the disk are meant to end the process. */
		if (method != METHOD_NODE_FAULT)
			ask(&world, method, who, reader_bytes(&input, size < input.size ? size : input.size));
		if ((who & 0x80) != 0)
			group_fixture_run_ms(world.net, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	}
	group_fixture_run_ms(world.net, GROUP_FIXTURE_ELECTION_MS);
	check_rows(&world);
	world_close(&world);
	return 0;
}
