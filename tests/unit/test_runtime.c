#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "proto/base/runtime.h"

enum { TIMERS = 200, LOG_SIZE = 64 };

/* A runtime whose time stands still unless the test moves it. */
struct fixture {
	struct runtime runtime;
	uint64_t now_us;
	unsigned wake_count;
};

struct entry {
	struct runtime_timer timer;
	struct runtime_task task;
	struct fixture *f;
	char name;
	unsigned again_count; /* how often to go on */
};

static char order[LOG_SIZE];
static size_t order_size;

static uint64_t mono_us(const struct runtime *runtime)
{
	return CONTAINER_OF(runtime, struct fixture, runtime)->now_us;
}

static void wake(struct runtime *runtime)
{
	CONTAINER_OF(runtime, struct fixture, runtime)->wake_count++;
}

static const struct runtime_ops ops = { .mono_us = mono_us, .wall_us = mono_us, .wake = wake };

static void fixture_start(struct fixture *f)
{
	*f = (struct fixture){ .now_us = 1000 };
	runtime_base_init(&f->runtime, &ops);
	order_size = 0;
	order[0] = '\0';
}

static void note(char name)
{
	assert_true(order_size + 1 < LOG_SIZE);
	order[order_size++] = name;
	order[order_size] = '\0';
}

static void on_timer(struct runtime_timer *timer)
{
	struct entry *entry = CONTAINER_OF(timer, struct entry, timer);

	assert_false(runtime_timer_is_active(timer));
	note(entry->name);
	if (entry->again_count > 0) {
		entry->again_count--;
		runtime_timer_start(&entry->f->runtime, timer, 10);
	}
}

static void on_task(struct runtime_task *task)
{
	struct entry *entry = CONTAINER_OF(task, struct entry, task);

	note(entry->name);
	if (entry->again_count > 0) {
		entry->again_count--;
		runtime_defer(&entry->f->runtime, task);
	}
}

static void entry_init(struct entry *entry, struct fixture *f, char name)
{
	*entry = (struct entry){ .f = f, .name = name };
	runtime_timer_init(&entry->timer, on_timer);
	runtime_task_init(&entry->task, on_task);
}

static void run_timers_at(struct fixture *f, uint64_t now_us)
{
	f->now_us = now_us;
	runtime_run_timers(&f->runtime);
}

static void timers_fire_by_deadline_and_not_before(void **state)
{
	struct entry a;
	struct entry b;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	entry_init(&b, &f, 'b');
	assert_true(runtime_next_deadline_mono_us(&f.runtime) == UINT64_MAX);
	runtime_timer_start(&f.runtime, &a.timer, 200);
	runtime_timer_start(&f.runtime, &b.timer, 100);
	assert_int_equal(runtime_next_deadline_mono_us(&f.runtime), 1100);
	run_timers_at(&f, 1099);
	assert_string_equal(order, "");
	run_timers_at(&f, 1100);
	assert_string_equal(order, "b");
	run_timers_at(&f, 5000);
	assert_string_equal(order, "ba");
	runtime_base_close(&f.runtime);
}

static void a_stopped_timer_does_not_fire(void **state)
{
	struct entry a;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	runtime_timer_stop(&f.runtime, &a.timer);
	runtime_timer_start(&f.runtime, &a.timer, 10);
	assert_true(runtime_timer_is_active(&a.timer));
	runtime_timer_stop(&f.runtime, &a.timer);
	runtime_timer_stop(&f.runtime, &a.timer);
	run_timers_at(&f, 5000);
	assert_string_equal(order, "");
	runtime_base_close(&f.runtime);
}

static void starting_again_moves_the_deadline(void **state)
{
	struct entry a;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	runtime_timer_start(&f.runtime, &a.timer, 10);
	runtime_timer_start(&f.runtime, &a.timer, 500);
	run_timers_at(&f, 1400);
	assert_string_equal(order, "");
	run_timers_at(&f, 1500);
	assert_string_equal(order, "a");
	runtime_base_close(&f.runtime);
}

