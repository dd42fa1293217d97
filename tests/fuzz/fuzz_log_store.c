/* A log from arbitrary bytes on disk: it loads as a run of entries without gaps, or is told to be
 * corrupt; and a read for a peer that is behind never reads past it.
 *
 * The input is a list of rows: index u8, size u8, value. */
#include "replication/io/log_store.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/manual_runtime.h"

enum { GROUP = 7, ROWS_MAX = 64, READ_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void on_fatal(void *context, enum status status)
{
	(void)context;
	(void)status;
	CHECK(false);
}

static void put_rows(struct engine *engine, struct slice rows)
{
	struct engine_batch *batch = engine_batch_create(engine);
	struct reader input;

	CHECK(batch != NULL);
	reader_init(&input, rows);
	for (uint32_t i = 0; i < ROWS_MAX && input.size > 0; i++) {
		uint8_t key[LOG_STORE_KEY_SIZE];
		size_t size;

		log_store_key(key, GROUP, reader_u8(&input));
		size = reader_u8(&input);
		engine_batch_put(engine, batch, FAMILY_RAFT_LOG, slice_of(key, sizeof(key)),
				 reader_bytes(&input, size < input.size ? size : input.size));
	}
	CHECK(engine_write(engine, batch) == ST_OK);
	engine_batch_destroy(engine, batch);
}

static void check_log(const struct log_store *store)
{
	CHECK(store->last_index + 1 >= store->first_index);
	for (uint64_t index = store->cached_first; index <= store->last_index; index++) {
		const struct log_entry *entry = log_store_entry(store, index);

		CHECK(entry != NULL && entry->body != NULL);
		CHECK(entry->type >= LOG_ENTRY_COMMAND && entry->type <= LOG_ENTRY_CHANGE);
	}
}

static void read_some(struct engine *engine, uint64_t first_index)
{
	struct log_entry entries[READ_MAX];
	uint32_t count = 0;

	if (log_store_read(engine, GROUP, first_index, READ_MAX, 200, entries, &count) != ST_OK)
		return;
	CHECK(count <= READ_MAX);
	for (uint32_t i = 0; i < count; i++)
		log_body_release(entries[i].body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct manual_runtime runtime;
	struct engine_memory_disk *disk = engine_memory_disk_create();
	struct engine *engine;
	struct log_commit commit;
	struct log_store store;

	manual_runtime_init(&runtime);
	CHECK(disk != NULL && engine_memory_open(disk, &engine) == ST_OK);
	CHECK(log_commit_init(&commit, &runtime.base, engine, on_fatal, NULL) == ST_OK);
	put_rows(engine, slice_of(data, size_bytes));
	log_store_init(&store, &commit, GROUP, 1);
	if (log_store_load(&store) == ST_OK)
		check_log(&store);
	for (uint64_t index = 0; index < 4; index++)
		read_some(engine, index);
	log_store_close(&store);
	manual_runtime_settle(&runtime);
	log_commit_close(&commit);
	engine_close(engine);
	engine_memory_disk_destroy(disk);
	manual_runtime_close(&runtime);
	return 0;
}
