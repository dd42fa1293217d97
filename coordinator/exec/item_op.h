/* One-key operations: one replica_call each, with a write's request id and its doubts.
 *
 * Every attempt of a write carries the same request id, so that it takes effect once.
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
 *            ST_FORGOTTEN, ST_INVALID, ST_IO, ...  as the replica answered
 *            at the deadline, if nothing can have happened: the last failure (ST_NO_SPACE: no room)
 */
#ifndef COORDINATOR_EXEC_ITEM_OP_H
#define COORDINATOR_EXEC_ITEM_OP_H

#include "proto/base/arena.h"
#include "proto/route/replica_call.h"
#include "proto/wire/item.pb-c.h"

enum {
	ITEM_OP_DEADLINE_MS = 10 * 1000,
	/* Shorter than an election: who waits for a leader that stands still hears of the next one
	 * in time.  A write that is merely slow is asked after under its request id. */
	ITEM_OP_ATTEMPT_MS = 500,
	ITEM_OP_SUSPECT_ATTEMPT_MS = 100, /* of a node that let a call time out lately */
	ITEM_OP_REQUEST_ID_SIZE = 16,
};

enum item_op_kind { ITEM_OP_GET, ITEM_OP_PUT, ITEM_OP_DELETE, ITEM_OP_UPDATE };

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
	bool may_have_happened;         /* writes: an attempt ended without an answer */
	/* The operation's own; call.target and call.attempt_count may be looked at in done(). */
	struct replica_call call;
	uint64_t first_sent_mono_us; /* 0: nothing has left yet */
	bool has_left;               /* some attempt was sent */
	uint8_t request_id[ITEM_OP_REQUEST_ID_SIZE];
};

void item_op_start(struct route_env *env, struct item_op *op);
/* done() still comes, once, later.  Harmless when not under way. */
void item_op_cancel(struct item_op *op);

#endif
