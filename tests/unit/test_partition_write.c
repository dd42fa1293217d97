#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/model/item.h"
#include "replication/group/group_internal.h"
#include "replication/group/group_state.h"
#include "tests/support/partition_fixture.h"

static bool old_is(const struct watched_write *write, const char *text)
{
	return partition_fixture_item_is(buf_slice(&write->old_item), text);
}

static bool stored_is(struct partition_fixture *f, uint64_t node_id, const char *name, const char *text)
{
	bool matches;

	(void)partition_fixture_get(f, f->partition[node_id], name, false, text, &matches);
	return matches;
}

static void a_put_is_answered_when_it_is_applied(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;

	(void)state;
	watched_write_init(&write, "a", "one", 1);
	assert_int_equal(watched_write_start(&write, leader), ST_WOULD_BLOCK);
	partition_fixture_run_ms(f, 0);
	assert_int_equal(write.done_count, 0); /* proposed, not yet committed */
	partition_fixture_run_ms(f, 5);
	assert_int_equal(write.done_count, 1);
	assert_int_equal(write.status, ST_OK);
	assert_false(write.base.existed);
	assert_int_equal(write.base.old_size_bytes, 0);
	assert_int_equal(write.base.new_size_bytes, item_size_bytes(buf_slice(&write.item)));
	assert_true(stored_is(f, 1, "a", "one"));
	partition_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_true(stored_is(f, 2, "a", "one"));
	assert_true(stored_is(f, 3, "a", "one"));
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

static void a_put_over_an_item_gives_the_old_one(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	watched_write_init(&write, "a", "two and more", 2);
	assert_int_equal(watched_write_run(f, &write, leader), ST_OK);
	assert_true(write.base.existed);
	assert_true(old_is(&write, "one"));
	assert_int_equal(write.base.old_size_bytes, 4); /* "v" and "one" */
	assert_int_equal(write.base.new_size_bytes, 13);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

static void a_delete_removes_and_one_of_nothing_is_fine(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	watched_write_init(&write, "a", NULL, 2);
	assert_int_equal(watched_write_run(f, &write, leader), ST_OK);
	assert_true(write.base.existed);
	assert_true(old_is(&write, "one"));
	watched_write_close(&write);
	assert_int_equal(partition_fixture_get(f, leader, "a", true, "one", &matches), ST_NOT_FOUND);
	watched_write_init(&write, "a", NULL, 3);
	assert_int_equal(watched_write_run(f, &write, leader), ST_OK);
	assert_false(write.base.existed);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

static void writes_of_one_turn_form_one_log_entry(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write writes[10];
	uint64_t before = raft_engine_last_index(leader->group->engine);
	char name[16];

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "key %u", i);
		watched_write_init(&writes[i], name, "x", 100 + i);
		assert_int_equal(watched_write_start(&writes[i], leader), ST_WOULD_BLOCK);
	}
	partition_fixture_run_ms(f, 10);
	assert_int_equal(raft_engine_last_index(leader->group->engine), before + 1);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(writes[i].status, ST_OK);
		watched_write_close(&writes[i]);
	}
	partition_fixture_destroy(f);
}

/* Put, put, delete, put on one key in one turn, and once more before any of it is applied. */
static void a_write_sees_the_pending_write_before_it(void **state)
{
	static const char *const texts[] = { "one", "two", NULL, "three", "four" };
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write writes[ARRAY_COUNT(texts)];

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	for (uint32_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (i == 4)
			partition_fixture_run_ms(f, 1); /* a command of its own */
		watched_write_init(&writes[i], "a", texts[i], 1 + i);
		assert_int_equal(watched_write_start(&writes[i], leader), ST_WOULD_BLOCK);
	}
	partition_fixture_run_ms(f, 1);
	group_fixture_isolate(f->net, 1, false);
	partition_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	for (uint32_t i = 0; i < ARRAY_COUNT(texts); i++)
		assert_int_equal(writes[i].status, ST_OK);
	assert_false(writes[0].base.existed);
	assert_true(old_is(&writes[1], "one"));
	assert_true(old_is(&writes[2], "two"));
	assert_false(writes[3].base.existed);
	assert_true(old_is(&writes[4], "three"));
	assert_true(stored_is(f, 1, "a", "four"));
	assert_int_equal(leader->overlay.count, 0);
	assert_int_equal(leader->pending_count, 0);
	for (uint32_t i = 0; i < ARRAY_COUNT(texts); i++)
		watched_write_close(&writes[i]);
	partition_fixture_destroy(f);
}

