#include "proto/catalog/catalog_state.h"

#include "tests/unit/catalog_fixture.h"

static struct table_info table_of(uint32_t table_id, const char *name)
{
	struct table_info table = { .table_id = table_id, .state = TABLE_ACTIVE, .version = 1 };

	(void)snprintf(table.name, sizeof(table.name), "%s", name);
	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	return table;
}

static void put_table(struct catalog_state *catalog, uint32_t table_id, const char *name)
{
	struct table_info table = table_of(table_id, name);

	assert_int_equal(catalog_state_put_table(catalog, &table), ST_OK);
}

/* The partition of the tokens [first, end); end 0: to the end of the table. */
static struct partition_info *partition_of(uint64_t partition_id, uint32_t table_id, uint64_t first,
					   uint64_t end)
{
	Cleave__PartitionRecord record = CLEAVE__PARTITION_RECORD__INIT;
	Cleave__ReplicaRecord replica = CLEAVE__REPLICA_RECORD__INIT;
	Cleave__ReplicaRecord *replicas[] = { &replica };
	struct partition_info *partition;
	struct buf start_key;
	struct buf end_key;

	buf_init(&start_key, 64);
	buf_init(&end_key, 64);
	row_key_token_start(&start_key, table_id, first);
	if (end == 0)
		row_key_table_start(&end_key, table_id + 1);
	else
		row_key_token_start(&end_key, table_id, end);
	replica.replica_id = 7;
	replica.node_id = 3;
	record.partition_id = partition_id;
	record.table_id = table_id;
	record.range_start = (ProtobufCBinaryData){ start_key.size, start_key.data };
	record.range_end = (ProtobufCBinaryData){ end_key.size, end_key.data };
	record.n_replicas = 1;
	record.replicas = replicas;
	assert_int_equal(partition_info_decode(&record, &partition), ST_OK);
	buf_close(&start_key);
	buf_close(&end_key);
	return partition;
}

static void put_partition(struct catalog_state *catalog, uint64_t partition_id, uint32_t table_id,
			  uint64_t first, uint64_t end)
{
	assert_int_equal(
		catalog_state_put_partition(catalog, partition_of(partition_id, table_id, first, end)),
		ST_OK);
}

/* 0 if no partition holds the token. */
static uint64_t find(const struct catalog_state *catalog, uint32_t table_id, uint64_t token)
{
	const struct partition_info *partition;
	struct buf key;

	buf_init(&key, 64);
	row_key_token_start(&key, table_id, token);
	buf_put_u8(&key, 'x');
	partition = catalog_state_find_partition(catalog, buf_slice(&key));
	buf_close(&key);
	return partition == NULL ? 0 : partition->partition_id;
}

static void key_finds_the_partition_that_holds_it(void **state)
{
	struct catalog_state catalog;

	(void)state;
	catalog_state_init(&catalog);
	put_table(&catalog, 1, "orders");
	put_table(&catalog, 2, "others");
	put_partition(&catalog, 1003, 1, 200, 0);
	put_partition(&catalog, 1001, 1, 0, 100);
	put_partition(&catalog, 1002, 1, 100, 200);
	put_partition(&catalog, 1004, 2, 50, 60);
	assert_int_equal(find(&catalog, 1, 0), 1001);
	assert_int_equal(find(&catalog, 1, 99), 1001);
	assert_int_equal(find(&catalog, 1, 100), 1002);
	assert_int_equal(find(&catalog, 1, UINT64_MAX), 1003);
	assert_int_equal(find(&catalog, 2, 50), 1004);
	assert_int_equal(find(&catalog, 2, 49), 0);
	assert_int_equal(find(&catalog, 2, 60), 0);
	assert_int_equal(find(&catalog, 3, 0), 0);
	assert_null(catalog_state_find_partition(&catalog, slice_of_string("short")));
	catalog_state_close(&catalog);
}

/* token 0: below the end of the table. */
static uint64_t find_below(const struct catalog_state *catalog, uint32_t table_id, uint64_t token)
{
	const struct partition_info *partition;
	struct buf key;

	buf_init(&key, 64);
	if (token == 0)
		row_key_table_start(&key, table_id + 1);
	else
		row_key_token_start(&key, table_id, token);
	partition = catalog_state_find_partition_below(catalog, table_id, buf_slice(&key));
	buf_close(&key);
	return partition == NULL ? 0 : partition->partition_id;
}

