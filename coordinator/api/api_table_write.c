#include "coordinator/api/api_table_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "coordinator/api/api_arn.h"
#include "proto/base/base64.h"

enum { UUID_TEXT_SIZE = 36, TIME_TEXT_SIZE_MAX = 32, US_PER_S = 1000 * 1000, US_PER_MS = 1000 };

static const char *state_name(enum table_state state)
{
	switch (state) {
	case TABLE_CREATING:
		return "CREATING";
	case TABLE_ACTIVE:
		return "ACTIVE";
	case TABLE_UPDATING:
		return "UPDATING";
	case TABLE_DELETING:
		return "DELETING";
	}
	UNREACHABLE();
}

/* Seconds since 1970 with milliseconds. */
static void write_time(struct json_writer *writer, const char *name, uint64_t wall_us)
{
	char text[TIME_TEXT_SIZE_MAX];

	(void)snprintf(text, sizeof(text), "%" PRIu64 ".%03u", wall_us / US_PER_S,
		       (unsigned)(wall_us % US_PER_S / US_PER_MS)); /* 14 + 4 characters at most */
	json_writer_member_raw(writer, name, slice_of_string(text));
}

static void write_time_if_set(struct json_writer *writer, const char *name, uint64_t wall_us)
{
	if (wall_us != 0)
		write_time(writer, name, wall_us);
}

static void write_uuid(struct json_writer *writer, const uint8_t uuid[CATALOG_UUID_SIZE])
{
	char hex[2 * CATALOG_UUID_SIZE + 1];
	char text[UUID_TEXT_SIZE + 1];

	hex_encode_to(hex, uuid, CATALOG_UUID_SIZE);
	(void)snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
	json_writer_member_text(writer, "TableId", text);
}

static void write_key(struct json_writer *writer, const struct key_attribute *attribute, const char *key_type)
{
	json_writer_object_start(writer);
	json_writer_member_string(writer, "AttributeName", key_attribute_name(attribute));
	json_writer_member_text(writer, "KeyType", key_type);
	json_writer_object_end(writer);
}

static void write_schema(struct json_writer *writer, const struct table_schema *schema)
{
	json_writer_key(writer, "KeySchema");
	json_writer_list_start(writer);
	for (uint32_t i = 0; i < table_schema_key_count(schema); i++)
		write_key(writer, &schema->attributes[i], i < schema->partition_count ? "HASH" : "RANGE");
	json_writer_list_end(writer);
}

/* An attribute of the schema at index; index -1 is the table itself. */
static void write_definition(struct json_writer *writer, const struct table_info *table, int64_t index,
			     const struct key_attribute *attribute)
{
	struct slice name = key_attribute_name(attribute);

	if (index >= 0 && table_schema_find(&table->schema, name) != NULL)
		return;
	for (int64_t i = 0; i < index; i++) {
		if (table_schema_find(&table->indexes->list[i].schema, name) != NULL)
			return; /* it was written there */
	}
	json_writer_object_start(writer);
	json_writer_member_string(writer, "AttributeName", name);
	json_writer_member_text(writer, "AttributeType", item_type_name(attribute->type));
	json_writer_object_end(writer);
}

/* Each key attribute once, of the table and then of its indexes. */
static void write_definitions(struct json_writer *writer, const struct table_info *table)
{
	int64_t count = table->indexes == NULL ? 0 : table->indexes->count;

	json_writer_key(writer, "AttributeDefinitions");
	json_writer_list_start(writer);
	for (int64_t i = -1; i < count; i++) {
		const struct table_schema *schema = i < 0 ? &table->schema : &table->indexes->list[i].schema;

		for (uint32_t k = 0; k < table_schema_key_count(schema); k++)
			write_definition(writer, table, i, &schema->attributes[k]);
	}
	json_writer_list_end(writer);
}

static void write_throughput(struct json_writer *writer, const struct table_info *table)
{
	json_writer_key(writer, "ProvisionedThroughput");
	json_writer_object_start(writer);
	write_time_if_set(writer, "LastIncreaseDateTime", table->increased_wall_us);
	write_time_if_set(writer, "LastDecreaseDateTime", table->decreased_wall_us);
	json_writer_member_int(writer, "NumberOfDecreasesToday", table->decreases_today);
	json_writer_member_int(writer, "ReadCapacityUnits",
			       table->is_on_demand ? 0 : (int64_t)table->read_units);
	json_writer_member_int(writer, "WriteCapacityUnits",
			       table->is_on_demand ? 0 : (int64_t)table->write_units);
	json_writer_object_end(writer);
}

