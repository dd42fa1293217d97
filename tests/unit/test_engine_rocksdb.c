/* What only the store on disk can show: real crashes, torn files, locks, cold caches. */
#include "tests/unit/engine_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { SYNC_EVERY = 5, KILL_AFTER = 40 };

static struct engine *open_dir(const char *dir)
{
	const struct engine_options options = { .dir = dir, .is_small = true };
	struct engine *engine;

	assert_int_equal(engine_rocksdb_open(&options, &engine), ST_OK);
	return engine;
}

static enum status try_open(const char *dir)
{
	const struct engine_options options = { .dir = dir, .is_small = true };
	struct engine *engine;
	enum status status = engine_rocksdb_open(&options, &engine);

	if (status == ST_OK)
		engine_close(engine);
	return status;
}

static struct slice number_key(const uint32_t number, uint8_t out[4])
{
	put_u32_be(out, number);
	return slice_of(out, 4);
}

/* Batch `number` touches three families, so that a half-kept batch shows. */
static enum status write_number(struct engine *engine, uint32_t number)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t key[4];
	enum status status;

	(void)number_key(number, key);
	engine_batch_put(engine, batch, FAMILY_ITEMS, slice_of(key, 4), slice_of(key, 4));
	engine_batch_put(engine, batch, FAMILY_RAFT_LOG, slice_of(key, 4), slice_of(key, 4));
	engine_batch_put(engine, batch, FAMILY_RAFT_STATE, slice_of_string("last"), slice_of(key, 4));
	status = engine_write(engine, batch);
	engine_batch_destroy(engine, batch);
	return status;
}

static bool has_number(struct engine *engine, enum engine_family family, uint32_t number)
{
	struct engine_value value = { .engine = NULL };
	uint8_t key[4];
	enum status status = engine_get(engine, family, number_key(number, key), ENGINE_READ_MAY_BLOCK,
					&value);

	engine_value_release(&value);
	assert_true(status == ST_OK || status == ST_NOT_FOUND);
	return status == ST_OK;
}

/* How many batches are there, 1 to n without gaps in all families?  Fails if it is no prefix. */
static uint32_t check_prefix(struct engine *engine, uint32_t number_max)
{
	struct engine_value value = { .engine = NULL };
	uint32_t last = 0;

	if (engine_get(engine, FAMILY_RAFT_STATE, slice_of_string("last"), ENGINE_READ_MAY_BLOCK, &value) ==
	    ST_OK)
		last = get_u32_be(value.slice.data);
	engine_value_release(&value);
	assert_true(last <= number_max);
	for (uint32_t number = 1; number <= number_max; number++) {
		assert_int_equal(has_number(engine, FAMILY_ITEMS, number), number <= last);
		assert_int_equal(has_number(engine, FAMILY_RAFT_LOG, number), number <= last);
	}
	return last;
}

/* --- crashes --- */

/* Write for ever, sync now and then, and report what is synced. */
__attribute__((noreturn)) static void run_child(const char *dir, int report_fd)
{
	const struct engine_options options = { .dir = dir, .is_small = true };
	struct engine *engine;

	if (engine_rocksdb_open(&options, &engine) != ST_OK)
		_exit(1);
	for (uint32_t number = 1;; number++) {
		if (write_number(engine, number) != ST_OK)
			_exit(1);
		if (number % SYNC_EVERY != 0)
			continue;
		if (engine_sync(engine) != ST_OK ||
		    write(report_fd, &number, sizeof(number)) != sizeof(number))
			_exit(1);
	}
}

