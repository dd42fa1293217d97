#include "proto/catalog/catalog_update.h"

#include "tests/unit/catalog_fixture.h"

static void put_table(struct catalog_state *catalog, uint32_t table_id, const char *name)
{
	struct table_info table = { .table_id = table_id,
				    .state = TABLE_ACTIVE,
				    .version = ++catalog->version };

	(void)snprintf(table.name, sizeof(table.name), "%s", name);
	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(catalog_state_put_table(catalog, &table), ST_OK);
}

/* Bring the copy to the source by one update; true if it changed. */
static bool send(const struct catalog_state *source, struct catalog_state *copy, bool is_full,
		 const struct catalog_removed *removed, size_t removed_count)
{
	struct buf packed;
	bool has_changed;

	buf_init(&packed, 1 << 20);
	assert_int_equal(catalog_update_pack(source, copy->version, is_full, removed, removed_count, &packed),
			 ST_OK);
	assert_int_equal(catalog_update_apply(copy, buf_slice(&packed), &has_changed), ST_OK);
	assert_int_equal(copy->version, source->version);
	buf_close(&packed);
	return has_changed;
}

static void full_update_replaces_everything(void **state)
{
	struct catalog_state source;
	struct catalog_state copy;

	(void)state;
	catalog_state_init(&source);
	catalog_state_init(&copy);
	put_table(&copy, 9, "stale");
	put_table(&source, 1, "orders");
	put_table(&source, 2, "others");
	assert_true(send(&source, &copy, true, NULL, 0));
	assert_int_equal(copy.table_count, 2);
	assert_null(catalog_state_table(&copy, 9));
	assert_false(send(&source, &copy, true, NULL, 0)); /* nothing newer */
	catalog_state_close(&source);
	catalog_state_close(&copy);
}

static void name_may_be_given_to_another_table(void **state)
{
	struct catalog_state source;
	struct catalog_state copy;
	struct catalog_removed removed = { .kind = CATALOG_REMOVED_TABLE, .id = 1 };

	(void)state;
	catalog_state_init(&source);
	catalog_state_init(&copy);
	put_table(&source, 1, "orders");
	assert_true(send(&source, &copy, true, NULL, 0));
	catalog_state_remove_table(&source, 1);
	removed.version = ++source.version;
	put_table(&source, 2, "orders");
	assert_true(send(&source, &copy, false, &removed, 1));
	assert_int_equal(catalog_state_table_named(&copy, slice_of_string("orders"))->table_id, 2);
	assert_int_equal(copy.table_count, 1);
	catalog_state_close(&source);
	catalog_state_close(&copy);
}

static void update_that_does_not_fit_makes_the_state_ask_anew(void **state)
{
	struct catalog_state source;
	struct catalog_state copy;
	struct buf packed;
	bool has_changed;

	(void)state;
	catalog_state_init(&source);
	catalog_state_init(&copy);
	put_table(&source, 1, "orders");
	assert_true(send(&source, &copy, true, NULL, 0));
	catalog_state_remove_table(&source, 1);
	source.version++;
	put_table(&source, 2, "orders");
	buf_init(&packed, 1 << 20);
	/* The removal is missing: the name is taken. */
	assert_int_equal(catalog_update_pack(&source, copy.version, false, NULL, 0, &packed), ST_OK);
	assert_int_equal(catalog_update_apply(&copy, buf_slice(&packed), &has_changed), ST_EXISTS);
	assert_int_equal(copy.version, 0);
	buf_close(&packed);
	assert_true(send(&source, &copy, true, NULL, 0));
	assert_int_equal(catalog_state_table_at(&copy, 0)->table_id, 2);
	catalog_state_close(&source);
	catalog_state_close(&copy);
}

/* Whatever is cut off or changed, the answer is a status and nothing leaks. */
static void mangled_updates_are_survived(void **state)
{
	struct catalog_state source;
	struct buf packed;

	(void)state;
	catalog_state_init(&source);
	put_table(&source, 1, "orders");
	buf_init(&packed, 1 << 20);
	assert_int_equal(catalog_update_pack(&source, 0, true, NULL, 0, &packed), ST_OK);
	for (size_t i = 0; i < packed.size; i++) {
		struct catalog_state copy;
		enum status status;
		bool has_changed;

		catalog_state_init(&copy);
		status = catalog_update_apply(&copy, slice_of(packed.data, i), &has_changed);
		assert_true(status == ST_OK || copy.version == 0);
		catalog_state_close(&copy);
		packed.data[i] ^= 0x5a;
		status = catalog_update_apply(&copy, buf_slice(&packed), &has_changed);
		assert_true(status == ST_OK || copy.version == 0);
		packed.data[i] ^= 0x5a;
		catalog_state_close(&copy);
	}
	buf_close(&packed);
	catalog_state_close(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_update_replaces_everything),
		cmocka_unit_test(name_may_be_given_to_another_table),
		cmocka_unit_test(update_that_does_not_fit_makes_the_state_ask_anew),
		cmocka_unit_test(mangled_updates_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
