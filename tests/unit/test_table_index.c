#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/model/item_check.h"
#include "proto/model/item_equal.h"
#include "tests/unit/index_fixture.h"

enum { RNG_SEED = 11, ORDER_ROUNDS = 20000, BACK_ROUNDS = 5000 };

struct fixture {
	struct table_schema schema;
	struct table_index index;
	struct index_owner owner;
	struct buf item;
	struct buf key;
	struct item_builder builder;
};

static void fixture_start(struct fixture *f, uint8_t local_number, const char *partition, const char *sort)
{
	index_fixture_schema(&f->schema, "S:pk", "N:sk");
	index_fixture_index(&f->index, local_number, partition, sort, INDEX_PROJECTS_KEYS);
	f->owner = index_fixture_owner(&f->schema, &f->index);
	buf_init(&f->item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&f->key, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	item_builder_init(&f->builder, &f->item);
}

static void fixture_end(struct fixture *f)
{
	buf_close(&f->item);
	buf_close(&f->key);
}

static void begin_item(struct fixture *f, const char *pk, int64_t sk)
{
	buf_reset(&f->item);
	buf_reset(&f->key);
	item_builder_init(&f->builder, &f->item);
	index_fixture_string(&f->builder, "pk", slice_of_string(pk));
	index_fixture_int(&f->builder, "sk", sk);
}

static enum status row_key(struct fixture *f)
{
	assert_int_equal(item_builder_finish(&f->builder), ST_OK);
	return table_index_row_key(&f->key, &f->owner, buf_slice(&f->item));
}

static void a_local_row_lies_in_its_items_collection(void **state)
{
	static const uint8_t tail[] = { 'k', 0x00, 0x01, 3, 'l', 's', 0x00, 0x01, 0x80 };
	struct row_key_error error;
	struct fixture f;
	struct buf base;

	(void)state;
	fixture_start(&f, 3, "S:pk", "S:ls");
	begin_item(&f, "k", 0);
	index_fixture_string(&f.builder, "ls", slice_of_string("ls"));
	assert_int_equal(row_key(&f), ST_OK);
	buf_init(&base, LIMIT_ROW_KEY_SIZE_BYTES);
	assert_int_equal(row_key_from_item(&base, INDEX_FIXTURE_TABLE_ID, INDEX_FIXTURE_SEED, &f.schema,
					   buf_slice(&f.item), &error),
			 ST_OK);
	/* table, token and partition key are the item's own */
	assert_memory_equal(f.key.data, base.data, LIMIT_ROW_KEY_HEAD_SIZE_BYTES);
	assert_int_equal(f.key.size, LIMIT_ROW_KEY_HEAD_SIZE_BYTES + sizeof(tail));
	assert_memory_equal(f.key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES, tail, sizeof(tail));
	buf_close(&base);
	fixture_end(&f);
}

static void a_global_row_lies_in_the_derived_table(void **state)
{
	static const uint8_t tail[] = { 'g', 0x00, 0x01, 0x80, 'k', 0x00, 0x01, 0x80 };
	struct fixture f;

	(void)state;
	fixture_start(&f, 0, "S:gp", "N:gs");
	begin_item(&f, "k", 0);
	index_fixture_string(&f.builder, "gp", slice_of_string("g"));
	index_fixture_int(&f.builder, "gs", 0);
	assert_int_equal(row_key(&f), ST_OK);
	assert_int_equal(get_u32_be(f.key.data), INDEX_FIXTURE_GLOBAL_ID);
	assert_true(get_u64_be(f.key.data + 4) == row_key_token(slice_of("g\0\1", 3), INDEX_FIXTURE_SEED));
	assert_int_equal(f.key.size, LIMIT_ROW_KEY_HEAD_SIZE_BYTES + sizeof(tail));
	assert_memory_equal(f.key.data + LIMIT_ROW_KEY_HEAD_SIZE_BYTES, tail, sizeof(tail));
	fixture_end(&f);
}

static void an_item_without_an_index_key_has_no_row(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, 0, "S:gp", "N:gs");
	begin_item(&f, "k", 1);
	assert_int_equal(row_key(&f), ST_NOT_FOUND);
	begin_item(&f, "k", 1); /* half of it */
	index_fixture_string(&f.builder, "gp", slice_of_string("g"));
	assert_int_equal(row_key(&f), ST_NOT_FOUND);
	begin_item(&f, "k", 1); /* another type */
	index_fixture_string(&f.builder, "gp", slice_of_string("g"));
	index_fixture_string(&f.builder, "gs", slice_of_string("1"));
	assert_int_equal(row_key(&f), ST_NOT_FOUND);
	begin_item(&f, "k", 1); /* empty */
	index_fixture_string(&f.builder, "gp", slice_of_string(""));
	index_fixture_int(&f.builder, "gs", 1);
	assert_int_equal(row_key(&f), ST_NOT_FOUND);
	fixture_end(&f);
}

