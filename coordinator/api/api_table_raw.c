#include "coordinator/api/api_table_raw.h"

#include "coordinator/api/api_type.h"

enum { KEY_COUNT_MAX = 2, INDEX_ATTRIBUTES_MAX = 20 };

/* --- enumerations --- */

static const char *const attribute_types[] = { "B", "N", "S", NULL };
static const struct json_values attribute_type_values = { attribute_types, "[B, N, S]" };
static const struct json_rule attribute_type_rule = { .values = &attribute_type_values };
static const struct json_type attribute_type = API_TYPE_STRING(&attribute_type_rule);

static const char *const key_roles[] = { "HASH", "RANGE", NULL };
static const struct json_values key_role_values = { key_roles, "[HASH, RANGE]" };
static const struct json_rule key_role_rule = { .values = &key_role_values };
static const struct json_type key_role = API_TYPE_STRING(&key_role_rule);

static const char *const billing_modes[] = { "PROVISIONED", "PAY_PER_REQUEST", NULL };
static const struct json_values billing_values = { billing_modes, "[PROVISIONED, PAY_PER_REQUEST]" };
static const struct json_rule billing_rule = { .values = &billing_values };
static const struct json_type billing_type = API_TYPE_STRING(&billing_rule);

static const char *const projections[] = { "ALL", "INCLUDE", "KEYS_ONLY", NULL };
static const struct json_values projection_values = { projections, "[ALL, INCLUDE, KEYS_ONLY]" };
static const struct json_rule projection_rule = { .values = &projection_values };
static const struct json_type projection_kind = API_TYPE_STRING(&projection_rule);

static const char *const views[] = { "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY", NULL };
static const struct json_values view_values = { views,
						"[NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]" };
static const struct json_rule view_rule = { .values = &view_values };
static const struct json_type view_type = API_TYPE_STRING(&view_rule);

static const char *const encryptions[] = { "AES256", "KMS", NULL };
static const struct json_values encryption_values = { encryptions, "[AES256, KMS]" };
static const struct json_rule encryption_rule = { .values = &encryption_values };
static const struct json_type encryption_kind = API_TYPE_STRING(&encryption_rule);

/* --- parts --- */

static const struct json_field definition_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_pair, "AttributeName", &api_type_attribute_name, name),
	JSON_FIELD_REQUIRED(struct raw_pair, "AttributeType", &attribute_type, value),
};
static const struct json_type definition_type = JSON_STRUCT("AttributeDefinition", struct raw_pair,
							    definition_fields);
static const struct json_type definitions_type = JSON_LIST_OF(&definition_type);

static const struct json_field key_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_pair, "AttributeName", &api_type_attribute_name, name),
	JSON_FIELD_REQUIRED(struct raw_pair, "KeyType", &key_role, value),
};
static const struct json_type key_type = JSON_STRUCT("KeySchemaElement", struct raw_pair, key_fields);
static const struct json_rule keys_rule = API_RULE_BOUNDS(1, KEY_COUNT_MAX);
static const struct json_type keys_type = API_TYPE_LIST(&key_type, &keys_rule);
/* How many of each role there may be is told in other words. */
static const struct json_rule global_keys_rule = API_RULE_BOUNDS(1, INT64_MAX);
static const struct json_type global_keys_type = API_TYPE_LIST(&key_type, &global_keys_rule);

static const struct json_rule unit_rule = API_RULE_BOUNDS(1, INT64_MAX);
static const struct json_type unit_type = API_TYPE_LONG(&unit_rule);
static const struct json_field units_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_units, "WriteCapacityUnits", &unit_type, write),
	JSON_FIELD_REQUIRED(struct raw_units, "ReadCapacityUnits", &unit_type, read),
};
static const struct json_type units_type = JSON_STRUCT("ProvisionedThroughput", struct raw_units,
						       units_fields);
static const struct json_field on_demand_fields[] = {
	JSON_FIELD(struct raw_units, "MaxReadRequestUnits", &json_type_long, read),
	JSON_FIELD(struct raw_units, "MaxWriteRequestUnits", &json_type_long, write),
};
static const struct json_type on_demand_type = JSON_STRUCT("OnDemandThroughput", struct raw_units,
							   on_demand_fields);

