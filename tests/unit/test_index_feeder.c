#include "proto/base/log.h"
#include "tests/unit/feeder_fixture.h"

enum { RNG_SEED = 11, SECOND_INDEX = 4, SECOND_PARTITION = 4001 };

/* --- stories --- */

static void items_of_before_are_sent_then_changes(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, MANY);
	put(&x, "sparse", NULL, "text");
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), 0);
	tell_all(&x);
	assert_becomes_exact(&x);
	leader = leader_of(&x);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), MANY);
	assert_int_equal(index_feeder_item_count(leader, FEED_INDEX), MANY + 1);
	assert_true(index_feeder_is_caught_up(leader, FEED_INDEX));
	assert_false(index_feeder_is_caught_up(leader, SECOND_INDEX));
	assert_int_equal(x.caught_up_count, 1); /* told once */
	put(&x, "item-00", "value-5", "text");  /* moves */
	put(&x, "item-01", "value-1", "other text");
	put(&x, "item-02", NULL, "text");     /* leaves the index */
	put(&x, "sparse", "value-0", "text"); /* comes into it */
	delete_item(&x, "item-03");
	assert_becomes_exact(&x);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), MANY - 1);
	assert_int_equal(x.caught_up_count, 1);
	fixture_close(&x);
}

/* One command carries them all; of one item each sees what the write before it left. */
static void all_writes_of_a_turn_are_sent(void **state)
{
	enum { WRITES = 6 };
	static const char *const names[WRITES] = { "item-00", "item-01", "item-00",
						   "item-02", "item-01", "item-03" };
	struct feed_write writes[WRITES];
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	assert_becomes_exact(&x);
	for (size_t i = 0; i < WRITES; i++) {
		char a[16];

		(void)snprintf(a, sizeof(a), "value-%u", (unsigned)i);
		write_init(&x, &writes[i], names[i], a, slice_of(i == 4 ? NULL : "text", i == 4 ? 0 : 4));
		assert_int_equal(watched_write_start(&writes[i].base, leader_of(&x)), ST_WOULD_BLOCK);
	}
	RUN_UNTIL(&x, writes[WRITES - 1].base.done_count == 1);
	assert_becomes_exact(&x);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), 3);
	for (size_t i = 0; i < WRITES; i++)
		write_close(&writes[i]);
	fixture_close(&x);
}

