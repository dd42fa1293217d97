#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/base/check.h"
#include "proto/base/rng.h"
#include "tests/support/chain.h"

enum { BUDGET = 1000 * 1000, SMALL_OPS_MAX = 7, ROUNDS = 60 * 1000, LONG_OPS = 600, HUGE_OPS = 200 * 1000 };

static struct linear_op put(uint64_t call, uint64_t return_at, uint64_t old_value, uint64_t new_value)
{
	return (struct linear_op){ call, return_at, true, true, old_value, new_value };
}

static struct linear_op open_put(uint64_t call, uint64_t new_value)
{
	return (struct linear_op){ call, LINEAR_OPEN, true, false, 0, new_value };
}

static struct linear_op get(uint64_t call, uint64_t return_at, uint64_t value)
{
	return (struct linear_op){ call, return_at, false, true, value, 0 };
}

#define EXPECT(expected, ...)                                                                                \
	do {                                                                                                 \
		const struct linear_op ops_[] = { __VA_ARGS__ };                                             \
		assert_int_equal(chain_check(ops_, ARRAY_COUNT(ops_)).verdict, (expected));                  \
	} while (0)

static void a_whole_chain_has_no_fault(void **state)
{
	(void)state;
	assert_int_equal(chain_check(NULL, 0).verdict, CHAIN_OK);
	EXPECT(CHAIN_OK, put(1, 2, 0, 7), put(3, 4, 7, 8), get(5, 6, 8), put(7, 8, 8, 9));
	EXPECT(CHAIN_OK, put(1, 9, 8, 7), put(1, 9, 0, 8), get(10, 11, 7));
}

static void a_lost_version_is_a_fork(void **state)
{
	const struct linear_op ops[] = { put(1, 2, 0, 7), put(3, 4, 7, 8), put(5, 6, 7, 9) };
	struct chain_fault fault = chain_check(ops, ARRAY_COUNT(ops));

	(void)state;
	assert_int_equal(fault.verdict, CHAIN_FORK);
	assert_int_equal(fault.op_index, 2);
	assert_int_equal(fault.other_index, 1);
}

static void a_cycle_is_found(void **state)
{
	(void)state;
	EXPECT(CHAIN_CYCLE, put(1, 9, 8, 7), put(1, 9, 7, 8));
	EXPECT(CHAIN_CYCLE, put(1, 9, 7, 7));
}

static void a_version_that_nobody_wrote_is_found(void **state)
{
	(void)state;
	EXPECT(CHAIN_NOBODY, put(1, 2, 5, 7));
	EXPECT(CHAIN_NOBODY, get(1, 2, 5));
}

static void real_time_is_respected_inside_a_piece(void **state)
{
	(void)state;
	EXPECT(CHAIN_TIME, put(1, 2, 8, 7), put(3, 4, 0, 8));            /* replaced what came later */
	EXPECT(CHAIN_TIME, put(1, 2, 0, 7), get(3, 4, 0));               /* a stale read */
	EXPECT(CHAIN_TIME, get(1, 2, 7), put(3, 4, 0, 7));               /* from the future */
	EXPECT(CHAIN_TIME, put(1, 9, 0, 7), get(2, 3, 7), get(4, 5, 0)); /* reads go back */
	EXPECT(CHAIN_OK, put(1, 9, 0, 7), get(2, 3, 0), get(4, 5, 7));
}

static void an_open_write_may_hide_a_link(void **state)
{
	(void)state;
	EXPECT(CHAIN_OK, put(1, 2, 0, 7), open_put(3, 8), put(5, 6, 8, 9));
	EXPECT(CHAIN_OK, put(1, 2, 0, 7), open_put(3, 8), get(5, 6, 7), get(7, 8, 8));
	EXPECT(CHAIN_OK, put(1, 2, 0, 7), open_put(3, 8), get(5, 6, 7));
	/* The open write counted before 7, so 7 cannot be what it replaced... */
	EXPECT(CHAIN_OK, open_put(1, 8), put(2, 9, 8, 7), get(10, 11, 7));
	/* ...and counts once only. */
	EXPECT(CHAIN_FORK, open_put(1, 8), put(3, 4, 8, 7), put(5, 6, 8, 9));
}

static void pieces_must_not_interleave(void **state)
{
	(void)state;
	/* 8 was there before and after 7, which nothing replaced in between. */
	EXPECT(CHAIN_GAP, put(1, 2, 0, 7), open_put(1, 8), get(3, 4, 8), get(5, 6, 7), get(7, 8, 8));
	EXPECT(CHAIN_GAP, open_put(1, 8), open_put(1, 9), get(2, 3, 8), get(4, 5, 9), get(6, 7, 8));
	EXPECT(CHAIN_OK, open_put(1, 8), open_put(1, 9), get(2, 3, 8), get(4, 5, 9), get(6, 7, 9));
}

/* --- against the search over all orders --- */

static struct linear_op random_op(struct rng *rng, uint64_t new_value)
{
	struct linear_op op = { .call = 1 + rng_below(rng, 12), .knows_old = true };

