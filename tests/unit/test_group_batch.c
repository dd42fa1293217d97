/* Several groups of one node: what they apply in one turn is one write of the store, and their logs
 * share its buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum {
	GROUPS = 5,
	FIRST_ID = 20,
	COMPACT_BYTES = GROUP_TABLE_LOG_BYTES,
	LARGE_BYTES = 128 * 1024,
	LARGE_COUNT = GROUP_TABLE_LOG_BYTES / 4 / LARGE_BYTES,
};

struct member {
	struct group_fsm fsm;
	struct world *world;
	struct group *group; /* NULL once closed */
	uint64_t proposed_index;
	uint64_t announced_index;
	enum status apply_status;
	struct member *closes; /* another one, when this hears of its command */
};

/* One node; the store's own operations with write() counted. */
struct world {
	struct group_fixture *f;
	struct group_table *table;
	struct engine_ops ops;
	const struct engine_ops *real_ops;
	struct member members[GROUPS];
};

static struct world *counted;
static uint32_t apply_write_count;

static enum status count_write(struct engine *engine, struct engine_batch *batch)
{
	if (batch == counted->table->apply_batch)
		apply_write_count++;
	return counted->real_ops->write(engine, batch);
}

static enum status apply(struct group_fsm *fsm, const struct group_command *command,
			 struct engine_batch *batch)
{
	struct member *member = CONTAINER_OF(fsm, struct member, fsm);
	uint8_t key[8];

	put_u64_be(key, (uint64_t)(member - member->world->members));
	engine_batch_put(member->world->table->engine, batch, FAMILY_ITEMS, slice_of(key, sizeof(key)),
			 command->body);
	return member->apply_status;
}

static bool has_row(const struct member *member)
{
	struct engine_value value = { 0 };
	uint8_t key[8];
	enum status status;

	put_u64_be(key, (uint64_t)(member - member->world->members));
	status = engine_get(member->world->table->engine, FAMILY_ITEMS, slice_of(key, sizeof(key)),
			    ENGINE_READ_MAY_BLOCK, &value);
	engine_value_release(&value);
	return status == ST_OK;
}

/* Whoever is told finds each group as the store is. */
static void applied(struct group_fsm *fsm, uint64_t index)
{
	struct member *member = CONTAINER_OF(fsm, struct member, fsm);
	const struct world *world = member->world;

	member->announced_index = index;
	for (uint32_t i = 0; i < GROUPS; i++) {
		const struct member *other = &world->members[i];

		if (other->group != NULL && other->proposed_index > 0)
			assert_int_equal(group_applied_index(other->group) >= other->proposed_index,
					 has_row(other));
	}
	if (member->closes != NULL && member->closes->group != NULL && index == member->proposed_index) {
		group_close(member->closes->group);
		member->closes->group = NULL;
	}
}

static void nothing(struct group_fsm *fsm)
{
	(void)fsm;
}

static size_t no_ranges(struct group_fsm *fsm, struct group_range ranges_out[GROUP_RANGES_MAX])
{
	(void)fsm;
	(void)ranges_out;
	return 0;
}

static enum status restored(struct group_fsm *fsm)
{
	(void)fsm;
	return ST_OK;
}

static const struct group_fsm_ops ops = {
	.apply = apply,
	.applied = applied,
	.leader_ready = nothing,
	.leader_lost = nothing,
	.ranges = no_ranges,
	.restored = restored,
};

static void create_member(struct world *world, uint32_t number)
{
	struct member *member = &world->members[number];
	struct raft_engine_configuration alone = { .count = 1, .members = { { 1, 1, RAFT_ROLE_VOTER } } };

	*member = (struct member){ .fsm = { .ops = &ops }, .world = world };
	assert_int_equal(
		group_create(world->table, FIRST_ID + number, 1, &alone, &member->fsm, &member->group),
		ST_OK);
}

/* All groups lead. */
static struct world *create_world(void)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
	};
	struct world *world = test_calloc(1, sizeof(*world));

	settings.compact_bytes = COMPACT_BYTES;
	world->f = group_fixture_create_nodes(1, &settings);
	world->table = &world->f->nodes[1].table;
	world->real_ops = world->table->engine->ops;
	world->ops = *world->real_ops;
	world->ops.write = count_write;
	world->table->engine->ops = &world->ops;
	counted = world;
	for (uint32_t i = 0; i < GROUPS; i++)
		create_member(world, i);
	group_fixture_run_ms(world->f, 4 * GROUP_FIXTURE_ELECTION_MS);
	for (uint32_t i = 0; i < GROUPS; i++)
		assert_true(group_is_ready(world->members[i].group));
	apply_write_count = 0;
	return world;
}

