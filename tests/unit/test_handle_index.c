#include "node/server/handle_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/log.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "storage/encoding/stored_item.h"
#include "tests/support/partition_fixture.h"
#include "tests/unit/feed_fixture.h"

enum { BODY_SIZE_MAX = 32 * 1024 * 1024, OTHER = 3001, MEGABYTE = 1024 * 1024, ROWS_MAX = 16 };

struct fixture {
	struct group_fixture *net;
	struct catalog_view view;
	struct partition_table partitions;
};

/* A request that notes its answer. */
struct asked {
	struct rpc_request base;
	struct buf body;
	uint32_t reply_count;
	enum status status;
};

static void on_answer(struct rpc_request *request, enum status status, struct slice body)
{
	struct asked *asked = CONTAINER_OF(request, struct asked, base);

	(void)body;
	asked->reply_count++;
	asked->status = status;
}

static const struct rpc_request_ops asked_ops = { .reply = on_answer };

/* --- the node --- */

static void open_partitions(struct fixture *f, bool is_new, uint32_t member_count)
{
	struct partition_env env = { .runtime = &f->net->nodes[1].runtime.base,
				     .engine = f->net->nodes[1].engine,
				     .groups = &f->net->nodes[1].table,
				     .hash_seed = 1,
				     .view = &f->view };
	struct raft_engine_configuration members = {
		.members = { { 101, 1, RAFT_ROLE_VOTER }, { 102, 2, RAFT_ROLE_VOTER } }, .count = member_count
	};
	struct partition_meta low = { .partition_id = FEED_LOW, .table_id = FEED_INDEX, .epoch = 3 };
	struct partition_meta base = { .partition_id = FEED_SOURCE, .table_id = FEED_BASE, .epoch = 3 };

	partition_table_init(&f->partitions, &env);
	if (is_new) {
		low.range_start = slice_of(feed_index_start, sizeof(feed_index_start));
		low.range_end = slice_of(feed_index_cut, sizeof(feed_index_cut));
		base.range_start = slice_of(feed_base_start, sizeof(feed_base_start));
		base.range_end = low.range_start;
		assert_int_equal(partition_table_create(&f->partitions, &low, 101, &members), ST_OK);
		assert_int_equal(partition_table_create(&f->partitions, &base, 101, &members), ST_OK);
	} else {
		assert_int_equal(partition_table_open_all(&f->partitions), ST_OK);
	}
	group_fixture_run_ms(f->net, member_count == 1 ? 3 * GROUP_FIXTURE_ELECTION_MS : 2);
	assert_int_equal(group_is_ready(partition_table_find(&f->partitions, FEED_LOW)->group),
			 member_count == 1);
}

static void fixture_open(struct fixture *f, uint32_t member_count)
{
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };

	*f = (struct fixture){ .net = group_fixture_create_nodes(1, &settings) };
	feed_fixture_catalog(&f->view.state, 2);
	open_partitions(f, true, member_count);
}

static void fixture_close(struct fixture *f)
{
	partition_table_close(&f->partitions);
	group_fixture_run_ms(f->net, 5);
	catalog_state_close(&f->view.state);
	group_fixture_destroy(f->net);
}

static struct partition *low(const struct fixture *f)
{
	return partition_table_find(&f->partitions, FEED_LOW);
}

/* --- messages --- */

struct message {
	Cleave__WriteIndexRowsRequest base;
	Cleave__IndexRow rows[ROWS_MAX];
	Cleave__IndexRow *list[ROWS_MAX];
	uint8_t keys[ROWS_MAX][64];
	uint8_t positions[ROWS_MAX][9];
	struct buf items[ROWS_MAX];
};

static void message_init(struct message *message)
{
	memset(message, 0, sizeof(*message));
	cleave__write_index_rows_request__init(&message->base);
	message->base.partition_id = FEED_LOW;
	message->base.source_partition_id = FEED_SOURCE;
	message->base.rows = message->list;
}

static void message_close(struct message *message)
{
	for (size_t i = 0; i < message->base.n_rows; i++)
		buf_close(&message->items[i]);
}

