#include "node/catalog/catalog.h"

#include "tests/unit/catalog_fixture.h"

static void first_leader_writes_the_settings(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 3);
	assert_true(world_state(&world)->settings.version > 0);
	assert_int_equal(world_state(&world)->settings.replica_count, 3);
	assert_int_equal(world_state(&world)->settings.election_timeout_ms, 1000);
	assert_int_equal(world_state(&world)->settings.on_demand_partitions, 4);
	world_stop(&world);
}

static void create_places_partitions_and_answers_creating(void **state)
{
	struct catalog_world world;
	const struct table_info *table;

	(void)state;
	world_start(&world, 3);
	world_register(&world, 3);
	assert_int_equal(world_create(&world, "orders", 0, 0), ST_OK);
	table = world_table(&world, "orders");
	assert_non_null(table);
	assert_int_equal(table->state, TABLE_CREATING);
	assert_int_equal(table->table_id, 1);
	assert_true(table->token_seed != 0);
	assert_true(table->created_wall_us > (uint64_t)EPOCH_WALL_US * 1000000);
	assert_int_equal(catalog_state_partition_count(world_state(&world), 1), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct partition_info *partition = catalog_state_partition_at(world_state(&world), 1,
										    i);

		assert_int_equal(partition->partition_id, CATALOG_FIRST_PARTITION_ID + i);
		assert_int_equal(partition->replica_count, 3);
		assert_int_equal(partition->epoch, 1);
	}
	world_stop(&world);
}

static void create_is_refused_without_enough_nodes(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 3);
	world_register(&world, 2);
	assert_int_equal(world_create(&world, "orders", 0, 0), ST_UNAVAILABLE);
	assert_null(world_table(&world, "orders"));
	world_stop(&world);
}

static void second_create_of_a_name_is_refused(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(world_create(&world, "orders", 1, 0), ST_OK);
	assert_int_equal(world_create(&world, "orders", 1, 0), ST_EXISTS);
	assert_int_equal(world_state(&world)->table_count, 1);
	world_stop(&world);
}

static void retried_create_gets_its_first_outcome(void **state)
{
	struct catalog_world world;
	uint64_t version;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(world_create(&world, "orders", 1, 77), ST_OK);
	version = world_state(&world)->version;
	assert_int_equal(world_create(&world, "orders", 1, 77), ST_OK);
	assert_int_equal(world_state(&world)->version, version);
	world_close(&world);
	world_open(&world, 1);
	assert_int_equal(world_create(&world, "orders", 1, 77), ST_OK);
	assert_int_equal(world_state(&world)->table_count, 1);
	world_stop(&world);
}

static void request_without_id_or_with_a_bad_name_is_invalid(void **state)
{
	struct catalog_world world;
	Cleave__DeleteTableRequest request = CLEAVE__DELETE_TABLE_REQUEST__INIT;
	char name[] = "orders";

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	request.name = name;
	assert_int_equal(world_ask(&world, METHOD_CATALOG_DELETE_TABLE, &request.base), ST_INVALID);
	assert_int_equal(world_create(&world, "x", 1, 0), ST_INVALID);
	assert_int_equal(world_create(&world, "orders", CATALOG_TABLE_PARTITIONS_MAX + 1, 0), ST_INVALID);
	world_stop(&world);
}

static void two_changes_of_one_table_do_not_overlap(void **state)
{
	struct catalog_world world;
	struct fake_request first;
	Cleave__DeleteTableRequest request = CLEAVE__DELETE_TABLE_REQUEST__INIT;
	uint64_t number = 900;
	char name[] = "orders";

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 1);
	request.name = name;
	request.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	fake_request_init(&first, &world.loop.base, METHOD_CATALOG_DELETE_TABLE, &request.base);
	catalog_handle(world.catalog, &first.base);
	assert_int_equal(first.answer_count, 0); /* not before it is applied */
	number = 901;
	assert_int_equal(world_ask(&world, METHOD_CATALOG_DELETE_TABLE, &request.base), ST_OVERLOADED);
	assert_int_equal(first.answer_count, 1);
	assert_int_equal(first.status, ST_OK);
	fake_request_close(&first);
	world_stop(&world);
}

