/* The whole catalog in memory: nodes, tables, partitions, settings, each findable by all its
 * keys.  The catalog's replicas and everybody's copy (catalog_view.h) use the same.
 *
 * Threads  loop thread of the owner.
 * Memory   the state owns its records.  A borrowed record is valid until the state changes;
 *          states change between turns of the loop only, so: until the next turn.
 * Errors   ST_TOO_BIG beyond the bounds of catalog_info.h, ST_NO_MEMORY; then nothing changed.
 */
#ifndef PROTO_CATALOG_CATALOG_STATE_H
#define PROTO_CATALOG_CATALOG_STATE_H

#include "proto/base/hash_map.h"
#include "proto/catalog/catalog_info.h"

struct catalog_table; /* a table with the index of its partitions */

struct catalog_state {
	uint64_t version; /* 0: nothing known */
	struct catalog_settings settings;
	struct hash_map nodes;          /* struct node_info by id */
	struct hash_map tables;         /* struct catalog_table by id */
	struct hash_map partitions;     /* struct partition_info by id */
	struct catalog_table **by_name; /* ascending; table_count of them */
	size_t table_count;
	size_t table_capacity;
};

void catalog_state_init(struct catalog_state *state);
void catalog_state_close(struct catalog_state *state);

/* Insert or replace.  A new name or another id under a known name is told apart by the caller:
 * names are unique (ST_EXISTS). */
enum status catalog_state_put_node(struct catalog_state *state, const struct node_info *node) MUST_CHECK;
enum status catalog_state_put_table(struct catalog_state *state, const struct table_info *table) MUST_CHECK;
/* Takes the partition over on ST_OK.  ST_NOT_FOUND if its table is unknown. */
enum status catalog_state_put_partition(struct catalog_state *state,
					struct partition_info *partition) MUST_CHECK;
/* Harmless if absent.  A table takes its partitions along. */
void catalog_state_remove_node(struct catalog_state *state, uint64_t node_id);
void catalog_state_remove_table(struct catalog_state *state, uint32_t table_id);
void catalog_state_remove_partition(struct catalog_state *state, uint64_t partition_id);

/* NULL if absent. */
const struct node_info *catalog_state_node(const struct catalog_state *state, uint64_t node_id);
const struct table_info *catalog_state_table(const struct catalog_state *state, uint32_t table_id);
const struct table_info *catalog_state_table_named(const struct catalog_state *state, struct slice name);
const struct partition_info *catalog_state_partition(const struct catalog_state *state,
						     uint64_t partition_id);
/* Which partition of the key's table (its first 4 bytes) holds the row key. */
const struct partition_info *catalog_state_find_partition(const struct catalog_state *state,
							  struct slice row_key);
/* Which one of a table holds the keys just below row_key: the end of a range, read backward.
 * row_key may be the end of the whole table. */
const struct partition_info *catalog_state_find_partition_below(const struct catalog_state *state,
								uint32_t table_id, struct slice row_key);

/* A table's partitions in the order of their ranges; index from 0, NULL at the end. */
size_t catalog_state_partition_count(const struct catalog_state *state, uint32_t table_id);
const struct partition_info *catalog_state_partition_at(const struct catalog_state *state, uint32_t table_id,
							size_t index);
/* All tables in the order of their names; index from 0, NULL at the end. */
const struct table_info *catalog_state_table_at(const struct catalog_state *state, size_t index);
/* The index of the first table whose name is greater than name (paging); the count if none. */
size_t catalog_state_table_after(const struct catalog_state *state, struct slice name);
/* All nodes and partitions in no order: start with *cursor = 0; NULL at the end. */
const struct node_info *catalog_state_next_node(const struct catalog_state *state, size_t *cursor);
const struct partition_info *catalog_state_next_partition(const struct catalog_state *state, size_t *cursor);

#endif
