#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/api/api_arn.h"

static bool parse(const char *text, struct api_arn *arn_out)
{
	return api_arn_parse(slice_of_string(text), arn_out);
}

static void assert_slice(struct slice slice, const char *expected)
{
	assert_int_equal(slice.size, strlen(expected));
	assert_memory_equal(slice.data, expected, slice.size);
}

static void a_table_and_an_index_are_told_apart(void **state)
{
	struct api_arn arn;

	(void)state;
	assert_true(parse("arn:aws:dynamodb:eu-west-1:000000000000:table/things", &arn));
	assert_slice(arn.region, "eu-west-1");
	assert_slice(arn.account, "000000000000");
	assert_slice(arn.table, "things");
	assert_int_equal(arn.index.size, 0);
	assert_true(parse("arn:aws-cn:dynamodb:cn-north-1:1:table/a.b_c-d/index/by-name", &arn));
	assert_slice(arn.table, "a.b_c-d");
	assert_slice(arn.index, "by-name");
}

static void what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"things",
		"arn:",
		"arn:aws:dynamodb",
		"arn:aws:dynamodb:::table/things",
		"arn:aws:dynamodb:r:a:table/",
		"arn:aws:dynamodb:r:a:table/ab",
		"arn:aws:dynamodb:r:a:table/a b c",
		"arn:aws:dynamodb:r:a:stream/things",
		"arn:aws:s3:r:a:table/things",
		"arn:gcp:dynamodb:r:a:table/things",
		"arn:aws:dynamodb:r:a:table/things/",
		"arn:aws:dynamodb:r:a:table/things/index/",
		"arn:aws:dynamodb:r:a:table/things/index/ab",
		"arn:aws:dynamodb:r:a:table/things/stream/label",
		"arn:aws:dynamodb:r:a:table/things/index/abc/index/abd",
	};
	struct api_arn arn;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		assert_false(parse(texts[i], &arn));
		assert_false(api_arn_names_table(slice_of_string(texts[i])));
	}
	assert_false(api_arn_names_table(slice_of_string("arn:aws:dynamodb:r:a:table/things/index/abc")));
}

static void an_arn_is_written_as_it_is_read(void **state)
{
	struct json_writer writer;
	struct api_arn arn;
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	json_writer_init(&writer, &out);
	json_writer_object_start(&writer);
	api_arn_write_index(&writer, "IndexArn", "eu-west-1", "things", "by-name");
	json_writer_object_end(&writer);
	assert_int_equal(out.status, ST_OK);
	assert_true(api_arn_parse(slice_of(out.data + 13, out.size - 15), &arn));
	assert_slice(arn.index, "by-name");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_and_an_index_are_told_apart),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(an_arn_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
