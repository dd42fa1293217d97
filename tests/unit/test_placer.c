#include "node/placement/placer.h"

#include "tests/unit/catalog_fixture.h"

enum { FIRST_NODE_ID = 11, PARTITIONS = 1000, NODES_MAX = 32 };

static const char *const zone_names[] = { "az-a", "az-b", "az-c", "az-d", "az-e" };

static const char *zone_of(uint64_t node_id, size_t zone_count)
{
	return zone_names[(node_id - FIRST_NODE_ID) % zone_count];
}

/* Nodes are dealt to the zones in turn. */
static struct placer *make(size_t node_count, size_t zone_count)
{
	struct placer_node nodes[NODES_MAX];
	struct placer *placer;

	for (size_t i = 0; i < node_count; i++)
		nodes[i] = (struct placer_node){ FIRST_NODE_ID + i, zone_of(FIRST_NODE_ID + i, zone_count) };
	assert_int_equal(placer_create(nodes, node_count, &placer), ST_OK);
	return placer;
}

static struct placer_choice choose(const struct placer *placer, uint64_t partition_id, uint32_t replica_count)
{
	struct placer_choice choice;

	assert_int_equal(placer_choose(placer, partition_id, replica_count, &choice), ST_OK);
	assert_int_equal(choice.count, replica_count);
	for (uint32_t i = 0; i < choice.count; i++) {
		for (uint32_t k = i + 1; k < choice.count; k++)
			assert_true(choice.node_ids[i] != choice.node_ids[k]);
	}
	return choice;
}

static size_t zones_in(const struct placer_choice *choice, size_t zone_count)
{
	bool has[ARRAY_COUNT(zone_names)] = { false };
	size_t count = 0;

	for (uint32_t i = 0; i < choice->count; i++)
		has[(choice->node_ids[i] - FIRST_NODE_ID) % zone_count] = true;
	for (size_t i = 0; i < zone_count; i++)
		count += has[i];
	return count;
}

static void assert_spread(const uint32_t *counts, size_t count, uint32_t sum)
{
	for (size_t i = 0; i < count; i++) {
		assert_true(counts[i] * count * 4 >= sum * 3);
		assert_true(counts[i] * count * 4 <= sum * 5);
	}
}

static void replicas_and_leaders_spread_evenly(void **state)
{
	struct placer *placer = make(9, 3);
	uint32_t replicas[9] = { 0 };
	uint32_t leaders[9] = { 0 };

	(void)state;
	for (uint64_t id = 1000; id < 1000 + PARTITIONS; id++) {
		struct placer_choice choice = choose(placer, id, 3);

		for (uint32_t i = 0; i < choice.count; i++)
			replicas[choice.node_ids[i] - FIRST_NODE_ID]++;
		leaders[choice.preferred_leader_node_id - FIRST_NODE_ID]++;
	}
	assert_spread(replicas, 9, 3 * PARTITIONS);
	assert_spread(leaders, 9, PARTITIONS);
	placer_destroy(placer);
}

static void each_replica_has_its_own_zone(void **state)
{
	struct placer *three = make(8, 3);
	struct placer *five = make(20, 5);
	uint32_t used[5] = { 0 };

	(void)state;
	for (uint64_t id = 1000; id < 1000 + PARTITIONS; id++) {
		struct placer_choice choice = choose(three, id, 3);

		assert_int_equal(zones_in(&choice, 3), 3);
		choice = choose(five, id, 3);
		assert_int_equal(zones_in(&choice, 5), 3);
		for (uint32_t i = 0; i < 3; i++)
			used[(choice.node_ids[i] - FIRST_NODE_ID) % 5]++;
	}
	assert_spread(used, 5, 3 * PARTITIONS);
	placer_destroy(three);
	placer_destroy(five);
}

static void few_zones_hold_several_replicas_on_distinct_nodes(void **state)
{
	struct placer *one = make(5, 1);
	struct placer *two = make(3, 2); /* two nodes and one */

	(void)state;
	for (uint64_t id = 1000; id < 1000 + PARTITIONS; id++) {
		struct placer_choice choice = choose(one, id, 3);

		assert_int_equal(zones_in(&choice, 1), 1);
		choice = choose(two, id, 3);
		assert_int_equal(zones_in(&choice, 2), 2);
	}
	placer_destroy(one);
	placer_destroy(two);
}

static void new_node_takes_its_share_and_nothing_else_moves(void **state)
{
	struct placer *before = make(9, 3);
	struct placer *after = make(10, 3);
	const uint64_t new_node_id = FIRST_NODE_ID + 9;
	uint32_t moved_count = 0;

	(void)state;
	for (uint64_t id = 1000; id < 1000 + PARTITIONS; id++) {
		struct placer_choice old = choose(before, id, 3);
		struct placer_choice new = choose(after, id, 3);

		for (uint32_t i = 0; i < 3; i++) {
			if (new.node_ids[i] == old.node_ids[i])
				continue;
			assert_true(new.node_ids[i] == new_node_id);
			moved_count++;
		}
	}
	/* A quarter of one zone's replicas. */
	assert_in_range(moved_count, PARTITIONS * 3 / 16, PARTITIONS * 5 / 16);
	placer_destroy(before);
	placer_destroy(after);
}

