/* New tables with their partitions, and the derived tables that hold global indexes.
 *
 * Threads  loop thread of the catalog, at its leader.
 * Memory   commands live in the arena.
 * Errors   ST_UNAVAILABLE (fewer nodes than replicas), ST_TOO_BIG (partitions), ST_INVALID,
 *          ST_NO_MEMORY.
 */
#ifndef NODE_CATALOG_CATALOG_CREATION_H
#define NODE_CATALOG_CATALOG_CREATION_H

#include "node/catalog/catalog_internal.h"

/* Ids that a change gives out: the catalog's own when the change has been submitted. */
struct catalog_ids {
	uint32_t next_table_id;
	uint64_t next_partition_id;
	uint64_t next_replica_id;
};

struct catalog_creation {
	struct catalog *catalog;
	struct arena *arena;
	uint64_t now_wall_us;
	struct catalog_ids ids;
};

void catalog_creation_begin(struct catalog_creation *creation, struct catalog *catalog, struct arena *arena,
			    uint64_t now_wall_us);
/* The change was submitted. */
void catalog_creation_commit(const struct catalog_creation *creation);

/* Give a new table what must not differ between replicas: id, uuid, seed, times, state. */
void catalog_creation_identify(struct catalog_creation *creation, struct table_info *table);
/* Number a new table's local indexes and give its global ones ids: *indexes_out is a copy. */
enum status catalog_creation_number(struct catalog_creation *creation, const struct table_indexes *indexes,
				    const struct table_indexes **indexes_out) MUST_CHECK;
/* The command that makes a table: its record, its partitions (partition_count 0: by capacity). */
enum status catalog_creation_place(struct catalog_creation *creation, const struct table_info *table,
				   uint32_t partition_count, Cleave__CreateTableCommand *command) MUST_CHECK;
/* The same for the derived table of a global index that has its id. */
enum status catalog_creation_derive(struct catalog_creation *creation, const struct table_info *base,
				    const struct table_index *index,
				    Cleave__CreateTableCommand **command_out) MUST_CHECK;
/* One for each global index of a new table. */
enum status catalog_creation_derive_all(struct catalog_creation *creation, const struct table_info *base,
					Cleave__CreateTableCommand *command) MUST_CHECK;

#endif
