#include "node/catalog/catalog_internal.h"
#include "proto/base/log.h"
#include "tests/unit/catalog_fixture.h"

enum { NODES = 2, PARTITIONS = 2, STEPS = 6, NAME_SIZE = 32 };

/* --- records --- */

/* A table with key "pk" and so many indexes of each kind; what it is made of lies beside it. */
struct wanted {
	Cleave__TableRecord table;
	Cleave__TableSchema schema;
	Cleave__KeyAttribute key;
	Cleave__IndexRecord indexes[TABLE_INDEXES_MAX + 1];
	Cleave__TableSchema schemas[TABLE_INDEXES_MAX + 1];
	Cleave__KeyAttribute sort_key;
	Cleave__IndexRecord *list[TABLE_INDEXES_MAX + 1];
	char names[TABLE_INDEXES_MAX + 1][NAME_SIZE];
	char name[NAME_SIZE];
};

static char key_name[] = "pk";
static char sort_name[] = "a";
static char key_type[] = "S";

static void want_index(struct wanted *wanted, size_t at, const char *name, bool is_local)
{
	(void)snprintf(wanted->names[at], NAME_SIZE, "%s", name);
	cleave__index_record__init(&wanted->indexes[at]);
	cleave__table_schema__init(&wanted->schemas[at]);
	wanted->schemas[at].partition_key = &wanted->key;
	wanted->schemas[at].sort_key = &wanted->sort_key;
	wanted->indexes[at].name = wanted->names[at];
	wanted->indexes[at].schema = &wanted->schemas[at];
	wanted->indexes[at].local_number = is_local;
	wanted->list[at] = &wanted->indexes[at];
}

static void want_table(struct wanted *wanted, const char *name, size_t global_count, size_t local_count)
{
	cleave__table_record__init(&wanted->table);
	cleave__table_schema__init(&wanted->schema);
	cleave__key_attribute__init(&wanted->key);
	cleave__key_attribute__init(&wanted->sort_key);
	(void)snprintf(wanted->name, NAME_SIZE, "%s", name);
	wanted->key.name = key_name;
	wanted->key.type = key_type;
	wanted->sort_key.name = sort_name;
	wanted->sort_key.type = key_type;
	wanted->schema.partition_key = &wanted->key;
	wanted->table.name = wanted->name;
	wanted->table.schema = &wanted->schema;
	wanted->table.is_on_demand = true;
	for (size_t i = 0; i < global_count + local_count; i++) {
		char index_name[NAME_SIZE];

		(void)snprintf(index_name, sizeof(index_name), "index-%02u", (unsigned)i);
		want_index(wanted, i, index_name, i >= global_count);
	}
	wanted->table.indexes = wanted->list;
	wanted->table.n_indexes = global_count + local_count;
}

static enum status create(struct catalog_world *world, struct wanted *wanted)
{
	Cleave__CreateTableRequest message = CLEAVE__CREATE_TABLE_REQUEST__INIT;
	uint64_t number = ++world->request_number;

	message.table = &wanted->table;
	message.partition_count = PARTITIONS;
	message.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	return world_ask(world, METHOD_CATALOG_CREATE_TABLE, &message.base);
}

/* create: name of an index to make; remove: of one to delete; either may be NULL. */
static enum status update(struct catalog_world *world, const char *table, const char *new_index,
			  const char *old_index)
{
	Cleave__UpdateTableRequest message = CLEAVE__UPDATE_TABLE_REQUEST__INIT;
	uint64_t number = ++world->request_number;
	char old_name[NAME_SIZE];
	struct wanted wanted;

	want_table(&wanted, table, 0, 0);
	message.table = &wanted.table;
	message.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	if (new_index != NULL) {
		want_index(&wanted, 0, new_index, false);
		message.create_index = wanted.list[0];
	}
	if (old_index != NULL) {
		(void)snprintf(old_name, sizeof(old_name), "%s", old_index);
		message.delete_index = old_name;
	}
	return world_ask(world, METHOD_CATALOG_UPDATE_TABLE, &message.base);
}

/* --- what the catalog says --- */

static const struct table_index *index_of(const struct catalog_world *world, const char *table,
					  const char *name)
{
	return table_indexes_find(world_table(world, table)->indexes, slice_of_string(name));
}

static const struct table_info *derived_of(const struct catalog_world *world, const char *table,
					   const char *name)
{
	const struct table_index *index = index_of(world, table, name);

	return index == NULL ? NULL : catalog_state_table(world_state(world), index->table_id);
}

