/* Request bodies of every operation, built from the API's own words so that they get past the
 * JSON: what is accepted keeps the limits, what is refused is told in valid JSON.
 *
 * Byte 0 names the operation and whether the rest is a body as it stands or a recipe: pairs of
 * bytes that choose a member and a value for it. */
#include "coordinator/api/api_arn.h"
#include "coordinator/api/api_batch_input.h"
#include "coordinator/api/api_batch_write_input.h"
#include "coordinator/api/api_item_input.h"
#include "coordinator/api/api_item_write_input.h"
#include "coordinator/api/api_query_range.h"
#include "coordinator/api/api_start_key.h"
#include "coordinator/api/api_table_update.h"
#include "coordinator/api/api_table_write.h"
#include "coordinator/api/api_tag_input.h"
#include "proto/model/item_check.h"
#include "proto/model/row_key.h"
#include "storage/expr/eval_check.h"
#include "tests/unit/index_fixture.h"

enum { ARENA_SIZE = 64 * 1024 * 1024, BODY_SIZE_MAX = 1024 * 1024, MEMBERS_MAX = 12, RAW_SIZE_MAX = 16 };

enum operation {
	GET,
	PUT,
	DELETE,
	CREATE,
	UPDATE,
	DESCRIBE,
	LIST,
	QUERY,
	SCAN,
	BATCH_GET,
	UPDATE_ITEM,
	BATCH_WRITE,
	TAG,
	UNTAG,
	OPERATION_COUNT
};

static const char *const members[] = {
	"TableName",
	"Item",
	"Key",
	"ConsistentRead",
	"ReturnValues",
	"ReturnConsumedCapacity",
	"ReturnItemCollectionMetrics",
	"ConditionExpression",
	"Expected",
	"ProjectionExpression",
	"AttributesToGet",
	"ExpressionAttributeNames",
	"ExpressionAttributeValues",
	"AttributeDefinitions",
	"KeySchema",
	"BillingMode",
	"ProvisionedThroughput",
	"DeletionProtectionEnabled",
	"TableClass",
	"StreamSpecification",
	"GlobalSecondaryIndexes",
	"Tags",
	"Limit",
	"ExclusiveStartTableName",
	"RequestItems",
	"KeyConditionExpression",
	"FilterExpression",
	"KeyConditions",
	"QueryFilter",
	"ScanFilter",
	"ConditionalOperator",
	"Select",
	"ExclusiveStartKey",
	"ScanIndexForward",
	"Segment",
	"TotalSegments",
	"IndexName",
	"UpdateExpression",
	"AttributeUpdates",
	"ReturnValuesOnConditionCheckFailure",
	"LocalSecondaryIndexes",
	"GlobalSecondaryIndexUpdates",
	"SSESpecification",
	"OnDemandThroughput",
	"ResourceArn",
	"TagKeys",
};

