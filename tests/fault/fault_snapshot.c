/* Goal: whatever single step fails while a snapshot is streamed and installed, the replica ends
 * up with all rows, at once or after a restart of the node whose disk failed; never with half.
 * Method: let the n-th fallible step fail, for n = 0, 1, 2 ... until a run gets through with no
 * fault left to fire.  A second test takes the power away at every disk job of the install. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "proto/base/log.h"
#include "replication/group/group_internal.h"
#include "tests/support/group_fixture.h"

enum { COMMANDS = 40, SYNC_MS = 3000, JOBS_MAX = 100, FAULTS_MAX = 500 };

static struct group_fixture *create_behind(void)
{
	struct group_settings settings = {
		.election_timeout_ms = GROUP_FIXTURE_ELECTION_MS,
		.heartbeat_ms = GROUP_FIXTURE_HEARTBEAT_MS,
		.compact_entries = 10,
		.trailing_entries = 3,
		.behind_entries_max = 15,
	};
	struct group_fixture *f = group_fixture_create(3, &settings);
	struct group_fixture_node *leader = group_fixture_elect(f, 1);

	group_fixture_run_ms(f, 5);
	group_fixture_isolate(f, 3, true);
	for (uint32_t i = 0; i < COMMANDS; i++)
		assert_true(group_fixture_commit(leader, "x"));
	assert_true(leader->group->log.first_index > f->nodes[3].applied_index + 1);
	return f;
}

/* A node whose disk failed ends, and is started anew. */
static void restart_failed_nodes(struct group_fixture *f)
{
	for (uint32_t i = 1; i <= 3; i++) {
		if (f->nodes[i].fatal_status == ST_OK)
			continue;
		group_fixture_crash(&f->nodes[i], 0);
		f->nodes[i].fatal_status = ST_OK;
		assert_int_equal(group_fixture_restart(&f->nodes[i]), ST_OK);
	}
}

static void a_snapshot_survives_each_single_fault(void **state)
{
	uint32_t nth = 0;
	bool fired = true;

	(void)state;
	log_set_level((enum log_level)(LOG_ERROR + 1));
	for (; fired; nth++) {
		struct group_fixture *f = create_behind();

		assert_true(nth < FAULTS_MAX);
		for (uint32_t i = 1; i <= 3; i++)
			f->nodes[i].may_fail = true;
		group_fixture_isolate(f, 3, false);
		fault_arm_nth(nth);
		for (uint32_t i = 0; i < SYNC_MS && group_fixture_row_count(&f->nodes[3]) < COMMANDS; i++) {
			group_fixture_run_ms(f, 1);
			if (f->nodes[1].fatal_status != ST_OK || f->nodes[2].fatal_status != ST_OK ||
			    f->nodes[3].fatal_status != ST_OK)
				break;
		}
		fired = fault_disarm();
		restart_failed_nodes(f);
		group_fixture_run_ms(f, SYNC_MS);
		for (uint32_t i = 1; i <= 3; i++)
			assert_int_equal(group_fixture_row_count(&f->nodes[i]), COMMANDS);
		assert_non_null(group_fixture_leader(f));
		group_fixture_destroy(f);
	}
	assert_in_range(nth, 10, FAULTS_MAX); /* links, chunks, writes and syncs were all met */
}

/* Each disk job of the receiver is the last one before the power goes; of what it wrote
 * unsynced, nothing, one batch or everything survives. */
static void an_install_survives_the_loss_of_power_at_every_step(void **state)
{
	uint32_t installed_count = 0;

	(void)state;
	log_set_level((enum log_level)(LOG_ERROR + 1));
	for (uint32_t jobs = 0; installed_count == 0; jobs++) {
		assert_true(jobs < JOBS_MAX);
		for (uint64_t keep = 0; keep <= 2; keep++) {
			struct group_fixture *f = create_behind();
			struct group_fixture_node *node = &f->nodes[3];
			uint32_t job_count = 0;

			group_fixture_isolate(f, 3, false);
			node->is_disk_held = true;
			for (uint32_t i = 0; i < SYNC_MS && job_count < jobs; i++) {
				group_fixture_run_ms(f, 1);
				job_count += manual_runtime_run_job(&node->runtime);
			}
			installed_count += node->restored_count;
			group_fixture_crash(node, keep);
			assert_int_equal(group_fixture_restart(node), ST_OK);
			group_fixture_run_ms(f, 2 * SYNC_MS);
			assert_int_equal(group_fixture_row_count(node), COMMANDS);
			group_fixture_destroy(f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_survives_each_single_fault),
		cmocka_unit_test(an_install_survives_the_loss_of_power_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
