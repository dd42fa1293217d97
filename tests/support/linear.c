#include "tests/support/linear.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/check.h"

enum { MEMO_SLOTS_MIN = 1024, WORD_BITS = 64 };

/* A call or a return in the list of moments; a return has no partner. */
struct moment {
	struct moment *previous;
	struct moment *next;
	struct moment *return_moment; /* of a call */
	uint64_t at;
	size_t op_index;
	bool is_return;
};

/* A set of operations and the value after them, reached before. */
struct memo_slot {
	uint64_t hash; /* 0: free */
	uint64_t value;
	uint64_t *taken;
};

struct choice {
	struct moment *call;
	uint64_t value_before;
};

struct search {
	const struct linear_op *ops;
	size_t op_count;
	size_t word_count;
	struct moment *moments; /* [0] is the head */
	struct choice *choices;
	size_t choice_count;
	uint64_t *taken;
	uint64_t *op_hashes;
	uint64_t taken_hash;
	uint64_t value;
	struct memo_slot *memo;
	size_t memo_capacity;
	size_t memo_count;
};

static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15ull;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
	return x ^ (x >> 31);
}

/* --- what open writes mean --- */

static bool saw(const struct linear_op *op, uint64_t value)
{
	return (!op->is_write || op->knows_old) && op->old_value == value;
}

/* The earliest return of an operation that saw the value. */
static uint64_t first_seen(const struct linear_op *ops, size_t op_count, uint64_t value)
{
	uint64_t earliest = LINEAR_OPEN;

	for (size_t i = 0; i < op_count; i++) {
		if (saw(&ops[i], value) && ops[i].return_at < earliest)
			earliest = ops[i].return_at;
	}
	return earliest;
}

/* Leave out open writes that nobody saw, and end the others when they were seen first. */
static size_t narrow(const struct linear_op *ops, size_t op_count, struct linear_op *narrowed)
{
	size_t count = 0;

	for (size_t i = 0; i < op_count; i++) {
		struct linear_op op = ops[i];

		if (op.return_at == LINEAR_OPEN) {
			CHECK(op.is_write && !op.knows_old);
			if (op.new_value != LINEAR_ABSENT) {
				op.return_at = first_seen(ops, op_count, op.new_value);
				if (op.return_at == LINEAR_OPEN)
					continue;
				if (op.return_at < op.call)
					op.return_at = op.call; /* seen too early: the reader will not fit */
			}
		}
		narrowed[count++] = op;
	}
	return count;
}

/* --- the list --- */

static int compare_moments(const void *left, const void *right)
{
	const struct moment *a = left;
	const struct moment *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	/* At one moment calls come first: the operations overlap. */
	if (a->is_return != b->is_return)
		return a->is_return ? 1 : -1;
	return a->op_index < b->op_index ? -1 : a->op_index > b->op_index;
}

static void link_moments(struct search *search)
{
	struct moment **calls = (struct moment **)(void *)search->choices; /* not in use yet */
	size_t count = 2 * search->op_count;

	for (size_t i = 0; i < search->op_count; i++) {
		search->moments[1 + 2 * i] = (struct moment){ .at = search->ops[i].call, .op_index = i };
		search->moments[2 + 2 * i] = (struct moment){ .at = search->ops[i].return_at,
							      .op_index = i,
							      .is_return = true };
	}
	qsort(search->moments + 1, count, sizeof(struct moment), compare_moments);
	search->moments[0] = (struct moment){ .next = count == 0 ? NULL : &search->moments[1] };
	for (size_t i = 1; i <= count; i++) {
		struct moment *moment = &search->moments[i];

		moment->previous = moment - 1;
		moment->next = i == count ? NULL : moment + 1;
		if (moment->is_return)
			calls[moment->op_index]->return_moment = moment;
		else
			calls[moment->op_index] = moment;
	}
}

static void unlink_moment(struct moment *moment)
{
	moment->previous->next = moment->next;
	if (moment->next != NULL)
		moment->next->previous = moment->previous;
}

