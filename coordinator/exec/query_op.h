/* One page of a Query or Scan: the rows of a key range, partition by partition in its order.
 *
 *   STEP --> replica_call --> take the rows --> page full or range done? --> done
 *    ^                                              | no: go on after the last row,
 *    +----------------------------------------------+ or at the next partition
 *
 * A page ends with the row that reaches row_count_max or a megabyte, or with the range.  The
 * operation goes on by key, never by count, so a partition that moves, splits or changes its
 * leader between two steps costs no row and brings none twice.
 *
 * Threads  loop thread of env->runtime.
 * Memory   embedded in the caller's operation until done() ran; so are start and end.  Results
 *          live in the arena given.
 * Errors   done() runs once, never from inside start or cancel, with status as of replica_call.h:
 *          a page is complete or fails as a whole.
 */
#ifndef COORDINATOR_EXEC_QUERY_OP_H
#define COORDINATOR_EXEC_QUERY_OP_H

#include "proto/model/limits.h"
#include "proto/route/replica_call.h"
#include "proto/wire/item.pb-c.h"

/* Matched rows of one reply: size u32 be | item, one after the other. */
struct query_rows {
	struct slice rows;
	struct query_rows *next;
};

struct query_op {
	/* Set by the caller; the rest zeroed. */
	uint32_t table_id;     /* whose partitions are asked */
	uint32_t local_number; /* not 0: rows of that local index, in the table's partitions */
	struct slice start;    /* inclusive row key */
	struct slice end;      /* exclusive; not before start */
	bool is_backward;
	bool is_consistent;
	bool counts_only;
	bool fetches_items;                       /* local index: see whole items, not what it projects */
	uint32_t row_count_max;                   /* UINT32_MAX: no limit */
	const Cleave__PageMeasure *measure;       /* of a page's size; NULL: what is charged */
	const Cleave__ExprCondition *filter;      /* NULL: all rows match */
	const Cleave__ExprProjection *projection; /* NULL: whole items */
	struct arena *arena;
	void (*done)(struct query_op *op);
	/* Valid in done(). */
	enum status status;
	struct query_rows *rows; /* in the order of the range */
	uint32_t matched_count;
	uint32_t evaluated_count;
	uint64_t evaluated_size_bytes; /* of rows, without what was fetched */
	uint64_t fetched_units;        /* of whole items, 4 KB each, rounded up item by item */
	uint64_t page_size_bytes;      /* by the measure */
	bool is_cut;                   /* a limit ended the page: */
	struct slice last_key;         /* it goes on after this row */
	/* Own. */
	struct replica_call call;
	struct runtime_task close_task;
	struct route_env *env;
	struct query_rows **rows_end;
	struct slice asked_start; /* what the last message asked for */
	struct slice asked_end;
	bool is_canceled;
};

void query_op_start(struct route_env *env, struct query_op *op);
/* done() still comes, once, later.  Harmless when not under way. */
void query_op_cancel(struct query_op *op);

#endif
