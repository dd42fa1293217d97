/* Range, batch and single reads from a hostile coordinator against a live partition: whatever it
 * sends, each request is answered once, in bounds, and the partition goes on.
 *
 * Byte 0 names the method and whether the rest is a message as it stands or a recipe: bytes
 * that choose bounds, limits and programs. */
#include <stdlib.h>

#include "node/server/handle_batch.h"
#include "node/server/handle_item.h"
#include "node/server/handle_query.h"
#include "proto/catalog/index_info.h"
#include "proto/model/limits.h"
#include "proto/wire/expr_code.h"
#include "proto/wire/item.pb-c.h"
#include "storage/encoding/stored_item.h"
#include "tests/support/partition_fixture.h"

enum { LOCAL_INDEXES = 2, LOCAL_ROWS = 8 };
enum { PARTITION = 1001, ROWS = 16, PATIENCE_MS = 1000, BODY_SIZE_MAX = 1024 * 1024, PARTS_MAX = 8 };

enum method { RANGE, BATCH, GET, METHOD_KINDS };

/* The partition lives as long as the process. */
static struct group_fixture *net;
static struct partition_env env;
static struct partition_table partitions;
static struct handle_item items;

struct asked {
	struct rpc_request base;
	uint32_t reply_count;
	enum method method;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_rows(struct engine *engine)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t head[STORED_ITEM_HEAD_SIZE];
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	char name[] = "a";

	CHECK(batch != NULL);
	for (int i = 0; i < ROWS; i++) {
		struct slice parts[2];
		struct buf item;

		name[0] = (char)('a' + i);
		partition_fixture_item(&item, name);
		stored_item_put_head(head, 1, 0, 2 + (uint32_t)i);
		parts[0] = slice_of(head, sizeof(head));
		parts[1] = buf_slice(&item);
		engine_batch_put_parts(engine, batch, FAMILY_ITEMS, partition_fixture_key(key, name), parts,
				       2);
		buf_close(&item);
	}
	CHECK(engine_write(engine, batch) == ST_OK);
	engine_batch_destroy(engine, batch);
}

/* Items of one collection with entries in two local indexes, and the size between. */
static void put_local_rows(struct engine *engine, const struct partition_indexes *indexes)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t head[STORED_ITEM_HEAD_SIZE];

	CHECK(batch != NULL);
	stored_item_put_head(head, 1, 0, 10);
	for (uint8_t i = 0; i < LOCAL_ROWS; i++) {
		uint8_t base_key[] = {
			0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 'p', 0, 1, (uint8_t)('a' + i), 0, 1
		};
		uint8_t entry_key[] = { 0,
					0,
					0,
					1,
					0,
					0,
					0,
					0,
					0,
					0,
					0,
					0,
					'p',
					0,
					1,
					(uint8_t)(1 + i % 2),
					'v',
					(uint8_t)('a' + i),
					0,
					1,
					(uint8_t)('a' + i),
					0,
					1 };
		struct item_builder builder;
		struct slice parts[2];
		struct buf item;

		buf_init(&item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		item_builder_init(&builder, &item);
		item_builder_name(&builder, slice_of_string("sk"));
		item_builder_string(&builder, slice_of(base_key + 15, 1));
		CHECK(item_builder_finish(&builder) == ST_OK);
		parts[0] = slice_of(head, sizeof(head));
		parts[1] = buf_slice(&item);
		engine_batch_put_parts(engine, batch, FAMILY_ITEMS, slice_of(base_key, sizeof(base_key)),
				       parts, 2);
		engine_batch_put_parts(engine, batch, FAMILY_LOCAL_INDEXES,
				       slice_of(entry_key, sizeof(entry_key)), parts, 2);
		buf_close(&item);
	}
	CHECK(engine_write(engine, batch) == ST_OK);
	engine_batch_destroy(engine, batch);
	CHECK(indexes->set != NULL);
}

