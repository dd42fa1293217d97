#include "proto/catalog/catalog_info.h"

#include "tests/unit/catalog_fixture.h"
#include "tests/unit/index_fixture.h"

static struct table_info full_table(void)
{
	struct table_info table = {
		.table_id = 7,
		.state = TABLE_UPDATING,
		.version = 8,
		.name = "orders",
		.token_seed = 9,
		.uuid = { 1, 2, 3 },
		.created_wall_us = 10,
		.is_on_demand = true,
		.deletion_protection = true,
		.read_units = 11,
		.write_units = 12,
		.next_units = { true, 21, 22 },
		.billing_changed_wall_us = 13,
		.increased_wall_us = 14,
		.decreased_wall_us = 15,
		.decreases_today = 16,
		.table_class = "STANDARD",
		.is_encrypted = true,
		.kms_key = "alias/mine",
		.tags = { (const uint8_t *)"\x0a\x03\x0a\x01\x61", 5 }, /* one, of the key "a" */
	};

	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(
		table_schema_add_sort_key(&table.schema, slice_of_string("sk"), slice_of_string("N")), ST_OK);
	return table;
}

static void table_comes_back_as_it_went(void **state)
{
	struct table_info table = full_table();
	struct table_info back;
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_OK);
	assert_true(table_schema_equal(&table.schema, &back.schema));
	assert_int_equal(back.table_id, 7);
	assert_int_equal(back.state, TABLE_UPDATING);
	assert_int_equal(back.version, 8);
	assert_string_equal(back.name, "orders");
	assert_int_equal(back.token_seed, 9);
	assert_memory_equal(back.uuid, table.uuid, sizeof(table.uuid));
	assert_int_equal(back.created_wall_us, 10);
	assert_true(back.is_on_demand && back.deletion_protection);
	assert_int_equal(back.read_units, 11);
	assert_int_equal(back.write_units, 12);
	assert_true(back.next_units.is_set);
	assert_int_equal(back.next_units.read_units, 21);
	assert_int_equal(back.next_units.write_units, 22);
	assert_int_equal(back.billing_changed_wall_us, 13);
	assert_int_equal(back.increased_wall_us, 14);
	assert_int_equal(back.decreased_wall_us, 15);
	assert_int_equal(back.decreases_today, 16);
	assert_string_equal(back.table_class, "STANDARD");
	assert_true(back.is_encrypted);
	assert_string_equal(back.kms_key, "alias/mine");
	assert_int_equal(back.tags.size, 5);
	assert_memory_equal(back.tags.data, table.tags.data, 5);
	arena_close(&arena);
}

static void indexes_come_back_as_they_went(void **state)
{
	struct table_info table = full_table();
	struct table_info back;
	struct table_indexes *indexes = calloc(1, sizeof(*indexes) + 2 * sizeof(indexes->list[0]));
	struct slice names[2] = { slice_of_string("a"), slice_of_string("long name") };
	struct arena arena;

	(void)state;
	assert_non_null(indexes);
	indexes->count = 2;
	indexes->list[0] = (struct table_index){ .name = "by-size",
						 .table_id = 9,
						 .schema = table.schema,
						 .projection = INDEX_PROJECTS_SOME,
						 .attributes = names,
						 .attribute_count = 2,
						 .state = INDEX_CREATING,
						 .is_backfilling = true,
						 .read_units = 5,
						 .write_units = 6,
						 .next_units = { true, 0, 8 } };
	indexes->list[1] = (struct table_index){ .name = "local", .local_number = 3, .schema = table.schema };
	table.indexes = indexes;
	arena_init(&arena, 65536);
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_OK);
	assert_int_equal(back.indexes->count, 2);
	assert_int_equal(back.indexes->list[0].attribute_count, 2);
	assert_true(slice_equal(back.indexes->list[0].attributes[1], names[1]));
	assert_int_equal(back.indexes->list[0].table_id, 9);
	assert_int_equal(back.indexes->list[0].state, INDEX_CREATING);
	assert_true(back.indexes->list[0].is_backfilling);
	assert_int_equal(back.indexes->list[0].write_units, 6);
	assert_true(back.indexes->list[0].next_units.is_set);
	assert_int_equal(back.indexes->list[0].next_units.read_units, 0);
	assert_int_equal(back.indexes->list[0].next_units.write_units, 8);
	assert_false(back.indexes->list[1].next_units.is_set);
	assert_int_equal(back.indexes->list[1].local_number, 3);
	assert_ptr_equal(table_indexes_find(back.indexes, slice_of_string("local")), &back.indexes->list[1]);
	indexes->list[1].local_number = 6;
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_CORRUPT);
	arena_close(&arena);
	free(indexes);
}

/* Records from before updates kept the units that they are on their way to. */
static void a_record_without_next_units_has_none(void **state)
{
	struct table_info table = full_table();
	struct table_info back;
	struct arena arena;

	(void)state;
	table.next_units.is_set = false;
	arena_init(&arena, 65536);
	assert_null(table_info_encode(&table, &arena)->next_units);
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_OK);
	assert_false(back.next_units.is_set);
	assert_int_equal(back.read_units, 11);
	arena_close(&arena);
}

