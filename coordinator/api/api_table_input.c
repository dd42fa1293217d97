#include "coordinator/api/api_table_input.h"

#include "coordinator/api/api_input.h"
#include "coordinator/api/api_key_input.h"
#include "coordinator/api/api_message.h"
#include "coordinator/api/api_tag_input.h"
#include "coordinator/api/api_type.h"

static bool fail(struct api_error *error, const char *message)
{
	api_error_set(error, API_ERROR_VALIDATION, "%s", message);
	return false;
}

static bool equals(struct slice text, const char *word)
{
	return slice_equal(text, slice_of_string(word));
}

/* The name is told first and alone, then every broken constraint. */
static bool read_input(const struct json_type *type, void *input, size_t name_offset, struct slice body,
		       struct arena *arena, struct api_error *error)
{
	const struct json_fault *faults;
	struct api_check check;
	struct slice name;

	if (!api_input_parse(type, input, body, arena, &faults, error))
		return false;
	memcpy(&name, (const uint8_t *)input + name_offset, sizeof(name));
	if (!api_check_given_table_name(name, error))
		return false;
	api_check_init(&check);
	api_input_check(&check, type, input);
	return api_check_passed(&check, error);
}

/* --- what is not there yet --- */

static const char *find_unsupported(const struct raw_table *raw)
{
	if (raw->has_stream && raw->stream.is_on == JSON_TRUE)
		return "StreamSpecification";
	if (raw->replica_updates.is_set)
		return "ReplicaUpdates";
	if (raw->witness_updates.is_set)
		return "GlobalTableWitnessUpdates";
	if (raw->consistency.data != NULL)
		return "MultiRegionConsistency";
	if (raw->replication_mode.data != NULL)
		return "GlobalTableSettingsReplicationMode";
	if (raw->has_warm_units)
		return "WarmThroughput";
	return raw->resource_policy.data != NULL ? "ResourcePolicy" : NULL;
}

static bool check_supported(const struct raw_table *raw, struct api_error *error)
{
	const char *name = find_unsupported(raw);

	if (name != NULL)
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_NOT_SUPPORTED, name);
	return name == NULL;
}

static bool check_stream(const struct raw_table *raw, struct api_error *error)
{
	if (!raw->has_stream)
		return true;
	if (raw->stream.is_on == JSON_TRUE && raw->stream.view.data == NULL)
		return fail(error, API_MESSAGE_STREAM_ON_VIEW);
	if (raw->stream.is_on == JSON_FALSE && raw->stream.view.data != NULL)
		return fail(error, API_MESSAGE_STREAM_OFF_VIEW);
	return true;
}

/* --- settings --- */

static bool check_class(const struct raw_table *raw, struct api_error *error)
{
	return raw->table_class.data == NULL || equals(raw->table_class, "STANDARD") ||
	       equals(raw->table_class, "STANDARD_INFREQUENT_ACCESS") || fail(error, API_MESSAGE_CLASS);
}

static bool is_key_byte(uint8_t byte)
{
	return byte > ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

static bool is_key_name(struct slice key)
{
	for (size_t i = 0; i < key.size; i++) {
		if (!is_key_byte(key.data[i]))
			return false;
	}
	return key.size > 0 && key.size <= CATALOG_KMS_KEY_SIZE_MAX;
}

static bool check_encryption(const struct raw_encryption *raw, struct api_error *error)
{
	const char *excess = raw->type.data != NULL  ? "SSEType"
			     : raw->key.data != NULL ? "KMSMasterKeyId"
						     : NULL;

	if (raw->is_on != JSON_TRUE && excess != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_ENCRYPTION_OFF, excess);
		return false;
	}
	if (equals(raw->type, "AES256"))
		return fail(error, API_MESSAGE_ENCRYPTION_AES256);
	if (raw->key.data != NULL && raw->type.data == NULL)
		return fail(error, API_MESSAGE_ENCRYPTION_KEY);
	return raw->key.data == NULL || is_key_name(raw->key) || fail(error, API_MESSAGE_ENCRYPTION_SIZE);
}

/* -1 takes a limit away, in UpdateTable. */
static bool take_maximum(const struct json_number *raw, const char *name, bool is_create,
			 struct api_table_maximum *out, struct api_error *error)
{
	bool clears = raw->value == -1 && !is_create;