static void a_turn_beyond_an_entrys_bound_goes_into_the_next(void **state)
{
	enum { COUNT = PARTITION_COMMAND_WRITES_MAX + 10 };
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write *writes = test_calloc(COUNT, sizeof(*writes));
	uint64_t before = raft_engine_last_index(leader->group->engine);
	char name[16];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof(name), "key %u", i);
		watched_write_init(&writes[i], name, "x", 100 + i);
		assert_int_equal(watched_write_start(&writes[i], leader), ST_WOULD_BLOCK);
	}
	partition_fixture_run_ms(f, 5);
	assert_int_equal(raft_engine_last_index(leader->group->engine), before + 2);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_int_equal(writes[i].status, ST_OK);
		watched_write_close(&writes[i]);
	}
	test_free(writes);
	partition_fixture_destroy(f);
}

/* The group refuses a turn that became full while a write was being started: that write's
 * done() must not run inside its own start, and all are answered. */
static void a_refused_turn_answers_each_of_its_writes_once(void **state)
{
	enum { COUNT = 2 * PARTITION_COMMAND_WRITES_MAX };
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write *writes = test_calloc(COUNT, sizeof(*writes));
	uint32_t refused_count = 0;
	char name[16];

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	leader->group->proposed_bytes = GROUP_PROPOSED_BYTES_MAX; /* as if that much were in flight */
	for (uint32_t i = 0; i < COUNT; i++) {
		(void)snprintf(name, sizeof(name), "key %u", i);
		watched_write_init(&writes[i], name, "x", 100 + i);
		(void)watched_write_start(&writes[i], leader); /* checks that done() waits */
	}
	partition_fixture_run_ms(f, 2);
	for (uint32_t i = 0; i < COUNT; i++) {
		refused_count += writes[i].status == ST_OVERLOADED;
		assert_int_not_equal(writes[i].status, ST_WOULD_BLOCK);
		watched_write_close(&writes[i]);
	}
	assert_int_equal(refused_count, COUNT);
	assert_int_equal(leader->pending_count, 0);
	assert_int_equal(leader->overlay.count, 0);
	test_free(writes);
	partition_fixture_destroy(f);
}

/* A refused write replaced a pending image in the overlay: nothing may build on the gap. */
static void after_a_refused_turn_nothing_is_evaluated_on_a_gap(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write first;
	struct watched_write refused;
	struct watched_write next;

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	watched_write_init(&first, "a", "first", 1);
	watched_write_init(&refused, "a", "refused", 2);
	watched_write_init(&next, "a", "next", 3);
	assert_int_equal(watched_write_start(&first, leader), ST_WOULD_BLOCK);
	partition_fixture_run_ms(f, 1);
	leader->group->proposed_bytes += GROUP_PROPOSED_BYTES_MAX;
	assert_int_equal(watched_write_start(&refused, leader), ST_WOULD_BLOCK);
	partition_fixture_run_ms(f, 1);
	assert_int_equal(refused.status, ST_OVERLOADED);
	leader->group->proposed_bytes -= GROUP_PROPOSED_BYTES_MAX;
	assert_int_equal(watched_write_start(&next, leader), ST_BUSY);
	group_fixture_isolate(f->net, 1, false);
	partition_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(first.status, ST_OK);
	assert_int_equal(watched_write_run(f, &next, leader), ST_OK);
	assert_true(old_is(&next, "first"));
	watched_write_close(&first);
	watched_write_close(&refused);
	watched_write_close(&next);
	partition_fixture_destroy(f);
}

/* --- retries --- */

static void retry_with_the_same_request_id_takes_effect_once(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write retry;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "zero", 1), ST_OK);
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 2), ST_OK);
	assert_int_equal(partition_fixture_put(f, leader, "a", "two", 3), ST_OK);
	watched_write_init(&retry, "a", "one", 2);
	retry.base.age_ms = 20;
	assert_int_equal(watched_write_start(&retry, leader), ST_OK);
	assert_true(retry.base.existed);
	assert_true(old_is(&retry, "zero")); /* what the first attempt found */
	assert_true(stored_is(f, 1, "a", "two"));
	watched_write_close(&retry);
	partition_fixture_destroy(f);
}

