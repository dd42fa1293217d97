/* Query and Scan of an index whose key has several attributes: random shapes, items and conditions, as
 * expressions and as KeyConditions, against what the items themselves say; and the pages of them. */
#include "tests/unit/index_range_fixture.h"

enum { SEEDS = 300, VALUES = 3 };

enum condition { EQ, LT, LE, GT, GE, BETWEEN, CONDITIONS };

/* What is asked for: the first `given` attributes of the sort key, the last of them by `condition`. */
struct question {
	uint32_t values[LIMIT_KEY_ATTRIBUTE_COUNT];
	uint32_t given;
	enum condition condition;
	uint32_t high;
};

static void append_attributes(struct rng *rng, char *out, char role, uint32_t count)
{
	size_t size = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < count; i++)
		size += (size_t)snprintf(out + size, 64 - size, "%s%c:%c%u", i == 0 ? "" : " ",
					 rng_below(rng, 2) == 0 ? 'S' : 'N', role, (unsigned)i);
}

static void fixture_open(struct fixture *f, uint64_t seed, uint32_t partition_count, uint32_t sort_count)
{
	struct table_indexes *indexes = range_fixture_open(f, 1);
	char partition[64];
	char sort[64];

	rng_seed(&f->rng, seed);
	append_attributes(&f->rng, partition, 'g', partition_count);
	append_attributes(&f->rng, sort, 'h', sort_count);
	index_fixture_index(&indexes->list[0], 0, partition, sort, INDEX_PROJECTS_KEYS);
	indexes->list[0].table_id = DERIVED_ID;
}

static const struct table_schema *schema_of(const struct fixture *f)
{
	return &f->table.indexes->list[0].schema;
}

/* --- rows --- */

static void make_item(const struct fixture *f, const struct row *row, struct buf *item)
{
	const struct table_schema *schema = schema_of(f);
	struct item_builder builder;

	item_builder_init(&builder, item);
	index_fixture_string(&builder, "pk", slice_of_string("same"));
	index_fixture_int(&builder, "sk", row->number);
	for (uint32_t i = 0; i < table_schema_key_count(schema); i++) {
		char text[2] = { (char)('0' + (int)row->values[i]), '\0' };

		if (schema->attributes[i].type == ITEM_N)
			index_fixture_int(&builder, schema->attributes[i].name, row->values[i]);
		else
			index_fixture_string(&builder, schema->attributes[i].name, slice_of_string(text));
	}
	assert_int_equal(item_builder_finish(&builder), ST_OK);
}

static void make_rows(struct fixture *f)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		struct row *row = &f->rows[i];
		struct buf item;

		row->number = i;
		for (uint32_t k = 0; k < LIMIT_KEY_ATTRIBUTE_COUNT; k++)
			row->values[k] = (uint32_t)rng_below(&f->rng,
							     k < schema_of(f)->partition_count ? 2 : VALUES);
		buf_init(&item, LIMIT_ITEM_ENCODED_SIZE_BYTES);
		make_item(f, row, &item);
		set_row_key(f, row, buf_slice(&item));
		buf_close(&item);
	}
	qsort(f->rows, ROWS, sizeof(f->rows[0]), by_row_key);
}

/* --- questions --- */

static struct question ask(struct fixture *f)
{
	struct question question = { .given = 0 };

	for (uint32_t i = 0; i < LIMIT_KEY_ATTRIBUTE_COUNT; i++)
		question.values[i] = (uint32_t)rng_below(&f->rng,
							 i < schema_of(f)->partition_count ? 2 : VALUES);
	question.given = (uint32_t)rng_below(&f->rng, schema_of(f)->sort_count + 1u);
	question.condition = (enum condition)rng_below(&f->rng, CONDITIONS);
	question.high = (uint32_t)rng_below(&f->rng, VALUES + 1);
	return question;
}

static bool is_met(enum condition condition, uint32_t value, uint32_t low, uint32_t high)
{
	switch (condition) {
	case LT:
		return value < low;
	case LE:
		return value <= low;
	case GT:
		return value > low;
	case GE:
		return value >= low;
	case BETWEEN:
		return value >= low && value <= high;
	default:
		return value == low;
	}
}

