#include "coordinator/exec/batch_write_op.h"

enum { US_PER_MS = 1000 };

static void work(struct batch_write_worker *worker);

static void on_written(struct item_op *item)
{
	struct batch_write_worker *worker = CONTAINER_OF(item, struct batch_write_worker, item);
	struct batch_write *write = worker->write;

	write->status = item->status;
	/* Whatever was written to a table that is gone is gone with it. */
	if (item->status != ST_OK && item->status != ST_NOT_FOUND && item->may_have_happened)
		write->status = ST_UNKNOWN_OUTCOME;
	write->old_size_bytes = item->old_size_bytes;
	write->new_size_bytes = item->new_size_bytes;
	work(worker);
}

static void cancel_rest(struct batch_write_op *op)
{
	while (op->next_index < op->write_count)
		op->writes[op->next_index++].status = ST_CANCELED;
}

static void rest(struct batch_write_worker *worker)
{
	struct batch_write_op *op = worker->op;

	worker->is_busy = false;
	op->busy_count--;
	if (op->busy_count == 0)
		op->done(op); /* op may be freed here */
}

static void work(struct batch_write_worker *worker)
{
	struct batch_write_op *op = worker->op;

	if (op->is_canceled)
		cancel_rest(op);
	if (op->next_index == op->write_count) {
		rest(worker);
		return;
	}
	worker->write = &op->writes[op->next_index++];
	worker->item = (struct item_op){
		.kind = worker->write->kind,
		.row_key = worker->write->row_key,
		.item = worker->write->item,
		.needs_old_size = op->needs_old_size,
		.deadline_mono_us = op->deadline_mono_us,
		.arena = op->arena,
		.done = on_written,
	};
	item_op_start(op->env, &worker->item);
}

/* Workers begin in a later turn, so that done() never comes from inside start. */
static void on_begin(struct runtime_task *task)
{
	struct batch_write_op *op = CONTAINER_OF(task, struct batch_write_op, begin_task);

	op->busy_count = BATCH_WRITE_OP_WORKERS;
	for (uint32_t i = 0; i < BATCH_WRITE_OP_WORKERS; i++) {
		op->workers[i] = (struct batch_write_worker){ .op = op, .is_busy = true };
		work(&op->workers[i]); /* after the last one op may be gone */
	}
}

void batch_write_op_start(struct item_op_env *env, struct batch_write_op *op)
{
	CHECK(op->done != NULL && op->arena != NULL);
	op->env = env;
	op->deadline_mono_us = runtime_mono_us(env->runtime) + (uint64_t)ITEM_OP_DEADLINE_MS * US_PER_MS;
	runtime_task_init(&op->begin_task, on_begin);
	runtime_defer(env->runtime, &op->begin_task);
}

void batch_write_op_cancel(struct batch_write_op *op)
{
	op->is_canceled = true;
	for (uint32_t i = 0; i < BATCH_WRITE_OP_WORKERS; i++) {
		if (op->workers[i].is_busy)
			item_op_cancel(&op->workers[i].item);
	}
}
