#include "deploy/cleave/bench_workload.h"

#include <math.h>

enum {
	TEXT_SIZE = 64 * 1024, /* besides the longest value: so many different ones there are */
	BODY_EXTRA_SIZE_MAX = 1024,
	PERCENT = 100,
	KEY_NAME_SIZE = 4, /* what stands before the digits */
};

static const char no_key[] = "key-000000000000";
static const double zipf_exponent = 0.99;

_Static_assert(sizeof(no_key) == BENCH_WORKLOAD_KEY_SIZE + 1, "a place holder has the size of a key");

/* --- zipf --- */

/* The integral of 1/x^exponent from 1 to x, and its inverse. */
static double integral(double x)
{
	return expm1((1.0 - zipf_exponent) * log(x)) / (1.0 - zipf_exponent);
}

static double integral_inverse(double y)
{
	return exp(log1p(y * (1.0 - zipf_exponent)) / (1.0 - zipf_exponent));
}

static double weight(double rank)
{
	return exp(-zipf_exponent * log(rank));
}

static void zipf_init(struct bench_zipf *zipf, uint64_t key_count)
{
	zipf->integral_first = integral(1.5) - 1.0;
	zipf->integral_last = integral((double)key_count + 0.5);
	zipf->accept_below = 2.0 - integral_inverse(integral(2.5) - weight(2.0));
}

/* In [0, 1). */
static double fraction(struct rng *rng)
{
	return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

/* Invert the integral at a random height; the rare point outside the histogram is thrown again. */
static uint64_t zipf_rank(const struct bench_zipf *zipf, struct rng *rng, uint64_t key_count)
{
	for (;;) {
		double height = zipf->integral_last +
				fraction(rng) * (zipf->integral_first - zipf->integral_last);
		double x = integral_inverse(height);
		double rank = floor(x + 0.5);

		if (rank < 1.0)
			rank = 1.0;
		if (rank > (double)key_count)
			rank = (double)key_count;
		if (rank - x <= zipf->accept_below || height >= integral(rank + 0.5) - weight(rank))
			return (uint64_t)rank;
	}
}

/* --- init --- */

static void make_text(struct bench_workload *workload)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
	uint8_t *text = buf_extend(&workload->text, TEXT_SIZE + workload->value_size);

	_Static_assert(sizeof(alphabet) == 65, "six bits choose a character");
	if (text == NULL)
		return;
	rng_fill(&workload->rng, text, TEXT_SIZE + workload->value_size);
	for (size_t i = 0; i < TEXT_SIZE + workload->value_size; i++)
		text[i] = (uint8_t)alphabet[text[i] % 64];
}

static void print_head(struct bench_workload *workload, enum bench_op op)
{
	buf_append_format(&workload->bodies[op], "{\"TableName\":\"%s\"", workload->options.table);
}

/* "NAME":{"S":"key-000000000000"}; where its digits go. */
static size_t print_attribute(struct buf *out, const char *name)
{
	size_t at;

	buf_append_format(out, "\"%s\":{\"S\":\"", name);
	at = out->size;
	buf_append_string(out, no_key);
	buf_append_string(out, "\"}");
	return at;
}

static void print_key(struct bench_workload *workload, enum bench_op op)
{
	struct buf *out = &workload->bodies[op];

	workload->holes[op].key = print_attribute(out, "pk");
	if (workload->options.collection_size > 0) {
		buf_append_string(out, ",");
		workload->holes[op].sort_key = print_attribute(out, "sk");
	}
}

static void print_put(struct bench_workload *workload, enum bench_op op)
{
	struct buf *out = &workload->bodies[op];
	uint8_t *value;

	print_head(workload, op);
	buf_append_string(out, ",\"Item\":{");
	print_key(workload, op);
	if (workload->options.has_index) {
		buf_append_string(out, ",");
		workload->holes[op].index_key = print_attribute(out, "g");
	}
	buf_append_string(out, ",\"v\":{\"S\":\"");
	workload->holes[op].value = out->size;
	value = buf_extend(out, workload->value_size);
	if (value != NULL)
		memset(value, 'v', workload->value_size);
	buf_append_string(out, "\"}}");
	if (op == BENCH_OP_PUT_IF)
		buf_append_string(out, ",\"ConditionExpression\":\"attribute_not_exists(deleted)\"");
	buf_append_string(out, "}");
}

static void print_get(struct bench_workload *workload)
{
	struct buf *out = &workload->bodies[BENCH_OP_GET];

	print_head(workload, BENCH_OP_GET);
	buf_append_string(out, ",\"Key\":{");
	print_key(workload, BENCH_OP_GET);
	buf_append_string(out, "}");
	if (workload->options.is_consistent)
		buf_append_string(out, ",\"ConsistentRead\":true");
	buf_append_string(out, "}");
}

static void print_add(struct bench_workload *workload)
{
	struct buf *out = &workload->bodies[BENCH_OP_ADD];

	print_head(workload, BENCH_OP_ADD);
	buf_append_string(out, ",\"Key\":{");
	print_key(workload, BENCH_OP_ADD);
	buf_append_string(out, "},\"UpdateExpression\":\"ADD n :one\","
			       "\"ExpressionAttributeValues\":{\":one\":{\"N\":\"1\"}}}");
}

static void print_query(struct bench_workload *workload)
{
	struct buf *out = &workload->bodies[BENCH_OP_QUERY];

	print_head(workload, BENCH_OP_QUERY);
	buf_append_string(out, ",\"KeyConditionExpression\":\"pk = :pk\",\"ExpressionAttributeValues\":{");
	workload->holes[BENCH_OP_QUERY].key = print_attribute(out, ":pk");
	buf_append_string(out, "}");
	if (workload->options.is_consistent)
		buf_append_string(out, ",\"ConsistentRead\":true");
	buf_append_string(out, "}");
}