static void synced_batches_survive_a_kill(void **state)
{
	uint32_t synced = 0;
	char dir[64];
	struct engine *engine;
	int report[2];
	pid_t child;

	(void)state;
	temporary_dir_make(dir);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		run_child(dir, report[1]);
	(void)close(report[1]);
	while (synced < KILL_AFTER * SYNC_EVERY)
		assert_int_equal(read(report[0], &synced, sizeof(synced)), sizeof(synced));
	assert_int_equal(kill(child, SIGKILL), 0);
	/* Reports sent before the kill count as well. */
	while (read(report[0], &synced, sizeof(synced)) == sizeof(synced)) {
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(report[0]);
	engine = open_dir(dir);
	assert_true(check_prefix(engine, synced + 1000) >= synced);
	engine_close(engine);
	temporary_dir_remove(dir);
}

/* The path of the newest log file. */
static void find_log(const char *dir, char path[512])
{
	DIR *listing = opendir(dir);
	struct dirent *entry;
	char newest[256] = "";

	assert_non_null(listing);
	while ((entry = readdir(listing)) != NULL) {
		size_t size = strlen(entry->d_name);

		if (size > 4 && strcmp(entry->d_name + size - 4, ".log") == 0 &&
		    strcmp(entry->d_name, newest) > 0)
			(void)snprintf(newest, sizeof(newest), "%s", entry->d_name);
	}
	(void)closedir(listing);
	assert_true(newest[0] != '\0');
	(void)snprintf(path, 512, "%s/%s", dir, newest);
}

/* As if none of what is in the files had been synced. */
static void forget_sync(const char *dir)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/SYNCED", dir);
	assert_int_equal(unlink(path), 0);
}

static void a_torn_log_leaves_a_prefix(void **state)
{
	static const off_t cuts[] = { 1, 7, 60, 500, 1500 };
	uint32_t last = 101;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
		char dir[64];
		char path[512];
		struct stat figures;
		struct engine *engine;
		uint32_t kept;

		temporary_dir_make(dir);
		engine = open_dir(dir);
		for (uint32_t number = 1; number <= 100; number++)
			assert_int_equal(write_number(engine, number), ST_OK);
		engine_close(engine);
		forget_sync(dir);
		find_log(dir, path);
		assert_int_equal(stat(path, &figures), 0);
		assert_int_equal(truncate(path, figures.st_size - cuts[i]), 0);
		engine = open_dir(dir);
		kept = check_prefix(engine, 100);
		assert_true(kept < 100 && kept <= last && kept > 50);
		last = kept;
		engine_close(engine);
		temporary_dir_remove(dir);
	}
}

static void written_but_not_synced_batches_are_not_in_the_file(void **state)
{
	char dir[64];
	char path[512];
	struct stat figures;
	struct engine *engine;

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	assert_int_equal(write_number(engine, 1), ST_OK);
	find_log(dir, path);
	assert_int_equal(stat(path, &figures), 0);
	assert_int_equal(figures.st_size, 0);
	assert_int_equal(engine_sync(engine), ST_OK);
	assert_int_equal(stat(path, &figures), 0);
	assert_true(figures.st_size > 0);
	engine_close(engine);
	temporary_dir_remove(dir);
}

/* --- opening --- */

static void a_second_process_is_told_that_the_folder_is_busy(void **state)
{
	struct engine *engine;
	char dir[64];
	int exit_status;
	pid_t child;

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	assert_int_equal(try_open(dir), ST_BUSY);
	child = fork();
	if (child == 0) {
		/* A fresh process image: RocksDB's own threads do not survive a fork. */
		char *const arguments[] = { (char *)"test_engine_rocksdb", (char *)"--try-open", dir, NULL };

		(void)execv("/proc/self/exe", arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &exit_status, 0), child);
	assert_true(WIFEXITED(exit_status));
	assert_int_equal(WEXITSTATUS(exit_status), -ST_BUSY);
	engine_close(engine);
	temporary_dir_remove(dir);
}

static void a_missing_parent_is_an_io_error(void **state)
{
	(void)state;
	assert_int_equal(try_open("/tmp/cleave-test-no-such-parent/store"), ST_IO);
}

static void overwrite_start(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "garbage!garbage!", 16, 0), 16);
	(void)close(fd);
}

