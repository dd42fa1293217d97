#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "coordinator/api/api_table_update.h"

#define INVALID "One or more parameter values were invalid: "
#define NAME    "\"TableName\":\"things\""
#define DEMAND  "\"BillingMode\":\"PAY_PER_REQUEST\""
#define UNITS   "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6}"
#define DEFS                                                                                                 \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"                      \
	"{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"},{\"AttributeName\":\"x\",\"AttributeType\":"     \
	"\"B\"}]"
#define KEY(name, role)   "{\"AttributeName\":\"" name "\",\"KeyType\":\"" role "\"}"
#define KEYS(list)        "\"KeySchema\":[" list "]"
#define PK_SK             KEYS(KEY("pk", "HASH") "," KEY("sk", "RANGE"))
#define PK_X              KEYS(KEY("pk", "HASH") "," KEY("x", "RANGE"))
#define X                 KEYS(KEY("x", "HASH"))
#define ALL               "\"Projection\":{\"ProjectionType\":\"ALL\"}"
#define INDEX(name, rest) "{\"IndexName\":\"" name "\"," rest "}"
#define LOCAL(list)       "\"LocalSecondaryIndexes\":[" list "]"
#define GLOBAL(list)      "\"GlobalSecondaryIndexes\":[" list "]"
#define UPDATES(list)     "\"GlobalSecondaryIndexUpdates\":[" list "]"
#define TABLE             NAME "," DEFS "," PK_SK ","

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

static void local_and_global_indexes_are_read(void **state)
{
	const struct table_index *index;

	(void)state;
	assert_true(create("{" TABLE UNITS "," LOCAL(INDEX("near", PK_X "," ALL)) "," GLOBAL(
		INDEX("far", X "," UNITS ",\"Projection\":{\"ProjectionType\":\"INCLUDE\","
			       "\"NonKeyAttributes\":[\"a\",\"b\"]}")) "}"));
	assert_int_equal(input.indexes->count, 2);
	index = &input.indexes->list[0];
	assert_string_equal(index->name, "near");
	assert_int_equal(index->local_number, 1);
	assert_int_equal(index->projection, INDEX_PROJECTS_ALL);
	assert_int_equal(table_schema_sort_key(&index->schema)->type, ITEM_B);
	index = &input.indexes->list[1];
	assert_int_equal(index->local_number, 0);
	assert_int_equal(index->projection, INDEX_PROJECTS_SOME);
	assert_int_equal(index->attribute_count, 2);
	assert_int_equal(index->read_units, 5);
	assert_int_equal(index->schema.sort_count, 0);
}

static void key_schemas_of_indexes_keep_the_rules(void **state)
{
	(void)state;
	create_refused("{" TABLE DEMAND "," LOCAL("") "}", INVALID "List of LocalSecondaryIndexes is empty");
	create_refused("{" TABLE DEMAND "," GLOBAL("") "}",
		       INVALID "List of GlobalSecondaryIndexes is empty");
	create_refused("{" NAME "," DEFS
		       "," KEYS(KEY("pk", "HASH")) "," DEMAND "," LOCAL(INDEX("near", PK_X "," ALL)) "}",
		       INVALID
		       "Table KeySchema does not have a range key, which is required when specifying a "
		       "LocalSecondaryIndex");
	create_refused("{" TABLE DEMAND "," LOCAL(INDEX("near", KEYS(KEY("pk", "HASH")) "," ALL)) "}",
		       INVALID "Index KeySchema does not have a range key for index: near");
	create_refused("{" TABLE DEMAND
		       "," LOCAL(INDEX("near", KEYS(KEY("x", "HASH") "," KEY("sk", "RANGE")) "," ALL)) "}",
		       INVALID
		       "Index KeySchema does not have the same leading hash key as table KeySchema for "
		       "index: near. index hash key: x, table hash key: pk");
	create_refused("{" TABLE DEMAND "," GLOBAL(INDEX("far", KEYS(KEY("y", "HASH")) "," ALL)) "}", INVALID
		       "Some index key attributes are not defined in AttributeDefinitions. Keys: [y], "
		       "AttributeDefinitions: [pk, sk, x]");
	create_refused("{" TABLE DEMAND "," GLOBAL(INDEX("far", KEYS(KEY("pk", "HASH")) "," ALL)) "}", INVALID
		       "Some AttributeDefinitions are not used. AttributeDefinitions: [pk, sk, x], keys "
		       "used: [pk, sk]");
	create_refused("{" TABLE DEMAND "," GLOBAL(INDEX("far", X "," ALL) "," INDEX("far", X "," ALL)) "}",
		       INVALID "Duplicate index name: far");
}

/* --- keys of several attributes --- */

/* A table with a global index whose keys are roles and names, "Ha Rb"; all that is defined in it. */
static const char *tuple_body(struct buf *out, const char *keys, const char *definitions)
{
	buf_reset(out);
	buf_append_string(out,
			  "{" NAME "," DEMAND
			  "," KEYS(KEY("pk", "HASH")) ",\"AttributeDefinitions\":["
						      "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}");
	for (const char *at = definitions; *at != '\0'; at++)
		buf_append_format(out, ",{\"AttributeName\":\"%c\",\"AttributeType\":\"%s\"}", *at,
				  *at < 'n' ? "S" : "N");
	buf_append_string(out,
			  "],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"far\"," ALL ",\"KeySchema\":[");
	for (const char *at = keys; *at != '\0'; at += 2 + (at[2] == ' '))
		buf_append_format(out, "%s{\"AttributeName\":\"%c\",\"KeyType\":\"%s\"}",
				  at == keys ? "" : ",", at[1], at[0] == 'H' ? "HASH" : "RANGE");
	buf_append_string(out, "]}]}");
	buf_put_u8(out, 0);
	assert_int_equal(out->status, ST_OK);
	return (const char *)out->data;
}

static void a_global_index_has_up_to_four_attributes_of_each_kind(void **state)
{
	static const struct {
		const char *keys;
		const char *definitions;
		uint32_t partition_count;
		uint32_t sort_count;
	} cases[] = {
		{ "Ha Hb", "ab", 2, 0 },
		{ "Ha Rb Rp", "abp", 1, 2 },
		{ "Ha Hb Rc", "abc", 2, 1 },
		{ "Hp Hb Hc Hq Re Rs Rt Ru", "bcepqstu", 4, 4 },
	};
	struct buf body;

	(void)state;
	buf_init(&body, 65536);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct table_schema *schema;

		assert_true(create(tuple_body(&body, cases[i].keys, cases[i].definitions)));
		schema = &input.indexes->list[0].schema;
		assert_int_equal(schema->partition_count, cases[i].partition_count);
		assert_int_equal(schema->sort_count, cases[i].sort_count);
		for (uint32_t k = 0; k < table_schema_key_count(schema); k++) {
			assert_int_equal(schema->attributes[k].name[0], cases[i].keys[3 * k + 1]);
			assert_int_equal(schema->attributes[k].type,
					 schema->attributes[k].name[0] < 'n' ? ITEM_S : ITEM_N);
		}
	}
	buf_close(&body);
}

