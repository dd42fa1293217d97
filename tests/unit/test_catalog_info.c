#include "proto/catalog/catalog_info.h"

#include "tests/unit/catalog_fixture.h"

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
		table_schema_set_sort_key(&table.schema, slice_of_string("sk"), slice_of_string("N")), ST_OK);
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
						 .write_units = 6 };
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
	assert_int_equal(back.indexes->list[1].local_number, 3);
	assert_ptr_equal(table_indexes_find(back.indexes, slice_of_string("local")), &back.indexes->list[1]);
	indexes->list[1].local_number = 6;
	assert_int_equal(table_info_decode(table_info_encode(&table, &arena), &arena, &back), ST_CORRUPT);
	arena_close(&arena);
	free(indexes);
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
		cmocka_unit_test(broken_tables_are_refused),
		cmocka_unit_test(node_comes_back_and_broken_ones_do_not),
		cmocka_unit_test(partition_comes_back_and_broken_ones_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
