#include "proto/base/runtime.h"

#include <stdlib.h>

#include "proto/base/check.h"

enum { DEFER_ROUNDS_MAX = 16, HEAP_CAPACITY_MIN = 64 };

void runtime_base_init(struct runtime *runtime, const struct runtime_ops *ops)
{
	*runtime = (struct runtime){ .ops = ops };
	queue_init(&runtime->deferred);
}

void runtime_base_close(struct runtime *runtime)
{
	CHECK(runtime->heap_count == 0);
	free(runtime->heap);
	runtime->heap = NULL;
}

static void heap_set(struct runtime *runtime, size_t index, struct runtime_timer *timer)
{
	runtime->heap[index] = timer;
	timer->heap_index = index;
}

static void heap_sift_up(struct runtime *runtime, size_t index, struct runtime_timer *timer)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (runtime->heap[parent]->deadline_mono_us <= timer->deadline_mono_us)
			break;
		heap_set(runtime, index, runtime->heap[parent]);
		index = parent;
	}
	heap_set(runtime, index, timer);
}

static void heap_sift_down(struct runtime *runtime, size_t index, struct runtime_timer *timer)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= runtime->heap_count)
			break;
		if (child + 1 < runtime->heap_count &&
		    runtime->heap[child + 1]->deadline_mono_us < runtime->heap[child]->deadline_mono_us)
			child++;
		if (timer->deadline_mono_us <= runtime->heap[child]->deadline_mono_us)
			break;
		heap_set(runtime, index, runtime->heap[child]);
		index = child;
	}
	heap_set(runtime, index, timer);
}

static void heap_reserve(struct runtime *runtime)
{
	size_t capacity = runtime->heap_capacity == 0 ? HEAP_CAPACITY_MIN : 2 * runtime->heap_capacity;

	if (runtime->heap_count < runtime->heap_capacity)
		return;
	runtime->heap = realloc(runtime->heap, capacity * sizeof(struct runtime_timer *));
	CHECK(runtime->heap != NULL);
	runtime->heap_capacity = capacity;
}

void runtime_timer_init(struct runtime_timer *timer, runtime_timer_cb cb)
{
	*timer = (struct runtime_timer){ .heap_index = SIZE_MAX, .cb = cb };
}

bool runtime_timer_is_active(const struct runtime_timer *timer)
{
	return timer->heap_index != SIZE_MAX;
}

void runtime_timer_start_at(struct runtime *runtime, struct runtime_timer *timer, uint64_t deadline_mono_us)
{
	runtime_timer_stop(runtime, timer);
	heap_reserve(runtime);
	timer->deadline_mono_us = deadline_mono_us;
	runtime->heap_count++;
	heap_sift_up(runtime, runtime->heap_count - 1, timer);
	if (timer->heap_index == 0)
		runtime->ops->wake(runtime);
}

void runtime_timer_start(struct runtime *runtime, struct runtime_timer *timer, uint64_t delay_us)
{
	uint64_t now_us = runtime_mono_us(runtime);

	runtime_timer_start_at(runtime, timer,
			       delay_us > UINT64_MAX - now_us ? UINT64_MAX : now_us + delay_us);
}

void runtime_timer_stop(struct runtime *runtime, struct runtime_timer *timer)
{
	size_t index = timer->heap_index;
	struct runtime_timer *last;

	if (index == SIZE_MAX)
		return;
	CHECK(index < runtime->heap_count && runtime->heap[index] == timer);
	timer->heap_index = SIZE_MAX;
	runtime->heap_count--;
	last = runtime->heap[runtime->heap_count];
	if (last == timer)
		return;
	if (index > 0 && last->deadline_mono_us < runtime->heap[(index - 1) / 2]->deadline_mono_us)
		heap_sift_up(runtime, index, last);
	else
		heap_sift_down(runtime, index, last);
}

uint64_t runtime_next_deadline_mono_us(const struct runtime *runtime)
{
	return runtime->heap_count == 0 ? UINT64_MAX : runtime->heap[0]->deadline_mono_us;
}

void runtime_run_timers(struct runtime *runtime)
{
	uint64_t now_us = runtime_mono_us(runtime);
	size_t fire_count_max = runtime->heap_count;

	/* A timer that restarts itself without a delay waits for the next round. */
	for (size_t i = 0; i < fire_count_max; i++) {
		struct runtime_timer *timer = runtime->heap_count == 0 ? NULL : runtime->heap[0];

		if (timer == NULL || timer->deadline_mono_us > now_us)
			break;

		runtime_timer_stop(runtime, timer);
		timer->cb(timer);
	}
}

void runtime_task_init(struct runtime_task *task, runtime_task_cb cb)
{
	*task = (struct runtime_task){ .cb = cb };
	queue_init(&task->link);
}

void runtime_defer(struct runtime *runtime, struct runtime_task *task)
{
	if (task->is_queued)
		return;
	if (queue_is_empty(&runtime->deferred))
		runtime->ops->wake(runtime);
	task->is_queued = true;
	queue_push_tail(&runtime->deferred, &task->link);
}

void runtime_task_cancel(struct runtime_task *task)
{
	if (!task->is_queued)
		return;
	task->is_queued = false;
	queue_remove(&task->link);
}

static struct runtime_task *task_of(struct queue *link)
{
	return CONTAINER_OF(link, struct runtime_task, link);
}

static enum runtime_stage lowest_stage(const struct queue *tasks)
{
	enum runtime_stage stage = RUNTIME_STAGE_LAST;

	for (struct queue *link = tasks->next; link != tasks; link = link->next) {
		if (task_of(link)->stage < stage)
			stage = task_of(link)->stage;
	}
	return stage;
}

void runtime_run_deferred(struct runtime *runtime)
{
	for (int round = 0; round < DEFER_ROUNDS_MAX && !queue_is_empty(&runtime->deferred); round++) {
		/* In the last round all run, so that no stage starves another. */
		enum runtime_stage stage = round + 1 < DEFER_ROUNDS_MAX ? lowest_stage(&runtime->deferred)
									: RUNTIME_STAGE_LAST;
		struct queue batch;
		struct queue *link;

		queue_init(&batch);
		queue_move_all(&runtime->deferred, &batch);
		while ((link = queue_pop_head(&batch)) != NULL) {
			struct runtime_task *task = task_of(link);

			if (task->stage > stage) {
				queue_push_tail(&runtime->deferred, link);
				continue;
			}
			task->is_queued = false;
			task->cb(task);
		}
	}
	if (!queue_is_empty(&runtime->deferred))
		runtime->ops->wake(runtime);
}
