#include "node/background/index_feeder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "node/background/index_feeder_internal.h"
#include "node/partition/partition_propose.h"
#include "node/partition/partition_write.h"
#include "proto/base/log.h"

enum { US_PER_MS = 1000, ARENA_SIZE_MAX = 64 * 1024 * 1024 };

static void step(struct index_feed *feed);

static struct index_feeders *feeders_of(struct partition_feeders *base)
{
	return CONTAINER_OF(base, struct index_feeders, base);
}

static bool is_over(const struct index_feed *feed)
{
	return feed->is_ended || feed->feeder->partition == NULL;
}

/* --- memory --- */

/* The feed's page takes so much from now on. */
static void hold_bytes(struct index_feed *feed, size_t size_bytes)
{
	struct index_feeders *feeders = feed->feeder->feeders;

	CHECK(feeders->held_bytes >= feed->held_bytes);
	feeders->held_bytes += size_bytes - feed->held_bytes;
	feed->held_bytes = size_bytes;
}

/* Nobody holds memory for a page that is not under way. */
static void drop_page(struct index_feed *feed)
{
	feed->page = (struct index_page){ .count = 0 };
	arena_reset(&feed->arena);
	hold_bytes(feed, 0);
}

/* --- ending --- */

static void free_feed(struct index_feed *feed)
{
	hold_bytes(feed, 0);
	queue_remove(&feed->link);
	buf_close(&feed->position);
	arena_close(&feed->arena);
	index_send_free(feed);
	free(feed);
}

/* Everything that is over and has nothing under way is freed. */
static void sweep(struct partition_feeder *feeder)
{
	struct queue *next;

	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		next = link->next;
		if (is_over(feed) && feed->busy_count == 0)
			free_feed(feed);
	}
	if (feeder->partition == NULL && queue_is_empty(&feeder->feeds) && !feeder->is_proposing) {
		queue_remove(&feeder->link);
		free(feeder);
	}
}

static void end_feed(struct index_feed *feed)
{
	feed->is_ended = true;
	runtime_timer_stop(feed->feeder->feeders->runtime, &feed->pause);
	index_send_cancel(feed);
}

/* --- what the partition hears --- */

/* Writes wait for the indexes that are fed with changes; those that are being backfilled are not
 * readable yet. */
static void tell_partition(struct partition_feeder *feeder)
{
	uint64_t sequence = UINT64_MAX;

	if (feeder->partition == NULL)
		return;
	for (const struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		const struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (is_over(feed) || feed->position.data[0] != FEED_CHANGES)
			continue;
		if (get_u64_be(feed->position.data + 1) < sequence)
			sequence = get_u64_be(feed->position.data + 1);
	}
	partition_write_on_fed(feeder->partition, sequence);
}

/* --- progress --- */

static void on_progress_applied(struct partition_proposal *proposal, enum status status)
{
	struct partition_feeder *feeder = CONTAINER_OF(proposal, struct partition_feeder, proposal);

	(void)status; /* unknown: the next leader goes on from an earlier place */
	feeder->is_proposing = false;
	sweep(feeder);
}

static bool fill_progress(const struct partition_feeder *feeder, struct arena *arena,
			  Cleave__PartitionCommand *command)
{
	command->progress = arena_alloc(arena, LIMIT_GLOBAL_INDEX_COUNT * sizeof(*command->progress));
	if (command->progress == NULL)
		return false;
	for (const struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		const struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);
		const struct partition_feed *known = partition_indexes_feed(&feeder->partition->indexes,
									    feed->index_table_id);
		Cleave__FeedRecord *record;

		if (is_over(feed) || known == NULL ||
		    slice_compare(buf_slice(&feed->position), buf_slice(&known->position)) <= 0)
			continue;
		record = arena_alloc(arena, sizeof(*record));
		if (record == NULL)
			return false;
		cleave__feed_record__init(record);
		record->index_table_id = feed->index_table_id;
		record->position = (ProtobufCBinaryData){ feed->position.size, feed->position.data };
		command->progress[command->n_progress++] = record;
	}
	return command->n_progress > 0;
}

