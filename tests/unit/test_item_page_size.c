#include "storage/item/item_page_size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/json/json_reader.h"

enum { ARENA_SIZE = 4 * 1024 * 1024 };

struct input {
	struct slice item;
};

static const struct json_field fields[] = { JSON_FIELD(struct input, "I", &json_type_item, item) };
static const struct json_type type = JSON_STRUCT("Input", struct input, fields);

static uint64_t size_of(const char *json, const char *sort_key_name)
{
	struct json_error error;
	struct input input;
	struct arena arena;
	uint64_t size;

	arena_init(&arena, ARENA_SIZE);
	assert_int_equal(json_read(&type, &input, slice_of_string(json), &arena, &error), ST_OK);
	size = item_page_size_bytes(input.item, slice_of_string(sort_key_name));
	arena_close(&arena);
	return size;
}

static void each_type_has_its_size(void **state)
{
	static const struct {
		const char *json;
		uint64_t size; /* besides the row and its one head: 20 */
	} cases[] = {
		{ "{\"I\":{}}", 0 },
		{ "{\"I\":{\"name\":{\"S\":\"abc\"}}}", 1 + 1 + 3 },
		{ "{\"I\":{\"name\":{\"B\":\"AQI=\"}}}", 1 + 1 + 2 },
		{ "{\"I\":{\"name\":{\"N\":\"12.3456\"}}}", 1 + 1 + 4 },
		{ "{\"I\":{\"name\":{\"BOOL\":true}}}", 1 + 1 },
		{ "{\"I\":{\"name\":{\"NULL\":true}}}", 1 },
		{ "{\"I\":{\"name\":{\"SS\":[\"a\",\"bc\"]}}}", 1 + 1 + 2 + 3 },
		{ "{\"I\":{\"name\":{\"NS\":[\"1.23\",\"12.3\"]}}}", 1 + 1 + 2 + 6 },
		{ "{\"I\":{\"name\":{\"BS\":[\"AQI=\",\"Ag==\",\"AQ==\"]}}}", 1 + 1 + 3 + 4 },
		{ "{\"I\":{\"name\":{\"L\":[{\"S\":\"a\"},{\"NULL\":true}]}}}", 1 + 3 + 3 + 1 },
		{ "{\"I\":{\"name\":{\"M\":{\"k\":{\"S\":\"a\"}}}}}", 1 + 3 + 2 + 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(size_of(cases[i].json, ""), 20 + cases[i].size);
}

/* An item { a, sk: "24", e: so many bytes }. */
static uint64_t size_with_text(size_t text_size)
{
	struct buf json;
	uint64_t size;

	buf_init(&json, ARENA_SIZE);
	buf_append_slice(&json, slice_of_string("{\"I\":{\"a\":{\"S\":\"0123456789\"},\"sk\":{\"S\":\"24\"},"
						"\"e\":{\"S\":\""));
	for (size_t i = 0; i < text_size; i++)
		buf_put_u8(&json, 'e');
	buf_append_slice(&json, slice_of_string("\"}}}"));
	buf_put_u8(&json, 0);
	size = size_of((const char *)json.data, "sk");
	buf_close(&json);
	return size;
}

static void each_begun_block_repeats_the_sort_key(void **state)
{
	/* a takes 12, e its name and length; the sort key lies in the heads alone. */
	const uint64_t besides = 12 + 1 + 2;

	(void)state;
	assert_int_equal(size_with_text(3072 - 2 - besides), 2 + 3070 + 20);
	assert_int_equal(size_with_text(3072 - 1 - besides), 2 + 3071 + 2 * 20);
	assert_int_equal(size_with_text(127), 2 + 12 + 1 + 1 + 127 + 20);
	assert_int_equal(size_with_text(128), 2 + 12 + 1 + 2 + 128 + 20);
	assert_int_equal(size_with_text(16383), 2 + besides + 16383 + 6 * 20);
	assert_int_equal(size_with_text(16384), 2 + besides + 1 + 16384 + 6 * 20);
}

/* Two rows that differ by one byte, on both sides of a page's end: 24 of one and one of the other. */
static void a_page_ends_where_the_service_ended_it(void **state)
{
	uint64_t under = size_with_text(41645);

	(void)state;
	assert_true(25 * under < LIMIT_PAGE_SIZE_BYTES);
	assert_true(24 * under + size_with_text(41646) >= LIMIT_PAGE_SIZE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_has_its_size),
		cmocka_unit_test(each_begun_block_repeats_the_sort_key),
		cmocka_unit_test(a_page_ends_where_the_service_ended_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
