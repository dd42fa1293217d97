/* Membership changes, one at a time, and handing leadership over.
 *
 * A replica is added as STANDBY (it replicates, it does not vote), promoted to VOTER when it has
 * caught up, and an old one is removed; a leader hands over before it is removed.  Each call is
 * one step of a job that the caller repeats until the configuration says what it wants: an
 * accepted step may still be lost with the leadership.
 *
 * Threads  loop thread.
 * Errors   ST_NOT_LEADER  not leading or not ready
 *          ST_BUSY        a change is under way, or the standby has not caught up
 *          ST_EXISTS, ST_NOT_FOUND, ST_INVALID (the last voter), ST_TOO_BIG
 *          ST_NO_SPACE    the heir's disk is full, or so many that it could commit nothing
 */
#ifndef REPLICATION_GROUP_GROUP_MEMBER_H
#define REPLICATION_GROUP_GROUP_MEMBER_H

#include <stdint.h>

#include "replication/group/group.h"

enum { GROUP_MEMBER_YIELD_INTERVAL_MS = 5000 };

/* replica_id must never have been used before. */
enum status group_member_add_standby(struct group *group, uint64_t replica_id, uint64_t node_id) MUST_CHECK;
enum status group_member_promote(struct group *group, uint64_t replica_id) MUST_CHECK;
enum status group_member_remove(struct group *group, uint64_t replica_id) MUST_CHECK;
/* To the voter on node_id, or (0) to a sound one, or any if none is.  Sound is who was heard within an
 * election timeout, said that its disk has room, and has all that is committed. */
enum status group_member_transfer(struct group *group, uint64_t node_id) MUST_CHECK;
/* This node's disk is full: to a sound voter only.  ST_NOT_FOUND: none is.  ST_BUSY also while
 * GROUP_MEMBER_YIELD_INTERVAL_MS from the last attempt are not over. */
enum status group_member_yield(struct group *group) MUST_CHECK;
/* The newest configuration, committed or not. */
void group_member_list(const struct group *group, struct raft_engine_configuration *configuration_out);
/* False if a configuration known here says that the replica lives on another node than this. */
bool group_member_may_speak(const struct group *group, uint64_t node_id, uint64_t replica_id);

#endif