	out->is_set = raw->is_set;
	out->units = clears ? 0 : (uint64_t)raw->value;
	if (!raw->is_set || clears || (raw->value >= 1 && raw->value <= INT32_MAX))
		return true;
	api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_ON_DEMAND_RANGE, name);
	return false;
}

static bool fill_settings(const struct raw_table *raw, bool is_create, struct api_table_input *out,
			  struct api_error *error)
{
	*out = (struct api_table_input){
		.name = raw->name,
		.has_billing_mode = raw->billing_mode.data != NULL,
		.is_on_demand = equals(raw->billing_mode, "PAY_PER_REQUEST"),
		.has_units = raw->has_units,
		.read_units = (uint64_t)raw->units.read.value,
		.write_units = (uint64_t)raw->units.write.value,
		.deletion_protection = raw->deletion_protection,
		.table_class = raw->table_class,
		.encryption = raw->encryption.is_on,
		.encryption_key = raw->encryption.key,
		.stream_off = raw->has_stream && raw->stream.is_on == JSON_FALSE,
	};
	if (raw->has_encryption && out->encryption == JSON_UNSET)
		out->encryption = JSON_FALSE;
	if (out->is_on_demand && raw->has_units)
		return fail(error, API_MESSAGE_UNITS_WITH_ON_DEMAND);
	return check_class(raw, error) && check_encryption(&raw->encryption, error) &&
	       take_maximum(&raw->on_demand_units.read, "MaxReadRequestUnits", is_create, &out->read_maximum,
			    error) &&
	       take_maximum(&raw->on_demand_units.write, "MaxWriteRequestUnits", is_create,
			    &out->write_maximum, error);
}

/* --- create --- */

static bool check_create_units(const struct raw_table *raw, const struct api_table_input *input,
			       struct api_error *error)
{
	const char *maximum = input->read_maximum.is_set    ? "MaxReadRequestUnits"
			      : input->write_maximum.is_set ? "MaxWriteRequestUnits"
							    : NULL;

	if (!input->is_on_demand && !raw->has_units)
		return fail(error, API_MESSAGE_UNITS_MISSING);
	if (!input->is_on_demand && maximum != NULL) {
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_ON_DEMAND_WITH_UNITS, maximum);
		return false;
	}
	return api_index_input_check_units(&raw->units, slice_of(NULL, 0), error);
}

static bool check_keys(const struct raw_table *raw, struct api_error *error)
{
	bool has_indexes = raw->local_indexes.is_set || raw->global_indexes.is_set;

	if (raw->keys.count > raw->definitions.count)
		return fail(error, API_MESSAGE_KEY_UNDEFINED);
	if (!api_key_input_check(&raw->definitions, &raw->keys, error))
		return false;
	if (!has_indexes && raw->definitions.count != raw->keys.count)
		return fail(error, API_MESSAGE_DEFINITIONS_DIFFER);
	return api_key_input_check_definitions(&raw->definitions, error);
}

bool api_table_input_create(struct slice body, struct arena *arena, struct api_table_input *input_out,
			    struct api_error *error)
{
	struct raw_table raw;

	if (!read_input(&api_table_raw_create, &raw, offsetof(struct raw_table, name), body, arena, error) ||
	    !fill_settings(&raw, true, input_out, error) || !check_create_units(&raw, input_out, error) ||
	    !check_keys(&raw, error) ||
	    !api_key_input_schema(&raw.definitions, &raw.keys, &input_out->schema, error) ||
	    !api_index_input_create(&raw, input_out->is_on_demand, arena, &input_out->indexes, error))
		return false;
	return check_stream(&raw, error) && check_supported(&raw, error) &&
	       api_tag_input_pack(&raw.tags, arena, &input_out->tags, error);
}

/* --- update --- */

/* The settings that may only be changed one at a time; one bit each. */
enum {
	CHANGES_UNITS = 1,
	CHANGES_INDEXES = 2,
	CHANGES_STREAM = 4,
	CHANGES_ENCRYPTION = 8,
	CHANGES_CLASS = 16,
	CHANGES_PROTECTION = 32,
	CHANGES_MAXIMUM = 64,
	CHANGES_MODE = 128,
};