/* As records had it before keys could have more attributes, and still have it. */
static void a_simple_schema_keeps_its_bytes(void **state)
{
	static const uint8_t bytes[] = { 0x0a, 7, 0x0a, 2, 'p', 'k', 0x12, 1, 'S',
					 0x12, 7, 0x0a, 2, 's', 'k', 0x12, 1, 'N' };
	struct table_info table = full_table();
	Cleave__TableSchema *record;
	uint8_t packed[sizeof(bytes)];
	struct table_schema back;
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	record = table_schema_encode(&table.schema, &arena);
	assert_int_equal(cleave__table_schema__get_packed_size(record), sizeof(bytes));
	(void)cleave__table_schema__pack(record, packed);
	assert_memory_equal(packed, bytes, sizeof(bytes));
	record = cleave__table_schema__unpack(NULL, sizeof(bytes), bytes);
	assert_non_null(record);
	assert_int_equal(table_schema_decode(record, &back), ST_OK);
	assert_true(table_schema_equal(&back, &table.schema));
	cleave__table_schema__free_unpacked(record, NULL);
	arena_close(&arena);
}

static void check_schema_comes_back(const char *partition, const char *sort)
{
	struct table_schema schema;
	struct table_schema back;
	struct arena arena;

	arena_init(&arena, 65536);
	index_fixture_schema(&schema, partition, sort);
	assert_int_equal(table_schema_decode(table_schema_encode(&schema, &arena), &back), ST_OK);
	assert_true(table_schema_equal(&schema, &back));
	arena_close(&arena);
}

static void keys_of_several_attributes_come_back(void **state)
{
	(void)state;
	check_schema_comes_back("S:g", NULL);
	check_schema_comes_back("S:g N:h", NULL);
	check_schema_comes_back("S:g", "N:a B:b");
	check_schema_comes_back("S:g N:h", "B:a");
	check_schema_comes_back("S:g1 N:g2 B:g3 S:g4", "N:h1 B:h2 S:h3 N:h4");
}

/* Only a global index, and the table of its rows, has a key of more attributes. */
static void a_table_and_a_local_index_have_simple_keys(void **state)
{
	struct table_indexes *indexes = calloc(1, sizeof(*indexes) + sizeof(indexes->list[0]));
	struct table_info table = full_table();
	struct table_info back;
	struct arena arena;

	(void)state;
	assert_non_null(indexes);
	arena_init(&arena, 65536);
	indexes->count = 1;
	index_fixture_index(&indexes->list[0], 0, "S:g N:h", "S:i S:j", INDEX_PROJECTS_ALL);
	table.indexes = indexes;
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_OK);
	assert_true(table_schema_equal(&back.indexes->list[0].schema, &indexes->list[0].schema));
	index_fixture_index(&indexes->list[0], 1, "S:pk", "S:i S:j", INDEX_PROJECTS_ALL);
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_CORRUPT);
	table.indexes = NULL;
	index_fixture_schema(&table.schema, "S:g N:h", NULL);
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_CORRUPT);
	(void)snprintf(table.name, sizeof(table.name), CATALOG_DERIVED_PREFIX "7");
	table.base_table_id = 6;
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_OK);
	assert_true(table_schema_equal(&back.schema, &table.schema));
	free(indexes);
	arena_close(&arena);
}

static void broken_keys_are_refused(void **state)
{
	struct table_schema schema;
	struct table_schema back;
	Cleave__TableSchema *record;
	Cleave__TableSchema good;
	Cleave__KeyAttribute *twice[2];
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	index_fixture_schema(&schema, "S:g1 S:g2 S:g3 S:g4", "S:h1 S:h2 S:h3 S:h4");
	record = table_schema_encode(&schema, &arena);
	assert_non_null(record);
	good = *record;
	record->sort_key = NULL; /* the others stand behind none */
	assert_int_equal(table_schema_decode(record, &back), ST_CORRUPT);
	*record = good;
	twice[0] = twice[1] = good.more_sort_keys[0];
	record->more_sort_keys = twice;
	record->n_more_sort_keys = 2;
	assert_int_equal(table_schema_decode(record, &back), ST_CORRUPT);
	record->n_more_sort_keys = 1;
	assert_int_equal(table_schema_decode(record, &back), ST_OK);
	*record = good;
	record->more_partition_keys = good.more_sort_keys; /* in both */
	assert_int_equal(table_schema_decode(record, &back), ST_CORRUPT);
	*record = good;
	record->more_partition_keys = arena_alloc(&arena, 4 * sizeof(*record->more_partition_keys));
	assert_non_null(record->more_partition_keys);
	memcpy(record->more_partition_keys, good.more_partition_keys, 3 * sizeof(*good.more_partition_keys));
	record->more_partition_keys[record->n_more_partition_keys++] = good.more_sort_keys[0];
	record->n_more_sort_keys = 0;
	assert_int_equal(table_schema_decode(record, &back), ST_CORRUPT); /* five */
	arena_close(&arena);
}