static void a_timer_may_restart_itself(void **state)
{
	struct entry a;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	a.again_count = 2;
	runtime_timer_start(&f.runtime, &a.timer, 10);
	run_timers_at(&f, 1010);
	assert_string_equal(order, "a");
	run_timers_at(&f, 1020);
	run_timers_at(&f, 1030);
	run_timers_at(&f, 9000);
	assert_string_equal(order, "aaa");
	runtime_base_close(&f.runtime);
}

static void a_delay_beyond_all_time_never_fires(void **state)
{
	struct entry a;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	runtime_timer_start(&f.runtime, &a.timer, UINT64_MAX);
	assert_true(runtime_next_deadline_mono_us(&f.runtime) == UINT64_MAX);
	run_timers_at(&f, UINT64_MAX - 1);
	assert_string_equal(order, "");
	runtime_timer_stop(&f.runtime, &a.timer);
	runtime_base_close(&f.runtime);
}

static void only_a_new_earliest_deadline_wakes_the_loop(void **state)
{
	struct entry a;
	struct entry b;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	entry_init(&b, &f, 'b');
	runtime_timer_start(&f.runtime, &a.timer, 100);
	assert_int_equal(f.wake_count, 1);
	runtime_timer_start(&f.runtime, &b.timer, 200);
	assert_int_equal(f.wake_count, 1);
	runtime_timer_start(&f.runtime, &b.timer, 50);
	assert_int_equal(f.wake_count, 2);
	runtime_timer_stop(&f.runtime, &a.timer);
	runtime_timer_stop(&f.runtime, &b.timer);
	runtime_base_close(&f.runtime);
}

static uint64_t last_deadline_us;
static unsigned fired_count;

static void on_ordered_timer(struct runtime_timer *timer)
{
	assert_true(timer->deadline_mono_us >= last_deadline_us);
	last_deadline_us = timer->deadline_mono_us;
	fired_count++;
}

static void many_timers_started_and_stopped_at_random_fire_in_order(void **state)
{
	static struct runtime_timer timers[TIMERS];
	unsigned active_count = 0;
	struct fixture f;
	struct rng rng;

	(void)state;
	fixture_start(&f);
	rng_seed(&rng, 11);
	for (size_t i = 0; i < TIMERS; i++)
		runtime_timer_init(&timers[i], on_ordered_timer);
	for (unsigned step = 0; step < 5000; step++) {
		struct runtime_timer *timer = &timers[rng_below(&rng, TIMERS)];

		if (rng_below(&rng, 3) == 0)
			runtime_timer_stop(&f.runtime, timer);
		else
			runtime_timer_start(&f.runtime, timer, rng_below(&rng, 1000));
	}
	for (size_t i = 0; i < TIMERS; i++)
		active_count += runtime_timer_is_active(&timers[i]) ? 1 : 0;
	last_deadline_us = 0;
	fired_count = 0;
	run_timers_at(&f, 1400);
	assert_true(last_deadline_us <= 1400);
	assert_true(runtime_next_deadline_mono_us(&f.runtime) > 1400);
	run_timers_at(&f, 2000);
	assert_int_equal(fired_count, active_count);
	assert_true(active_count > TIMERS / 3);
	runtime_base_close(&f.runtime);
}

static void deferred_tasks_run_once_in_order(void **state)
{
	struct entry a;
	struct entry b;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	entry_init(&b, &f, 'b');
	runtime_defer(&f.runtime, &a.task);
	runtime_defer(&f.runtime, &b.task);
	runtime_defer(&f.runtime, &a.task);
	assert_int_equal(f.wake_count, 1);
	assert_string_equal(order, "");
	runtime_run_deferred(&f.runtime);
	assert_string_equal(order, "ab");
	runtime_run_deferred(&f.runtime);
	assert_string_equal(order, "ab");
	runtime_base_close(&f.runtime);
}

