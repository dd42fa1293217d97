#include "storage/changes/change_log.h"

enum {
	VERSION = 1,
	FLAGS_NONE = 0,
	HEAD_SIZE = 20,
};

static struct slice make_key(uint8_t key[CHANGE_KEY_SIZE], uint64_t partition_id, uint64_t sequence)
{
	put_u64_be(key, partition_id);
	put_u64_be(key + 8, sequence);
	return slice_of(key, CHANGE_KEY_SIZE);
}

void change_log_put(struct engine *engine, struct engine_batch *batch, uint64_t partition_id,
		    const struct change *change)
{
	uint8_t key[CHANGE_KEY_SIZE];
	uint8_t head[HEAD_SIZE] = { VERSION, FLAGS_NONE };
	struct slice parts[4] = { slice_of(head, HEAD_SIZE), change->row_key, change->old_item,
				  change->new_item };

	put_u64_be(head + 2, change->hlc);
	put_u16_be(head + 10, change->origin);
	put_u32_be(head + 12, (uint32_t)change->row_key.size);
	put_u32_be(head + 16, (uint32_t)change->old_item.size);
	engine_batch_put_parts(engine, batch, FAMILY_CHANGES, make_key(key, partition_id, change->sequence),
			       parts, ARRAY_COUNT(parts));
}

void change_log_trim(struct engine *engine, struct engine_batch *batch, uint64_t partition_id, uint64_t after,
		     uint64_t through)
{
	uint8_t start[CHANGE_KEY_SIZE];
	uint8_t end[CHANGE_KEY_SIZE];

	if (through <= after)
		return;
	(void)make_key(start, partition_id, after + 1);
	if (through == UINT64_MAX)
		(void)make_key(end, partition_id + 1, 0);
	else
		(void)make_key(end, partition_id, through + 1);
	engine_batch_delete_range(engine, batch, FAMILY_CHANGES, slice_of(start, sizeof(start)),
				  slice_of(end, sizeof(end)));
}

enum status change_log_decode(struct slice key, struct slice value, struct change *change_out)
{
	const uint8_t *at = value.data;
	size_t key_size;
	size_t old_size;

	if (key.size != CHANGE_KEY_SIZE || value.size < HEAD_SIZE)
		return ST_CORRUPT;
	if (at[0] != VERSION)
		return ST_VERSION;
	key_size = get_u32_be(at + 12);
	old_size = get_u32_be(at + 16);
	if (key_size > value.size - HEAD_SIZE || old_size > value.size - HEAD_SIZE - key_size)
		return ST_CORRUPT;
	*change_out = (struct change){
		.sequence = get_u64_be(key.data + 8),
		.hlc = get_u64_be(at + 2),
		.origin = get_u16_be(at + 10),
		.row_key = slice_of(at + HEAD_SIZE, key_size),
		.old_item = slice_of(at + HEAD_SIZE + key_size, old_size),
		.new_item = slice_of(at + HEAD_SIZE + key_size + old_size,
				     value.size - HEAD_SIZE - key_size - old_size),
	};
	return ST_OK;
}

/* --- pages --- */

static enum status add(struct change_page *page, struct slice key, struct slice value, struct arena *arena)
{
	uint8_t *copy = arena_copy(arena, value);

	if (copy == NULL)
		return ST_NO_MEMORY;
	return change_log_decode(key, slice_of(copy, value.size), &page->list[page->count]);
}

enum status change_page_read(struct engine *engine, uint64_t partition_id, uint64_t after, size_t count_max,
			     size_t size_bytes_max, enum engine_read_mode mode, struct arena *arena,
			     struct change_page *page_out)
{
	struct change_page page = { .list = arena_alloc(arena, count_max * sizeof(*page.list)) };
	uint8_t start[CHANGE_KEY_SIZE];
	uint8_t end[CHANGE_KEY_SIZE];
	size_t size_bytes = 0;
	enum status status = ST_OK;
	struct engine_iter *iter;

	if (after == UINT64_MAX) {
		*page_out = (struct change_page){ .list = page.list, .is_at_end = true };
		return page.list == NULL ? ST_NO_MEMORY : ST_OK;
	}
	iter = engine_iter_create(engine, FAMILY_CHANGES, make_key(start, partition_id, after + 1),
				  make_key(end, partition_id + 1, 0), NULL, mode);
	if (iter == NULL || page.list == NULL) {
		engine_iter_destroy(engine, iter);
		return ST_NO_MEMORY;
	}
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter)) {
		struct slice value = engine_iter_value(engine, iter);

		if (page.count == count_max || size_bytes >= size_bytes_max)
			break;
		status = add(&page, engine_iter_key(engine, iter), value, arena);
		if (status != ST_OK)
			break;
		size_bytes += value.size;
		page.count++;
	}
	page.is_at_end = !engine_iter_valid(engine, iter);
	if (status == ST_OK)
		status = engine_iter_status(engine, iter);
	engine_iter_destroy(engine, iter);
	*page_out = page;
	return status;
}
