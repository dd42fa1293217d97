#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The tool is a program, not a library. */
#include "deploy/cleave/tool_survey.c"

enum { NODE_COUNT = 3, REPORTS_MAX = 4, TABLE_ID = 7, PARTITION_ID = 1000, FIRST_REPLICA_ID = 100 };

static char leader[] = "leader";
static char follower[] = "follower";
static char problem[] = "disk is full";

/* Three nodes with a replica each of the catalog and of one table's one partition; node 2 leads both. */
struct fixture {
	struct catalog_state state;
	struct tool_node nodes[NODE_COUNT];
	Cleave__NodeStatusReply replies[NODE_COUNT];
	Cleave__ReplicaStatus reports[NODE_COUNT][REPORTS_MAX];
	Cleave__ReplicaStatus *pointers[NODE_COUNT][REPORTS_MAX];
	struct arena arena;
	struct tool_survey survey;
};

static void put_table(struct fixture *f, enum table_state table_state)
{
	struct table_info table = { .table_id = TABLE_ID, .state = table_state, .name = "songs" };

	assert_int_equal(table_schema_init(&table.schema, slice_of_string("pk"), slice_of_string("S")),
			 ST_OK);
	assert_int_equal(catalog_state_put_table(&f->state, &table), ST_OK);
}

static void put_partition(struct fixture *f, struct slice start, struct slice end)
{
	Cleave__ReplicaRecord replicas[NODE_COUNT];
	Cleave__ReplicaRecord *pointers[NODE_COUNT];
	Cleave__PartitionRecord record = CLEAVE__PARTITION_RECORD__INIT;
	struct partition_info *partition;

	for (size_t i = 0; i < NODE_COUNT; i++) {
		cleave__replica_record__init(&replicas[i]);
		replicas[i].replica_id = FIRST_REPLICA_ID + i;
		replicas[i].node_id = i + 1;
		pointers[i] = &replicas[i];
	}
	record.partition_id = PARTITION_ID;
	record.table_id = TABLE_ID;
	record.epoch = 1;
	record.range_start = (ProtobufCBinaryData){ start.size, (uint8_t *)(uintptr_t)start.data };
	record.range_end = (ProtobufCBinaryData){ end.size, (uint8_t *)(uintptr_t)end.data };
	record.replicas = pointers;
	record.n_replicas = NODE_COUNT;
	assert_int_equal(partition_info_decode(&record, &partition), ST_OK);
	assert_int_equal(catalog_state_put_partition(&f->state, partition), ST_OK);
}

static void add_report(struct fixture *f, size_t at, uint64_t partition_id, uint64_t replica_id,
		       char *replica_state)
{
	Cleave__NodeStatusReply *reply = &f->replies[at];
	Cleave__ReplicaStatus *report = &f->reports[at][reply->n_replicas];

	assert_true(reply->n_replicas < REPORTS_MAX);
	cleave__replica_status__init(report);
	report->partition_id = partition_id;
	report->replica_id = replica_id;
	report->state = replica_state;
	report->term = 5;
	report->applied_index = 40;
	report->last_index = 40;
	f->pointers[at][reply->n_replicas++] = report;
}

static void start(struct fixture *f)
{
	static const uint8_t range_start[ROW_KEY_HEAD_SIZE] = { 0, 0, 0, TABLE_ID };
	static const uint8_t range_end[ROW_KEY_HEAD_SIZE] = { 0, 0, 0, TABLE_ID + 1 };

	*f = (struct fixture){ .nodes = { { .node_id = 0 } } };
	catalog_state_init(&f->state);
	arena_init(&f->arena, 1024 * 1024);
	put_table(f, TABLE_ACTIVE);
	put_partition(f, slice_of(range_start, sizeof(range_start)), slice_of(range_end, sizeof(range_end)));
	f->state.version = 9;
	for (size_t i = 0; i < NODE_COUNT; i++) {
		cleave__node_status_reply__init(&f->replies[i]);
		f->replies[i].replicas = f->pointers[i];
		f->replies[i].is_ready = true;
		f->nodes[i] = (struct tool_node){ .node_id = i + 1, .zone = "z", .host = "h", .port = 7 };
		f->nodes[i].is_seed = true;
		f->nodes[i].reply = &f->replies[i];
		add_report(f, i, CATALOG_GROUP_ID, i + 1, i == 1 ? leader : follower);
		add_report(f, i, PARTITION_ID, FIRST_REPLICA_ID + i, i == 1 ? leader : follower);
	}
}

