/* What expressions cost on one core: to parse, to pack for the wire, to unpack and check, to run.
 *
 *   expr_speed [ROUNDS]      the median of that many rounds (9), in nanoseconds
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_update.h"
#include "proto/model/item_builder.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_condition.h"
#include "storage/expr/eval_update.h"

enum { REPEATS = 20000, ROUNDS_MAX = 99, ARENA_SIZE = 64 * 1024 * 1024, PACKED_SIZE = 4096 };

static const char condition_text[] =
	"attribute_exists(pk) AND #v = :v AND (quantity >= :n OR attribute_not_exists(c))";
static const char update_text[] =
	"SET #v = #v + :n, updated = :t, info.seen = if_not_exists(info.seen, :zero) + :n "
	"REMOVE stale ADD tags :set";

struct bench {
	struct arena arena;   /* what one repeat uses */
	struct arena kept;    /* what all repeats share */
	struct arena scratch; /* of an update */
	struct buf out;
	struct slice item;
	struct expr_binding names[1];
	struct expr_binding values[5];
	Cleave__ExprCondition *condition;
	Cleave__ExprUpdate *update;
	uint8_t packed[PACKED_SIZE];
	size_t packed_size;
};

static void check(enum status status)
{
	if (status != ST_OK) {
		fprintf(stderr, "expr_speed: %s\n", status_name(status));
		exit(1);
	}
}

/* One encoded value. */
static struct slice encode(struct arena *arena, enum item_type type, const char *text, int64_t number)
{
	struct item_builder builder;
	struct item_value value;
	struct decimal decimal;
	struct slice copy;
	struct buf bytes;

	decimal_from_int(&decimal, number);
	buf_init(&bytes, PACKED_SIZE);
	item_builder_init(&builder, &bytes);
	item_builder_name(&builder, slice_of_string("a"));
	if (type == ITEM_N) {
		item_builder_number(&builder, &decimal);
	} else if (type == ITEM_S) {
		item_builder_string(&builder, slice_of_string(text));
	} else {
		item_builder_open(&builder, ITEM_SS);
		item_builder_member(&builder, slice_of_string(text));
		item_builder_close(&builder);
	}
	check(item_builder_finish(&builder));
	CHECK(item_find(buf_slice(&bytes), slice_of_string("a"), &value));
	copy = slice_of(arena_copy(arena, value.encoded), value.encoded.size);
	buf_close(&bytes);
	return copy;
}

/* About a kilobyte, ten attributes. */
static struct slice make_item(struct arena *arena)
{
	static const char *const numbers[] = { "version", "quantity", "price", "updated" };
	char filler[801] = { 0 };
	struct item_builder builder;
	struct decimal decimal;
	struct slice copy;
	struct buf bytes;

	memset(filler, 'x', sizeof(filler) - 1);
	decimal_from_int(&decimal, 7);
	buf_init(&bytes, PACKED_SIZE);
	item_builder_init(&builder, &bytes);
	item_builder_name(&builder, slice_of_string("pk"));
	item_builder_string(&builder, slice_of_string("customer#12345"));
	item_builder_name(&builder, slice_of_string("filler"));
	item_builder_string(&builder, slice_of_string(filler));
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		item_builder_name(&builder, slice_of_string(numbers[i]));
		item_builder_number(&builder, &decimal);
	}
	item_builder_name(&builder, slice_of_string("stale"));
	item_builder_null(&builder);
	item_builder_name(&builder, slice_of_string("info"));
	item_builder_open(&builder, ITEM_M);
	item_builder_name(&builder, slice_of_string("seen"));
	item_builder_number(&builder, &decimal);
	item_builder_close(&builder);
	item_builder_name(&builder, slice_of_string("tags"));
	item_builder_open(&builder, ITEM_SS);
	item_builder_member(&builder, slice_of_string("red"));
	item_builder_close(&builder);
	check(item_builder_finish(&builder));
	copy = slice_of(arena_copy(arena, buf_slice(&bytes)), bytes.size);
	buf_close(&bytes);
	return copy;
}