static size_t key_of(uint8_t key[64], const char *name)
{
	size_t size_bytes = strlen(name);

	memcpy(key, feed_index_start, 4);
	memcpy(key + 4, name, size_bytes);
	memset(key + 4 + size_bytes, 0, 8); /* no key is shorter than its head */
	return 12 + size_bytes;
}

/* text NULL deletes. */
static Cleave__IndexRow *add_row(struct message *message, uint64_t sequence, const char *name,
				 const char *text)
{
	size_t at = message->base.n_rows++;
	Cleave__IndexRow *row = &message->rows[at];

	assert_true(at < ROWS_MAX);
	cleave__index_row__init(row);
	message->list[at] = row;
	message->positions[at][0] = FEED_CHANGES;
	put_u64_be(message->positions[at] + 1, sequence);
	row->position = (ProtobufCBinaryData){ 9, message->positions[at] };
	row->row_key = (ProtobufCBinaryData){ key_of(message->keys[at], name), message->keys[at] };
	buf_init(&message->items[at], 0);
	if (text != NULL) {
		partition_fixture_item(&message->items[at], text);
		row->item = (ProtobufCBinaryData){ message->items[at].size, message->items[at].data };
	}
	return row;
}

/* From node 1, which has a replica of the source. */
static void ask(struct fixture *f, struct asked *asked, const struct message *message, uint64_t caller_id)
{
	uint8_t *room;

	*asked = (struct asked){
		.base = { .method = METHOD_WRITE_INDEX_ROWS, .caller_id = caller_id, .ops = &asked_ops }
	};
	buf_init(&asked->body, BODY_SIZE_MAX);
	room = buf_extend(&asked->body, cleave__write_index_rows_request__get_packed_size(&message->base));
	assert_non_null(room);
	(void)cleave__write_index_rows_request__pack(&message->base, room);
	asked->base.body = buf_slice(&asked->body);
	handle_index_write(&f->partitions, &asked->base);
	buf_close(&asked->body); /* what it needs it has taken */
}

static enum status wait_for(struct fixture *f, const struct asked *asked)
{
	for (uint32_t i = 0; i < 1000 && asked->reply_count == 0; i++)
		group_fixture_run_ms(f->net, 1);
	assert_int_equal(asked->reply_count, 1);
	return asked->status;
}

static enum status send_from(struct fixture *f, const struct message *message, uint64_t caller_id)
{
	struct asked asked;

	ask(f, &asked, message, caller_id);
	return wait_for(f, &asked);
}

static enum status send(struct fixture *f, const struct message *message)
{
	return send_from(f, message, 1);
}

static enum status send_row(struct fixture *f, uint64_t sequence, const char *name, const char *text)
{
	struct message message;
	enum status status;

	message_init(&message);
	(void)add_row(&message, sequence, name, text);
	status = send(f, &message);
	message_close(&message);
	return status;
}

/* text NULL: it is not there. */
static void assert_row(struct fixture *f, const char *name, const char *text)
{
	struct stored_item stored;
	struct engine_value value;
	uint8_t key[64];
	enum status status = engine_get(f->net->nodes[1].engine, FAMILY_ITEMS,
					slice_of(key, key_of(key, name)), ENGINE_READ_MAY_BLOCK, &value);

	if (text == NULL) {
		assert_int_equal(status, ST_NOT_FOUND);
		return;
	}
	assert_int_equal(status, ST_OK);
	assert_int_equal(stored_item_read(value.slice, &stored), ST_OK);
	assert_true(partition_fixture_item_is(stored.item, text));
	assert_int_equal(stored.size_bytes, 1 + strlen(text));
	engine_value_release(&value);
}

/* --- stories --- */

static void rows_are_written_and_deleted(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	(void)add_row(&message, 2, "b", "two");
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	assert_row(&f, "a", "one");
	assert_row(&f, "b", "two");
	message_init(&message);
	(void)add_row(&message, 3, "a", NULL); /* one change moves an item: two rows at one position */
	(void)add_row(&message, 3, "c", "one");
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	assert_row(&f, "a", NULL);
	assert_row(&f, "c", "one");
	fixture_close(&f);
}

