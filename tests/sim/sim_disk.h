/* The disk of a simulated machine, and the engine that is open on it.
 *
 *   SIM_DISK_MEMORY   storage/engine/engine_memory.h: a crash keeps what was synced and a random
 *                     number of whole batches after it
 *   SIM_DISK_ROCKSDB  RocksDB in a temporary folder: a crash keeps its files as they are, but of
 *                     the newest write-ahead log only what was synced and a random number of bytes
 *                     after it, so that the last record is torn
 *
 * Threads  one; RocksDB has its own.
 * Memory   embedded in its machine.
 */
#ifndef TESTS_SIM_SIM_DISK_H
#define TESTS_SIM_SIM_DISK_H

#include "proto/base/rng.h"
#include "storage/engine/engine_memory.h"
#include "tests/sim/sim_dir.h"

enum sim_disk_kind { SIM_DISK_MEMORY, SIM_DISK_ROCKSDB };

struct sim_disk {
	enum sim_disk_kind kind;
	struct engine *engine; /* NULL while closed */
	uint64_t free_bytes;
	/* SIM_DISK_MEMORY */
	struct engine_memory_disk *memory;
	uint32_t miss_every; /* the block cache misses this often; 0: never */
	/* SIM_DISK_ROCKSDB */
	uint64_t machine_id;
	uint32_t generation;              /* of the folder: a crash makes a new one */
	struct engine_ops ops;            /* the engine's, with ours in some places */
	const struct engine_ops *own_ops; /* the engine's */
	struct sim_dir_log synced;        /* the newest log after the last sync */
	bool has_crashed;
	bool next_write_fails;
	bool next_sync_fails;
	bool has_failed;
};

void sim_disk_init(struct sim_disk *disk, enum sim_disk_kind kind, uint64_t machine_id);
void sim_disk_destroy(struct sim_disk *disk);

void sim_disk_open(struct sim_disk *disk);
/* After a crash the users of the engine are gone first. */
void sim_disk_close(struct sim_disk *disk);

/* No sync succeeds any more. */
void sim_disk_cut_power(struct sim_disk *disk);
/* Choose what survives; no write or sync succeeds any more.  Returns how much was kept of what was
 * not synced (batches or bytes). */
uint64_t sim_disk_crash(struct sim_disk *disk, struct rng *rng);

/* The next write or sync fails, and with it the engine. */
void sim_disk_fail(struct sim_disk *disk, bool is_sync);
/* What is free; with 0 the next write fails. */
void sim_disk_set_free_bytes(struct sim_disk *disk, uint64_t free_bytes);
/* A full disk has room for a new start's few records. */
void sim_disk_make_room(struct sim_disk *disk);

#endif
