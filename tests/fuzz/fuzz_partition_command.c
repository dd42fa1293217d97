/* A partition's command from arbitrary bytes, applied: it has an effect inside the partition's
 * range or is told to be corrupt, and what it left behind loads again.
 *
 * A command comes out of the replicated log, so it was made by some leader, of some version. */
#include <stdlib.h>

#include "node/partition/partition_fsm.h"
#include "proto/base/log.h"
#include "proto/wire/partition.pb-c.h"
#include "tests/support/partition_fixture.h"

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

static void apply(struct partition *partition, struct engine *engine, struct slice body)
{
	struct engine_batch *batch = engine_batch_create(engine);
	struct group_command command = { .index = 100, .term = 6, .body = body };

	CHECK(batch != NULL);
	/* A refused command ends the process, so its batch is never written. */
	if (partition->fsm.ops->apply(&partition->fsm, &command, batch) == ST_OK) {
		size_t count = partition->outcomes.count;

		CHECK(engine_write(engine, batch) == ST_OK);
		check_rows(partition, engine, FAMILY_ITEMS);
		check_rows(partition, engine, FAMILY_LOCAL_INDEXES);
		CHECK(partition->fsm.ops->restored(&partition->fsm) == ST_OK);
		CHECK(partition->outcomes.count == count);
	}
	engine_batch_destroy(engine, batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct partition_fixture *f;

	log_set_level((enum log_level)(LOG_ERROR + 1));
	f = partition_fixture_create(1);
	apply(f->partition[1], f->env[1].engine, slice_of(data, size_bytes));
	partition_fixture_destroy(f);
	return 0;
}
