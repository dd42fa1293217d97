#include "node/catalog/catalog_fsm.h"

#include "node/catalog/catalog_load.h"
#include "tests/unit/catalog_fixture.h"

/* Two replicas' stores: the second is fed with rows only. */
struct fixture {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct catalog_fsm *fsm;
	uint64_t index;
};

static uint32_t applied_count;

static void on_applied(struct catalog_fsm *fsm, uint64_t index)
{
	(void)fsm;
	(void)index;
	applied_count++;
}

static void on_leader(struct catalog_fsm *fsm)
{
	(void)fsm;
}

static const struct catalog_fsm_events events = { on_applied, on_leader, on_leader };

static void start(struct fixture *f)
{
	*f = (struct fixture){ .disk = engine_memory_disk_create() };
	assert_non_null(f->disk);
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	f->batch = engine_batch_create(f->engine);
	f->fsm = calloc(1, sizeof(*f->fsm));
	assert_non_null(f->fsm);
	catalog_fsm_init(f->fsm, f->engine, &events);
}

static void stop(struct fixture *f)
{
	catalog_fsm_forget(f->fsm);
	free(f->fsm);
	engine_batch_destroy(f->engine, f->batch);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
}

static enum status apply_bytes(struct fixture *f, struct slice body)
{
	struct group_command command = { .index = ++f->index, .term = 1, .body = body };
	enum status status;

	engine_batch_clear(f->engine, f->batch);
	status = f->fsm->base.ops->apply(&f->fsm->base, &command, f->batch);
	assert_int_equal(engine_write(f->engine, f->batch), ST_OK);
	return status;
}

static void apply(struct fixture *f, Cleave__CatalogCommand *command, uint64_t request_number)
{
	uint8_t body[4096];

	if (request_number > 0)
		command->request_id = (ProtobufCBinaryData){ sizeof(request_number),
							     (uint8_t *)&request_number };
	assert_true(cleave__catalog_command__get_packed_size(command) <= sizeof(body));
	assert_int_equal(apply_bytes(f, slice_of(body, cleave__catalog_command__pack(command, body))), ST_OK);
}

static void put_node(struct fixture *f, uint64_t node_id)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	Cleave__NodeRecord node = CLEAVE__NODE_RECORD__INIT;
	char zone[] = "az-a";
	char host[] = "localhost";

	node.node_id = node_id;
	node.zone = zone;
	node.host = host;
	node.port = 7000;
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_NODE;
	command.put_node = &node;
	apply(f, &command, 0);
}

/* A table of one partition. */
static void create(struct fixture *f, uint32_t table_id, const char *name, uint64_t request_number)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	Cleave__CreateTableCommand creation = CLEAVE__CREATE_TABLE_COMMAND__INIT;
	Cleave__PartitionRecord partition = CLEAVE__PARTITION_RECORD__INIT;
	Cleave__PartitionRecord *partitions[] = { &partition };
	Cleave__ReplicaRecord replica = CLEAVE__REPLICA_RECORD__INIT;
	Cleave__ReplicaRecord *replicas[] = { &replica };
	struct table_info table = { .table_id = table_id };
	struct arena arena;
	struct buf start;
	struct buf end;

	arena_init(&arena, 65536);
	buf_init(&start, 64);
	buf_init(&end, 64);
	row_key_token_start(&start, table_id, 0);
	row_key_table_start(&end, table_id + 1);
	(void)snprintf(table.name, sizeof(table.name), "%s", name);
	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	creation.table = table_info_encode(&table, &arena);
	replica.replica_id = 5000 + table_id;
	replica.node_id = 1;
	partition.partition_id = 1000 + table_id;
	partition.table_id = table_id;
	partition.range_start = (ProtobufCBinaryData){ start.size, start.data };
	partition.range_end = (ProtobufCBinaryData){ end.size, end.data };
	partition.n_replicas = 1;
	partition.replicas = replicas;
	creation.n_partitions = 1;
	creation.partitions = partitions;
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_CREATE_TABLE;
	command.create_table = &creation;
	apply(f, &command, request_number);
	buf_close(&start);
	buf_close(&end);
	arena_close(&arena);
}

