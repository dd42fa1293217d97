#include "node/partition/partition_outcomes.h"

#include <stdlib.h>

enum {
	KEY_SIZE = 17,
	RECORD_SIZE_MAX = 32 * 1024 * 1024,
	ENTRY_COST_BYTES = 96, /* bookkeeping of one outcome in memory */
	/* Commands are forgotten some at a time, by one deletion of a range of rows. */
	SLACK_MS = OUTCOMES_FORGOTTEN_MS - OUTCOMES_WINDOW_MS,
	SLACK_COUNT = OUTCOMES_COUNT_MAX / 64,
	SLACK_BYTES = OUTCOMES_BYTES_MAX / 16,
};

struct outcome_entry {
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE];
	Cleave__Outcome outcome;
	struct outcome_entry *shadowed; /* another request id with the same half */
};

/* All outcomes of one command; behind the entries lies what their requests asked for. */
struct outcome_command {
	struct queue link;
	uint64_t hlc;
	uint64_t window_ms;
	uint64_t kept_from_ms;
	size_t cost_bytes;
	size_t count;
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

	for (size_t i = 0; i < oldest->count; i++)
		unindex_entry(outcomes, &oldest->entries[i]);
	outcomes->count -= oldest->count;
	outcomes->size_bytes -= oldest->cost_bytes;
	queue_remove(&oldest->link);
	free(oldest);
}

