#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "replication/group/group_internal.h"
#include "tests/support/partition_fixture.h"
#include "tests/unit/expr_fixture.h"

#define RETURNED(what) CLEAVE__WRITE_ITEM_REQUEST__RETURNED__##what

struct fixture {
	struct partition_fixture *f;
	struct partition *leader;
	struct expr_fixture expr;
};

static void open_fixture(struct fixture *x, uint32_t voter_count)
{
	x->f = partition_fixture_create(voter_count);
	x->leader = partition_fixture_elect(x->f, 1);
	expr_fixture_open(&x->expr);
	assert_int_equal(expr_fixture_bind(&x->expr, "{'V':{':one':{'N':'1'},':new':{'S':'new'}}}"), ST_OK);
}

static void close_fixture(struct fixture *x)
{
	expr_fixture_close(&x->expr);
	partition_fixture_destroy(x->f);
}

static const Cleave__ExprCondition *condition(struct fixture *x, const char *text)
{
	Cleave__ExprCondition *parsed;

	assert_int_equal(expr_condition_parse(&x->expr.bind, EXPR_CONDITION, slice_of_string(text), &parsed),
			 ST_OK);
	return parsed;
}

static const Cleave__ExprUpdate *update(struct fixture *x, const char *text)
{
	Cleave__ExprUpdate *parsed;

	assert_int_equal(expr_update_parse(&x->expr.bind, slice_of_string(text), &parsed), ST_OK);
	return parsed;
}

/* An update of an item whose key attribute is "k". */
static void init_update(struct fixture *x, struct watched_write *write, const char *name, const char *text,
			uint64_t request, Cleave__WriteItemRequest__Returned returned)
{
	watched_write_init(write, name, "unused", request);
	write->base.kind = PARTITION_UPDATE;
	write->base.item = expr_fixture_item(&x->expr, "{'k':{'S':'key'}}");
	write->base.update = update(x, text);
	write->base.returned = returned;
}

static const char *returned_json(struct fixture *x, const struct watched_write *write)
{
	return write->old_item.size == 0 ? "" : expr_fixture_json(&x->expr, buf_slice(&write->old_item));
}

static void a_failed_condition_changes_nothing_and_a_retry_hears_the_same(void **state)
{
	struct fixture x;
	struct watched_write write;
	bool matches;

	(void)state;
	open_fixture(&x, 3);
	assert_int_equal(partition_fixture_put(x.f, x.leader, "a", "one", 1), ST_OK);
	watched_write_init(&write, "a", "two", 2);
	write.base.condition = condition(&x, "attribute_not_exists(v)");
	write.base.returns_old_on_failure = true;
	assert_int_equal(watched_write_run(x.f, &write, x.leader), ST_CONDITION_FAILED);
	assert_true(partition_fixture_item_is(buf_slice(&write.old_item), "one"));
	assert_int_equal(write.base.new_size_bytes, write.base.old_size_bytes);
	assert_int_equal(partition_fixture_get(x.f, x.leader, "a", true, "one", &matches), ST_OK);
	assert_true(matches);
	assert_int_equal(partition_fixture_put(x.f, x.leader, "a", NULL, 3), ST_OK);
	assert_int_equal(watched_write_start(&write, x.leader),
			 ST_CONDITION_FAILED); /* though now it holds */
	assert_true(partition_fixture_item_is(buf_slice(&write.old_item), "one"));
	watched_write_close(&write);
	close_fixture(&x);
}

static void a_condition_that_holds_is_no_hindrance(void **state)
{
	struct fixture x;
	struct watched_write write;
	bool matches;

	(void)state;
	open_fixture(&x, 1);
	watched_write_init(&write, "a", "one", 1);
	write.base.condition = condition(&x, "attribute_not_exists(v)");
	assert_int_equal(watched_write_run(x.f, &write, x.leader), ST_OK);
	watched_write_close(&write);
	watched_write_init(&write, "a", NULL, 2);
	write.base.condition = condition(&x, "attribute_exists(v)");
	assert_int_equal(watched_write_run(x.f, &write, x.leader), ST_OK);
	assert_true(partition_fixture_item_is(buf_slice(&write.old_item), "one"));
	watched_write_close(&write);
	assert_int_equal(partition_fixture_get(x.f, x.leader, "a", true, "one", &matches), ST_NOT_FOUND);
	close_fixture(&x);
}

