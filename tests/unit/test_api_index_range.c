#include "tests/unit/index_range_fixture.h"

enum { PARTITIONS = 3, SORTS = 5 };

/* Table: pk S, sk N.  Indexes: one local (pk, l N), one global (g S, h N), one global without sort
 * key (g S), and one that is not ready. */
static void fixture_open(struct fixture *f)
{
	static const char *const names[] = { "local", "global", "hash", "filling", "sparse" };
	struct table_indexes *indexes = range_fixture_open(f, ARRAY_COUNT(names));

	index_fixture_index(&indexes->list[0], 3, "S:pk", "N:l", INDEX_PROJECTS_SOME);
	index_fixture_index(&indexes->list[1], 0, "S:g", "N:h", INDEX_PROJECTS_KEYS);
	index_fixture_index(&indexes->list[2], 0, "S:g", NULL, INDEX_PROJECTS_ALL);
	index_fixture_index(&indexes->list[3], 0, "S:g", NULL, INDEX_PROJECTS_ALL);
	index_fixture_index(&indexes->list[4], 2, "S:pk", "N:m", INDEX_PROJECTS_ALL);
	for (uint32_t i = 0; i < indexes->count; i++) {
		(void)snprintf(indexes->list[i].name, sizeof(indexes->list[i].name), "%s", names[i]);
		if (!table_index_is_local(&indexes->list[i]))
			indexes->list[i].table_id = DERIVED_ID;
	}
	indexes->list[3].state = INDEX_CREATING;
	indexes->list[3].is_backfilling = true;
}

/* --- rows --- */

static void make_item(const struct fixture *f, const struct row *row, struct buf *item)
{
	bool is_local = table_index_is_local(&f->target.index);
	char partition[2] = { (char)('a' + (int)row->values[0]), '\0' };
	struct item_builder builder;

	item_builder_init(&builder, item);
	index_fixture_string(&builder, is_local ? "pk" : "g", slice_of_string(partition));
	index_fixture_int(&builder, is_local ? "l" : "h", row->values[1]);
	if (!is_local)
		index_fixture_string(&builder, "pk", slice_of_string("same"));
	index_fixture_int(&builder, "sk", row->number);
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

/* ROWS items whose index keys are often equal. */
static void make_rows(struct fixture *f)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		struct row *row = &f->rows[i];
		struct buf item;

		row->number = i;
		row->values[0] = (uint32_t)rng_below(&f->rng, PARTITIONS);
		row->values[1] = f->target.index.schema.sort_count > 0 ? (uint32_t)rng_below(&f->rng, SORTS)
								       : 0;
		buf_init(&item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		make_item(f, row, &item);
		set_row_key(f, row, buf_slice(&item));
		buf_close(&item);
	}
	qsort(f->rows, ROWS, sizeof(f->rows[0]), by_row_key);
}

/* --- requests --- */

static bool read_request(struct fixture *f, enum api_query_kind kind, const char *members)
{
	api_error_init(&f->error);
	buf_reset(&f->body);
	buf_append_format(&f->body, "{\"TableName\":\"things\"%s}", members);
	assert_int_equal(f->body.status, ST_OK);
	return api_query_input_read(kind, buf_slice(&f->body), &f->arena, &f->input, &f->error);
}

static bool find_target(struct fixture *f)
{
	return api_query_target_find(&f->input, &f->table, &f->state, &f->target, &f->error);
}

enum {
	CONDITION_NONE,
	CONDITION_EQ,
	CONDITION_LT,
	CONDITION_LE,
	CONDITION_GT,
	CONDITION_GE,
	CONDITION_BETWEEN,
	CONDITION_COUNT
};

static bool is_met(uint32_t condition, int64_t sort, int64_t low, int64_t high)
{
	switch (condition) {
	case CONDITION_EQ:
		return sort == low;
	case CONDITION_LT:
		return sort < low;
	case CONDITION_LE:
		return sort <= low;
	case CONDITION_GT:
		return sort > low;
	case CONDITION_GE:
		return sort >= low;
	case CONDITION_BETWEEN:
		return sort >= low && sort <= high;
	default:
		return true;
	}
}

