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
	SENDS_MIN = 8,
	HLC_COUNTER_BITS = 16,
};

static struct metric metric_rows = { .name = "cleave_node_index_rows_sent_total",
				     .help = "Rows acknowledged by partitions of global indexes",
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
	struct send_row *next;
};

struct index_send {
	struct replica_call call;
	struct arena arena; /* of the call */
	struct index_feed *feed;
	uint64_t partition_id;
	struct send_row *first;
	struct send_row **end;
	size_t row_count;
};

void index_send_register_metrics(void)
{
	metrics_register(&metric_rows);
	metrics_register_histogram(&lag);
	replica_call_register_metrics();
}

void index_send_note_lag(const struct index_feed *feed)
{
	uint64_t now_ms = runtime_wall_us(feed->feeder->feeders->runtime) / US_PER_MS;

	for (size_t i = 0; i < feed->page.count; i++) {
		uint64_t then_ms = feed->page.entries[i].hlc >> HLC_COUNTER_BITS;

		if (then_ms != 0) /* not of the backfill */
			histogram_record(&lag, now_ms > then_ms ? (now_ms - then_ms) * US_PER_MS : 0);
	}
}

/* --- planning --- */

/* One page being planned. */
struct planning {
	struct index_feed *feed;
	const struct catalog_state *state;
	struct index_owner owner;
	struct index_plan plan;
	size_t capacity; /* of feed->sends */
};

static struct index_send *add_send(struct planning *planning, uint64_t partition_id)
{
	struct index_feed *feed = planning->feed;
	struct index_send *send;

	if (feed->send_count == planning->capacity) {
		size_t capacity = planning->capacity == 0 ? SENDS_MIN : 2 * planning->capacity;
		struct index_send *bigger = realloc(feed->sends, capacity * sizeof(*bigger));

		if (bigger == NULL)
			return NULL;
		feed->sends = bigger;
		planning->capacity = capacity;
	}
	send = &feed->sends[feed->send_count++];
	*send = (struct index_send){ .feed = feed, .partition_id = partition_id };
	return send;
}

static struct index_send *find_send(struct planning *planning, struct slice row_key)
{
	struct index_feed *feed = planning->feed;
	const struct partition_info *partition = catalog_state_find_partition(planning->state, row_key);
	uint64_t partition_id = partition == NULL ? 0 : partition->partition_id;

	for (size_t i = 0; i < feed->send_count; i++) {
		if (feed->sends[i].partition_id == partition_id)
			return &feed->sends[i];
	}
	return add_send(planning, partition_id);
}

static enum status add_row(struct planning *planning, struct slice position, struct slice row_key,
			   struct slice item)
{
	struct arena *arena = &planning->feed->arena;
	struct index_send *send = find_send(planning, row_key);
	struct send_row *row = arena_alloc(arena, sizeof(*row));
	uint8_t *key = arena_copy(arena, row_key);
	uint8_t *bytes = arena_copy(arena, item);

	if (send == NULL || row == NULL || key == NULL || bytes == NULL)
		return ST_NO_MEMORY;
	*row = (struct send_row){ position, slice_of(key, row_key.size), slice_of(bytes, item.size), NULL };
	if (send->first == NULL)
		send->first = row;
	else
		*send->end = row;
	send->end = &row->next;
	send->row_count++;
	return ST_OK;
}

static enum status plan_entry(struct planning *planning, const struct index_page_entry *entry)
{
	struct index_plan *plan = &planning->plan;
	enum status status = index_plan_make(plan, &planning->owner, entry->old_item, entry->new_item);

	if (status == ST_OK && plan->has_delete)
		status = add_row(planning, entry->position, plan->delete_key, slice_of(NULL, 0));
	if (status == ST_OK && plan->has_put)
		status = add_row(planning, entry->position, plan->put_key, plan->item);
	return status;
}

static enum status plan_page(struct index_feed *feed)
{
	const struct partition *partition = feed->feeder->partition;
	const struct catalog_state *state = &feed->feeder->feeders->env->view->state;
	const struct table_info *derived = catalog_state_table(state, feed->index_table_id);
	struct planning planning = { .feed = feed, .state = state };
	enum status status = ST_OK;

