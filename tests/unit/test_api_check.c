#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/api/api_check.h"

static const char *const values[] = { "HASH", "RANGE", NULL };
static const struct api_enum key_enum = { values, "[HASH, RANGE]" };

static struct slice text(const char *value)
{
	return slice_of_string(value);
}

static void absent_values_pass_all_but_required(void **state)
{
	struct api_error error;
	struct api_check check;

	(void)state;
	api_error_init(&error);
	api_check_init(&check);
	api_check_enum(&check, "a", slice_of(NULL, 0), &key_enum);
	api_check_size(&check, "a", slice_of(NULL, 0), 1, 2);
	api_check_range(&check, "a", (struct json_number){ .is_set = false }, 1, 2);
	api_check_count(&check, "a", &(struct json_list){ .is_set = false }, 1, 2);
	api_check_table_name(&check, "a", slice_of(NULL, 0));
	assert_true(api_check_passed(&check, &error));
	api_check_required(&check, "a", false);
	assert_false(api_check_passed(&check, &error));
	assert_string_equal(error.message, "1 validation error detected: Value null at 'a' failed to satisfy "
					   "constraint: Member must not be null");
}

static void bounds_are_inclusive(void **state)
{
	struct api_check check;

	(void)state;
	api_check_init(&check);
	api_check_size(&check, "a", text("x"), 1, 2);
	api_check_size(&check, "a", text("xx"), 1, 2);
	api_check_range(&check, "a", (struct json_number){ true, 1 }, 1, 2);
	api_check_range(&check, "a", (struct json_number){ true, 2 }, 1, 2);
	assert_int_equal(check.count, 0);
	api_check_size(&check, "a", text(""), 1, 2);
	api_check_size(&check, "a", text("xxx"), 1, 2);
	api_check_range(&check, "a", (struct json_number){ true, 0 }, 1, 2);
	api_check_range(&check, "a", (struct json_number){ true, 3 }, 1, 2);
	assert_int_equal(check.count, 4);
}

static void no_more_than_ten_messages_are_given(void **state)
{
	struct api_check check;

	(void)state;
	api_check_init(&check);
	for (int i = 0; i < 20; i++)
		api_check_required(&check, "a", false);
	assert_int_equal(check.count, API_CHECK_COUNT_MAX);
}

static void a_huge_value_is_cut(void **state)
{
	static char huge[64 * 1024];
	struct api_error error;
	struct api_check check;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	api_error_init(&error);
	api_check_init(&check);
	for (int i = 0; i < API_CHECK_COUNT_MAX; i++)
		api_check_enum(&check, "a", text(huge), &key_enum);
	assert_false(api_check_passed(&check, &error));
	assert_true(strlen(error.message) < LIMIT_ERROR_MESSAGE_SIZE_BYTES);
}

static void an_enumeration_finds_its_values(void **state)
{
	(void)state;
	assert_int_equal(api_enum_index(&key_enum, text("RANGE")), 1);
	assert_int_equal(api_enum_index(&key_enum, text("range")), -1);
	assert_int_equal(api_enum_index(&key_enum, slice_of(NULL, 0)), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_values_pass_all_but_required), cmocka_unit_test(bounds_are_inclusive),
		cmocka_unit_test(no_more_than_ten_messages_are_given), cmocka_unit_test(a_huge_value_is_cut),
		cmocka_unit_test(an_enumeration_finds_its_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
