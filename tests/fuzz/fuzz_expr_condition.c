/* Conditions as text: whatever is accepted passes the check after the wire and gives an answer
 * on an item and on none; the same text as a key condition gives terms or a message. */
#include "coordinator/expr/expr_condition.h"
#include "coordinator/expr/expr_key.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_condition.h"
#include "tests/fuzz/expr_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const Cleave__ExprCondition *condition, struct arena *arena)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);
	size_t size = cleave__expr_condition__get_packed_size(condition);
	uint8_t *packed = arena_alloc(arena, size + 1);
	const Cleave__ExprCondition *received;
	bool is_true;

	(void)cleave__expr_condition__pack(condition, packed);
	received = cleave__expr_condition__unpack(&allocator, size, packed);
	CHECK(received != NULL && eval_check_condition(received) == ST_OK);
	CHECK(eval_condition(received, expr_request()->item, &is_true) == ST_OK);
	CHECK(eval_condition(received, slice_of(NULL, 0), &is_true) == ST_OK);
}

/* As the key of a table, and as keys of several attributes. */
static void match_keys(const struct expr_key_terms *terms)
{
	static const struct {
		uint32_t partition_count;
		uint32_t sort_count;
	} shapes[] = { { 1, 1 }, { 1, 0 }, { 1, 2 }, { 2, 0 }, { 2, 1 } };
	const struct expr_key_attribute attributes[] = { { slice_of_string("a"), ITEM_S },
							 { slice_of_string("c"), ITEM_N },
							 { slice_of_string("b"), ITEM_S } };

	for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
		struct expr_key key = { .partition_count = shapes[i].partition_count,
					.sort_count = shapes[i].sort_count };
		struct expr_key_query query;
		struct expr_error error;
		enum status status;

		memcpy(key.attributes, attributes, sizeof(attributes));
		status = expr_key_match_partition(terms, &key, &query, &error);
		CHECK((status == ST_OK) != expr_error_is_set(&error));
		if (status == ST_OK) {
			status = expr_key_match_sort(terms, &key, &query, &error);
			CHECK((status == ST_OK) != expr_error_is_set(&error));
		}
		/* Each term is used once. */
		if (status == ST_OK)
			CHECK(key.partition_count + query.equal_count + (query.sort_op != EXPR_KEY_NONE) ==
			      terms->count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Cleave__ExprCondition *condition;
	struct expr_key_terms terms;
	struct expr_error error;
	struct expr_bind bind;
	struct arena arena;
	enum status status;

	arena_init(&arena, EXPR_REQUEST_ARENA_SIZE);
	expr_request_bind(&bind, &arena, &error);
	status = expr_condition_parse(&bind, EXPR_KEY_CONDITION, slice_of(data, size), &condition);
	CHECK((status == ST_OK) != expr_error_is_set(&error));
	if (status == ST_OK) {
		run(condition, &arena);
		status = expr_key_read(condition, &terms, &error);
		CHECK((status == ST_OK) != expr_error_is_set(&error));
		if (status == ST_OK)
			match_keys(&terms);
		expr_error_init(&error);
		(void)(expr_bind_finish(&bind) == ST_OK);
	}
	arena_close(&arena);
	return 0;
}
