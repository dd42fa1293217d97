/* A record of the change log from arbitrary bytes: size of the key u8, key, value.  What decodes lies
 * within the value and is read back by a page as it is; a page that meets a damaged record says so. */
#include "storage/changes/change_log.h"
#include "storage/engine/engine_memory.h"

enum { ARENA_SIZE_MAX = 1024 * 1024, RECORDS_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static bool lies_within(struct slice part, struct slice whole)
{
	return part.size == 0 ||
	       (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void check_page(struct engine *engine, struct slice key, enum status status,
		       const struct change *change)
{
	uint64_t partition_id = get_u64_be(key.data);
	uint64_t sequence = get_u64_be(key.data + 8);
	struct change_page page;
	struct arena arena;
	enum status read_status;

	arena_init(&arena, ARENA_SIZE_MAX);
	read_status = change_page_read(engine, partition_id, sequence == 0 ? 0 : sequence - 1, RECORDS_MAX,
				       SIZE_MAX, ENGINE_READ_MAY_BLOCK, &arena, &page);
	if (sequence > 0)
		CHECK(read_status == status);
	if (status == ST_OK && sequence > 0) {
		CHECK(page.count == 1 && page.is_at_end);
		CHECK(page.list[0].sequence == sequence && page.list[0].hlc == change->hlc);
		CHECK(slice_equal(page.list[0].row_key, change->row_key));
		CHECK(slice_equal(page.list[0].old_item, change->old_item));
		CHECK(slice_equal(page.list[0].new_item, change->new_item));
	}
	arena_close(&arena);
}

static void run(struct engine *engine, struct slice key, struct slice value)
{
	struct engine_batch *batch = engine_batch_create(engine);
	struct change change;
	enum status status = change_log_decode(key, value, &change);

	CHECK(batch != NULL);
	if (status == ST_OK) {
		CHECK(lies_within(change.row_key, value) && lies_within(change.old_item, value) &&
		      lies_within(change.new_item, value));
	}
	/* The last partition has none behind it. */
	if (key.size == CHANGE_KEY_SIZE && get_u64_be(key.data) != UINT64_MAX) {
		engine_batch_put(engine, batch, FAMILY_CHANGES, key, value);
		CHECK(engine_write(engine, batch) == ST_OK);
		check_page(engine, key, status, &change);
		engine_batch_clear(engine, batch);
		change_log_trim(engine, batch, get_u64_be(key.data), 0, get_u64_be(key.data + 8));
		CHECK(engine_write(engine, batch) == ST_OK);
	}
	engine_batch_destroy(engine, batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct engine_memory_disk *disk;
	struct engine *engine;
	size_t key_size;

	if (size_bytes == 0)
		return 0;
	key_size = data[0] < size_bytes ? data[0] : size_bytes - 1;
	disk = engine_memory_disk_create();
	CHECK(disk != NULL && engine_memory_open(disk, &engine) == ST_OK);
	run(engine, slice_of(data + 1, key_size), slice_of(data + 1 + key_size, size_bytes - 1 - key_size));
	engine_close(engine);
	engine_memory_disk_destroy(disk);
	return 0;
}