static void rows_at_passed_positions_change_nothing(void **state)
{
	uint64_t applied_index;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	assert_int_equal(send_row(&f, 5, "a", "one"), ST_OK);
	applied_index = group_applied_index(low(&f)->group);
	assert_int_equal(send_row(&f, 5, "a", "other"), ST_OK);
	assert_int_equal(send_row(&f, 4, "a", NULL), ST_OK);
	assert_int_equal(group_applied_index(low(&f)->group), applied_index); /* not even in the log */
	assert_row(&f, "a", "one");
	fixture_close(&f);
}

static void of_an_overlap_the_new_part_is_taken(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	(void)add_row(&message, 2, "b", "two");
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	message_init(&message);
	(void)add_row(&message, 2, "b", NULL);
	(void)add_row(&message, 2, "x", "stale");
	(void)add_row(&message, 3, "c", "three");
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	assert_row(&f, "b", "two");
	assert_row(&f, "x", NULL);
	assert_row(&f, "c", "three");
	fixture_close(&f);
}

static void put_other_source(struct fixture *f)
{
	feed_fixture_put_partition(&f->view.state, FEED_BASE, OTHER,
				   slice_of(feed_other_start, sizeof(feed_other_start)),
				   slice_of(feed_index_start, sizeof(feed_index_start)), 2);
}

/* In one turn. */
static void messages_that_come_together_make_one_entry(void **state)
{
	static const uint64_t sources[] = { FEED_SOURCE, OTHER };
	struct asked asked[ARRAY_COUNT(sources)];
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	put_other_source(&f);
	for (uint64_t round = 1; round <= 2; round++) {
		uint64_t applied_index = group_applied_index(low(&f)->group);

		for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
			struct message message;

			message_init(&message);
			message.base.source_partition_id = sources[i];
			(void)add_row(&message, round, i == 0 ? "a" : "b", round == 2 ? NULL : "text");
			(void)add_row(&message, round, i == 0 ? "c" : "d", "more text");
			ask(&f, &asked[i], &message, 1);
			message_close(&message);
		}
		for (size_t i = 0; i < ARRAY_COUNT(sources); i++)
			assert_int_equal(wait_for(&f, &asked[i]), ST_OK);
		assert_int_equal(group_applied_index(low(&f)->group), applied_index + 1);
		assert_row(&f, "a", round == 2 ? NULL : "text");
		assert_row(&f, "b", round == 2 ? NULL : "text");
		assert_row(&f, "c", "more text");
		assert_row(&f, "d", "more text");
		for (size_t i = 0; i < ARRAY_COUNT(sources); i++)
			assert_int_equal(
				get_u64_be(partition_sources_mark(&low(&f)->sources, sources[i]).data + 1),
				round);
	}
	fixture_close(&f);
}

/* One from each of many sources, a turn apart, while nothing is applied. */
static void ask_from_sources(struct fixture *f, struct asked *asked, size_t count)
{
	f->net->nodes[1].is_disk_held = true;
	for (size_t i = 0; i < count; i++) {
		struct message message;

		feed_fixture_put_partition(&f->view.state, FEED_BASE, OTHER + i,
					   slice_of(feed_other_start, sizeof(feed_other_start)),
					   slice_of(feed_index_start, sizeof(feed_index_start)), 2);
		message_init(&message);
		message.base.source_partition_id = OTHER + i;
		(void)add_row(&message, 1, "a", "one");
		ask(f, &asked[i], &message, 1);
		message_close(&message);
		group_fixture_run_ms(f->net, 1);
		assert_int_equal(asked[i].reply_count, 0);
	}
}

static void messages_wait_and_make_one_entry_when_enough_are_under_way(void **state)
{
	struct asked asked[PARTITION_GATHERS_MAX + 3];
	struct fixture f;
	uint64_t applied_index;

	(void)state;
	fixture_open(&f, 1);
	applied_index = group_applied_index(low(&f)->group);
	ask_from_sources(&f, asked, ARRAY_COUNT(asked));
	f.net->nodes[1].is_disk_held = false;
	for (size_t i = 0; i < ARRAY_COUNT(asked); i++)
		assert_int_equal(wait_for(&f, &asked[i]), ST_OK);
	assert_int_equal(group_applied_index(low(&f)->group), applied_index + PARTITION_GATHERS_MAX + 1);
	fixture_close(&f);
}

