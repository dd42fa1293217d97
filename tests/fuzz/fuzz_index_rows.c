/* Rows of a global index as a partition of it receives them from another node: a list of messages (size u16
 * be, bytes), from a node that may speak for the source.  Each is answered once, what is then stored lies in
 * the partition's range and is an item, and the source's mark is a position that never goes back. */
#include <stdlib.h>

#include "node/server/handle_index.h"
#include "proto/base/log.h"
#include "proto/model/item_check.h"
#include "proto/wire/methods.h"
#include "storage/encoding/stored_item.h"
#include "tests/support/group_fixture.h"
#include "tests/unit/feed_fixture.h"

enum { STEPS_MAX = 16, SETTLE_MS = 3 * GROUP_FIXTURE_ELECTION_MS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

struct world {
	struct group_fixture *net;
	struct catalog_view view;
	struct partition_table partitions;
	uint32_t waiting_count;
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

static void world_open(struct world *world)
{
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct raft_engine_configuration members = { .members = { { 101, 1, RAFT_ROLE_VOTER } }, .count = 1 };
	struct partition_meta meta = { .partition_id = FEED_LOW, .table_id = FEED_INDEX, .epoch = 3 };
	struct partition_env env = { .hash_seed = 1, .view = &world->view };

	world->net = group_fixture_create_nodes(1, &settings);
	env.runtime = &world->net->nodes[1].runtime.base;
	env.engine = world->net->nodes[1].engine;
	env.groups = &world->net->nodes[1].table;
	feed_fixture_catalog(&world->view.state, 2);
	meta.range_start = slice_of(feed_index_start, sizeof(feed_index_start));
	meta.range_end = slice_of(feed_index_cut, sizeof(feed_index_cut));
	partition_table_init(&world->partitions, &env);
	CHECK(partition_table_create(&world->partitions, &meta, 101, &members) == ST_OK);
	group_fixture_run_ms(world->net, SETTLE_MS);
}

static void world_close(struct world *world)
{
	partition_table_close(&world->partitions);
	group_fixture_run_ms(world->net, 5);
	CHECK(world->waiting_count == 0);
	catalog_state_close(&world->view.state);
	group_fixture_destroy(world->net);
}

static void ask(struct world *world, struct slice body)
{
	static const struct rpc_request_ops ops = { .reply = on_answer };
	struct asked *asked = malloc(sizeof(*asked) + body.size);

	CHECK(asked != NULL);
	if (body.size > 0)
		memcpy(asked->body, body.data, body.size);
	asked->world = world;
	asked->base = (struct rpc_request){ .method = METHOD_WRITE_INDEX_ROWS,
					    .caller_id = 2,
					    .body = slice_of(asked->body, body.size),
					    .ops = &ops };
	world->waiting_count++;
	handle_index_write(&world->partitions, &asked->base);
}

static void check_rows(struct world *world, const struct partition *partition)
{
	struct engine *engine = world->net->nodes[1].engine;
	struct engine_iter *iter = engine_iter_create(engine, FAMILY_ITEMS, slice_of(NULL, 0),
						      slice_of(NULL, 0), NULL, ENGINE_READ_MAY_BLOCK);
	struct stored_item stored;

	CHECK(iter != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		CHECK(partition_covers(partition, engine_iter_key(engine, iter)));
		CHECK(stored_item_read(engine_iter_value(engine, iter), &stored) == ST_OK);
		CHECK(item_check(stored.item) == ST_OK);
	}
	engine_iter_destroy(engine, iter);
}

static void run(struct world *world, struct reader *reader)
{
	struct partition *partition = partition_table_find(&world->partitions, FEED_LOW);
	struct buf before;

	buf_init(&before, 1 + LIMIT_ROW_KEY_SIZE_BYTES);
	for (uint32_t i = 0; i < STEPS_MAX && reader->size > 0; i++) {
		uint16_t size_bytes = reader_u16_be(reader);
		struct slice mark;

		ask(world, reader_bytes(reader, size_bytes < reader->size ? size_bytes : reader->size));
		group_fixture_run_ms(world->net, 2);
		CHECK(world->waiting_count == 0);
		mark = partition_sources_mark(&partition->sources, FEED_SOURCE);
		CHECK(slice_compare(mark, buf_slice(&before)) >= 0);
		CHECK(mark.size == 0 || partition_indexes_is_position(mark));
		CHECK(partition->sources.marks.count <= 1);
		buf_reset(&before);
		buf_append_slice(&before, mark);
	}
	check_rows(world, partition);
	buf_close(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct world world = { .waiting_count = 0 };
	struct reader reader;

	log_set_level((enum log_level)(LOG_ERROR + 1));
	world_open(&world);
	reader_init(&reader, slice_of(data, size_bytes));
	run(&world, &reader);
	world_close(&world);
	return 0;
}