static void print_scan(struct bench_workload *workload)
{
	print_head(workload, BENCH_OP_SCAN);
	buf_append_string(&workload->bodies[BENCH_OP_SCAN],
			  ",\"FilterExpression\":\"attribute_exists(deleted)\"}");
}

static enum status first_failure(const struct bench_workload *workload)
{
	for (size_t op = 0; op < BENCH_OP_COUNT; op++) {
		if (workload->bodies[op].status != ST_OK)
			return workload->bodies[op].status;
	}
	return workload->text.status;
}

/* Bytes of an item besides its value's, as DynamoDB counts. */
static size_t fixed_size(const struct bench_workload_options *options)
{
	size_t size = BENCH_WORKLOAD_ITEM_SIZE_MIN - 1;

	if (options->collection_size > 0)
		size += 2 + BENCH_WORKLOAD_KEY_SIZE;
	if (options->has_index)
		size += 1 + BENCH_WORKLOAD_KEY_SIZE;
	return size;
}

enum status bench_workload_init(struct bench_workload *workload, const struct bench_workload_options *options)
{
	enum status status;

	if (options->item_size_bytes < BENCH_WORKLOAD_ITEM_SIZE_MIN ||
	    options->item_size_bytes > BENCH_WORKLOAD_ITEM_SIZE_MAX || options->key_count == 0 ||
	    options->key_count > BENCH_WORKLOAD_KEYS_MAX || options->read_percent > PERCENT ||
	    options->item_size_bytes <= fixed_size(options))
		return ST_INVALID;
	*workload = (struct bench_workload){ .options = *options };
	workload->value_size = (size_t)options->item_size_bytes - fixed_size(options);
	buf_init(&workload->text, TEXT_SIZE + workload->value_size);
	for (size_t op = 0; op < BENCH_OP_COUNT; op++)
		buf_init(&workload->bodies[op], workload->value_size + BODY_EXTRA_SIZE_MAX);
	rng_seed(&workload->rng, options->seed);
	zipf_init(&workload->zipf, options->key_count);
	make_text(workload);
	print_put(workload, BENCH_OP_PUT);
	print_put(workload, BENCH_OP_PUT_IF);
	print_get(workload);
	print_add(workload);
	print_query(workload);
	print_scan(workload);
	status = first_failure(workload);
	if (status != ST_OK)
		bench_workload_close(workload);
	return status;
}

void bench_workload_close(struct bench_workload *workload)
{
	buf_close(&workload->text);
	for (size_t op = 0; op < BENCH_OP_COUNT; op++)
		buf_close(&workload->bodies[op]);
}

/* --- choices --- */

enum bench_op bench_workload_choose_op(struct bench_workload *workload)
{
	static const enum bench_op ops[] = {
		[BENCH_MIX_PUT] = BENCH_OP_PUT,       [BENCH_MIX_GET] = BENCH_OP_GET,
		[BENCH_MIX_PUT_IF] = BENCH_OP_PUT_IF, [BENCH_MIX_ADD] = BENCH_OP_ADD,
		[BENCH_MIX_QUERY] = BENCH_OP_QUERY,   [BENCH_MIX_SCAN] = BENCH_OP_SCAN,
	};
	const struct bench_workload_options *options = &workload->options;

	if (options->mix == BENCH_MIX_BOTH)
		return rng_below(&workload->rng, PERCENT) < options->read_percent ? BENCH_OP_GET
										  : BENCH_OP_PUT;
	return ops[options->mix];
}

static uint64_t choose_hot(struct bench_workload *workload)
{
	uint64_t key_count = workload->options.key_count;
	uint64_t hot_count = (key_count + PERCENT - 1) / PERCENT;

	if (rng_below(&workload->rng, PERCENT) < BENCH_WORKLOAD_HOT_PERCENT)
		key_count = hot_count;
	return rng_below(&workload->rng, key_count);
}

uint64_t bench_workload_choose_key(struct bench_workload *workload)
{
	const struct bench_workload_options *options = &workload->options;

	if (options->keys == BENCH_KEYS_ZIPF)
		return zipf_rank(&workload->zipf, &workload->rng, options->key_count) - 1;
	if (options->keys == BENCH_KEYS_HOT)
		return choose_hot(workload);
	return rng_below(&workload->rng, options->key_count);
}

/* --- bodies --- */

static void put_number(uint8_t *out, uint64_t number)
{
	for (size_t i = BENCH_WORKLOAD_KEY_SIZE; i > KEY_NAME_SIZE; i--) {
		out[i - 1] = (uint8_t)('0' + number % 10);
		number /= 10;
	}
}

struct slice bench_workload_body(struct bench_workload *workload, enum bench_op op, uint64_t key_index)
{
	const struct bench_holes *holes = &workload->holes[op];
	uint64_t collection_size = workload->options.collection_size;
	struct buf *body = &workload->bodies[op];

	CHECK(key_index < workload->options.key_count);
	if (holes->key > 0)
		put_number(body->data + holes->key,
			   collection_size > 0 ? key_index / collection_size : key_index);
	if (holes->sort_key > 0)
		put_number(body->data + holes->sort_key, key_index % collection_size);
	if (holes->index_key > 0)
		put_number(body->data + holes->index_key, workload->options.key_count - key_index);
	if (holes->value > 0)
		memcpy(body->data + holes->value, workload->text.data + rng_below(&workload->rng, TEXT_SIZE),
		       workload->value_size);
	return buf_slice(body);
}
