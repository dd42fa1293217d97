#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/api/api_check.h"

static const char *const values[] = { "HASH", "RANGE", NULL };
static const struct json_values key_enum = { values, "[HASH, RANGE]" };

static const struct json_rule one_or_two = { .has_bounds = true, .min = 1, .max = 2 };

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
	api_check_enum(&check, API_PATH("A"), slice_of(NULL, 0), &key_enum);
	api_check_size(&check, API_PATH("A"), slice_of(NULL, 0), 1, 2);
	api_check_range(&check, API_PATH("A"), &one_or_two, (struct json_number){ .is_set = false });
	api_check_table_name(&check, API_PATH("A"), slice_of(NULL, 0));
	assert_true(api_check_passed(&check, &error));
	api_check_required(&check, API_PATH("A"), false);
	assert_false(api_check_passed(&check, &error));
	assert_string_equal(error.message, "1 validation error detected: Value null at 'a' failed to satisfy "
					   "constraint: Member must not be null");
}

static void bounds_are_inclusive(void **state)
{
	struct api_check check;

	(void)state;
	api_check_init(&check);
	api_check_size(&check, API_PATH("A"), text("x"), 1, 2);
	api_check_size(&check, API_PATH("A"), text("xx"), 1, 2);
	api_check_range(&check, API_PATH("A"), &one_or_two, (struct json_number){ true, 1 });
	api_check_range(&check, API_PATH("A"), &one_or_two, (struct json_number){ true, 2 });
	assert_int_equal(check.count, 0);
	api_check_size(&check, API_PATH("A"), text(""), 1, 2);
	api_check_size(&check, API_PATH("A"), text("xxx"), 1, 2);
	api_check_range(&check, API_PATH("A"), &one_or_two, (struct json_number){ true, 0 });
	api_check_range(&check, API_PATH("A"), &one_or_two, (struct json_number){ true, 3 });
	assert_int_equal(check.count, 4);
}

/* A surrogate pair is two units, whatever its bytes. */
static void lengths_are_those_of_utf16(void **state)
{
	struct api_check check;

	(void)state;
	assert_int_equal(api_check_utf16_size(text("a\u00e9\u20ac\U0001F600")), 5);
	api_check_init(&check);
	api_check_size(&check, API_PATH("A"), text("\u20ac\u20ac"), 1, 2);
	assert_int_equal(check.count, 0);
}

static void a_path_names_fields_elements_and_keys(void **state)
{
	const struct api_path map = { .parent = API_PATH("RequestItems"), .key = text("things") };
	const struct api_path keys = { .parent = &map, .field = "Keys" };
	const struct api_path key = { .parent = &keys, .number = 3 };
	struct api_error error;
	struct api_check check;

	(void)state;
	api_error_init(&error);
	api_check_init(&check);
	api_check_required(&check, &key, false);
	assert_false(api_check_passed(&check, &error));
	assert_non_null(strstr(error.message, "at 'requestItems.things.member.keys.3.member' failed"));
}

static void a_bare_bound_shows_no_value_and_keeps_the_name(void **state)
{
	const struct json_rule rule = { .has_bounds = true, .min = 1, .max = 2, .is_bare = true };
	struct api_error error;
	struct api_check check;

	(void)state;
	api_error_init(&error);
	api_check_init(&check);
	api_check_range(&check, API_PATH("Limit"), &rule, (struct json_number){ true, 0 });
	assert_false(api_check_passed(&check, &error));
	assert_string_equal(error.message, "1 validation error detected: Value at 'Limit' failed to satisfy "
					   "constraint: Member must have value greater than or equal to 1");
}

static void a_wrong_arn_is_told_alone_and_last(void **state)
{
	static const char index[] = "arn:aws:dynamodb:eu-west-1:000000000000:table/things/index/by-name";
	static const char table[] = "arn:aws:dynamodb:eu-west-1:000000000000:table/things";
	struct api_error error;
	struct api_check check;

	(void)state;
	api_error_init(&error);
	api_check_init(&check);
	api_check_table(&check, API_PATH("TableName"), text(table));
	assert_true(api_check_passed(&check, &error));
	api_check_table(&check, API_PATH("TableName"), text(index));
	assert_false(api_check_passed(&check, &error));
	assert_string_equal(error.message,
			    "1 validation error detected: Invalid resource type in "
			    "'arn:aws:dynamodb:eu-west-1:000000000000:table/things/index/by-name'");
	api_error_init(&error);
	api_check_required(&check, API_PATH("Key"), false);
	assert_false(api_check_passed(&check, &error));
	assert_non_null(strstr(error.message, "Value null at 'key'"));
}

static void no_more_than_ten_messages_are_given(void **state)
{
	struct api_check check;

	(void)state;
	api_check_init(&check);
	for (int i = 0; i < 20; i++)
		api_check_required(&check, API_PATH("A"), false);
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
		api_check_enum(&check, API_PATH("A"), text(huge), &key_enum);
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
		cmocka_unit_test(absent_values_pass_all_but_required),
		cmocka_unit_test(bounds_are_inclusive),
		cmocka_unit_test(no_more_than_ten_messages_are_given),
		cmocka_unit_test(a_huge_value_is_cut),
		cmocka_unit_test(an_enumeration_finds_its_values),
		cmocka_unit_test(lengths_are_those_of_utf16),
		cmocka_unit_test(a_path_names_fields_elements_and_keys),
		cmocka_unit_test(a_wrong_arn_is_told_alone_and_last),
		cmocka_unit_test(a_bare_bound_shows_no_value_and_keeps_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
