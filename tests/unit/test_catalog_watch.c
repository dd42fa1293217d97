#include "proto/catalog/catalog_update.h"
#include "tests/unit/catalog_fixture.h"

static void watch(struct catalog_world *world, struct fake_request *request, uint64_t from_version,
		  uint32_t wait_ms)
{
	Cleave__CatalogWatchRequest message = CLEAVE__CATALOG_WATCH_REQUEST__INIT;

	message.from_version = from_version;
	message.wait_ms = wait_ms;
	world_send(world, request, METHOD_CATALOG_WATCH, &message.base);
}

/* Apply the answer to a copy, which must be at the catalog's version then. */
static bool follow(struct catalog_world *world, struct fake_request *request, struct catalog_state *copy)
{
	bool has_changed;

	assert_int_equal(request->answer_count, 1);
	assert_int_equal(request->status, ST_OK);
	assert_int_equal(catalog_update_apply(copy, buf_slice(&request->reply), &has_changed), ST_OK);
	assert_int_equal(copy->version, world_state(world)->version);
	fake_request_close(request);
	return has_changed;
}

static bool is_full(const struct fake_request *request)
{
	Cleave__CatalogUpdate *update = cleave__catalog_update__unpack(NULL, request->reply.size,
								       request->reply.data);
	bool full;

	assert_non_null(update);
	full = update->is_full;
	cleave__catalog_update__free_unpacked(update, NULL);
	return full;
}

static void watch_from_nothing_gets_everything_at_once(void **state)
{
	struct catalog_world world;
	struct catalog_state copy;
	struct fake_request request;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 2);
	world_create_active(&world, "orders", 3);
	catalog_state_init(&copy);
	watch(&world, &request, 0, 1000);
	assert_true(is_full(&request));
	assert_true(follow(&world, &request, &copy));
	assert_int_equal(copy.nodes.count, 2);
	assert_int_equal(copy.table_count, 1);
	assert_int_equal(copy.partitions.count, 3);
	assert_int_equal(copy.settings.replica_count, 1);
	catalog_state_close(&copy);
	world_stop(&world);
}

static void watch_waits_for_news_and_gets_only_them(void **state)
{
	struct catalog_world world;
	struct catalog_state copy;
	struct fake_request request;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 3);
	catalog_state_init(&copy);
	watch(&world, &request, 0, 1000);
	assert_true(follow(&world, &request, &copy));
	watch(&world, &request, copy.version, 1000);
	assert_int_equal(request.answer_count, 0);
	assert_int_equal(world_create(&world, "others", 1, 0), ST_OK);
	assert_false(is_full(&request));
	assert_true(follow(&world, &request, &copy));
	assert_int_equal(copy.table_count, 2);
	assert_int_equal(copy.partitions.count, 4);
	catalog_state_close(&copy);
	world_stop(&world);
}

static void watch_hears_of_removals(void **state)
{
	struct catalog_world world;
	struct catalog_state copy;
	struct fake_request request;
	Cleave__NodeReport report = CLEAVE__NODE_REPORT__INIT;
	uint64_t dropped = CATALOG_FIRST_PARTITION_ID;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 1);
	catalog_state_init(&copy);
	watch(&world, &request, 0, 1000);
	assert_true(follow(&world, &request, &copy));
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	report.dropped_partitions = &dropped;
	report.n_dropped_partitions = 1;
	world_report(&world, 1, &report);
	watch(&world, &request, copy.version, 1000);
	assert_false(is_full(&request));
	assert_true(follow(&world, &request, &copy));
	assert_int_equal(copy.table_count, 0);
	assert_int_equal(copy.partitions.count, 0);
	catalog_state_close(&copy);
	world_stop(&world);
}

static void watch_without_news_ends_empty_when_its_time_is_over(void **state)
{
	struct catalog_world world;
	struct fake_request request;
	struct catalog_state copy;

	(void)state;
	world_start(&world, 1);
	catalog_state_init(&copy);
	copy.version = world_state(&world)->version;
	watch(&world, &request, copy.version, 300);
	loop_run_ms(&world.loop, 299);
	assert_int_equal(request.answer_count, 0);
	loop_run_ms(&world.loop, 1);
	assert_false(follow(&world, &request, &copy));
	catalog_state_close(&copy);
	world_stop(&world);
}

static void watch_answers_before_the_callers_deadline(void **state)
{
	struct catalog_world world;
	struct fake_request request;
	Cleave__CatalogWatchRequest message = CLEAVE__CATALOG_WATCH_REQUEST__INIT;

	(void)state;
	world_start(&world, 1);
	message.from_version = world_state(&world)->version;
	message.wait_ms = 100000;
	fake_request_init(&request, &world.loop.base, METHOD_CATALOG_WATCH, &message.base);
	request.base.deadline_mono_us = world.loop.now_us + 500 * MS;
	catalog_handle(world.catalog, &request.base);
	loop_run_ms(&world.loop, 499);
	assert_int_equal(request.answer_count, 1);
	assert_int_equal(request.status, ST_OK);
	fake_request_close(&request);
	world_stop(&world);
}

static void replica_without_a_leader_sends_watchers_away(void **state)
{
	struct catalog_world world;
	struct fake_request request;

	(void)state;
	world_start_with(&world, 3, 3);
	watch(&world, &request, 0, 4000);
	assert_int_equal(request.answer_count, 0); /* silent, but not for long yet */
	loop_run_ms(&world.loop, 4000);
	assert_int_equal(request.answer_count, 1);
	assert_int_equal(request.status, ST_STALE);
	fake_request_close(&request);
	watch(&world, &request, 0, 4000);
	assert_int_equal(request.answer_count, 1);
	assert_int_equal(request.status, ST_STALE);
	fake_request_close(&request);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(watch_from_nothing_gets_everything_at_once),
		cmocka_unit_test(watch_waits_for_news_and_gets_only_them),
		cmocka_unit_test(watch_hears_of_removals),
		cmocka_unit_test(watch_without_news_ends_empty_when_its_time_is_over),
		cmocka_unit_test(watch_answers_before_the_callers_deadline),
		cmocka_unit_test(replica_without_a_leader_sends_watchers_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
