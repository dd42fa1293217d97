#include "coordinator/api/api_query_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "coordinator/json/json_reader.h"
#include "proto/model/row_key.h"

enum { TABLE_ID = 7, ARENA_SIZE = 1024 * 1024 };

struct fixture {
	struct arena arena;
	struct table_info table;
	struct api_query_target target;
	struct api_query_input input;
	struct api_query_range range;
	struct api_error error;
};

/* Key pk of type S, sk of type N. */
static void open_table(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	arena_init(&f->arena, ARENA_SIZE);
	api_error_init(&f->error);
	f->table.table_id = TABLE_ID;
	f->table.token_seed = 99;
	assert_int_equal(table_schema_init(&f->table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(
		table_schema_add_sort_key(&f->table.schema, slice_of_string("sk"), slice_of_string("N")),
		ST_OK);
	api_query_target_of_table(&f->table, &f->target);
}

static bool read_input(struct fixture *f, enum api_query_kind kind, const char *body)
{
	return api_query_input_read(kind, slice_of_string(body), &f->arena, &f->input, &f->error);
}

static bool query(struct fixture *f, const char *members)
{
	char body[1024];

	(void)snprintf(body, sizeof(body), "{\"TableName\":\"things\",%s}", members);
	return read_input(f, API_QUERY, body) &&
	       api_query_range_of_query(&f->input, &f->target, &f->arena, &f->range, &f->error);
}

static bool scan(struct fixture *f, const char *members)
{
	char body[1024];

	(void)snprintf(body, sizeof(body), "{\"TableName\":\"things\"%s}", members);
	return read_input(f, API_SCAN, body) &&
	       api_query_range_of_scan(&f->input, &f->target, &f->arena, &f->range, &f->error);
}

/* Does the range hold the row of this key? */
static bool holds(struct fixture *f, const char *pk, const char *sk)
{
	struct row_key_error error = { .fault = ROW_KEY_OK };
	struct item_builder builder;
	struct decimal number;
	struct buf item;
	struct buf key;
	bool is_inside;

	buf_init(&item, 4096);
	buf_init(&key, LIMIT_ROW_KEY_SIZE_BYTES);
	assert_int_equal(decimal_parse(&number, slice_of_string(sk)), ST_OK);
	item_builder_init(&builder, &item);
	item_builder_name(&builder, slice_of_string("pk"));
	item_builder_string(&builder, slice_of_string(pk));
	item_builder_name(&builder, slice_of_string("sk"));
	item_builder_number(&builder, &number);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
	assert_int_equal(row_key_from_item(&key, TABLE_ID, f->table.token_seed, &f->table.schema,
					   buf_slice(&item), &error),
			 ST_OK);
	is_inside = slice_compare(buf_slice(&key), f->range.start) >= 0 &&
		    slice_compare(buf_slice(&key), f->range.end) < 0;
	buf_close(&item);
	buf_close(&key);
	return is_inside;
}

#define VALUES                                                                                               \
	"\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"},\":x\":{\"N\":\"3\"},\":y\":{\"N\":\"5\"}}"
#define VALUES_X   "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"},\":x\":{\"N\":\"3\"}}"
#define VALUES_P   "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"}}"
#define START(key) ",\"ExclusiveStartKey\":" key

static void each_condition_holds_its_rows_and_no_others(void **state)
{
	static const struct {
		const char *members;
		const char *inside; /* of "1", "2.9", "3", "3.1", "5", "6": one letter each */
	} cases[] = {
		{ "\"KeyConditionExpression\":\"pk = :p\"," VALUES_P, "yyyyyy" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk = :x\"," VALUES_X, "nnynnn" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk < :x\"," VALUES_X, "yynnnn" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk <= :x\"," VALUES_X, "yyynnn" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk > :x\"," VALUES_X, "nnnyyy" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk >= :x\"," VALUES_X, "nnyyyy" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk BETWEEN :x AND :y\"," VALUES, "nnyyyn" },
	};
	static const char *const keys[] = { "1", "2.9", "3", "3.1", "5", "6" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;

		open_table(&f);
		assert_true(query(&f, cases[i].members));
		assert_true(slice_compare(f.range.start, f.range.end) <= 0);
		for (size_t k = 0; k < ARRAY_COUNT(keys); k++) {
			assert_int_equal(holds(&f, "a", keys[k]), cases[i].inside[k] == 'y');
			assert_false(holds(&f, "b", keys[k]));
		}
		arena_close(&f.arena);
	}
}

static void a_start_key_cuts_the_range_in_the_direction_of_the_query(void **state)
{
	struct fixture f;

	(void)state;
	open_table(&f);
	assert_true(query(&f, "\"KeyConditionExpression\":\"pk = :p\"," VALUES_P START(
				      "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"3\"}}")));
	assert_false(holds(&f, "a", "3"));
	assert_true(holds(&f, "a", "3.0000000000000000000000000000000000001"));
	assert_true(
		query(&f, "\"ScanIndexForward\":false,\"KeyConditionExpression\":\"pk = :p\"," VALUES_P START(
				  "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"3\"}}")));
	assert_false(holds(&f, "a", "3"));
	assert_true(holds(&f, "a", "2.9999999999999999999999999999999999999"));
	arena_close(&f.arena);
}

static void segments_meet_and_leave_nothing_between(void **state)
{
	static const uint32_t counts[] = { 1, 2, 3, 7, 1000, 999983, LIMIT_SCAN_SEGMENT_COUNT };
	struct fixture f;

	(void)state;
	open_table(&f);
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		uint32_t step = counts[i] > 5000 ? counts[i] / 500 : 1;
		struct slice end = slice_of(NULL, 0);

		f.input = (struct api_query_input){ .segment_count = counts[i] };
		for (uint32_t segment = 0; segment + 1 <= counts[i]; segment++) {
			if (segment % step > 1 && segment + 2 < counts[i])
				continue; /* neighbours, here and there */
			f.input.segment = segment;
			assert_true(
				api_query_range_of_scan(&f.input, &f.target, &f.arena, &f.range, &f.error));
			assert_true(slice_compare(f.range.start, f.range.end) < 0);
			if (segment % step == 1)
				assert_true(slice_equal(f.range.start, end));
			end = f.range.end;
		}
		arena_reset(&f.arena);
	}
	f.input = (struct api_query_input){ .segment_count = 3, .segment = 2 };
	assert_true(api_query_range_of_scan(&f.input, &f.target, &f.arena, &f.range, &f.error));
	assert_int_equal(f.range.end.size, 4);
	assert_int_equal(get_u32_be(f.range.end.data), TABLE_ID + 1);
	arena_close(&f.arena);
}

