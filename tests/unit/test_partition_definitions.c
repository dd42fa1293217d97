#include "node/partition/partition_definitions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/log.h"
#include "tests/support/partition_fixture.h"
#include "tests/unit/feed_fixture.h"

enum { VOTERS = 3, SETTLE_MS = 300, ARENA_SIZE_MAX = 1024 * 1024 };

struct fixture {
	struct partition_fixture *f;
	struct catalog_view views[VOTERS + 1];
	struct arena arena;
	uint64_t next_request;
};

static void fixture_open(struct fixture *x, uint32_t voter_count)
{
	*x = (struct fixture){ .f = partition_fixture_create(voter_count), .next_request = 1 };
	arena_init(&x->arena, ARENA_SIZE_MAX);
	for (uint32_t i = 1; i <= voter_count; i++) {
		catalog_state_init(&x->views[i].state);
		x->f->env[i].view = &x->views[i];
	}
}

static void fixture_close(struct fixture *x)
{
	partition_fixture_destroy(x->f);
	for (uint32_t i = 1; i <= VOTERS; i++)
		catalog_state_close(&x->views[i].state);
	arena_close(&x->arena);
}

/* As a node does when its copy of the catalog has changed. */
static void tell(struct fixture *x, uint64_t node_id, const struct table_info *table)
{
	assert_int_equal(catalog_state_put_table(&x->views[node_id].state, table), ST_OK);
	x->views[node_id].state.version = table->version;
	partition_definitions_follow(x->f->partition[node_id]);
}

/* The node's copy of the catalog says that the table has global indexes with these derived tables. */
static void view_says(struct fixture *x, uint64_t node_id, uint64_t version, const uint32_t *ids,
		      uint32_t count)
{
	struct table_indexes *set = arena_alloc_zeroed(&x->arena,
						       sizeof(*set) + count * sizeof(set->list[0]));
	struct table_info table = { .name = "base",
				    .table_id = PARTITION_FIXTURE_TABLE,
				    .state = TABLE_ACTIVE,
				    .version = version,
				    .indexes = count == 0 ? NULL : set };

	assert_non_null(set);
	index_fixture_schema(&table.schema, "S:pk", NULL);
	set->count = count;
	for (uint32_t i = 0; i < count; i++) {
		index_fixture_index(&set->list[i], 0, "S:a", NULL, INDEX_PROJECTS_ALL);
		set->list[i].table_id = ids[i];
		(void)snprintf(set->list[i].name, sizeof(set->list[i].name), "index-%u", (unsigned)ids[i]);
	}
	tell(x, node_id, &table);
}

static struct table_info view_table(const struct fixture *x, uint64_t node_id)
{
	return *catalog_state_table(&x->views[node_id].state, PARTITION_FIXTURE_TABLE);
}

static void settle(struct fixture *x)
{
	partition_fixture_run_ms(x->f, SETTLE_MS);
}

/* Cut node 1 off and wait until another one leads; returns its id. */
static uint64_t lead_elsewhere(struct fixture *x)
{
	group_fixture_isolate(x->f->net, 1, true);
	for (uint32_t ms = 0; ms < 100 * GROUP_FIXTURE_ELECTION_MS; ms++) {
		for (uint64_t i = 2; i <= VOTERS; i++) {
			if (group_is_ready(x->f->partition[i]->group))
				return i;
		}
		partition_fixture_run_ms(x->f, 1);
	}
	fail_msg("nobody else leads");
	return 0;
}

static enum status put(struct fixture *x, struct partition *leader)
{
	return partition_fixture_put(x->f, leader, "the-key-a", "text", x->next_request++);
}

static const uint32_t ids[] = { 20, 21, 22 };

static void the_leader_takes_what_the_catalog_says_and_all_replicas_with_it(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x, VOTERS);
	view_says(&x, 1, 5, ids, 2);
	(void)partition_fixture_elect(x.f, 1);
	settle(&x);
	for (uint32_t i = 1; i <= VOTERS; i++) {
		assert_int_equal(x.f->partition[i]->indexes.table_version, 5);
		assert_non_null(partition_indexes_feed(&x.f->partition[i]->indexes, 21));
	}
	fixture_close(&x);
}

static void a_follower_proposes_nothing(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x, VOTERS);
	(void)partition_fixture_elect(x.f, 1);
	view_says(&x, 2, 5, ids, 1);
	settle(&x);
	assert_int_equal(x.f->partition[1]->indexes.table_version, 0);
	fixture_close(&x);
}