static void destroy_world(struct world *world)
{
	for (uint32_t i = 0; i < GROUPS; i++) {
		if (world->members[i].group != NULL)
			group_close(world->members[i].group);
	}
	world->table->engine->ops = world->real_ops;
	group_fixture_destroy(world->f);
	test_free(world);
}

static void propose_to_all(struct world *world)
{
	for (uint32_t i = 0; i < GROUPS; i++)
		assert_int_equal(group_propose(world->members[i].group, slice_of_string("row"),
					       &world->members[i].proposed_index),
				 ST_OK);
}

static void what_all_groups_apply_in_a_turn_is_one_write(void **state)
{
	struct world *world = create_world();

	(void)state;
	propose_to_all(world);
	group_fixture_run_ms(world->f, 5);
	assert_int_equal(apply_write_count, 1);
	for (uint32_t i = 0; i < GROUPS; i++) {
		assert_true(has_row(&world->members[i]));
		assert_int_equal(world->members[i].announced_index, world->members[i].proposed_index);
	}
	destroy_world(world);
}

static void a_group_closed_by_another_ones_command_hears_nothing_of_its_own(void **state)
{
	struct world *world = create_world();

	(void)state;
	world->members[1].closes = &world->members[3];
	propose_to_all(world);
	group_fixture_run_ms(world->f, 5);
	assert_null(world->members[3].group);
	assert_true(has_row(&world->members[3])); /* as if it had been closed a moment later */
	assert_true(world->members[3].announced_index < world->members[3].proposed_index);
	assert_int_equal(world->members[4].announced_index, world->members[4].proposed_index);
	destroy_world(world);
}

static void a_command_that_fails_leaves_nothing_of_its_batch(void **state)
{
	struct world *world = create_world();

	(void)state;
	world->f->nodes[1].may_fail = true;
	world->members[2].apply_status = ST_CORRUPT;
	propose_to_all(world);
	group_fixture_run_ms(world->f, 5);
	assert_int_equal(world->f->nodes[1].fatal_status, ST_CORRUPT);
	for (uint32_t i = 0; i <= 2; i++) {
		assert_false(has_row(&world->members[i]));
		assert_true(world->members[i].announced_index < world->members[i].proposed_index);
	}
	destroy_world(world);
}

static void commit_large(struct world *world, uint32_t number, uint32_t count)
{
	static const uint8_t body[LARGE_BYTES];
	uint64_t index;

	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(
			group_propose(world->members[number].group, slice_of(body, sizeof(body)), &index),
			ST_OK);
	group_fixture_run_ms(world->f, 20);
}

static uint64_t kept_count(const struct world *world, uint32_t number)
{
	const struct log_store *log = &world->members[number].group->log;

	return log->last_index - log->first_index + 1;
}

/* One log alone may be as large as the settings say. */
static void logs_that_are_too_large_together_are_cut_to_their_shares(void **state)
{
	struct world *world = create_world();

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		commit_large(world, i, LARGE_COUNT);
		assert_in_range(kept_count(world, i), LARGE_COUNT, LARGE_COUNT + 1);
	}
	assert_true(world->table->log_bytes <= GROUP_TABLE_LOG_BYTES);
	for (uint32_t i = 0; i < GROUPS; i++)
		commit_large(world, i, LARGE_COUNT);
	for (uint32_t i = 0; i < GROUPS; i++) {
		commit_large(world, i, 1);
		assert_in_range(kept_count(world, i), GROUP_TRAILING_ENTRIES_MIN, 2 * LARGE_COUNT);
	}
	assert_in_range(kept_count(world, 0), GROUP_TRAILING_ENTRIES_MIN, LARGE_COUNT);
	assert_true(world->table->log_bytes <= GROUP_TABLE_LOG_BYTES);
	destroy_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_all_groups_apply_in_a_turn_is_one_write),
		cmocka_unit_test(a_group_closed_by_another_ones_command_hears_nothing_of_its_own),
		cmocka_unit_test(a_command_that_fails_leaves_nothing_of_its_batch),
		cmocka_unit_test(logs_that_are_too_large_together_are_cut_to_their_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