static void a_scan_goes_on_behind_its_start_key(void **state)
{
	struct fixture f;

	(void)state;
	open_table(&f);
	assert_true(scan(&f, START("{\"sk\":{\"N\":\"3\"},\"pk\":{\"S\":\"a\"}}")));
	assert_false(holds(&f, "a", "3"));
	assert_true(holds(&f, "a", "4"));
	assert_false(holds(&f, "a", "2"));
	arena_close(&f.arena);
}

static void what_is_outside_is_refused_in_the_service_s_words(void **state)
{
	static const struct {
		const char *members;
		const char *message;
	} cases[] = {
		{ "\"KeyConditionExpression\":\"pk = :p\"," VALUES_P START("{\"pk\":{\"S\":\"a\"}}"),
		  "The provided starting key is invalid" },
		{ "\"KeyConditionExpression\":\"pk = :p\"," VALUES_P START(
			  "{\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"1\"}}"),
		  "The provided starting key is outside query boundaries based on provided conditions" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk > :x\"," VALUES_X START(
			  "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"3\"}}"),
		  "The provided starting key does not match the range key predicate" },
		{ "\"KeyConditionExpression\":\"pk = :p AND sk > :x\"," VALUES_X START(
			  "{\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"4\"}}"),
		  "The query can return at most one row and cannot be restarted" },
		{ "\"KeyConditionExpression\":\"pk = :p\"," VALUES_P START(
			  "{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"4\"}}"),
		  "The provided key element does not match the schema" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;

		open_table(&f);
		assert_false(query(&f, cases[i].members));
		assert_int_equal(f.error.type, API_ERROR_VALIDATION);
		assert_string_equal(f.error.message, cases[i].message);
		arena_close(&f.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_condition_holds_its_rows_and_no_others),
		cmocka_unit_test(a_start_key_cuts_the_range_in_the_direction_of_the_query),
		cmocka_unit_test(segments_meet_and_leave_nothing_between),
		cmocka_unit_test(a_scan_goes_on_behind_its_start_key),
		cmocka_unit_test(what_is_outside_is_refused_in_the_service_s_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
