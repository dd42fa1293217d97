#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/node_identity.h"
#include "storage/engine/engine_memory.h"
#include "tests/support/manual_runtime.h"

struct fixture {
	struct manual_runtime runtime;
	struct engine_memory_disk *disk;
	struct engine *engine;
	struct log_commit commit;
};

static void on_fatal(void *context, enum status status)
{
	(void)context;
	fail_msg("log write failed: %s", status_name(status));
}

static void fixture_open(struct fixture *f)
{
	manual_runtime_init(&f->runtime);
	f->disk = engine_memory_disk_create();
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	assert_int_equal(log_commit_init(&f->commit, &f->runtime.base, f->engine, on_fatal, NULL), ST_OK);
}

static void fixture_reopen(struct fixture *f)
{
	log_commit_close(&f->commit);
	engine_memory_crash(f->engine, 0);
	engine_close(f->engine);
	assert_int_equal(engine_memory_open(f->disk, &f->engine), ST_OK);
	assert_int_equal(log_commit_init(&f->commit, &f->runtime.base, f->engine, on_fatal, NULL), ST_OK);
}

static void fixture_close(struct fixture *f)
{
	manual_runtime_settle(&f->runtime);
	log_commit_close(&f->commit);
	engine_close(f->engine);
	engine_memory_disk_destroy(f->disk);
	manual_runtime_close(&f->runtime);
}

static struct rpc_identity identity_of(uint64_t node_id, uint8_t cluster, uint8_t incarnation)
{
	struct rpc_identity identity = { .role = RPC_ROLE_NODE, .node_id = node_id };

	memset(identity.cluster_id, cluster, sizeof(identity.cluster_id));
	memset(identity.incarnation, incarnation, sizeof(identity.incarnation));
	return identity;
}

static void a_new_directory_gets_an_incarnation_and_keeps_it(void **state)
{
	struct rpc_identity first = identity_of(5, 1, 0);
	struct rpc_identity again = identity_of(5, 1, 0);
	uint8_t nothing[RPC_INCARNATION_SIZE] = { 0 };
	struct fixture f;
	uint64_t found;

	(void)state;
	fixture_open(&f);
	assert_int_equal(node_identity_open(f.engine, &f.runtime.base.rng, &first, &found), ST_OK);
	assert_memory_not_equal(first.incarnation, nothing, sizeof(nothing));
	fixture_reopen(&f); /* it was synced: a crash does not make another node of it */
	assert_int_equal(node_identity_open(f.engine, &f.runtime.base.rng, &again, &found), ST_OK);
	assert_memory_equal(again.incarnation, first.incarnation, sizeof(first.incarnation));
	fixture_close(&f);
}

static void a_directory_serves_one_node_of_one_cluster(void **state)
{
	struct rpc_identity own = identity_of(5, 1, 0);
	struct rpc_identity other_node = identity_of(6, 1, 0);
	struct rpc_identity other_cluster = identity_of(5, 2, 0);
	struct fixture f;
	uint64_t found = 0;

	(void)state;
	fixture_open(&f);
	assert_int_equal(node_identity_open(f.engine, &f.runtime.base.rng, &own, &found), ST_OK);
	assert_int_equal(node_identity_open(f.engine, &f.runtime.base.rng, &other_node, &found), ST_EXISTS);
	assert_int_equal(found, 5);
	assert_int_equal(node_identity_open(f.engine, &f.runtime.base.rng, &other_cluster, &found),
			 ST_WRONG_CLUSTER);
	fixture_close(&f);
}

static void a_record_of_another_format_is_not_touched(void **state)
{
	struct rpc_identity own = identity_of(5, 1, 0);
	static const struct {
		const char *value;
		size_t size;
		enum status status;
	} cases[] = { { "\x02", 1, ST_VERSION }, { "", 0, ST_CORRUPT }, { "\x01short", 6, ST_CORRUPT } };
	struct fixture f;
	uint64_t found;

	(void)state;
	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct engine_batch *batch = engine_batch_create(f.engine);

		engine_batch_put(f.engine, batch, FAMILY_RAFT_STATE, slice_of("\0\0\0\0\0\0\0\0N", 9),
				 slice_of(cases[i].value, cases[i].size));
		assert_int_equal(engine_write(f.engine, batch), ST_OK);
		engine_batch_destroy(f.engine, batch);
		assert_int_equal(node_identity_open(f.engine, &f.runtime.base.rng, &own, &found),
				 cases[i].status);
	}
	fixture_close(&f);
}

/* It has forgotten its votes. */
static void an_emptied_directory_is_refused_under_its_old_name(void **state)
{
	struct rpc_identity before = identity_of(5, 1, 'a');
	struct rpc_identity after = identity_of(5, 1, 'b');
	struct rpc_identity another = identity_of(6, 1, 'b');
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(node_identity_admit(&f.commit, &before), ST_OK);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(node_identity_admit(&f.commit, &before), ST_OK);
	assert_int_equal(node_identity_admit(&f.commit, &after), ST_FORGOTTEN);
	assert_int_equal(node_identity_admit(&f.commit, &another), ST_OK); /* a new name is welcome */
	manual_runtime_settle(&f.runtime);
	fixture_reopen(&f);
	assert_int_equal(node_identity_admit(&f.commit, &after), ST_FORGOTTEN);
	fixture_close(&f);
}

static void those_who_hold_no_votes_are_not_remembered(void **state)
{
	struct rpc_identity coordinator = identity_of(5, 1, 'a');
	struct rpc_identity node = identity_of(5, 1, 'b');
	struct fixture f;

	(void)state;
	coordinator.role = RPC_ROLE_COORDINATOR;
	fixture_open(&f);
	assert_int_equal(node_identity_admit(&f.commit, &coordinator), ST_OK);
	manual_runtime_settle(&f.runtime);
	assert_int_equal(f.commit.sync_count, 0);
	assert_int_equal(node_identity_admit(&f.commit, &node), ST_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_directory_gets_an_incarnation_and_keeps_it),
		cmocka_unit_test(a_directory_serves_one_node_of_one_cluster),
		cmocka_unit_test(a_record_of_another_format_is_not_touched),
		cmocka_unit_test(an_emptied_directory_is_refused_under_its_old_name),
		cmocka_unit_test(those_who_hold_no_votes_are_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