static void a_new_leader_with_an_older_copy_changes_nothing(void **state)
{
	struct partition *leader;
	struct fixture x;
	uint64_t node_id;

	(void)state;
	fixture_open(&x, VOTERS);
	view_says(&x, 1, 5, ids, 2);
	view_says(&x, 2, 4, ids, 1);
	view_says(&x, 3, 4, ids, 1);
	(void)partition_fixture_elect(x.f, 1);
	settle(&x);
	node_id = lead_elsewhere(&x);
	leader = x.f->partition[node_id];
	group_fixture_isolate(x.f->net, 1, false);
	settle(&x);
	assert_int_equal(leader->indexes.table_version, 5);
	assert_int_equal(leader->indexes.feed_count, 2);
	view_says(&x, node_id, 6, ids + 1, 1); /* it hears of the change, and of the next */
	settle(&x);
	assert_int_equal(x.f->partition[1]->indexes.table_version, 6);
	assert_int_equal(x.f->partition[1]->indexes.feed_count, 1);
	fixture_close(&x);
}

static void what_makes_no_other_rows_is_not_proposed(void **state)
{
	struct partition *leader;
	struct table_info table;
	struct table_indexes *set;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	view_says(&x, 1, 5, ids, 1);
	leader = partition_fixture_elect(x.f, 1);
	settle(&x);
	table = view_table(&x, 1);
	set = table_indexes_copy(table.indexes, arena_alloc(&x.arena, table_indexes_size(table.indexes)));
	set->list[0].read_units = 77;
	set->list[0].next_units = (struct table_next_units){ true, 78, 79 };
	set->list[0].state = INDEX_UPDATING;
	table.indexes = set;
	table.version = 6;
	tell(&x, 1, &table);
	assert_false(partition_definitions_block_writes(leader));
	assert_int_equal(leader->indexes.table_version, 5);
	fixture_close(&x);
}

static void an_index_being_deleted_is_fed_no_more(void **state)
{
	struct partition *leader;
	struct table_info table;
	struct table_indexes *set;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	view_says(&x, 1, 5, ids, 2);
	leader = partition_fixture_elect(x.f, 1);
	settle(&x);
	table = view_table(&x, 1);
	set = table_indexes_copy(table.indexes, arena_alloc(&x.arena, table_indexes_size(table.indexes)));
	set->list[0].state = INDEX_DELETING;
	table.indexes = set;
	table.version = 6;
	tell(&x, 1, &table);
	settle(&x);
	assert_null(partition_indexes_feed(&leader->indexes, 20));
	assert_non_null(partition_indexes_feed(&leader->indexes, 21));
	fixture_close(&x);
}

/* A write of the turn before goes under the definitions that it was evaluated under, one that comes
 * while they change waits. */
static void writes_wait_while_definitions_change(void **state)
{
	struct watched_write before;
	struct watched_write meanwhile;
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	leader = partition_fixture_elect(x.f, 1);
	watched_write_init(&before, "the-key-a", "one", 100);
	assert_int_equal(watched_write_start(&before, leader), ST_WOULD_BLOCK);
	view_says(&x, 1, 5, ids, 1);
	assert_true(partition_definitions_block_writes(leader));
	watched_write_init(&meanwhile, "the-key-b", "two", 101);
	assert_int_equal(watched_write_start(&meanwhile, leader), ST_BUSY);
	settle(&x);
	assert_int_equal(before.status, ST_OK);
	assert_int_equal(leader->changed_sequence, 0); /* it was there before: backfill finds it */
	assert_int_equal(watched_write_run(x.f, &meanwhile, leader), ST_OK);
	assert_true(leader->changed_sequence > leader->indexes.feeds[0].start_sequence);
	watched_write_close(&before);
	watched_write_close(&meanwhile);
	fixture_close(&x);
}

static void a_partition_born_with_indexes_takes_no_write_before_it_knows_them(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	x.f->partition[1]->indexes.awaits = true;
	leader = partition_fixture_elect(x.f, 1);
	settle(&x);
	assert_int_equal(put(&x, leader), ST_BUSY);
	view_says(&x, 1, 5, ids, 0); /* they were deleted since */
	settle(&x);
	assert_int_equal(put(&x, leader), ST_OK);
	assert_false(leader->indexes.awaits);
	fixture_close(&x);
}

