#include "coordinator/api/api_table_input.h"

#include <stdio.h>

#include "coordinator/api/api_check.h"
#include "coordinator/api/api_message.h"

enum { PATH_SIZE = 64, KEY_COUNT_MAX = 2, DEFINITIONS_SHOWN_MAX = 10 };

/* AWS's own bound for nonsense; the limit per table is another matter. */
#define UNITS_SANE_MAX INT64_C(1000000000000)

/* An element of AttributeDefinitions or KeySchema. */
struct pair {
	struct slice name;
	struct slice type;
};

struct units {
	struct json_number read;
	struct json_number write;
};

struct switched {
	enum json_bool is_on;
};

struct ignored {
	uint64_t nothing;
};

struct raw_input {
	struct slice table_name;
	struct json_list definitions; /* struct pair */
	struct json_list keys;        /* struct pair */
	struct slice billing_mode;
	struct units units;
	bool has_units;
	enum json_bool deletion_protection;
	struct slice table_class;
	/* Refused for now. */
	struct switched stream;
	bool has_stream;
	struct switched encryption;
	struct json_list local_indexes;
	struct json_list global_indexes;
	struct json_list global_index_updates;
	struct json_list replica_updates;
	struct json_list tags;
	struct ignored on_demand_units;
	bool has_on_demand_units;
	struct ignored warm_units;
	bool has_warm_units;
	struct slice resource_policy;
};

#define MEMBER(c_type, name, type, member)                                                                   \
	{                                                                                                    \
		(name), (type), offsetof(c_type, member), 0                                                  \
	}
#define NOTED(name, type, member, note)                                                                      \
	{                                                                                                    \
		(name), (type), offsetof(struct raw_input, member), JSON_PRESENCE(struct raw_input, note)    \
	}
#define FIELD(name, type, member) MEMBER(struct raw_input, name, type, member)

static const struct json_field definition_fields[] = {
	MEMBER(struct pair, "AttributeName", &json_type_string, name),
	MEMBER(struct pair, "AttributeType", &json_type_string, type),
};
static const struct json_field key_fields[] = {
	MEMBER(struct pair, "AttributeName", &json_type_string, name),
	MEMBER(struct pair, "KeyType", &json_type_string, type),
};
static const struct json_field units_fields[] = {
	MEMBER(struct units, "ReadCapacityUnits", &json_type_long, read),
	MEMBER(struct units, "WriteCapacityUnits", &json_type_long, write),
};
static const struct json_field stream_fields[] = {
	MEMBER(struct switched, "StreamEnabled", &json_type_bool, is_on),
};
static const struct json_field encryption_fields[] = {
	MEMBER(struct switched, "Enabled", &json_type_bool, is_on),
};

static const struct json_type definition_type = JSON_STRUCT("AttributeDefinition", struct pair,
							    definition_fields);
static const struct json_type definitions_type = JSON_LIST_OF(&definition_type);
static const struct json_type key_type = JSON_STRUCT("KeySchemaElement", struct pair, key_fields);
static const struct json_type keys_type = JSON_LIST_OF(&key_type);
static const struct json_type units_type = JSON_STRUCT("ProvisionedThroughput", struct units, units_fields);
static const struct json_type stream_type = JSON_STRUCT("StreamSpecification", struct switched,
							stream_fields);
static const struct json_type encryption_type = JSON_STRUCT("SSESpecification", struct switched,
							    encryption_fields);
static const struct json_type ignored_type = {
	.kind = JSON_KIND_STRUCT,
	.size_bytes = sizeof(struct ignored),
	.java_name = "Object",
};
static const struct json_type ignored_list_type = JSON_LIST_OF(&ignored_type);

#define COMMON_FIELDS                                                                                        \
	FIELD("TableName", &json_type_string, table_name),                                                   \
		FIELD("AttributeDefinitions", &definitions_type, definitions),                               \
		FIELD("BillingMode", &json_type_string, billing_mode),                                       \
		NOTED("ProvisionedThroughput", &units_type, units, has_units),                               \
		FIELD("DeletionProtectionEnabled", &json_type_bool, deletion_protection),                    \
		FIELD("TableClass", &json_type_string, table_class),                                         \
		NOTED("StreamSpecification", &stream_type, stream, has_stream),                              \
		FIELD("SSESpecification", &encryption_type, encryption),                                     \
		NOTED("OnDemandThroughput", &ignored_type, on_demand_units, has_on_demand_units),            \
		NOTED("WarmThroughput", &ignored_type, warm_units, has_warm_units)

