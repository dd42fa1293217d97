/* The catalog's replicated state: applies its commands, keeps it in rows and in memory.
 *
 * Rows in family meta, one per record: group u64 = 1 | kind u8 | id u64, all big endian; a
 * value is a version byte and the protobuf record.  Each command makes one catalog version and
 * stamps what it changed.  Removals are remembered as rows up to a bound, so that a watch from
 * an older version can be told of them; likewise the outcomes of recent requests.
 *
 * Threads  loop thread of the group.
 * Memory   in place; the owner keeps it longer than the group.
 * Errors   apply and load: ST_CORRUPT, ST_NO_MEMORY, ST_IO; the group ends the process then.
 */
#ifndef NODE_CATALOG_CATALOG_FSM_H
#define NODE_CATALOG_CATALOG_FSM_H

#include "node/catalog/catalog_outcomes.h"
#include "proto/catalog/catalog_state.h"
#include "proto/catalog/catalog_update.h"
#include "replication/group/group_fsm.h"

enum {
	CATALOG_REMOVALS_MAX = 4096, /* remembered */
};

struct catalog_fsm;

/* What the serving side hears.  applied() with index 0: the state was replaced. */
struct catalog_fsm_events {
	void (*applied)(struct catalog_fsm *fsm, uint64_t index);
	void (*leader_ready)(struct catalog_fsm *fsm);
	void (*leader_lost)(struct catalog_fsm *fsm);
};

struct catalog_fsm {
	struct group_fsm base; /* first: what the group is given */
	const struct catalog_fsm_events *events;
	struct engine *engine;
	struct catalog_state state;
	uint32_t next_table_id; /* ids given out so far are below these */
	uint64_t next_partition_id;
	uint64_t next_replica_id;
	struct catalog_removed removals[CATALOG_REMOVALS_MAX]; /* ascending by version */
	uint32_t removal_count;
	uint64_t removals_known_from;
	struct catalog_outcomes outcomes;
	uint8_t range_start[8];
	uint8_t range_end[8];
};

void catalog_fsm_init(struct catalog_fsm *fsm, struct engine *engine,
		      const struct catalog_fsm_events *events);
/* As before the first command; also ends it. */
void catalog_fsm_forget(struct catalog_fsm *fsm);
/* Append the packed CatalogUpdate from a version on; a full one if the removals since are not
 * all remembered. */
enum status catalog_fsm_pack_update(const struct catalog_fsm *fsm, uint64_t from_version,
				    struct buf *out) MUST_CHECK;

#endif
