#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/model/item_builder.h"
#include "proto/model/item_check.h"

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static void every_type_passes_the_check(void **state)
{
	struct item_builder builder;
	struct decimal number;
	struct buf buf;

	(void)state;
	decimal_from_int(&number, -42);
	buf_init(&buf, 4096);
	item_builder_init(&builder, &buf);
	item_builder_name(&builder, text("s"));
	item_builder_string(&builder, text(""));
	item_builder_name(&builder, text("n"));
	item_builder_number(&builder, &number);
	item_builder_name(&builder, text("b"));
	item_builder_head(&builder, ITEM_B, 3);
	buf_append_string(&buf, "raw");
	item_builder_name(&builder, text("t"));
	item_builder_bool(&builder, true);
	item_builder_name(&builder, text("0"));
	item_builder_null(&builder);
	item_builder_name(&builder, text("m"));
	item_builder_open(&builder, ITEM_M);
	item_builder_name(&builder, text("l"));
	item_builder_open(&builder, ITEM_L);
	item_builder_null(&builder);
	item_builder_close(&builder);
	item_builder_name(&builder, text("ns"));
	item_builder_open(&builder, ITEM_NS);
	item_builder_member_number(&builder, &number);
	item_builder_close(&builder);
	item_builder_name(&builder, text("bs"));
	item_builder_open(&builder, ITEM_BS);
	item_builder_member_head(&builder, 2);
	buf_append_string(&buf, "xy");
	item_builder_member(&builder, text("z"));
	item_builder_close(&builder);
	item_builder_close(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(item_check(item_builder_item(&builder)), ST_OK);
	assert_int_equal(item_count(item_builder_item(&builder)), 6);
	buf_close(&buf);
}

static void an_item_may_stand_behind_other_bytes(void **state)
{
	struct item_builder builder;
	struct buf buf;

	(void)state;
	buf_init(&buf, 64);
	buf_append_string(&buf, "header");
	item_builder_init(&builder, &buf);
	item_builder_name(&builder, text("l"));
	item_builder_open(&builder, ITEM_L);
	item_builder_close(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(item_check(item_builder_item(&builder)), ST_OK);
	assert_memory_equal(buf.data, "header", 6);
	buf_close(&buf);
}

static void attributes_are_copied_from_another_item(void **state)
{
	struct item_builder builder;
	struct item_attribute attribute;
	struct item_iter iter;
	struct buf from;
	struct buf to;

	(void)state;
	buf_init(&from, 256);
	buf_init(&to, 256);
	item_builder_init(&builder, &from);
	item_builder_name(&builder, text("a"));
	item_builder_string(&builder, text("x"));
	item_builder_name(&builder, text("l"));
	item_builder_open(&builder, ITEM_L);
	item_builder_bool(&builder, false);
	item_builder_close(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	item_builder_init(&builder, &to);
	item_iter_init(&iter, buf_slice(&from));
	while (item_next_attribute(&iter, &attribute))
		item_builder_attribute(&builder, &attribute);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_true(slice_equal(buf_slice(&from), buf_slice(&to)));
	buf_close(&from);
	buf_close(&to);
}

/* A leaf below count containers. */
static enum status build_nested(struct buf *buf, uint32_t count)
{
	struct item_builder builder;

	item_builder_init(&builder, buf);
	item_builder_name(&builder, text("d"));
	for (uint32_t i = 0; i < count; i++)
		item_builder_open(&builder, ITEM_L);
	item_builder_null(&builder);
	for (uint32_t i = 0; i < count; i++)
		item_builder_close(&builder);
	return item_builder_finish(&builder);
}

static void a_leaf_may_lie_at_level_32(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	assert_int_equal(build_nested(&buf, LIMIT_NESTING_DEPTH - 1), ST_OK);
	assert_int_equal(item_check(buf_slice(&buf)), ST_OK);
	buf_reset(&buf);
	assert_int_equal(build_nested(&buf, LIMIT_NESTING_DEPTH), ST_TOO_BIG);
	buf_close(&buf);
}

static void the_limit_of_the_buf_sticks(void **state)
{
	enum { ITEM_SIZE = 4 + 4 + 16 + 5 + 10 };

	(void)state;
	for (size_t limit = 0; limit <= ITEM_SIZE; limit++) {
		struct item_builder builder;
		struct buf buf;

		buf_init(&buf, limit);
		item_builder_init(&builder, &buf);
		item_builder_name(&builder, text("set"));
		item_builder_open(&builder, ITEM_SS);
		item_builder_member(&builder, text("member"));
		item_builder_close(&builder);
		item_builder_name(&builder, text("long"));
		item_builder_string(&builder, text("a string"));
		assert_int_equal(item_builder_finish(&builder), limit < ITEM_SIZE ? ST_TOO_BIG : ST_OK);
		buf_close(&buf);
	}
}

static void a_name_over_its_limit_sticks(void **state)
{
	static uint8_t name[LIMIT_ATTRIBUTE_NAME_SIZE_BYTES + 1];
	struct item_builder builder;
	struct buf buf;

	(void)state;
	buf_init(&buf, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, &buf);
	item_builder_name(&builder, slice_of(name, sizeof(name) - 1));
	item_builder_null(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	item_builder_init(&builder, &buf);
	item_builder_name(&builder, slice_of(name, sizeof(name)));
	item_builder_null(&builder);
	assert_int_equal(item_builder_finish(&builder), ST_TOO_BIG);
	buf_close(&buf);
}

static void an_open_set_can_be_looked_at(void **state)
{
	struct item_builder builder;
	struct buf buf;

	(void)state;
	buf_init(&buf, 256);
	item_builder_init(&builder, &buf);
	item_builder_name(&builder, text("set"));
	item_builder_open(&builder, ITEM_SS);
	item_builder_member(&builder, text("a"));
	assert_int_equal(item_check_unique(item_builder_open_payload(&builder), ITEM_SS), ST_OK);
	item_builder_member(&builder, text("a"));
	assert_int_equal(item_check_unique(item_builder_open_payload(&builder), ITEM_SS), ST_INVALID);
	buf_close(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_passes_the_check),
		cmocka_unit_test(an_item_may_stand_behind_other_bytes),
		cmocka_unit_test(attributes_are_copied_from_another_item),
		cmocka_unit_test(a_leaf_may_lie_at_level_32),
		cmocka_unit_test(the_limit_of_the_buf_sticks),
		cmocka_unit_test(a_name_over_its_limit_sticks),
		cmocka_unit_test(an_open_set_can_be_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
