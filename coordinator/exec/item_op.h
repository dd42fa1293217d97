/* One-key operations: route, send, judge the answer, try again.
 *
 *   ROUTE --> SEND --> VERDICT --> CLOSE --> done
 *    ^  |                |
 *    |  +---> PAUSE <----+  nobody to ask, nobody leads, too busy, moved
 *    +----------+-------+
 *
 * ROUTE and VERDICT never wait.  SEND waits for the reply, PAUSE for a timer, CLOSE for the end
 * of the loop's turn.  Every attempt of a write carries the same request id, so that it takes
 * effect once; an attempt has a time limit of its own, so that a node which does not answer
 * does not hold the operation; all attempts together have until its deadline.
 *
 * Threads  loop thread of env->runtime.
 * Memory   an operation is embedded in the caller's and stays until done() ran; so do row_key
 *          and item.  Results live in the arena given.  env is borrowed.
 * Errors   done() runs once, never from inside start or cancel, with status:
 *            ST_OK
 *            ST_NOT_FOUND        the table of row_key is gone
 *            ST_UNKNOWN_OUTCOME  a write that may or may not have taken effect
 *            ST_CONDITION_FAILED, ST_REFUSED (further down it says why): the write had no effect
 *            ST_CANCELED         by item_op_cancel(); a write may have been sent
 *            ST_NO_SPACE, ST_FORGOTTEN, ST_INVALID, ST_IO, ...  as the replica answered
 *            at the deadline, if nothing can have happened: the last failure
 */
#ifndef COORDINATOR_EXEC_ITEM_OP_H
#define COORDINATOR_EXEC_ITEM_OP_H

#include "proto/base/arena.h"
#include "proto/route/route_env.h"
#include "proto/rpc/rpc.h"
#include "proto/wire/item.pb-c.h"

enum {
	ITEM_OP_DEADLINE_MS = 10 * 1000,
	/* Shorter than an election: who waits for a leader that stands still hears of the next one
	 * in time.  A write that is merely slow is asked after under its request id. */
	ITEM_OP_ATTEMPT_MS = 500,
	ITEM_OP_SUSPECT_ATTEMPT_MS = 100, /* of a node that let a call time out lately */
	/* Both double with every fourth attempt of the operation that met silence, so that a leader
	 * which is always slower is heard in the end. */
	ITEM_OP_ATTEMPT_MS_MAX = 4000,
	ITEM_OP_REQUEST_ID_SIZE = 16,
};

enum item_op_kind { ITEM_OP_GET, ITEM_OP_PUT, ITEM_OP_DELETE, ITEM_OP_UPDATE };

enum item_op_phase {
	ITEM_OP_IDLE,
	ITEM_OP_ROUTE,
	ITEM_OP_SEND,
	ITEM_OP_VERDICT,
	ITEM_OP_PAUSE,
	ITEM_OP_CLOSE,
};

struct item_op {
	/* Set by the caller; the rest zeroed. */
	enum item_op_kind kind;
	struct slice row_key;
	bool is_consistent;                          /* GET */
	const Cleave__ExprProjection *projection;    /* GET; NULL: the whole item */
	struct slice item;                           /* PUT: the item; UPDATE: the attributes of its key */
	const Cleave__ExprCondition *condition;      /* writes; NULL: none */
	const Cleave__ExprUpdate *update;            /* UPDATE */
	Cleave__WriteItemRequest__Returned returned; /* writes */
	bool returns_old_on_failure;                 /* of the condition */
	/* A PUT: is_found and old_size_bytes are wanted; any write: index_units.  Else a node need not look.
	 */
	bool needs_old_size;
	bool needs_collection_size; /* writes to a table with local indexes */
	uint64_t deadline_mono_us;  /* 0: ITEM_OP_DEADLINE_MS from the start */
	struct arena *arena;
	void (*done)(struct item_op *op);
	/* Valid in done(). */
	enum status status;
	bool is_found;             /* GET: the item exists; writes: it existed before */
	struct slice found_item;   /* GET: the item; writes: what was to be returned, empty if nothing */
	uint32_t found_size_bytes; /* GET: of the whole item, as DynamoDB counts */
	/* ST_REFUSED: one of the three says why. */
	Cleave__ExprUpdateError update_error;
	const Cleave__RefusedIndexKey *refused_index_key; /* NULL: it is not that */
	bool is_collection_full;
	uint32_t old_size_bytes; /* writes: as DynamoDB counts, 0 if there was none */
	uint32_t new_size_bytes;
	Cleave__IndexWriteUnits *const *index_units; /* writes: of each index that it touched */
	size_t index_unit_count;
	uint64_t collection_size_bytes; /* 0: not told */
	uint32_t attempt_count;
	/* The operation's own. */
	struct route_env *env;
	enum item_op_phase phase;
	struct rpc_call call;
	struct runtime_timer timer;
	struct runtime_task close_task;
	struct route_tried tried;
	struct route_target target;
	uint64_t routed_version;     /* of the catalog's copy, when target was chosen */
	uint64_t first_sent_mono_us; /* 0: nothing has left yet */
	uint32_t pause_count;
	uint32_t silence_count; /* attempts that timed out */
	bool has_left;          /* some attempt was sent */
	bool may_have_happened; /* a write's attempt ended without an answer */
	bool has_met_stale;
	bool accepts_frozen;
	bool is_canceled;
	uint8_t request_id[ITEM_OP_REQUEST_ID_SIZE];
};

/* Before the first operation. */
void item_op_register_metrics(void);

void item_op_start(struct route_env *env, struct item_op *op);
/* done() still comes, once, later.  Harmless when not under way. */
void item_op_cancel(struct item_op *op);

#endif