/* --- what nodes say --- */

/* The leaders of the table's partitions from..to-1 feed all its global indexes, or none. */
static void report_feeds(struct catalog_world *world, const char *name, size_t from, size_t to, bool feeds,
			 bool is_caught_up)
{
	const struct table_info *table = world_table(world, name);
	uint32_t table_id = table->table_id;

	for (size_t i = from; i < to; i++) {
		const struct partition_info *partition = catalog_state_partition_at(world_state(world),
										    table_id, i);
		Cleave__IndexProgress progress[TABLE_INDEXES_MAX];
		Cleave__IndexProgress *list[TABLE_INDEXES_MAX];
		Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
		Cleave__ReplicaReport replica = CLEAVE__REPLICA_REPORT__INIT;
		Cleave__ReplicaReport *replicas[] = { &replica };
		const struct table_index *index;
		uint32_t cursor = 0;

		table = catalog_state_table(world_state(world), table_id);
		while (feeds && (index = table_indexes_next(table->indexes, false, &cursor)) != NULL) {
			cleave__index_progress__init(&progress[replica.n_indexes]);
			progress[replica.n_indexes].index_table_id = index->table_id;
			progress[replica.n_indexes].is_caught_up = is_caught_up;
			list[replica.n_indexes] = &progress[replica.n_indexes];
			replica.n_indexes++;
		}
		replica.indexes = list;
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

static void report_all(struct catalog_world *world, const char *name, bool feeds, bool is_caught_up)
{
	report_feeds(world, name, 0, PARTITIONS, feeds, is_caught_up);
}

/* Leaders of a derived table's partitions, which feed nothing. */
static void report_derived(struct catalog_world *world, const char *table, const char *name)
{
	char derived[LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 1];

	(void)snprintf(derived, sizeof(derived), "%s", derived_of(world, table, name)->name);
	world_report_leaders(world, derived);
}

/* Every node has dropped what the catalog wants dropped. */
static void report_dropped(struct catalog_world *world)
{
	for (uint64_t node_id = 1; node_id <= NODES; node_id++) {
		Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;

		report.is_complete = true;
		report.catalog_version = world_state(world)->version;
		world_report(world, node_id, &report);
	}
}

static void start(struct catalog_world *world)
{
	world_start(world, 1);
	world_register(world, NODES);
}

/* Another catalog leader, which knows what is in the log and nothing that nodes have told. */
static void change_leader(struct catalog_world *world)
{
	world_close(world);
	world_open(world, 1);
	world_register(world, NODES);
}

static void create_active(struct catalog_world *world, const char *name, size_t global_count,
			  size_t local_count)
{
	struct wanted wanted;

	want_table(&wanted, name, global_count, local_count);
	assert_int_equal(create(world, &wanted), ST_OK);
	for (size_t i = 0; i < global_count; i++)
		report_derived(world, name, wanted.names[i]);
	report_all(world, name, true, true);
	assert_int_equal(world_table(world, name)->state, TABLE_ACTIVE);
}

/* --- stories --- */

static void a_table_is_made_with_its_indexes_and_their_tables(void **state)
{
	struct catalog_world world;
	const struct table_info *derived;
	const struct table_info *table;
	struct wanted wanted;

	(void)state;
	start(&world);
	want_table(&wanted, "orders", 2, 3);
	assert_int_equal(create(&world, &wanted), ST_OK);
	table = world_table(&world, "orders");
	assert_true(table->is_born_with_indexes);
	assert_int_equal(table->indexes->count, 5);
	for (uint32_t i = 2; i < 5; i++)
		assert_int_equal(table->indexes->list[i].local_number, i - 1);
	for (uint32_t i = 0; i < 2; i++) {
		char name[NAME_SIZE];

		derived = catalog_state_table(world_state(&world), table->indexes->list[i].table_id);
		(void)snprintf(name, sizeof(name), "index/%u", (unsigned)derived->table_id);
		assert_string_equal(derived->name, name);
		assert_int_equal(derived->base_table_id, table->table_id);
		assert_int_equal(derived->version, table->version);
		assert_true(derived->token_seed != table->token_seed);
		assert_string_equal(table_schema_sort_key(&derived->schema)->name, "a");
		assert_true(catalog_state_partition_count(world_state(&world), derived->table_id) > 0);
	}
	assert_int_not_equal(table->indexes->list[0].table_id, table->indexes->list[1].table_id);
	/* The next table gets ids behind theirs. */
	assert_int_equal(world_create(&world, "behind", 1, 0), ST_OK);
	assert_true(world_table(&world, "behind")->table_id > derived->table_id);
	world_stop(&world);
}

static void a_new_table_is_active_when_its_indexes_can_be_read(void **state)
{
	struct catalog_world world;
	struct wanted wanted;

	(void)state;
	start(&world);
	want_table(&wanted, "orders", 2, 1);
	assert_int_equal(create(&world, &wanted), ST_OK);
	report_all(&world, "orders", true, true);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_CREATING); /* nobody leads them */
	report_derived(&world, "orders", "index-00");
	assert_int_equal(derived_of(&world, "orders", "index-00")->state, TABLE_ACTIVE);
	report_all(&world, "orders", true, false);
	report_derived(&world, "orders", "index-01");
	assert_int_equal(world_table(&world, "orders")->state, TABLE_CREATING);
	report_feeds(&world, "orders", 0, 1, true, true);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_CREATING);
	report_feeds(&world, "orders", 1, 2, true, true);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_ACTIVE);
	assert_int_equal(index_of(&world, "orders", "index-00")->state, INDEX_ACTIVE);
	assert_int_equal(index_of(&world, "orders", "index-02")->state, INDEX_ACTIVE);
	world_stop(&world);
}

