#include <inttypes.h>
#include <stdlib.h>

#include "node/background/index_feeder_internal.h"
#include "proto/base/log.h"
#include "proto/base/metrics.h"

enum { US_PER_MS = 1000, ARENA_SIZE_MAX = 64 * 1024 * 1024 };

static struct metric metric_backfills = {
	.name = "cleave_node_index_backfills",
	.help = "Partitions led here that backfill an index, for each index",
	.kind = METRIC_GAUGE
};
static struct metric metric_items = {
	.name = "cleave_node_index_items_backfilled_total",
	.help = "Items that were there before an index and have been sent to it",
	.kind = METRIC_COUNTER
};

void index_feed_register_metrics(void)
{
	metrics_register(&metric_backfills);
	metrics_register(&metric_items);
}

/* Is this one of the backfills of this node? */
static void count_backfill(struct index_feed *feed, bool is_one)
{
	if (is_one != feed->is_counted)
		metric_add(&metric_backfills, is_one ? 1 : -1);
	feed->is_counted = is_one;
}

static struct index_feeders *feeders_of(const struct index_feed *feed)
{
	return feed->feeder->feeders;
}

bool index_feed_is_over(const struct index_feed *feed)
{
	return feed->is_ended || feed->feeder->partition == NULL;
}

/* --- pages --- */

/* The page takes so much from now on. */
static void hold_bytes(struct feed_page *page, size_t size_bytes)
{
	struct index_feed *feed = page->feed;
	struct index_feeders *feeders = feeders_of(feed);

	CHECK(feeders->held_bytes >= feed->held_bytes && feed->held_bytes >= page->held_bytes);
	feeders->held_bytes += size_bytes - page->held_bytes;
	feed->held_bytes += size_bytes - page->held_bytes;
	page->held_bytes = size_bytes;
}

static void free_page(struct feed_page *page)
{
	hold_bytes(page, 0);
	page->feed->page_count--;
	queue_remove(&page->link);
	arena_close(&page->arena);
	free(page);
}

static struct slice copy_slice(struct arena *arena, struct slice slice)
{
	return slice_of(arena_copy(arena, slice), slice.size);
}

/* The next of the stream, to be read; NULL when out of memory. */
static struct feed_page *create_page(struct index_feed *feed)
{
	const struct partition *partition = feed->feeder->partition;
	struct feed_page *page = calloc(1, sizeof(*page));

	if (page == NULL)
		return NULL;
	page->feed = feed;
	feed->page_count++;
	queue_init(&page->link);
	arena_init(&page->arena, ARENA_SIZE_MAX);
	page->page = (struct index_page){
		.partition_id = partition->id,
		.range_start = copy_slice(&page->arena, buf_slice(&partition->range_start)),
		.range_end = copy_slice(&page->arena, buf_slice(&partition->range_end)),
		.after = copy_slice(&page->arena, buf_slice(&feed->read_position)),
		.start_sequence = feed->start_sequence,
	};
	if (page->page.range_start.data == NULL || page->page.range_end.data == NULL ||
	    page->page.after.data == NULL) {
		free_page(page);
		return NULL;
	}
	return page;
}

static void move_to(struct buf *position, struct slice to)
{
	buf_reset(position);
	buf_append_slice(position, to);
	CHECK(position->status == ST_OK); /* its room was made at the start */
}

/* --- failing --- */

static void pause_feed(struct index_feed *feed)
{
	feed->phase = INDEX_FEED_PAUSE;
	runtime_timer_start(feeders_of(feed)->runtime, &feed->pause,
			    (uint64_t)INDEX_FEEDER_PAUSE_MS * US_PER_MS);
}

static void on_pause(struct runtime_timer *timer)
{
	struct index_feed *feed = CONTAINER_OF(timer, struct index_feed, pause);

	feed->phase = INDEX_FEED_IDLE;
	feed->may_have_more = true;
	index_feed_step(feed);
}

/* Nobody holds memory for a page that is not under way. */
static void drop_pages(struct index_feed *feed)
{
	index_send_drop(feed);
	while (!queue_is_empty(&feed->pages))
		free_page(CONTAINER_OF(feed->pages.next, struct feed_page, link));
}

