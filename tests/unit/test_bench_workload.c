#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

/* The tool is no library: its file is part of the test. */
#include "deploy/cleave/bench_workload.c"

enum { DRAWS = 200000, KEYS = 1000 };

static struct bench_workload_options usual_options(void)
{
	return (struct bench_workload_options){ .table = "bench",
						.mix = BENCH_MIX_PUT,
						.read_percent = 50,
						.keys = BENCH_KEYS_UNIFORM,
						.key_count = KEYS,
						.item_size_bytes = 1024,
						.seed = 1 };
}

static void open_workload(struct bench_workload *workload, const struct bench_workload_options *options)
{
	assert_int_equal(bench_workload_init(workload, options), ST_OK);
}

/* How often each key was chosen in DRAWS draws. */
static void draw_keys(enum bench_keys keys, uint32_t counts[KEYS])
{
	struct bench_workload_options options = usual_options();
	struct bench_workload workload;

	options.keys = keys;
	open_workload(&workload, &options);
	memset(counts, 0, KEYS * sizeof(*counts));
	for (int i = 0; i < DRAWS; i++) {
		uint64_t key_index = bench_workload_choose_key(&workload);

		assert_true(key_index < KEYS);
		counts[key_index]++;
	}
	bench_workload_close(&workload);
}

/* Within 15 % of what is expected, where that is some thousands. */
static void assert_near(double actual, double expected)
{
	if (actual < 0.85 * expected || actual > 1.15 * expected)
		fail_msg("%.1f is not near %.1f", actual, expected);
}

static void uniform_keys_are_all_equally_likely(void **state)
{
	uint32_t counts[KEYS];

	(void)state;
	draw_keys(BENCH_KEYS_UNIFORM, counts);
	for (size_t i = 0; i < KEYS; i++)
		assert_true(counts[i] > DRAWS / KEYS / 2 && counts[i] < DRAWS / KEYS * 2);
}

/* The k-th key has the weight 1/k^0.99. */
static void zipf_keys_follow_the_law(void **state)
{
	static const size_t ranks[] = { 1, 2, 3, 10, 30 };
	uint32_t counts[KEYS];
	double sum = 0;

	(void)state;
	draw_keys(BENCH_KEYS_ZIPF, counts);
	for (size_t i = 1; i <= KEYS; i++)
		sum += pow((double)i, -0.99);
	for (size_t i = 0; i < ARRAY_COUNT(ranks); i++)
		assert_near(counts[ranks[i] - 1], DRAWS * pow((double)ranks[i], -0.99) / sum);
	assert_true(counts[KEYS - 1] < counts[0] / 100);
}

static void nine_in_ten_of_hot_operations_go_to_one_key_in_a_hundred(void **state)
{
	uint32_t counts[KEYS];
	uint64_t hot_count = 0;

	(void)state;
	draw_keys(BENCH_KEYS_HOT, counts);
	for (size_t i = 0; i < KEYS / 100; i++)
		hot_count += counts[i];
	/* The others hit a hot key now and then too. */
	assert_near((double)hot_count, DRAWS * (0.9 + 0.1 * 0.01));
	assert_near((double)(DRAWS - hot_count), DRAWS * 0.1 * 0.99);
}

static void a_single_key_is_chosen_by_every_distribution(void **state)
{
	static const enum bench_keys all[] = { BENCH_KEYS_UNIFORM, BENCH_KEYS_ZIPF, BENCH_KEYS_HOT };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		struct bench_workload_options options = usual_options();
		struct bench_workload workload;

		options.key_count = 1;
		options.keys = all[i];
		open_workload(&workload, &options);
		for (int n = 0; n < 1000; n++)
			assert_int_equal(bench_workload_choose_key(&workload), 0);
		bench_workload_close(&workload);
	}
}

static uint32_t count_gets(enum bench_mix mix, uint32_t read_percent)
{
	struct bench_workload_options options = usual_options();
	struct bench_workload workload;
	uint32_t count = 0;

	options.mix = mix;
	options.read_percent = read_percent;
	open_workload(&workload, &options);
	for (int i = 0; i < DRAWS; i++)
		count += bench_workload_choose_op(&workload) == BENCH_OP_GET;
	bench_workload_close(&workload);
	return count;
}

