/* Updates as text: whatever is accepted passes the check after the wire, and gives a sound item,
 * or a reason; its parts of the old item and the new one are sound too. */
#include "coordinator/expr/expr_schema.h"
#include "coordinator/expr/expr_update.h"
#include "proto/model/item_check.h"
#include "proto/wire/expr_code.h"
#include "proto/wire/proto_arena.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_project.h"
#include "storage/expr/eval_update.h"
#include "tests/fuzz/expr_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const Cleave__ExprUpdate *update, struct slice item, struct arena *arena)
{
	struct eval_projection projection;
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	CHECK(eval_project_init_updated(&projection, update, arena) == ST_OK);
	CHECK(eval_project(&projection, item, &out) == ST_OK);
	CHECK(item_check(buf_slice(&out)) == ST_OK);
	buf_close(&out);
}

static void run(const Cleave__ExprUpdate *update, struct slice old, struct arena *arena)
{
	struct eval_update_result result;
	enum status status;
	struct buf out;

	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	status = eval_update(update, old, expr_request()->key, arena, &out, &result);
	CHECK(status == ST_OK || status == ST_INVALID);
	CHECK((status == ST_OK) == (result.error == EXPR_UPDATE_ERROR(OK)));
	CHECK(status == ST_OK || expr_update_error_text(result.error)[0] != '\0');
	if (status == ST_OK && result.exists) {
		CHECK(item_check(result.item) == ST_OK);
		CHECK(item_size_bytes(result.item) == result.size_bytes);
		check_parts(update, result.item, arena);
	}
	buf_close(&out);
}

static void send(const Cleave__ExprUpdate *update, struct arena *arena)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);
	size_t size = cleave__expr_update__get_packed_size(update);
	uint8_t *packed = arena_alloc(arena, size + 1);
	const Cleave__ExprUpdate *received;

	(void)cleave__expr_update__pack(update, packed);
	received = cleave__expr_update__unpack(&allocator, size, packed);
	CHECK(received != NULL && eval_check_update(received) == ST_OK);
	run(received, expr_request()->item, arena);
	run(received, slice_of(NULL, 0), arena);
	check_parts(received, expr_request()->item, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct expr_key_attribute key = { slice_of_string("c"), ITEM_N };
	Cleave__ExprUpdate *update;
	struct expr_error error;
	struct expr_bind bind;
	struct arena arena;
	enum status status;

	arena_init(&arena, EXPR_REQUEST_ARENA_SIZE);
	expr_request_bind(&bind, &arena, &error);
	status = expr_update_parse(&bind, slice_of(data, size), &update);
	CHECK((status == ST_OK) != expr_error_is_set(&error));
	if (status == ST_OK) {
		send(update, &arena);
		(void)(expr_schema_check_update(update, &key, 1, &error) == ST_OK);
		(void)(expr_schema_check_update_type(update, &key, key.name, &error) == ST_OK);
		(void)(expr_schema_check_scalars(update->paths, update->n_paths, &key, 1, true, &error) ==
		       ST_OK);
	}
	arena_close(&arena);
	return 0;
}
