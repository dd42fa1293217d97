#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/json/json_writer.h"

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static void assert_text(struct buf *buf, const char *expected)
{
	assert_int_equal(buf->status, ST_OK);
	assert_int_equal(buf->size, strlen(expected));
	assert_memory_equal(buf->data, expected, buf->size);
	buf_close(buf);
}

static void commas_stand_between_values_only(void **state)
{
	struct json_writer writer;
	struct buf buf;

	(void)state;
	buf_init(&buf, 256);
	json_writer_init(&writer, &buf);
	json_writer_object_start(&writer);
	json_writer_member_int(&writer, "Count", -2);
	json_writer_key(&writer, "Items");
	json_writer_list_start(&writer);
	json_writer_list_start(&writer);
	json_writer_list_end(&writer);
	json_writer_object_start(&writer);
	json_writer_object_end(&writer);
	json_writer_null(&writer);
	json_writer_list_end(&writer);
	json_writer_member_bool(&writer, "Last", true);
	json_writer_member_text(&writer, "Name", "n");
	json_writer_member_raw(&writer, "Units", text("0.5"));
	json_writer_object_end(&writer);
	assert_text(&buf, "{\"Count\":-2,\"Items\":[[],{},null],\"Last\":true,\"Name\":\"n\",\"Units\":0.5}");
}

static void control_characters_quotes_and_backslashes_are_escaped(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 256);
	json_writer_quote(&buf, slice_of("a\"b\\c\n\t\r\b\f\0\x1f\x7f/", 14));
	assert_text(&buf, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0000\\u001f\x7f/\"");
}

/* The fast path looks at eight bytes at once: each byte, at each place among them. */
static void every_byte_is_treated_alike_at_every_place(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		bool is_escaped = byte < 0x20 || byte == '"' || byte == '\\';

		for (size_t place = 0; place < 16; place++) {
			uint8_t bytes[16];
			struct buf buf;

			memset(bytes, 'x', sizeof(bytes));
			bytes[place] = (uint8_t)byte;
			buf_init(&buf, 64);
			json_writer_quote(&buf, slice_of(bytes, sizeof(bytes)));
			assert_int_equal(buf.size > sizeof(bytes) + 2, is_escaped);
			assert_int_equal(buf.data[1 + place], is_escaped ? '\\' : byte);
			buf_close(&buf);
		}
	}
}

static void the_limit_sticks(void **state)
{
	struct json_writer writer;
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	json_writer_init(&writer, &buf);
	json_writer_list_start(&writer);
	json_writer_string(&writer, text("too long for it"));
	json_writer_list_end(&writer);
	assert_int_equal(buf.status, ST_TOO_BIG);
	buf_close(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_values_only),
		cmocka_unit_test(control_characters_quotes_and_backslashes_are_escaped),
		cmocka_unit_test(every_byte_is_treated_alike_at_every_place),
		cmocka_unit_test(the_limit_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
