/* Where the replicas of a new partition go: consistent hashing with zones.
 *
 * Each zone has a ring of virtual nodes; a partition's id, hashed, picks the next node on the
 * ring of each chosen zone.  So a new node takes its share and nothing else moves.
 *
 * Threads  pure functions; a placer belongs to one thread.
 * Memory   the placer owns its rings.
 * Errors   ST_UNAVAILABLE fewer nodes than replicas; ST_TOO_BIG, ST_INVALID, ST_NO_MEMORY.
 */
#ifndef NODE_PLACEMENT_PLACER_H
#define NODE_PLACEMENT_PLACER_H

#include "proto/catalog/catalog_state.h"

struct placer;

struct placer_node {
	uint64_t node_id;
	const char *zone; /* borrowed by placer_create() only */
};

struct placer_choice {
	uint64_t node_ids[CATALOG_REPLICAS_MAX];
	uint32_t count;
	uint64_t preferred_leader_node_id;
};

/* node_count up to CATALOG_NODES_MAX. */
enum status placer_create(const struct placer_node *nodes, size_t node_count,
			  struct placer **placer_out) MUST_CHECK;
/* Of the registered nodes. */
enum status placer_create_from(const struct catalog_state *state, struct placer **placer_out) MUST_CHECK;
void placer_destroy(struct placer *placer);

/* One replica per zone; with more zones than replicas the zones are chosen by hash, with fewer
 * the next nodes of the same zones follow. */
enum status placer_choose(const struct placer *placer, uint64_t partition_id, uint32_t replica_count,
			  struct placer_choice *choice_out) MUST_CHECK;

/* Partitions of a new table: requested, or by provisioned capacity, or the setting.
 * ST_INVALID over CATALOG_TABLE_PARTITIONS_MAX. */
enum status placer_partition_count(const struct table_info *table, uint32_t requested_count,
				   const struct catalog_settings *settings, uint32_t *count_out) MUST_CHECK;
/* The first row key of slice index of count equal token slices of a table; index == count gives
 * the end of the last one. */
void placer_range_bound(struct buf *out, uint32_t table_id, uint32_t index, uint32_t count);

#endif
