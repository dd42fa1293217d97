#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/check.h"
#include "proto/base/rng.h"
#include "tests/support/linear.h"

enum { BUDGET = 1000 * 1000, SMALL_OPS_MAX = 6, ROUNDS = 3000, LONG_OPS = 400 };

static struct linear_op put(uint64_t call, uint64_t return_at, uint64_t old_value, uint64_t new_value)
{
	return (struct linear_op){ call, return_at, true, true, old_value, new_value };
}

static struct linear_op blind(uint64_t call, uint64_t return_at, uint64_t new_value)
{
	return (struct linear_op){ call, return_at, true, false, 0, new_value };
}

static struct linear_op get(uint64_t call, uint64_t return_at, uint64_t value)
{
	return (struct linear_op){ call, return_at, false, true, value, 0 };
}

#define EXPECT(verdict, ...)                                                                                 \
	do {                                                                                                 \
		const struct linear_op ops_[] = { __VA_ARGS__ };                                             \
		assert_int_equal(linear_check(ops_, ARRAY_COUNT(ops_), BUDGET), (verdict));                  \
	} while (0)

static void an_empty_history_is_fine(void **state)
{
	(void)state;
	assert_int_equal(linear_check(NULL, 0, BUDGET), LINEAR_OK);
}

static void a_read_sees_the_write_before_it(void **state)
{
	(void)state;
	EXPECT(LINEAR_OK, put(1, 2, 0, 7), get(3, 4, 7));
	EXPECT(LINEAR_VIOLATION, put(1, 2, 0, 7), get(3, 4, 0));
	EXPECT(LINEAR_VIOLATION, put(1, 2, 0, 7), get(3, 4, 8));
}

static void a_read_beside_a_write_may_see_either_value(void **state)
{
	(void)state;
	EXPECT(LINEAR_OK, put(1, 5, 0, 7), get(2, 3, 0));
	EXPECT(LINEAR_OK, put(1, 5, 0, 7), get(2, 3, 7));
}

static void reads_may_not_go_back(void **state)
{
	(void)state;
	EXPECT(LINEAR_OK, put(1, 9, 0, 7), get(2, 3, 0), get(4, 5, 7));
	EXPECT(LINEAR_VIOLATION, put(1, 9, 0, 7), get(2, 3, 7), get(4, 5, 0));
}

static void an_old_image_orders_two_writes(void **state)
{
	(void)state;
	EXPECT(LINEAR_OK, put(1, 9, 2, 1), put(1, 9, 0, 2), get(10, 11, 1));
	EXPECT(LINEAR_VIOLATION, put(1, 9, 2, 1), put(1, 9, 0, 2), get(10, 11, 2));
	EXPECT(LINEAR_VIOLATION, put(1, 9, 0, 1), put(1, 9, 0, 2)); /* a fork */
}

static void a_delete_leaves_nothing(void **state)
{
	(void)state;
	EXPECT(LINEAR_OK, put(1, 2, 0, 7), put(3, 4, 7, 0), get(5, 6, 0));
	EXPECT(LINEAR_VIOLATION, put(1, 2, 0, 7), put(3, 4, 7, 0), get(5, 6, 7));
}

static void an_open_write_may_happen_late_or_never(void **state)
{
	(void)state;
	EXPECT(LINEAR_OK, blind(1, LINEAR_OPEN, 7), get(2, 3, 0), get(4, 5, 7));
	EXPECT(LINEAR_OK, blind(1, LINEAR_OPEN, 7), get(2, 3, 0), get(4, 5, 0));
	EXPECT(LINEAR_VIOLATION, blind(1, LINEAR_OPEN, 7), get(2, 3, 7), get(4, 5, 0));
	EXPECT(LINEAR_VIOLATION, get(2, 3, 7), blind(4, LINEAR_OPEN, 7)); /* seen before it was sent */
	EXPECT(LINEAR_OK, put(1, 2, 0, 7), blind(3, LINEAR_OPEN, 0), get(4, 5, 7), get(6, 7, 0));
	EXPECT(LINEAR_VIOLATION, put(1, 2, 0, 7), blind(3, LINEAR_OPEN, 0), get(4, 5, 0), get(6, 7, 7));
}

