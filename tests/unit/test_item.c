#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/model/item.h"
#include "proto/model/item_builder.h"

struct fixture {
	struct buf buf;
	struct item_builder builder;
};

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static void start(struct fixture *f)
{
	buf_init(&f->buf, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&f->builder, &f->buf);
}

static struct slice finish(struct fixture *f)
{
	assert_int_equal(item_builder_finish(&f->builder), ST_OK);
	return item_builder_item(&f->builder);
}

static void put_number(struct fixture *f, const char *name, const char *number_text)
{
	struct decimal number;

	assert_int_equal(decimal_parse(&number, text(number_text)), DECIMAL_OK);
	item_builder_name(&f->builder, text(name));
	item_builder_number(&f->builder, &number);
}

static void attributes_come_in_their_order(void **state)
{
	struct fixture f;
	struct item_iter iter;
	struct item_attribute attribute;

	(void)state;
	start(&f);
	item_builder_name(&f.builder, text("b"));
	item_builder_string(&f.builder, text("x"));
	item_builder_name(&f.builder, text("a"));
	item_builder_bool(&f.builder, true);
	item_iter_init(&iter, finish(&f));
	assert_true(item_next_attribute(&iter, &attribute));
	assert_true(slice_equal(attribute.name, text("b")));
	assert_int_equal(attribute.value.type, ITEM_S);
	assert_true(slice_equal(attribute.value.payload, text("x")));
	assert_true(item_next_attribute(&iter, &attribute));
	assert_true(slice_equal(attribute.name, text("a")));
	assert_int_equal(attribute.value.encoded.size, 3);
	assert_false(item_next_attribute(&iter, &attribute));
	assert_int_equal(item_iter_status(&iter), ST_OK);
	buf_close(&f.buf);
}

static void an_attribute_is_found_by_its_whole_name(void **state)
{
	struct fixture f;
	struct item_value value;
	struct slice item;

	(void)state;
	start(&f);
	put_number(&f, "count", "12");
	put_number(&f, "counter", "13");
	item = finish(&f);
	assert_int_equal(item_count(item), 2);
	assert_true(item_find(item, text("counter"), &value));
	assert_int_equal(value.type, ITEM_N);
	assert_false(item_find(item, text("coun"), &value));
	assert_false(item_find(item, text(""), &value));
	buf_close(&f.buf);
}

static void a_list_is_read_by_index(void **state)
{
	struct fixture f;
	struct item_value list;
	struct item_value value;

	(void)state;
	start(&f);
	item_builder_name(&f.builder, text("l"));
	item_builder_open(&f.builder, ITEM_L);
	item_builder_null(&f.builder);
	item_builder_string(&f.builder, text("second"));
	item_builder_close(&f.builder);
	assert_true(item_find(finish(&f), text("l"), &list));
	assert_true(item_list_at(list.payload, 1, &value));
	assert_true(slice_equal(value.payload, text("second")));
	assert_false(item_list_at(list.payload, 2, &value));
	buf_close(&f.buf);
}

static void a_walk_over_cut_bytes_ends_with_corrupt(void **state)
{
	struct fixture f;
	struct item_attribute attribute;
	struct slice item;

	(void)state;
	start(&f);
	item_builder_name(&f.builder, text("name"));
	item_builder_string(&f.builder, text("value"));
	item_builder_name(&f.builder, text("other"));
	item_builder_null(&f.builder);
	item = finish(&f);
	for (size_t size = 0; size < item.size; size++) {
		struct item_iter iter;

		item_iter_init(&iter, slice_of(item.data, size));
		while (item_next_attribute(&iter, &attribute))
			;
		assert_int_equal(item_iter_status(&iter), ST_CORRUPT);
	}
	buf_close(&f.buf);
}

