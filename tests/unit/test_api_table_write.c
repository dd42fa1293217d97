#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/api/api_table_write.h"
#include "tests/unit/index_fixture.h"

/* As text; the caller closes out. */
static const char *write_table(const struct table_info *table, struct buf *out)
{
	struct json_writer writer;

	buf_init(out, 4096);
	json_writer_init(&writer, out);
	json_writer_object_start(&writer);
	api_table_write(&writer, "Table", table, NULL, "eu-west-1");
	json_writer_object_end(&writer);
	buf_put_u8(out, 0);
	assert_int_equal(out->status, ST_OK);
	return (const char *)out->data;
}

static void assert_written(const struct table_info *table, const char *expected)
{
	struct buf out;

	assert_string_equal(write_table(table, &out), expected);
	buf_close(&out);
}

static struct table_info make_table(void)
{
	struct table_info table = {
		.state = TABLE_ACTIVE,
		.name = "things",
		.created_wall_us = UINT64_C(1700000000012345),
		.uuid = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8 },
	};

	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	return table;
}

static void an_on_demand_table_has_a_billing_summary_and_no_units(void **state)
{
	struct table_info table = make_table();

	(void)state;
	table.is_on_demand = true;
	table.read_units = 9; /* a maximum, not a provision */
	assert_written(
		&table,
		"{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}],"
		"\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],\"TableName\":\"things\","
		"\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":1700000000.012,\"ProvisionedThroughput\":{"
		"\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0},"
		"\"TableSizeBytes\":0,\"ItemCount\":0,"
		"\"TableArn\":\"arn:aws:dynamodb:eu-west-1:000000000000:table/things\","
		"\"TableId\":\"01234567-89ab-cdef-0102-030405060708\",\"BillingModeSummary\":{"
		"\"BillingMode\":\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":1700000000.012},"
		"\"TableThroughputModeSummary\":{\"TableThroughputMode\":\"PAY_PER_REQUEST\","
		"\"LastUpdateToPayPerRequestDateTime\":1700000000.012},"
		"\"OnDemandThroughput\":{\"MaxReadRequestUnits\":9,\"MaxWriteRequestUnits\":-1},"
		"\"DeletionProtectionEnabled\":false}}");
}

static void assert_mentions(const struct table_info *table, const char *word, bool does)
{
	struct buf out;

	assert_int_equal(strstr(write_table(table, &out), word) != NULL, does);
	buf_close(&out);
}

static void the_change_to_on_demand_is_dated_when_it_is_done(void **state)
{
	struct table_info table = make_table();

	(void)state;
	table.is_on_demand = true;
	table.state = TABLE_UPDATING;
	assert_mentions(&table, "\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"}", true);
	assert_mentions(&table, "LastUpdateToPayPerRequestDateTime", false);
	table.billing_changed_wall_us = 5000000; /* it was on demand before, and another setting changes */
	assert_mentions(&table, "\"LastUpdateToPayPerRequestDateTime\":5.000", true);
	table.is_on_demand = false;
	assert_mentions(&table, "\"BillingMode\":\"PROVISIONED\",\"LastUpdateToPayPerRequestDateTime\":5.000",
			true);
}

static void a_provisioned_table_shows_its_units_and_their_changes(void **state)
{
	struct table_info table = make_table();

	(void)state;
	assert_int_equal(
		table_schema_add_sort_key(&table.schema, slice_of_string("sk"), slice_of_string("N")), ST_OK);
	table.state = TABLE_UPDATING;
	table.read_units = 5;
	table.write_units = 6;
	table.increased_wall_us = 2000000;
	table.decreased_wall_us = 1500000;
	table.decreases_today = 3;
	table.deletion_protection = true;
	memcpy(table.table_class, "STANDARD", 9);
	assert_written(
		&table,
		"{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
		"{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"}],"
		"\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"TableName\":\"things\","
		"\"TableStatus\":\"UPDATING\",\"CreationDateTime\":1700000000.012,\"ProvisionedThroughput\":{"
		"\"LastIncreaseDateTime\":2.000,\"LastDecreaseDateTime\":1.500,"
		"\"NumberOfDecreasesToday\":3,\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6},"
		"\"TableSizeBytes\":0,\"ItemCount\":0,"
		"\"TableArn\":\"arn:aws:dynamodb:eu-west-1:000000000000:table/things\","
		"\"TableId\":\"01234567-89ab-cdef-0102-030405060708\","
		"\"TableClassSummary\":{\"TableClass\":\"STANDARD\"},\"DeletionProtectionEnabled\":true}}");
}