static unsigned changes_of(const struct raw_table *raw)
{
	return (raw->has_units ? CHANGES_UNITS : 0U) | (raw->index_updates.count > 0 ? CHANGES_INDEXES : 0U) |
	       (raw->has_stream ? CHANGES_STREAM : 0U) | (raw->has_encryption ? CHANGES_ENCRYPTION : 0U) |
	       (raw->table_class.data != NULL ? CHANGES_CLASS : 0U) |
	       (raw->deletion_protection != JSON_UNSET ? CHANGES_PROTECTION : 0U) |
	       (raw->has_on_demand_units ? CHANGES_MAXIMUM : 0U) |
	       (raw->billing_mode.data != NULL ? CHANGES_MODE : 0U);
}

static bool check_alone(unsigned changes, struct api_error *error)
{
	static const struct {
		unsigned change;
		const char *name;
	} alone[] = {
		{ CHANGES_ENCRYPTION, "Server-Side Encryption" },
		{ CHANGES_CLASS, "TableClass" },
		{ CHANGES_PROTECTION, "DeletionProtection" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(alone); i++) {
		if ((changes & alone[i].change) == 0 || changes == alone[i].change)
			continue;
		api_error_set(error, API_ERROR_VALIDATION, API_MESSAGE_UPDATE_ALONE, alone[i].name);
		return false;
	}
	if ((changes & CHANGES_MAXIMUM) != 0 && (changes & ~(unsigned)(CHANGES_MAXIMUM | CHANGES_MODE)) != 0)
		return fail(error, API_MESSAGE_UPDATE_ON_DEMAND);
	return true;
}

static bool check_changes(const struct raw_table *raw, const struct api_table_input *input,
			  struct api_error *error)
{
	unsigned changes = changes_of(raw);

	if (changes == 0)
		return fail(error, API_MESSAGE_UPDATE_EMPTY);
	if (!check_alone(changes, error))
		return false;
	if (input->has_billing_mode && !input->is_on_demand && !raw->has_units)
		return fail(error, API_MESSAGE_UNITS_MISSING_UPDATE);
	return api_index_input_check_units(&raw->units, slice_of(NULL, 0), error);
}

bool api_table_input_update(struct slice body, struct arena *arena, struct api_table_input *input_out,
			    struct api_error *error)
{
	struct raw_table raw;

	return read_input(&api_table_raw_update, &raw, offsetof(struct raw_table, name), body, arena,
			  error) &&
	       check_supported(&raw, error) && fill_settings(&raw, false, input_out, error) &&
	       check_changes(&raw, input_out, error) &&
	       api_index_input_update(&raw, arena, &input_out->index_updates, error);
}

/* --- the others --- */

struct raw_name {
	struct slice name;
};

static const struct json_field name_fields[] = {
	JSON_FIELD(struct raw_name, "TableName", &api_type_control_table, name),
};

bool api_table_input_name(const char *java_name, struct slice body, struct arena *arena,
			  struct slice *name_out, struct api_error *error)
{
	struct json_type type = JSON_STRUCT(java_name, struct raw_name, name_fields);
	struct raw_name raw;

	if (!read_input(&type, &raw, offsetof(struct raw_name, name), body, arena, error))
		return false;
	*name_out = raw.name;
	return true;
}

struct raw_list {
	struct slice start_after;
	struct json_number limit;
};

static const struct json_rule limit_rule = API_RULE_BOUNDS(1, LIMIT_LIST_TABLES_COUNT);
static const struct json_type limit_type = API_TYPE_INTEGER(&limit_rule);
static const struct json_field list_fields[] = {
	JSON_FIELD(struct raw_list, "ExclusiveStartTableName", &api_type_index_name, start_after),
	JSON_FIELD(struct raw_list, "Limit", &limit_type, limit),
};
static const struct json_type list_type = JSON_STRUCT("ListTablesInput", struct raw_list, list_fields);

bool api_table_input_list(struct slice body, struct arena *arena, struct api_list_input *input_out,
			  struct api_error *error)
{
	const struct json_fault *faults;
	struct raw_list raw;

	if (!api_input_read(&list_type, &raw, body, arena, &faults, error))
		return false;
	input_out->start_after = raw.start_after;
	input_out->limit = raw.limit.is_set ? (uint32_t)raw.limit.value : LIMIT_LIST_TABLES_COUNT;
	return true;
}