static void a_failed_condition_is_not_told_before_the_pending_write_that_it_saw(void **state)
{
	struct fixture x;
	struct watched_write put;
	struct watched_write refused;

	(void)state;
	open_fixture(&x, 3);
	group_fixture_isolate(x.f->net, 1, true);
	watched_write_init(&put, "a", "one", 1);
	watched_write_init(&refused, "a", "two", 2);
	refused.base.condition = condition(&x, "attribute_not_exists(v)");
	assert_int_equal(watched_write_start(&put, x.leader), ST_WOULD_BLOCK);
	assert_int_equal(watched_write_start(&refused, x.leader), ST_WOULD_BLOCK);
	partition_fixture_run_ms(x.f, 20);
	assert_int_equal(refused.done_count, 0);
	partition_fixture_run_ms(x.f, 3 * GROUP_FIXTURE_ELECTION_MS);
	assert_int_equal(put.status, ST_UNKNOWN_OUTCOME);
	assert_int_equal(refused.status, ST_UNKNOWN_OUTCOME);
	watched_write_close(&put);
	watched_write_close(&refused);
	close_fixture(&x);
}

static void counters_of_one_turn_add_up(void **state)
{
	enum { COUNT = 10 };
	struct fixture x;
	struct watched_write writes[COUNT];

	(void)state;
	open_fixture(&x, 3);
	for (uint32_t i = 0; i < COUNT; i++) {
		init_update(&x, &writes[i], "a", "ADD n :one", i + 1, RETURNED(UPDATED_NEW));
		assert_int_equal(watched_write_start(&writes[i], x.leader), ST_WOULD_BLOCK);
	}
	partition_fixture_run_ms(x.f, 10);
	for (uint32_t i = 0; i < COUNT; i++) {
		char expected[32];

		(void)snprintf(expected, sizeof(expected), "{'n':{'N':'%u'}}", i + 1);
		assert_int_equal(writes[i].status, ST_OK);
		assert_string_equal(returned_json(&x, &writes[i]), expected);
		watched_write_close(&writes[i]);
	}
	close_fixture(&x);
}

static void an_update_returns_what_it_is_asked_for(void **state)
{
	static const struct {
		const char *text;
		Cleave__WriteItemRequest__Returned returned;
		const char *json;
	} steps[] = {
		{ "SET v = :new, n = :one", RETURNED(OLD), "" },
		{ "SET n = n + :one", RETURNED(OLD), "{'k':{'S':'key'},'n':{'N':'1'},'v':{'S':'new'}}" },
		{ "SET n = n + :one", RETURNED(UPDATED_OLD), "{'n':{'N':'2'}}" },
		{ "SET n = n + :one", RETURNED(UPDATED_NEW), "{'n':{'N':'4'}}" },
		{ "REMOVE v", RETURNED(UPDATED_NEW), "" },
		{ "REMOVE n", RETURNED(NEW), "{'k':{'S':'key'}}" },
		{ "SET n = :one", RETURNED(NOTHING), "" },
	};
	struct fixture x;

	(void)state;
	open_fixture(&x, 1);
	for (uint32_t i = 0; i < ARRAY_COUNT(steps); i++) {
		struct watched_write write;

		init_update(&x, &write, "a", steps[i].text, i + 1, steps[i].returned);
		assert_int_equal(watched_write_run(x.f, &write, x.leader), ST_OK);
		assert_string_equal(returned_json(&x, &write), steps[i].json);
		watched_write_close(&write);
	}
	close_fixture(&x);
}

static void an_update_that_the_item_does_not_allow_is_refused_and_remembered(void **state)
{
	struct fixture x;
	struct watched_write write;
	bool matches;

	(void)state;
	open_fixture(&x, 1);
	assert_int_equal(partition_fixture_put(x.f, x.leader, "a", "one", 1), ST_OK);
	init_update(&x, &write, "a", "SET n = nix + :one", 2, RETURNED(NEW));
	for (uint32_t attempt = 0; attempt < 2; attempt++) {
		enum status status = attempt == 0 ? watched_write_run(x.f, &write, x.leader)
						  : watched_write_start(&write, x.leader);

		assert_int_equal(status, ST_REFUSED);
		assert_int_equal(write.base.update_error, EXPR_UPDATE_ERROR(MISSING_ATTRIBUTE));
		assert_string_equal(returned_json(&x, &write), "");
	}
	watched_write_close(&write);
	assert_int_equal(partition_fixture_get(x.f, x.leader, "a", true, "one", &matches), ST_OK);
	assert_true(matches);
	close_fixture(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_condition_changes_nothing_and_a_retry_hears_the_same),
		cmocka_unit_test(a_condition_that_holds_is_no_hindrance),
		cmocka_unit_test(a_failed_condition_is_not_told_before_the_pending_write_that_it_saw),
		cmocka_unit_test(counters_of_one_turn_add_up),
		cmocka_unit_test(an_update_returns_what_it_is_asked_for),
		cmocka_unit_test(an_update_that_the_item_does_not_allow_is_refused_and_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