static const struct json_rule index_attributes_rule = API_RULE_BOUNDS(1, INDEX_ATTRIBUTES_MAX);
static const struct json_type index_attributes_type = API_TYPE_LIST(&api_type_attribute_name,
								    &index_attributes_rule);
static const struct json_field projection_fields[] = {
	JSON_FIELD(struct raw_projection, "ProjectionType", &projection_kind, type),
	JSON_FIELD(struct raw_projection, "NonKeyAttributes", &index_attributes_type, attributes),
};
static const struct json_type projection_type = JSON_STRUCT("Projection", struct raw_projection,
							    projection_fields);

static const struct json_type unread_type = {
	.kind = JSON_KIND_STRUCT,
	.size_bytes = sizeof(struct raw_unread),
	.java_name = "Object",
};
static const struct json_type unread_list_type = JSON_LIST_OF(&unread_type);

/* --- indexes --- */

#define INDEX_NAME  JSON_FIELD_REQUIRED(struct raw_index, "IndexName", &api_type_index_name, name)
#define INDEX_UNITS JSON_FIELD_NOTED(struct raw_index, "ProvisionedThroughput", &units_type, units, has_units)
#define INDEX_KEYS(type)                                                                                     \
	JSON_FIELD_REQUIRED(struct raw_index, "KeySchema", type, keys),                                      \
		JSON_FIELD_NOTED_REQUIRED(struct raw_index, "Projection", &projection_type, projection,      \
					  has_projection)
#define INDEX_OTHER_UNITS                                                                                    \
	JSON_FIELD_NOTED(struct raw_index, "OnDemandThroughput", &unread_type, on_demand_units,              \
			 has_on_demand_units),                                                               \
		JSON_FIELD_NOTED(struct raw_index, "WarmThroughput", &unread_type, warm_units,               \
				 has_warm_units)

static const struct json_field local_index_fields[] = { INDEX_NAME, INDEX_KEYS(&keys_type) };
static const struct json_type local_index_type = JSON_STRUCT("LocalSecondaryIndex", struct raw_index,
							     local_index_fields);
static const struct json_type local_indexes_type = JSON_LIST_OF(&local_index_type);

static const struct json_field global_index_fields[] = { INDEX_NAME, INDEX_UNITS,
							 INDEX_KEYS(&global_keys_type), INDEX_OTHER_UNITS };
static const struct json_type global_index_type = JSON_STRUCT("GlobalSecondaryIndex", struct raw_index,
							      global_index_fields);
static const struct json_type global_indexes_type = JSON_LIST_OF(&global_index_type);

static const struct json_field index_create_fields[] = { INDEX_NAME, INDEX_UNITS,
							 INDEX_KEYS(&global_keys_type), INDEX_OTHER_UNITS };
static const struct json_type index_create_type = JSON_STRUCT("CreateGlobalSecondaryIndexAction",
							      struct raw_index, index_create_fields);
static const struct json_field index_change_fields[] = {
	INDEX_NAME,
	JSON_FIELD_NOTED_REQUIRED(struct raw_index, "ProvisionedThroughput", &units_type, units, has_units),
	INDEX_OTHER_UNITS,
};
static const struct json_type index_change_type = JSON_STRUCT("UpdateGlobalSecondaryIndexAction",
							      struct raw_index, index_change_fields);
static const struct json_field index_delete_fields[] = { INDEX_NAME };
static const struct json_type index_delete_type = JSON_STRUCT("DeleteGlobalSecondaryIndexAction",
							      struct raw_index, index_delete_fields);
static const struct json_field index_update_fields[] = {
	JSON_FIELD_NOTED(struct raw_index_update, "Update", &index_change_type, update, has_update),
	JSON_FIELD_NOTED(struct raw_index_update, "Create", &index_create_type, create, has_create),
	JSON_FIELD_NOTED(struct raw_index_update, "Delete", &index_delete_type, delete, has_delete),
};
static const struct json_type index_update_type = JSON_STRUCT("GlobalSecondaryIndexUpdate",
							      struct raw_index_update, index_update_fields);
