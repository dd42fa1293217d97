#include "node/catalog/catalog_outcomes.h"

#include <stdlib.h>

enum status catalog_outcomes_add(struct catalog_outcomes *outcomes, uint64_t version, struct slice request_id,
				 struct slice reply)
{
	uint8_t *block = malloc(request_id.size + reply.size);

	CHECK(outcomes->count < CATALOG_OUTCOMES_MAX && request_id.size > 0);
	if (block == NULL)
		return ST_NO_MEMORY;
	memcpy(block, request_id.data, request_id.size);
	memcpy(block + request_id.size, reply.data, reply.size);
	outcomes->list[outcomes->count++] = (struct catalog_outcome){
		.version = version,
		.request_id = slice_of(block, request_id.size),
		.reply = slice_of(block + request_id.size, reply.size),
		.block = block,
	};
	return ST_OK;
}

void catalog_outcomes_drop_oldest(struct catalog_outcomes *outcomes)
{
	CHECK(outcomes->count > 0);
	free(outcomes->list[0].block);
	outcomes->count--;
	memmove(outcomes->list, outcomes->list + 1, outcomes->count * sizeof(outcomes->list[0]));
}

void catalog_outcomes_clear(struct catalog_outcomes *outcomes)
{
	for (uint32_t i = 0; i < outcomes->count; i++)
		free(outcomes->list[i].block);
	outcomes->count = 0;
}

const struct catalog_outcome *catalog_outcomes_find(const struct catalog_outcomes *outcomes,
						    struct slice request_id)
{
	for (uint32_t i = outcomes->count; i > 0; i--) {
		if (slice_equal(outcomes->list[i - 1].request_id, request_id))
			return &outcomes->list[i - 1];
	}
	return NULL;
}
