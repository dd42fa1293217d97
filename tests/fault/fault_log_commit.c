/* Goal: whatever single write or sync of the log fails, fatal() is told once, nothing that was
 * not durable is called so, and all that was called durable is there after a restart.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no
 * fault left to fire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "replication/io/log_commit.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/manual_runtime.h"

enum { ROUNDS = 4 };

struct fixture {
	struct manual_runtime runtime;
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct log_commit commit;
	uint32_t fatal_count;
	enum status fatal_status;
};

struct counting_waiter {
	struct log_commit_waiter base;
	uint32_t durable_count;
};

static void on_durable(struct log_commit_waiter *waiter)
{
	CONTAINER_OF(waiter, struct counting_waiter, base)->durable_count++;
}

static void on_fatal(void *context, enum status status)
{
	struct fixture *f = context;

	f->fatal_count++;
	f->fatal_status = status;
}

static void fixture_open(struct fixture *f)
{
	*f = (struct fixture){ .fatal_status = ST_OK };
	manual_runtime_init(&f->runtime);
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	assert_int_equal(log_commit_init(&f->commit, &f->runtime.base, f->engine, on_fatal, f), ST_OK);
}

static void key_of(uint32_t round, char key_out[16])
{
	(void)snprintf(key_out, 16, "round %u", round);
}

/* One batch and its sync per round. */
static void write_rounds(struct fixture *f, struct counting_waiter waiters[ROUNDS])
{
	for (uint32_t round = 0; round < ROUNDS; round++) {
		char key[16];

		key_of(round, key);
		engine_batch_put(f->engine, log_commit_batch(&f->commit), FAMILY_META, slice_of_string(key),
				 slice_of_string("v"));
		waiters[round] = (struct counting_waiter){ .durable_count = 0 };
		log_commit_waiter_init(&waiters[round].base, on_durable);
		log_commit_wait(&f->commit, &waiters[round].base);
		manual_runtime_settle(&f->runtime);
	}
}

static bool is_stored(struct engine *engine, uint32_t round)
{
	struct engine_value value;
	enum status status;
	char key[16];

	key_of(round, key);
	status = engine_get(engine, FAMILY_META, slice_of_string(key), ENGINE_READ_MAY_BLOCK, &value);
	if (status == ST_OK)
		engine_value_release(&value);
	return status == ST_OK;
}

/* The process ends, the disk forgets what was not synced, another process begins. */
static void fixture_restart(struct fixture *f)
{
	log_commit_close(&f->commit);
	engine_memory_crash(f->engine, 0);
	engine_close(f->engine);
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
}

static void fixture_close(struct fixture *f)
{
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
	manual_runtime_close(&f->runtime);
}

static void the_log_survives_each_single_fault(void **state)
{
	uint32_t fault_count = 0;
	bool fired = true;

	(void)state;
	for (uint32_t nth = 0; fired; nth++) {
		struct counting_waiter waiters[ROUNDS];
		struct fixture f;
		uint32_t durable_count = 0;

		fixture_open(&f);
		fault_arm_nth(nth);
		write_rounds(&f, waiters);
		fired = fault_disarm();
		fault_count += fired;
		assert_int_equal(f.fatal_count, fired ? 1 : 0);
		fixture_restart(&f);
		for (uint32_t round = 0; round < ROUNDS; round++) {
			log_commit_cancel(&waiters[round].base);
			assert_in_range(waiters[round].durable_count, 0, 1);
			durable_count += waiters[round].durable_count;
			if (waiters[round].durable_count == 1)
				assert_true(is_stored(f.engine, round));
		}
		/* A fault in round r: that one and all after it are never called durable. */
		assert_int_equal(durable_count, fired ? nth / 2 : ROUNDS);
		fixture_close(&f);
	}
	assert_int_equal(fault_count, 2 * ROUNDS); /* a write and a sync each */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_survives_each_single_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