/* Once nothing is under way: from the position on, all is read and planned anew. */
static void start_again(struct index_feed *feed)
{
	if (feed->phase == INDEX_FEED_READ || !index_send_is_idle(feed))
		return; /* on_page() or index_feed_on_answer() comes here again */
	drop_pages(feed);
	feed->is_failing = false;
	move_to(&feed->read_position, buf_slice(&feed->position));
	pause_feed(feed);
}

/* Until it goes well again the log is told once of each reason. */
static void warn(struct index_feed *feed, enum status status)
{
	if (status == ST_NOT_FOUND || status == feed->warned)
		return;
	feed->warned = status;
	log_warn("feeder", "cannot feed an index", "partition=%" PRIu64 " index_table=%" PRIu32 " status=%s",
		 feed->feeder->partition->id, feed->index_table_id, status_name(status));
}

static void fail(struct index_feed *feed)
{
	feed->is_failing = true;
	start_again(feed);
}

/* --- what has arrived --- */

static void advance(struct index_feed *feed, const struct index_page *page)
{
	bool was_backfilling = feed->position.data[0] == FEED_BACKFILL;
	bool is_backfilling = page->end.data[0] == FEED_BACKFILL;

	if (was_backfilling) {
		feed->item_count += page->count;
		metric_add(&metric_items, (int64_t)page->count);
		count_backfill(feed, is_backfilling);
	}
	if (slice_compare(page->end, buf_slice(&feed->position)) != 0) {
		move_to(&feed->position, page->end);
		index_feeder_on_advanced(feed, was_backfilling && !is_backfilling);
	}
	if (!is_backfilling && page->is_at_end && !feed->is_caught_up) {
		feed->is_caught_up = true;
		index_feeder_on_caught_up(feed->feeder);
	}
}

static void advance_over_arrived(struct index_feed *feed)
{
	while (!queue_is_empty(&feed->pages)) {
		struct feed_page *page = CONTAINER_OF(feed->pages.next, struct feed_page, link);

		if (page->open_count > 0)
			return;
		advance(feed, &page->page);
		free_page(page);
	}
}

void index_feed_on_answer(struct index_feed *feed, enum status status)
{
	if (index_feed_is_over(feed)) {
		index_feeder_sweep(feed->feeder);
		return;
	}
	advance_over_arrived(feed);
	if (status != ST_OK || feed->is_failing) {
		fail(feed);
		return;
	}
	index_send_start(feed);
	index_feed_step(feed);
}

/* --- reading --- */

/* It was read, or not; the page is used up.  ST_OK if the feed can go on. */
static void take_page(struct index_feed *feed, struct feed_page *page, enum status status)
{
	bool is_backfill = feed->read_position.data[0] == FEED_BACKFILL;

	if (status == ST_OK)
		status = index_send_plan(feed, page);
	if (status != ST_OK) {
		free_page(page);
		warn(feed, status);
		fail(feed);
		return;
	}
	feed->warned = ST_OK;
	hold_bytes(page, page->arena.used_bytes);
	queue_push_tail(&feed->pages, &page->link);
	move_to(&feed->read_position, page->page.end);
	feed->may_have_more = is_backfill || !page->page.is_at_end;
	feed->is_behind = feed->may_have_more;
	index_send_start(feed);
	advance_over_arrived(feed);
}

static void read_page(struct runtime_job *job)
{
	struct index_feed *feed = CONTAINER_OF(job, struct index_feed, job);
	struct feed_page *page = feed->reading;

	feed->status = index_page_read(&page->page, feeders_of(feed)->engine, INDEX_FEEDER_PAGE_COUNT,
				       INDEX_FEEDER_PAGE_BYTES, ENGINE_READ_MAY_BLOCK, &page->arena);
}

static void on_page(struct runtime_job *job)
{
	struct index_feed *feed = CONTAINER_OF(job, struct index_feed, job);
	struct feed_page *page = feed->reading;

	feed->busy_count--;
	feed->reading = NULL;
	feed->phase = INDEX_FEED_IDLE;
	if (index_feed_is_over(feed) || feed->is_failing)
		free_page(page);
	else
		take_page(feed, page, feed->status);
	if (index_feed_is_over(feed))
		index_feeder_sweep(feed->feeder);
	else if (feed->is_failing)
		start_again(feed);
	else
		index_feed_step(feed);
}

