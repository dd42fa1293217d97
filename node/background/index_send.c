#include <stdlib.h>

#include "node/background/index_feeder_internal.h"
#include "proto/base/metrics.h"
#include "proto/route/replica_call.h"
#include "proto/wire/item.pb-c.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_borrow.h"
#include "storage/index/index_plan.h"

enum {
	US_PER_MS = 1000,
	HLC_COUNTER_BITS = 16,
};

static struct metric metric_rows = { .name = "cleave_node_index_rows_sent_total",
				     .help = "Rows acknowledged by partitions of global indexes",
				     .kind = METRIC_COUNTER };
static struct metric metric_messages = { .name = "cleave_node_index_messages_total",
					 .help = "Messages that carried them",
					 .kind = METRIC_COUNTER };
static struct histogram lag = {
	.name = "cleave_node_index_lag_seconds",
	.help = "From each write to the acknowledgement of its rows in a global index",
	.is_fine = true,
};

/* A row on its way; it lives in the page's arena. */
struct send_row {
	struct slice position;
	struct slice row_key;
	struct slice item; /* empty: deleted */
	uint64_t hlc;      /* of the change; 0: backfill */
	struct send_row *next;
};

/* A page's rows for one partition of the index, in order; in the page's arena. */
struct feed_part {
	struct queue link; /* of lane->waiting or lane->sent */
	struct feed_page *page;
	struct send_row *first;
	struct send_row **end;
	size_t row_count;
	size_t size_bytes;
};

void index_send_register_metrics(void)
{
	metrics_register(&metric_rows);
	metrics_register(&metric_messages);
	metrics_register_histogram(&lag);
	replica_call_register_metrics();
}

/* --- planning --- */

/* One page being planned. */
struct planning {
	struct index_feed *feed;
	struct feed_page *page;
	const struct catalog_state *state;
	struct index_owner owner;
	struct index_plan plan;
};

static struct feed_lane *find_lane(struct index_feed *feed, uint64_t partition_id)
{
	struct feed_lane *lane;

	for (struct queue *link = feed->lanes.next; link != &feed->lanes; link = link->next) {
		lane = CONTAINER_OF(link, struct feed_lane, link);
		if (lane->partition_id == partition_id)
			return lane;
	}
	lane = calloc(1, sizeof(*lane));
	if (lane == NULL)
		return NULL;
	lane->feed = feed;
	lane->partition_id = partition_id;
	queue_init(&lane->waiting);
	queue_init(&lane->sent);
	arena_init(&lane->arena, SIZE_MAX);
	queue_push_tail(&feed->lanes, &lane->link);
	return lane;
}

static void free_lane(struct feed_lane *lane)
{
	queue_remove(&lane->link);
	arena_close(&lane->arena);
	free(lane);
}

/* The page's part in the lane to the partition that the row belongs to; NULL when out of memory. */
static struct feed_part *find_part(struct planning *planning, struct slice row_key)
{
	const struct partition_info *partition = catalog_state_find_partition(planning->state, row_key);
	struct feed_lane *lane = find_lane(planning->feed, partition == NULL ? 0 : partition->partition_id);

	if (lane == NULL || lane->planned != NULL)
		return lane == NULL ? NULL : lane->planned;
	lane->planned = arena_alloc_zeroed(&planning->page->arena, sizeof(*lane->planned));
	if (lane->planned != NULL) {
		lane->planned->page = planning->page;
		lane->planned->end = &lane->planned->first;
	}
	return lane->planned;
}

/* item lives as long as the page. */
static enum status add_row(struct planning *planning, const struct index_page_entry *entry,
			   struct slice row_key, struct slice item)
{
	struct arena *arena = &planning->page->arena;
	struct feed_part *part = find_part(planning, row_key);
	struct send_row *row = arena_alloc(arena, sizeof(*row));
	uint8_t *key = arena_copy(arena, row_key);

	if (part == NULL || row == NULL || key == NULL)
		return ST_NO_MEMORY;
	*row = (struct send_row){ entry->position, slice_of(key, row_key.size), item, entry->hlc, NULL };
	*part->end = row;
	part->end = &row->next;
	part->row_count++;
	part->size_bytes += row->position.size + row->row_key.size + row->item.size;
	return ST_OK;
}

static enum status add_put(struct planning *planning, const struct index_page_entry *entry)
{
	const struct index_plan *plan = &planning->plan;
	struct slice item = plan->item;

