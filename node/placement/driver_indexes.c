#include <inttypes.h>

#include "node/placement/driver_internal.h"
#include "proto/base/log.h"

enum { SCRATCH_SIZE_MAX = 1024 * 1024, TELL_INTERVAL_MS = 10 * 1000 };

static const struct catalog_state *state_of(const struct driver *driver)
{
	return catalog_applied_state(driver->catalog);
}

static bool is_active(const struct catalog_state *state, uint32_t table_id)
{
	const struct table_info *table = catalog_state_table(state, table_id);

	return table != NULL && table->state == TABLE_ACTIVE;
}

/* --- what partitions have told --- */

static const struct feed_track *find_feed(const struct partition_track *tracked, uint32_t index_table_id)
{
	for (uint32_t i = 0; i < tracked->feed_count; i++) {
		if (tracked->feeds[i].index_table_id == index_table_id)
			return &tracked->feeds[i];
	}
	return NULL;
}

enum feeding { FEEDING_UNKNOWN, FEEDING_NONE, FEEDING_BEHIND, FEEDING_CAUGHT_UP };

static enum feeding feeding_of(const struct driver *driver, uint64_t partition_id, uint32_t index_table_id)
{
	const struct partition_track *tracked = hash_map_get(&driver->partitions, partition_id);
	const struct feed_track *feed;

	if (tracked == NULL || tracked->leader_node_id == 0)
		return FEEDING_UNKNOWN;
	feed = find_feed(tracked, index_table_id);
	if (feed == NULL)
		return FEEDING_NONE;
	return feed->is_caught_up ? FEEDING_CAUGHT_UP : FEEDING_BEHIND;
}

/* Do the leaders of all the table's partitions say this of the index? */
static bool all_say(const struct driver *driver, const struct table_info *table, uint32_t index_table_id,
		    enum feeding wanted)
{
	const struct partition_info *partition;

	for (size_t i = 0;
	     (partition = catalog_state_partition_at(state_of(driver), table->table_id, i)) != NULL; i++) {
		if (feeding_of(driver, partition->partition_id, index_table_id) != wanted)
			return false;
	}
	return true;
}

/* --- records --- */

/* A copy that can be changed; NULL when out of memory. */
static struct table_indexes *copy_indexes(const struct table_info *table, struct arena *arena)
{
	void *room = arena_alloc(arena, table_indexes_size(table->indexes));

	return room == NULL ? NULL : table_indexes_copy(table->indexes, room);
}

const struct table_indexes *driver_indexes_activate(const struct table_info *table, struct arena *arena)
{
	struct table_indexes *copy = table->indexes == NULL ? NULL : copy_indexes(table, arena);

	for (uint32_t i = 0; copy != NULL && i < copy->count; i++)
		copy->list[i].state = INDEX_ACTIVE;
	return copy;
}

static void propose_index(struct driver *driver, const struct table_info *table, size_t at,
			  enum index_state state, bool is_backfilling)
{
	struct table_info changed = *table;
	struct table_indexes *copy;
	struct arena arena;

	arena_init(&arena, SCRATCH_SIZE_MAX);
	copy = copy_indexes(table, &arena);
	if (copy != NULL) {
		copy->list[at].state = state;
		copy->list[at].is_backfilling = is_backfilling;
		changed.indexes = copy;
		driver_propose_table(driver, &changed);
	}
	arena_close(&arena);
}

static void propose_without_index(struct driver *driver, const struct table_info *table, size_t at)
{
	struct table_info changed = *table;
	struct table_indexes *copy;
	struct arena arena;

	arena_init(&arena, SCRATCH_SIZE_MAX);
	copy = copy_indexes(table, &arena);
	if (copy != NULL) {
		copy->count--;
		memmove(&copy->list[at], &copy->list[at + 1], (copy->count - at) * sizeof(copy->list[0]));
		changed.indexes = copy->count == 0 ? NULL : copy;
		driver_propose_table(driver, &changed);
	}
	arena_close(&arena);
}

static void propose_deleting(struct driver *driver, const struct table_info *derived)
{
	struct table_info changed = *derived;

	changed.state = TABLE_DELETING;
	if (!catalog_table_is_changing(driver->catalog, derived->name))
		driver_propose_table(driver, &changed);
}

/* --- steps --- */

bool driver_indexes_are_busy(const struct catalog_state *state, const struct table_info *table)
{
	if (!table_info_is_named(table))
		return catalog_state_table(state, table->base_table_id) == NULL;
	for (uint32_t i = 0; table->indexes != NULL && i < table->indexes->count; i++) {
		if (table->indexes->list[i].state != INDEX_ACTIVE)
			return true;
	}
	return false;
}