static void a_cancelled_task_does_not_run(void **state)
{
	struct entry a;
	struct entry b;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	entry_init(&b, &f, 'b');
	runtime_task_cancel(&a.task);
	runtime_defer(&f.runtime, &a.task);
	runtime_defer(&f.runtime, &b.task);
	runtime_task_cancel(&a.task);
	runtime_run_deferred(&f.runtime);
	assert_string_equal(order, "b");
	runtime_base_close(&f.runtime);
}

/* Whatever the order in which they were deferred, and what the first defer comes before the last. */
static void deferred_tasks_run_by_stage(void **state)
{
	struct entry entries[4];
	struct fixture f;

	(void)state;
	fixture_start(&f);
	for (uint32_t i = 0; i < ARRAY_COUNT(entries); i++)
		entry_init(&entries[i], &f, (char)('a' + i));
	entries[0].task.stage = RUNTIME_STAGE_LAST;
	entries[1].task.stage = RUNTIME_STAGE_SUBMIT;
	entries[3].again_count = 2;
	for (uint32_t i = 0; i < ARRAY_COUNT(entries); i++)
		runtime_defer(&f.runtime, &entries[i].task);
	runtime_run_deferred(&f.runtime);
	assert_string_equal(order, "cdddba");
	runtime_base_close(&f.runtime);
}

static void a_later_stage_is_not_starved(void **state)
{
	struct entry eager;
	struct entry last;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&eager, &f, 'a');
	entry_init(&last, &f, 'b');
	eager.again_count = 40;
	last.task.stage = RUNTIME_STAGE_LAST;
	runtime_defer(&f.runtime, &last.task);
	runtime_defer(&f.runtime, &eager.task);
	runtime_run_deferred(&f.runtime);
	assert_true(eager.task.is_queued);
	assert_false(last.task.is_queued);
	while (eager.task.is_queued)
		runtime_run_deferred(&f.runtime);
	runtime_base_close(&f.runtime);
}

static void a_task_that_defers_again_runs_within_the_turn(void **state)
{
	struct entry a;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	a.again_count = 3;
	runtime_defer(&f.runtime, &a.task);
	runtime_run_deferred(&f.runtime);
	assert_string_equal(order, "aaaa");
	runtime_base_close(&f.runtime);
}

static void a_task_that_defers_for_ever_does_not_starve_the_loop(void **state)
{
	struct entry a;
	unsigned wake_count;
	struct fixture f;

	(void)state;
	fixture_start(&f);
	entry_init(&a, &f, 'a');
	a.again_count = 40;
	runtime_defer(&f.runtime, &a.task);
	wake_count = f.wake_count;
	runtime_run_deferred(&f.runtime);
	assert_true(order_size < 40);
	assert_true(a.task.is_queued);
	assert_true(f.wake_count > wake_count);
	while (a.task.is_queued)
		runtime_run_deferred(&f.runtime);
	assert_int_equal(order_size, 41);
	runtime_base_close(&f.runtime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_by_deadline_and_not_before),
		cmocka_unit_test(a_stopped_timer_does_not_fire),
		cmocka_unit_test(starting_again_moves_the_deadline),
		cmocka_unit_test(a_timer_may_restart_itself),
		cmocka_unit_test(a_delay_beyond_all_time_never_fires),
		cmocka_unit_test(only_a_new_earliest_deadline_wakes_the_loop),
		cmocka_unit_test(many_timers_started_and_stopped_at_random_fire_in_order),
		cmocka_unit_test(deferred_tasks_run_once_in_order),
		cmocka_unit_test(a_cancelled_task_does_not_run),
		cmocka_unit_test(deferred_tasks_run_by_stage),
		cmocka_unit_test(a_later_stage_is_not_starved),
		cmocka_unit_test(a_task_that_defers_again_runs_within_the_turn),
		cmocka_unit_test(a_task_that_defers_for_ever_does_not_starve_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
