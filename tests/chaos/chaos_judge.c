/* Judges what clients saw: chaos_judge < HISTORY
 *
 * One operation a line, times in ns on one clock, words without blanks:
 *
 *     KIND KEY VALUE OLD BEGAN ENDED CLIENT
 *
 *     KIND    get (strong), eventual, put, delete
 *     VALUE   what a put wrote, what a read saw; - is the absence of an item
 *     OLD     what a write said was there before; ? if it did not say
 *     ENDED   ? if the outcome is unknown
 *
 * Per key: is the history linearizable (linear.h)?  Keys that begin with `hot` are judged by the chain of
 * their versions (chain.h) and must have no deletes.  An eventual read may be stale, but whatever it saw had
 * been written and committed by then: its put must have counted before the read returned.
 *
 * Prints what is wrong and a summary; exit status 0 only if every key was judged and is right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/check.h"
#include "tests/support/chain.h"
#include "tests/support/linear.h"

enum {
	LINE_SIZE_MAX = 4096,
	WORD_SIZE_MAX = 512,
	STEPS_MAX = 50 * 1000 * 1000,
	SHOWN_MAX = 40,
};

struct record {
	char *line;
	char *key;
	char *value;
	char *old;
	char kind; /* first letter */
	uint64_t began;
	uint64_t ended; /* LINEAR_OPEN */
};

struct history {
	struct record *records;
	size_t count;
	size_t capacity;
};

struct tally {
	size_t key_count;
	size_t op_count;
	size_t open_count;
	size_t eventual_count;
	size_t wrong_count;
	size_t unknown_count;
};

/* --- reading --- */

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	CHECK(copy != NULL);
	return copy;
}

static bool parse_line(const char *line, struct record *record)
{
	char kind[WORD_SIZE_MAX];
	char key[WORD_SIZE_MAX];
	char value[WORD_SIZE_MAX];
	char old[WORD_SIZE_MAX];
	char ended[WORD_SIZE_MAX];

	if (sscanf(line, "%511s %511s %511s %511s %" SCNu64 " %511s", kind, key, value, old, &record->began,
		   ended) != 6)
		return false;
	record->kind = kind[0];
	record->ended = strcmp(ended, "?") == 0 ? LINEAR_OPEN : strtoull(ended, NULL, 10);
	record->line = copy_of(line);
	record->key = copy_of(key);
	record->value = copy_of(value);
	record->old = copy_of(old);
	return strchr("gepd", record->kind) != NULL;
}

static bool read_history(struct history *history)
{
	char line[LINE_SIZE_MAX];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (history->count == history->capacity) {
			history->capacity = history->capacity == 0 ? 4096 : 2 * history->capacity;
			history->records = realloc(history->records,
						   history->capacity * sizeof(*history->records));
			CHECK(history->records != NULL);
		}
		if (!parse_line(line, &history->records[history->count])) {
			(void)fprintf(stderr, "chaos_judge: not an operation: %s\n", line);
			return false;
		}
		history->count++;
	}
	return true;
}

static int compare_records(const void *left, const void *right)
{
	const struct record *a = left;
	const struct record *b = right;
	int by_key = strcmp(a->key, b->key);

	if (by_key != 0)
		return by_key;
	return a->began < b->began ? -1 : a->began > b->began;
}

/* --- one key --- */

struct key_ops {
	const struct record *records;
	size_t record_count;
	const char **values; /* sorted: a value's number is its place + 1 */
	size_t value_count;
	struct linear_op *ops;
	size_t *record_of; /* an operation's record */
	size_t op_count;
	const struct record *phantom; /* an eventual read of what nobody wrote */
};