/* As a command of the log would: the table has a partition key "pk", a sort key "sk", and indexes. */
static void define_indexes(struct engine *engine, struct partition_indexes *indexes)
{
	struct engine_batch *batch = engine_batch_create(engine);
	Cleave__PartitionIndexes definitions = CLEAVE__PARTITION_INDEXES__INIT;
	Cleave__IndexRecord *records[LOCAL_INDEXES];
	struct table_index index;
	struct arena arena;

	CHECK(batch != NULL);
	arena_init(&arena, BODY_SIZE_MAX);
	memset(&index, 0, sizeof(index));
	CHECK(table_schema_init(&index.schema, slice_of_string("pk"), slice_of_string("S")) == ST_OK);
	CHECK(table_schema_add_sort_key(&index.schema, slice_of_string("sk"), slice_of_string("S")) == ST_OK);
	definitions.schema = table_schema_encode(&index.schema, &arena);
	CHECK(table_schema_init(&index.schema, slice_of_string("pk"), slice_of_string("S")) == ST_OK);
	CHECK(table_schema_add_sort_key(&index.schema, slice_of_string("v"), slice_of_string("S")) == ST_OK);
	for (uint8_t i = 0; i < LOCAL_INDEXES; i++) {
		index.local_number = (uint8_t)(i + 1);
		memcpy(index.name, i == 0 ? "one" : "two", 4);
		records[i] = index_info_encode(&index, &arena);
		CHECK(records[i] != NULL);
		records[i]->name = (char *)arena_copy(&arena, slice_of_string(index.name));
	}
	definitions.indexes = records;
	definitions.n_indexes = LOCAL_INDEXES;
	definitions.table_version = 1;
	CHECK(partition_indexes_apply(indexes, engine, batch, 1, &definitions) == ST_OK);
	arena_close(&arena);
	engine_batch_destroy(engine, batch);
}

static void open_once(void)
{
	static const uint8_t start[] = { 0, 0, 0, 1 };
	static const uint8_t end[] = { 0, 0, 0, 2 };
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct raft_engine_configuration members = { .members = { { 101, 1, RAFT_ROLE_VOTER } }, .count = 1 };
	struct partition_meta meta = { .partition_id = PARTITION, .table_id = 1, .epoch = 3 };

	if (net != NULL)
		return;
	meta.range_start = slice_of(start, sizeof(start));
	meta.range_end = slice_of(end, sizeof(end));
	net = group_fixture_create_nodes(1, &settings);
	env = (struct partition_env){ .runtime = &net->nodes[1].runtime.base,
				      .engine = net->nodes[1].engine,
				      .groups = &net->nodes[1].table,
				      .hash_seed = 1 };
	partition_table_init(&partitions, &env);
	CHECK(partition_table_create(&partitions, &meta, 101, &members) == ST_OK);
	handle_item_init(&items, &partitions);
	group_fixture_run_ms(net, 3 * GROUP_FIXTURE_ELECTION_MS);
	CHECK(group_is_ready(partition_table_find(&partitions, PARTITION)->group));
	put_rows(env.engine);
	define_indexes(env.engine, &partition_table_find(&partitions, PARTITION)->indexes);
	put_local_rows(env.engine, &partition_table_find(&partitions, PARTITION)->indexes);
}

/* --- answers --- */

static void check_range(struct slice body)
{
	Cleave__ReadRangeReply *reply = cleave__read_range_reply__unpack(NULL, body.size, body.data);
	struct reader rows;
	uint32_t count = 0;

	CHECK(reply != NULL && reply->evaluated_count <= ROWS + LOCAL_ROWS);
	CHECK(reply->matched_count <= reply->evaluated_count);
	CHECK(reply->is_at_end == (reply->last_key.len == 0));
	reader_init(&rows, slice_of(reply->rows.data, reply->rows.len));
	for (; rows.size > 0; count++)
		(void)reader_bytes(&rows, reader_u32_be(&rows));
	CHECK(rows.status == ST_OK && (count == reply->matched_count || count == 0));
	cleave__read_range_reply__free_unpacked(reply, NULL);
}