static void relink_moment(struct moment *moment)
{
	moment->previous->next = moment;
	if (moment->next != NULL)
		moment->next->previous = moment;
}

/* --- the memo --- */

static struct memo_slot *memo_find(const struct search *search, uint64_t hash, uint64_t value)
{
	size_t mask = search->memo_capacity - 1;

	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		struct memo_slot *slot = &search->memo[at];

		if (slot->hash == 0 ||
		    (slot->hash == hash && slot->value == value &&
		     memcmp(slot->taken, search->taken, search->word_count * sizeof(uint64_t)) == 0))
			return slot;
	}
}

static bool memo_grow(struct search *search)
{
	struct memo_slot *old = search->memo;
	size_t old_capacity = search->memo_capacity;

	search->memo_capacity = old_capacity == 0 ? MEMO_SLOTS_MIN : 2 * old_capacity;
	search->memo = calloc(search->memo_capacity, sizeof(*search->memo));
	if (search->memo == NULL) {
		search->memo = old;
		search->memo_capacity = old_capacity;
		return false;
	}
	for (size_t i = 0; i < old_capacity; i++) {
		size_t at = old[i].hash & (search->memo_capacity - 1);

		if (old[i].hash == 0)
			continue;
		while (search->memo[at].hash != 0)
			at = (at + 1) & (search->memo_capacity - 1);
		search->memo[at] = old[i];
	}
	free(old);
	return true;
}

enum memo_result { MEMO_NEW, MEMO_KNOWN, MEMO_NO_MEMORY };

/* Note that the present set is reached with this value. */
static enum memo_result memo_add(struct search *search, uint64_t value)
{
	size_t size_bytes = search->word_count * sizeof(uint64_t);
	uint64_t hash = (search->taken_hash ^ mix(value)) | 1;
	struct memo_slot *slot;

	if (2 * search->memo_count >= search->memo_capacity && !memo_grow(search))
		return MEMO_NO_MEMORY;
	slot = memo_find(search, hash, value);
	if (slot->hash != 0)
		return MEMO_KNOWN;
	slot->taken = malloc(size_bytes);
	if (slot->taken == NULL)
		return MEMO_NO_MEMORY;
	memcpy(slot->taken, search->taken, size_bytes);
	slot->hash = hash;
	slot->value = value;
	search->memo_count++;
	return MEMO_NEW;
}

/* --- the search --- */

static bool fits(const struct linear_op *op, uint64_t value)
{
	return (op->is_write && !op->knows_old) || op->old_value == value;
}

static void toggle(struct search *search, size_t op_index)
{
	search->taken[op_index / WORD_BITS] ^= 1ull << (op_index % WORD_BITS);
	search->taken_hash ^= search->op_hashes[op_index];
}

/* Take the operation next, unless that was tried before. */
static enum memo_result take(struct search *search, struct moment *call)
{
	const struct linear_op *op = &search->ops[call->op_index];
	uint64_t value = op->is_write ? op->new_value : search->value;
	enum memo_result result;

	toggle(search, call->op_index);
	result = memo_add(search, value);
	if (result != MEMO_NEW) {
		toggle(search, call->op_index);
		return result;
	}
	search->choices[search->choice_count++] = (struct choice){ call, search->value };
	search->value = value;
	unlink_moment(call);
	unlink_moment(call->return_moment);
	return MEMO_NEW;
}

/* Give the newest choice back; the search goes on behind it. */
static struct moment *give_back(struct search *search)
{
	struct choice *choice = &search->choices[--search->choice_count];

	toggle(search, choice->call->op_index);
	search->value = choice->value_before;
	relink_moment(choice->call->return_moment);
	relink_moment(choice->call);
	return choice->call->next;
}

static enum linear_verdict run(struct search *search, uint64_t step_count_max)
{
	struct moment *at = search->moments[0].next;