/* The first is not applied when the second comes: a sender that waited in vain. */
static void a_message_sent_again_waits_for_the_first(void **state)
{
	struct asked first;
	struct asked second;
	struct asked other;
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	put_other_source(&f);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	ask(&f, &first, &message, 1);
	ask(&f, &second, &message, 1);
	assert_int_equal(first.reply_count, 0);
	assert_int_equal(second.reply_count, 1);
	assert_int_equal(second.status, ST_BUSY);
	message.base.source_partition_id = OTHER; /* each source has its own turn */
	ask(&f, &other, &message, 1);
	assert_int_equal(other.reply_count, 0);
	message.base.source_partition_id = FEED_SOURCE;
	assert_int_equal(wait_for(&f, &first), ST_OK);
	assert_int_equal(wait_for(&f, &other), ST_OK);
	assert_int_equal(send(&f, &message), ST_OK);
	assert_int_equal(low(&f)->sources.marks.count, 2);
	message_close(&message);
	assert_row(&f, "a", "one");
	fixture_close(&f);
}

static void all_changes_come_after_all_that_was_there(void **state)
{
	struct message message;
	Cleave__IndexRow *row;
	struct fixture f;
	uint8_t there[] = { FEED_BACKFILL, 0xff, 0xff, 0xff };

	(void)state;
	fixture_open(&f, 1);
	assert_int_equal(send_row(&f, 0, "a", "changed"), ST_OK);
	message_init(&message);
	row = add_row(&message, 0, "a", "as it was there");
	row->position = (ProtobufCBinaryData){ sizeof(there), there };
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	assert_row(&f, "a", "changed");
	fixture_close(&f);
}

static void marks_outlive_a_restart(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	assert_int_equal(send_row(&f, 5, "a", "one"), ST_OK);
	partition_table_close(&f.partitions);
	group_fixture_run_ms(f.net, 5);
	group_fixture_stop(&f.net->nodes[1]);
	group_fixture_start(&f.net->nodes[1]);
	open_partitions(&f, false, 1);
	assert_int_equal(send_row(&f, 5, "a", "other"), ST_OK);
	assert_row(&f, "a", "one");
	assert_int_equal(send_row(&f, 6, "a", "other"), ST_OK);
	assert_row(&f, "a", "other");
	fixture_close(&f);
}

static void rows_out_of_order_are_refused(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 2, "a", "one");
	(void)add_row(&message, 1, "b", "two");
	assert_int_equal(send(&f, &message), ST_INVALID);
	message_close(&message);
	assert_row(&f, "a", NULL);
	fixture_close(&f);
}

static void rows_of_another_range_have_moved(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	(void)add_row(&message, 2, "\x80", "two");
	assert_int_equal(send(&f, &message), ST_MOVED);
	assert_row(&f, "a", NULL);
	message.base.partition_id = 4711;
	assert_int_equal(send(&f, &message), ST_MOVED);
	message_close(&message);
	fixture_close(&f);
}

static void who_does_not_lead_says_so(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 2);
	assert_int_equal(send_row(&f, 1, "a", "one"), ST_NOT_LEADER);
	fixture_close(&f);
}