static void check_batch(struct slice body)
{
	Cleave__GetItemsReply *reply = cleave__get_items_reply__unpack(NULL, body.size, body.data);
	struct reader rows;

	CHECK(reply != NULL && reply->answered_count > 0);
	reader_init(&rows, slice_of(reply->rows.data, reply->rows.len));
	for (uint32_t i = 0; i < reply->answered_count; i++) {
		uint32_t encoded = reader_u32_be(&rows);

		(void)reader_u32_be(&rows);
		(void)reader_bytes(&rows, encoded);
	}
	CHECK(rows.status == ST_OK && rows.size == 0);
	cleave__get_items_reply__free_unpacked(reply, NULL);
}

static void on_answer(struct rpc_request *request, enum status status, struct slice body)
{
	struct asked *asked = CONTAINER_OF(request, struct asked, base);

	asked->reply_count++;
	if (status != ST_OK)
		return;
	if (asked->method == RANGE)
		check_range(body);
	else if (asked->method == BATCH)
		check_batch(body);
}

static const struct rpc_request_ops asked_ops = { .reply = on_answer };

static void ask(enum method method, struct slice body)
{
	struct asked asked = { .method = method };

	asked.base = (struct rpc_request){ .ops = &asked_ops, .body = body };
	if (method == RANGE)
		handle_query_range(&partitions, &asked.base);
	else if (method == BATCH)
		handle_batch_get(&partitions, &asked.base);
	else
		handle_item_get(&items, &asked.base);
	for (int i = 0; i < PATIENCE_MS && asked.reply_count == 0; i++)
		group_fixture_run_ms(net, 1);
	CHECK(asked.reply_count == 1);
}

/* --- recipes --- */

static ProtobufCBinaryData borrow(struct slice bytes)
{
	return (ProtobufCBinaryData){ bytes.size, (uint8_t *)(uintptr_t)bytes.data };
}

static struct slice some_bytes(struct reader *recipe, size_t size_max)
{
	size_t size = reader_u8(recipe) % (size_max + 1);

	return reader_bytes(recipe, size < recipe->size ? size : recipe->size);
}

/* Mostly a row of the table, else anything. */
static struct slice some_key(struct reader *recipe, uint8_t out[PARTITION_FIXTURE_KEY_SIZE_MAX])
{
	char name[] = "a";
	uint8_t choice = reader_u8(recipe);

	if (choice >= 0xf0)
		return some_bytes(recipe, 32);
	if (choice >= 0xe0) { /* where a table, or the next, begins */
		memset(out, 0, 4);
		out[3] = (uint8_t)(1 + choice % 2);
		return slice_of(out, 4);
	}
	name[0] = (char)('a' + choice % (ROWS + 2));
	return partition_fixture_key(out, name);
}

struct program {
	ProtobufCBinaryData paths[PARTS_MAX];
	ProtobufCBinaryData values[PARTS_MAX];
	Cleave__ExprCondition condition;
	Cleave__ExprProjection projection;
};

static const uint8_t path_of_v[] = { EXPR_PATH_NAME, 0, 1, 'v' };

static void build_program(struct program *program, struct reader *recipe)
{
	size_t path_count = reader_u8(recipe) % PARTS_MAX;
	size_t value_count = reader_u8(recipe) % PARTS_MAX;

	cleave__expr_condition__init(&program->condition);
	cleave__expr_projection__init(&program->projection);
	for (size_t i = 0; i < path_count; i++)
		program->paths[i] = borrow(reader_u8(recipe) % 2 == 0 ? slice_of(path_of_v, sizeof(path_of_v))
								      : some_bytes(recipe, 16));
	for (size_t i = 0; i < value_count; i++)
		program->values[i] = borrow(some_bytes(recipe, 16));
	program->condition.n_paths = path_count;
	program->condition.paths = program->paths;
	program->condition.n_values = value_count;
	program->condition.values = program->values;
	program->condition.code = borrow(some_bytes(recipe, 64));
	program->projection.n_paths = path_count;
	program->projection.paths = program->paths;
}