static void a_mix_has_as_many_gets_as_asked_for(void **state)
{
	(void)state;
	assert_int_equal(count_gets(BENCH_MIX_PUT, 50), 0);
	assert_int_equal(count_gets(BENCH_MIX_GET, 50), DRAWS);
	assert_int_equal(count_gets(BENCH_MIX_BOTH, 0), 0);
	assert_int_equal(count_gets(BENCH_MIX_BOTH, 100), DRAWS);
	assert_near(count_gets(BENCH_MIX_BOTH, 20), DRAWS * 0.2);
}

static void assert_text(struct slice body, const char *text)
{
	if (!slice_equal(body, slice_of_string(text)))
		fail_msg("got: %.*s\nnot: %s", (int)body.size, (const char *)body.data, text);
}

static void a_get_names_table_key_and_consistency(void **state)
{
	struct bench_workload_options options = usual_options();
	struct bench_workload workload;

	(void)state;
	open_workload(&workload, &options);
	assert_text(bench_workload_body(&workload, BENCH_OP_GET, 42),
		    "{\"TableName\":\"bench\",\"Key\":{\"pk\":{\"S\":\"key-000000000042\"}}}");
	assert_text(bench_workload_body(&workload, BENCH_OP_GET, 7),
		    "{\"TableName\":\"bench\",\"Key\":{\"pk\":{\"S\":\"key-000000000007\"}}}");
	bench_workload_close(&workload);

	options.is_consistent = true;
	open_workload(&workload, &options);
	assert_text(bench_workload_body(&workload, BENCH_OP_GET, 999),
		    "{\"TableName\":\"bench\",\"Key\":{\"pk\":{\"S\":\"key-000000000999\"}},"
		    "\"ConsistentRead\":true}");
	bench_workload_close(&workload);
}

/* The item counts names and values; the rest of the body is JSON. */
static void collections_and_indexes_have_their_keys(void **state)
{
	struct bench_workload_options options = usual_options();
	struct bench_workload workload;

	(void)state;
	options.collection_size = 100;
	options.has_index = true;
	options.item_size_bytes = 58;
	options.mix = BENCH_MIX_QUERY;
	open_workload(&workload, &options);
	assert_int_equal(bench_workload_choose_op(&workload), BENCH_OP_QUERY);
	assert_text(bench_workload_body(&workload, BENCH_OP_QUERY, 742),
		    "{\"TableName\":\"bench\",\"KeyConditionExpression\":\"pk = :pk\","
		    "\"ExpressionAttributeValues\":{\":pk\":{\"S\":\"key-000000000007\"}}}");
	assert_text(bench_workload_body(&workload, BENCH_OP_ADD, 742),
		    "{\"TableName\":\"bench\",\"Key\":{\"pk\":{\"S\":\"key-000000000007\"},"
		    "\"sk\":{\"S\":\"key-000000000042\"}},\"UpdateExpression\":\"ADD n :one\","
		    "\"ExpressionAttributeValues\":{\":one\":{\"N\":\"1\"}}}");
	bench_workload_close(&workload);
	options.item_size_bytes = 54; /* the names and keys alone */
	assert_int_equal(bench_workload_init(&workload, &options), ST_INVALID);
}

static void a_put_holds_an_item_of_the_size_asked_for(void **state)
{
	static const uint64_t sizes[] = { BENCH_WORKLOAD_ITEM_SIZE_MIN, 100, 1024,
					  BENCH_WORKLOAD_ITEM_SIZE_MAX };
	static const char before[] =
		"{\"TableName\":\"bench\",\"Item\":{\"pk\":{\"S\":\"key-000000000005\"},\"v\":{\"S\":\"";
	static const char end[] = "\"}}}";

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct bench_workload_options options = usual_options();
		struct bench_workload workload;
		struct slice body;
		size_t value_size;

		options.item_size_bytes = sizes[i];
		open_workload(&workload, &options);
		body = bench_workload_body(&workload, BENCH_OP_PUT, 5);
		assert_true(body.size > strlen(before) + strlen(end));
		assert_memory_equal(body.data, before, strlen(before));
		assert_memory_equal(body.data + body.size - strlen(end), end, strlen(end));
		value_size = body.size - strlen(before) - strlen(end);
		assert_int_equal(strlen("pk") + BENCH_WORKLOAD_KEY_SIZE + strlen("v") + value_size, sizes[i]);
		for (size_t n = 0; n < value_size; n++)
			assert_true(body.data[strlen(before) + n] > ' ' &&
				    body.data[strlen(before) + n] < 127 &&
				    body.data[strlen(before) + n] != '"' &&
				    body.data[strlen(before) + n] != '\\');
		bench_workload_close(&workload);
	}
}