static void keys_of_several_attributes_keep_the_rules(void **state)
{
	static const struct {
		const char *keys;
		const char *definitions;
		const char *message;
	} cases[] = {
		{ "Ha Hb Hc Hd He", "abcde",
		  INVALID "The KeySchema exceeds the maximum allowed number of HASH key attributes" },
		{ "Ha Rb Rc Rd Re Rf", "abcdef",
		  INVALID "The KeySchema exceeds the maximum allowed number of RANGE key attributes" },
		{ "Ha Rb Hc", "abc",
		  INVALID "All HASH key attributes must precede RANGE key attributes in the KeySchema" },
		{ "Ha Hb Rc Hd", "abcd",
		  INVALID "All HASH key attributes must precede RANGE key attributes in the KeySchema" },
		{ "Ra Hb", "ab", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type" },
		{ "Ra Rb", "ab", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type" },
		{ "Ha Ha", "a", "The KeySchema contains multiple key attributes with the same name" },
		{ "Ha Hb Ra", "ab", "The KeySchema contains multiple key attributes with the same name" },
		{ "Ha Ra", "a",
		  "Both the Hash Key and the Range Key element in the KeySchema have the same name" },
		{ "Ha Hb Rc", "ac",
		  INVALID
		  "Some index key attributes are not defined in AttributeDefinitions. Keys: [a, b, c], "
		  "AttributeDefinitions: [pk, a, c]" },
		{ "Ha Hb Rc", "abcd",
		  INVALID "Some AttributeDefinitions are not used. AttributeDefinitions: [pk, a, b, c, d], "
			  "keys used: "
			  "[pk, a, b, c]" },
	};
	struct buf body;

	(void)state;
	buf_init(&body, 65536);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		create_refused(tuple_body(&body, cases[i].keys, cases[i].definitions), cases[i].message);
	buf_close(&body);
}

static void only_a_global_index_has_more_than_two_key_attributes(void **state)
{
	(void)state;
	assert_false(create("{" NAME "," DEFS "," DEMAND
			    "," KEYS(KEY("pk", "HASH") "," KEY("sk", "RANGE") "," KEY("x", "RANGE")) "}"));
	assert_non_null(strstr(error.message, "at 'keySchema' failed to satisfy constraint: Member must have "
					      "length less than or equal to 2"));
	assert_false(create("{" TABLE DEMAND "," LOCAL(INDEX(
		"near", KEYS(KEY("pk", "HASH") "," KEY("x", "RANGE") "," KEY("sk", "RANGE")) "," ALL)) "}"));
	assert_non_null(strstr(error.message,
			       "at 'localSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: "
			       "Member must have length less than or equal to 2"));
	create_refused("{" NAME "," DEFS "," DEMAND "," KEYS(KEY("pk", "HASH") "," KEY("sk", "HASH")) "}",
		       "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
}

/* Far more elements than there can be are refused at once. */
static void a_long_list_of_keys_costs_no_more_than_its_reading(void **state)
{
	enum { ELEMENTS = 60000 };
	struct buf body;

	(void)state;
	buf_init(&body, 8 * 1024 * 1024);
	buf_append_string(&body,
			  "{" NAME "," DEMAND "," KEYS(KEY("pk", "HASH")) ",\"AttributeDefinitions\":[");
	for (int i = 0; i < ELEMENTS; i++)
		buf_append_format(&body, "%s{\"AttributeName\":\"a%d\",\"AttributeType\":\"S\"}",
				  i == 0 ? "" : ",", i);
	buf_append_string(&body,
			  "],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"far\"," ALL ",\"KeySchema\":[");
	for (int i = 0; i < ELEMENTS; i++)
		buf_append_format(&body, "%s{\"AttributeName\":\"b%d\",\"KeyType\":\"HASH\"}",
				  i == 0 ? "" : ",", i);
	buf_append_string(&body, "]}]}");
	buf_put_u8(&body, 0);
	assert_int_equal(body.status, ST_OK);
	assert_false(create((const char *)body.data));
	assert_int_equal(error.type, API_ERROR_VALIDATION);
	buf_close(&body);
}

static void projections_keep_the_rules(void **state)
{
	(void)state;
	create_refused("{" TABLE DEMAND "," GLOBAL(INDEX("far", X ",\"Projection\":{}")) "}",
		       INVALID "Unknown ProjectionType: null");
	create_refused("{" TABLE DEMAND
		       "," GLOBAL(INDEX("far", X ",\"Projection\":{\"ProjectionType\":\"INCLUDE\"}")) "}",
		       INVALID "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
	create_refused("{" TABLE DEMAND
		       "," GLOBAL(INDEX("far", X ",\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\","
						 "\"NonKeyAttributes\":[\"a\"]}")) "}",
		       INVALID "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified");
	create_refused("{" TABLE DEMAND
		       "," GLOBAL(INDEX("far", X ",\"Projection\":{\"ProjectionType\":\"INCLUDE\","
						 "\"NonKeyAttributes\":[\"a\",\"a\"]}")) "}",
		       INVALID "Duplicate element in NonKeyAttributes: a");
}

static void units_of_indexes_follow_the_table_s(void **state)
{
	(void)state;
	create_refused("{" TABLE DEMAND "," GLOBAL(INDEX("far", X "," ALL "," UNITS)) "}", INVALID
		       "ProvisionedThroughput should not be specified for index: far when BillingMode "
		       "is PAY_PER_REQUEST");
	create_refused("{" TABLE UNITS "," GLOBAL(INDEX("far", X "," ALL)) "}",
		       INVALID "ProvisionedThroughput is not specified for index: far");
	create_refused(
		"{" TABLE UNITS "," GLOBAL(INDEX(
			"far", X "," ALL ",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1000000000001,"
				 "\"WriteCapacityUnits\":1}")) "}",
		"Given value 1000000000001 for ReadCapacityUnits is out of bounds for index far");
}

/* Count indexes of one kind; each projects name_count names. */
static void print_indexes(struct buf *out, const char *list, const char *keys, int count, int name_count)
{
	buf_reset(out);
	buf_append_format(out, "{" TABLE DEMAND ",\"%s\":[", list);
	for (int i = 0; i < count; i++) {
		buf_append_format(out,
				  "%s{\"IndexName\":\"i%02d\",%s,\"Projection\":{\"ProjectionType\":\"%s\"",
				  i == 0 ? "" : ",", i, keys, name_count == 0 ? "ALL" : "INCLUDE");
		for (int k = 0; k < name_count; k++)
			buf_append_format(out, "%s\"n%d\"", k == 0 ? ",\"NonKeyAttributes\":[" : ",", k);
		buf_append_string(out, name_count == 0 ? "}}" : "]}}");
	}
	buf_append_string(out, "]}");
	buf_put_u8(out, 0);
}

static void there_are_so_many_indexes_and_names_and_no_more(void **state)
{
	struct buf body;

	(void)state;
	buf_init(&body, 65536);
	print_indexes(&body, "LocalSecondaryIndexes", PK_X, 5, 0);
	assert_true(create((const char *)body.data));
	print_indexes(&body, "LocalSecondaryIndexes", PK_X, 6, 0);
	create_refused((const char *)body.data,
		       INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of 5");
	print_indexes(&body, "GlobalSecondaryIndexes", X, 20, 0);
	assert_true(create((const char *)body.data));
	print_indexes(&body, "GlobalSecondaryIndexes", X, 30, 0);
	create_refused((const char *)body.data,
		       INVALID "GlobalSecondaryIndex count exceeds the per-table limit of 20");
	print_indexes(&body, "GlobalSecondaryIndexes", X, 5, 20);
	assert_true(create((const char *)body.data));
	print_indexes(&body, "GlobalSecondaryIndexes", X, 6, 17);
	create_refused((const char *)body.data, INVALID
		       "Number of NonKeyAttributes in all indexes exceeds the per-table limit of 100");
	print_indexes(&body, "GlobalSecondaryIndexes", X, 1, 21);
	assert_false(create((const char *)body.data));
	assert_non_null(strstr(error.message, "globalSecondaryIndexes.1.member.projection.nonKeyAttributes"));
	buf_close(&body);
}

/* --- updates --- */

static struct table_info make_table(const char *body)
{
	struct table_info table = { .name = "things" };

	assert_true(create(body));
	table.schema = input.schema;
	table.indexes = input.indexes;
	table.is_on_demand = input.is_on_demand;
	table.read_units = input.read_units;
	table.write_units = input.write_units;
	return table;
}

static void apply_refused(struct table_info *table, const char *body, enum api_error_type type,
			  const char *message)
{
	struct table_info copy = *table;

	assert_true(update(body));
	assert_false(api_table_update_apply(&input, &arena, &copy, &error));
	assert_int_equal(error.type, type);
	assert_string_equal(error.message, message);
}

static void an_update_is_one_action_on_one_index(void **state)
{
	(void)state;
	update_refused("{" NAME "," UPDATES("{}") "}",
		       INVALID "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
			       "GlobalSecondaryIndexUpdate.Delete must not be null");
	update_refused("{" NAME "," UPDATES("{\"Delete\":{\"IndexName\":\"far\"},\"Update\":{\"IndexName\":"
					    "\"far\"," UNITS "}}") "}",
		       INVALID "Only one global secondary index action is allowed per "
			       "GlobalSecondaryIndexUpdate object");
	update_refused("{" NAME "," UPDATES("{\"Delete\":{\"IndexName\":\"far\"}},{\"Delete\":{\"IndexName\":"
					    "\"far\"}}") "}",
		       INVALID "Only one global secondary index update per index is allowed simultaneously. "
			       "Index: far");
	update_refused("{" NAME "," UPDATES("{\"Create\":{\"IndexName\":\"new\"," X "," ALL "}}") "}",
		       INVALID "AttributeDefinitions is not specified for index: new");
}

static void an_index_is_made_or_deleted_one_at_a_time(void **state)
{
	struct table_info table = make_table("{" TABLE DEMAND "," LOCAL(
		INDEX("near", PK_X "," ALL)) "," GLOBAL(INDEX("far", X "," ALL)) "}");

	(void)state;
	assert_true(update("{" NAME "," DEFS
			   "," UPDATES("{\"Create\":{\"IndexName\":\"new\"," X "," ALL "}}") "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_int_equal(input.index_updates.create_count, 1);
	assert_string_equal(input.index_updates.create->name, "new");
	assert_true(update("{" NAME "," UPDATES("{\"Delete\":{\"IndexName\":\"far\"}}") "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	apply_refused(&table, "{" NAME "," UPDATES("{\"Delete\":{\"IndexName\":\"near\"}}") "}",
		      API_ERROR_VALIDATION,
		      "Cannot delete an index that is not a GlobalSecondaryIndex: near");
	apply_refused(&table, "{" NAME "," UPDATES("{\"Delete\":{\"IndexName\":\"none\"}}") "}",
		      API_ERROR_RESOURCE_NOT_FOUND, "Requested resource not found");
	apply_refused(&table,
		      "{" NAME "," DEFS
		      "," UPDATES("{\"Create\":{\"IndexName\":\"near\"," X "," ALL "}}") "}",
		      API_ERROR_VALIDATION, "Attempting to create an index which already exists");
	apply_refused(
		&table,
		"{" NAME "," UPDATES("{\"Delete\":{\"IndexName\":\"far\"}},{\"Delete\":{"
				     "\"IndexName\":\"fan\"}}") "}",
		API_ERROR_LIMIT_EXCEEDED,
		"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously "
		"per table");
	apply_refused(
		&table,
		"{" NAME
		",\"AttributeDefinitions\":[{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"}]," UPDATES(
			"{\"Create\":{\"IndexName\":\"new\"," KEYS(KEY("sk", "HASH")) "," ALL "}}") "}",
		API_ERROR_VALIDATION,
		INVALID "Attributes cannot be redefined. Please check that your attribute has the same "
			"type as previously defined. Attribute: sk");
	apply_refused(&table, "{" NAME "," UPDATES("{\"Update\":{\"IndexName\":\"far\"," UNITS "}}") "}",
		      API_ERROR_VALIDATION,
		      INVALID
		      "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: far "
		      "when BillingMode is PAY_PER_REQUEST");
	apply_refused(&table, "{" NAME ",\"BillingMode\":\"PROVISIONED\"," UNITS "}", API_ERROR_VALIDATION,
		      INVALID "ProvisionedThroughput must be specified for index: far");
	assert_true(update("{" NAME ",\"BillingMode\":\"PROVISIONED\"," UNITS
			   "," UPDATES("{\"Update\":{\"IndexName\":\"far\"," UNITS "}}") "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_int_equal(table.indexes->list[1].read_units, 5);
}

static void an_index_of_several_attributes_is_made_online(void **state)
{
	struct table_info table = make_table("{" TABLE DEMAND "," GLOBAL(INDEX("far", X "," ALL)) "}");
	const struct table_schema *schema;

	(void)state;
	assert_true(update("{" NAME
			   ",\"AttributeDefinitions\":[{\"AttributeName\":\"x\",\"AttributeType\":\"B\"},"
			   "{\"AttributeName\":\"y\",\"AttributeType\":\"N\"}]," UPDATES(
				   "{\"Create\":{\"IndexName\":\"new\"," KEYS(
					   KEY("x", "HASH") "," KEY("y", "HASH")) "," ALL "}}") "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	schema = &input.index_updates.create->schema;
	assert_int_equal(schema->partition_count, 2);
	assert_string_equal(schema->attributes[1].name, "y");
	/* Each of them has the type that it has elsewhere. */
	apply_refused(&table,
		      "{" NAME ",\"AttributeDefinitions\":[{\"AttributeName\":\"y\",\"AttributeType\":\"B\"},"
		      "{\"AttributeName\":\"sk\",\"AttributeType\":\"S\"}]," UPDATES(
			      "{\"Create\":{\"IndexName\":\"new\"," KEYS(
				      KEY("y", "HASH") "," KEY("sk", "HASH")) "," ALL "}}") "}",
		      API_ERROR_VALIDATION,
		      INVALID "Attributes cannot be redefined. Please check that your attribute has the same "
			      "type as previously defined. Attribute: sk");
	update_refused("{" NAME "," DEFS "," UPDATES("{\"Create\":{\"IndexName\":\"new\"," KEYS(KEY(
			       "x", "HASH") "," KEY("sk", "RANGE") "," KEY("pk", "HASH")) "," ALL "}}") "}",
		       INVALID "All HASH key attributes must precede RANGE key attributes in the KeySchema");
}

static void units_of_an_index_change(void **state)
{
	struct table_info table = make_table("{" TABLE UNITS
					     "," GLOBAL(INDEX("far", X "," ALL "," UNITS)) "}");

	(void)state;
	apply_refused(
		&table, "{" NAME "," UPDATES("{\"Update\":{\"IndexName\":\"far\"," UNITS "}}") "}",
		API_ERROR_VALIDATION,
		"The provisioned throughput for the index far will not change. The requested value equals "
		"the current value. Current ReadCapacityUnits provisioned for the index: 5. Requested "
		"ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the index: 6. Requested "
		"WriteCapacityUnits: 6. Refer to the Amazon DynamoDB Developer Guide for current limits "
		"and how to request higher limits.");
	apply_refused(&table,
		      "{" NAME
		      "," UPDATES("{\"Update\":{\"IndexName\":\"far\",\"ProvisionedThroughput\":"
				  "{\"ReadCapacityUnits\":1000000000001,\"WriteCapacityUnits\":1}}}") "}",
		      API_ERROR_VALIDATION,
		      "This operation cannot be performed with given input values. Please contact DynamoDB "
		      "service team for more info: Action Blocked: IndexUpdate");
	assert_true(update("{" NAME "," DEMAND "}"));
	assert_true(api_table_update_apply(&input, &arena, &table, &error));
	assert_int_equal(table.indexes->list[0].read_units, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_and_global_indexes_are_read),
		cmocka_unit_test(key_schemas_of_indexes_keep_the_rules),
		cmocka_unit_test(a_global_index_has_up_to_four_attributes_of_each_kind),
		cmocka_unit_test(keys_of_several_attributes_keep_the_rules),
		cmocka_unit_test(only_a_global_index_has_more_than_two_key_attributes),
		cmocka_unit_test(a_long_list_of_keys_costs_no_more_than_its_reading),
		cmocka_unit_test(projections_keep_the_rules),
		cmocka_unit_test(units_of_indexes_follow_the_table_s),
		cmocka_unit_test(there_are_so_many_indexes_and_names_and_no_more),
		cmocka_unit_test(an_update_is_one_action_on_one_index),
		cmocka_unit_test(an_index_is_made_or_deleted_one_at_a_time),
		cmocka_unit_test(an_index_of_several_attributes_is_made_online),
		cmocka_unit_test(units_of_an_index_change),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
