/* At the leader: keep the partition's index definitions at what the catalog says.
 *
 * A change of the definitions waits for what is proposed, and writes wait for it (ST_BUSY, which
 * coordinators try again): so each write is evaluated under the definitions that it will be
 * applied under.
 *
 * Threads  loop thread.
 */
#ifndef NODE_PARTITION_PARTITION_DEFINITIONS_H
#define NODE_PARTITION_PARTITION_DEFINITIONS_H

#include "node/partition/partition.h"

/* Compare and, if they differ, propose.  Cheap when they do not.  Called when the replica becomes
 * ready to lead and when the catalog's copy changed; while it had to wait or was refused, after each
 * apply and after a moment too. */
void partition_definitions_follow(struct partition *partition);
/* Is a change under way or still needed before a write may be taken? */
bool partition_definitions_block_writes(const struct partition *partition);

/* For partition.c and partition_fsm.c. */
void partition_definitions_init(struct partition *partition);
void partition_definitions_on_lost(struct partition *partition);

#endif