static void two_puts_of_a_key_differ(void **state)
{
	struct bench_workload_options options = usual_options();
	struct bench_workload workload;
	uint8_t first[4096];
	struct slice body;

	(void)state;
	open_workload(&workload, &options);
	body = bench_workload_body(&workload, BENCH_OP_PUT, 5);
	assert_true(body.size <= sizeof(first));
	memcpy(first, body.data, body.size);
	body = bench_workload_body(&workload, BENCH_OP_PUT, 5);
	assert_memory_not_equal(first, body.data, body.size);
	bench_workload_close(&workload);
}

static void one_seed_gives_one_load(void **state)
{
	struct bench_workload_options options = usual_options();
	struct bench_workload first;
	struct bench_workload second;
	struct bench_workload other;
	bool is_other_different = false;

	(void)state;
	options.keys = BENCH_KEYS_ZIPF;
	options.mix = BENCH_MIX_BOTH;
	open_workload(&first, &options);
	open_workload(&second, &options);
	options.seed = 2;
	open_workload(&other, &options);
	for (int i = 0; i < 100; i++) {
		uint64_t key_index = bench_workload_choose_key(&first);

		assert_int_equal(key_index, bench_workload_choose_key(&second));
		is_other_different |= key_index != bench_workload_choose_key(&other);
		assert_int_equal(bench_workload_choose_op(&first), bench_workload_choose_op(&second));
		assert_true(slice_equal(bench_workload_body(&first, BENCH_OP_PUT, key_index),
					bench_workload_body(&second, BENCH_OP_PUT, key_index)));
	}
	assert_true(is_other_different);
	bench_workload_close(&first);
	bench_workload_close(&second);
	bench_workload_close(&other);
}

static void sizes_and_counts_out_of_range_are_refused(void **state)
{
	struct bench_workload workload;
	struct bench_workload_options options = usual_options();

	(void)state;
	options.item_size_bytes = BENCH_WORKLOAD_ITEM_SIZE_MIN - 1;
	assert_int_equal(bench_workload_init(&workload, &options), ST_INVALID);
	options.item_size_bytes = BENCH_WORKLOAD_ITEM_SIZE_MAX + 1;
	assert_int_equal(bench_workload_init(&workload, &options), ST_INVALID);
	options = usual_options();
	options.key_count = 0;
	assert_int_equal(bench_workload_init(&workload, &options), ST_INVALID);
	options.key_count = BENCH_WORKLOAD_KEYS_MAX + 1;
	assert_int_equal(bench_workload_init(&workload, &options), ST_INVALID);
	options = usual_options();
	options.read_percent = 101;
	assert_int_equal(bench_workload_init(&workload, &options), ST_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collections_and_indexes_have_their_keys),
		cmocka_unit_test(uniform_keys_are_all_equally_likely),
		cmocka_unit_test(zipf_keys_follow_the_law),
		cmocka_unit_test(nine_in_ten_of_hot_operations_go_to_one_key_in_a_hundred),
		cmocka_unit_test(a_single_key_is_chosen_by_every_distribution),
		cmocka_unit_test(a_mix_has_as_many_gets_as_asked_for),
		cmocka_unit_test(a_get_names_table_key_and_consistency),
		cmocka_unit_test(a_put_holds_an_item_of_the_size_asked_for),
		cmocka_unit_test(two_puts_of_a_key_differ),
		cmocka_unit_test(one_seed_gives_one_load),
		cmocka_unit_test(sizes_and_counts_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
