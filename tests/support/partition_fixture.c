#include "tests/support/partition_fixture.h"

#include <stdlib.h>

#include "proto/model/item_builder.h"
#include "proto/model/limits.h"
#include "storage/expr/eval_update.h"

enum { PATIENCE_MS = 5000 };

static const uint8_t range_start[] = { 0, 0, 0, PARTITION_FIXTURE_TABLE };
static const uint8_t range_end[] = { 0, 0, 0, PARTITION_FIXTURE_TABLE + 1 };

static void init_env(struct partition_fixture *f, uint64_t node_id)
{
	struct group_fixture_node *node = &f->net->nodes[node_id];

	f->env[node_id] = (struct partition_env){
		.runtime = &node->runtime.base,
		.engine = node->engine,
		.groups = &node->table,
		.hash_seed = 1,
	};
	arena_init(&f->env[node_id].scratch, EVAL_UPDATE_SCRATCH_SIZE_MAX);
}

struct partition_fixture *partition_fixture_create(uint32_t voter_count)
{
	struct partition_fixture *f = calloc(1, sizeof(*f));
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct raft_engine_configuration members = { .count = voter_count };
	struct partition_meta meta = {
		.partition_id = PARTITION_FIXTURE_ID,
		.table_id = PARTITION_FIXTURE_TABLE,
		.epoch = 3,
		.range_start = slice_of(range_start, sizeof(range_start)),
		.range_end = slice_of(range_end, sizeof(range_end)),
	};

	CHECK(f != NULL);
	f->net = group_fixture_create_nodes(voter_count, &settings);
	for (uint32_t i = 0; i < voter_count; i++)
		members.members[i] = (struct raft_engine_member){ group_fixture_replica_of(i + 1), i + 1,
								  RAFT_ROLE_VOTER };
	for (uint32_t i = 1; i <= voter_count; i++) {
		init_env(f, i);
		CHECK(partition_create(&f->env[i], &meta, group_fixture_replica_of(i), &members,
				       &f->partition[i]) == ST_OK);
	}
	group_fixture_run_ms(f->net, 1);
	return f;
}

void partition_fixture_destroy(struct partition_fixture *f)
{
	for (uint32_t i = 1; i <= f->net->node_count; i++) {
		if (f->partition[i] != NULL)
			partition_close(f->partition[i]);
		arena_close(&f->env[i].scratch);
	}
	group_fixture_destroy(f->net);
	free(f);
}

void partition_fixture_run_ms(struct partition_fixture *f, uint64_t duration_ms)
{
	group_fixture_run_ms(f->net, duration_ms);
}

struct partition *partition_fixture_elect(struct partition_fixture *f, uint64_t node_id)
{
	struct partition *partition = f->partition[node_id];

	for (uint32_t i = 0; i < PATIENCE_MS && !group_is_ready(partition->group); i++) {
		if (i % GROUP_FIXTURE_ELECTION_MS == 0)
			group_campaign(partition->group);
		partition_fixture_run_ms(f, 1);
	}
	CHECK(group_is_ready(partition->group));
	return partition;
}

struct partition *partition_fixture_leader(struct partition_fixture *f)
{
	for (uint32_t i = 0; i < PATIENCE_MS; i++) {
		for (uint32_t n = 1; n <= f->net->node_count; n++) {
			if (f->partition[n] != NULL && group_is_ready(f->partition[n]->group))
				return f->partition[n];
		}
		partition_fixture_run_ms(f, 1);
	}
	return NULL;
}

void partition_fixture_crash(struct partition_fixture *f, uint64_t node_id, uint64_t keep_count)
{
	f->net->nodes[node_id].may_fail = true;
	partition_close(f->partition[node_id]);
	f->partition[node_id] = NULL;
	arena_close(&f->env[node_id].scratch);
	group_fixture_crash(&f->net->nodes[node_id], keep_count);
}

enum status partition_fixture_restart(struct partition_fixture *f, uint64_t node_id)
{
	group_fixture_start(&f->net->nodes[node_id]);
	init_env(f, node_id);
	return partition_open(&f->env[node_id], PARTITION_FIXTURE_ID, &f->partition[node_id]);
}

struct slice partition_fixture_key(uint8_t out[PARTITION_FIXTURE_KEY_SIZE_MAX], const char *name)
{
	size_t size = strlen(name);