	if (!plan->is_whole_item) /* that is the page's own */
		item.data = arena_copy(&planning->page->arena, item);
	return item.data == NULL ? ST_NO_MEMORY : add_row(planning, entry, plan->put_key, item);
}

static enum status plan_entry(struct planning *planning, const struct index_page_entry *entry)
{
	struct index_plan *plan = &planning->plan;
	enum status status = index_plan_make(plan, &planning->owner, entry->old_item, entry->new_item);

	if (status == ST_OK && plan->has_delete)
		status = add_row(planning, entry, plan->delete_key, slice_of(NULL, 0));
	if (status == ST_OK && plan->has_put)
		status = add_put(planning, entry);
	return status;
}

static enum status plan_entries(struct planning *planning)
{
	const struct index_page *page = &planning->page->page;
	enum status status = ST_OK;

	index_plan_init(&planning->plan);
	planning->plan.is_old_partial = true; /* partition_indexes_keep_old() */
	for (size_t i = 0; status == ST_OK && i < page->count; i++)
		status = plan_entry(planning, &page->entries[i]);
	index_plan_close(&planning->plan);
	return status;
}

/* What was planned waits in its lanes, or is forgotten. */
static void end_planning(struct index_feed *feed, struct feed_page *page, bool is_complete)
{
	struct queue *next;

	for (struct queue *link = feed->lanes.next; link != &feed->lanes; link = next) {
		struct feed_lane *lane = CONTAINER_OF(link, struct feed_lane, link);

		next = link->next;
		if (lane->planned != NULL && is_complete) {
			queue_push_tail(&lane->waiting, &lane->planned->link);
			page->open_count++;
		}
		lane->planned = NULL;
		if (!lane->is_busy && queue_is_empty(&lane->waiting))
			free_lane(lane);
	}
}

enum status index_send_plan(struct index_feed *feed, struct feed_page *page)
{
	const struct partition *partition = feed->feeder->partition;
	const struct catalog_state *state = &feed->feeder->feeders->env->view->state;
	const struct table_info *derived = catalog_state_table(state, feed->index_table_id);
	struct planning planning = { .feed = feed, .page = page, .state = state };
	enum status status;

	planning.owner.index = partition_indexes_of_feed(&partition->indexes, feed->index_table_id);
	if (derived == NULL || planning.owner.index == NULL)
		return ST_NOT_FOUND;
	planning.owner.table_id = partition->table_id;
	planning.owner.token_seed = derived->token_seed;
	planning.owner.schema = &partition->indexes.schema;
	status = plan_entries(&planning);
	end_planning(feed, page, status == ST_OK);
	return status;
}

/* --- sending --- */

static struct feed_part *part_of(struct queue *link)
{
	return CONTAINER_OF(link, struct feed_part, link);
}

static size_t sent_row_count(const struct feed_lane *lane)
{
	size_t count = 0;

	for (struct queue *link = lane->sent.next; link != &lane->sent; link = link->next)
		count += part_of(link)->row_count;
	return count;
}

/* Rows of all parts, one after the other. */
static void list_rows(const struct feed_lane *lane, Cleave__IndexRow *rows, Cleave__IndexRow **list)
{
	size_t at = 0;

	for (struct queue *link = lane->sent.next; link != &lane->sent; link = link->next) {
		for (const struct send_row *row = part_of(link)->first; row != NULL; row = row->next, at++) {
			cleave__index_row__init(&rows[at]);
			rows[at].position = proto_borrow_bytes(row->position);
			rows[at].row_key = proto_borrow_bytes(row->row_key);
			rows[at].item = proto_borrow_bytes(row->item);
			list[at] = &rows[at];
		}
	}
}

static enum status pack(struct replica_call *call, struct buf *out)
{
	struct feed_lane *lane = CONTAINER_OF(call, struct feed_lane, call);
	Cleave__WriteIndexRowsRequest message = CLEAVE__WRITE_INDEX_ROWS_REQUEST__INIT;
	size_t row_count = sent_row_count(lane);
	Cleave__IndexRow *rows;
	uint8_t *room;