static int compare_words(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static uint64_t value_number(const struct key_ops *key, const char *value)
{
	const char **found;

	if (strcmp(value, "-") == 0)
		return LINEAR_ABSENT;
	found = bsearch(&value, key->values, key->value_count, sizeof(*key->values), compare_words);
	CHECK(found != NULL);
	return (uint64_t)(found - key->values) + 1;
}

static void number_values(struct key_ops *key)
{
	size_t count = 0;

	for (size_t i = 0; i < key->record_count; i++) {
		key->values[key->value_count++] = key->records[i].value;
		key->values[key->value_count++] = key->records[i].old;
	}
	qsort(key->values, key->value_count, sizeof(*key->values), compare_words);
	for (size_t i = 0; i < key->value_count; i++) {
		if (count == 0 || strcmp(key->values[count - 1], key->values[i]) != 0)
			key->values[count++] = key->values[i];
	}
	key->value_count = count;
}

static struct linear_op op_of(const struct key_ops *key, const struct record *record)
{
	struct linear_op op = { .call = record->began, .return_at = record->ended };

	op.is_write = record->kind == 'p' || record->kind == 'd';
	if (!op.is_write) {
		op.knows_old = true;
		op.old_value = value_number(key, record->value);
		return op;
	}
	op.new_value = record->kind == 'd' ? LINEAR_ABSENT : value_number(key, record->value);
	op.knows_old = record->ended != LINEAR_OPEN && strcmp(record->old, "?") != 0;
	if (op.knows_old)
		op.old_value = value_number(key, record->old);
	return op;
}

/* What an eventual read saw counted before it returned. */
static void mind_eventual(struct key_ops *key, const struct record *read)
{
	uint64_t seen;

	if (read->ended == LINEAR_OPEN || strcmp(read->value, "-") == 0)
		return;
	seen = value_number(key, read->value);
	for (size_t i = 0; i < key->op_count; i++) {
		struct linear_op *op = &key->ops[i];

		if (!op->is_write || op->new_value != seen)
			continue;
		if (op->call > read->ended)
			break; /* it saw the future */
		if (op->return_at > read->ended)
			op->return_at = read->ended;
		return;
	}
	if (key->phantom == NULL)
		key->phantom = read;
}

static void collect_ops(struct key_ops *key, struct tally *tally)
{
	number_values(key);
	for (size_t i = 0; i < key->record_count; i++) {
		const struct record *record = &key->records[i];
		bool is_read = record->kind == 'g';

		tally->open_count += record->ended == LINEAR_OPEN;
		tally->eventual_count += record->kind == 'e';
		if (record->kind == 'e' || (is_read && record->ended == LINEAR_OPEN))
			continue;
		key->record_of[key->op_count] = i;
		key->ops[key->op_count++] = op_of(key, record);
	}
	tally->op_count += key->record_count;
}

static void show_near(const struct key_ops *key, uint64_t moment)
{
	size_t shown = 0;

	for (size_t i = key->record_count; i > 0 && shown < SHOWN_MAX; i--) {
		if (key->records[i - 1].began > moment)
			continue;
		(void)printf("    %s\n", key->records[i - 1].line);
		shown++;
	}
}

static bool judge_chain(const struct key_ops *key, struct tally *tally)
{
	struct chain_fault fault = chain_check(key->ops, key->op_count);

	if (fault.verdict == CHAIN_OK)
		return true;
	tally->wrong_count++;
	(void)printf("  %s: %s:\n    %s\n    %s\n", key->records[0].key, chain_verdict_name(fault.verdict),
		     key->records[key->record_of[fault.op_index]].line,
		     key->records[key->record_of[fault.other_index]].line);
	return false;
}

static bool judge_linear(const struct key_ops *key, struct tally *tally)
{
	enum linear_verdict verdict = linear_check(key->ops, key->op_count, STEPS_MAX);
	uint64_t moment;

	if (verdict == LINEAR_OK)
		return true;
	if (verdict == LINEAR_UNKNOWN) {
		tally->unknown_count++;
		(void)printf("  %s: no verdict on %zu operations within %d steps\n", key->records[0].key,
			     key->op_count, STEPS_MAX);
		return false;
	}
	tally->wrong_count++;
	moment = linear_first_violation(key->ops, key->op_count, STEPS_MAX);
	(void)printf("  %s: not linearizable from %" PRIu64 " on; before that, newest first:\n",
		     key->records[0].key, moment);
	show_near(key, moment);
	return false;
}

static void judge_key(const struct record *records, size_t record_count, struct tally *tally)
{
	struct key_ops key = { .records = records, .record_count = record_count };
	bool is_hot = strncmp(records[0].key, "hot", 3) == 0;

	key.values = calloc(2 * record_count, sizeof(*key.values));
	key.ops = calloc(record_count, sizeof(*key.ops));
	key.record_of = calloc(record_count, sizeof(*key.record_of));
	CHECK(key.values != NULL && key.ops != NULL && key.record_of != NULL);
	tally->key_count++;
	collect_ops(&key, tally);
	for (size_t i = 0; i < record_count && !is_hot; i++) {
		if (records[i].kind == 'e')
			mind_eventual(&key, &records[i]);
	}
	if (key.phantom != NULL) {
		tally->wrong_count++;
		(void)printf("  %s: an eventual read saw what nobody had written: %s\n", records[0].key,
			     key.phantom->line);
	}
	(void)(is_hot ? judge_chain(&key, tally) : judge_linear(&key, tally)); /* the tally knows */
	free(key.values);
	free(key.ops);
	free(key.record_of);
}

static struct tally judge_all(const struct history *history)
{
	struct tally tally = { 0 };
	size_t begin = 0;

	for (size_t i = 1; i <= history->count; i++) {
		if (i < history->count && strcmp(history->records[i].key, history->records[begin].key) == 0)
			continue;
		judge_key(&history->records[begin], i - begin, &tally);
		begin = i;
	}
	return tally;
}

static void forget(struct history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		free(history->records[i].line);
		free(history->records[i].key);
		free(history->records[i].value);
		free(history->records[i].old);
	}
	free(history->records);
}

int main(void)
{
	struct history history = { 0 };
	struct tally tally;

	if (!read_history(&history))
		return 2;
	if (history.count > 0)
		qsort(history.records, history.count, sizeof(*history.records), compare_records);
	tally = judge_all(&history);
	forget(&history);
	(void)printf("%zu keys, %zu operations, %zu of unknown outcome, %zu eventual reads: %zu keys wrong, "
		     "%zu without a "
		     "verdict\n",
		     tally.key_count, tally.op_count, tally.open_count, tally.eventual_count,
		     tally.wrong_count, tally.unknown_count);
	return tally.wrong_count + tally.unknown_count > 0 ? 1 : 0;
}