static void a_broken_manifest_is_reported_as_corrupt(void **state)
{
	char dir[64];
	char path[512];
	char name[64];
	FILE *current;

	(void)state;
	temporary_dir_make(dir);
	engine_close(open_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/CURRENT", dir);
	current = fopen(path, "re");
	assert_non_null(current);
	assert_non_null(fgets(name, sizeof(name), current));
	(void)fclose(current);
	name[strcspn(name, "\n")] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	overwrite_start(path);
	assert_int_equal(try_open(dir), ST_CORRUPT);
	temporary_dir_remove(dir);
}

/* --- rot --- */

enum { ROT_BATCHES = 100, FLIP_COUNT = 6, CUT_COUNT = 2 };

static off_t size_of(const char *path)
{
	struct stat figures;

	assert_int_equal(stat(path, &figures), 0);
	return figures.st_size;
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1u << (at % 8));
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

static void find_manifest(const char *dir, char path[512])
{
	char name[64] = "";
	FILE *current;

	(void)snprintf(path, 512, "%s/CURRENT", dir);
	current = fopen(path, "re");
	assert_non_null(current);
	assert_non_null(fgets(name, sizeof(name), current));
	(void)fclose(current);
	name[strcspn(name, "\n")] = '\0';
	(void)snprintf(path, 512, "%s/%s", dir, name);
}

/* A store with files of every kind: table files, a log, a MANIFEST that grew. */
static void make_store(char dir[64])
{
	struct engine *engine;

	temporary_dir_make(dir);
	for (uint32_t round = 0; round < 2; round++) {
		engine = open_dir(dir);
		for (uint32_t number = 1; number <= ROT_BATCHES; number++)
			assert_int_equal(write_number(engine, number), ST_OK);
		engine_close(engine);
	}
}

/* Wherever a bit rots in what was synced, the store is refused, today and tomorrow. */
static void expect_rot_is_refused(void (*find_file)(const char *dir, char path[512]))
{
	char dir[64];
	char path[512];
	off_t size;

	make_store(dir);
	find_file(dir, path);
	size = size_of(path);
	temporary_dir_remove(dir);
	for (off_t at = 0; at < size; at += size / FLIP_COUNT) {
		make_store(dir);
		find_file(dir, path);
		flip(path, at);
		assert_int_equal(try_open(dir), ST_CORRUPT);
		assert_int_equal(try_open(dir), ST_CORRUPT);
		temporary_dir_remove(dir);
	}
	for (off_t cut = 1; cut < size; cut += size / CUT_COUNT) {
		make_store(dir);
		find_file(dir, path);
		assert_int_equal(truncate(path, size_of(path) - cut), 0);
		assert_int_equal(try_open(dir), ST_CORRUPT);
		assert_int_equal(try_open(dir), ST_CORRUPT);
		temporary_dir_remove(dir);
	}
}

static void a_rotten_log_is_refused(void **state)
{
	(void)state;
	expect_rot_is_refused(find_log);
}

static void a_rotten_manifest_is_refused(void **state)
{
	(void)state;
	expect_rot_is_refused(find_manifest);
}

static void what_was_not_synced_may_be_torn(void **state)
{
	char dir[64];
	char path[512];
	char note[512];
	uint8_t synced[128];
	struct engine *engine;
	ssize_t note_size;
	int fd;

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	for (uint32_t number = 1; number <= ROT_BATCHES; number++) {
		assert_int_equal(write_number(engine, number), ST_OK);
		if (number == ROT_BATCHES / 2)
			assert_int_equal(engine_sync(engine), ST_OK);
		if (number == ROT_BATCHES / 2) {
			(void)snprintf(note, sizeof(note), "%s/SYNCED", dir);
			fd = open(note, O_RDONLY | O_CLOEXEC);
			assert_true(fd >= 0);
			note_size = pread(fd, synced, sizeof(synced), 0);
			(void)close(fd);
		}
	}
	engine_close(engine);
	/* Back to what was noted at half time: the rest was never synced. */
	fd = open(note, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, synced, (size_t)note_size, 0), note_size);
	(void)close(fd);
	find_log(dir, path);
	flip(path, size_of(path) - 100);
	engine = open_dir(dir);
	assert_in_range(check_prefix(engine, ROT_BATCHES), ROT_BATCHES / 2, ROT_BATCHES - 1);
	engine_close(engine);
	temporary_dir_remove(dir);
}

