#include "tests/support/chain.h"

#include <stdlib.h>

#include "proto/base/check.h"

enum { NONE = -1 };

/* A version of the register: the absence at the start, or what one write left. */
struct version {
	uint64_t value;
	size_t op_index;      /* of its write; that of the first operation for the absence */
	uint64_t call;        /* of its write */
	uint64_t return_at;   /* of its write */
	uint64_t reads_call;  /* the latest call among its reads */
	uint64_t reads_until; /* the earliest return among them */
	size_t reader_index;  /* a read of it */
	long next;            /* the version known to have replaced it */
	bool has_before;      /* the version that it replaced is known */
	bool is_seen;         /* it must have existed: acknowledged, replaced or read */
	bool is_walked;
};

/* A run of versions that follow each other. */
struct piece {
	uint64_t latest_call;
	uint64_t earliest_return;
	size_t op_index;
};

struct chain {
	const struct linear_op *ops;
	size_t op_count;
	struct version *versions; /* by value */
	size_t version_count;
	struct piece *pieces;
	size_t piece_count;
};

const char *chain_verdict_name(enum chain_verdict verdict)
{
	static const char *const names[] = {
		[CHAIN_OK] = "ok",
		[CHAIN_FORK] = "fork",
		[CHAIN_CYCLE] = "cycle",
		[CHAIN_NOBODY] = "a version that nobody wrote",
		[CHAIN_TIME] = "an order against real time",
		[CHAIN_GAP] = "gap",
		[CHAIN_NO_MEMORY] = "no memory",
	};

	CHECK((unsigned)verdict < ARRAY_COUNT(names));
	return names[verdict];
}

static int compare_versions(const void *left, const void *right)
{
	uint64_t a = ((const struct version *)left)->value;
	uint64_t b = ((const struct version *)right)->value;

	return a < b ? -1 : a > b;
}

static struct version *find_version(const struct chain *chain, uint64_t value)
{
	struct version wanted = { .value = value };

	return bsearch(&wanted, chain->versions, chain->version_count, sizeof(wanted), compare_versions);
}

static void collect_versions(struct chain *chain)
{
	chain->versions[chain->version_count++] = (struct version){
		.value = LINEAR_ABSENT, .reads_until = LINEAR_OPEN, .next = NONE, .is_seen = true
	};
	for (size_t i = 0; i < chain->op_count; i++) {
		const struct linear_op *op = &chain->ops[i];

		if (!op->is_write)
			continue;
		CHECK(op->new_value != LINEAR_ABSENT);
		CHECK(op->knows_old == (op->return_at != LINEAR_OPEN));
		chain->versions[chain->version_count++] = (struct version){ .value = op->new_value,
									    .op_index = i,
									    .call = op->call,
									    .return_at = op->return_at,
									    .reads_until = LINEAR_OPEN,
									    .next = NONE,
									    .is_seen = op->knows_old };
	}
	qsort(chain->versions, chain->version_count, sizeof(*chain->versions), compare_versions);
	for (size_t i = 1; i < chain->version_count; i++)
		CHECK(chain->versions[i - 1].value != chain->versions[i].value); /* unique, as promised */
}

/* Note what an operation saw. */
static struct chain_fault link_op(struct chain *chain, size_t op_index)
{
	const struct linear_op *op = &chain->ops[op_index];
	struct version *seen = find_version(chain, op->old_value);
	struct version *written;

	if (seen == NULL)
		return (struct chain_fault){ CHAIN_NOBODY, op_index, op_index };
	seen->is_seen = true;
	if (!op->is_write) {
		if (op->call >= seen->reads_call)
			seen->reads_call = op->call;
		if (op->return_at <= seen->reads_until) {
			seen->reads_until = op->return_at;
			seen->reader_index = op_index;
		}
		return (struct chain_fault){ .verdict = CHAIN_OK };
	}
	if (seen->next != NONE)
		return (struct chain_fault){ CHAIN_FORK, op_index, chain->versions[seen->next].op_index };
	written = find_version(chain, op->new_value);
	seen->next = written - chain->versions;
	written->has_before = true;
	return (struct chain_fault){ .verdict = CHAIN_OK };
}

/* Walk a piece from its first version: each operation must be able to count after those before it. */
static struct chain_fault walk(struct chain *chain, struct version *version)
{
	struct piece piece = { .earliest_return = LINEAR_OPEN, .op_index = version->op_index };
	size_t latest_index = version->op_index;