/* Nothing else happens in the partition: no apply leads to another look. */
static void a_refused_proposal_is_tried_again(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	x.f->partition[1]->indexes.awaits = true;
	leader = partition_fixture_elect(x.f, 1);
	settle(&x);
	x.f->net->nodes[1].table.is_disk_full = true;
	view_says(&x, 1, 5, ids, 1);
	settle(&x);
	assert_int_equal(leader->indexes.table_version, 0);
	x.f->net->nodes[1].table.is_disk_full = false;
	settle(&x);
	assert_int_equal(leader->indexes.table_version, 5);
	assert_int_equal(put(&x, leader), ST_OK);
	fixture_close(&x);
}

static void a_change_that_comes_during_another_is_not_forgotten(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	leader = partition_fixture_elect(x.f, 1);
	view_says(&x, 1, 5, ids, 1);
	view_says(&x, 1, 6, ids, 2);
	view_says(&x, 1, 7, ids, 3);
	settle(&x);
	assert_int_equal(leader->indexes.table_version, 7);
	assert_int_equal(leader->indexes.feed_count, 3);
	fixture_close(&x);
}

/* The leader is cut off with a change that nobody else has. */
static void a_lost_change_is_made_by_the_next_leader(void **state)
{
	struct partition *old;
	struct partition *leader;
	struct fixture x;
	uint64_t node_id;

	(void)state;
	fixture_open(&x, VOTERS);
	old = partition_fixture_elect(x.f, 1);
	group_fixture_isolate(x.f->net, 1, true);
	view_says(&x, 1, 5, ids, 1);
	assert_true(old->is_defining);
	node_id = lead_elsewhere(&x);
	leader = x.f->partition[node_id];
	view_says(&x, node_id, 5, ids, 1);
	settle(&x);
	assert_int_equal(leader->indexes.table_version, 5);
	group_fixture_isolate(x.f->net, 1, false);
	settle(&x);
	settle(&x);
	assert_false(old->is_defining);
	assert_int_equal(old->indexes.table_version, 5);
	assert_int_equal(old->indexes.feeds[0].start_sequence, leader->indexes.feeds[0].start_sequence);
	fixture_close(&x);
}

static void a_restarted_replica_knows_its_definitions_without_the_catalog(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	view_says(&x, 1, 5, ids, 2);
	leader = partition_fixture_elect(x.f, 1);
	settle(&x);
	assert_int_equal(put(&x, leader), ST_OK);
	partition_fixture_crash(x.f, 1, UINT64_MAX);
	assert_int_equal(partition_fixture_restart(x.f, 1), ST_OK);
	leader = partition_fixture_elect(x.f, 1);
	assert_int_equal(leader->indexes.table_version, 5);
	assert_int_equal(leader->indexes.feed_count, 2);
	assert_int_equal(put(&x, leader), ST_OK);
	assert_true(leader->changed_sequence > 0);
	fixture_close(&x);
}

static void a_table_being_deleted_changes_no_more(void **state)
{
	struct partition *leader;
	struct table_info table;
	struct fixture x;

	(void)state;
	fixture_open(&x, 1);
	leader = partition_fixture_elect(x.f, 1);
	view_says(&x, 1, 5, ids, 1);
	settle(&x);
	table = view_table(&x, 1);
	table.state = TABLE_DELETING;
	table.version = 6;
	table.indexes = NULL;
	tell(&x, 1, &table);
	assert_false(leader->is_defining);
	assert_int_equal(leader->indexes.feed_count, 1);
	fixture_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_leader_takes_what_the_catalog_says_and_all_replicas_with_it),
		cmocka_unit_test(a_follower_proposes_nothing),
		cmocka_unit_test(a_new_leader_with_an_older_copy_changes_nothing),
		cmocka_unit_test(what_makes_no_other_rows_is_not_proposed),
		cmocka_unit_test(an_index_being_deleted_is_fed_no_more),
		cmocka_unit_test(writes_wait_while_definitions_change),
		cmocka_unit_test(a_partition_born_with_indexes_takes_no_write_before_it_knows_them),
		cmocka_unit_test(a_refused_proposal_is_tried_again),
		cmocka_unit_test(a_change_that_comes_during_another_is_not_forgotten),
		cmocka_unit_test(a_lost_change_is_made_by_the_next_leader),
		cmocka_unit_test(a_restarted_replica_knows_its_definitions_without_the_catalog),
		cmocka_unit_test(a_table_being_deleted_changes_no_more),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
