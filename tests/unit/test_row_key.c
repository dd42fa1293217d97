#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/model/item_check.h"
#include "proto/model/item_equal.h"
#include "proto/model/row_key.h"

enum { TABLE_ID = 7, TOKEN_SEED = 99, RNG_SEED = 4, PROPERTY_ROUNDS = 20000 };

struct fixture {
	struct table_schema schema;
	struct buf item;
	struct buf key;
	struct item_builder builder;
	struct row_key_error error;
};

static struct slice text(const char *string)
{
	return slice_of_string(string);
}

static void fixture_start(struct fixture *f, const char *partition_type, const char *sort_type)
{
	assert_int_equal(table_schema_init(&f->schema, text("pk"), text(partition_type)), ST_OK);
	if (sort_type != NULL)
		assert_int_equal(table_schema_add_sort_key(&f->schema, text("sk"), text(sort_type)), ST_OK);
	buf_init(&f->item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&f->key, LIMIT_ROW_KEY_SIZE_BYTES);
	item_builder_init(&f->builder, &f->item);
}

static void fixture_end(struct fixture *f)
{
	buf_close(&f->item);
	buf_close(&f->key);
}

static void put_string(struct fixture *f, const char *name, struct slice value)
{
	item_builder_name(&f->builder, text(name));
	item_builder_string(&f->builder, value);
}

static void put_int(struct fixture *f, const char *name, int64_t value)
{
	struct decimal number;

	decimal_from_int(&number, value);
	item_builder_name(&f->builder, text(name));
	item_builder_number(&f->builder, &number);
}

static enum status from_item(struct fixture *f)
{
	assert_int_equal(item_builder_finish(&f->builder), ST_OK);
	return row_key_from_item(&f->key, TABLE_ID, TOKEN_SEED, &f->schema, buf_slice(&f->item), &f->error);
}

static enum status from_key(struct fixture *f)
{
	assert_int_equal(item_builder_finish(&f->builder), ST_OK);
	return row_key_from_key(&f->key, TABLE_ID, TOKEN_SEED, &f->schema, buf_slice(&f->item), &f->error);
}

static void assert_refused(struct fixture *f, enum status status, enum row_key_fault fault,
			   const char *message)
{
	char printed[512];

	assert_int_equal(status, ST_INVALID);
	assert_int_equal(f->error.fault, fault);
	row_key_error_print(&f->error, printed, sizeof(printed));
	assert_string_equal(printed, message);
	fixture_end(f);
}

static void a_row_key_is_table_token_and_both_keys(void **state)
{
	static const uint8_t partition_key[] = { 'a', 0x00, 0xff, 'b', 0x00, 0x01 };
	struct row_key_parts parts;
	struct fixture f;

	(void)state;
	fixture_start(&f, "S", "N");
	put_string(&f, "pk", slice_of("a\0b", 3));
	put_int(&f, "sk", 0);
	put_int(&f, "other", 5);
	assert_int_equal(from_item(&f), ST_OK);
	assert_int_equal(row_key_split(buf_slice(&f.key), &f.schema, &parts), ST_OK);
	assert_int_equal(parts.table_id, TABLE_ID);
	assert_int_equal(parts.partition_key.size, sizeof(partition_key));
	assert_memory_equal(parts.partition_key.data, partition_key, sizeof(partition_key));
	assert_true(parts.token == row_key_token(parts.partition_key, TOKEN_SEED));
	assert_int_equal(parts.sort_key.size, 1);
	assert_int_equal(parts.sort_key.data[0], 0x80);
	fixture_end(&f);
}

static void the_key_attributes_come_back(void **state)
{
	struct fixture f;
	struct buf back;
	bool is_equal;

	(void)state;
	fixture_start(&f, "S", "B");
	put_string(&f, "pk", text("caf\xc3\xa9"));
	item_builder_name(&f.builder, text("sk"));
	item_builder_binary(&f.builder, slice_of("\0\0\xff\x01", 4));
	assert_int_equal(from_key(&f), ST_OK);
	buf_init(&back, 4096);
	assert_int_equal(row_key_to_key(&back, buf_slice(&f.key), &f.schema), ST_OK);
	assert_int_equal(item_check(buf_slice(&back)), ST_OK);
	assert_int_equal(item_equal(buf_slice(&back), buf_slice(&f.item), &is_equal), ST_OK);
	assert_true(is_equal);
	buf_close(&back);
	fixture_end(&f);
}

static void an_item_without_its_key_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "S", NULL);
	put_int(&f, "other", 1);
	assert_refused(&f, from_item(&f), ROW_KEY_MISSING,
		       "One or more parameter values were invalid: Missing the key pk in the item");
	fixture_start(&f, "S", "N");
	put_string(&f, "pk", text("x"));
	assert_refused(&f, from_item(&f), ROW_KEY_MISSING,
		       "One or more parameter values were invalid: Missing the key sk in the item");
}

static void a_key_of_another_type_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "S", NULL);
	put_int(&f, "pk", 1);
	assert_refused(
		&f, from_item(&f), ROW_KEY_TYPE,
		"One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N");
}