/* Else a leader that others have replaced says of a new table that there is none. */
static void a_refusal_waits_until_leadership_is_confirmed(void **state)
{
	struct catalog_world world;
	struct fake_request request;
	Cleave__DeleteTableRequest message = CLEAVE__DELETE_TABLE_REQUEST__INIT;
	uint64_t number = 900;
	char name[] = "orders";

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	message.name = name;
	message.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	fake_request_init(&request, &world.loop.base, METHOD_CATALOG_DELETE_TABLE, &message.base);
	catalog_handle(world.catalog, &request.base);
	assert_int_equal(request.answer_count, 0);
	loop_settle(&world.loop);
	assert_int_equal(request.answer_count, 1);
	assert_int_equal(request.status, ST_NOT_FOUND);
	fake_request_close(&request);
	world_stop(&world);
}

static void delete_follows_the_state_of_the_table(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(world_delete(&world, "orders", 0), ST_NOT_FOUND);
	assert_int_equal(world_create(&world, "orders", 1, 0), ST_OK);
	assert_int_equal(world_delete(&world, "orders", 0), ST_BUSY);
	world_report_leaders(&world, "orders");
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_DELETING);
	assert_int_equal(world_delete(&world, "orders", 0), ST_BUSY);
	world_stop(&world);
}

/* *answered_out: the table as the caller is told of it; its indexes and tags are gone. */
static enum status update_and_tell(struct catalog_world *world, const char *name, uint64_t read_units,
				   bool is_protected, struct table_info *answered_out)
{
	Cleave__UpdateTableRequest request = CLEAVE__UPDATE_TABLE_REQUEST__INIT;
	Cleave__TableRecord table = CLEAVE__TABLE_RECORD__INIT;
	struct fake_request sent;
	Cleave__TableReply *reply;
	struct arena arena;
	uint64_t number = ++world->request_number;
	char name_copy[32];

	(void)snprintf(name_copy, sizeof(name_copy), "%s", name);
	table.name = name_copy;
	table.read_units = read_units;
	table.write_units = 5;
	table.deletion_protection = is_protected;
	request.table = &table;
	request.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	world_send(world, &sent, METHOD_CATALOG_UPDATE_TABLE, &request.base);
	assert_int_equal(sent.answer_count, 1);
	if (sent.status == ST_OK) {
		reply = cleave__table_reply__unpack(NULL, sent.reply.size, sent.reply.data);
		assert_non_null(reply);
		arena_init(&arena, 1 << 20);
		assert_int_equal(table_info_decode(reply->table, &arena, answered_out), ST_OK);
		arena_close(&arena);
		cleave__table_reply__free_unpacked(reply, NULL);
	}
	fake_request_close(&sent);
	return sent.status;
}

static enum status update(struct catalog_world *world, const char *name, uint64_t read_units,
			  bool is_protected)
{
	struct table_info answered;

	return update_and_tell(world, name, read_units, is_protected, &answered);
}

static void the_answer_to_an_update_shows_the_units_from_before(void **state)
{
	struct catalog_world world;
	struct table_info answered;
	const struct table_info *table;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 1);
	assert_int_equal(update_and_tell(&world, "orders", 10, false, &answered), ST_OK);
	assert_int_equal(update_and_tell(&world, "orders", 30, false, &answered), ST_OK);
	assert_int_equal(answered.state, TABLE_UPDATING);
	assert_int_equal(answered.read_units, 10);
	assert_true(answered.increased_wall_us > 0);
	table = world_table(&world, "orders");
	assert_int_equal(table->state, TABLE_ACTIVE);
	assert_int_equal(table->read_units, 30);
	assert_false(table->next_units.is_set);
	assert_true(table->increased_wall_us > answered.increased_wall_us);
	assert_int_equal(update_and_tell(&world, "orders", 10, false, &answered), ST_OK);
	assert_int_equal(answered.read_units, 30);
	assert_int_equal(answered.decreases_today, 0);
	assert_int_equal(world_table(&world, "orders")->read_units, 10);
	assert_int_equal(world_table(&world, "orders")->decreases_today, 1);
	world_stop(&world);
}

static void update_replaces_settings_and_notes_when(void **state)
{
	struct catalog_world world;
	const struct table_info *table;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 1);
	assert_int_equal(update(&world, "nothing", 10, false), ST_NOT_FOUND);
	assert_int_equal(update(&world, "orders", 10, false), ST_OK);
	table = world_table(&world, "orders");
	assert_int_equal(table->state, TABLE_ACTIVE); /* the driver needs nothing to get there */
	assert_false(table->is_on_demand);
	assert_int_equal(table->read_units, 10);
	assert_int_equal(table->decreases_today, 0);
	assert_int_equal(update(&world, "orders", 7, false), ST_OK);
	assert_int_equal(update(&world, "orders", 6, false), ST_OK);
	table = world_table(&world, "orders");
	assert_int_equal(table->decreases_today, 2);
	assert_true(table->decreased_wall_us > 0);
	assert_int_equal(table->increased_wall_us, 0);
	world_stop(&world);
}

