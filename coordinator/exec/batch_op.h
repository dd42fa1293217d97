/* Many items by their keys, from any tables: one message for all keys of one partition, some
 * messages at a time.
 *
 *   worker:  claim the next key and all others of its partition --> replica_call --> take --+
 *              ^                                                                            |
 *              +----------------------------------------------------------------------------+
 *
 * Which keys go together is decided when a message is packed, so a retry after a partition
 * moved or split asks for what its new replica holds.
 *
 * Threads  loop thread of env->runtime.
 * Memory   embedded in the caller's operation until done() ran; so are the keys.  Items live in
 *          the arena given.
 * Errors   done() runs once, never from inside start or cancel.  A key that could not be read, or
 *          that size_bytes_max left no room for, has a status other than ST_OK; each key is
 *          judged by itself.
 */
#ifndef COORDINATOR_EXEC_BATCH_OP_H
#define COORDINATOR_EXEC_BATCH_OP_H

#include "proto/route/replica_call.h"
#include "proto/wire/expr.pb-c.h"

enum { BATCH_OP_WORKERS = 8 };

struct batch_key {
	/* Set by the caller; the rest zeroed. */
	uint32_t table_id;
	struct slice row_key;
	bool is_consistent;
	const Cleave__ExprProjection *projection; /* the same for all keys of a table; NULL: whole items */
	uint32_t request_index;                   /* the caller's own */
	/* Valid in done(). */
	enum status status; /* ST_BUSY: no room was left */
	bool is_found;
	struct slice item;
	uint32_t size_bytes; /* of the whole item, as DynamoDB counts */
	/* Own. */
	uint8_t owner; /* the worker that asks for it, from 1; 0: none */
	bool is_settled;
};

struct batch_op;

struct batch_worker {
	struct batch_op *op;
	struct replica_call call;
	uint8_t number; /* from 1 */
	bool is_busy;
	uint32_t asked[LIMIT_BATCH_GET_COUNT]; /* keys in the last message, in its order */
	uint32_t asked_count;
};

struct batch_op {
	/* Set by the caller; the rest zeroed. */
	struct batch_key *keys; /* ascending by (table, row key); none twice */
	uint32_t key_count;     /* at most LIMIT_BATCH_GET_COUNT */
	uint64_t size_bytes_max;
	struct arena *arena;
	void (*done)(struct batch_op *op);
	/* Own. */
	struct route_env *env;
	struct runtime_task close_task;
	uint64_t deadline_mono_us;
	uint64_t size_bytes; /* of items taken */
	uint32_t busy_count;
	bool is_canceled;
	struct batch_worker workers[BATCH_OP_WORKERS];
};

void batch_op_start(struct route_env *env, struct batch_op *op);
/* done() still comes, once, later.  Harmless when not under way. */
void batch_op_cancel(struct batch_op *op);

#endif
