/* One message at a time to each partition of an index, and none waits for another partition's. */
#include "proto/base/log.h"
#include "tests/unit/feeder_fixture.h"

static const struct parcel *parcel_to(const struct fixture *x, uint64_t partition_id)
{
	for (size_t i = 1; i <= NODES; i++) {
		for (struct queue *link = x->nets[i].parcels.next; link != &x->nets[i].parcels;
		     link = link->next) {
			const struct parcel *parcel = CONTAINER_OF(link, struct parcel, link);

			if (parcel->partition_id == partition_id)
				return parcel;
		}
	}
	return NULL;
}

static size_t parcels_to(const struct fixture *x, uint64_t partition_id)
{
	size_t count = 0;

	for (size_t i = 1; i <= NODES; i++) {
		for (struct queue *link = x->nets[i].parcels.next; link != &x->nets[i].parcels;
		     link = link->next)
			count += CONTAINER_OF(link, struct parcel, link)->partition_id == partition_id;
	}
	return count;
}

/* Put an item with a value of its own; which partition of the index its entry belongs to. */
static uint64_t put_numbered(struct fixture *x, size_t number)
{
	const struct catalog_state *state = &x->views[INDEX_NODE].state;
	const struct table_info *base = catalog_state_table(state, FEED_BASE);
	struct index_owner owner = { FEED_BASE, catalog_state_table(state, FEED_INDEX)->token_seed,
				     &base->schema, &base->indexes->list[0] };
	uint64_t partition_id;
	char name[16];
	char a[16];
	struct buf item;
	struct buf key;

	(void)snprintf(name, sizeof(name), "item-%03u", (unsigned)number);
	(void)snprintf(a, sizeof(a), "value-%03u", (unsigned)number);
	put(x, name, a, "text");
	build_item(&item, name, a, slice_of_string("text"));
	buf_init(&key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	assert_int_equal(table_index_row_key(&key, &owner, buf_slice(&item)), ST_OK);
	partition_id = catalog_state_find_partition(state, buf_slice(&key))->partition_id;
	buf_close(&item);
	buf_close(&key);
	return partition_id;
}

static void a_slow_partition_of_the_index_holds_up_no_other(void **state)
{
	struct partition *leader;
	size_t others_count = 0;
	uint8_t position[9];
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	leader = leader_of(&x);
	RUN_UNTIL(&x, is_fed(leader, FEED_INDEX));
	x.held_partition_id = FEED_LOW;
	for (size_t i = 0; i < MANY; i++) {
		bool is_held = put_numbered(&x, i) == FEED_LOW;

		if (is_held && parcels_to(&x, FEED_LOW) == 0)
			RUN_UNTIL(&x, parcels_to(&x, FEED_LOW) == 1);
		if (parcels_to(&x, FEED_LOW) == 1 && others_count == 0)
			memcpy(position, feed_of(leader, FEED_INDEX)->position.data, sizeof(position));
		others_count += !is_held;
		RUN_UNTIL(&x, count_rows(index_engine(&x), FEED_INDEX) == others_count);
		assert_true(parcels_to(&x, FEED_LOW) <= 1);
	}
	assert_in_range(others_count, 1, MANY - 1);
	assert_false(is_fed(leader, FEED_INDEX)); /* what is held is not left behind */
	x.held_partition_id = 0;
	assert_becomes_exact(&x);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), MANY);
	fixture_close(&x);
}

/* Nobody may take the rows of before for sent. */
static void the_position_stays_before_what_is_under_way(void **state)
{
	struct partition *leader;
	struct index_feed *feed;
	size_t number = 0;
	uint64_t sequence;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	leader = leader_of(&x);
	RUN_UNTIL(&x, is_fed(leader, FEED_INDEX));
	x.held_partition_id = FEED_LOW;
	while (put_numbered(&x, number) != FEED_LOW)
		number++;
	RUN_UNTIL(&x, parcels_to(&x, FEED_LOW) == 1);
	feed = feed_of(leader, FEED_INDEX);
	sequence = leader->changed_sequence;
	for (size_t i = 0; i < 20; i++)
		(void)put_numbered(&x, ++number);
	run_ms(&x, 2 * INDEX_FEEDER_PROGRESS_MS);
	assert_true(get_u64_be(feed->position.data + 1) < sequence);
	assert_true(get_u64_be(feed->read_position.data + 1) == leader->changed_sequence);
	for (size_t i = 1; i <= NODES; i++) { /* and they are in every replica's log of changes */
		const struct partition_feed *known = partition_indexes_feed(&x.f->partition[i]->indexes,
									    FEED_INDEX);

		assert_true(get_u64_be(known->position.data + 1) < sequence);
		assert_true(change_count(x.f->partition[i]) >= 21);
	}
	x.held_partition_id = 0;
	assert_becomes_exact(&x);
	fixture_close(&x);
}

