#include "node/placement/layout.h"

#include "node/placement/placer.h"

enum { RANGE_BOUND_SIZE_MAX = 16 };

static bool put_bound(ProtobufCBinaryData *bound, uint32_t table_id, uint32_t index, uint32_t count,
		      struct arena *arena)
{
	struct buf key;

	buf_init(&key, RANGE_BOUND_SIZE_MAX);
	placer_range_bound(&key, table_id, index, count);
	bound->len = key.size;
	bound->data = key.status == ST_OK ? arena_copy(arena, buf_slice(&key)) : NULL;
	buf_close(&key);
	return bound->data != NULL;
}

static bool put_replicas(Cleave__PartitionRecord *record, const struct placer_choice *choice,
			 uint64_t first_replica_id, struct arena *arena)
{
	Cleave__ReplicaRecord *replicas = arena_alloc(arena, choice->count * sizeof(*replicas));

	record->replicas = arena_alloc(arena, choice->count * sizeof(*record->replicas));
	if (replicas == NULL || record->replicas == NULL)
		return false;
	for (uint32_t i = 0; i < choice->count; i++) {
		cleave__replica_record__init(&replicas[i]);
		replicas[i].replica_id = first_replica_id + i;
		replicas[i].node_id = choice->node_ids[i];
		record->replicas[i] = &replicas[i];
	}
	record->n_replicas = choice->count;
	record->preferred_leader_node_id = choice->preferred_leader_node_id;
	return true;
}

/* The record of slice index of count, NULL when out of memory. */
static Cleave__PartitionRecord *place_one(const struct catalog_placement *placement, uint32_t index,
					  uint32_t count, const struct placer_choice *choice,
					  struct arena *arena)
{
	Cleave__PartitionRecord *record = arena_alloc(arena, sizeof(*record));
	uint32_t table_id = placement->table->table_id;

	if (record == NULL)
		return NULL;
	cleave__partition_record__init(record);
	record->partition_id = placement->first_partition_id + index;
	record->table_id = table_id;
	record->epoch = 1;
	if (!put_bound(&record->range_start, table_id, index, count, arena) ||
	    !put_bound(&record->range_end, table_id, index + 1, count, arena) ||
	    !put_replicas(record, choice, placement->first_replica_id + (uint64_t)index * choice->count,
			  arena))
		return NULL;
	return record;
}

static enum status place_all(const struct placer *placer, const struct catalog_placement *placement,
			     uint32_t replica_count, uint32_t count, struct arena *arena,
			     Cleave__PartitionRecord **records)
{
	for (uint32_t i = 0; i < count; i++) {
		struct placer_choice choice;
		enum status status = placer_choose(placer, placement->first_partition_id + i, replica_count,
						   &choice);

		if (status != ST_OK)
			return status;
		records[i] = place_one(placement, i, count, &choice, arena);
		if (records[i] == NULL)
			return ST_NO_MEMORY;
	}
	return ST_OK;
}

enum status layout_table(const struct catalog_state *state, const struct catalog_placement *placement,
			 struct arena *arena, Cleave__PartitionRecord ***partitions_out, size_t *count_out)
{
	Cleave__PartitionRecord **records;
	struct placer *placer;
	uint32_t count;
	enum status status = placer_partition_count(placement->table, placement->partition_count,
						    &state->settings, &count);

	if (status != ST_OK)
		return status;
	records = arena_alloc(arena, count * sizeof(*records));
	if (records == NULL)
		return ST_NO_MEMORY;
	status = placer_create_from(state, &placer);
	if (status != ST_OK)
		return status;
	status = place_all(placer, placement, state->settings.replica_count, count, arena, records);
	placer_destroy(placer);
	if (status != ST_OK)
		return status;
	*partitions_out = records;
	*count_out = count;
	return ST_OK;
}