/* Of the item before, the log holds what index keys and projections name. */
static void an_attribute_that_goes_leaves_the_index_too(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	put(&x, "item-00", "value-1", "text");
	assert_becomes_exact(&x);
	put(&x, "item-00", "value-1", "");
	assert_becomes_exact(&x);
	put(&x, "item-00", "value-1", "text");
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void an_empty_table_has_caught_up_at_once(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	RUN_UNTIL(&x, index_feeder_is_caught_up(leader_of(&x), FEED_INDEX));
	assert_int_equal(x.delivered_count, 0);
	fixture_close(&x);
}

static void progress_reaches_all_replicas_and_changes_go(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	put_many(&x, MANY);
	assert_becomes_exact(&x);
	leader = leader_of(&x);
	run_ms(&x, 3 * INDEX_FEEDER_PROGRESS_MS);
	for (size_t i = 1; i <= NODES; i++) {
		const struct partition_feed *feed = partition_indexes_feed(&x.f->partition[i]->indexes,
									   FEED_INDEX);

		assert_int_equal(get_u64_be(feed->position.data + 1), leader->changed_sequence);
		assert_int_equal(change_count(x.f->partition[i]), 0);
	}
	/* Once all is told there is nothing more to propose. */
	{
		uint64_t applied_index = group_applied_index(leader->group);

		run_ms(&x, 5 * INDEX_FEEDER_PROGRESS_MS);
		assert_int_equal(group_applied_index(leader->group), applied_index);
	}
	fixture_close(&x);
}

static void an_index_out_of_reach_is_fed_when_it_is_back(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	leader = leader_of(&x);
	RUN_UNTIL(&x, is_fed(leader, FEED_INDEX));
	x.verdict = VERDICT_UNREACHABLE;
	put_many(&x, MANY); /* writes go on */
	run_ms(&x, 2 * INDEX_FEEDER_CALL_MS);
	assert_false(is_fed(leader, FEED_INDEX));
	assert_int_equal(change_count(leader), MANY);
	x.verdict = VERDICT_DELIVER;
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void an_index_that_does_not_answer_is_asked_again(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, MANY);
	tell_all(&x);
	x.verdict = VERDICT_HOLD;
	run_ms(&x, 2 * INDEX_FEEDER_CALL_MS);
	assert_true(parcels_under_way(&x) > 2);
	x.verdict = VERDICT_DELIVER; /* all of them arrive, late */
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void lost_answers_change_nothing_twice(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	tell_all(&x);
	x.verdict = VERDICT_LOSE_REPLY;
	run_ms(&x, 500);
	put(&x, "item-00", "value-3", "text");
	put(&x, "item-00", "value-4", "text");
	run_ms(&x, 500);
	assert_false(is_fed(leader_of(&x), FEED_INDEX));
	x.verdict = VERDICT_DELIVER;
	assert_becomes_exact(&x);
	fixture_close(&x);
}

/* --- changes of the leader --- */

static void a_new_leader_goes_on_in_the_middle_of_a_page(void **state)
{
	struct partition *old;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, MANY);
	tell_all(&x);
	assert_becomes_exact(&x);
	x.verdict = VERDICT_HOLD;
	put(&x, "item-00", "value-3", "one");
	put(&x, "item-01", NULL, "two");
	old = leader_of(&x);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	(void)lead_elsewhere(&x);
	RUN_UNTIL(&x, !group_is_ready(old->group));
	assert_null(old->feeder);
	x.verdict = VERDICT_DELIVER;
	put(&x, "item-00", "value-2", "three");
	put(&x, "item-02", "value-1", "four");
	assert_becomes_exact(&x);
	group_fixture_isolate(x.f->net, 1, false);
	put(&x, "item-03", "value-0", "five");
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void a_new_leader_goes_on_in_the_middle_of_the_backfill(void **state)
{
	struct partition *old;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, MANY);
	x.verdict = VERDICT_HOLD;
	tell_all(&x);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	old = leader_of(&x);
	(void)lead_elsewhere(&x);
	RUN_UNTIL(&x, !group_is_ready(old->group));
	put(&x, "item-00", "value-3", "changed"); /* before the new leader's backfill comes there */
	delete_item(&x, "item-59");
	x.verdict = VERDICT_DELIVER; /* the old leader's rows come too */
	assert_becomes_exact(&x);
	fixture_close(&x);
}

/* What an old leader sent arrives when a new one is far beyond. */
static void rows_that_come_late_change_nothing(void **state)
{
	struct parcel *late;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	x.verdict = VERDICT_HOLD;
	tell_all(&x);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	late = CONTAINER_OF(queue_pop_head(&x.nets[1].parcels), struct parcel, link);
	late->call->status = ST_CLOSED;
	answer_call(late, ST_CLOSED);
	x.verdict = VERDICT_DELIVER;
	assert_becomes_exact(&x);
	for (size_t i = 0; i < KEYS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "item-%02u", (unsigned)i);
		delete_item(&x, name);
	}
	assert_becomes_exact(&x);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), 0);
	deliver(&x.nets[1], late);
	RUN_UNTIL(&x, late->is_answered);
	assert_int_equal(late->status, ST_OK);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), 0);
	free(late);
	fixture_close(&x);
}

/* Lost and won again while messages of before are still under way: a second feeder beside the first. */
static void leadership_that_comes_back_at_once_begins_anew(void **state)
{
	struct partition_feeder *first;
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	assert_becomes_exact(&x);
	leader = leader_of(&x);
	for (size_t round = 0; round < 5; round++) {
		char value[16];

		x.verdict = VERDICT_HOLD;
		(void)snprintf(value, sizeof(value), "value-%u", (unsigned)round);
		put(&x, "item-00", value, "text");
		RUN_UNTIL(&x, parcels_under_way(&x) > 0);
		first = leader->feeder;
		leader->fsm.ops->leader_lost(&leader->fsm);
		assert_null(leader->feeder);
		leader->fsm.ops->leader_ready(&leader->fsm);
		assert_non_null(leader->feeder);
		assert_true(leader->feeder != first);
		x.verdict = VERDICT_DELIVER;
		assert_becomes_exact(&x);
	}
	fixture_close(&x);
}

