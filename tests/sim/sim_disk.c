#include "tests/sim/sim_disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/sim_world.h"

enum { CACHE_BYTES = 1024 * 1024, BUFFER_BYTES = 512 * 1024 };

/* --- RocksDB: the calls that a machine must see or refuse --- */

static struct sim_disk *disk_of(const struct engine *engine)
{
	return CONTAINER_OF(engine->ops, struct sim_disk, ops);
}

static void folder_of(const struct sim_disk *disk, uint32_t generation, char out[SIM_DIR_PATH_SIZE])
{
	char process[SIM_DIR_PATH_SIZE];

	sim_dir_of_process(process, getpid());
	CHECK(snprintf(out, SIM_DIR_PATH_SIZE, "%s/%" PRIu64 "-%" PRIu32, process, disk->machine_id,
		       generation) < SIM_DIR_PATH_SIZE);
}

static void note_synced(struct sim_disk *disk)
{
	char folder[SIM_DIR_PATH_SIZE];

	folder_of(disk, disk->generation, folder);
	disk->synced = sim_dir_newest_log(folder);
}

static bool refuses(struct sim_disk *disk, bool *next_fails)
{
	disk->has_failed = disk->has_failed || *next_fails;
	return disk->has_crashed || disk->has_failed;
}

static enum status write_batch(struct engine *engine, struct engine_batch *batch)
{
	struct sim_disk *disk = disk_of(engine);

	disk->next_write_fails = disk->next_write_fails || disk->free_bytes == 0;
	return refuses(disk, &disk->next_write_fails) ? ST_IO : disk->own_ops->write(engine, batch);
}

static enum status sync_log(struct engine *engine)
{
	struct sim_disk *disk = disk_of(engine);
	enum status status = ST_IO;

	if (!refuses(disk, &disk->next_sync_fails))
		status = disk->own_ops->sync(engine);
	if (status == ST_OK)
		note_synced(disk);
	return status;
}

/* It syncs all that was written before. */
static enum status ingest(struct engine *engine, uint64_t stage_id)
{
	struct sim_disk *disk = disk_of(engine);
	enum status status = ST_IO;

	if (!refuses(disk, &disk->next_sync_fails))
		status = disk->own_ops->stage_ingest(engine, stage_id);
	if (!disk->has_crashed && !disk->has_failed)
		note_synced(disk);
	return status;
}

static uint64_t free_bytes(struct engine *engine)
{
	return disk_of(engine)->free_bytes;
}

static void open_rocksdb(struct sim_disk *disk)
{
	char folder[SIM_DIR_PATH_SIZE];
	struct engine_options options = {
		.dir = folder,
		.cache_bytes = CACHE_BYTES,
		.write_buffer_bytes = BUFFER_BYTES,
		.is_small = true,
	};

	sim_dir_of_process(folder, getpid());
	CHECK(mkdir(folder, 0700) == 0 || errno == EEXIST);
	folder_of(disk, disk->generation, folder);
	CHECK(engine_rocksdb_open(&options, &disk->engine) == ST_OK);
	disk->own_ops = disk->engine->ops;
	disk->ops = *disk->own_ops;
	disk->ops.write = write_batch;
	disk->ops.sync = sync_log;
	disk->ops.stage_ingest = ingest;
	disk->ops.free_bytes = free_bytes;
	disk->engine->ops = &disk->ops;
	disk->has_crashed = false;
	disk->has_failed = false;
	disk->next_write_fails = false;
	disk->next_sync_fails = false;
	note_synced(disk); /* what it found, it found on the disk */
}

/* After a crash the folder that the dead process closed in order is of no use. */
static void close_rocksdb(struct sim_disk *disk)
{
	char folder[SIM_DIR_PATH_SIZE];

	disk->engine->ops = disk->own_ops;
	engine_close(disk->engine);
	if (!disk->has_crashed)
		return;
	folder_of(disk, disk->generation, folder);
	sim_dir_remove(folder);
	disk->generation++;
}

static uint64_t crash_rocksdb(struct sim_disk *disk, struct rng *rng)
{
	char from[SIM_DIR_PATH_SIZE];
	char to[SIM_DIR_PATH_SIZE];
	struct sim_dir_log log;
	uint64_t synced;

	folder_of(disk, disk->generation, from);
	folder_of(disk, disk->generation + 1, to);
	log = sim_dir_newest_log(from);
	synced = log.number == disk->synced.number ? disk->synced.size : 0;
	CHECK(log.size >= synced);
	log.size = sim_range(rng, synced, log.size);
	sim_dir_survive(from, to, &log);
	disk->has_crashed = true;
	return log.size - synced;
}

/* --- both --- */

void sim_disk_init(struct sim_disk *disk, enum sim_disk_kind kind, uint64_t machine_id)
{
	*disk = (struct sim_disk){ .kind = kind, .free_bytes = UINT64_MAX, .machine_id = machine_id };
	if (kind == SIM_DISK_ROCKSDB)
		return;
	disk->memory = engine_memory_disk_create();
	CHECK(disk->memory != NULL);
}

void sim_disk_destroy(struct sim_disk *disk)
{
	char folder[SIM_DIR_PATH_SIZE];

	if (disk->kind == SIM_DISK_ROCKSDB) {
		folder_of(disk, disk->generation, folder);
		sim_dir_remove(folder);
	} else {
		engine_memory_disk_destroy(disk->memory);
		disk->memory = NULL;
	}
}

void sim_disk_open(struct sim_disk *disk)
{
	if (disk->kind == SIM_DISK_ROCKSDB) {
		open_rocksdb(disk);
		return;
	}
	CHECK(engine_memory_open(disk->memory, &disk->engine) == ST_OK);
	engine_memory_disk_miss_every(disk->memory, disk->miss_every);
	engine_memory_disk_set_free_bytes(disk->memory, disk->free_bytes);
}

void sim_disk_close(struct sim_disk *disk)
{
	if (disk->kind == SIM_DISK_ROCKSDB)
		close_rocksdb(disk);
	else
		engine_close(disk->engine);
	disk->engine = NULL;
}

void sim_disk_cut_power(struct sim_disk *disk)
{
	sim_disk_fail(disk, true);
}

uint64_t sim_disk_crash(struct sim_disk *disk, struct rng *rng)
{
	uint64_t kept_count;

	if (disk->kind == SIM_DISK_ROCKSDB)
		return crash_rocksdb(disk, rng);
	kept_count = sim_range(rng, 0, engine_memory_unsynced_count(disk->engine));
	engine_memory_crash(disk->engine, kept_count);
	return kept_count;
}

void sim_disk_fail(struct sim_disk *disk, bool is_sync)
{
	if (is_sync)
		disk->next_sync_fails = true;
	else
		disk->next_write_fails = true;
	if (disk->kind == SIM_DISK_MEMORY && is_sync)
		engine_memory_disk_fail_sync(disk->memory);
	else if (disk->kind == SIM_DISK_MEMORY)
		engine_memory_disk_fail_write(disk->memory);
}

void sim_disk_set_free_bytes(struct sim_disk *disk, uint64_t free_bytes_now)
{
	disk->free_bytes = free_bytes_now;
	if (disk->kind == SIM_DISK_MEMORY)
		engine_memory_disk_set_free_bytes(disk->memory, free_bytes_now);
}

void sim_disk_make_room(struct sim_disk *disk)
{
	if (disk->free_bytes == 0)
		sim_disk_set_free_bytes(disk, 1);
}