static void messages_that_break_the_rules_are_invalid(void **state)
{
	static const uint8_t positions[][10] = { { 2 }, { FEED_CHANGES }, { FEED_CHANGES } };
	static const size_t sizes[] = { 1, 8, 10 };
	struct message message;
	Cleave__IndexRow *row;
	Cleave__IndexRow sound;
	struct fixture f;
	uint8_t cut[] = { 0xff };
	struct asked asked = { .base = { .ops = &asked_ops, .caller_id = 1 } };
	uint8_t room[16];

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	assert_int_equal(send(&f, &message), ST_INVALID); /* no rows */
	row = add_row(&message, 1, "a", "one");
	sound = *row;
	message.base.source_partition_id = 0;
	assert_int_equal(send(&f, &message), ST_INVALID);
	message.base.source_partition_id = FEED_SOURCE;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		memcpy(room, positions[i], sizeof(positions[i]));
		row->position = (ProtobufCBinaryData){ sizes[i], room };
		assert_int_equal(send(&f, &message), ST_INVALID);
	}
	*row = sound;
	row->position.len = 0;
	assert_int_equal(send(&f, &message), ST_INVALID);
	*row = sound;
	row->row_key.len = 0;
	assert_int_equal(send(&f, &message), ST_INVALID);
	*row = sound;
	row->item.len--; /* cut: no item */
	assert_int_equal(send(&f, &message), ST_INVALID);
	*row = sound;
	asked.base.body = slice_of(cut, sizeof(cut));
	handle_index_write(&f.partitions, &asked.base);
	assert_int_equal(asked.status, ST_INVALID);
	assert_row(&f, "a", NULL);
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	fixture_close(&f);
}

/* --- who may speak for whom --- */

static void a_node_speaks_for_partitions_that_it_has_a_replica_of(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	assert_int_equal(send_from(&f, &message, 3), ST_DENIED);
	assert_int_equal(send_from(&f, &message, 0), ST_DENIED);
	assert_int_equal(partition_sources_mark(&low(&f)->sources, FEED_SOURCE).size, 0);
	assert_int_equal(send_from(&f, &message, 2), ST_OK);
	message.base.source_partition_id = FEED_HIGH; /* of the index itself, not of its table */
	assert_int_equal(send(&f, &message), ST_DENIED);
	message_close(&message);
	fixture_close(&f);
}

static void a_table_of_its_own_takes_no_index_rows(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	message.keys[0][3] = FEED_BASE;
	message.base.partition_id = FEED_SOURCE;
	assert_int_equal(send(&f, &message), ST_DENIED);
	message_close(&message);
	fixture_close(&f);
}

/* Else whoever invents sources could fill memory and store with their marks. */
static void sources_that_the_catalog_does_not_know_wait(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	message.base.source_partition_id = OTHER;
	assert_int_equal(send(&f, &message), ST_BUSY);
	assert_int_equal(low(&f)->sources.marks.count, 0);
	message_close(&message);
	fixture_close(&f);
}

static void known_sources_go_on_without_the_catalog(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	assert_int_equal(send_row(&f, 1, "a", "one"), ST_OK);
	catalog_state_close(&f.view.state);
	catalog_state_init(&f.view.state);
	assert_int_equal(send_row(&f, 2, "a", "two"), ST_OK);
	assert_row(&f, "a", "two");
	fixture_close(&f);
}

/* --- sizes --- */

static void add_large(struct message *message, uint64_t sequence, size_t size_bytes)
{
	char name[2] = { (char)('a' + sequence), '\0' };
	char *text = malloc(size_bytes + 1);
	Cleave__IndexRow *row;

	assert_non_null(text);
	memset(text, 'x', size_bytes);
	text[size_bytes] = '\0';
	row = add_row(message, sequence, name, text);
	assert_true(row->item.len > size_bytes);
	free(text);
}

static void a_page_of_the_largest_items_is_taken(void **state)
{
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	for (uint64_t i = 1; i <= 7; i++)
		add_large(&message, i, 3 * MEGABYTE / 2);
	assert_int_equal(send(&f, &message), ST_OK);
	message_close(&message);
	message_init(&message);
	for (uint64_t i = 11; i <= 19; i++) /* more than any feeder sends: it would not get to followers */
		add_large(&message, i, 3 * MEGABYTE / 2);
	assert_int_equal(send(&f, &message), ST_INVALID);
	message_close(&message);
	fixture_close(&f);
}

