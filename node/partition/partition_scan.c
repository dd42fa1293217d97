#include "node/partition/partition_scan.h"

#include "node/partition/partition_read.h"

static bool holds_range(const struct partition *partition, const struct partition_scan *scan)
{
	return slice_compare(scan->start, buf_slice(&partition->range_start)) >= 0 &&
	       slice_compare(scan->end, buf_slice(&partition->range_end)) <= 0;
}

static void work_off_loop(struct runtime_job *job)
{
	struct partition_scan *scan = CONTAINER_OF(job, struct partition_scan, job);

	scan->status = scan->work(scan, scan->engine);
}

static void on_worked(struct runtime_job *job)
{
	struct partition_scan *scan = CONTAINER_OF(job, struct partition_scan, job);
	struct partition *partition = scan->partition;

	if (partition->is_closed || group_install_count(partition->group) != scan->install_count)
		scan->status = ST_UNAVAILABLE; /* the rows were being replaced */
	else if (!holds_range(partition, scan))
		scan->status = ST_MOVED; /* some rows were perhaps being deleted */
	scan->done(scan);
	partition_release(partition);
}

/* The range may have changed while the read waited to be confirmed. */
static enum status submit(struct partition_scan *scan)
{
	struct partition *partition = scan->partition;

	if (!holds_range(partition, scan))
		return ST_MOVED;
	scan->engine = partition->env->engine;
	scan->job = (struct runtime_job){ .work = work_off_loop, .done = on_worked };
	scan->install_count = group_install_count(partition->group);
	partition_hold(partition);
	runtime_submit(partition->env->runtime, &scan->job);
	return ST_WOULD_BLOCK;
}

static void on_confirmed(struct group_read *group_read, enum status status)
{
	struct partition_scan *scan = CONTAINER_OF(group_read, struct partition_scan, group_read);

	if (status == ST_OK)
		status = submit(scan);
	if (status == ST_WOULD_BLOCK)
		return; /* the job owns scan->status from here on */
	scan->status = status;
	scan->done(scan);
}

static enum status start_consistent(struct partition *partition, struct partition_scan *scan)
{
	enum status status;

	scan->group_read.cb = on_confirmed;
	status = group_read_start(partition->group, &scan->group_read);
	return status == ST_OK ? submit(scan) : status;
}

static enum status start_eventual(struct partition *partition, struct partition_scan *scan)
{
	if (!group_has_state(partition->group))
		return ST_UNAVAILABLE;
	if (!scan->accepts_frozen && group_leader_silence_ms(partition->group) > PARTITION_READ_SILENCE_MS)
		return ST_STALE;
	return submit(scan);
}

enum status partition_scan_start(struct partition *partition, struct partition_scan *scan)
{
	scan->partition = partition;
	partition->env->read_count++;
	if (slice_compare(scan->start, scan->end) >= 0)
		return ST_INVALID;
	if (!holds_range(partition, scan))
		return ST_MOVED;
	return scan->is_consistent ? start_consistent(partition, scan) : start_eventual(partition, scan);
}