static enum status tag(struct catalog_world *world, const char *name, const char *key)
{
	Cleave__TagTableRequest request = CLEAVE__TAG_TABLE_REQUEST__INIT;
	Cleave__TagSet set = CLEAVE__TAG_SET__INIT;
	Cleave__Tag tag = CLEAVE__TAG__INIT;
	Cleave__Tag *tags[] = { &tag };
	uint64_t number = ++world->request_number;
	char name_copy[32];

	(void)snprintf(name_copy, sizeof(name_copy), "%s", name);
	tag.key = (ProtobufCBinaryData){ strlen(key), (uint8_t *)(uintptr_t)key };
	set.tags = tags;
	set.n_tags = 1;
	request.name = name_copy;
	request.put = &set;
	request.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	return world_ask(world, METHOD_CATALOG_TAG_TABLE, &request.base);
}

/* Nothing but its tags changes, not even for a moment; and they outlive other changes. */
static void tags_leave_a_table_as_it_is(void **state)
{
	struct catalog_world world;
	size_t size;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	assert_int_equal(tag(&world, "orders", "a"), ST_NOT_FOUND);
	assert_int_equal(world_create(&world, "orders", 1, 0), ST_OK);
	assert_int_equal(tag(&world, "orders", "a"), ST_BUSY);
	world_report_leaders(&world, "orders");
	assert_int_equal(tag(&world, "orders", ""), ST_INVALID);
	assert_int_equal(tag(&world, "orders", "a"), ST_OK);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_ACTIVE);
	size = world_table(&world, "orders")->tags.size;
	assert_true(size > 0);
	assert_int_equal(update(&world, "orders", 10, false), ST_OK);
	assert_int_equal(world_table(&world, "orders")->tags.size, size);
	assert_int_equal(tag(&world, "orders", "b"), ST_OK);
	assert_true(world_table(&world, "orders")->tags.size > size);
	world_stop(&world);
}

static void protected_table_is_not_deleted(void **state)
{
	struct catalog_world world;

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 1);
	assert_int_equal(update(&world, "orders", 5, true), ST_OK);
	assert_int_equal(world_delete(&world, "orders", 0), ST_DENIED);
	assert_int_equal(update(&world, "orders", 5, false), ST_OK);
	assert_int_equal(world_delete(&world, "orders", 0), ST_OK);
	world_stop(&world);
}

static void state_survives_a_restart(void **state)
{
	struct catalog_world world;
	uint64_t version;
	uint64_t seed;

	(void)state;
	world_start(&world, 3);
	world_register(&world, 4);
	world_create_active(&world, "orders", 5);
	version = world_state(&world)->version;
	seed = world_table(&world, "orders")->token_seed;
	world_close(&world);
	world_open(&world, 3);
	assert_int_equal(world_state(&world)->version, version);
	assert_int_equal(world_state(&world)->nodes.count, 4);
	assert_int_equal(world_table(&world, "orders")->token_seed, seed);
	assert_int_equal(world_table(&world, "orders")->state, TABLE_ACTIVE);
	assert_int_equal(catalog_state_partition_count(world_state(&world), 1), 5);
	/* Ids go on where they were. */
	assert_int_equal(world_create(&world, "others", 1, 0), ST_OK);
	assert_int_equal(world_table(&world, "others")->table_id, 2);
	assert_int_equal(catalog_state_partition_at(world_state(&world), 2, 0)->partition_id,
			 CATALOG_FIRST_PARTITION_ID + 5);
	world_stop(&world);
}

static void sync_answers_the_version(void **state)
{
	struct catalog_world world;
	struct fake_request request;
	Cleave__CatalogSyncReply *reply;

	(void)state;
	world_start(&world, 1);
	world_send(&world, &request, METHOD_CATALOG_SYNC, NULL);
	assert_int_equal(request.answer_count, 1);
	assert_int_equal(request.status, ST_OK);
	reply = cleave__catalog_sync_reply__unpack(NULL, request.reply.size, request.reply.data);
	assert_non_null(reply);
	assert_int_equal(reply->version, world_state(&world)->version);
	cleave__catalog_sync_reply__free_unpacked(reply, NULL);
	fake_request_close(&request);
	world_stop(&world);
}

