/* Counting items: how many there are in each partition that leads here, and how large they are.
 *
 * A plain put does not look at what it replaces, so nobody knows while writing; instead rows are
 * counted in the background, one partition after the other, those alone that changed since. A bounded
 * number of units a second is walked, of which each row costs one and one for each KB: small tables are right
 * within seconds, large ones some time later. (Not so much of the time that it takes: a busy machine
 * would then count ever more slowly.)
 *
 * Threads  loop thread; rows are walked on a pool thread.
 * Memory   results are in each partition's census member.
 * Errors   a count that fails is tried again later.
 */
#ifndef NODE_BACKGROUND_ITEM_CENSUS_H
#define NODE_BACKGROUND_ITEM_CENSUS_H

#include "node/partition/partition_table.h"

enum {
	ITEM_CENSUS_TICK_MS = 500,
	ITEM_CENSUS_STEP_UNITS = 4096,
	ITEM_CENSUS_UNITS_PER_S = 8000, /* some thousand rows */
	ITEM_CENSUS_PAUSE_MS = 5,       /* after each step, besides */
};

struct item_census_count {
	struct partition_census result;
	enum engine_family family; /* that the next step walks */
	struct table_schema schema;
	bool has_local_indexes;
	struct buf next_key; /* where it begins */
	bool is_done;
};

struct item_census {
	struct runtime *runtime;
	struct engine *engine;
	struct partition_table *partitions;
	struct runtime_timer timer;
	struct runtime_job job;
	uint64_t partition_id;  /* being counted; 0: none */
	uint64_t cursor_id;     /* the one counted last: the next greater id comes next */
	uint64_t applied_index; /* of the partition when counting began */
	struct buf range_end;
	struct item_census_count count;
	enum status status;  /* of the step */
	uint64_t step_units; /* that it walked */
	bool is_working;
	bool is_stopped;
};

void item_census_start(struct item_census *census, struct runtime *runtime, struct engine *engine,
		       struct partition_table *partitions);
/* No step begins any more; item_census_is_idle() tells when the last has ended. */
void item_census_stop(struct item_census *census);
bool item_census_is_idle(const struct item_census *census);
void item_census_close(struct item_census *census);

#endif