void partition_outcomes_close(struct partition_outcomes *outcomes)
{
	while (!queue_is_empty(&outcomes->commands))
		drop_oldest(outcomes);
	hash_map_close(&outcomes->by_id);
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

static struct outcome_command *allocate(const Cleave__OutcomeRecord *record)
{
	size_t size_bytes = sizeof(struct outcome_command) +
			    record->n_outcomes * sizeof(struct outcome_entry);

	for (size_t i = 0; i < record->n_outcomes; i++)
		size_bytes += record->outcomes[i]->outcome->returned.len;
	return malloc(size_bytes);
}

/* Remember a copy of the record. */
static enum status add_record(struct partition_outcomes *outcomes, const Cleave__OutcomeRecord *record,
			      size_t packed_size_bytes)
{
	struct outcome_command *command;
	uint8_t *tail;

	if (!is_sound(record))
		return ST_CORRUPT;
	command = allocate(record);
	if (command == NULL)
		return ST_NO_MEMORY;
	command->hlc = record->hlc;
	command->window_ms = record->window_ms;
	command->kept_from_ms = record->kept_from_ms;
	command->count = record->n_outcomes;
	command->cost_bytes = packed_size_bytes + command->count * ENTRY_COST_BYTES;
	queue_init(&command->link);
	queue_push_tail(&outcomes->commands, &command->link);
	tail = (uint8_t *)&command->entries[command->count];
	for (size_t i = 0; i < command->count; i++) {
		const Cleave__RememberedOutcome *from = record->outcomes[i];
		struct outcome_entry *entry = &command->entries[i];

		memcpy(entry->request_id, from->request_id.data, OUTCOMES_REQUEST_ID_SIZE);
		entry->outcome = *from->outcome;
		if (entry->outcome.returned.len > 0)
			memcpy(tail, from->outcome->returned.data, entry->outcome.returned.len);
		entry->outcome.returned.data = tail;
		tail += entry->outcome.returned.len;
		index_entry(outcomes, entry);
	}
	outcomes->count += command->count;
	outcomes->size_bytes += command->cost_bytes;
	return ST_OK;
}

static enum status add_packed(struct partition_outcomes *outcomes, struct slice packed)
{
	Cleave__OutcomeRecord *record = cleave__outcome_record__unpack(NULL, packed.size, packed.data);
	enum status status;

	if (record == NULL)
		return ST_CORRUPT;
	status = add_record(outcomes, record, packed.size);
	cleave__outcome_record__free_unpacked(record, NULL);
	return status;
}

static const struct outcome_command *newest_of(const struct partition_outcomes *outcomes)
{
	return queue_is_empty(&outcomes->commands)
		       ? NULL
		       : CONTAINER_OF(outcomes->commands.prev, struct outcome_command, link);
}

static struct engine_iter *open_rows(struct engine *engine, uint64_t partition_id)
{
	uint8_t start[KEY_SIZE];
	uint8_t end[KEY_SIZE + 1] = { 0 }; /* the end is exclusive: just behind the latest */

	(void)make_key(end, partition_id, UINT64_MAX);
	return engine_iter_create(engine, FAMILY_META, make_key(start, partition_id, 0),
				  slice_of(end, sizeof(end)), NULL, ENGINE_READ_MAY_BLOCK);
}

/* Keys ascend in the order of the log: each leader's hlc is above those that it has applied. */
enum status partition_outcomes_recorded(struct engine *engine, uint64_t partition_id, uint64_t *index_out,
					uint64_t *term_out)
{
	struct engine_iter *iter = open_rows(engine, partition_id);
	Cleave__OutcomeRecord *record = NULL;
	enum status status;

	*index_out = 0;
	*term_out = 0;
	if (iter == NULL)
		return ST_NO_MEMORY;
	engine_iter_seek_last(engine, iter);
	status = engine_iter_status(engine, iter);
	if (engine_iter_valid(engine, iter)) {
		struct slice packed = engine_iter_value(engine, iter);

		record = cleave__outcome_record__unpack(NULL, packed.size, packed.data);
		status = record == NULL ? ST_CORRUPT : ST_OK;
	}
	if (record != NULL) {
		*index_out = record->index;
		*term_out = record->term;
		cleave__outcome_record__free_unpacked(record, NULL);
	}
	engine_iter_destroy(engine, iter);
	return status;
}

enum status partition_outcomes_load(struct partition_outcomes *outcomes, struct engine *engine)
{
	struct engine_iter *iter = open_rows(engine, outcomes->partition_id);
	enum status status = ST_OK;

	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine->ops->iter_seek_first(iter); status == ST_OK && engine->ops->iter_valid(iter);
	     engine->ops->iter_next(iter))
		status = add_packed(outcomes, engine->ops->iter_value(iter));
	if (status == ST_OK)
		status = engine->ops->iter_status(iter);
	engine->ops->iter_destroy(iter);
	if (!queue_is_empty(&outcomes->commands))
		outcomes->kept_from_ms = newest_of(outcomes)->kept_from_ms;
	return status;
}

/* Is there more than the limits allow, were they lower (or the window longer) by so much? */
static bool is_over_limit(const struct partition_outcomes *outcomes, uint64_t now_ms, uint64_t more_ms,
			  size_t less_count, size_t less_bytes)
{
	uint64_t then_ms;

	if (queue_is_empty(&outcomes->commands))
		return false;
	then_ms = CONTAINER_OF(outcomes->commands.next, struct outcome_command, link)->window_ms;
	return (now_ms > then_ms && now_ms - then_ms > OUTCOMES_WINDOW_MS + more_ms) ||
	       outcomes->count > OUTCOMES_COUNT_MAX - less_count ||
	       outcomes->size_bytes > OUTCOMES_BYTES_MAX - less_bytes;
}

/* Which commands go depends on what was applied only: all replicas forget the same ones. */
static void forget_old(struct partition_outcomes *outcomes, struct engine *engine, struct engine_batch *batch,
		       uint64_t now_ms)
{
	uint8_t end[KEY_SIZE];
	uint64_t last_hlc = 0;

	if (!is_over_limit(outcomes, now_ms, SLACK_MS, 0, 0))
		return;
	while (is_over_limit(outcomes, now_ms, 0, SLACK_COUNT, SLACK_BYTES)) {
		const struct outcome_command *oldest = CONTAINER_OF(outcomes->commands.next,
								    struct outcome_command, link);

		outcomes->kept_from_ms = oldest->window_ms + 1;
		last_hlc = oldest->hlc;
		drop_oldest(outcomes);
	}
	(void)make_key(end, outcomes->partition_id, last_hlc + 1);
	engine_batch_delete_range(engine, batch, FAMILY_META, slice_of(end, KEY_SIZE - sizeof(last_hlc)),
				  slice_of(end, KEY_SIZE));
}

