#include "node/partition/partition_outcomes.h"

#include <stdlib.h>

enum {
	KEY_SIZE = 17,
	RECORD_SIZE_MAX = 32 * 1024 * 1024,
	ENTRY_COST_BYTES = 96, /* bookkeeping of one outcome in memory */
};

struct outcome_entry {
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE];
	const Cleave__Outcome *outcome;
	struct outcome_entry *shadowed; /* another request id with the same half */
};

/* All outcomes of one command. */
struct outcome_command {
	struct queue link;
	uint64_t hlc;
	Cleave__OutcomeRecord *record;
	size_t cost_bytes;
	struct outcome_entry entries[];
};

static struct slice make_key(uint8_t key[KEY_SIZE], uint64_t partition_id, uint64_t hlc)
{
	put_u64_be(key, partition_id);
	key[8] = 'O';
	put_u64_be(key + 9, hlc);
	return slice_of(key, KEY_SIZE);
}

static uint64_t half_of(const uint8_t *request_id)
{
	return get_u64_be(request_id + 8);
}

void partition_outcomes_init(struct partition_outcomes *outcomes, uint64_t partition_id)
{
	*outcomes = (struct partition_outcomes){ .partition_id = partition_id };
	queue_init(&outcomes->commands);
	hash_map_init(&outcomes->by_id, 2 * (size_t)OUTCOMES_COUNT_MAX);
}

static void index_entry(struct partition_outcomes *outcomes, struct outcome_entry *entry)
{
	uint64_t half = half_of(entry->request_id);

	entry->shadowed = hash_map_get(&outcomes->by_id, half);
	CHECK(hash_map_put(&outcomes->by_id, half, entry) == ST_OK);
}

static void unindex_entry(struct partition_outcomes *outcomes, const struct outcome_entry *entry)
{
	uint64_t half = half_of(entry->request_id);
	struct outcome_entry *newest = hash_map_get(&outcomes->by_id, half);

	if (newest == entry) {
		if (entry->shadowed != NULL)
			CHECK(hash_map_put(&outcomes->by_id, half, entry->shadowed) == ST_OK);
		else
			(void)hash_map_remove(&outcomes->by_id, half);
		return;
	}
	while (newest != NULL && newest->shadowed != entry)
		newest = newest->shadowed;
	if (newest != NULL)
		newest->shadowed = entry->shadowed;
}

static void drop_oldest(struct partition_outcomes *outcomes)
{
	struct outcome_command *oldest = CONTAINER_OF(outcomes->commands.next, struct outcome_command, link);

	for (size_t i = 0; i < oldest->record->n_outcomes; i++)
		unindex_entry(outcomes, &oldest->entries[i]);
	outcomes->count -= oldest->record->n_outcomes;
	outcomes->size_bytes -= oldest->cost_bytes;
	queue_remove(&oldest->link);
	cleave__outcome_record__free_unpacked(oldest->record, NULL);
	free(oldest);
}

void partition_outcomes_close(struct partition_outcomes *outcomes)
{
	while (!queue_is_empty(&outcomes->commands))
		drop_oldest(outcomes);
	hash_map_close(&outcomes->by_id);
}

/* Take the record over; it has been checked. */
static enum status add_command(struct partition_outcomes *outcomes, Cleave__OutcomeRecord *record,
			       size_t packed_size_bytes)
{
	size_t count = record->n_outcomes;
	struct outcome_command *command = calloc(1, sizeof(*command) + count * sizeof(command->entries[0]));

	if (command == NULL)
		return ST_NO_MEMORY;
	command->hlc = record->hlc;
	command->record = record;
	command->cost_bytes = packed_size_bytes + count * ENTRY_COST_BYTES;
	queue_init(&command->link);
	queue_push_tail(&outcomes->commands, &command->link);
	for (size_t i = 0; i < count; i++) {
		struct outcome_entry *entry = &command->entries[i];

		memcpy(entry->request_id, record->outcomes[i]->request_id.data, OUTCOMES_REQUEST_ID_SIZE);
		entry->outcome = record->outcomes[i]->outcome;
		index_entry(outcomes, entry);
	}
	outcomes->count += count;
	outcomes->size_bytes += command->cost_bytes;
	return ST_OK;
}

static bool is_sound(const Cleave__OutcomeRecord *record)
{
	for (size_t i = 0; i < record->n_outcomes; i++) {
		if (record->outcomes[i]->request_id.len != OUTCOMES_REQUEST_ID_SIZE ||
		    record->outcomes[i]->outcome == NULL)
			return false;
	}
	return true;
}

static enum status add_packed(struct partition_outcomes *outcomes, struct slice packed)
{
	Cleave__OutcomeRecord *record = cleave__outcome_record__unpack(NULL, packed.size, packed.data);
	enum status status;

	if (record == NULL)
		return ST_CORRUPT;
	status = is_sound(record) ? add_command(outcomes, record, packed.size) : ST_CORRUPT;
	if (status != ST_OK)
		cleave__outcome_record__free_unpacked(record, NULL);
	return status;
}

enum status partition_outcomes_load(struct partition_outcomes *outcomes, struct engine *engine)
{
	uint8_t start[KEY_SIZE];
	uint8_t end[KEY_SIZE + 1] = { 0 }; /* the end is exclusive: just behind the latest */
	struct engine_iter *iter;
	enum status status = ST_OK;