static void what_waits_goes_in_one_message(void **state)
{
	size_t waiting_count = 0;
	uint64_t message_count;
	struct fixture x;
	size_t number = 0;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	RUN_UNTIL(&x, is_fed(leader_of(&x), FEED_INDEX));
	x.held_partition_id = FEED_HIGH;
	while (put_numbered(&x, number) != FEED_HIGH)
		number++;
	RUN_UNTIL(&x, parcels_to(&x, FEED_HIGH) == 1);
	assert_int_equal(parcel_to(&x, FEED_HIGH)->row_count, 1);
	while (waiting_count < 20)
		waiting_count += put_numbered(&x, ++number) == FEED_HIGH;
	message_count = x.delivered_count;
	x.held_partition_id = 0;
	run_ms(&x, 1);
	x.held_partition_id = FEED_HIGH; /* the first was delivered */
	RUN_UNTIL(&x, parcels_to(&x, FEED_HIGH) == 1 && parcel_to(&x, FEED_HIGH)->row_count > 1);
	assert_int_equal(parcel_to(&x, FEED_HIGH)->row_count, waiting_count);
	x.held_partition_id = 0;
	assert_becomes_exact(&x);
	assert_int_equal(x.delivered_count, message_count + 2);
	fixture_close(&x);
}

/* Both partitions of the index, in messages of their own; one of them is lost. */
static void after_a_failure_all_is_sent_again_in_order(void **state)
{
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	RUN_UNTIL(&x, is_fed(leader_of(&x), FEED_INDEX));
	for (size_t round = 0; round < 10; round++) {
		x.held_partition_id = round % 2 == 0 ? FEED_LOW : FEED_HIGH;
		put(&x, "item-00", round % 2 == 0 ? "value-1" : "value-4", "one");
		put(&x, "item-01", "value-2", round % 2 == 0 ? "two" : "three");
		put(&x, "item-00", "value-3", "four");
		delete_item(&x, "item-01");
		if (round % 3 == 0)
			run_ms(&x, 2 * INDEX_FEEDER_CALL_MS);
		x.verdict = VERDICT_LOSE_REPLY;
		run_ms(&x, 30);
		x.verdict = VERDICT_DELIVER;
		x.held_partition_id = 0;
		assert_becomes_exact(&x);
	}
	fixture_close(&x);
}

/* No thread is asked for what was written a moment ago. */
static void changes_in_memory_are_read_on_the_loop(void **state)
{
	struct index_feed *feed;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	tell_all(&x);
	assert_becomes_exact(&x);
	feed = feed_of(leader_of(&x), FEED_INDEX);
	assert_non_null(feed->job.work); /* of the backfill */
	feed->job.work = NULL;
	for (size_t i = 0; i < MANY; i++)
		(void)put_numbered(&x, i);
	assert_becomes_exact(&x);
	assert_null(feed->job.work);
	fixture_close(&x);
}

static void what_is_not_in_memory_is_read_by_a_thread(void **state)
{
	struct index_feed *feed;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	RUN_UNTIL(&x, is_fed(leader_of(&x), FEED_INDEX));
	feed = feed_of(leader_of(&x), FEED_INDEX);
	feed->job.work = NULL;
	for (size_t i = 1; i <= NODES; i++)
		engine_memory_disk_miss_every(x.f->net->nodes[i].disk, 1);
	put(&x, "item-00", "value-1", "text");
	assert_becomes_exact(&x);
	assert_non_null(feed->job.work);
	fixture_close(&x);
}

static void a_feed_has_so_many_pages_under_way_and_no_more(void **state)
{
	struct partition *leader;
	struct index_feed *feed;
	size_t page_count_max = 0;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	tell_all(&x);
	leader = leader_of(&x);
	RUN_UNTIL(&x, is_fed(leader, FEED_INDEX));
	feed = feed_of(leader, FEED_INDEX);
	x.verdict = VERDICT_HOLD;
	for (size_t i = 0; i < 2 * INDEX_FEEDER_PAGES_MAX; i++) {
		(void)put_numbered(&x, i);
		if (feed->page_count > page_count_max)
			page_count_max = feed->page_count;
	}
	assert_int_equal(page_count_max, INDEX_FEEDER_PAGES_MAX);
	x.verdict = VERDICT_DELIVER;
	assert_becomes_exact(&x);
	assert_int_equal(feed->page_count, 0);
	assert_int_equal(feed->held_bytes, 0);
	fixture_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_partition_of_the_index_holds_up_no_other),
		cmocka_unit_test(the_position_stays_before_what_is_under_way),
		cmocka_unit_test(what_waits_goes_in_one_message),
		cmocka_unit_test(after_a_failure_all_is_sent_again_in_order),
		cmocka_unit_test(changes_in_memory_are_read_on_the_loop),
		cmocka_unit_test(what_is_not_in_memory_is_read_by_a_thread),
		cmocka_unit_test(a_feed_has_so_many_pages_under_way_and_no_more),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