static void the_check_says_which_attribute_cannot_be_a_key(void **state)
{
	static const uint8_t big[LIMIT_PARTITION_KEY_SIZE_BYTES + 1];
	struct row_key_error error;
	struct fixture f;

	(void)state;
	fixture_start(&f, 0, "S:gp", "B:gs");
	begin_item(&f, "k", 1);
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_check_item(&f.index, buf_slice(&f.item), &error), ST_OK); /* sparse */
	begin_item(&f, "k", 1);
	index_fixture_int(&f.builder, "gp", 5);
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_check_item(&f.index, buf_slice(&f.item), &error), ST_INVALID);
	assert_int_equal(error.fault, ROW_KEY_TYPE);
	assert_int_equal(error.actual, ITEM_N);
	assert_string_equal(error.attribute->name, "gp");
	begin_item(&f, "k", 1);
	item_builder_name(&f.builder, slice_of_string("gs"));
	item_builder_binary(&f.builder, slice_of("", 0));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_check_item(&f.index, buf_slice(&f.item), &error), ST_INVALID);
	assert_int_equal(error.fault, ROW_KEY_EMPTY);
	begin_item(&f, "k", 1);
	index_fixture_string(&f.builder, "gp", slice_of(big, sizeof(big)));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_check_item(&f.index, buf_slice(&f.item), &error), ST_INVALID);
	assert_int_equal(error.fault, ROW_KEY_PARTITION_TOO_BIG);
	begin_item(&f, "k", 1);
	item_builder_name(&f.builder, slice_of_string("gs"));
	item_builder_binary(&f.builder, slice_of(big, LIMIT_SORT_KEY_SIZE_BYTES + 1));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_check_item(&f.index, buf_slice(&f.item), &error), ST_INVALID);
	assert_int_equal(error.fault, ROW_KEY_SORT_TOO_BIG);
	fixture_end(&f);
}

static void the_longest_keys_have_room(void **state)
{
	static const uint8_t zeros[LIMIT_PARTITION_KEY_SIZE_BYTES];
	struct fixture f;

	(void)state;
	fixture_start(&f, 0, "S:g1 S:g2 S:g3 S:g4", "S:h1 S:h2 S:h3 S:h4");
	index_fixture_schema(&f.schema, "S:pk", "S:sk");
	index_fixture_string(&f.builder, "pk", slice_of(zeros, LIMIT_PARTITION_KEY_SIZE_BYTES));
	index_fixture_string(&f.builder, "sk", slice_of(zeros, LIMIT_SORT_KEY_SIZE_BYTES));
	for (uint32_t i = 0; i < table_schema_key_count(&f.index.schema); i++) {
		const struct key_attribute *attribute = &f.index.schema.attributes[i];
		bool is_sort_key = table_schema_is_sort_key(&f.index.schema, attribute);

		index_fixture_string(&f.builder, attribute->name,
				     slice_of(zeros, is_sort_key ? LIMIT_SORT_KEY_SIZE_BYTES
								 : LIMIT_PARTITION_KEY_SIZE_BYTES));
	}
	assert_int_equal(row_key(&f), ST_OK);
	assert_int_equal(f.key.size, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	fixture_end(&f);
}

static void a_start_key_has_both_keys_and_nothing_else(void **state)
{
	struct row_key_error error;
	struct fixture f;

	(void)state;
	fixture_start(&f, 0, "S:gp", "N:sk"); /* sk is in both keys: three attributes */
	begin_item(&f, "k", 1);
	index_fixture_string(&f.builder, "gp", slice_of_string("g"));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_start_key(&f.key, &f.owner, buf_slice(&f.item), &error), ST_OK);
	begin_item(&f, "k", 1);
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_start_key(&f.key, &f.owner, buf_slice(&f.item), &error), ST_INVALID);
	begin_item(&f, "k", 1);
	index_fixture_string(&f.builder, "gp", slice_of_string("g"));
	index_fixture_string(&f.builder, "more", slice_of_string("x"));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_start_key(&f.key, &f.owner, buf_slice(&f.item), &error), ST_INVALID);
	begin_item(&f, "k", 1); /* as many, but another */
	index_fixture_string(&f.builder, "pg", slice_of_string("g"));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	assert_int_equal(table_index_start_key(&f.key, &f.owner, buf_slice(&f.item), &error), ST_INVALID);
	fixture_end(&f);
}

