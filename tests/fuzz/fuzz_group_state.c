/* A replica's records from arbitrary bytes: they load or are told to be corrupt.
 *
 * The input is a list of records: tag u8, size u8, value.  What loads is written again and must
 * load as the same. */
#include <stdlib.h>

#include "replication/group/group_state.h"
#include "storage/engine/engine_memory.h"

enum { GROUP = 7, RECORDS_MAX = 16, ARENA_BYTES_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void put_records(struct engine *engine, struct engine_batch *batch, struct slice input)
{
	static const char tags[] = "HACRIX";
	struct reader reader;

	reader_init(&reader, input);
	for (uint32_t i = 0; i < RECORDS_MAX && reader.size > 0; i++) {
		uint8_t key[9];
		size_t size_bytes;

		put_u64_be(key, GROUP);
		key[8] = (uint8_t)tags[reader_u8(&reader) % (sizeof(tags) - 1)];
		size_bytes = reader_u8(&reader);
		engine_batch_put(engine, batch, FAMILY_RAFT_STATE, slice_of(key, sizeof(key)),
				 reader_bytes(&reader, size_bytes < reader.size ? size_bytes : reader.size));
	}
}

static void write(struct engine *engine, struct engine_batch *batch)
{
	CHECK(engine_write(engine, batch) == ST_OK);
	engine_batch_clear(engine, batch);
}

static void check_again(struct engine *engine, struct engine_batch *batch, const struct group_state *state)
{
	struct group_state again;

	group_state_put_replica(engine, batch, GROUP, state->replica_id);
	group_state_put_hard(engine, batch, GROUP, state->term, state->voted_for);
	if (state->has_position) {
		group_state_put_applied(engine, batch, GROUP, state->applied.index, state->applied.term);
		group_state_put_configuration(engine, batch, GROUP, &state->applied.configuration);
	}
	write(engine, batch);
	CHECK(group_state_load(engine, GROUP, &again) == ST_OK);
	CHECK(again.replica_id == state->replica_id && again.term == state->term);
	CHECK(again.voted_for == state->voted_for && again.has_position == state->has_position);
	CHECK(again.applied.index == state->applied.index && again.has_intent == state->has_intent);
	CHECK(again.applied.configuration.count == state->applied.configuration.count);
}

static void check_intent(struct engine *engine)
{
	struct group_install_intent intent;
	struct arena arena;

	arena_init(&arena, ARENA_BYTES_MAX);
	if (group_state_load_intent(engine, GROUP, &arena, &intent) == ST_OK) {
		CHECK(intent.range_count <= GROUP_RANGES_MAX);
		for (size_t i = 0; i < intent.range_count; i++)
			CHECK(intent.ranges[i].family < FAMILY_COUNT && intent.ranges[i].start.data != NULL);
	}
	arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct engine_memory_disk *disk = engine_memory_disk_create();
	struct engine_batch *batch;
	struct group_state state;
	struct engine *engine;
	uint64_t group_id = 0;

	CHECK(disk != NULL && engine_memory_open(disk, &engine) == ST_OK);
	batch = engine_batch_create(engine);
	put_records(engine, batch, slice_of(data, size_bytes));
	write(engine, batch);
	if (group_state_load(engine, GROUP, &state) == ST_OK) {
		CHECK(group_state_next(engine, &group_id) == ST_OK && group_id == GROUP);
		check_again(engine, batch, &state);
	}
	check_intent(engine);
	engine_batch_destroy(engine, batch);
	engine_close(engine);
	engine_memory_disk_destroy(disk);
	return 0;
}
