/* A new table's partitions: how many, cut where, on which nodes.
 *
 * Threads  pure functions.
 * Memory   records live in the arena.
 * Errors   ST_UNAVAILABLE fewer nodes than replicas; ST_INVALID too many partitions;
 *          ST_NO_MEMORY.
 */
#ifndef NODE_PLACEMENT_LAYOUT_H
#define NODE_PLACEMENT_LAYOUT_H

#include "node/catalog/catalog.h"

/* Equal token slices over the registered nodes; epoch 1, ids from the placement's on. */
enum status layout_table(const struct catalog_state *state, const struct catalog_placement *placement,
			 struct arena *arena, Cleave__PartitionRecord ***partitions_out,
			 size_t *count_out) MUST_CHECK;

#endif