static void open_bench(struct bench *b)
{
	arena_init(&b->arena, ARENA_SIZE);
	arena_init(&b->kept, ARENA_SIZE);
	arena_init(&b->scratch, ARENA_SIZE);
	buf_init(&b->out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	b->item = make_item(&b->kept);
	b->names[0] = (struct expr_binding){ slice_of_string("#v"), slice_of_string("version") };
	b->values[0] = (struct expr_binding){ slice_of_string(":v"), encode(&b->kept, ITEM_N, NULL, 7) };
	b->values[1] = (struct expr_binding){ slice_of_string(":n"), encode(&b->kept, ITEM_N, NULL, 1) };
	b->values[2] = (struct expr_binding){ slice_of_string(":t"),
					      encode(&b->kept, ITEM_S, "2026-01-01T00:00:00Z", 0) };
	b->values[3] = (struct expr_binding){ slice_of_string(":zero"), encode(&b->kept, ITEM_N, NULL, 0) };
	b->values[4] = (struct expr_binding){ slice_of_string(":set"), encode(&b->kept, ITEM_SS, "blue", 0) };
}

static void parse(struct bench *b, struct arena *arena)
{
	const struct expr_binding_map names = { true, ARRAY_COUNT(b->names), b->names };
	const struct expr_binding_map values = { true, ARRAY_COUNT(b->values), b->values };
	struct expr_error error;
	struct expr_bind bind;

	check(expr_bind_init(&bind, arena, names, values, &error));
	check(expr_update_parse(&bind, slice_of_string(update_text), &b->update));
	check(expr_condition_parse(&bind, EXPR_CONDITION, slice_of_string(condition_text), &b->condition));
	check(expr_bind_finish(&bind));
}

static void run_parse(struct bench *b)
{
	parse(b, &b->arena);
}

static void run_pack(struct bench *b)
{
	b->packed_size = cleave__expr_update__pack(b->update, b->packed);
	b->packed_size = cleave__expr_condition__pack(b->condition, b->packed);
}

static void run_unpack(struct bench *b)
{
	ProtobufCAllocator allocator = proto_arena_allocator(&b->arena);
	const Cleave__ExprCondition *condition = cleave__expr_condition__unpack(&allocator, b->packed_size,
										b->packed);

	CHECK(condition != NULL);
	check(eval_check_condition(condition));
	check(eval_check_update(b->update));
}

static void run_condition(struct bench *b)
{
	bool is_true = false;

	check(eval_condition(b->condition, b->item, &is_true));
	CHECK(is_true);
}

static void run_update(struct bench *b)
{
	struct eval_update_result result;

	check(eval_update(b->update, b->item, slice_of(NULL, 0), &b->arena, &b->out, &result));
	buf_reset(&b->out);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a > *b) - (*a < *b);
}

static void measure(struct bench *b, const char *name, void (*run)(struct bench *b), uint32_t round_count)
{
	uint64_t rounds[ROUNDS_MAX];

	for (uint32_t round = 0; round < round_count; round++) {
		uint64_t start = now_ns();

		for (uint32_t i = 0; i < REPEATS; i++) {
			run(b);
			arena_reset(&b->arena);
		}
		rounds[round] = (now_ns() - start) / REPEATS;
	}
	qsort(rounds, round_count, sizeof(rounds[0]), compare);
	printf("%-24s %6llu ns  (%llu .. %llu)\n", name, (unsigned long long)rounds[round_count / 2],
	       (unsigned long long)rounds[0], (unsigned long long)rounds[round_count - 1]);
}

int main(int argc, char **argv)
{
	long round_count = argc > 1 ? strtol(argv[1], NULL, 10) : 9;
	static struct bench b;

	if (round_count < 1 || round_count > ROUNDS_MAX) {
		fprintf(stderr, "usage: expr_speed [ROUNDS]\n");
		return 2;
	}
	open_bench(&b);
	printf("condition  %s\nupdate     %s\n", condition_text, update_text);
	measure(&b, "parse both", run_parse, (uint32_t)round_count);
	parse(&b, &b.kept);
	measure(&b, "pack both", run_pack, (uint32_t)round_count);
	measure(&b, "unpack one, check both", run_unpack, (uint32_t)round_count);
	measure(&b, "run the condition", run_condition, (uint32_t)round_count);
	measure(&b, "run the update", run_update, (uint32_t)round_count);
	return 0;
}
