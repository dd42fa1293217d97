/* How RocksDB is set up, and why.
 *
 * One write-ahead log serves all families.  It is never switched off, so recovery rebuilds
 * every family from it; before RocksDB makes a flushed file of one family part of the store it
 * syncs the closed logs that the file came from (it does so whenever there is more than one
 * family).  So no family can be ahead of the synced log, the log is read up to its first torn
 * record, and what a crash leaves is a prefix of the batches.  Flushing the families together
 * (atomic_flush) would add nothing but writes: it serves stores that write without a log.
 *
 * manual_wal_flush keeps a write out of the file: it is copied into a buffer under a lock that
 * rocksdb_flush_wal() holds while it hands the buffer to the kernel, but not during the sync.
 */
#include "storage/engine/engine_rocksdb_internal.h"

#include <stdio.h>

enum {
	KB = 1024,
	MB = 1024 * KB,
	LOG_LEVEL_WARN = 2,
	LOG_LEVEL_FATAL = 4,
	READ_TIER_CACHE_ONLY = 1,
	BLOOM_BITS_PER_KEY = 10,
	LEVEL_COUNT = 7,
	MEMORY_CACHE_DIVISOR = 8,
	BUFFERED_FILES_MAX = 6,
	BUFFERS_PER_FILE = 4,
};

/* Of a buffer's size: some ten bits for each row of an item of some hundred bytes. */
static const double BUFFER_FILTER_SHARE = 0.02;

/* Modest write buffers: RocksDB 7.8.3 as Debian builds it has its assertions on and aborts on a
 * full disk while it writes out a large buffer.  So all buffers together are well below the space
 * that a node keeps in reserve: what was accepted before the watermark can be written out.
 *
 * The Raft log's buffer is the largest.  Its entries are deleted soon after they were applied; those
 * that are still in the buffer then never reach a file. */
struct profile {
	size_t cache_bytes;
	size_t write_buffer_bytes; /* all families together */
	size_t family_buffer_bytes_max;
	size_t log_buffer_bytes_max;
	size_t arena_block_bytes;
	uint64_t wal_bytes_max;
	uint64_t level_base_bytes;
	uint64_t file_bytes;
	size_t manifest_block_bytes;
	int background_jobs;
	int open_files;
	int info_log_level;
};

static const struct profile full_profile = {
	.cache_bytes = 256 * MB,
	.write_buffer_bytes = 128 * MB,
	.family_buffer_bytes_max = 32 * MB,
	.log_buffer_bytes_max = 32 * MB,
	.arena_block_bytes = 256 * KB,
	.wal_bytes_max = 128 * MB,
	.level_base_bytes = 128 * MB,
	.file_bytes = 32 * MB,
	.manifest_block_bytes = 1 * MB,
	.background_jobs = 4,
	.open_files = 1024,
	.info_log_level = LOG_LEVEL_WARN,
};

static const struct profile small_profile = {
	.cache_bytes = 128 * MB,
	.write_buffer_bytes = 48 * MB,
	.family_buffer_bytes_max = 12 * MB,
	.log_buffer_bytes_max = 16 * MB,
	.arena_block_bytes = 32 * KB,
	.wal_bytes_max = 64 * MB,
	.level_base_bytes = 64 * MB,
	.file_bytes = 16 * MB,
	.manifest_block_bytes = 16 * KB,
	.background_jobs = 2,
	.open_files = 256,
	.info_log_level = LOG_LEVEL_FATAL,
};

struct family_traits {
	bool has_bloom; /* point reads of keys that may be absent */
	bool is_compressed;
	bool is_short_lived; /* rows are deleted before they need a file */
	bool is_written_at_random;
	bool is_read_when_new; /* what is written out of the buffer stays in the cache as well */
};

static const struct family_traits traits[FAMILY_COUNT] = {
	[FAMILY_ITEMS] = { .has_bloom = true,
			   .is_compressed = true,
			   .is_written_at_random = true,
			   .is_read_when_new = true },
	[FAMILY_LOCAL_INDEXES] = { .is_compressed = true, .is_read_when_new = true },
	[FAMILY_CHANGES] = { .is_compressed = true, .is_read_when_new = true },
	[FAMILY_META] = { .has_bloom = true, .is_compressed = true },
	[FAMILY_TOMBSTONES] = { .has_bloom = true, .is_compressed = true },
	[FAMILY_RAFT_LOG] = { .has_bloom = false, .is_short_lived = true },
	[FAMILY_RAFT_STATE] = { .has_bloom = false },
};

