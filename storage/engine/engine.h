/* The ordered store of one node: families of byte keys, atomic batches, one write-ahead log.
 *
 * Two implementations: RocksDB (engine_rocksdb.c; on disk or in memory) and the simulated
 * twin (engine_memory.c), an ordered map whose crash keeps a synced prefix of the log.
 * The store knows nothing of items, Raft or leaders.
 *
 * Threads  every function may be called from any thread, except that one batch, iterator or
 *          stage belongs to one thread at a time.  engine_write() does not wait for the disk;
 *          engine_sync() does, and belongs where the log is written (replication/io/log_commit.h).
 * Memory   values and iterator slices are borrowed until released, closed or moved.
 * Errors   ST_IO on a failed write or sync is final: the caller ends the process, because
 *          what the log holds is unknown from then on.  Every later write and sync of this
 *          engine fails too.
 * Durable  after engine_sync() returns ST_OK, every batch whose engine_write() had returned
 *          before engine_sync() was called survives a crash.  After a crash the store holds
 *          a prefix of the batches in the order of their writes.
 */
#ifndef STORAGE_ENGINE_ENGINE_H
#define STORAGE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/check.h"
#include "proto/base/status.h"

/* Column families.  Stored on disk by name: append, never rename. */
enum engine_family {
	FAMILY_ITEMS,
	FAMILY_LOCAL_INDEXES,
	FAMILY_CHANGES,
	FAMILY_META,
	FAMILY_TOMBSTONES,
	FAMILY_RAFT_LOG,
	FAMILY_RAFT_STATE,
	FAMILY_COUNT,
};

const char *engine_family_name(enum engine_family family);

/* Rows of some families form streams, such as one group's log: the first so many bytes of a key name
 * the stream, and new rows mostly come at its end, where the engine then looks first.  0: no such family.
 * A range deleted from such a family must start with fewer bytes, that is before the rows of a stream. */
size_t engine_stream_name_size(enum engine_family family);

enum engine_read_mode {
	ENGINE_READ_CACHED,    /* never touches the disk: ST_WOULD_BLOCK if it would have to */
	ENGINE_READ_MAY_BLOCK, /* for pool threads and start-up */
};

struct engine;
struct engine_batch;
struct engine_iter;
struct engine_snapshot;
struct engine_stage;

/* A value found by engine_get(): borrowed from the engine until engine_value_release(). */
struct engine_value {
	struct slice slice;
	void *impl;
	const struct engine *engine;
};

struct engine_ops {
	void (*close)(struct engine *engine);
	struct engine_batch *(*batch_create)(struct engine *engine);
	void (*batch_destroy)(struct engine_batch *batch);
	void (*batch_clear)(struct engine_batch *batch);
	void (*batch_put)(struct engine_batch *batch, enum engine_family family, struct slice key,
			  const struct slice *parts, size_t part_count);
	void (*batch_delete)(struct engine_batch *batch, enum engine_family family, struct slice key);
	void (*batch_delete_range)(struct engine_batch *batch, enum engine_family family, struct slice start,
				   struct slice end);
	size_t (*batch_count)(const struct engine_batch *batch);
	enum status (*write)(struct engine *engine, struct engine_batch *batch);
	enum status (*sync)(struct engine *engine);
	enum status (*get)(struct engine *engine, enum engine_family family, struct slice key,
			   enum engine_read_mode mode, struct engine_value *value_out);
	void (*value_release)(struct engine_value *value);
	struct engine_snapshot *(*snapshot_create)(struct engine *engine);
	void (*snapshot_release)(struct engine *engine, struct engine_snapshot *snapshot);
	struct engine_iter *(*iter_create)(struct engine *engine, enum engine_family family,
					   struct slice start, struct slice end,
					   const struct engine_snapshot *snapshot,
					   enum engine_read_mode mode);
	void (*iter_destroy)(struct engine_iter *iter);
	void (*iter_seek)(struct engine_iter *iter, struct slice key);
	void (*iter_seek_first)(struct engine_iter *iter);
	void (*iter_seek_last)(struct engine_iter *iter);
	void (*iter_next)(struct engine_iter *iter);
	void (*iter_prev)(struct engine_iter *iter);
	bool (*iter_valid)(const struct engine_iter *iter);
	struct slice (*iter_key)(const struct engine_iter *iter);
	struct slice (*iter_value)(const struct engine_iter *iter);
	enum status (*iter_status)(const struct engine_iter *iter);
	uint64_t (*approximate_size_bytes)(struct engine *engine, enum engine_family family,
					   struct slice start, struct slice end);
	uint64_t (*free_bytes)(struct engine *engine);
	struct engine_stage *(*stage_create)(struct engine *engine, uint64_t stage_id);
	enum status (*stage_add)(struct engine_stage *stage, enum engine_family family, struct slice key,
				 struct slice value);
	enum status (*stage_finish)(struct engine_stage *stage);
	void (*stage_abandon)(struct engine_stage *stage);
	enum status (*stage_ingest)(struct engine *engine, uint64_t stage_id);
	enum status (*stage_remove)(struct engine *engine, uint64_t stage_id);
};

