#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "proto/base/rng.h"
#include "proto/model/item_builder.h"
#include "proto/model/item_check.h"

enum { SEED = 7, MUTATION_COUNT = 20000 };

struct bytes_case {
	size_t size;
	uint8_t bytes[32];
};

#define BYTES(...)                                                                                           \
	{                                                                                                    \
		sizeof((uint8_t[]){ __VA_ARGS__ }),                                                          \
		{                                                                                            \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static void assert_status(const struct bytes_case *bytes, enum status expected)
{
	assert_int_equal(item_check(slice_of(bytes->bytes, bytes->size)), expected);
}

static void well_formed_bytes_pass(void **state)
{
	static const struct bytes_case good[] = {
		BYTES(0, 0, 0, 0),
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_S, 1, 'x'),
		BYTES(0, 0, 0, 1, 0, ITEM_S, 0),
		BYTES(0, 0, 0, 2, 1, 'a', ITEM_NULL, 0, 1, 'b', ITEM_BOOL, 1, 1),
		BYTES(0, 0, 0, 1, 1, 'n', ITEM_N, 1, 0x80),
		BYTES(0, 0, 0, 1, 1, 'l', ITEM_L, 0, 0, 0, 4, 0, 0, 0, 0),
		BYTES(0, 0, 0, 1, 1, 's', ITEM_SS, 0, 0, 0, 7, 0, 0, 0, 2, 0, 1, 'x'),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(good); i++)
		assert_status(&good[i], ST_OK);
}

static void bytes_we_never_write_are_corrupt(void **state)
{
	static const struct bytes_case bad[] = {
		BYTES(0, 0, 0),                                /* no head */
		BYTES(0, 0, 0, 0, 0),                          /* trailing byte */
		BYTES(0, 0, 0, 2, 1, 'a', ITEM_NULL, 0),       /* fewer than counted */
		BYTES(0, 0, 0, 1, 1, 'a', 0, 0),               /* no such type */
		BYTES(0, 0, 0, 1, 1, 'a', 11, 0),              /* no such type */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_NULL, 1, 0),    /* NULL with a payload */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_BOOL, 1, 2),    /* BOOL 2 */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_BOOL, 0),       /* BOOL without payload */
		BYTES(0, 0, 0, 1, 1, 0xff, ITEM_NULL, 0),      /* name not UTF-8 */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_S, 1, 0xc0),    /* string not UTF-8 */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_N, 0),          /* no number */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_N, 2, 0x80, 0), /* more than a number */
		BYTES(0, 0, 0, 1, 0x81, 0, 'a', ITEM_NULL, 0), /* size not in the shortest form */
		BYTES(0, 0, 0, 1, 1, 'a', ITEM_S, 0x80, 0),    /* the same in a value */
		BYTES(0, 0, 0, 1, 1, 's', ITEM_SS, 0, 0, 0, 4, 0, 0, 0, 0),                 /* empty set */
		BYTES(0, 0, 0, 1, 1, 's', ITEM_SS, 0, 0, 0, 6, 0, 0, 0, 1, 0x80, 0),        /* member size */
		BYTES(0, 0, 0, 1, 1, 's', ITEM_SS, 0, 0, 0, 8, 0, 0, 0, 2, 1, 'x', 1, 'x'), /* twice */
		BYTES(0, 0, 0, 1, 1, 's', ITEM_NS, 0, 0, 0, 6, 0, 0, 0, 1, 1, 'x'),         /* no number */
		BYTES(0, 0, 0, 1, 1, 'l', ITEM_L, 0, 0, 0, 5, 0, 0, 0, 0, 0),  /* trailing in a list */
		BYTES(0, 0, 0, 2, 1, 'a', ITEM_NULL, 0, 1, 'a', ITEM_NULL, 0), /* name twice */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_status(&bad[i], ST_CORRUPT);
}

