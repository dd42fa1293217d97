#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/group/group_internal.h"
#include "tests/support/partition_fixture.h"

static void a_strong_read_sees_the_write_before_it(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	assert_int_equal(partition_fixture_get(f, leader, "a", true, "one", &matches), ST_OK);
	assert_true(matches);
	assert_int_equal(partition_fixture_get(f, leader, "nothing", true, "", &matches), ST_NOT_FOUND);
	partition_fixture_destroy(f);
}

/* What is pending is not decided: a read must not see it. */
static void a_read_does_not_see_what_is_pending(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;
	bool matches;

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	watched_write_init(&write, "a", "one", 1);
	assert_int_equal(watched_write_start(&write, leader), ST_WOULD_BLOCK);
	assert_int_equal(partition_fixture_get(f, leader, "a", false, "one", &matches), ST_NOT_FOUND);
	group_fixture_isolate(f->net, 1, false);
	partition_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(write.status, ST_OK);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

static void a_follower_serves_eventual_reads_only(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	partition_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(partition_fixture_get(f, f->partition[2], "a", false, "one", &matches), ST_OK);
	assert_true(matches);
	assert_int_equal(partition_fixture_get(f, f->partition[2], "a", true, "one", &matches),
			 ST_NOT_LEADER);
	partition_fixture_destroy(f);
}

static void a_replica_that_heard_no_leader_for_long_hands_the_read_on(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct partition_read read = { .accepts_frozen = true };
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	partition_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	group_fixture_isolate(f->net, 2, true);
	partition_fixture_run_ms(f, PARTITION_READ_SILENCE_MS - 100);
	assert_int_equal(partition_fixture_get(f, f->partition[2], "a", false, "one", &matches), ST_OK);
	partition_fixture_run_ms(f, 300);
	assert_int_equal(partition_fixture_get(f, f->partition[2], "a", false, "one", &matches), ST_STALE);
	/* Unless nobody fresher is left to ask. */
	read.row_key = partition_fixture_key(key, "a");
	assert_int_equal(partition_read_start(f->partition[2], &read), ST_OK);
	assert_true(partition_fixture_item_is(read.item, "one"));
	partition_read_close(&read);
	partition_fixture_destroy(f);
}

static void a_row_that_is_not_in_memory_is_read_off_the_loop(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk, 1);
	assert_int_equal(partition_fixture_get(f, leader, "a", false, "one", &matches), ST_OK);
	assert_true(matches);
	assert_int_equal(partition_fixture_get(f, leader, "a", true, "one", &matches), ST_OK);
	assert_true(matches);
	partition_fixture_destroy(f);
}

struct watched_read {
	struct partition_read base;
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint32_t done_count;
};

static void on_read(struct partition_read *base)
{
	CONTAINER_OF(base, struct watched_read, base)->done_count++;
}

static enum status start(struct partition *partition, struct watched_read *read, bool is_consistent)
{
	*read = (struct watched_read){ 0 };
	read->base.row_key = partition_fixture_key(read->key, "a");
	read->base.is_consistent = is_consistent;
	read->base.done = on_read;
	return partition_read_start(partition, &read->base);
}

static void a_row_is_read_on_the_loop_while_that_is_quick(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk, 1);
	f->net->nodes[1].is_disk_held = true; /* no thread would read it */
	f->net->nodes[1].runtime.works_here = true;
	assert_int_equal(start(leader, &read, false), ST_OK);
	assert_true(partition_fixture_item_is(read.base.item, "one"));
	assert_int_equal(read.done_count, 0);
	partition_read_close(&read.base);
	f->net->nodes[1].is_disk_held = false;
	partition_fixture_destroy(f);
}

static void a_partition_that_closes_meanwhile_answers_unavailable(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk, 1);
	f->net->nodes[1].is_disk_held = true;
	assert_int_equal(start(leader, &read, false), ST_WOULD_BLOCK);
	partition_close(leader);
	f->partition[1] = NULL;
	f->net->nodes[1].is_disk_held = false;
	partition_fixture_run_ms(f, 1);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.base.status, ST_UNAVAILABLE);
	partition_read_close(&read.base);
	partition_fixture_destroy(f);
}

/* Half of the old rows and half of the new ones are no state of the partition. */
static void a_read_that_spans_an_install_is_not_answered_from_it(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk, 1);
	f->net->nodes[1].is_disk_held = true;
	assert_int_equal(start(leader, &read, false), ST_WOULD_BLOCK);
	leader->group->install_count++;
	f->net->nodes[1].is_disk_held = false;
	partition_fixture_run_ms(f, 1);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.base.status, ST_UNAVAILABLE);
	partition_read_close(&read.base);
	partition_fixture_destroy(f);
}

static void an_open_strong_read_is_refused_when_the_leadership_goes(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	assert_int_equal(start(leader, &read, true), ST_WOULD_BLOCK);
	partition_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_int_equal(read.done_count, 1);
	assert_int_equal(read.base.status, ST_NOT_LEADER);
	partition_read_close(&read.base);
	partition_fixture_destroy(f);
}

static void a_closed_read_is_not_answered_any_more(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_read read;

	(void)state;
	assert_int_equal(start(leader, &read, true), ST_WOULD_BLOCK);
	partition_read_close(&read.base);
	partition_fixture_run_ms(f, 20);
	assert_int_equal(read.done_count, 0);
	partition_fixture_destroy(f);
}

static void a_key_outside_the_range_has_moved(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct partition_read read = { 0 };
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];

	(void)state;
	read.row_key = partition_fixture_key(key, "a");
	key[3]++;
	assert_int_equal(partition_read_start(leader, &read), ST_MOVED);
	partition_read_close(&read);
	partition_fixture_destroy(f);
}

static void a_value_that_does_not_decode_is_corrupt(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct engine *engine = f->net->nodes[1].engine;
	struct engine_batch *batch = engine_batch_create(engine);
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	bool matches;

	(void)state;
	engine_batch_put(engine, batch, FAMILY_ITEMS, partition_fixture_key(key, "a"), slice_of("\x01", 1));
	assert_int_equal(engine_write(engine, batch), ST_OK);
	engine_batch_destroy(engine, batch);
	assert_int_equal(partition_fixture_get(f, leader, "a", false, "", &matches), ST_CORRUPT);
	partition_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strong_read_sees_the_write_before_it),
		cmocka_unit_test(a_read_does_not_see_what_is_pending),
		cmocka_unit_test(a_follower_serves_eventual_reads_only),
		cmocka_unit_test(a_replica_that_heard_no_leader_for_long_hands_the_read_on),
		cmocka_unit_test(a_row_that_is_not_in_memory_is_read_off_the_loop),
		cmocka_unit_test(a_row_is_read_on_the_loop_while_that_is_quick),
		cmocka_unit_test(a_partition_that_closes_meanwhile_answers_unavailable),
		cmocka_unit_test(a_read_that_spans_an_install_is_not_answered_from_it),
		cmocka_unit_test(an_open_strong_read_is_refused_when_the_leadership_goes),
		cmocka_unit_test(a_closed_read_is_not_answered_any_more),
		cmocka_unit_test(a_key_outside_the_range_has_moved),
		cmocka_unit_test(a_value_that_does_not_decode_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