/* --- ends --- */

static void a_partition_closes_with_messages_under_way(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	x.verdict = VERDICT_HOLD;
	tell_all(&x);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	close_sources(&x);
	assert_false(feeders_are_idle(&x)); /* they wait for what is under way, and give it up */
	run_ms(&x, 5);
	assert_true(feeders_are_idle(&x));
	fixture_close(&x);
}

static void a_partition_closes_while_a_page_is_read(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	x.verdict = VERDICT_UNREACHABLE;
	tell_all(&x);
	leader = leader_of(&x);
	RUN_UNTIL(&x, leader->feeder != NULL && feed_of(leader, FEED_INDEX)->phase == INDEX_FEED_PAUSE);
	x.f->net->nodes[1].is_disk_held = true;
	RUN_UNTIL(&x, feed_of(leader, FEED_INDEX)->phase == INDEX_FEED_READ);
	close_sources(&x);
	assert_false(feeders_are_idle(&x));
	x.f->net->nodes[1].is_disk_held = false;
	fixture_close(&x);
}

static void a_partition_closes_while_its_feed_pauses(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, 1);
	x.verdict = VERDICT_UNREACHABLE;
	tell_all(&x);
	leader = leader_of(&x);
	RUN_UNTIL(&x, leader->feeder != NULL && feed_of(leader, FEED_INDEX)->phase == INDEX_FEED_PAUSE);
	close_sources(&x);
	assert_true(feeders_are_idle(&x));
	run_ms(&x, 2 * INDEX_FEEDER_PAUSE_MS); /* no timer is left */
	fixture_close(&x);
}

static void a_partition_closes_in_every_millisecond_of_its_feeding(void **state)
{
	(void)state;
	for (uint64_t at_ms = 0; at_ms < 12; at_ms++) {
		struct fixture x;

		fixture_open(&x);
		put_many(&x, 3);
		tell_all(&x);
		run_ms(&x, at_ms);
		fixture_close(&x);
	}
}

/* --- the catalog changes --- */

/* The catalog of all nodes says that the table has so many indexes: the first is FEED_INDEX, of the others
 * the derived tables are SECOND_INDEX and those behind it. */
static void change_table(struct fixture *x, uint64_t version, uint32_t index_count)
{
	struct table_indexes *set = calloc(1, sizeof(*set) + (index_count + 1) * sizeof(set->list[0]));

	assert_non_null(set);
	set->count = index_count;
	for (uint32_t i = 0; i < index_count; i++) {
		index_fixture_index(&set->list[i], 0, "S:a", i == 0 ? NULL : "S:text", INDEX_PROJECTS_ALL);
		set->list[i].table_id = i == 0 ? FEED_INDEX : SECOND_INDEX + i - 1;
		(void)snprintf(set->list[i].name, sizeof(set->list[i].name), "index-%u", (unsigned)i);
	}
	for (size_t n = 1; n <= NODES; n++) {
		struct catalog_state *view = &x->views[n].state;
		struct table_info base = *catalog_state_table(view, FEED_BASE);

		for (uint32_t i = 1; i < index_count; i++) {
			struct table_info derived = { .table_id = set->list[i].table_id,
						      .base_table_id = FEED_BASE,
						      .token_seed = 5,
						      .version = version,
						      .schema = set->list[i].schema,
						      .state = TABLE_ACTIVE };

			(void)snprintf(derived.name, sizeof(derived.name), "index/%u",
				       (unsigned)derived.table_id);
			assert_int_equal(catalog_state_put_table(view, &derived), ST_OK);
		}
		base.version = version;
		base.indexes = index_count == 0 ? NULL : set;
		assert_int_equal(catalog_state_put_table(view, &base), ST_OK);
		view->version = version;
	}
	free(set);
	tell_all(x);
}