static void clients_cannot_name_the_table_of_an_index(void **state)
{
	struct catalog_world world;
	struct wanted wanted;
	char derived[LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 1];

	(void)state;
	start(&world);
	create_active(&world, "orders", 1, 0);
	(void)snprintf(derived, sizeof(derived), "%s", derived_of(&world, "orders", "index-00")->name);
	assert_int_equal(world_delete(&world, derived, 0), ST_NOT_FOUND);
	assert_int_equal(update(&world, derived, NULL, NULL), ST_NOT_FOUND);
	assert_int_equal(world_create(&world, "index/99", 1, 0), ST_INVALID);
	want_table(&wanted, "index/99", 0, 0);
	wanted.table.base_table_id = world_table(&world, "orders")->table_id;
	assert_int_equal(create(&world, &wanted), ST_INVALID);
	world_stop(&world);
}

/* --- online, step by step --- */

static void step_create(struct catalog_world *world)
{
	assert_int_equal(update(world, "orders", "new", NULL), ST_OK);
	assert_int_equal(index_of(world, "orders", "new")->state, INDEX_CREATING);
	assert_int_equal(derived_of(world, "orders", "new")->state, TABLE_CREATING);
	report_all(world, "orders", true, false);
	assert_int_equal(world_table(world, "orders")->state, TABLE_UPDATING);
}

static void step_place(struct catalog_world *world)
{
	report_derived(world, "orders", "new");
	assert_int_equal(derived_of(world, "orders", "new")->state, TABLE_ACTIVE);
	assert_int_equal(world_table(world, "orders")->state, TABLE_ACTIVE);
	assert_int_equal(index_of(world, "orders", "new")->state, INDEX_CREATING);
}

static void step_backfill(struct catalog_world *world)
{
	report_feeds(world, "orders", 0, 1, true, true);
	report_feeds(world, "orders", 1, 2, true, false);
	assert_true(index_of(world, "orders", "new")->is_backfilling);
	assert_int_equal(index_of(world, "orders", "new")->state, INDEX_CREATING);
	report_feeds(world, "orders", 0, 2, true, true);
	assert_int_equal(index_of(world, "orders", "new")->state, INDEX_ACTIVE);
	assert_false(index_of(world, "orders", "new")->is_backfilling);
}

static void step_delete(struct catalog_world *world)
{
	assert_int_equal(update(world, "orders", NULL, "new"), ST_OK);
	assert_int_equal(index_of(world, "orders", "new")->state, INDEX_DELETING);
	assert_int_equal(world_table(world, "orders")->state, TABLE_ACTIVE);
	report_all(world, "orders", true, true); /* they have not heard of it */
	assert_int_equal(derived_of(world, "orders", "new")->state, TABLE_ACTIVE);
}

static void step_end_feeds(struct catalog_world *world)
{
	report_feeds(world, "orders", 0, 1, false, false);
	report_feeds(world, "orders", 1, 2, true, true);
	assert_int_equal(derived_of(world, "orders", "new")->state, TABLE_ACTIVE);
	report_all(world, "orders", false, false);
	assert_int_equal(derived_of(world, "orders", "new")->state, TABLE_DELETING);
	assert_int_equal(index_of(world, "orders", "new")->state, INDEX_DELETING);
}

