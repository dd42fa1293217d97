/* Calls that wait for a reply, found again by call id.
 *
 * A call id is the number of a slot and how often the slot was used, so finding is one
 * look and a reply that comes too late finds nobody.
 *
 * Threads  loop thread.
 * Memory   calls are borrowed; slots grow up to the limit given at birth.
 * Errors   ST_OVERLOADED at the limit, ST_NO_MEMORY.
 */
#ifndef PROTO_RPC_RPC_IN_FLIGHT_H
#define PROTO_RPC_RPC_IN_FLIGHT_H

#include <stdint.h>

#include "proto/base/check.h"
#include "proto/base/status.h"
#include "proto/rpc/rpc.h"

struct rpc_in_flight_slot {
	struct rpc_call *call; /* NULL: free */
	uint32_t use_count;
	uint32_t next_free;
};

struct rpc_in_flight {
	struct rpc_in_flight_slot *slots;
	uint32_t capacity;
	uint32_t count;
	uint32_t count_max;
	uint32_t first_free; /* capacity: none */
};

void rpc_in_flight_init(struct rpc_in_flight *table, uint32_t count_max);
/* The table must be empty. */
void rpc_in_flight_close(struct rpc_in_flight *table);
/* Sets call->call_id. */
enum status rpc_in_flight_add(struct rpc_in_flight *table, struct rpc_call *call) MUST_CHECK;
/* Find and remove; NULL if nobody waits under this id. */
struct rpc_call *rpc_in_flight_take(struct rpc_in_flight *table, uint64_t call_id);
/* Remove them one by one: start with *cursor = 0; NULL when empty.  Nothing may be added between. */
struct rpc_call *rpc_in_flight_take_next(struct rpc_in_flight *table, uint32_t *cursor);

#endif
