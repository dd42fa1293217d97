/* Commands of a partition that are not writes of items: the indexes' definitions, progress of
 * feeds, rows of global indexes.
 *
 * Gathered commands: of all that come in one loop turn, or while the entry of those before is on its
 * way, one log entry is made.  An entry costs the group as much as many rows do.
 *
 * Threads  loop thread.
 * Memory   a proposal is embedded in the caller's operation until done() ran; the command is
 *          borrowed until partition_propose() returns.
 */
#ifndef NODE_PARTITION_PARTITION_PROPOSE_H
#define NODE_PARTITION_PARTITION_PROPOSE_H

#include "node/partition/partition.h"
#include "proto/wire/partition.pb-c.h"

/* Fill in what every command carries: the clocks and the origin. */
void partition_propose_stamp(struct partition *partition, Cleave__PartitionCommand *command);
/* Append the packed command to out. */
enum status partition_propose_pack(const Cleave__PartitionCommand *command, struct buf *out) MUST_CHECK;

/* ST_OK: done() will be called, once, later, and never from in here.  ST_NOT_LEADER,
 * ST_OVERLOADED, ST_NO_MEMORY, ST_NO_SPACE: it will not. */
enum status partition_propose(struct partition *partition, Cleave__PartitionCommand *command,
			      struct partition_proposal *proposal) MUST_CHECK;

/* The same, for rows of global indexes: those of a turn make one entry, and while PARTITION_GATHERS_MAX such
 * entries are under way, others wait and join.  ST_OVERLOADED may come by done() too. */
enum status partition_propose_gathered(struct partition *partition, Cleave__PartitionCommand *command,
				       struct partition_proposal *proposal) MUST_CHECK;

/* For partition.c and partition_fsm.c. */
void partition_propose_init(struct partition *partition);
void partition_propose_on_applied(struct partition *partition, uint64_t index);
void partition_propose_on_lost(struct partition *partition);

#endif
