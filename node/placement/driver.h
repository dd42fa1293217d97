/* The placement driver: turns what nodes report into changes of the catalog.
 *
 * It works at the catalog's leader only.  What it knows of replicas is in memory and is told
 * anew to each leader; what it decides is one small idempotent command at a time, evaluated on
 * the applied state, so that it may die at any step.
 *
 *   CREATING --> ACTIVE    every partition has a ready leader, and every index its rows
 *   UPDATING --> ACTIVE    at once, or when the partitions of a new index are there
 *   DELETING --> removed   every replica's node dropped the partitions, or is dead; indexes first
 *
 * Threads  loop thread of the catalog.
 * Memory   created and destroyed here; borrows the catalog, and must outlive it.
 * Errors   a step that cannot be proposed is evaluated again at the next change or tick.
 */
#ifndef NODE_PLACEMENT_DRIVER_H
#define NODE_PLACEMENT_DRIVER_H

#include "node/catalog/catalog.h"
#include "proto/base/runtime.h"

enum { DRIVER_NODE_DEAD_MS = 10000 }; /* without a report */

struct driver;

/* Registers itself with the catalog. */
enum status driver_create(struct catalog *catalog, struct runtime *runtime,
			  struct driver **driver_out) MUST_CHECK;
/* After catalog_destroy(). */
void driver_destroy(struct driver *driver);

/* Has the node reported lately?  False at a replica that does not lead. */
bool driver_node_is_alive(const struct driver *driver, uint64_t node_id);
/* The ready leader of a partition by reports; 0 if none is known. */
uint64_t driver_partition_leader(const struct driver *driver, uint64_t partition_id);

#endif
