/* An update at work: its actions, with what they store. */
#ifndef STORAGE_EXPR_EVAL_UPDATE_INTERNAL_H
#define STORAGE_EXPR_EVAL_UPDATE_INTERNAL_H

#include "storage/expr/eval_update.h"
#include "storage/expr/eval_value.h"

struct eval_action {
	enum expr_op op; /* EXPR_OP_SET, _REMOVE, _ADD or _DELETE */
	struct slice path;
	struct item_value operand; /* ADD, DELETE: the program's value */
	struct item_value value;   /* what will stand there; not there: nothing will */
	bool is_writable;          /* the map or list that the path ends in is there */
	bool is_missing;           /* its right side needs an attribute that is not there */
	bool is_done;              /* written */
};

struct eval_update_work {
	const Cleave__ExprUpdate *update;
	struct slice base; /* the old item, or the key of a new one */
	struct arena *scratch;
	uint64_t scratch_size_bytes;
	struct eval_action *actions; /* in the order of the code */
	uint32_t action_count;
	Cleave__ExprUpdateError error;        /* the first */
	Cleave__ExprUpdateError number_error; /* told when nothing else is wrong */
	enum status status;
};

static inline bool eval_update_is_fine(const struct eval_update_work *work)
{
	return work->status == ST_OK && work->error == EXPR_UPDATE_ERROR(OK);
}

/* What the actions store: fills in value and is_missing.  work->error is set for wrong types. */
void eval_update_operands(struct eval_update_work *work);

/* The new item: actions are in the order of their paths' bytes, and none meets another. */
void eval_update_write(struct eval_update_work *work, struct eval_action **actions, const struct slice *paths,
		       struct buf *out);

#endif
