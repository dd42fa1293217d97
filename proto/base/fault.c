#include "proto/base/fault.h"

#include <poll.h>
#include <string.h>

#include "proto/base/check.h"

enum { PER_MILLION = 1000000 };

static const char *const names[FAULT_COUNT] = {
	[FAULT_NONE] = "none",
	[FAULT_ENGINE_WRITE] = "engine-write",
	[FAULT_ENGINE_SYNC] = "engine-sync",
	[FAULT_ENGINE_READ] = "engine-read",
	[FAULT_APPLY_DELAY] = "apply-delay",
	[FAULT_RPC_SEND] = "rpc-send",
	[FAULT_RPC_REPLY] = "rpc-reply",
	[FAULT_LINK_DROP] = "link-drop",
	[FAULT_SNAPSHOT_CHUNK] = "snapshot-chunk",
	[FAULT_DISK_FULL] = "disk-full",
};

static struct {
	_Atomic uint32_t per_million;
	_Atomic uint32_t delay_ms;
	_Atomic uint64_t asked_count;
} points[FAULT_COUNT];

static _Atomic int64_t steps_left = -1; /* until the armed n-th step; negative: not armed */
static _Atomic bool nth_fired;

_Atomic bool fault_is_armed;

const char *fault_name(enum fault_point point)
{
	if ((unsigned)point >= FAULT_COUNT)
		return "?";
	return names[point];
}

enum fault_point fault_parse(const char *name)
{
	for (enum fault_point point = FAULT_NONE + 1; point < FAULT_COUNT; point++) {
		if (strcmp(names[point], name) == 0)
			return point;
	}
	return FAULT_NONE;
}

static bool any_point_is_set(void)
{
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		if (points[i].per_million != 0 || points[i].delay_ms != 0)
			return true;
	}
	return false;
}

void fault_arm_nth(uint32_t nth)
{
	nth_fired = false;
	steps_left = nth;
	fault_is_armed = true;
}

bool fault_disarm(void)
{
	steps_left = -1;
	fault_is_armed = any_point_is_set();
	return atomic_exchange(&nth_fired, false);
}

void fault_set(enum fault_point point, uint32_t per_million, uint32_t delay_ms)
{
	CHECK(point > FAULT_NONE && point < FAULT_COUNT);
	points[point].per_million = per_million;
	points[point].delay_ms = delay_ms;
	points[point].asked_count = 0;
	fault_is_armed = steps_left >= 0 || any_point_is_set();
}

void fault_clear_all(void)
{
	for (enum fault_point point = FAULT_NONE + 1; point < FAULT_COUNT; point++)
		fault_set(point, 0, 0);
}

static bool is_nth_step(void)
{
	int64_t left = steps_left;

	/* Several threads may step at once: only one takes the step that was armed. */
	while (left >= 0) {
		if (!atomic_compare_exchange_weak(&steps_left, &left, left - 1))
			continue;
		if (left == 0)
			nth_fired = true;
		return left == 0;
	}
	return false;
}

/* The finalizer of splitmix64: a counter in, evenly spread bits out. */
static uint64_t mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15u;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
	return value ^ (value >> 31);
}

bool fault_fires_slow(enum fault_point point)
{
	uint32_t per_million;
	uint64_t asked_count;

	CHECK(point > FAULT_NONE && point < FAULT_COUNT);
	if (is_nth_step())
		return true;
	per_million = points[point].per_million;
	if (per_million == 0)
		return false;
	asked_count = atomic_fetch_add(&points[point].asked_count, 1);
	return mix(asked_count * FAULT_COUNT + point) % PER_MILLION < per_million;
}

uint32_t fault_delay_ms_slow(enum fault_point point)
{
	CHECK(point > FAULT_NONE && point < FAULT_COUNT);
	return points[point].delay_ms;
}

void fault_block_slow(enum fault_point point)
{
	uint32_t delay_ms = fault_delay_ms_slow(point);

	if (delay_ms > 0)
		(void)poll(NULL, 0, (int)delay_ms); /* a signal may end it early: a drill can bear that */
}