static void an_empty_key_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, "S", NULL);
	put_string(&f, "pk", text(""));
	assert_refused(
		&f, from_key(&f), ROW_KEY_EMPTY,
		"One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
		"contain an empty string value. Key: pk");
	fixture_start(&f, "S", "B");
	put_string(&f, "pk", text("x"));
	item_builder_name(&f.builder, text("sk"));
	item_builder_binary(&f.builder, text(""));
	assert_refused(
		&f, from_item(&f), ROW_KEY_EMPTY,
		"One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
		"contain an empty binary value. Key: sk");
}

static enum status key_of_sizes(struct fixture *f, size_t partition_size, size_t sort_size)
{
	static const uint8_t zeros[LIMIT_PARTITION_KEY_SIZE_BYTES + 1];

	fixture_start(f, "S", "S");
	put_string(f, "pk", slice_of(zeros, partition_size));
	put_string(f, "sk", slice_of(zeros, sort_size));
	return from_item(f);
}

static void keys_have_2048_and_1024_bytes_at_most(void **state)
{
	struct row_key_parts parts;
	struct fixture f;

	(void)state;
	assert_int_equal(key_of_sizes(&f, LIMIT_PARTITION_KEY_SIZE_BYTES, LIMIT_SORT_KEY_SIZE_BYTES), ST_OK);
	assert_int_equal(f.key.size, LIMIT_ROW_KEY_SIZE_BYTES);
	assert_int_equal(row_key_split(buf_slice(&f.key), &f.schema, &parts), ST_OK);
	fixture_end(&f);
	assert_refused(
		&f, key_of_sizes(&f, LIMIT_PARTITION_KEY_SIZE_BYTES + 1, 1), ROW_KEY_PARTITION_TOO_BIG,
		"One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
		"limit of2048 bytes");
	assert_refused(
		&f, key_of_sizes(&f, 1, LIMIT_SORT_KEY_SIZE_BYTES + 1), ROW_KEY_SORT_TOO_BIG,
		"One or more parameter values were invalid: Aggregated size of all range keys has exceeded "
		"the size limit of 1024 bytes");
}

static void a_key_has_the_key_attributes_and_no_other(void **state)
{
	static const char *const message = "The provided key element does not match the schema";
	struct fixture f;

	(void)state;
	fixture_start(&f, "S", NULL);
	put_string(&f, "pk", text("x"));
	put_int(&f, "more", 1);
	assert_refused(&f, from_key(&f), ROW_KEY_SCHEMA, message);
	fixture_start(&f, "S", NULL);
	put_string(&f, "kp", text("x"));
	assert_refused(&f, from_key(&f), ROW_KEY_SCHEMA, message);
	fixture_start(&f, "S", NULL);
	put_int(&f, "pk", 1);
	assert_refused(&f, from_key(&f), ROW_KEY_SCHEMA, message);
	fixture_start(&f, "S", "N");
	put_string(&f, "pk", text("x"));
	assert_refused(&f, from_key(&f), ROW_KEY_SCHEMA, message);
}

static void bytes_that_are_no_row_key_are_corrupt(void **state)
{
	static const uint8_t bad[][20] = {
		{ 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 'a', 0, 1, 'b' },     /* trailing */
		{ 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 'a', 'b', 'c', 'd' }, /* no end */
		{ 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 'a', 0, 2, 0 },       /* no such escape */
		{ 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 0, 1 },         /* empty */
	};
	struct table_schema schema;
	struct row_key_parts parts;

	(void)state;
	assert_int_equal(table_schema_init(&schema, text("pk"), text("S")), ST_OK);
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(row_key_split(slice_of(bad[i], 16), &schema, &parts), ST_CORRUPT);
	assert_int_equal(row_key_split(slice_of(bad[0], 15), &schema, &parts), ST_OK);
	for (size_t size = 0; size < 15; size++)
		assert_int_equal(row_key_split(slice_of(bad[0], size), &schema, &parts), ST_CORRUPT);
}

static int sign_of(int order)
{
	return (order > 0) - (order < 0);
}

/* Short strings over few bytes, so that prefixes, zeros and ff are frequent. */
static struct slice random_bytes(struct rng *rng, uint8_t *out)
{
	static const uint8_t alphabet[] = { 0x00, 0x01, 0x02, 'a', 0xfe, 0xff };
	size_t size = 1 + rng_below(rng, 4);

	for (size_t i = 0; i < size; i++)
		out[i] = alphabet[rng_below(rng, sizeof(alphabet))];
	return slice_of(out, size);
}

static void parts_sort_as_their_values_whatever_follows(void **state)
{
	struct rng rng;
	struct buf a_key;
	struct buf b_key;

	(void)state;
	rng_seed(&rng, RNG_SEED);
	buf_init(&a_key, 64);
	buf_init(&b_key, 64);
	for (int i = 0; i < PROPERTY_ROUNDS; i++) {
		uint8_t a_bytes[4];
		uint8_t b_bytes[4];
		struct slice a = random_bytes(&rng, a_bytes);
		struct slice b = random_bytes(&rng, b_bytes);
		int order = slice_compare(a, b);

		buf_reset(&a_key);
		buf_reset(&b_key);
		row_key_append_part(&a_key, ITEM_B, a);
		row_key_append_part(&b_key, ITEM_B, b);
		buf_put_u8(&a_key, (uint8_t)rng_u64(&rng));
		buf_put_u8(&b_key, (uint8_t)rng_u64(&rng));
		if (order != 0)
			assert_int_equal(sign_of(slice_compare(buf_slice(&a_key), buf_slice(&b_key))),
					 sign_of(order));
	}
	buf_close(&a_key);
	buf_close(&b_key);
}