static void a_lost_current_is_refused(void **state)
{
	char dir[64];
	char path[512];

	(void)state;
	make_store(dir);
	(void)snprintf(path, sizeof(path), "%s/CURRENT", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(try_open(dir), ST_CORRUPT);
	temporary_dir_remove(dir);
}

static void an_unreadable_note_accuses_nobody(void **state)
{
	char dir[64];
	char path[512];
	struct engine *engine;

	(void)state;
	make_store(dir);
	(void)snprintf(path, sizeof(path), "%s/SYNCED", dir);
	flip(path, 20);
	engine = open_dir(dir);
	assert_int_equal(check_prefix(engine, ROT_BATCHES), ROT_BATCHES);
	engine_close(engine);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(try_open(dir), ST_OK);
	temporary_dir_remove(dir);
}

/* --- reading --- */

static void fill(struct engine *engine)
{
	static uint8_t value[4096];
	struct engine_stage *stage = engine_stage_create(engine, 1);

	for (uint32_t number = 0; number < 200; number++) {
		uint8_t key[4];

		assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, number_key(number, key),
						  slice_of(value, sizeof(value))),
				 ST_OK);
	}
	assert_int_equal(engine_stage_finish(engine, stage), ST_OK);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_OK);
}

static void a_cold_row_would_block_and_a_warm_one_does_not(void **state)
{
	struct engine *engine;
	struct engine_value value;
	uint8_t key[4];
	char dir[64];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	fill(engine);
	engine_close(engine);
	engine = open_dir(dir);
	(void)number_key(7, key);
	assert_int_equal(engine_get(engine, FAMILY_ITEMS, slice_of(key, 4), ENGINE_READ_CACHED, &value),
			 ST_WOULD_BLOCK);
	assert_int_equal(engine_get(engine, FAMILY_ITEMS, slice_of(key, 4), ENGINE_READ_MAY_BLOCK, &value),
			 ST_OK);
	engine_value_release(&value);
	assert_int_equal(engine_get(engine, FAMILY_ITEMS, slice_of(key, 4), ENGINE_READ_CACHED, &value),
			 ST_OK);
	engine_value_release(&value);
	engine_close(engine);
	temporary_dir_remove(dir);
}

enum { FLUSH_ROWS = 4000, ROW_SIZE = 4096 };

static uint32_t count_cached(struct engine *engine)
{
	struct engine_value value;
	uint32_t found_count = 0;
	uint8_t key[4];

	for (uint32_t number = 0; number < FLUSH_ROWS; number++) {
		if (engine_get(engine, FAMILY_ITEMS, number_key(number, key), ENGINE_READ_CACHED, &value) !=
		    ST_OK)
			continue;
		found_count++;
		engine_value_release(&value);
	}
	return found_count;
}

/* More than the write buffer holds: some are in files, and yet none has to come from there. */
static void rows_just_written_out_are_in_the_cache(void **state)
{
	static uint8_t bytes[ROW_SIZE];
	struct engine_batch *batch;
	struct engine *engine;
	char dir[64];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	batch = engine_batch_create(engine);
	for (uint32_t number = 0; number < FLUSH_ROWS; number++) {
		uint8_t key[4];

		engine_batch_clear(engine, batch);
		engine_batch_put(engine, batch, FAMILY_ITEMS, number_key(number, key),
				 slice_of(bytes, sizeof(bytes)));
		assert_int_equal(engine_write(engine, batch), ST_OK);
	}
	engine_batch_destroy(engine, batch);
	/* Counts rows in files only. */
	while (engine_approximate_size_bytes(engine, FAMILY_ITEMS, slice_of(NULL, 0), slice_of(NULL, 0)) == 0)
		(void)usleep(1000);
	assert_int_equal(count_cached(engine), FLUSH_ROWS);
	engine_close(engine);
	temporary_dir_remove(dir);
}

