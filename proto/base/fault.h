/* Fault points: named places where a test or an operator's drill can make a step fail
 * or wait.  They stay in the release build behind one flag that is false unless
 * armed: the binary under chaos is the binary we ship.
 *
 * Threads  any.  A change reaches other threads soon, not at once.
 * Chance   which calls fire is decided by a counter, not by a clock: the same calls in
 *          the same order fire alike.
 */
#ifndef PROTO_BASE_FAULT_H
#define PROTO_BASE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/base/status.h"

enum fault_point {
	FAULT_NONE,
	FAULT_ENGINE_WRITE,   /* a batch write fails */
	FAULT_ENGINE_SYNC,    /* a log sync fails, or takes longer (a slow disk) */
	FAULT_ENGINE_READ,    /* a point read or an iterator fails */
	FAULT_APPLY_DELAY,    /* this replica's applies wait (stale reads become visible) */
	FAULT_RPC_SEND,       /* a call is not sent */
	FAULT_RPC_REPLY,      /* a reply is lost */
	FAULT_LINK_DROP,      /* raft messages to a peer are dropped */
	FAULT_SNAPSHOT_CHUNK, /* a snapshot chunk is lost */
	FAULT_DISK_FULL,      /* the watermark says the disk is full */
	FAULT_COUNT,
};

/* A point's name as operators type it ("apply-delay"), and back; FAULT_NONE if unknown. */
const char *fault_name(enum fault_point point);
enum fault_point fault_parse(const char *name);

/* Fail the n-th (from 0) fallible step of any kind from now on, once. */
void fault_arm_nth(uint32_t nth);
/* Disarm fault_arm_nth(); true if it fired. */
bool fault_disarm(void);

/* Let one point fire with a probability (per million), and hold a delay in ms; zeros clear it. */
void fault_set(enum fault_point point, uint32_t per_million, uint32_t delay_ms);
void fault_clear_all(void);

extern _Atomic bool fault_is_armed;

bool fault_fires_slow(enum fault_point point);
uint32_t fault_delay_ms_slow(enum fault_point point);

/* Should this step fail now? */
static inline bool fault_fires(enum fault_point point)
{
	return __builtin_expect(atomic_load_explicit(&fault_is_armed, memory_order_relaxed), 0) &&
	       fault_fires_slow(point);
}

/* Hold the calling thread as long as this step shall wait: only where a thread may block. */
void fault_block_slow(enum fault_point point);

static inline void fault_block(enum fault_point point)
{
	if (__builtin_expect(atomic_load_explicit(&fault_is_armed, memory_order_relaxed), 0))
		fault_block_slow(point);
}

/* How long this step shall wait; 0 normally. */
static inline uint32_t fault_delay_ms(enum fault_point point)
{
	if (!__builtin_expect(atomic_load_explicit(&fault_is_armed, memory_order_relaxed), 0))
		return 0;
	return fault_delay_ms_slow(point);
}

#endif