static void step_drop(struct catalog_world *world)
{
	report_dropped(world);
	assert_null(index_of(world, "orders", "new"));
	assert_null(world_table(world, "orders")->indexes);
	assert_int_equal(world_state(world)->table_count, 1);
}

static void (*const steps[STEPS])(struct catalog_world *world) = {
	step_create, step_place, step_backfill, step_delete, step_end_feeds, step_drop,
};

static void an_index_is_made_and_deleted_online_whenever_the_leader_changes(void **state)
{
	(void)state;
	for (size_t change_at = 0; change_at <= STEPS; change_at++) {
		struct catalog_world world;

		start(&world);
		create_active(&world, "orders", 0, 0);
		for (size_t i = 0; i < STEPS; i++) {
			if (i == change_at)
				change_leader(&world);
			steps[i](&world);
		}
		/* Its name is free again, its id is not. */
		assert_int_equal(update(&world, "orders", "new", NULL), ST_OK);
		assert_int_equal(index_of(&world, "orders", "new")->table_id, 3);
		world_stop(&world);
	}
}

/* --- the end of a table --- */

static void the_tables_of_indexes_go_before_their_base(void **state)
{
	(void)state;
	for (size_t change_at = 0; change_at < 3; change_at++) {
		struct catalog_world world;

		start(&world);
		create_active(&world, "orders", 2, 1);
		if (change_at == 0)
			change_leader(&world);
		assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
		assert_int_equal(derived_of(&world, "orders", "index-00")->state, TABLE_DELETING);
		assert_int_equal(derived_of(&world, "orders", "index-01")->state, TABLE_DELETING);
		if (change_at == 1)
			change_leader(&world); /* nodes that have not heard of it say nothing about it */
		assert_int_equal(world_state(&world)->table_count, 3);
		report_dropped(&world);
		assert_int_equal(world_state(&world)->table_count, 0);
		assert_int_equal(world_state(&world)->partitions.count, 0);
		world_stop(&world);
	}
}

static void a_table_is_deleted_in_the_middle_of_making_an_index(void **state)
{
	struct catalog_world world;

	(void)state;
	start(&world);
	create_active(&world, "orders", 0, 0);
	step_create(&world);
	assert_int_equal(world_delete(&world, "orders", 0), ST_BUSY);
	step_place(&world);
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	report_dropped(&world);
	assert_int_equal(world_state(&world)->table_count, 0);
	world_stop(&world);
}

/* --- limits --- */

static void one_index_is_made_or_deleted_at_a_time(void **state)
{
	struct catalog_world world;

	(void)state;
	start(&world);
	create_active(&world, "orders", 1, 1);
	step_create(&world);
	assert_int_equal(update(&world, "orders", "second", NULL), ST_BUSY);
	step_place(&world);
	assert_int_equal(update(&world, "orders", "second", NULL), ST_TOO_BIG);
	assert_int_equal(update(&world, "orders", NULL, "index-00"), ST_TOO_BIG);
	step_backfill(&world);
	assert_int_equal(update(&world, "orders", NULL, "index-01"), ST_INVALID); /* a local one */
	assert_int_equal(update(&world, "orders", NULL, "nothing"), ST_INVALID);
	assert_int_equal(update(&world, "orders", "index-00", NULL), ST_INVALID); /* is there */
	assert_int_equal(update(&world, "orders", NULL, "index-00"), ST_OK);
	world_stop(&world);
}

static void a_table_has_twenty_global_indexes_and_no_more(void **state)
{
	struct catalog_world world;
	struct wanted wanted;

	(void)state;
	start(&world);
	want_table(&wanted, "orders", LIMIT_GLOBAL_INDEX_COUNT + 1, 0);
	assert_int_equal(create(&world, &wanted), ST_INVALID);
	want_table(&wanted, "orders", 0, LIMIT_LOCAL_INDEX_COUNT + 1);
	assert_int_equal(create(&world, &wanted), ST_INVALID);
	create_active(&world, "orders", LIMIT_GLOBAL_INDEX_COUNT, LIMIT_LOCAL_INDEX_COUNT);
	assert_int_equal(update(&world, "orders", "more", NULL), ST_TOO_BIG);
	create_active(&world, "others", LIMIT_GLOBAL_INDEX_COUNT, 0); /* room for indexes, of other kind */
	assert_int_equal(update(&world, "others", "more", NULL), ST_TOO_BIG);
	world_stop(&world);
}