/* Blocks of files that are in memory themselves are worth little more there twice. */
static size_t cache_bytes_of(const struct profile *profile, const char *dir)
{
	return dir == NULL ? profile->cache_bytes / MEMORY_CACHE_DIVISOR : profile->cache_bytes;
}

static size_t size_or(size_t chosen, size_t fallback)
{
	return chosen == 0 ? fallback : chosen;
}

static rocksdb_options_t *create_db_options(const struct engine_rocksdb *engine,
					    const struct profile *profile, size_t write_buffer_bytes)
{
	rocksdb_options_t *options = rocksdb_options_create();

	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_set_create_missing_column_families(options, 1);
	rocksdb_options_set_manual_wal_flush(options, 1);
	rocksdb_options_set_wal_recovery_mode(options, rocksdb_point_in_time_recovery);
	rocksdb_options_set_db_write_buffer_size(options, write_buffer_bytes);
	/* Of the empty default family; RocksDB reserves as much disk for each log as the largest
	 * family may buffer, and its default is 64 MB. */
	rocksdb_options_set_write_buffer_size(options, profile->family_buffer_bytes_max);
	/* A family that is seldom written must not pin the logs of busy ones. */
	rocksdb_options_set_max_total_wal_size(options, profile->wal_bytes_max);
	rocksdb_options_set_max_background_jobs(options, profile->background_jobs);
	rocksdb_options_set_max_open_files(options, profile->open_files);
	rocksdb_options_set_max_file_opening_threads(options, 1);
	rocksdb_options_set_manifest_preallocation_size(options, profile->manifest_block_bytes);
	rocksdb_options_set_bytes_per_sync(options, 1 * MB);
	/* RocksDB's own log and statistics: failures reach ours through the status of a call. */
	rocksdb_options_set_info_log_level(options, profile->info_log_level);
	rocksdb_options_set_keep_log_file_num(options, 2);
	rocksdb_options_set_max_log_file_size(options, 1 * MB);
	rocksdb_options_set_stats_dump_period_sec(options, 0);
	rocksdb_options_set_stats_persist_period_sec(options, 0);
	rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
	if (engine->env != NULL)
		rocksdb_options_set_env(options, engine->env);
	return options;
}

static rocksdb_block_based_table_options_t *create_table_options(const struct engine_rocksdb *engine,
								 const struct family_traits *family)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

	rocksdb_block_based_options_set_block_cache(table, engine->cache);
	rocksdb_block_based_options_set_format_version(table, 5);
	/* Indexes and filters count against the cache, so that memory stays bounded. */
	rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
	rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
	rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
	if (family->has_bloom)
		rocksdb_block_based_options_set_filter_policy(
			table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
	return table;
}

static size_t buffer_bytes_of(const struct profile *profile, const struct family_traits *family,
			      size_t write_buffer_bytes)
{
	size_t wanted = family->is_short_lived ? profile->log_buffer_bytes_max
					       : profile->family_buffer_bytes_max;
	size_t share = write_buffer_bytes / (family->is_short_lived ? 2 : 4);

	return wanted < share ? wanted : share;
}

/* Files of the first level are soon merged: only what is merged is worth compressing. */
static void set_compression(rocksdb_options_t *options, const struct family_traits *family)
{
	int levels[LEVEL_COUNT];

	for (int i = 0; i < LEVEL_COUNT; i++)
		levels[i] = family->is_compressed && i > 0 ? rocksdb_lz4_compression : rocksdb_no_compression;
	rocksdb_options_set_compression(options, levels[LEVEL_COUNT - 1]);
	rocksdb_options_set_compression_per_level(options, levels, LEVEL_COUNT);
}

/* The same options, and what the C interface has no function for.  The string names parts of options
 * and keeps their other parts, so it comes last. */
static rocksdb_options_t *with_string(rocksdb_options_t *options, const char *string)
{
	rocksdb_options_t *changed = rocksdb_options_create();
	char *error = NULL;

	rocksdb_get_options_from_string(options, string, changed, &error);
	CHECK(engine_rocksdb_take_error("options", error) == ST_OK); /* the string is ours */
	rocksdb_options_destroy(options);
	return changed;
}

/* RocksDB remembers the place of the last row of each stream, but one place for rows and deleted ranges,
 * which it keeps apart: a range with a stream's name would send it astray (engine_batch_delete_range()
 * refuses one). */
static rocksdb_options_t *with_insert_hints(rocksdb_options_t *options, size_t stream_name_size)
{
	char text[96];

	(void)snprintf(text, sizeof(text),
		       "memtable_insert_with_hint_prefix_extractor=rocksdb.FixedPrefix.%zu",
		       stream_name_size);
	return with_string(options, text);
}