static void drop(struct fixture *f, uint32_t table_id)
{
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	Cleave__RemoveTableCommand removal = CLEAVE__REMOVE_TABLE_COMMAND__INIT;

	removal.table_id = table_id;
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_REMOVE_TABLE;
	command.remove_table = &removal;
	apply(f, &command, 0);
}

static void number(struct buf *out, uint64_t value)
{
	buf_append_format(out, "%llu ", (unsigned long long)value);
}

/* All that a replica knows, as text. */
static void describe(const struct catalog_fsm *fsm, struct buf *out)
{
	number(out, fsm->state.version);
	number(out, fsm->next_table_id);
	number(out, fsm->next_partition_id);
	number(out, fsm->next_replica_id);
	number(out, fsm->removals_known_from);
	number(out, fsm->state.nodes.count);
	for (size_t i = 0; i < fsm->state.table_count; i++) {
		const struct table_info *table = catalog_state_table_at(&fsm->state, i);

		buf_append_string(out, table->name);
		number(out, table->version);
		number(out, catalog_state_partition_at(&fsm->state, table->table_id, 0)->partition_id);
	}
	for (uint32_t i = 0; i < fsm->removal_count; i++)
		number(out, fsm->removals[i].version * 1000 + fsm->removals[i].id);
	for (uint32_t i = 0; i < fsm->outcomes.count; i++) {
		number(out, fsm->outcomes.list[i].version);
		buf_append_slice(out, fsm->outcomes.list[i].request_id);
		buf_append_slice(out, fsm->outcomes.list[i].reply);
	}
	assert_int_equal(out->status, ST_OK);
}

static void assert_same(const struct catalog_fsm *a, const struct catalog_fsm *b)
{
	struct buf left;
	struct buf right;

	buf_init(&left, 1 << 20);
	buf_init(&right, 1 << 20);
	describe(a, &left);
	describe(b, &right);
	assert_true(slice_equal(buf_slice(&left), buf_slice(&right)));
	buf_close(&left);
	buf_close(&right);
}

/* What a snapshot does: the rows of the ranges, and nothing else. */
static void copy_ranges(const struct fixture *from, struct fixture *to)
{
	struct group_range ranges[GROUP_RANGES_MAX];
	size_t count = from->fsm->base.ops->ranges(&from->fsm->base, ranges);

	engine_batch_clear(to->engine, to->batch);
	for (size_t i = 0; i < count; i++) {
		struct engine_iter *iter = engine_iter_create(from->engine, ranges[i].family, ranges[i].start,
							      ranges[i].end, NULL, ENGINE_READ_MAY_BLOCK);

		engine_batch_delete_range(to->engine, to->batch, ranges[i].family, ranges[i].start,
					  ranges[i].end);
		for (engine_iter_seek_first(from->engine, iter); engine_iter_valid(from->engine, iter);
		     engine_iter_next(from->engine, iter))
			engine_batch_put(to->engine, to->batch, ranges[i].family,
					 engine_iter_key(from->engine, iter),
					 engine_iter_value(from->engine, iter));
		engine_iter_destroy(from->engine, iter);
	}
	assert_int_equal(engine_write(to->engine, to->batch), ST_OK);
}

static void some_history(struct fixture *f)
{
	put_node(f, 1);
	put_node(f, 2);
	create(f, 1, "orders", 11);
	create(f, 2, "others", 12);
	drop(f, 1);
	create(f, 3, "orders", 13);
}

static void each_command_makes_one_version(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	some_history(&f);
	assert_int_equal(f.fsm->state.version, 6);
	assert_int_equal(catalog_state_table(&f.fsm->state, 2)->version, 4);
	assert_int_equal(f.fsm->next_table_id, 4);
	assert_int_equal(f.fsm->next_partition_id, 1004);
	assert_int_equal(f.fsm->next_replica_id, 5004);
	assert_int_equal(f.fsm->removal_count, 1);
	stop(&f);
}

static void snapshot_carries_the_whole_state(void **state)
{
	struct fixture from;
	struct fixture to;

	(void)state;
	start(&from);
	start(&to);
	some_history(&from);
	create(&to, 9, "leftover", 99); /* what the snapshot replaces */
	copy_ranges(&from, &to);
	applied_count = 0;
	assert_int_equal(to.fsm->base.ops->restored(&to.fsm->base), ST_OK);
	assert_int_equal(applied_count, 1); /* watchers hear of it */
	assert_same(from.fsm, to.fsm);
	put_node(&from, 3);
	put_node(&to, 3);
	assert_same(from.fsm, to.fsm);
	stop(&from);
	stop(&to);
}

