#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/server/handle_item.h"
#include "proto/model/limits.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/group_fixture.h"
#include "tests/support/partition_fixture.h"

enum { BODY_SIZE_MAX = 1024, PARTITION = 1001 };

struct fixture {
	struct group_fixture *net;
	struct partition_env env;
	struct partition_table partitions;
	struct handle_item items;
};

/* A request that notes its answer. */
struct asked {
	struct rpc_request base;
	uint8_t body[BODY_SIZE_MAX];
	uint8_t reply[BODY_SIZE_MAX];
	size_t reply_size;
	uint32_t reply_count;
	enum status status;
};

static void on_answer(struct rpc_request *request, enum status status, struct slice body)
{
	struct asked *asked = CONTAINER_OF(request, struct asked, base);

	asked->reply_count++;
	asked->status = status;
	asked->reply_size = body.size;
	assert_true(body.size <= sizeof(asked->reply));
	if (body.size > 0)
		memcpy(asked->reply, body.data, body.size);
}

static const struct rpc_request_ops asked_ops = { .reply = on_answer };

/* A single voter that leads, or, for not_leading, a replica whose peers do not exist. */
static void fixture_open(struct fixture *f, bool leads)
{
	static const uint8_t start[] = { 0, 0, 0, 1 };
	static const uint8_t end[] = { 0, 0, 0, 2 };
	struct group_settings settings = { .election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
					   .heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS };
	struct raft_engine_configuration members = { .members = { { 101, 1, RAFT_ROLE_VOTER },
								  { 102, 2, RAFT_ROLE_VOTER } },
						     .count = leads ? 1 : 2 };
	struct partition_meta meta = { .partition_id = PARTITION, .table_id = 1, .epoch = 3 };

	meta.range_start = slice_of(start, sizeof(start));
	meta.range_end = slice_of(end, sizeof(end));
	f->net = group_fixture_create_nodes(1, &settings);
	f->env = (struct partition_env){ .runtime = &f->net->nodes[1].runtime.base,
					 .engine = f->net->nodes[1].engine,
					 .groups = &f->net->nodes[1].table,
					 .hash_seed = 1 };
	partition_table_init(&f->partitions, &f->env);
	assert_int_equal(partition_table_create(&f->partitions, &meta, 101, &members), ST_OK);
	handle_item_init(&f->items, &f->partitions);
	group_fixture_run_ms(f->net, leads ? 3 * GROUP_FIXTURE_ELECTION_MS : 2);
	assert_int_equal(group_is_ready(partition_table_find(&f->partitions, PARTITION)->group), leads);
}

static void fixture_close(struct fixture *f)
{
	partition_table_close(&f->partitions);
	group_fixture_run_ms(f->net, 5); /* operations that wait are answered and given back */
	handle_item_close(&f->items);
	group_fixture_destroy(f->net);
}

static void ask_raw(struct fixture *f, struct asked *asked, uint16_t method, size_t size_bytes)
{
	asked->base = (struct rpc_request){ .method = method,
					    .ops = &asked_ops,
					    .body = slice_of(asked->body, size_bytes) };
	asked->reply_count = 0;
	if (method == METHOD_GET_ITEM)
		handle_item_get(&f->items, &asked->base);
	else
		handle_item_write(&f->items, &asked->base);
}

static enum status wait_for(struct fixture *f, const struct asked *asked)
{
	for (uint32_t i = 0; i < 1000 && asked->reply_count == 0; i++)
		group_fixture_run_ms(f->net, 1);
	assert_int_equal(asked->reply_count, 1);
	return asked->status;
}

static Cleave__WriteItemRequest a_put(struct buf *item, const char *name, uint8_t *key, uint8_t *request_id,
				      const char *text)
{
	Cleave__WriteItemRequest message = CLEAVE__WRITE_ITEM_REQUEST__INIT;
	struct slice row_key = partition_fixture_key(key, name);

	partition_fixture_item(item, text);
	message.partition_id = PARTITION;
	message.row_key = (ProtobufCBinaryData){ row_key.size, key };
	message.item = (ProtobufCBinaryData){ item->size, item->data };
	message.request_id = (ProtobufCBinaryData){ OUTCOMES_REQUEST_ID_SIZE, request_id };
	return message;
}