static void the_longest_keys_are_taken(void **state)
{
	static uint8_t key[LIMIT_INDEX_ROW_KEY_SIZE_BYTES + 1];
	static uint8_t position[1 + LIMIT_ROW_KEY_SIZE_BYTES + 1];
	struct message message;
	Cleave__IndexRow *row;
	struct fixture f;

	(void)state;
	memset(key, 0x7f, sizeof(key));
	memset(position, 0xff, sizeof(position));
	(void)key_of(key, "");
	position[0] = FEED_BACKFILL;
	fixture_open(&f, 1);
	message_init(&message);
	row = add_row(&message, 1, "a", "one");
	row->position = (ProtobufCBinaryData){ sizeof(position) - 1, position };
	row->row_key = (ProtobufCBinaryData){ sizeof(key), key };
	assert_int_equal(send(&f, &message), ST_INVALID);
	row->row_key.len--;
	assert_int_equal(send(&f, &message), ST_OK);
	assert_int_equal(partition_sources_mark(&low(&f)->sources, FEED_SOURCE).size, sizeof(position) - 1);
	row->position.len++;
	assert_int_equal(send(&f, &message), ST_INVALID);
	message_close(&message);
	fixture_close(&f);
}

/* --- ends --- */

/* As many as may be are in the log, and one waits for them. */
static void requests_that_wait_are_answered_when_the_partition_closes(void **state)
{
	struct asked asked[PARTITION_GATHERS_MAX + 1];
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	ask_from_sources(&f, asked, ARRAY_COUNT(asked));
	partition_table_drop(&f.partitions, low(&f));
	for (size_t i = 0; i < ARRAY_COUNT(asked); i++) {
		assert_int_equal(asked[i].reply_count, 1);
		assert_int_equal(asked[i].status,
				 i < PARTITION_GATHERS_MAX ? ST_UNKNOWN_OUTCOME : ST_NOT_LEADER);
	}
	f.net->nodes[1].is_disk_held = false;
	fixture_close(&f);
}

static void requests_of_one_turn_are_answered_when_the_partition_closes(void **state)
{
	struct asked asked;
	struct message message;
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	message_init(&message);
	(void)add_row(&message, 1, "a", "one");
	ask(&f, &asked, &message, 1);
	message_close(&message);
	assert_int_equal(asked.reply_count, 0);
	partition_table_drop(&f.partitions, low(&f));
	assert_int_equal(asked.reply_count, 1);
	assert_int_equal(asked.status, ST_NOT_LEADER);
	fixture_close(&f);
}

static void a_full_disk_takes_no_rows(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, 1);
	f.net->nodes[1].table.is_disk_full = true;
	assert_int_equal(send_row(&f, 1, "a", "one"), ST_NO_SPACE);
	f.net->nodes[1].table.is_disk_full = false;
	assert_int_equal(send_row(&f, 1, "a", "one"), ST_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_written_and_deleted),
		cmocka_unit_test(rows_at_passed_positions_change_nothing),
		cmocka_unit_test(of_an_overlap_the_new_part_is_taken),
		cmocka_unit_test(a_message_sent_again_waits_for_the_first),
		cmocka_unit_test(all_changes_come_after_all_that_was_there),
		cmocka_unit_test(marks_outlive_a_restart),
		cmocka_unit_test(rows_out_of_order_are_refused),
		cmocka_unit_test(rows_of_another_range_have_moved),
		cmocka_unit_test(who_does_not_lead_says_so),
		cmocka_unit_test(messages_that_break_the_rules_are_invalid),
		cmocka_unit_test(a_node_speaks_for_partitions_that_it_has_a_replica_of),
		cmocka_unit_test(a_table_of_its_own_takes_no_index_rows),
		cmocka_unit_test(sources_that_the_catalog_does_not_know_wait),
		cmocka_unit_test(known_sources_go_on_without_the_catalog),
		cmocka_unit_test(a_page_of_the_largest_items_is_taken),
		cmocka_unit_test(the_longest_keys_are_taken),
		cmocka_unit_test(messages_that_come_together_make_one_entry),
		cmocka_unit_test(messages_wait_and_make_one_entry_when_enough_are_under_way),
		cmocka_unit_test(requests_of_one_turn_are_answered_when_the_partition_closes),
		cmocka_unit_test(requests_that_wait_are_answered_when_the_partition_closes),
		cmocka_unit_test(a_full_disk_takes_no_rows),
	};

	log_set_level((enum log_level)(LOG_ERROR + 1));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