static void a_write_that_took_effect_twice_is_found(void **state)
{
	(void)state;
	/* 7, then 8, then 7 again by a retry. */
	EXPECT(LINEAR_VIOLATION, put(1, 2, 0, 7), put(3, 4, 7, 8), get(5, 6, 7));
	EXPECT(LINEAR_VIOLATION, blind(1, LINEAR_OPEN, 7), put(3, 4, 7, 8), put(5, 6, 7, 9));
}

static void an_exhausted_budget_is_not_a_pass(void **state)
{
	const struct linear_op ops[] = { put(1, 2, 0, 7), get(3, 4, 7) };

	(void)state;
	assert_int_equal(linear_check(ops, ARRAY_COUNT(ops), 1), LINEAR_UNKNOWN);
}

static void the_first_wrong_moment_is_named(void **state)
{
	const struct linear_op ops[] = { put(1, 2, 0, 7), get(3, 4, 7), get(5, 6, 0), get(7, 8, 7) };

	(void)state;
	assert_int_equal(linear_first_violation(ops, ARRAY_COUNT(ops), BUDGET), 6);
	assert_int_equal(linear_first_violation(ops, 2, BUDGET), 0);
}

/* --- against every order --- */

static bool may_precede(const struct linear_op *ops, size_t op_count, const bool *taken, size_t candidate)
{
	for (size_t i = 0; i < op_count; i++) {
		if (!taken[i] && i != candidate && ops[i].return_at < ops[candidate].call)
			return false;
	}
	return true;
}

static bool try_orders(const struct linear_op *ops, size_t op_count, bool *taken, uint64_t value)
{
	bool is_done = true;

	for (size_t i = 0; i < op_count; i++)
		is_done = is_done && (taken[i] || ops[i].return_at == LINEAR_OPEN);
	if (is_done)
		return true;
	for (size_t i = 0; i < op_count; i++) {
		bool fits = (ops[i].is_write && !ops[i].knows_old) || ops[i].old_value == value;

		if (taken[i] || !fits || !may_precede(ops, op_count, taken, i))
			continue;
		taken[i] = true;
		if (try_orders(ops, op_count, taken, ops[i].is_write ? ops[i].new_value : value))
			return true;
		taken[i] = false;
	}
	return false;
}

static struct linear_op random_op(struct rng *rng, uint64_t new_value)
{
	struct linear_op op = { .call = 1 + rng_below(rng, 12) };
	uint64_t kind = rng_below(rng, 6);

	op.return_at = op.call + 1 + rng_below(rng, 6);
	op.is_write = kind < 4;
	op.knows_old = kind != 0 && kind != 1;
	op.old_value = rng_below(rng, SMALL_OPS_MAX + 1);
	op.new_value = rng_below(rng, 4) == 0 ? LINEAR_ABSENT : new_value;
	if (kind == 0)
		op.return_at = LINEAR_OPEN;
	return op;
}

static void it_agrees_with_trying_every_order(void **state)
{
	struct rng rng;
	size_t counts[2] = { 0, 0 };

	(void)state;
	rng_seed(&rng, 1);
	for (int round = 0; round < ROUNDS; round++) {
		struct linear_op ops[SMALL_OPS_MAX];
		bool taken[SMALL_OPS_MAX] = { false };
		size_t op_count = 1 + rng_below(&rng, SMALL_OPS_MAX);
		bool is_linear;

		for (size_t i = 0; i < op_count; i++)
			ops[i] = random_op(&rng, i + 1);
		is_linear = try_orders(ops, op_count, taken, LINEAR_ABSENT);
		assert_int_equal(linear_check(ops, op_count, BUDGET),
				 is_linear ? LINEAR_OK : LINEAR_VIOLATION);
		counts[is_linear]++;
	}
	assert_true(counts[0] > ROUNDS / 20 && counts[1] > ROUNDS / 20);
}

/* --- mutations --- */