static void an_index_is_deleted_while_rows_are_under_way(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	x.verdict = VERDICT_HOLD;
	tell_all(&x);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	leader = leader_of(&x);
	change_table(&x, 6, 0);
	RUN_UNTIL(&x, leader->indexes.feed_count == 0);
	run_ms(&x, 5);
	assert_true(queue_is_empty(&leader->feeder->feeds)); /* the call was given up, the feed is gone */
	assert_false(index_feeder_is_caught_up(leader, FEED_INDEX));
	put(&x, "item-00", "value-1", "text"); /* nobody waits for an index, nothing is logged */
	assert_int_equal(change_count(leader), 0);
	fixture_close(&x);
}

/* The one partition of a derived table behind the first. */
static void put_partition_of(struct fixture *x, uint32_t table_id)
{
	uint8_t start[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0 };
	uint8_t end[LIMIT_ROW_KEY_HEAD_SIZE_BYTES] = { 0 };
	uint64_t partition_id = SECOND_PARTITION + table_id;

	put_u32_be(start, table_id);
	put_u32_be(end, table_id + 1);
	for (size_t i = 1; i <= NODES; i++)
		feed_fixture_put_partition(&x->views[i].state, table_id, partition_id,
					   slice_of(start, sizeof(start)), slice_of(end, sizeof(end)), NODES);
	create_index_partition(x, table_id, partition_id, slice_of(start, sizeof(start)),
			       slice_of(end, sizeof(end)));
}

/* Its partitions come later than itself: until then its rows cannot be sent. */
static void a_second_index_is_fed_beside_the_first(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, MANY);
	x.verdict = VERDICT_HOLD;
	tell_all(&x);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0); /* a page of the first */
	leader = leader_of(&x);
	change_table(&x, 6, 2);
	RUN_UNTIL(&x, leader->indexes.feed_count == 2);
	x.verdict = VERDICT_DELIVER;
	put(&x, "item-00", "value-4", "changed");
	RUN_UNTIL(&x, is_fed(leader, FEED_INDEX));
	run_ms(&x, 2 * INDEX_FEEDER_PROGRESS_MS);
	assert_false(index_feeder_is_caught_up(leader, SECOND_INDEX));
	assert_int_equal(change_count(leader), 1); /* for the second */
	put_partition_of(&x, SECOND_INDEX);
	RUN_UNTIL(&x, is_fed(leader, SECOND_INDEX));
	assert_true(is_exact(&x, leader, FEED_INDEX));
	assert_true(is_exact(&x, leader, SECOND_INDEX));
	RUN_UNTIL(&x, change_count(leader) == 0);
	change_table(&x, 7, 1); /* and it goes again */
	RUN_UNTIL(&x, leader->indexes.feed_count == 1);
	put(&x, "item-00", "value-1", "changed");
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void twenty_indexes_are_fed_together(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	change_table(&x, 6, LIMIT_GLOBAL_INDEX_COUNT);
	for (uint32_t i = 1; i < LIMIT_GLOBAL_INDEX_COUNT; i++)
		put_partition_of(&x, SECOND_INDEX + i - 1);
	leader = leader_of(&x);
	RUN_UNTIL(&x, leader->indexes.feed_count == LIMIT_GLOBAL_INDEX_COUNT);
	put(&x, "item-00", "value-1", "other");
	delete_item(&x, "item-01");
	for (uint32_t i = 0; i < LIMIT_GLOBAL_INDEX_COUNT; i++) {
		uint32_t table_id = i == 0 ? FEED_INDEX : SECOND_INDEX + i - 1;

		RUN_UNTIL(&x, is_fed(leader, table_id));
		assert_true(is_exact(&x, leader, table_id));
	}
	RUN_UNTIL(&x, change_count(leader) == 0); /* the progress of all is in the log */
	fixture_close(&x);
}

/* --- writes that wait --- */

static void a_write_is_answered_when_its_rows_are_in_the_index(void **state)
{
	struct feed_write write;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	for (size_t i = 1; i <= NODES; i++)
		x.f->env[i].waits_for_indexes = true;
	tell_all(&x);
	assert_becomes_exact(&x);
	x.verdict = VERDICT_HOLD;
	write_init(&x, &write, "item-00", "value-0", slice_of_string("text"));
	assert_int_equal(watched_write_start(&write.base, leader_of(&x)), ST_WOULD_BLOCK);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	run_ms(&x, 100);
	assert_int_equal(write.base.done_count, 0);
	x.verdict = VERDICT_DELIVER;
	RUN_UNTIL(&x, write.base.done_count == 1);
	assert_int_equal(write.base.status, ST_OK);
	assert_true(is_exact(&x, leader_of(&x), FEED_INDEX)); /* at that very moment */
	write_close(&write);
	fixture_close(&x);
}

