#include "tests/sim/sim_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/check.h"
#include "proto/base/digest.h"

enum { HEAP_CAPACITY_MIN = 256 };

void sim_world_init(struct sim_world *world, uint64_t seed)
{
	struct rng root;

	*world = (struct sim_world){ .seed = seed, .now_us = SIM_EPOCH_US };
	rng_seed(&root, seed);
	rng_seed(&world->net_rng, rng_u64(&root));
	rng_seed(&world->disk_rng, rng_u64(&root));
	rng_seed(&world->fault_rng, rng_u64(&root));
	rng_seed(&world->client_rng, rng_u64(&root));
}

void sim_world_close(struct sim_world *world)
{
	free(world->heap);
	world->heap = NULL;
	world->heap_count = 0;
}

/* --- the queue --- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

static void put(struct sim_world *world, size_t index, struct sim_event *event)
{
	world->heap[index] = event;
	event->heap_index = index;
}

static void sift_up(struct sim_world *world, size_t index, struct sim_event *event)
{
	for (; index > 0 && is_before(event, world->heap[(index - 1) / 2]); index = (index - 1) / 2)
		put(world, index, world->heap[(index - 1) / 2]);
	put(world, index, event);
}

static void sift_down(struct sim_world *world, size_t index, struct sim_event *event)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= world->heap_count)
			break;
		if (child + 1 < world->heap_count && is_before(world->heap[child + 1], world->heap[child]))
			child++;
		if (is_before(event, world->heap[child]))
			break;
		put(world, index, world->heap[child]);
		index = child;
	}
	put(world, index, event);
}

void sim_event_init(struct sim_event *event, const struct sim_process *process, sim_event_cb cb)
{
	*event = (struct sim_event){ .heap_index = SIZE_MAX, .cb = cb, .process = process };
}

void sim_event_cancel(struct sim_world *world, struct sim_event *event)
{
	size_t index = event->heap_index;
	struct sim_event *last;

	if (index == SIZE_MAX)
		return;
	CHECK(index < world->heap_count && world->heap[index] == event);
	event->heap_index = SIZE_MAX;
	last = world->heap[--world->heap_count];
	if (last == event)
		return;
	if (index > 0 && is_before(last, world->heap[(index - 1) / 2]))
		sift_up(world, index, last);
	else
		sift_down(world, index, last);
}

void sim_event_at(struct sim_world *world, struct sim_event *event, uint64_t at_us)
{
	sim_event_cancel(world, event);
	if (world->heap_count == world->heap_capacity) {
		world->heap_capacity = world->heap_capacity == 0 ? HEAP_CAPACITY_MIN
								 : 2 * world->heap_capacity;
		world->heap = realloc(world->heap, world->heap_capacity * sizeof(struct sim_event *));
		CHECK(world->heap != NULL);
	}
	event->at_us = at_us > world->now_us ? at_us : world->now_us;
	event->sequence = world->next_sequence++;
	sift_up(world, world->heap_count++, event);
}

void sim_event_in(struct sim_world *world, struct sim_event *event, uint64_t delay_us)
{
	sim_event_at(world, event, world->now_us + delay_us);
}

void sim_world_run_until(struct sim_world *world, uint64_t until_us)
{
	while (!world->is_over && world->heap_count > 0 && world->heap[0]->at_us <= until_us) {
		struct sim_event *event = world->heap[0];

		CHECK(event->at_us >= world->now_us);
		world->now_us = event->at_us;
		sim_event_cancel(world, event);
		if (event->process != NULL && event->process->paused_until_us > world->now_us) {
			sim_event_at(world, event,
				     event->process->paused_until_us +
					     (event->is_timer ? event->process->timer_lag_us : 0));
			continue;
		}
		world->event_count++;
		event->cb(event);
	}
	if (!world->is_over && world->now_us < until_us)
		world->now_us = until_us;
}

/* --- the story --- */

void sim_world_trace(struct sim_world *world, uint64_t what, uint64_t value)
{
	uint64_t words[3] = { world->now_us, what, value };

	world->trace = digest_hash64(slice_of(words, sizeof(words)), world->trace);
}

void sim_world_trace_bytes(struct sim_world *world, uint64_t what, struct slice bytes)
{
	sim_world_trace(world, what, digest_hash64(bytes, bytes.size));
}

void sim_world_say(const struct sim_world *world, const char *format, ...)
{
	va_list arguments;

	if (!world->is_verbose)
		return;
	(void)printf("%10.6f  ", (double)(world->now_us - SIM_EPOCH_US) / SIM_SECOND);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)printf("\n");
}

/* --- chance --- */

uint64_t sim_range(struct rng *rng, uint64_t low, uint64_t high)
{
	return low + rng_below(rng, high - low + 1);
}

bool sim_one_in(struct rng *rng, uint64_t n)
{
	return rng_below(rng, n) == 0;
}

bool sim_percent(struct rng *rng, uint64_t percent)
{
	return rng_below(rng, 100) < percent;
}
