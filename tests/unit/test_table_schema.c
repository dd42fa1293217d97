#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/model/table_schema.h"

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static void a_schema_has_one_or_two_keys(void **state)
{
	struct table_schema schema;

	(void)state;
	assert_int_equal(table_schema_init(&schema, text("pk"), text("S")), ST_OK);
	assert_int_equal(table_schema_key_count(&schema), 1);
	assert_int_equal(table_schema_add_sort_key(&schema, text("sk"), text("N")), ST_OK);
	assert_int_equal(table_schema_key_count(&schema), 2);
	assert_int_equal(table_schema_find(&schema, text("sk"))->type, ITEM_N);
	assert_ptr_equal(table_schema_find(&schema, text("pk")), table_schema_partition_key(&schema));
	assert_null(table_schema_find(&schema, text("s")));
}

static void key_types_are_s_n_and_b_only(void **state)
{
	static const char *const bad[] = { "", "SS", "BOOL", "L", "M", "s", "NULL", "NS" };
	struct table_schema schema;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(table_schema_init(&schema, text("pk"), text(bad[i])), ST_INVALID);
	assert_int_equal(table_schema_init(&schema, text("pk"), text("B")), ST_OK);
}

static void key_names_have_1_to_255_bytes(void **state)
{
	struct table_schema schema;
	char name[LIMIT_KEY_NAME_SIZE_BYTES + 1];

	(void)state;
	memset(name, 'k', sizeof(name));
	assert_int_equal(table_schema_init(&schema, slice_of(name, 0), text("S")), ST_INVALID);
	assert_int_equal(table_schema_init(&schema, slice_of(name, sizeof(name)), text("S")), ST_INVALID);
	assert_int_equal(table_schema_init(&schema, slice_of(name, sizeof(name) - 1), text("S")), ST_OK);
	assert_int_equal(key_attribute_name(table_schema_partition_key(&schema)).size,
			 LIMIT_KEY_NAME_SIZE_BYTES);
}

static void both_keys_have_different_names(void **state)
{
	struct table_schema schema;

	(void)state;
	assert_int_equal(table_schema_init(&schema, text("id"), text("S")), ST_OK);
	assert_int_equal(table_schema_add_sort_key(&schema, text("id"), text("N")), ST_INVALID);
	assert_null(table_schema_sort_key(&schema));
}

static void schemas_are_equal_by_names_types_and_count(void **state)
{
	struct table_schema a;
	struct table_schema b;

	(void)state;
	assert_int_equal(table_schema_init(&a, text("id"), text("S")), ST_OK);
	assert_int_equal(table_schema_init(&b, text("id"), text("S")), ST_OK);
	assert_true(table_schema_equal(&a, &b));
	assert_int_equal(table_schema_add_sort_key(&b, text("at"), text("N")), ST_OK);
	assert_false(table_schema_equal(&a, &b));
	assert_int_equal(table_schema_add_sort_key(&a, text("at"), text("B")), ST_OK);
	assert_false(table_schema_equal(&a, &b));
}

static void a_key_has_up_to_four_attributes_of_each_kind(void **state)
{
	static const char *const partition[] = { "g1", "g2", "g3", "g4", "g5" };
	static const char *const sort[] = { "h1", "h2", "h3", "h4", "h5" };
	struct table_schema schema;

	(void)state;
	assert_int_equal(table_schema_init(&schema, text(partition[0]), text("S")), ST_OK);
	assert_true(table_schema_is_simple(&schema));
	assert_int_equal(table_schema_add_partition_key(&schema, text("g1"), text("N")), ST_INVALID);
	for (size_t i = 1; i < ARRAY_COUNT(partition); i++)
		assert_int_equal(table_schema_add_partition_key(&schema, text(partition[i]), text("N")),
				 i < LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT ? ST_OK : ST_INVALID);
	assert_false(table_schema_is_simple(&schema));
	assert_int_equal(table_schema_add_sort_key(&schema, text("g2"), text("N")), ST_INVALID);
	for (size_t i = 0; i < ARRAY_COUNT(sort); i++)
		assert_int_equal(table_schema_add_sort_key(&schema, text(sort[i]), text("B")),
				 i < LIMIT_SORT_KEY_ATTRIBUTE_COUNT ? ST_OK : ST_INVALID);
	assert_int_equal(table_schema_key_count(&schema), LIMIT_KEY_ATTRIBUTE_COUNT);
	for (uint32_t i = 0; i < LIMIT_KEY_ATTRIBUTE_COUNT; i++) {
		const char *name = i < 4 ? partition[i] : sort[i - 4];
		const struct key_attribute *found = table_schema_find(&schema, text(name));

		assert_ptr_equal(found, &schema.attributes[i]);
		assert_int_equal(table_schema_is_sort_key(&schema, found), i >= 4);
	}
}

static void a_partition_attribute_does_not_follow_a_sort_attribute(void **state)
{
	struct table_schema schema;

	(void)state;
	assert_int_equal(table_schema_init(&schema, text("g1"), text("S")), ST_OK);
	assert_int_equal(table_schema_add_sort_key(&schema, text("h1"), text("S")), ST_OK);
	assert_true(table_schema_is_simple(&schema));
	assert_int_equal(table_schema_add_partition_key(&schema, text("g2"), text("S")), ST_INVALID);
	assert_int_equal(table_schema_add_sort_key(&schema, text("h2"), text("S")), ST_OK);
	assert_false(table_schema_is_simple(&schema));
}

static void table_names_have_3_to_255_of_a_few_characters(void **state)
{
	char name[LIMIT_TABLE_NAME_SIZE_BYTES_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(table_schema_name_is_valid(text("aZ9_.-")));
	assert_true(table_schema_name_is_valid(slice_of(name, sizeof(name) - 1)));
	assert_false(table_schema_name_is_valid(slice_of(name, sizeof(name))));
	assert_false(table_schema_name_is_valid(text("ab")));
	assert_false(table_schema_name_is_valid(text("a b")));
	assert_false(table_schema_name_is_valid(text("abc/")));
	assert_false(table_schema_name_is_valid(slice_of("ab\0", 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schema_has_one_or_two_keys),
		cmocka_unit_test(key_types_are_s_n_and_b_only),
		cmocka_unit_test(key_names_have_1_to_255_bytes),
		cmocka_unit_test(both_keys_have_different_names),
		cmocka_unit_test(schemas_are_equal_by_names_types_and_count),
		cmocka_unit_test(a_key_has_up_to_four_attributes_of_each_kind),
		cmocka_unit_test(a_partition_attribute_does_not_follow_a_sort_attribute),
		cmocka_unit_test(table_names_have_3_to_255_of_a_few_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
