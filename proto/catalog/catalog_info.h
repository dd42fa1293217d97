/* The catalog's records as plain structs, and to and from their wire form.
 *
 * Threads  plain data and pure functions.
 * Memory   nodes and tables are whole inside their structs: copy by assignment; but a table's
 *          indexes and tags are borrowed, after decoding from the arena.  A partition is one malloc() block,
 *          range bytes included, freed by partition_info_free().
 *          Wire forms made here live in the arena and borrow strings from the struct.
 * Errors   decoding: ST_CORRUPT for a field that breaks a rule, ST_NO_MEMORY.
 *          Encoding: NULL when the arena is full.
 */
#ifndef PROTO_CATALOG_CATALOG_INFO_H
#define PROTO_CATALOG_CATALOG_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/bytes.h"
#include "proto/model/limits.h"
#include "proto/model/table_index.h"
#include "proto/model/table_schema.h"
#include "proto/wire/catalog.pb-c.h"

enum {
	CATALOG_GROUP_ID = 1,              /* the Raft group of the catalog itself */
	CATALOG_FIRST_PARTITION_ID = 1000, /* partition id == Raft group id */
	CATALOG_NODES_MAX = 1000,
	CATALOG_TABLES_MAX = 10000,
	CATALOG_PARTITIONS_MAX = 100000,
	CATALOG_TABLE_PARTITIONS_MAX = 1024, /* of a table at its creation */
	CATALOG_REPLICAS_MAX = 9,
	CATALOG_ZONE_SIZE_MAX = 63,
	CATALOG_HOST_SIZE_MAX = 255,
	CATALOG_UUID_SIZE = 16,
	CATALOG_REQUEST_ID_SIZE_MAX = 64,
	CATALOG_CLASS_SIZE_MAX = 63,
	CATALOG_KMS_KEY_SIZE_MAX = 255,
};

/* Names of derived tables: this and their id. */
#define CATALOG_DERIVED_PREFIX "index/"

struct node_info {
	uint64_t node_id;
	uint64_t version; /* of the catalog at the record's last change; here and below */
	char zone[CATALOG_ZONE_SIZE_MAX + 1];
	char host[CATALOG_HOST_SIZE_MAX + 1];
	uint16_t port;
	uint8_t incarnation[CATALOG_UUID_SIZE]; /* zeros: not told */
};

/* Sent: never renumber (TableRecord.State). */
enum table_state { TABLE_CREATING = 0, TABLE_ACTIVE = 1, TABLE_UPDATING = 2, TABLE_DELETING = 3 };

struct table_info {
	uint32_t table_id;
	enum table_state state;
	uint64_t version;
	char name[LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 1];
	struct table_schema schema;
	uint64_t token_seed; /* secret */
	uint8_t uuid[CATALOG_UUID_SIZE];
	uint64_t created_wall_us;
	bool is_on_demand;
	bool deletion_protection;
	uint64_t read_units; /* provisioned, or the on-demand maximum */
	uint64_t write_units;
	struct table_next_units next_units; /* TABLE_UPDATING: what is provisioned afterwards */
	uint64_t billing_changed_wall_us;   /* to on demand, the last time; 0: never, or about to be */
	uint64_t increased_wall_us;
	uint64_t decreased_wall_us;
	uint32_t decreases_today;
	char table_class[CATALOG_CLASS_SIZE_MAX + 1]; /* empty: not told */
	bool is_encrypted;                            /* with a key of the key management service */
	char kms_key[CATALOG_KMS_KEY_SIZE_MAX + 1];   /* empty: the service's own */
	struct slice tags;                            /* a packed TagSet (tag_info.h) */
	const struct table_indexes *indexes;          /* NULL: none */
	bool is_born_with_indexes;
	uint32_t base_table_id; /* not 0: a derived table, which holds a global index of that table */
};

/* Is it one that clients made and can name? */
static inline bool table_info_is_named(const struct table_info *table)
{
	return table->base_table_id == 0;
}

/* May items be read and written? */
static inline bool table_info_is_usable(const struct table_info *table)
{
	return table->state == TABLE_ACTIVE || table->state == TABLE_UPDATING;
}

struct partition_replica {
	uint64_t replica_id; /* never used again */
	uint64_t node_id;
};

struct partition_info {
	uint64_t partition_id;
	uint32_t table_id;
	uint32_t epoch;
	uint64_t version;
	struct slice range_start; /* inclusive row key */
	struct slice range_end;   /* exclusive */
	struct partition_replica replicas[CATALOG_REPLICAS_MAX];
	uint32_t replica_count;
	uint64_t preferred_leader_node_id;
};

struct catalog_settings {
	uint64_t version; /* 0: never set */
	uint32_t election_timeout_ms;
	uint32_t heartbeat_ms;
	bool leases;
	uint32_t on_demand_partitions;
	uint32_t replica_count;
};

enum status node_info_decode(const Cleave__NodeRecord *record, struct node_info *node_out) MUST_CHECK;
Cleave__NodeRecord *node_info_encode(const struct node_info *node, struct arena *arena);
/* All but the version. */
bool node_info_equal(const struct node_info *a, const struct node_info *b);

enum status table_info_decode(const Cleave__TableRecord *record, struct arena *arena,
			      struct table_info *table_out) MUST_CHECK;
Cleave__TableRecord *table_info_encode(const struct table_info *table, struct arena *arena);

enum status table_schema_decode(const Cleave__TableSchema *record,
				struct table_schema *schema_out) MUST_CHECK;
Cleave__TableSchema *table_schema_encode(const struct table_schema *schema, struct arena *arena);

enum status partition_info_decode(const Cleave__PartitionRecord *record,
				  struct partition_info **partition_out) MUST_CHECK;
Cleave__PartitionRecord *partition_info_encode(const struct partition_info *partition, struct arena *arena);
void partition_info_free(struct partition_info *partition);
bool partition_info_holds(const struct partition_info *partition, struct slice row_key);
/* The replica on a node; NULL if it has none. */
const struct partition_replica *partition_info_find_replica(const struct partition_info *partition,
							    uint64_t node_id);

void catalog_settings_decode(const Cleave__CatalogSettings *record, struct catalog_settings *settings_out);
Cleave__CatalogSettings *catalog_settings_encode(const struct catalog_settings *settings,
						 struct arena *arena);

#endif
