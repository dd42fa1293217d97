/* Stage, verify and put in place a snapshot that a leader streams to a replica here.
 *
 *   chunks --> stage (files beside the store, synced) --> offer to the engine
 *          --> install intent (synced) --> delete ranges, ingest --> one synced batch:
 *              applied position, empty log, no intent --> tell the engine
 *
 * A restart with an intent present rolls forward from the staged files; wiping instead would
 * forget acknowledged entries.
 *
 * Threads  loop thread; disk work runs off it.
 */
#ifndef REPLICATION_GROUP_SNAPSHOT_RECV_H
#define REPLICATION_GROUP_SNAPSHOT_RECV_H

#include "proto/base/bytes.h"
#include "proto/rpc/rpc.h"
#include "replication/group/group_fsm.h"
#include "replication/group/group_state.h"

struct group;
struct group_table;

enum { SNAPSHOT_RECV_STREAMS_MAX = 64 };

/* A METHOD_SNAPSHOT_CHUNK request: answered when the chunk is staged. */
void snapshot_recv_chunk(struct group_table *table, struct rpc_request *request);
/* The engine took the offered snapshot. */
void snapshot_recv_install(struct group *group, const struct raft_engine_position *position);
/* At start, before the group runs; updates the state that was loaded. */
enum status snapshot_recv_roll_forward(struct engine *engine, struct group_state *state) MUST_CHECK;
/* Is a disk job of any stream under way? */
bool snapshot_recv_is_busy(const struct group_table *table);
void snapshot_recv_close_all(struct group_table *table);

#endif
