#include "node/catalog/catalog_units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { INDEX_COUNT = 3 };

static const uint64_t S = 1000000;
static const uint64_t DAY = UINT64_C(86400) * 1000000;
static const uint64_t NOON = UINT64_C(20000) * 86400 * 1000000 + UINT64_C(43200) * 1000000;

/* A table with two global indexes, of which one is being made, and a local one. */
struct fixture {
	struct arena arena;
	struct table_info table;
	struct table_indexes *indexes;
	struct table_indexes *wanted; /* as they shall be */
};

static void fixture_open(struct fixture *f, bool is_on_demand)
{
	const size_t set_size = sizeof(*f->indexes) + INDEX_COUNT * sizeof(f->indexes->list[0]);
	uint64_t units = is_on_demand ? 0 : 10;

	memset(f, 0, sizeof(*f));
	arena_init(&f->arena, 1 << 20);
	f->indexes = arena_alloc_zeroed(&f->arena, set_size);
	f->wanted = arena_alloc_zeroed(&f->arena, set_size);
	assert_true(f->indexes != NULL && f->wanted != NULL);
	f->table = (struct table_info){ .state = TABLE_UPDATING,
					.is_on_demand = is_on_demand,
					.read_units = units,
					.write_units = units,
					.billing_changed_wall_us = is_on_demand ? S : 0,
					.indexes = f->indexes };
	f->indexes->count = INDEX_COUNT;
	f->indexes->list[0] = (struct table_index){
		.name = "ready", .state = INDEX_ACTIVE, .read_units = units, .write_units = units
	};
	f->indexes->list[1] = (struct table_index){
		.name = "coming", .state = INDEX_CREATING, .read_units = units, .write_units = units
	};
	f->indexes->list[2] = (struct table_index){ .name = "near",
						    .local_number = 1,
						    .state = INDEX_ACTIVE };
	memcpy(f->wanted, f->indexes, set_size);
}

static void begin(struct fixture *f, bool is_on_demand, uint64_t read_units, uint64_t write_units,
		  uint64_t now_us)
{
	Cleave__TableRecord wanted = CLEAVE__TABLE_RECORD__INIT;

	wanted.is_on_demand = is_on_demand;
	wanted.read_units = read_units;
	wanted.write_units = write_units;
	assert_int_equal(catalog_units_begin(&f->table, &wanted, f->wanted, now_us, &f->arena), ST_OK);
}

static void finish(struct fixture *f, uint64_t now_us)
{
	assert_int_equal(catalog_units_finish(&f->table, now_us, &f->arena), ST_OK);
	assert_false(f->table.next_units.is_set);
}

static void assert_units(const struct table_info *table, uint64_t read_units, uint64_t write_units)
{
	assert_int_equal(table->read_units, read_units);
	assert_int_equal(table->write_units, write_units);
}

static void assert_index(const struct fixture *f, size_t at, enum index_state state, uint64_t read_units,
			 uint64_t write_units)
{
	const struct table_index *index = &f->table.indexes->list[at];

	assert_int_equal(index->state, state);
	assert_int_equal(index->read_units, read_units);
	assert_int_equal(index->write_units, write_units);
}

static void a_table_keeps_its_units_until_the_update_is_done(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	begin(&f, false, 30, 5, NOON);
	assert_units(&f.table, 10, 10);
	assert_int_equal(f.table.increased_wall_us, NOON);
	assert_int_equal(f.table.decreased_wall_us, NOON);
	assert_int_equal(f.table.decreases_today, 0);
	assert_index(&f, 0, INDEX_ACTIVE, 10, 10); /* the update does not concern it */
	finish(&f, NOON + S);
	assert_units(&f.table, 30, 5);
	assert_int_equal(f.table.increased_wall_us, NOON + S);
	assert_int_equal(f.table.decreased_wall_us, NOON + S);
	assert_int_equal(f.table.decreases_today, 1);
	arena_close(&f.arena);
}

static void units_that_stay_are_no_change(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	begin(&f, false, 10, 10, NOON);
	assert_false(f.table.next_units.is_set);
	finish(&f, NOON + S);
	assert_units(&f.table, 10, 10);
	assert_int_equal(f.table.increased_wall_us, 0);
	assert_int_equal(f.table.decreased_wall_us, 0);
	arena_close(&f.arena);
}