static void broken_tables_are_refused(void **state)
{
	struct table_info table = full_table();
	struct table_info back;
	Cleave__TableRecord *record;
	Cleave__TableRecord good;
	struct arena arena;
	char bad_name[] = "no spaces";
	char bad_class[] = "\n";
	uint8_t byte = 0;

	(void)state;
	arena_init(&arena, 65536);
	record = table_info_encode(&table, &arena);
	good = *record;
	record->name = bad_name;
	assert_int_equal(table_info_decode(record, &arena, &back), ST_CORRUPT);
	*record = good;
	record->table_class = bad_class;
	assert_int_equal(table_info_decode(record, &arena, &back), ST_CORRUPT);
	*record = good;
	record->uuid = (ProtobufCBinaryData){ 1, &byte };
	assert_int_equal(table_info_decode(record, &arena, &back), ST_CORRUPT);
	*record = good;
	record->schema = NULL;
	assert_int_equal(table_info_decode(record, &arena, &back), ST_CORRUPT);
	*record = good;
	record->state = (Cleave__TableRecord__State)9;
	assert_int_equal(table_info_decode(record, &arena, &back), ST_CORRUPT);
	*record = good;
	assert_int_equal(table_info_decode(record, &arena, &back), ST_OK);
	arena_close(&arena);
}

static void node_comes_back_and_broken_ones_do_not(void **state)
{
	struct node_info node = { .node_id = 3,
				  .version = 4,
				  .zone = "az-a",
				  .host = "10.0.0.1",
				  .port = 7000,
				  .incarnation = { 5 } };
	struct node_info back;
	Cleave__NodeRecord *record;
	struct arena arena;
	char empty[] = "";

	(void)state;
	arena_init(&arena, 65536);
	record = node_info_encode(&node, &arena);
	assert_int_equal(node_info_decode(record, &back), ST_OK);
	assert_true(node_info_equal(&node, &back));
	assert_int_equal(back.version, 4);
	record->port = 65536;
	assert_int_equal(node_info_decode(record, &back), ST_CORRUPT);
	record->port = 7000;
	record->zone = empty;
	assert_int_equal(node_info_decode(record, &back), ST_CORRUPT);
	arena_close(&arena);
}

static void partition_comes_back_and_broken_ones_do_not(void **state)
{
	uint8_t low[12] = { 0, 0, 0, 1 };
	uint8_t high[4] = { 0, 0, 0, 2 };
	Cleave__PartitionRecord record = CLEAVE__PARTITION_RECORD__INIT;
	Cleave__ReplicaRecord replica = CLEAVE__REPLICA_RECORD__INIT;
	Cleave__ReplicaRecord *replicas[] = { &replica };
	Cleave__PartitionRecord *again;
	struct partition_info *partition;
	struct partition_info *back;
	struct arena arena;

	(void)state;
	replica.replica_id = 8;
	replica.node_id = 9;
	record.partition_id = 1000;
	record.table_id = 1;
	record.epoch = 2;
	record.version = 3;
	record.preferred_leader_node_id = 9;
	record.range_start = (ProtobufCBinaryData){ sizeof(low), low };
	record.range_end = (ProtobufCBinaryData){ sizeof(high), high };
	record.n_replicas = 1;
	record.replicas = replicas;
	assert_int_equal(partition_info_decode(&record, &partition), ST_OK);
	arena_init(&arena, 65536);
	again = partition_info_encode(partition, &arena);
	assert_int_equal(partition_info_decode(again, &back), ST_OK);
	assert_true(slice_equal(back->range_start, slice_of(low, sizeof(low))));
	assert_true(slice_equal(back->range_end, slice_of(high, sizeof(high))));
	assert_int_equal(back->epoch, 2);
	assert_int_equal(back->version, 3);
	assert_int_equal(back->preferred_leader_node_id, 9);
	assert_int_equal(partition_info_find_replica(back, 9)->replica_id, 8);
	assert_null(partition_info_find_replica(back, 8));
	partition_info_free(back);
	record.table_id = 2; /* not where its range is */
	assert_int_equal(partition_info_decode(&record, &back), ST_CORRUPT);
	record.table_id = 1;
	record.range_end = record.range_start;
	assert_int_equal(partition_info_decode(&record, &back), ST_CORRUPT);
	record.range_end = (ProtobufCBinaryData){ sizeof(high), high };
	record.n_replicas = 0;
	assert_int_equal(partition_info_decode(&record, &back), ST_CORRUPT);
	partition_info_free(partition);
	arena_close(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_comes_back_as_it_went),
		cmocka_unit_test(indexes_come_back_as_they_went),
		cmocka_unit_test(a_record_without_next_units_has_none),
		cmocka_unit_test(a_simple_schema_keeps_its_bytes),
		cmocka_unit_test(keys_of_several_attributes_come_back),
		cmocka_unit_test(a_table_and_a_local_index_have_simple_keys),
		cmocka_unit_test(broken_keys_are_refused),
		cmocka_unit_test(broken_tables_are_refused),
		cmocka_unit_test(node_comes_back_and_broken_ones_do_not),
		cmocka_unit_test(partition_comes_back_and_broken_ones_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