static void detached_catalog_refuses_and_answers_what_waits(void **state)
{
	struct catalog_world world;
	struct fake_request create;
	struct fake_request watch;
	Cleave__DeleteTableRequest deletion = CLEAVE__DELETE_TABLE_REQUEST__INIT;
	Cleave__CatalogWatchRequest wish = CLEAVE__CATALOG_WATCH_REQUEST__INIT;
	uint64_t number = 900;
	char name[] = "orders";

	(void)state;
	world_start(&world, 1);
	world_register(&world, 1);
	world_create_active(&world, "orders", 1);
	wish.from_version = world_state(&world)->version;
	wish.wait_ms = 1000;
	world_send(&world, &watch, METHOD_CATALOG_WATCH, &wish.base);
	deletion.name = name;
	deletion.request_id = (ProtobufCBinaryData){ sizeof(number), (uint8_t *)&number };
	fake_request_init(&create, &world.loop.base, METHOD_CATALOG_DELETE_TABLE, &deletion.base);
	catalog_handle(world.catalog, &create.base);
	catalog_detach(world.catalog);
	assert_int_equal(create.status, ST_UNKNOWN_OUTCOME);
	assert_int_equal(watch.status, ST_CLOSED);
	assert_int_equal(world_ask(&world, METHOD_CATALOG_SYNC, NULL), ST_UNAVAILABLE);
	fake_request_close(&create);
	fake_request_close(&watch);
	world_stop(&world);
}

static void replica_that_does_not_lead_says_so(void **state)
{
	struct catalog_world world;
	struct fake_request request;
	Cleave__RoutingHint *hint;

	(void)state;
	world_start_with(&world, 3, 3);
	assert_int_equal(world_create(&world, "orders", 1, 0), ST_NOT_LEADER);
	world_send(&world, &request, METHOD_CATALOG_SYNC, NULL);
	assert_int_equal(request.status, ST_NOT_LEADER);
	hint = cleave__routing_hint__unpack(NULL, request.reply.size, request.reply.data);
	assert_non_null(hint);
	assert_int_equal(hint->leader_node_id, 0); /* nobody leads */
	cleave__routing_hint__free_unpacked(hint, NULL);
	fake_request_close(&request);
	world_stop(&world);
}

static void malformed_requests_are_invalid(void **state)
{
	static const uint16_t methods[] = { METHOD_CATALOG_WATCH,        METHOD_CATALOG_CREATE_TABLE,
					    METHOD_CATALOG_UPDATE_TABLE, METHOD_CATALOG_DELETE_TABLE,
					    METHOD_CATALOG_REPORT,       METHOD_CATALOG_TAG_TABLE };
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff, 0xff, 0x0f };
	struct catalog_world world;

	(void)state;
	world_start(&world, 1);
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		struct fake_request request;

		fake_request_init(&request, &world.loop.base, methods[i], NULL);
		request.base.body = slice_of(garbage, sizeof(garbage));
		catalog_handle(world.catalog, &request.base);
		loop_settle(&world.loop);
		assert_int_equal(request.answer_count, 1);
		assert_int_equal(request.status, ST_INVALID);
		fake_request_close(&request);
	}
	assert_int_equal(world_ask(&world, METHOD_NONE, NULL), ST_UNSUPPORTED);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_leader_writes_the_settings),
		cmocka_unit_test(create_places_partitions_and_answers_creating),
		cmocka_unit_test(create_is_refused_without_enough_nodes),
		cmocka_unit_test(second_create_of_a_name_is_refused),
		cmocka_unit_test(retried_create_gets_its_first_outcome),
		cmocka_unit_test(request_without_id_or_with_a_bad_name_is_invalid),
		cmocka_unit_test(two_changes_of_one_table_do_not_overlap),
		cmocka_unit_test(a_refusal_waits_until_leadership_is_confirmed),
		cmocka_unit_test(delete_follows_the_state_of_the_table),
		cmocka_unit_test(the_answer_to_an_update_shows_the_units_from_before),
		cmocka_unit_test(update_replaces_settings_and_notes_when),
		cmocka_unit_test(protected_table_is_not_deleted),
		cmocka_unit_test(tags_leave_a_table_as_it_is),
		cmocka_unit_test(state_survives_a_restart),
		cmocka_unit_test(sync_answers_the_version),
		cmocka_unit_test(detached_catalog_refuses_and_answers_what_waits),
		cmocka_unit_test(replica_that_does_not_lead_says_so),
		cmocka_unit_test(malformed_requests_are_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
