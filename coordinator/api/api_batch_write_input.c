#include "coordinator/api/api_batch_write_input.h"

#include "coordinator/api/api_input.h"
#include "coordinator/api/api_item_write_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_type.h"
#include "proto/model/item.h"

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
	JSON_FIELD_REQUIRED(struct raw_action, "Item", &json_type_item, item),
};
static const struct json_field delete_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_action, "Key", &json_type_item, item),
};
static const struct json_type put_type = JSON_STRUCT("PutRequest", struct raw_action, put_fields);
static const struct json_type delete_type = JSON_STRUCT("DeleteRequest", struct raw_action, delete_fields);
static const struct json_field write_fields[] = {
	JSON_FIELD_NOTED(struct raw_write, "DeleteRequest", &delete_type, delete, has_delete),
	JSON_FIELD_NOTED(struct raw_write, "PutRequest", &put_type, put, has_put),
};
static const struct json_type write_type = JSON_STRUCT("WriteRequest", struct raw_write, write_fields);
static const struct json_rule writes_rule = { .min = 1, .max = LIMIT_BATCH_WRITE_COUNT };
static const struct json_type writes_type = {
	.kind = JSON_KIND_LIST,
	.size_bytes = sizeof(struct json_list),
	.java_name = "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>",
	.element = &write_type,
	.rule = &writes_rule,
};
static const struct json_rule tables_rule = {
	.pattern = JSON_PATTERN_TABLE, .has_bounds = true, .min = 1, .max = INT64_MAX, .bounds_values = true
};
static const struct json_type tables_type = API_TYPE_MAP(&writes_type, &tables_rule);
/* In the service's order of constraints. */
static const struct json_field input_fields[] = {
	JSON_FIELD(struct raw_input, "ReturnConsumedCapacity", &api_type_capacity, return_capacity),
	JSON_FIELD(struct raw_input, "ReturnItemCollectionMetrics", &api_type_metrics, return_metrics),
	JSON_FIELD_REQUIRED(struct raw_input, "RequestItems", &tables_type, tables),
};
static const struct json_type input_type = JSON_STRUCT("BatchWriteItemInput", struct raw_input, input_fields);

_Static_assert(offsetof(struct raw_entry, value) == sizeof(struct slice), "as JSON_KIND_MAP lays it out");

static const struct raw_entry *entries_of(const struct raw_input *raw)
{
	return raw->tables.elements;
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
	const struct json_fault *faults;
	struct raw_input raw;

	return api_input_read(&input_type, &raw, body, arena, &faults, error) &&
	       api_input_is_sound(faults, "RequestItems", error) &&
	       take_tables(&raw, arena, input_out, error);
}