	arena_reset(&lane->arena); /* of the attempt before */
	rows = arena_alloc(&lane->arena, row_count * sizeof(*rows));
	message.rows = arena_alloc(&lane->arena, row_count * sizeof(*message.rows));
	if (rows == NULL || message.rows == NULL)
		return ST_NO_MEMORY;
	list_rows(lane, rows, message.rows);
	message.n_rows = row_count;
	message.partition_id = call->target.partition_id;
	message.epoch = call->target.epoch;
	message.source_partition_id = part_of(lane->sent.next)->page->page.partition_id;
	room = buf_extend(out, cleave__write_index_rows_request__get_packed_size(&message));
	if (room != NULL)
		(void)cleave__write_index_rows_request__pack(&message, room);
	return out->status;
}

static enum status take(struct replica_call *call, struct slice reply)
{
	(void)call;
	(void)reply;
	return ST_OK;
}

static void note_rows(const struct feed_lane *lane, const struct feed_part *part)
{
	uint64_t now_ms = runtime_wall_us(lane->feed->feeder->feeders->runtime) / US_PER_MS;

	metric_add(&metric_rows, (int64_t)part->row_count);
	for (const struct send_row *row = part->first; row != NULL; row = row->next) {
		uint64_t then_ms = row->hlc >> HLC_COUNTER_BITS;

		if (then_ms != 0) /* not of the backfill */
			histogram_record(&lag, now_ms > then_ms ? (now_ms - then_ms) * US_PER_MS : 0);
	}
}

static void on_done(struct replica_call *call)
{
	struct feed_lane *lane = CONTAINER_OF(call, struct feed_lane, call);
	struct index_feed *feed = lane->feed;
	enum status status = call->status;
	struct queue *link;

	lane->is_busy = false;
	feed->busy_count--;
	if (status == ST_OK)
		metric_add(&metric_messages, 1);
	while ((link = queue_pop_head(&lane->sent)) != NULL) {
		if (status != ST_OK)
			continue;
		note_rows(lane, part_of(link));
		part_of(link)->page->open_count--;
	}
	if (queue_is_empty(&lane->waiting))
		free_lane(lane);
	index_feed_on_answer(feed, status);
}

/* As much of what waits as a page may hold. */
static void fill(struct feed_lane *lane)
{
	size_t row_count = 0;
	size_t size_bytes = 0;

	while (!queue_is_empty(&lane->waiting)) {
		struct feed_part *part = part_of(lane->waiting.next);

		if (row_count > 0 && (row_count + part->row_count > INDEX_FEEDER_PAGE_COUNT ||
				      size_bytes + part->size_bytes > INDEX_FEEDER_PAGE_BYTES))
			return;
		row_count += part->row_count;
		size_bytes += part->size_bytes;
		queue_remove(&part->link);
		queue_push_tail(&lane->sent, &part->link);
	}
}

static void start_call(struct feed_lane *lane)
{
	struct index_feed *feed = lane->feed;
	struct index_feeders *feeders = feed->feeder->feeders;

	fill(lane);
	lane->call = (struct replica_call){
		.method = METHOD_WRITE_INDEX_ROWS,
		.table_id = feed->index_table_id,
		.row_key = part_of(lane->sent.next)->first->row_key,
		.is_consistent = true,
		.deadline_mono_us = runtime_mono_us(feeders->runtime) +
				    (uint64_t)INDEX_FEEDER_CALL_MS * US_PER_MS,
		.arena = &lane->arena,
		.pack = pack,
		.take = take,
		.done = on_done,
	};
	lane->is_busy = true;
	feed->busy_count++;
	replica_call_start(feeders->env, &lane->call);
}

void index_send_start(struct index_feed *feed)
{
	for (struct queue *link = feed->lanes.next; link != &feed->lanes; link = link->next) {
		struct feed_lane *lane = CONTAINER_OF(link, struct feed_lane, link);

		if (!lane->is_busy)
			start_call(lane);
	}
}

bool index_send_is_idle(const struct index_feed *feed)
{
	for (struct queue *link = feed->lanes.next; link != &feed->lanes; link = link->next) {
		if (CONTAINER_OF(link, struct feed_lane, link)->is_busy)
			return false;
	}
	return true;
}

void index_send_cancel(struct index_feed *feed)
{
	for (struct queue *link = feed->lanes.next; link != &feed->lanes; link = link->next) {
		struct feed_lane *lane = CONTAINER_OF(link, struct feed_lane, link);

		if (lane->is_busy)
			replica_call_cancel(&lane->call);
	}
}

void index_send_drop(struct index_feed *feed)
{
	CHECK(index_send_is_idle(feed));
	while (!queue_is_empty(&feed->lanes))
		free_lane(CONTAINER_OF(feed->lanes.next, struct feed_lane, link));
}
