#include "node/partition/partition_read.h"

#include "storage/encoding/stored_item.h"

static enum status take_value(struct partition_read *read, enum status status)
{
	struct stored_item stored;

	if (status != ST_OK)
		return status;
	status = stored_item_read(read->value.slice, &stored);
	if (status != ST_OK)
		return status;
	read->item = stored.item;
	read->size_bytes = stored.size_bytes;
	return ST_OK;
}

static enum status fetch(struct partition_read *read, enum engine_read_mode mode)
{
	enum status status = engine_get(read->partition->env->engine, FAMILY_ITEMS, read->row_key, mode,
					&read->value);

	return take_value(read, status);
}

/* On a thread of the pool, or on the loop. */
static void fetch_row(struct runtime_job *job)
{
	struct partition_read *read = CONTAINER_OF(job, struct partition_read, job);

	read->status = fetch(read, ENGINE_READ_MAY_BLOCK);
}

static void on_fetched(struct runtime_job *job)
{
	struct partition_read *read = CONTAINER_OF(job, struct partition_read, job);
	struct partition *partition = read->partition;

	if (partition->is_closed || group_install_count(partition->group) != read->install_count)
		read->status = ST_UNAVAILABLE; /* the rows were being replaced */
	/* What was read is a state at or after the confirmed index: fresh enough, even if this
	 * replica lost the leadership meanwhile. */
	read->done(read);
	partition_release(partition);
}

/* From memory now, or from disk: by the loop itself while that is quick. */
static enum status fetch_or_submit(struct partition_read *read)
{
	struct partition *partition = read->partition;
	struct runtime *runtime = partition->env->runtime;
	enum status status = fetch(read, ENGINE_READ_CACHED);

	if (status != ST_WOULD_BLOCK)
		return status;
	read->job = (struct runtime_job){ .lane = RUNTIME_LANE_ROW, .work = fetch_row, .done = on_fetched };
	if (runtime_may_work_here(runtime, RUNTIME_LANE_ROW)) {
		runtime_work_here(runtime, &read->job);
		return read->status;
	}
	read->install_count = group_install_count(partition->group);
	partition_hold(partition);
	runtime_submit(runtime, &read->job);
	return ST_WOULD_BLOCK;
}

static void on_confirmed(struct group_read *group_read, enum status status)
{
	struct partition_read *read = CONTAINER_OF(group_read, struct partition_read, group_read);

	read->is_waiting = false;
	if (status == ST_OK)
		status = fetch_or_submit(read);
	if (status == ST_WOULD_BLOCK)
		return; /* the job owns read->status from here on */
	read->status = status;
	read->done(read);
}

static enum status start_consistent(struct partition *partition, struct partition_read *read)
{
	enum status status;

	read->group_read.cb = on_confirmed;
	status = group_read_start(partition->group, &read->group_read);
	if (status == ST_OK)
		return fetch_or_submit(read);
	read->is_waiting = status == ST_WOULD_BLOCK;
	return status;
}

static enum status start_eventual(struct partition *partition, struct partition_read *read)
{
	if (!group_has_state(partition->group))
		return ST_UNAVAILABLE;
	if (!read->accepts_frozen && group_leader_silence_ms(partition->group) > PARTITION_READ_SILENCE_MS)
		return ST_STALE;
	return fetch_or_submit(read);
}

enum status partition_read_start(struct partition *partition, struct partition_read *read)
{
	read->partition = partition;
	read->item = slice_of(NULL, 0);
	read->size_bytes = 0;
	read->value = (struct engine_value){ 0 };
	read->is_waiting = false;
	partition->env->read_count++;
	if (!partition_covers(partition, read->row_key))
		return ST_MOVED;
	return read->is_consistent ? start_consistent(partition, read) : start_eventual(partition, read);
}

void partition_read_close(struct partition_read *read)
{
	if (read->is_waiting)
		group_read_cancel(&read->group_read);
	read->is_waiting = false;
	engine_value_release(&read->value);
}
