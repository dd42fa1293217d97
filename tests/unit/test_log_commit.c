#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "replication/io/log_commit.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/manual_runtime.h"

struct fixture {
	struct manual_runtime runtime;
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct log_commit commit;
	enum status fatal_status;
};

struct counting_waiter {
	struct log_commit_waiter base;
	int durable_count;
};

static void on_durable(struct log_commit_waiter *waiter)
{
	CONTAINER_OF(waiter, struct counting_waiter, base)->durable_count++;
}

static void on_fatal(void *context, enum status status)
{
	((struct fixture *)context)->fatal_status = status;
}

static void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .fatal_status = ST_OK };
	manual_runtime_init(&f->runtime);
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	assert_int_equal(log_commit_init(&f->commit, &f->runtime.base, f->engine, on_fatal, f), ST_OK);
}

static void fixture_close(struct fixture *f)
{
	log_commit_close(&f->commit);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
	manual_runtime_close(&f->runtime);
}

static void add_and_wait(struct fixture *f, const char *key, struct counting_waiter *waiter)
{
	engine_batch_put(f->engine, log_commit_batch(&f->commit), FAMILY_META, slice_of_string(key),
			 slice_of_string("v"));
	log_commit_waiter_init(&waiter->base, on_durable);
	log_commit_wait(&f->commit, &waiter->base);
}

static void all_writes_of_a_turn_share_one_sync(void **state)
{
	struct counting_waiter a = { 0 };
	struct counting_waiter b = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	add_and_wait(&f, "a", &a);
	add_and_wait(&f, "b", &b);
	manual_runtime_turn(&f.runtime);
	assert_int_equal(f.runtime.job_count, 1);
	assert_int_equal(a.durable_count, 0);
	assert_true(manual_runtime_run_job(&f.runtime));
	assert_int_equal(a.durable_count, 1);
	assert_int_equal(b.durable_count, 1);
	assert_int_equal(f.commit.sync_count, 1);
	fixture_close(&f);
}

static void what_comes_during_a_sync_waits_for_the_next_one(void **state)
{
	struct counting_waiter first = { 0 };
	struct counting_waiter second = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	add_and_wait(&f, "first", &first);
	manual_runtime_turn(&f.runtime);
	add_and_wait(&f, "second", &second);
	manual_runtime_turn(&f.runtime);
	assert_int_equal(f.runtime.job_count, 1); /* one sync in flight at most */
	assert_true(manual_runtime_run_job(&f.runtime));
	assert_int_equal(first.durable_count, 1);
	assert_int_equal(second.durable_count, 0);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(second.durable_count, 1);
	assert_int_equal(f.commit.sync_count, 2);
	fixture_close(&f);
}

static void a_quick_disk_is_written_on_the_loop(void **state)
{
	struct counting_waiter first = { 0 };
	struct counting_waiter second = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	f.runtime.works_here = true;
	add_and_wait(&f, "first", &first);
	assert_int_equal(first.durable_count, 0); /* not before the turn ends */
	manual_runtime_turn(&f.runtime);
	assert_int_equal(f.runtime.job_count, 0);
	assert_int_equal(first.durable_count, 1);
	/* It became slow: the next one goes to the thread, and nothing is written beside it. */
	f.runtime.works_here = false;
	add_and_wait(&f, "second", &second);
	manual_runtime_turn(&f.runtime);
	assert_int_equal(f.runtime.job_count, 1);
	f.runtime.works_here = true;
	add_and_wait(&f, "third", &first);
	manual_runtime_turn(&f.runtime);
	assert_int_equal(first.durable_count, 1);
	assert_true(manual_runtime_run_job(&f.runtime));
	assert_int_equal(second.durable_count, 1);
	manual_runtime_turn(&f.runtime);
	assert_int_equal(first.durable_count, 2);
	assert_int_equal(f.commit.sync_count, 3);
	fixture_close(&f);
}

static void a_failed_sync_is_fatal_and_completes_nothing(void **state)
{
	struct counting_waiter waiter = { 0 };
	struct fixture f;

	(void)state;
	fixture_open(&f);
	engine_memory_disk_fail_sync(f.disk);
	add_and_wait(&f, "a", &waiter);
	manual_runtime_settle(&f.runtime);
	assert_int_not_equal(f.fatal_status, ST_OK);
	assert_int_equal(waiter.durable_count, 0);
	add_and_wait(&f, "b", &waiter);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(waiter.durable_count, 0);
	/* What waits will never be written: a node that ends itself need not wait for it. */
	assert_true(log_commit_is_idle(&f.commit));
	log_commit_cancel(&waiter.base);
	fixture_close(&f);
}

static void a_durable_write_survives_a_crash(void **state)
{
	struct counting_waiter waiter = { 0 };
	struct engine_value value;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	add_and_wait(&f, "kept", &waiter);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(waiter.durable_count, 1);
	log_commit_close(&f.commit);
	engine_memory_crash(f.engine, 0);
	engine_close(f.engine);
	assert_int_equal(engine_memory_open(f.disk, &f.engine), ST_OK);
	assert_int_equal(
		engine_get(f.engine, FAMILY_META, slice_of_string("kept"), ENGINE_READ_MAY_BLOCK, &value),
		ST_OK);
	engine_value_release(&value);
	engine_close(f.engine);
	engine_memory_disk_destroy(f.disk);
	manual_runtime_close(&f.runtime);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_writes_of_a_turn_share_one_sync),
		cmocka_unit_test(a_quick_disk_is_written_on_the_loop),
		cmocka_unit_test(what_comes_during_a_sync_waits_for_the_next_one),
		cmocka_unit_test(a_failed_sync_is_fatal_and_completes_nothing),
		cmocka_unit_test(a_durable_write_survives_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