static bool is_answer(const struct fixture *f, const struct question *question, const struct row *row)
{
	uint32_t count = schema_of(f)->partition_count + question->given;

	for (uint32_t i = 0; i < count; i++) {
		bool is_last_sort = question->given > 0 && i + 1 == count;

		if (!is_met(is_last_sort ? question->condition : EQ, row->values[i], question->values[i],
			    question->high))
			return false;
	}
	return true;
}

static void append_value(struct fixture *f, enum item_type type, uint32_t value)
{
	buf_append_format(&f->body, "{\"%s\":\"%u\"}", type == ITEM_N ? "N" : "S", (unsigned)value);
}

/* The terms may stand in any order. */
static void append_expression(struct fixture *f, const struct question *question)
{
	static const char *const operators[] = { "=", "<", "<=", ">", ">=", "BETWEEN" };
	const struct table_schema *schema = schema_of(f);
	uint32_t count = schema->partition_count + question->given;
	uint32_t first = (uint32_t)rng_below(&f->rng, count);

	buf_append_string(&f->body, ",\"KeyConditionExpression\":\"");
	for (uint32_t k = 0; k < count; k++) {
		uint32_t i = (first + k) % count;
		enum condition condition = question->given > 0 && i + 1 == count ? question->condition : EQ;

		buf_append_format(&f->body, "%s%s %s :v%u%s", k == 0 ? "" : " AND ",
				  schema->attributes[i].name, operators[condition], (unsigned)i,
				  condition == BETWEEN ? " AND :high" : "");
	}
	buf_append_string(&f->body, "\",\"ExpressionAttributeValues\":{");
	for (uint32_t i = 0; i < count; i++) {
		buf_append_format(&f->body, "%s\":v%u\":", i == 0 ? "" : ",", (unsigned)i);
		append_value(f, schema->attributes[i].type, question->values[i]);
	}
	if (question->given > 0 && question->condition == BETWEEN) {
		buf_append_string(&f->body, ",\":high\":");
		append_value(f, schema->attributes[count - 1].type, question->high);
	}
	buf_append_string(&f->body, "}");
}

static void append_conditions(struct fixture *f, const struct question *question)
{
	static const char *const operators[] = { "EQ", "LT", "LE", "GT", "GE", "BETWEEN" };
	const struct table_schema *schema = schema_of(f);
	uint32_t count = schema->partition_count + question->given;

	buf_append_string(&f->body, ",\"KeyConditions\":{");
	for (uint32_t i = 0; i < count; i++) {
		enum condition condition = question->given > 0 && i + 1 == count ? question->condition : EQ;

		buf_append_format(&f->body,
				  "%s\"%s\":{\"ComparisonOperator\":\"%s\",\"AttributeValueList\":[",
				  i == 0 ? "" : ",", schema->attributes[i].name, operators[condition]);
		append_value(f, schema->attributes[i].type, question->values[i]);
		if (condition == BETWEEN) {
			buf_append_string(&f->body, ",");
			append_value(f, schema->attributes[i].type, question->high);
		}
		buf_append_string(&f->body, "]}");
	}
	buf_append_string(&f->body, "}");
}

static bool read_body(struct fixture *f, enum api_query_kind kind)
{
	buf_append_string(&f->body, "}");
	assert_int_equal(f->body.status, ST_OK);
	api_error_init(&f->error);
	return api_query_input_read(kind, buf_slice(&f->body), &f->arena, &f->input, &f->error) &&
	       api_query_target_find(&f->input, &f->table, &f->state, &f->target, &f->error);
}

static void begin_body(struct fixture *f)
{
	buf_reset(&f->body);
	buf_append_string(&f->body, "{\"TableName\":\"things\",\"IndexName\":\"an-index\"");
}

/* In a BETWEEN of an expression the lower end must not be above the upper one. */
static bool can_be_asked(const struct question *question, const struct table_schema *schema)
{
	return question->given == 0 || question->condition != BETWEEN ||
	       question->values[schema->partition_count + question->given - 1] <= question->high;
}

static struct question open_question(struct fixture *f, uint64_t seed)
{
	struct question question;

	fixture_open(f, seed, 1 + (uint32_t)seed % 4, (uint32_t)(seed / 4) % 5);
	do
		question = ask(f);
	while (!can_be_asked(&question, schema_of(f)));
	begin_body(f);
	if (rng_below(&f->rng, 3) == 0)
		append_conditions(f, &question);
	else
		append_expression(f, &question);
	if (!read_body(f, API_QUERY))
		fail_msg("%.*s: %s", (int)f->body.size, (const char *)f->body.data, f->error.message);
	make_rows(f);
	return question;
}

