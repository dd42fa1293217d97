#include "node/placement/driver.h"

#include "tests/unit/catalog_fixture.h"

static Cleave__NodeReportReply *send_report(struct catalog_world *world, Cleave__NodeRecord *node,
					    bool is_complete)
{
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
	Cleave__NodeReportReply *reply;
	struct fake_request request;

	report.node = node;
	report.is_complete = is_complete;
	world->caller_id = node->node_id;
	world_send(world, &request, METHOD_CATALOG_REPORT, &report.base);
	assert_int_equal(request.status, ST_OK);
	reply = cleave__node_report_reply__unpack(NULL, request.reply.size, request.reply.data);
	assert_non_null(reply);
	fake_request_close(&request);
	return reply;
}

static void report_registers_a_node_once(void **state)
{
	struct catalog_world world;
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
	uint64_t version;

	(void)state;
	world_start(&world, 1);
	world_report(&world, 4, &report);
	assert_string_equal(catalog_state_node(world_state(&world), 4)->zone, "az-b");
	version = world_state(&world)->version;
	world_report(&world, 4, &report);
	assert_int_equal(world_state(&world)->version, version);
	world_stop(&world);
}

static void moved_node_is_entered_anew_and_a_forgetful_one_refused(void **state)
{
	struct catalog_world world;
	Cleave__NodeRecord node = CLEAVE__NODE_RECORD__INIT;
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
	uint8_t incarnation[CATALOG_UUID_SIZE] = { 1 };
	char zone[] = "az-a";
	char host[] = "first";
	char other_host[] = "second";

	(void)state;
	world_start(&world, 1);
	node.node_id = 4;
	node.zone = zone;
	node.host = host;
	node.port = 7000;
	node.incarnation = (ProtobufCBinaryData){ sizeof(incarnation), incarnation };
	report.node = &node;
	world.caller_id = 3;
	assert_int_equal(world_ask(&world, METHOD_CATALOG_REPORT, &report.base), ST_DENIED);
	assert_null(catalog_state_node(world_state(&world), 4));
	world.caller_id = 4;
	assert_int_equal(world_ask(&world, METHOD_CATALOG_REPORT, &report.base), ST_OK);
	node.host = other_host;
	assert_int_equal(world_ask(&world, METHOD_CATALOG_REPORT, &report.base), ST_OK);
	assert_string_equal(catalog_state_node(world_state(&world), 4)->host, "second");
	incarnation[0] = 2;
	assert_int_equal(world_ask(&world, METHOD_CATALOG_REPORT, &report.base), ST_FORGOTTEN);
	assert_int_equal(catalog_state_node(world_state(&world), 4)->incarnation[0], 1);
	world_stop(&world);
}

static void new_leader_asks_for_complete_reports(void **state)
{
	struct catalog_world world;
	Cleave__NodeRecord node = CLEAVE__NODE_RECORD__INIT;
	Cleave__NodeReportReply *reply;
	char zone[] = "az-a";
	char host[] = "first";

	(void)state;
	world_start(&world, 1);
	node.node_id = 4;
	node.zone = zone;
	node.host = host;
	node.port = 7000;
	reply = send_report(&world, &node, false);
	assert_true(reply->wants_complete);
	cleave__node_report_reply__free_unpacked(reply, NULL);
	reply = send_report(&world, &node, true);
	assert_false(reply->wants_complete);
	cleave__node_report_reply__free_unpacked(reply, NULL);
	world_stop(&world);
}

/* One partition's leader, or one that is not ready. */
static void report_one(struct catalog_world *world, const struct partition_info *partition, bool is_ready,
		       uint64_t replica_id)
{
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
	Cleave__ReplicaReport replica = CLEAVE__REPLICA_REPORT__INIT;
	Cleave__ReplicaReport *replicas[] = { &replica };

	replica.partition_id = partition->partition_id;
	replica.replica_id = replica_id;
	replica.is_leader = true;
	replica.is_ready = is_ready;
	replica.term = 2;
	report.n_replicas = 1;
	report.replicas = replicas;
	world_report(world, partition->replicas[0].node_id, &report);
}

static void table_gets_active_with_the_last_ready_leader(void **state)
{
	struct catalog_world world;
	const struct partition_info *first;
	const struct partition_info *second;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(world_create(&world, "orders", 2, 0), ST_OK);
	first = catalog_state_partition_at(world_state(&world), 1, 0);
	second = catalog_state_partition_at(world_state(&world), 1, 1);
	report_one(&world, first, true, first->replicas[0].replica_id);
	report_one(&world, second, false, second->replicas[0].replica_id);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_CREATING);
	report_one(&world, second, true, second->replicas[0].replica_id + 99); /* no such replica */
	assert_int_equal(world_table(&world, "orders")->state, TABLE_CREATING);
	report_one(&world, second, true, second->replicas[0].replica_id);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_ACTIVE);
	assert_int_equal(driver_partition_leader(world.driver, second->partition_id), 1);
	world_stop(&world);
}

