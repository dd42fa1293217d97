/* What a load consists of: which operation, which key, which bytes.
 *
 * Items are {"pk": "key-000000000042", "v": text}.  In a table with collections of N, key number i is
 * item i % N, its sort key "sk", of collection i / N; in a table with a global index each item also
 * has "g", the index's key, which differs from item to item.  Bodies are printed once; making one
 * overwrites keys and the value in place.  Values are pieces of one random text, so that they neither
 * compress well nor cost a random number per byte.
 *
 * Threads  one.
 * Memory   a workload owns its buffers from init to close and borrows the table's name, which must
 *          need no escaping in JSON.
 * Errors   ST_INVALID (an item size or key count out of range), ST_NO_MEMORY.
 * Units    an item's size as DynamoDB counts it: bytes of names and values.
 * Source   zipf: Hoermann and Derflinger, "Rejection-inversion to generate variates from monotone
 *          discrete distributions" (1996); exponent 0.99 as YCSB has it.
 */
#ifndef DEPLOY_CLEAVE_BENCH_WORKLOAD_H
#define DEPLOY_CLEAVE_BENCH_WORKLOAD_H

#include "proto/base/bytes.h"
#include "proto/base/rng.h"

enum {
	BENCH_WORKLOAD_KEY_SIZE = 16,
	BENCH_WORKLOAD_ITEM_SIZE_MIN = 2 + BENCH_WORKLOAD_KEY_SIZE + 1 + 1,
	BENCH_WORKLOAD_ITEM_SIZE_MAX = 400 * 1024,
	/* Of a hot distribution: so many operations in 100 go to one key in 100. */
	BENCH_WORKLOAD_HOT_PERCENT = 90,
};

#define BENCH_WORKLOAD_KEYS_MAX UINT64_C(1000000000000)

enum bench_op {
	BENCH_OP_PUT,
	BENCH_OP_GET,
	BENCH_OP_PUT_IF, /* with a condition, which holds */
	BENCH_OP_ADD,    /* UpdateItem of a counter */
	BENCH_OP_QUERY,  /* a collection */
	BENCH_OP_SCAN,   /* the table's first page, with a filter that drops all */
	BENCH_OP_COUNT
};

enum bench_mix {
	BENCH_MIX_PUT,
	BENCH_MIX_GET,
	BENCH_MIX_BOTH,
	BENCH_MIX_PUT_IF,
	BENCH_MIX_ADD,
	BENCH_MIX_QUERY,
	BENCH_MIX_SCAN,
};

enum bench_keys { BENCH_KEYS_UNIFORM, BENCH_KEYS_ZIPF, BENCH_KEYS_HOT };

struct bench_workload_options {
	const char *table;
	enum bench_mix mix;
	uint32_t read_percent; /* of BENCH_MIX_BOTH */
	bool is_consistent;
	enum bench_keys keys;
	uint64_t key_count;
	uint64_t collection_size; /* 0: no sort key */
	bool has_index;
	uint64_t item_size_bytes;
	uint64_t seed;
};

struct bench_zipf {
	double integral_first; /* of the smallest rank */
	double integral_last;  /* of the largest */
	double accept_below;
};

/* Where numbers go in a body; 0: nowhere. */
struct bench_holes {
	size_t key;
	size_t sort_key;
	size_t index_key;
	size_t value;
};

struct bench_workload {
	struct bench_workload_options options;
	struct rng rng;
	struct bench_zipf zipf;
	struct buf text; /* values are pieces of it */
	struct buf bodies[BENCH_OP_COUNT];
	struct bench_holes holes[BENCH_OP_COUNT];
	size_t value_size;
};

enum status bench_workload_init(struct bench_workload *workload,
				const struct bench_workload_options *options) MUST_CHECK;
void bench_workload_close(struct bench_workload *workload);

enum bench_op bench_workload_choose_op(struct bench_workload *workload);
/* Below key_count. */
uint64_t bench_workload_choose_key(struct bench_workload *workload);
/* The request's JSON; valid until the next call. */
struct slice bench_workload_body(struct bench_workload *workload, enum bench_op op, uint64_t key_index);

#endif