static void bytes_of_another_index_are_corrupt(void **state)
{
	struct fixture f;
	struct buf back;

	(void)state;
	fixture_start(&f, 3, "S:pk", "S:ls");
	begin_item(&f, "k", 0);
	index_fixture_string(&f.builder, "ls", slice_of_string("ls"));
	assert_int_equal(row_key(&f), ST_OK);
	buf_init(&back, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	assert_int_equal(table_index_to_key(&back, &f.owner, buf_slice(&f.key)), ST_OK);
	f.index.local_number = 2;
	buf_reset(&back);
	assert_int_equal(table_index_to_key(&back, &f.owner, buf_slice(&f.key)), ST_CORRUPT);
	f.index.local_number = 3;
	for (size_t size = 0; size < f.key.size; size++) {
		buf_reset(&back);
		assert_int_equal(table_index_to_key(&back, &f.owner, slice_of(f.key.data, size)), ST_CORRUPT);
	}
	buf_close(&back);
	fixture_end(&f);
}

/* gp and gs are keys of two indexes each. */
static struct table_indexes *two_indexes(void)
{
	struct table_indexes *set = test_calloc(1, sizeof(*set) + 2 * sizeof(set->list[0]));

	set->count = 2;
	index_fixture_index(&set->list[0], 0, "S:gp", "S:gs", INDEX_PROJECTS_ALL);
	index_fixture_index(&set->list[1], 0, "S:gs", "S:gp", INDEX_PROJECTS_ALL);
	memcpy(set->list[0].name, "later", sizeof("later"));
	memcpy(set->list[1].name, "early", sizeof("early"));
	return set;
}

static void of_all_faults_of_all_indexes_one_is_told(void **state)
{
	static const uint8_t big[LIMIT_SORT_KEY_SIZE_BYTES + 1];
	struct table_indexes *set = two_indexes();
	struct table_index_error error;
	struct slice item;
	struct fixture f;

	(void)state;
	fixture_start(&f, 0, "S:gp", "S:gs");
	assert_int_equal(table_indexes_check_item(NULL, slice_of(NULL, 0), slice_of(NULL, 0), &error), ST_OK);
	begin_item(&f, "k", 1);
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	item = buf_slice(&f.item);
	assert_int_equal(table_indexes_check_item(set, slice_of(NULL, 0), item, &error), ST_OK);

	begin_item(&f, "k", 1); /* the type first, and the first index by name */
	index_fixture_string(&f.builder, "gp", slice_of("", 0));
	index_fixture_int(&f.builder, "gs", 1);
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	item = buf_slice(&f.item);
	assert_int_equal(table_indexes_check_item(set, slice_of(NULL, 0), item, &error), ST_INVALID);
	assert_int_equal(error.key.fault, ROW_KEY_TYPE);
	assert_string_equal(error.key.attribute->name, "gs");
	assert_string_equal(error.index->name, "early");
	assert_int_equal(table_indexes_check_item(set, item, item, &error), ST_OK); /* as it was */

	begin_item(&f, "k", 1); /* then what is empty */
	index_fixture_string(&f.builder, "gs", slice_of(big, sizeof(big)));
	index_fixture_string(&f.builder, "gp", slice_of("", 0));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	item = buf_slice(&f.item);
	assert_int_equal(table_indexes_check_item(set, slice_of(NULL, 0), item, &error), ST_INVALID);
	assert_int_equal(error.key.fault, ROW_KEY_EMPTY);
	assert_string_equal(error.key.attribute->name, "gp");
	assert_string_equal(error.index->name, "early");

	begin_item(&f, "k", 1); /* 1025 bytes are too many for a sort key only */
	index_fixture_string(&f.builder, "gs", slice_of(big, sizeof(big)));
	assert_int_equal(item_builder_finish(&f.builder), ST_OK);
	item = buf_slice(&f.item);
	assert_int_equal(table_indexes_check_item(set, slice_of(NULL, 0), item, &error), ST_INVALID);
	assert_int_equal(error.key.fault, ROW_KEY_SORT_TOO_BIG);
	assert_string_equal(error.index->name, "later");
	assert_int_equal(error.size_bytes, sizeof(big));
	fixture_end(&f);
	test_free(set);
}

/* --- properties --- */

static struct slice random_text(struct rng *rng, char out[4])
{
	static const char alphabet[] = { 0x00, 0x01, 0x02, 'a', 0x7f };
	size_t size = 1 + rng_below(rng, 3);

	for (size_t i = 0; i < size; i++)
		out[i] = alphabet[rng_below(rng, sizeof(alphabet))];
	return slice_of(out, size);
}

struct values {
	char pk[4];
	char gp[4];
	struct slice pk_slice;
	struct slice gp_slice;
	int64_t sk;
	int64_t gs;
};

static void random_item(struct fixture *f, struct rng *rng, struct values *v)
{
	v->pk_slice = random_text(rng, v->pk);
	v->gp_slice = random_text(rng, v->gp);
	v->sk = (int64_t)rng_below(rng, 20) - 10;
	v->gs = (int64_t)rng_below(rng, 5) * 99 - 200;
	buf_reset(&f->item);
	buf_reset(&f->key);
	item_builder_init(&f->builder, &f->item);
	index_fixture_string(&f->builder, "pk", v->pk_slice);
	index_fixture_int(&f->builder, "sk", v->sk);
	index_fixture_string(&f->builder, "gp", v->gp_slice);
	index_fixture_int(&f->builder, "gs", v->gs);
	assert_int_equal(row_key(f), ST_OK);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int first_of(int a, int b)
{
	return a != 0 ? a : b;
}

/* Both have the same index partition key. */
static int order_in_partition(bool is_local, const struct values *a, const struct values *b)
{
	int order = compare_numbers(a->gs, b->gs);

	if (!is_local)
		order = first_of(order, slice_compare(a->pk_slice, b->pk_slice));
	return first_of(order, compare_numbers(a->sk, b->sk));
}

static int sign_of(int order)
{
	return (order > 0) - (order < 0);
}

static void rows_sort_as_the_index_does(bool is_local)
{
	struct fixture f;
	struct fixture g;
	struct rng rng;

	rng_seed(&rng, RNG_SEED);
	fixture_start(&f, is_local, is_local ? "S:pk" : "S:gp", "N:gs");
	fixture_start(&g, is_local, is_local ? "S:pk" : "S:gp", "N:gs");
	for (int i = 0; i < ORDER_ROUNDS; i++) {
		struct values a;
		struct values b;
		int order;

		random_item(&f, &rng, &a);
		random_item(&g, &rng, &b);
		order = slice_compare(buf_slice(&f.key), buf_slice(&g.key));
		if (is_local ? slice_equal(a.pk_slice, b.pk_slice) : slice_equal(a.gp_slice, b.gp_slice))
			assert_int_equal(sign_of(order), sign_of(order_in_partition(is_local, &a, &b)));
		else
			assert_int_not_equal(order, 0);
	}
	fixture_end(&f);
	fixture_end(&g);
}

static void local_rows_sort_by_index_key_then_sort_key(void **state)
{
	(void)state;
	rows_sort_as_the_index_does(true);
}

static void global_rows_sort_by_index_key_then_the_tables(void **state)
{
	(void)state;
	rows_sort_as_the_index_does(false);
}

/* The attributes of both keys come back, once each, and lead to the same row. */
static void check_back(struct fixture *f, uint32_t attribute_count)
{
	struct row_key_error error;
	struct item_attribute attribute;
	struct item_value value;
	struct item_iter iter;
	struct buf back;
	struct buf again;

	buf_init(&back, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	buf_init(&again, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	assert_int_equal(table_index_to_key(&back, &f->owner, buf_slice(&f->key)), ST_OK);
	assert_int_equal(item_check(buf_slice(&back)), ST_OK);
	assert_int_equal(item_count(buf_slice(&back)), attribute_count);
	item_iter_init(&iter, buf_slice(&back));
	while (item_next_attribute(&iter, &attribute)) {
		assert_true(item_find(buf_slice(&f->item), attribute.name, &value));
		assert_true(slice_equal(attribute.value.encoded, value.encoded));
	}
	assert_int_equal(table_index_start_key(&again, &f->owner, buf_slice(&back), &error), ST_OK);
	assert_true(slice_equal(buf_slice(&again), buf_slice(&f->key)));
	buf_close(&back);
	buf_close(&again);
}

static void row_keys_lead_back_to_both_keys(void **state)
{
	static const struct {
		uint8_t local_number;
		const char *partition;
		const char *sort;
		uint32_t attribute_count;
	} cases[] = {
		{ 1, "S:pk", "N:gs", 3 }, { 5, "S:pk", "S:gp", 3 }, { 0, "S:gp", NULL, 3 },
		{ 0, "N:gs", NULL, 3 },   { 0, "S:gp", "N:gs", 4 }, { 0, "S:gp", "N:sk", 3 },
		{ 0, "N:sk", "S:pk", 2 }, { 0, "S:pk", "N:gs", 3 }, { 0, "N:sk", NULL, 2 },
	};
	struct rng rng;

	(void)state;
	rng_seed(&rng, RNG_SEED);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;

		fixture_start(&f, cases[i].local_number, cases[i].partition, cases[i].sort);
		for (int round = 0; round < BACK_ROUNDS; round++) {
			struct values v;

			random_item(&f, &rng, &v);
			check_back(&f, cases[i].attribute_count);
		}
		fixture_end(&f);
	}
}

static void a_partition_starts_before_its_rows_and_no_others(void **state)
{
	struct rng rng;
	struct buf start;

	(void)state;
	rng_seed(&rng, RNG_SEED);
	buf_init(&start, LIMIT_INDEX_ROW_KEY_SIZE_BYTES);
	for (int i = 0; i < BACK_ROUNDS; i++) {
		bool is_local = rng_below(&rng, 2) == 0;
		struct values v;
		struct fixture f;

		fixture_start(&f, is_local ? 2 : 0, is_local ? "S:pk" : "S:gp", "N:gs");
		random_item(&f, &rng, &v);
		buf_reset(&start);
		assert_int_equal(
			table_index_partition_start(&start, &f.owner, is_local ? &v.pk_slice : &v.gp_slice),
			ST_OK);
		assert_true(start.size < f.key.size);
		assert_memory_equal(start.data, f.key.data, start.size);
		fixture_end(&f);
	}
	buf_close(&start);
}

static void a_copy_of_a_set_stands_alone(void **state)
{
	static const struct slice names[] = { { (const uint8_t *)"one", 3 }, { (const uint8_t *)"two", 3 } };
	struct table_indexes *set = test_calloc(1, sizeof(*set) + 3 * sizeof(set->list[0]));
	const struct table_index *found;
	struct table_indexes *copy;
	uint32_t cursor = 0;
	void *room;

	(void)state;
	set->count = 3;
	index_fixture_index(&set->list[0], 0, "S:gp", NULL, INDEX_PROJECTS_ALL);
	index_fixture_index(&set->list[1], 1, "S:pk", "N:gs", INDEX_PROJECTS_SOME);
	index_fixture_index(&set->list[2], 2, "S:pk", "S:gp", INDEX_PROJECTS_KEYS);
	memcpy(set->list[0].name, "global", sizeof("global"));
	memcpy(set->list[2].name, "second", sizeof("second"));
	set->list[1].attributes = names;
	set->list[1].attribute_count = 2;
	room = test_malloc(table_indexes_size(set));
	copy = table_indexes_copy(set, room);
	memset(set->list, 0xff, 3 * sizeof(set->list[0]));
	test_free(set);
	found = table_indexes_find(copy, slice_of_string("an-index"));
	assert_non_null(found);
	assert_ptr_not_equal(found->attributes, names);
	assert_true(slice_equal(found->attributes[1], names[1]));
	assert_ptr_equal(table_indexes_next(copy, true, &cursor), found);
	assert_string_equal(table_indexes_next(copy, true, &cursor)->name, "second");
	assert_null(table_indexes_next(copy, true, &cursor));
	cursor = 0;
	assert_string_equal(table_indexes_next(copy, false, &cursor)->name, "global");
	assert_null(table_indexes_next(copy, false, &cursor));
	assert_null(table_indexes_find(copy, slice_of_string("third")));
	assert_null(table_indexes_find(NULL, slice_of_string("third")));
	test_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_local_row_lies_in_its_items_collection),
		cmocka_unit_test(a_global_row_lies_in_the_derived_table),
		cmocka_unit_test(an_item_without_an_index_key_has_no_row),
		cmocka_unit_test(the_check_says_which_attribute_cannot_be_a_key),
		cmocka_unit_test(the_longest_keys_have_room),
		cmocka_unit_test(a_start_key_has_both_keys_and_nothing_else),
		cmocka_unit_test(bytes_of_another_index_are_corrupt),
		cmocka_unit_test(of_all_faults_of_all_indexes_one_is_told),
		cmocka_unit_test(local_rows_sort_by_index_key_then_sort_key),
		cmocka_unit_test(global_rows_sort_by_index_key_then_the_tables),
		cmocka_unit_test(row_keys_lead_back_to_both_keys),
		cmocka_unit_test(a_partition_starts_before_its_rows_and_no_others),
		cmocka_unit_test(a_copy_of_a_set_stands_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
