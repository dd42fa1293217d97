#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/api/api_error.h"
#include "proto/model/item_builder.h"

static void assert_written(const struct api_error *error, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	api_error_write(error, &out);
	buf_put_u8(&out, 0);
	assert_string_equal((const char *)out.data, expected);
	buf_close(&out);
}

static void the_first_error_stays(void **state)
{
	struct api_error error;

	(void)state;
	api_error_init(&error);
	api_error_set(&error, API_ERROR_RESOURCE_NOT_FOUND, "%s", "first");
	api_error_set(&error, API_ERROR_INTERNAL, "%s", "second");
	assert_int_equal(api_error_http_code(error.type), 400);
	assert_written(&error, "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\","
			       "\"message\":\"first\"}");
}

static void serialization_errors_have_a_capital_message_or_none(void **state)
{
	struct api_error error;

	(void)state;
	api_error_init(&error);
	api_error_set(&error, API_ERROR_SERIALIZATION, "%s", "said \"so\"");
	assert_written(&error, "{\"__type\":\"com.amazon.coral.service#SerializationException\","
			       "\"Message\":\"said \\\"so\\\"\"}");
	api_error_init(&error);
	api_error_set(&error, API_ERROR_SERIALIZATION, "%s", "");
	assert_written(&error, "{\"__type\":\"com.amazon.coral.service#SerializationException\"}");
}

static void a_failed_condition_shows_the_item_that_it_failed_on(void **state)
{
	struct item_builder builder;
	struct api_error error;
	struct buf item;
	struct buf out;

	(void)state;
	buf_init(&item, 256);
	buf_init(&out, 4096);
	item_builder_init(&builder, &item);
	item_builder_name(&builder, slice_of_string("a"));
	item_builder_string(&builder, slice_of_string("x"));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	api_error_init(&error);
	api_error_set(&error, API_ERROR_CONDITIONAL_CHECK_FAILED, "%s", "no");
	assert_int_equal(api_error_write_item(&error, buf_slice(&item), &out), ST_OK);
	buf_put_u8(&out, 0);
	assert_string_equal(
		(const char *)out.data,
		"{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","
		"\"message\":\"no\",\"Item\":{\"a\":{\"S\":\"x\"}}}");
	buf_reset(&out);
	assert_int_equal(api_error_write_item(&error, slice_of("\xff", 1), &out), ST_CORRUPT);
	buf_close(&out);
	buf_close(&item);
	assert_written(&error,
		       "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","
		       "\"message\":\"no\"}");
}

static void every_type_has_a_name_and_a_code(void **state)
{
	(void)state;
	for (int type = 0; type < API_ERROR_TYPE_COUNT; type++) {
		assert_non_null(api_error_name((enum api_error_type)type));
		assert_int_not_equal(api_error_http_code((enum api_error_type)type), 0);
	}
	assert_int_equal(api_error_http_code(API_ERROR_INTERNAL), 500);
}

static void a_message_is_never_cut_inside_a_character(void **state)
{
	char text[2 * LIMIT_ERROR_MESSAGE_SIZE_BYTES + 1];
	struct api_error error;

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 3);
		text[sizeof(text) - 1] = '\0';
		api_error_init(&error);
		api_error_set(&error, API_ERROR_VALIDATION, "%s", text);
		assert_int_equal((strlen(error.message) - shift) % 3, 0);
		assert_true(strlen(error.message) > LIMIT_ERROR_MESSAGE_SIZE_BYTES - 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_error_stays),
		cmocka_unit_test(serialization_errors_have_a_capital_message_or_none),
		cmocka_unit_test(a_failed_condition_shows_the_item_that_it_failed_on),
		cmocka_unit_test(every_type_has_a_name_and_a_code),
		cmocka_unit_test(a_message_is_never_cut_inside_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
