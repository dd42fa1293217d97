#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/json/json_item_write.h"
#include "proto/model/item_builder.h"

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

/* {"a":{"L":[{"BOOL":true},{"S":"\""}]}} */
static void build(struct buf *buf)
{
	struct item_builder builder;

	item_builder_init(&builder, buf);
	item_builder_name(&builder, text("a"));
	item_builder_open(&builder, ITEM_L);
	item_builder_bool(&builder, true);
	item_builder_string(&builder, text("\""));
	item_builder_close(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

static void an_item_and_a_value_are_written_as_typed_json(void **state)
{
	static const char item_json[] = "{\"a\":{\"L\":[{\"BOOL\":true},{\"S\":\"\\\"\"}]}}";
	struct item_value value;
	struct buf item;
	struct buf out;

	(void)state;
	buf_init(&item, 256);
	buf_init(&out, 256);
	build(&item);
	assert_int_equal(json_item_write(&out, buf_slice(&item)), ST_OK);
	assert_true(slice_equal(buf_slice(&out), text(item_json)));
	buf_reset(&out);
	assert_true(item_find(buf_slice(&item), text("a"), &value));
	assert_int_equal(json_item_write_value(&out, &value), ST_OK);
	assert_true(slice_equal(buf_slice(&out), slice_of(item_json + 5, sizeof(item_json) - 1 - 6)));
	buf_close(&item);
	buf_close(&out);
}

static void the_limit_of_the_buf_is_told(void **state)
{
	struct buf item;

	(void)state;
	buf_init(&item, 256);
	build(&item);
	for (size_t limit = 1; limit < 37; limit++) {
		struct buf out;

		buf_init(&out, limit);
		assert_int_equal(json_item_write(&out, buf_slice(&item)), ST_TOO_BIG);
		buf_close(&out);
	}
	buf_close(&item);
}

static void bytes_that_are_no_item_are_not_written(void **state)
{
	static const uint8_t bytes[] = { 0, 0, 0, 2, 1, 'a', ITEM_N, 1, 0x81 };
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(json_item_write(&out, slice_of(bytes, sizeof(bytes))), ST_CORRUPT);
	assert_int_equal(json_item_write(&out, slice_of(bytes, 3)), ST_CORRUPT);
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_and_a_value_are_written_as_typed_json),
		cmocka_unit_test(the_limit_of_the_buf_is_told),
		cmocka_unit_test(bytes_that_are_no_item_are_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