static enum status put_record(const struct partition_outcomes *outcomes, struct engine *engine,
			      struct engine_batch *batch, const Cleave__OutcomeRecord *record,
			      size_t *size_bytes_out)
{
	struct buf packed;
	uint8_t key[KEY_SIZE];
	uint8_t *start;

	buf_init(&packed, RECORD_SIZE_MAX);
	start = buf_extend(&packed, cleave__outcome_record__get_packed_size(record));
	if (start != NULL) {
		(void)cleave__outcome_record__pack(record, start);
		engine_batch_put(engine, batch, FAMILY_META,
				 make_key(key, outcomes->partition_id, record->hlc), buf_slice(&packed));
	}
	*size_bytes_out = packed.size;
	buf_close(&packed);
	return start == NULL ? ST_NO_MEMORY : ST_OK;
}

static size_t list_outcomes(const Cleave__PartitionCommand *command, Cleave__RememberedOutcome *outcomes,
			    Cleave__RememberedOutcome **list)
{
	size_t count = 0;

	for (size_t i = 0; i < command->n_mutations; i++) {
		const Cleave__Mutation *mutation = command->mutations[i];

		if (mutation->request_id.len == 0)
			continue;
		cleave__remembered_outcome__init(&outcomes[count]);
		outcomes[count].request_id = mutation->request_id;
		outcomes[count].outcome = mutation->outcome;
		list[count] = &outcomes[count];
		count++;
	}
	return count;
}

enum status partition_outcomes_apply(struct partition_outcomes *outcomes, struct engine *engine,
				     struct engine_batch *batch, const Cleave__PartitionCommand *command,
				     uint64_t index, uint64_t term)
{
	size_t count_max = command->n_mutations + 1; /* none is no size to allocate */
	Cleave__RememberedOutcome *remembered = malloc(count_max * sizeof(*remembered));
	Cleave__RememberedOutcome **list = malloc(count_max * sizeof(*list));
	Cleave__OutcomeRecord record;
	enum status status = ST_NO_MEMORY;
	size_t size_bytes;

	if (remembered == NULL || list == NULL)
		goto out;
	forget_old(outcomes, engine, batch, command->window_ms);
	cleave__outcome_record__init(&record);
	record.hlc = command->hlc;
	record.kept_from_ms = outcomes->kept_from_ms;
	record.window_ms = command->window_ms;
	record.index = index;
	record.term = term;
	record.outcomes = list;
	record.n_outcomes = list_outcomes(command, remembered, list);
	status = put_record(outcomes, engine, batch, &record, &size_bytes);
	if (status == ST_OK)
		status = add_record(outcomes, &record, size_bytes);
out:
	free(remembered);
	free(list);
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
	return entry == NULL ? NULL : &entry->outcome;
}

bool partition_outcomes_may_have_dropped(const struct partition_outcomes *outcomes, uint64_t first_sent_ms)
{
	return outcomes->kept_from_ms != 0 && first_sent_ms < outcomes->kept_from_ms;
}

uint64_t partition_outcomes_newest_hlc(const struct partition_outcomes *outcomes)
{
	const struct outcome_command *newest = newest_of(outcomes);

	return newest == NULL ? 0 : newest->hlc;
}

uint64_t partition_outcomes_newest_window_ms(const struct partition_outcomes *outcomes)
{
	const struct outcome_command *newest = newest_of(outcomes);

	return newest == NULL ? 0 : newest->window_ms;
}