static void request_query(struct fixture *f, const char *index, uint32_t partition, uint32_t condition,
			  int64_t low, int64_t high)
{
	static const char *const operators[] = { "", "=", "<", "<=", ">", ">=", "BETWEEN" };
	bool is_local = strcmp(index, "local") == 0;
	char sort[256] = "";
	char values[256] = "";
	char members[1024];

	if (condition != CONDITION_NONE) {
		(void)snprintf(sort, sizeof(sort), " AND %s %s :x%s", is_local ? "l" : "h",
			       operators[condition], condition == CONDITION_BETWEEN ? " AND :y" : "");
		(void)snprintf(values, sizeof(values), ",\":x\":{\"N\":\"%d\"}", (int)low);
	}
	if (condition == CONDITION_BETWEEN)
		(void)snprintf(values + strlen(values), sizeof(values) - strlen(values),
			       ",\":y\":{\"N\":\"%d\"}", (int)high);
	(void)snprintf(members, sizeof(members),
		       ",\"IndexName\":\"%s\",\"KeyConditionExpression\":\"%s = :p%s\","
		       "\"ExpressionAttributeValues\":{\":p\":{\"S\":\"%c\"}%s}",
		       index, is_local ? "pk" : "g", sort, (char)('a' + (int)partition), values);
	assert_true(read_request(f, API_QUERY, members));
	assert_true(find_target(f));
}

static void each_condition_holds_the_index_s_rows_and_no_others(void **state)
{
	static const char *const indexes[] = { "local", "global", "hash" };

	(void)state;
	for (uint64_t seed = 0; seed < 150; seed++) {
		const char *index = indexes[seed % ARRAY_COUNT(indexes)];
		struct fixture f;
		uint32_t partition;
		uint32_t condition;
		int64_t low;
		int64_t high;

		fixture_open(&f);
		rng_seed(&f.rng, seed);
		partition = (uint32_t)rng_below(&f.rng, PARTITIONS + 1);
		condition = strcmp(index, "hash") == 0 ? CONDITION_NONE
						       : (uint32_t)rng_below(&f.rng, CONDITION_COUNT);
		low = (int64_t)rng_below(&f.rng, SORTS);
		high = low + (int64_t)rng_below(&f.rng, SORTS);
		request_query(&f, index, partition, condition, low, high);
		make_rows(&f);
		assert_true(make_range(&f, API_QUERY));
		for (uint32_t i = 0; i < ROWS; i++)
			assert_int_equal(in_range(&f, &f.rows[i]),
					 f.rows[i].values[0] == partition &&
						 is_met(condition, f.rows[i].values[1], low, high));
		fixture_close(&f);
	}
}

/* --- pages --- */

static void pages_of_any_size_are_the_whole(void **state)
{
	static const char *const indexes[] = { "local", "global", "hash" };

	(void)state;
	for (uint64_t seed = 0; seed < 120; seed++) {
		const char *index = indexes[seed % ARRAY_COUNT(indexes)];
		bool is_scan = seed % 4 == 3;
		uint32_t whole[ROWS];
		uint32_t paged[ROWS];
		struct fixture f;
		uint32_t count;

		fixture_open(&f);
		rng_seed(&f.rng, seed);
		request_query(&f, index, (uint32_t)rng_below(&f.rng, PARTITIONS),
			      strcmp(index, "hash") == 0 ? CONDITION_NONE : CONDITION_GE,
			      (int64_t)rng_below(&f.rng, 3), 0);
		f.input.is_backward = !is_scan && rng_below(&f.rng, 2) == 0;
		make_rows(&f);
		count = read_pages(&f, is_scan ? API_SCAN : API_QUERY, ROWS + 1, whole);
		assert_true(count > 0);
		for (uint32_t limit = 1; limit < 9; limit++) {
			f.input.start_key = slice_of(NULL, 0);
			assert_int_equal(read_pages(&f, is_scan ? API_SCAN : API_QUERY, limit, paged), count);
			assert_memory_equal(paged, whole, count * sizeof(whole[0]));
		}
		fixture_close(&f);
	}
}

static void segments_of_an_index_hold_each_row_once(void **state)
{
	static const char *const indexes[] = { "local", "global", "hash" };

	(void)state;
	for (uint32_t i = 0; i < ARRAY_COUNT(indexes); i++) {
		uint32_t count = 0;
		struct fixture f;

		fixture_open(&f);
		request_query(&f, indexes[i], 0, CONDITION_NONE, 0, 0);
		make_rows(&f);
		f.input.segment_count = 5;
		for (f.input.segment = 0; f.input.segment < 5; f.input.segment++) {
			assert_true(make_range(&f, API_SCAN));
			for (uint32_t k = 0; k < ROWS; k++)
				count += in_range(&f, &f.rows[k]);
		}
		assert_int_equal(count, ROWS);
		fixture_close(&f);
	}
}

