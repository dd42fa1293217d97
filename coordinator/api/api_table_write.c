#include "coordinator/api/api_table_write.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/base/base64.h"

#define ACCOUNT "000000000000"

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

static void write_definition(struct json_writer *writer, const struct key_attribute *attribute)
{
	json_writer_object_start(writer);
	json_writer_member_string(writer, "AttributeName", key_attribute_name(attribute));
	json_writer_member_text(writer, "AttributeType", item_type_name(attribute->type));
	json_writer_object_end(writer);
}

static void write_schema(struct json_writer *writer, const struct table_schema *schema)
{
	json_writer_key(writer, "AttributeDefinitions");
	json_writer_list_start(writer);
	write_definition(writer, &schema->partition_key);
	if (schema->has_sort_key)
		write_definition(writer, &schema->sort_key);
	json_writer_list_end(writer);
	json_writer_key(writer, "KeySchema");
	json_writer_list_start(writer);
	write_key(writer, &schema->partition_key, "HASH");
	if (schema->has_sort_key)
		write_key(writer, &schema->sort_key, "RANGE");
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

/* A table that was never on demand has none. */
static void write_billing(struct json_writer *writer, const struct table_info *table)
{
	uint64_t changed_us = table->billing_changed_wall_us;

	if (!table->is_on_demand && changed_us == 0)
		return;
	json_writer_key(writer, "BillingModeSummary");
	json_writer_object_start(writer);
	json_writer_member_text(writer, "BillingMode",
				table->is_on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
	write_time(writer, "LastUpdateToPayPerRequestDateTime",
		   changed_us == 0 ? table->created_wall_us : changed_us);
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

static void write_arn(struct json_writer *writer, const struct table_info *table, const char *region)
{
	char text[LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 256];

	(void)snprintf(text, sizeof(text), "arn:aws:dynamodb:%s:" ACCOUNT ":table/%s", region, table->name);
	json_writer_member_text(writer, "TableArn", text);
}

void api_table_write(struct json_writer *writer, const char *name, const struct table_info *table,
		     const char *region)
{
	json_writer_key(writer, name);
	json_writer_object_start(writer);
	write_schema(writer, &table->schema);
	json_writer_member_text(writer, "TableName", table->name);
	json_writer_member_text(writer, "TableStatus", state_name(table->state));
	write_time(writer, "CreationDateTime", table->created_wall_us);
	write_throughput(writer, table);
	json_writer_member_int(writer, "TableSizeBytes", 0);
	json_writer_member_int(writer, "ItemCount", 0);
	write_arn(writer, table, region);
	write_uuid(writer, table->uuid);
	write_billing(writer, table);
	write_class(writer, table);
	json_writer_member_bool(writer, "DeletionProtectionEnabled", table->deletion_protection);
	json_writer_object_end(writer);
}