static void build(struct fixture *f)
{
	assert_int_equal(tool_survey_build(&f->survey, &f->state, f->nodes, NODE_COUNT, &f->arena), ST_OK);
}

static void finish(struct fixture *f)
{
	arena_close(&f->arena);
	catalog_state_close(&f->state);
}

static void silence(struct fixture *f, size_t at)
{
	f->nodes[at].reply = NULL;
	f->nodes[at].status = ST_UNREACHABLE;
}

static void assert_problems(const struct fixture *f, const char *const *expected, size_t count)
{
	assert_int_equal(f->survey.problem_count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(f->survey.problems[i], expected[i]);
}

static void a_healthy_cluster_has_no_problems(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	build(&f);
	assert_int_equal(f.survey.problem_count, 0);
	assert_int_equal(f.survey.catalog_version, 9);
	assert_int_equal(f.survey.reachable_count, 3);
	assert_int_equal(f.survey.ready_count, 3);
	assert_int_equal(f.survey.partition_count, 1);
	assert_int_equal(f.survey.led_count, 1);
	assert_int_equal(f.survey.whole_count, 1);
	assert_int_equal(f.survey.usable_table_count, 1);
	assert_int_equal(f.survey.catalog.leader_node_id, 2);
	assert_int_equal(f.survey.nodes[1].leader_count, 2);
	finish(&f);
}

static void a_partition_tells_its_range_leader_and_lag(void **state)
{
	const struct tool_partition *partition;
	struct fixture f;

	(void)state;
	start(&f);
	f.reports[2][1].applied_index = 33;
	build(&f);
	partition = tool_survey_find(&f.survey, PARTITION_ID);
	assert_non_null(partition);
	assert_string_equal(partition->table->name, "songs");
	assert_string_equal(partition->range_start, "0000000000000000");
	assert_string_equal(partition->range_end, "");
	assert_int_equal(partition->leader_node_id, 2);
	assert_int_equal(partition->leader_replica_id, FIRST_REPLICA_ID + 1);
	assert_int_equal(partition->replica_count, 3);
	assert_int_equal(partition->replicas[0].lag, 0);
	assert_int_equal(partition->replicas[2].lag, 7);
	assert_true(partition->replicas[2].has_lag);
	assert_null(tool_survey_find(&f.survey, PARTITION_ID + 1));
	assert_ptr_equal(tool_survey_find(&f.survey, CATALOG_GROUP_ID), &f.survey.catalog);
	finish(&f);
}

static void a_bound_is_shown_by_its_token(void **state)
{
	static const uint8_t inside[] = { 0, 0, 0, TABLE_ID, 0x40, 0, 0, 0, 0, 0, 0, 1, 'p', 'k' };
	static const uint8_t short_token[] = { 0, 0, 0, TABLE_ID, 0x80 };
	char out[TOOL_SURVEY_RANGE_SIZE];

	(void)state;
	describe_bound(slice_of(inside, 12), TABLE_ID, out);
	assert_string_equal(out, "4000000000000001");
	describe_bound(slice_of(inside, sizeof(inside)), TABLE_ID, out);
	assert_string_equal(out, "4000000000000001+");
	describe_bound(slice_of(short_token, sizeof(short_token)), TABLE_ID, out);
	assert_string_equal(out, "8000000000000000");
	describe_bound(slice_of(inside, 12), TABLE_ID + 1, out);
	assert_string_equal(out, "");
}

static void the_leader_is_the_one_with_the_highest_term(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	f.reports[0][1].state = leader;
	f.reports[0][1].term = 6;
	build(&f);
	assert_int_equal(f.survey.partitions[0].leader_node_id, 1);
	finish(&f);
}

static void a_silent_node_is_a_problem(void **state)
{
	static const char *const expected[] = { "node 3 at h:7 (z) cannot be reached (ST_UNREACHABLE)" };
	struct fixture f;

	(void)state;
	start(&f);
	silence(&f, 2);
	build(&f);
	assert_problems(&f, expected, 1);
	assert_string_equal(tool_survey_node_state(&f.survey.nodes[2]), "unreachable");
	assert_int_equal(f.survey.led_count, 1);
	assert_int_equal(f.survey.whole_count, 0);
	assert_string_equal(f.survey.partitions[0].replicas[2].state, "unreachable");
	assert_false(f.survey.partitions[0].replicas[2].has_lag);
	finish(&f);
}

static void a_silent_leader_leaves_its_groups_without_one(void **state)
{
	static const char *const expected[] = {
		"node 2 at h:7 (z) cannot be reached (ST_UNREACHABLE)",
		"the catalog has no leader: tables cannot be made or changed",
		"partition 1000 of table songs has no leader",
	};
	struct fixture f;

	(void)state;
	start(&f);
	silence(&f, 1);
	build(&f);
	assert_problems(&f, expected, 3);
	assert_int_equal(f.survey.led_count, 0);
	assert_false(f.survey.partitions[0].replicas[0].has_lag);
	finish(&f);
}

static void a_node_that_is_not_ready_says_why(void **state)
{
	static const char *const expected[] = { "node 1 at h:7 (z) is not ready: disk is full" };
	struct fixture f;

	(void)state;
	start(&f);
	f.replies[0].is_ready = false;
	f.replies[0].problem = problem;
	build(&f);
	assert_problems(&f, expected, 1);
	assert_int_equal(f.survey.ready_count, 2);
	finish(&f);
}

static void a_node_that_refuses_us_is_told_from_a_dead_one(void **state)
{
	static const char *const expected[] = { "node 3 at h:7 (z) refuses us (ST_DENIED)" };
	struct fixture f;

	(void)state;
	start(&f);
	silence(&f, 2);
	f.nodes[2].status = ST_DENIED;
	build(&f);
	assert_problems(&f, expected, 1);
	assert_string_equal(tool_survey_node_state(&f.survey.nodes[2]), "refused");
	finish(&f);
}

static void a_listed_replica_that_its_node_lacks_is_missing(void **state)
{
	static const char *const expected[] = { "partition 1000 of table songs is missing on node 1" };
	struct fixture f;

	(void)state;
	start(&f);
	f.replies[0].n_replicas = 1;
	build(&f);
	assert_problems(&f, expected, 1);
	assert_string_equal(f.survey.partitions[0].replicas[0].state, "missing");
	finish(&f);
}

static void tables_that_come_or_go_are_not_judged(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	put_table(&f, TABLE_CREATING);
	for (size_t i = 0; i < NODE_COUNT; i++)
		f.replies[i].n_replicas = 1;
	build(&f);
	assert_int_equal(f.survey.problem_count, 0);
	assert_int_equal(f.survey.usable_table_count, 0);
	finish(&f);
}

static void a_replica_that_the_catalog_does_not_list_is_shown_as_such(void **state)
{
	const struct tool_partition *partition;
	struct tool_node nodes[NODE_COUNT + 1];
	struct fixture f;

	(void)state;
	start(&f);
	memcpy(nodes, f.nodes, sizeof(f.nodes));
	nodes[NODE_COUNT] = nodes[0];
	nodes[NODE_COUNT].node_id = 4;
	assert_int_equal(tool_survey_build(&f.survey, &f.state, nodes, NODE_COUNT + 1, &f.arena), ST_OK);
	partition = &f.survey.partitions[0];
	assert_int_equal(partition->replica_count, 4);
	assert_int_equal(partition->replicas[3].node_id, 4);
	assert_false(partition->replicas[3].is_listed);
	assert_true(partition->replicas[3].is_known);
	finish(&f);
}

static void nodes_are_sorted_and_too_many_problems_are_counted(void **state)
{
	enum { MANY = TOOL_SURVEY_PROBLEMS_MAX + 10 };
	struct tool_node nodes[MANY];
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < MANY; i++)
		nodes[i] = (struct tool_node){ .node_id = 1000 - i, .status = ST_UNREACHABLE };
	assert_int_equal(tool_survey_build(&f.survey, &f.state, nodes, MANY, &f.arena), ST_OK);
	assert_int_equal(nodes[0].node_id, 1000 - MANY + 1);
	assert_int_equal(f.survey.problem_count, TOOL_SURVEY_PROBLEMS_MAX);
	assert_int_equal(f.survey.more_problem_count,
			 10 + 2); /* the catalog and the partition have no leader */
	finish(&f);
}

