#include "proto/catalog/catalog_info.h"

#include <stdlib.h>

#include "proto/catalog/index_info.h"
#include "proto/catalog/tag_info.h"
#include "proto/model/row_key.h"
#include "proto/wire/proto_borrow.h"

/* --- decoding helpers --- */

/* Copy a text of visible ASCII characters, min to max of them. */
static enum status copy_text(char *out, const char *text, size_t size_min, size_t size_max)
{
	size_t size = strnlen(text, size_max + 1);

	if (size < size_min || size > size_max)
		return ST_CORRUPT;
	for (size_t i = 0; i < size; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return ST_CORRUPT;
	}
	memcpy(out, text, size);
	out[size] = '\0';
	return ST_OK;
}

/* All zeros if absent. */
static enum status copy_uuid(uint8_t out[CATALOG_UUID_SIZE], const ProtobufCBinaryData *data)
{
	if (data->len != 0 && data->len != CATALOG_UUID_SIZE)
		return ST_CORRUPT;
	memset(out, 0, CATALOG_UUID_SIZE);
	if (data->len > 0)
		memcpy(out, data->data, CATALOG_UUID_SIZE);
	return ST_OK;
}

/* --- nodes --- */

enum status node_info_decode(const Cleave__NodeRecord *record, struct node_info *node_out)
{
	struct node_info node = { .node_id = record->node_id, .version = record->version };
	enum status status = copy_text(node.zone, record->zone, 1, CATALOG_ZONE_SIZE_MAX);

	if (status == ST_OK)
		status = copy_text(node.host, record->host, 1, CATALOG_HOST_SIZE_MAX);
	if (status == ST_OK)
		status = copy_uuid(node.incarnation, &record->incarnation);
	if (status != ST_OK)
		return status;
	if (record->node_id == 0 || record->port == 0 || record->port > UINT16_MAX)
		return ST_CORRUPT;
	node.port = (uint16_t)record->port;
	*node_out = node;
	return ST_OK;
}

Cleave__NodeRecord *node_info_encode(const struct node_info *node, struct arena *arena)
{
	Cleave__NodeRecord *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__node_record__init(record);
	record->node_id = node->node_id;
	record->version = node->version;
	record->zone = proto_borrow_text(node->zone);
	record->host = proto_borrow_text(node->host);
	record->port = node->port;
	record->incarnation = proto_borrow_bytes(slice_of(node->incarnation, CATALOG_UUID_SIZE));
	return record;
}

bool node_info_equal(const struct node_info *a, const struct node_info *b)
{
	return a->node_id == b->node_id && a->port == b->port && strcmp(a->zone, b->zone) == 0 &&
	       strcmp(a->host, b->host) == 0 &&
	       memcmp(a->incarnation, b->incarnation, CATALOG_UUID_SIZE) == 0;
}

/* --- tables --- */

enum status table_schema_decode(const Cleave__TableSchema *schema, struct table_schema *schema_out)
{
	const Cleave__KeyAttribute *key;
	enum status status;

	if (schema == NULL || schema->partition_key == NULL ||
	    (schema->sort_key == NULL && schema->n_more_sort_keys > 0))
		return ST_CORRUPT;
	key = schema->partition_key;
	status = table_schema_init(schema_out, slice_of_string(key->name), slice_of_string(key->type));
	for (size_t i = 0; status == ST_OK && i < schema->n_more_partition_keys; i++)
		status = table_schema_add_partition_key(
			schema_out, slice_of_string(schema->more_partition_keys[i]->name),
			slice_of_string(schema->more_partition_keys[i]->type));
	if (status == ST_OK && schema->sort_key != NULL)
		status = table_schema_add_sort_key(schema_out, slice_of_string(schema->sort_key->name),
						   slice_of_string(schema->sort_key->type));
	for (size_t i = 0; status == ST_OK && i < schema->n_more_sort_keys; i++)
		status = table_schema_add_sort_key(schema_out,
						   slice_of_string(schema->more_sort_keys[i]->name),
						   slice_of_string(schema->more_sort_keys[i]->type));
	return status == ST_OK ? ST_OK : ST_CORRUPT;
}

/* Derived tables have names of their own kind, which no client can give. */
static bool is_table_name(const char *name, uint32_t base_table_id)
{
	if (base_table_id == 0)
		return table_schema_name_is_valid(slice_of_string(name));
	return strncmp(name, CATALOG_DERIVED_PREFIX, strlen(CATALOG_DERIVED_PREFIX)) == 0;
}

enum status table_info_decode(const Cleave__TableRecord *record, struct arena *arena,
			      struct table_info *table_out)
{
	struct table_info table = {
		.table_id = record->table_id,
		.state = (enum table_state)record->state,
		.version = record->version,
		.token_seed = record->token_seed,
		.created_wall_us = record->created_wall_us,
		.is_on_demand = record->is_on_demand,
		.deletion_protection = record->deletion_protection,
		.read_units = record->read_units,
		.write_units = record->write_units,
		.next_units = index_info_decode_units(record->next_units),
		.billing_changed_wall_us = record->billing_changed_wall_us,
		.increased_wall_us = record->increased_wall_us,
		.decreased_wall_us = record->decreased_wall_us,
		.decreases_today = record->decreases_today,
		.base_table_id = record->base_table_id,
		.is_born_with_indexes = record->is_born_with_indexes,
		.is_encrypted = record->is_encrypted,
	};
	enum status status;

