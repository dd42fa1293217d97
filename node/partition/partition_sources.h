/* In a partition of a global index: how far each partition of the table has sent its rows.
 *
 * Replicated state.  A source sends its rows in the order of their positions and starts again
 * from an earlier one after a change of leader, and answers may be lost: what is at or before a
 * source's mark has been taken and changes nothing, so every row is taken once, in order.
 *
 * Threads  loop thread.
 * Memory   owns the marks.
 * Format   key partition u64 | 'S' | source partition u64, value the position.
 */
#ifndef NODE_PARTITION_PARTITION_SOURCES_H
#define NODE_PARTITION_PARTITION_SOURCES_H

#include "proto/base/bytes.h"
#include "proto/base/hash_map.h"
#include "storage/engine/engine.h"

enum { PARTITION_SOURCES_MAX = 100000 }; /* CATALOG_PARTITIONS_MAX */

struct partition_sources {
	uint64_t partition_id;
	struct hash_map marks; /* source partition id -> struct source_mark */
};

void partition_sources_init(struct partition_sources *sources, uint64_t partition_id);
void partition_sources_close(struct partition_sources *sources);
/* Read the rows (start-up, after a snapshot); blocks. */
enum status partition_sources_load(struct partition_sources *sources, struct engine *engine) MUST_CHECK;

/* Of a source that has sent nothing: empty, before all positions.  Valid until the mark moves. */
struct slice partition_sources_mark(const struct partition_sources *sources, uint64_t source_partition_id);
/* Part of apply. */
enum status partition_sources_move(struct partition_sources *sources, struct engine *engine,
				   struct engine_batch *batch, uint64_t source_partition_id,
				   struct slice position) MUST_CHECK;

#endif