static void names_of_types_go_both_ways(void **state)
{
	enum item_type type;

	(void)state;
	for (enum item_type t = ITEM_S; t <= ITEM_BS; t++) {
		assert_true(item_type_parse(text(item_type_name(t)), &type));
		assert_int_equal(type, t);
	}
	assert_false(item_type_parse(text("X"), &type));
	assert_false(item_type_parse(text(""), &type));
	assert_false(item_type_parse(text("LS"), &type));
	assert_false(item_type_parse(text("SX"), &type));
	assert_false(item_type_parse(text("BOOLS"), &type));
	assert_string_equal(item_type_name(0), "?");
}

static uint64_t size_of_finished(struct fixture *f)
{
	uint64_t size_bytes = item_size_bytes(finish(f));

	buf_close(&f->buf);
	return size_bytes;
}

static void scalars_count_names_and_values(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	item_builder_name(&f.builder, text("s"));
	item_builder_string(&f.builder, text("\xc3\xa9")); /* 2 bytes of UTF-8 */
	item_builder_name(&f.builder, text("bin"));
	item_builder_binary(&f.builder, text("12345"));
	item_builder_name(&f.builder, text("yes"));
	item_builder_bool(&f.builder, true);
	item_builder_name(&f.builder, text("none"));
	item_builder_null(&f.builder);
	put_number(&f, "n", "-12.5");
	assert_int_equal(size_of_finished(&f), (1 + 2) + (3 + 5) + (3 + 1) + (4 + 1) + (1 + 4));
}

static void containers_count_3_and_1_per_element(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	item_builder_name(&f.builder, text("l"));
	item_builder_open(&f.builder, ITEM_L);
	item_builder_string(&f.builder, text("ab"));
	item_builder_null(&f.builder);
	item_builder_close(&f.builder);
	item_builder_name(&f.builder, text("m"));
	item_builder_open(&f.builder, ITEM_M);
	item_builder_name(&f.builder, text("key"));
	item_builder_string(&f.builder, text("v"));
	item_builder_close(&f.builder);
	assert_int_equal(size_of_finished(&f), (1 + 3 + (1 + 2) + (1 + 1)) + (1 + 3 + (1 + 3 + 1)));
}

static void sets_count_their_members(void **state)
{
	struct fixture f;
	struct decimal number;

	(void)state;
	decimal_from_int(&number, 7);
	start(&f);
	item_builder_name(&f.builder, text("ss"));
	item_builder_open(&f.builder, ITEM_SS);
	item_builder_member(&f.builder, text("abc"));
	item_builder_member(&f.builder, text("d"));
	item_builder_close(&f.builder);
	item_builder_name(&f.builder, text("ns"));
	item_builder_open(&f.builder, ITEM_NS);
	item_builder_member_number(&f.builder, &number);
	item_builder_close(&f.builder);
	assert_int_equal(size_of_finished(&f), (2 + 4) + (2 + 2));
}

static void hostile_depth_does_not_exhaust_the_stack(void **state)
{
	struct buf buf;
	enum { DEPTH = 200000, LEVEL_SIZE = 9 };

	(void)state;
	/* Each list says that one list lies in it, whose size goes to the end. */
	buf_init(&buf, DEPTH * LEVEL_SIZE + 16);
	buf_put_u32_be(&buf, 1);
	buf_put_u8(&buf, 0);
	for (uint32_t i = 0; i < DEPTH; i++) {
		buf_put_u8(&buf, ITEM_L);
		buf_put_u32_be(&buf, (DEPTH - i) * LEVEL_SIZE - 5);
		buf_put_u32_be(&buf, i + 1 < DEPTH);
	}
	assert_int_equal(buf.status, ST_OK);
	assert_true(item_size_bytes(buf_slice(&buf)) > 0);
	buf_close(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_come_in_their_order),
		cmocka_unit_test(an_attribute_is_found_by_its_whole_name),
		cmocka_unit_test(a_list_is_read_by_index),
		cmocka_unit_test(a_walk_over_cut_bytes_ends_with_corrupt),
		cmocka_unit_test(names_of_types_go_both_ways),
		cmocka_unit_test(scalars_count_names_and_values),
		cmocka_unit_test(containers_count_3_and_1_per_element),
		cmocka_unit_test(sets_count_their_members),
		cmocka_unit_test(hostile_depth_does_not_exhaust_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
