/* Request bodies: any bytes; an item that is read passes the check, and its JSON reads back
 * as an equal item. */
#include "coordinator/json/json_item_write.h"
#include "coordinator/json/json_reader.h"
#include "proto/model/item_check.h"
#include "proto/model/item_equal.h"

enum { ARENA_SIZE = 64 * 1024 * 1024 };

struct request {
	struct slice table_name;
	struct slice item;
	struct slice value;
	struct json_list names;
	struct json_list keys;
	struct json_number limit;
	enum json_bool consistent;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct request, "TableName", &json_type_string, table_name),
	JSON_FIELD(struct request, "Item", &json_type_item, item),
	JSON_FIELD(struct request, "Value", &json_type_value, value),
	JSON_FIELD(struct request, "ExpressionAttributeNames", &json_type_string_map, names),
	JSON_FIELD(struct request, "Keys", &json_type_item_list, keys),
	JSON_FIELD(struct request, "Limit", &json_type_integer, limit),
	JSON_FIELD(struct request, "ConsistentRead", &json_type_bool, consistent),
};

static const struct json_type type = JSON_STRUCT("FuzzInput", struct request, fields);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_back(struct slice item)
{
	struct json_error error;
	struct request back;
	struct arena arena;
	struct buf json;
	bool is_equal = false;

	CHECK(item_check(item) == ST_OK);
	arena_init(&arena, ARENA_SIZE);
	buf_init(&json, ARENA_SIZE);
	buf_append_string(&json, "{\"Item\":");
	CHECK(json_item_write(&json, item) == ST_OK);
	buf_append_string(&json, "}");
	CHECK(json_read(&type, &back, buf_slice(&json), &arena, &error) == ST_OK);
	CHECK(item_equal(item, back.item, &is_equal) == ST_OK && is_equal);
	buf_close(&json);
	arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_error error;
	struct request request;
	struct arena arena;
	enum status status;

	arena_init(&arena, ARENA_SIZE);
	status = json_read(&type, &request, slice_of(data, size), &arena, &error);
	CHECK((status == ST_INVALID) == (error.kind != JSON_ERROR_NONE));
	if (status == ST_OK && request.item.data != NULL)
		check_back(request.item);
	if (status == ST_OK && request.value.data != NULL)
		CHECK(item_check_value(request.value) == ST_OK);
	arena_close(&arena);
	return 0;
}
