#include "proto/rpc/rpc_in_flight.h"

#include <stdlib.h>

enum { SLOTS_MIN = 64 };

void rpc_in_flight_init(struct rpc_in_flight *table, uint32_t count_max)
{
	*table = (struct rpc_in_flight){ .count_max = count_max };
}

void rpc_in_flight_close(struct rpc_in_flight *table)
{
	CHECK(table->count == 0);
	free(table->slots);
	*table = (struct rpc_in_flight){ .count_max = 0 };
}

static enum status grow(struct rpc_in_flight *table)
{
	uint32_t capacity = table->capacity == 0 ? SLOTS_MIN : 2 * table->capacity;
	struct rpc_in_flight_slot *slots = realloc(table->slots, capacity * sizeof(*slots));

	if (slots == NULL)
		return ST_NO_MEMORY;
	for (uint32_t i = table->capacity; i < capacity; i++)
		slots[i] = (struct rpc_in_flight_slot){ .next_free = i + 1 };
	/* All old slots are taken, so the free ones are exactly the new ones. */
	table->first_free = table->capacity;
	table->slots = slots;
	table->capacity = capacity;
	return ST_OK;
}

enum status rpc_in_flight_add(struct rpc_in_flight *table, struct rpc_call *call)
{
	struct rpc_in_flight_slot *slot;
	uint32_t index;

	if (table->count >= table->count_max)
		return ST_OVERLOADED;
	if (table->first_free == table->capacity && grow(table) != ST_OK)
		return ST_NO_MEMORY;
	index = table->first_free;
	slot = &table->slots[index];
	CHECK(slot->call == NULL);
	table->first_free = slot->next_free;
	table->count++;
	slot->call = call;
	slot->use_count++;
	call->call_id = ((uint64_t)slot->use_count << 32) | index;
	return ST_OK;
}

static struct rpc_call *take_slot(struct rpc_in_flight *table, uint32_t index)
{
	struct rpc_in_flight_slot *slot = &table->slots[index];
	struct rpc_call *call = slot->call;

	slot->call = NULL;
	slot->next_free = table->first_free;
	table->first_free = index;
	table->count--;
	return call;
}

struct rpc_call *rpc_in_flight_take(struct rpc_in_flight *table, uint64_t call_id)
{
	uint32_t index = (uint32_t)call_id;

	if (index >= table->capacity)
		return NULL;
	if (table->slots[index].call == NULL || table->slots[index].use_count != (uint32_t)(call_id >> 32))
		return NULL;
	return take_slot(table, index);
}

struct rpc_call *rpc_in_flight_take_next(struct rpc_in_flight *table, uint32_t *cursor)
{
	while (*cursor < table->capacity) {
		uint32_t index = (*cursor)++;

		if (table->slots[index].call != NULL)
			return take_slot(table, index);
	}
	return NULL;
}
