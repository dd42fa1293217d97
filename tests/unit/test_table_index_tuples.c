/* Index keys of up to four and four attributes: random schemas, and random tuples that are often equal in
 * part.  Whatever they are, the rows sort as the tuples do, lead back to their attributes, and lie behind
 * the beginning of their own partition key and of no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/model/item_check.h"
#include "tests/unit/index_fixture.h"

enum { RNG_SEED = 29, SCHEMAS = 600, PAIRS = 30, BYTES_MAX = 3 };

struct value {
	int64_t number;
	uint8_t bytes[BYTES_MAX];
	size_t size;
};

/* The index key's values, and behind them those of the table's key. */
struct tuple {
	struct value values[LIMIT_KEY_ATTRIBUTE_COUNT + 2];
};

struct fixture {
	struct table_schema schema;
	struct table_index index;
	struct index_owner owner;
	struct rng rng;
};

static void random_attribute(struct rng *rng, char role, uint32_t number, char *out, size_t out_size)
{
	(void)snprintf(out, out_size, "%s%c:%c%u", number == 0 ? "" : " ", "SNB"[rng_below(rng, 3)], role,
		       (unsigned)number);
}

static void random_attributes(struct rng *rng, char role, uint32_t count, char *out, size_t out_size)
{
	out[0] = '\0';
	for (uint32_t i = 0; i < count; i++) {
		size_t size = strlen(out);

		random_attribute(rng, role, i, out + size, out_size - size);
	}
}

static void random_schemas(struct fixture *f)
{
	uint32_t partition_count = 1 + (uint32_t)rng_below(&f->rng, LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT);
	uint32_t sort_count = (uint32_t)rng_below(&f->rng, LIMIT_SORT_KEY_ATTRIBUTE_COUNT + 1);
	char partition[64];
	char sort[64];

	random_attributes(&f->rng, 'g', partition_count, partition, sizeof(partition));
	random_attributes(&f->rng, 'h', sort_count, sort, sizeof(sort));
	index_fixture_schema(&f->schema, rng_below(&f->rng, 2) == 0 ? "S:pk" : "B:pk",
			     rng_below(&f->rng, 2) == 0 ? "N:sk" : NULL);
	index_fixture_index(&f->index, 0, partition, sort, INDEX_PROJECTS_KEYS);
	f->owner = index_fixture_owner(&f->schema, &f->index);
}

static uint32_t value_count(const struct fixture *f)
{
	return table_schema_key_count(&f->index.schema) + table_schema_key_count(&f->schema);
}

static const struct key_attribute *attribute_at(const struct fixture *f, uint32_t at)
{
	uint32_t index_count = table_schema_key_count(&f->index.schema);

	return at < index_count ? &f->index.schema.attributes[at] : &f->schema.attributes[at - index_count];
}

/* Few of them, so that tuples share beginnings, and with what escapes and ends parts. */
static struct value random_value(struct fixture *f, enum item_type type)
{
	static const uint8_t letters[] = { 0x00, 0x01, 'a', 0x7f };
	static const int64_t numbers[] = { -100, -1, 0, 1, 7, 1000000007 };
	struct value value = { .number = numbers[rng_below(&f->rng, ARRAY_COUNT(numbers))] };

	value.size = 1 + rng_below(&f->rng, BYTES_MAX);
	for (size_t i = 0; i < value.size; i++) {
		value.bytes[i] = letters[rng_below(&f->rng, ARRAY_COUNT(letters))];
		if (type == ITEM_B && value.bytes[i] == 0x7f)
			value.bytes[i] = 0xff;
	}
	return value;
}

static struct tuple random_tuple(struct fixture *f)
{
	struct tuple tuple;

	for (uint32_t i = 0; i < value_count(f); i++)
		tuple.values[i] = random_value(f, attribute_at(f, i)->type);
	return tuple;
}

/* One value differs, if at all. */
static struct tuple similar_tuple(struct fixture *f, const struct tuple *tuple)
{
	struct tuple similar = *tuple;
	uint32_t at = (uint32_t)rng_below(&f->rng, value_count(f));

	similar.values[at] = random_value(f, attribute_at(f, at)->type);
	return similar;
}

static void put_value(struct item_builder *builder, const struct key_attribute *attribute,
		      const struct value *value)
{
	struct slice bytes = slice_of(value->bytes, value->size);

	if (attribute->type == ITEM_N) {
		index_fixture_int(builder, attribute->name, value->number);
	} else if (attribute->type == ITEM_S) {
		index_fixture_string(builder, attribute->name, bytes);
	} else {
		item_builder_name(builder, key_attribute_name(attribute));
		item_builder_binary(builder, bytes);
	}
}