static size_t build_range(struct reader *recipe, uint8_t *out)
{
	uint8_t keys[2][PARTITION_FIXTURE_KEY_SIZE_MAX];
	Cleave__ReadRangeRequest message = CLEAVE__READ_RANGE_REQUEST__INIT;
	Cleave__PageMeasure measure = CLEAVE__PAGE_MEASURE__INIT;
	struct program program;
	uint8_t flags = reader_u8(recipe);

	message.partition_id = flags == 0xff ? 7 : PARTITION;
	message.start = borrow(some_key(recipe, keys[0]));
	message.end = borrow(some_key(recipe, keys[1]));
	message.is_backward = (flags & 1) != 0;
	message.count_only = (flags & 2) != 0;
	message.consistent_read = (flags & 4) != 0;
	message.row_count_max = reader_u8(recipe);
	message.size_bytes_max = reader_u8(recipe);
	build_program(&program, recipe);
	message.filter = (flags & 8) != 0 ? &program.condition : NULL;
	message.projection = (flags & 16) != 0 ? &program.projection : NULL;
	message.local_number = (flags & 32) != 0 ? 1 + reader_u8(recipe) % (LOCAL_INDEXES + 1) : 0;
	message.fetch_items = (flags & 64) != 0;
	if ((flags & 128) != 0) {
		measure.sort_key_name = borrow(slice_of_string("sk"));
		message.measure = &measure;
	}
	return cleave__read_range_request__pack(&message, out);
}

static size_t build_batch(struct reader *recipe, uint8_t *out)
{
	uint8_t bytes[PARTS_MAX][PARTITION_FIXTURE_KEY_SIZE_MAX];
	ProtobufCBinaryData keys[PARTS_MAX];
	Cleave__GetItemsRequest message = CLEAVE__GET_ITEMS_REQUEST__INIT;
	struct program program;
	uint8_t flags = reader_u8(recipe);

	message.partition_id = PARTITION;
	message.n_row_keys = flags % (PARTS_MAX + 1);
	message.row_keys = keys;
	for (size_t i = 0; i < message.n_row_keys; i++)
		keys[i] = borrow(some_key(recipe, bytes[i]));
	message.consistent_read = (flags & 16) != 0;
	message.size_bytes_max = reader_u8(recipe);
	build_program(&program, recipe);
	message.projection = (flags & 32) != 0 ? &program.projection : NULL;
	return cleave__get_items_request__pack(&message, out);
}

static size_t build_get(struct reader *recipe, uint8_t *out)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	Cleave__GetItemRequest message = CLEAVE__GET_ITEM_REQUEST__INIT;
	struct program program;

	message.partition_id = PARTITION;
	message.row_key = borrow(some_key(recipe, key));
	message.consistent_read = reader_u8(recipe) % 2 == 0;
	build_program(&program, recipe);
	message.projection = &program.projection;
	return cleave__get_item_request__pack(&message, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t body[BODY_SIZE_MAX];
	struct reader recipe;
	enum method method;
	size_t body_size;

	if (size == 0 || size > BODY_SIZE_MAX / 4)
		return 0;
	open_once();
	method = data[0] % 0x80 % METHOD_KINDS;
	if ((data[0] & 0x80) != 0) {
		ask(method, slice_of(data + 1, size - 1));
		return 0;
	}
	reader_init(&recipe, slice_of(data + 1, size - 1));
	body_size = method == RANGE   ? build_range(&recipe, body)
		    : method == BATCH ? build_batch(&recipe, body)
				      : build_get(&recipe, body);
	ask(method, slice_of(body, body_size));
	return 0;
}