static void too_little_memory_is_an_error(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	arena_close(&f.arena);
	arena_init(&f.arena, 64);
	assert_int_equal(tool_survey_build(&f.survey, &f.state, f.nodes, NODE_COUNT, &f.arena), ST_NO_MEMORY);
	finish(&f);
}

static void an_index_is_called_by_its_table_and_its_name(void **state)
{
	struct table_indexes *indexes = calloc(1, sizeof(*indexes) + sizeof(indexes->list[0]));
	struct table_info base = { .table_id = 7, .name = "albums" };
	struct table_info derived = { .table_id = 8, .base_table_id = 7, .name = "index/8" };
	struct catalog_state catalog;

	(void)state;
	assert_non_null(indexes);
	indexes->count = 1;
	indexes->list[0] = (struct table_index){ .name = "by-year", .table_id = 8 };
	base.indexes = indexes;
	catalog_state_init(&catalog);
	assert_string_equal(tool_survey_table_name(&catalog, &derived).text,
			    "index/8"); /* its base is gone */
	assert_int_equal(catalog_state_put_table(&catalog, &base), ST_OK);
	assert_string_equal(tool_survey_table_name(&catalog, &base).text, "albums");
	assert_string_equal(tool_survey_table_name(&catalog, &derived).text, "albums/by-year");
	catalog_state_close(&catalog);
	free(indexes);
}