static void a_retry_is_recognised_after_a_restart_and_on_another_leader(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write retry;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	assert_int_equal(partition_fixture_put(f, leader, "a", NULL, 2), ST_OK);
	for (uint32_t i = 1; i <= 3; i++)
		partition_fixture_crash(f, i, 0);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(partition_fixture_restart(f, i), ST_OK);
	leader = partition_fixture_elect(f, 2);
	watched_write_init(&retry, "a", NULL, 2);
	retry.base.age_ms = 500;
	assert_int_equal(watched_write_run(f, &retry, leader), ST_OK);
	assert_true(retry.base.existed);
	assert_true(old_is(&retry, "one"));
	watched_write_close(&retry);
	assert_int_equal(partition_fixture_put(f, leader, "b", "goes on", 3), ST_OK);
	partition_fixture_destroy(f);
}

/* The row of a write's outcome tells the position; the group's own record is that of the barrier. */
static void a_replica_restarts_behind_its_newest_write(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct group_state recorded;
	uint64_t before;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		assert_int_equal(partition_fixture_put(f, leader, "a", "one", i), ST_OK);
	before = group_applied_index(leader->group);
	assert_int_equal(group_state_load(f->net->nodes[1].engine, PARTITION_FIXTURE_ID, &recorded), ST_OK);
	assert_int_equal(recorded.applied.index, before - 5);
	assert_int_equal(engine_sync(f->net->nodes[1].engine), ST_OK);
	partition_fixture_crash(f, 1, 0);
	assert_int_equal(partition_fixture_restart(f, 1), ST_OK);
	assert_int_equal(group_applied_index(f->partition[1]->group), before);
	leader = partition_fixture_elect(f, 1);
	assert_int_equal(f->net->nodes[1].table.applied_count, 1); /* the new term's barrier */
	assert_int_equal(partition_fixture_put(f, leader, "b", "goes on", 6), ST_OK);
	partition_fixture_destroy(f);
}