static const struct json_field create_fields[] = {
	COMMON_FIELDS,
	FIELD("KeySchema", &keys_type, keys),
	FIELD("LocalSecondaryIndexes", &ignored_list_type, local_indexes),
	FIELD("GlobalSecondaryIndexes", &ignored_list_type, global_indexes),
	FIELD("Tags", &ignored_list_type, tags),
	FIELD("ResourcePolicy", &json_type_string, resource_policy),
};
static const struct json_field update_fields[] = {
	COMMON_FIELDS,
	FIELD("GlobalSecondaryIndexUpdates", &ignored_list_type, global_index_updates),
	FIELD("ReplicaUpdates", &ignored_list_type, replica_updates),
};
static const struct json_type create_type = JSON_STRUCT("CreateTableInput", struct raw_input, create_fields);
static const struct json_type update_type = JSON_STRUCT("UpdateTableInput", struct raw_input, update_fields);

static const char *const billing_values[] = { "PROVISIONED", "PAY_PER_REQUEST", NULL };
static const struct api_enum billing_enum = { billing_values, "[PROVISIONED, PAY_PER_REQUEST]" };
static const char *const type_values[] = { "B", "N", "S", NULL };
static const struct api_enum type_enum = { type_values, "[B, N, S]" };
static const char *const key_values[] = { "HASH", "RANGE", NULL };
static const struct api_enum key_enum = { key_values, "[HASH, RANGE]" };
static const char *const class_values[] = { "STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL };
static const struct api_enum class_enum = { class_values, "[STANDARD, STANDARD_INFREQUENT_ACCESS]" };

static bool fail(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

static bool read_body(const struct json_type *type, void *out, struct slice body, struct arena *arena,
		      struct api_error *error)
{
	struct json_error json;

	if (json_read(type, out, body, arena, &json) == ST_OK)
		return true;
	api_error_from_json(error, &json);
	api_error_set(error, API_ERROR_INTERNAL, "%s", API_MESSAGE_INTERNAL); /* no memory */
	return false;
}

/* --- constraints --- */

/* list.N.member.part, as the service writes it. */
static void check_pairs(struct api_check *check, const char *list_path, const struct json_list *list,
			const char *type_part, const struct api_enum *types)
{
	const struct pair *pairs = list->elements;
	char path[PATH_SIZE];

	for (uint32_t i = 0; i < list->count && i < DEFINITIONS_SHOWN_MAX; i++) {
		(void)snprintf(path, sizeof(path), "%s.%u.member.attributeName", list_path, i + 1);
		api_check_required(check, path, pairs[i].name.data != NULL);
		api_check_size(check, path, pairs[i].name, 1, LIMIT_KEY_NAME_SIZE_BYTES);
		(void)snprintf(path, sizeof(path), "%s.%u.member.%s", list_path, i + 1, type_part);
		api_check_required(check, path, pairs[i].type.data != NULL);
		api_check_enum(check, path, pairs[i].type, types);
	}
}

static void check_units(struct api_check *check, const struct raw_input *raw)
{
	if (!raw->has_units)
		return;
	api_check_required(check, "provisionedThroughput.writeCapacityUnits", raw->units.write.is_set);
	api_check_range(check, "provisionedThroughput.writeCapacityUnits", raw->units.write, 1, INT64_MAX);
	api_check_required(check, "provisionedThroughput.readCapacityUnits", raw->units.read.is_set);
	api_check_range(check, "provisionedThroughput.readCapacityUnits", raw->units.read, 1, INT64_MAX);
}

static bool check_constraints(const struct raw_input *raw, bool is_create, struct api_error *error)
{
	struct api_check check;

	if (!api_check_given_table_name(raw->table_name, error))
		return false;
	api_check_init(&check);
	if (is_create)
		api_check_required(&check, "attributeDefinitions", raw->definitions.is_set);
	check_pairs(&check, "attributeDefinitions", &raw->definitions, "attributeType", &type_enum);
	api_check_enum(&check, "billingMode", raw->billing_mode, &billing_enum);
	check_units(&check, raw);
	if (is_create)
		api_check_required(&check, "keySchema", raw->keys.is_set);
	api_check_count(&check, "keySchema", &raw->keys, 1, KEY_COUNT_MAX);
	check_pairs(&check, "keySchema", &raw->keys, "keyType", &key_enum);
	api_check_enum(&check, "tableClass", raw->table_class, &class_enum);
	return api_check_passed(&check, error);
}

static const char *find_unsupported(const struct raw_input *raw, bool is_create)
{
	if (raw->local_indexes.is_set)
		return "LocalSecondaryIndexes";
	if (raw->global_indexes.is_set)
		return "GlobalSecondaryIndexes";
	if (raw->global_index_updates.is_set)
		return "GlobalSecondaryIndexUpdates";
	if (raw->replica_updates.is_set)
		return "ReplicaUpdates";
	if (raw->has_stream && (!is_create || raw->stream.is_on != JSON_FALSE))
		return "StreamSpecification";
	if (raw->encryption.is_on == JSON_TRUE)
		return "SSESpecification";
	if (raw->tags.count > 0)
		return "Tags";
	if (raw->has_on_demand_units)
		return "OnDemandThroughput";
	if (raw->has_warm_units)
		return "WarmThroughput";
	if (raw->resource_policy.data != NULL)
		return "ResourcePolicy";
	if (!is_create && raw->definitions.is_set)
		return "AttributeDefinitions";
	return NULL;
}

static bool check_supported(const struct raw_input *raw, bool is_create, struct api_error *error)
{
	const char *name = find_unsupported(raw, is_create);

	if (name == NULL)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_NOT_SUPPORTED, name);
	return false;
}

/* --- billing --- */

static bool check_unit_bounds(const char *name, int64_t units, struct api_error *error)
{
	if (units > UNITS_SANE_MAX)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_UNITS_OUT_OF_BOUNDS, (long long)units,
			      name);
	else if (units > LIMIT_TABLE_CAPACITY_UNITS)
		api_error_set(error, API_ERROR_LIMIT_EXCEEDED, API_MESSAGE_UNITS_LIMIT,
			      LIMIT_TABLE_CAPACITY_UNITS);
	return error->type == API_OK;
}

