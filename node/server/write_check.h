/* May this write be stored?  The second look at what a coordinator sends: it has checked the
 * request, and a node does not take its word for it, because what is stored here is copied to
 * all replicas and read by every later version.
 *
 * Threads  pure function.
 * Memory   scratch is reset and used.
 * Errors   ST_INVALID: no coordinator of ours sends this.  ST_NO_MEMORY.
 */
#ifndef NODE_SERVER_WRITE_CHECK_H
#define NODE_SERVER_WRITE_CHECK_H

#include "proto/catalog/catalog_info.h"
#include "proto/wire/item.pb-c.h"

/* The item is strictly well formed and not too big, and the row key is the one that the table
 * gives it (PUT, UPDATE), or one that the table could give to some item (DELETE).  Programs are
 * sound, and an update leaves the key alone.  The table is not the derived one of an index.
 *
 * table is NULL while this node's copy of the catalog does not have it yet, after a restart.
 * A replica must not wait for that: then the keys go unchecked, but for the partition's range. */
enum status write_check(const Cleave__WriteItemRequest *message, const struct table_info *table,
			struct buf *scratch) MUST_CHECK;

#endif
