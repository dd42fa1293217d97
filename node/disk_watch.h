/* Watches the free space of a node's disk, and lets others lead while it is full.
 *
 * Below `reserve_bytes` the disk is full: writes are refused here, and every group that this node
 * leads is handed over to a voter whose disk has room, the catalog's too.  Below
 * DISK_WATCH_ENTRIES_PERCENT of that no entries of other leaders are taken either
 * (group_table_set_disk).
 *
 * Threads  loop thread of the runtime.
 * Memory   embedded in its node; borrows runtime, engine and groups.
 */
#ifndef NODE_DISK_WATCH_H
#define NODE_DISK_WATCH_H

#include "proto/base/runtime.h"
#include "replication/group/group_table.h"
#include "storage/engine/engine.h"

enum {
	DISK_WATCH_INTERVAL_MS = 250,
	DISK_WATCH_ENTRIES_PERCENT = 75, /* of reserve_bytes */
	DISK_WATCH_YIELDS_MAX = 64,      /* hand-overs begun at one look */
};

struct disk_watch {
	struct runtime *runtime;
	struct engine *engine;
	struct group_table *groups; /* is_disk_full in it is the result */
	uint64_t reserve_bytes;
	struct runtime_timer timer;
	size_t cursor; /* where the next look goes on among the groups */
};

void disk_watch_init(struct disk_watch *watch, struct runtime *runtime, struct engine *engine,
		     struct group_table *groups, uint64_t reserve_bytes);
/* Look now, and from now on. */
void disk_watch_start(struct disk_watch *watch);
void disk_watch_stop(struct disk_watch *watch);

#endif
