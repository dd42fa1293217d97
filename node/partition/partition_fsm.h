/* A partition's answer to group_fsm: apply commands, name ranges, follow the leadership.
 *
 * Threads  loop thread.
 */
#ifndef NODE_PARTITION_PARTITION_FSM_H
#define NODE_PARTITION_PARTITION_FSM_H

#include "node/partition/partition.h"

extern const struct group_fsm_ops partition_fsm_ops;

/* Read the partition's own rows into memory (start-up, after a snapshot); blocks. */
enum status partition_fsm_load(struct partition *partition) MUST_CHECK;
/* The row that describes the replica. */
enum status partition_fsm_put_meta(struct partition *partition, struct engine_batch *batch) MUST_CHECK;

#endif