/* --- indexes --- */

static struct tool_index_progress progress_of(struct fixture *f, uint32_t index_table_id)
{
	struct table_index index = { .table_id = index_table_id };

	build(f);
	return tool_survey_index_progress(&f->survey, &index, TABLE_ID);
}

static void the_leader_tells_how_far_a_backfill_is(void **state)
{
	enum { INDEX_TABLE_ID = 20 };
	Cleave__FeedStatus feeds[] = { CLEAVE__FEED_STATUS__INIT, CLEAVE__FEED_STATUS__INIT };
	Cleave__FeedStatus *lists[] = { &feeds[0], &feeds[1] };
	struct tool_index_progress progress;
	struct fixture f;

	(void)state;
	start(&f);
	for (size_t i = 0; i < ARRAY_COUNT(feeds); i++) {
		feeds[i].index_table_id = INDEX_TABLE_ID;
		f.reports[i][1].feeds = &lists[i];
		f.reports[i][1].n_feeds = 1;
	}
	feeds[0].backfilled_percent = 99; /* a follower's word */
	feeds[1].backfilled_percent = 40;
	progress = progress_of(&f, INDEX_TABLE_ID);
	assert_int_equal(progress.partition_count, 1);
	assert_int_equal(progress.fed_count, 0);
	assert_int_equal(progress.percent, 40);
	feeds[1].backfilled_percent = 100;
	progress = progress_of(&f, INDEX_TABLE_ID);
	assert_int_equal(progress.fed_count, 1);
	assert_int_equal(progress.percent, 100);
	progress = progress_of(&f, INDEX_TABLE_ID + 1); /* nobody feeds it yet */
	assert_int_equal(progress.fed_count, 0);
	assert_int_equal(progress.percent, 0);
	silence(&f, 1);
	progress = progress_of(&f, INDEX_TABLE_ID);
	assert_int_equal(progress.partition_count, 1);
	assert_int_equal(progress.fed_count, 0);
	assert_int_equal(progress.percent, 0);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_leader_tells_how_far_a_backfill_is),
		cmocka_unit_test(a_healthy_cluster_has_no_problems),
		cmocka_unit_test(a_partition_tells_its_range_leader_and_lag),
		cmocka_unit_test(a_bound_is_shown_by_its_token),
		cmocka_unit_test(the_leader_is_the_one_with_the_highest_term),
		cmocka_unit_test(a_silent_node_is_a_problem),
		cmocka_unit_test(a_silent_leader_leaves_its_groups_without_one),
		cmocka_unit_test(a_node_that_is_not_ready_says_why),
		cmocka_unit_test(a_node_that_refuses_us_is_told_from_a_dead_one),
		cmocka_unit_test(a_listed_replica_that_its_node_lacks_is_missing),
		cmocka_unit_test(tables_that_come_or_go_are_not_judged),
		cmocka_unit_test(a_replica_that_the_catalog_does_not_list_is_shown_as_such),
		cmocka_unit_test(nodes_are_sorted_and_too_many_problems_are_counted),
		cmocka_unit_test(too_little_memory_is_an_error),
		cmocka_unit_test(an_index_is_called_by_its_table_and_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