	for (uint64_t step = 0; step < step_count_max; step++) {
		enum memo_result result = MEMO_KNOWN;

		if (at == NULL || (at->is_return && at->at == LINEAR_OPEN))
			return LINEAR_OK; /* only open operations are left */
		if (at->is_return) {
			/* It must have happened by now, and nothing that may come first led there. */
			if (search->choice_count == 0)
				return LINEAR_VIOLATION;
			at = give_back(search);
			continue;
		}
		if (fits(&search->ops[at->op_index], search->value))
			result = take(search, at);
		if (result == MEMO_NO_MEMORY)
			return LINEAR_UNKNOWN;
		at = result == MEMO_NEW ? search->moments[0].next : at->next;
	}
	return LINEAR_UNKNOWN;
}

static bool search_open(struct search *search, const struct linear_op *ops, size_t op_count)
{
	*search = (struct search){ .ops = ops, .op_count = op_count, .value = LINEAR_ABSENT };
	search->word_count = op_count / WORD_BITS + 1;
	search->moments = calloc(2 * op_count + 1, sizeof(*search->moments));
	search->choices = calloc(op_count + 1, sizeof(*search->choices));
	search->taken = calloc(search->word_count, sizeof(*search->taken));
	search->op_hashes = calloc(op_count + 1, sizeof(*search->op_hashes));
	if (search->moments == NULL || search->choices == NULL || search->taken == NULL ||
	    search->op_hashes == NULL)
		return false;
	for (size_t i = 0; i < op_count; i++)
		search->op_hashes[i] = mix(i);
	link_moments(search);
	return true;
}

static void search_close(struct search *search)
{
	for (size_t i = 0; i < search->memo_capacity; i++)
		free(search->memo[i].taken);
	free(search->memo);
	free(search->moments);
	free(search->choices);
	free(search->taken);
	free(search->op_hashes);
}

enum linear_verdict linear_check(const struct linear_op *ops, size_t op_count, uint64_t step_count_max)
{
	struct linear_op *narrowed = calloc(op_count + 1, sizeof(*narrowed));
	enum linear_verdict verdict = LINEAR_UNKNOWN;
	struct search search;

	if (narrowed == NULL)
		return LINEAR_UNKNOWN;
	if (search_open(&search, narrowed, narrow(ops, op_count, narrowed)))
		verdict = run(&search, step_count_max);
	search_close(&search);
	free(narrowed);
	return verdict;
}

/* --- where it went wrong --- */

/* The history as it was known at a moment. */
static size_t cut(const struct linear_op *ops, size_t op_count, uint64_t at, struct linear_op *known)
{
	size_t count = 0;

	for (size_t i = 0; i < op_count; i++) {
		struct linear_op op = ops[i];

		if (op.call > at || (!op.is_write && op.return_at > at))
			continue;
		if (op.return_at > at) {
			op.return_at = LINEAR_OPEN;
			op.knows_old = false;
		}
		known[count++] = op;
	}
	return count;
}

