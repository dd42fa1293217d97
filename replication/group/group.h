/* One replica of one Raft group: drives the engine with time, messages and disk completions,
 * and applies what is committed.
 *
 *   propose --> log (group commit) --> followers --> commit --> apply --> fsm->applied()
 *
 * Threads  loop thread of its table.
 * Memory   created by group_create/group_open, freed by group_close (at once, or when its last
 *          off-loop job returns).
 * Errors   a failed disk write or a log that contradicts itself ends the process through the
 *          table's fatal(): a replica that has lost its invariants must not go on.
 */
#ifndef REPLICATION_GROUP_GROUP_H
#define REPLICATION_GROUP_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "replication/engine/raft_engine.h"
#include "replication/group/group_fsm.h"
#include "replication/group/group_table.h"

struct group;

/* What status pages show of a replica. */
struct group_status {
	uint64_t group_id;
	uint64_t replica_id;
	enum raft_engine_state state;
	bool is_ready; /* leads and may evaluate */
	bool is_installing;
	bool is_waiting_for_snapshot;
	uint64_t leader_node_id;
	uint64_t term;
	uint64_t first_index;
	uint64_t last_index;
	uint64_t commit_index;
	uint64_t applied_index;
};

/* Make a new replica: born from the constant first state with these members, or (count 0) empty,
 * waiting for a snapshot.  Its records go into the open log batch; it stays silent until they
 * are durable.
 *   ST_EXISTS   a replica of the group lives here
 *   ST_STALE    a tombstone says that this or a later replica was removed from here */
enum status group_create(struct group_table *table, uint64_t group_id, uint64_t replica_id,
			 const struct raft_engine_configuration *configuration, struct group_fsm *fsm,
			 struct group **group_out) MUST_CHECK;

/* Reopen the replica found in the store (start-up; blocks).  Rolls an interrupted install
 * forward first. */
enum status group_open(struct group_table *table, uint64_t group_id, struct group_fsm *fsm,
		       struct group **group_out) MUST_CHECK;

/* Stop; the records stay. */
void group_close(struct group *group);
/* Stop, delete log and records, leave a tombstone.  The fsm's rows are the caller's matter. */
void group_remove(struct group *group);

/* Propose a command.  *index_out is its log index; when fsm->applied() reaches it, with the
 * leadership not lost in between, it is committed and applied.
 *   ST_NOT_LEADER    not leading, not ready, or handing over
 *   ST_OVERLOADED    too much is in flight */
enum status group_propose(struct group *group, struct slice body, uint64_t *index_out) MUST_CHECK;

/* What is proposed now will find room: neither is the disk here full nor, as far as they told, are
 * those of so many voters that it could not be committed. */
bool group_has_room(const struct group *group);

/* Messages, from peer_link by way of the table. */
void group_receive(struct group *group, const struct raft_engine_message *message, uint64_t sent_mono_us);
/* A node's connections broke: if it leads, do not wait for the timeout. */
void group_node_down(struct group *group, uint64_t node_id);
/* A peer can be reached (again): without a leader, ask for votes now.  Where one lives, the others
 * know it and refuse. */
void group_node_up(struct group *group);

uint64_t group_id(const struct group *group);
uint64_t group_replica_id(const struct group *group);
bool group_is_ready(const struct group *group);
/* Its rows are a state of the group: not waiting for a snapshot, not replacing one. */
bool group_has_state(const struct group *group);
/* Grows when a snapshot starts to replace the rows: a read that spans a change saw half of it. */
uint64_t group_install_count(const struct group *group);
uint64_t group_applied_index(const struct group *group);
/* Milliseconds since this replica heard from a leader; 0 while it leads. */
uint64_t group_leader_silence_ms(const struct group *group);
/* 0 if unknown. */
uint64_t group_leader_node_id(const struct group *group);
void group_get_status(const struct group *group, struct group_status *status_out);

/* Stand for election now instead of waiting (a new group's preferred leader). */
void group_campaign(struct group *group);

#endif