bool driver_indexes_are_ready(const struct driver *driver, const struct table_info *table)
{
	const struct table_index *index;
	uint32_t cursor = 0;

	while ((index = table_indexes_next(table->indexes, false, &cursor)) != NULL) {
		if (!is_active(state_of(driver), index->table_id) ||
		    !all_say(driver, table, index->table_id, FEEDING_CAUGHT_UP))
			return false;
	}
	return true;
}

bool driver_indexes_are_placed(const struct driver *driver, const struct table_info *table)
{
	const struct table_index *index;
	uint32_t cursor = 0;

	while ((index = table_indexes_next(table->indexes, false, &cursor)) != NULL) {
		if (index->state == INDEX_CREATING && !is_active(state_of(driver), index->table_id))
			return false;
	}
	return true;
}

/* How far the backfill is, now and then. */
static void tell_progress(struct driver *driver, const struct table_info *table,
			  const struct table_index *index)
{
	uint64_t now_ms = runtime_mono_ms(driver->runtime);
	const struct partition_info *partition;
	uint32_t done_count = 0;
	uint32_t count = 0;
	uint64_t percent = 0;

	if (now_ms - driver->told_mono_ms < TELL_INTERVAL_MS)
		return;
	driver->told_mono_ms = now_ms;
	for (; (partition = catalog_state_partition_at(state_of(driver), table->table_id, count)) != NULL;
	     count++) {
		const struct partition_track *tracked = hash_map_get(&driver->partitions,
								     partition->partition_id);
		const struct feed_track *feed = tracked == NULL ? NULL : find_feed(tracked, index->table_id);

		done_count += feed != NULL && feed->is_caught_up;
		percent += feed == NULL ? 0 : feed->backfilled_percent;
	}
	log_info("driver", "index is backfilled",
		 "table=%s index=%s percent=%" PRIu64 " partitions=%" PRIu32 "/%" PRIu32, table->name,
		 index->name, count == 0 ? 0 : percent / count, done_count, count);
}

static void look_at_creation(struct driver *driver, const struct table_info *table, size_t at)
{
	const struct table_index *index = &table->indexes->list[at];

	if (!is_active(state_of(driver), index->table_id))
		return;
	if (all_say(driver, table, index->table_id, FEEDING_CAUGHT_UP)) {
		log_info("driver", "index is complete", "table=%s index=%s", table->name, index->name);
		propose_index(driver, table, at, INDEX_ACTIVE, false);
	} else if (!index->is_backfilling) {
		log_info("driver", "index backfill begins", "table=%s index=%s", table->name, index->name);
		propose_index(driver, table, at, INDEX_CREATING, true);
	} else {
		tell_progress(driver, table, index);
	}
}

static void look_at_deletion(struct driver *driver, const struct table_info *table, size_t at)
{
	const struct table_index *index = &table->indexes->list[at];
	const struct table_info *derived = catalog_state_table(state_of(driver), index->table_id);

	if (derived == NULL)
		propose_without_index(driver, table, at);
	else if (derived->state != TABLE_DELETING && all_say(driver, table, index->table_id, FEEDING_NONE))
		propose_deleting(driver, derived);
}

void driver_indexes_look_at(struct driver *driver, const struct table_info *table)
{
	if (!table_info_is_named(table)) {
		if (catalog_state_table(state_of(driver), table->base_table_id) == NULL)
			propose_deleting(driver, table);
		return;
	}
	for (size_t i = 0; table->indexes != NULL && i < table->indexes->count; i++) {
		const struct table_index *index = &table->indexes->list[i];

		if (index->state == INDEX_CREATING && !table_index_is_local(index))
			look_at_creation(driver, table, i);
		else if (index->state == INDEX_DELETING)
			look_at_deletion(driver, table, i);
		else
			continue;
		return; /* one change of the record at a time */
	}
}

bool driver_indexes_are_gone(struct driver *driver, const struct table_info *table)
{
	const struct table_index *index;
	uint32_t cursor = 0;
	bool are_gone = true;

	while ((index = table_indexes_next(table->indexes, false, &cursor)) != NULL) {
		const struct table_info *derived = catalog_state_table(state_of(driver), index->table_id);

		if (derived == NULL)
			continue;
		are_gone = false;
		if (derived->state != TABLE_DELETING)
			propose_deleting(driver, derived);
	}
	return are_gone;
}
