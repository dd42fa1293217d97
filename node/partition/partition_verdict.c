#include "node/partition/partition_verdict.h"

#include "node/partition/partition_index_rows.h"
#include "proto/model/item.h"
#include "proto/model/limits.h"
#include "storage/expr/eval_condition.h"
#include "storage/expr/eval_project.h"
#include "storage/expr/eval_update.h"

#define RETURNED(what) CLEAVE__WRITE_ITEM_REQUEST__RETURNED__##what

bool partition_verdict_needs_old(const struct partition_write *write)
{
	return write->kind != PARTITION_PUT || write->condition != NULL || write->needs_old ||
	       write->returned != RETURNED(NOTHING);
}

static enum status check_condition(const struct partition_write *write, const struct partition_old_image *old,
				   bool *is_true_out)
{
	*is_true_out = true;
	if (write->condition == NULL)
		return ST_OK;
	return eval_condition(write->condition, old->item, is_true_out);
}

void partition_verdict_refuse(struct partition_write *write, enum status verdict)
{
	write->verdict = verdict;
	write->changes = false;
	write->image = slice_of(NULL, 0);
	write->new_size_bytes = write->old_size_bytes;
}

static enum status fail_condition(struct partition_write *write, const struct partition_old_image *old)
{
	partition_verdict_refuse(write, ST_CONDITION_FAILED);
	if (write->returns_old_on_failure && old->exists)
		buf_append_slice(&write->returned_copy, old->item);
	return write->returned_copy.status;
}

static enum status update(struct partition_write *write, const struct partition_old_image *old,
			  struct arena *scratch)
{
	struct eval_update_result result = { 0 };
	enum status status = eval_update(write->update, old->item, write->item, scratch, &write->new_item,
					 &result);

	if (status == ST_INVALID) {
		partition_verdict_refuse(write, ST_REFUSED);
		write->update_error = result.error;
		return ST_OK;
	}
	if (status != ST_OK)
		return status;
	write->changes = result.exists;
	write->image = result.item;
	write->new_size_bytes = result.exists ? (uint32_t)result.size_bytes : 0;
	return ST_OK;
}

/* The row after the write. */
static enum status make_image(struct partition_write *write, const struct partition_old_image *old,
			      struct arena *scratch)
{
	switch (write->kind) {
	case PARTITION_PUT:
		write->changes = true;
		write->image = write->item;
		write->new_size_bytes = (uint32_t)item_size_bytes(write->item);
		return ST_OK;
	case PARTITION_DELETE:
		write->changes = old->exists;
		write->new_size_bytes = 0;
		return ST_OK;
	case PARTITION_UPDATE:
		return update(write, old, scratch);
	default:
		UNREACHABLE();
	}
}

static enum status return_updated(struct partition_write *write, struct slice item, struct arena *scratch)
{
	struct eval_projection projection;
	enum status status = eval_project_init_updated(&projection, write->update, scratch);

	if (status == ST_OK)
		status = eval_project(&projection, item, &write->returned_copy);
	if (status == ST_OK && item_count(buf_slice(&write->returned_copy)) == 0)
		buf_reset(&write->returned_copy); /* nothing of it is there */
	return status;
}

static enum status fill_returned(struct partition_write *write, const struct partition_old_image *old,
				 struct arena *scratch)
{
	switch (write->returned) {
	case RETURNED(OLD):
		if (old->exists)
			buf_append_slice(&write->returned_copy, old->item);
		return write->returned_copy.status;
	case RETURNED(NEW):
		buf_append_slice(&write->returned_copy, write->image);
		return write->returned_copy.status;
	case RETURNED(UPDATED_OLD):
		return old->exists ? return_updated(write, old->item, scratch) : ST_OK;
	case RETURNED(UPDATED_NEW):
		return write->changes ? return_updated(write, write->image, scratch) : ST_OK;
	default:
		return ST_OK;
	}
}

enum status partition_verdict_reach(struct partition_write *write, const struct partition_old_image *old,
				    struct arena *scratch)
{
	bool is_true;
	enum status status = check_condition(write, old, &is_true);

	write->verdict = ST_OK;
	write->image = slice_of(NULL, 0);
	write->existed = old->exists;
	write->old_size_bytes = old->exists ? old->size_bytes : 0;
	buf_reset(&write->new_item);
	buf_reset(&write->returned_copy);
	if (status == ST_OK && !is_true)
		return fail_condition(write, old);
	if (status == ST_OK)
		status = make_image(write, old, scratch);
	if (status == ST_OK && write->verdict == ST_OK)
		status = partition_index_rows_make(write, old);
	if (status == ST_OK && write->verdict == ST_OK)
		status = fill_returned(write, old, scratch);
	return status;
}
