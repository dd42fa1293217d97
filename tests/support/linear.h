/* Is the history of one register linearizable?
 *
 * The search of Wing and Gong with Lowe's memoisation: take any operation that may come first,
 * remember each pair (set of operations taken, value) that led nowhere.  Operations whose
 * outcome is unknown stay open: they may take effect at any time after their call, or never.
 *
 * Each value other than LINEAR_ABSENT must be written by at most one operation of the history.
 * That makes most open writes harmless: one that nobody saw can be left out, one that somebody
 * saw happened before that.
 *
 * Threads  pure functions.
 * Errors   LINEAR_UNKNOWN when the step budget or the memory is exhausted: not a pass.
 * Source   Wing and Gong, "Testing and verifying concurrent objects" (1993); Lowe, "Testing for
 *          linearizability" (2017).
 */
#ifndef TESTS_SUPPORT_LINEAR_H
#define TESTS_SUPPORT_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINEAR_OPEN UINT64_MAX

enum { LINEAR_ABSENT = 0 };

struct linear_op {
	uint64_t call;      /* moments on one clock */
	uint64_t return_at; /* LINEAR_OPEN: the outcome is unknown */
	bool is_write;
	bool knows_old;     /* reads always do, open writes never */
	uint64_t old_value; /* what it saw */
	uint64_t new_value; /* writes: what it left */
};

enum linear_verdict { LINEAR_OK, LINEAR_VIOLATION, LINEAR_UNKNOWN };

/* The register holds LINEAR_ABSENT at first.  Open reads must be left out by the caller. */
enum linear_verdict linear_check(const struct linear_op *ops, size_t op_count, uint64_t step_count_max);

/* After LINEAR_VIOLATION: the earliest moment at which the history up to then is already wrong
 * (operations that return later count as open, reads among them as absent).  0 if none of the
 * prefixes was judged a violation within the budget. */
uint64_t linear_first_violation(const struct linear_op *ops, size_t op_count, uint64_t step_count_max);

/* After LINEAR_VIOLATION: a short history that is wrong already, made by leaving operations out and
 * by forgetting what writes saw.  Each step keeps right histories right (a write goes only
 * together with all that saw it), so what is left shows the fault of the whole.
 *
 * shortest_out and indices_out have room for op_count; indices_out[i] tells which of ops became
 * shortest_out[i].  Returns the number of operations left; 0 when out of memory or budget. */
size_t linear_shorten(const struct linear_op *ops, size_t op_count, uint64_t step_count_max,
		      struct linear_op *shortest_out, size_t *indices_out);

#endif
