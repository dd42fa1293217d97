/* Is the history of one hot register linearizable, decided in n log n?
 *
 * Every acknowledged write tells which value it replaced (ReturnValues=ALL_OLD) and values are
 * unique, so the order of the writes is known but for those whose outcome is open.  Known links
 * make pieces of the chain of versions.  Inside a piece the order is given and real time must
 * agree.  Pieces follow each other in some order: each has a moment before which it must have
 * begun to count (the latest call in it) and one by which it must have counted (its earliest
 * return), and such an order exists exactly if no two pieces must both span one stretch of time.
 *
 * The verdict is exact for histories without deletes: the same as linear_check()'s, which a
 * test holds it to, at a cost that does not explode with the number of clients on the key.
 *
 * Threads  pure functions.
 * Source   Gibbons and Korach, "Testing shared memories" (1997): zones.
 */
#ifndef TESTS_SUPPORT_CHAIN_H
#define TESTS_SUPPORT_CHAIN_H

#include "tests/support/linear.h"

enum chain_verdict {
	CHAIN_OK,
	CHAIN_FORK,      /* two acknowledged writes replaced the same version: one of them is lost */
	CHAIN_CYCLE,     /* a version is its own ancestor */
	CHAIN_NOBODY,    /* a version that nobody wrote was seen */
	CHAIN_TIME,      /* inside a piece an operation would have to count before it was called */
	CHAIN_GAP,       /* pieces that cannot follow each other: versions between them are missing */
	CHAIN_NO_MEMORY, /* not a pass */
};

struct chain_fault {
	enum chain_verdict verdict;
	size_t op_index; /* the operations that show it; the second may be the first again */
	size_t other_index;
};

const char *chain_verdict_name(enum chain_verdict verdict);

/* As for linear_check(); besides, every acknowledged write knows its predecessor and writes a value
 * other than LINEAR_ABSENT. */
struct chain_fault chain_check(const struct linear_op *ops, size_t op_count);

#endif
