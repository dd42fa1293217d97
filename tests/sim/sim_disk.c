#include "tests/sim/sim_disk.h"

#include "tests/sim/sim_world.h"

void sim_disk_init(struct sim_disk *disk, enum sim_disk_kind kind, uint64_t machine_id)
{
	(void)machine_id;
	*disk = (struct sim_disk){ .kind = kind, .free_bytes = UINT64_MAX };
	disk->memory = engine_memory_disk_create();
	CHECK(disk->memory != NULL);
}

void sim_disk_destroy(struct sim_disk *disk)
{
	engine_memory_disk_destroy(disk->memory);
	disk->memory = NULL;
}

void sim_disk_open(struct sim_disk *disk)
{
	CHECK(engine_memory_open(disk->memory, &disk->engine) == ST_OK);
	engine_memory_disk_miss_every(disk->memory, disk->miss_every);
	engine_memory_disk_set_free_bytes(disk->memory, disk->free_bytes);
}

void sim_disk_close(struct sim_disk *disk)
{
	engine_close(disk->engine);
	disk->engine = NULL;
}

void sim_disk_cut_power(struct sim_disk *disk)
{
	engine_memory_disk_fail_sync(disk->memory);
}

uint64_t sim_disk_crash(struct sim_disk *disk, struct rng *rng)
{
	uint64_t kept_count = sim_range(rng, 0, engine_memory_unsynced_count(disk->engine));

	engine_memory_crash(disk->engine, kept_count);
	return kept_count;
}

void sim_disk_fail(struct sim_disk *disk, bool is_sync)
{
	if (is_sync)
		engine_memory_disk_fail_sync(disk->memory);
	else
		engine_memory_disk_fail_write(disk->memory);
}

void sim_disk_set_free_bytes(struct sim_disk *disk, uint64_t free_bytes)
{
	/* A full disk has room for a new start's few records. */
	disk->free_bytes = free_bytes == 0 ? 1 : free_bytes;
	if (disk->engine != NULL)
		engine_memory_disk_set_free_bytes(disk->memory, free_bytes);
}
