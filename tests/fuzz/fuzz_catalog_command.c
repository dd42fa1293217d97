/* The catalog from arbitrary bytes: commands out of its log, rows out of its store, updates out
 * of a watch.  Whatever came, memory and rows tell the same, and so does a copy made by an update.
 *
 * The input is a list of steps: kind u8, size u16 be, bytes. */
#include <stdlib.h>

#include "node/catalog/catalog_fsm.h"
#include "node/catalog/catalog_rows.h"
#include "proto/base/log.h"
#include "storage/engine/engine_memory.h"

enum { STEPS_MAX = 32, UPDATE_SIZE_MAX = 8 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

struct world {
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct engine_batch *batch;
	struct catalog_fsm *fsm;
	struct catalog_state copy;
	uint64_t index;
};

static void on_applied(struct catalog_fsm *fsm, uint64_t index)
{
	(void)fsm;
	(void)index;
}

static void on_leader(struct catalog_fsm *fsm)
{
	(void)fsm;
}

static const struct catalog_fsm_events events = { on_applied, on_leader, on_leader };

static void check_same(const struct catalog_state *a, const struct catalog_state *b)
{
	CHECK(a->version == b->version && a->nodes.count == b->nodes.count);
	CHECK(a->table_count == b->table_count && a->partitions.count == b->partitions.count);
	for (size_t i = 0; i < a->table_count; i++) {
		const struct table_info *left = catalog_state_table_at(a, i);
		const struct table_info *right = catalog_state_table_at(b, i);

		CHECK(left->table_id == right->table_id && strcmp(left->name, right->name) == 0);
		CHECK(catalog_state_partition_count(a, left->table_id) ==
		      catalog_state_partition_count(b, left->table_id));
	}
}

/* A full update makes a copy that tells the same. */
static void check_copy(struct world *world)
{
	struct catalog_state copy;
	struct buf update;
	bool is_changed;

	catalog_state_init(&copy);
	buf_init(&update, UPDATE_SIZE_MAX);
	CHECK(catalog_fsm_pack_update(world->fsm, 0, &update) == ST_OK);
	if (world->fsm->state.version > 0) {
		CHECK(catalog_update_apply(&copy, buf_slice(&update), &is_changed) == ST_OK && is_changed);
		check_same(&world->fsm->state, &copy);
	}
	buf_close(&update);
	catalog_state_close(&copy);
}

/* A leader packs what it decoded, so that no command has fields that nobody knows: protobuf-c keeps
 * those, and of some that are malformed it packs what it does not unpack. */
static bool can_be_packed(struct slice body)
{
	Cleave__CatalogCommand *command = cleave__catalog_command__unpack(NULL, body.size, body.data);
	Cleave__CatalogCommand *again = NULL;
	struct buf packed;

	buf_init(&packed, UPDATE_SIZE_MAX);
	if (command != NULL)
		(void)cleave__catalog_command__pack(
			command, buf_extend(&packed, cleave__catalog_command__get_packed_size(command)));
	if (command != NULL)
		again = cleave__catalog_command__unpack(NULL, packed.size, packed.data);
	buf_close(&packed);
	cleave__catalog_command__free_unpacked(command, NULL);
	cleave__catalog_command__free_unpacked(again, NULL);
	return again != NULL;
}

/* True if the replica goes on; one that cannot apply ends the process. */
static bool apply(struct world *world, struct slice body)
{
	struct group_fsm *base = &world->fsm->base;
	struct group_command command = { .index = ++world->index, .term = 1, .body = body };
	uint64_t version;

	if (!can_be_packed(body))
		return false;
	engine_batch_clear(world->engine, world->batch);
	if (base->ops->apply(base, &command, world->batch) != ST_OK)
		return false;
	version = world->fsm->state.version;
	CHECK(engine_write(world->engine, world->batch) == ST_OK);
	CHECK(base->ops->restored(base) == ST_OK); /* the rows tell what memory told */
	CHECK(world->fsm->state.version == version);
	check_copy(world);
	return true;
}

/* True if what the rows say is a catalog. */
static bool put_row(struct world *world, struct slice body)
{
	struct group_fsm *base = &world->fsm->base;
	struct reader reader;
	uint8_t key[8 + 1 + 8];

	reader_init(&reader, body);
	put_u64_be(key, 1);
	key[8] = reader_u8(&reader) % (CATALOG_ROW_REQUEST + 2);
	put_u64_be(key + 9, reader_u8(&reader));
	engine_batch_clear(world->engine, world->batch);
	engine_batch_put(world->engine, world->batch, FAMILY_META, slice_of(key, sizeof(key)),
			 slice_of(reader.data, reader.size));
	CHECK(engine_write(world->engine, world->batch) == ST_OK);
	return base->ops->restored(base) == ST_OK;
}

static bool step(struct world *world, uint8_t kind, struct slice body)
{
	bool is_changed;

	switch (kind % 4) {
	case 0:
		return put_row(world, body);
	case 1:
		(void)catalog_update_apply(&world->copy, body, &is_changed); /* half an update is told so */
		return true;
	default:
		return apply(world, body);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct world world = { .disk = engine_memory_disk_create() };
	struct reader input;

	log_set_level((enum log_level)(LOG_ERROR + 1));
	CHECK(world.disk != NULL && engine_memory_open(world.disk, &world.engine) == ST_OK);
	world.batch = engine_batch_create(world.engine);
	world.fsm = calloc(1, sizeof(*world.fsm));
	CHECK(world.batch != NULL && world.fsm != NULL);
	catalog_fsm_init(world.fsm, world.engine, &events);
	catalog_state_init(&world.copy);
	reader_init(&input, slice_of(data, size_bytes));
	for (uint32_t i = 0; i < STEPS_MAX && input.size > 0; i++) {
		uint8_t kind = reader_u8(&input);
		size_t size = reader_u16_be(&input);

		if (!step(&world, kind, reader_bytes(&input, size < input.size ? size : input.size)))
			break;
	}
	catalog_state_close(&world.copy);
	catalog_fsm_forget(world.fsm);
	free(world.fsm);
	engine_batch_destroy(world.engine, world.batch);
	engine_close(world.engine);
	engine_memory_disk_destroy(world.disk);
	return 0;
}