	op.return_at = op.call + rng_below(rng, 6);
	op.old_value = rng_below(rng, SMALL_OPS_MAX + 1);
	if (new_value > 1 && rng_below(rng, 2) == 0)
		op.old_value = new_value - 1;
	op.is_write = rng_below(rng, 3) > 0;
	if (!op.is_write)
		return op;
	op.new_value = new_value;
	if (rng_below(rng, 3) == 0) {
		op.return_at = LINEAR_OPEN;
		op.knows_old = false;
	}
	return op;
}

static void it_agrees_with_the_search(void **state)
{
	struct rng rng;
	size_t counts[2] = { 0, 0 };

	(void)state;
	rng_seed(&rng, 3);
	for (int round = 0; round < ROUNDS; round++) {
		struct linear_op ops[SMALL_OPS_MAX];
		size_t op_count = 1 + rng_below(&rng, SMALL_OPS_MAX);
		bool is_linear;

		for (size_t i = 0; i < op_count; i++)
			ops[i] = random_op(&rng, i + 1);
		is_linear = linear_check(ops, op_count, BUDGET) == LINEAR_OK;
		assert_int_equal(chain_check(ops, op_count).verdict == CHAIN_OK, is_linear);
		counts[is_linear]++;
	}
	assert_true(counts[0] > ROUNDS / 20 && counts[1] > ROUNDS / 20);
}

/* --- long histories --- */

/* A right history: each operation takes effect at a moment of its own inside its interval. */
static void make_right(struct rng *rng, struct linear_op *ops, size_t op_count, uint64_t span)
{
	uint64_t value = LINEAR_ABSENT;

	for (size_t i = 0; i < op_count; i++) {
		uint64_t effect = 100 * (i + 1) + span;

		ops[i] = (struct linear_op){ .knows_old = true, .old_value = value };
		ops[i].call = effect - rng_below(rng, span);
		ops[i].return_at = effect + 1 + rng_below(rng, span);
		ops[i].is_write = rng_below(rng, 2) == 0;
		if (!ops[i].is_write)
			continue;
		value = ops[i].new_value = i + 1;
		if (rng_below(rng, 20) == 0) {
			ops[i].return_at = LINEAR_OPEN;
			ops[i].knows_old = false;
		}
	}
}

static size_t find_known_put(const struct linear_op *ops, size_t from)
{
	while (!ops[from].is_write || !ops[from].knows_old)
		from++;
	return from;
}

static void spoiled_histories_are_found(void **state)
{
	struct linear_op ops[LONG_OPS];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 4);
	for (int round = 0; round < 200; round++) {
		size_t victim;
		struct linear_op held;

		make_right(&rng, ops, LONG_OPS, 700);
		assert_int_equal(chain_check(ops, LONG_OPS).verdict, CHAIN_OK);
		victim = find_known_put(ops, LONG_OPS / 2);
		held = ops[victim];
		ops[victim].old_value = ops[find_known_put(ops, 0)].old_value; /* forked off the first */
		assert_int_not_equal(chain_check(ops, LONG_OPS).verdict, CHAIN_OK);
		ops[victim] = held;
		ops[victim].call += 100 * LONG_OPS; /* called after all the others */
		ops[victim].return_at += 100 * LONG_OPS;
		assert_int_not_equal(chain_check(ops, LONG_OPS).verdict, CHAIN_OK);
		ops[victim] = held;
		ops[LONG_OPS - 1] = get(100 * LONG_OPS + 5000, 100 * LONG_OPS + 5001, held.new_value);
		assert_int_not_equal(chain_check(ops, LONG_OPS).verdict, CHAIN_OK); /* a stale last read */
	}
}

static void many_clients_on_a_key_cost_no_more(void **state)
{
	struct linear_op *ops = calloc(HUGE_OPS, sizeof(*ops));
	struct rng rng;

	(void)state;
	assert_non_null(ops);
	rng_seed(&rng, 5);
	make_right(&rng, ops, HUGE_OPS, 100 * 300); /* some three hundred at a time */
	assert_int_equal(chain_check(ops, HUGE_OPS).verdict, CHAIN_OK);
	ops[find_known_put(ops, HUGE_OPS / 2)].old_value = LINEAR_ABSENT;
	assert_int_not_equal(chain_check(ops, HUGE_OPS).verdict, CHAIN_OK);
	free(ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_chain_has_no_fault),
		cmocka_unit_test(a_lost_version_is_a_fork),
		cmocka_unit_test(a_cycle_is_found),
		cmocka_unit_test(a_version_that_nobody_wrote_is_found),
		cmocka_unit_test(real_time_is_respected_inside_a_piece),
		cmocka_unit_test(an_open_write_may_hide_a_link),
		cmocka_unit_test(pieces_must_not_interleave),
		cmocka_unit_test(it_agrees_with_the_search),
		cmocka_unit_test(spoiled_histories_are_found),
		cmocka_unit_test(many_clients_on_a_key_cost_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
