/* Compiled expressions as a node receives them: the first byte says which kind, two give the
 * message's size, and what follows it is an item.  What passes the check runs on a sound item
 * and on these bytes without harm; on the sound one it gives sound results. */
#include "proto/model/item_check.h"
#include "proto/wire/expr_code.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_condition.h"
#include "storage/expr/eval_project.h"
#include "storage/expr/eval_update.h"
#include "tests/fuzz/expr_request.h"

enum { MESSAGE_ARENA_SIZE = 4 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_condition(struct slice message, struct slice item, struct arena *arena)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);
	const Cleave__ExprCondition *condition = cleave__expr_condition__unpack(&allocator, message.size,
										message.data);
	bool is_true;

	if (condition == NULL || eval_check_condition(condition) != ST_OK)
		return;
	CHECK(eval_condition(condition, expr_request()->item, &is_true) == ST_OK);
	(void)(eval_condition(condition, item, &is_true) == ST_OK);
}

static void run_update_on(const Cleave__ExprUpdate *update, struct slice item, bool is_sound,
			  struct arena *arena)
{
	struct eval_update_result result;
	enum status status;
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	status = eval_update(update, item, expr_request()->key, arena, &out, &result);
	if (is_sound && status == ST_OK && result.exists)
		CHECK(item_check(result.item) == ST_OK);
	buf_close(&out);
}

static void project_on(const struct eval_projection *projection, struct slice item, bool is_sound)
{
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	if (eval_project(projection, item, &out) == ST_OK && is_sound)
		CHECK(item_check(buf_slice(&out)) == ST_OK);
	buf_close(&out);
}

static void run_update(struct slice message, struct slice item, struct arena *arena)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);
	const Cleave__ExprUpdate *update = cleave__expr_update__unpack(&allocator, message.size,
								       message.data);
	struct eval_projection projection;

	if (update == NULL || eval_check_update(update) != ST_OK)
		return;
	run_update_on(update, expr_request()->item, true, arena);
	run_update_on(update, slice_of(NULL, 0), true, arena);
	run_update_on(update, item, false, arena);
	if (eval_project_init_updated(&projection, update, arena) == ST_OK)
		project_on(&projection, expr_request()->item, true);
}

static void run_projection(struct slice message, struct slice item, struct arena *arena)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);
	const Cleave__ExprProjection *source = cleave__expr_projection__unpack(&allocator, message.size,
									       message.data);
	struct eval_projection projection;

	if (source == NULL || eval_check_projection(source) != ST_OK ||
	    eval_project_init(&projection, source, arena) != ST_OK)
		return;
	project_on(&projection, expr_request()->item, true);
	project_on(&projection, item, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct slice message;
	struct slice item;
	size_t message_size;

	if (size < 3)
		return 0;
	message_size = get_u16_be(data + 1);
	if (message_size > size - 3)
		message_size = size - 3;
	message = slice_of(data + 3, message_size);
	item = slice_of(data + 3 + message_size, size - 3 - message_size);
	arena_init(&arena, MESSAGE_ARENA_SIZE);
	if (data[0] % 3 == 0)
		run_condition(message, item, &arena);
	else if (data[0] % 3 == 1)
		run_update(message, item, &arena);
	else
		run_projection(message, item, &arena);
	arena_close(&arena);
	return 0;
}
