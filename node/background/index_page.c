#include "node/background/index_page.h"

#include "node/partition/partition_indexes.h"
#include "storage/changes/change_log.h"
#include "storage/encoding/stored_item.h"

/* The phase and what follows it; no data when out of memory. */
static struct slice make_position(struct arena *arena, enum feed_phase phase, struct slice rest)
{
	uint8_t *bytes = arena_alloc(arena, 1 + rest.size);

	if (bytes == NULL)
		return slice_of(NULL, 0);
	bytes[0] = (uint8_t)phase;
	if (rest.size > 0)
		memcpy(bytes + 1, rest.data, rest.size);
	return slice_of(bytes, 1 + rest.size);
}

static struct slice sequence_position(struct arena *arena, uint64_t sequence)
{
	uint8_t bytes[8];

	put_u64_be(bytes, sequence);
	return make_position(arena, FEED_CHANGES, slice_of(bytes, sizeof(bytes)));
}

/* --- changes --- */

static enum status read_changes(struct index_page *page, struct engine *engine, size_t count_max,
				size_t size_bytes_max, enum engine_read_mode mode, struct arena *arena)
{
	struct change_page changes;
	enum status status = change_page_read(engine, page->partition_id, get_u64_be(page->after.data + 1),
					      count_max, size_bytes_max, mode, arena, &changes);

	if (status != ST_OK)
		return status;
	page->is_at_end = changes.is_at_end;
	for (size_t i = 0; i < changes.count; i++) {
		const struct change *change = &changes.list[i];
		struct slice position = sequence_position(arena, change->sequence);

		if (position.size == 0)
			return ST_NO_MEMORY;
		page->entries[page->count++] = (struct index_page_entry){ position, change->old_item,
									  change->new_item, change->hlc };
		page->end = position;
	}
	return ST_OK;
}

/* --- backfill --- */

static enum status add_item(struct index_page *page, struct slice key, struct slice value,
			    struct arena *arena)
{
	struct index_page_entry *entry = &page->entries[page->count];
	uint8_t *copy = arena_copy(arena, value);
	struct stored_item stored;
	enum status status;

	*entry = (struct index_page_entry){ .position = make_position(arena, FEED_BACKFILL, key) };
	if (copy == NULL || entry->position.size == 0)
		return ST_NO_MEMORY;
	status = stored_item_read(slice_of(copy, value.size), &stored);
	entry->new_item = stored.item;
	page->end = entry->position;
	page->count++;
	return status;
}

/* Where the scan goes on: just behind the last row, or at the start of the range. */
static struct slice resume_key(const struct index_page *page, struct arena *arena)
{
	uint8_t *key;

	if (page->after.size == 1)
		return page->range_start;
	key = arena_alloc(arena, page->after.size);
	if (key == NULL)
		return slice_of(NULL, 0);
	memcpy(key, page->after.data + 1, page->after.size - 1);
	key[page->after.size - 1] = 0;
	return slice_of(key, page->after.size);
}

static enum status read_items(struct index_page *page, struct engine *engine, size_t count_max,
			      size_t size_bytes_max, enum engine_read_mode mode, struct arena *arena)
{
	struct slice start = resume_key(page, arena);
	struct engine_iter *iter;
	size_t size_bytes = 0;
	enum status status = ST_OK;

	iter = start.size == 0 ? NULL
			       : engine_iter_create(engine, FAMILY_ITEMS, start, page->range_end, NULL, mode);
	if (iter == NULL)
		return ST_NO_MEMORY;
	for (engine_iter_seek_first(engine, iter); status == ST_OK && engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		if (page->count == count_max || size_bytes >= size_bytes_max)
			break;
		size_bytes += engine_iter_value(engine, iter).size;
		status = add_item(page, engine_iter_key(engine, iter), engine_iter_value(engine, iter),
				  arena);
	}
	if (status == ST_OK && !engine_iter_valid(engine, iter)) {
		status = engine_iter_status(engine, iter);
		page->end = sequence_position(arena, page->start_sequence); /* changes come next */
	}
	engine_iter_destroy(engine, iter);
	return page->end.size == 0 ? ST_NO_MEMORY : status;
}

enum status index_page_read(struct index_page *page, struct engine *engine, size_t count_max,
			    size_t size_bytes_max, enum engine_read_mode mode, struct arena *arena)
{
	page->entries = arena_alloc(arena, count_max * sizeof(*page->entries));
	page->count = 0;
	page->end = page->after;
	page->is_at_end = false;
	if (page->entries == NULL)
		return ST_NO_MEMORY;
	if (page->after.data[0] == FEED_BACKFILL)
		return read_items(page, engine, count_max, size_bytes_max, mode, arena);
	return read_changes(page, engine, count_max, size_bytes_max, mode, arena);
}
