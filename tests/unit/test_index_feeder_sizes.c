#include "proto/base/log.h"
#include "tests/unit/feeder_fixture.h"

static void the_largest_items_fill_pages_alone(void **state)
{
	char *text = malloc(LIMIT_ITEM_SIZE_BYTES);
	struct fixture x;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', LIMIT_ITEM_SIZE_BYTES);
	fixture_open(&x);
	for (size_t i = 0; i < 8; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "large-%u", (unsigned)i);
		write_run(&x, name, "value-1", slice_of(text, LIMIT_ITEM_SIZE_BYTES - 100));
	}
	tell_all(&x);
	assert_becomes_exact(&x);
	for (size_t i = 0; i < 8; i++) { /* old and new: twice the size */
		char name[16];

		(void)snprintf(name, sizeof(name), "large-%u", (unsigned)i);
		write_run(&x, name, "value-2", slice_of(text, LIMIT_ITEM_SIZE_BYTES - 200));
	}
	assert_becomes_exact(&x);
	/* Who has nothing to send holds no page. */
	assert_true(feed_of(leader_of(&x), FEED_INDEX)->held_bytes == 0);
	free(text);
	fixture_close(&x);
}

/* Keys of the greatest size whose every byte is escaped: more than a message may hold, if pages were cut by
 * the size of items alone. */
static void the_longest_keys_fit_into_their_messages(void **state)
{
	enum { ITEMS = 400, KEY_SIZE = LIMIT_PARTITION_KEY_SIZE_BYTES };
	static const uint8_t zeros[KEY_SIZE];
	uint8_t value[KEY_SIZE];
	struct fixture x;

	(void)state;
	fixture_open(&x);
	for (size_t i = 0; i < ITEMS; i++) {
		struct item_builder builder;
		struct feed_write write;
		uint8_t number[2] = { (uint8_t)(i >> 7), (uint8_t)(i & 0x7f) };

		write_init(&x, &write, "unused", NULL, slice_of_string("unused"));
		buf_close(&write.base.item);
		buf_init(&write.base.item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		memcpy(value, zeros, sizeof(value));
		memcpy(value + KEY_SIZE - sizeof(number), number, sizeof(number));
		item_builder_init(&builder, &write.base.item);
		index_fixture_string(&builder, "pk", slice_of(value, KEY_SIZE));
		index_fixture_string(&builder, "a", slice_of(zeros, KEY_SIZE));
		index_fixture_string(&builder, "text", slice_of_string("x"));
		assert_int_equal(item_builder_finish(&builder), ST_OK);
		buf_reset(&write.key);
		buf_append(&write.key, feed_base_start, sizeof(feed_base_start));
		row_key_append_part(&write.key, ITEM_S, slice_of(value, KEY_SIZE));
		write.base.base.row_key = buf_slice(&write.key);
		write.base.base.item = buf_slice(&write.base.item);
		assert_int_equal(watched_write_start(&write.base, leader_of(&x)), ST_WOULD_BLOCK);
		RUN_UNTIL(&x, write.base.done_count == 1);
		write_close(&write);
	}
	tell_all(&x);
	assert_becomes_exact(&x);
	assert_int_equal(count_rows(index_engine(&x), FEED_INDEX), ITEMS);
	fixture_close(&x);
}

static void a_node_with_too_much_under_way_reads_no_more(void **state)
{
	struct index_feeders *feeders;
	struct fixture x;

	(void)state;
	fixture_open(&x);
	put_many(&x, KEYS);
	feeders = &x.feeders[1];
	feeders->held_bytes = INDEX_FEEDER_BYTES_MAX; /* of others */
	tell_all(&x);
	run_ms(&x, 10 * INDEX_FEEDER_PAUSE_MS);
	assert_int_equal(x.delivered_count, 0);
	feeders->held_bytes--;
	x.verdict = VERDICT_HOLD;
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	assert_true(feeders->held_bytes > INDEX_FEEDER_BYTES_MAX);
	x.verdict = VERDICT_DELIVER;
	assert_becomes_exact(&x);
	assert_int_equal(feeders->held_bytes, INDEX_FEEDER_BYTES_MAX - 1);
	x.verdict = VERDICT_HOLD; /* and when it ends in the middle */
	put(&x, "item-00", "value-3", "text");
	RUN_UNTIL(&x, parcels_under_way(&x) > 0);
	close_sources(&x);
	x.verdict = VERDICT_DELIVER;
	RUN_UNTIL(&x, feeders_are_idle(&x));
	assert_int_equal(feeders->held_bytes, INDEX_FEEDER_BYTES_MAX - 1);
	fixture_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_items_fill_pages_alone),
		cmocka_unit_test(the_longest_keys_fit_into_their_messages),
		cmocka_unit_test(a_node_with_too_much_under_way_reads_no_more),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
