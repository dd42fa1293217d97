/* One message, asked of one replica of a partition after the other until one of them answers.
 *
 *   ROUTE --> SEND --> VERDICT --> CLOSE --> done
 *    ^  |                |
 *    |  +---> PAUSE <----+  nobody to ask, nobody leads, too busy, moved
 *    +----------+-------+
 *
 * For what may be asked twice: reads, and writes that say which they are.  The question may depend on the
 * partition that is asked: pack() writes the message once the target is chosen, anew for each
 * attempt, and take() reads the reply.
 *
 * Threads  loop thread of env->runtime.
 * Memory   embedded in the caller's operation until done() ran; so is row_key.  What a reply is
 *          decoded to lives in the arena.
 * Errors   done() runs once, never from inside start or cancel, with status:
 *            ST_OK         take() was called and succeeded
 *            ST_NOT_FOUND  the table is gone
 *            ST_CANCELED   by replica_call_cancel()
 *            what pack() or take() or the replica answered; at the deadline the last failure
 */
#ifndef PROTO_ROUTE_REPLICA_CALL_H
#define PROTO_ROUTE_REPLICA_CALL_H

#include "proto/base/arena.h"
#include "proto/route/route_env.h"

enum {
	REPLICA_CALL_DEADLINE_MS = 10 * 1000,
	REPLICA_CALL_ATTEMPT_MS = 1000, /* a page of a megabyte may have to come from disk */
};

enum replica_call_phase {
	REPLICA_CALL_IDLE,
	REPLICA_CALL_ROUTE,
	REPLICA_CALL_SEND,
	REPLICA_CALL_VERDICT,
	REPLICA_CALL_PAUSE,
	REPLICA_CALL_CLOSE,
};

struct replica_call {
	/* Set by the caller; the rest zeroed. */
	uint16_t method;
	uint32_t table_id;
	struct slice row_key; /* its partition is asked, or */
	bool is_below;        /* the one that holds the keys just below it */
	bool is_consistent;
	uint64_t deadline_mono_us;
	struct arena *arena;
	/* target is chosen; accepts_frozen belongs into the message. */
	enum status (*pack)(struct replica_call *call, struct buf *out);
	enum status (*take)(struct replica_call *call, struct slice reply);
	void (*done)(struct replica_call *call);
	/* Valid in pack(), take() and done(). */
	const struct partition_info *partition; /* pack() only */
	struct route_target target;
	bool accepts_frozen;
	/* Valid in done(). */
	enum status status;
	uint32_t attempt_count;
	/* Own. */
	struct route_env *env;
	enum replica_call_phase phase;
	struct rpc_call call;
	struct runtime_timer timer;
	struct runtime_task close_task;
	struct route_tried tried;
	uint64_t routed_version; /* of the catalog's copy, when target was chosen */
	uint32_t pause_count;
	bool has_met_stale;
	bool is_canceled;
};

/* Before the first call. */
void replica_call_register_metrics(void);

void replica_call_start(struct route_env *env, struct replica_call *call);
/* done() still comes, once, later.  Harmless when not under way. */
void replica_call_cancel(struct replica_call *call);

#endif
