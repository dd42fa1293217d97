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
 */
#ifndef REPLICATION_GROUP_GROUP_MEMBER_H
#define REPLICATION_GROUP_GROUP_MEMBER_H

#include <stdint.h>

#include "replication/group/group.h"

/* replica_id must never have been used before. */
enum status group_member_add_standby(struct group *group, uint64_t replica_id, uint64_t node_id) MUST_CHECK;
enum status group_member_promote(struct group *group, uint64_t replica_id) MUST_CHECK;
enum status group_member_remove(struct group *group, uint64_t replica_id) MUST_CHECK;
/* To the voter on node_id, or (0) to any. */
enum status group_member_transfer(struct group *group, uint64_t node_id) MUST_CHECK;
/* The newest configuration, committed or not. */
void group_member_list(const struct group *group, struct raft_engine_configuration *configuration_out);
/* False if a configuration known here says that the replica lives on another node than this. */
bool group_member_may_speak(const struct group *group, uint64_t node_id, uint64_t replica_id);

#endif
