#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/disk_watch.h"
#include "proto/base/fault.h"
#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum {
	NODES = 3,
	RESERVE = 1000,
	FULL = RESERVE - 1, /* and room for entries */
	GROUPS = 2 * DISK_WATCH_YIELDS_MAX + 10,
	FIRST_ID = 1000,
	FAULT_CERTAIN = 1000 * 1000,
	SETTLE_MS = 3 * GROUP_FIXTURE_ELECTION_MS,
};

struct world {
	struct group_fixture *f;
	struct disk_watch watches[NODES + 1];
	struct group_fsm fsm;
	struct group *groups[NODES + 1][GROUPS]; /* beside the fixture's */
	uint32_t group_count;
};

static enum status apply(struct group_fsm *fsm, const struct group_command *command,
			 struct engine_batch *batch)
{
	(void)fsm;
	(void)command;
	(void)batch;
	return ST_OK;
}

static void applied(struct group_fsm *fsm, uint64_t index)
{
	(void)fsm;
	(void)index;
}

static void nothing(struct group_fsm *fsm)
{
	(void)fsm;
}

static const struct group_fsm_ops ops = {
	.apply = apply,
	.applied = applied,
	.leader_ready = nothing,
	.leader_lost = nothing,
};

/* Led by node 1, once the world has settled. */
static void create_group(struct world *world, uint32_t number)
{
	struct raft_engine_configuration members = { .count = NODES };

	for (uint64_t id = 1; id <= NODES; id++)
		members.members[id - 1] = (struct raft_engine_member){ id, id, RAFT_ROLE_VOTER };
	for (uint64_t id = 1; id <= NODES; id++)
		assert_int_equal(group_create(&world->f->nodes[id].table, FIRST_ID + number, id, &members,
					      &world->fsm, &world->groups[id][number]),
				 ST_OK);
}

static uint32_t count_led(const struct world *world, uint64_t node_id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < world->group_count; i++)
		count += group_is_ready(world->groups[node_id][i]);
	return count + group_is_ready(world->f->nodes[node_id].group);
}

static void set_free_bytes(struct world *world, uint64_t node_id, uint64_t free_bytes)
{
	engine_memory_disk_set_free_bytes(world->f->nodes[node_id].disk, free_bytes);
}

/* Node 1 leads all groups, and all look at their disks. */
static struct world *create_world(uint32_t group_count)
{
	struct world *world = test_calloc(1, sizeof(*world));

	world->fsm.ops = &ops;
	world->f = group_fixture_create_default();
	world->group_count = group_count;
	for (uint32_t i = 0; i < group_count; i++)
		create_group(world, i);
	group_fixture_run_ms(world->f, 5);
	group_campaign(world->f->nodes[1].group);
	for (uint32_t i = 0; i < group_count; i++)
		group_campaign(world->groups[1][i]);
	group_fixture_run_ms(world->f, SETTLE_MS);
	assert_int_equal(count_led(world, 1), group_count + 1);
	for (uint64_t id = 1; id <= NODES; id++) {
		struct group_fixture_node *node = &world->f->nodes[id];

		disk_watch_init(&world->watches[id], &node->runtime.base, node->engine, &node->table,
				RESERVE);
		disk_watch_start(&world->watches[id]);
	}
	return world;
}

static void destroy_world(struct world *world)
{
	for (uint64_t id = 1; id <= NODES; id++) {
		disk_watch_stop(&world->watches[id]);
		for (uint32_t i = 0; i < world->group_count; i++)
			group_close(world->groups[id][i]);
	}
	group_fixture_destroy(world->f);
	test_free(world);
}

static void assert_disk(const struct world *world, bool is_full, bool refuses_entries)
{
	const struct group_table *table = &world->f->nodes[2].table;

	assert_int_equal(table->is_disk_full, is_full);
	assert_int_equal(table->link.is_disk_full, is_full);
	assert_int_equal(table->refuses_entries, refuses_entries);
}