static enum status write_item(struct fixture *f, struct asked *asked, const Cleave__WriteItemRequest *message)
{
	assert_true(cleave__write_item_request__get_packed_size(message) <= BODY_SIZE_MAX);
	ask_raw(f, asked, METHOD_WRITE_ITEM, cleave__write_item_request__pack(message, asked->body));
	return wait_for(f, asked);
}

static enum status put(struct fixture *f, const char *name, const char *text, uint8_t request)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE] = { request };
	struct asked asked = { .reply_count = 0 };
	struct buf item;
	Cleave__WriteItemRequest message = a_put(&item, name, key, request_id, text);
	enum status status = write_item(f, &asked, &message);

	buf_close(&item);
	return status;
}

static enum status get(struct fixture *f, struct asked *asked, const char *name, bool is_consistent)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	Cleave__GetItemRequest message = CLEAVE__GET_ITEM_REQUEST__INIT;
	struct slice row_key = partition_fixture_key(key, name);

	message.partition_id = PARTITION;
	message.row_key = (ProtobufCBinaryData){ row_key.size, key };
	message.consistent_read = is_consistent;
	ask_raw(f, asked, METHOD_GET_ITEM, cleave__get_item_request__pack(&message, asked->body));
	return wait_for(f, asked);
}

static void what_was_put_is_got(void **state)
{
	struct asked asked = { .reply_count = 0 };
	Cleave__GetItemReply *reply;
	struct fixture f;

	(void)state;
	fixture_open(&f, true);
	assert_int_equal(put(&f, "a", "one", 1), ST_OK);
	assert_int_equal(get(&f, &asked, "a", true), ST_OK);
	reply = cleave__get_item_reply__unpack(NULL, asked.reply_size, asked.reply);
	assert_non_null(reply);
	assert_true(reply->found);
	assert_true(partition_fixture_item_is(slice_of(reply->item.data, reply->item.len), "one"));
	cleave__get_item_reply__free_unpacked(reply, NULL);
	fixture_close(&f);
}

static void an_item_that_is_not_there_is_an_answer(void **state)
{
	struct asked asked = { .reply_count = 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f, true);
	assert_int_equal(get(&f, &asked, "nothing", false), ST_OK);
	assert_int_equal(asked.reply_size, 0); /* found is false, and so not written */
	fixture_close(&f);
}

static void the_old_item_is_given_if_asked_for(void **state)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE] = { 2 };
	struct asked asked = { .reply_count = 0 };
	Cleave__WriteItemRequest message;
	Cleave__WriteItemReply *reply;
	struct fixture f;
	struct buf item;

	(void)state;
	fixture_open(&f, true);
	assert_int_equal(put(&f, "a", "one", 1), ST_OK);
	message = a_put(&item, "a", key, request_id, "");
	message.kind = CLEAVE__WRITE_ITEM_REQUEST__KIND__DELETE;
	message.item.len = 0;
	message.returned = CLEAVE__WRITE_ITEM_REQUEST__RETURNED__OLD;
	assert_int_equal(write_item(&f, &asked, &message), ST_OK);
	reply = cleave__write_item_reply__unpack(NULL, asked.reply_size, asked.reply);
	assert_non_null(reply);
	assert_true(reply->existed);
	assert_int_equal(reply->old_size_bytes, 4);
	assert_true(partition_fixture_item_is(slice_of(reply->returned.data, reply->returned.len), "one"));
	cleave__write_item_reply__free_unpacked(reply, NULL);
	buf_close(&item);
	fixture_close(&f);
}

static uint64_t hinted_leader(const struct asked *asked, uint32_t *epoch_out)
{
	Cleave__RoutingHint *hint = cleave__routing_hint__unpack(NULL, asked->reply_size, asked->reply);
	uint64_t leader;

	assert_non_null(hint);
	leader = hint->leader_node_id;
	*epoch_out = hint->epoch;
	cleave__routing_hint__free_unpacked(hint, NULL);
	return leader;
}

static void a_refusal_says_where_to_ask(void **state)
{
	struct asked asked = { .reply_count = 0 };
	struct fixture f;
	uint32_t epoch;

	(void)state;
	fixture_open(&f, false);
	assert_int_equal(get(&f, &asked, "a", true), ST_NOT_LEADER);
	assert_int_equal(hinted_leader(&asked, &epoch), 0); /* nobody leads */
	assert_int_equal(epoch, 3);
	assert_int_equal(put(&f, "a", "one", 1), ST_NOT_LEADER);
	fixture_close(&f);
}