static void a_retry_meets_its_first_attempt_on_the_way(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write first;
	struct watched_write retry;

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	watched_write_init(&first, "a", "one", 1);
	watched_write_init(&retry, "a", "one", 1);
	retry.base.age_ms = 1;
	assert_int_equal(watched_write_start(&first, leader), ST_WOULD_BLOCK);
	assert_int_equal(watched_write_start(&retry, leader), ST_BUSY); /* in the same turn */
	partition_fixture_run_ms(f, 1);
	assert_int_equal(watched_write_start(&retry, leader), ST_BUSY); /* proposed */
	group_fixture_isolate(f->net, 1, false);
	partition_fixture_run_ms(f, 3 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(watched_write_start(&retry, leader), ST_OK); /* remembered */
	assert_false(retry.base.existed);
	watched_write_close(&first);
	watched_write_close(&retry);
	partition_fixture_destroy(f);
}

static void a_retry_whose_outcome_was_dropped_is_refused(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write retry;
	struct watched_write new_one;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	partition_fixture_run_ms(f, OUTCOMES_FORGOTTEN_MS + 10);
	assert_int_equal(partition_fixture_put(f, leader, "b", "x", 2), ST_OK); /* drops the old */
	watched_write_init(&retry, "a", "one", 1);
	retry.base.age_ms = OUTCOMES_FORGOTTEN_MS + 15;
	assert_int_equal(watched_write_start(&retry, leader), ST_FORGOTTEN);
	watched_write_init(&new_one, "a", "one", 3);
	assert_int_equal(watched_write_run(f, &new_one, leader), ST_OK);
	watched_write_close(&retry);
	watched_write_close(&new_one);
	partition_fixture_destroy(f);
}

/* --- refusals --- */

static void losing_leadership_answers_unknown_outcome(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write proposed;

	(void)state;
	group_fixture_isolate(f->net, 1, true);
	watched_write_init(&proposed, "a", "one", 1);
	assert_int_equal(watched_write_start(&proposed, leader), ST_WOULD_BLOCK);
	partition_fixture_run_ms(f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_int_equal(proposed.done_count, 1);
	assert_int_equal(proposed.status, ST_UNKNOWN_OUTCOME);
	assert_int_equal(leader->pending_count, 0);
	assert_int_equal(leader->overlay.count, 0);
	watched_write_close(&proposed);
	partition_fixture_destroy(f);
}

static void what_was_not_proposed_when_the_partition_closes_did_not_happen(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;

	(void)state;
	watched_write_init(&write, "a", "one", 1);
	assert_int_equal(watched_write_start(&write, leader), ST_WOULD_BLOCK);
	partition_close(leader);
	f->partition[1] = NULL;
	assert_int_equal(write.done_count, 1);
	assert_int_equal(write.status, ST_NOT_LEADER);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

static void a_follower_takes_no_writes(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);

	(void)state;
	partition_fixture_elect(f, 1);
	assert_int_equal(partition_fixture_put(f, f->partition[2], "a", "one", 1), ST_NOT_LEADER);
	partition_fixture_destroy(f);
}

static void a_key_outside_the_range_has_moved(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;

	(void)state;
	watched_write_init(&write, "a", "one", 1);
	write.key[3]++; /* another table */
	assert_int_equal(watched_write_start(&write, leader), ST_MOVED);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

static void a_full_disk_refuses_writes_and_serves_reads(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write retry;
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	f->net->nodes[1].table.is_disk_full = true;
	assert_int_equal(partition_fixture_put(f, leader, "a", "two", 2), ST_NO_SPACE);
	assert_int_equal(partition_fixture_get(f, leader, "a", true, "one", &matches), ST_OK);
	assert_true(matches);
	watched_write_init(&retry, "a", "one", 1); /* what is done already can still be told */
	assert_int_equal(watched_write_start(&retry, leader), ST_OK);
	watched_write_close(&retry);
	f->net->nodes[1].table.is_disk_full = false;
	assert_int_equal(partition_fixture_put(f, leader, "a", "two", 2), ST_OK);
	partition_fixture_destroy(f);
}

/* --- rows that are not in memory --- */

static void a_row_that_is_not_in_memory_is_read_first(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk,
				      1); /* never in memory: read on the loop at last */
	watched_write_init(&write, "a", "two", 2);
	assert_int_equal(watched_write_run(f, &write, leader), ST_OK);
	assert_true(old_is(&write, "one"));
	assert_true(write.base.read_count > 0);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

/* Two of one turn, the second of which finds what the first left. */
static void a_row_is_read_on_the_loop_while_that_is_quick(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write first;
	struct watched_write second;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk, 1);
	f->net->nodes[1].runtime.works_here = true;
	watched_write_init(&first, "a", "two", 2);
	watched_write_init(&second, "a", "three", 3);
	assert_int_equal(watched_write_start(&first, leader), ST_WOULD_BLOCK);
	assert_true(first.base.read_count > 0);
	assert_int_equal(f->net->nodes[1].runtime.job_count, 0); /* evaluated already */
	assert_int_equal(watched_write_start(&second, leader), ST_WOULD_BLOCK);
	partition_fixture_run_ms(f, 5);
	assert_int_equal(first.status, ST_OK);
	assert_int_equal(second.status, ST_OK);
	assert_true(old_is(&first, "one"));
	assert_true(old_is(&second, "two"));
	watched_write_close(&first);
	watched_write_close(&second);
	partition_fixture_destroy(f);
}

static void a_put_whose_old_row_nobody_wants_does_not_read_it(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_write write;
	bool matches;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	engine_memory_disk_miss_every(f->net->nodes[1].disk, 1);
	watched_write_init(&write, "a", "two", 2);
	write.base.returned = CLEAVE__WRITE_ITEM_REQUEST__RETURNED__NOTHING;
	assert_int_equal(watched_write_run(f, &write, leader), ST_OK);
	assert_int_equal(write.base.read_count, 0);
	assert_int_equal(write.base.old_size_bytes, 0);
	watched_write_close(&write);
	watched_write_init(&write, "a", "three", 3);
	write.base.returned = CLEAVE__WRITE_ITEM_REQUEST__RETURNED__NOTHING;
	write.base.needs_old = true;
	assert_int_equal(watched_write_run(f, &write, leader), ST_OK);
	assert_true(write.base.existed);
	assert_true(write.base.old_size_bytes > 0);
	watched_write_close(&write);
	assert_int_equal(partition_fixture_get(f, leader, "a", true, "three", &matches), ST_OK);
	assert_true(matches);
	partition_fixture_destroy(f);
}

static void a_retry_does_not_overtake_an_attempt_whose_row_is_being_read(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct group_fixture_node *node = &f->net->nodes[1];
	struct watched_write first;
	struct watched_write retry;

	(void)state;
	assert_int_equal(partition_fixture_put(f, leader, "a", "zero", 9), ST_OK);
	watched_write_init(&first, "a", "one", 1);
	watched_write_init(&retry, "a", "one", 1);
	retry.base.age_ms = 5;
	node->is_disk_held = true;
	engine_memory_disk_miss_every(node->disk, 1);
	assert_int_equal(watched_write_start(&first, leader), ST_WOULD_BLOCK); /* goes to the disk */
	engine_memory_disk_miss_every(node->disk, 0);
	assert_int_equal(watched_write_start(&retry, leader), ST_BUSY); /* would find the row in memory */
	node->is_disk_held = false;
	partition_fixture_run_ms(f, 5);
	assert_int_equal(first.status, ST_OK);
	assert_int_equal(watched_write_run(f, &retry, leader), ST_OK);
	assert_true(old_is(&first, "zero"));
	assert_true(old_is(&retry, "zero"));
	watched_write_close(&first);
	watched_write_close(&retry);
	partition_fixture_destroy(f);
}

static void a_write_whose_row_is_being_read_survives_the_loss_of_its_partition(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct group_fixture_node *node = &f->net->nodes[1];
	struct watched_write write;

	(void)state;
	engine_memory_disk_miss_every(node->disk, 1);
	node->is_disk_held = true;
	watched_write_init(&write, "a", "one", 1);
	assert_int_equal(watched_write_start(&write, leader), ST_WOULD_BLOCK);
	partition_close(leader);
	f->partition[1] = NULL;
	assert_int_equal(write.done_count, 0);
	node->is_disk_held = false;
	partition_fixture_run_ms(f, 1);
	assert_int_equal(write.done_count, 1);
	assert_int_equal(write.status, ST_NOT_LEADER);
	watched_write_close(&write);
	partition_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_is_answered_when_it_is_applied),
		cmocka_unit_test(a_put_over_an_item_gives_the_old_one),
		cmocka_unit_test(a_delete_removes_and_one_of_nothing_is_fine),
		cmocka_unit_test(writes_of_one_turn_form_one_log_entry),
		cmocka_unit_test(a_write_sees_the_pending_write_before_it),
		cmocka_unit_test(a_turn_beyond_an_entrys_bound_goes_into_the_next),
		cmocka_unit_test(a_refused_turn_answers_each_of_its_writes_once),
		cmocka_unit_test(after_a_refused_turn_nothing_is_evaluated_on_a_gap),
		cmocka_unit_test(retry_with_the_same_request_id_takes_effect_once),
		cmocka_unit_test(a_retry_is_recognised_after_a_restart_and_on_another_leader),
		cmocka_unit_test(a_replica_restarts_behind_its_newest_write),
		cmocka_unit_test(a_retry_meets_its_first_attempt_on_the_way),
		cmocka_unit_test(a_retry_whose_outcome_was_dropped_is_refused),
		cmocka_unit_test(losing_leadership_answers_unknown_outcome),
		cmocka_unit_test(what_was_not_proposed_when_the_partition_closes_did_not_happen),
		cmocka_unit_test(a_follower_takes_no_writes),
		cmocka_unit_test(a_key_outside_the_range_has_moved),
		cmocka_unit_test(a_full_disk_refuses_writes_and_serves_reads),
		cmocka_unit_test(a_row_that_is_not_in_memory_is_read_first),
		cmocka_unit_test(a_row_is_read_on_the_loop_while_that_is_quick),
		cmocka_unit_test(a_put_whose_old_row_nobody_wants_does_not_read_it),
		cmocka_unit_test(a_retry_does_not_overtake_an_attempt_whose_row_is_being_read),
		cmocka_unit_test(a_write_whose_row_is_being_read_survives_the_loss_of_its_partition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