static void a_disk_fills_up_in_two_steps(void **state)
{
	static const struct {
		uint64_t free_bytes;
		bool is_full;
		bool refuses_entries;
	} steps[] = {
		{ RESERVE, false, false },
		{ RESERVE - 1, true, false },
		{ RESERVE / 100 * DISK_WATCH_ENTRIES_PERCENT, true, false },
		{ RESERVE / 100 * DISK_WATCH_ENTRIES_PERCENT - 1, true, true },
		{ 0, true, true },
		{ RESERVE - 1, true, false },
		{ RESERVE, false, false },
	};
	struct world *world = create_world(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		set_free_bytes(world, 2, steps[i].free_bytes);
		group_fixture_run_ms(world->f, DISK_WATCH_INTERVAL_MS);
		assert_disk(world, steps[i].is_full, steps[i].refuses_entries);
	}
	destroy_world(world);
}

static void a_fault_point_says_that_a_disk_is_full(void **state)
{
	struct world *world = create_world(0);

	(void)state;
	fault_set(FAULT_DISK_FULL, FAULT_CERTAIN, 0);
	group_fixture_run_ms(world->f, DISK_WATCH_INTERVAL_MS);
	assert_disk(world, true, false);
	fault_clear_all();
	group_fixture_run_ms(world->f, DISK_WATCH_INTERVAL_MS);
	assert_disk(world, false, false);
	destroy_world(world);
}

static void a_node_hands_over_all_it_leads_some_at_a_time(void **state)
{
	struct world *world = create_world(GROUPS);
	const struct group_table *table = &world->f->nodes[1].table;

	(void)state;
	set_free_bytes(world, 1, FULL);
	for (uint32_t yield_count = DISK_WATCH_YIELDS_MAX; yield_count < GROUPS + 1;
	     yield_count += DISK_WATCH_YIELDS_MAX) {
		while (table->yield_count < yield_count - DISK_WATCH_YIELDS_MAX + 1)
			group_fixture_run_ms(world->f, 1);
		assert_int_equal(table->yield_count, yield_count);
		group_fixture_run_ms(world->f, DISK_WATCH_INTERVAL_MS / 2);
		assert_int_equal(table->yield_count, yield_count);
	}
	group_fixture_run_ms(world->f, SETTLE_MS);
	assert_int_equal(table->yield_count, GROUPS + 1);
	assert_int_equal(count_led(world, 1), 0);
	/* Both heirs have their share. */
	assert_in_range(count_led(world, 2), GROUPS / 3, 2 * GROUPS / 3);
	assert_int_equal(count_led(world, 2) + count_led(world, 3), GROUPS + 1);
	destroy_world(world);
}

static void leadership_ends_at_the_one_disk_that_has_room(void **state)
{
	struct world *world = create_world(3);

	(void)state;
	set_free_bytes(world, 1, FULL);
	set_free_bytes(world, 3, FULL);
	group_fixture_run_ms(world->f, SETTLE_MS);
	assert_int_equal(count_led(world, 2), 4);
	set_free_bytes(world, 3, UINT64_MAX);
	set_free_bytes(world, 2, FULL);
	group_fixture_run_ms(world->f, SETTLE_MS);
	assert_int_equal(count_led(world, 3), 4);
	destroy_world(world);
}

static void where_all_disks_are_full_nothing_moves(void **state)
{
	struct world *world = create_world(3);
	uint64_t begun_count;

	(void)state;
	for (uint64_t id = 1; id <= NODES; id++)
		set_free_bytes(world, id, FULL);
	group_fixture_run_ms(world->f, 2 * GROUP_MEMBER_YIELD_INTERVAL_MS);
	begun_count = world->f->nodes[1].table.yield_count + world->f->nodes[2].table.yield_count +
		      world->f->nodes[3].table.yield_count;
	assert_in_range(begun_count, 0, 2 * 4); /* before all knew of all */
	group_fixture_run_ms(world->f, 2 * GROUP_MEMBER_YIELD_INTERVAL_MS);
	assert_int_equal(world->f->nodes[1].table.yield_count + world->f->nodes[2].table.yield_count +
				 world->f->nodes[3].table.yield_count,
			 begun_count);
	assert_int_equal(count_led(world, 1) + count_led(world, 2) + count_led(world, 3), 4);
	destroy_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_fills_up_in_two_steps),
		cmocka_unit_test(a_fault_point_says_that_a_disk_is_full),
		cmocka_unit_test(a_node_hands_over_all_it_leads_some_at_a_time),
		cmocka_unit_test(leadership_ends_at_the_one_disk_that_has_room),
		cmocka_unit_test(where_all_disks_are_full_nothing_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
