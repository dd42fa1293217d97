#include "node/partition/partition_definitions.h"

#include <inttypes.h>

#include "node/partition/partition_propose.h"
#include "node/partition/partition_write.h"
#include "proto/base/log.h"
#include "proto/catalog/index_info.h"

enum { ARENA_SIZE_MAX = 4 * 1024 * 1024, VERSION_SIZE = 1, RETRY_US = 100 * 1000 };

/* Rows are made for all indexes but those being deleted. */
static bool is_maintained(const struct table_index *index)
{
	return index->state != INDEX_DELETING;
}

/* What the partition is to know; NULL when out of memory. */
static Cleave__PartitionIndexes *describe(const struct table_info *table, struct arena *arena)
{
	Cleave__PartitionIndexes *wanted = arena_alloc(arena, sizeof(*wanted));
	uint32_t count = table->indexes == NULL ? 0 : table->indexes->count;

	if (wanted == NULL)
		return NULL;
	cleave__partition_indexes__init(wanted);
	wanted->schema = table_schema_encode(&table->schema, arena);
	wanted->indexes = arena_alloc(arena, (count + 1) * sizeof(*wanted->indexes));
	if (wanted->schema == NULL || wanted->indexes == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		Cleave__IndexRecord *record;

		if (!is_maintained(&table->indexes->list[i]))
			continue;
		record = index_info_encode(&table->indexes->list[i], arena);
		if (record == NULL)
			return NULL;
		/* What may change without a change of the rows stays out. */
		record->state = CLEAVE__INDEX_RECORD__STATE__ACTIVE;
		record->is_backfilling = false;
		record->read_units = 0;
		record->write_units = 0;
		record->next_units = NULL;
		wanted->indexes[wanted->n_indexes++] = record;
	}
	return wanted;
}

/* Are they what the partition has, but for the version that they are from? */
static bool is_known(const struct partition_indexes *known, Cleave__PartitionIndexes *wanted,
		     struct arena *arena)
{
	uint64_t version = wanted->table_version;
	size_t size;
	uint8_t *packed;

	if (known->packed.size == 0)
		return wanted->n_indexes == 0 && !known->awaits;
	wanted->table_version = known->table_version;
	size = cleave__partition_indexes__get_packed_size(wanted);
	packed = arena_alloc(arena, size + 1);
	if (packed != NULL)
		(void)cleave__partition_indexes__pack(wanted, packed);
	wanted->table_version = version;
	return packed != NULL && size + VERSION_SIZE == known->packed.size &&
	       memcmp(packed, known->packed.data + VERSION_SIZE, size) == 0;
}

static void on_applied(struct partition_proposal *proposal, enum status status)
{
	struct partition *partition = CONTAINER_OF(proposal, struct partition, definitions_proposal);

	partition->is_defining = false;
	if (status == ST_OK && partition->env->feeders != NULL)
		partition->env->feeders->changed(partition->env->feeders, partition);
}

/* Refused, or out of memory.  It may be that no apply comes that would lead here again: writes
 * wait for the definitions. */
static void try_later(struct partition *partition)
{
	partition->wants_definitions = true;
	runtime_timer_start(partition->env->runtime, &partition->definitions_timer, RETRY_US);
}

static void on_retry(struct runtime_timer *timer)
{
	struct partition *partition = CONTAINER_OF(timer, struct partition, definitions_timer);

	if (partition->wants_definitions)
		partition_definitions_follow(partition);
}

static void propose(struct partition *partition, Cleave__PartitionIndexes *wanted)
{
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	enum status status;

	partition_write_flush(partition); /* what was evaluated under the old ones goes first */
	command.indexes = wanted;
	partition->definitions_proposal.done = on_applied;
	status = partition_propose(partition, &command, &partition->definitions_proposal);
	partition->is_defining = status == ST_OK;
	if (status != ST_OK)
		try_later(partition);
	else
		log_info("partition", "takes index definitions",
			 "partition=%" PRIu64 " table=%" PRIu32 " indexes=%zu version=%" PRIu64,
			 partition->id, partition->table_id, wanted->n_indexes, wanted->table_version);
}

void partition_definitions_follow(struct partition *partition)
{
	const struct table_info *table = partition_owner(partition);
	Cleave__PartitionIndexes *wanted;
	struct arena arena;

	partition->wants_definitions = false;
	if (table == NULL || partition->is_closed || !group_is_ready(partition->group) ||
	    table->state == TABLE_DELETING)
		return;
	if (table->indexes == NULL && partition->indexes.packed.size == 0 && !partition->indexes.awaits)
		return;
	if (table->version <= partition->indexes.table_version)
		return; /* this node's copy is not newer than what a leader before knew */
	if (partition->is_defining) {
		partition->wants_definitions = true; /* look again when that is applied */
		return;
	}
	arena_init(&arena, ARENA_SIZE_MAX);
	wanted = describe(table, &arena);
	if (wanted == NULL) {
		try_later(partition);
	} else {
		wanted->table_version = table->version;
		if (!is_known(&partition->indexes, wanted, &arena))
			propose(partition, wanted);
	}
	arena_close(&arena);
}

bool partition_definitions_block_writes(const struct partition *partition)
{
	return partition->is_defining || partition->indexes.awaits;
}

void partition_definitions_init(struct partition *partition)
{
	runtime_timer_init(&partition->definitions_timer, on_retry);
}

void partition_definitions_on_lost(struct partition *partition)
{
	runtime_timer_stop(partition->env->runtime, &partition->definitions_timer);
	partition->is_defining = false;
	partition->wants_definitions = false;
}