struct engine {
	const struct engine_ops *ops;
};

/* --- life --- */

struct engine_options {
	const char *dir;    /* made if missing (not its parents); NULL: in memory, for this process only */
	size_t cache_bytes; /* block cache; 0: a default fit for tests */
	size_t write_buffer_bytes; /* of the whole store; 0: default */
	bool is_small;             /* `cleave local`: few threads, little memory */
};

/* Open or create a RocksDB store.
 *   ST_BUSY     another process has the directory open
 *   ST_CORRUPT  RocksDB refuses what it finds
 *   ST_IO       the directory cannot be made or read; the log says why */
enum status engine_rocksdb_open(const struct engine_options *options, struct engine **engine_out) MUST_CHECK;

static inline void engine_close(struct engine *engine)
{
	if (engine != NULL)
		engine->ops->close(engine);
}

/* --- batches --- */

/* NULL when out of memory. */
static inline struct engine_batch *engine_batch_create(struct engine *engine)
{
	return engine->ops->batch_create(engine);
}

static inline void engine_batch_destroy(struct engine *engine, struct engine_batch *batch)
{
	if (batch != NULL)
		engine->ops->batch_destroy(batch);
}

static inline void engine_batch_clear(struct engine *engine, struct engine_batch *batch)
{
	engine->ops->batch_clear(batch);
}

static inline void engine_batch_put(struct engine *engine, struct engine_batch *batch,
				    enum engine_family family, struct slice key, struct slice value)
{
	engine->ops->batch_put(batch, family, key, &value, 1);
}

/* The value is the concatenation of the parts. */
static inline void engine_batch_put_parts(struct engine *engine, struct engine_batch *batch,
					  enum engine_family family, struct slice key,
					  const struct slice *parts, size_t part_count)
{
	engine->ops->batch_put(batch, family, key, parts, part_count);
}

static inline void engine_batch_delete(struct engine *engine, struct engine_batch *batch,
				       enum engine_family family, struct slice key)
{
	engine->ops->batch_delete(batch, family, key);
}

/* [start, end); nothing if end <= start. */
static inline void engine_batch_delete_range(struct engine *engine, struct engine_batch *batch,
					     enum engine_family family, struct slice start, struct slice end)
{
	size_t stream_name_size = engine_stream_name_size(family);

	CHECK(stream_name_size == 0 || start.size < stream_name_size);
	engine->ops->batch_delete_range(batch, family, start, end);
}

static inline size_t engine_batch_count(const struct engine *engine, const struct engine_batch *batch)
{
	return engine->ops->batch_count(batch);
}

/* Apply a batch atomically, visible at once, durable after the next engine_sync(). */
static inline enum status engine_write(struct engine *engine, struct engine_batch *batch)
{
	return engine->ops->write(engine, batch);
}

static inline enum status engine_sync(struct engine *engine)
{
	return engine->ops->sync(engine);
}

/* --- reads --- */

/* ST_OK, ST_NOT_FOUND, ST_WOULD_BLOCK, ST_IO, ST_CORRUPT; *value_out on ST_OK only.  A cached read
 * of an empty value may give ST_WOULD_BLOCK. */
static inline enum status engine_get(struct engine *engine, enum engine_family family, struct slice key,
				     enum engine_read_mode mode, struct engine_value *value_out)
{
	return engine->ops->get(engine, family, key, mode, value_out);
}

static inline void engine_value_release(struct engine_value *value)
{
	if (value->engine != NULL)
		value->engine->ops->value_release(value);
	value->engine = NULL;
}

static inline struct engine_snapshot *engine_snapshot_create(struct engine *engine)
{
	return engine->ops->snapshot_create(engine);
}

static inline void engine_snapshot_release(struct engine *engine, struct engine_snapshot *snapshot)
{
	if (snapshot != NULL)
		engine->ops->snapshot_release(engine, snapshot);
}

/* An iterator over [start, end); an empty end means to the end of the family.  snapshot may
 * be NULL (now).  start and end are copied.  NULL when out of memory.  Not positioned.  A cached
 * one may still show rows that were deleted as part of a range (not those deleted one by one). */