	if (!is_table_name(record->name, record->base_table_id) || record->state < 0 ||
	    record->state > CLEAVE__TABLE_RECORD__STATE__DELETING)
		return ST_CORRUPT;
	status = copy_text(table.name, record->name, 1, LIMIT_TABLE_NAME_SIZE_BYTES_MAX);
	if (status == ST_OK)
		status = copy_text(table.table_class, record->table_class, 0, CATALOG_CLASS_SIZE_MAX);
	if (status == ST_OK)
		status = copy_text(table.kms_key, record->kms_key, 0, CATALOG_KMS_KEY_SIZE_MAX);
	if (status == ST_OK)
		status = copy_uuid(table.uuid, &record->uuid);
	if (status == ST_OK)
		status = tag_info_decode(&record->tags, arena, &table.tags);
	if (status == ST_OK)
		status = table_schema_decode(record->schema, &table.schema);
	if (status == ST_OK && record->base_table_id == 0 && !table_schema_is_simple(&table.schema))
		status = ST_CORRUPT;
	if (status == ST_OK)
		status = index_info_decode_all(record, arena, &table.indexes);
	if (status == ST_OK)
		*table_out = table;
	return status;
}

static Cleave__KeyAttribute *encode_key(const struct key_attribute *attribute, struct arena *arena)
{
	Cleave__KeyAttribute *key = arena_alloc(arena, sizeof(*key));

	if (key == NULL)
		return NULL;
	cleave__key_attribute__init(key);
	key->name = proto_borrow_text(attribute->name);
	key->type = proto_borrow_text(attribute->type == ITEM_S   ? "S"
				      : attribute->type == ITEM_N ? "N"
								  : "B");
	return key;
}

/* Those behind the first one of a kind: from first to before end. */
static bool encode_keys(const struct table_schema *schema, uint32_t first, uint32_t end, struct arena *arena,
			size_t *count_out, Cleave__KeyAttribute ***keys_out)
{
	if (first >= end)
		return true;
	*keys_out = arena_alloc(arena, (end - first) * sizeof(**keys_out));
	if (*keys_out == NULL)
		return false;
	for (uint32_t i = first; i < end; i++) {
		Cleave__KeyAttribute *key = encode_key(&schema->attributes[i], arena);

		if (key == NULL)
			return false;
		(*keys_out)[(*count_out)++] = key;
	}
	return true;
}

static bool encode_more(const struct table_schema *schema, Cleave__TableSchema *record, struct arena *arena)
{
	return encode_keys(schema, 1, schema->partition_count, arena, &record->n_more_partition_keys,
			   &record->more_partition_keys) &&
	       encode_keys(schema, schema->partition_count + 1u, table_schema_key_count(schema), arena,
			   &record->n_more_sort_keys, &record->more_sort_keys);
}

Cleave__TableSchema *table_schema_encode(const struct table_schema *schema, struct arena *arena)
{
	Cleave__TableSchema *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__table_schema__init(record);
	record->partition_key = encode_key(&schema->attributes[0], arena);
	if (record->partition_key == NULL)
		return NULL;
	if (schema->sort_count > 0) {
		record->sort_key = encode_key(&schema->attributes[schema->partition_count], arena);
		if (record->sort_key == NULL)
			return NULL;
	}
	return encode_more(schema, record, arena) ? record : NULL;
}

Cleave__TableRecord *table_info_encode(const struct table_info *table, struct arena *arena)
{
	Cleave__TableRecord *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__table_record__init(record);
	record->schema = table_schema_encode(&table->schema, arena);
	if (record->schema == NULL)
		return NULL;
	record->table_id = table->table_id;
	record->name = proto_borrow_text(table->name);
	record->token_seed = table->token_seed;
	record->state = (Cleave__TableRecord__State)table->state;
	record->created_wall_us = table->created_wall_us;
	record->uuid = proto_borrow_bytes(slice_of(table->uuid, CATALOG_UUID_SIZE));
	record->is_on_demand = table->is_on_demand;
	record->read_units = table->read_units;
	record->write_units = table->write_units;
	record->version = table->version;
	record->billing_changed_wall_us = table->billing_changed_wall_us;
	record->increased_wall_us = table->increased_wall_us;
	record->decreased_wall_us = table->decreased_wall_us;
	record->decreases_today = table->decreases_today;
	record->deletion_protection = table->deletion_protection;
	record->table_class = proto_borrow_text(table->table_class);
	record->base_table_id = table->base_table_id;
	record->is_born_with_indexes = table->is_born_with_indexes;
	record->is_encrypted = table->is_encrypted;
	record->kms_key = proto_borrow_text(table->kms_key);
	record->tags = proto_borrow_bytes(table->tags);
	if (!index_info_encode_units(&table->next_units, &record->next_units, arena) ||
	    (table->indexes != NULL && !index_info_encode_all(table->indexes, record, arena)))
		return NULL;
	return record;
}