static void bounds_come_before_every_key_they_bound(void **state)
{
	struct fixture f;
	struct buf bound;
	uint32_t table_id;
	uint64_t token;

	(void)state;
	fixture_start(&f, "N", NULL);
	put_int(&f, "pk", -5);
	assert_int_equal(from_item(&f), ST_OK);
	assert_int_equal(row_key_head(buf_slice(&f.key), &table_id, &token), ST_OK);
	buf_init(&bound, 64);
	row_key_table_start(&bound, TABLE_ID);
	assert_true(slice_compare(buf_slice(&bound), buf_slice(&f.key)) < 0);
	buf_reset(&bound);
	row_key_token_start(&bound, TABLE_ID, token);
	assert_true(slice_compare(buf_slice(&bound), buf_slice(&f.key)) < 0);
	buf_reset(&bound);
	row_key_token_start(&bound, TABLE_ID, token + 1);
	assert_true(slice_compare(buf_slice(&bound), buf_slice(&f.key)) > 0);
	buf_reset(&bound);
	row_key_table_start(&bound, TABLE_ID + 1);
	assert_true(slice_compare(buf_slice(&bound), buf_slice(&f.key)) > 0);
	buf_close(&bound);
	fixture_end(&f);
}

static void tokens_depend_on_the_seed(void **state)
{
	(void)state;
	assert_true(row_key_token(text("k"), 1) != row_key_token(text("k"), 2));
	assert_true(row_key_token(text("k"), 1) == row_key_token(text("k"), 1));
}

static bool is_between(const struct buf *start, const struct buf *end, const struct buf *part)
{
	return slice_compare(buf_slice(part), buf_slice(start)) >= 0 &&
	       slice_compare(buf_slice(part), buf_slice(end)) < 0;
}

/* The range of all values that begin with some bytes holds these and no others. */
static void beginnings_bound_the_values_that_begin_so(void **state)
{
	static const struct {
		struct slice beginning;
		struct slice value;
		bool is_inside;
	} cases[] = {
		{ { (const uint8_t *)"ab", 2 }, { (const uint8_t *)"ab", 2 }, true },
		{ { (const uint8_t *)"ab", 2 }, { (const uint8_t *)"ab\0", 3 }, true },
		{ { (const uint8_t *)"ab", 2 }, { (const uint8_t *)"ab\xff\xff", 4 }, true },
		{ { (const uint8_t *)"ab", 2 }, { (const uint8_t *)"a", 1 }, false },
		{ { (const uint8_t *)"ab", 2 }, { (const uint8_t *)"ac", 2 }, false },
		{ { (const uint8_t *)"a\0", 2 }, { (const uint8_t *)"a\0", 2 }, true },
		{ { (const uint8_t *)"a\0", 2 }, { (const uint8_t *)"a\0z", 3 }, true },
		{ { (const uint8_t *)"a\0", 2 }, { (const uint8_t *)"a", 1 }, false },
		{ { (const uint8_t *)"a\0", 2 }, { (const uint8_t *)"a\1", 2 }, false },
		{ { (const uint8_t *)"a\xff", 2 }, { (const uint8_t *)"a\xff\xff", 3 }, true },
		{ { (const uint8_t *)"a\xff", 2 }, { (const uint8_t *)"b", 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct buf start;
		struct buf end;
		struct buf part;

		buf_init(&start, 64);
		buf_init(&end, 64);
		buf_init(&part, 64);
		row_key_append_beginning(&start, cases[i].beginning);
		row_key_append_after(&end, buf_slice(&start));
		row_key_append_part(&part, ITEM_B, cases[i].value);
		assert_int_equal(is_between(&start, &end, &part), cases[i].is_inside);
		buf_close(&start);
		buf_close(&end);
		buf_close(&part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_key_is_table_token_and_both_keys),
		cmocka_unit_test(the_key_attributes_come_back),
		cmocka_unit_test(an_item_without_its_key_is_refused),
		cmocka_unit_test(a_key_of_another_type_is_refused),
		cmocka_unit_test(an_empty_key_is_refused),
		cmocka_unit_test(keys_have_2048_and_1024_bytes_at_most),
		cmocka_unit_test(a_key_has_the_key_attributes_and_no_other),
		cmocka_unit_test(bytes_that_are_no_row_key_are_corrupt),
		cmocka_unit_test(parts_sort_as_their_values_whatever_follows),
		cmocka_unit_test(bounds_come_before_every_key_they_bound),
		cmocka_unit_test(tokens_depend_on_the_seed),
		cmocka_unit_test(beginnings_bound_the_values_that_begin_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