static void propose_progress(struct partition_feeder *feeder)
{
	Cleave__PartitionCommand command = CLEAVE__PARTITION_COMMAND__INIT;
	struct arena arena;

	arena_init(&arena, ARENA_SIZE_MAX);
	if (fill_progress(feeder, &arena, &command)) {
		feeder->proposal.done = on_progress_applied;
		feeder->is_proposing = partition_propose(feeder->partition, &command, &feeder->proposal) ==
				       ST_OK;
		if (!feeder->is_proposing)
			runtime_timer_start(feeder->feeders->runtime, &feeder->progress,
					    (uint64_t)INDEX_FEEDER_PROGRESS_MS * US_PER_MS);
	}
	arena_close(&arena);
}

static void on_progress(struct runtime_timer *timer)
{
	struct partition_feeder *feeder = CONTAINER_OF(timer, struct partition_feeder, progress);

	if (feeder->is_proposing)
		runtime_timer_start(feeder->feeders->runtime, timer,
				    (uint64_t)INDEX_FEEDER_PROGRESS_MS * US_PER_MS);
	else
		propose_progress(feeder);
}

static void schedule_progress(struct partition_feeder *feeder, uint64_t delay_ms)
{
	if (!runtime_timer_is_active(&feeder->progress) || delay_ms == 0)
		runtime_timer_start(feeder->feeders->runtime, &feeder->progress, delay_ms * US_PER_MS);
}

/* --- a feed's steps --- */

static void pause_feed(struct index_feed *feed)
{
	drop_page(feed);
	feed->phase = INDEX_FEED_PAUSE;
	runtime_timer_start(feed->feeder->feeders->runtime, &feed->pause,
			    (uint64_t)INDEX_FEEDER_PAUSE_MS * US_PER_MS);
}

static void on_pause(struct runtime_timer *timer)
{
	struct index_feed *feed = CONTAINER_OF(timer, struct index_feed, pause);

	feed->phase = INDEX_FEED_IDLE;
	feed->may_have_more = true;
	step(feed);
}

/* All of the page is where it belongs. */
static void advance(struct index_feed *feed)
{
	struct partition_feeder *feeder = feed->feeder;
	bool was_backfilling = feed->position.data[0] == FEED_BACKFILL;
	bool is_backfilling = feed->page.end.data[0] == FEED_BACKFILL;

	if (slice_compare(feed->page.end, buf_slice(&feed->position)) != 0) {
		buf_reset(&feed->position);
		buf_append_slice(&feed->position, feed->page.end);
		CHECK(feed->position.status == ST_OK); /* its room was made at the start */
		schedule_progress(feeder, was_backfilling && !is_backfilling ? 0 : INDEX_FEEDER_PROGRESS_MS);
	}
	if (was_backfilling)
		feed->item_count += feed->page.count;
	index_send_note_lag(feed);
	feed->may_have_more = was_backfilling || !feed->page.is_at_end;
	feed->phase = INDEX_FEED_IDLE;
	if (!is_backfilling && feed->page.is_at_end && !feed->is_caught_up) {
		feed->is_caught_up = true;
		if (feeder->feeders->caught_up != NULL)
			feeder->feeders->caught_up(feeder->feeders);
	}
	drop_page(feed);
	tell_partition(feeder);
}

static void read_page(struct runtime_job *job)
{
	struct index_feed *feed = CONTAINER_OF(job, struct index_feed, job);

	feed->status = index_page_read(&feed->page, feed->engine, INDEX_FEEDER_PAGE_COUNT,
				       INDEX_FEEDER_PAGE_BYTES, &feed->arena);
}

static void on_page(struct runtime_job *job)
{
	struct index_feed *feed = CONTAINER_OF(job, struct index_feed, job);
	struct partition_feeder *feeder = feed->feeder;

	feed->busy_count--;
	if (is_over(feed)) {
		sweep(feeder);
		return;
	}
	feed->phase = INDEX_FEED_PLAN;
	step(feed);
}