static inline struct engine_iter *engine_iter_create(struct engine *engine, enum engine_family family,
						     struct slice start, struct slice end,
						     const struct engine_snapshot *snapshot,
						     enum engine_read_mode mode)
{
	return engine->ops->iter_create(engine, family, start, end, snapshot, mode);
}

static inline void engine_iter_destroy(const struct engine *engine, struct engine_iter *iter)
{
	if (iter != NULL)
		engine->ops->iter_destroy(iter);
}

/* Move to the first row at or after key, inside the bounds. */
static inline void engine_iter_seek(const struct engine *engine, struct engine_iter *iter, struct slice key)
{
	engine->ops->iter_seek(iter, key);
}

static inline void engine_iter_seek_first(const struct engine *engine, struct engine_iter *iter)
{
	engine->ops->iter_seek_first(iter);
}

static inline void engine_iter_seek_last(const struct engine *engine, struct engine_iter *iter)
{
	engine->ops->iter_seek_last(iter);
}

/* On a row only.  Moving past either bound leaves the iterator on none. */
static inline void engine_iter_next(const struct engine *engine, struct engine_iter *iter)
{
	engine->ops->iter_next(iter);
}

static inline void engine_iter_prev(const struct engine *engine, struct engine_iter *iter)
{
	engine->ops->iter_prev(iter);
}

/* Is it on a row?  If not, engine_iter_status() tells the end (ST_OK) from a failure. */
static inline bool engine_iter_valid(const struct engine *engine, const struct engine_iter *iter)
{
	return engine->ops->iter_valid(iter);
}

/* Borrowed until the iterator moves. */
static inline struct slice engine_iter_key(const struct engine *engine, const struct engine_iter *iter)
{
	return engine->ops->iter_key(iter);
}

static inline struct slice engine_iter_value(const struct engine *engine, const struct engine_iter *iter)
{
	return engine->ops->iter_value(iter);
}

/* ST_OK, ST_WOULD_BLOCK, ST_IO or ST_CORRUPT.  To go on after ST_WOULD_BLOCK, use a new iterator. */
static inline enum status engine_iter_status(const struct engine *engine, const struct engine_iter *iter)
{
	return engine->ops->iter_status(iter);
}

/* --- staged ranges (snapshots to install) --- */

/* Collect rows in files beside the store.  Rows come ascending by (family, key).
 * engine_stage_finish() makes them durable and closes the stage; only then may
 * engine_stage_ingest() add them, atomically per family.  Ingesting twice is harmless, also
 * after a restart, until engine_stage_remove().  Creating replaces an older stage of the id.
 * All of these wait for the disk.  NULL if the stage cannot be made; the log says why. */
static inline struct engine_stage *engine_stage_create(struct engine *engine, uint64_t stage_id)
{
	return engine->ops->stage_create(engine, stage_id);
}

/* ST_INVALID if the row is out of order.  The first failure sticks. */
static inline enum status engine_stage_add(const struct engine *engine, struct engine_stage *stage,
					   enum engine_family family, struct slice key, struct slice value)
{
	return engine->ops->stage_add(stage, family, key, value);
}

/* Ends the stage object in any case; on failure nothing of the stage is left. */
static inline enum status engine_stage_finish(const struct engine *engine, struct engine_stage *stage)
{
	return engine->ops->stage_finish(stage);
}

/* End the stage object and drop its rows. */
static inline void engine_stage_abandon(const struct engine *engine, struct engine_stage *stage)
{
	if (stage != NULL)
		engine->ops->stage_abandon(stage);
}

/* Add the rows of a finished stage as newest; all that was written before is synced first.
 *   ST_NOT_FOUND  no finished stage of this id
 *   ST_CORRUPT    its files are not those that were finished */
static inline enum status engine_stage_ingest(struct engine *engine, uint64_t stage_id)
{
	return engine->ops->stage_ingest(engine, stage_id);
}

/* Harmless if there is none. */
static inline enum status engine_stage_remove(struct engine *engine, uint64_t stage_id)
{
	return engine->ops->stage_remove(engine, stage_id);
}

/* --- figures --- */

/* Of keys and values in [start, end) as stored (compressed); an empty end means to the end of the
 * family.  A guess: off by some blocks, and rows still in the write buffer may not count. */
static inline uint64_t engine_approximate_size_bytes(struct engine *engine, enum engine_family family,
						     struct slice start, struct slice end)
{
	return engine->ops->approximate_size_bytes(engine, family, start, end);
}

/* Free bytes of the file system below the store; UINT64_MAX in memory, 0 if it cannot be told. */
static inline uint64_t engine_free_bytes(struct engine *engine)
{
	return engine->ops->free_bytes(engine);
}

#endif