static bool fill_settings(const struct raw_input *raw, struct api_table_input *out, struct api_error *error)
{
	*out = (struct api_table_input){
		.name = raw->table_name,
		.has_billing_mode = raw->billing_mode.data != NULL,
		.is_on_demand = slice_equal(raw->billing_mode, slice_of_string("PAY_PER_REQUEST")),
		.has_units = raw->has_units,
		.deletion_protection = raw->deletion_protection,
		.table_class = raw->table_class,
	};
	if (out->is_on_demand && raw->has_units)
		return fail(error, API_MESSAGE_UNITS_WITH_ON_DEMAND);
	if (!raw->has_units)
		return true;
	out->read_units = (uint64_t)raw->units.read.value;
	out->write_units = (uint64_t)raw->units.write.value;
	return check_unit_bounds("ReadCapacityUnits", raw->units.read.value, error) &&
	       check_unit_bounds("WriteCapacityUnits", raw->units.write.value, error);
}

/* --- create --- */

static const struct pair *find_definition(const struct raw_input *raw, struct slice name)
{
	const struct pair *definitions = raw->definitions.elements;

	for (uint32_t i = 0; i < raw->definitions.count; i++) {
		if (slice_equal(definitions[i].name, name))
			return &definitions[i];
	}
	return NULL;
}

static bool is_key_type(const struct pair *key, const char *type)
{
	return slice_equal(key->type, slice_of_string(type));
}

static bool check_keys(const struct raw_input *raw, struct api_error *error)
{
	const struct pair *keys = raw->keys.elements;

	for (uint32_t i = 0; i < raw->keys.count; i++) {
		if (find_definition(raw, keys[i].name) == NULL)
			return fail(error, API_MESSAGE_KEY_UNDEFINED);
	}
	if (!is_key_type(&keys[0], "HASH"))
		return fail(error, API_MESSAGE_FIRST_KEY_NO_HASH);
	if (raw->keys.count > 1 && !is_key_type(&keys[1], "RANGE"))
		return fail(error, API_MESSAGE_SECOND_KEY_NO_RANGE);
	if (raw->keys.count > 1 && slice_equal(keys[0].name, keys[1].name))
		return fail(error, API_MESSAGE_KEYS_EQUAL);
	if (raw->definitions.count != raw->keys.count)
		return fail(error, API_MESSAGE_DEFINITIONS_DIFFER);
	return true;
}

static bool fill_schema(const struct raw_input *raw, struct table_schema *out, struct api_error *error)
{
	const struct pair *keys = raw->keys.elements;
	enum status status = table_schema_init(out, keys[0].name, find_definition(raw, keys[0].name)->type);

	if (status == ST_OK && raw->keys.count > 1)
		status = table_schema_set_sort_key(out, keys[1].name,
						   find_definition(raw, keys[1].name)->type);
	return status == ST_OK || fail(error, API_MESSAGE_KEY_NAME);
}