static void an_index_keeps_its_units_until_the_update_is_done(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	f.wanted->list[0].read_units = 20;
	f.wanted->list[1].write_units = 3;
	begin(&f, false, 10, 10, NOON);
	assert_ptr_not_equal(f.table.indexes, f.indexes);
	assert_index(&f, 0, INDEX_UPDATING, 10, 10);
	assert_index(&f, 1, INDEX_CREATING, 10, 10);
	assert_index(&f, 2, INDEX_ACTIVE, 0, 0);
	finish(&f, NOON + S);
	assert_index(&f, 0, INDEX_ACTIVE, 20, 10);
	assert_index(&f, 1, INDEX_CREATING, 10, 3);
	assert_index(&f, 2, INDEX_ACTIVE, 0, 0);
	for (size_t i = 0; i < INDEX_COUNT; i++)
		assert_false(f.table.indexes->list[i].next_units.is_set);
	assert_units(&f.table, 10, 10);
	arena_close(&f.arena);
}

static void a_table_without_indexes_gets_none(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	f.table.indexes = NULL;
	begin(&f, false, 20, 20, NOON);
	assert_null(f.table.indexes);
	finish(&f, NOON + S);
	assert_null(f.table.indexes);
	assert_units(&f.table, 20, 20);
	arena_close(&f.arena);
}

static void decreases_count_by_the_day_of_their_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	begin(&f, false, 9, 10, NOON);
	finish(&f, NOON + S);
	begin(&f, false, 8, 10, NOON + 2 * S);
	assert_int_equal(f.table.decreases_today, 1);
	finish(&f, NOON + 3 * S);
	assert_int_equal(f.table.decreases_today, 2);
	begin(&f, false, 7, 10, NOON + DAY);
	assert_int_equal(f.table.decreases_today, 0);
	finish(&f, NOON + DAY + DAY / 2); /* midnight: one day later */
	assert_int_equal(f.table.decreases_today, 1);
	begin(&f, false, 6, 10, NOON + DAY + DAY / 2);
	finish(&f, NOON + DAY + DAY / 2);
	assert_int_equal(f.table.decreases_today, 2);
	arena_close(&f.arena);
}

/* As clients tell the two apart, even if the clock was set back meanwhile. */
static void the_end_is_later_than_the_beginning(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	begin(&f, false, 20, 5, NOON);
	finish(&f, NOON - S);
	assert_int_equal(f.table.increased_wall_us, NOON + 1000);
	assert_int_equal(f.table.decreased_wall_us, NOON + 1000);
	arena_close(&f.arena);
}

static void on_demand_begins_at_once_and_is_dated_at_its_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, false);
	f.wanted->list[0].read_units = f.wanted->list[0].write_units = 0;
	begin(&f, true, 0, 0, NOON);
	assert_true(f.table.is_on_demand);
	assert_units(&f.table, 0, 0);
	assert_int_equal(f.table.billing_changed_wall_us, 0);
	assert_index(&f, 0, INDEX_UPDATING, 0, 0);
	assert_index(&f, 2, INDEX_ACTIVE, 0, 0);
	finish(&f, NOON + S);
	assert_true(f.table.is_on_demand);
	assert_int_equal(f.table.billing_changed_wall_us, NOON + S);
	assert_index(&f, 0, INDEX_ACTIVE, 0, 0);
	arena_close(&f.arena);
}

static void provisioned_begins_at_once_and_keeps_the_date_of_on_demand(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, true);
	f.wanted->list[0].read_units = f.wanted->list[0].write_units = 7;
	begin(&f, false, 5, 6, NOON);
	assert_false(f.table.is_on_demand);
	assert_units(&f.table, 5, 6);
	assert_index(&f, 0, INDEX_UPDATING, 7, 7);
	assert_int_equal(f.table.increased_wall_us, 0);
	finish(&f, NOON + S);
	assert_units(&f.table, 5, 6);
	assert_index(&f, 0, INDEX_ACTIVE, 7, 7);
	assert_int_equal(f.table.billing_changed_wall_us, S);
	arena_close(&f.arena);
}

static void an_on_demand_maximum_changes_at_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, true);
	begin(&f, true, 100, 0, NOON);
	assert_units(&f.table, 100, 0);
	finish(&f, NOON + S);
	assert_units(&f.table, 100, 0);
	assert_int_equal(f.table.billing_changed_wall_us, S);
	assert_int_equal(f.table.increased_wall_us, 0);
	arena_close(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_keeps_its_units_until_the_update_is_done),
		cmocka_unit_test(units_that_stay_are_no_change),
		cmocka_unit_test(an_index_keeps_its_units_until_the_update_is_done),
		cmocka_unit_test(a_table_without_indexes_gets_none),
		cmocka_unit_test(decreases_count_by_the_day_of_their_end),
		cmocka_unit_test(the_end_is_later_than_the_beginning),
		cmocka_unit_test(on_demand_begins_at_once_and_is_dated_at_its_end),
		cmocka_unit_test(provisioned_begins_at_once_and_keeps_the_date_of_on_demand),
		cmocka_unit_test(an_on_demand_maximum_changes_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