static void start_reading(struct index_feed *feed)
{
	const struct partition *partition = feed->feeder->partition;

	arena_reset(&feed->arena);
	feed->page = (struct index_page){
		.partition_id = partition->id,
		.range_start = slice_of(arena_copy(&feed->arena, buf_slice(&partition->range_start)),
					partition->range_start.size),
		.range_end = slice_of(arena_copy(&feed->arena, buf_slice(&partition->range_end)),
				      partition->range_end.size),
		.after = slice_of(arena_copy(&feed->arena, buf_slice(&feed->position)), feed->position.size),
		.start_sequence = feed->start_sequence,
	};
	if (feed->page.range_start.data == NULL || feed->page.range_end.data == NULL ||
	    feed->page.after.data == NULL) {
		pause_feed(feed);
		return;
	}
	hold_bytes(feed, INDEX_FEEDER_PAGE_BYTES); /* more or less, until it is read */
	feed->phase = INDEX_FEED_READ;
	feed->may_have_more = false;
	feed->busy_count++;
	feed->job = (struct runtime_job){ .work = read_page, .done = on_page };
	runtime_submit(feed->feeder->feeders->runtime, &feed->job);
}

static void start_sending(struct index_feed *feed)
{
	hold_bytes(feed, feed->arena.used_bytes);
	feed->phase = INDEX_FEED_SEND;
}

static void plan(struct index_feed *feed)
{
	enum status status = feed->status;

	if (status == ST_OK)
		status = index_send_start(feed);
	if (status == ST_OK && feed->send_count == 0)
		advance(feed);
	else if (status == ST_OK)
		start_sending(feed);
	else
		pause_feed(feed);
	if (status != ST_OK && status != ST_NOT_FOUND)
		log_warn("feeder", "cannot feed an index",
			 "partition=%" PRIu64 " index_table=%" PRIu32 " status=%s",
			 feed->feeder->partition->id, feed->index_table_id, status_name(status));
}

void index_feed_on_sent(struct index_feed *feed, bool is_complete)
{
	struct partition_feeder *feeder = feed->feeder;

	if (is_over(feed)) {
		sweep(feeder);
		return;
	}
	if (is_complete)
		advance(feed);
	else
		pause_feed(feed);
	step(feed);
}

static bool has_more(const struct index_feed *feed)
{
	if (feed->may_have_more || feed->position.data[0] == FEED_BACKFILL)
		return true;
	return feed->feeder->partition->changed_sequence > get_u64_be(feed->position.data + 1);
}

static void step(struct index_feed *feed)
{
	for (;;) {
		switch (feed->phase) {
		case INDEX_FEED_IDLE:
			if (is_over(feed) || !has_more(feed))
				return;
			if (feed->feeder->feeders->held_bytes >= INDEX_FEEDER_BYTES_MAX)
				pause_feed(feed); /* others first */
			else
				start_reading(feed);
			return; /* on_page() or on_pause() resumes */
		case INDEX_FEED_PLAN:
			plan(feed);
			continue;
		default:
			return; /* on_page(), index_feed_on_sent() or on_pause() resumes */
		}
	}
}

/* --- following the partition --- */

static struct index_feed *find_feed(struct partition_feeder *feeder, uint32_t index_table_id)
{
	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (feed->index_table_id == index_table_id && !feed->is_ended)
			return feed;
	}
	return NULL;
}

static void add_feed(struct partition_feeder *feeder, const struct partition_feed *known)
{
	struct index_feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
		return; /* the next change comes here again */
	feed->feeder = feeder;
	feed->engine = feeder->feeders->engine;
	feed->index_table_id = known->index_table_id;
	feed->start_sequence = known->start_sequence;
	feed->may_have_more = true;
	buf_init(&feed->position, 1 + LIMIT_ROW_KEY_SIZE_BYTES);
	arena_init(&feed->arena, ARENA_SIZE_MAX);
	runtime_timer_init(&feed->pause, on_pause);
	if (buf_extend(&feed->position, 1 + LIMIT_ROW_KEY_SIZE_BYTES) == NULL) {
		free(feed);
		return;
	}
	buf_reset(&feed->position); /* the room stays: moving it cannot fail */
	buf_append_slice(&feed->position, buf_slice(&known->position));
	queue_init(&feed->link);
	queue_push_tail(&feeder->feeds, &feed->link);
}