bool api_table_input_create(struct slice body, struct arena *arena, struct api_table_input *input_out,
			    struct api_error *error)
{
	struct raw_input raw;

	if (!read_body(&create_type, &raw, body, arena, error) || !check_constraints(&raw, true, error) ||
	    !check_supported(&raw, true, error) || !fill_settings(&raw, input_out, error))
		return false;
	if (!input_out->is_on_demand && !input_out->has_units)
		return fail(error, API_MESSAGE_UNITS_MISSING);
	return check_keys(&raw, error) && fill_schema(&raw, &input_out->schema, error);
}

/* --- update --- */

bool api_table_input_update(struct slice body, struct arena *arena, struct api_table_input *input_out,
			    struct api_error *error)
{
	struct raw_input raw;

	if (!read_body(&update_type, &raw, body, arena, error) || !check_constraints(&raw, false, error) ||
	    !check_supported(&raw, false, error) || !fill_settings(&raw, input_out, error))
		return false;
	if (!input_out->has_billing_mode && !input_out->has_units &&
	    input_out->deletion_protection == JSON_UNSET && input_out->table_class.data == NULL)
		return fail(error, API_MESSAGE_UPDATE_EMPTY);
	return true;
}

static bool check_units_change(const struct api_table_input *input, const struct table_info *table,
			       struct api_error *error)
{
	if (table->is_on_demand || !input->has_units || input->read_units != table->read_units ||
	    input->write_units != table->write_units)
		return true;
	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_UNITS_UNCHANGED, (long long)table->read_units,
		      (long long)input->read_units, (long long)table->write_units,
		      (long long)input->write_units);
	return false;
}

bool api_table_input_apply(const struct api_table_input *input, struct table_info *table,
			   struct api_error *error)
{
	bool is_on_demand = input->has_billing_mode ? input->is_on_demand : table->is_on_demand;

	if (is_on_demand && input->has_units)
		return fail(error, API_MESSAGE_UNITS_WITH_ON_DEMAND);
	if (!is_on_demand && table->is_on_demand && !input->has_units)
		return fail(error, API_MESSAGE_UNITS_MISSING);
	if (!check_units_change(input, table, error))
		return false;
	if (is_on_demand != table->is_on_demand || input->has_units) {
		table->read_units = input->read_units;
		table->write_units = input->write_units;
	}
	table->is_on_demand = is_on_demand;
	if (input->deletion_protection != JSON_UNSET)
		table->deletion_protection = input->deletion_protection == JSON_TRUE;
	if (input->table_class.data != NULL)
		(void)snprintf(table->table_class, sizeof(table->table_class), "%.*s",
			       (int)input->table_class.size, (const char *)input->table_class.data);
	return true;
}

/* --- the others --- */

struct raw_name {
	struct slice name;
};

static const struct json_field name_fields[] = {
	MEMBER(struct raw_name, "TableName", &json_type_string, name),
};

bool api_table_input_name(const char *java_name, struct slice body, struct arena *arena,
			  struct slice *name_out, struct api_error *error)
{
	struct json_type type = JSON_STRUCT(java_name, struct raw_name, name_fields);
	struct raw_name raw;

	if (!read_body(&type, &raw, body, arena, error) || !api_check_given_table_name(raw.name, error))
		return false;
	*name_out = raw.name;
	return true;
}

struct raw_list {
	struct slice start_after;
	struct json_number limit;
};

static const struct json_field list_fields[] = {
	MEMBER(struct raw_list, "ExclusiveStartTableName", &json_type_string, start_after),
	MEMBER(struct raw_list, "Limit", &json_type_integer, limit),
};
static const struct json_type list_type = JSON_STRUCT("ListTablesInput", struct raw_list, list_fields);

bool api_table_input_list(struct slice body, struct arena *arena, struct api_list_input *input_out,
			  struct api_error *error)
{
	struct api_check check;
	struct raw_list raw;

	if (!read_body(&list_type, &raw, body, arena, error))
		return false;
	api_check_init(&check);
	api_check_table_name(&check, "exclusiveStartTableName", raw.start_after);
	api_check_range(&check, "limit", raw.limit, 1, LIMIT_LIST_TABLES_COUNT);
	if (!api_check_passed(&check, error))
		return false;
	input_out->start_after = raw.start_after;
	input_out->limit = raw.limit.is_set ? (uint32_t)raw.limit.value : LIMIT_LIST_TABLES_COUNT;
	return true;
}