	planning.owner.index = partition_indexes_of_feed(&partition->indexes, feed->index_table_id);
	if (derived == NULL || planning.owner.index == NULL)
		return ST_NOT_FOUND;
	planning.owner.table_id = partition->table_id;
	planning.owner.token_seed = derived->token_seed;
	planning.owner.schema = &partition->indexes.schema;
	index_plan_init(&planning.plan);
	planning.plan.is_old_partial = true; /* partition_indexes_keep_old() */
	for (size_t i = 0; status == ST_OK && i < feed->page.count; i++)
		status = plan_entry(&planning, &feed->page.entries[i]);
	index_plan_close(&planning.plan);
	return status;
}

/* --- sending --- */

static enum status pack(struct replica_call *call, struct buf *out)
{
	struct index_send *send = CONTAINER_OF(call, struct index_send, call);
	Cleave__WriteIndexRowsRequest message = CLEAVE__WRITE_INDEX_ROWS_REQUEST__INIT;
	Cleave__IndexRow *rows;
	uint8_t *room;
	size_t at = 0;

	arena_reset(&send->arena); /* of the attempt before */
	rows = arena_alloc(&send->arena, send->row_count * sizeof(*rows));
	message.rows = arena_alloc(&send->arena, send->row_count * sizeof(*message.rows));
	if (rows == NULL || message.rows == NULL)
		return ST_NO_MEMORY;
	for (const struct send_row *row = send->first; row != NULL; row = row->next, at++) {
		cleave__index_row__init(&rows[at]);
		rows[at].position = proto_borrow_bytes(row->position);
		rows[at].row_key = proto_borrow_bytes(row->row_key);
		rows[at].item = proto_borrow_bytes(row->item);
		message.rows[at] = &rows[at];
	}
	message.n_rows = send->row_count;
	message.partition_id = call->target.partition_id;
	message.epoch = call->target.epoch;
	message.source_partition_id = send->feed->page.partition_id;
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

static void on_done(struct replica_call *call)
{
	struct index_send *send = CONTAINER_OF(call, struct index_send, call);
	struct index_feed *feed = send->feed;
	bool is_complete;

	if (call->status == ST_OK)
		metric_add(&metric_rows, (int64_t)send->row_count);
	else
		feed->has_send_failed = true;
	feed->busy_count--;
	feed->send_pending--;
	if (feed->send_pending > 0)
		return;
	is_complete = !feed->has_send_failed;
	index_send_free(feed);
	index_feed_on_sent(feed, is_complete);
}

static void start_send(struct index_send *send)
{
	struct index_feed *feed = send->feed;
	struct index_feeders *feeders = feed->feeder->feeders;

	arena_init(&send->arena, SIZE_MAX);
	send->call = (struct replica_call){
		.method = METHOD_WRITE_INDEX_ROWS,
		.table_id = feed->index_table_id,
		.row_key = send->first->row_key,
		.is_consistent = true,
		.deadline_mono_us = runtime_mono_us(feeders->runtime) +
				    (uint64_t)INDEX_FEEDER_CALL_MS * US_PER_MS,
		.arena = &send->arena,
		.pack = pack,
		.take = take,
		.done = on_done,
	};
	feed->busy_count++;
	feed->send_pending++;
	replica_call_start(feeders->env, &send->call);
}

enum status index_send_start(struct index_feed *feed)
{
	enum status status;

	CHECK(feed->sends == NULL && feed->send_pending == 0);
	feed->has_send_failed = false;
	status = plan_page(feed);
	if (status != ST_OK || feed->send_count == 0) {
		feed->send_count = status == ST_OK ? 0 : feed->send_count;
		index_send_free(feed);
		return status;
	}
	for (size_t i = 0; i < feed->send_count; i++)
		start_send(&feed->sends[i]);
	return ST_OK;
}

void index_send_cancel(struct index_feed *feed)
{
	for (size_t i = 0; feed->send_pending > 0 && i < feed->send_count; i++)
		replica_call_cancel(&feed->sends[i].call);
}

void index_send_free(struct index_feed *feed)
{
	for (size_t i = 0; i < feed->send_count; i++)
		arena_close(&feed->sends[i].arena);
	free(feed->sends);
	feed->sends = NULL;
	feed->send_count = 0;
}
