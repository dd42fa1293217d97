#include "node/node_report.h"

#include "node/background/index_feeder.h"
#include "proto/wire/methods.h"

enum { US_PER_MS = 1000, ARENA_BYTES_MAX = 64 * 1024 * 1024, BODY_BYTES_MAX = 16 * 1024 * 1024 };

/* How far the leader is with each global index. */
static bool describe_feeds(struct arena *arena, const struct partition *partition,
			   Cleave__ReplicaReport *replica)
{
	uint32_t count = partition->indexes.feed_count;
	Cleave__IndexProgress *progress = arena_alloc(arena, (count + 1) * sizeof(*progress));

	replica->indexes = arena_alloc(arena, (count + 1) * sizeof(*replica->indexes));
	if (progress == NULL || replica->indexes == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index_table_id = partition->indexes.feeds[i].index_table_id;

		cleave__index_progress__init(&progress[i]);
		progress[i].index_table_id = index_table_id;
		progress[i].is_caught_up = index_feeder_is_caught_up(partition, index_table_id);
		progress[i].item_count = index_feeder_item_count(partition, index_table_id);
		progress[i].backfilled_percent = partition_feed_percent(&partition->indexes.feeds[i],
									buf_slice(&partition->range_start),
									buf_slice(&partition->range_end));
		replica->indexes[i] = &progress[i];
	}
	replica->n_indexes = count;
	return true;
}

static Cleave__RowCount *describe_rows(struct arena *arena, const struct partition_rows *rows)
{
	Cleave__RowCount *record = arena_alloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	cleave__row_count__init(record);
	record->count = rows->count;
	record->size_bytes = rows->size_bytes;
	return record;
}

static bool describe_census(struct arena *arena, const struct partition *partition,
			    Cleave__ReplicaReport *replica)
{
	const struct partition_census *census = &partition->census;

	replica->items = describe_rows(arena, &census->items);
	if (replica->items == NULL || partition->indexes.set == NULL)
		return replica->items != NULL;
	replica->local_indexes = arena_alloc(arena,
					     LIMIT_LOCAL_INDEX_COUNT * sizeof(*replica->local_indexes));
	if (replica->local_indexes == NULL)
		return false;
	for (size_t i = 0; i < LIMIT_LOCAL_INDEX_COUNT; i++) {
		replica->local_indexes[i] = describe_rows(arena, &census->local_indexes[i]);
		if (replica->local_indexes[i] == NULL)
			return false;
		replica->n_local_indexes++;
	}
	return true;
}

static Cleave__ReplicaReport *describe(struct arena *arena, const struct partition *partition)
{
	Cleave__ReplicaReport *replica = arena_alloc(arena, sizeof(*replica));
	struct group_status status;

	if (replica == NULL)
		return NULL;
	cleave__replica_report__init(replica);
	group_get_status(partition->group, &status);
	replica->partition_id = partition->id;
	replica->replica_id = status.replica_id;
	replica->is_leader = status.state == RAFT_STATE_LEADER;
	replica->is_ready = status.is_ready;
	replica->term = status.term;
	replica->applied_index = status.applied_index;
	replica->last_index = status.last_index;
	if (replica->is_ready && partition->census.is_known && !describe_census(arena, partition, replica))
		return NULL;
	return !replica->is_ready || describe_feeds(arena, partition, replica) ? replica : NULL;
}

static bool add_replicas(struct node_report *report, struct arena *arena, Cleave__NodeReport *message)
{
	struct partition *partition;
	size_t cursor = 0;

	message->replicas = arena_alloc(arena,
					(report->partitions->by_id.count + 1) * sizeof(*message->replicas));
	if (message->replicas == NULL)
		return false;
	while ((partition = partition_table_next(report->partitions, &cursor)) != NULL) {
		Cleave__ReplicaReport *replica = describe(arena, partition);

		if (replica == NULL)
			return false;
		message->replicas[message->n_replicas++] = replica;
	}
	return true;
}

static bool add_dropped(struct node_report *report, struct arena *arena, Cleave__NodeReport *message)
{
	const struct queue *dropped = &report->partitions->dropped;
	size_t count = 0;

	for (const struct queue *link = dropped->next; link != dropped; link = link->next)
		count++;
	message->dropped_partitions = arena_alloc(arena, (count + 1) * sizeof(*message->dropped_partitions));
	if (message->dropped_partitions == NULL)
		return false;
	for (const struct queue *link = dropped->next; link != dropped; link = link->next)
		message->dropped_partitions[message->n_dropped_partitions++] =
			CONTAINER_OF(link, struct partition_dropped, link)->partition_id;
	report->dropped_count = count;
	return true;
}

static enum status pack(struct node_report *report, struct arena *arena, struct buf *body)
{
	Cleave__NodeReport message;
	uint8_t *start;

	cleave__node_report__init(&message);
	message.node = node_info_encode(&report->self, arena);
	message.catalog_version = report->view->state.version;
	message.is_complete = true;
	if (message.node == NULL || !add_replicas(report, arena, &message) ||
	    !add_dropped(report, arena, &message))
		return ST_NO_MEMORY;
	start = buf_extend(body, cleave__node_report__get_packed_size(&message));
	if (start == NULL)
		return body->status;
	(void)cleave__node_report__pack(&message, start);
	return ST_OK;
}

static void schedule(struct node_report *report, uint64_t delay_ms)
{
	if (!report->is_stopped)
		runtime_timer_start(report->runtime, &report->timer, delay_ms * US_PER_MS);
}

static void on_reported(struct catalog_call *call)
{
	struct node_report *report = CONTAINER_OF(call, struct node_report, call);

	report->is_calling = false;
	if (call->status == ST_OK)
		partition_table_forget_dropped(report->partitions, report->dropped_count);
	schedule(report, report->has_changed ? NODE_REPORT_SOON_MS : NODE_REPORT_INTERVAL_MS);
	report->has_changed = false;
}

static void send_report(struct node_report *report)
{
	struct arena arena;
	struct buf body;

	arena_init(&arena, ARENA_BYTES_MAX);
	buf_init(&body, BODY_BYTES_MAX);
	if (pack(report, &arena, &body) == ST_OK) {
		report->is_calling = true;
		catalog_call_start(report->seeds, &report->call, METHOD_CATALOG_REPORT, buf_slice(&body),
				   NODE_REPORT_TIMEOUT_MS, on_reported);
	} else {
		schedule(report, NODE_REPORT_INTERVAL_MS);
	}
	buf_close(&body);
	arena_close(&arena);
}

static void on_timer(struct runtime_timer *timer)
{
	struct node_report *report = CONTAINER_OF(timer, struct node_report, timer);

	if (!report->is_calling)
		send_report(report);
}

void node_report_soon(struct node_report *report)
{
	if (report->is_calling)
		report->has_changed = true;
	else
		schedule(report, NODE_REPORT_SOON_MS);
}

void node_report_start(struct node_report *report, struct runtime *runtime, struct catalog_view *view,
		       struct partition_table *partitions, const struct node_info *self)
{
	*report = (struct node_report){
		.runtime = runtime,
		.seeds = &view->seeds,
		.partitions = partitions,
		.view = view,
		.self = *self,
	};
	runtime_timer_init(&report->timer, on_timer);
	schedule(report, 0);
}

void node_report_stop(struct node_report *report)
{
	report->is_stopped = true;
	runtime_timer_stop(report->runtime, &report->timer);
	if (report->is_calling)
		catalog_call_cancel(&report->call);
}