static void utf8_is_checked_strictly(void **state)
{
	static const char *const good[] = { "",
					    "plain ascii text",
					    "\xc2\x80",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "eight...\xe2\x82\xac more than eight" };
	static const char *const bad[] = { "\x80",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xe2\x82",
					   "\xf0\x90\x80",
					   "eight...\xe2\x28\xac",
					   "\xc3" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(good); i++)
		assert_true(item_check_utf8(text(good[i])));
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_false(item_check_utf8(text(bad[i])));
}

/* count attributes "0", "1", ... and one more with the name of the first, if wanted. */
static void build_wide(struct buf *buf, uint32_t count, bool has_duplicate)
{
	struct item_builder builder;
	char name[16];

	item_builder_init(&builder, buf);
	for (uint32_t i = 0; i < count + has_duplicate; i++) {
		(void)snprintf(name, sizeof(name), "%u", i % count);
		item_builder_name(&builder, text(name));
		item_builder_null(&builder);
	}
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

static void duplicates_are_found_in_narrow_and_wide_maps(void **state)
{
	static const uint32_t counts[] = { 1, 2, 15, 16, 17, 1000, 50000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		struct buf buf;

		buf_init(&buf, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		build_wide(&buf, counts[i], false);
		assert_int_equal(item_check(buf_slice(&buf)), ST_OK);
		buf_reset(&buf);
		build_wide(&buf, counts[i], true);
		assert_int_equal(item_check(buf_slice(&buf)), ST_CORRUPT);
		buf_close(&buf);
	}
}

static void depth_beyond_32_is_too_big(void **state)
{
	struct buf inner;
	struct buf outer;

	(void)state;
	/* A leaf, wrapped in lists by hand: the builder would refuse. */
	buf_init(&inner, 4096);
	buf_init(&outer, 4096);
	buf_put_u8(&inner, ITEM_NULL);
	buf_put_u8(&inner, 0);
	for (uint32_t level = 1; level <= LIMIT_NESTING_DEPTH + 1; level++) {
		assert_int_equal(item_check_value(buf_slice(&inner)),
				 level <= LIMIT_NESTING_DEPTH ? ST_OK : ST_TOO_BIG);
		buf_reset(&outer);
		buf_put_u8(&outer, ITEM_L);
		buf_put_u32_be(&outer, (uint32_t)inner.size + 4);
		buf_put_u32_be(&outer, 1);
		buf_append_slice(&outer, buf_slice(&inner));
		buf_reset(&inner);
		buf_append_slice(&inner, buf_slice(&outer));
	}
	buf_close(&inner);
	buf_close(&outer);
}

static void what_passes_after_a_mutation_can_be_walked(void **state)
{
	struct rng rng;
	struct buf buf;

	(void)state;
	rng_seed(&rng, SEED);
	buf_init(&buf, 4096);
	build_wide(&buf, 20, false);
	for (int i = 0; i < MUTATION_COUNT; i++) {
		size_t at = rng_below(&rng, buf.size);
		uint8_t before = buf.data[at];

		buf.data[at] = (uint8_t)rng_u64(&rng);
		if (item_check(buf_slice(&buf)) == ST_OK) {
			struct item_attribute attribute;
			struct item_iter iter;

			item_iter_init(&iter, buf_slice(&buf));
			while (item_next_attribute(&iter, &attribute))
				;
			assert_int_equal(item_iter_status(&iter), ST_OK);
			assert_true(item_size_bytes(buf_slice(&buf)) > 0);
		}
		buf.data[at] = before;
	}
	buf_close(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_bytes_pass),
		cmocka_unit_test(bytes_we_never_write_are_corrupt),
		cmocka_unit_test(utf8_is_checked_strictly),
		cmocka_unit_test(duplicates_are_found_in_narrow_and_wide_maps),
		cmocka_unit_test(depth_beyond_32_is_too_big),
		cmocka_unit_test(what_passes_after_a_mutation_can_be_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