static const char *const values[] = {
	"\"things\"",
	"\"ab\"",
	"\"\"",
	"null",
	"true",
	"false",
	"0",
	"-1",
	"100",
	"1e400",
	"9223372036854775808",
	"[]",
	"{}",
	"\"ALL_OLD\"",
	"\"NONE\"",
	"\"TOTAL\"",
	"\"INDEXES\"",
	"\"PAY_PER_REQUEST\"",
	"\"PROVISIONED\"",
	"\"STANDARD\"",
	"{\"pk\":{\"S\":\"a\"}}",
	"{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}}",
	"{\"pk\":{\"N\":\"1e125\"},\"v\":{\"L\":[{\"M\":{}},{\"NULL\":true},{\"B\":\"YQ==\"}]}}",
	"{\"pk\":{\"S\":\"\"},\"s\":{\"SS\":[\"a\",\"a\"]}}",
	"[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}]",
	"[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},{\"AttributeName\":\"sk\"}]",
	("[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
	 "{\"AttributeName\":\"sk\",\"AttributeType\":\"N\"}]"),
	"[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}]",
	"[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}]",
	"{\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6}",
	"{\"ReadCapacityUnits\":0}",
	"{\"StreamEnabled\":true}",
	"[null,{},[]]",
	"\"pk = :p\"",
	"\"pk = :p AND begins_with(sk, :s)\"",
	"\"pk = :p AND sk BETWEEN :a AND :b\"",
	"\"#a.b[1] IN (:a, :b) OR NOT attribute_exists(c)\"",
	"\"a, #b.c[3]\"",
	"{\":p\":{\"S\":\"a\"},\":s\":{\"S\":\"b\"}}",
	"{\":p\":{\"S\":\"a\"},\":a\":{\"N\":\"1\"},\":b\":{\"N\":\"2\"}}",
	"{\"#a\":\"a\",\"#b\":\"b\"}",
	"{\"pk\":{\"ComparisonOperator\":\"EQ\",\"AttributeValueList\":[{\"S\":\"a\"}]}}",
	("{\"pk\":{\"ComparisonOperator\":\"EQ\",\"AttributeValueList\":[{\"S\":\"a\"}]},"
	 "\"sk\":{\"ComparisonOperator\":\"NULL\"}}"),
	"{\"things\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}],\"ProjectionExpression\":\"a\"}}",
	"{\"things\":{\"Keys\":[]},\"\":{\"AttributesToGet\":[\"a\"]}}",
	"\"COUNT\"",
	"\"SPECIFIC_ATTRIBUTES\"",
	"\"OR\"",
	"\"SET a = :a, #b.c[1] = list_append(if_not_exists(d, :a), :b) REMOVE e ADD n :n\"",
	"\"DELETE s :s\"",
	("{\"things\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"a\"}}}},"
	 "{\"DeleteRequest\":{\"Key\":{\"pk\":{\"N\":\"1\"}}}}]}"),
	"{\"things\":[{\"PutRequest\":{}},{}],\"\":[]}",
	"\"a < :a AND attribute_not_exists(#b)\"",
	"{\":a\":{\"L\":[]},\":b\":{\"L\":[{\"S\":\"x\"}]},\":n\":{\"N\":\"1\"}}",
	"{\"a\":{\"Exists\":false},\"b\":{\"Value\":{\"N\":\"1\"}}}",
	("[{\"IndexName\":\"abc\",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},"
	 "{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}]"),
	("[{\"IndexName\":\"abd\",\"KeySchema\":[{\"AttributeName\":\"sk\",\"KeyType\":\"HASH\"}],"
	 "\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"a\",\"b\"]}}]"),
	("[{\"Create\":{\"IndexName\":\"abe\",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}]"
	 ","
	 "\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}}]"),
	"[{\"Delete\":{\"IndexName\":\"abc\"}}]",
	"[{\"Key\":\"a\",\"Value\":\"\"},{\"Key\":\"b\",\"Value\":\"1\"}]",
	"[\"a\",\"b\"]",
	"\"arn:aws:dynamodb:us-east-1:000000000000:table/things\"",
	"\"arn:aws:dynamodb:us-east-1:000000000000:table/things/index/abc\"",
	"{\"MaxReadRequestUnits\":1}",
	"{\"Enabled\":true,\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"k\"}",
	"{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"b\"},\"v\":{\"S\":\"c\"}}",
	"{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"b\"}}",
	"\"v = :p AND pk = :s\"",
	"{\"a\":{\"Action\":\"ADD\",\"Value\":{\"N\":\"1\"}},\"b\":{\"Action\":\"DELETE\"}}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append_value(struct buf *body, struct reader *recipe)
{
	uint8_t choice = reader_u8(recipe);

	if (choice < ARRAY_COUNT(values))
		buf_append_string(body, values[choice]);
	else
		buf_append_slice(body, reader_bytes(recipe, choice % RAW_SIZE_MAX < recipe->size
								    ? choice % RAW_SIZE_MAX
								    : recipe->size));
}

static void build_body(struct buf *body, struct slice bytes)
{
	struct reader recipe;

	reader_init(&recipe, bytes);
	buf_append_string(body, "{");
	for (int i = 0; i < MEMBERS_MAX && recipe.size > 1; i++) {
		uint8_t choice = reader_u8(&recipe);

		buf_append_format(body, "%s\"%s\":", i == 0 ? "" : ",",
				  members[choice % ARRAY_COUNT(members)]);
		append_value(body, &recipe);
	}
	buf_append_string(body, "}");
}

static void check_item(enum item_op_kind kind, struct slice table_name, struct slice item)
{
	struct row_key_error error = { .fault = ROW_KEY_OK };
	struct table_schema schema;
	enum status status;
	struct buf row_key;

	CHECK(table_schema_name_is_valid(table_name) || api_arn_names_table(table_name));
	CHECK(item_check(item) == ST_OK);
	CHECK(kind != ITEM_OP_PUT || item_size_bytes(item) <= LIMIT_ITEM_SIZE_BYTES);
	CHECK(table_schema_init(&schema, slice_of_string("pk"), slice_of_string("S")) == ST_OK);
	buf_init(&row_key, LIMIT_ROW_KEY_SIZE_BYTES);
	status = kind == ITEM_OP_PUT ? row_key_from_item(&row_key, 1, 2, &schema, item, &error)
				     : row_key_from_key(&row_key, 1, 2, &schema, item, &error);
	CHECK(status == ST_OK || (status == ST_INVALID && error.fault != ROW_KEY_OK));
	buf_close(&row_key);
}

/* What is made of a new table is a record that the catalog takes, and can be described. */
static void check_created(const struct api_table_input *input, struct arena *arena)
{
	struct table_info table = { .name = "things",
				    .schema = input->schema,
				    .indexes = input->indexes,
				    .tags = input->tags,
				    .is_on_demand = input->is_on_demand };
	Cleave__TableRecord *record = table_info_encode(&table, arena);
	struct table_info decoded;
	struct json_writer writer;
	struct buf out;

	CHECK(record != NULL && table_info_decode(record, arena, &decoded) == ST_OK);
	buf_init(&out, 1024 * 1024);
	json_writer_init(&writer, &out);
	json_writer_object_start(&writer);
	api_table_write(&writer, "Table", &decoded, NULL, "us-east-1");
	json_writer_object_end(&writer);
	CHECK(out.status == ST_OK && item_check_utf8(buf_slice(&out)));
	buf_close(&out);
}

static void check_updated(const struct api_table_input *input, struct arena *arena)
{
	struct table_info table = { .name = "things" };
	struct api_error error;

	CHECK(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")) == ST_OK);
	api_error_init(&error);
	CHECK(api_table_update_apply(input, arena, &table, &error) == (error.type == API_OK));
	CHECK(input->index_updates.create_count == 0 || input->index_updates.create != NULL);
}

static void check_table(enum operation operation, const struct api_table_input *input, struct arena *arena)
{
	CHECK(table_schema_name_is_valid(input->name) || api_arn_names_table(input->name));
	CHECK(input->read_units <= LIMIT_TABLE_CAPACITY_UNITS &&
	      input->write_units <= LIMIT_TABLE_CAPACITY_UNITS);
	if (operation == CREATE)
		check_created(input, arena);
	else
		check_updated(input, arena);
}

struct nothing {
	uint64_t nothing;
};

/* The answer is JSON, whatever was quoted in it. */
static void check_error(const struct api_error *error, struct arena *arena)
{
	static const struct json_type type = {
		.kind = JSON_KIND_STRUCT,
		.size_bytes = sizeof(struct nothing),
		.java_name = "Nothing",
	};
	struct json_error json;
	struct nothing nothing;
	struct buf out;

	CHECK(error->type != API_OK);
	buf_init(&out, 64 * 1024);
	api_error_write(error, &out);
	CHECK(out.status == ST_OK);
	CHECK(json_read(&type, &nothing, buf_slice(&out), arena, &json) == ST_OK);
	buf_close(&out);
}

static bool try_gets(struct slice body, struct arena *arena, struct api_error *error)
{
	struct api_item_input input;

	if (!api_item_input_read(body, arena, &input, error))
		return false;
	check_item(ITEM_OP_GET, input.table_name, input.key);
	return true;
}

/* Programs that are sent to a node are sound and leave the key alone. */
static void check_programs(const struct api_write_programs *programs, struct api_error *error)
{
	struct table_schema schema;

	CHECK(table_schema_init(&schema, slice_of_string("pk"), slice_of_string("S")) == ST_OK);
	CHECK(programs->condition == NULL || eval_check_condition(programs->condition) == ST_OK);
	CHECK(programs->update == NULL || eval_check_update(programs->update) == ST_OK);
	CHECK(api_write_expression_check_schema(programs, &schema, NULL, error) == (error->type == API_OK));
}

static bool try_writes(enum item_op_kind kind, struct slice body, struct arena *arena,
		       struct api_error *error)
{
	struct api_item_write_input input;

	if (!api_item_write_input_read(kind, body, arena, &input, error))
		return false;
	check_item(kind, input.table_name, input.item);
	CHECK((kind == ITEM_OP_UPDATE) == (input.programs.update != NULL));
	check_programs(&input.programs, error);
	return error->type == API_OK;
}

static bool try_tables(enum operation operation, struct slice body, struct arena *arena,
		       struct api_error *error)
{
	struct api_table_input input;
	bool is_good = operation == CREATE ? api_table_input_create(body, arena, &input, error)
					   : api_table_input_update(body, arena, &input, error);

	if (is_good)
		check_table(operation, &input, arena);
	return is_good;
}

/* The row where a page would end gives the start key that leads there. */
static void check_start_key(const struct api_query_target *target, struct slice key, struct arena *arena)
{
	struct api_error error;
	struct slice row_key;
	struct slice again;
	struct buf back;

	api_error_init(&error);
	if (key.data == NULL || !api_start_key_check_count(target, API_SCAN, key, &error) ||
	    !api_start_key_to_row(target, key, arena, &row_key, &error))
		return;
	buf_init(&back, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	CHECK(api_query_target_to_key(target, row_key, &back) == ST_OK);
	CHECK(item_count(buf_slice(&back)) == item_count(key));
	CHECK(api_start_key_to_row(target, buf_slice(&back), arena, &again, &error));
	CHECK(slice_equal(again, row_key));
	buf_close(&back);
}

/* Whatever is asked for, it is a range, or it is told why not. */
static bool check_target(enum api_query_kind kind, const struct api_query_input *input,
			 const struct api_query_target *target, struct arena *arena, struct api_error *error)
{
	struct api_query_selection selection;
	struct api_query_range range;
	bool is_range = kind == API_QUERY ? api_query_range_of_query(input, target, arena, &range, error)
					  : api_query_range_of_scan(input, target, arena, &range, error);

	if (!is_range)
		return false;
	CHECK(slice_compare(range.start, range.end) <= 0);
	CHECK(range.start.size <= LIMIT_INDEX_ROW_KEY_SIZE_BYTES + 1);
	CHECK(get_u32_be(range.start.data) == target->table_id);
	if (!api_query_target_check_select(target, input, error) ||
	    !api_query_target_check_attributes(target, input, kind == API_QUERY, error))
		return false;
	CHECK(api_query_target_selection(target, input, arena, &selection, error));
	CHECK(!selection.fetches_items || table_index_is_local(&target->index));
	return true;
}

/* Of a table with a local index, and global ones with no, one and more attributes in the sort key. */
static void check_range(enum api_query_kind kind, const struct api_query_input *input, struct arena *arena,
			struct api_error *error)
{
	static const struct {
		const char *partition;
		const char *sort;
		uint8_t local_number;
	} indexes[] = { { "S:pk", "S:v", 1 },
			{ "S:v", "S:pk", 0 },
			{ "S:v", NULL, 0 },
			{ "S:v S:sk", "S:pk", 0 },
			{ "S:pk", "S:v S:sk", 0 } };
	struct table_info table = { .table_id = 7, .token_seed = 1 };
	struct api_query_target target;

	CHECK(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")) == ST_OK);
	CHECK(table_schema_add_sort_key(&table.schema, slice_of_string("sk"), slice_of_string("S")) == ST_OK);
	api_query_target_of_table(&table, &target);
	check_start_key(&target, input->start_key, arena);
	(void)!check_target(kind, input, &target, arena, error);
	for (size_t i = 0; i < ARRAY_COUNT(indexes); i++) {
		struct table_index *index = &target.index;
		struct api_error other;

		api_error_init(&other);
		*index = (struct table_index){ .name = "abc",
					       .local_number = indexes[i].local_number,
					       .table_id = 9,
					       .projection = INDEX_PROJECTS_KEYS };
		index_fixture_schema(&index->schema, indexes[i].partition, indexes[i].sort);
		target.has_index = true;
		target.table_id = table_index_is_local(index) ? 7 : 9;
		check_start_key(&target, input->start_key, arena);
		CHECK(check_target(kind, input, &target, arena, &other) == (other.type == API_OK));
	}
}

static bool try_queries(enum api_query_kind kind, struct slice body, struct arena *arena,
			struct api_error *error)
{
	struct api_query_input input;

	if (!api_query_input_read(kind, body, arena, &input, error))
		return false;
	check_range(kind, &input, arena, error);
	return error->type == API_OK;
}

static bool try_batches(struct slice body, struct arena *arena, struct api_error *error)
{
	struct api_batch_input input;

	if (!api_batch_input_read(body, arena, &input, error))
		return false;
	CHECK(input.table_count > 0 && input.key_count > 0 && input.key_count <= LIMIT_BATCH_GET_COUNT);
	return true;
}

static bool try_batch_writes(struct slice body, struct arena *arena, struct api_error *error)
{
	struct api_batch_write_input input;

	if (!api_batch_write_input_read(body, arena, &input, error))
		return false;
	CHECK(input.table_count > 0 && input.write_count >= input.table_count);
	CHECK(input.write_count <= LIMIT_BATCH_WRITE_COUNT);
	for (uint32_t i = 0; i < input.write_count; i++)
		check_item(input.writes[i].is_put ? ITEM_OP_PUT : ITEM_OP_DELETE,
			   input.table_names[input.writes[i].table_index], input.writes[i].item);
	return true;
}

static bool try_tags(enum api_tag_kind kind, struct slice body, struct arena *arena, struct api_error *error)
{
	struct api_tag_input input;

	if (!api_tag_input_read(kind, body, arena, &input, error))
		return false;
	CHECK(api_arn_names_table(input.resource));
	CHECK((kind == API_TAG) == (input.put != NULL) && (kind == API_UNTAG) == (input.remove_count > 0));
	return true;
}

static bool try_operation(enum operation operation, struct slice body, struct arena *arena,
			  struct api_error *error)
{
	struct api_list_input list;
	struct slice name;

	switch (operation) {
	case GET:
		return try_gets(body, arena, error);
	case PUT:
		return try_writes(ITEM_OP_PUT, body, arena, error);
	case DELETE:
		return try_writes(ITEM_OP_DELETE, body, arena, error);
	case UPDATE_ITEM:
		return try_writes(ITEM_OP_UPDATE, body, arena, error);
	case BATCH_WRITE:
		return try_batch_writes(body, arena, error);
	case DESCRIBE:
		return api_table_input_name("DescribeTableInput", body, arena, &name, error);
	case LIST:
		return api_table_input_list(body, arena, &list, error);
	case QUERY:
		return try_queries(API_QUERY, body, arena, error);
	case SCAN:
		return try_queries(API_SCAN, body, arena, error);
	case BATCH_GET:
		return try_batches(body, arena, error);
	case TAG:
		return try_tags(API_TAG, body, arena, error);
	case UNTAG:
		return try_tags(API_UNTAG, body, arena, error);
	default:
		return try_tables(operation, body, arena, error);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_error error;
	struct arena arena;
	struct buf body;

	if (size == 0)
		return 0;
	api_error_init(&error);
	arena_init(&arena, ARENA_SIZE);
	buf_init(&body, BODY_SIZE_MAX);
	if (data[0] & 0x80)
		buf_append(&body, data + 1, size - 1);
	else
		build_body(&body, slice_of(data + 1, size - 1));
	CHECK(body.status == ST_OK || size > BODY_SIZE_MAX / 8);
	if (!try_operation(data[0] % 0x80 % OPERATION_COUNT, buf_slice(&body), &arena, &error))
		check_error(&error, &arena);
	buf_close(&body);
	arena_close(&arena);
	return 0;
}
