/* Changes of throughput and billing mode, as the service shows them.
 *
 *   provisioned before and after   the units of before until the update is done; so with the units of
 *                                  an index that the update names
 *   the billing mode changes       mode and units at once, those of the indexes too
 *   on demand before and after     the maximum at once
 *
 * An increase or decrease is dated when it begins and again when it is done, and counts as a decrease
 * of its day when it is done.  The date of the change to on demand is that of its end.
 *
 * Threads  pure functions.
 * Memory   the table's set of indexes is replaced by a copy in the arena.
 * Errors   ST_NO_MEMORY.
 */
#ifndef NODE_CATALOG_CATALOG_UNITS_H
#define NODE_CATALOG_CATALOG_UNITS_H

#include "proto/catalog/catalog_info.h"

/* wanted: units and mode as they shall be; indexes: units of indexes, by name, as they shall be; NULL:
 * those of all indexes stay.  The units of an index that has not been made yet may change too. */
enum status catalog_units_begin(struct table_info *table, const Cleave__TableRecord *wanted,
				const struct table_indexes *indexes, uint64_t now_wall_us,
				struct arena *arena) MUST_CHECK;
/* The update is done. */
enum status catalog_units_finish(struct table_info *table, uint64_t now_wall_us,
				 struct arena *arena) MUST_CHECK;

#endif
