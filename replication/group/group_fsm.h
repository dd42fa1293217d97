/* What a replica group needs from the data it replicates.
 *
 * replication/ includes only this file; node/ implements it on top of storage/.  So
 * replication/ never learns what an item is, and storage/ never hears the word "leader".
 *
 * apply() must be deterministic: no clock, no random numbers, no configuration.  Anything of
 * that kind is put into the command by the leader.
 *
 * Threads  loop thread of the group.
 */
#ifndef REPLICATION_GROUP_GROUP_FSM_H
#define REPLICATION_GROUP_GROUP_FSM_H

#include <stdint.h>

#include "proto/base/check.h"
#include "proto/base/status.h"
#include "storage/engine/engine.h"

enum { GROUP_RANGES_MAX = 8 };

struct group_fsm;

struct group_command {
	uint64_t index; /* log position, without gaps but for membership changes and barriers */
	uint64_t term;
	struct slice body; /* borrowed until apply() returns */
};

/* A range of keys that belongs to the group: [start, end) in one family. */
struct group_range {
	enum engine_family family;
	struct slice start; /* borrowed from the fsm until its next call */
	struct slice end;
};

struct group_fsm_ops {
	/* Put the command's effect into the batch, which is written together with the applied
	 * index.  A non-zero status stops the process: a replica that cannot apply must not go on
	 * and diverge.
	 *
	 * A row less for each command: if what it puts tells the command's index and term anyway, it
	 * may set fsm->recorded_index, and recorded() will find them. */
	enum status (*apply)(struct group_fsm *fsm, const struct group_command *command,
			     struct engine_batch *batch);
	/* The effects up to index are visible in the store: answer who waits for them. */
	void (*applied)(struct group_fsm *fsm, uint64_t index);
	/* This replica leads and has applied an entry of its own term: it may evaluate. */
	void (*leader_ready)(struct group_fsm *fsm);
	/* It leads no longer: what was proposed and not applied has an unknown outcome. */
	void (*leader_lost)(struct group_fsm *fsm);
	/* All that belongs to the group, for sending and replacing it as a snapshot. */
	size_t (*ranges)(struct group_fsm *fsm, struct group_range ranges_out[GROUP_RANGES_MAX]);
	/* The ranges were replaced by a snapshot: read volatile state anew. */
	enum status (*restored)(struct group_fsm *fsm);
	/* The newest position that apply() recorded, read from the store; 0 if there is none.  Called
	 * before anything else (start-up; blocks).  NULL: it records none. */
	enum status (*recorded)(struct group_fsm *fsm, uint64_t *index_out, uint64_t *term_out);
};

struct group_fsm {
	const struct group_fsm_ops *ops;
	uint64_t recorded_index;
};

#endif
