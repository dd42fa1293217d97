/* The simulated twin of the RocksDB store: an ordered map in memory over a disk that can crash.
 *
 * The disk outlives the engine: open, write, crash, close, open again.  It has no clock and no
 * chance of its own: the same calls in the same order give the same result.
 *
 * Threads  the engine as engine.h says; the functions here are for one controlling thread.
 * Memory   the disk owns all rows.  Destroy it after the engine is closed.
 * Errors   as engine.h; a second engine on one disk gets ST_BUSY.
 */
#ifndef STORAGE_ENGINE_ENGINE_MEMORY_H
#define STORAGE_ENGINE_ENGINE_MEMORY_H

#include "storage/engine/engine.h"

struct engine_memory_disk;

/* NULL when out of memory. */
struct engine_memory_disk *engine_memory_disk_create(void);
void engine_memory_disk_destroy(struct engine_memory_disk *disk);

enum status engine_memory_open(struct engine_memory_disk *disk, struct engine **engine_out) MUST_CHECK;

/* Batches written but not synced: what a crash may lose. */
uint64_t engine_memory_unsynced_count(const struct engine *engine);

/* The power goes: of the unsynced batches only the first keep_count survive (all, if there are
 * fewer).  Finished stages survive, others do not.  From now on writes, syncs and stages of this
 * engine fail; tear down its users as usual, engine_close() it, and open the disk again. */
void engine_memory_crash(struct engine *engine, uint64_t keep_count);

/* The next write or sync fails, and so the engine for good; the disk itself recovers when opened again. */
void engine_memory_disk_fail_write(struct engine_memory_disk *disk);
void engine_memory_disk_fail_sync(struct engine_memory_disk *disk);

/* What engine_free_bytes() says; UINT64_MAX at birth.  At 0 writes fail as on a full disk. */
void engine_memory_disk_set_free_bytes(struct engine_memory_disk *disk, uint64_t free_bytes);

/* Let every nth cached read (a get or the positioning of an iterator) give ST_WOULD_BLOCK; 0: none. */
void engine_memory_disk_miss_every(struct engine_memory_disk *disk, uint32_t nth);

#endif
