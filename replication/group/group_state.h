/* The durable records of a replica beside its log: family raft_state, key group u64 | tag u8.
 *
 *   H  term and vote, in log order with the entries
 *   A  applied index and its term, in the batch of the data that it covers
 *   C  the configuration at the applied index
 *   R  replica id: this replica exists here
 *   I  an install is under way: the stage to roll forward from, and its position
 *   X  tombstone: the highest replica id that was removed from this node
 *
 * Threads  any; reading blocks (start-up only).
 * Format   each value starts with a version byte.
 */
#ifndef REPLICATION_GROUP_GROUP_STATE_H
#define REPLICATION_GROUP_GROUP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "replication/engine/raft_engine.h"
#include "replication/group/group_fsm.h"
#include "storage/engine/engine.h"

enum {
	/* Every group is born from a snapshot state at this index and term: a replica that comes
	 * empty can never mistake a missing log for an empty group. */
	GROUP_BIRTH_INDEX = 10,
	GROUP_BIRTH_TERM = 5,
};

struct group_install_intent {
	uint64_t stage_id;
	struct raft_engine_position position;
	struct group_range ranges[GROUP_RANGES_MAX]; /* to be replaced */
	size_t range_count;
};

struct group_state {
	uint64_t group_id;
	uint64_t replica_id;
	uint64_t term;
	uint64_t voted_for;
	bool has_position; /* false: waits for its first snapshot */
	struct raft_engine_position applied;
	bool has_intent;               /* group_state_load_intent() */
	uint64_t tombstone_replica_id; /* 0: none */
};

/* ST_NOT_FOUND if no replica of the group lives here (tombstone_replica_id is set even so). */
enum status group_state_load(struct engine *engine, uint64_t group_id,
			     struct group_state *state_out) MUST_CHECK;

/* The install that a crash interrupted; the ranges' keys live in the arena. */
enum status group_state_load_intent(struct engine *engine, uint64_t group_id, struct arena *arena,
				    struct group_install_intent *intent_out) MUST_CHECK;

/* The groups that have a replica here, ascending, from *group_id_inout + 1 on; ST_NOT_FOUND at
 * the end.  Start with 0. */
enum status group_state_next(struct engine *engine, uint64_t *group_id_inout) MUST_CHECK;

void group_state_put_hard(struct engine *engine, struct engine_batch *batch, uint64_t group_id, uint64_t term,
			  uint64_t voted_for);
void group_state_put_applied(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			     uint64_t index, uint64_t term);
void group_state_put_configuration(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
				   const struct raft_engine_configuration *configuration);
void group_state_put_replica(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			     uint64_t replica_id);
void group_state_put_intent(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			    const struct group_install_intent *intent);
void group_state_delete_intent(struct engine *engine, struct engine_batch *batch, uint64_t group_id);
/* Remove the replica and leave a tombstone. */
void group_state_put_tombstone(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			       uint64_t replica_id);

/* A new group's first records: born at GROUP_BIRTH_INDEX with these members. */
void group_state_put_birth(struct engine *engine, struct engine_batch *batch, uint64_t group_id,
			   uint64_t replica_id, const struct raft_engine_configuration *configuration);

#endif
