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

static void print_put(struct bench_workload *workload)
{
	struct buf *out = &workload->bodies[BENCH_OP_PUT];
	uint8_t *value;

	buf_append_format(out, "{\"TableName\":\"%s\",\"Item\":{\"pk\":{\"S\":\"", workload->options.table);
	workload->key_at[BENCH_OP_PUT] = out->size;
	buf_append_string(out, no_key);
	buf_append_string(out, "\"},\"v\":{\"S\":\"");
	workload->value_at = out->size;
	value = buf_extend(out, workload->value_size);
	if (value != NULL)
		memset(value, 'v', workload->value_size);
	buf_append_string(out, "\"}}}");
}

static void print_get(struct bench_workload *workload)
{
	struct buf *out = &workload->bodies[BENCH_OP_GET];

	buf_append_format(out, "{\"TableName\":\"%s\",\"Key\":{\"pk\":{\"S\":\"", workload->options.table);
	workload->key_at[BENCH_OP_GET] = out->size;
	buf_append_string(out, no_key);
	buf_append_string(out, "\"}}");
	if (workload->options.is_consistent)
		buf_append_string(out, ",\"ConsistentRead\":true");
	buf_append_string(out, "}");
}

static enum status first_failure(const struct bench_workload *workload)
{
	if (workload->text.status != ST_OK)
		return workload->text.status;
	if (workload->bodies[BENCH_OP_PUT].status != ST_OK)
		return workload->bodies[BENCH_OP_PUT].status;
	return workload->bodies[BENCH_OP_GET].status;
}

enum status bench_workload_init(struct bench_workload *workload, const struct bench_workload_options *options)
{
	enum status status;

	if (options->item_size_bytes < BENCH_WORKLOAD_ITEM_SIZE_MIN ||
	    options->item_size_bytes > BENCH_WORKLOAD_ITEM_SIZE_MAX || options->key_count == 0 ||
	    options->key_count > BENCH_WORKLOAD_KEYS_MAX || options->read_percent > PERCENT)
		return ST_INVALID;
	*workload = (struct bench_workload){ .options = *options };
	workload->value_size = (size_t)options->item_size_bytes - BENCH_WORKLOAD_ITEM_SIZE_MIN + 1;
	buf_init(&workload->text, TEXT_SIZE + workload->value_size);
	for (size_t op = 0; op < BENCH_OP_COUNT; op++)
		buf_init(&workload->bodies[op], workload->value_size + BODY_EXTRA_SIZE_MAX);
	rng_seed(&workload->rng, options->seed);
	zipf_init(&workload->zipf, options->key_count);
	make_text(workload);
	print_put(workload);
	print_get(workload);
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
	const struct bench_workload_options *options = &workload->options;

	if (options->mix == BENCH_MIX_BOTH)
		return rng_below(&workload->rng, PERCENT) < options->read_percent ? BENCH_OP_GET
										  : BENCH_OP_PUT;
	return options->mix == BENCH_MIX_GET ? BENCH_OP_GET : BENCH_OP_PUT;
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

static void put_key(uint8_t *out, uint64_t key_index)
{
	for (size_t i = BENCH_WORKLOAD_KEY_SIZE; i > KEY_NAME_SIZE; i--) {
		out[i - 1] = (uint8_t)('0' + key_index % 10);
		key_index /= 10;
	}
}

struct slice bench_workload_body(struct bench_workload *workload, enum bench_op op, uint64_t key_index)
{
	struct buf *body = &workload->bodies[op];

	CHECK(key_index < workload->options.key_count);
	put_key(body->data + workload->key_at[op], key_index);
	if (op == BENCH_OP_PUT)
		memcpy(body->data + workload->value_at,
		       workload->text.data + rng_below(&workload->rng, TEXT_SIZE), workload->value_size);
	return buf_slice(body);
}
