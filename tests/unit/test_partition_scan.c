#include "node/partition/partition_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/fault.h"
#include "replication/group/group_internal.h"
#include "storage/encoding/stored_item.h"
#include "storage/item/item_scan.h"
#include "tests/support/partition_fixture.h"

/* A scan of the rows [start, end) that notes how it ended. */
struct watched_scan {
	struct partition_scan base;
	struct item_scan rows;
	uint8_t start[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint8_t end[PARTITION_FIXTURE_KEY_SIZE_MAX];
	uint32_t work_count;
	uint32_t done_count;
	/* Called at the start of work(), as if it happened meanwhile. */
	void (*meanwhile)(struct watched_scan *scan);
};

static enum status work(struct partition_scan *base, struct engine *engine)
{
	struct watched_scan *scan = CONTAINER_OF(base, struct watched_scan, base);

	scan->work_count++;
	if (scan->meanwhile != NULL)
		scan->meanwhile(scan);
	return item_scan_run(&scan->rows, engine);
}

static void on_done(struct partition_scan *base)
{
	CONTAINER_OF(base, struct watched_scan, base)->done_count++;
}

static void scan_init(struct watched_scan *scan, const char *start, const char *end, bool is_consistent)
{
	*scan = (struct watched_scan){ .work_count = 0 };
	item_scan_init(&scan->rows);
	scan->base.start = partition_fixture_key(scan->start, start);
	scan->base.end = partition_fixture_key(scan->end, end);
	scan->base.is_consistent = is_consistent;
	scan->base.work = work;
	scan->base.done = on_done;
	scan->rows.start = scan->base.start;
	scan->rows.end = scan->base.end;
	scan->rows.row_count_max = INT32_MAX;
	scan->rows.size_bytes_max = LIMIT_PAGE_SIZE_BYTES;
}

/* Its answer, now or later. */
static enum status scan_run(struct partition_fixture *f, struct watched_scan *scan,
			    struct partition *partition)
{
	enum status status = partition_scan_start(partition, &scan->base);