static void replay_after_a_restart_gives_the_same(void **state)
{
	struct fixture a;
	struct fixture b;

	(void)state;
	start(&a);
	start(&b);
	some_history(&a);
	some_history(&b);
	assert_int_equal(catalog_load(b.fsm), ST_OK);
	assert_same(a.fsm, b.fsm);
	create(&a, 4, "more", 14);
	create(&b, 4, "more", 14);
	assert_same(a.fsm, b.fsm);
	stop(&a);
	stop(&b);
}

static void outcomes_are_remembered_up_to_a_bound(void **state)
{
	struct fixture f;
	uint64_t request_number;

	(void)state;
	start(&f);
	for (request_number = 1; request_number <= CATALOG_OUTCOMES_MAX + 3; request_number++) {
		create(&f, (uint32_t)request_number, "orders", request_number);
		drop(&f, (uint32_t)request_number);
	}
	for (int round = 0; round < 2; round++) {
		request_number = 3;
		assert_null(catalog_outcomes_find(&f.fsm->outcomes,
						  slice_of(&request_number, sizeof(request_number))));
		request_number = 4;
		assert_non_null(catalog_outcomes_find(&f.fsm->outcomes,
						      slice_of(&request_number, sizeof(request_number))));
		assert_int_equal(catalog_load(f.fsm), ST_OK); /* the rows say the same */
	}
	stop(&f);
}

static bool update_is_full(const struct fixture *f, uint64_t from_version)
{
	Cleave__CatalogUpdate *update;
	struct buf packed;
	bool full;

	buf_init(&packed, 1 << 20);
	assert_int_equal(catalog_fsm_pack_update(f->fsm, from_version, &packed), ST_OK);
	update = cleave__catalog_update__unpack(NULL, packed.size, packed.data);
	assert_non_null(update);
	full = update->is_full;
	cleave__catalog_update__free_unpacked(update, NULL);
	buf_close(&packed);
	return full;
}

static void too_old_a_watch_gets_everything(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	for (uint32_t id = 1; id <= CATALOG_REMOVALS_MAX + 2; id++) {
		create(&f, id, "orders", 0);
		drop(&f, id);
	}
	/* The second removal, version 4, was the last to be forgotten. */
	for (int round = 0; round < 2; round++) {
		assert_true(update_is_full(&f, 0));
		assert_true(update_is_full(&f, 3));
		assert_false(update_is_full(&f, 4));
		assert_int_equal(catalog_load(f.fsm), ST_OK);
	}
	stop(&f);
}

static void commands_about_what_is_gone_change_nothing(void **state)
{
	struct fixture f;
	Cleave__CatalogCommand command = CLEAVE__CATALOG_COMMAND__INIT;
	struct table_info table;
	struct arena arena;

	(void)state;
	start(&f);
	some_history(&f);
	table = *catalog_state_table(&f.fsm->state, 2);
	drop(&f, 2);
	drop(&f, 2);
	arena_init(&arena, 65536);
	command.command_case = CLEAVE__CATALOG_COMMAND__COMMAND_PUT_TABLE;
	command.put_table = table_info_encode(&table, &arena);
	apply(&f, &command, 0);
	arena_close(&arena);
	create(&f, 7, "orders", 0); /* the name is taken */
	assert_int_equal(f.fsm->state.table_count, 1);
	assert_int_equal(f.fsm->state.version, 10);
	stop(&f);
}

static void undecodable_commands_stop_the_replica(void **state)
{
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff };
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(apply_bytes(&f, slice_of(garbage, sizeof(garbage))), ST_CORRUPT);
	assert_int_equal(apply_bytes(&f, slice_of(NULL, 0)), ST_CORRUPT);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_makes_one_version),
		cmocka_unit_test(snapshot_carries_the_whole_state),
		cmocka_unit_test(replay_after_a_restart_gives_the_same),
		cmocka_unit_test(outcomes_are_remembered_up_to_a_bound),
		cmocka_unit_test(too_old_a_watch_gets_everything),
		cmocka_unit_test(commands_about_what_is_gone_change_nothing),
		cmocka_unit_test(undecodable_commands_stop_the_replica),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