static void order_of_nodes_does_not_matter(void **state)
{
	struct placer_node nodes[] = { { 3, "az-b" }, { 1, "az-a" }, { 2, "az-a" }, { 4, "az-b" } };
	struct placer_node turned[] = { { 4, "az-b" }, { 2, "az-a" }, { 1, "az-a" }, { 3, "az-b" } };
	struct placer *a;
	struct placer *b;

	(void)state;
	assert_int_equal(placer_create(nodes, 4, &a), ST_OK);
	assert_int_equal(placer_create(turned, 4, &b), ST_OK);
	for (uint64_t id = 1000; id < 1100; id++) {
		struct placer_choice left = choose(a, id, 2);
		struct placer_choice right = choose(b, id, 2);

		assert_memory_equal(left.node_ids, right.node_ids, 2 * sizeof(uint64_t));
	}
	placer_destroy(a);
	placer_destroy(b);
}

static void too_few_nodes_are_told(void **state)
{
	struct placer *placer = make(2, 2);
	struct placer *none = make(0, 1);
	struct placer_node bad = { 1, "" };
	struct placer_choice choice;

	(void)state;
	assert_int_equal(placer_choose(placer, 1000, 3, &choice), ST_UNAVAILABLE);
	assert_int_equal(placer_choose(none, 1000, 1, &choice), ST_UNAVAILABLE);
	assert_int_equal(placer_choose(placer, 1000, 0, &choice), ST_INVALID);
	placer_destroy(placer);
	placer_destroy(none);
	assert_int_equal(placer_create(&bad, 1, &placer), ST_INVALID);
}

static uint32_t count_for(bool is_on_demand, uint64_t read_units, uint64_t write_units, uint32_t requested)
{
	struct catalog_settings settings = { .on_demand_partitions = 4 };
	struct table_info table = { .is_on_demand = is_on_demand,
				    .read_units = read_units,
				    .write_units = write_units };
	uint32_t count;

	assert_int_equal(placer_partition_count(&table, requested, &settings, &count), ST_OK);
	return count;
}

static void partition_count_follows_capacity(void **state)
{
	struct catalog_settings settings = { .on_demand_partitions = 4 };
	struct table_info table = { .read_units = UINT64_MAX };
	uint32_t count;

	(void)state;
	assert_int_equal(count_for(false, 1, 1, 0), 1);
	assert_int_equal(count_for(false, 3000, 0, 0), 1);
	assert_int_equal(count_for(false, 1500, 500, 0), 1);
	assert_int_equal(count_for(false, 1501, 500, 0), 2);
	assert_int_equal(count_for(false, 3001, 0, 0), 2);
	assert_int_equal(count_for(false, 40000, 40000, 0), 54);
	assert_int_equal(count_for(true, 0, 0, 0), 4);
	assert_int_equal(count_for(true, 0, 0, 9), 9);
	assert_int_equal(placer_partition_count(&table, 0, &settings, &count), ST_INVALID);
	assert_int_equal(placer_partition_count(&table, CATALOG_TABLE_PARTITIONS_MAX + 1, &settings, &count),
			 ST_INVALID);
}

static void ranges_cover_the_table_without_gap(void **state)
{
	struct buf bound;
	struct buf table_end;
	uint32_t table_id;
	uint64_t token;

	(void)state;
	buf_init(&bound, 64);
	buf_init(&table_end, 64);
	placer_range_bound(&bound, 7, 0, 3);
	assert_int_equal(row_key_head(buf_slice(&bound), &table_id, &token), ST_OK);
	assert_int_equal(table_id, 7);
	assert_true(token == 0);
	buf_reset(&bound);
	placer_range_bound(&bound, 7, 2, 3);
	assert_int_equal(row_key_head(buf_slice(&bound), &table_id, &token), ST_OK);
	assert_true(token == UINT64_C(0xaaaaaaaaaaaaaaaa));
	buf_reset(&bound);
	placer_range_bound(&bound, 7, 3, 3);
	row_key_table_start(&table_end, 8);
	assert_true(slice_equal(buf_slice(&bound), buf_slice(&table_end)));
	buf_close(&bound);
	buf_close(&table_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replicas_and_leaders_spread_evenly),
		cmocka_unit_test(each_replica_has_its_own_zone),
		cmocka_unit_test(few_zones_hold_several_replicas_on_distinct_nodes),
		cmocka_unit_test(new_node_takes_its_share_and_nothing_else_moves),
		cmocka_unit_test(order_of_nodes_does_not_matter),
		cmocka_unit_test(too_few_nodes_are_told),
		cmocka_unit_test(partition_count_follows_capacity),
		cmocka_unit_test(ranges_cover_the_table_without_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