enum { TABLE_FILES = 100 }; /* more than a small store holds open */

static void add_table_file(struct engine *engine, uint32_t number)
{
	struct engine_stage *stage = engine_stage_create(engine, number);
	uint8_t key[4];

	assert_non_null(stage);
	assert_int_equal(engine_stage_add(engine, stage, FAMILY_ITEMS, number_key(number, key),
					  slice_of_string("value")),
			 ST_OK);
	assert_int_equal(engine_stage_finish(engine, stage), ST_OK);
	assert_int_equal(engine_stage_ingest(engine, number), ST_OK);
	assert_int_equal(engine_stage_remove(engine, number), ST_OK);
}

/* RocksDB answers "found, and empty" for a key that may lie in a table file that is not open. */
static void a_row_in_a_file_that_is_not_open_would_block(void **state)
{
	struct engine *engine;
	uint32_t blocked_count = 0;
	char dir[64];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	for (uint32_t number = 1; number <= TABLE_FILES; number++)
		add_table_file(engine, number);
	engine_close(engine);
	engine = open_dir(dir);
	for (uint32_t number = 1; number <= TABLE_FILES; number++) {
		struct engine_value value = { .engine = NULL };
		uint8_t key[4];
		enum status status = engine_get(engine, FAMILY_ITEMS, number_key(number, key),
						ENGINE_READ_CACHED, &value);

		blocked_count += status == ST_WOULD_BLOCK;
		if (status == ST_OK)
			assert_true(slice_equal(value.slice, slice_of_string("value")));
		else
			assert_int_equal(status, ST_WOULD_BLOCK);
		engine_value_release(&value);
	}
	assert_true(blocked_count > 0);
	engine_close(engine);
	temporary_dir_remove(dir);
}

/* A row and a deleted range: the next start writes them into a file of the first level, and opens it. */
static void add_row_and_range(struct engine *engine, uint32_t number)
{
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t key[4];
	uint8_t end[4];

	engine_batch_delete_range(engine, batch, FAMILY_CHANGES, number_key(0, key), number_key(1, end));
	engine_batch_put(engine, batch, FAMILY_CHANGES, number_key(number, key), slice_of_string("value"));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
}

/* RocksDB frees twice what it knows of a file's deleted ranges if the next file of the first level is not
 * open and may not be opened. */
static void a_cold_iterator_may_meet_deleted_ranges_and_files_that_are_not_open(void **state)
{
	enum { OTHER_FILES = 24, ROUNDS = 7 }; /* a start opens some files of all */
	struct engine *engine;
	char dir[64];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	for (uint32_t number = 1; number <= OTHER_FILES; number++)
		add_table_file(engine, number);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		struct engine_iter *iter;

		add_row_and_range(engine, round);
		engine_close(engine);
		engine = open_dir(dir);
		iter = engine_iter_create(engine, FAMILY_CHANGES, slice_of(NULL, 0), slice_of(NULL, 0), NULL,
					  ENGINE_READ_CACHED);
		engine_iter_seek_first(engine, iter);
		if (round > 1)
			assert_int_equal(engine_iter_status(engine, iter), ST_WOULD_BLOCK);
		engine_iter_destroy(engine, iter);
	}
	engine_close(engine);
	temporary_dir_remove(dir);
}

static void a_cold_iterator_would_block_and_is_not_at_its_end(void **state)
{
	struct engine *engine;
	struct engine_iter *iter;
	char dir[64];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	fill(engine);
	engine_close(engine);
	engine = open_dir(dir);
	iter = engine_iter_create(engine, FAMILY_ITEMS, slice_of(NULL, 0), slice_of(NULL, 0), NULL,
				  ENGINE_READ_CACHED);
	engine_iter_seek_first(engine, iter);
	assert_false(engine_iter_valid(engine, iter));
	assert_int_equal(engine_iter_status(engine, iter), ST_WOULD_BLOCK);
	engine_iter_destroy(engine, iter);
	engine_close(engine);
	temporary_dir_remove(dir);
}