/* A right history: each operation takes effect at a moment of its own inside its interval. */
static void make_right(struct rng *rng, struct linear_op *ops, size_t op_count)
{
	uint64_t value = LINEAR_ABSENT;

	for (size_t i = 0; i < op_count; i++) {
		uint64_t effect = 100 * (i + 1);

		ops[i] = (struct linear_op){ .knows_old = true, .old_value = value };
		ops[i].call = effect - rng_below(rng, 90 * (i < 8 ? 1 : 8));
		ops[i].return_at = effect + 1 + rng_below(rng, 90 * 8);
		ops[i].is_write = rng_below(rng, 2) == 0;
		if (!ops[i].is_write)
			continue;
		ops[i].new_value = rng_below(rng, 10) == 0 ? LINEAR_ABSENT : i + 1;
		value = ops[i].new_value;
		if (rng_below(rng, 12) == 0) {
			ops[i].return_at = LINEAR_OPEN;
			ops[i].knows_old = false;
		}
	}
}

static void a_long_right_history_passes_and_a_mutated_one_does_not(void **state)
{
	struct linear_op ops[LONG_OPS];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (int round = 0; round < 50; round++) {
		size_t victim = LONG_OPS / 2;

		make_right(&rng, ops, LONG_OPS);
		assert_int_equal(linear_check(ops, LONG_OPS, BUDGET), LINEAR_OK);
		while (ops[victim].return_at == LINEAR_OPEN)
			victim++;
		ops[victim].old_value = 1000 * 1000; /* nobody wrote that */
		ops[victim].knows_old = true;
		assert_int_equal(linear_check(ops, LONG_OPS, BUDGET), LINEAR_VIOLATION);
		assert_true(linear_first_violation(ops, LONG_OPS, BUDGET) >= ops[victim].call);
		assert_true(linear_first_violation(ops, LONG_OPS, BUDGET) <= ops[victim].return_at);
	}
}

static void a_violation_is_shown_by_few_operations(void **state)
{
	struct linear_op ops[LONG_OPS];
	struct linear_op shortest[LONG_OPS];
	size_t indices[LONG_OPS];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (int round = 0; round < 20; round++) {
		size_t stale = LONG_OPS - 2;
		size_t count;

		make_right(&rng, ops, LONG_OPS - 1);
		/* A read at the end sees what was written first of all. */
		ops[LONG_OPS - 1] = get(ops[stale].call + 100000, ops[stale].call + 100001, 1);
		if (linear_check(ops, LONG_OPS, BUDGET) != LINEAR_VIOLATION)
			continue;
		count = linear_shorten(ops, LONG_OPS, BUDGET, shortest, indices);
		assert_int_equal(linear_check(shortest, count, BUDGET), LINEAR_VIOLATION);
		assert_in_range(count, 1, 4);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(shortest[i].call, ops[indices[i]].call);
			assert_int_equal(shortest[i].new_value, ops[indices[i]].new_value);
		}
	}
}

/* Whatever is left out, a right history stays right: so a short wrong one proves the long one
 * wrong. */
static void shortening_does_not_invent_violations(void **state)
{
	struct linear_op ops[] = { put(1, 2, 0, 7), put(3, 4, 7, 8), put(5, 6, 8, 0), get(7, 8, 0) };
	struct linear_op shortest[ARRAY_COUNT(ops)];
	size_t indices[ARRAY_COUNT(ops)];

	(void)state;
	assert_int_equal(linear_shorten(ops, ARRAY_COUNT(ops), BUDGET, shortest, indices), 0);
	ops[3] = get(7, 8, 7); /* overwritten long ago */
	assert_int_equal(linear_shorten(ops, ARRAY_COUNT(ops), BUDGET, shortest, indices), 3);
	assert_int_equal(indices[0], 0);
	assert_int_equal(indices[2], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_history_is_fine),
		cmocka_unit_test(a_read_sees_the_write_before_it),
		cmocka_unit_test(a_read_beside_a_write_may_see_either_value),
		cmocka_unit_test(reads_may_not_go_back),
		cmocka_unit_test(an_old_image_orders_two_writes),
		cmocka_unit_test(a_delete_leaves_nothing),
		cmocka_unit_test(an_open_write_may_happen_late_or_never),
		cmocka_unit_test(a_write_that_took_effect_twice_is_found),
		cmocka_unit_test(an_exhausted_budget_is_not_a_pass),
		cmocka_unit_test(the_first_wrong_moment_is_named),
		cmocka_unit_test(it_agrees_with_trying_every_order),
		cmocka_unit_test(a_long_right_history_passes_and_a_mutated_one_does_not),
		cmocka_unit_test(a_violation_is_shown_by_few_operations),
		cmocka_unit_test(shortening_does_not_invent_violations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