/* What all indexes of a table project together is bounded, also when they are made one by one. */
static void a_table_projects_no_more_than_it_may(void **state)
{
	Cleave__UpdateTableRequest message = CLEAVE__UPDATE_TABLE_REQUEST__INIT;
	ProtobufCBinaryData names[LIMIT_PROJECTED_ATTRIBUTE_COUNT];
	uint64_t number = 1000000;
	struct catalog_world world;
	struct wanted wanted;

	(void)state;
	start(&world);
	for (size_t i = 0; i < LIMIT_PROJECTED_ATTRIBUTE_COUNT; i++)
		names[i] = (ProtobufCBinaryData){ 2, (uint8_t *)key_name };
	want_table(&wanted, "orders", 1, 0);
	wanted.indexes[0].projection = CLEAVE__INDEX_RECORD__PROJECTION__INCLUDE;
	wanted.indexes[0].attributes = names;
	wanted.indexes[0].n_attributes = LIMIT_PROJECTED_ATTRIBUTE_COUNT;
	assert_int_equal(create(&world, &wanted), ST_OK);
	report_derived(&world, "orders", "index-00");
	report_all(&world, "orders", true, true);
	want_table(&wanted, "orders", 0, 0);
	want_index(&wanted, 0, "new", false);
	wanted.indexes[0].projection = CLEAVE__INDEX_RECORD__PROJECTION__INCLUDE;
	wanted.indexes[0].attributes = names;
	wanted.indexes[0].n_attributes = 1;
	message.table = &wanted.table;
	message.create_index = wanted.list[0];
	message.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	assert_int_equal(world_ask(&world, METHOD_CATALOG_UPDATE_TABLE, &message.base), ST_INVALID);
	assert_int_equal(update(&world, "orders", "new", NULL), ST_OK);
	world_stop(&world);
}

/* A full catalog refuses an index: its replicas could not apply it. */
static void a_full_catalog_takes_no_index(void **state)
{
	struct table_info filler = { .state = TABLE_ACTIVE };
	struct catalog_world world;
	struct catalog_state *inside;

	(void)state;
	start(&world);
	create_active(&world, "orders", 0, 0);
	inside = &world.catalog->fsm.state;
	filler.base_table_id = world_table(&world, "orders")->table_id;
	filler.schema = world_table(&world, "orders")->schema;
	for (uint32_t id = 1000000; inside->table_count < CATALOG_TABLES_MAX; id++) {
		filler.table_id = id;
		(void)snprintf(filler.name, sizeof(filler.name), "index/%u", (unsigned)id);
		assert_int_equal(catalog_state_put_table(inside, &filler), ST_OK);
	}
	assert_int_equal(update(&world, "orders", "new", NULL), ST_TOO_BIG);
	catalog_state_remove_table(inside, 1000000);
	assert_int_equal(update(&world, "orders", "new", NULL), ST_OK);
	world_stop(&world);
}

static void a_retried_change_takes_effect_once(void **state)
{
	struct catalog_world world;
	uint64_t version;

	(void)state;
	start(&world);
	create_active(&world, "orders", 0, 0);
	assert_int_equal(update(&world, "orders", "new", NULL), ST_OK);
	version = world_state(&world)->version;
	world.request_number--;
	assert_int_equal(update(&world, "orders", "new", NULL), ST_OK);
	assert_int_equal(world_state(&world)->version, version);
	assert_int_equal(world_table(&world, "orders")->indexes->count, 1);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_made_with_its_indexes_and_their_tables),
		cmocka_unit_test(a_new_table_is_active_when_its_indexes_can_be_read),
		cmocka_unit_test(clients_cannot_name_the_table_of_an_index),
		cmocka_unit_test(an_index_is_made_and_deleted_online_whenever_the_leader_changes),
		cmocka_unit_test(the_tables_of_indexes_go_before_their_base),
		cmocka_unit_test(a_table_is_deleted_in_the_middle_of_making_an_index),
		cmocka_unit_test(one_index_is_made_or_deleted_at_a_time),
		cmocka_unit_test(a_table_has_twenty_global_indexes_and_no_more),
		cmocka_unit_test(a_table_projects_no_more_than_it_may),
		cmocka_unit_test(a_full_catalog_takes_no_index),
		cmocka_unit_test(a_retried_change_takes_effect_once),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
