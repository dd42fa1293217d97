#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "replication/io/log_store.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/manual_runtime.h"

enum { GROUP = 7 };

struct fixture {
	struct manual_runtime runtime;
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct log_commit commit;
	struct log_store log;
};

static void on_fatal(void *context, enum status status)
{
	(void)context;
	fail_msg("log write failed: %s", status_name(status));
}

static void fixture_open(struct fixture *f, uint64_t first_index)
{
	manual_runtime_init(&f->runtime);
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	assert_int_equal(log_commit_init(&f->commit, &f->runtime.base, f->engine, on_fatal, NULL), ST_OK);
	log_store_init(&f->log, &f->commit, GROUP, first_index);
}

static void fixture_close(struct fixture *f)
{
	manual_runtime_settle(&f->runtime);
	log_store_close(&f->log);
	log_commit_close(&f->commit);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
	manual_runtime_close(&f->runtime);
}

static void append(struct fixture *f, uint64_t index, uint64_t term, const char *text)
{
	struct log_entry entry = { term, LOG_ENTRY_COMMAND, log_body_create(strlen(text)) };

	memcpy(entry.body->data, text, strlen(text));
	log_store_append(&f->log, index, &entry, 1);
	log_body_release(entry.body);
}

static void append_many(struct fixture *f, uint64_t first_index, uint32_t count, size_t size_bytes)
{
	for (uint32_t i = 0; i < count; i++) {
		struct log_entry entry = { 6, LOG_ENTRY_COMMAND, log_body_create(size_bytes) };

		memset(entry.body->data, (int)(i & 0x7f), size_bytes);
		log_store_append(&f->log, first_index + i, &entry, 1);
		log_body_release(entry.body);
	}
}

static void assert_entry(const struct log_store *log, uint64_t index, uint64_t term, const char *text)
{
	const struct log_entry *entry = log_store_entry(log, index);

	assert_non_null(entry);
	assert_int_equal(entry->term, term);
	assert_true(slice_equal(log_entry_slice(entry), slice_of_string(text)));
}

static void a_conflicting_append_drops_the_tail(void **state)
{
	struct log_store reopened;
	struct fixture f;

	(void)state;
	fixture_open(&f, 11);
	append(&f, 11, 5, "a");
	append(&f, 12, 5, "b");
	append(&f, 13, 5, "c");
	append(&f, 12, 6, "B");
	assert_int_equal(f.log.last_index, 12);
	assert_null(log_store_entry(&f.log, 13));
	manual_runtime_settle(&f.runtime);
	log_store_init(&reopened, &f.commit, GROUP, 11);
	assert_int_equal(log_store_load(&reopened), ST_OK);
	assert_int_equal(reopened.first_index, 11);
	assert_int_equal(reopened.last_index, 12);
	assert_entry(&reopened, 11, 5, "a");
	assert_entry(&reopened, 12, 6, "B");
	log_store_close(&reopened);
	fixture_close(&f);
}

static void trimming_keeps_what_is_not_applied(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	append_many(&f, 1, 3 * LOG_STORE_CACHE_ENTRIES, 8);
	log_store_trim(&f.log, 100);
	assert_null(log_store_entry(&f.log, 100));
	assert_non_null(log_store_entry(&f.log, 101));
	log_store_trim(&f.log, f.log.last_index);
	assert_int_equal(f.log.last_index - f.log.cached_first + 1, LOG_STORE_CACHE_ENTRIES);
	fixture_close(&f);
}

static void trimmed_entries_are_read_from_disk_up_to_a_size(void **state)
{
	struct log_entry entries[16];
	struct fixture f;
	uint32_t count;

	(void)state;
	fixture_open(&f, 1);
	append_many(&f, 1, 16, 1000);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(log_store_read(f.engine, GROUP, 3, 10, 2500, entries, &count), ST_OK);
	assert_int_equal(count, 3);
	assert_int_equal(entries[0].body->data[0], 2);
	for (uint32_t i = 0; i < count; i++)
		log_body_release(entries[i].body);
	assert_int_equal(log_store_read(f.engine, GROUP, 17, 10, 2500, entries, &count), ST_NOT_FOUND);
	fixture_close(&f);
}

static void compaction_moves_the_first_index_for_good(void **state)
{
	struct log_store reopened;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	append_many(&f, 1, 20, 10);
	log_store_compact(&f.log, 15);
	assert_int_equal(f.log.first_index, 16);
	manual_runtime_settle(&f.runtime);
	log_store_init(&reopened, &f.commit, GROUP, 1);
	assert_int_equal(log_store_load(&reopened), ST_OK);
	assert_int_equal(reopened.first_index, 16);
	assert_int_equal(reopened.last_index, 20);
	log_store_close(&reopened);
	fixture_close(&f);
}

static void a_gap_in_the_stored_log_is_corruption(void **state)
{
	struct engine_batch *batch;
	uint8_t key[LOG_STORE_KEY_SIZE];
	struct log_store reopened;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	append_many(&f, 1, 5, 10);
	manual_runtime_settle(&f.runtime);
	batch = engine_batch_create(f.engine);
	log_store_key(key, GROUP, 3);
	engine_batch_delete(f.engine, batch, FAMILY_RAFT_LOG, slice_of(key, sizeof(key)));
	assert_int_equal(engine_write(f.engine, batch), ST_OK);
	engine_batch_destroy(f.engine, batch);
	log_store_init(&reopened, &f.commit, GROUP, 1);
	assert_int_equal(log_store_load(&reopened), ST_CORRUPT);
	log_store_close(&reopened);
	fixture_close(&f);
}

static void an_entry_before_the_first_is_corruption(void **state)
{
	struct engine_batch *batch;
	struct log_store reopened;
	uint8_t key[LOG_STORE_KEY_SIZE];
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	batch = engine_batch_create(f.engine);
	log_store_key(key, GROUP, 0);
	engine_batch_put(f.engine, batch, FAMILY_RAFT_LOG, slice_of(key, sizeof(key)),
			 slice_of_string("\1\1body"));
	assert_int_equal(engine_write(f.engine, batch), ST_OK);
	engine_batch_destroy(f.engine, batch);
	log_store_init(&reopened, &f.commit, GROUP, 1);
	assert_int_equal(log_store_load(&reopened), ST_CORRUPT);
	log_store_close(&reopened);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conflicting_append_drops_the_tail),
		cmocka_unit_test(trimming_keeps_what_is_not_applied),
		cmocka_unit_test(trimmed_entries_are_read_from_disk_up_to_a_size),
		cmocka_unit_test(compaction_moves_the_first_index_for_good),
		cmocka_unit_test(a_gap_in_the_stored_log_is_corruption),
		cmocka_unit_test(an_entry_before_the_first_is_corruption),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