/* Its outcome is there, its rows are not. */
static void a_retry_waits_as_the_first_attempt_does(void **state)
{
	struct feed_write write;
	struct feed_write retry;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	for (size_t i = 1; i <= NODES; i++)
		x.f->env[i].waits_for_indexes = true;
	tell_all(&x);
	assert_becomes_exact(&x);
	x.verdict = VERDICT_HOLD;
	write_init(&x, &write, "item-00", "value-0", slice_of_string("text"));
	x.next_request--;
	write_init(&x, &retry, "item-00", "value-0", slice_of_string("text"));
	retry.base.base.age_ms = 100;
	assert_int_equal(watched_write_start(&write.base, leader_of(&x)), ST_WOULD_BLOCK);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	assert_int_equal(watched_write_start(&retry.base, leader_of(&x)), ST_BUSY);
	x.verdict = VERDICT_DELIVER;
	RUN_UNTIL(&x, write.base.done_count == 1);
	assert_int_equal(watched_write_start(&retry.base, leader_of(&x)), ST_OK);
	write_close(&write);
	write_close(&retry);
	fixture_close(&x);
}

static void a_write_does_not_wait_for_a_backfill(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	for (size_t i = 1; i <= NODES; i++)
		x.f->env[i].waits_for_indexes = true;
	x.verdict = VERDICT_HOLD;
	tell_all(&x);
	put(&x, "item-00", "value-3", "text");
	assert_int_equal(x.delivered_count, 0);
	x.verdict = VERDICT_DELIVER;
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void writes_that_wait_are_answered_when_the_leadership_goes(void **state)
{
	struct feed_write write;
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	for (size_t i = 1; i <= NODES; i++)
		x.f->env[i].waits_for_indexes = true;
	tell_all(&x);
	assert_becomes_exact(&x);
	leader = leader_of(&x);
	x.verdict = VERDICT_HOLD;
	write_init(&x, &write, "item-00", "value-0", slice_of_string("text"));
	assert_int_equal(watched_write_start(&write.base, leader), ST_WOULD_BLOCK);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	assert_int_equal(write.base.done_count, 0);
	leader->fsm.ops->leader_lost(&leader->fsm);
	assert_int_equal(write.base.done_count, 1);
	assert_int_equal(write.base.status, ST_OK); /* it is committed */
	leader->fsm.ops->leader_ready(&leader->fsm);
	write_close(&write);
	fixture_close(&x);
}

static void writes_that_wait_are_answered_when_the_index_goes(void **state)
{
	struct feed_write write;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	for (size_t i = 1; i <= NODES; i++)
		x.f->env[i].waits_for_indexes = true;
	tell_all(&x);
	assert_becomes_exact(&x);
	x.verdict = VERDICT_HOLD;
	write_init(&x, &write, "item-00", "value-0", slice_of_string("text"));
	assert_int_equal(watched_write_start(&write.base, leader_of(&x)), ST_WOULD_BLOCK);
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	change_table(&x, 6, 0);
	RUN_UNTIL(&x, write.base.done_count == 1);
	assert_int_equal(write.base.status, ST_OK);
	write_close(&write);
	fixture_close(&x);
}

/* Its memory is made anew from the rows that came. */
static void a_replica_that_took_a_snapshot_goes_on(void **state)
{
	struct partition *leader;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	tell_all(&x);
	assert_becomes_exact(&x);
	x.verdict = VERDICT_UNREACHABLE;
	put_many(&x, KEYS);
	delete_item(&x, "item-00");
	run_ms(&x, 50);
	for (size_t i = 2; i <= NODES; i++) {
		struct partition *partition = x.f->partition[i];

		assert_int_equal(partition->fsm.ops->restored(&partition->fsm), ST_OK);
		assert_int_equal(partition->indexes.feed_count, 1);
	}
	leader = lead_elsewhere(&x);
	x.verdict = VERDICT_DELIVER;
	RUN_UNTIL(&x, is_fed(leader, FEED_INDEX));
	assert_true(is_exact(&x, leader, FEED_INDEX));
	RUN_UNTIL(&x, change_count(leader) == 0);
	fixture_close(&x);
}

/* --- anything in any order --- */

static void random_write(struct fixture *x, struct rng *rng)
{
	char name[16];
	char a[16];
	char text[16];

	(void)snprintf(name, sizeof(name), "item-%02u", (unsigned)rng_below(rng, KEYS));
	(void)snprintf(a, sizeof(a), "value-%u", (unsigned)rng_below(rng, VALUES));
	(void)snprintf(text, sizeof(text), "text-%u", (unsigned)rng_below(rng, 3));
	if (rng_below(rng, 4) == 0)
		delete_item(x, name);
	else
		put(x, name, rng_below(rng, 5) == 0 ? NULL : a, text);
}

static void whatever_happens_the_index_becomes_exact(void **state)
{
	static const enum verdict verdicts[] = { VERDICT_DELIVER, VERDICT_DELIVER, VERDICT_HOLD,
						 VERDICT_UNREACHABLE, VERDICT_LOSE_REPLY };
	struct rng rng;

	(void)state;
	rng_seed(&rng, RNG_SEED);
	for (size_t round = 0; round < 6; round++) {
		struct fixture x;
		bool is_told = false;

		fixture_open(&x);
		x.fail_nth = round % 2 == 0 ? 0 : 3;
		for (size_t i = 0; i < 150; i++) {
			random_write(&x, &rng);
			run_ms(&x, rng_below(&rng, 3));
			if (rng_below(&rng, 10) == 0)
				x.verdict = verdicts[rng_below(&rng, ARRAY_COUNT(verdicts))];
			if (i == 20) {
				tell_all(&x);
				is_told = true;
			}
			if (is_told && rng_below(&rng, 20) == 0) {
				struct partition *leader = leader_of(&x);

				leader->fsm.ops->leader_lost(&leader->fsm);
				leader->fsm.ops->leader_ready(&leader->fsm);
			}
		}
		x.verdict = VERDICT_DELIVER;
		x.fail_nth = 0;
		assert_becomes_exact(&x);
		fixture_close(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_of_before_are_sent_then_changes),
		cmocka_unit_test(all_writes_of_a_turn_are_sent),
		cmocka_unit_test(an_attribute_that_goes_leaves_the_index_too),
		cmocka_unit_test(an_empty_table_has_caught_up_at_once),
		cmocka_unit_test(progress_reaches_all_replicas_and_changes_go),
		cmocka_unit_test(an_index_out_of_reach_is_fed_when_it_is_back),
		cmocka_unit_test(an_index_that_does_not_answer_is_asked_again),
		cmocka_unit_test(lost_answers_change_nothing_twice),
		cmocka_unit_test(a_new_leader_goes_on_in_the_middle_of_a_page),
		cmocka_unit_test(a_new_leader_goes_on_in_the_middle_of_the_backfill),
		cmocka_unit_test(rows_that_come_late_change_nothing),
		cmocka_unit_test(leadership_that_comes_back_at_once_begins_anew),
		cmocka_unit_test(a_partition_closes_with_messages_under_way),
		cmocka_unit_test(a_partition_closes_while_a_page_is_read),
		cmocka_unit_test(a_partition_closes_while_its_feed_pauses),
		cmocka_unit_test(a_partition_closes_in_every_millisecond_of_its_feeding),
		cmocka_unit_test(an_index_is_deleted_while_rows_are_under_way),
		cmocka_unit_test(a_second_index_is_fed_beside_the_first),
		cmocka_unit_test(twenty_indexes_are_fed_together),
		cmocka_unit_test(a_write_is_answered_when_its_rows_are_in_the_index),
		cmocka_unit_test(a_retry_waits_as_the_first_attempt_does),
		cmocka_unit_test(a_write_does_not_wait_for_a_backfill),
		cmocka_unit_test(writes_that_wait_are_answered_when_the_leadership_goes),
		cmocka_unit_test(writes_that_wait_are_answered_when_the_index_goes),
		cmocka_unit_test(a_replica_that_took_a_snapshot_goes_on),
		cmocka_unit_test(whatever_happens_the_index_becomes_exact),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