/* --- what is refused --- */

#define QUERY_LOCAL                                                                                          \
	",\"IndexName\":\"local\",\"KeyConditionExpression\":\"pk = :p AND l > :x\","                        \
	"\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"},\":x\":{\"N\":\"3\"}}"
#define QUERY_GLOBAL                                                                                         \
	",\"IndexName\":\"global\",\"KeyConditionExpression\":\"g = :p\","                                   \
	"\"ExpressionAttributeValues\":{\":p\":{\"S\":\"a\"}}"
#define SCAN_GLOBAL ",\"IndexName\":\"global\""
#define START(key)  ",\"ExclusiveStartKey\":" key
#define INVALID     "The provided starting key is invalid"
#define SCHEMA      "The provided key element does not match the schema"

static void bad_start_keys_are_told_in_the_service_s_words(void **state)
{
	static const struct {
		enum api_query_kind kind;
		const char *members;
		const char *message;
	} cases[] = {
		{ API_QUERY, QUERY_LOCAL START("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"}}"), INVALID },
		{ API_QUERY, QUERY_GLOBAL START("{\"g\":{\"S\":\"a\"},\"h\":{\"N\":\"4\"}}"), INVALID },
		{ API_SCAN, SCAN_GLOBAL START("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"}}"), INVALID },
		{ API_SCAN,
		  SCAN_GLOBAL START("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"},\"g\":{\"S\":\"a\"},"
				    "\"i\":{\"N\":\"4\"}}"),
		  INVALID },
		{ API_SCAN,
		  SCAN_GLOBAL START("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"},\"g\":{\"N\":\"1\"},"
				    "\"h\":{\"N\":\"4\"}}"),
		  SCHEMA },
		{ API_SCAN,
		  SCAN_GLOBAL START("{\"pk\":{\"N\":\"1\"},\"sk\":{\"N\":\"4\"},\"g\":{\"S\":\"a\"},"
				    "\"h\":{\"N\":\"4\"}}"),
		  INVALID ": " SCHEMA },
		{ API_QUERY,
		  QUERY_GLOBAL START("{\"x\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"},\"g\":{\"S\":\"a\"},"
				     "\"h\":{\"N\":\"4\"}}"),
		  INVALID ": " SCHEMA },
		{ API_QUERY,
		  QUERY_GLOBAL START("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"},\"g\":{\"S\":\"b\"},"
				     "\"h\":{\"N\":\"4\"}}"),
		  "The provided starting key is outside query boundaries based on provided conditions" },
		{ API_QUERY,
		  QUERY_LOCAL START("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"},\"l\":{\"N\":\"3\"}}"),
		  "The provided starting key does not match the range key predicate" },
		{ API_QUERY,
		  QUERY_LOCAL START("{\"pk\":{\"S\":\"b\"},\"sk\":{\"N\":\"4\"},\"l\":{\"N\":\"4\"}}"),
		  "The query can return at most one row and cannot be restarted" },
		{ API_SCAN,
		  SCAN_GLOBAL
		  ",\"Select\":\"ALL_ATTRIBUTES\"" START("{\"x\":{\"N\":\"1\"},\"y\":{\"N\":\"4\"},\"g\":{"
							 "\"S\":\"a\"},\"h\":{\"N\":\"4\"}}"),
		  "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported "
		  "for global secondary index global because its projection type is not ALL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;

		fixture_open(&f);
		assert_true(read_request(&f, cases[i].kind, cases[i].members));
		assert_true(find_target(&f));
		assert_false(make_range(&f, cases[i].kind));
		assert_int_equal(f.error.type, API_ERROR_VALIDATION);
		assert_string_equal(f.error.message, cases[i].message);
		fixture_close(&f);
	}
}

/* Everything that can be said of an index besides its ranges. */
static bool check_use(struct fixture *f, bool is_query)
{
	return find_target(f) && api_query_target_check_consistency(&f->target, &f->input, &f->error) &&
	       api_query_target_check_select(&f->target, &f->input, &f->error) &&
	       api_query_target_check_attributes(&f->target, &f->input, is_query, &f->error);
}

