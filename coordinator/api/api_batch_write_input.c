#include "coordinator/api/api_batch_write_input.h"

#include "coordinator/api/api_item_write_input.h"
#include "coordinator/api/api_message.h"
#include "proto/model/item.h"
#include "proto/model/table_schema.h"

/* PutRequest and DeleteRequest: each has one member. */
struct raw_action {
	struct slice item;
};

struct raw_write {
	struct raw_action put;
	struct raw_action delete;
	bool has_put;
	bool has_delete;
};

/* An entry of RequestItems. */
struct raw_entry {
	struct slice key;
	struct json_list value; /* of struct raw_write */
};

struct raw_input {
	struct json_list tables;
	struct slice return_capacity;
	struct slice return_metrics;
};

static const struct json_field put_fields[] = {
	{ "Item", &json_type_item, offsetof(struct raw_action, item), 0 },
};
static const struct json_field delete_fields[] = {
	{ "Key", &json_type_item, offsetof(struct raw_action, item), 0 },
};
static const struct json_type put_type = JSON_STRUCT("PutRequest", struct raw_action, put_fields);
static const struct json_type delete_type = JSON_STRUCT("DeleteRequest", struct raw_action, delete_fields);
static const struct json_field write_fields[] = {
	{ "PutRequest", &put_type, offsetof(struct raw_write, put),
	  JSON_PRESENCE(struct raw_write, has_put) },
	{ "DeleteRequest", &delete_type, offsetof(struct raw_write, delete),
	  JSON_PRESENCE(struct raw_write, has_delete) },
};
static const struct json_type write_type = JSON_STRUCT("WriteRequest", struct raw_write, write_fields);
static const struct json_type writes_type = {
	.kind = JSON_KIND_LIST,
	.size_bytes = sizeof(struct json_list),
	.java_name = "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>",
	.element = &write_type,
};
static const struct json_type tables_type = JSON_MAP_OF(&writes_type);
static const struct json_field input_fields[] = {
	{ "RequestItems", &tables_type, offsetof(struct raw_input, tables), 0 },
	{ "ReturnConsumedCapacity", &json_type_string, offsetof(struct raw_input, return_capacity), 0 },
	{ "ReturnItemCollectionMetrics", &json_type_string, offsetof(struct raw_input, return_metrics), 0 },
};
static const struct json_type input_type = JSON_STRUCT("BatchWriteItemInput", struct raw_input, input_fields);

_Static_assert(offsetof(struct raw_entry, value) == sizeof(struct slice), "as JSON_KIND_MAP lays it out");

static const struct raw_entry *entries_of(const struct raw_input *raw)
{
	return raw->tables.elements;
}

/* --- constraints of the API's model --- */

static void check_members(struct api_check *check, const struct raw_entry *entry)
{
	const struct raw_write *writes = entry->value.elements;
	int size = (int)entry->key.size;
	const char *name = (const char *)entry->key.data;

	for (uint32_t i = 0; i < entry->value.count; i++) {
		if (writes[i].has_delete && writes[i].delete.item.data == NULL)
			api_check_add(check, API_MESSAGE_BATCH_WRITE_MEMBER, size, name, i + 1,
				      "deleteRequest.key");
		if (writes[i].has_put && writes[i].put.item.data == NULL)
			api_check_add(check, API_MESSAGE_BATCH_WRITE_MEMBER, size, name, i + 1,
				      "putRequest.item");
	}
}

static void check_tables(struct api_check *check, const struct raw_input *raw, bool is_complete)
{
	for (uint32_t i = 0; i < raw->tables.count; i++) {
		const struct raw_entry *entry = &entries_of(raw)[i];

		if (!table_schema_name_is_valid(entry->key))
			api_check_add(check, API_MESSAGE_BATCH_TABLE_NAME, (int)entry->key.size,
				      (const char *)entry->key.data);
	}
	for (uint32_t i = 0; i < raw->tables.count; i++) {
		const struct raw_entry *entry = &entries_of(raw)[i];

		if (entry->value.count == 0 || entry->value.count > LIMIT_BATCH_WRITE_COUNT)
			api_check_add(check, API_MESSAGE_BATCH_WRITE_COUNT, (int)entry->key.size,
				      (const char *)entry->key.data);
	}
	for (uint32_t i = 0; is_complete && i < raw->tables.count; i++)
		check_members(check, &entries_of(raw)[i]);
}

static bool check_constraints(const struct raw_input *raw, bool is_complete, struct api_error *error)
{
	struct api_check check;

	api_check_init(&check);
	api_capacity_check(&check, raw->return_capacity);
	api_item_write_check_metrics(&check, raw->return_metrics);
	api_check_required(&check, "requestItems", raw->tables.is_set);
	if (raw->tables.is_set && raw->tables.count == 0)
		api_check_add(&check, "%s", API_MESSAGE_BATCH_WRITE_EMPTY);
	check_tables(&check, raw, is_complete);
	return api_check_passed(&check, error);
}

/* --- writes --- */

static bool refuse(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

static bool take_writes(const struct raw_entry *entry, uint32_t table_index,
			struct api_batch_write_input *input, struct api_error *error)
{
	const struct raw_write *raw = entry->value.elements;

	for (uint32_t i = 0; i < entry->value.count; i++) {
		struct slice item = raw[i].has_put ? raw[i].put.item : raw[i].delete.item;

		if (raw[i].has_put == raw[i].has_delete)
			return refuse(error, API_MESSAGE_BATCH_WRITE_ONE);
		if (raw[i].has_put && item_size_bytes(item) > LIMIT_ITEM_SIZE_BYTES)
			return refuse(error, API_MESSAGE_ITEM_SIZE);
		if (input->write_count == LIMIT_BATCH_WRITE_COUNT)
			return refuse(error, API_MESSAGE_BATCH_WRITE_TOO_MANY);
		input->writes[input->write_count++] = (struct api_batch_write){ .table_index = table_index,
										.is_put = raw[i].has_put,
										.item = item };
	}
	return true;
}

static bool take_tables(const struct raw_input *raw, struct arena *arena,
			struct api_batch_write_input *input_out, struct api_error *error)
{
	struct api_batch_write_input input = {
		.table_names = arena_alloc(arena, raw->tables.count * sizeof(*input.table_names)),
		.table_count = raw->tables.count,
		.writes = arena_alloc(arena, LIMIT_BATCH_WRITE_COUNT * sizeof(*input.writes)),
		.capacity = api_capacity_parse(raw->return_capacity),
		.wants_metrics = api_item_write_wants_metrics(raw->return_metrics),
	};

	if (input.table_names == NULL || input.writes == NULL) {
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL);
		return false;
	}
	for (uint32_t i = 0; i < raw->tables.count; i++) {
		input.table_names[i] = entries_of(raw)[i].key;
		if (!take_writes(&entries_of(raw)[i], i, &input, error))
			return false;
	}
	*input_out = input;
	return true;
}

bool api_batch_write_input_read(struct slice body, struct arena *arena,
				struct api_batch_write_input *input_out, struct api_error *error)
{
	struct raw_input raw;
	struct json_error json;
	enum status status = json_read(&input_type, &raw, body, arena, &json);

	if (status != ST_OK && json.kind != JSON_ERROR_VALIDATION) {
		api_error_from_json(error, &json);
		api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
		return false;
	}
	/* A wrong value leaves its item out: it is there all the same. */
	if (!check_constraints(&raw, status == ST_OK, error))
		return false;
	api_error_from_json(error, &json);
	return status == ST_OK && take_tables(&raw, arena, input_out, error);
}