/* --- partitions --- */

static enum status check_partition(const Cleave__PartitionRecord *record)
{
	struct slice start = slice_of(record->range_start.data, record->range_start.len);
	struct slice end = slice_of(record->range_end.data, record->range_end.len);
	uint32_t table_id;
	uint64_t token;
	enum status status;

	if (record->partition_id == 0 || record->n_replicas == 0 || record->n_replicas > CATALOG_REPLICAS_MAX)
		return ST_CORRUPT;
	if (start.size > LIMIT_ROW_KEY_SIZE_BYTES || end.size > LIMIT_ROW_KEY_SIZE_BYTES ||
	    slice_compare(start, end) >= 0)
		return ST_CORRUPT;
	status = row_key_head(start, &table_id, &token);
	if (status == ST_OK && table_id != record->table_id)
		return ST_CORRUPT;
	return status;
}

enum status partition_info_decode(const Cleave__PartitionRecord *record,
				  struct partition_info **partition_out)
{
	struct partition_info *partition;
	uint8_t *bytes;
	enum status status = check_partition(record);

	if (status != ST_OK)
		return status;
	partition = calloc(1, sizeof(*partition) + record->range_start.len + record->range_end.len);
	if (partition == NULL)
		return ST_NO_MEMORY;
	bytes = (uint8_t *)(partition + 1);
	memcpy(bytes, record->range_start.data, record->range_start.len);
	partition->range_start = slice_of(bytes, record->range_start.len);
	bytes += record->range_start.len;
	memcpy(bytes, record->range_end.data, record->range_end.len);
	partition->range_end = slice_of(bytes, record->range_end.len);
	partition->partition_id = record->partition_id;
	partition->table_id = record->table_id;
	partition->epoch = record->epoch;
	partition->version = record->version;
	partition->preferred_leader_node_id = record->preferred_leader_node_id;
	for (size_t i = 0; i < record->n_replicas; i++)
		partition->replicas[i] = (struct partition_replica){ record->replicas[i]->replica_id,
								     record->replicas[i]->node_id };
	partition->replica_count = (uint32_t)record->n_replicas;
	*partition_out = partition;
	return ST_OK;
}

static bool encode_replicas(const struct partition_info *partition, Cleave__PartitionRecord *record,
			    struct arena *arena)
{
	size_t count = partition->replica_count;
	Cleave__ReplicaRecord *replicas = arena_alloc(arena, count * sizeof(*replicas));
	Cleave__ReplicaRecord **pointers = arena_alloc(arena, count * sizeof(*pointers));

	if (replicas == NULL || pointers == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		cleave__replica_record__init(&replicas[i]);
		replicas[i].replica_id = partition->replicas[i].replica_id;
		replicas[i].node_id = partition->replicas[i].node_id;
		pointers[i] = &replicas[i];
	}
	record->n_replicas = count;
	record->replicas = pointers;
	return true;
}

Cleave__PartitionRecord *partition_info_encode(const struct partition_info *partition, struct arena *arena)
{
	Cleave__PartitionRecord *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__partition_record__init(record);
	if (!encode_replicas(partition, record, arena))
		return NULL;
	record->partition_id = partition->partition_id;
	record->table_id = partition->table_id;
	record->range_start = proto_borrow_bytes(partition->range_start);
	record->range_end = proto_borrow_bytes(partition->range_end);
	record->epoch = partition->epoch;
	record->preferred_leader_node_id = partition->preferred_leader_node_id;
	record->version = partition->version;
	return record;
}

void partition_info_free(struct partition_info *partition)
{
	free(partition);
}

bool partition_info_holds(const struct partition_info *partition, struct slice row_key)
{
	return slice_compare(partition->range_start, row_key) <= 0 &&
	       slice_compare(row_key, partition->range_end) < 0;
}

const struct partition_replica *partition_info_find_replica(const struct partition_info *partition,
							    uint64_t node_id)
{
	for (uint32_t i = 0; i < partition->replica_count; i++) {
		if (partition->replicas[i].node_id == node_id)
			return &partition->replicas[i];
	}
	return NULL;
}

/* --- settings --- */

void catalog_settings_decode(const Cleave__CatalogSettings *record, struct catalog_settings *settings_out)
{
	*settings_out = (struct catalog_settings){
		.version = record->version,
		.election_timeout_ms = record->election_timeout_ms,
		.heartbeat_ms = record->heartbeat_ms,
		.leases = record->leases,
		.on_demand_partitions = record->on_demand_partitions,
		.replica_count = record->replica_count,
	};
}

Cleave__CatalogSettings *catalog_settings_encode(const struct catalog_settings *settings, struct arena *arena)
{
	Cleave__CatalogSettings *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__catalog_settings__init(record);
	record->version = settings->version;
	record->election_timeout_ms = settings->election_timeout_ms;
	record->heartbeat_ms = settings->heartbeat_ms;
	record->leases = settings->leases;
	record->on_demand_partitions = settings->on_demand_partitions;
	record->replica_count = settings->replica_count;
	return record;
}