static void match_feeds(struct partition_feeder *feeder)
{
	const struct partition_indexes *indexes = &feeder->partition->indexes;

	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next) {
		struct index_feed *feed = CONTAINER_OF(link, struct index_feed, link);

		if (!feed->is_ended && partition_indexes_feed(indexes, feed->index_table_id) == NULL) {
			end_feed(feed);
			if (feeder->feeders->caught_up != NULL)
				feeder->feeders->caught_up(feeder->feeders); /* the catalog waits for it */
		}
	}
	for (uint32_t i = 0; i < indexes->feed_count; i++) {
		if (find_feed(feeder, indexes->feeds[i].index_table_id) == NULL)
			add_feed(feeder, &indexes->feeds[i]);
	}
}

static void on_task(struct runtime_task *task)
{
	struct partition_feeder *feeder = CONTAINER_OF(task, struct partition_feeder, task);
	struct queue *next;

	match_feeds(feeder);
	tell_partition(feeder);
	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = next) {
		next = link->next;
		step(CONTAINER_OF(link, struct index_feed, link));
	}
	sweep(feeder);
}

static struct partition_feeder *create(struct index_feeders *feeders, struct partition *partition)
{
	struct partition_feeder *feeder = calloc(1, sizeof(*feeder));

	if (feeder == NULL)
		return NULL;
	feeder->feeders = feeders;
	feeder->partition = partition;
	queue_init(&feeder->feeds);
	queue_init(&feeder->link);
	queue_push_tail(&feeders->all, &feeder->link);
	runtime_task_init(&feeder->task, on_task);
	runtime_timer_init(&feeder->progress, on_progress);
	match_feeds(feeder);
	partition->feeder = feeder;
	tell_partition(feeder);
	return feeder;
}

static void on_changed(struct partition_feeders *base, struct partition *partition)
{
	struct partition_feeder *feeder = partition->feeder;

	if (feeder == NULL && partition->indexes.feed_count > 0)
		feeder = create(feeders_of(base), partition);
	if (feeder != NULL)
		runtime_defer(feeder->feeders->runtime, &feeder->task);
}

static void on_lost(struct partition_feeders *base, struct partition *partition)
{
	struct partition_feeder *feeder = partition->feeder;
	struct runtime *runtime = feeders_of(base)->runtime;

	if (feeder == NULL)
		return;
	partition->feeder = NULL;
	feeder->partition = NULL;
	runtime_task_cancel(&feeder->task);
	runtime_timer_stop(runtime, &feeder->progress);
	for (struct queue *link = feeder->feeds.next; link != &feeder->feeds; link = link->next)
		end_feed(CONTAINER_OF(link, struct index_feed, link));
	sweep(feeder);
}

/* --- life and questions --- */

void index_feeders_init(struct index_feeders *feeders, struct runtime *runtime, struct engine *engine,
			struct route_env *env)
{
	*feeders = (struct index_feeders){
		.base = { .changed = on_changed, .lost = on_lost },
		.runtime = runtime,
		.engine = engine,
		.env = env,
	};
	queue_init(&feeders->all);
	index_send_register_metrics();
}

bool index_feeders_is_idle(const struct index_feeders *feeders)
{
	return queue_is_empty(&feeders->all);
}

bool index_feeder_is_caught_up(const struct partition *partition, uint32_t index_table_id)
{
	const struct index_feed *feed = partition->feeder == NULL
						? NULL
						: find_feed(partition->feeder, index_table_id);

	return feed != NULL && feed->is_caught_up;
}

uint64_t index_feeder_item_count(const struct partition *partition, uint32_t index_table_id)
{
	const struct index_feed *feed = partition->feeder == NULL
						? NULL
						: find_feed(partition->feeder, index_table_id);

	return feed == NULL ? 0 : feed->item_count;
}
