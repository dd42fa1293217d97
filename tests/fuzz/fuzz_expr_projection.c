/* Projections as text: whatever is accepted passes the check and picks a sound part of an item. */
#include "coordinator/expr/expr_projection.h"
#include "proto/model/item_check.h"
#include "storage/expr/eval_check.h"
#include "storage/expr/eval_project.h"
#include "tests/fuzz/expr_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Cleave__ExprProjection *projection;
	struct eval_projection sorted;
	struct expr_error error;
	struct expr_bind bind;
	struct arena arena;
	enum status status;
	struct buf out;

	arena_init(&arena, EXPR_REQUEST_ARENA_SIZE);
	buf_init(&out, LIMIT_ITEM_ENCODED_SIZE_BYTES);
	expr_request_bind(&bind, &arena, &error);
	status = expr_projection_parse(&bind, slice_of(data, size), &projection);
	CHECK((status == ST_OK) != expr_error_is_set(&error));
	if (status == ST_OK) {
		CHECK(eval_check_projection(projection) == ST_OK);
		CHECK(eval_project_init(&sorted, projection, &arena) == ST_OK);
		CHECK(eval_project(&sorted, expr_request()->item, &out) == ST_OK);
		CHECK(item_check(buf_slice(&out)) == ST_OK);
		CHECK(out.size <= expr_request()->item.size);
	}
	buf_close(&out);
	arena_close(&arena);
	return 0;
}