static void read_off_loop(struct index_feed *feed, struct feed_page *page)
{
	hold_bytes(page, INDEX_FEEDER_PAGE_BYTES); /* more or less, until it is read */
	feed->phase = INDEX_FEED_READ;
	feed->reading = page;
	feed->busy_count++;
	feed->job = (struct runtime_job){ .work = read_page, .done = on_page };
	runtime_submit(feeders_of(feed)->runtime, &feed->job);
}

/* Changes of a moment ago are in memory: a little of them is read here and now. */
static void read_next(struct index_feed *feed)
{
	struct feed_page *page = create_page(feed);
	enum status status = ST_WOULD_BLOCK;

	feed->may_have_more = false;
	if (page == NULL) {
		fail(feed);
		return;
	}
	if (feed->read_position.data[0] == FEED_CHANGES && !feed->is_behind)
		status = index_page_read(&page->page, feeders_of(feed)->engine, INDEX_FEEDER_SMALL_PAGE_COUNT,
					 INDEX_FEEDER_SMALL_PAGE_BYTES, ENGINE_READ_CACHED, &page->arena);
	if (status == ST_WOULD_BLOCK)
		read_off_loop(feed, page);
	else
		take_page(feed, page, status);
}

static bool has_more(const struct index_feed *feed)
{
	if (feed->may_have_more || feed->read_position.data[0] == FEED_BACKFILL)
		return true;
	return feed->feeder->partition->changed_sequence > get_u64_be(feed->read_position.data + 1);
}

/* Others first, or what is under way first. */
static bool must_wait(const struct index_feed *feed)
{
	return feeders_of(feed)->held_bytes >= INDEX_FEEDER_BYTES_MAX ||
	       feed->held_bytes >= INDEX_FEEDER_FEED_BYTES_MAX || feed->page_count >= INDEX_FEEDER_PAGES_MAX;
}

void index_feed_step(struct index_feed *feed)
{
	while (feed->phase == INDEX_FEED_IDLE && !feed->is_failing) {
		if (index_feed_is_over(feed) || !has_more(feed))
			return; /* the partition's next change comes here again */
		if (!must_wait(feed)) {
			read_next(feed);
			continue;
		}
		if (index_send_is_idle(feed))
			pause_feed(feed);
		return; /* index_feed_on_answer() or on_pause() resumes */
	}
}

/* --- life --- */

static bool make_room(struct buf *position, struct slice start)
{
	buf_init(position, 1 + LIMIT_ROW_KEY_SIZE_BYTES);
	if (buf_extend(position, 1 + LIMIT_ROW_KEY_SIZE_BYTES) == NULL)
		return false;
	buf_reset(position); /* the room stays: moving it cannot fail */
	buf_append_slice(position, start);
	return true;
}

struct index_feed *index_feed_create(struct partition_feeder *feeder, const struct partition_feed *known)
{
	struct index_feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
		return NULL;
	feed->feeder = feeder;
	feed->index_table_id = known->index_table_id;
	feed->start_sequence = known->start_sequence;
	feed->may_have_more = true;
	queue_init(&feed->link);
	queue_init(&feed->pages);
	queue_init(&feed->lanes);
	runtime_timer_init(&feed->pause, on_pause);
	if (!make_room(&feed->position, buf_slice(&known->position)) ||
	    !make_room(&feed->read_position, buf_slice(&known->position))) {
		index_feed_free(feed);
		return NULL;
	}
	count_backfill(feed, feed->position.data[0] == FEED_BACKFILL);
	return feed;
}

void index_feed_free(struct index_feed *feed)
{
	drop_pages(feed);
	queue_remove(&feed->link);
	buf_close(&feed->position);
	buf_close(&feed->read_position);
	free(feed);
}

void index_feed_end(struct index_feed *feed)
{
	feed->is_ended = true;
	count_backfill(feed, false);
	runtime_timer_stop(feeders_of(feed)->runtime, &feed->pause);
	index_send_cancel(feed);
}
