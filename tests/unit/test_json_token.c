#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/json/json_token.h"

static void the_first_error_of_a_kind_stays(void **state)
{
	struct json_error error;

	(void)state;
	json_error_init(&error);
	json_error_set(&error, JSON_ERROR_VALIDATION, "first %d", 1);
	json_error_set(&error, JSON_ERROR_VALIDATION, "second");
	assert_int_equal(error.kind, JSON_ERROR_VALIDATION);
	assert_string_equal(error.message, "first 1");
}

static void a_serialization_error_replaces_a_validation_error_only(void **state)
{
	struct json_error error;

	(void)state;
	json_error_init(&error);
	json_error_set(&error, JSON_ERROR_VALIDATION, "value");
	json_error_set(&error, JSON_ERROR_SERIALIZATION, "type");
	json_error_set(&error, JSON_ERROR_VALIDATION, "another value");
	json_error_set(&error, JSON_ERROR_SERIALIZATION, "another type");
	assert_int_equal(error.kind, JSON_ERROR_SERIALIZATION);
	assert_string_equal(error.message, "type");
}

static void a_long_message_is_cut(void **state)
{
	char text[2 * LIMIT_ERROR_MESSAGE_SIZE_BYTES];
	struct json_error error;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	json_error_init(&error);
	json_error_set(&error, JSON_ERROR_VALIDATION, "%s", text);
	assert_int_equal(strlen(error.message), LIMIT_ERROR_MESSAGE_SIZE_BYTES - 1);
}

static void booleans_may_stand_in_strings(void **state)
{
	static const struct {
		struct json_token token;
		bool is_bool;
		bool value;
	} table[] = {
		{ { JSON_TOKEN_TRUE, { NULL, 0 } }, true, true },
		{ { JSON_TOKEN_FALSE, { NULL, 0 } }, true, false },
		{ { JSON_TOKEN_STRING, { (const uint8_t *)"true", 4 } }, true, true },
		{ { JSON_TOKEN_STRING, { (const uint8_t *)"no", 2 } }, true, false },
		{ { JSON_TOKEN_STRING, { (const uint8_t *)"23", 2 } }, false, false },
		{ { JSON_TOKEN_NUMBER, { (const uint8_t *)"1", 1 } }, false, false },
		{ { JSON_TOKEN_NULL, { NULL, 0 } }, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		bool value = false;

		assert_int_equal(json_token_to_bool(&table[i].token, &value), table[i].is_bool);
		assert_int_equal(value, table[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_error_of_a_kind_stays),
		cmocka_unit_test(a_serialization_error_replaces_a_validation_error_only),
		cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(booleans_may_stand_in_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
