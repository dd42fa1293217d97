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
	write->refused_index_key = item->refused_index_key;
	write->is_collection_full = item->is_collection_full;
	write->index_units = item->index_units;
	write->index_unit_count = item->index_unit_count;
	write->collection_size_bytes = item->collection_size_bytes;
	work(worker);
}

static void cancel_rest(struct batch_write_op *op)
{
	while (op->next_index < op->write_count)
		op->writes[op->next_index++].status = ST_CANCELED;
}

static void finish(struct batch_write_op *op)
{
	runtime_timer_stop(op->env->runtime, &op->patience);
	op->done(op); /* op may be freed here */
}

static void work(struct batch_write_worker *worker)
{
	struct batch_write_op *op = worker->op;

	if (op->is_canceled)
		cancel_rest(op);
	if (op->next_index == op->write_count) {
		worker->is_busy = false;
		op->busy_count--;
		if (op->busy_count == 0)
			finish(op);
		return;
	}
	worker->write = &op->writes[op->next_index++];
	worker->item = (struct item_op){
		.kind = worker->write->kind,
		.row_key = worker->write->row_key,
		.item = worker->write->item,
		.needs_old_size = op->needs_old_size,
		.needs_collection_size = op->needs_collection_size,
		.deadline_mono_us = op->deadline_mono_us,
		.arena = op->arena,
		.done = on_written,
	};
	item_op_start(op->env, &worker->item);
}

/* None of them ends in here: an item_op is never done from inside its start. */
static void start_workers(struct batch_write_op *op)
{
	for (uint32_t i = 0; i < BATCH_WRITE_OP_WORKERS && op->next_index < op->write_count; i++) {
		struct batch_write_worker *worker = &op->workers[op->worker_count++];

		op->busy_count++;
		*worker = (struct batch_write_worker){ .op = op, .is_busy = true };
		work(worker);
	}
	if (op->next_index < op->write_count)
		runtime_timer_start(op->env->runtime, &op->patience,
				    (uint64_t)BATCH_WRITE_OP_PATIENCE_MS * US_PER_MS);
}

static void on_patience(struct runtime_timer *timer)
{
	struct batch_write_op *op = CONTAINER_OF(timer, struct batch_write_op, patience);

	if (!op->is_canceled)
		start_workers(op);
}

/* In a later turn, so that done() never comes from inside start. */
static void on_begin(struct runtime_task *task)
{
	struct batch_write_op *op = CONTAINER_OF(task, struct batch_write_op, begin_task);

	if (!op->is_canceled) {
		start_workers(op);
		return;
	}
	cancel_rest(op);
	finish(op);
}

void batch_write_op_start(struct route_env *env, struct batch_write_op *op)
{
	CHECK(op->done != NULL && op->arena != NULL);
	CHECK(op->write_count > 0 && op->write_count <= LIMIT_BATCH_WRITE_COUNT);
	op->env = env;
	op->deadline_mono_us = runtime_mono_us(env->runtime) + (uint64_t)ITEM_OP_DEADLINE_MS * US_PER_MS;
	runtime_timer_init(&op->patience, on_patience);
	runtime_task_init(&op->begin_task, on_begin);
	runtime_defer(env->runtime, &op->begin_task);
}

void batch_write_op_cancel(struct batch_write_op *op)
{
	op->is_canceled = true;
	for (uint32_t i = 0; i < op->worker_count; i++) {
		if (op->workers[i].is_busy)
			item_op_cancel(&op->workers[i].item);
	}
}