static int compare_times(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

uint64_t linear_first_violation(const struct linear_op *ops, size_t op_count, uint64_t step_count_max)
{
	struct linear_op *known = calloc(op_count + 1, sizeof(*known));
	uint64_t *times = calloc(op_count + 1, sizeof(*times));
	size_t time_count = 0;
	size_t low = 0;
	size_t high;
	uint64_t found = 0;

	if (known == NULL || times == NULL)
		goto out;
	for (size_t i = 0; i < op_count; i++) {
		if (ops[i].return_at != LINEAR_OPEN)
			times[time_count++] = ops[i].return_at;
	}
	qsort(times, time_count, sizeof(*times), compare_times);
	high = time_count;
	/* A longer prefix only knows more, so the wrong ones are a suffix of the moments. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t count = cut(ops, op_count, times[middle], known);

		if (linear_check(known, count, step_count_max) == LINEAR_VIOLATION) {
			found = times[middle];
			high = middle;
		} else {
			low = middle + 1;
		}
	}
out:
	free(known);
	free(times);
	return found;
}

/* --- the shortest history that shows it --- */

/* Take one operation out, and with a write all that may have seen it. */
static void leave_out(struct linear_op *ops, bool *is_kept, size_t op_count, size_t index)
{
	struct linear_op gone = ops[index];

	is_kept[index] = false;
	for (size_t i = 0; gone.is_write && i < op_count; i++) {
		if (!is_kept[i] || !saw(&ops[i], gone.new_value) || ops[i].return_at < gone.call)
			continue;
		if (ops[i].is_write)
			ops[i].knows_old = false;
		else
			is_kept[i] = false;
	}
}

/* The kept operations to the front; how many there are. */
static size_t compact(struct linear_op *ops, const bool *is_kept, size_t *indices, size_t op_count)
{
	size_t count = 0;

	for (size_t i = 0; i < op_count; i++) {
		if (!is_kept[i])
			continue;
		ops[count] = ops[i];
		indices[count++] = indices[i];
	}
	return count;
}

struct shortening {
	struct linear_op *ops;
	size_t *indices;
	size_t op_count;
	struct linear_op *trial_ops;
	size_t *trial_indices;
	bool *is_kept;
	uint64_t step_count_max;
};

/* Leave out [first, first + size) if what remains is still wrong. */
static bool try_without(struct shortening *shortening, size_t first, size_t size)
{
	size_t op_count = shortening->op_count;
	size_t count;

	memcpy(shortening->trial_ops, shortening->ops, op_count * sizeof(*shortening->ops));
	memcpy(shortening->trial_indices, shortening->indices, op_count * sizeof(*shortening->indices));
	for (size_t i = 0; i < op_count; i++)
		shortening->is_kept[i] = true;
	for (size_t i = first; i < first + size && i < op_count; i++) {
		if (shortening->is_kept[i])
			leave_out(shortening->trial_ops, shortening->is_kept, op_count, i);
	}
	count = compact(shortening->trial_ops, shortening->is_kept, shortening->trial_indices, op_count);
	if (linear_check(shortening->trial_ops, count, shortening->step_count_max) != LINEAR_VIOLATION)
		return false;
	memcpy(shortening->ops, shortening->trial_ops, count * sizeof(*shortening->ops));
	memcpy(shortening->indices, shortening->trial_indices, count * sizeof(*shortening->indices));
	shortening->op_count = count;
	return true;
}

static void shorten(struct shortening *shortening)
{
	bool has_changed = true;

	for (size_t size = shortening->op_count; size > 0; size = size > 1 || !has_changed ? size / 2 : 1) {
		has_changed = false;
		for (size_t first = 0; first < shortening->op_count;) {
			if (try_without(shortening, first, size))
				has_changed = true;
			else
				first += size;
		}
	}
}

/* The history up to the first moment at which it is wrong. */
static size_t cut_first(const struct linear_op *ops, size_t op_count, uint64_t step_count_max,
			struct linear_op *known, size_t *indices)
{
	uint64_t at = linear_first_violation(ops, op_count, step_count_max);
	size_t count = 0;

	for (size_t i = 0; i < op_count; i++) {
		if (cut(&ops[i], 1, at == 0 ? LINEAR_OPEN : at, &known[count]) > 0)
			indices[count++] = i;
	}
	return count;
}

size_t linear_shorten(const struct linear_op *ops, size_t op_count, uint64_t step_count_max,
		      struct linear_op *shortest_out, size_t *indices_out)
{
	struct shortening shortening = {
		.ops = shortest_out,
		.indices = indices_out,
		.trial_ops = calloc(op_count + 1, sizeof(struct linear_op)),
		.trial_indices = calloc(op_count + 1, sizeof(size_t)),
		.is_kept = calloc(op_count + 1, sizeof(bool)),
		.step_count_max = step_count_max,
	};

	if (shortening.trial_ops != NULL && shortening.trial_indices != NULL && shortening.is_kept != NULL) {
		shortening.op_count = cut_first(ops, op_count, step_count_max, shortest_out, indices_out);
		if (linear_check(shortest_out, shortening.op_count, step_count_max) == LINEAR_VIOLATION)
			shorten(&shortening);
		else
			shortening.op_count = 0;
	}
	free(shortening.trial_ops);
	free(shortening.trial_indices);
	free(shortening.is_kept);
	return shortening.op_count;
}