/* The mode, and when it was made on demand the last time, which is told once that is done. */
static void write_mode(struct json_writer *writer, const struct table_info *table, const char *summary,
		       const char *member)
{
	uint64_t changed_us = table->billing_changed_wall_us;
	bool is_done = table->state != TABLE_CREATING && (table->state != TABLE_UPDATING || changed_us != 0);

	json_writer_key(writer, summary);
	json_writer_object_start(writer);
	json_writer_member_text(writer, member, table->is_on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
	if (is_done)
		write_time(writer, "LastUpdateToPayPerRequestDateTime",
			   changed_us == 0 ? table->created_wall_us : changed_us);
	json_writer_object_end(writer);
}

/* A table that was never on demand tells no mode. */
static void write_billing(struct json_writer *writer, const struct table_info *table)
{
	if (!table->is_on_demand && table->billing_changed_wall_us == 0)
		return;
	write_mode(writer, table, "BillingModeSummary", "BillingMode");
	write_mode(writer, table, "TableThroughputModeSummary", "TableThroughputMode");
}

static int64_t maximum_of(uint64_t units)
{
	return units == 0 ? -1 : (int64_t)units;
}

static void write_maximum(struct json_writer *writer, const struct table_info *table)
{
	if (!table->is_on_demand || (table->read_units == 0 && table->write_units == 0))
		return;
	json_writer_key(writer, "OnDemandThroughput");
	json_writer_object_start(writer);
	json_writer_member_int(writer, "MaxReadRequestUnits", maximum_of(table->read_units));
	json_writer_member_int(writer, "MaxWriteRequestUnits", maximum_of(table->write_units));
	json_writer_object_end(writer);
}

static void write_class(struct json_writer *writer, const struct table_info *table)
{
	if (table->table_class[0] == '\0')
		return;
	json_writer_key(writer, "TableClassSummary");
	json_writer_object_start(writer);
	json_writer_member_text(writer, "TableClass", table->table_class);
	json_writer_object_end(writer);
}

/* The key's ARN: it may have been given as one, or by its alias or id. */
static void write_key_arn(struct json_writer *writer, const char *region, const char *key)
{
	char text[CATALOG_KMS_KEY_SIZE_MAX + 256];
	const char *name = key[0] == '\0' ? "alias/aws/dynamodb" : key;
	const char *kind = strncmp(name, "alias/", 6) == 0 || strncmp(name, "key/", 4) == 0 ? "" : "key/";

	if (strncmp(name, "arn:", 4) == 0)
		(void)snprintf(text, sizeof(text), "%s", name); /* fits */
	else
		(void)snprintf(text, sizeof(text), "arn:aws:kms:%s:" API_ARN_ACCOUNT ":%s%s", region, kind,
			       name);
	json_writer_member_text(writer, "KMSMasterKeyArn", text);
}

static void write_encryption(struct json_writer *writer, const struct table_info *table, const char *region)
{
	if (!table->is_encrypted)
		return;
	json_writer_key(writer, "SSEDescription");
	json_writer_object_start(writer);
	json_writer_member_text(writer, "Status", "ENABLED");
	json_writer_member_text(writer, "SSEType", "KMS");
	write_key_arn(writer, region, table->kms_key);
	json_writer_object_end(writer);
}

/* --- indexes --- */

static const char *projection_name(enum index_projection projection)
{
	switch (projection) {
	case INDEX_PROJECTS_ALL:
		return "ALL";
	case INDEX_PROJECTS_KEYS:
		return "KEYS_ONLY";
	case INDEX_PROJECTS_SOME:
		return "INCLUDE";
	}
	UNREACHABLE();
}

static const char *index_state_name(enum index_state state)
{
	switch (state) {
	case INDEX_CREATING:
		return "CREATING";
	case INDEX_ACTIVE:
		return "ACTIVE";
	case INDEX_UPDATING:
		return "UPDATING";
	case INDEX_DELETING:
		return "DELETING";
	}
	UNREACHABLE();
}

static void write_projection(struct json_writer *writer, const struct table_index *index)
{
	json_writer_key(writer, "Projection");
	json_writer_object_start(writer);
	json_writer_member_text(writer, "ProjectionType", projection_name(index->projection));
	if (index->attribute_count > 0) {
		json_writer_key(writer, "NonKeyAttributes");
		json_writer_list_start(writer);
		for (uint32_t i = 0; i < index->attribute_count; i++)
			json_writer_string(writer, index->attributes[i]);
		json_writer_list_end(writer);
	}
	json_writer_object_end(writer);
}

/* What a global index has and a local one has not. */
static void write_global_part(struct json_writer *writer, const struct table_info *table,
			      const struct table_index *index)
{
	json_writer_member_text(writer, "IndexStatus", index_state_name(index->state));
	if (index->state == INDEX_CREATING && index->is_backfilling)
		json_writer_member_bool(writer, "Backfilling", true);
	json_writer_key(writer, "ProvisionedThroughput");
	json_writer_object_start(writer);
	json_writer_member_int(writer, "NumberOfDecreasesToday", 0);
	json_writer_member_int(writer, "ReadCapacityUnits",
			       table->is_on_demand ? 0 : (int64_t)index->read_units);
	json_writer_member_int(writer, "WriteCapacityUnits",
			       table->is_on_demand ? 0 : (int64_t)index->write_units);
	json_writer_object_end(writer);
}

static void write_rows(struct json_writer *writer, const char *size_name, struct api_table_rows rows)
{
	json_writer_member_int(writer, size_name, (int64_t)rows.size_bytes);
	json_writer_member_int(writer, "ItemCount", (int64_t)rows.count);
}

static void write_index(struct json_writer *writer, const struct table_info *table,
			const struct table_index *index, const Cleave__StatisticsReply *counts,
			const char *region)
{
	json_writer_object_start(writer);
	json_writer_member_text(writer, "IndexName", index->name);
	write_schema(writer, &index->schema);
	write_projection(writer, index);
	if (!table_index_is_local(index))
		write_global_part(writer, table, index);
	write_rows(writer, "IndexSizeBytes", api_table_count_index(counts, table, index));
	api_arn_write_index(writer, "IndexArn", region, table->name, index->name);
	json_writer_object_end(writer);
}

static void write_indexes(struct json_writer *writer, const struct table_info *table, bool is_local,
			  const Cleave__StatisticsReply *counts, const char *region)
{
	uint32_t cursor = 0;
	const struct table_index *index = table_indexes_next(table->indexes, is_local, &cursor);

	if (index == NULL)
		return;
	json_writer_key(writer, is_local ? "LocalSecondaryIndexes" : "GlobalSecondaryIndexes");
	json_writer_list_start(writer);
	for (; index != NULL; index = table_indexes_next(table->indexes, is_local, &cursor))
		write_index(writer, table, index, counts, region);
	json_writer_list_end(writer);
}

void api_table_write(struct json_writer *writer, const char *name, const struct table_info *table,
		     const Cleave__StatisticsReply *counts, const char *region)
{
	json_writer_key(writer, name);
	json_writer_object_start(writer);
	write_definitions(writer, table);
	write_schema(writer, &table->schema);
	json_writer_member_text(writer, "TableName", table->name);
	json_writer_member_text(writer, "TableStatus", state_name(table->state));
	write_time(writer, "CreationDateTime", table->created_wall_us);
	write_throughput(writer, table);
	write_rows(writer, "TableSizeBytes", api_table_count_items(counts, table));
	api_arn_write_table(writer, "TableArn", region, table->name);
	write_uuid(writer, table->uuid);
	write_billing(writer, table);
	write_indexes(writer, table, true, counts, region);
	if (table->state != TABLE_DELETING) /* they are gone before the table */
		write_indexes(writer, table, false, counts, region);
	write_class(writer, table);
	write_encryption(writer, table, region);
	write_maximum(writer, table);
	json_writer_member_bool(writer, "DeletionProtectionEnabled", table->deletion_protection);
	json_writer_object_end(writer);
}