	assert_int_equal(scan->done_count, 0); /* never from inside start */
	if (status != ST_WOULD_BLOCK)
		return status;
	for (uint32_t i = 0; i < 5000 && scan->done_count == 0; i++)
		partition_fixture_run_ms(f, 1);
	assert_int_equal(scan->done_count, 1);
	return scan->base.status;
}

static enum status scan_once(struct partition_fixture *f, struct partition *partition, const char *start,
			     const char *end, bool is_consistent, uint32_t *count_out)
{
	struct watched_scan scan;
	enum status status;

	scan_init(&scan, start, end, is_consistent);
	status = scan_run(f, &scan, partition);
	*count_out = scan.rows.matched_count;
	item_scan_close(&scan.rows);
	return status;
}

static void put_three(struct partition_fixture *f, struct partition *leader)
{
	assert_int_equal(partition_fixture_put(f, leader, "a", "one", 1), ST_OK);
	assert_int_equal(partition_fixture_put(f, leader, "b", "two", 2), ST_OK);
	assert_int_equal(partition_fixture_put(f, leader, "c", "three", 3), ST_OK);
}

static void a_strong_scan_sees_the_writes_before_it(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	uint32_t count;

	(void)state;
	put_three(f, leader);
	assert_int_equal(scan_once(f, leader, "a", "z", true, &count), ST_OK);
	assert_int_equal(count, 3);
	assert_int_equal(scan_once(f, leader, "b", "c", true, &count), ST_OK);
	assert_int_equal(count, 1);
	partition_fixture_destroy(f);
}

static void a_follower_serves_eventual_scans_only(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	uint32_t count;

	(void)state;
	put_three(f, leader);
	partition_fixture_run_ms(f, 2 * GROUP_FIXTURE_HEARTBEAT_MS);
	assert_int_equal(scan_once(f, f->partition[2], "a", "z", false, &count), ST_OK);
	assert_int_equal(count, 3);
	assert_int_equal(scan_once(f, f->partition[2], "a", "z", true, &count), ST_NOT_LEADER);
	partition_fixture_destroy(f);
}

static void a_leader_cut_off_answers_no_strong_scan(void **state)
{
	struct partition_fixture *f = partition_fixture_create(3);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_scan scan;

	(void)state;
	put_three(f, leader);
	group_fixture_isolate(f->net, 1, true);
	scan_init(&scan, "a", "z", true);
	assert_int_equal(scan_run(f, &scan, leader), ST_NOT_LEADER);
	assert_int_equal(scan.work_count, 0);
	item_scan_close(&scan.rows);
	partition_fixture_destroy(f);
}

static void a_range_that_is_not_all_here_has_moved(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	uint8_t beyond[] = { 0, 0, 0, PARTITION_FIXTURE_TABLE + 1, 0 };
	struct watched_scan scan;

	(void)state;
	scan_init(&scan, "a", "z", false);
	scan.base.end = slice_of(beyond, sizeof(beyond));
	assert_int_equal(scan_run(f, &scan, leader), ST_MOVED);
	scan.base.end = slice_of(beyond, sizeof(beyond) - 1); /* the partition's own */
	assert_int_equal(scan_run(f, &scan, leader), ST_OK);
	scan.done_count = 0;
	scan.base.end = scan.base.start;
	assert_int_equal(scan_run(f, &scan, leader), ST_INVALID);
	item_scan_close(&scan.rows);
	partition_fixture_destroy(f);
}

static void shrink_range(struct watched_scan *scan)
{
	struct partition *partition = scan->base.partition;

	partition->range_end.size = 0; /* as a split does when it is applied */
	buf_append(&partition->range_end, scan->start, scan->base.start.size);
}

/* What moved away is deleted here: a scan would miss it without a word. */
static void a_range_that_moves_during_the_work_is_not_answered(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_scan scan;

	(void)state;
	put_three(f, leader);
	scan_init(&scan, "b", "z", false);
	scan.meanwhile = shrink_range;
	assert_int_equal(scan_run(f, &scan, leader), ST_MOVED);
	assert_int_equal(scan.work_count, 1);
	item_scan_close(&scan.rows);
	partition_fixture_destroy(f);
}

static void close_partition(struct watched_scan *scan)
{
	partition_close(scan->base.partition);
}

static void a_partition_that_closes_during_the_work_is_not_answered(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_scan scan;

	(void)state;
	put_three(f, leader);
	scan_init(&scan, "a", "z", false);
	scan.meanwhile = close_partition;
	f->partition[1] = NULL;
	assert_int_equal(scan_run(f, &scan, leader), ST_UNAVAILABLE);
	item_scan_close(&scan.rows);
	partition_fixture_destroy(f);
}

static void start_install(struct watched_scan *scan)
{
	scan->base.partition->group->install_count++;
}

static void rows_that_are_replaced_during_the_work_are_not_answered(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	struct watched_scan scan;

	(void)state;
	put_three(f, leader);
	scan_init(&scan, "a", "z", false);
	scan.meanwhile = start_install;
	assert_int_equal(scan_run(f, &scan, leader), ST_UNAVAILABLE);
	item_scan_close(&scan.rows);
	partition_fixture_destroy(f);
}

static void a_failed_read_is_told(void **state)
{
	struct partition_fixture *f = partition_fixture_create(1);
	struct partition *leader = partition_fixture_elect(f, 1);
	uint32_t count;

	(void)state;
	put_three(f, leader);
	fault_set(FAULT_ENGINE_READ, 1000 * 1000, 0);
	assert_int_equal(scan_once(f, leader, "a", "z", false, &count), ST_IO);
	fault_clear_all();
	partition_fixture_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strong_scan_sees_the_writes_before_it),
		cmocka_unit_test(a_follower_serves_eventual_scans_only),
		cmocka_unit_test(a_leader_cut_off_answers_no_strong_scan),
		cmocka_unit_test(a_range_that_is_not_all_here_has_moved),
		cmocka_unit_test(a_range_that_moves_during_the_work_is_not_answered),
		cmocka_unit_test(a_partition_that_closes_during_the_work_is_not_answered),
		cmocka_unit_test(rows_that_are_replaced_during_the_work_are_not_answered),
		cmocka_unit_test(a_failed_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