/* --- stages --- */

static void an_unfinished_stage_is_swept_at_the_next_start(void **state)
{
	struct engine *engine;
	struct engine_stage *stage;
	char dir[64];
	char path[128];
	char moved[128];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	fill(engine);
	stage = engine_stage_create(engine, 2);
	assert_int_equal(
		engine_stage_add(engine, stage, FAMILY_ITEMS, slice_of_string("k"), slice_of_string("v")),
		ST_OK);
	/* Move the half-written folder aside so that abandoning does not find it: as a crash leaves it. */
	(void)snprintf(path, sizeof(path), "%s/stage/0000000000000002", dir);
	(void)snprintf(moved, sizeof(moved), "%s/stage/0000000000000003", dir);
	assert_int_equal(rename(path, moved), 0);
	engine_stage_abandon(engine, stage);
	engine_close(engine);
	assert_int_equal(access(moved, F_OK), 0);
	engine = open_dir(dir);
	assert_int_equal(access(moved, F_OK), -1);
	assert_int_equal(engine_stage_ingest(engine, 3), ST_NOT_FOUND);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_OK);
	engine_close(engine);
	temporary_dir_remove(dir);
}

static void a_stage_whose_file_was_cut_or_lost_is_corrupt(void **state)
{
	struct engine *engine;
	char dir[64];
	char path[128];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	fill(engine);
	(void)snprintf(path, sizeof(path), "%s/stage/0000000000000001/items.sst", dir);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_CORRUPT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(engine_stage_ingest(engine, 1), ST_CORRUPT);
	engine_close(engine);
	temporary_dir_remove(dir);
}

static void a_stage_whose_list_was_cut_is_corrupt(void **state)
{
	struct engine *engine;
	char dir[64];
	char path[128];

	(void)state;
	temporary_dir_make(dir);
	engine = open_dir(dir);
	fill(engine);
	(void)snprintf(path, sizeof(path), "%s/stage/0000000000000001/FINISHED", dir);
	for (off_t size = 0; size < 30; size++) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(engine_stage_ingest(engine, 1), ST_CORRUPT);
	}
	engine_close(engine);
	temporary_dir_remove(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synced_batches_survive_a_kill),
		cmocka_unit_test(a_torn_log_leaves_a_prefix),
		cmocka_unit_test(written_but_not_synced_batches_are_not_in_the_file),
		cmocka_unit_test(a_second_process_is_told_that_the_folder_is_busy),
		cmocka_unit_test(a_missing_parent_is_an_io_error),
		cmocka_unit_test(a_broken_manifest_is_reported_as_corrupt),
		cmocka_unit_test(a_rotten_log_is_refused),
		cmocka_unit_test(a_rotten_manifest_is_refused),
		cmocka_unit_test(what_was_not_synced_may_be_torn),
		cmocka_unit_test(a_lost_current_is_refused),
		cmocka_unit_test(an_unreadable_note_accuses_nobody),
		cmocka_unit_test(a_cold_row_would_block_and_a_warm_one_does_not),
		cmocka_unit_test(rows_just_written_out_are_in_the_cache),
		cmocka_unit_test(a_row_in_a_file_that_is_not_open_would_block),
		cmocka_unit_test(a_cold_iterator_would_block_and_is_not_at_its_end),
		cmocka_unit_test(a_cold_iterator_may_meet_deleted_ranges_and_files_that_are_not_open),
		cmocka_unit_test(an_unfinished_stage_is_swept_at_the_next_start),
		cmocka_unit_test(a_stage_whose_file_was_cut_or_lost_is_corrupt),
		cmocka_unit_test(a_stage_whose_list_was_cut_is_corrupt),
	};

	if (argc == 3 && strcmp(argv[1], "--try-open") == 0)
		return -(int)try_open(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
