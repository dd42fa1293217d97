#include "tests/unit/item_op_fixture.h"

static uint64_t pick(struct item_fixture *f, enum route_kind kind, const struct route_tried *tried)
{
	struct route_target target = { .node_id = 0 };
	const struct partition_info *partition = catalog_view_find_partition(&f->view,
									     buf_slice(&f->row_key));
	enum status status = route_pick(&f->route, partition, kind, tried, &target);

	assert_true(status == ST_OK || status == ST_UNREACHABLE);
	assert_int_equal(status == ST_OK, target.node_id != 0);
	return target.node_id;
}

static void the_leader_is_the_hint_else_the_preferred_one(void **state)
{
	struct route_tried tried = { .count = 0 };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 1);
	route_learn_leader(&f.route, FIXTURE_PARTITION, 3);
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 3);
	route_learn_leader(&f.route, FIXTURE_PARTITION, 0); /* nobody knows: no news */
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 3);
	route_learn_leader(&f.route, FIXTURE_PARTITION, 99); /* no replica of it */
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 1);
	fixture_close(&f);
}

static void tried_and_unconnected_nodes_are_left_out(void **state)
{
	struct route_tried tried = { .count = 0 };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	f.is_down[1] = true;
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 2);
	route_tried_add(&tried, 2);
	route_tried_add(&tried, 2);
	assert_int_equal(tried.count, 1);
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 3);
	route_tried_add(&tried, 3);
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 0);
	assert_int_equal(pick(&f, ROUTE_NEAREST, &tried), 0);
	fixture_close(&f);
}

static void an_eventual_read_stays_in_its_zone_and_else_rotates(void **state)
{
	struct route_tried tried = { .count = 0 };
	uint32_t counts[FIXTURE_NODES + 1] = { 0 };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	for (int i = 0; i < 6; i++)
		assert_int_equal(pick(&f, ROUTE_NEAREST, &tried), 2);
	f.is_down[2] = true;
	for (int i = 0; i < 30; i++)
		counts[pick(&f, ROUTE_NEAREST, &tried)]++;
	assert_true(counts[1] >= 10 && counts[3] >= 10);
	fixture_close(&f);
}

static void a_silent_node_comes_last_until_it_is_forgiven(void **state)
{
	struct route_tried tried = { .count = 0 };
	struct item_fixture f;

	(void)state;
	fixture_open(&f);
	route_learn_silence(&f.route, 1);
	assert_int_not_equal(pick(&f, ROUTE_LEADER, &tried), 1);
	f.is_down[2] = f.is_down[3] = true;
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 1); /* better than nobody */
	f.is_down[2] = f.is_down[3] = false;
	manual_runtime_advance_ms(&f.runtime, ROUTE_SUSPECT_MS);
	assert_int_equal(pick(&f, ROUTE_LEADER, &tried), 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_leader_is_the_hint_else_the_preferred_one),
		cmocka_unit_test(tried_and_unconnected_nodes_are_left_out),
		cmocka_unit_test(an_eventual_read_stays_in_its_zone_and_else_rotates),
		cmocka_unit_test(a_silent_node_comes_last_until_it_is_forgiven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