static void the_partition_below_a_bound_is_the_one_that_ends_there(void **state)
{
	struct catalog_state catalog;

	(void)state;
	catalog_state_init(&catalog);
	put_table(&catalog, 1, "orders");
	put_table(&catalog, 2, "others");
	put_partition(&catalog, 1001, 1, 0, 100);
	put_partition(&catalog, 1002, 1, 100, 200);
	put_partition(&catalog, 1004, 2, 50, 60);
	assert_int_equal(find_below(&catalog, 1, 1), 1001);
	assert_int_equal(find_below(&catalog, 1, 100), 1001);
	assert_int_equal(find_below(&catalog, 1, 101), 1002);
	assert_int_equal(find_below(&catalog, 1, 200), 1002);
	assert_int_equal(find_below(&catalog, 1, 201), 0);
	assert_int_equal(find_below(&catalog, 1, 0), 0);
	assert_int_equal(find_below(&catalog, 2, 60), 1004);
	assert_int_equal(find_below(&catalog, 2, 50), 0);
	assert_int_equal(find_below(&catalog, 3, 50), 0);
	put_partition(&catalog, 1003, 1, 200, 0);
	assert_int_equal(find_below(&catalog, 1, UINT64_MAX), 1003);
	assert_int_equal(find_below(&catalog, 1, 0), 1003);
	catalog_state_close(&catalog);
}

static void replaced_partition_is_found_in_its_new_range(void **state)
{
	struct catalog_state catalog;

	(void)state;
	catalog_state_init(&catalog);
	put_table(&catalog, 1, "orders");
	put_partition(&catalog, 1001, 1, 0, 0);
	put_partition(&catalog, 1001, 1, 0, 100); /* a split */
	put_partition(&catalog, 1002, 1, 100, 0);
	assert_int_equal(catalog_state_partition_count(&catalog, 1), 2);
	assert_int_equal(find(&catalog, 1, 99), 1001);
	assert_int_equal(find(&catalog, 1, 100), 1002);
	catalog_state_remove_partition(&catalog, 1001);
	assert_int_equal(find(&catalog, 1, 99), 0);
	assert_int_equal(catalog_state_partition_at(&catalog, 1, 0)->partition_id, 1002);
	catalog_state_close(&catalog);
}

static void tables_are_listed_by_name(void **state)
{
	struct catalog_state catalog;

	(void)state;
	catalog_state_init(&catalog);
	put_table(&catalog, 1, "mmm");
	put_table(&catalog, 2, "aaa");
	put_table(&catalog, 3, "zzz");
	put_table(&catalog, 4, "bbb");
	assert_string_equal(catalog_state_table_at(&catalog, 0)->name, "aaa");
	assert_string_equal(catalog_state_table_at(&catalog, 3)->name, "zzz");
	assert_null(catalog_state_table_at(&catalog, 4));
	assert_int_equal(catalog_state_table_after(&catalog, slice_of_string("aaa")), 1);
	assert_int_equal(catalog_state_table_after(&catalog, slice_of_string("aab")), 1);
	assert_int_equal(catalog_state_table_after(&catalog, slice_of_string("zzz")), 4);
	assert_int_equal(catalog_state_table_named(&catalog, slice_of_string("mmm"))->table_id, 1);
	assert_null(catalog_state_table_named(&catalog, slice_of_string("mm")));
	catalog_state_close(&catalog);
}

static void names_are_unique_and_kept(void **state)
{
	struct catalog_state catalog;
	struct table_info table = table_of(2, "orders");

	(void)state;
	catalog_state_init(&catalog);
	put_table(&catalog, 1, "orders");
	assert_int_equal(catalog_state_put_table(&catalog, &table), ST_EXISTS);
	table = table_of(1, "others");
	assert_int_equal(catalog_state_put_table(&catalog, &table), ST_EXISTS);
	assert_int_equal(catalog.table_count, 1);
	catalog_state_close(&catalog);
}

static void table_takes_its_partitions_along(void **state)
{
	struct catalog_state catalog;
	struct partition_info *orphan = partition_of(1009, 1, 0, 0);

	(void)state;
	catalog_state_init(&catalog);
	put_table(&catalog, 1, "orders");
	put_table(&catalog, 2, "others");
	put_partition(&catalog, 1001, 1, 0, 100);
	put_partition(&catalog, 1002, 1, 100, 0);
	put_partition(&catalog, 1003, 2, 0, 0);
	catalog_state_remove_table(&catalog, 1);
	catalog_state_remove_table(&catalog, 1);
	assert_int_equal(catalog.partitions.count, 1);
	assert_null(catalog_state_partition(&catalog, 1001));
	assert_non_null(catalog_state_partition(&catalog, 1003));
	assert_int_equal(catalog.table_count, 1);
	assert_int_equal(catalog_state_put_partition(&catalog, orphan), ST_NOT_FOUND);
	partition_info_free(orphan);
	catalog_state_close(&catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_finds_the_partition_that_holds_it),
		cmocka_unit_test(the_partition_below_a_bound_is_the_one_that_ends_there),
		cmocka_unit_test(replaced_partition_is_found_in_its_new_range),
		cmocka_unit_test(tables_are_listed_by_name),
		cmocka_unit_test(names_are_unique_and_kept),
		cmocka_unit_test(table_takes_its_partitions_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