static void what_an_index_does_not_give_is_refused(void **state)
{
#define WERE_INVALID "One or more parameter values were invalid: "
	static const struct {
		enum api_query_kind kind;
		const char *members;
		const char *message;
	} cases[] = {
		{ API_SCAN, ",\"IndexName\":\"nobody\"",
		  "The table does not have the specified index: nobody" },
		{ API_SCAN, ",\"IndexName\":\"filling\"",
		  "Cannot read from backfilling global secondary index: filling" },
		{ API_SCAN, ",\"IndexName\":\"hash\",\"ConsistentRead\":true",
		  "Consistent reads are not supported on global secondary indexes" },
		{ API_QUERY, QUERY_GLOBAL ",\"Select\":\"ALL_ATTRIBUTES\"",
		  WERE_INVALID
		  "Select type ALL_ATTRIBUTES is not supported for global secondary index global "
		  "because its projection type is not ALL" },
		{ API_QUERY, QUERY_GLOBAL ",\"ProjectionExpression\":\"pk, u.v, sk, w, u.x\"",
		  WERE_INVALID "Global secondary index global does not project [u, w]" },
		{ API_SCAN, SCAN_GLOBAL ",\"AttributesToGet\":[\"g\",\"u\"]",
		  WERE_INVALID "Global secondary index global does not project [u]" },
		{ API_QUERY, QUERY_GLOBAL ",\"FilterExpression\":\"attribute_exists(u)\"",
		  WERE_INVALID "Secondary index global does not project one or more filter attributes: [u]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct fixture f;

		fixture_open(&f);
		assert_true(read_request(&f, cases[i].kind, cases[i].members));
		assert_false(check_use(&f, cases[i].kind == API_QUERY));
		assert_int_equal(f.error.type, API_ERROR_VALIDATION);
		assert_string_equal(f.error.message, cases[i].message);
		fixture_close(&f);
	}
}

static void what_an_index_gives_is_not_refused(void **state)
{
	static const struct {
		enum api_query_kind kind;
		const char *members;
		bool fetches_items;
		uint32_t path_count; /* of the projection; 0: none */
	} cases[] = {
		{ API_SCAN, "", false, 0 },
		{ API_SCAN, ",\"Select\":\"ALL_ATTRIBUTES\"", false, 0 },
		{ API_SCAN, SCAN_GLOBAL ",\"Select\":\"ALL_PROJECTED_ATTRIBUTES\"", false, 0 },
		{ API_SCAN, SCAN_GLOBAL ",\"ProjectionExpression\":\"pk, sk, g, h\"", false, 4 },
		{ API_SCAN, SCAN_GLOBAL ",\"FilterExpression\":\"attribute_not_exists(u)\"", false, 0 },
		{ API_SCAN, ",\"IndexName\":\"hash\",\"Select\":\"ALL_ATTRIBUTES\"", false, 0 },
		{ API_SCAN, ",\"IndexName\":\"sparse\",\"Select\":\"ALL_ATTRIBUTES\"", false, 0 },
		{ API_SCAN, ",\"IndexName\":\"local\",\"ConsistentRead\":true", false, 0 },
		{ API_SCAN, ",\"IndexName\":\"local\",\"Select\":\"COUNT\"", false, 0 },
		{ API_SCAN, ",\"IndexName\":\"local\",\"ProjectionExpression\":\"x, l\"", false, 2 },
		{ API_SCAN, ",\"IndexName\":\"local\",\"ProjectionExpression\":\"x, u\"", true, 2 },
		{ API_SCAN, ",\"IndexName\":\"local\",\"Select\":\"ALL_ATTRIBUTES\"", true, 0 },
		/* Fetched for the filter alone: pk, sk, l, x are answered. */
		{ API_QUERY, QUERY_LOCAL ",\"FilterExpression\":\"attribute_exists(u)\"", true, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct api_query_selection selection;
		struct fixture f;

		fixture_open(&f);
		assert_true(read_request(&f, cases[i].kind, cases[i].members));
		assert_true(check_use(&f, cases[i].kind == API_QUERY));
		assert_true(api_query_target_selection(&f.target, &f.input, &f.arena, &selection, &f.error));
		assert_int_equal(selection.fetches_items, cases[i].fetches_items);
		assert_int_equal(selection.projection == NULL ? 0 : selection.projection->n_paths,
				 cases[i].path_count);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_condition_holds_the_index_s_rows_and_no_others),
		cmocka_unit_test(pages_of_any_size_are_the_whole),
		cmocka_unit_test(segments_of_an_index_hold_each_row_once),
		cmocka_unit_test(bad_start_keys_are_told_in_the_service_s_words),
		cmocka_unit_test(what_an_index_does_not_give_is_refused),
		cmocka_unit_test(what_an_index_gives_is_not_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
