/* A partition's command from arbitrary bytes, applied to a partition of a table without indexes and to
 * one that feeds an index and is fed itself: it has an effect inside the partition's range or is told to be
 * corrupt, and what it left behind loads again.
 *
 * A command comes out of the replicated log, so it was made by some leader, of some version. */
#include <stdlib.h>

#include "node/partition/partition_fsm.h"
#include "node/partition/partition_propose.h"
#include "proto/base/log.h"
#include "proto/wire/partition.pb-c.h"
#include "tests/support/partition_fixture.h"
#include "tests/unit/feed_fixture.h"

enum { INDEX_TABLE = 2, SOURCE = 1002, ARENA_SIZE_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Every row lies in the partition's range. */
static void check_rows(struct partition *partition, struct engine *engine, enum engine_family family)
{
	struct engine_iter *iter = engine_iter_create(engine, family, slice_of(NULL, 0), slice_of(NULL, 0),
						      NULL, ENGINE_READ_MAY_BLOCK);

	CHECK(iter != NULL);
	for (engine_iter_seek_first(engine, iter); engine_iter_valid(engine, iter);
	     engine_iter_next(engine, iter))
		CHECK(partition_covers(partition, engine_iter_key(engine, iter)));
	engine_iter_destroy(engine, iter);
}

/* What memory says is what the store says. */
static void check_loads(struct partition *partition)
{
	size_t outcome_count = partition->outcomes.count;
	size_t source_count = partition->sources.marks.count;
	uint32_t feed_count = partition->indexes.feed_count;

	CHECK(partition->fsm.ops->restored(&partition->fsm) == ST_OK);
	CHECK(partition->outcomes.count == outcome_count);
	CHECK(partition->sources.marks.count == source_count);
	CHECK(partition->indexes.feed_count == feed_count);
}

static void apply(struct partition *partition, struct engine *engine, uint64_t index, struct slice body)
{
	struct engine_batch *batch = engine_batch_create(engine);
	struct group_command command = { .index = index, .term = 6, .body = body };

	CHECK(batch != NULL);
	/* A refused command ends the process, so its batch is never written. */
	if (partition->fsm.ops->apply(&partition->fsm, &command, batch) == ST_OK) {
		CHECK(engine_write(engine, batch) == ST_OK);
		check_rows(partition, engine, FAMILY_ITEMS);
		check_rows(partition, engine, FAMILY_LOCAL_INDEXES);
		check_loads(partition);
	}
	engine_batch_destroy(engine, batch);
}

static void apply_message(struct partition *partition, struct engine *engine, uint64_t index,
			  const Cleave__PartitionCommand *command)
{
	struct buf packed;

	buf_init(&packed, ARENA_SIZE_MAX);
	CHECK(partition_propose_pack(command, &packed) == ST_OK);
	apply(partition, engine, index, buf_slice(&packed));
	buf_close(&packed);
}

/* It feeds an index, and takes rows as if it were a partition of one. */
static void make_fed(struct partition *partition, struct engine *engine)
{
	static const uint32_t ids[] = { INDEX_TABLE };
	static uint8_t key[] = { 0, 0, 0, PARTITION_FIXTURE_TABLE, 0, 0, 0, 0, 0, 0, 0, 0, 'r' };
	static uint8_t position[] = { FEED_CHANGES, 0, 0, 0, 0, 0, 0, 0, 4 };
	Cleave__PartitionCommand definitions = CLEAVE__PARTITION_COMMAND__INIT;
	Cleave__PartitionCommand rows = CLEAVE__PARTITION_COMMAND__INIT;
	Cleave__Mutation row = CLEAVE__MUTATION__INIT;
	Cleave__Mutation *list[] = { &row };
	struct arena arena;

	arena_init(&arena, ARENA_SIZE_MAX);
	definitions.indexes = feed_fixture_definitions(&arena, 1, ids, ARRAY_COUNT(ids));
	apply_message(partition, engine, 50, &definitions);
	arena_close(&arena);
	row.row_key = (ProtobufCBinaryData){ sizeof(key), key };
	row.position = (ProtobufCBinaryData){ sizeof(position), position };
	row.is_write = true;
	row.is_delete = true;
	rows.mutations = list;
	rows.n_mutations = 1;
	rows.source_partition_id = SOURCE;
	apply_message(partition, engine, 51, &rows);
	CHECK(partition->indexes.feed_count == 1 && partition->sources.marks.count == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	log_set_level((enum log_level)(LOG_ERROR + 1));
	for (int is_fed = 0; is_fed < 2; is_fed++) {
		struct partition_fixture *f = partition_fixture_create(1);

		if (is_fed)
			make_fed(f->partition[1], f->env[1].engine);
		apply(f->partition[1], f->env[1].engine, 100, slice_of(data, size_bytes));
		partition_fixture_destroy(f);
	}
	return 0;
}