static void indexes_and_encryption_are_described(void **state)
{
	struct table_info table = make_table();
	const struct slice names[] = { slice_of_string("a") };
	union {
		struct table_indexes set;
		uint8_t room[sizeof(struct table_indexes) + 2 * sizeof(struct table_index)];
	} indexes;

	memset(&indexes, 0, sizeof(indexes));
	indexes.set.count = 2;
	(void)state;
	assert_int_equal(
		table_schema_add_sort_key(&table.schema, slice_of_string("sk"), slice_of_string("N")), ST_OK);
	table.is_on_demand = true;
	table.state = TABLE_CREATING;
	table.is_encrypted = true;
	memcpy(table.kms_key, "k1", 3);
	table.indexes = &indexes.set;
	indexes.set.list[0] = (struct table_index){ .name = "near",
						    .local_number = 1,
						    .state = INDEX_ACTIVE };
	index_fixture_schema(&indexes.set.list[0].schema, "S:pk", "B:x");
	indexes.set.list[1] = (struct table_index){ .name = "far",
						    .state = INDEX_CREATING,
						    .is_backfilling = true,
						    .projection = INDEX_PROJECTS_SOME,
						    .attributes = names,
						    .attribute_count = 1 };
	index_fixture_schema(&indexes.set.list[1].schema, "B:x N:y", "S:pk S:z");
	assert_written(
		&table,
		"{\"Table\":{\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
		"{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"},"
		"{\"AttributeName\":\"x\",\"AttributeType\":\"B\"},"
		"{\"AttributeName\":\"y\",\"AttributeType\":\"N\"},"
		"{\"AttributeName\":\"z\",\"AttributeType\":\"S\"}],"
		"\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"TableName\":\"things\","
		"\"TableStatus\":\"CREATING\",\"CreationDateTime\":1700000000.012,\"ProvisionedThroughput\":{"
		"\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0},"
		"\"TableSizeBytes\":0,\"ItemCount\":0,"
		"\"TableArn\":\"arn:aws:dynamodb:eu-west-1:000000000000:table/things\","
		"\"TableId\":\"01234567-89ab-cdef-0102-030405060708\","
		"\"BillingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"},"
		"\"TableThroughputModeSummary\":{\"TableThroughputMode\":\"PAY_PER_REQUEST\"},"
		"\"LocalSecondaryIndexes\":[{\"IndexName\":\"near\","
		"\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"x\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}"
		","
		"\"IndexSizeBytes\":0,\"ItemCount\":0,"
		"\"IndexArn\":\"arn:aws:dynamodb:eu-west-1:000000000000:table/things/index/near\"}],"
		"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"far\","
		"\"KeySchema\":[{\"AttributeName\":\"x\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"y\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"pk\",\"KeyType\":\"RANGE\"},"
		"{\"AttributeName\":\"z\",\"KeyType\":\"RANGE\"}],"
		"\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"a\"]},"
		"\"IndexStatus\":\"CREATING\",\"Backfilling\":true,\"ProvisionedThroughput\":{"
		"\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0},"
		"\"IndexSizeBytes\":0,\"ItemCount\":0,"
		"\"IndexArn\":\"arn:aws:dynamodb:eu-west-1:000000000000:table/things/index/far\"}],"
		"\"SSEDescription\":{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\","
		"\"KMSMasterKeyArn\":\"arn:aws:kms:eu-west-1:000000000000:key/k1\"},"
		"\"DeletionProtectionEnabled\":false}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_on_demand_table_has_a_billing_summary_and_no_units),
		cmocka_unit_test(the_change_to_on_demand_is_dated_when_it_is_done),
		cmocka_unit_test(a_provisioned_table_shows_its_units_and_their_changes),
		cmocka_unit_test(indexes_and_encryption_are_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
