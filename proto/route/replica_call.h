/* One message, asked of one replica of a partition after the other until one of them answers.
 *
 *   ROUTE --> SEND --> VERDICT --> CLOSE --> done
 *    ^  |                |
 *    |  +---> PAUSE <----+  nobody to ask, nobody leads, too busy, moved
 *    +----------+-------+
 *
 * ROUTE and VERDICT never wait.  SEND waits for the reply, PAUSE for a timer, CLOSE for the end of the
 * loop's turn.
 *
 * For what may be asked twice: reads, and writes that say which they are.  The question may depend on the
 * partition that is asked: pack() writes the message once the target is chosen, anew for each
 * attempt, and take() reads the reply.  An attempt has a time limit of its own, so that a node which
 * does not answer does not hold the call; all attempts together have until its deadline.
 *
 * Threads  loop thread of env->runtime.
 * Memory   embedded in the caller's operation until done() ran; so is row_key.  What a reply is
 *          decoded to lives in the arena.
 * Errors   done() runs once, never from inside start or cancel, with status:
 *            ST_OK         take() was called and succeeded
 *            ST_CONDITION_FAILED, ST_REFUSED   so did it: the answer says that a write had no effect
 *            ST_NOT_FOUND  the table is gone
 *            ST_CANCELED   by replica_call_cancel()
 *            what pack() or take() or the replica answered
 *            at the deadline the last failure, or what note() says
 */
#ifndef PROTO_ROUTE_REPLICA_CALL_H
#define PROTO_ROUTE_REPLICA_CALL_H

#include "proto/base/arena.h"
#include "proto/route/route_env.h"

enum {
	REPLICA_CALL_DEADLINE_MS = 10 * 1000,
	REPLICA_CALL_ATTEMPT_MS = 1000, /* a page of a megabyte may have to come from disk */
	REPLICA_CALL_ATTEMPT_MS_MAX = 4000,
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
	/* Of one attempt; 0: REPLICA_CALL_ATTEMPT_MS.  Doubles with every fourth attempt that met silence, so
	 * that a replica which is always slower is heard in the end. */
	uint32_t attempt_ms;
	uint32_t attempt_suspect_ms; /* of a node that let a call time out lately; 0: attempt_ms */
	struct arena *arena;
	/* target is chosen; accepts_frozen belongs into the message. */
	enum status (*pack)(struct replica_call *call, struct buf *out);
	enum status (*take)(struct replica_call *call, struct slice reply);
	/* How an attempt ended, before anything is done about it; may set status_at_deadline.  May be NULL.
	 */
	void (*note)(struct replica_call *call, enum status status);
	void (*done)(struct replica_call *call);
	/* Valid in pack(), take() and done(). */
	const struct partition_info *partition; /* pack() only */
	struct route_target target;
	bool accepts_frozen;
	enum status status_at_deadline; /* ST_OK: the last failure */
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
	uint32_t silence_count; /* attempts that timed out */
	bool has_met_stale;
	bool is_canceled;
};

/* Before the first call. */
void replica_call_register_metrics(void);

void replica_call_start(struct route_env *env, struct replica_call *call);
/* done() still comes, once, later.  Harmless when not under way. */
void replica_call_cancel(struct replica_call *call);

#endif
