/* One request to the catalog's leader, wherever it is.
 *
 *   SEND --> VERDICT --> done
 *     ^         | not the leader, nobody there, overloaded; time left
 *     +--PAUSE--+
 *
 * A hint in the answer names the next target; without one the seeds are tried in turn.  A
 * request whose outcome is unknown is sent again: changes carry a request id for that.
 *
 * Threads  loop thread of the runtime.
 * Memory   a call is embedded in the caller's operation until done() ran; the body is copied.
 *          reply is borrowed until done() returns.
 * Errors   done() runs once, never from inside start or cancel: ST_OK; what the catalog
 *          decided (ST_EXISTS, ST_NOT_FOUND, ST_BUSY, ST_DENIED, ST_INVALID, ST_TOO_BIG,
 *          ST_UNAVAILABLE is retried); ST_CANCELED; at the deadline the last failure.  A failure
 *          is ST_UNKNOWN_OUTCOME if an earlier attempt may have taken effect, or may still.
 */
#ifndef PROTO_CATALOG_CATALOG_CALL_H
#define PROTO_CATALOG_CATALOG_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/runtime.h"
#include "proto/rpc/rpc.h"

enum { CATALOG_SEEDS_MAX = 9 };

/* Where the catalog's replicas are. */
struct catalog_seeds {
	struct runtime *runtime;
	struct rpc_transport *transport; /* reaches every seed, this process's own node included */
	uint64_t node_ids[CATALOG_SEEDS_MAX];
	uint32_t count;
	uint32_t next;           /* the seed to try when the leader is unknown */
	uint64_t leader_node_id; /* last known; 0: unknown */
};

struct catalog_call;

typedef void (*catalog_call_cb)(struct catalog_call *call);

struct catalog_call {
	/* Valid in done(). */
	enum status status;
	struct slice reply;
	/* The call's own. */
	struct catalog_seeds *seeds;
	catalog_call_cb done;
	struct buf body;
	struct rpc_call rpc;
	struct runtime_timer timer; /* pause between attempts */
	struct runtime_task task;   /* ends a call that never got sent */
	uint64_t deadline_mono_us;
	uint32_t attempt_count;
	bool is_active;
	bool is_canceled;
	bool may_have_happened; /* an attempt's outcome is unknown */
};

/* count is 1 to CATALOG_SEEDS_MAX. */
void catalog_seeds_init(struct catalog_seeds *seeds, struct runtime *runtime, struct rpc_transport *transport,
			const uint64_t *node_ids, uint32_t count);

/* method is one of METHOD_CATALOG_*, but not the watch. */
void catalog_call_start(struct catalog_seeds *seeds, struct catalog_call *call, uint16_t method,
			struct slice body, uint32_t timeout_ms, catalog_call_cb done);
/* done() still comes, once, later.  Harmless when not active. */
void catalog_call_cancel(struct catalog_call *call);

#endif