static void each_condition_holds_the_rows_of_its_tuples_and_no_others(void **state)
{
	uint32_t met_count = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct fixture *f = test_malloc(sizeof(*f));
		struct question question = open_question(f, seed);

		if (!make_range(f, API_QUERY))
			fail_msg("%.*s: %s", (int)f->body.size, (const char *)f->body.data, f->error.message);
		for (uint32_t i = 0; i < ROWS; i++) {
			assert_int_equal(in_range(f, &f->rows[i]), is_answer(f, &question, &f->rows[i]));
			met_count += in_range(f, &f->rows[i]);
		}
		fixture_close(f);
		test_free(f);
	}
	assert_true(met_count > SEEDS); /* it is not all about nothing */
}

static void pages_of_any_size_are_the_whole(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS / 3; seed++) {
		struct fixture *f = test_malloc(sizeof(*f));
		enum api_query_kind kind = seed % 4 == 3 ? API_SCAN : API_QUERY;
		uint32_t whole[ROWS];
		uint32_t paged[ROWS];
		uint32_t count;

		(void)open_question(f, seed);
		f->input.is_backward = kind == API_QUERY && rng_below(&f->rng, 2) == 0;
		count = read_pages(f, kind, ROWS + 1, whole);
		for (uint32_t limit = 1; limit < 9; limit += 3) {
			f->input.start_key = slice_of(NULL, 0);
			assert_int_equal(read_pages(f, kind, limit, paged), count);
			assert_memory_equal(paged, whole, count * sizeof(whole[0]));
		}
		fixture_close(f);
		test_free(f);
	}
}

static void segments_hold_each_row_once(void **state)
{
	struct fixture *f = test_malloc(sizeof(*f));
	uint32_t count = 0;

	(void)state;
	(void)open_question(f, 6);
	f->input.segment_count = 5;
	for (f->input.segment = 0; f->input.segment < 5; f->input.segment++) {
		assert_true(make_range(f, API_SCAN));
		for (uint32_t i = 0; i < ROWS; i++)
			count += in_range(f, &f->rows[i]);
	}
	assert_int_equal(count, ROWS);
	fixture_close(f);
	test_free(f);
}

/* --- what is refused --- */

#define KEYS    "\"KeyConditionExpression\":\"g0 = :g and g1 = :g\","
#define VALUE   "\"ExpressionAttributeValues\":{\":g\":{\"S\":\"a\"}}"
#define TABLE   "\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"4\"}"
#define INVALID "The provided starting key is invalid"
#define SCHEMA  "The provided key element does not match the schema"

static void check_refused(enum api_query_kind kind, const char *members, const char *message)
{
	struct fixture *f = test_malloc(sizeof(*f));

	/* A seed that makes all four attributes strings. */
	for (uint64_t seed = 0;; seed++) {
		const struct key_attribute *at;

		fixture_open(f, seed, 2, 2);
		at = schema_of(f)->attributes;
		if (at[0].type == ITEM_S && at[1].type == ITEM_S && at[2].type == ITEM_S &&
		    at[3].type == ITEM_S)
			break;
		fixture_close(f);
	}
	begin_body(f);
	buf_append_format(&f->body, ",%s", members);
	if (read_body(f, kind) && make_range(f, kind) && kind == API_QUERY)
		(void)!api_expression_check_filter_keys(&f->input.expressions,
							api_query_target_schema(&f->target), &f->error);
	if (strcmp(f->error.message, message) != 0)
		fail_msg("%s: %s", members, f->error.message);
	fixture_close(f);
	test_free(f);
}