/* Its attributes in any order, and without the one at `left_out`. */
static void make_item(struct fixture *f, const struct tuple *tuple, uint32_t left_out, struct buf *item)
{
	uint32_t count = value_count(f);
	uint32_t first = (uint32_t)rng_below(&f->rng, count);
	struct item_builder builder;

	buf_init(item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	item_builder_init(&builder, item);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (first + i) % count;

		if (at != left_out)
			put_value(&builder, attribute_at(f, at), &tuple->values[at]);
	}
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

static enum status make_row(struct fixture *f, const struct tuple *tuple, uint32_t left_out, struct buf *key)
{
	enum status status;
	struct buf item;

	make_item(f, tuple, left_out, &item);
	buf_init(key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	status = table_index_row_key(key, &f->owner, buf_slice(&item));
	buf_close(&item);
	return status;
}

static int compare_values(enum item_type type, const struct value *a, const struct value *b)
{
	int order;

	if (type == ITEM_N)
		return (a->number > b->number) - (a->number < b->number);
	order = slice_compare(slice_of(a->bytes, a->size), slice_of(b->bytes, b->size));
	return (order > 0) - (order < 0);
}

/* Of the values from first to before end. */
static int compare_tuples(const struct fixture *f, const struct tuple *a, const struct tuple *b,
			  uint32_t first, uint32_t end)
{
	int order = 0;

	for (uint32_t i = first; order == 0 && i < end; i++)
		order = compare_values(attribute_at(f, i)->type, &a->values[i], &b->values[i]);
	return order;
}

static bool starts_partition_of(struct fixture *f, const struct tuple *tuple, struct slice row_key)
{
	uint8_t encoded[LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT][DECIMAL_ENCODED_SIZE_MAX];
	struct slice partition_key[LIMIT_PARTITION_KEY_ATTRIBUTE_COUNT];
	struct buf start;
	bool starts;

	for (uint32_t i = 0; i < f->index.schema.partition_count; i++) {
		const struct value *value = &tuple->values[i];
		struct decimal number;

		decimal_from_int(&number, value->number);
		partition_key[i] = attribute_at(f, i)->type == ITEM_N
					   ? slice_of(encoded[i], decimal_encode(&number, encoded[i]))
					   : slice_of(value->bytes, value->size);
	}
	buf_init(&start, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	assert_int_equal(table_index_partition_start(&start, &f->owner, partition_key), ST_OK);
	starts = row_key.size > start.size && memcmp(row_key.data, start.data, start.size) == 0;
	buf_close(&start);
	return starts;
}

static void check_pair(struct fixture *f, const struct tuple *a, const struct tuple *b)
{
	uint32_t partition_count = f->index.schema.partition_count;
	struct buf a_key;
	struct buf b_key;
	int order;

	assert_int_equal(make_row(f, a, UINT32_MAX, &a_key), ST_OK);
	assert_int_equal(make_row(f, b, UINT32_MAX, &b_key), ST_OK);
	order = slice_compare(buf_slice(&a_key), buf_slice(&b_key));
	if (compare_tuples(f, a, b, 0, partition_count) == 0) {
		assert_int_equal((order > 0) - (order < 0),
				 compare_tuples(f, a, b, partition_count, value_count(f)));
		assert_true(starts_partition_of(f, a, buf_slice(&b_key)));
	} else {
		assert_int_not_equal(order, 0);
		assert_false(starts_partition_of(f, a, buf_slice(&b_key)));
	}
	buf_close(&a_key);
	buf_close(&b_key);
}

static void rows_sort_as_their_tuples(void **state)
{
	struct fixture f;

	(void)state;
	rng_seed(&f.rng, RNG_SEED);
	for (int round = 0; round < SCHEMAS; round++) {
		random_schemas(&f);
		for (int i = 0; i < PAIRS; i++) {
			struct tuple a = random_tuple(&f);
			struct tuple b = i % 3 == 0 ? random_tuple(&f) : similar_tuple(&f, &a);

			check_pair(&f, &a, &b);
		}
	}
}

static void rows_lead_back_to_all_attributes_of_both_keys(void **state)
{
	struct fixture f;

	(void)state;
	rng_seed(&f.rng, RNG_SEED + 1);
	for (int round = 0; round < SCHEMAS; round++) {
		struct row_key_error error;
		struct tuple tuple;
		struct buf again;
		struct buf back;
		struct buf key;

		random_schemas(&f);
		tuple = random_tuple(&f);
		assert_int_equal(make_row(&f, &tuple, UINT32_MAX, &key), ST_OK);
		buf_init(&back, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		buf_init(&again, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
		assert_int_equal(table_index_to_key(&back, &f.owner, buf_slice(&key)), ST_OK);
		assert_int_equal(item_check(buf_slice(&back)), ST_OK);
		assert_int_equal(item_count(buf_slice(&back)), value_count(&f));
		assert_int_equal(table_index_key_count(&f.owner), value_count(&f));
		assert_int_equal(table_index_start_key(&again, &f.owner, buf_slice(&back), &error), ST_OK);
		assert_true(slice_equal(buf_slice(&again), buf_slice(&key)));
		for (size_t size = 0; size < key.size; size++) {
			buf_reset(&back);
			assert_int_equal(table_index_to_key(&back, &f.owner, slice_of(key.data, size)),
					 ST_CORRUPT);
		}
		buf_close(&again);
		buf_close(&back);
		buf_close(&key);
	}
}

static void an_item_without_one_of_the_attributes_has_no_row(void **state)
{
	struct fixture f;

	(void)state;
	rng_seed(&f.rng, RNG_SEED + 2);
	for (int round = 0; round < SCHEMAS; round++) {
		struct tuple tuple;

		random_schemas(&f);
		tuple = random_tuple(&f);
		for (uint32_t i = 0; i < table_schema_key_count(&f.index.schema); i++) {
			struct buf key;

			assert_int_equal(make_row(&f, &tuple, i, &key), ST_NOT_FOUND);
			buf_close(&key);
		}
	}
}

/* Stored: these bytes never change. */
static void the_parts_lie_one_behind_the_other(void **state)
{
	static const uint8_t tail[] = { 'x',  0x00, 0xff, 0x00, 0x01, /* g0, with a zero inside */
					0x80,                         /* g1 */
					'y',  0x00, 0x01,             /* h0 */
					0x80,                         /* h1 */
					'k',  0x00, 0x01 };           /* pk */
	struct item_builder builder;
	struct fixture f;
	struct buf item;
	struct buf key;

	(void)state;
	index_fixture_schema(&f.schema, "S:pk", NULL);
	index_fixture_index(&f.index, 0, "S:g0 N:g1", "S:h0 N:h1", INDEX_PROJECTS_ALL);
	f.owner = index_fixture_owner(&f.schema, &f.index);
	buf_init(&item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	item_builder_init(&builder, &item);
	index_fixture_int(&builder, "h1", 0);
	index_fixture_string(&builder, "h0", slice_of_string("y"));
	index_fixture_int(&builder, "g1", 0);
	index_fixture_string(&builder, "g0", slice_of("x\0", 2));
	index_fixture_string(&builder, "pk", slice_of_string("k"));
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(table_index_row_key(&key, &f.owner, buf_slice(&item)), ST_OK);
	assert_int_equal(get_u32_be(key.data), INDEX_FIXTURE_GLOBAL_ID);
	assert_true(get_u64_be(key.data + 4) == row_key_token(slice_of(tail, 6), INDEX_FIXTURE_SEED));
	assert_int_equal(key.size, LIMIT_ROW_KEY_HEAD_SIZE_BYTES + sizeof(tail));
	assert_memory_equal(key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES, tail, sizeof(tail));
	buf_close(&item);
	buf_close(&key);
}

static void each_attribute_of_the_key_is_checked(void **state)
{
	static const char *const names[] = { "g0", "g1", "h0", "h1" };
	struct table_indexes *set = test_calloc(1, sizeof(*set) + sizeof(set->list[0]));

	(void)state;
	set->count = 1;
	index_fixture_index(&set->list[0], 0, "S:g0 S:g1", "S:h0 S:h1", INDEX_PROJECTS_ALL);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct table_index_error error;
		struct item_builder builder;
		struct buf item;

		buf_init(&item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		item_builder_init(&builder, &item);
		index_fixture_string(&builder, "pk", slice_of_string("k"));
		index_fixture_string(&builder, names[i], slice_of_string(""));
		assert_int_equal(item_builder_finish(&builder), ST_OK);
		assert_int_equal(table_indexes_check_item(set, slice_of(NULL, 0), buf_slice(&item), &error),
				 ST_INVALID);
		assert_int_equal(error.key.fault, ROW_KEY_EMPTY);
		assert_string_equal(error.key.attribute->name, names[i]);
		/* What was there before the index stays. */
		assert_int_equal(table_indexes_check_item(set, buf_slice(&item), buf_slice(&item), &error),
				 ST_OK);
		buf_close(&item);
	}
	test_free(set);
}

static void a_copy_moves_what_is_in_use(void **state)
{
	struct table_index index;
	struct table_index copy;

	(void)state;
	index_fixture_index(&index, 0, "S:g0 N:g1 B:g2", "S:h0 N:h1", INDEX_PROJECTS_SOME);
	memset(&copy, 0xff, sizeof(copy));
	table_index_copy(&copy, &index);
	assert_true(table_schema_equal(&copy.schema, &index.schema));
	assert_string_equal(copy.name, index.name);
	assert_ptr_equal(copy.attributes, index.attributes);
	assert_int_equal(copy.table_id, index.table_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_sort_as_their_tuples),
		cmocka_unit_test(rows_lead_back_to_all_attributes_of_both_keys),
		cmocka_unit_test(an_item_without_one_of_the_attributes_has_no_row),
		cmocka_unit_test(the_parts_lie_one_behind_the_other),
		cmocka_unit_test(each_attribute_of_the_key_is_checked),
		cmocka_unit_test(a_copy_moves_what_is_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