	(void)make_key(end, outcomes->partition_id, UINT64_MAX);
	iter = engine_iter_create(engine, FAMILY_META, make_key(start, outcomes->partition_id, 0),
				  slice_of(end, sizeof(end)), NULL, ENGINE_READ_MAY_BLOCK);
	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine->ops->iter_seek_first(iter); status == ST_OK && engine->ops->iter_valid(iter);
	     engine->ops->iter_next(iter))
		status = add_packed(outcomes, engine->ops->iter_value(iter));
	if (status == ST_OK)
		status = engine->ops->iter_status(iter);
	engine->ops->iter_destroy(iter);
	if (!queue_is_empty(&outcomes->commands))
		outcomes->kept_from_ms = CONTAINER_OF(outcomes->commands.prev, struct outcome_command, link)
						 ->record->kept_from_ms;
	return status;
}

static bool is_over_limit(const struct partition_outcomes *outcomes, const struct outcome_command *oldest,
			  uint64_t now_ms)
{
	uint64_t then_ms = oldest->record->window_ms;

	return (now_ms > then_ms && now_ms - then_ms > OUTCOMES_WINDOW_MS) ||
	       outcomes->count > OUTCOMES_COUNT_MAX || outcomes->size_bytes > OUTCOMES_BYTES_MAX;
}

static void forget_old(struct partition_outcomes *outcomes, struct engine *engine, struct engine_batch *batch,
		       uint64_t now_ms)
{
	while (!queue_is_empty(&outcomes->commands)) {
		struct outcome_command *oldest = CONTAINER_OF(outcomes->commands.next, struct outcome_command,
							      link);
		uint8_t key[KEY_SIZE];

		if (!is_over_limit(outcomes, oldest, now_ms))
			break;
		engine_batch_delete(engine, batch, FAMILY_META,
				    make_key(key, outcomes->partition_id, oldest->hlc));
		outcomes->kept_from_ms = oldest->record->window_ms + 1;
		drop_oldest(outcomes);
	}
}

/* The command's outcomes as one packed record. */
static enum status pack_record(const Cleave__PartitionCommand *command, uint64_t kept_from_ms,
			       struct buf *packed)
{
	Cleave__OutcomeRecord record;
	Cleave__RememberedOutcome *remembered = calloc(command->n_mutations + 1, sizeof(*remembered));
	Cleave__RememberedOutcome **pointers = calloc(command->n_mutations + 1, sizeof(*pointers));
	uint8_t *start = NULL;

	cleave__outcome_record__init(&record);
	if (remembered == NULL || pointers == NULL)
		goto out;
	record.hlc = command->hlc;
	record.kept_from_ms = kept_from_ms;
	record.window_ms = command->window_ms;
	record.outcomes = pointers;
	for (size_t i = 0; i < command->n_mutations; i++) {
		const Cleave__Mutation *mutation = command->mutations[i];

		if (mutation->request_id.len == 0)
			continue;
		cleave__remembered_outcome__init(&remembered[i]);
		remembered[i].request_id = mutation->request_id;
		remembered[i].outcome = mutation->outcome;
		pointers[record.n_outcomes++] = &remembered[i];
	}
	start = buf_extend(packed, cleave__outcome_record__get_packed_size(&record));
	if (start != NULL)
		(void)cleave__outcome_record__pack(&record, start);
out:
	free(remembered);
	free(pointers);
	return start == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status partition_outcomes_apply(struct partition_outcomes *outcomes, struct engine *engine,
				     struct engine_batch *batch, const Cleave__PartitionCommand *command)
{
	struct buf packed;
	uint8_t key[KEY_SIZE];
	enum status status;

	forget_old(outcomes, engine, batch, command->window_ms);
	buf_init(&packed, RECORD_SIZE_MAX);
	status = pack_record(command, outcomes->kept_from_ms, &packed);
	if (status == ST_OK) {
		engine_batch_put(engine, batch, FAMILY_META,
				 make_key(key, outcomes->partition_id, command->hlc), buf_slice(&packed));
		status = add_packed(outcomes, buf_slice(&packed));
	}
	buf_close(&packed);
	return status;
}

const Cleave__Outcome *partition_outcomes_find(const struct partition_outcomes *outcomes,
					       struct slice request_id)
{
	const struct outcome_entry *entry;

	CHECK(request_id.size == OUTCOMES_REQUEST_ID_SIZE);
	entry = hash_map_get(&outcomes->by_id, half_of(request_id.data));
	while (entry != NULL && memcmp(entry->request_id, request_id.data, OUTCOMES_REQUEST_ID_SIZE) != 0)
		entry = entry->shadowed;
	return entry == NULL ? NULL : entry->outcome;
}

bool partition_outcomes_may_have_dropped(const struct partition_outcomes *outcomes, uint64_t first_sent_ms)
{
	return outcomes->kept_from_ms != 0 && first_sent_ms < outcomes->kept_from_ms;
}

uint64_t partition_outcomes_newest_hlc(const struct partition_outcomes *outcomes)
{
	if (queue_is_empty(&outcomes->commands))
		return 0;
	return CONTAINER_OF(outcomes->commands.prev, struct outcome_command, link)->hlc;
}

uint64_t partition_outcomes_newest_window_ms(const struct partition_outcomes *outcomes)
{
	if (queue_is_empty(&outcomes->commands))
		return 0;
	return CONTAINER_OF(outcomes->commands.prev, struct outcome_command, link)->record->window_ms;
}