	CHECK(sizeof(range_start) + size <= PARTITION_FIXTURE_KEY_SIZE_MAX);
	memcpy(out, range_start, sizeof(range_start));
	memcpy(out + sizeof(range_start), name, size);
	return slice_of(out, sizeof(range_start) + size);
}

void partition_fixture_item(struct buf *out, const char *text)
{
	struct item_builder builder;

	buf_init(out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, out);
	item_builder_name(&builder, slice_of_string("v"));
	item_builder_string(&builder, slice_of_string(text));
	CHECK(item_builder_finish(&builder) == ST_OK);
}

bool partition_fixture_item_is(struct slice item, const char *text)
{
	struct buf expected;
	bool is_equal;

	partition_fixture_item(&expected, text);
	is_equal = slice_equal(item, buf_slice(&expected));
	buf_close(&expected);
	return is_equal;
}

/* --- writes --- */

static void on_written(struct partition_write *base)
{
	struct watched_write *write = CONTAINER_OF(base, struct watched_write, base);

	write->done_count++;
	write->status = base->status;
	buf_reset(&write->old_item);
	buf_append_slice(&write->old_item, base->returned_item);
}

void watched_write_init(struct watched_write *write, const char *name, const char *text, uint64_t request)
{
	*write = (struct watched_write){ .status = ST_WOULD_BLOCK };
	put_u64_be(write->request_id, request);
	put_u64_be(write->request_id + 8, request);
	buf_init(&write->old_item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	if (text == NULL)
		buf_init(&write->item, 1);
	else
		partition_fixture_item(&write->item, text);
	write->base.kind = text == NULL ? PARTITION_DELETE : PARTITION_PUT;
	write->base.row_key = partition_fixture_key(write->key, name);
	write->base.item = buf_slice(&write->item);
	write->base.request_id = slice_of(write->request_id, sizeof(write->request_id));
	write->base.returned = CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD;
	write->base.done = on_written;
}

enum status watched_write_start(struct watched_write *write, struct partition *partition)
{
	enum status status;

	write->done_count = 0;
	write->status = ST_WOULD_BLOCK;
	status = partition_write_start(partition, &write->base);
	CHECK(write->done_count == 0); /* never from inside start */
	if (status == ST_WOULD_BLOCK)
		return status;
	write->status = status;
	buf_reset(&write->old_item);
	buf_append_slice(&write->old_item, write->base.returned_item);
	return status;
}

enum status watched_write_run(struct partition_fixture *f, struct watched_write *write,
			      struct partition *partition)
{
	if (watched_write_start(write, partition) != ST_WOULD_BLOCK)
		return write->status;
	for (uint32_t i = 0; i < PATIENCE_MS && write->done_count == 0; i++)
		partition_fixture_run_ms(f, 1);
	CHECK(write->done_count == 1);
	return write->status;
}

void watched_write_close(struct watched_write *write)
{
	buf_close(&write->item);
	buf_close(&write->old_item);
}

enum status partition_fixture_put(struct partition_fixture *f, struct partition *partition, const char *name,
				  const char *text, uint64_t request)
{
	struct watched_write write;
	enum status status;

	watched_write_init(&write, name, text, request);
	status = watched_write_run(f, &write, partition);
	watched_write_close(&write);
	return status;
}

/* --- reads --- */

struct watched_read {
	struct partition_read base;
	bool is_done;
};

static void on_read(struct partition_read *base)
{
	CONTAINER_OF(base, struct watched_read, base)->is_done = true;
}

enum status partition_fixture_get(struct partition_fixture *f, struct partition *partition, const char *name,
				  bool is_consistent, const char *text, bool *matches_out)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	struct watched_read read = { 0 };
	enum status status;

	read.base.row_key = partition_fixture_key(key, name);
	read.base.is_consistent = is_consistent;
	read.base.done = on_read;
	status = partition_read_start(partition, &read.base);
	CHECK(!read.is_done);
	for (uint32_t i = 0; i < PATIENCE_MS && status == ST_WOULD_BLOCK && !read.is_done; i++)
		partition_fixture_run_ms(f, 1);
	if (status == ST_WOULD_BLOCK) {
		CHECK(read.is_done);
		status = read.base.status;
	}
	*matches_out = status == ST_OK && partition_fixture_item_is(read.base.item, text);
	partition_read_close(&read.base);
	return status;
}