static const struct json_type index_updates_type = JSON_LIST_OF(&index_update_type);

/* --- settings --- */

static const struct json_field stream_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_stream, "StreamEnabled", &json_type_bool, is_on),
	JSON_FIELD(struct raw_stream, "StreamViewType", &view_type, view),
};
static const struct json_type stream_type = JSON_STRUCT("StreamSpecification", struct raw_stream,
							stream_fields);

static const struct json_field encryption_fields[] = {
	JSON_FIELD(struct raw_encryption, "Enabled", &json_type_bool, is_on),
	JSON_FIELD(struct raw_encryption, "SSEType", &encryption_kind, type),
	JSON_FIELD(struct raw_encryption, "KMSMasterKeyId", &json_type_string, key),
};
static const struct json_type encryption_type = JSON_STRUCT("SSESpecification", struct raw_encryption,
							    encryption_fields);

static const struct json_field tag_fields[] = {
	JSON_FIELD(struct raw_pair, "Key", &json_type_string, name),
	JSON_FIELD(struct raw_pair, "Value", &json_type_string, value),
};
static const struct json_type tag_type = JSON_STRUCT("Tag", struct raw_pair, tag_fields);
const struct json_type api_table_raw_tags = JSON_LIST_OF(&tag_type);

/* --- the requests, in the service's order of constraints --- */

#define FIELD(name, type, member) JSON_FIELD(struct raw_table, name, type, member)
#define NOTED(name, type, member) JSON_FIELD_NOTED(struct raw_table, name, type, member, has_##member)
#define UNITS_FIELDS                                                                                         \
	FIELD("BillingMode", &billing_type, billing_mode), NOTED("ProvisionedThroughput", &units_type, units)
#define SETTINGS_FIELDS                                                                                      \
	NOTED("StreamSpecification", &stream_type, stream),                                                  \
		NOTED("SSESpecification", &encryption_type, encryption),                                     \
		FIELD("TableClass", &json_type_string, table_class),                                         \
		FIELD("DeletionProtectionEnabled", &json_type_bool, deletion_protection),                    \
		NOTED("OnDemandThroughput", &on_demand_type, on_demand_units),                               \
		NOTED("WarmThroughput", &unread_type, warm_units)

static const struct json_field create_fields[] = {
	JSON_FIELD_REQUIRED(struct raw_table, "AttributeDefinitions", &definitions_type, definitions),
	FIELD("TableName", &api_type_control_table, name),
	UNITS_FIELDS,
	JSON_FIELD_REQUIRED(struct raw_table, "KeySchema", &keys_type, keys),
	FIELD("LocalSecondaryIndexes", &local_indexes_type, local_indexes),
	FIELD("GlobalSecondaryIndexes", &global_indexes_type, global_indexes),
	FIELD("Tags", &api_table_raw_tags, tags),
	SETTINGS_FIELDS,
	FIELD("ResourcePolicy", &json_type_string, resource_policy),
};
static const struct json_field update_fields[] = {
	FIELD("AttributeDefinitions", &definitions_type, definitions),
	FIELD("TableName", &api_type_control_table, name),
	UNITS_FIELDS,
	FIELD("GlobalSecondaryIndexUpdates", &index_updates_type, index_updates),
	SETTINGS_FIELDS,
	FIELD("ReplicaUpdates", &unread_list_type, replica_updates),
	FIELD("GlobalTableWitnessUpdates", &unread_list_type, witness_updates),
	FIELD("MultiRegionConsistency", &json_type_string, consistency),
	FIELD("GlobalTableSettingsReplicationMode", &json_type_string, replication_mode),
};
const struct json_type api_table_raw_create = JSON_STRUCT("CreateTableInput", struct raw_table,
							  create_fields);
const struct json_type api_table_raw_update = JSON_STRUCT("UpdateTableInput", struct raw_table,
							  update_fields);