/* Finding a row's place costs a cache miss for each step, and half as much in a buffer that fits into the
 * cores' caches; so many small ones, written out together as one file, each with a filter for reads. */
static void use_small_buffers(rocksdb_options_t *options, size_t buffer_bytes)
{
	rocksdb_options_set_write_buffer_size(options, buffer_bytes / BUFFERS_PER_FILE);
	rocksdb_options_set_min_write_buffer_number_to_merge(options, BUFFERS_PER_FILE);
	rocksdb_options_set_max_write_buffer_number(options, BUFFERS_PER_FILE * BUFFERED_FILES_MAX);
	rocksdb_options_set_memtable_whole_key_filtering(options, 1);
	rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, BUFFER_FILTER_SHARE);
}

static rocksdb_options_t *create_family_options(const struct engine_rocksdb *engine,
						const struct profile *profile, enum engine_family family,
						size_t write_buffer_bytes)
{
	rocksdb_options_t *options = rocksdb_options_create();
	rocksdb_block_based_table_options_t *table = create_table_options(engine, &traits[family]);
	size_t buffer_bytes = buffer_bytes_of(profile, &traits[family], write_buffer_bytes);

	rocksdb_options_set_write_buffer_size(options, buffer_bytes);
	rocksdb_options_set_arena_block_size(options, profile->arena_block_bytes);
	/* Room before RocksDB holds writers back: they are loop threads. */
	rocksdb_options_set_max_write_buffer_number(options, BUFFERED_FILES_MAX);
	if (traits[family].is_written_at_random)
		use_small_buffers(options, buffer_bytes);
	rocksdb_options_set_level0_file_num_compaction_trigger(options, 8);
	rocksdb_options_set_level0_slowdown_writes_trigger(options, 40);
	rocksdb_options_set_level0_stop_writes_trigger(options, 60);
	rocksdb_options_set_max_bytes_for_level_base(options, profile->level_base_bytes);
	rocksdb_options_set_target_file_size_base(options, profile->file_bytes);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
	set_compression(options, &traits[family]);
	rocksdb_options_set_block_based_table_factory(options, table);
	rocksdb_block_based_options_destroy(table);
	if (engine->env != NULL)
		rocksdb_options_set_env(options, engine->env);
	/* A write that is decided on a row written a moment ago should not have to wait for the disk. */
	if (traits[family].is_read_when_new)
		options = with_string(options,
				      "block_based_table_factory={prepopulate_block_cache=kFlushOnly;"
				      "metadata_cache_options={unpartitioned_pinning=kAll;}}");
	if (engine_stream_name_size(family) > 0)
		options = with_insert_hints(options, engine_stream_name_size(family));
	return options;
}

static void create_call_options(struct engine_rocksdb *engine)
{
	engine->write_options = rocksdb_writeoptions_create(); /* log on, no sync */
	engine->read_options[ENGINE_READ_MAY_BLOCK] = rocksdb_readoptions_create();
	engine->read_options[ENGINE_READ_CACHED] = rocksdb_readoptions_create();
	rocksdb_readoptions_set_read_tier(engine->read_options[ENGINE_READ_CACHED], READ_TIER_CACHE_ONLY);
}

void engine_rocksdb_options_create(struct engine_rocksdb *engine, const struct engine_options *options)
{
	const struct profile *profile = options->is_small ? &small_profile : &full_profile;
	size_t write_buffer_bytes = size_or(options->write_buffer_bytes, profile->write_buffer_bytes);

	if (options->dir == NULL)
		engine->env = rocksdb_create_mem_env();
	engine->cache = rocksdb_cache_create_lru(
		size_or(options->cache_bytes, cache_bytes_of(profile, options->dir)));
	engine->db_options = create_db_options(engine, profile, write_buffer_bytes);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		engine->family_options[i] = create_family_options(engine, profile, (enum engine_family)i,
								  write_buffer_bytes);
	create_call_options(engine);
}

void engine_rocksdb_options_destroy(struct engine_rocksdb *engine)
{
	rocksdb_readoptions_destroy(engine->read_options[ENGINE_READ_CACHED]);
	rocksdb_readoptions_destroy(engine->read_options[ENGINE_READ_MAY_BLOCK]);
	rocksdb_writeoptions_destroy(engine->write_options);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		rocksdb_options_destroy(engine->family_options[i]);
	rocksdb_options_destroy(engine->db_options);
	rocksdb_cache_destroy(engine->cache);
	if (engine->env != NULL)
		rocksdb_env_destroy(engine->env);
}
