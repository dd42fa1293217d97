#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "coordinator/api/api_table_update.h"

#define NAME "\"TableName\":\"things\""
#define KEYS "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}]"
#define DEFS "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}]"
#define TWO_DEFS                                                                                             \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"                      \
	"{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"}]"
#define DEMAND "\"BillingMode\":\"PAY_PER_REQUEST\""
#define UNITS  "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6}"

static struct arena arena;
static struct api_error error;
static struct api_table_input input;

static bool create(const char *body)
{
	api_error_init(&error);
	arena_reset(&arena);
	return api_table_input_create(slice_of_string(body), &arena, &input, &error);
}

static bool update(const char *body)
{
	api_error_init(&error);
	arena_reset(&arena);
	return api_table_input_update(slice_of_string(body), &arena, &input, &error);
}

static void create_refused(const char *body, const char *message)
{
	assert_false(create(body));
	assert_int_equal(error.type, API_ERROR_VALIDATION);
	assert_string_equal(error.message, message);
}

static void update_refused(const char *body, const char *message)
{
	assert_false(update(body));
	assert_int_equal(error.type, API_ERROR_VALIDATION);
	assert_string_equal(error.message, message);
}

static int open_arena(void **state)
{
	(void)state;
	arena_init(&arena, 16 * 1024 * 1024);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static void an_on_demand_table_needs_only_keys(void **state)
{
	(void)state;
	assert_true(create("{" NAME "," KEYS "," DEFS "," DEMAND "}"));
	assert_true(input.is_on_demand);
	assert_int_equal(table_schema_partition_key(&input.schema)->type, ITEM_S);
	assert_null(table_schema_sort_key(&input.schema));
}

static void a_provisioned_table_with_a_sort_key_is_read(void **state)
{
	(void)state;
	assert_true(create("{" NAME "," UNITS
			   ",\"DeletionProtectionEnabled\":true,\"TableClass\":\"STANDARD\","
			   "\"StreamSpecification\":{\"StreamEnabled\":false},\"Tags\":[],"
			   "\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},"
			   "{\"AttributeName\":\"b\",\"KeyType\":\"RANGE\"}],"
			   "\"AttributeDefinitions\":[{\"AttributeName\":\"b\",\"AttributeType\":\"N\"},"
			   "{\"AttributeName\":\"a\",\"AttributeType\":\"B\"}]}"));
	assert_int_equal(input.read_units, 5);
	assert_int_equal(input.write_units, 6);
	assert_int_equal(input.deletion_protection, JSON_TRUE);
	assert_int_equal(table_schema_partition_key(&input.schema)->type, ITEM_B);
	assert_string_equal(table_schema_sort_key(&input.schema)->name, "b");
	assert_int_equal(table_schema_sort_key(&input.schema)->type, ITEM_N);
}

static void a_bad_name_is_told_alone(void **state)
{
	(void)state;
	create_refused("{\"BillingMode\":\"hi\"}",
		       "The parameter 'TableName' is required but was not present in the request");
	create_refused("{\"TableName\":\"ab\"}",
		       "TableName must be at least 3 characters long and at most 255 characters long");
	update_refused(
		"{\"TableName\":\"abc;\"}",
		"1 validation error detected: Value 'abc;' at 'tableName' failed to satisfy constraint: "
		"Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
}

static void a_table_may_be_named_by_its_arn(void **state)
{
	struct slice name;

	(void)state;
	api_error_init(&error);
	assert_true(api_table_input_name(
		"DescribeTableInput",
		slice_of_string("{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/things\"}"),
		&arena, &name, &error));
	assert_int_equal(name.size, strlen("arn:aws:dynamodb:us-east-1:000000000000:table/things"));
	assert_false(api_table_input_name(
		"DescribeTableInput",
		slice_of_string("{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:stream/things\"}"),
		&arena, &name, &error));
	assert_string_equal(error.message, "1 validation error detected: Invalid resource type in "
					   "'arn:aws:dynamodb:us-east-1:000000000000:stream/things'");
}

static void all_broken_constraints_are_told_at_once(void **state)
{
	(void)state;
	create_refused(
		"{" NAME ",\"BillingMode\":\"hi\",\"KeySchema\":[{\"KeyType\":\"SORT\"}],"
		"\"ProvisionedThroughput\":{\"ReadCapacityUnits\":0}}",
		"6 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy "
		"constraint: Member must not be null; Value 'hi' at 'billingMode' failed to satisfy "
		"constraint: "
		"Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]; Value null at "
		"'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member must not be "
		"null; Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: "
		"Member must have value greater than or equal to 1; Value null at "
		"'keySchema.1.member.attributeName' failed to satisfy constraint: Member must not be null; "
		"Value 'SORT' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must "
		"satisfy enum value set: [HASH, RANGE]");
}

static void a_list_is_shown_as_the_service_shows_it(void **state)
{
	(void)state;
	create_refused(
		"{" NAME "," DEFS "," DEMAND
		",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
		"{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"},{\"AttributeName\":\"x\",\"KeyType\":"
		"\"RANGE\"}]}",
		"1 validation error detected: Value '[KeySchemaElement(attributeName=pk, keyType=HASH), "
		"KeySchemaElement(attributeName=sk, keyType=RANGE), KeySchemaElement(attributeName=x, "
		"keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length "
		"less than or equal to 2");
}

static void keys_must_fit_their_definitions(void **state)
{
	(void)state;
	create_refused("{" NAME "," DEMAND "," KEYS ",\"AttributeDefinitions\":[]}",
		       "Invalid KeySchema: Some index key attribute have no definition");
	create_refused("{" NAME "," DEMAND "," DEFS
		       ",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"RANGE\"}]}",
		       "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	create_refused(
		"{" NAME "," DEMAND "," KEYS
		",\"AttributeDefinitions\":[{\"AttributeName\":\"x\",\"AttributeType\":\"S\"}]}",
		"One or more parameter values were invalid: Some index key attributes are not defined in "
		"AttributeDefinitions. Keys: [pk], AttributeDefinitions: [x]");
	create_refused("{" NAME "," DEMAND "," TWO_DEFS
		       ",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
		       "{\"AttributeName\":\"sk\",\"KeyType\":\"HASH\"}]}",
		       "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
	create_refused("{" NAME "," DEMAND "," TWO_DEFS
		       ",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
		       "{\"AttributeName\":\"pk\",\"KeyType\":\"RANGE\"}]}",
		       "Both the Hash Key and the Range Key element in the KeySchema have the same name");
	create_refused(
		"{" NAME "," DEMAND "," KEYS
		",\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
		"{\"AttributeName\":\"x\",\"AttributeType\":\"S\"}]}",
		"One or more parameter values were invalid: Number of attributes in KeySchema does not "
		"exactly match number of attributes defined in AttributeDefinitions");
	create_refused(
		"{" NAME "," DEMAND ",\"KeySchema\":[{\"AttributeName\":\"a\\u0000\",\"KeyType\":\"HASH\"}],"
		"\"AttributeDefinitions\":[{\"AttributeName\":\"a\\u0000\",\"AttributeType\":\"S\"}]}",
		"One or more parameter values were invalid: A key attribute's name contains characters that "
		"it may not");
}

static void units_and_billing_mode_must_agree(void **state)
{
	(void)state;
	create_refused("{" NAME "," KEYS "," DEFS "," DEMAND "," UNITS "}",
		       "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
		       "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
	create_refused(
		"{" NAME "," KEYS "," DEFS "}",
		"One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must "
		"both be specified when BillingMode is PROVISIONED");
	create_refused("{" NAME "," KEYS "," DEFS ",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":"
		       "1000000000001,\"WriteCapacityUnits\":1}}",
		       "Given value 1000000000001 for ReadCapacityUnits is out of bounds");
	create_refused("{" NAME "," KEYS "," DEFS ",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":"
		       "1000000000000,\"WriteCapacityUnits\":1000000000001}}",
		       "Given value 1000000000001 for WriteCapacityUnits is out of bounds");
	assert_false(create("{" NAME "," KEYS "," DEFS ",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":"
			    "40001,\"WriteCapacityUnits\":1}}"));
	assert_int_equal(error.type, API_ERROR_LIMIT_EXCEEDED);
}

static void what_is_not_there_yet_is_refused_by_name(void **state)
{
	static const char *const cases[][2] = {
		{ "StreamSpecification", "{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_IMAGE\"}" },
		{ "WarmThroughput", "{}" },
		{ "ResourcePolicy", "\"{}\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char body[512];
		char message[128];

		(void)snprintf(body, sizeof(body), "{" NAME "," KEYS "," DEFS "," DEMAND ",\"%s\":%s}",
			       cases[i][0], cases[i][1]);
		(void)snprintf(message, sizeof(message),
			       "One or more parameter values were invalid: %s is not supported yet",
			       cases[i][0]);
		create_refused(body, message);
	}
	update_refused("{" NAME ",\"ReplicaUpdates\":[]}",
		       "One or more parameter values were invalid: ReplicaUpdates is not supported yet");
}

static void an_update_of_nothing_is_refused(void **state)
{
	(void)state;
	update_refused("{" NAME "}",
		       "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
		       "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required");
}

static void an_update_changes_what_it_names(void **state)
{
	struct table_info table = { .read_units = 1, .write_units = 2 };

	(void)state;
	assert_true(update("{" NAME "," UNITS "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_int_equal(table.read_units, 5);
	assert_true(update("{" NAME "," DEMAND "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_true(table.is_on_demand);
	assert_int_equal(table.read_units, 0);
	assert_true(update("{" NAME ",\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_string_equal(table.table_class, "STANDARD_INFREQUENT_ACCESS");
	assert_true(update("{" NAME ",\"DeletionProtectionEnabled\":true}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_true(table.is_on_demand && table.deletion_protection);
}

static void an_update_must_fit_the_table(void **state)
{
	struct table_info on_demand = { .is_on_demand = true };
	struct table_info provisioned = { .read_units = 5, .write_units = 6 };

	(void)state;
	update_refused(
		"{" NAME ",\"BillingMode\":\"PROVISIONED\"}",
		"One or more parameter values were invalid: ProvisionedThroughput must be specified when "
		"BillingMode is PROVISIONED");
	assert_true(update("{" NAME "," UNITS "}"));
	assert_false(api_table_update_apply(&input, &arena, &on_demand, &error));
	assert_true(update("{" NAME "," UNITS "}"));
	assert_false(api_table_update_apply(&input, &arena, &provisioned, &error));
	assert_non_null(strstr(error.message, "will not change"));
}

static void a_page_of_names_has_bounds(void **state)
{
	struct api_list_input list;

	(void)state;
	api_error_init(&error);
	assert_true(api_table_input_list(slice_of_string("{}"), &arena, &list, &error));
	assert_int_equal(list.limit, 100);
	assert_null(list.start_after.data);
	assert_false(api_table_input_list(slice_of_string("{\"Limit\":101}"), &arena, &list, &error));
	assert_string_equal(error.message,
			    "1 validation error detected: Value '101' at 'limit' failed to satisfy "
			    "constraint: Member must have value less than or equal to 100");
}

static void settings_that_only_change_alone_are_refused_together(void **state)
{
	(void)state;
	update_refused(
		"{" NAME ",\"SSESpecification\":{\"Enabled\":true},\"DeletionProtectionEnabled\":true}",
		"One or more parameter values were invalid: Server-Side Encryption modification must be "
		"the only operation in the request");
	update_refused("{" NAME "," UNITS ",\"TableClass\":\"STANDARD\"}",
		       "One or more parameter values were invalid: TableClass modification must be the only "
		       "operation in the request");
	update_refused(
		"{" NAME "," UNITS ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":1}}",
		"One or more parameter values were invalid: OnDemandThroughput can only be combined with "
		"BillingMode in an UpdateTable request");
}

static void a_maximum_of_an_on_demand_table_comes_and_goes(void **state)
{
	struct table_info table = { .is_on_demand = true };
	struct table_info provisioned = { .read_units = 1, .write_units = 1 };

	(void)state;
	assert_true(create("{" NAME "," KEYS "," DEFS "," DEMAND
			   ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":7}}"));
	assert_int_equal(input.read_maximum.units, 7);
	assert_false(input.write_maximum.is_set);
	create_refused(
		"{" NAME "," KEYS "," DEFS "," UNITS ",\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":7}}",
		"One or more parameter values were invalid: MaxWriteRequestUnits for OnDemandThroughput "
		"cannot be specified when the table BillingMode is PROVISIONED");
	create_refused("{" NAME "," KEYS "," DEFS "," DEMAND
		       ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}}",
		       "One or more parameter values were invalid: Requested MaxReadRequestUnits for "
		       "OnDemandThroughput for table is outside of valid range");
	assert_true(update("{" NAME ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":9}}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_int_equal(table.read_units, 9);
	assert_false(api_table_update_apply(&input, &arena, &provisioned, &error));
	assert_true(update("{" NAME ",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}}"));
	api_error_init(&error);
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_int_equal(table.read_units, 0);
}

static void encryption_names_a_key_or_the_service_s_own(void **state)
{
	struct table_info table = { .is_on_demand = true };

	(void)state;
	create_refused(
		"{" NAME "," KEYS "," DEFS "," DEMAND ",\"SSESpecification\":{\"SSEType\":\"KMS\"}}",
		"One or more parameter values were invalid: SSEType can not be specified if Enabled is "
		"false");
	create_refused("{" NAME "," KEYS "," DEFS "," DEMAND
		       ",\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"AES256\"}}",
		       "One or more parameter values were invalid: SSEType AES256 is not supported");
	create_refused(
		"{" NAME "," KEYS "," DEFS "," DEMAND
		",\"SSESpecification\":{\"Enabled\":true,\"KMSMasterKeyId\":\"k\"}}",
		"One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is "
		"specified");
	assert_true(update("{" NAME ",\"SSESpecification\":{}}"));
	assert_false(api_table_update_apply(&input, &arena, &table, &error));
	assert_non_null(strstr(error.message, "already encrypted by default"));
	assert_true(update("{" NAME ",\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\","
			   "\"KMSMasterKeyId\":\"alias/mine\"}}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_true(table.is_encrypted);
	assert_string_equal(table.kms_key, "alias/mine");
	assert_false(api_table_update_apply(&input, &arena, &table, &error));
	assert_non_null(strstr(error.message, "already encrypted with given"));
	assert_true(update("{" NAME ",\"SSESpecification\":{\"Enabled\":false}}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_false(table.is_encrypted);
	assert_string_equal(table.kms_key, "");
}

static void tags_are_judged_at_the_creation_too(void **state)
{
	(void)state;
	assert_true(
		create("{" NAME "," KEYS "," DEFS "," DEMAND ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"\"}]}"));
	assert_true(input.tags.size > 0);
	create_refused("{" NAME "," KEYS "," DEFS "," DEMAND ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"},"
		       "{\"Key\":\"a\",\"Value\":\"c\"}]}",
		       "Duplicate Tag Keys provided as input: Duplicate Tag Key found a");
	create_refused("{" NAME "," KEYS "," DEFS "," DEMAND
		       ",\"Tags\":[{\"Key\":\"aws:a\",\"Value\":\"\"}]}",
		       "Tag Key cannot be prefixed with aws:, Key: aws:a");
	create_refused("{" NAME "," KEYS "," DEFS "," DEMAND ",\"Tags\":[{\"Key\":\"a\"}]}",
		       "The Tag Value provided is invalid, Value: null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_on_demand_table_needs_only_keys),
		cmocka_unit_test(a_provisioned_table_with_a_sort_key_is_read),
		cmocka_unit_test(a_bad_name_is_told_alone),
		cmocka_unit_test(a_table_may_be_named_by_its_arn),
		cmocka_unit_test(all_broken_constraints_are_told_at_once),
		cmocka_unit_test(keys_must_fit_their_definitions),
		cmocka_unit_test(a_list_is_shown_as_the_service_shows_it),
		cmocka_unit_test(units_and_billing_mode_must_agree),
		cmocka_unit_test(what_is_not_there_yet_is_refused_by_name),
		cmocka_unit_test(an_update_of_nothing_is_refused),
		cmocka_unit_test(an_update_changes_what_it_names),
		cmocka_unit_test(an_update_must_fit_the_table),
		cmocka_unit_test(a_page_of_names_has_bounds),
		cmocka_unit_test(settings_that_only_change_alone_are_refused_together),
		cmocka_unit_test(a_maximum_of_an_on_demand_table_comes_and_goes),
		cmocka_unit_test(encryption_names_a_key_or_the_service_s_own),
		cmocka_unit_test(tags_are_judged_at_the_creation_too),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