	for (;;) {
		version->is_walked = true;
		if (version->value == LINEAR_ABSENT)
			piece.earliest_return = 0; /* there from the start */
		else if (version->return_at < piece.latest_call)
			return (struct chain_fault){ CHAIN_TIME, version->op_index, latest_index };
		if (version->value != LINEAR_ABSENT && version->call >= piece.latest_call) {
			piece.latest_call = version->call;
			latest_index = version->op_index;
		}
		if (version->reads_until < piece.latest_call)
			return (struct chain_fault){ CHAIN_TIME, version->reader_index, latest_index };
		if (version->reads_call > piece.latest_call) {
			piece.latest_call = version->reads_call;
			latest_index = version->reader_index;
		}
		if (version->value != LINEAR_ABSENT && version->return_at < piece.earliest_return)
			piece.earliest_return = version->return_at;
		if (version->reads_until < piece.earliest_return)
			piece.earliest_return = version->reads_until;
		if (version->next == NONE)
			break;
		version = &chain->versions[version->next];
	}
	chain->pieces[chain->piece_count++] = piece;
	return (struct chain_fault){ .verdict = CHAIN_OK };
}

static struct chain_fault cut_pieces(struct chain *chain)
{
	for (size_t i = 0; i < chain->version_count; i++) {
		struct chain_fault fault;

		if (chain->versions[i].has_before || !chain->versions[i].is_seen)
			continue;
		fault = walk(chain, &chain->versions[i]);
		if (fault.verdict != CHAIN_OK)
			return fault;
	}
	for (size_t i = 0; i < chain->version_count; i++) {
		if (chain->versions[i].is_seen && !chain->versions[i].is_walked)
			return (struct chain_fault){ CHAIN_CYCLE, chain->versions[i].op_index,
						     chain->versions[i].op_index };
	}
	return (struct chain_fault){ .verdict = CHAIN_OK };
}

/* --- pieces in time --- */

static bool spans_time(const struct piece *piece)
{
	return piece->earliest_return < piece->latest_call;
}

/* Those that span a stretch of time first, by its begin. */
static int compare_pieces(const void *left, const void *right)
{
	const struct piece *a = left;
	const struct piece *b = right;

	if (spans_time(a) != spans_time(b))
		return spans_time(a) ? -1 : 1;
	return a->earliest_return < b->earliest_return ? -1 : a->earliest_return > b->earliest_return;
}

/* The last stretch that begins before a moment; NULL if none does. */
static const struct piece *stretch_before(const struct piece *stretches, size_t count, uint64_t moment)
{
	size_t low = 0;

	while (count > low) {
		size_t middle = low + (count - low) / 2;

		if (stretches[middle].earliest_return < moment)
			low = middle + 1;
		else
			count = middle;
	}
	return low == 0 ? NULL : &stretches[low - 1];
}

/* Two stretches must not overlap, and what counts at any one moment of its window must find a moment
 * of that window outside every stretch. */
static struct chain_fault order_pieces(struct chain *chain)
{
	struct piece *pieces = chain->pieces;
	size_t spanning = 0;

	qsort(pieces, chain->piece_count, sizeof(*pieces), compare_pieces);
	while (spanning < chain->piece_count && spans_time(&pieces[spanning]))
		spanning++;
	for (size_t i = 1; i < spanning; i++) {
		if (pieces[i].earliest_return < pieces[i - 1].latest_call)
			return (struct chain_fault){ CHAIN_GAP, pieces[i].op_index, pieces[i - 1].op_index };
	}
	for (size_t i = spanning; i < chain->piece_count; i++) {
		const struct piece *around = stretch_before(pieces, spanning, pieces[i].latest_call);

		if (around != NULL && around->latest_call > pieces[i].earliest_return)
			return (struct chain_fault){ CHAIN_GAP, pieces[i].op_index, around->op_index };
	}
	return (struct chain_fault){ .verdict = CHAIN_OK };
}

static struct chain_fault judge(struct chain *chain)
{
	struct chain_fault fault;

	collect_versions(chain);
	for (size_t i = 0; i < chain->op_count; i++) {
		if (!chain->ops[i].knows_old)
			continue;
		fault = link_op(chain, i);
		if (fault.verdict != CHAIN_OK)
			return fault;
	}
	fault = cut_pieces(chain);
	return fault.verdict == CHAIN_OK ? order_pieces(chain) : fault;
}

struct chain_fault chain_check(const struct linear_op *ops, size_t op_count)
{
	struct chain chain = { .ops = ops, .op_count = op_count };
	struct chain_fault fault = { .verdict = CHAIN_NO_MEMORY };

	chain.versions = calloc(op_count + 1, sizeof(*chain.versions));
	chain.pieces = calloc(op_count + 1, sizeof(*chain.pieces));
	if (chain.versions != NULL && chain.pieces != NULL)
		fault = judge(&chain);
	free(chain.pieces);
	free(chain.versions);
	return fault;
}