static void a_partition_that_is_not_here_has_moved(void **state)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE] = { 1 };
	struct asked asked = { .reply_count = 0 };
	Cleave__WriteItemRequest message;
	struct fixture f;
	struct buf item;
	uint32_t epoch;

	(void)state;
	fixture_open(&f, true);
	message = a_put(&item, "a", key, request_id, "one");
	message.partition_id = 4711;
	assert_int_equal(write_item(&f, &asked, &message), ST_MOVED);
	assert_int_equal(hinted_leader(&asked, &epoch), 0);
	assert_int_equal(epoch, 0);
	buf_close(&item);
	fixture_close(&f);
}

static void requests_that_break_the_rules_are_invalid(void **state)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE] = { 1 };
	struct asked asked = { .reply_count = 0 };
	Cleave__WriteItemRequest sound;
	Cleave__WriteItemRequest message;
	struct fixture f;
	struct buf item;

	(void)state;
	fixture_open(&f, true);
	sound = a_put(&item, "a", key, request_id, "one");
	message = sound;
	message.row_key.len = 0;
	assert_int_equal(write_item(&f, &asked, &message), ST_INVALID);
	message = sound;
	message.request_id.len = 15;
	assert_int_equal(write_item(&f, &asked, &message), ST_INVALID);
	message = sound;
	message.item.len = 0;
	assert_int_equal(write_item(&f, &asked, &message), ST_INVALID);
	message = sound;
	message.kind = (Cleave__WriteItemRequest__Kind)9; /* of a newer coordinator */
	assert_int_equal(write_item(&f, &asked, &message), ST_INVALID);
	message = sound;
	message.item.len--; /* cut: no item */
	assert_int_equal(write_item(&f, &asked, &message), ST_INVALID);
	asked.body[0] = 0xff;
	ask_raw(&f, &asked, METHOD_WRITE_ITEM, 1);
	assert_int_equal(asked.status, ST_INVALID);
	asked.body[0] = 0xff;
	ask_raw(&f, &asked, METHOD_GET_ITEM, 1);
	assert_int_equal(asked.status, ST_INVALID);
	ask_raw(&f, &asked, METHOD_GET_ITEM, 0); /* no key */
	assert_int_equal(asked.status, ST_INVALID);
	buf_close(&item);
	fixture_close(&f);
}

static void operations_are_reused_after_their_answer(void **state)
{
	struct asked asked = { .reply_count = 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f, true);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(put(&f, "a", "one", (uint8_t)(i + 1)), ST_OK);
		assert_int_equal(get(&f, &asked, "a", true), ST_OK);
	}
	assert_int_equal(f.items.spare_count, 1); /* one for both kinds */
	fixture_close(&f);
}

static void requests_that_wait_are_answered_when_the_partitions_close(void **state)
{
	uint8_t key[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t request_id[OUTCOMES_REQUEST_ID_SIZE] = { 1 };
	struct asked asked = { .reply_count = 0 };
	Cleave__WriteItemRequest message;
	struct fixture f;
	struct buf item;

	(void)state;
	fixture_open(&f, true);
	message = a_put(&item, "a", key, request_id, "one");
	ask_raw(&f, &asked, METHOD_WRITE_ITEM, cleave__write_item_request__pack(&message, asked.body));
	assert_int_equal(asked.reply_count, 0);
	buf_close(&item); /* the operation keeps what it needs */
	fixture_close(&f);
	assert_int_equal(asked.reply_count, 1);
	assert_int_equal(asked.status, ST_NOT_LEADER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_got),
		cmocka_unit_test(an_item_that_is_not_there_is_an_answer),
		cmocka_unit_test(the_old_item_is_given_if_asked_for),
		cmocka_unit_test(a_refusal_says_where_to_ask),
		cmocka_unit_test(a_partition_that_is_not_here_has_moved),
		cmocka_unit_test(requests_that_break_the_rules_are_invalid),
		cmocka_unit_test(operations_are_reused_after_their_answer),
		cmocka_unit_test(requests_that_wait_are_answered_when_the_partitions_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