static void leader_that_steps_down_is_no_leader(void **state)
{
	struct catalog_world world;
	const struct partition_info *first;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(world_create(&world, "orders", 2, 0), ST_OK);
	first = catalog_state_partition_at(world_state(&world), 1, 0);
	report_one(&world, first, true, first->replicas[0].replica_id);
	assert_int_equal(driver_partition_leader(world.driver, first->partition_id), 1);
	report_one(&world, first, false, first->replicas[0].replica_id);
	assert_int_equal(driver_partition_leader(world.driver, first->partition_id), 0);
	world_stop(&world);
}

static void report_drops(struct catalog_world *world, uint64_t node_id, uint64_t first_id, size_t count)
{
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
	uint64_t dropped[8];

	for (size_t i = 0; i < count; i++)
		dropped[i] = first_id + i;
	report.dropped_partitions = dropped;
	report.n_dropped_partitions = count;
	world_report(world, node_id, &report);
}

static void table_goes_when_every_replica_is_dropped(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 3);
	world_register(&world, 3);
	world_create_active(&world, "orders", 2);
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	report_drops(&world, 1, CATALOG_FIRST_PARTITION_ID, 2);
	report_drops(&world, 2, CATALOG_FIRST_PARTITION_ID, 2);
	report_drops(&world, 3, CATALOG_FIRST_PARTITION_ID, 1);
	assert_non_null(world_table(&world, "orders"));
	report_drops(&world, 3, CATALOG_FIRST_PARTITION_ID + 1, 1);
	assert_null(world_table(&world, "orders"));
	assert_int_equal(world_state(&world)->partitions.count, 0);
	world_stop(&world);
}

static void complete_report_without_the_partition_means_dropped(void **state)
{
	struct catalog_world world;
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 2);
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	report.is_complete = true;
	report.catalog_version = world_state(&world)->version - 1; /* has not heard of the deletion */
	world_report(&world, 1, &report);
	assert_non_null(world_table(&world, "orders"));
	report.catalog_version = world_state(&world)->version;
	world_report(&world, 1, &report);
	assert_null(world_table(&world, "orders"));
	world_stop(&world);
}

static void dead_node_does_not_hold_a_deletion_up(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 3);
	world_register(&world, 3);
	world_create_active(&world, "orders", 1);
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	report_drops(&world, 1, CATALOG_FIRST_PARTITION_ID, 1);
	report_drops(&world, 2, CATALOG_FIRST_PARTITION_ID, 1);
	loop_run_ms(&world.loop, DRIVER_NODE_DEAD_MS - 2000);
	assert_true(driver_node_is_alive(world.driver, 3));
	assert_non_null(world_table(&world, "orders"));
	loop_run_ms(&world.loop, 4000);
	assert_false(driver_node_is_alive(world.driver, 3));
	assert_null(world_table(&world, "orders"));
	world_stop(&world);
}

static void every_step_survives_the_death_of_the_driver(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(world_create(&world, "orders", 2, 0), ST_OK);
	world_close(&world);
	world_open(&world, 1);
	world_report_leaders(&world, "orders");
	assert_int_equal(world_table(&world, "orders")->state, TABLE_ACTIVE);
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	world_close(&world);
	world_open(&world, 1);
	report_drops(&world, 1, CATALOG_FIRST_PARTITION_ID, 2);
	assert_null(world_table(&world, "orders"));
	/* The name is free, the ids are not. */
	assert_int_equal(world_create(&world, "orders", 1, 0), ST_OK);
	assert_int_equal(world_table(&world, "orders")->table_id, 2);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_registers_a_node_once),
		cmocka_unit_test(moved_node_is_entered_anew_and_a_forgetful_one_refused),
		cmocka_unit_test(new_leader_asks_for_complete_reports),
		cmocka_unit_test(table_gets_active_with_the_last_ready_leader),
		cmocka_unit_test(leader_that_steps_down_is_no_leader),
		cmocka_unit_test(table_goes_when_every_replica_is_dropped),
		cmocka_unit_test(complete_report_without_the_partition_means_dropped),
		cmocka_unit_test(dead_node_does_not_hold_a_deletion_up),
		cmocka_unit_test(every_step_survives_the_death_of_the_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