static void start_keys_have_all_attributes_of_both_keys(void **state)
{
	static const struct {
		const char *key;
		const char *query;
		const char *scan;
	} cases[] = {
		{ TABLE
		  ",\"g0\":{\"S\":\"a\"},\"g1\":{\"S\":\"a\"},\"h0\":{\"S\":\"a\"},\"h1\":{\"S\":\"a\"}",
		  "", "" },
		{ TABLE ",\"g0\":{\"S\":\"a\"},\"h0\":{\"S\":\"a\"},\"h1\":{\"S\":\"a\"}", INVALID, INVALID },
		{ TABLE ",\"g0\":{\"S\":\"a\"},\"g1\":{\"S\":\"a\"},\"h0\":{\"S\":\"a\"}", INVALID, INVALID },
		{ TABLE
		  ",\"g0\":{\"S\":\"a\"},\"g2\":{\"S\":\"a\"},\"h0\":{\"S\":\"a\"},\"h1\":{\"S\":\"a\"}",
		  INVALID, INVALID },
		{ TABLE
		  ",\"g0\":{\"S\":\"a\"},\"g1\":{\"S\":\"a\"},\"h0\":{\"S\":\"a\"},\"h2\":{\"S\":\"a\"}",
		  INVALID, INVALID },
		{ TABLE
		  ",\"g0\":{\"S\":\"a\"},\"g1\":{\"N\":\"1\"},\"h0\":{\"S\":\"a\"},\"h1\":{\"S\":\"a\"}",
		  SCHEMA, SCHEMA },
		{ TABLE
		  ",\"g0\":{\"S\":\"a\"},\"g1\":{\"S\":\"a\"},\"h0\":{\"S\":\"a\"},\"h1\":{\"N\":\"1\"}",
		  SCHEMA, SCHEMA },
		{ TABLE
		  ",\"g0\":{\"S\":\"a\"},\"g1\":{\"S\":\"b\"},\"h0\":{\"S\":\"a\"},\"h1\":{\"S\":\"a\"}",
		  "The provided starting key is outside query boundaries based on provided conditions", "" },
	};
	char members[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		(void)snprintf(members, sizeof(members), "\"ExclusiveStartKey\":{%s}", cases[i].key);
		check_refused(API_SCAN, members, cases[i].scan);
		(void)snprintf(members, sizeof(members), KEYS VALUE ",\"ExclusiveStartKey\":{%s}",
			       cases[i].key);
		check_refused(API_QUERY, members, cases[i].query);
	}
}

static void a_filter_names_no_attribute_of_the_key(void **state)
{
	static const char *const names[] = { "g0", "g1", "h0", "h1" };
	char members[1024];
	char message[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		(void)snprintf(members, sizeof(members), KEYS VALUE ",\"FilterExpression\":\"%s = :g\"",
			       names[i]);
		(void)snprintf(message, sizeof(message),
			       "Filter Expression can only contain non-primary key attributes: Primary key "
			       "attribute: %s",
			       names[i]);
		check_refused(API_QUERY, members, message);
	}
	check_refused(API_QUERY, KEYS VALUE ",\"FilterExpression\":\"pk = :g\"", "");
}

static void values_are_held_to_what_a_key_may_be(void **state)
{
	static char members[8192];
	static char big[LIMIT_PARTITION_KEY_SIZE_BYTES + 2];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	(void)snprintf(members, sizeof(members),
		       "\"KeyConditionExpression\":\"g0 = :g and g1 = :b\",\"ExpressionAttributeValues\":{"
		       "\":g\":{\"S\":\"a\"},\":b\":{\"S\":\"%s\"}}",
		       big);
	check_refused(
		API_QUERY, members,
		"One or more parameter values were invalid: Size of hashkey has exceeded the maximum size "
		"limit of2048 bytes");
	big[LIMIT_SORT_KEY_SIZE_BYTES + 1] = '\0';
	(void)snprintf(members, sizeof(members),
		       "\"KeyConditionExpression\":\"g0 = :g and g1 = :g and h0 = :b and h1 > :g\","
		       "\"ExpressionAttributeValues\":{\":g\":{\"S\":\"a\"},\":b\":{\"S\":\"%s\"}}",
		       big);
	check_refused(
		API_QUERY, members,
		"One or more parameter values were invalid: Aggregated size of all range keys has exceeded "
		"the size limit of 1024 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_condition_holds_the_rows_of_its_tuples_and_no_others),
		cmocka_unit_test(pages_of_any_size_are_the_whole),
		cmocka_unit_test(segments_hold_each_row_once),
		cmocka_unit_test(start_keys_have_all_attributes_of_both_keys),
		cmocka_unit_test(a_filter_names_no_attribute_of_the_key),
		cmocka_unit_test(values_are_held_to_what_a_key_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
