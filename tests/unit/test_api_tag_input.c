#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "coordinator/api/api_tag_input.h"

#define ARN "\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/things\""

static struct arena arena;
static struct api_error error;
static struct api_tag_input input;

static bool read_input(enum api_tag_kind kind, const char *body)
{
	api_error_init(&error);
	arena_reset(&arena);
	return api_tag_input_read(kind, slice_of_string(body), &arena, &input, &error);
}

static void refused(enum api_tag_kind kind, const char *body, const char *message)
{
	assert_false(read_input(kind, body));
	assert_int_equal(error.type, API_ERROR_VALIDATION);
	assert_string_equal(error.message, message);
}

static int open_arena(void **state)
{
	(void)state;
	arena_init(&arena, 16 * 1024 * 1024);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static void tags_and_keys_are_read(void **state)
{
	(void)state;
	assert_true(read_input(API_TAG, "{" ARN ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},"
					"{\"Key\":\"b\",\"Value\":\"\"}]}"));
	assert_int_equal(input.put->n_tags, 2);
	assert_int_equal(input.put->tags[1]->value.len, 0);
	assert_true(read_input(API_UNTAG, "{" ARN ",\"TagKeys\":[\"a\",\"b\",\"c\"]}"));
	assert_int_equal(input.remove_count, 3);
	assert_true(read_input(API_TAG_LIST, "{" ARN "}"));
}

static void the_resource_is_judged_first(void **state)
{
	(void)state;
	refused(API_TAG, "{}", "Invalid TableArn");
	assert_false(read_input(API_UNTAG, "{\"ResourceArn\":\"things\"}"));
	assert_int_equal(error.type, API_ERROR_ACCESS_DENIED);
	assert_string_equal(error.message,
			    "User: arn:aws:iam::000000000000:root is not authorized to perform: "
			    "dynamodb:UntagResource on resource: things");
	refused(API_TAG, "{\"ResourceArn\":\"a:b:c:d:e:f/g\"}",
		"1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must "
		"not be null");
	refused(API_TAG, "{\"ResourceArn\":\"a:b:c:d:e:f/g\",\"Tags\":[]}",
		"Invalid TableArn: Invalid ResourceArn provided as input a:b:c:d:e:f/g");
	refused(API_TAG_LIST,
		"{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/things/index/abc\"}",
		"One or more parameter values were invalid: Invalid resource arn provided, only table or "
		"stream "
		"is accepted. Provided resource arn: "
		"arn:aws:dynamodb:us-east-1:000000000000:table/things/index/abc");
}

static void tags_keep_the_rules(void **state)
{
	char body[2048];

	(void)state;
	refused(API_TAG, "{" ARN ",\"Tags\":[]}", "Atleast one Tag needs to be provided as Input.");
	refused(API_UNTAG, "{" ARN ",\"TagKeys\":[]}", "Atleast one Tag Key needs to be provided as Input.");
	refused(API_TAG, "{" ARN ",\"Tags\":[{\"Value\":\"a\"}]}",
		"The Tag Key provided is invalid, Key: null");
	refused(API_TAG, "{" ARN ",\"Tags\":[{\"Key\":\"\",\"Value\":\"a\"}]}",
		"The Tag Key provided is invalid, Key: ");
	refused(API_TAG, "{" ARN ",\"Tags\":[{\"Key\":\"aws:x\",\"Value\":\"a\"}]}",
		"Tag Key cannot be prefixed with aws:, Key: aws:x");
	refused(API_UNTAG, "{" ARN ",\"TagKeys\":[\"aws:x\"]}",
		"Tag Key cannot be prefixed with aws:, Key: aws:x");
	refused(API_TAG,
		"{" ARN ",\"Tags\":[{\"Key\":\"x\",\"Value\":\"a\"},{\"Key\":\"x\",\"Value\":\"b\"}]}",
		"Duplicate Tag Keys provided as input: Duplicate Tag Key found x");
	refused(API_TAG_LIST, "{" ARN ",\"NextToken\":\"x\"}", "The provided NextToken is invalid");
	(void)snprintf(body, sizeof(body), "{" ARN ",\"Tags\":[{\"Key\":\"%0128d\",\"Value\":\"%0256d\"}]}",
		       0, 0);
	assert_true(read_input(API_TAG, body));
	(void)snprintf(body, sizeof(body), "{" ARN ",\"Tags\":[{\"Key\":\"%0129d\",\"Value\":\"\"}]}", 0);
	assert_false(read_input(API_TAG, body));
	(void)snprintf(body, sizeof(body), "{" ARN ",\"Tags\":[{\"Key\":\"a\",\"Value\":\"%0257d\"}]}", 0);
	assert_false(read_input(API_TAG, body));
}

static void fifty_one_tags_are_too_many(void **state)
{
	struct buf body;

	(void)state;
	buf_init(&body, 65536);
	buf_append_string(&body, "{" ARN ",\"Tags\":[");
	for (int i = 0; i < LIMIT_TAG_COUNT + 1; i++)
		buf_append_format(&body, "%s{\"Key\":\"k%d\",\"Value\":\"\"}", i == 0 ? "" : ",", i);
	buf_append_string(&body, "]}");
	buf_put_u8(&body, 0);
	refused(API_TAG, (const char *)body.data,
		"Number of Tags exceed the current limit for the provided ResourceArn");
	buf_close(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_and_keys_are_read),
		cmocka_unit_test(the_resource_is_judged_first),
		cmocka_unit_test(tags_keep_the_rules),
		cmocka_unit_test(fifty_one_tags_are_too_many),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
