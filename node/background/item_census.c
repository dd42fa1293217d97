#include "node/background/item_census.h"

#include "proto/model/row_key.h"
#include "storage/encoding/stored_item.h"

enum { US_PER_MS = 1000, US_PER_S = 1000 * 1000, UNIT_BYTES = 1024 };

/* --- walking, on a pool thread --- */

/* 0: not the key of a local index row. */
static uint8_t local_number_of(const struct table_schema *schema, struct slice key)
{
	struct slice rest = slice_of(key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES,
				     key.size - LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	struct slice part;

	if (key.size <= LIMIT_ROW_KEY_HEAD_SIZE_BYTES ||
	    row_key_take_partition(&rest, schema, &part) != ST_OK || rest.size == 0)
		return 0;
	return rest.data[0];
}

static void add_row(struct item_census_count *count, struct slice key, const struct stored_item *stored)
{
	uint8_t local_number;

	if (count->family == FAMILY_ITEMS) {
		count->result.items.count++;
		count->result.items.size_bytes += stored->size_bytes;
		return;
	}
	local_number = local_number_of(&count->schema, key);
	if (local_number == 0 || local_number > LIMIT_LOCAL_INDEX_COUNT)
		return;
	count->result.local_indexes[local_number - 1].count++;
	count->result.local_indexes[local_number - 1].size_bytes += stored->size_bytes;
}

static void next_family(struct item_census_count *count)
{
	if (count->family == FAMILY_LOCAL_INDEXES || !count->has_local_indexes) {
		count->is_done = true;
		return;
	}
	count->family = FAMILY_LOCAL_INDEXES;
	buf_reset(&count->next_key);
}

static enum status walk(struct item_census *census)
{
	struct item_census_count *count = &census->count;
	struct engine *engine = census->engine;
	struct engine_iter *iter = engine_iter_create(engine, count->family, buf_slice(&count->next_key),
						      buf_slice(&census->range_end), NULL,
						      ENGINE_READ_MAY_BLOCK);
	enum status status = ST_OK;

	if (iter == NULL)
		return ST_NO_MEMORY;
	engine_iter_seek_first(engine, iter);
	census->step_units = 0;
	while (status == ST_OK && census->step_units < ITEM_CENSUS_STEP_UNITS &&
	       engine_iter_valid(engine, iter)) {
		struct slice value = engine_iter_value(engine, iter);
		struct stored_item stored;

		census->step_units += 1 + value.size / UNIT_BYTES;
		status = stored_item_read(value, &stored);
		if (status == ST_OK)
			add_row(count, engine_iter_key(engine, iter), &stored);
		engine_iter_next(engine, iter);
	}
	buf_reset(&count->next_key);
	if (status == ST_OK && engine_iter_valid(engine, iter))
		buf_append_slice(&count->next_key, engine_iter_key(engine, iter));
	else if (status == ST_OK)
		status = engine_iter_status(engine, iter);
	if (status == ST_OK && count->next_key.size == 0)
		next_family(count);
	engine_iter_destroy(engine, iter);
	return status == ST_OK ? count->next_key.status : status;
}

static void work(struct runtime_job *job)
{
	struct item_census *census = CONTAINER_OF(job, struct item_census, job);

	census->status = walk(census);
}

/* --- one partition --- */

static void schedule(struct item_census *census, uint64_t delay_us)
{
	if (!census->is_stopped)
		runtime_timer_start(census->runtime, &census->timer, delay_us);
}

static void on_worked(struct runtime_job *job);

static void start_step(struct item_census *census)
{
	struct partition *partition = partition_table_find(census->partitions, census->partition_id);

	census->is_working = true;
	if (census->count.next_key.size == 0 && partition != NULL)
		buf_append_slice(&census->count.next_key, buf_slice(&partition->range_start));
	census->job = (struct runtime_job){ .work = work, .done = on_worked };
	runtime_submit(census->runtime, &census->job);
}

static void on_worked(struct runtime_job *job)
{
	struct item_census *census = CONTAINER_OF(job, struct item_census, job);
	struct partition *partition = partition_table_find(census->partitions, census->partition_id);

	census->is_working = false;
	if (census->is_stopped)
		return;
	if (partition == NULL || census->status != ST_OK || census->count.is_done) {
		if (partition != NULL && census->status == ST_OK) {
			partition->census = census->count.result;
			partition->census.is_known = true;
			partition->census.applied_index = census->applied_index;
		}
		census->partition_id = 0;
	}
	schedule(census, (uint64_t)ITEM_CENSUS_PAUSE_MS * US_PER_MS +
				 census->step_units * US_PER_S / ITEM_CENSUS_UNITS_PER_S);
}

static bool needs_count(const struct partition *partition)
{
	return group_is_ready(partition->group) &&
	       (!partition->census.is_known ||
		partition->census.applied_index != group_applied_index(partition->group));
}

/* The next one by id, around and around, so that each gets its turn. */
static struct partition *choose(const struct item_census *census)
{
	struct partition *first = NULL;
	struct partition *next = NULL;
	struct partition *partition;
	size_t cursor = 0;

	while ((partition = partition_table_next(census->partitions, &cursor)) != NULL) {
		if (!needs_count(partition))
			continue;
		if (first == NULL || partition->id < first->id)
			first = partition;
		if (partition->id > census->cursor_id && (next == NULL || partition->id < next->id))
			next = partition;
	}
	return next != NULL ? next : first;
}

static bool begin(struct item_census *census)
{
	const struct partition *partition = choose(census);

	if (partition == NULL)
		return false;
	census->partition_id = partition->id;
	census->cursor_id = partition->id;
	census->applied_index = group_applied_index(partition->group);
	census->count.result = (struct partition_census){ .is_known = true };
	census->count.family = FAMILY_ITEMS;
	census->count.is_done = false;
	census->count.has_local_indexes = partition->indexes.set != NULL;
	census->count.schema = partition->indexes.schema;
	buf_reset(&census->count.next_key);
	buf_reset(&census->range_end);
	buf_append_slice(&census->range_end, buf_slice(&partition->range_end));
	return census->range_end.status == ST_OK;
}

static void on_timer(struct runtime_timer *timer)
{
	struct item_census *census = CONTAINER_OF(timer, struct item_census, timer);

	if (census->partition_id == 0 && !begin(census)) {
		schedule(census, (uint64_t)ITEM_CENSUS_TICK_MS * US_PER_MS);
		return;
	}
	start_step(census);
}

/* --- life --- */

void item_census_start(struct item_census *census, struct runtime *runtime, struct engine *engine,
		       struct partition_table *partitions)
{
	*census = (struct item_census){ .runtime = runtime, .engine = engine, .partitions = partitions };
	buf_init(&census->range_end, LIMIT_ROW_KEY_SIZE_BYTES);
	buf_init(&census->count.next_key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	runtime_timer_init(&census->timer, on_timer);
	schedule(census, (uint64_t)ITEM_CENSUS_TICK_MS * US_PER_MS);
}

void item_census_stop(struct item_census *census)
{
	census->is_stopped = true;
	runtime_timer_stop(census->runtime, &census->timer);
}

bool item_census_is_idle(const struct item_census *census)
{
	return !census->is_working;
}

void item_census_close(struct item_census *census)
{
	buf_close(&census->range_end);
	buf_close(&census->count.next_key);
}
